/*
 * signals.h - one thread waits for signals; nothing runs in a handler.
 *
 * TERM and INT ask for an end, a second one ends at once with 1. HUP asks for a reload. PIPE is
 * ignored.
 */
#ifndef SERVER_SIGNALS_H
#define SERVER_SIGNALS_H

#include "portress/base.h"

/* Blocks them, before the first thread: all threads inherit it. */
void signals_block(void);

/* Starts the waiting thread. */
PT_CHECK pt_err signals_open(void);

enum asked { ASKED_STOP, ASKED_RELOAD };

/* Until somebody asks. */
enum asked signals_wait(void);

#endif

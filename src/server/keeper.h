/*
 * keeper.h - the chores of a running server: what has expired is deleted, lost log lines are told.
 */
#ifndef SERVER_KEEPER_H
#define SERVER_KEEPER_H

#include "portress/store.h"

struct keeper;

/* A thread of its own. The store must outlive it. */
PT_CHECK pt_err keeper_open(const struct pt_store *store, struct keeper **out);
/* NULL is fine. */
void keeper_close(struct keeper *keeper);

#endif

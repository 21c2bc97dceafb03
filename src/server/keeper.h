/*
 * keeper.h - the chores of a running server: what has expired is deleted, lost log lines are told.
 */
#ifndef SERVER_KEEPER_H
#define SERVER_KEEPER_H

#include "portress/act.h"
#include "portress/store.h"

struct keeper;

/* A thread of its own. Store and site must outlive it. */
PT_CHECK pt_err keeper_open(
	const struct pt_store *store, struct pt_site *site, struct keeper **out);
/* NULL is fine. */
void keeper_close(struct keeper *keeper);

#endif

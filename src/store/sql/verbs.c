/*
 * verbs.c - what each verb of the contract does, said once for every SQL database: the rooms.
 *
 *   act.c              how acts are run, and the steps that several of them share
 *   verbs_accounts.c   joining, looking, going
 *   verbs_amend.c      one act on one account: what must hold, changes, ends, begins
 *   verbs_signins.c    signing in, and sessions
 *   verbs_tickets.c    secrets that travel by mail
 *   verbs_tokens.c     refresh tokens
 *   verbs_limits.c     counters
 *   verbs_events.c     the audit log
 *   verbs_tenants.c    sites that share the store
 *   verbs_import.c     people who come from another system
 *   verbs_letters.c    the outbox
 *   verbs_keeping.c    what has expired, and whether all is well
 *
 * An act runs in one transaction and reads straight down. Where two acts could meet, one of three
 * things puts them in order, and the act says which:
 *
 * (1) a conditional UPDATE or DELETE whose count of rows tells who won;
 * (2) the row of the account or of the family, written or locked before what hangs on it;
 * (3) driver->lock_name on the account's id, for acts that write no such row.
 *
 * SQLite has one writer and needs none of them.
 */
#include "store/sql/act.h"
#include "store/sql/drivers_internal.h"

#include "base/banned.h"

static void store_close(void *ctx)
{
	sql_store_close(ctx);
}

static void turn_begin(void *ctx)
{
	struct sql_store *store = ctx;

	store->driver->turn_begin(store);
}

static void turn_end(void *ctx)
{
	struct sql_store *store = ctx;

	store->driver->turn_end(store);
}

void sql_store_publish(struct sql_store *store, struct pt_store *out)
{
	static void (*const rooms[])(struct pt_store *) = {
		sql_accounts_publish,
		sql_amend_publish,
		sql_signins_publish,
		sql_tickets_publish,
		sql_tokens_publish,
		sql_limits_publish,
		sql_events_publish,
		sql_tenants_publish,
		sql_import_publish,
		sql_letters_publish,
		sql_keeping_publish,
	};

	*out = (struct pt_store){
		.size = sizeof(*out),
		.name = store->driver->name,
		.remote = store->driver->remote,
		.ctx = store,
		.close = store_close,
		.turn_begin = store->driver->turn_begin ? turn_begin : NULL,
		.turn_end = store->driver->turn_end ? turn_end : NULL,
	};
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
		rooms[i](out);
}

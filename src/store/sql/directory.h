/*
 * directory.h - where the accounts of a SQL store live, inside the same transaction as the rest.
 *
 * `native` keeps them in portress_account. `view` (store/directory/view.c) reads and writes a users
 * table that belongs to somebody else, under whatever column names it has. Sessions, tickets,
 * tokens, counters, letters and events are Portress's own tables in either case.
 */
#ifndef STORE_SQL_DIRECTORY_H
#define STORE_SQL_DIRECTORY_H

#include "store/sql/port.h"

struct sql_directory {
	const char *name;

	/* PT_E_NOT_FOUND. By id the tenant does not matter: ids are one space. Never by identity: those are
	 * Portress's own, and whoever asks knows the id then. */
	pt_err (*find)(struct sql_conn *conn, pt_arena *arena, const struct pt_account_query *query,
		struct pt_account_record *out);

	/* Inserts; *id is the id it really got. PT_E_TAKEN: name or address; then nothing was written, and
	 * the act goes on. Where no unique rule decides, it takes lock_name for both names first. */
	pt_err (*create)(struct sql_conn *conn, pt_arena *arena, const struct pt_account *account,
		pt_str password, struct pt_id *id);

	pt_err (*list)(struct sql_conn *conn, pt_arena *arena, const struct pt_account_list *query,
		struct pt_account **out, size_t *n);

	/* A page, and how many there are in all. NULL: this directory cannot. */
	pt_err (*page)(struct sql_conn *conn, pt_arena *arena, const struct pt_account_page *query,
		struct pt_account_record **out, size_t *n, int64_t *total);

	/* Finds it, and lets nobody else write it before the act ends. PT_E_NOT_FOUND. */
	pt_err (*hold)(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id,
		struct pt_account_record *out);

	/* Changes the account that is held as the amendment says; `record` goes in as hold gave it and comes
	 * out as it is then. PT_E_TAKEN: the new address is another's. PT_F_CONFIG: no place for it. */
	pt_err (*amend)(struct sql_conn *conn, pt_arena *arena, const struct pt_amend *amend,
		struct pt_account_record *record);

	/* Compare and set: PT_E_CREDENTIALS when the stored hash is not `seen` any more, or the account is
	 * gone. Also marks the address verified when told; false leaves that as it is. */
	pt_err (*set_password)(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id,
		pt_str seen, pt_str password, bool verified, pt_time now);

	/* Its address is its owner's. A second time keeps the first time; an account that is gone is no
	 * refusal, here and for `failed`. */
	pt_err (*set_verified)(
		struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, pt_time now);

	/* Counts a success (failures to 0) only where the stored hash is `seen` and the account is not
	 * disabled, else PT_E_CREDENTIALS. */
	pt_err (*signed_in)(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id,
		pt_str seen, pt_time now);

	pt_err (*failed)(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id);

	/* Clears a refresh token that another program kept in clear beside the account; PT_E_REFRESH when
	 * it is not the one that stands there. NULL: this directory has no such column. */
	pt_err (*take_foreign_token)(
		struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, pt_str token);

	/* Tells the table's other programs. NULL: nobody listens. */
	pt_err (*announce)(struct sql_conn *conn, pt_arena *arena, const struct pt_event *event);

	/* PT_E_NOT_FOUND. A foreign table that forbids DELETE gets the account anonymised instead. */
	pt_err (*remove)(
		struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, pt_time now);

	/* Releases directory_ctx when the store closes. NULL: there is nothing to release. */
	void (*detach)(void *directory_ctx);
};

extern const struct sql_directory sql_native_directory;

#endif

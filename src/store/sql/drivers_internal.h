/*
 * drivers_internal.h - what open.c joins: a driver, a directory, the schema.
 *
 * A driver's open connects, or (setup->wait) promises to, and looks at no table of ours. The store
 * it gives has the native directory. Strings of the setup are borrowed for the length of the call.
 */
#ifndef STORE_SQL_DRIVERS_INTERNAL_H
#define STORE_SQL_DRIVERS_INTERNAL_H

#include "store/drivers.h"
#include "store/sql/directory.h"
#include "store/sql/port.h"

/* PT_F_CONFIG: the path or the connection string cannot be used. PT_F_STORE: cannot be reached. */
PT_CHECK pt_err sqlite_open(const struct store_setup *setup, struct sql_store **out);
PT_CHECK pt_err postgres_open(const struct store_setup *setup, struct sql_store **out);
PT_CHECK pt_err mysql_open(const struct store_setup *setup, struct sql_store **out);

/* Puts a view in the place of the native directory, after the schema stands. PT_F_CONFIG: relation or
 * column missing. What it allocates is released by the directory's detach. */
PT_CHECK pt_err view_attach(struct sql_store *store, const struct view_setup *view);

/* store_create_identoro_tables over an open store. */
PT_CHECK pt_err identoro_tables_create(struct sql_store *store, struct arena *arena);

/* ---- open.c ---- */

/* Detaches the directory and closes the driver. */
void sql_store_close(struct sql_store *store);

/* ---- migrate.c ---- */

PT_CHECK pt_err migrate_up(
	struct sql_store *store, void (*told)(void *ctx, int number, const char *name), void *ctx);
PT_CHECK pt_err migrate_status(struct sql_store *store, struct migration_status *out);
PT_CHECK pt_err migrate_verify(struct sql_store *store, struct migration_status *out);

/* What keeps the schema from being used by this program, in words; "" when nothing does. For the
 * check verb: runs inside an act. */
PT_CHECK pt_err migrate_judge(struct sql_conn *conn, struct arena *arena, pt_str *why);

#endif

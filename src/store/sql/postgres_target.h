/*
 * postgres_target.h - from a setting to what libpq wants to know.
 */
#ifndef STORE_SQL_POSTGRES_TARGET_H
#define STORE_SQL_POSTGRES_TARGET_H

#include "store/sql/postgres_conn.h"

/* The longest that one statement may take on the server, in a store whose acts may take `timeout`. */
pt_time pg_statement_timeout(pt_time timeout);

/*
 * Reads a postgres:// URL or libpq connection string and adds our defaults: no silent fall back to
 * clear text or to an unknown server when the host is not this machine. PT_F_CONFIG: libpq cannot read
 * it; the line that is logged quotes nothing of it. The target owns copies, in one piece of memory.
 */
PT_CHECK pt_err pg_target_make(pt_str url, pt_time timeout, struct pg_target **out);

/* NULL is fine. Wipes it: the URL may hold a password. */
void pg_target_free(struct pg_target *target);

#endif

/*
 * postgres.c - PostgreSQL as a kind of server for remote.c, and its driver.
 */
#include "base/err.h"
#include "store/sql/drivers_internal.h"
#include "store/sql/postgres_conn.h"
#include "store/sql/postgres_target.h"
#include "store/sql/remote.h"

#include "base/banned.h"

/* ---- statements ---- */

static pt_err run(struct sql_conn *conn, pt_arena *arena, enum sql_statement statement,
	const struct sql_value *args, size_t n_args, struct sql_rows *rows)
{
	const struct pg_text text = { .name = statement,
		.label = remote_label(statement),
		.text = sql_statement_text(statement, SQL_POSTGRES) };

	return pg_run(conn->handle, arena, &text, args, n_args, rows);
}

static pt_err run_text(struct sql_conn *conn, pt_arena *arena, unsigned slot, const char *text,
	const struct sql_value *args, size_t n_args, struct sql_rows *rows)
{
	const struct pg_text named = {
		.name = SQL_STATEMENTS + slot, .label = "view", .text = text
	};

	if (slot >= SQL_DYNAMIC)
		return fault(PT_F_BUG, "postgres: there is no slot %u", slot);
	return pg_run(conn->handle, arena, &named, args, n_args, rows);
}

static pt_err script(struct sql_conn *conn, pt_arena *arena, const char *text)
{
	return pg_script(conn->handle, arena, text);
}

static pt_err lock_name(struct sql_conn *conn, pt_arena *arena, pt_str name)
{
	static const struct pg_text lock = { .name = PG_LOCK_NAME,
		.label = "lock_name",
		.text = "SELECT pg_catalog.pg_advisory_xact_lock("
			"pg_catalog.hashtextextended(?1::text, 0))" };
	const struct sql_value args[] = { sql_text(name) };

	return pg_run(conn->handle, arena, &lock, args, 1, NULL);
}

/* ---- a kind of server ---- */

static pt_err conn_connect(
	struct remote_conn *conn, const void *target, pt_time deadline, char *why, size_t size)
{
	return pg_connect((struct pg_conn *)conn, target, deadline, why, size);
}

static void conn_disconnect(struct remote_conn *conn)
{
	pg_disconnect((struct pg_conn *)conn);
}

static bool conn_is_usable(struct remote_conn *conn, pt_time deadline)
{
	return pg_is_usable((struct pg_conn *)conn, deadline);
}

static pt_err conn_end(struct remote_conn *conn, bool commit)
{
	return pg_end((struct pg_conn *)conn, commit ? "COMMIT" : "ROLLBACK");
}

static void conn_end_read(struct remote_conn *conn)
{
	pg_end_unread((struct pg_conn *)conn);
}

static void target_free(void *target)
{
	pg_target_free(target);
}

static const struct remote_kind kind = {
	.name = "postgres",
	.product = "PostgreSQL",
	.conn_size = sizeof(struct pg_conn),
	.begin_write = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
	.begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
	.connect = conn_connect,
	.disconnect = conn_disconnect,
	.is_usable = conn_is_usable,
	.end = conn_end,
	.end_read = conn_end_read,
	.target_free = target_free,
};

/* ---- the driver ---- */

static const struct sql_driver driver = {
	.name = "postgres",
	.dialect = SQL_POSTGRES,
	.remote = true,
	.run = run,
	.run_text = run_text,
	.script = script,
	.write = remote_write,
	.read = remote_read,
	.lock_name = lock_name,
	.close = remote_close,
};

pt_err postgres_open(const struct store_setup *setup, struct sql_store **out)
{
	struct pg_target *target;

	TRY(pq_open());
	TRY(pg_target_make(setup->url, remote_timeout(setup), &target));
	return remote_open(setup, &kind, &driver, target, out);
}

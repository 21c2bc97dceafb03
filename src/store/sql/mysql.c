/*
 * mysql.c - MariaDB as a kind of server for remote.c, and its driver.
 *
 * What writes runs READ COMMITTED, as on PostgreSQL: verbs lock the rows they decide by, with FOR UPDATE
 * or by writing them, and a lock on what is not there yet is taken by inserting it. REPEATABLE READ,
 * InnoDB's own default, would lock gaps besides and make strangers wait for each other. Deadlocks and
 * locks that are waited for too long roll the act back and run it again.
 *
 * A name is locked with GET_LOCK, which belongs to the connection and not to the transaction, and
 * therefore outlives the commits within a migration; the end of the act gives it back. A Galera cluster
 * has no such locks between its nodes: let one node be written to.
 *
 * E-mail addresses and names are compared as bytes: every table of ours has the collation
 * utf8mb4_nopad_bin, in which "a" and "a " are two.
 */
#include "base/err.h"
#include "store/sql/drivers_internal.h"
#include "store/sql/mysql_conn.h"
#include "store/sql/mysql_target.h"
#include "store/sql/remote.h"

#include "base/banned.h"

/* ---- statements ---- */

static pt_err run(struct sql_conn *conn, pt_arena *arena, enum sql_statement statement,
	const struct sql_value *args, size_t n_args, struct sql_rows *rows)
{
	const struct my_text text = { .name = statement,
		.label = remote_label(statement),
		.text = sql_statement_text(statement, SQL_MYSQL) };

	return my_run(conn->handle, arena, &text, args, n_args, rows);
}

static pt_err run_text(struct sql_conn *conn, pt_arena *arena, unsigned slot, const char *text,
	const struct sql_value *args, size_t n_args, struct sql_rows *rows)
{
	const struct my_text named = {
		.name = SQL_STATEMENTS + slot, .label = "text", .text = text
	};

	if (slot >= SQL_DYNAMIC)
		return fault(PT_F_BUG, "mariadb: there is no slot %u", slot);
	return my_run(conn->handle, arena, &named, args, n_args, rows);
}

static pt_err script(struct sql_conn *conn, pt_arena *arena, const char *text)
{
	(void)arena;
	return my_script(conn->handle, text);
}

static pt_err lock_name(struct sql_conn *conn, pt_arena *arena, pt_str name)
{
	return my_lock_name(conn->handle, arena, name);
}

/* ---- a kind of server ---- */

static pt_err conn_connect(
	struct remote_conn *conn, const void *target, pt_time deadline, char *why, size_t size)
{
	return my_connect((struct my_conn *)conn, target, deadline, why, size);
}

static void conn_disconnect(struct remote_conn *conn)
{
	my_disconnect((struct my_conn *)conn);
}

static bool conn_is_usable(struct remote_conn *conn, pt_time deadline)
{
	return my_is_usable((struct my_conn *)conn, deadline);
}

static pt_err conn_end(struct remote_conn *conn, bool commit)
{
	return my_end((struct my_conn *)conn, commit);
}

/* The act has its answer; a connection that cannot end its transaction is not used again. */
static void conn_end_read(struct remote_conn *conn)
{
	if (my_end((struct my_conn *)conn, true) != PT_OK && conn->trouble == REMOTE_FINE)
		conn->trouble = REMOTE_BROKEN;
}

static void target_free(void *target)
{
	mysql_target_free(target);
}

static const struct remote_kind kind = {
	.name = "mariadb",
	.product = "MariaDB",
	.conn_size = sizeof(struct my_conn),
	.begin_write = "START TRANSACTION READ WRITE",
	.begin_read = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;START TRANSACTION READ ONLY",
	.connect = conn_connect,
	.disconnect = conn_disconnect,
	.is_usable = conn_is_usable,
	.end = conn_end,
	.end_read = conn_end_read,
	.target_free = target_free,
};

/* ---- the driver ---- */

static const struct sql_driver driver = {
	.name = "mariadb",
	.dialect = SQL_MYSQL,
	.remote = true,
	.run = run,
	.run_text = run_text,
	.script = script,
	.write = remote_write,
	.read = remote_read,
	.lock_name = lock_name,
	.close = remote_close,
};

pt_err mysql_open(const struct store_setup *setup, struct sql_store **out)
{
	struct my_target *target;

	if (setup->view)
		return fault(PT_F_CONFIG, "accounts in a table of somebody else's are offered on "
					  "SQLite and PostgreSQL, "
					  "not on MariaDB");
	TRY(my_open());
	TRY(mysql_target_make(setup->url, remote_timeout(setup), &target));
	return remote_open(setup, &kind, &driver, target, out);
}

/*
 * sqlite_link.c - one connection to a SQLite file: how it is hardened, and how statements run on it.
 */
#include "store/sql/sqlite_link.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/own.h"

#include "base/banned.h"

enum { BUSY_MS = 250 };

/* ---- faults: one line that names the file and what to do ------------------------------------ */

static const char *advice(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return "the disk is full: make room, nothing else is needed";
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return "the file and its directory must be there and writable for this user";
	case SQLITE_IOERR:
		return "look after the disk and the file system";
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return "the file is damaged, or no database: restore a backup";
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return "another program keeps the file locked";
	case SQLITE_SCHEMA:
	case SQLITE_ERROR:
		return "the tables are not as expected: is the schema up to date?";
	default:
		return "this should not happen";
	}
}

pt_err link_fault(const struct link *link, int rc, const char *what)
{
	if ((rc & 0xff) == SQLITE_NOMEM)
		return fault(PT_F_MEMORY, "%s: %.60s: out of memory", link->path, what);
	return fault(PT_F_STORE, "%s: %.60s: %s (%d): %s", link->path, what,
		link->db ? sqlite3_errmsg(link->db) : sqlite3_errstr(rc), rc, advice(rc));
}

/* ---- connections ---------------------------------------------------------------------------- */

/* Every millisecond instead of SQLite's growing naps, so that another process does not outrun us. */
static int busy(void *ctx, int tries)
{
	const struct timespec nap = { 0, 1000000 };

	(void)ctx;
	nanosleep(&nap, NULL);
	return tries < BUSY_MS;
}

void link_close(struct link *link)
{
	sqlite3_stmt *statement;

	if (!link)
		return;
	while (link->db && (statement = sqlite3_next_stmt(link->db, NULL)))
		sqlite3_finalize(statement);
	sqlite3_close(link->db);
	free(link);
}

static void own_link(struct link **link)
{
	link_close(*link);
}

static void link_harden(sqlite3 *db)
{
	static const struct {
		int id;
		int value;
	} limits[] = {
		{ SQLITE_LIMIT_LENGTH, 4 << 20 },
		{ SQLITE_LIMIT_SQL_LENGTH, 256 << 10 },
		{ SQLITE_LIMIT_COLUMN, 200 },
		{ SQLITE_LIMIT_EXPR_DEPTH, 100 },
		{ SQLITE_LIMIT_COMPOUND_SELECT, 8 },
		{ SQLITE_LIMIT_FUNCTION_ARG, 16 },
		{ SQLITE_LIMIT_ATTACHED, 0 },
		{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256 },
		{ SQLITE_LIMIT_VARIABLE_NUMBER, 64 },
		{ SQLITE_LIMIT_TRIGGER_DEPTH, 16 },
		{ SQLITE_LIMIT_WORKER_THREADS, 0 },
	};

	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		sqlite3_limit(db, limits[i].id, limits[i].value);
}

static const char common_settings[] = "PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;"
				      "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;";
static const char reader_settings[] = "PRAGMA query_only = ON; PRAGMA cache_size = -2048;";
/* There is one writer, and it alone comes back to the same pages after each commit: readers begin anew. */
static const char writer_settings[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
				      "PRAGMA journal_size_limit = 8388608;"
				      "PRAGMA cache_size = -8192;";

static int link_prepare(sqlite3 *db, const char *text, sqlite3_stmt **out)
{
	return sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
}

static int link_settle(struct link *link, bool writer)
{
	int rc = sqlite3_exec(link->db, common_settings, NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(
			link->db, writer ? writer_settings : reader_settings, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = link_prepare(link->db, writer ? "BEGIN IMMEDIATE" : "BEGIN", &link->begin);
	if (rc == SQLITE_OK)
		rc = link_prepare(link->db, "COMMIT", &link->commit);
	if (rc == SQLITE_OK)
		rc = link_prepare(link->db, "SAVEPOINT act", &link->save);
	if (rc == SQLITE_OK)
		rc = link_prepare(link->db, "RELEASE act", &link->release);
	return rc;
}

pt_err link_open(const char *path, bool writer, struct link **out)
{
	PT_OWN(own_link) struct link *link = calloc(1, sizeof(*link));
	int rc;

	if (!link)
		return fault(PT_F_MEMORY, "%s: no memory for a connection", path);
	link->path = path;
	rc = sqlite3_open_v2(path, &link->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return link_fault(link, rc, "open");
	sqlite3_extended_result_codes(link->db, 1);
	sqlite3_busy_handler(link->db, busy, NULL);
	link_harden(link->db);
	rc = link_settle(link, writer);
	/* SQLite would take a file that it may only read, and refuse the first act. */
	if (rc == SQLITE_OK && sqlite3_db_readonly(link->db, "main") != 0)
		rc = SQLITE_READONLY;
	if (rc != SQLITE_OK)
		return link_fault(link, rc, "open");
	*out = PT_GIVE(link);
	return PT_OK;
}

/* Steps a statement that answers nothing. */
int link_step(sqlite3_stmt *statement)
{
	int rc = sqlite3_step(statement);
	int reset = sqlite3_reset(statement);

	return rc == SQLITE_DONE ? SQLITE_OK : reset != SQLITE_OK ? reset : rc;
}

/* ---- statements ----------------------------------------------------------------------------- */

static int bind_one(sqlite3_stmt *statement, int at, const struct sql_value *value)
{
	const char *p = value->bytes.p ? value->bytes.p : "";

	switch (value->type) {
	case SQL_NULL:
		return sqlite3_bind_null(statement, at);
	case SQL_INT:
		return sqlite3_bind_int64(statement, at, value->number);
	case SQL_TEXT:
		return sqlite3_bind_text64(
			statement, at, p, value->bytes.n, SQLITE_STATIC, SQLITE_UTF8);
	case SQL_BYTES:
		return sqlite3_bind_blob64(statement, at, p, value->bytes.n, SQLITE_STATIC);
	}
	return SQLITE_MISUSE;
}

static int bind_all(sqlite3_stmt *statement, const struct sql_value *args, size_t n)
{
	int rc = (size_t)sqlite3_bind_parameter_count(statement) == n ? SQLITE_OK : SQLITE_RANGE;

	for (size_t i = 0; i < n && rc == SQLITE_OK; i++)
		rc = bind_one(statement, (int)i + 1, &args[i]);
	return rc;
}

/* Each sqlite3_column_*() finds the column anew, so it is found once and its value asked: on a connection
 * that only one thread uses at a time that is as safe. */
static bool column_read(sqlite3_stmt *statement, int at, pt_arena *arena, struct sql_value *out)
{
	sqlite3_value *value = sqlite3_column_value(statement, at);
	int type = sqlite3_value_type(value);

	switch (type) {
	case SQLITE_NULL:
		*out = sql_null();
		return true;
	case SQLITE_INTEGER:
		*out = sql_int(sqlite3_value_int64(value));
		return true;
	default: {
		const void *p = type == SQLITE_BLOB ? sqlite3_value_blob(value)
						    : (const void *)sqlite3_value_text(value);
		pt_str bytes = { p, (size_t)sqlite3_value_bytes(value) };

		out->type = type == SQLITE_BLOB ? SQL_BYTES : SQL_TEXT;
		return (p || bytes.n == 0) && arena_str(arena, bytes, &out->bytes);
	}
	}
}

/* Rows under construction. */
struct harvest {
	struct sql_value *values;
	size_t n_rows;
	size_t room;
	size_t n_columns;
};

static bool harvest_row(struct harvest *harvest, sqlite3_stmt *statement, pt_arena *arena)
{
	size_t row_size = harvest->n_columns * sizeof(struct sql_value);
	struct sql_value *row;

	if (harvest->n_rows == harvest->room) {
		size_t room = harvest->room ? 4 * harvest->room : 1;
		struct sql_value *more = arena_alloc(arena, room * row_size);

		if (!more)
			return false;
		if (harvest->n_rows > 0)
			memcpy(more, harvest->values, harvest->n_rows * row_size);
		harvest->values = more;
		harvest->room = room;
	}
	row = &harvest->values[harvest->n_rows * harvest->n_columns];
	for (size_t i = 0; i < harvest->n_columns; i++) {
		if (!column_read(statement, (int)i, arena, &row[i]))
			return false;
	}
	harvest->n_rows++;
	return true;
}

static int harvest_all(sqlite3_stmt *statement, pt_arena *arena, struct harvest *out)
{
	int rc;

	out->n_columns = (size_t)sqlite3_column_count(statement);
	while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
		if (!harvest_row(out, statement, arena))
			return SQLITE_NOMEM;
	}
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* A value that must be unique, or a row that others refer to. */
static bool is_taken(int rc)
{
	return rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
	       rc == SQLITE_CONSTRAINT_ROWID || rc == SQLITE_CONSTRAINT_FOREIGNKEY;
}

/* Before an act's first write: from here on it can be undone without the others. */
static int link_save(struct link *link)
{
	int rc;

	if (!link->guarded || link->saved)
		return SQLITE_OK;
	rc = link_step(link->save);
	link->saved = rc == SQLITE_OK;
	return rc;
}

static pt_err link_run(struct link *link, pt_arena *arena, sqlite3_stmt *statement,
	const struct sql_value *args, size_t n_args, struct sql_rows *rows)
{
	bool writes = !sqlite3_stmt_readonly(statement);
	struct harvest harvest = { 0 };
	sqlite3_int64 before = writes ? sqlite3_total_changes64(link->db) : 0;
	int rc = writes ? link_save(link) : SQLITE_OK;

	if (rc == SQLITE_OK)
		rc = bind_all(statement, args, n_args);
	if (rc == SQLITE_OK)
		rc = harvest_all(statement, arena, &harvest);
	sqlite3_reset(statement);
	/* Also where it failed: what RETURNING answers was written before it could be read. */
	if (writes && sqlite3_total_changes64(link->db) != before)
		link->wrote = true;
	if (is_taken(rc))
		return PT_E_TAKEN;
	if (rc != SQLITE_OK)
		return link_fault(link, rc, sqlite3_sql(statement));
	if (rows)
		*rows = (struct sql_rows){ harvest.values, harvest.n_rows, harvest.n_columns,
			writes ? sqlite3_changes64(link->db) : 0 };
	return PT_OK;
}

pt_err sqlite_run(struct sql_conn *conn, pt_arena *arena, enum sql_statement statement,
	const struct sql_value *args, size_t n_args, struct sql_rows *rows)
{
	struct link *link = conn->handle;
	sqlite3_stmt **slot = &link->named[statement];

	if (!*slot) {
		const char *text = sql_statement_text(statement, SQL_SQLITE);
		int rc = link_prepare(link->db, text, slot);

		if (rc != SQLITE_OK)
			return link_fault(link, rc, text);
	}
	return link_run(link, arena, *slot, args, n_args, rows);
}

pt_err sqlite_run_text(struct sql_conn *conn, pt_arena *arena, unsigned slot, const char *text,
	const struct sql_value *args, size_t n_args, struct sql_rows *rows)
{
	struct link *link = conn->handle;

	if (slot >= SQL_DYNAMIC)
		return fault(PT_F_BUG, "no slot %u for a statement", slot);
	/* A slot is named by its text: another text is another statement. */
	if (link->made[slot] && strcmp(sqlite3_sql(link->made[slot]), text) != 0) {
		sqlite3_finalize(link->made[slot]);
		link->made[slot] = NULL;
	}
	if (!link->made[slot]) {
		int rc = link_prepare(link->db, text, &link->made[slot]);

		if (rc != SQLITE_OK)
			return link_fault(link, rc, text);
	}
	return link_run(link, arena, link->made[slot], args, n_args, rows);
}

pt_err sqlite_script(struct sql_conn *conn, pt_arena *arena, const char *text)
{
	struct link *link = conn->handle;
	int rc = link_save(link);

	(void)arena;
	link->wrote = true;
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(link->db, text, NULL, NULL, NULL);
	return rc == SQLITE_OK ? PT_OK : link_fault(link, rc, "script");
}

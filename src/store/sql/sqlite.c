/*
 * sqlite.c - the driver for one file on this machine.
 *
 *	write()  -> queue -> the writer's thread: BEGIN, the acts that wait, COMMIT -> wake them all
 *	read()   -> a reader of the pool, on the caller's own thread
 *
 * (1) Only the writer's thread writes. (2) An act is answered after the commit that holds it, and
 * when that commit fails, all of the group fail: what one of them read may be another's write.
 * (3) There is no timer: an idle writer begins at once, and the acts that come while it commits are
 * the next group. (4) A connection belongs to one thread at a time. (5) Other processes may use the
 * file: nothing is remembered between acts.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "store/sql/drivers_internal.h"

#include "base/banned.h"

enum {
	GROUP_MOST = 128,
	QUEUE_MOST = 1024,
	READERS_MOST = 16,
	BUSY_MS = 250,
	READER_WAIT_S = 2,
	WAL_CHECKPOINT = 1000, /* pages: 4 MiB */
	WAL_RESTART = 8000,    /* readers kept us from starting it anew: wait for them */
};

/* A connection and its prepared statements. */
struct link {
	sqlite3 *db;
	sqlite3_stmt *named[SQL_STATEMENTS];
	sqlite3_stmt *made[SQL_DYNAMIC];
	sqlite3_stmt *begin;
	sqlite3_stmt *commit;
	sqlite3_stmt *save;
	sqlite3_stmt *release;
	bool guarded; /* others share the transaction: an act that writes gets a savepoint */
	bool saved;
	bool wrote;
	struct link *next;
};

/* An act that waits for the writer, on its caller's stack. */
struct waiting {
	sql_act act;
	pt_arena *arena;
	const void *in;
	void *out;
	pt_err err;
	sem_t done;
	struct waiting *next;
};

struct sqlite_store {
	struct sql_store sql; /* first: the port knows only this */
	char *path;
	unsigned group_max;

	pthread_mutex_t readers_lock;
	pthread_cond_t readers_free;
	struct link *readers; /* idle ones, the last used first */
	unsigned readers_open;

	pthread_t thread;
	pthread_mutex_t queue_lock;
	pthread_cond_t queue_filled;
	struct waiting *first;
	struct waiting **last;
	unsigned queued;
	bool closing;

	/* The writer's thread only. */
	struct link *writer;
	int wal_pages;

	_Atomic pt_time looked_at; /* when the path was last seen to be our file */
	_Atomic bool moved;
};

static struct sqlite_store *sqlite_of(struct sql_store *store)
{
	return (struct sqlite_store *)(void *)store;
}

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

static pt_err sqlite_fault(const struct sqlite_store *store, sqlite3 *db, int rc, const char *what)
{
	if ((rc & 0xff) == SQLITE_NOMEM)
		return fault(PT_F_MEMORY, "%s: %.60s: out of memory", store->path, what);
	return fault(PT_F_STORE, "%s: %.60s: %s (%d): %s", store->path, what,
		db ? sqlite3_errmsg(db) : sqlite3_errstr(rc), rc, advice(rc));
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

static void link_close(struct link *link)
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
static const char reader_settings[] = "PRAGMA query_only = ON; PRAGMA cache_size = -1024;";
static const char writer_settings[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
				      "PRAGMA journal_size_limit = 8388608;"
				      "PRAGMA cache_size = -2048;";

static int link_prepare(sqlite3 *db, const char *text, sqlite3_stmt **out)
{
	return sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
}

static int link_settle(struct link *link, bool writer)
{
	int rc = sqlite3_exec(link->db, common_settings, NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(link->db, writer ? writer_settings : reader_settings, NULL, NULL, NULL);
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

static pt_err link_open(const struct sqlite_store *store, bool writer, struct link **out)
{
	PT_OWN(own_link) struct link *link = calloc(1, sizeof(*link));
	int rc;

	if (!link)
		return fault(PT_F_MEMORY, "%s: no memory for a connection", store->path);
	rc = sqlite3_open_v2(store->path, &link->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return sqlite_fault(store, link->db, rc, "open");
	sqlite3_extended_result_codes(link->db, 1);
	sqlite3_busy_handler(link->db, busy, NULL);
	link_harden(link->db);
	rc = link_settle(link, writer);
	if (rc != SQLITE_OK)
		return sqlite_fault(store, link->db, rc, "open");
	*out = PT_GIVE(link);
	return PT_OK;
}

/* Steps a statement that answers nothing. */
static int link_step(sqlite3_stmt *statement)
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
		return sqlite3_bind_text64(statement, at, p, value->bytes.n, SQLITE_STATIC, SQLITE_UTF8);
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

static bool column_read(sqlite3_stmt *statement, int at, pt_arena *arena, struct sql_value *out)
{
	int type = sqlite3_column_type(statement, at);

	switch (type) {
	case SQLITE_NULL:
		*out = sql_null();
		return true;
	case SQLITE_INTEGER:
		*out = sql_int(sqlite3_column_int64(statement, at));
		return true;
	default: {
		const void *p = type == SQLITE_BLOB ? sqlite3_column_blob(statement, at) :
						      (const void *)sqlite3_column_text(statement, at);
		pt_str bytes = { p, (size_t)sqlite3_column_bytes(statement, at) };

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

static bool is_unique_rule(int rc)
{
	return rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
	       rc == SQLITE_CONSTRAINT_ROWID;
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

static pt_err link_run(const struct sqlite_store *store, struct link *link, pt_arena *arena,
	sqlite3_stmt *statement, const struct sql_value *args, size_t n_args, struct sql_rows *rows)
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
	if (is_unique_rule(rc))
		return PT_E_TAKEN;
	if (rc != SQLITE_OK)
		return sqlite_fault(store, link->db, rc, sqlite3_sql(statement));
	if (rows)
		*rows = (struct sql_rows){ harvest.values, harvest.n_rows, harvest.n_columns,
			writes ? sqlite3_changes64(link->db) : 0 };
	return PT_OK;
}

static pt_err sqlite_run(struct sql_conn *conn, pt_arena *arena, enum sql_statement statement,
	const struct sql_value *args, size_t n_args, struct sql_rows *rows)
{
	struct sqlite_store *store = sqlite_of(conn->store);
	struct link *link = conn->handle;
	sqlite3_stmt **slot = &link->named[statement];

	if (!*slot) {
		const char *text = sql_statement_text(statement, SQL_SQLITE);
		int rc = link_prepare(link->db, text, slot);

		if (rc != SQLITE_OK)
			return sqlite_fault(store, link->db, rc, text);
	}
	return link_run(store, link, arena, *slot, args, n_args, rows);
}

static pt_err sqlite_run_text(struct sql_conn *conn, pt_arena *arena, unsigned slot, const char *text,
	const struct sql_value *args, size_t n_args, struct sql_rows *rows)
{
	struct sqlite_store *store = sqlite_of(conn->store);
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
			return sqlite_fault(store, link->db, rc, text);
	}
	return link_run(store, link, arena, link->made[slot], args, n_args, rows);
}

static pt_err sqlite_script(struct sql_conn *conn, pt_arena *arena, const char *text)
{
	struct sqlite_store *store = sqlite_of(conn->store);
	struct link *link = conn->handle;
	int rc = link_save(link);

	(void)arena;
	link->wrote = true;
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(link->db, text, NULL, NULL, NULL);
	return rc == SQLITE_OK ? PT_OK : sqlite_fault(store, link->db, rc, "script");
}

static pt_err sqlite_lock_name(struct sql_conn *conn, pt_arena *arena, pt_str name)
{
	(void)conn, (void)arena, (void)name;
	return PT_OK;
}

/* ---- is it still our file? ------------------------------------------------------------------ */

/* A file that was unlinked or replaced takes writes as before, and nobody will ever see them. */
static pt_err file_look(struct sqlite_store *store, sqlite3 *db)
{
	int moved = 0;

	sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	atomic_store_explicit(&store->looked_at, clock_monotonic(), memory_order_relaxed);
	atomic_store_explicit(&store->moved, moved != 0, memory_order_relaxed);
	if (moved)
		return fault(PT_F_STORE,
			"%s: moved or replaced underneath: put it back, or restart with the new one",
			store->path);
	return PT_OK;
}

/* For readers once a second is enough: the writer looks before each group. */
static pt_err file_glance(struct sqlite_store *store, sqlite3 *db)
{
	pt_time looked_at = atomic_load_explicit(&store->looked_at, memory_order_relaxed);

	if (!atomic_load_explicit(&store->moved, memory_order_relaxed) &&
	    clock_monotonic() - looked_at < PT_SECOND)
		return PT_OK;
	return file_look(store, db);
}

/* ---- readers -------------------------------------------------------------------------------- */

static struct timespec seconds_from_now(int seconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	return until;
}

/* An idle reader, or leave to open one (*out is NULL). */
static pt_err reader_wait(struct sqlite_store *store, struct link **out)
{
	struct timespec until = seconds_from_now(READER_WAIT_S);
	pt_err err = PT_OK;

	pthread_mutex_lock(&store->readers_lock);
	while (!store->readers && store->readers_open == READERS_MOST && err == PT_OK) {
		if (pthread_cond_timedwait(&store->readers_free, &store->readers_lock, &until) ==
			ETIMEDOUT)
			err = PT_E_BUSY;
	}
	if (err == PT_OK) {
		*out = store->readers;
		if (store->readers)
			store->readers = store->readers->next;
		else
			store->readers_open++;
	}
	pthread_mutex_unlock(&store->readers_lock);
	return err;
}

static void reader_give(struct sqlite_store *store, struct link *link)
{
	pthread_mutex_lock(&store->readers_lock);
	if (link) {
		link->next = store->readers;
		store->readers = link;
	} else {
		store->readers_open--;
	}
	pthread_cond_signal(&store->readers_free);
	pthread_mutex_unlock(&store->readers_lock);
}

static pt_err reader_take(struct sqlite_store *store, struct link **out)
{
	struct link *link = NULL;
	pt_err err;

	TRY(reader_wait(store, &link));
	err = link ? PT_OK : link_open(store, false, &link);
	if (err != PT_OK)
		reader_give(store, NULL);
	else
		*out = link;
	return err;
}

static pt_err link_read(struct sqlite_store *store, struct link *link, sql_act act, pt_arena *arena,
	const void *in, void *out)
{
	struct sql_conn conn = { store->sql.driver, &store->sql, link };
	bool keep = false;
	pt_err err;
	int rc;

	TRY(file_glance(store, link->db));
	rc = link_step(link->begin);
	if (rc != SQLITE_OK)
		return sqlite_fault(store, link->db, rc, "begin");
	err = act(&conn, arena, in, out, &keep);
	if (!sqlite3_get_autocommit(link->db))
		link_step(link->commit);
	return err;
}

static pt_err sqlite_read(struct sql_store *sql, sql_act act, pt_arena *arena, const void *in, void *out)
{
	struct sqlite_store *store = sqlite_of(sql);
	struct link *link;
	pt_err err;

	TRY(reader_take(store, &link));
	err = link_read(store, link, act, arena, in, out);
	/* After trouble with the file nothing in this connection's memory is worth keeping. */
	if (pt_is_fault(err)) {
		link_close(link);
		link = NULL;
	}
	reader_give(store, link);
	return err;
}

/* ---- the writer ----------------------------------------------------------------------------- */

static void rollback(struct link *link)
{
	if (!sqlite3_get_autocommit(link->db))
		sqlite3_exec(link->db, "ROLLBACK", NULL, NULL, NULL);
}

/* Undoes what this act wrote, and nothing else. */
static void act_undo(struct link *link)
{
	if (link->saved) {
		sqlite3_exec(link->db, "ROLLBACK TO act", NULL, NULL, NULL);
		link_step(link->release);
	} else if (link->wrote) {
		rollback(link);
	}
}

/* False: the whole transaction is gone, as SQLite does after some errors. */
static bool act_run(struct sqlite_store *store, struct link *link, struct waiting *item)
{
	struct sql_conn conn = { store->sql.driver, &store->sql, link };
	bool keep = false;

	link->saved = false;
	link->wrote = false;
	item->err = item->act(&conn, item->arena, item->in, item->out, &keep);
	if (sqlite3_get_autocommit(link->db))
		return false;
	if (item->err == PT_OK || (item->err > 0 && keep))
		return !link->saved || link_step(link->release) == SQLITE_OK;
	act_undo(link);
	return !link->guarded || !sqlite3_get_autocommit(link->db);
}

static pt_err group_commit(struct sqlite_store *store, struct link *link)
{
	int rc;

	if (sqlite3_get_autocommit(link->db))
		return PT_OK; /* the only act of the group was undone */
	rc = link_step(link->commit);
	return rc == SQLITE_OK ? PT_OK : sqlite_fault(store, link->db, rc, "commit");
}

static pt_err group_run(struct sqlite_store *store, struct waiting *items)
{
	struct link *link = store->writer;
	int rc;

	TRY(file_look(store, link->db));
	rc = link_step(link->begin);
	if (rc != SQLITE_OK)
		return sqlite_fault(store, link->db, rc, "begin");
	link->guarded = items->next != NULL;
	for (struct waiting *item = items; item; item = item->next) {
		if (!act_run(store, link, item))
			return pt_is_fault(item->err) ?
				       item->err :
				       fault(PT_F_STORE, "%s: transaction lost", store->path);
	}
	return group_commit(store, link);
}

static int wal_grew(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct sqlite_store *store = ctx;

	(void)db, (void)name;
	store->wal_pages = pages;
	return SQLITE_OK;
}

static pt_err writer_open(struct sqlite_store *store)
{
	if (store->writer)
		return PT_OK;
	TRY(link_open(store, true, &store->writer));
	sqlite3_wal_hook(store->writer->db, wal_grew, store);
	return PT_OK;
}

/* After a failed write nobody knows which pages the kernel still holds: begin anew from the file. */
static void writer_drop(struct sqlite_store *store)
{
	link_close(store->writer);
	store->writer = NULL;
}

static void group_write(struct sqlite_store *store, struct waiting *items)
{
	pt_err err = writer_open(store);

	if (err == PT_OK) {
		err = group_run(store, items);
		if (err != PT_OK)
			writer_drop(store);
	}
	while (items) {
		struct waiting *item = items;

		items = item->next; /* once it is woken, the item is not ours any more */
		if (err != PT_OK)
			item->err = err;
		sem_post(&item->done);
	}
}

static void checkpoint(struct sqlite_store *store, int mode)
{
	if (store->writer)
		sqlite3_wal_checkpoint_v2(store->writer->db, NULL, mode, NULL, NULL);
}

/* Answers are out already; only what comes next waits for this. */
static void checkpoint_by_size(struct sqlite_store *store)
{
	if (store->wal_pages >= WAL_RESTART)
		checkpoint(store, SQLITE_CHECKPOINT_RESTART);
	else if (store->wal_pages >= WAL_CHECKPOINT)
		checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
}

/* Cuts at most group_max acts from the queue. The lock is held. */
static struct waiting *queue_cut(struct sqlite_store *store)
{
	struct waiting *items = store->first;
	struct waiting **end = &store->first;
	unsigned n = 0;

	while (*end && n < store->group_max) {
		end = &(*end)->next;
		n++;
	}
	store->first = *end;
	*end = NULL;
	if (!store->first)
		store->last = &store->first;
	store->queued -= n;
	return items;
}

/* The next group; NULL after a second without any, and when the store closes. */
static struct waiting *queue_wait(struct sqlite_store *store, bool *closing)
{
	struct timespec until = seconds_from_now(1);
	struct waiting *items = NULL;
	int rc = 0;

	pthread_mutex_lock(&store->queue_lock);
	while (!store->first && !store->closing && rc != ETIMEDOUT) {
		if (store->wal_pages > 0)
			rc = pthread_cond_timedwait(&store->queue_filled, &store->queue_lock, &until);
		else
			pthread_cond_wait(&store->queue_filled, &store->queue_lock);
	}
	if (store->first)
		items = queue_cut(store);
	*closing = store->closing;
	pthread_mutex_unlock(&store->queue_lock);
	return items;
}

static void *writer_main(void *ctx)
{
	struct sqlite_store *store = ctx;
	bool closing = false;

	while (!closing) {
		struct waiting *items = queue_wait(store, &closing);

		if (items) {
			group_write(store, items);
			checkpoint_by_size(store);
		} else if (!closing) {
			checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
			store->wal_pages = 0;
		}
	}
	return NULL;
}

static pt_err queue_add(struct sqlite_store *store, struct waiting *item)
{
	bool full;

	pthread_mutex_lock(&store->queue_lock);
	full = store->queued >= QUEUE_MOST;
	if (!full) {
		*store->last = item;
		store->last = &item->next;
		store->queued++;
		pthread_cond_signal(&store->queue_filled);
	}
	pthread_mutex_unlock(&store->queue_lock);
	return full ? PT_E_BUSY : PT_OK;
}

static pt_err sqlite_write(struct sql_store *sql, sql_act act, pt_arena *arena, const void *in, void *out)
{
	struct waiting item = { .act = act, .arena = arena, .in = in, .out = out };
	pt_err err;

	sem_init(&item.done, 0, 0);
	err = queue_add(sqlite_of(sql), &item);
	if (err == PT_OK) {
		while (sem_wait(&item.done) != 0)
			; /* EINTR */
		err = item.err;
	}
	sem_destroy(&item.done);
	return err;
}

/* ---- opening and closing -------------------------------------------------------------------- */

static void sqlite_free(struct sqlite_store *store)
{
	while (store->readers) {
		struct link *link = store->readers;

		store->readers = link->next;
		link_close(link);
	}
	link_close(store->writer); /* last: it folds the log into the file */
	pthread_mutex_destroy(&store->readers_lock);
	pthread_cond_destroy(&store->readers_free);
	pthread_mutex_destroy(&store->queue_lock);
	pthread_cond_destroy(&store->queue_filled);
	free(store->path);
	free(store);
}

static void sqlite_close(struct sql_store *sql)
{
	struct sqlite_store *store = sqlite_of(sql);

	pthread_mutex_lock(&store->queue_lock);
	store->closing = true;
	pthread_cond_signal(&store->queue_filled);
	pthread_mutex_unlock(&store->queue_lock);
	pthread_join(store->thread, NULL);
	sqlite_free(store);
}

static const struct sql_driver sqlite_driver = {
	.name = "sqlite",
	.dialect = SQL_SQLITE,
	.remote = false,
	.run = sqlite_run,
	.run_text = sqlite_run_text,
	.script = sqlite_script,
	.write = sqlite_write,
	.read = sqlite_read,
	.lock_name = sqlite_lock_name,
	.close = sqlite_close,
};

/* A path that SQLite cannot take for a URI or for its own ":memory:". */
static char *path_copy(pt_str path)
{
	const char *prefix = path.p[0] == '/' ? "" : "./";
	size_t skip = strlen(prefix);
	char *copy = malloc(skip + path.n + 1);

	if (!copy)
		return NULL;
	memcpy(copy, prefix, skip);
	memcpy(copy + skip, path.p, path.n);
	copy[skip + path.n] = '\0';
	return copy;
}

static pt_err directories_make(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int rc;

		*slash = '\0';
		rc = mkdir(path, 0700);
		if (rc != 0 && errno != EEXIST)
			return fault(PT_F_CONFIG, "%s: cannot make the directory: %s", path,
				strerror(errno));
		*slash = '/';
	}
	return PT_OK;
}

/* Made by us and not by SQLite, which would let the umask decide who may read it. */
static pt_err file_make(const char *path)
{
	PT_OWN(own_fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0)
		return fault(PT_F_CONFIG, "%s: cannot open the database file for writing: %s",
			path, strerror(errno));
	return PT_OK;
}

/* Its counters of memory take a lock on every allocation, and nobody reads them. */
static void sqlite_quiet(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static void conds_init(struct sqlite_store *store)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&store->readers_free, &monotonic);
	pthread_cond_init(&store->queue_filled, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&store->readers_lock, NULL);
	pthread_mutex_init(&store->queue_lock, NULL);
}

/* Signals are for the threads of the server. */
static pt_err thread_start(struct sqlite_store *store)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&store->thread, NULL, writer_main, store);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0 ? PT_OK : fault(PT_F_MEMORY, "%s: no thread for the writer", store->path);
}

static pt_err sqlite_start(struct sqlite_store *store)
{
	TRY(directories_make(store->path));
	TRY(file_make(store->path));
	if (writer_open(store) != PT_OK)
		return PT_F_CONFIG; /* said already */
	return thread_start(store);
}

pt_err sqlite_open(const struct store_setup *setup, struct sql_store **out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pt_str path = str_slice(setup->url, sizeof("sqlite:") - 1, setup->url.n);
	struct sqlite_store *store;
	pt_err err;

	if (path.n == 0 || path.p[0] == ':' || memchr(path.p, '\0', path.n))
		return fault(PT_F_CONFIG, "sqlite: needs the path of a file after it");
	pthread_once(&once, sqlite_quiet);
	store = calloc(1, sizeof(*store));
	if (!store)
		return fault(PT_F_MEMORY, "sqlite: no memory for a store");
	store->sql.driver = &sqlite_driver;
	store->sql.directory = &sql_native_directory;
	store->group_max = setup->group_max ? setup->group_max : GROUP_MOST;
	store->last = &store->first;
	conds_init(store);
	store->path = path_copy(path);
	err = store->path ? sqlite_start(store) : fault(PT_F_MEMORY, "sqlite: no memory for a path");
	if (err != PT_OK) {
		sqlite_free(store);
		return err;
	}
	*out = &store->sql;
	return PT_OK;
}

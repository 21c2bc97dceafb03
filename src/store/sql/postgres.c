/*
 * postgres.c - acts on PostgreSQL.
 *
 * An act takes a connection from the pool and runs in one transaction, which begins together with
 * its first statement. READ COMMITTED is enough for what writes: verbs lock the rows they decide by,
 * and say in the UPDATE what must still hold.
 *
 * What reads sees one snapshot. Most such acts are one statement, which is a snapshot by itself and
 * twice as fast without a transaction around it. An act is taken to be one of those until it asks for
 * a second statement; then it is run again in a transaction, and from then on always.
 *
 *   trouble       before COMMIT           at COMMIT
 *   AGAIN, MORE   roll back, run again    run again: nothing was committed
 *   BROKEN        run again, twice        nobody knows: PT_F_STORE and a line that says so
 *   SILENT        PT_F_STORE              the same
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "base/str.h"
#include "store/sql/drivers_internal.h"
#include "store/sql/postgres_pool.h"
#include "store/sql/postgres_target.h"

#include "base/banned.h"

enum {
	DEFAULT_CONNECTIONS = 8,
	MAX_CONNECTIONS = 256,
	MAX_TRIES = 5,
	MAX_BROKEN = 3,
	MAX_LONG_READS = 16,
};

#define DEFAULT_TIMEOUT (2 * PT_SECOND)
#define PREPARE_AGAIN   (5 * PT_SECOND)
#define BEGIN_WRITE     "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
#define BEGIN_READ      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

struct pg_store {
	struct sql_store base; /* first: the driver's functions are handed this */
	struct pg_target *target;
	struct pg_pool *pool;
	pt_time timeout; /* of an act, all in all */

	_Atomic(sql_act) long_reads[MAX_LONG_READS]; /* acts that read with many statements */

	atomic_bool prepared;
	pthread_mutex_t prepare_lock;
	pt_time prepare_after; /* not again before, so that a table that does not fit fills no log */
};

/* ---- statements ---- */

static const char *const labels[SQL_STATEMENTS] = {
#define STATEMENT(name, ...) [SQL_##name] = #name,
#include "store/sql/statements.def"
#undef STATEMENT
};

static pt_err run(struct sql_conn *conn, pt_arena *arena, enum sql_statement statement,
	const struct sql_value *args, size_t n_args, struct sql_rows *rows)
{
	const struct pg_text text = { .name = statement,
		.label = labels[statement],
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

/* ---- how a transaction ends ---- */

/* A transaction that took its time may still end. */
static void grant_end(const struct pg_store *pg, struct pg_conn *conn)
{
	pt_time least = clock_monotonic() + pg->timeout / 4;

	if (conn->deadline < least)
		conn->deadline = least;
}

static pt_err commit(const struct pg_store *pg, struct pg_conn *conn)
{
	pt_err err;

	grant_end(pg, conn);
	err = pg_end(conn, "COMMIT");
	if (conn->trouble == PG_BROKEN || conn->trouble == PG_SILENT)
		return fault(PT_F_STORE,
			"postgres: the connection was lost during COMMIT: nobody knows "
			"whether the act happened");
	return err;
}

static void roll_back(const struct pg_store *pg, struct pg_conn *conn)
{
	enum pg_trouble trouble = conn->trouble;

	if (trouble == PG_BROKEN || trouble == PG_SILENT)
		return;
	grant_end(pg, conn);
	conn->trouble = PG_FINE;
	/* A connection that cannot end its transaction is closed, which ends it too. */
	if (pg_end(conn, "ROLLBACK") != PT_OK && conn->trouble == PG_FINE)
		conn->trouble = PG_BROKEN;
}

/* What became of one try at an act. */
struct attempt {
	pt_err err;
	enum pg_trouble trouble;
	bool lasting; /* it was, or may have been, committed */
};

static void end_write(
	const struct pg_store *pg, struct pg_conn *conn, bool keep, struct attempt *end)
{
	pt_err err;

	if (end->trouble != PG_FINE || pt_is_fault(end->err) || (end->err != PT_OK && !keep)) {
		roll_back(pg, conn);
		return;
	}
	err = commit(pg, conn);
	end->trouble = conn->trouble;
	end->lasting = conn->trouble != PG_AGAIN;
	if (conn->trouble == PG_AGAIN)
		roll_back(pg, conn);
	if (err != PT_OK)
		end->err = err;
}

static void end_read(const struct pg_store *pg, struct pg_conn *conn, const struct attempt *end)
{
	if (end->trouble != PG_FINE || pt_is_fault(end->err))
		roll_back(pg, conn);
	else
		pg_end_unread(conn);
}

/* ---- acts ---- */

struct act {
	sql_act run;
	pt_arena *arena;
	const void *in;
	void *out;
	bool writes;
};

/* When the list is full, whoever is not on it is long too. */
static bool is_long_read(struct pg_store *pg, sql_act act)
{
	for (size_t i = 0; i < MAX_LONG_READS; i++) {
		sql_act known = atomic_load(&pg->long_reads[i]);

		if (known == act)
			return true;
		if (!known)
			return false;
	}
	return true;
}

static void note_long_read(struct pg_store *pg, sql_act act)
{
	for (size_t i = 0; i < MAX_LONG_READS; i++) {
		sql_act nobody = NULL;

		if (atomic_compare_exchange_strong(&pg->long_reads[i], &nobody, act) ||
			nobody == act)
			return;
	}
}

static void begin(struct pg_store *pg, struct pg_conn *conn, const struct act *act)
{
	conn->ran = 0;
	conn->alone = !act->writes && !is_long_read(pg, act->run);
	conn->begin = act->writes ? BEGIN_WRITE : conn->alone ? NULL : BEGIN_READ;
}

static struct attempt attempt(struct pg_store *pg, struct pg_conn *conn, const struct act *act)
{
	struct sql_conn handle = { .driver = pg->base.driver, .store = &pg->base, .handle = conn };
	struct attempt end = { 0 };
	bool keep = false;

	begin(pg, conn, act);
	end.err = act->run(&handle, act->arena, act->in, act->out, &keep);
	end.trouble = conn->trouble;
	if (end.trouble == PG_MORE) {
		note_long_read(pg, act->run);
		conn->trouble = PG_FINE;
	}
	/* While BEGIN is still due no statement was run, and there is nothing to end. */
	if (conn->begin || conn->alone)
		return end;
	if (act->writes)
		end_write(pg, conn, keep, &end);
	else
		end_read(pg, conn, &end);
	return end;
}

static bool may_try_again(const struct attempt *end, unsigned tries, unsigned broken)
{
	if (end->lasting)
		return false;
	if (end->trouble == PG_MORE)
		return true;
	return (end->trouble == PG_AGAIN && tries < MAX_TRIES) ||
	       (end->trouble == PG_BROKEN && broken < MAX_BROKEN);
}

static pt_err act_until_done(struct pg_store *pg, const struct act *act)
{
	pt_time deadline = clock_monotonic() + pg->timeout;
	unsigned broken = 0;

	for (unsigned tries = 1;; tries++) {
		struct pg_conn *conn;
		struct attempt end;

		TRY(pg_pool_take(pg->pool, deadline, &conn));
		end = attempt(pg, conn, act);
		pg_pool_give(pg->pool, conn);
		broken += end.trouble == PG_BROKEN;
		if (may_try_again(&end, tries, broken))
			continue;
		if (end.trouble == PG_AGAIN && !end.lasting)
			return fault(PT_F_STORE,
				"postgres: gave up after %u conflicts with other acts", tries);
		return end.err;
	}
}

/* ---- what comes before the first act ---- */

/* Set while this thread prepares a store: its acts may pass. */
static _Thread_local const struct pg_store *preparing;

static pt_err prepare_now(struct pg_store *pg)
{
	pt_err err;

	if (atomic_load(&pg->prepared))
		return PT_OK;
	if (clock_monotonic() < pg->prepare_after)
		return PT_F_STORE;
	preparing = pg;
	err = pg->base.prepare(&pg->base);
	preparing = NULL;
	if (err == PT_OK)
		atomic_store(&pg->prepared, true);
	else if (err == PT_F_CONFIG)
		pg->prepare_after = clock_monotonic() + PREPARE_AGAIN;
	return err == PT_OK ? PT_OK : PT_F_STORE;
}

/* One thread prepares; the others wait a moment for it and then answer that the store is away. */
static pt_err prepare_once(struct pg_store *pg)
{
	pt_time until = clock_monotonic() + pg->timeout / 2;
	struct timespec at = { .tv_sec = until / PT_SECOND, .tv_nsec = until % PT_SECOND * 1000 };
	pt_err err;

	if (!pg->base.prepare || atomic_load(&pg->prepared) || preparing == pg)
		return PT_OK;
	if (pthread_mutex_clocklock(&pg->prepare_lock, CLOCK_MONOTONIC, &at) != 0)
		return PT_F_STORE;
	err = prepare_now(pg);
	pthread_mutex_unlock(&pg->prepare_lock);
	return err;
}

static pt_err perform(struct sql_store *store, const struct act *act)
{
	struct pg_store *pg = (struct pg_store *)store;

	TRY(prepare_once(pg));
	return act_until_done(pg, act);
}

static pt_err perform_write(
	struct sql_store *store, sql_act run_act, pt_arena *arena, const void *in, void *out)
{
	return perform(store, &(struct act){ run_act, arena, in, out, .writes = true });
}

static pt_err perform_read(
	struct sql_store *store, sql_act run_act, pt_arena *arena, const void *in, void *out)
{
	return perform(store, &(struct act){ run_act, arena, in, out, .writes = false });
}

/* ---- opening and closing ---- */

static void close_store(struct sql_store *store)
{
	struct pg_store *pg = (struct pg_store *)store;

	if (!pg)
		return;
	pg_pool_close(pg->pool);
	pg_target_free(pg->target);
	pthread_mutex_destroy(&pg->prepare_lock);
	free(pg);
}

static const struct sql_driver driver = {
	.name = "postgres",
	.dialect = SQL_POSTGRES,
	.remote = true,
	.run = run,
	.run_text = run_text,
	.script = script,
	.write = perform_write,
	.read = perform_read,
	.lock_name = lock_name,
	.close = close_store,
};

static void own_store(struct pg_store **pg)
{
	if (*pg)
		close_store(&(*pg)->base);
}

/* Finds out now what would otherwise be found out by the first act. */
static pt_err reach(struct pg_store *pg)
{
	struct pg_conn *conn;

	TRY(pg_pool_take(pg->pool, clock_monotonic() + pg->timeout, &conn));
	pg_pool_give(pg->pool, conn);
	return PT_OK;
}

static unsigned pool_size(const struct store_setup *setup)
{
	unsigned wanted = setup->connections ? setup->connections : DEFAULT_CONNECTIONS;

	return wanted < MAX_CONNECTIONS ? wanted : MAX_CONNECTIONS;
}

pt_err postgres_open(const struct store_setup *setup, struct sql_store **out)
{
	PT_OWN(own_store) struct pg_store *pg = NULL;

	TRY(pq_open());
	pg = calloc(1, sizeof(*pg));
	if (!pg)
		return fault(PT_F_MEMORY, "postgres: no memory");
	pg->base.driver = &driver;
	pg->base.directory = &sql_native_directory;
	pg->timeout = setup->timeout ? setup->timeout : DEFAULT_TIMEOUT;
	pthread_mutex_init(&pg->prepare_lock, NULL);
	TRY(pg_target_make(setup->url, pg->timeout, &pg->target));
	pg->pool = pg_pool_open(pg->target, pool_size(setup), pg->timeout / 2);
	if (!pg->pool)
		return fault(PT_F_MEMORY, "postgres: no memory");
	if (!setup->wait)
		TRY(reach(pg));
	*out = &pg->base;
	pg = NULL;
	return PT_OK;
}

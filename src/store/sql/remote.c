/*
 * remote.c - acts on a database server, as remote.h tells them.
 */
#include "store/sql/remote.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/own.h"
#include "store/sql/drivers_internal.h"
#include "store/sql/remote_pool.h"

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

struct remote_store {
	struct sql_store base; /* first: the driver's functions are handed this */
	const struct remote_kind *kind;
	void *target;
	struct remote_pool *pool;
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

const char *remote_label(enum sql_statement statement)
{
	return labels[statement];
}

pt_err remote_may_ask(struct remote_conn *conn)
{
	if (conn->trouble == REMOTE_FINE && conn->alone && conn->ran > 0)
		conn->trouble = REMOTE_MORE;
	if (conn->trouble != REMOTE_FINE)
		return PT_F_STORE;
	conn->ran++;
	return PT_OK;
}

/* ---- how a transaction ends ---- */

/* A transaction that took its time may still end. */
static void grant_end(const struct remote_store *store, struct remote_conn *conn)
{
	pt_time least = clock_monotonic() + store->timeout / 4;

	if (conn->deadline < least)
		conn->deadline = least;
}

static pt_err commit(const struct remote_store *store, struct remote_conn *conn)
{
	pt_err err;

	grant_end(store, conn);
	err = store->kind->end(conn, true);
	if (conn->trouble == REMOTE_BROKEN || conn->trouble == REMOTE_SILENT)
		return fault(PT_F_STORE,
			"%s: the connection was lost during COMMIT: nobody knows "
			"whether the act happened",
			store->kind->name);
	return err;
}

static void roll_back(const struct remote_store *store, struct remote_conn *conn)
{
	enum remote_trouble trouble = conn->trouble;

	if (trouble == REMOTE_BROKEN || trouble == REMOTE_SILENT)
		return;
	grant_end(store, conn);
	conn->trouble = REMOTE_FINE;
	/* A connection that cannot end its transaction is closed, which ends it too. */
	if (store->kind->end(conn, false) != PT_OK && conn->trouble == REMOTE_FINE)
		conn->trouble = REMOTE_BROKEN;
}

/* What became of one try at an act. */
struct attempt {
	pt_err err;
	enum remote_trouble trouble;
	bool lasting; /* it was, or may have been, committed */
};

static void end_write(
	const struct remote_store *store, struct remote_conn *conn, bool keep, struct attempt *end)
{
	pt_err err;

	if (end->trouble != REMOTE_FINE || pt_is_fault(end->err) || (end->err != PT_OK && !keep)) {
		roll_back(store, conn);
		return;
	}
	err = commit(store, conn);
	end->trouble = conn->trouble;
	end->lasting = conn->trouble != REMOTE_AGAIN;
	if (conn->trouble == REMOTE_AGAIN)
		roll_back(store, conn);
	if (err != PT_OK)
		end->err = err;
}

static void end_read(
	const struct remote_store *store, struct remote_conn *conn, const struct attempt *end)
{
	if (end->trouble != REMOTE_FINE || pt_is_fault(end->err))
		roll_back(store, conn);
	else
		store->kind->end_read(conn);
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
static bool is_long_read(struct remote_store *store, sql_act act)
{
	for (size_t i = 0; i < MAX_LONG_READS; i++) {
		sql_act known = atomic_load(&store->long_reads[i]);

		if (known == act)
			return true;
		if (!known)
			return false;
	}
	return true;
}

static void note_long_read(struct remote_store *store, sql_act act)
{
	for (size_t i = 0; i < MAX_LONG_READS; i++) {
		sql_act nobody = NULL;

		if (atomic_compare_exchange_strong(&store->long_reads[i], &nobody, act) ||
			nobody == act)
			return;
	}
}

static void begin(struct remote_store *store, struct remote_conn *conn, const struct act *act)
{
	conn->ran = 0;
	conn->alone = !act->writes && !is_long_read(store, act->run);
	conn->begin = act->writes   ? store->kind->begin_write
		      : conn->alone ? NULL
				    : store->kind->begin_read;
}

static struct attempt attempt(
	struct remote_store *store, struct remote_conn *conn, const struct act *act)
{
	struct sql_conn handle = {
		.driver = store->base.driver, .store = &store->base, .handle = conn
	};
	struct attempt end = { 0 };
	bool keep = false;

	begin(store, conn, act);
	end.err = act->run(&handle, act->arena, act->in, act->out, &keep);
	end.trouble = conn->trouble;
	if (end.trouble == REMOTE_MORE) {
		note_long_read(store, act->run);
		conn->trouble = REMOTE_FINE;
	}
	/* While BEGIN is still due no statement was run, and there is nothing to end. */
	if (conn->begin || conn->alone)
		return end;
	if (act->writes)
		end_write(store, conn, keep, &end);
	else
		end_read(store, conn, &end);
	return end;
}

static bool may_try_again(const struct attempt *end, unsigned tries, unsigned broken)
{
	if (end->lasting)
		return false;
	if (end->trouble == REMOTE_MORE)
		return true;
	return (end->trouble == REMOTE_AGAIN && tries < MAX_TRIES) ||
	       (end->trouble == REMOTE_BROKEN && broken < MAX_BROKEN);
}

static pt_err act_until_done(struct remote_store *store, const struct act *act)
{
	pt_time deadline = clock_monotonic() + store->timeout;
	unsigned broken = 0;

	for (unsigned tries = 1;; tries++) {
		struct remote_conn *conn;
		struct attempt end;

		TRY(remote_pool_take(store->pool, deadline, &conn));
		end = attempt(store, conn, act);
		remote_pool_give(store->pool, conn);
		broken += end.trouble == REMOTE_BROKEN;
		if (may_try_again(&end, tries, broken))
			continue;
		if (end.trouble == REMOTE_AGAIN && !end.lasting)
			return fault(PT_F_STORE, "%s: gave up after %u conflicts with other acts",
				store->kind->name, tries);
		return end.err;
	}
}

/* ---- what comes before the first act ---- */

/* Set while this thread prepares a store: its acts may pass. */
static _Thread_local const struct remote_store *preparing;

static pt_err prepare_now(struct remote_store *store)
{
	pt_err err;

	if (atomic_load(&store->prepared))
		return PT_OK;
	if (clock_monotonic() < store->prepare_after)
		return PT_F_STORE;
	preparing = store;
	err = store->base.prepare(&store->base);
	preparing = NULL;
	if (err == PT_OK)
		atomic_store(&store->prepared, true);
	else if (err == PT_F_CONFIG)
		store->prepare_after = clock_monotonic() + PREPARE_AGAIN;
	return err == PT_OK ? PT_OK : PT_F_STORE;
}

/* One thread prepares; the others wait a moment for it and then answer that the store is away. */
static pt_err prepare_once(struct remote_store *store)
{
	pt_time until = clock_monotonic() + store->timeout / 2;
	struct timespec at = { .tv_sec = until / PT_SECOND, .tv_nsec = until % PT_SECOND * 1000 };
	pt_err err;

	if (!store->base.prepare || atomic_load(&store->prepared) || preparing == store)
		return PT_OK;
	if (pthread_mutex_clocklock(&store->prepare_lock, CLOCK_MONOTONIC, &at) != 0)
		return PT_F_STORE;
	err = prepare_now(store);
	pthread_mutex_unlock(&store->prepare_lock);
	return err;
}

static pt_err perform(struct sql_store *base, const struct act *act)
{
	struct remote_store *store = (struct remote_store *)base;

	TRY(prepare_once(store));
	return act_until_done(store, act);
}

pt_err remote_write(
	struct sql_store *store, sql_act run_act, pt_arena *arena, const void *in, void *out)
{
	return perform(store, &(struct act){ run_act, arena, in, out, .writes = true });
}

pt_err remote_read(
	struct sql_store *store, sql_act run_act, pt_arena *arena, const void *in, void *out)
{
	return perform(store, &(struct act){ run_act, arena, in, out, .writes = false });
}

/* ---- opening and closing ---- */

void remote_close(struct sql_store *base)
{
	struct remote_store *store = (struct remote_store *)base;

	remote_pool_close(store->pool);
	store->kind->target_free(store->target);
	pthread_mutex_destroy(&store->prepare_lock);
	free(store);
}

static void own_store(struct remote_store **store)
{
	if (*store)
		remote_close(&(*store)->base);
}

/* Finds out now what would otherwise be found out by the first act. */
static pt_err reach(struct remote_store *store)
{
	struct remote_conn *conn;

	TRY(remote_pool_take(store->pool, clock_monotonic() + store->timeout, &conn));
	remote_pool_give(store->pool, conn);
	return PT_OK;
}

static unsigned pool_size(const struct store_setup *setup)
{
	unsigned wanted = setup->connections ? setup->connections : DEFAULT_CONNECTIONS;

	return wanted < MAX_CONNECTIONS ? wanted : MAX_CONNECTIONS;
}

pt_time remote_timeout(const struct store_setup *setup)
{
	return setup->timeout ? setup->timeout : DEFAULT_TIMEOUT;
}

pt_err remote_open(const struct store_setup *setup, const struct remote_kind *kind,
	const struct sql_driver *driver, void *target, struct sql_store **out)
{
	PT_OWN(own_store) struct remote_store *store = calloc(1, sizeof(*store));

	if (!store) {
		kind->target_free(target);
		return fault(PT_F_MEMORY, "%s: no memory", kind->name);
	}
	store->base.driver = driver;
	store->base.directory = &sql_native_directory;
	store->kind = kind;
	store->target = target;
	store->timeout = remote_timeout(setup);
	pthread_mutex_init(&store->prepare_lock, NULL);
	store->pool = remote_pool_open(kind, target, pool_size(setup), store->timeout / 2);
	if (!store->pool)
		return fault(PT_F_MEMORY, "%s: no memory", kind->name);
	if (!setup->wait)
		TRY(reach(store));
	*out = &store->base;
	store = NULL;
	return PT_OK;
}

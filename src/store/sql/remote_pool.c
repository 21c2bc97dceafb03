/*
 * remote_pool.c - a bounded number of connections. The picture is in remote_pool.h.
 */
#include "store/sql/remote_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"

#include "base/banned.h"

/* The pause after a failed try: 0.1 s, 0.2 s, ... 1 s, so that who comes back is soon noticed. */
#define FIRST_PAUSE   (100 * PT_MILLISECOND)
#define LONGEST_PAUSE PT_SECOND

enum slot_state { EMPTY, IDLE, BUSY };

struct slot {
	struct remote_conn *conn;
	enum slot_state state;
	uint64_t used; /* when it became idle, as a running number */
};

struct remote_pool {
	const struct remote_kind *kind;
	const void *target;
	pt_time patience;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct slot *slots;
	char *conns; /* the slots' connections, kind->conn_size apart */
	unsigned size;
	uint64_t clock;

	bool lost;
	bool probing;
	pt_time pause;
	pt_time next_try; /* nobody connects before */
	pt_time said_at;  /* when a line was last logged that could come with every act */
};

static void own_pool(struct remote_pool **pool)
{
	if (!*pool)
		return;
	free((*pool)->conns);
	free((*pool)->slots);
	free(*pool);
}

struct remote_pool *remote_pool_open(
	const struct remote_kind *kind, const void *target, unsigned size, pt_time patience)
{
	PT_OWN(own_pool) struct remote_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->slots = calloc(size, sizeof(*pool->slots));
	pool->conns = calloc(size, kind->conn_size);
	if (!pool->slots || !pool->conns)
		return NULL;
	for (unsigned i = 0; i < size; i++)
		pool->slots[i].conn =
			(struct remote_conn *)(void *)(pool->conns + i * kind->conn_size);
	pool->kind = kind;
	pool->target = target;
	pool->patience = patience;
	pool->size = size;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->changed, NULL);
	return PT_GIVE(pool);
}

void remote_pool_close(struct remote_pool *pool)
{
	if (!pool)
		return;
	for (unsigned i = 0; i < pool->size; i++)
		pool->kind->disconnect(pool->slots[i].conn);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	own_pool(&pool);
}

/* ---- slots; the lock is held ---- */

static struct slot *slot_of(struct remote_pool *pool, const struct remote_conn *conn)
{
	return &pool->slots[(size_t)((const char *)conn - pool->conns) / pool->kind->conn_size];
}

/* The one used last is the warmest. */
static struct slot *newest_idle(struct remote_pool *pool)
{
	struct slot *newest = NULL;

	for (unsigned i = 0; i < pool->size; i++) {
		struct slot *slot = &pool->slots[i];

		if (slot->state == IDLE && (!newest || slot->used > newest->used))
			newest = slot;
	}
	return newest;
}

static struct slot *any_empty(struct remote_pool *pool)
{
	for (unsigned i = 0; i < pool->size; i++) {
		if (pool->slots[i].state == EMPTY)
			return &pool->slots[i];
	}
	return NULL;
}

static bool is_any_open(const struct remote_pool *pool)
{
	for (unsigned i = 0; i < pool->size; i++) {
		if (pool->slots[i].state != EMPTY)
			return true;
	}
	return false;
}

static void empty(struct remote_pool *pool, struct slot *slot)
{
	pool->kind->disconnect(slot->conn);
	slot->state = EMPTY;
	pthread_cond_signal(&pool->changed);
}

/* ---- lost and found; the lock is held ---- */

static void pause_tries(struct remote_pool *pool)
{
	pool->pause = pool->pause ? pool->pause * 2 : FIRST_PAUSE;
	if (pool->pause > LONGEST_PAUSE)
		pool->pause = LONGEST_PAUSE;
	pool->next_try = clock_monotonic() + pool->pause;
}

static void lose(struct remote_pool *pool, const char *why)
{
	pause_tries(pool);
	if (pool->lost)
		return;
	pool->lost = true;
	for (unsigned i = 0; i < pool->size; i++) {
		if (pool->slots[i].state == IDLE)
			empty(pool, &pool->slots[i]);
	}
	pthread_cond_broadcast(&pool->changed);
	log_say(LOG_ERROR, "store.lost", "the %s database is away: %s", pool->kind->product, why);
}

static void found(struct remote_pool *pool)
{
	pool->pause = 0;
	pool->next_try = 0;
	if (!pool->lost)
		return;
	pool->lost = false;
	pthread_cond_broadcast(&pool->changed);
	log_say(LOG_INFO, "store.back", "the %s database is back", pool->kind->product);
}

/* Lines that could come with every act come once a second. */
static bool may_say(struct remote_pool *pool)
{
	pt_time now = clock_monotonic();

	if (pool->said_at && now - pool->said_at < PT_SECOND)
		return false;
	pool->said_at = now;
	return true;
}

/* ---- taking; the lock is held around these, and let go while they talk to the server ---- */

static bool take_idle(struct remote_pool *pool, struct slot *slot, pt_time deadline)
{
	bool usable;

	slot->state = BUSY;
	pthread_mutex_unlock(&pool->lock);
	usable = pool->kind->is_usable(slot->conn, deadline);
	pthread_mutex_lock(&pool->lock);
	if (!usable && slot->conn->trouble == REMOTE_SILENT)
		lose(pool, "no answer in time");
	if (!usable)
		empty(pool, slot);
	return usable;
}

static bool take_empty(struct remote_pool *pool, struct slot *slot, pt_time deadline)
{
	char why[200] = "";
	pt_err err;

	slot->state = BUSY;
	pool->probing = pool->lost;
	pthread_mutex_unlock(&pool->lock);
	err = pool->kind->connect(slot->conn, pool->target, deadline, why, sizeof(why));
	pthread_mutex_lock(&pool->lock);
	pool->probing = false;
	if (err == PT_OK) {
		found(pool);
		return true;
	}
	empty(pool, slot);
	/* The server may have enough of us, and serve those that it has. */
	if (!pool->lost && is_any_open(pool))
		pause_tries(pool);
	else
		lose(pool, why);
	return false;
}

/* Waits for a change. False: it is too late. */
static bool wait_change(struct remote_pool *pool, pt_time until)
{
	struct timespec at = {
		.tv_sec = until / PT_SECOND,
		.tv_nsec = until % PT_SECOND * 1000,
	};

	return pthread_cond_clockwait(&pool->changed, &pool->lock, CLOCK_MONOTONIC, &at) == 0;
}

static bool may_connect(const struct remote_pool *pool)
{
	return !pool->probing && clock_monotonic() >= pool->next_try;
}

static pt_err all_busy(struct remote_pool *pool)
{
	if (!may_say(pool))
		return PT_F_STORE;
	return fault(PT_F_STORE, "%s: all %u connections are busy", pool->kind->name, pool->size);
}

static pt_err take(struct remote_pool *pool, pt_time deadline, struct slot **out)
{
	pt_time until = clock_monotonic() + pool->patience;

	for (;;) {
		struct slot *idle = newest_idle(pool), *empty_slot = any_empty(pool);

		*out = idle ? idle : empty_slot;
		if (pool->lost && (!empty_slot || !may_connect(pool)))
			return PT_F_STORE;
		if (idle) {
			if (take_idle(pool, idle, deadline))
				return PT_OK;
		} else if (empty_slot && may_connect(pool)) {
			if (take_empty(pool, empty_slot, deadline))
				return PT_OK;
		} else if (!wait_change(pool, until < deadline ? until : deadline)) {
			return all_busy(pool);
		}
	}
}

pt_err remote_pool_take(struct remote_pool *pool, pt_time deadline, struct remote_conn **out)
{
	struct slot *slot;
	pt_err err;

	pthread_mutex_lock(&pool->lock);
	err = take(pool, deadline, &slot);
	pthread_mutex_unlock(&pool->lock);
	if (err != PT_OK)
		return err;
	slot->conn->deadline = deadline;
	slot->conn->trouble = REMOTE_FINE;
	*out = slot->conn;
	return PT_OK;
}

void remote_pool_give(struct remote_pool *pool, struct remote_conn *conn)
{
	struct slot *slot = slot_of(pool, conn);

	pthread_mutex_lock(&pool->lock);
	if (conn->trouble == REMOTE_FINE && !pool->lost) {
		slot->state = IDLE;
		slot->used = ++pool->clock;
		pthread_cond_signal(&pool->changed);
	} else {
		enum remote_trouble trouble = conn->trouble;

		empty(pool, slot);
		if (trouble == REMOTE_SILENT)
			lose(pool, "no answer in time");
		else if (trouble != REMOTE_FINE && !pool->lost && may_say(pool))
			log_say(LOG_WARN, "store.broken", "a %s connection broke",
				pool->kind->product);
	}
	pthread_mutex_unlock(&pool->lock);
}

/*
 * workers.c - a ring, a lock and some threads, twice.
 */
#include "server/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/thread.h"

#include "base/banned.h"

/* Deep enough for a resolver and a TLS handshake; what is not touched costs nothing. */
enum { STACK = 512 * 1024, HASH_NICENESS = 10 };

struct job {
	void (*run)(void *job);
	void *job;
};

struct pool {
	const char *name;
	int niceness;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct job *ring;
	unsigned size, first, n;
	unsigned running;
	unsigned idle;
	bool closing;
	uint64_t taken, refused;
	pthread_t *threads; /* started when there is work for one more, and kept */
	unsigned n_threads, threads_most;
};

struct workers {
	struct pool slow, hash;
	struct http_workers http;
};

static struct pool *pool_of(struct workers *workers, enum http_lane lane)
{
	return lane == HTTP_HASH ? &workers->hash : &workers->slow;
}

/* ---- threads ---- */

/* Linux keeps both for each thread: who = 0 is this one. Nice threads give way to everybody; the others push
 * nobody aside when they are woken, so that a loop hands over all that it has heard before they begin, instead
 * of being stopped with the lock in its hand (thread_batch). */
static void thread_settle(const struct pool *pool)
{
	if (!pool->niceness)
		thread_batch();
	else if (setpriority(PRIO_PROCESS, 0, pool->niceness) != 0)
		log_say(LOG_WARN, "workers.priority",
			"hashing runs at the priority of everything "
			"else: %s",
			strerror(errno));
}

static void *pool_thread(void *ctx)
{
	struct pool *pool = ctx;

	thread_settle(pool);
	pthread_mutex_lock(&pool->lock);
	while (true) {
		while (pool->n == 0 && !pool->closing) {
			pool->idle++;
			pthread_cond_wait(&pool->changed, &pool->lock);
			pool->idle--;
		}
		if (pool->n == 0)
			break;
		struct job job = pool->ring[pool->first];
		pool->first = (pool->first + 1) % pool->size;
		pool->n--;
		pool->running++;
		pthread_mutex_unlock(&pool->lock);
		job.run(job.job);
		pthread_mutex_lock(&pool->lock);
		pool->running--;
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* One more. The lock is held: the new thread waits for it. */
static pt_err thread_start(struct pool *pool)
{
	pthread_attr_t attributes;
	sigset_t all, before;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	/* Signals are for the thread that waits for them. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&pool->threads[pool->n_threads], &attributes, pool_thread, pool);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (rc != 0)
		return fault(PT_F_MEMORY, "no thread for %s calls: %s", pool->name, strerror(rc));
	pool->n_threads++;
	return PT_OK;
}

/* One thread is there from the start: a machine that has none for us is found out before anybody
 * asks. */
static pt_err pool_open(struct pool *pool, unsigned threads, unsigned queue)
{
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->changed, NULL);
	pool->size = queue;
	pool->threads_most = threads;
	pool->ring = calloc(queue, sizeof(*pool->ring));
	pool->threads = calloc(threads, sizeof(*pool->threads));
	if (!pool->ring || !pool->threads)
		return PT_F_MEMORY;
	pthread_mutex_lock(&pool->lock);
	pt_err err = thread_start(pool);
	pthread_mutex_unlock(&pool->lock);
	return err;
}

static void pool_close(struct pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->n_threads; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool->threads);
	free(pool->ring);
}

/* ---- jobs ---- */

static bool submit(void *ctx, enum http_lane lane, void (*run)(void *job), void *job)
{
	struct pool *pool = pool_of(ctx, lane);
	bool taken;

	pthread_mutex_lock(&pool->lock);
	taken = !pool->closing && pool->n < pool->size;
	if (taken) {
		pool->ring[(pool->first + pool->n) % pool->size] = (struct job){ run, job };
		pool->n++;
		pool->taken++;
		/* Where no thread can be had the ones that are there will come to it. */
		if (pool->n > pool->idle && pool->n_threads < pool->threads_most &&
			thread_start(pool) != PT_OK)
			pool->threads_most = pool->n_threads;
		pthread_cond_signal(&pool->changed);
	} else {
		pool->refused++;
	}
	pthread_mutex_unlock(&pool->lock);
	return taken;
}

pt_err workers_open(const struct workers_setup *setup, struct workers **out)
{
	struct workers *workers = calloc(1, sizeof(*workers));

	if (!workers)
		return PT_F_MEMORY;
	workers->slow.name = "slow";
	workers->hash.name = "hashing";
	workers->hash.niceness = HASH_NICENESS;
	workers->http = (struct http_workers){ workers, submit };
	pt_err slow = pool_open(&workers->slow, setup->slow_threads, setup->slow_queue);
	pt_err hash = pool_open(&workers->hash, setup->hash_threads, setup->hash_queue);
	if (slow != PT_OK || hash != PT_OK) {
		workers_close(workers);
		return slow != PT_OK ? slow : hash;
	}
	*out = workers;
	return PT_OK;
}

void workers_close(struct workers *workers)
{
	if (!workers)
		return;
	pool_close(&workers->slow);
	pool_close(&workers->hash);
	free(workers);
}

const struct http_workers *workers_http(const struct workers *workers)
{
	return &workers->http;
}

void workers_counts(struct workers *workers, enum http_lane lane, struct workers_counts *out)
{
	struct pool *pool = pool_of(workers, lane);

	pthread_mutex_lock(&pool->lock);
	*out = (struct workers_counts){ pool->taken, pool->refused, pool->n, pool->running };
	pthread_mutex_unlock(&pool->lock);
}

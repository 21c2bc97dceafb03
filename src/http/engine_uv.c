/*
 * engine_uv.c - the engine: its loops, together.
 */
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "http/loop.h"

#include "base/banned.h"

const struct http_limits http_default_limits = {
	.request_line = 8 * KIB,
	.header_block = 16 * KIB,
	.headers = 64,
	.connections = 1024,
	.per_client = 64,
	.arena = MIB,
	.header_time = 15 * PT_SECOND,
	.body_time = 30 * PT_SECOND,
	.idle_time = 60 * PT_SECOND,
	.write_time = 30 * PT_SECOND,
};

static pt_err engine_make(const struct http_setup *setup, struct http_engine **out)
{
	struct http_engine *engine = calloc(1, sizeof(*engine));
	pthread_condattr_t monotonic;

	if (engine == NULL)
		return fault(PT_F_MEMORY, "no memory for the engine");
	engine->setup = *setup;
	pthread_mutex_init(&engine->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&engine->idle, &monotonic);
	pthread_condattr_destroy(&monotonic);
	*out = engine;
	return PT_OK;
}

static pt_err engine_fill(struct http_engine *engine)
{
	const struct http_setup *setup = &engine->setup;

	engine->peers = peers_open(setup->limits->connections);
	engine->loops = calloc(setup->loops, sizeof(*engine->loops));
	if (engine->peers == NULL || engine->loops == NULL)
		return fault(PT_F_MEMORY, "no memory for the engine");
	/* The first loop takes the descriptors, so it is opened when the others have theirs. */
	engine->n_loops = setup->loops;
	for (unsigned i = setup->loops; i-- > 0;)
		TRY(loop_open(&engine->loops[i], engine, i == 0));
	return PT_OK;
}

pt_err http_engine_open(const struct http_setup *setup, struct http_engine **out)
{
	struct http_engine *engine;
	pt_err err;

	if (setup->loops == 0)
		return fault(PT_F_BUG, "an engine needs a loop");
	TRY(engine_make(setup, &engine));
	err = engine_fill(engine);
	if (err != PT_OK) {
		http_engine_close(engine);
		return err;
	}
	*out = engine;
	return PT_OK;
}

pt_err http_engine_start(struct http_engine *engine)
{
	for (unsigned i = 0; i < engine->n_loops; i++) {
		pt_err err;

		pthread_mutex_lock(&engine->lock);
		engine->running++;
		pthread_mutex_unlock(&engine->lock);
		err = loop_start(&engine->loops[i]);
		if (err == PT_OK)
			continue;
		pthread_mutex_lock(&engine->lock);
		engine->running--;
		pthread_mutex_unlock(&engine->lock);
		return err;
	}
	return PT_OK;
}

static void engine_wake(struct http_engine *engine)
{
	for (unsigned i = 0; i < engine->n_loops; i++) {
		if (engine->loops[i].started)
			loop_wake(&engine->loops[i]);
	}
}

static struct timespec timespec_of(pt_time time)
{
	return (struct timespec){
		.tv_sec = (time_t)(time / PT_SECOND),
		.tv_nsec = (long)(time % PT_SECOND) * 1000,
	};
}

bool http_engine_drain(struct http_engine *engine, pt_time grace)
{
	const struct timespec until = timespec_of(clock_monotonic() + grace);
	bool done;

	atomic_store(&engine->draining, true);
	engine_wake(engine);

	pthread_mutex_lock(&engine->lock);
	while (engine->running > 0 &&
		pthread_cond_timedwait(&engine->idle, &engine->lock, &until) == 0)
		;
	done = engine->running == 0;
	pthread_mutex_unlock(&engine->lock);
	return done;
}

void http_engine_close(struct http_engine *engine)
{
	if (engine == NULL)
		return;
	atomic_store(&engine->draining, true);
	atomic_store(&engine->closing, true);
	engine_wake(engine);
	for (unsigned i = 0; i < engine->n_loops; i++)
		loop_close(&engine->loops[i]);
	free(engine->loops);
	peers_close(engine->peers);
	pthread_cond_destroy(&engine->idle);
	pthread_mutex_destroy(&engine->lock);
	free(engine);
}

static uint64_t read_count(const atomic_uint_fast64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

void http_engine_counts(const struct http_engine *engine, struct http_counts *out)
{
	*out = (struct http_counts){
		.open = atomic_load_explicit(&engine->open, memory_order_relaxed),
	};
	for (unsigned i = 0; i < engine->n_loops; i++) {
		const struct loop *loop = &engine->loops[i];

		out->accepted += read_count(&loop->accepted);
		out->requests += read_count(&loop->requests);
		out->refused += read_count(&loop->refused);
		out->shed += read_count(&loop->shed);
	}
}

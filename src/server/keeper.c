/*
 * keeper.c - once a minute, in small pieces.
 */
#include "server/keeper.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

#include "base/banned.h"

/* Few enough pieces a round that a store full of expired things does not notice us. */
enum { EVERY_SECONDS = 60, PIECES = 64 };

struct keeper {
	const struct pt_store *store;
	struct pt_site *site;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool closing;
	uint64_t dropped_told;
};

static void purge(struct keeper *keeper)
{
	struct arena *arena = arena_open(1 * MIB);
	bool more = arena != NULL;

	for (int i = 0; more && i < PIECES; i++) {
		if (keeper->store->purge(keeper->store->ctx, arena, clock_now(), &more) != PT_OK)
			break; /* said where it was born; the next minute tries again */
		arena_reset(arena);
	}
	arena_close(arena);
}

/* Who signed out while the store was away. */
static void finish_farewells(struct keeper *keeper)
{
	const struct pt_asker nobody = { .now = 0 };
	struct pt_call *call;

	if (pt_call_begin(keeper->site, NULL, &nobody, &call) != PT_OK)
		return;
	pt_err err = pt_farewells_finish(call);
	if (err != PT_OK)
		LOG(LOG_WARN, "signout.waits",
			F_CSTR("message", "the store is away: who signed out is "
					  "signed out here, and will be there"));
	pt_call_end(call);
}

static void tell_dropped(struct keeper *keeper)
{
	uint64_t dropped = log_dropped();

	if (dropped == keeper->dropped_told)
		return;
	LOG(LOG_WARN, "log.dropped", F_INT("lines", dropped - keeper->dropped_told),
		F_CSTR("message", "nobody read the log fast enough"));
	keeper->dropped_told = dropped;
}

/* False: it is time to go. */
static bool pause_or_close(struct keeper *keeper)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += EVERY_SECONDS;
	pthread_mutex_lock(&keeper->lock);
	while (!keeper->closing && rc == 0)
		rc = pthread_cond_timedwait(&keeper->changed, &keeper->lock, &until);
	bool stay = !keeper->closing;
	pthread_mutex_unlock(&keeper->lock);
	return stay;
}

static void *keep(void *ctx)
{
	struct keeper *keeper = ctx;

	bool stay;

	do {
		stay = pause_or_close(keeper);
		finish_farewells(keeper);
		if (stay)
			purge(keeper);
		tell_dropped(keeper);
	} while (stay);
	return NULL;
}

pt_err keeper_open(const struct pt_store *store, struct pt_site *site, struct keeper **out)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));
	pthread_condattr_t attributes;
	int rc;

	if (!keeper)
		return PT_F_MEMORY;
	keeper->store = store;
	keeper->site = site;
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&keeper->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	rc = pthread_create(&keeper->thread, NULL, keep, keeper);
	if (rc != 0) {
		free(keeper);
		return fault(PT_F_MEMORY, "no thread for chores: %s", strerror(rc));
	}
	*out = keeper;
	return PT_OK;
}

void keeper_close(struct keeper *keeper)
{
	if (!keeper)
		return;
	pthread_mutex_lock(&keeper->lock);
	keeper->closing = true;
	pthread_cond_signal(&keeper->changed);
	pthread_mutex_unlock(&keeper->lock);
	pthread_join(keeper->thread, NULL);
	pthread_cond_destroy(&keeper->changed);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper);
}

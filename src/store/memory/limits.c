/*
 * limits.c - counters: at most so many in any window.
 */
#include <string.h>

#include "base/err.h"
#include "base/hook.h"
#include "store/memory/memory.h"

#include "base/banned.h"

static struct counter *counter_of(struct memory *m, const struct pt_hash *key)
{
	for (size_t i = 0; i < m->counters.n; i++) {
		if (mem_hash_eq(&m->counters.items[i].key, key))
			return &m->counters.items[i];
	}
	return NULL;
}

/* A bucket keeps one stamp: when it will be full again. */
static pt_time bucket_full(const struct counter *counter, pt_time now)
{
	return counter && counter->n > 0 && counter->stamps[0] > now ? counter->stamps[0] : now;
}

static pt_time bucket_wait(const struct counter *counter, const struct pt_limit *limit, pt_time now)
{
	pt_time wait = bucket_full(counter, now) - (limit->limit - 1) * limit->refill - now;

	return wait > 0 ? wait : 0;
}

/* How long until one more try fits; 0: now. */
static pt_time limit_wait(const struct counter *counter, const struct pt_limit *limit, pt_time now)
{
	size_t allowed = (size_t)limit->limit;
	pt_time wait;

	if (limit->refill > 0)
		return bucket_wait(counter, limit, now);
	if (!counter || counter->n < allowed)
		return 0;
	wait = counter->stamps[counter->n - allowed] + limit->window - now;
	return wait > 0 ? wait : 0;
}

static void limit_count(struct memory *m, const struct pt_limit *limit, pt_time now)
{
	struct counter *counter = counter_of(m, &limit->key);
	size_t old = 0, at;

	if (!counter) {
		counter = &m->counters.items[m->counters.n++];
		*counter = (struct counter){ .key = limit->key };
	}
	if (limit->refill > 0) {
		counter->stamps[0] = bucket_full(counter, now) + limit->refill;
		counter->n = 1;
		counter->until = counter->stamps[0] + limit->window;
		return;
	}
	while (old < counter->n && counter->stamps[old] <= now - limit->window)
		old++;
	if (old == 0 && counter->n == STAMPS_MOST)
		old = 1;
	counter->n -= old;
	memmove(counter->stamps, counter->stamps + old, counter->n * sizeof(pt_time));
	for (at = counter->n++; at > 0 && counter->stamps[at - 1] > now; at--)
		counter->stamps[at] = counter->stamps[at - 1];
	counter->stamps[at] = now;
	counter->until = counter->stamps[counter->n - 1] + limit->window;
}

static pt_err limit_spend(
	void *ctx, pt_arena *arena, const struct pt_limit_act *act, pt_time *retry_after)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	pt_time longest = 0;

	(void)arena;
	if (hook_break_limiter())
		return fault(PT_F_STORE, "limiter broken on purpose");
	if (act->n > LIMITS_MOST)
		return fault(PT_F_BUG, "more than %d limits in one act", LIMITS_MOST);
	TRY(mem_enter(ctx, &m));
	for (size_t i = 0; i < act->n; i++) {
		const struct pt_limit *limit = &act->limits[i];
		pt_time wait = limit_wait(counter_of(m, &limit->key), limit, act->now);

		if (limit->limit < 1 || limit->limit > STAMPS_MOST)
			return fault(PT_F_BUG, "a limit of %d is not in 1..%d", limit->limit,
				STAMPS_MOST);
		if (wait > longest)
			longest = wait;
	}
	if (longest > 0) {
		*retry_after = longest;
		return PT_E_LIMITED;
	}
	for (size_t i = 0; i < act->n; i++)
		limit_count(m, &act->limits[i], act->now);
	return PT_OK;
}

void memory_limits_publish(struct pt_store *out)
{
	out->limit_spend = limit_spend;
}

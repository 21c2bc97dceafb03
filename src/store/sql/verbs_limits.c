/*
 * verbs_limits.c - counters: at most so many in any window.
 */
#include <string.h>

#include "base/err.h"
#include "base/hook.h"
#include "store/sql/act.h"
#include "store/sql/stamps.h"

#include "base/banned.h"

enum { LIMITS_MOST = 4, STAMPS_MOST = 128 };

/* The tries of one key that are still in its window, oldest first; of a bucket one stamp, when it will be
 * full again. */
struct tally {
	const struct pt_limit *limit;
	pt_time stamps[STAMPS_MOST + 1];
	size_t n;
};

static pt_err tally_read(struct sql_conn *conn, pt_arena *arena, const struct pt_limit *limit,
	pt_time now, struct tally *out)
{
	struct sql_rows rows;
	size_t n;

	out->limit = limit;
	out->n = 0;
	TRY(RUN(conn, arena, LIMIT_SEEN, &rows, sql_hash(&limit->key)));
	if (rows.n_rows == 0)
		return PT_OK;
	n = stamps_unpack(row_text(&rows, 0, 0), out->stamps, STAMPS_MOST);
	for (size_t i = 0; i < n; i++) {
		if (out->stamps[i] > now - limit->window)
			out->stamps[out->n++] = out->stamps[i];
	}
	return PT_OK;
}

static pt_time bucket_full(const struct tally *tally, pt_time now)
{
	return tally->n > 0 && tally->stamps[tally->n - 1] > now ? tally->stamps[tally->n - 1]
								 : now;
}

/* How long until one more try fits; 0 or less: now. */
static pt_time tally_wait(const struct tally *tally, pt_time now)
{
	size_t limit = (size_t)tally->limit->limit;

	if (tally->limit->refill > 0)
		return bucket_full(tally, now) - (tally->limit->limit - 1) * tally->limit->refill -
		       now;
	if (tally->n < limit)
		return 0;
	return tally->stamps[tally->n - limit] + tally->limit->window - now;
}

/* Clocks of two nodes differ a little: the new stamp goes where it belongs. */
static void tally_add(struct tally *tally, pt_time now)
{
	if (tally->limit->refill > 0) {
		tally->stamps[0] = bucket_full(tally, now) + tally->limit->refill;
		tally->n = 1;
		return;
	}
	size_t i = tally->n++;
	for (; i > 0 && tally->stamps[i - 1] > now; i--)
		tally->stamps[i] = tally->stamps[i - 1];
	tally->stamps[i] = now;
}

static pt_err tally_write(struct sql_conn *conn, pt_arena *arena, const struct tally *tally)
{
	char packed[STAMP_BYTES * (STAMPS_MOST + 1)];
	pt_str stamps = stamps_pack(tally->stamps, tally->n, packed);

	return RUN(conn, arena, LIMIT_KEEP, NULL, sql_hash(&tally->limit->key),
		sql_bytes(stamps.p, stamps.n),
		sql_int(tally->stamps[tally->n - 1] + tally->limit->window));
}

/* In order of key, so that two acts that lock the same counters do not wait for each other. */
static pt_err limits_sort(
	const struct pt_limit_act *act, const struct pt_limit *sorted[LIMITS_MOST])
{
	if (act->n > LIMITS_MOST)
		return fault(PT_F_BUG, "more than %d limits in one act", LIMITS_MOST);
	for (size_t i = 0; i < act->n; i++) {
		const struct pt_limit *limit = &act->limits[i];
		size_t at = i;

		if (limit->limit < 1 || limit->limit > STAMPS_MOST)
			return fault(PT_F_BUG, "a limit of %d is not in 1..%d", limit->limit,
				STAMPS_MOST);
		for (; at > 0 && memcmp(&sorted[at - 1]->key, &limit->key, sizeof(limit->key)) > 0;
			at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = limit;
	}
	return PT_OK;
}

static pt_err act_limit_spend(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_limit_act *act = in;
	const struct pt_limit *sorted[LIMITS_MOST];
	struct tally tallies[LIMITS_MOST];
	pt_time longest = 0;

	(void)keep;
	TRY(limits_sort(act, sorted));
	for (size_t i = 0; i < act->n; i++) {
		pt_time wait;

		TRY(tally_read(conn, arena, sorted[i], act->now, &tallies[i]));
		wait = tally_wait(&tallies[i], act->now);
		if (wait > longest)
			longest = wait;
	}
	if (longest > 0) {
		*(pt_time *)out = longest;
		return PT_E_LIMITED;
	}
	for (size_t i = 0; i < act->n; i++) {
		tally_add(&tallies[i], act->now);
		TRY(tally_write(conn, arena, &tallies[i]));
	}
	return PT_OK;
}

static pt_err limit_spend(
	void *ctx, pt_arena *arena, const struct pt_limit_act *act, pt_time *retry_after)
{
	if (hook_break_limiter())
		return fault(PT_F_STORE, "limiter broken on purpose");
	return sql_run_write(ctx, act_limit_spend, arena, act, retry_after);
}

void sql_limits_publish(struct pt_store *out)
{
	out->limit_spend = limit_spend;
}

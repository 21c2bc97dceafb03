/*
 * keeping.c - housekeeping: what has expired, how much there is, whether all is well.
 */
#include "base/err.h"
#include "store/memory/memory.h"

#include "base/banned.h"

static pt_err purge(void *ctx, pt_arena *arena, pt_time now, bool *more)
{
	PT_OWN(mem_leave) struct memory *m = NULL;

	(void)arena;
	TRY(mem_enter(ctx, &m));
	REMOVE_IF(m->sessions, item, item->expires_at <= now);
	REMOVE_IF(m->tickets, item, item->expires_at + ticket_kept <= now);
	REMOVE_IF(m->families, item, item->token.expires_at <= now);
	mem_loose_end(m);
	REMOVE_IF(m->counters, item, item->until <= now);
	REMOVE_IF(m->letters, item, item->state != WAITING && item->due_at <= now);
	*more = false;
	return PT_OK;
}

static pt_err counts(void *ctx, pt_arena *arena, struct pt_store_counts *out)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct pt_store_counts counted = { 0 };

	(void)arena;
	TRY(mem_enter(ctx, &m));
	for (size_t i = 0; i < m->letters.n; i++) {
		const struct posted *posted = &m->letters.items[i];
		pt_time created_at = posted->letter.created_at;

		counted.letters_waiting += posted->state == WAITING;
		counted.letters_dead += posted->state == DEAD;
		if (posted->state == WAITING &&
			(counted.oldest_waiting == 0 || created_at < counted.oldest_waiting))
			counted.oldest_waiting = created_at;
	}
	*out = counted;
	return PT_OK;
}

static pt_err check(void *ctx, pt_arena *arena, pt_str *why)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	pt_err err = mem_enter(ctx, &m);

	(void)arena;
	if (err != PT_OK)
		*why = PT_STR("the store cannot be read and written");
	return err;
}

void memory_keeping_publish(struct pt_store *out)
{
	out->purge = purge;
	out->counts = counts;
	out->check = check;
}

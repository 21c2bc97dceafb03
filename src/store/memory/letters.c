/*
 * letters.c - the outbox.
 */
#include "base/err.h"
#include "store/memory/memory.h"

#include "base/banned.h"

static const pt_time letter_kept = 7 * PT_DAY;

static struct posted *letter_next(struct memory *m, pt_time now)
{
	struct posted *next = NULL;

	for (size_t i = 0; i < m->letters.n; i++) {
		struct posted *posted = &m->letters.items[i];

		if (posted->state == WAITING && posted->due_at <= now &&
			(!next || posted->due_at < next->due_at))
			next = posted;
	}
	return next;
}

static void letter_end(struct posted *posted, bool sent, pt_time now)
{
	posted->state = sent ? SENT : DEAD;
	posted->due_at = now + letter_kept;
}

static pt_err letter_claim(
	void *ctx, pt_arena *arena, const struct pt_claim *claim, struct pt_letter *out)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct posted *next;
	struct pt_letter copy;

	TRY(mem_enter(ctx, &m));
	while ((next = letter_next(m, claim->now))) {
		if (next->letter.not_after == 0 || next->letter.not_after > claim->now)
			break;
		letter_end(next, false, claim->now);
	}
	if (!next)
		return PT_E_NOT_FOUND;
	copy = next->letter;
	copy.attempts++;
	TRY(mem_own_letter(arena, &copy));

	next->letter.attempts++;
	next->due_at = claim->lease_until;
	*out = copy;
	return PT_OK;
}

static pt_err letter_done(void *ctx, pt_arena *arena, const struct pt_letter_outcome *outcome)
{
	PT_OWN(mem_leave) struct memory *m = NULL;

	(void)arena;
	TRY(mem_enter(ctx, &m));
	for (size_t i = 0; i < m->letters.n; i++) {
		struct posted *posted = &m->letters.items[i];

		if (!mem_id_eq(&posted->letter.id, &outcome->id) || posted->state != WAITING)
			continue;
		switch (outcome->sent) {
		case PT_SENT:
		case PT_SENT_NEVER:
			letter_end(posted, outcome->sent == PT_SENT, outcome->now);
			break;
		case PT_SENT_LATER:
		case PT_SENT_MISCONFIGURED:
			posted->due_at = outcome->retry_at;
			break;
		}
	}
	return PT_OK;
}

static pt_err letter_list(void *ctx, pt_arena *arena, size_t max, struct pt_letter **out, size_t *n)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct pt_letter *letters;
	size_t listed = 0;

	TRY(mem_enter(ctx, &m));
	letters = ARENA_ARRAY(arena, struct pt_letter, max < m->letters.n ? max : m->letters.n);
	if (!letters)
		return fault(PT_F_MEMORY, "list of letters");
	for (size_t i = m->letters.n; i > 0 && listed < max; i--) {
		struct pt_letter copy = m->letters.items[i - 1].letter;

		TRY(mem_own_letter(arena, &copy));
		letters[listed++] = copy;
	}
	*out = letters;
	*n = listed;
	return PT_OK;
}

void memory_letters_publish(struct pt_store *out)
{
	out->letter_claim = letter_claim;
	out->letter_done = letter_done;
	out->letter_list = letter_list;
}

/*
 * tokens.c - refresh tokens, as token.h draws them.
 */
#include <string.h>

#include "base/err.h"
#include "store/memory/memory.h"

#include "base/banned.h"

/* Which family a token is of, and its number there. False: of none. */
static bool ref_find(struct memory *m, const struct pt_token_ref *ref, struct family **family,
	int64_t *generation)
{
	const struct loose *loose;

	*generation = ref->generation;
	if (ref->family.text[0] != '\0') {
		*family = mem_family_of(m, &ref->family);
		return *family;
	}
	loose = mem_loose_of(m, &ref->hash);
	if (!loose)
		return false;
	*generation = loose->generation;
	*family = mem_family_of(m, &loose->family);
	return *family;
}

/* Whoever says a family shows its secret as well; so does everybody, once it is known. */
static bool secret_fits(const struct family *family, const struct pt_rotate_act *act)
{
	static const struct pt_hash unknown;
	const bool named = act->presented.family.text[0] != '\0';

	if (mem_hash_eq(&family->token.secret, &unknown))
		return !named;
	return mem_hash_eq(&family->token.secret, &act->secret);
}

/* What no MAC vouches for is the LIVE token itself, letter by letter, or nothing. */
static bool is_vouched_for(
	const struct family *family, const struct pt_token_ref *ref, int64_t generation)
{
	static const struct pt_hash unknown;

	return !ref->unproven || (generation == family->token.generation &&
					 !mem_hash_eq(&family->token.hash, &unknown) &&
					 mem_hash_eq(&family->token.hash, &ref->hash));
}

static pt_err event_tell(struct memory *m, const struct pt_rotate_act *act,
	const struct pt_account *owner, struct pt_event *event)
{
	if (event->kind == 0)
		return PT_OK;
	event->account = owner->id;
	if (act->tell)
		TRY(act->tell(act->tell_ctx, owner, event));
	return mem_own_event(m->pool, event);
}

static pt_err family_revoke(struct memory *m, const struct pt_rotate_act *act,
	const struct pt_account *owner, const struct family *family, pt_err refusal)
{
	struct pt_event event = act->reuse_event;

	TRY(event_tell(m, act, owner, &event));
	mem_event_put(m, &event);
	mem_family_end(m, family->token.family);
	return refusal;
}

static pt_err rotated_copy(pt_arena *arena, const struct pt_token *live,
	const struct pt_account_record *owner, struct pt_rotated *out)
{
	struct pt_rotated copy = { *live, *owner };

	TRY(mem_own_token(arena, &copy.token));
	TRY(mem_own_record(arena, &copy.owner));
	*out = copy;
	return PT_OK;
}

/* Who came first may have spent it at a moment that is yet to come for this one. */
static bool within_grace(const struct pt_rotate_act *act, pt_time spent_at)
{
	return act->grace > 0 && act->now - spent_at < act->grace;
}

/* SPENT: the LIVE token of the family within the grace, an alarm after it. */
static pt_err rotate_again(struct memory *m, pt_arena *arena, const struct pt_rotate_act *act,
	const struct pt_account_record *owner, const struct family *family, int64_t generation,
	struct pt_rotated *out)
{
	const uint64_t ago = (uint64_t)(family->token.generation - generation) - 1;

	if (ago >= family->n_spent || !within_grace(act, family->spent[ago]))
		return family_revoke(m, act, &owner->account, family, PT_E_REUSED);
	return rotated_copy(arena, &family->token, owner, out);
}

/* What is over tells no more than what is forgotten. */
static void spend(struct family *family, const struct pt_rotate_act *act)
{
	if (family->n_spent < PT_SPENT_MOST)
		family->n_spent++;
	memmove(&family->spent[1], &family->spent[0],
		(family->n_spent - 1) * sizeof(family->spent[0]));
	family->spent[0] = act->now;
	while (family->n_spent > 0 && !within_grace(act, family->spent[family->n_spent - 1]))
		family->n_spent--;
}

/* LIVE -> SPENT. */
static pt_err rotate_live(struct memory *m, pt_arena *arena, const struct pt_rotate_act *act,
	const struct pt_account_record *owner, struct family *family, struct pt_rotated *out)
{
	struct family next = *family;
	struct pt_event event = act->event, spent_event = act->spent_event;
	struct pt_rotated copy;

	next.token.generation++;
	next.token.secret = act->secret;
	next.token.hash = act->successor;
	next.token.issued_at = act->now;
	next.token.expires_at = act->now + act->lifetime;
	if (act->family_until > 0 && next.token.expires_at > next.started_at + act->family_until)
		next.token.expires_at = next.started_at + act->family_until;
	if (next.token.expires_at <= act->now)
		return PT_E_REFRESH;
	spend(&next, act);
	TRY(rotated_copy(arena, &next.token, owner, &copy));
	TRY(event_tell(m, act, &owner->account, &event));
	TRY(event_tell(m, act, &owner->account, &spent_event));

	*family = next;
	mem_event_put(m, &event);
	mem_event_put(m, &spent_event);
	*out = copy;
	return PT_OK;
}

static pt_err token_rotate(
	void *ctx, pt_arena *arena, const struct pt_rotate_act *act, struct pt_rotated *out)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	const struct pt_account_record *owner;
	struct family *family;
	int64_t generation;

	TRY(mem_enter(ctx, &m));
	if (!ref_find(m, &act->presented, &family, &generation) || !secret_fits(family, act) ||
		generation < 1 || generation > family->token.generation ||
		!is_vouched_for(family, &act->presented, generation))
		return PT_E_REFRESH;
	owner = mem_account_by_id(m, &family->token.account);
	if (!owner || owner->account.disabled_at != 0 ||
		!str_eq(owner->account.tenant, act->tenant))
		return PT_E_REFRESH;
	if (!str_eq(family->token.client, act->client))
		return family_revoke(m, act, &owner->account, family, PT_E_REFRESH);
	if (family->token.expires_at <= act->now)
		return PT_E_REFRESH_EXPIRED;
	if (generation < family->token.generation)
		return rotate_again(m, arena, act, owner, family, generation, out);
	return rotate_live(m, arena, act, owner, family, out);
}

static pt_err token_revoke(void *ctx, pt_arena *arena, const struct pt_token_ref *shown,
	pt_time now, const struct pt_event *event)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct pt_event copy = *event;
	struct family *family;
	int64_t generation;

	(void)arena, (void)now;
	TRY(mem_enter(ctx, &m));
	if (!ref_find(m, shown, &family, &generation))
		return PT_OK;
	TRY(mem_own_event(m->pool, &copy));

	mem_event_put_of(m, &copy, &family->token.account);
	mem_family_end(m, family->token.family);
	return PT_OK;
}

void memory_tokens_publish(struct pt_store *out)
{
	out->token_rotate = token_rotate;
	out->token_revoke = token_revoke;
}

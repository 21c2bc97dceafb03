/*
 * tokens.c - refresh tokens, as token.h draws them.
 */
#include "base/err.h"
#include "store/memory/memory.h"

#include "base/banned.h"

static pt_err token_find(
	void *ctx, pt_arena *arena, const struct pt_hash *hash, struct pt_token_record *out)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	const struct pt_account_record *owner;
	const struct refresh *found;
	struct pt_token_record copy;

	TRY(mem_enter(ctx, &m));
	found = mem_token_of(m, hash);
	owner = found ? mem_account_by_id(m, &found->token.account) : NULL;
	if (!owner)
		return PT_E_REFRESH;
	copy = (struct pt_token_record){ found->token, found->spent_at, *owner };
	TRY(mem_own_token(arena, &copy.token));
	TRY(mem_own_record(arena, &copy.owner));
	*out = copy;
	return PT_OK;
}

static pt_err family_revoke(struct memory *m, const struct pt_rotate_act *act,
	const struct refresh *presented, pt_err refusal)
{
	struct pt_event event = act->reuse_event;

	TRY(mem_own_event(m->pool, &event));
	mem_event_put_of(m, &event, &presented->token.account);
	mem_family_end(m, presented->token.family);
	return refusal;
}

static const struct refresh *family_live(struct memory *m, const struct pt_id *family, pt_time now)
{
	for (size_t i = 0; i < m->tokens.n; i++) {
		const struct refresh *item = &m->tokens.items[i];

		if (mem_id_eq(&item->token.family, family) && item->spent_at == 0)
			return item->token.expires_at > now ? item : NULL;
	}
	return NULL;
}

/* SPENT: the LIVE token of the family within the grace, an alarm after it. */
static pt_err rotate_again(struct memory *m, pt_arena *arena, const struct pt_rotate_act *act,
	const struct refresh *presented, struct pt_token *out)
{
	const struct refresh *live;
	struct pt_token copy;

	/* Who came first may have spent it at a moment that is yet to come for this one. */
	if (act->grace <= 0 || act->now - presented->spent_at >= act->grace)
		return family_revoke(m, act, presented, PT_E_REUSED);
	live = family_live(m, &presented->token.family, act->now);
	if (!live)
		return PT_E_REFRESH;
	copy = live->token;
	TRY(mem_own_token(arena, &copy));
	*out = copy;
	return PT_OK;
}

/* LIVE -> SPENT. */
static pt_err rotate_live(struct memory *m, pt_arena *arena, const struct pt_rotate_act *act,
	struct refresh *presented, struct pt_token *out)
{
	struct pt_token next = presented->token;
	struct pt_token copy;
	struct pt_event event = act->event, spent = act->spent_event;

	next.hash = act->successor;
	next.issued_at = act->now;
	next.expires_at = act->now + act->lifetime;
	if (act->family_until > 0 && next.expires_at > presented->started_at + act->family_until)
		next.expires_at = presented->started_at + act->family_until;
	if (next.expires_at <= act->now)
		return PT_E_REFRESH;
	copy = next;
	TRY(mem_own_token(arena, &copy));
	TRY(mem_own_event(m->pool, &event));
	TRY(mem_own_event(m->pool, &spent));

	presented->spent_at = act->now;
	mem_token_put(m, &next, presented->started_at);
	mem_event_put_of(m, &event, &next.account);
	mem_event_put_of(m, &spent, &next.account);
	*out = copy;
	return PT_OK;
}

static pt_err token_rotate(
	void *ctx, pt_arena *arena, const struct pt_rotate_act *act, struct pt_token *out)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	const struct pt_account_record *owner;
	struct refresh *presented;

	TRY(mem_enter(ctx, &m));
	presented = mem_token_of(m, &act->presented);
	if (!presented || presented->token.expires_at <= act->now)
		return PT_E_REFRESH;
	if (!str_eq(presented->token.client, act->client))
		return family_revoke(m, act, presented, PT_E_REFRESH);
	owner = mem_account_by_id(m, &presented->token.account);
	if (!owner || owner->account.disabled_at != 0)
		return PT_E_REFRESH;
	if (presented->spent_at != 0)
		return rotate_again(m, arena, act, presented, out);
	return rotate_live(m, arena, act, presented, out);
}

static pt_err token_revoke(void *ctx, pt_arena *arena, const struct pt_hash *hash, pt_time now,
	const struct pt_event *event)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	const struct refresh *found;
	struct pt_event copy = *event;

	(void)arena, (void)now;
	TRY(mem_enter(ctx, &m));
	found = mem_token_of(m, hash);
	if (!found)
		return PT_OK;
	TRY(mem_own_event(m->pool, &copy));

	mem_event_put_of(m, &copy, &found->token.account);
	mem_family_end(m, found->token.family);
	return PT_OK;
}

void memory_tokens_publish(struct pt_store *out)
{
	out->token_find = token_find;
	out->token_rotate = token_rotate;
	out->token_revoke = token_revoke;
}

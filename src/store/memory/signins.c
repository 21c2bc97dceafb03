/*
 * signins.c - signing in, and the sessions that come of it.
 */
#include "base/err.h"
#include "store/memory/memory.h"

#include "base/banned.h"

static pt_err signin(void *ctx, pt_arena *arena, const struct pt_signin_act *act)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct pt_account_record *record;
	struct pt_session session = act->session;
	struct pt_token token = act->token;
	struct pt_event event = act->event;
	pt_str rehashed;

	(void)arena;
	TRY(mem_enter(ctx, &m));
	record = mem_account_by_id(m, &act->account);
	if (!record || record->account.disabled_at != 0 ||
		!str_eq(record->password, act->seen_password))
		return PT_E_CREDENTIALS;
	TRY(mem_own_session(m->pool, &session));
	TRY(mem_own_token(m->pool, &token));
	TRY(mem_own_event(m->pool, &event));
	if (!arena_str(m->pool, act->new_password, &rehashed))
		return fault(PT_F_MEMORY, "memory store: no memory for a password");

	record->account.failed_signins = 0;
	record->account.signin_count++;
	record->account.last_signin_at = act->now;
	if (rehashed.n > 0) {
		record->password = rehashed;
		record->account.updated_at = act->now;
	}
	session.account = act->account;
	token.account = act->account;
	if (act->has_replaced)
		REMOVE_IF(m->sessions, item, mem_hash_eq(&item->hash, &act->replaced));
	if (act->has_session)
		m->sessions.items[m->sessions.n++] = session;
	if (act->has_token)
		mem_family_put(m, &token);
	mem_event_put_of(m, &event, &act->account);
	return PT_OK;
}

static pt_err signin_fail(void *ctx, pt_arena *arena, const struct pt_signin_failure *failure)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct pt_account_record *record;
	struct pt_event event = failure->event;

	(void)arena;
	TRY(mem_enter(ctx, &m));
	TRY(mem_own_event(m->pool, &event));

	record = mem_account_by_id(m, &failure->account);
	if (record)
		record->account.failed_signins++;
	mem_event_put(m, &event);
	return PT_OK;
}

/* ---- sessions ----------------------------------------------------------------------------------- */

static pt_err session_find(void *ctx, pt_arena *arena, const struct pt_hash *hash, pt_time now,
	struct pt_session_record *out)
{
	PT_OWN(mem_leave) struct memory *m = NULL;

	TRY(mem_enter(ctx, &m));
	for (size_t i = 0; i < m->sessions.n; i++) {
		struct pt_session session = m->sessions.items[i];
		const struct pt_account_record *owner = mem_account_by_id(m, &session.account);
		struct pt_account_record copy;

		if (!mem_hash_eq(&session.hash, hash) || session.expires_at <= now || !owner ||
			owner->account.disabled_at != 0)
			continue;
		copy = *owner;
		TRY(mem_own_session(arena, &session));
		TRY(mem_own_record(arena, &copy));
		*out = (struct pt_session_record){ session, copy.account };
		return PT_OK;
	}
	return PT_E_NOT_SIGNED_IN;
}

static pt_err session_close(
	void *ctx, pt_arena *arena, const struct pt_hash *hash, const struct pt_event *event)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct pt_event copy = *event;

	(void)arena;
	TRY(mem_enter(ctx, &m));
	TRY(mem_own_event(m->pool, &copy));
	for (size_t i = 0; i < m->sessions.n; i++) {
		if (mem_hash_eq(&m->sessions.items[i].hash, hash))
			mem_event_put_of(m, &copy, &m->sessions.items[i].account);
	}
	REMOVE_IF(m->sessions, item, mem_hash_eq(&item->hash, hash));
	return PT_OK;
}

void memory_signins_publish(struct pt_store *out)
{
	out->signin = signin;
	out->signin_fail = signin_fail;
	out->session_find = session_find;
	out->session_close = session_close;
}

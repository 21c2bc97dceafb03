/*
 * session.c - cookie sessions.
 */
#include "core/session.h"
#include "base/str.h"
#include "core/event.h"
#include "core/secret.h"
#include "core/store.h"
#include "portress/act.h"
#include "base/banned.h"

pt_err session_begin(struct pt_call *call, const struct pt_id *account, uint32_t methods,
	struct pt_session *session, pt_str *secret)
{
	struct pt_session made = {
		.account = *account,
		.created_at = call->now,
		.expires_at = call->now + call->site->policy.session_life,
		.methods = methods,
		.user_agent = call->asker.user_agent,
	};
	struct secret drawn;

	TRY(secret_make(call->arena, &drawn));
	TRY(client_shortened(call, &made.client));
	made.hash = drawn.hash;
	*session = made;
	*secret = drawn.text;
	return PT_OK;
}

pt_err pt_session_find(
	struct pt_call *call, pt_str secret, struct pt_session *session, struct pt_account *account)
{
	struct pt_session_record record;
	struct pt_hash hash;
	bool possible;

	TRY(secret_hash(secret, &possible, &hash));
	if (!possible)
		return PT_E_NOT_SIGNED_IN;
	if (farewell_has(&call->site->farewells, &hash))
		return PT_E_NOT_SIGNED_IN;
	TRY(STORE(call, session_find, &hash, call->now, &record));
	*session = record.session;
	*account = record.account;
	return PT_OK;
}

static pt_err session_close(struct pt_call *call, const struct pt_hash *hash)
{
	struct pt_event event;

	TRY(event_make(call, PT_EVENT_SIGNOUT, NULL, "", &event));
	return STORE(call, session_close, hash, &event);
}

pt_err pt_signout(struct pt_call *call, pt_str secret)
{
	struct pt_hash hash;
	bool possible;

	TRY(secret_hash(secret, &possible, &hash));
	if (!possible)
		return PT_OK;
	pt_err err = session_close(call, &hash);
	/* Whoever wants out is let out: the session is dead here at once, and in the store once it is
	 * back. */
	if (err == PT_F_STORE && farewell_note(&call->site->farewells, &hash))
		return PT_OK;
	return err;
}

pt_err pt_farewells_finish(struct pt_call *call)
{
	struct pt_hash hash;

	while (farewell_next(&call->site->farewells, &hash)) {
		TRY(session_close(call, &hash));
		farewell_done(&call->site->farewells, &hash);
	}
	return PT_OK;
}

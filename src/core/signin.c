/*
 * signin.c - signing in with a password.
 *
 * What a stranger can learn: nothing. An unknown name costs a hash against a decoy, and "not
 * confirmed" or "switched off" is only said to who knew the password.
 */
#include "base/str.h"
#include "core/account.h"
#include "core/device.h"
#include "core/event.h"
#include "core/hook.h"
#include "core/limit.h"
#include "core/policy.h"
#include "core/secret.h"
#include "core/session.h"
#include "core/store.h"
#include "core/token.h"
#include "portress/act.h"
#include "base/banned.h"

static pt_err failure_record(struct pt_call *call, const struct pt_id *account)
{
	struct pt_signin_failure failure = { .account = { "" } };

	if (account)
		failure.account = *account;
	TRY(event_make(call, PT_EVENT_SIGNIN_FAILED, account, "", &failure.event));
	return STORE(call, signin_fail, &failure);
}

/* Nobody has that name: the same work, the same answer. */
static pt_err password_of_nobody(struct pt_call *call, pt_str password)
{
	pt_err err = password_verify_decoy(&call->site->password, password);

	if (err != PT_E_CREDENTIALS)
		return err == PT_OK ? fault(PT_F_BUG, "a decoy matched") : err;
	TRY(failure_record(call, NULL));
	return PT_E_CREDENTIALS;
}

/* An account without a password (invited, recovered only) costs a hash as well. */
static pt_err password_compare(
	struct pt_call *call, pt_str stored, pt_str password, struct password_verdict *verdict)
{
	if (stored.n == 0)
		return password_verify_decoy(&call->site->password, password);
	return password_verify(&call->site->password, stored, password, verdict);
}

static pt_err password_check(struct pt_call *call, const struct pt_account_record *owner,
	pt_str password, struct password_verdict *verdict)
{
	pt_err err = password_compare(call, owner->password, password, verdict);

	if (err != PT_E_CREDENTIALS)
		return err;
	TRY(failure_record(call, &owner->account.id));
	return PT_E_CREDENTIALS;
}

static pt_err refuse_known(struct pt_call *call, const struct pt_id *account, pt_err refusal)
{
	struct pt_event event;

	TRY(event_make(call, PT_EVENT_SIGNIN_REFUSED, account,
		refusal == PT_E_DISABLED ? "disabled" : "unverified", &event));
	TRY(STORE(call, event_record, &event));
	return refusal;
}

static pt_err may_sign_in(struct pt_call *call, const struct pt_account *account)
{
	if (account->disabled_at)
		return refuse_known(call, &account->id, PT_E_DISABLED);
	if (!account->email_verified_at)
		return refuse_known(call, &account->id, PT_E_UNVERIFIED);
	return PT_OK;
}

/* A hash of yesterday's kind is replaced while the password is at hand. When we are too busy it
 * stays: the next sign-in will do. */
static pt_err rehash(
	struct pt_call *call, pt_str password, bool wanted, char hash[PASSWORD_HASH_MAX])
{
	hash[0] = '\0';
	if (!wanted)
		return PT_OK;
	pt_err err = password_hash(&call->site->password, password, hash);
	if (err == PT_E_BUSY || err == PT_E_PASSWORD_LONG || err == PT_E_PASSWORD_BYTES) {
		hash[0] = '\0';
		return PT_OK;
	}
	return err;
}

/* The same act with what the hook answered, in one. */
static pt_err grant_with_reply(struct pt_call *call, const struct pt_signin_act *act,
	const struct pt_hook_reply *reply, struct pt_account_record *owner)
{
	struct pt_amend amend = {
		.account = act->account,
		.now = act->now,
		.has_seen_password = true,
		.seen_password = act->seen_password,
		.enabled = true,
		.has_password = act->new_password.n > 0,
		.password = act->new_password,
		.signed_in = true,
		.has_session = act->has_session,
		.session = act->session,
		.has_token = act->has_token,
		.token = act->token,
		.events = { act->event },
	};

	hook_amend(reply, &amend);
	pt_err err = STORE(call, account_amend, &amend, owner);
	return err == PT_E_NOT_FOUND || err == PT_E_DISABLED ? PT_E_CREDENTIALS : err;
}

static pt_err grant_open(struct pt_call *call, struct pt_account_record *owner, unsigned grants,
	pt_str new_password, pt_str old_session, struct pt_grant *out)
{
	struct pt_signin_act act = {
		.account = owner->account.id,
		.seen_password = owner->password,
		.new_password = new_password,
		.now = call->now,
		.has_session = (grants & PT_GRANT_SESSION) != 0,
		.has_token = (grants & PT_GRANT_TOKENS) != 0,
	};
	struct pt_grant grant = { 0 };
	struct pt_hook_reply reply;
	pt_str jti = PT_STR("");

	TRY(hook_ask(call, PT_HOOK_LOGIN, &owner->account, &reply));
	TRY(secret_hash(old_session, &act.has_replaced, &act.replaced));
	if (act.has_session) {
		TRY(session_begin(
			call, &act.account, PT_METHOD_PASSWORD, &act.session, &grant.session));
		grant.session_expires = act.session.expires_at;
	}
	if (new_password.n > 0)
		owner->password = new_password;
	if (act.has_token)
		TRY(token_begin(call, &owner->account, &act.token, &jti));
	TRY(event_about(call, PT_EVENT_SIGNIN, &owner->account, "password", &act.event));
	if (hook_said(&reply)) {
		TRY(grant_with_reply(call, &act, &reply, owner));
	} else {
		TRY(STORE(call, signin, &act));
		owner->account.signin_count++;
		owner->account.failed_signins = 0;
		owner->account.last_signin_at = call->now;
	}
	if (act.has_token)
		TRY(token_write(call, owner, &act.token, jti, &grant));
	grant.account = owner->account;
	*out = grant;
	return PT_OK;
}

static pt_err signin_as(struct pt_call *call, const struct pt_account_query *query,
	const struct pt_signin_form *form, unsigned grants, struct pt_grant *out)
{
	pt_str password = form->password;
	struct password_verdict verdict = { false };
	struct pt_account_record owner;
	char hash[PASSWORD_HASH_MAX];

	pt_err found = STORE(call, account_find, query, &owner);
	/* Nobody's password is empty, whatever a table that came from elsewhere says. */
	if (found == PT_E_NOT_FOUND || (found == PT_OK && password.n == 0))
		return password_of_nobody(call, password);
	TRY(found);
	TRY(password_check(call, &owner, password, &verdict));
	TRY(may_sign_in(call, &owner.account));
	TRY(rehash(call, password, verdict.rehash, hash));
	return grant_open(call, &owner, grants, str(hash), form->session, out);
}

pt_err pt_signin(struct pt_call *call, const struct pt_signin_form *form, unsigned grants,
	struct pt_grant *out)
{
	struct pt_account_query query;
	struct pt_grant grant;
	bool known_device;

	TRY(account_name_read(call, form->name, &query));
	TRY(policy_signin_password(&call->site->policy, form->password));
	TRY(device_check(call, query.key, form->device, &known_device));
	TRY(limit_signin(call, query.key, known_device, form->device));
	TRY(signin_as(call, &query, form, grants, &grant));
	if (known_device)
		grant.device = form->device;
	else
		TRY(device_make(call, query.key, &grant.device));
	*out = grant;
	return PT_OK;
}

/*
 * account.c - accounts: reading what was typed, and the operator's acts.
 */
#include "core/account.h"

#include "base/random.h"
#include "base/str.h"
#include "core/event.h"
#include "core/policy.h"
#include "core/store.h"
#include "core/username.h"
#include "portress/act.h"
#include "base/banned.h"

pt_err account_draft_read(struct pt_call *call, const struct account_draft *draft,
	bool needs_password, struct pt_account *out)
{
	const struct pt_policy *policy = &call->site->policy;
	struct pt_account account = {
		.username = draft->username,
		.given_name = draft->given_name,
		.family_name = draft->family_name,
		.created_at = call->now,
		.updated_at = call->now,
	};
	struct email email;

	TRY(username_parse(call->arena, policy, draft->username, &account.username_key));
	TRY(email_parse(call->arena, policy, draft->email, &email));
	if (needs_password || draft->password.n > 0) {
		const struct password_context context = { draft->username, email.key };
		TRY(policy_password(policy, draft->password, &context));
	}
	TRY(policy_names(policy, draft->given_name, draft->family_name));
	account.email = email.address;
	account.email_key = email.key;
	TRY(random_id(call->now, &account.id));
	*out = account;
	return PT_OK;
}

pt_err account_name_read(struct pt_call *call, pt_str name, struct pt_account_query *query)
{
	const struct pt_policy *policy = &call->site->policy;
	struct pt_account_query made = { .by = PT_BY_USERNAME };
	struct email email;

	if (policy->signin_with_email && str_find(name, '@') < name.n) {
		TRY(email_parse(call->arena, policy, name, &email));
		made.by = PT_BY_EMAIL;
		made.key = email.key;
	} else {
		TRY(username_parse(call->arena, policy, name, &made.key));
	}
	*query = made;
	return PT_OK;
}

pt_err account_by_email(struct pt_call *call, pt_str email_key, struct pt_account_record *out)
{
	const struct pt_account_query query = { .by = PT_BY_EMAIL, .key = email_key };

	return STORE(call, account_find, &query, out);
}

/* ---- operators ---- */

/* An id, a user name or an address: whichever finds somebody, in the order that cannot mislead (a
 * user name never holds '@' or '-'). */
static pt_err account_by_key(struct pt_call *call, pt_str key, struct pt_account_record *out)
{
	const struct pt_policy *policy = &call->site->policy;
	struct pt_account_query query = { .by = PT_BY_ID, .key = key };
	struct email email;

	if (str_find(key, '@') < key.n) {
		if (email_parse(call->arena, policy, key, &email) != PT_OK)
			return PT_E_NOT_FOUND;
		return account_by_email(call, email.key, out);
	}
	pt_err err = STORE(call, account_find, &query, out);
	if (err != PT_E_NOT_FOUND)
		return err;
	query.by = PT_BY_USERNAME;
	if (username_parse(call->arena, policy, key, &query.key) != PT_OK)
		return PT_E_NOT_FOUND;
	return STORE(call, account_find, &query, out);
}

pt_err pt_account_find(struct pt_call *call, pt_str key, struct pt_account *out)
{
	struct pt_account_record record;

	TRY(account_by_key(call, key, &record));
	*out = record.account;
	return PT_OK;
}

pt_err pt_account_list(
	struct pt_call *call, pt_str after, size_t max, struct pt_account **out, size_t *n)
{
	const struct pt_account_list query = { .after = after, .max = max };

	return STORE(call, account_list, &query, out, n);
}

pt_err pt_account_create(
	struct pt_call *call, const struct pt_account_form *form, struct pt_account *out)
{
	const struct account_draft draft = { form->username, form->email, form->password,
		form->given_name, form->family_name };
	char hash[PASSWORD_HASH_MAX] = "";
	struct pt_join join = { 0 };

	TRY(account_draft_read(call, &draft, false, &join.account));
	if (form->verified)
		join.account.email_verified_at = call->now;
	if (form->password.n > 0)
		TRY(password_hash(&call->site->password, form->password, hash));
	join.password = str(hash);
	TRY(event_make(call, PT_EVENT_ACCOUNT_CREATED, NULL, "", &join.event));
	TRY(event_make(call, PT_EVENT_SIGNUP_TAKEN, NULL, "operator", &join.taken_event));
	struct pt_account account = join.account;
	TRY(STORE(call, account_join, &join, &account.id));
	*out = account;
	return PT_OK;
}

static pt_err account_change(
	struct pt_call *call, pt_str key, enum pt_event_kind kind, struct pt_account_change *change)
{
	struct pt_account_record record;

	TRY(account_by_key(call, key, &record));
	change->account = record.account.id;
	change->now = call->now;
	TRY(event_make(call, kind, &record.account.id, "operator", &change->event));
	return STORE(call, account_change, change);
}

pt_err pt_account_set_password(struct pt_call *call, pt_str key, pt_str password)
{
	char hash[PASSWORD_HASH_MAX];
	struct pt_account_record record;

	TRY(account_by_key(call, key, &record));
	const struct password_context context = { record.account.username, record.account.email };
	TRY(policy_password(&call->site->policy, password, &context));
	TRY(password_hash(&call->site->password, password, hash));
	struct pt_account_change change = { .has_password = true, .password = str(hash) };
	return account_change(call, str(record.account.id.text), PT_EVENT_PASSWORD_SET, &change);
}

pt_err pt_account_set_verified(struct pt_call *call, pt_str key, bool verified)
{
	struct pt_account_change change = { .has_verified = true, .verified = verified };

	return account_change(call, key, PT_EVENT_CONFIRMED, &change);
}

pt_err pt_account_set_disabled(struct pt_call *call, pt_str key, bool disabled)
{
	struct pt_account_change change = { .has_disabled = true, .disabled = disabled };

	return account_change(call, key,
		disabled ? PT_EVENT_ACCOUNT_DISABLED : PT_EVENT_ACCOUNT_ENABLED, &change);
}

pt_err pt_account_remove(struct pt_call *call, pt_str key)
{
	struct pt_account_record record;
	struct pt_event event;

	TRY(account_by_key(call, key, &record));
	TRY(event_make(call, PT_EVENT_ACCOUNT_DELETED, &record.account.id, "operator", &event));
	return STORE(call, account_remove, &record.account.id, call->now, &event);
}

pt_err pt_event_list(
	struct pt_call *call, pt_str account_key, size_t max, struct pt_event **out, size_t *n)
{
	struct pt_id account = { "" };

	if (account_key.n > 0) {
		struct pt_account_record record;
		TRY(account_by_key(call, account_key, &record));
		account = record.account.id;
	}
	return STORE(call, event_list, &account, max, out, n);
}

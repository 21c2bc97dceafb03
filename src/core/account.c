/*
 * account.c - accounts: reading what was typed, and the operator's acts.
 */
#include "core/account.h"

#include "base/json.h"
#include "base/random.h"
#include "base/str.h"
#include "core/event.h"
#include "core/hook.h"
#include "core/letter.h"
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
		.tenant = call->site->tenant,
		.audience = call->audience,
		.role = call->site->default_role,
		.username = draft->username,
		.given_name = draft->given_name,
		.family_name = draft->family_name,
		.created_at = call->now,
		.updated_at = call->now,
	};
	struct email email;

	if (!draft->nameless)
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
	struct pt_account_query made = {
		.tenant = call->site->tenant,
		.audience = call->audience,
		.by = PT_BY_USERNAME,
	};
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
	const struct pt_account_query query = { call->site->tenant, call->audience, PT_BY_EMAIL,
		email_key, { 0 } };

	return STORE(call, account_find, &query, out);
}

pt_err account_by_id(struct pt_call *call, pt_str id, struct pt_account_record *out)
{
	const struct pt_account_query query = { .by = PT_BY_ID, .key = id };
	struct pt_account_record found;

	TRY(STORE(call, account_find, &query, &found));
	if (!str_eq(found.account.tenant, call->site->tenant))
		return PT_E_NOT_FOUND;
	*out = found;
	return PT_OK;
}

pt_err metadata_check(struct pt_call *call, pt_str json)
{
	struct json_value value;

	if (json.n == 0)
		return PT_OK;
	if (json.n > PT_METADATA_MAX)
		return PT_E_METADATA;
	pt_err err = json_read(call->arena, json, &value);
	if (err != PT_OK)
		return pt_is_fault(err) ? err : PT_E_METADATA;
	return value.type == JSON_OBJECT ? PT_OK : PT_E_METADATA;
}

/* ---- operators ---- */

/* An id, a user name or an address: whichever finds somebody, in the order that cannot mislead (a
 * user name never holds '@' or '-'). */
static pt_err account_by_key(struct pt_call *call, pt_str key, struct pt_account_record *out)
{
	const struct pt_policy *policy = &call->site->policy;
	struct pt_account_query query = { .tenant = call->site->tenant, .by = PT_BY_USERNAME };
	struct email email;

	if (str_find(key, '@') < key.n) {
		if (email_parse(call->arena, policy, key, &email) != PT_OK)
			return PT_E_NOT_FOUND;
		return account_by_email(call, email.key, out);
	}
	pt_err err = account_by_id(call, key, out);
	if (err != PT_E_NOT_FOUND)
		return err;
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

pt_err pt_account_get(struct pt_call *call, pt_str id, struct pt_account *out)
{
	struct pt_account_record record;

	TRY(account_by_id(call, id, &record));
	*out = record.account;
	return PT_OK;
}

pt_err pt_account_list(
	struct pt_call *call, pt_str after, size_t max, struct pt_account **out, size_t *n)
{
	const struct pt_account_list query = { call->site->tenant, after, max };

	return STORE(call, account_list, &query, out, n);
}

static pt_err hashes_apart(struct pt_call *call, const struct pt_account_record *records, size_t n,
	struct pt_account **accounts, pt_str **hashes)
{
	struct pt_account *account = ARENA_ARRAY(call->arena, struct pt_account, n + 1);
	pt_str *hash = ARENA_ARRAY(call->arena, pt_str, n + 1);

	if (!account || !hash)
		return fault(PT_F_MEMORY, "a page of accounts");
	for (size_t i = 0; i < n; i++) {
		account[i] = records[i].account;
		hash[i] = records[i].password;
	}
	*accounts = account;
	if (hashes)
		*hashes = hash;
	return PT_OK;
}

pt_err pt_account_search(struct pt_call *call, const struct pt_account_search *search,
	struct pt_account **out, pt_str **hashes, size_t *n, int64_t *total)
{
	const struct pt_account_page query = {
		.tenant = call->site->tenant,
		.audience = call->audience,
		.part = search->part,
		.order = search->oldest_first ? PT_OLDEST_FIRST : PT_NEWEST_FIRST,
		.skip = search->page.skip,
		.max = search->page.max,
	};
	struct pt_account_record *records;
	size_t got;

	TRY(STORE(call, account_page, &query, &records, &got, total));
	TRY(hashes_apart(call, records, got, out, hashes));
	*n = got;
	return PT_OK;
}

pt_err pt_account_create(
	struct pt_call *call, const struct pt_account_form *form, struct pt_account *out)
{
	const struct account_draft draft = { form->username, form->email, form->password,
		form->given_name, form->family_name, form->nameless };
	char hash[PASSWORD_HASH_MAX] = "";
	struct pt_join join = { 0 };

	TRY(account_draft_read(call, &draft, false, &join.account));
	TRY(metadata_check(call, form->user_metadata));
	TRY(metadata_check(call, form->app_metadata));
	join.account.user_metadata = form->user_metadata;
	join.account.app_metadata = form->app_metadata;
	join.account.super_admin = form->super_admin;
	if (form->role.n > 0)
		join.account.role = form->role;
	if (form->verified)
		join.account.email_verified_at = call->now;
	if (form->password.n > 0)
		TRY(password_hash(&call->site->password, form->password, hash));
	join.password = str(hash);
	TRY(event_about(call, PT_EVENT_ACCOUNT_CREATED, &join.account, "", &join.event));
	TRY(event_make(call, PT_EVENT_SIGNUP_TAKEN, NULL, "operator", &join.taken_event));
	struct pt_account account = join.account;
	TRY(STORE(call, account_join, &join, &account.id));
	*out = account;
	return PT_OK;
}

static pt_err operator_amends(
	struct pt_call *call, pt_str key, enum pt_event_kind kind, struct pt_amend *amend)
{
	struct pt_account_record record;

	TRY(account_by_key(call, key, &record));
	amend->account = record.account.id;
	amend->now = call->now;
	TRY(event_about(call, kind, &record.account, "operator", &amend->events[0]));
	return STORE(call, account_amend, amend, &record);
}

pt_err pt_account_set_password(struct pt_call *call, pt_str key, pt_str password)
{
	char hash[PASSWORD_HASH_MAX];
	struct pt_account_record record;

	TRY(account_by_key(call, key, &record));
	const struct password_context context = { record.account.username, record.account.email };
	TRY(policy_password(&call->site->policy, password, &context));
	TRY(password_hash(&call->site->password, password, hash));
	struct pt_amend amend = { .has_password = true, .password = str(hash), .ends = PT_END_ALL };
	return operator_amends(call, str(record.account.id.text), PT_EVENT_PASSWORD_SET, &amend);
}

pt_err pt_account_set_verified(struct pt_call *call, pt_str key, bool verified)
{
	struct pt_amend amend = { .has_verified = true, .verified = verified };

	return operator_amends(call, key, PT_EVENT_CONFIRMED, &amend);
}

pt_err pt_account_set_disabled(struct pt_call *call, pt_str key, bool disabled)
{
	struct pt_amend amend = {
		.has_disabled = true,
		.disabled = disabled,
		.ends = disabled ? PT_END_ALL : 0,
	};

	return operator_amends(
		call, key, disabled ? PT_EVENT_ACCOUNT_DISABLED : PT_EVENT_ACCOUNT_ENABLED, &amend);
}

pt_err pt_account_remove(struct pt_call *call, pt_str key)
{
	struct pt_account_record record;
	struct pt_letter notice;
	struct pt_event event;
	bool told;

	TRY(account_by_key(call, key, &record));
	TRY(event_about(call, PT_EVENT_ACCOUNT_DELETED, &record.account, "operator", &event));
	TRY(hook_notice(call, PT_HOOK_USER_DELETED, &record.account, &told, &notice));
	TRY(STORE(call, account_remove, &record.account.id, call->now, &event,
		told ? &notice : NULL));
	letter_posted(call);
	return PT_OK;
}

pt_err pt_signout_everywhere(struct pt_call *call, pt_str id)
{
	struct pt_amend amend = { .now = call->now, .ends = PT_END_SESSIONS | PT_END_FAMILIES };
	struct pt_account_record record;

	TRY(account_by_id(call, id, &record));
	amend.account = record.account.id;
	TRY(event_about(call, PT_EVENT_SIGNOUT, &record.account, "everywhere", &amend.events[0]));
	return STORE(call, account_amend, &amend, &record);
}

pt_err pt_event_search(struct pt_call *call, const struct pt_event_search *search,
	struct pt_event **out, size_t *n, int64_t *total)
{
	const struct pt_event_page query = {
		.tenant = call->site->tenant,
		.kinds = search->kinds,
		.author = search->author,
		.skip = search->page.skip,
		.max = search->page.max,
	};

	return STORE(call, event_page, &query, out, n, total);
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

/*
 * admin_users.c - the accounts of an audience, for who administers it.
 */
#include "base/str.h"
#include "http/field.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

/* ---- lists ---- */

/* "created_at asc": the only field, and the newest first unless it says otherwise. */
static pt_err sort_read(struct exchange *ex, pt_str sort, bool *oldest_first)
{
	struct buf b = BUF(ex->arena, 1 * KIB);
	pt_str field, direction, detail;

	(void)str_cut(str_trim(sort), ' ', &field, &direction);
	direction = str_trim(direction);
	*oldest_first = str_eq_nocase(direction, PT_STR("asc"));
	if (!str_eq(field, PT_STR("created_at"))) {
		buf_str(&b, PT_STR("bad field for sort '"));
		buf_str(&b, str_slice(field, 0, 64));
		buf_char(&b, '\'');
	} else if (direction.n > 0 && !*oldest_first && !str_eq_nocase(direction, PT_STR("desc"))) {
		buf_str(&b, PT_STR("bad direction for sort '"));
		buf_str(&b, str_slice(direction, 0, 64));
		buf_str(&b, PT_STR("', only 'asc' and 'desc' allowed"));
	}
	if (b.n == 0)
		return PT_OK;
	TRY(buf_done(&b, &detail));
	return gotrue_no_detail(ex, 400, "Bad Sort Parameters", detail);
}

/* Every `sort` must be a good one; the first decides. */
static pt_err search_read(struct exchange *ex, struct pt_account_search *out)
{
	struct fields query;
	bool oldest_first, first = true;

	TRY(fields_query(ex->arena, ex->rq->query, &query));
	for (size_t i = 0; i < query.n; i++) {
		if (!str_eq(query.items[i].name, PT_STR("sort")))
			continue;
		TRY(sort_read(ex, query.items[i].value, &oldest_first));
		if (first)
			out->oldest_first = oldest_first;
		first = false;
	}
	out->part = field_value(&query, PT_STR("filter"));
	return PT_OK;
}

static pt_err list_answer(
	struct exchange *ex, const struct pt_account *accounts, const pt_str *hashes, size_t n)
{
	struct buf body = BUF(ex->arena, GOTRUE_ANSWER_MAX);
	struct json json = JSON(&body);

	json_object(&json, NULL);
	json_str(&json, "aud", pt_call_audience(ex->call));
	json_array(&json, "users");
	for (size_t i = 0; i < n; i++)
		user_write(&json, &accounts[i], hashes ? &hashes[i] : NULL);
	json_array_end(&json);
	json_object_end(&json);
	return answer_list(ex, &body);
}

static pt_err list(struct exchange *ex, bool with_hashes)
{
	struct pt_account_search search = { .oldest_first = false };
	struct pt_account *accounts;
	struct paging paging;
	pt_str *hashes = NULL;
	int64_t total;
	size_t n;

	TRY(paging_read(ex, &paging));
	TRY(search_read(ex, &search));
	search.page = paging.span;
	TRY(pt_account_search(
		ex->call, &search, &accounts, with_hashes ? &hashes : NULL, &n, &total));
	TRY(paging_say(ex, &paging, total));
	return list_answer(ex, accounts, hashes, n);
}

pt_err users_show(struct exchange *ex)
{
	return list(ex, false);
}

pt_err users_export(struct exchange *ex)
{
	return list(ex, true);
}

/* ---- the form of one ---- */

struct user_form {
	pt_str email, password, role, aud, user_metadata, app_metadata;
	bool confirm;
};

static pt_err form_read(struct exchange *ex, struct user_form *out)
{
	struct user_form form = { .confirm = false };
	const struct body_field fields[] = {
		{ "email", BODY_TEXT, &form.email },
		{ "password", BODY_TEXT, &form.password },
		{ "role", BODY_TEXT, &form.role },
		{ "aud", BODY_TEXT, &form.aud },
		{ "confirm", BODY_TRUTH, &form.confirm },
		{ "user_metadata", BODY_OBJECT, &form.user_metadata },
		{ "app_metadata", BODY_OBJECT, &form.app_metadata },
	};

	TRY(BODY_READ(ex, "Could not decode admin user params", fields));
	form.email = str_strip(form.email);
	form.role = str_strip(form.role);
	if (!is_name(form.role) || !is_name(form.aud))
		return gotrue_no(ex, 422, "Role or audience cannot be used");
	*out = form;
	return PT_OK;
}

pt_err users_post(struct exchange *ex)
{
	struct pt_account account;
	struct user_form form;

	TRY(form_read(ex, &form));
	if (form.email.n == 0)
		return gotrue_no(ex, 422, "An email address is required");
	if (form.aud.n > 0)
		pt_call_set_audience(ex->call, form.aud);
	/* Whatever the form says of it: by address is how this one signs in. */
	TRY(json_merge(ex->arena, form.app_metadata, PT_STR("{\"provider\":\"email\"}"),
		&form.app_metadata));
	const struct pt_account_form wanted = {
		.email = form.email,
		.password = form.password,
		.verified = form.confirm,
		.nameless = true,
		.role = form.role,
		.app_metadata = form.app_metadata,
		.user_metadata = form.user_metadata,
	};
	TRY(pt_account_create(ex->call, &wanted, &account));
	return answer_new_user(ex, &account);
}

/* ---- one ---- */

/* Another audience's accounts are nobody's business but the operator's and super administrators'. */
static pt_err one_find(struct exchange *ex, struct pt_account *out)
{
	const struct pt_account *admin = &visit_of(ex)->admin;

	if (!is_uuid(ex->segment))
		return gotrue_no(ex, 400, "user_id must be an UUID");
	TRY(pt_account_get(ex->call, ex->segment, out));
	if (admin->super_admin || str_eq(admin->audience, out->audience))
		return PT_OK;
	return PT_E_NOT_FOUND;
}

/* Whoever sets a password may sign in with it: nobody sets that of one who may do more. */
static pt_err one_find_to_change(struct exchange *ex, struct pt_account *out)
{
	TRY(one_find(ex, out));
	if (out->super_admin && !visit_of(ex)->admin.super_admin)
		return gotrue_no(ex, 401, "User not allowed");
	return PT_OK;
}

pt_err one_user_show(struct exchange *ex)
{
	struct pt_account account;

	TRY(one_find(ex, &account));
	return answer_user(ex, &account);
}

pt_err one_user_put(struct exchange *ex)
{
	struct pt_account account;
	struct user_form form;

	TRY(one_find_to_change(ex, &account));
	TRY(form_read(ex, &form));
	const struct pt_edit edit = {
		.by_operator = true,
		.role = form.role,
		.confirm = form.confirm,
		.password = form.password,
		.email = form.email,
		.app_metadata = form.app_metadata,
		.user_metadata = form.user_metadata,
	};
	TRY(pt_account_edit(ex->call, str(account.id.text), &edit, &account));
	return answer_user(ex, &account);
}

pt_err one_user_delete(struct exchange *ex)
{
	struct pt_account account;

	TRY(one_find_to_change(ex, &account));
	TRY(pt_account_remove(ex->call, str(account.id.text)));
	return answer_empty_object(ex);
}

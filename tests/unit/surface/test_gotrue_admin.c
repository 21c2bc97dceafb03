/*
 * What administrators do through the GoTrue dialect, and who is one.
 */
#include "lodge.h"

#include "portress/act.h"

#include "base/banned.h"

#define USERS "/admin/users"

static struct heard make(struct lodge *l, const char *body)
{
	return lodge_order(l, HTTP_POST, USERS, body);
}

static struct heard ask_as(struct lodge *l, enum http_method method, const char *path,
	const char *body, const char *as)
{
	return lodge_ask(l, method, path, body, as, NULL, NULL);
}

/* An account with a role, signed in. */
static const char *enter_as(struct lodge *l, const char *name, const char *role)
{
	struct heard h =
		make(l, format(l,
				"{\"email\":\"$@example.org\",\"password\":\"x\",\"confirm\":true,"
				"\"role\":\"$\"}",
				name, role));

	assert_int_equal(h.status, 200);
	h = lodge_signin(l, name, "x");
	assert_int_equal(h.status, 200);
	return bearer(l, heard_text(l, &h, "access_token"));
}

/* ---- who may ---- */

static void operators_and_administrators_are_let_in(void **state)
{
	assert_int_equal(lodge_order(*state, HTTP_GET, USERS, NULL).status, 200);
	const char *admin = enter_as(*state, "boss", "admin");
	assert_int_equal(ask_as(*state, HTTP_GET, USERS, NULL, admin).status, 200);
}

static void others_are_told_that_they_may_not(void **state)
{
	const char *plain = lodge_enter(*state, "ada");
	struct heard h = ask_as(*state, HTTP_GET, USERS, NULL, plain);

	EXPECT_SAID(h, 401, "{\"code\":401,\"msg\":\"User not allowed\"}");
	h = lodge_get(*state, USERS);
	EXPECT_SAID(h, 401, "{\"code\":401,\"msg\":\"This endpoint requires a Bearer token\"}");
	assert_null(heard_header(&h, "set-cookie"));
	h = ask_as(*state, HTTP_GET, USERS, NULL, "authorization: Bearer nonsense");
	EXPECT_SAID(h, 401,
		"{\"code\":401,\"msg\":\"Invalid token: token contains an invalid number of "
		"segments\"}");
	assert_non_null(heard_header(&h, "set-cookie"));
}

static void administrator_who_was_switched_off_is_none(void **state)
{
	struct lodge *l = *state;
	const char *admin = enter_as(l, "boss", "admin");
	const struct pt_asker asker = { .request = PT_STR("0") };
	struct pt_call *call;

	EXPECT_ERR(PT_OK, pt_call_begin(l->site, NULL, &asker, &call));
	EXPECT_ERR(PT_OK, pt_account_set_disabled(call, PT_STR("boss@example.org"), true));
	pt_call_end(call);
	struct heard h = ask_as(l, HTTP_GET, USERS, NULL, admin);
	EXPECT_SAID(h, 401, "{\"code\":401,\"msg\":\"User not allowed\"}");
}

static void audience_of_the_body_decides(void **state)
{
	const char *admin = enter_as(*state, "boss", "admin");
	struct heard h = ask_as(
		*state, HTTP_POST, USERS, "{\"aud\":\"other\",\"email\":\"a@example.org\"}", admin);

	EXPECT_SAID(h, 401, "{\"code\":401,\"msg\":\"User not allowed\"}");
	h = ask_as(*state, HTTP_POST, USERS, "{\"aud\"", admin);
	assert_int_equal(h.status, 400);
	assert_true(heard_says(&h, "Could not decode admin user params: "));
	h = ask_as(*state, HTTP_GET, USERS, "nonsense", admin);
	assert_int_equal(h.status, 400);
}

static void administrator_leaves_other_audiences_alone(void **state)
{
	struct lodge *l = *state;
	const char *admin = enter_as(l, "boss", "admin");
	struct heard h = make(l, "{\"email\":\"a@example.org\",\"aud\":\"other\"}");
	const char *path = format(l, "/admin/users/$", heard_text(l, &h, "id"), NULL);

	assert_int_equal(lodge_order(l, HTTP_GET, path, NULL).status, 200);
	h = ask_as(l, HTTP_GET, path, NULL, admin);
	EXPECT_SAID(h, 404, "{\"code\":404,\"msg\":\"User not found\"}");
	assert_int_equal(ask_as(l, HTTP_DELETE, path, NULL, admin).status, 404);
}

static const char *super_make(struct lodge *l)
{
	const struct pt_account_form form = {
		.email = PT_STR("super@example.org"),
		.nameless = true,
		.verified = true,
		.super_admin = true,
	};
	const struct pt_asker asker = { .request = PT_STR("0") };
	struct pt_account account;
	struct pt_call *call;

	EXPECT_ERR(PT_OK, pt_call_begin(l->site, NULL, &asker, &call));
	EXPECT_ERR(PT_OK, pt_account_create(call, &form, &account));
	const char *path = format(l, "/admin/users/$", account.id.text, NULL);
	pt_call_end(call);
	return path;
}

static void administrator_changes_nobody_who_may_do_more(void **state)
{
	struct lodge *l = *state;
	const char *admin = enter_as(l, "boss", "admin"), *path = super_make(l);
	struct heard h = ask_as(l, HTTP_PUT, path, "{\"password\":\"mine now\"}", admin);

	EXPECT_SAID(h, 401, "{\"code\":401,\"msg\":\"User not allowed\"}");
	h = ask_as(l, HTTP_DELETE, path, NULL, admin);
	EXPECT_SAID(h, 401, "{\"code\":401,\"msg\":\"User not allowed\"}");
	assert_int_equal(ask_as(l, HTTP_GET, path, NULL, admin).status, 200);
	assert_int_equal(lodge_order(l, HTTP_PUT, path, "{\"role\":\"chief\"}").status, 200);
	assert_int_equal(lodge_order(l, HTTP_DELETE, path, NULL).status, 200);
}

/* ---- one account ---- */

static void account_is_made_as_it_is_ordered(void **state)
{
	struct heard h = make(*state,
		"{\"email\":\"ada@example.org\",\"role\":\" editor \",\"confirm\":true,"
		"\"user_metadata\":{\"a\":1},\"app_metadata\":{\"roles\":[\"x\"],\"provider\":"
		"\"y\"}}");

	assert_int_equal(h.status, 200);
	assert_true(heard_says(&h, "\"role\":\"editor\",\"email\":\"ada@example.org\""));
	assert_true(heard_says(&h, "\"confirmed_at\":\""));
	assert_true(heard_says(&h, "\"roles\":[\"x\"]"));
	assert_true(heard_says(&h, "\"provider\":\"email\""));
	assert_true(heard_says(&h, "\"user_metadata\":{\"a\":1}"));
	/* Nobody signs in with the password that it has not got. */
	assert_int_equal(lodge_signin(*state, "ada", "").status, 400);
	h = make(*state, "{\"email\":\"ADA@example.org\"}");
	EXPECT_SAID(h, 422,
		"{\"code\":422,\"msg\":\"Email address already registered by another user\"}");
	h = make(*state, "{\"email\":\"\"}");
	EXPECT_SAID(h, 422, "{\"code\":422,\"msg\":\"An email address is required\"}");
	h = make(*state, "{\"email\":\"nobody\"}");
	assert_int_equal(h.status, 422);
	h = make(*state, "{\"email\":\"b@example.org\",\"confirm\":\"yes\"}");
	assert_int_equal(h.status, 400);
}

static void account_without_data_says_null_once(void **state)
{
	struct lodge *l = *state;
	struct heard h = make(l, "{\"email\":\"ada@example.org\"}");

	assert_true(heard_says(&h, "\"user_metadata\":null"));
	h = lodge_order(
		l, HTTP_GET, format(l, "/admin/users/$", heard_text(l, &h, "id"), NULL), NULL);
	assert_true(heard_says(&h, "\"user_metadata\":{}"));
}

static void account_is_changed_and_removed(void **state)
{
	struct lodge *l = *state;
	struct heard h =
		make(l, "{\"email\":\"ada@example.org\",\"password\":\"x\",\"confirm\":true}");
	const char *path = format(l, "/admin/users/$", heard_text(l, &h, "id"), NULL);

	h = lodge_order(l, HTTP_PUT, path,
		"{\"role\":\"admin\",\"email\":\"new@example.org\",\"password\":\"y\","
		"\"app_metadata\":{\"roles\":[\"x\"]}}");
	assert_int_equal(h.status, 200);
	assert_true(heard_says(&h, "\"role\":\"admin\",\"email\":\"new@example.org\""));
	assert_true(heard_says(&h, "\"provider\":\"email\""));
	assert_int_equal(lodge_signin(l, "new", "y").status, 200);
	h = lodge_order(l, HTTP_DELETE, path, NULL);
	EXPECT_SAID(h, 200, "{}");
	h = lodge_order(l, HTTP_GET, path, NULL);
	EXPECT_SAID(h, 404, "{\"code\":404,\"msg\":\"User not found\"}");
	assert_int_equal(lodge_order(l, HTTP_GET, "/admin/users/7/8", NULL).status, 404);
	h = lodge_order(l, HTTP_GET, "/admin/users/7", NULL);
	EXPECT_SAID(h, 400, "{\"code\":400,\"msg\":\"user_id must be an UUID\"}");
}

/* ---- lists ---- */

static void three(struct lodge *l)
{
	static const char *const bodies[] = { "{\"email\":\"a@example.org\"}",
		"{\"email\":\"b@example.org\",\"user_metadata\":{\"full_name\":\"Bea Example\"}}",
		"{\"email\":\"c@example.org\"}" };

	for (size_t i = 0; i < COUNT(bodies); i++)
		assert_int_equal(make(l, bodies[i]).status, 200);
}

static void lists_come_a_page_at_a_time(void **state)
{
	struct heard h = lodge_order(*state, HTTP_GET, USERS, NULL);

	EXPECT_SAID(h, 200, "{\"aud\":\"\",\"users\":[]}");
	EXPECT_HEADER(&h, "x-total-count", "0");
	EXPECT_HEADER(&h, "link", "</admin/users?page=0>; rel=\"last\"");
	three(*state);
	h = lodge_order(*state, HTTP_GET, USERS "?per_page=1", NULL);
	EXPECT_HEADER(&h, "x-total-count", "3");
	EXPECT_HEADER(&h, "link",
		"</admin/users?page=2&per_page=1>; rel=\"next\", "
		"</admin/users?page=3&per_page=1>; rel=\"last\"");
	h = lodge_order(*state, HTTP_GET, USERS "?per_page=1&page=3", NULL);
	EXPECT_HEADER(&h, "link",
		"</admin/users?page=2&per_page=1>; rel=\"prev\", "
		"</admin/users?page=3&per_page=1>; rel=\"last\"");
	h = lodge_order(*state, HTTP_GET, USERS "?per_page=1&page=2&filter=a+b%26", NULL);
	EXPECT_HEADER(&h, "link",
		"</admin/users?filter=a+b%26&page=1&per_page=1>; rel=\"prev\", "
		"</admin/users?filter=a+b%26&page=0&per_page=1>; rel=\"last\"");
}

static void lists_are_sorted_and_filtered(void **state)
{
	struct heard h;

	three(*state);
	h = lodge_order(*state, HTTP_GET, USERS "?sort=created_at+ASC&per_page=1", NULL);
	assert_true(heard_says(&h, "\"a@example.org\""));
	h = lodge_order(*state, HTTP_GET, USERS "?per_page=1", NULL);
	assert_true(heard_says(&h, "\"c@example.org\""));
	h = lodge_order(*state, HTTP_GET, USERS "?filter=bea+EX", NULL);
	EXPECT_HEADER(&h, "x-total-count", "1");
	assert_true(heard_says(&h, "\"b@example.org\""));
}

static const struct {
	const char *query;
	const char *says;
} bad_queries[] = {
	{ "?page=x", "Bad Pagination Parameters: " },
	{ "?per_page=0", "Bad Pagination Parameters: " },
	{ "?page=-1", "Bad Pagination Parameters: " },
	{ "?sort=email", "\"Bad Sort Parameters: bad field for sort 'email'\"" },
	{ "?sort=created_at+up",
		"\"Bad Sort Parameters: bad direction for sort 'up', only 'asc' and 'desc' "
		"allowed\"" },
};

static void lists_that_cannot_be_are_refused(void **state)
{
	for (size_t i = 0; i < COUNT(bad_queries); i++) {
		struct heard h = lodge_order(*state, HTTP_GET,
			format(*state, USERS "$", bad_queries[i].query, NULL), NULL);
		if (h.status != 400 || !heard_says(&h, bad_queries[i].says))
			fail_msg("%s: %d %s", bad_queries[i].query, h.status, h.body);
	}
}

/* ---- moving out ---- */

static void with_export(struct lodge *l)
{
	l->desk.setup.gotrue.export_secret = PT_STR("out");
}

static void moving_out_needs_its_secret(void **state)
{
	struct lodge l = { .many = false };

	(void)state;
	lodge_open(&l, with_export);
	(void)make(&l, "{\"email\":\"a@example.org\",\"password\":\"x\"}");
	struct heard h = lodge_order(&l, HTTP_GET, USERS "/export", NULL);
	EXPECT_SAID(h, 401, "{\"code\":401,\"msg\":\"Invalid export secret\"}");
	h = lodge_ask(&l, HTTP_GET, USERS "/export", NULL, AS_OPERATOR, "export_secret: out", NULL);
	assert_int_equal(h.status, 200);
	assert_true(heard_says(&h, "\"email\":\"a@example.org\",\"encrypted_password\":\"$"));
	lodge_close(&l);
}

static void without_a_secret_nobody_moves_out(void **state)
{
	struct heard h = lodge_ask(
		*state, HTTP_GET, USERS "/export", NULL, AS_OPERATOR, "export-secret: ", NULL);

	EXPECT_SAID(h, 400, "{\"code\":400,\"msg\":\"user_id must be an UUID\"}");
}

/* ---- what happened ---- */

static void audit_tells_who_did_what(void **state)
{
	struct lodge *l = *state;
	struct heard h = make(l, "{\"email\":\"ada@example.org\"}");
	const char *id = heard_text(l, &h, "id");

	(void)lodge_order(l, HTTP_DELETE, format(l, "/admin/users/$", id, NULL), NULL);
	h = lodge_order(l, HTTP_GET, "/admin/audit?query=action:deleted", NULL);
	assert_int_equal(h.status, 200);
	assert_true(str_starts(str(h.body), PT_STR("[{\"id\":\"")));
	assert_true(heard_says(&h,
		"\"actor_id\":\"" NOBODY "\",\"actor_email\":\"operator@netlify.com\","
		"\"action\":\"user_deleted\",\"log_type\":\"team\""));
	assert_true(heard_says(
		&h, format(l, "\"traits\":{\"user_id\":\"$\",\"user_email\":\"ada@example.org\"}",
			    id, NULL)));
	EXPECT_HEADER(&h, "x-total-count", "1");
}

static void audit_is_asked_by_scope(void **state)
{
	struct lodge *l = *state;
	struct heard h = lodge_join(l, "ada");

	(void)lodge_form(l, "/token",
		format(l, "grant_type=refresh_token&refresh_token=$",
			heard_text(l, &h, "refresh_token"), NULL));
	h = lodge_order(l, HTTP_GET, "/admin/audit?query=type:token", NULL);
	assert_true(heard_says(&h, "\"action\":\"token_refreshed\",\"log_type\":\"token\""));
	assert_true(heard_says(&h, "\"action\":\"token_revoked\""));
	assert_false(heard_says(&h, "user_signedup"));
	h = lodge_order(l, HTTP_GET, "/admin/audit?query=author:ADA@", NULL);
	assert_true(
		heard_says(&h, "\"actor_email\":\"ada@example.org\",\"action\":\"user_signedup\""));
	assert_false(heard_says(&h, "traits"));
	h = lodge_order(l, HTTP_GET, "/admin/audit?query=author:nobody", NULL);
	EXPECT_SAID(h, 200, "[]");
	h = lodge_order(l, HTTP_GET, "/admin/audit?query=action:zzz", NULL);
	EXPECT_SAID(h, 200, "[]");
	h = lodge_order(l, HTTP_GET, "/admin/audit?query=colour:red", NULL);
	EXPECT_SAID(h, 400, "{\"code\":400,\"msg\":\"Invalid query scope: colour:red\"}");
	assert_int_equal(lodge_order(l, HTTP_GET, "/admin/audit?query=red", NULL).status, 400);
}

#define AT_A_LODGE(test) cmocka_unit_test_setup_teardown(test, lodge_setup, lodge_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_A_LODGE(operators_and_administrators_are_let_in),
		AT_A_LODGE(others_are_told_that_they_may_not),
		AT_A_LODGE(administrator_who_was_switched_off_is_none),
		AT_A_LODGE(audience_of_the_body_decides),
		AT_A_LODGE(administrator_leaves_other_audiences_alone),
		AT_A_LODGE(administrator_changes_nobody_who_may_do_more),
		AT_A_LODGE(account_is_made_as_it_is_ordered),
		AT_A_LODGE(account_without_data_says_null_once),
		AT_A_LODGE(account_is_changed_and_removed),
		AT_A_LODGE(lists_come_a_page_at_a_time),
		AT_A_LODGE(lists_are_sorted_and_filtered),
		AT_A_LODGE(lists_that_cannot_be_are_refused),
		cmocka_unit_test(moving_out_needs_its_secret),
		AT_A_LODGE(without_a_secret_nobody_moves_out),
		AT_A_LODGE(audit_tells_who_did_what),
		AT_A_LODGE(audit_is_asked_by_scope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * How the GoTrue dialect speaks HTTP: paths, methods, other origins, refusals.
 */
#include "lodge.h"

#include "base/banned.h"

/* ---- health and settings ---- */

static void health_names_the_original_for_probes(void **state)
{
	struct heard h = lodge_get(*state, "/health");

	assert_int_equal(h.status, 200);
	EXPECT_HEADER(&h, "content-type", "application/json");
	assert_true(heard_says(&h,
		"{\"description\":\"GoTrue is a user registration and authentication API\","
		"\"name\":\"GoTrue\",\"version\":\""));
}

static void settings_tell_every_provider(void **state)
{
	struct heard h = lodge_get(*state, "/settings");

	EXPECT_SAID(h, 200,
		"{\"external\":{\"bitbucket\":false,\"github\":true,\"gitlab\":true,"
		"\"google\":false,\"facebook\":false,\"email\":true,\"saml\":false},"
		"\"external_labels\":{},\"disable_signup\":false,\"autoconfirm\":false}");
	EXPECT_HEADER(&h, "content-type", "application/json");
	EXPECT_HEADER(&h, "vary", "Origin");
	assert_int_equal(h.plan.lane, HTTP_QUICK);
}

static void other_settings(struct lodge *l)
{
	l->desk.setup.gotrue.site.email_off = true;
	l->desk.setup.gotrue.site.saml_label = PT_STR("Ours");
	l->policy.signup_off = true;
	l->policy.autoconfirm = true;
}

static void settings_tell_what_is_off(void **state)
{
	struct lodge l = { .many = false };

	(void)state;
	lodge_open(&l, other_settings);
	struct heard h = lodge_get(&l, "/settings");
	assert_true(heard_says(&h, "\"email\":false"));
	assert_true(heard_says(&h, "\"external_labels\":{\"saml\":\"Ours\"}"));
	assert_true(heard_says(&h, "\"disable_signup\":true,\"autoconfirm\":true"));
	h = lodge_post(&l, "/signup", "{");
	EXPECT_SAID(h, 400, "{\"code\":400,\"msg\":\"Unsupported email provider\"}");
	lodge_close(&l);
}

/* ---- paths and methods ---- */

static void unknown_path_is_told_in_plain_text(void **state)
{
	struct heard h = lodge_get(*state, "/nothing");

	EXPECT_SAID(h, 404, "404 page not found\n");
	EXPECT_HEADER(&h, "content-type", "text/plain; charset=utf-8");
	EXPECT_HEADER(&h, "x-content-type-options", "nosniff");
}

static void wrong_method_is_told_the_right_ones(void **state)
{
	struct heard h = lodge_get(*state, "/verify");

	EXPECT_SAID(h, 405, "");
	EXPECT_HEADER(&h, "allow", "POST");
	h = lodge_ask(*state, HTTP_HEAD, "/settings", NULL, NULL, NULL, NULL);
	EXPECT_SAID(h, 405, "");
	EXPECT_HEADER(&h, "allow", "GET");
}

static size_t count_of(const struct heard *h, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < h->rs.n_headers; i++)
		n += str_eq_nocase(h->rs.headers[i].name, str(name));
	return n;
}

static void each_allowed_method_has_a_header_of_its_own(void **state)
{
	struct heard h = lodge_order(*state, HTTP_PATCH, "/admin/users/" NOBODY, NULL);

	assert_int_equal(h.status, 405);
	assert_int_equal(count_of(&h, "allow"), 3);
}

static const struct {
	const char *path;
	int status;
} slashes[] = {
	{ "/settings/", 404 },
	{ "/user/", 401 },
	{ "/user//", 401 },
	{ "/callback/", 400 },
	{ "/admin/users/", 401 },
	{ "/health/", 404 },
};

static void slashes_at_the_end_are_for_some(void **state)
{
	for (size_t i = 0; i < COUNT(slashes); i++) {
		struct heard h = lodge_get(*state, slashes[i].path);
		if (h.status != slashes[i].status)
			fail_msg("%s: %d", slashes[i].path, h.status);
	}
	assert_int_equal(lodge_order(*state, HTTP_GET, "/admin/users/", NULL).status, 200);
}

static void groups_are_guarded_before_anybody_learns_what_is_there(void **state)
{
	assert_int_equal(lodge_get(*state, "/admin/nothing").status, 401);
	assert_int_equal(lodge_order(*state, HTTP_GET, "/admin/nothing", NULL).status, 404);
	assert_int_equal(lodge_get(*state, "/user/nothing").status, 401);
	assert_int_equal(lodge_get(*state, "/usernothing").status, 404);
	assert_int_equal(lodge_get(*state, "/callback/nothing").status, 400);
	assert_int_equal(lodge_get(*state, "/saml/acs/nothing").status, 400);
	/* These two are guarded alone. */
	assert_int_equal(lodge_get(*state, "/logout").status, 405);
	assert_int_equal(lodge_get(*state, "/invite").status, 405);
}

static void operators_of_many_have_no_rows_where_there_is_one(void **state)
{
	assert_int_equal(lodge_order(*state, HTTP_GET, "/instances", NULL).status, 404);
	assert_int_equal(lodge_order(*state, HTTP_GET, "/", NULL).status, 404);
}

/* ---- refusals ---- */

static void refusal_has_exactly_two_members(void **state)
{
	struct heard h = lodge_get(*state, "/user");

	EXPECT_SAID(h, 401, "{\"code\":401,\"msg\":\"This endpoint requires a Bearer token\"}");
	EXPECT_HEADER(&h, "content-type", "application/json");
	EXPECT_HEADER(&h, "cache-control", "no-store");
}

static void fault_names_the_request(void **state)
{
	struct heard h = lodge_ask(
		*state, HTTP_GET, "/saml/metadata", NULL, "x-the-request: abc-1", NULL, NULL);

	EXPECT_SAID(h, 500,
		"{\"code\":500,\"msg\":\"Could not create SAML Provider: SAML Provider is not "
		"enabled\",\"error_id\":\"abc-1\"}");
	h = lodge_get(*state, "/saml/metadata");
	assert_string_equal(heard_text(*state, &h, "error_id"), "0123456789abcdef");
}

static void markup_in_a_refusal_is_inert(void **state)
{
	struct heard h = lodge_get(*state, "/authorize?provider=%3Cb%3E%26");

	EXPECT_SAID(h, 400,
		"{\"code\":400,\"msg\":\"Unsupported provider: Provider \\u003cb\\u003e\\u0026 "
		"could not be found\"}");
}

static void body_that_is_too_large_is_refused_in_our_words(void **state)
{
	struct lodge *l = *state;
	const struct http_app *app = surface_app(l->desk.surface);
	struct http_request rq = { .arena = l->desk.memory,
		.method = HTTP_POST,
		.path = PT_STR("/signup"),
		.id = PT_STR("0123456789abcdef") };
	struct http_response rs;

	assert_true(app->plan(app->ctx, &rq).body_max >= 64 * KIB);
	http_response_init(&rs, l->desk.memory);
	app->refuse(app->ctx, &rq, 413, &rs);
	assert_int_equal(rs.status, 413);
	assert_true(str_eq(rs.body, PT_STR("{\"code\":413,\"msg\":\"Request body too large\"}")));
	http_response_init(&rs, l->desk.memory);
	app->refuse(app->ctx, &rq, 503, &rs);
	assert_int_equal(rs.status, 503);
	assert_true(str_contains(rs.body, PT_STR("\"error_id\":\"0123456789abcdef\"")));
}

/* ---- other origins ---- */

static void every_answer_varies_by_origin(void **state)
{
	static const char *const paths[] = { "/settings", "/nothing", "/user", "/verify" };

	for (size_t i = 0; i < COUNT(paths); i++) {
		struct heard h = lodge_get(*state, paths[i]);
		EXPECT_HEADER(&h, "vary", "Origin");
		assert_null(heard_header(&h, "access-control-allow-origin"));
	}
}

static void other_origins_may_read(void **state)
{
	struct heard h = lodge_ask(
		*state, HTTP_GET, "/settings", NULL, "origin: https://a.example", NULL, NULL);

	EXPECT_HEADER(&h, "access-control-allow-origin", "*");
	EXPECT_HEADER(&h, "access-control-allow-credentials", "true");
	EXPECT_HEADER(&h, "access-control-expose-headers", "Link, X-Total-Count");
	h = lodge_ask(
		*state, HTTP_HEAD, "/settings", NULL, "origin: https://a.example", NULL, NULL);
	assert_null(heard_header(&h, "access-control-allow-origin"));
}

static void listed_origin_is_named_to_send_credentials(void **state)
{
	struct heard h = lodge_ask(*state, HTTP_GET, "/settings", NULL,
		"origin: https://known.example.org", NULL, NULL);

	EXPECT_HEADER(&h, "access-control-allow-origin", "https://known.example.org");
}

static struct heard preflight(void *lodge, const char *method, const char *headers)
{
	return lodge_ask(lodge, HTTP_OPTIONS, "/admin/users", NULL, "origin: https://a.example",
		method, headers);
}

static void preflight_is_answered_before_any_path(void **state)
{
	struct heard h = preflight(*state, "access-control-request-method: POST",
		"access-control-request-headers: content-type,x-jwt-aud,x-nf-client");

	EXPECT_SAID(h, 204, "");
	EXPECT_HEADER(&h, "vary",
		"Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
	EXPECT_HEADER(&h, "access-control-allow-origin", "*");
	EXPECT_HEADER(&h, "access-control-allow-methods", "POST");
	EXPECT_HEADER(&h, "access-control-allow-headers", "content-type,x-jwt-aud,x-nf-client");
	EXPECT_HEADER(&h, "access-control-allow-credentials", "true");
	assert_null(heard_header(&h, "access-control-max-age"));
	assert_int_equal(h.plan.lane, HTTP_QUICK);
}

static void preflight_for_anything_else_says_nothing(void **state)
{
	struct heard h = preflight(*state, "access-control-request-method: PATCH", NULL);

	EXPECT_SAID(h, 204, "");
	assert_null(heard_header(&h, "access-control-allow-origin"));
	h = preflight(*state, "access-control-request-method: POST",
		"access-control-request-headers: x-evil");
	EXPECT_SAID(h, 204, "");
	assert_null(heard_header(&h, "access-control-allow-origin"));
	assert_null(heard_header(&h, "access-control-allow-methods"));
}

static void options_alone_is_a_method_like_any_other(void **state)
{
	struct heard h = lodge_ask(*state, HTTP_OPTIONS, "/settings", NULL, NULL, NULL, NULL);

	assert_int_equal(h.status, 405);
	h = lodge_ask(*state, HTTP_OPTIONS, "/nothing", NULL, NULL, NULL, NULL);
	assert_int_equal(h.status, 404);
}

/* ---- beside the pages ---- */

static void both(struct lodge *l)
{
	l->desk.setup.gotrue.mount = PT_STR("/gotrue");
	l->desk.setup.pages.on = true;
}

static void what_is_below_the_mount_is_refused_in_its_words(void **state)
{
	struct lodge l = { .many = false };

	(void)state;
	lodge_open(&l, both);
	assert_int_equal(lodge_get(&l, "/gotrue/settings").status, 200);
	struct heard h = lodge_get(&l, "/gotrue/nothing");
	EXPECT_SAID(h, 404, "404 page not found\n");
	h = lodge_get(&l, "/nothing");
	assert_true(heard_says(&h, "{\"data\":null,\"message\":\"404 page not found\""));
	h = lodge_get(&l, "/settings");
	assert_int_equal(h.status, 404);
	assert_int_equal(lodge_get(&l, "/gotrue/user").status, 401);
	assert_int_equal(lodge_get(&l, "/gotrues/user").status, 404);
	assert_int_equal(lodge_get(&l, "/signin").status, 200);
	assert_int_equal(lodge_get(&l, "/healthz").status, 200);
	lodge_close(&l);
}

#define AT_A_LODGE(test) cmocka_unit_test_setup_teardown(test, lodge_setup, lodge_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_A_LODGE(health_names_the_original_for_probes),
		AT_A_LODGE(settings_tell_every_provider),
		cmocka_unit_test(settings_tell_what_is_off),
		AT_A_LODGE(unknown_path_is_told_in_plain_text),
		AT_A_LODGE(wrong_method_is_told_the_right_ones),
		AT_A_LODGE(each_allowed_method_has_a_header_of_its_own),
		AT_A_LODGE(slashes_at_the_end_are_for_some),
		AT_A_LODGE(groups_are_guarded_before_anybody_learns_what_is_there),
		AT_A_LODGE(operators_of_many_have_no_rows_where_there_is_one),
		AT_A_LODGE(refusal_has_exactly_two_members),
		AT_A_LODGE(fault_names_the_request),
		AT_A_LODGE(markup_in_a_refusal_is_inert),
		AT_A_LODGE(body_that_is_too_large_is_refused_in_our_words),
		AT_A_LODGE(every_answer_varies_by_origin),
		AT_A_LODGE(other_origins_may_read),
		AT_A_LODGE(listed_origin_is_named_to_send_credentials),
		AT_A_LODGE(preflight_is_answered_before_any_path),
		AT_A_LODGE(preflight_for_anything_else_says_nothing),
		AT_A_LODGE(options_alone_is_a_method_like_any_other),
		cmocka_unit_test(what_is_below_the_mount_is_refused_in_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

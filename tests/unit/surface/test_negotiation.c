/*
 * JSON or HTML, and how each is said.
 */
#include "desk.h"

#include "base/banned.h"

enum { J = true, H = false };

static bool is_json(const struct heard *h)
{
	const char *type = heard_header(h, "content-type");

	assert_non_null(type);
	return strcmp(type, JSON_TYPE) == 0;
}

/* The rules in their order. Forms themselves are pages whatever is wanted: home is not. */
static const struct {
	bool json;
	const char *path;
	const char *type;
	const char *accept;
	const char *header;
} table[] = {
	/* 1: what comes as JSON is answered as JSON, however it is spelled */
	{ J, "/", "application/json", "text/html", NULL },
	{ J, "/", "Application/JSON; charset=utf-8", "text/html", "sec-fetch-mode: navigate" },
	{ H, "/nothing", "application/jsonp", "text/html", NULL },
	{ H, "/nothing", "text/plain", "text/html", NULL },
	/* 2: JSON is wanted more than HTML */
	{ J, "/", NULL, "application/json", NULL },
	{ J, "/", NULL, "text/html;q=0.5, application/json", "sec-fetch-mode: navigate" },
	{ J, "/", NULL, "application/*", NULL },
	{ J, "/", NULL, "text/html;q=0, */*;q=0.1", NULL },
	{ H, "/nothing", NULL, "application/json;q=0.5, text/html", NULL },
	{ H, "/nothing", NULL, "application/json, text/html", NULL },
	/* 3: HTML is named */
	{ H, "/nothing", NULL, HTML_ACCEPT, "sec-fetch-mode: cors" },
	{ H, "/nothing", NULL, "application/xhtml+xml", "x-requested-with: fetch" },
	{ H, "/nothing", NULL, "text/html", "x-requested-with: fetch" },
	/* 4, 5: the browser says what for */
	{ H, "/nothing", NULL, "*/*", "sec-fetch-mode: navigate" },
	{ H, "/nothing", NULL, NULL, "sec-fetch-mode: navigate" },
	{ J, "/", NULL, "*/*", "sec-fetch-mode: cors" },
	{ J, "/", NULL, "*/*", "sec-fetch-mode: same-origin" },
	{ J, "/", NULL, NULL, "x-requested-with: XMLHttpRequest" },
	/* 6: pages with forms */
	{ H, "/", NULL, NULL, NULL },
	{ H, "/signup", NULL, "*/*", NULL },
	{ H, "/signin", NULL, "", NULL },
	{ H, "/forgot", NULL, NULL, NULL },
	{ H, "/reset", NULL, NULL, NULL },
	/* 7: everything else */
	{ J, "/home", NULL, NULL, NULL },
	{ J, "/nothing", NULL, "*/*", NULL },
	{ J, "/verify?token=x", NULL, NULL, NULL },
};

static void first_rule_that_matches_decides(void **state)
{
	struct desk *d = *state;

	for (size_t i = 0; i < COUNT(table); i++) {
		const struct ask ask = { .path = table[i].path,
			.type = table[i].type,
			.accept = table[i].accept,
			.headers = { table[i].header } };
		struct heard h = desk_ask(d, &ask);
		if (is_json(&h) != table[i].json)
			fail_msg("row %zu (%s) is %s", i, table[i].path,
				heard_header(&h, "content-type"));
		assert_non_null(strstr(heard_header(&h, "vary"), "Accept, Content-Type, Cookie"));
	}
}

static void posts_of_nobody_in_particular_are_answered_as_json(void **state)
{
	const struct ask ask = { .method = HTTP_POST, .path = "/signin", .type = FORM_TYPE };
	struct heard h = desk_ask(*state, &ask);

	assert_true(is_json(&h));
}

/* ---- other profiles ---- */

static void as_g1(struct desk *d)
{
	d->setup.pages.profile = PAGES_G1;
}

static void as_g2(struct desk *d)
{
	d->setup.pages.profile = PAGES_G2;
}

static void g1_looks_at_the_content_type_alone(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, as_g1);
	struct heard accepts = desk_get(&d, "/signin");
	const struct ask typed = { .path = "/home", .type = JSON_TYPE, .accept = HTML_ACCEPT };
	struct heard says = desk_ask(&d, &typed);
	const struct ask parametered = { .path = "/home",
		.type = "application/json; charset=utf-8" };
	struct heard more = desk_ask(&d, &parametered);
	assert_false(is_json(&accepts));
	assert_true(is_json(&says));
	assert_false(is_json(&more));
	desk_close(&d);
}

static void g1_shows_home_where_it_knows_no_better(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, as_g1);
	const struct ask lost = { .path = "/nothing", .type = JSON_TYPE };
	struct heard h = desk_ask(&d, &lost);
	assert_int_equal(h.status, 200);
	assert_string_equal(h.body, "{\"data\":{\"Endpoints\":[\"/signup\",\"/signin\",\"/"
				    "signout\",\"/forgot\",\"/reset\","
				    "\"/"
				    "verify\"],\"SignedIn\":false,\"Username\":\"\"},\"message\":"
				    "\"Home\",\"status\":200}\n");
	desk_close(&d);
}

static void g2_has_no_pages(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, as_g2);
	struct heard home = desk_page(&d, "/home"), root = desk_page(&d, "/"),
		     form = desk_page(&d, "/signin"), reset = desk_page(&d, "/reset?token=x");
	assert_true(is_json(&home));
	assert_int_equal(home.status, 200);
	assert_int_equal(root.status, 404);
	assert_int_equal(form.status, 405);
	EXPECT_HEADER(&form, "allow", "POST, OPTIONS");
	assert_int_equal(reset.status, 405);
	desk_close(&d);
}

/* ---- how it is said ---- */

static void envelope_has_its_members_in_order_and_ends_its_line(void **state)
{
	struct desk *d = *state;
	struct heard h = desk_post(d, "/forgot", "{\"email\":\"nobody@example.org\"}");

	assert_string_equal(h.body,
		"{\"data\":null,\"message\":\"Password reset email sent\",\"status\":303}\n");
	EXPECT_HEADER(&h, "content-type", "application/json");
	h = desk_post(d, "/forgot", "{\"email\":\"nobody\"}");
	assert_string_equal(h.body,
		"{\"data\":{\"field\":\"email\"},\"message\":\"Invalid email\",\"status\":400}\n");
}

static void success_in_json_names_no_place_to_go(void **state)
{
	struct desk *d = *state;
	struct heard h = desk_post(d, "/signup",
		"{\"username\":\"ann\",\"email\":\"ann@example.org\",\"password\":\"" PASSWORD
		"\"}");

	assert_int_equal(h.status, 303);
	assert_null(heard_header(&h, "location"));
	assert_true(heard_says(&h, "\"status\":303"));
}

static void success_in_html_is_a_redirect_without_a_body(void **state)
{
	struct desk *d = *state;
	struct heard h = desk_form(d, "/forgot", "email=nobody%40example.org");

	assert_int_equal(h.status, 303);
	EXPECT_HEADER(&h, "location", "/signin");
	assert_string_equal(h.body, "");
}

static void signing_in_tells_programs_who_it_was(void **state)
{
	struct desk *d = *state;

	desk_join(d, "ann");
	struct heard h =
		desk_post(d, "/signin", "{\"username\":\"ann\",\"password\":\"" PASSWORD "\"}");
	assert_int_equal(h.status, 303);
	assert_true(str_starts(str(h.body), PT_STR("{\"data\":null,\"message\":\"Signin "
						   "successful\",\"status\":303,\"userId\":\"")));
	assert_null(heard_header(&h, "location"));
	h = desk_get(d, "/me");
	assert_true(str_starts(str(h.body), PT_STR("{\"data\":{\"UserID\":\"")));
	assert_true(heard_says(
		&h, "\"Username\":\"ann\",\"Password\":\"\",\"Email\":\"ann@example.org\","));
	assert_true(heard_says(&h, "\"RefreshToken\":\"\",\"Extensions\":\"null\"},\"message\":"
				   "\"User info\",\"status\":200"));
	assert_true(heard_says(&h, "\"username\":\"ann\",\"name\":\"\"}\n"));
}

static void profiles_disagree_about_a_dead_link(void **state)
{
	static void (*const profiles[])(struct desk *) = { NULL, as_g1, as_g2 };
	static const int statuses[] = { 400, 401, 401 };
	struct desk d;

	(void)state;
	for (size_t i = 0; i < COUNT(profiles); i++) {
		desk_open(&d, profiles[i]);
		struct heard h = desk_post(
			&d, "/reset", "{\"token\":\"x\",\"new_password\":\"" PASSWORD "\"}");
		assert_int_equal(h.status, statuses[i]);
		assert_true(heard_says(&h, "\"Invalid token\""));
		desk_close(&d);
	}
}

/* ---- what every answer carries ---- */

static void every_answer_is_guarded(void **state)
{
	static const char *const paths[] = { "/", "/signin", "/nothing", "/me", "/verify?token=x",
		"/refresh", "/robots.txt" };
	struct desk *d = *state;

	for (size_t i = 0; i < COUNT(paths); i++)
		for (int json = 0; json < 2; json++) {
			struct heard h = json ? desk_get(d, paths[i]) : desk_page(d, paths[i]);
			EXPECT_HEADER(&h, "x-frame-options", "DENY");
			EXPECT_HEADER(&h, "x-content-type-options", "nosniff");
			EXPECT_HEADER(&h, "x-xss-protection", "0");
			EXPECT_HEADER(&h, "referrer-policy", "same-origin");
			EXPECT_HEADER(&h, "cache-control", "no-store");
			assert_non_null(strstr(
				heard_header(&h, "content-security-policy"), "default-src 'none'"));
			assert_non_null(strstr(heard_header(&h, "content-security-policy"),
				"frame-ancestors 'none'"));
			assert_null(heard_header(&h, "strict-transport-security"));
			assert_null(heard_header(&h, "access-control-allow-origin"));
		}
}

static void on_https(struct desk *d)
{
	d->setup.origin = PT_STR("https://id.example.org");
	d->setup.secure_cookies = true;
}

static void https_is_to_be_kept(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, on_https);
	struct heard h = desk_page(&d, "/signin");
	EXPECT_HEADER(&h, "strict-transport-security", "max-age=31536000; includeSubDomains");
	assert_non_null(strstr(heard_header(&h, "set-cookie"), "; Secure; HttpOnly; SameSite=Lax"));
	desk_close(&d);
}

static void each_answer_masks_the_token_anew(void **state)
{
	struct desk *d = *state;
	struct heard one = desk_get(d, "/home"), two = desk_get(d, "/home");

	assert_string_not_equal(
		heard_header(&one, "x-csrf-token"), heard_header(&two, "x-csrf-token"));
	assert_string_equal(heard_header(&one, "x-csrf-token"), heard_header(&one, "csrf-token"));
	assert_int_equal(strlen(heard_header(&one, "x-csrf-token")), 88);
	assert_non_null(heard_header(&one, "set-cookie"));
	assert_null(heard_header(&two, "set-cookie"));
}

#define AT_A_DESK(test) cmocka_unit_test_setup_teardown(test, desk_setup, desk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_A_DESK(first_rule_that_matches_decides),
		AT_A_DESK(posts_of_nobody_in_particular_are_answered_as_json),
		cmocka_unit_test(g1_looks_at_the_content_type_alone),
		cmocka_unit_test(g1_shows_home_where_it_knows_no_better),
		cmocka_unit_test(g2_has_no_pages),
		AT_A_DESK(envelope_has_its_members_in_order_and_ends_its_line),
		AT_A_DESK(success_in_json_names_no_place_to_go),
		AT_A_DESK(success_in_html_is_a_redirect_without_a_body),
		AT_A_DESK(signing_in_tells_programs_who_it_was),
		cmocka_unit_test(profiles_disagree_about_a_dead_link),
		AT_A_DESK(every_answer_is_guarded),
		cmocka_unit_test(https_is_to_be_kept),
		AT_A_DESK(each_answer_masks_the_token_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

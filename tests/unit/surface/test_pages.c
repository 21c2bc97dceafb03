/*
 * What people see: forms that come back, notices that are said once, the way back, and nothing of
 * theirs that runs.
 */
#include "desk.h"

#include "base/arena.h"

#include "base/banned.h"

static size_t times(const struct heard *h, const char *text)
{
	size_t n = 0;

	for (const char *at = strstr(h->body, text); at; at = strstr(at + 1, text))
		n++;
	return n;
}

static const char *encoded(struct desk *d, const char *before, const char *value)
{
	struct buf b = BUF(d->memory, 8 * KIB);

	buf_str(&b, str(before));
	buf_url(&b, str(value));
	return buf_view(&b).p;
}

/* ---- notices ---- */

static void notice_is_said_once(void **state)
{
	struct desk *d = *state;

	assert_int_equal(desk_form(d, "/forgot", "email=nobody%40example.org").status, 303);
	assert_string_equal(desk_cookie(d, "pt_notice"), "forgot");
	struct heard first = desk_page(d, "/signin"), second = desk_page(d, "/signin");
	assert_true(heard_says(&first, "data-msg=\"notice.forgot\""));
	assert_true(heard_says(&first, "15 minutes"));
	assert_non_null(
		strstr(heard_header(&first, "set-cookie"), "pt_notice=; Path=/; Max-Age=0"));
	assert_false(heard_says(&second, "notice."));
}

static void cookie_can_say_no_words_but_ours(void **state)
{
	static const char *const wrong[] = { "x", "notice.forgot", "Forgot", "<b>", "signup2" };
	struct desk *d = *state;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct buf b = BUF(d->memory, 128);
		buf_printf(&b, "cookie: pt_notice=%s", wrong[i]);
		const struct ask ask = { .path = "/signin",
			.accept = HTML_ACCEPT,
			.stranger = true,
			.headers = { buf_view(&b).p } };
		struct heard h = desk_ask(d, &ask);
		assert_int_equal(h.status, 200);
		assert_false(heard_says(&h, "class=\"notice"));
	}
}

static void programs_are_left_no_notice(void **state)
{
	struct desk *d = *state;

	assert_int_equal(desk_post(d, "/forgot", "{\"email\":\"a@example.org\"}").status, 303);
	assert_string_equal(desk_cookie(d, "pt_notice"), "");
}

/* ---- the way back ---- */

static const char *const elsewhere[] = {
	"//evil.example",
	"/\\evil.example",
	"\\\\evil.example",
	"/\t/evil.example",
	"/\r\nSet-Cookie: a=b",
	"https:evil.example",
	"https:/evil.example",
	"https://evil.example/",
	"http://localhost:8080@evil.example",
	"http://localhost:8080.evil.example",
	"http://evil.example#localhost:8080",
	"http://evil.example?localhost:8080",
	"http://localhost:8080/",
	"javascript:alert(1)",
	"data:text/html,x",
	"https://localhost\xff.evil.example",
	"HTTPS://LOCALHOST:443@evil.example",
	"http://2130706433/",
	"http://0x7f.1/",
	"http://[::1]/",
	"///evil.example",
	"signin",
	".",
	"",
	"/\xc2\xa0/evil.example",
	"/ok\"onmouseover=1",
	"/<script>",
};

static struct heard signin_towards(struct desk *d, const char *next)
{
	return desk_form(
		d, "/signin", encoded(d, "username=ann&password=a%20quiet%20harbour&next=", next));
}

static void next_leads_nowhere_else(void **state)
{
	struct desk *d = *state;

	desk_join(d, "ann");
	for (size_t i = 0; i < COUNT(elsewhere); i++) {
		struct heard page = desk_page(d, encoded(d, "/signin?next=", elsewhere[i]));
		if (page.status == 200 && heard_says(&page, "name=\"next\""))
			fail_msg("the form keeps %s", elsewhere[i]);
		struct heard h = signin_towards(d, elsewhere[i]);
		/* what is no UTF-8 is no form at all */
		if (h.status == 400)
			continue;
		assert_int_equal(h.status, 303);
		EXPECT_HEADER(&h, "location", "/");
	}
}

static void no_limits(struct desk *d)
{
	d->policy.signin_per_account = 0;
	d->policy.signin_per_client = 0;
}

static int open_without_limits(void **state)
{
	struct desk *d = test_calloc(1, sizeof(*d));

	desk_open(d, no_limits);
	*state = d;
	return 0;
}

static void next_leads_to_where_somebody_was(void **state)
{
	struct desk *d = *state;

	desk_join(d, "ann");
	struct heard page = desk_page(d, "/signin?next=%2Fsettings%3Ftab%3D2%26x");
	assert_true(heard_says(&page, "name=\"next\" value=\"/settings?tab=2&amp;x\""));
	struct heard h = signin_towards(d, "/settings?tab=2&x");
	assert_int_equal(h.status, 303);
	EXPECT_HEADER(&h, "location", "/settings?tab=2&x");
}

static void mounted_below(struct desk *d)
{
	d->setup.pages.mount = PT_STR("/auth");
}

static void next_stays_below_the_mount(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, mounted_below);
	struct heard in = desk_page(&d, "/auth/signin?next=%2Fauth%2Fme");
	struct heard out = desk_page(&d, "/auth/signin?next=%2Fother");
	assert_true(heard_says(&in, "value=\"/auth/me\""));
	assert_false(heard_says(&out, "/other"));
	desk_close(&d);
}

/* ---- hostile values ---- */

static const char *const hostile[] = {
	"\"><svg onload=1>",
	"'><svg onload=1>",
	"{{7777*7777}}{{{csrf_field}}}{{> partials/next }}",
	"</title><script>alert(1)</script>",
	"javascript:alert(1)",
	"<!--",
	"&quot;><img src=x onerror=1>",
	"{name}{min}{wait}",
};

static void assert_inert(const struct heard *h, const char *value, const char *where)
{
	bool page = strstr(heard_header(h, "content-type"), "text/html") != NULL;

	if (heard_says(h, "<svg onload") || heard_says(h, "<img src=x") || heard_says(h, "<!--") ||
		heard_says(h, "<script>") || heard_says(h, "href=\"javascript:") ||
		heard_says(h, "60481729"))
		fail_msg("%s: %s is alive in %s", where, value, h->body);
	assert_non_null(heard_header(h, "content-security-policy"));
	if (page)
		assert_int_equal(times(h, "</title>"), 1);
	else
		assert_false(heard_says(h, "<"));
}

static const struct {
	const char *path;
	const char *body; /* the value follows */
} reflecting[] = {
	{ "/signup", "password=" PASSWORD "&email=x&username=" },
	{ "/signup", "password=" PASSWORD "&username=ann&email=" },
	{ "/signup", "password=x&username=ann&email=x&firstname=" },
	{ "/signup", "password=x&username=ann&email=x&lastname=" },
	{ "/signin", "password=x&username=" },
	{ "/signin", "password=x&username=ann&next=%2F" },
	{ "/forgot", "email=" },
	{ "/resend", "email=" },
	{ "/reset", "new_password=x&token=" },
};

static void what_was_typed_comes_back_inert(void **state)
{
	struct desk *d = *state;

	for (size_t r = 0; r < COUNT(reflecting); r++)
		for (size_t v = 0; v < COUNT(hostile); v++) {
			struct heard h = desk_form(
				d, reflecting[r].path, encoded(d, reflecting[r].body, hostile[v]));
			assert_in_range(h.status, 400, 499);
			assert_true(heard_says(&h, "<!doctype html>"));
			assert_inert(&h, hostile[v], reflecting[r].path);
		}
}

static void text_that_looks_like_a_template_is_shown_as_it_is(void **state)
{
	struct desk *d = *state;
	struct heard h =
		desk_form(d, "/forgot", encoded(d, "email=", "{{7777*7777}}{{{csrf_field}}}"));

	assert_true(heard_says(&h, "value=\"{{7777*7777}}{{{csrf_field}}}\""));
}

static void paths_and_ids_come_back_inert(void **state)
{
	struct desk *d = *state;

	for (size_t v = 0; v < COUNT(hostile); v++) {
		struct buf path = BUF(d->memory, 1 * KIB);
		buf_printf(&path, "/dev/mailbox/%s", hostile[v]);
		const struct ask missing = { .path = buf_view(&path).p, .accept = HTML_ACCEPT };
		const struct ask wrong = {
			.method = HTTP_POST, .path = buf_view(&path).p, .accept = HTML_ACCEPT
		};
		struct heard h = desk_ask(d, &missing);
		assert_int_equal(h.status, 404);
		assert_inert(&h, hostile[v], "an unknown path");
		h = desk_ask(d, &wrong);
		assert_int_equal(h.status, 405);
		assert_inert(&h, hostile[v], "a wrong method");
		h = desk_page(d, encoded(d, "/reset?token=", hostile[v]));
		assert_int_equal(h.status, 400);
		assert_inert(&h, hostile[v], "a dead link");
		h = desk_page(d, encoded(d, "/verify?token=", hostile[v]));
		assert_inert(&h, hostile[v], "a dead link");
	}
}

static void letters_are_shown_inert(void **state)
{
	struct desk *d = *state;

	for (size_t v = 0; v < COUNT(hostile); v++) {
		pt_str value = str(hostile[v]);
		d->mails[0] = (struct pt_mail){
			.id = { "1" }, .to = value, .subject = value, .text = value, .html = value
		};
		d->n_mails = 1;
		struct heard list = desk_page(d, "/dev/mailbox"),
			     one = desk_page(d, "/dev/mailbox/1"),
			     json = desk_get(d, "/dev/mailbox");
		assert_int_equal(one.status, 200);
		assert_inert(&list, hostile[v], "the mailbox");
		assert_inert(&one, hostile[v], "a letter");
		assert_inert(&json, hostile[v], "the mailbox as JSON");
	}
}

/* ---- forms that come back ---- */

static void form_comes_back_with_what_was_typed_and_what_is_wrong(void **state)
{
	struct desk *d = *state;
	struct heard h = desk_form(d, "/signup",
		"username=ann&email=nobody&firstname=Ann&lastname=O%27Hara&password=the+secret+"
		"words");

	assert_int_equal(h.status, 400);
	assert_true(heard_says(&h, "<title>Error: Sign Up - Portress</title>"));
	assert_true(heard_says(&h, "value=\"ann\""));
	assert_true(heard_says(&h, "value=\"nobody\""));
	assert_true(heard_says(&h, "value=\"Ann\""));
	assert_true(heard_says(&h, "value=\"O&#39;Hara\""));
	assert_true(heard_says(&h, "data-msg=\"error.email\"><a href=\"#email\">"));
	assert_true(heard_says(&h, "id=\"email-error\""));
	assert_false(heard_says(&h, "id=\"username-error\""));
	assert_int_equal(times(&h, "name=\"gorilla.csrf.Token\""), 1);
}

static void secrets_do_not_come_back(void **state)
{
	static const struct {
		const char *path;
		const char *body;
	} forms[] = {
		{ "/signup", "username=a&email=x&password=the+secret+words&g-recaptcha-response="
			     "secret-answer" },
		{ "/signup", "username=ann&email=nobody&password=the+secret+words&csrf_token="
			     "secret-answer" },
		{ "/signin", "username=nobody_1&password=the+secret+words" },
		{ "/signin", "username=x&password=the+secret+words" },
		{ "/reset", "token=x&new_password=secret" },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNT(forms); i++) {
		struct heard h = desk_form(d, forms[i].path, forms[i].body);
		assert_in_range(h.status, 400, 499);
		if (heard_says(&h, "the secret words") || heard_says(&h, "secret-answer") ||
			heard_says(&h, "value=\"secret\""))
			fail_msg("%s says the secret again", forms[i].path);
	}
}

static void reset_form_keeps_its_link_when_the_password_is_too_short(void **state)
{
	struct desk *d = *state;
	struct heard h = desk_form(d, "/reset", "token=abc.def&new_password=x");

	assert_int_equal(h.status, 400);
	assert_true(heard_says(&h, "name=\"token\" value=\"abc.def\""));
	assert_true(heard_says(&h, "href=\"#new_password\""));
	assert_true(heard_says(&h, "at least 8 characters"));
}

static void form_that_expired_comes_back_with_a_fresh_token(void **state)
{
	const struct ask ask = { .method = HTTP_POST,
		.path = "/signup",
		.type = FORM_TYPE,
		.accept = HTML_ACCEPT,
		.body = "username=ann&email=ann%40example.org&password=secretsecret" };
	struct desk *d = *state;
	struct heard h = desk_ask(d, &ask);

	assert_int_equal(h.status, 403);
	assert_true(heard_says(&h, "data-msg=\"notice.form_expired\""));
	assert_true(heard_says(&h, "value=\"ann@example.org\""));
	assert_false(heard_says(&h, "secretsecret"));
	assert_true(heard_says(&h, "name=\"gorilla.csrf.Token\""));
}

static void unconfirmed_people_are_offered_a_new_link(void **state)
{
	struct desk *d = *state;

	assert_int_equal(desk_form(d, "/signup",
				 "username=ann&email=ann%40example.org&password=a+quiet+harbour")
				 .status,
		303);
	struct heard h = desk_form(d, "/signin", "username=ann&password=a+quiet+harbour");
	assert_int_equal(h.status, 401);
	assert_true(heard_says(&h, "action=\"/resend\""));
	assert_int_equal(desk_form(d, "/resend", "email=ann%40example.org").status, 303);
	h = desk_form(d, "/signin", "username=ann&password=a+wrong+harbour");
	assert_false(heard_says(&h, "action=\"/resend\""));
}

/* ---- signing out ---- */

static void other_sites_cannot_sign_anybody_out(void **state)
{
	struct desk *d = *state;
	const struct ask image = { .path = "/signout",
		.accept = HTML_ACCEPT,
		.headers = { "sec-fetch-site: cross-site" } };
	const struct ask fetch = {
		.path = "/signout", .accept = JSON_TYPE, .headers = { "sec-fetch-site: cross-site" }
	};

	desk_enter(d, "ann");
	struct heard h = desk_ask(d, &image);
	assert_int_equal(h.status, 200);
	assert_true(heard_says(&h, "action=\"/signout\""));
	assert_null(heard_header(&h, "set-cookie"));
	assert_int_equal(desk_ask(d, &fetch).status, 403);
	assert_int_equal(desk_get(d, "/me").status, 200);
}

static void signing_out_ends_the_session_and_its_cookie(void **state)
{
	struct desk *d = *state;
	struct buf kept = BUF(d->memory, 256);

	desk_enter(d, "ann");
	buf_printf(&kept, "cookie: session=%s", desk_cookie(d, "session"));
	struct heard h = desk_page(d, "/signout");
	assert_int_equal(h.status, 303);
	assert_string_equal(desk_cookie(d, "session"), "");
	const struct ask again = { .path = "/me",
		.accept = JSON_TYPE,
		.stranger = true,
		.headers = { buf_view(&kept).p } };
	assert_int_equal(desk_ask(d, &again).status, 401);
}

static void cookie_of_no_session_is_taken_back(void **state)
{
	struct desk *d = *state;
	const struct ask ask = { .path = "/me",
		.accept = JSON_TYPE,
		.stranger = true,
		.headers = { "cookie: session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" } };
	struct heard h = desk_ask(d, &ask);
	bool taken_back = false;

	assert_int_equal(h.status, 401);
	for (size_t i = 0; i < h.rs.n_headers; i++)
		taken_back |=
			str_starts(h.rs.headers[i].value, PT_STR("session=; Path=/; Max-Age=0"));
	assert_true(taken_back);
}

static void signing_out_twice_is_fine(void **state)
{
	struct desk *d = *state;

	assert_int_equal(desk_get(d, "/signout").status, 200);
	assert_int_equal(desk_get(d, "/signout").status, 200);
}

/* ---- files ---- */

static const char *asset_path(struct desk *d, const char *name)
{
	struct heard page = desk_page(d, "/signin");
	pt_str rest = str(page.body), head, address;

	while (str_cut(rest, '"', &head, &rest))
		if (str_starts(rest, PT_STR("/assets/")) && str_cut(rest, '"', &address, &rest) &&
			str_ends(address, str(name)))
			return arena_cstr(d->memory, address);
	fail_msg("the page names no %s", name);
	return NULL;
}

static void files_may_be_kept_for_ever(void **state)
{
	static const struct {
		const char *name, *type;
	} files[] = {
		{ "portress.css", "text/css; charset=utf-8" },
		{ "page.js", "text/javascript; charset=utf-8" },
		{ "icon.svg", "image/svg+xml" },
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNT(files); i++) {
		const struct ask ask = { .path = asset_path(d, files[i].name), .stranger = true };
		struct heard h = desk_ask(d, &ask);
		assert_int_equal(h.status, 200);
		EXPECT_HEADER(&h, "content-type", files[i].type);
		EXPECT_HEADER(&h, "cache-control", "public, max-age=31536000, immutable");
		EXPECT_HEADER(&h, "x-content-type-options", "nosniff");
		assert_null(heard_header(&h, "set-cookie"));
		assert_null(heard_header(&h, "x-csrf-token"));
	}
}

static void other_contents(struct desk *d)
{
	static const struct surface_asset changed[] = {
		{ PT_STR_INIT("portress.css"), PT_STR_INIT("body{color:red}") },
		{ PT_STR_INIT("page.js"), PT_STR_INIT("export {};") },
	};

	d->setup.assets = changed;
	d->setup.n_assets = COUNT(changed);
}

static void file_of_another_version_is_not_found(void **state)
{
	static const char *const wrong[] = { "/assets/portress.css", "/assets/x/portress.css",
		"/assets/0000000000000000/portress.css", "/assets/0000000000000000/",
		"/assets/0000000000000000/../portress.css", "/assets/" };
	struct desk *d = *state, other;

	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(desk_get(d, wrong[i]).status, 404);
	desk_open(&other, other_contents);
	assert_string_not_equal(asset_path(d, "portress.css"), asset_path(&other, "portress.css"));
	assert_string_equal(asset_path(d, "page.js"), asset_path(&other, "page.js"));
	assert_int_equal(desk_get(d, asset_path(&other, "portress.css")).status, 404);
	desk_close(&other);
}

/* ---- the operator's own pages ---- */

static const char own_page[] =
	"<html><form method=get action=\"/find\"></form>\n"
	"<FORM\n method=\"POST\" action=\"/signin\"></FORM>\n"
	"<form action='/forgot' method='post'></form>\n"
	"<form method=post action=http://localhost:8080/resend></form>\n"
	"<form method=post action=\"https://elsewhere.example/\"></form>\n"
	"<form method=post action=http://localhost:8080.elsewhere.example/></form>\n"
	"<form></form><formula></html>";

static void with_own_signin(struct desk *d)
{
	char error[256];

	EXPECT_ERR(PT_OK, template_add(d->templates, PT_STR("own/signin"), PT_STR("signin.html"),
				  str(own_page), TEMPLATE_GO, TEMPLATE_HTML, error));
}

static void own_forms_that_post_here_are_given_their_token(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, with_own_signin);
	struct heard h = desk_page(&d, "/signin");
	assert_int_equal(times(&h, "name=\"gorilla.csrf.Token\""), 3);
	assert_true(heard_says(
		&h, "action=\"/signin\"><input type=\"hidden\" name=\"gorilla.csrf.Token\""));
	assert_true(
		heard_says(&h, "method='post'><input type=\"hidden\" name=\"gorilla.csrf.Token\""));
	assert_true(heard_says(&h, "<form></form><formula></html>"));
	desk_close(&d);
}

static void swapped_texts_are_said_from_then_on(void **state)
{
	struct desk *d = *state;
	struct value *texts = value_map(d->memory);

	value_str(value_child(texts, "signin"), "heading", PT_STR("Bonjour"));
	surface_reload(d->surface, d->templates, texts);
	struct heard h = desk_page(d, "/signin");
	assert_true(heard_says(&h, "<h1>Bonjour</h1>"));
	surface_reload(d->surface, d->templates, d->setup.texts);
	h = desk_page(d, "/signin");
	assert_true(heard_says(&h, "<h1>Sign In</h1>"));
}

#define AT_A_DESK(test) cmocka_unit_test_setup_teardown(test, desk_setup, desk_teardown)
#define WITHOUT_LIMITS(test) \
	cmocka_unit_test_setup_teardown(test, open_without_limits, desk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_A_DESK(notice_is_said_once),
		AT_A_DESK(cookie_can_say_no_words_but_ours),
		AT_A_DESK(programs_are_left_no_notice),
		WITHOUT_LIMITS(next_leads_nowhere_else),
		AT_A_DESK(next_leads_to_where_somebody_was),
		cmocka_unit_test(next_stays_below_the_mount),
		WITHOUT_LIMITS(what_was_typed_comes_back_inert),
		AT_A_DESK(text_that_looks_like_a_template_is_shown_as_it_is),
		AT_A_DESK(paths_and_ids_come_back_inert),
		AT_A_DESK(letters_are_shown_inert),
		AT_A_DESK(form_comes_back_with_what_was_typed_and_what_is_wrong),
		AT_A_DESK(secrets_do_not_come_back),
		AT_A_DESK(reset_form_keeps_its_link_when_the_password_is_too_short),
		AT_A_DESK(form_that_expired_comes_back_with_a_fresh_token),
		AT_A_DESK(unconfirmed_people_are_offered_a_new_link),
		AT_A_DESK(other_sites_cannot_sign_anybody_out),
		AT_A_DESK(signing_out_ends_the_session_and_its_cookie),
		AT_A_DESK(cookie_of_no_session_is_taken_back),
		AT_A_DESK(signing_out_twice_is_fine),
		AT_A_DESK(files_may_be_kept_for_ever),
		AT_A_DESK(file_of_another_version_is_not_found),
		cmocka_unit_test(own_forms_that_post_here_are_given_their_token),
		AT_A_DESK(swapped_texts_are_said_from_then_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

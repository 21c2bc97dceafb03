/*
 * Which row is it, may it be asked, on which lane does it run?
 */
#include "desk.h"

#include "base/banned.h"

/* ---- mounts ---- */

static void mounted_below(struct desk *d)
{
	d->setup.pages.mount = PT_STR("/auth");
}

static void path_that_nobody_knows_is_not_found_in_the_pages_words(void **state)
{
	struct desk *d = *state;
	struct heard program = desk_get(d, "/nothing"), person = desk_page(d, "/nothing");

	assert_int_equal(program.status, 404);
	assert_string_equal(program.body,
		"{\"data\":null,\"message\":\"404 page not found\",\"status\":404}\n");
	assert_int_equal(person.status, 404);
	EXPECT_HEADER(&person, "content-type", "text/html; charset=utf-8");
}

static void first_mount_that_knows_the_path_has_it(void **state)
{
	struct desk *d = *state;
	struct heard health = desk_get(d, "/healthz"), home = desk_get(d, "/home");

	assert_string_equal(health.body, "ok\n");
	assert_null(heard_header(&health, "set-cookie"));
	assert_int_equal(home.status, 200);
	assert_true(heard_says(&home, "\"message\":\"Home\""));
}

static void mounted_pages_stand_below_their_prefix_only(void **state)
{
	static const struct {
		const char *path;
		int status;
	} asked[] = {
		{ "/auth", 200 },
		{ "/auth/", 200 },
		{ "/auth/home", 200 },
		{ "/auth/signin", 200 },
		{ "/signin", 404 },
		{ "/", 404 },
		{ "/authsignin", 404 },
		{ "/authority", 404 },
		{ "/auth/healthz", 404 },
		{ "/healthz", 200 },
		{ "/AUTH/signin", 404 },
		{ "/auth/auth/signin", 404 },
	};
	struct desk d;

	(void)state;
	desk_open(&d, mounted_below);
	for (size_t i = 0; i < COUNT(asked); i++)
		if (desk_page(&d, asked[i].path).status != asked[i].status)
			fail_msg("%s is not %d", asked[i].path, asked[i].status);
	desk_close(&d);
}

/* RFC 8037 A.1 */
#define SIGNING_KEY                                                             \
	"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","                      \
	"\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","                \
	"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\",\"kid\":\"k1\"," \
	"\"status\":\"current\"}]}"

static void public_keys_are_told_at_the_root_and_nothing_more_of_them(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, mounted_below);
	assert_int_equal(pt_site_rekey(d.site, PT_STR(SIGNING_KEY)), PT_OK);
	struct heard keys = desk_get(&d, "/.well-known/jwks.json");
	assert_int_equal(keys.status, 200);
	assert_string_equal(keys.body, "{\"keys\":[{\"crv\":\"Ed25519\",\"kty\":\"OKP\","
				       "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\","
				       "\"alg\":\"EdDSA\",\"use\":\"sig\",\"kid\":\"k1\"}]}");
	EXPECT_HEADER(&keys, "content-type", "application/json");
	EXPECT_HEADER(&keys, "cache-control", "public, max-age=300");
	assert_null(heard_header(&keys, "set-cookie"));
	assert_int_equal(desk_get(&d, "/auth/.well-known/jwks.json").status, 404);
	desk_close(&d);
}

static void mounted_pages_name_themselves_with_their_prefix(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, mounted_below);
	struct heard page = desk_page(&d, "/auth/signin");
	assert_true(heard_says(&page, "action=\"/auth/signin\""));
	assert_true(heard_says(&page, "href=\"/auth/forgot\""));
	assert_true(heard_says(&page, "\"/auth/assets/"));
	assert_true(strstr(heard_header(&page, "set-cookie"), "; Path=/auth;") != NULL);
	struct heard sent = desk_form(&d, "/auth/forgot", "email=nobody%40example.org");
	assert_int_equal(sent.status, 303);
	EXPECT_HEADER(&sent, "location", "/auth/signin");
	desk_close(&d);
}

/* ---- methods ---- */

static struct heard with_method(struct desk *d, enum http_method method, const char *path)
{
	return desk_ask(
		d, &(const struct ask){ .method = method, .path = path, .accept = JSON_TYPE });
}

static void wrong_method_is_told_which_are_right(void **state)
{
	struct desk *d = *state;
	struct heard read = with_method(d, HTTP_GET, "/resend");
	struct heard ops = with_method(d, HTTP_POST, "/healthz");

	assert_int_equal(read.status, 405);
	EXPECT_HEADER(&read, "allow", "POST, OPTIONS");
	assert_true(heard_says(&read, "\"Method not allowed\""));
	assert_int_equal(ops.status, 405);
	EXPECT_HEADER(&ops, "allow", "GET, HEAD, OPTIONS");
}

static void methods_of_no_row_are_refused_everywhere(void **state)
{
	static const enum http_method methods[] = { HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OTHER };
	static const char *const paths[] = { "/", "/me", "/verify", "/robots.txt", "/metrics" };
	struct desk *d = *state;

	for (size_t m = 0; m < COUNT(methods); m++)
		for (size_t p = 0; p < COUNT(paths); p++) {
			struct heard h = with_method(d, methods[m], paths[p]);
			assert_int_equal(h.status, 405);
			EXPECT_HEADER(&h, "allow", "GET, HEAD, OPTIONS");
		}
}

static void options_are_answered_for_paths_that_exist(void **state)
{
	struct desk *d = *state;
	struct heard known = with_method(d, HTTP_OPTIONS, "/signin");
	struct heard unknown = with_method(d, HTTP_OPTIONS, "/nothing");

	assert_int_equal(known.status, 204);
	assert_string_equal(known.body, "");
	EXPECT_HEADER(&known, "allow", "GET, HEAD, POST, OPTIONS");
	assert_int_equal(unknown.status, 404);
}

static void head_goes_where_get_goes(void **state)
{
	struct desk *d = *state;

	assert_int_equal(with_method(d, HTTP_HEAD, "/signin").status, 200);
	assert_int_equal(with_method(d, HTTP_HEAD, "/healthz").status, 200);
	assert_int_equal(with_method(d, HTTP_HEAD, "/resend").status, 405);
}

/* ---- lanes and sizes ---- */

struct planned {
	enum http_method method;
	const char *path;
	enum http_lane near; /* the store is at hand */
	enum http_lane far;  /* the store is across a network */
	size_t body_max;
};

static const struct planned plans[] = {
	{ HTTP_GET, "/healthz", HTTP_QUICK, HTTP_QUICK, 0 },
	{ HTTP_GET, "/readyz", HTTP_SLOW, HTTP_SLOW, 0 },
	{ HTTP_GET, "/robots.txt", HTTP_QUICK, HTTP_QUICK, 0 },
	{ HTTP_GET, "/", HTTP_QUICK, HTTP_SLOW, 0 },
	{ HTTP_GET, "/me", HTTP_QUICK, HTTP_SLOW, 0 },
	{ HTTP_HEAD, "/signin", HTTP_QUICK, HTTP_SLOW, 0 },
	{ HTTP_POST, "/signin", HTTP_HASH, HTTP_HASH, 64 * KIB },
	{ HTTP_POST, "/signup", HTTP_HASH, HTTP_HASH, 64 * KIB },
	{ HTTP_POST, "/reset", HTTP_HASH, HTTP_HASH, 64 * KIB },
	{ HTTP_POST, "/signout", HTTP_SLOW, HTTP_SLOW, 64 * KIB },
	{ HTTP_GET, "/verify", HTTP_SLOW, HTTP_SLOW, 0 },
	{ HTTP_GET, "/nothing", HTTP_QUICK, HTTP_QUICK, 64 * KIB },
	/* may have to check a token before it is refused */
	{ HTTP_DELETE, "/signin", HTTP_SLOW, HTTP_SLOW, 64 * KIB },
};

static void store_is_far(struct desk *d)
{
	d->store.remote = true;
}

static void each_row_runs_on_its_lane(void **state)
{
	struct desk near, far;

	(void)state;
	desk_open(&near, NULL);
	desk_open(&far, store_is_far);
	for (size_t i = 0; i < COUNT(plans); i++) {
		const struct planned *row = &plans[i];
		struct http_plan here = with_method(&near, row->method, row->path).plan;
		struct http_plan there = with_method(&far, row->method, row->path).plan;
		if (here.lane != row->near || there.lane != row->far ||
			here.body_max != row->body_max)
			fail_msg("%s: lanes %u and %u, body %zu", row->path, here.lane, there.lane,
				here.body_max);
	}
	desk_close(&near);
	desk_close(&far);
}

/* ---- where it comes from ---- */

#define NOBODY "{\"username\":\"nobody_1\",\"password\":\"a wrong password\"}"

static struct heard signin_from(
	struct desk *d, const char *host, const char *first, const char *second)
{
	struct buf b = BUF(d->memory, 256);

	buf_printf(&b, "x-csrf-token: %s", desk_token(d));
	const struct ask ask = { .method = HTTP_POST,
		.path = "/signin",
		.type = JSON_TYPE,
		.body = NOBODY,
		.host = host,
		.headers = { buf_view(&b).p, first, second } };
	return desk_ask(d, &ask);
}

static void our_own_origin_may_send_forms(void **state)
{
	struct desk *d = *state;

	assert_int_equal(signin_from(d, NULL, NULL, NULL).status, 401);
	assert_int_equal(signin_from(d, NULL, "origin: http://localhost:8080", NULL).status, 401);
	assert_int_equal(
		signin_from(d, "127.0.0.1:8080", "origin: http://127.0.0.1:8080", NULL).status,
		401);
	assert_int_equal(
		signin_from(d, "[::1]:8080", "origin: http://[::1]:8080", NULL).status, 401);
	assert_int_equal(signin_from(d, NULL, "sec-fetch-site: same-origin", NULL).status, 401);
}

static void other_origins_may_not(void **state)
{
	static const char *const origins[] = {
		"origin: null",
		"origin:",
		"origin: http://evil.example",
		"origin: http://localhost:8080.evil.example",
		"origin: http://evil.example/http://localhost:8080",
		"origin: http://localhost",
		"origin: http://localhost:80800",
		"origin: https://localhost:8080",
		"origin: http://localhost:8080/",
		"origin: http://127.0.0.1:8080",
		"sec-fetch-site: cross-site",
	};
	struct desk *d = *state;

	for (size_t i = 0; i < COUNT(origins); i++) {
		struct heard h = signin_from(d, NULL, origins[i], NULL);
		if (h.status != 403 || !heard_says(&h, "\"Forbidden - origin invalid\""))
			fail_msg("%s: %d %s", origins[i], h.status, h.body);
		assert_null(heard_header(&h, "set-cookie"));
	}
	/* Host is the asker's to choose: only a loopback name is believed. */
	assert_int_equal(
		signin_from(d, "evil.example", "origin: http://evil.example", NULL).status, 403);
}

static void on_https(struct desk *d)
{
	d->setup.origin = PT_STR("https://id.example.org");
	d->setup.secure_cookies = true;
}

static void https_forms_must_say_where_they_come_from(void **state)
{
	static const struct {
		const char *header;
		const char *message;
	} rows[] = {
		{ NULL, "Forbidden - referer not supplied" },
		{ "referer: https://evil.example/", "Forbidden - referer invalid" },
		{ "referer: https://id.example.org.evil.example/", "Forbidden - referer invalid" },
		{ "referer: http://id.example.org/signin", "Forbidden - referer invalid" },
		{ "referer: https://id.example.org@evil.example/", "Forbidden - referer invalid" },
		{ "origin: http://id.example.org", "Forbidden - origin invalid" },
		{ "referer: https://id.example.org/signin", "Invalid credentials" },
		{ "referer: https://id.example.org", "Invalid credentials" },
		{ "origin: https://id.example.org", "Invalid credentials" },
	};
	struct desk d;

	(void)state;
	desk_open(&d, on_https);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct heard h = signin_from(&d, "id.example.org", rows[i].header, NULL);
		if (!heard_says(&h, rows[i].message))
			fail_msg("%s: %d %s", rows[i].header, h.status, h.body);
	}
	desk_close(&d);
}

/* ---- forms must be ours ---- */

static struct heard forgot_with(
	struct desk *d, const char *header, const char *type, const char *body, const char *path)
{
	const struct ask ask = { .method = HTTP_POST,
		.path = path,
		.type = type,
		.body = body,
		.accept = JSON_TYPE,
		.headers = { header } };

	return desk_ask(d, &ask);
}

static const char *fill(struct desk *d, const char *before, const char *value, bool url)
{
	struct buf b = BUF(d->memory, 1 * KIB);

	buf_str(&b, str(before));
	if (url)
		buf_url(&b, str(value));
	else
		buf_str(&b, str(value));
	return buf_view(&b).p;
}

static void token_is_taken_from_header_form_or_json(void **state)
{
	struct desk *d = *state;
	const char *mask = desk_token(d), *address = "email=a%40example.org";
	struct buf json = BUF(d->memory, 1 * KIB);

	assert_int_equal(forgot_with(d, fill(d, "x-csrf-token: ", mask, false), FORM_TYPE, address,
				 "/forgot")
				 .status,
		303);
	assert_int_equal(
		forgot_with(d, fill(d, "csrf-token: ", mask, false), FORM_TYPE, address, "/forgot")
			.status,
		303);
	assert_int_equal(
		forgot_with(d, NULL, FORM_TYPE,
			fill(d, "email=a%40example.org&gorilla.csrf.Token=", mask, true), "/forgot")
			.status,
		303);
	assert_int_equal(
		forgot_with(d, NULL, FORM_TYPE,
			fill(d, "email=a%40example.org&csrf_token=", mask, true), "/forgot")
			.status,
		303);
	buf_printf(&json, "{\"email\":\"a@example.org\",\"csrf_token\":\"%s\"}", mask);
	assert_int_equal(forgot_with(d, NULL, JSON_TYPE, buf_view(&json).p, "/forgot").status, 303);
}

static void token_in_the_query_is_none(void **state)
{
	struct desk *d = *state;
	const char *path = fill(d, "/forgot?gorilla.csrf.Token=", desk_token(d), true);
	struct heard h = forgot_with(d, NULL, FORM_TYPE, "email=a%40example.org", path);

	assert_int_equal(h.status, 403);
	assert_true(heard_says(&h, "CSRF token not found in request"));
}

static void wrong_tokens_are_refused(void **state)
{
	static const char *const wrong[] = {
		"x-csrf-token: x",
		"x-csrf-token: "
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AAAA==",
		"x-csrf-token: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	};
	struct desk *d = *state, other;

	(void)desk_token(d);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct heard h =
			forgot_with(d, wrong[i], FORM_TYPE, "email=a%40example.org", "/forgot");
		assert_int_equal(h.status, 403);
		assert_true(heard_says(&h, "CSRF token invalid"));
	}
	desk_open(&other, NULL);
	struct heard theirs = forgot_with(d, fill(d, "x-csrf-token: ", desk_token(&other), false),
		FORM_TYPE, "email=a%40example.org", "/forgot");
	assert_int_equal(theirs.status, 403);
	desk_close(&other);
}

static void token_without_its_cookie_is_refused_and_a_new_cookie_given(void **state)
{
	struct desk *d = *state;
	const struct ask ask = { .method = HTTP_POST,
		.path = "/forgot",
		.type = FORM_TYPE,
		.body = "email=a%40example.org",
		.stranger = true,
		.accept = JSON_TYPE,
		.headers = { fill(d, "x-csrf-token: ", desk_token(d), false) } };
	struct heard h = desk_ask(d, &ask);

	assert_int_equal(h.status, 403);
	assert_true(str_starts(str(heard_header(&h, "set-cookie")), PT_STR("_gorilla_csrf=")));
}

static void without_csrf(struct desk *d)
{
	d->setup.pages.csrf = false;
}

static void site_without_tokens_asks_for_none(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, without_csrf);
	struct heard h = forgot_with(&d, NULL, FORM_TYPE, "email=a%40example.org", "/forgot");
	assert_int_equal(h.status, 303);
	assert_null(heard_header(&h, "set-cookie"));
	assert_null(heard_header(&h, "x-csrf-token"));
	desk_close(&d);
}

/* ---- the order of the gates ---- */

static void origin_is_judged_before_the_token_and_the_token_before_the_method(void **state)
{
	struct desk *d = *state;
	const struct ask foreign = { .method = HTTP_DELETE,
		.path = "/signin",
		.accept = JSON_TYPE,
		.headers = { "origin: http://evil.example" } };
	const struct ask unproven = {
		.method = HTTP_DELETE, .path = "/signin", .accept = JSON_TYPE
	};
	struct heard h = desk_ask(d, &foreign);

	assert_true(heard_says(&h, "origin invalid"));
	assert_null(heard_header(&h, "allow"));
	h = desk_ask(d, &unproven);
	assert_int_equal(h.status, 403);
	assert_null(heard_header(&h, "allow"));
	const struct ask proven = { .method = HTTP_DELETE,
		.path = "/signin",
		.accept = JSON_TYPE,
		.headers = { fill(d, "x-csrf-token: ", desk_token(d), false) } };
	h = desk_ask(d, &proven);
	assert_int_equal(h.status, 405);
	EXPECT_HEADER(&h, "allow", "GET, HEAD, POST, OPTIONS");
}

static void unknown_paths_are_unknown_whatever_is_proven(void **state)
{
	struct heard h = with_method(*state, HTTP_POST, "/nothing");

	assert_int_equal(h.status, 404);
}

/* ---- programs with tokens ---- */

static void with_tokens(struct desk *d)
{
	d->setup.pages.tokens = true;
}

static const char *access_token(struct desk *d)
{
	pt_str token, rest;

	desk_join(d, "machine");
	struct heard h =
		desk_post(d, "/signin", "{\"username\":\"machine\",\"password\":\"" PASSWORD "\"}");
	assert_int_equal(h.status, 200);
	const char *at = strstr(h.body, "\"token\":\"");
	assert_non_null(at);
	assert_true(str_cut(str(at + 9), '"', &token, &rest));
	return fill(d, "authorization: Bearer ", arena_cstr(d->memory, token), false);
}

static void good_bearer_without_cookies_needs_no_csrf_token(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, with_tokens);
	const char *bearer = access_token(&d);
	struct ask ask = { .method = HTTP_POST,
		.path = "/refresh",
		.type = JSON_TYPE,
		.body = "{\"refresh_token\":\"x\"}",
		.stranger = true,
		.headers = { bearer } };
	assert_int_equal(desk_ask(&d, &ask).status, 401);
	/* ... also when it claims to come from elsewhere: it carries nothing a site could abuse */
	ask.headers[1] = "origin: http://evil.example";
	assert_int_equal(desk_ask(&d, &ask).status, 401);
	desk_close(&d);
}

static void bearer_that_is_bad_or_comes_with_cookies_needs_one(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, with_tokens);
	const char *bearer = access_token(&d);
	struct ask ask = { .method = HTTP_POST,
		.path = "/refresh",
		.type = JSON_TYPE,
		.body = "{\"refresh_token\":\"x\"}",
		.headers = { bearer } };
	assert_int_equal(desk_ask(&d, &ask).status, 403);
	ask.stranger = true;
	ask.headers[0] = "authorization: Bearer x.y.z";
	assert_int_equal(desk_ask(&d, &ask).status, 403);
	ask.headers[0] = fill(&d, bearer, "x", false);
	assert_int_equal(desk_ask(&d, &ask).status, 403);
	desk_close(&d);
}

/* ---- a store that is away ---- */

static pt_err check_fails(void *ctx, pt_arena *arena, pt_str *why)
{
	(void)ctx;
	(void)arena;
	*why = PT_STR("it is away");
	return PT_F_STORE;
}

static void store_is_far_and_away(struct desk *d)
{
	d->store.remote = true;
	d->store.check = check_fails;
}

static void pages_do_not_pretend_while_a_far_store_is_away(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, store_is_far_and_away);
	struct heard program = desk_get(&d, "/home"), person = desk_page(&d, "/signin");
	assert_int_equal(program.status, 503);
	assert_true(heard_says(&program, "\"Database not available\""));
	EXPECT_HEADER(&program, "retry-after", "5");
	assert_int_equal(person.status, 503);
	assert_int_equal(desk_get(&d, "/refresh").status, 200);
	assert_int_equal(desk_get(&d, "/healthz").status, 200);
	desk_close(&d);
}

/* ---- for operators ---- */

static void metrics_are_for_the_operators_listener(void **state)
{
	struct desk *d = *state;
	const struct ask inside = { .path = "/metrics", .ops = true };

	assert_int_equal(desk_get(d, "/metrics").status, 404);
	struct heard h = desk_ask(d, &inside);
	assert_int_equal(h.status, 200);
	assert_string_equal(h.body, "portress_up 1\n");
}

static void public_metrics(struct desk *d)
{
	d->setup.metrics_public = true;
}

static void metrics_may_be_made_public(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, public_metrics);
	assert_int_equal(desk_get(&d, "/metrics").status, 200);
	desk_close(&d);
}

static void readiness_says_what_is_wrong(void **state)
{
	struct desk *d = *state;

	assert_string_equal(desk_get(d, "/readyz").body, "ready\n");
	d->not_ready = "no space left";
	struct heard h = desk_get(d, "/readyz");
	assert_int_equal(h.status, 503);
	assert_string_equal(h.body, "not ready: no space left\n");
	EXPECT_HEADER(&h, "retry-after", "5");
}

/* ---- what never became a request ---- */

static struct http_response refused(
	struct desk *d, const char *path, int status, const char *accept)
{
	const struct http_app *app = surface_app(d->surface);
	const struct http_header headers[] = { { PT_STR("accept"), str(accept) } };
	const struct http_request rq = { .arena = d->memory,
		.method = HTTP_POST,
		.path = str(path),
		.id = PT_STR("0123456789abcdef"),
		.headers = headers,
		.n_headers = 1 };
	struct http_response rs;

	http_response_init(&rs, d->memory);
	app->refuse(app->ctx, &rq, status, &rs);
	return rs;
}

static void refusals_of_the_engine_are_said_in_the_dialects_words(void **state)
{
	struct desk *d = *state;
	struct http_response rs = refused(d, "/signin", 413, JSON_TYPE);

	assert_int_equal(rs.status, 413);
	assert_true(str_contains(rs.body, PT_STR("\"Request body too large\"")));
	rs = refused(d, "/signin", 503, HTML_ACCEPT);
	assert_int_equal(rs.status, 503);
	assert_true(str_contains(rs.body, PT_STR("<!doctype html>")));
	/* a message that could not be read names no path: its status is all there is to say */
	rs = refused(d, "", 400, JSON_TYPE);
	assert_int_equal(rs.body.n, 0);
}

static void answers_are_counted_by_class(void **state)
{
	struct desk *d = *state;
	struct surface_counts before, after;

	surface_counts(d->surface, &before);
	(void)desk_get(d, "/healthz");
	(void)desk_get(d, "/nothing");
	(void)desk_get(d, "/nothing");
	surface_counts(d->surface, &after);
	assert_int_equal(after.answers[2] - before.answers[2], 1);
	assert_int_equal(after.answers[4] - before.answers[4], 2);
}

#define AT_A_DESK(test) cmocka_unit_test_setup_teardown(test, desk_setup, desk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_A_DESK(path_that_nobody_knows_is_not_found_in_the_pages_words),
		AT_A_DESK(first_mount_that_knows_the_path_has_it),
		cmocka_unit_test(mounted_pages_stand_below_their_prefix_only),
		cmocka_unit_test(public_keys_are_told_at_the_root_and_nothing_more_of_them),
		cmocka_unit_test(mounted_pages_name_themselves_with_their_prefix),
		AT_A_DESK(wrong_method_is_told_which_are_right),
		AT_A_DESK(methods_of_no_row_are_refused_everywhere),
		AT_A_DESK(options_are_answered_for_paths_that_exist),
		AT_A_DESK(head_goes_where_get_goes),
		cmocka_unit_test(each_row_runs_on_its_lane),
		AT_A_DESK(our_own_origin_may_send_forms),
		AT_A_DESK(other_origins_may_not),
		cmocka_unit_test(https_forms_must_say_where_they_come_from),
		AT_A_DESK(token_is_taken_from_header_form_or_json),
		AT_A_DESK(token_in_the_query_is_none),
		AT_A_DESK(wrong_tokens_are_refused),
		AT_A_DESK(token_without_its_cookie_is_refused_and_a_new_cookie_given),
		cmocka_unit_test(site_without_tokens_asks_for_none),
		AT_A_DESK(origin_is_judged_before_the_token_and_the_token_before_the_method),
		AT_A_DESK(unknown_paths_are_unknown_whatever_is_proven),
		cmocka_unit_test(good_bearer_without_cookies_needs_no_csrf_token),
		cmocka_unit_test(bearer_that_is_bad_or_comes_with_cookies_needs_one),
		cmocka_unit_test(pages_do_not_pretend_while_a_far_store_is_away),
		AT_A_DESK(metrics_are_for_the_operators_listener),
		cmocka_unit_test(metrics_may_be_made_public),
		AT_A_DESK(readiness_says_what_is_wrong),
		AT_A_DESK(refusals_of_the_engine_are_said_in_the_dialects_words),
		AT_A_DESK(answers_are_counted_by_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

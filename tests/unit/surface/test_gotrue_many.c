/*
 * Many sites in one: the operator's instances, and requests that name theirs.
 */
#include "lodge.h"

#include <pthread.h>

#include "crypt/jwk.h"
#include "crypt/jwt.h"

#include "base/banned.h"

#define UUID_A "aaaaaaaa-0000-4000-8000-00000000000a"
#define UUID_B "bbbbbbbb-0000-4000-8000-00000000000b"

static const char *sign(struct lodge *l, const char *claims, const char *key)
{
	const struct jwk_terms terms = { .secret_min = 0 };
	const char *why;
	struct jwk *jwk;
	pt_str token;

	EXPECT_ERR(PT_OK, jwk_from_secret(str(key), &terms, &jwk, &why));
	EXPECT_ERR(PT_OK, jwt_sign(l->desk.memory, jwk, str(claims), &token));
	jwk_close(jwk);
	return format(l, "x-nf-sign: $", arena_cstr(l->desk.memory, token), NULL);
}

static const char *instance(struct lodge *l, const char *uuid)
{
	struct heard h = lodge_order(l, HTTP_POST, "/instances",
		format(l, "{\"uuid\":\"$\",\"config\":{\"site_url\":\"" SITE "\"}}", uuid, NULL));

	assert_int_equal(h.status, 201);
	return heard_text(l, &h, "id");
}

static const char *named(struct lodge *l, const char *id)
{
	return sign(l, format(l, "{\"id\":\"$\"}", id, NULL), OPERATOR_TOKEN);
}

static struct heard ask_at(struct lodge *l, enum http_method method, const char *path,
	const char *body, const char *header)
{
	return lodge_ask(l, method, path, body, header, NULL, NULL);
}

/* ---- which one is meant ---- */

static void request_must_name_its_site(void **state)
{
	struct lodge *l = *state;
	struct heard h = lodge_get(l, "/settings");

	EXPECT_SAID(h, 400, "{\"code\":400,\"msg\":\"Operator microservice headers missing\"}");
	h = ask_at(l, HTTP_GET, "/nothing", NULL, NULL);
	assert_int_equal(h.status, 400);
	h = ask_at(l, HTTP_GET, "/settings", NULL,
		sign(l, "{\"id\":\"x\"}", "another key, of 32 bytes or more."));
	EXPECT_SAID(h, 400,
		"{\"code\":400,\"msg\":\"Operator microservice signature is invalid: signature is "
		"invalid\"}");
	h = ask_at(l, HTTP_GET, "/settings", NULL, sign(l, "{}", OPERATOR_TOKEN));
	EXPECT_SAID(h, 400, "{\"code\":400,\"msg\":\"Instance ID is missing\"}");
	h = ask_at(l, HTTP_GET, "/settings", NULL, sign(l, "{\"id\":\"x\"}", OPERATOR_TOKEN));
	EXPECT_SAID(h, 400, "{\"code\":400,\"msg\":\"Instance ID is not a valid UUID\"}");
	h = ask_at(l, HTTP_GET, "/settings", NULL, named(l, UUID_A));
	EXPECT_SAID(h, 404, "{\"code\":404,\"msg\":\"Unable to locate site configuration\"}");
}

static void some_questions_need_no_site(void **state)
{
	assert_int_equal(lodge_get(*state, "/health").status, 200);
	assert_int_equal(lodge_order(*state, HTTP_GET, "/", NULL).status, 200);
	struct heard h = lodge_get(*state, "/");
	EXPECT_SAID(h, 401, "{\"code\":401,\"msg\":\"This endpoint requires a Bearer token\"}");
	h = ask_at(*state, HTTP_GET, "/instances/" UUID_A, NULL, "authorization: Bearer no");
	EXPECT_SAID(
		h, 401, "{\"code\":401,\"msg\":\"Request does not include an Operator token\"}");
	h = lodge_get(*state, "/callback?state=x");
	assert_true(heard_says(&h, "OAuth state is invalid"));
}

static void state_is_no_signature(void **state)
{
	struct lodge *l = *state;
	const char *id = instance(l, UUID_A);
	struct heard h = ask_at(l, HTTP_GET, "/settings", NULL,
		sign(l, format(l, "{\"id\":\"$\",\"provider\":\"github\"}", id, NULL),
			OPERATOR_TOKEN));

	assert_int_equal(h.status, 400);
	h = ask_at(l, HTTP_GET, "/settings", NULL,
		sign(l, format(l, "{\"id\":\"$\",\"function_hooks\":{\"signup\":7}}", id, NULL),
			OPERATOR_TOKEN));
	assert_int_equal(h.status, 400);
	h = ask_at(l, HTTP_GET, "/settings", NULL,
		sign(l,
			format(l,
				"{\"id\":\"$\",\"function_hooks\":{\"signup\":[\"/"
				"a\"],\"login\":\"/b\"}}",
				id, NULL),
			OPERATOR_TOKEN));
	assert_int_equal(h.status, 200);
}

static void sites_do_not_know_each_others_people(void **state)
{
	struct lodge *l = *state;
	const char *a = named(l, instance(l, UUID_A)), *b = named(l, instance(l, UUID_B));
	const char *body = "{\"email\":\"ada@example.org\",\"password\":\"x\"}";

	assert_int_equal(ask_at(l, HTTP_POST, "/signup", body, a).status, 200);
	const char *proof = format(l, "{\"type\":\"signup\",\"token\":\"$\"}",
		desk_letter_secret(&l->desk, PT_LETTER_VERIFY), NULL);
	assert_int_equal(ask_at(l, HTTP_POST, "/verify", proof, b).status, 404);
	struct heard h = ask_at(l, HTTP_POST, "/verify", proof, a);
	assert_int_equal(h.status, 200);
	const char *as = bearer(l, heard_text(l, &h, "access_token"));
	assert_int_equal(lodge_ask(l, HTTP_GET, "/user", NULL, a, as, NULL).status, 200);
	assert_in_range(lodge_ask(l, HTTP_GET, "/user", NULL, b, as, NULL).status, 401, 404);
	assert_int_equal(ask_at(l, HTTP_POST, "/signup", body, b).status, 200);
}

static void sites_are_opened_once_and_closed_when_they_change(void **state)
{
	struct lodge *l = *state;
	const char *id = instance(l, UUID_A);
	const char *a = named(l, id);

	for (int i = 0; i < 3; i++)
		assert_int_equal(ask_at(l, HTTP_GET, "/settings", NULL, a).status, 200);
	assert_int_equal(l->opened, 1);
	struct heard h = lodge_order(l, HTTP_PUT, format(l, "/instances/$", id, NULL),
		"{\"config\":{\"jwt\":{\"exp\":60}}}");
	assert_int_equal(h.status, 200);
	assert_int_equal(l->closed, 1);
	assert_int_equal(ask_at(l, HTTP_GET, "/settings", NULL, a).status, 200);
	assert_int_equal(l->opened, 2);
	assert_int_equal(
		lodge_order(l, HTTP_DELETE, format(l, "/instances/$", id, NULL), NULL).status, 204);
	assert_int_equal(ask_at(l, HTTP_GET, "/settings", NULL, a).status, 404);
	assert_int_equal(l->closed, 2);
}

static void more_sites_than_are_kept_all_answer(void **state)
{
	struct lodge *l = *state;
	const char *id = instance(l, UUID_A);

	for (int i = 0; i < 80; i++) {
		char claims[200];
		snprintf(claims, sizeof(claims),
			"{\"id\":\"%s\",\"site_url\":\"https://%d.example\"}", id, i);
		const char *as = sign(l, claims, OPERATOR_TOKEN);
		assert_int_equal(ask_at(l, HTTP_GET, "/settings", NULL, as).status, 200);
	}
	assert_int_equal(l->opened, 80);
	assert_true(l->closed > 0);
}

static void site_that_cannot_be_opened_is_the_operators_trouble(void **state)
{
	struct lodge *l = *state;
	struct heard h = lodge_order(l, HTTP_POST, "/instances", "{\"uuid\":\"" UUID_A "\"}");
	const char *id = heard_text(l, &h, "id");

	assert_int_equal(h.status, 201);
	h = ask_at(l, HTTP_GET, "/settings", NULL, named(l, id));
	assert_int_equal(h.status, 500);
	assert_true(heard_says(&h, "\"msg\":\"Error loading environment config\""));
}

static const char *leaving;

static void remove_the_instance(struct lodge *l)
{
	struct heard h = lodge_order(l, HTTP_DELETE, leaving, NULL);

	assert_int_equal(h.status, 204);
}

static void site_that_goes_while_it_is_opened_is_not_kept(void **state)
{
	struct lodge *l = *state;
	const char *id = instance(l, UUID_A), *as = named(l, id);

	leaving = format(l, "/instances/$", id, NULL);
	l->opening = remove_the_instance;
	assert_int_equal(ask_at(l, HTTP_GET, "/settings", NULL, as).status, 200);
	assert_int_equal(l->opened, 1);
	assert_int_equal(l->closed, 1);
	assert_int_equal(ask_at(l, HTTP_GET, "/settings", NULL, as).status, 404);
}

struct crowd {
	struct lodge *lodge;
	const char *signature; /* the value of x-nf-sign */
	atomic_int refused;
	atomic_bool done;
};

/* Asks for the same site, over and over, with memory of its own. */
static void *visitor(void *ctx)
{
	struct crowd *crowd = ctx;
	const struct http_app *app = surface_app(crowd->lodge->desk.surface);
	struct arena *arena = arena_open(1 * MIB);
	const struct http_header header = { PT_STR("x-nf-sign"), str(crowd->signature) };

	while (!atomic_load(&crowd->done)) {
		const struct http_request rq = { .arena = arena,
			.method = HTTP_GET,
			.path = PT_STR("/settings"),
			.headers = &header,
			.n_headers = 1,
			.id = PT_STR("0") };
		struct http_response rs;
		http_response_init(&rs, arena);
		app->answer(app->ctx, &rq, &rs);
		if (rs.status != 200)
			atomic_fetch_add(&crowd->refused, 1);
		arena_reset(arena);
	}
	arena_close(arena);
	return NULL;
}

static void site_is_not_closed_under_a_visitor(void **state)
{
	struct lodge *l = *state;
	const char *id = instance(l, UUID_A);
	const char *path = format(l, "/instances/$", id, NULL);
	struct crowd crowd = { .lodge = l, .signature = strchr(named(l, id), ' ') + 1 };
	pthread_t threads[4];

	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, visitor, &crowd), 0);
	for (int i = 0; i < 50; i++) {
		int before = l->opened;
		(void)lodge_order(l, HTTP_PUT, path, "{\"config\":{\"jwt\":{\"exp\":60}}}");
		while (l->opened == before)
			sched_yield();
	}
	atomic_store(&crowd.done, true);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&crowd.refused), 0);
}

/* ---- instances ---- */

static void instance_is_told_without_its_secrets(void **state)
{
	struct lodge *l = *state;
	struct heard h = lodge_order(l, HTTP_POST, "/instances",
		"{\"uuid\":\"" UUID_A "\",\"config\":{\"site_url\":\"" SITE "\","
		"\"jwt\":{\"secret\":\"hush\",\"exp\":60},\"smtp\":{\"pass\":\"hush\"},"
		"\"webhook\":{\"secret\":\"hush\"},\"external\":{\"github\":{\"secret\":\"hush\","
		"\"client_id\":\"me\"},\"saml\":{\"signing_key\":\"hush\"}}}}");

	assert_int_equal(h.status, 201);
	assert_false(heard_says(&h, "hush"));
	assert_true(heard_says(&h,
		"\"config\":{\"site_url\":\"" SITE "\",\"jwt\":{\"exp\":60},\"smtp\":{},"
		"\"webhook\":{},\"external\":{\"github\":{\"client_id\":\"me\"},\"saml\":{}}}"));
	assert_true(
		heard_says(&h, "\"endpoint\":\"https://id.example.org\",\"state\":\"active\"}"));
	h = lodge_order(
		l, HTTP_GET, format(l, "/instances/$", heard_text(l, &h, "id"), NULL), NULL);
	assert_int_equal(h.status, 200);
	assert_false(heard_says(&h, "hush"));
	assert_false(heard_says(&h, "endpoint"));
	h = lodge_order(l, HTTP_POST, "/instances", "{\"uuid\":\"" UUID_A "\"}");
	EXPECT_SAID(h, 400, "{\"code\":400,\"msg\":\"An instance with that UUID already exists\"}");
}

static void secret_that_is_left_out_is_kept_and_an_empty_one_clears(void **state)
{
	struct lodge *l = *state;
	struct heard h = lodge_order(l, HTTP_POST, "/instances",
		"{\"uuid\":\"" UUID_A "\",\"config\":{\"site_url\":\"" SITE
		"\",\"smtp\":{\"pass\":\"hush\"}}}");
	const char *id = heard_text(l, &h, "id");
	const char *path = format(l, "/instances/$", id, NULL);

	(void)lodge_order(l, HTTP_PUT, path, "{\"config\":{\"smtp\":{\"host\":\"i\"}}}");
	assert_int_equal(ask_at(l, HTTP_GET, "/settings", NULL, named(l, id)).status, 200);
	assert_non_null(strstr(l->config, "\"smtp\":{\"pass\":\"hush\",\"host\":\"i\"}"));
	(void)lodge_order(l, HTTP_PUT, path, "{\"config\":{\"SMTP\":{\"Pass\":\"\"}}}");
	assert_int_equal(ask_at(l, HTTP_GET, "/settings", NULL, named(l, id)).status, 200);
	assert_non_null(strstr(l->config, "\"smtp\":{\"pass\":\"\",\"host\":\"i\"}"));
}

static void change_lies_over_what_is_there(void **state)
{
	struct lodge *l = *state;
	struct heard h = lodge_order(l, HTTP_POST, "/instances",
		"{\"uuid\":\"" UUID_A "\",\"config\":{\"smtp\":{\"host\":\"h\",\"pass\":\"hush\"},"
		"\"webhook\":{\"events\":[\"a\",\"b\"]}}}");
	const char *path = format(l, "/instances/$", heard_text(l, &h, "id"), NULL);
	static const struct {
		const char *body, *config;
	} steps[] = {
		{ "{\"config\":{\"smtp\":{\"host\":\"i\"},\"webhook\":{\"events\":[\"c\"]}}}",
			"{\"smtp\":{\"host\":\"i\"},\"webhook\":{\"events\":[\"c\"]}}" },
		{ "{\"config\":{\"smtp\":{\"user\":\"u\",\"host\":null},\"jwt\":{\"exp\":1}}}",
			"{\"smtp\":{\"host\":\"i\",\"user\":\"u\"},\"webhook\":{\"events\":[\"c\"]}"
			","
			"\"jwt\":{\"exp\":1}}" },
		{ "{\"uuid\":\"x\"}", "{\"smtp\":{\"host\":\"i\",\"user\":\"u\"},\"webhook\":{"
				      "\"events\":[\"c\"]},"
				      "\"jwt\":{\"exp\":1}}" },
	};

	for (size_t i = 0; i < COUNT(steps); i++) {
		h = lodge_order(l, HTTP_PUT, path, steps[i].body);
		assert_int_equal(h.status, 200);
		if (!heard_says(&h, steps[i].config))
			fail_msg("%s: %s", steps[i].body, h.body);
	}
}

static void bad_instances_are_refused(void **state)
{
	struct lodge *l = *state;
	struct heard h = lodge_order(l, HTTP_GET, "/instances/x", NULL);

	EXPECT_SAID(h, 400, "{\"code\":400,\"msg\":\"Invalid instance ID\"}");
	h = lodge_order(l, HTTP_GET, "/instances/" UUID_A, NULL);
	EXPECT_SAID(h, 404, "{\"code\":404,\"msg\":\"Instance not found\"}");
	h = lodge_order(l, HTTP_POST, "/instances", "");
	EXPECT_SAID(h, 400, "{\"code\":400,\"msg\":\"Error decoding params: EOF\"}");
	h = lodge_order(l, HTTP_POST, "/instances", "{\"uuid\":\"x\"}");
	assert_int_equal(h.status, 400);
	h = lodge_order(l, HTTP_DELETE, "/instances/" UUID_A, NULL);
	assert_int_equal(h.status, 404);
}

/* ---- elsewhere and back ---- */

static void way_back_needs_no_signature(void **state)
{
	struct lodge *l = *state;
	const char *as = named(l, instance(l, UUID_A));
	pt_str head, rest, cookie;

	l->profile_email = "ada@example.org";
	l->profile_verified = true;
	struct heard h = ask_at(l, HTTP_GET, "/authorize?provider=github", NULL, as);
	assert_int_equal(h.status, 302);
	assert_true(str_cut(str(heard_header(&h, "set-cookie")), ';', &cookie, &rest));
	assert_true(str_cut(str(heard_header(&h, "location")), '=', &head, &rest));
	h = ask_at(l, HTTP_GET,
		format(l, "/callback?code=good&state=$", arena_cstr(l->desk.memory, rest), NULL),
		NULL, format(l, "cookie: $", arena_cstr(l->desk.memory, cookie), NULL));
	assert_int_equal(h.status, 302);
	assert_true(
		str_starts(str(heard_header(&h, "location")), PT_STR(SITE "#access_token=eyJ")));
}

#define AT_A_LODGE(test) cmocka_unit_test_setup_teardown(test, lodge_setup_many, lodge_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_A_LODGE(request_must_name_its_site),
		AT_A_LODGE(some_questions_need_no_site),
		AT_A_LODGE(state_is_no_signature),
		AT_A_LODGE(sites_do_not_know_each_others_people),
		AT_A_LODGE(sites_are_opened_once_and_closed_when_they_change),
		AT_A_LODGE(more_sites_than_are_kept_all_answer),
		AT_A_LODGE(site_is_not_closed_under_a_visitor),
		AT_A_LODGE(site_that_cannot_be_opened_is_the_operators_trouble),
		AT_A_LODGE(site_that_goes_while_it_is_opened_is_not_kept),
		AT_A_LODGE(instance_is_told_without_its_secrets),
		AT_A_LODGE(secret_that_is_left_out_is_kept_and_an_empty_one_clears),
		AT_A_LODGE(change_lies_over_what_is_there),
		AT_A_LODGE(bad_instances_are_refused),
		AT_A_LODGE(way_back_needs_no_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Signing in with an account elsewhere, through the GoTrue dialect.
 */
#include "lodge.h"

#include "base/banned.h"

static const char *after(struct lodge *l, const char *text, const char *part)
{
	const char *at = text ? strstr(text, part) : NULL;

	if (!at)
		fail_msg("no %s in %s", part, text ? text : "(nothing)");
	return arena_cstr(l->desk.memory, str(at + strlen(part)));
}

struct away {
	const char *state;
	const char *cookie; /* as a header */
};

static struct away go(struct lodge *l, const char *query, const char *referer)
{
	struct heard h = lodge_ask(
		l, HTTP_GET, format(l, "/authorize?$", query, NULL), NULL, referer, NULL, NULL);
	pt_str value, rest;

	if (h.status != 302)
		fail_msg("%d %s", h.status, h.body);
	assert_non_null(strstr(h.body, "<a href=\"https://github.example/authorize?state="));
	const char *cookie = heard_header(&h, "set-cookie");
	str_cut(str(after(l, cookie, "pt_away=")), ';', &value, &rest);
	assert_non_null(strstr(cookie, "; Path=/;"));
	assert_non_null(strstr(cookie, "HttpOnly; SameSite=Lax"));
	return (struct away){ after(l, heard_header(&h, "location"), "?state="),
		format(l, "cookie: pt_away=$", arena_cstr(l->desk.memory, value), NULL) };
}

static struct heard come_back(struct lodge *l, const struct away *away, const char *query)
{
	return lodge_ask(l, HTTP_GET, format(l, "/callback?state=$&$", away->state, query), NULL,
		away->cookie, NULL, NULL);
}

static struct lodge *with_profile(void **state, const char *email, bool verified)
{
	struct lodge *l = *state;

	l->profile_email = email;
	l->profile_verified = verified;
	return l;
}

/* ---- off ---- */

static const struct {
	const char *query;
	const char *says;
} refused[] = {
	{ "", "Unsupported provider: Provider  could not be found" },
	{ "?provider=nothing", "Unsupported provider: Provider nothing could not be found" },
	{ "?provider=google", "Unsupported provider: Provider is not enabled" },
	{ "?provider=gitlab", "Unsupported provider: Missing Oauth secret" },
	{ "?provider=saml", "Unsupported provider: SAML Provider is not enabled" },
};

static void providers_that_are_not_offered_are_refused(void **state)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct heard h =
			lodge_get(*state, format(*state, "/authorize$", refused[i].query, NULL));
		if (h.status != 400 || !heard_says(&h, refused[i].says))
			fail_msg("%s: %d %s", refused[i].query, h.status, h.body);
	}
}

static void unknown_invitation_is_refused_before_the_way(void **state)
{
	struct heard h = lodge_get(*state, "/authorize?provider=github&invite_token=x");

	EXPECT_SAID(h, 404, "{\"code\":404,\"msg\":\"User not found\"}");
}

/* ---- back ---- */

static void state_is_asked_for_and_judged(void **state)
{
	struct lodge *l = with_profile(state, "ada@example.org", true);
	struct heard h = lodge_get(l, "/callback?code=good");

	EXPECT_SAID(h, 400, "{\"code\":400,\"msg\":\"OAuth state parameter missing\"}");
	h = lodge_get(l, "/callback?code=good&state=nonsense");
	assert_int_equal(h.status, 400);
	assert_true(heard_says(&h, "\"msg\":\"OAuth state is invalid: "));
	/* Another browser, without the cookie. */
	struct away away = go(l, "provider=GitHub", NULL);
	away.cookie = NULL;
	assert_int_equal(come_back(l, &away, "code=good").status, 400);
}

static void newcomer_comes_back_with_tokens(void **state)
{
	struct lodge *l = with_profile(state, "ada@example.org", true);
	struct away away = go(l, "provider=github", NULL);
	struct heard h = come_back(l, &away, "code=good");

	assert_int_equal(h.status, 302);
	const char *to = heard_header(&h, "location");
	if (!str_starts(str(to), PT_STR(SITE "#access_token=eyJ")))
		fail_msg("%s", to);
	assert_non_null(strstr(to, "&expires_in=3600&refresh_token="));
	assert_non_null(strstr(to, "&token_type=bearer"));
	assert_non_null(strstr(heard_header(&h, "set-cookie"), "pt_away=; Path=/; Max-Age=0"));
	EXPECT_HEADER(&h, "cache-control", "no-store");
}

static void page_of_the_site_is_returned_to(void **state)
{
	static const struct {
		const char *referer, *to;
	} ways[] = {
		{ "referer: " SITE "/a/page?x=1", SITE "/a/page?x=1#access_token=" },
		{ "referer: https://evil.example/", SITE "#access_token=" },
		{ "referer: https://app.example.org@evil.example/", SITE "#access_token=" },
		{ "referer: https://app.example.org\\@evil.example/", SITE "#access_token=" },
		{ "referer: https://app.example.org/a\\b", SITE "#access_token=" },
		{ "referer: http://app.example.org/a", SITE "#access_token=" },
		{ "referer: javascript://app.example.org/a", SITE "#access_token=" },
		{ "referer: https://app.example.org:444/a", SITE "#access_token=" },
	};
	struct lodge *l = with_profile(state, "ada@example.org", true);

	for (size_t i = 0; i < COUNT(ways); i++) {
		struct away away = go(l, "provider=github", ways[i].referer);
		struct heard h = come_back(l, &away, "code=good");
		if (h.status != 302 ||
			!str_starts(str(heard_header(&h, "location")), str(ways[i].to)))
			fail_msg("%s: %s", ways[i].referer, heard_header(&h, "location"));
	}
}

static void elsewhere(struct lodge *l)
{
	l->desk.setup.gotrue.site.redirect_url = PT_STR("https://landing.example.org/in#x");
}

static void one_address_may_be_set_for_all(void **state)
{
	struct lodge l = { .many = false };

	(void)state;
	lodge_open(&l, elsewhere);
	l.profile_email = "ada@example.org";
	l.profile_verified = true;
	struct away away = go(&l, "provider=github", "referer: " SITE "/a");
	struct heard h = come_back(&l, &away, "code=good");
	assert_true(str_starts(str(heard_header(&h, "location")),
		PT_STR("https://landing.example.org/in#access_token=")));
	lodge_close(&l);
}

static void expect_fragment(struct lodge *l, const char *query, const char *fragment)
{
	struct away away = go(l, "provider=github", NULL);
	struct heard h = come_back(l, &away, query);
	const char *to = heard_header(&h, "location");

	if (h.status != 302 || !to || strcmp(to, format(l, SITE "$", fragment, NULL)) != 0)
		fail_msg("%d %s, not %s", h.status, to ? to : h.body, fragment);
}

static void trouble_is_told_to_the_site(void **state)
{
	struct lodge *l = with_profile(state, NULL, true);

	expect_fragment(l, "error=access_denied&error_description=No+thanks%26x",
		"#error=access_denied&error_description=No+thanks%26x");
	expect_fragment(
		l, "x=1", "#error=invalid_request&error_description=Authorization+code+missing");
	expect_fragment(l, "code=bad",
		"#error=server_error&error_description=Unable+to+exchange+external+code+for+github+"
		"provider");
	expect_fragment(l, "code=good",
		"#error=server_error&error_description=Error+getting+user+email+from+external+"
		"provider");
}

static void unconfirmed_address_is_sent_home_without_a_word(void **state)
{
	struct lodge *l = with_profile(state, "ada@example.org", false);

	expect_fragment(l, "code=good", "");
}

static void address_of_somebody_else_is_not_taken_over(void **state)
{
	struct lodge *l = with_profile(state, "ada@example.org", false);

	(void)lodge_enter(l, "ada");
	expect_fragment(l, "code=good",
		"#error=invalid_request&error_description=A+user+with+this+email+address+has+"
		"already+"
		"been+registered");
}

static void closed(struct lodge *l)
{
	l->policy.signup_off = true;
}

static void closed_sign_up_is_told_to_the_site(void **state)
{
	struct lodge l = { .many = false };

	(void)state;
	lodge_open(&l, closed);
	l.profile_email = "ada@example.org";
	l.profile_verified = true;
	expect_fragment(&l, "code=good",
		"#error=access_denied&error_description=Signups+not+allowed+for+this+instance");
	lodge_close(&l);
}

static void unbound(struct lodge *l)
{
	l->desk.setup.gotrue.state_unbound = true;
}

static void clients_without_cookies_may_be_let_through(void **state)
{
	struct lodge l = { .many = false };

	(void)state;
	lodge_open(&l, unbound);
	l.profile_email = "ada@example.org";
	l.profile_verified = true;
	struct heard h = lodge_get(&l, "/authorize?provider=github");
	assert_null(heard_header(&h, "set-cookie"));
	struct away away = { after(&l, heard_header(&h, "location"), "?state="), NULL };
	assert_int_equal(come_back(&l, &away, "code=good").status, 302);
	lodge_close(&l);
}

static void below(struct lodge *l)
{
	l->desk.setup.gotrue.mount = PT_STR("/auth/v1");
}

static void cookie_stays_at_the_callback_of_a_mount(void **state)
{
	struct lodge l = { .many = false };

	(void)state;
	lodge_open(&l, below);
	struct heard h = lodge_get(&l, "/auth/v1/authorize?provider=github");
	assert_non_null(strstr(heard_header(&h, "set-cookie"), "; Path=/auth/v1/callback;"));
	lodge_close(&l);
}

static void saml_is_not_offered(void **state)
{
	struct heard h = lodge_form(*state, "/saml/acs", "");

	EXPECT_SAID(h, 400, "{\"code\":400,\"msg\":\"SAML RelayState is missing\"}");
	h = lodge_form(*state, "/saml/acs", "RelayState=x");
	assert_int_equal(h.status, 400);
	assert_true(heard_says(&h, "OAuth state is invalid"));
}

#define AT_A_LODGE(test) cmocka_unit_test_setup_teardown(test, lodge_setup, lodge_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_A_LODGE(providers_that_are_not_offered_are_refused),
		AT_A_LODGE(unknown_invitation_is_refused_before_the_way),
		AT_A_LODGE(state_is_asked_for_and_judged),
		AT_A_LODGE(newcomer_comes_back_with_tokens),
		AT_A_LODGE(page_of_the_site_is_returned_to),
		cmocka_unit_test(one_address_may_be_set_for_all),
		AT_A_LODGE(trouble_is_told_to_the_site),
		AT_A_LODGE(unconfirmed_address_is_sent_home_without_a_word),
		AT_A_LODGE(address_of_somebody_else_is_not_taken_over),
		cmocka_unit_test(closed_sign_up_is_told_to_the_site),
		cmocka_unit_test(clients_without_cookies_may_be_let_through),
		cmocka_unit_test(cookie_stays_at_the_callback_of_a_mount),
		AT_A_LODGE(saml_is_not_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

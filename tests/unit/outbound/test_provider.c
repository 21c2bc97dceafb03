/*
 * test_provider.c - the OAuth houses: where the browser is sent, what they are asked, who comes back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "outbound/provider.h"
#include "provider_peer.h"

#include "base/banned.h"

#define TOKEN_OK "{\"access_token\":\"t0ken\",\"token_type\":\"bearer\"}"

#define assert_str(text_, literal_)                                  \
	do {                                                         \
		pt_str is_ = (text_);                                \
		assert_string_equal(is_.p ? is_.p : "", (literal_)); \
		assert_int_equal(is_.n, strlen(literal_));           \
	} while (0)

static struct arena *arena;
static struct house_peer *house;

static const struct pt_provider_answer back = {
	.code = PT_STR_INIT("the c&de"),
	.verifier = PT_STR_INIT("verifier-verifier-verifier-verifier-verifier"),
};

static int world_begin(void **state)
{
	const struct fetch_setup system = { 0 };

	(void)state;
	return crypt_open() == PT_OK && fetch_open(&system) == PT_OK ? 0 : -1;
}

static int story_begin(void **state)
{
	(void)state;
	arena = arena_open(8 * MIB);
	house = calloc(1, sizeof(*house));
	house_open(house);
	return arena ? 0 : -1;
}

static int story_end(void **state)
{
	(void)state;
	house_close(house);
	free(house);
	arena_close(arena);
	return 0;
}

static struct provider_setup setup_of(const char *kind)
{
	return (struct provider_setup){
		.kind = str(kind),
		.client_id = PT_STR("id&1"),
		.secret = PT_STR("s&cret"),
		.redirect_uri = PT_STR("https://door.example.org/callback"),
		.allow_private = true,
	};
}

static struct pt_provider open_here(const char *kind)
{
	struct provider_setup setup = setup_of(kind);
	struct pt_provider provider;

	setup.url = str(house->url);
	assert_int_equal(provider_open(&setup, &provider), PT_OK);
	return provider;
}

static void routes_are(const struct house_route *routes, size_t n)
{
	static const struct house_route none[HOUSE_ROUTES];

	house_routes(house, 0, none, HOUSE_ROUTES);
	house_routes(house, 0, routes, n);
}

#define ROUTES(...)                                             \
	routes_are((const struct house_route[]){ __VA_ARGS__ }, \
		sizeof((const struct house_route[]){ __VA_ARGS__ }) / sizeof(struct house_route))

static pt_err come_back(const char *kind, struct pt_profile *out)
{
	struct pt_provider provider = open_here(kind);
	pt_err err = provider.profile(provider.ctx, arena, &back, out);

	provider_close(&provider);
	return err;
}

static pt_str address_of(const struct provider_setup *setup)
{
	const struct pt_provider_ask ask = {
		.state = PT_STR("st.ate"),
		.challenge = PT_STR("chall"),
		.nonce = PT_STR("nonce"),
	};
	struct pt_provider provider;
	pt_str url;

	assert_int_equal(provider_open(setup, &provider), PT_OK);
	assert_int_equal(provider.authorize(provider.ctx, arena, &ask, &url), PT_OK);
	provider_close(&provider);
	return url;
}

/* ---- the address ---- */

#define HEAD "?client_id=id%261"
#define PKCE "&code_challenge=chall&code_challenge_method=S256"
#define TAIL(scope_)                                                                               \
	"&redirect_uri=https%3A%2F%2Fdoor.example.org%2Fcallback&response_type=code&scope=" scope_ \
	"&state=st.ate"

static void the_browser_is_sent_where_the_row_says(void **state)
{
	static const struct {
		const char *kind, *url;
	} rows[] = {
		{ "github",
			"https://github.com/login/oauth/authorize" HEAD PKCE TAIL("user%3Aemail") },
		{ "gitlab", "https://gitlab.com/oauth/authorize" HEAD PKCE TAIL("read_user") },
		{ "bitbucket", "https://bitbucket.org/site/oauth2/authorize" HEAD TAIL(
				       "account%20email") },
		{ "google", "https://accounts.google.com/o/oauth2/auth" HEAD PKCE TAIL(
				    "email%20profile") },
		{ "facebook", "https://www.facebook.com/dialog/oauth" HEAD TAIL("email") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct provider_setup setup = setup_of(rows[i].kind);
		assert_str(address_of(&setup), rows[i].url);
	}
}

static void an_own_url_and_own_scopes_replace_the_rows(void **state)
{
	struct provider_setup setup = setup_of("facebook");

	(void)state;
	setup.url = PT_STR("https://social.example.org/base/");
	setup.scopes = PT_STR("email public_profile");
	assert_str(address_of(&setup),
		"https://social.example.org/base/dialog/oauth" HEAD TAIL("email%20public_profile"));
}

static void the_nonce_is_for_openid_alone(void **state)
{
	const struct provider_setup setup = setup_of("google");

	(void)state;
	assert_false(str_contains(address_of(&setup), PT_STR("nonce")));
}

/* ---- who comes back ---- */

static void github_lists_its_addresses(void **state)
{
	struct pt_profile profile;

	(void)state;
	ROUTES({ "POST /login/oauth/access_token ", 200, TOKEN_OK },
		{ "GET /api/v3/user ", 200,
			"{\"id\":583231,\"login\":\"octo\",\"name\":\"Octo Cat\",\"email\":null,"
			"\"avatar_url\":\"https://a.example/o.png\"}" },
		{ "GET /api/v3/user/emails ", 200,
			"[{\"email\":\"old@example.org\",\"verified\":false,\"primary\":false},"
			"{\"email\":\"octo@example.org\",\"verified\":true,\"primary\":true},"
			"{\"email\":\"\",\"verified\":true}]" });
	assert_int_equal(come_back("github", &profile), PT_OK);
	assert_str(profile.subject, "583231");
	assert_str(profile.full_name, "Octo Cat");
	assert_str(profile.avatar_url, "https://a.example/o.png");
	assert_str(profile.slug, "");
	assert_int_equal(profile.n_emails, 2);
	assert_str(profile.emails[0].address, "old@example.org");
	assert_false(profile.emails[0].verified || profile.emails[0].primary);
	assert_str(profile.emails[1].address, "octo@example.org");
	assert_true(profile.emails[1].verified && profile.emails[1].primary);
}

static void github_has_no_prefix_where_its_api_has_a_host(void **state)
{
	struct provider_setup setup = setup_of("github");
	struct pt_provider provider;
	struct pt_profile profile;
	struct buf b = BUF(arena, KIB);

	(void)state;
	ROUTES({ "POST /api.github.com/login/oauth/access_token ", 200, TOKEN_OK },
		{ "GET /api.github.com/user ", 200, "{\"id\":1}" },
		{ "GET /api.github.com/user/emails ", 200, "[{\"email\":\"o@example.org\"}]" });
	buf_printf(&b, "%s/api.github.com/", house->url);
	setup.url = buf_view(&b);
	assert_int_equal(provider_open(&setup, &provider), PT_OK);
	assert_int_equal(provider.profile(provider.ctx, arena, &back, &profile), PT_OK);
	provider_close(&provider);
}

static void gitlab_confirms_the_own_address_by_its_date(void **state)
{
	struct pt_profile profile;

	(void)state;
	ROUTES({ "POST /oauth/token ", 200, TOKEN_OK },
		{ "GET /api/v4/user ", 200,
			"{\"id\":7,\"name\":\"G\",\"avatar_url\":null,\"email\":\"g@example.org\","
			"\"confirmed_at\":\"2012-05-23T09:05:22Z\"}" },
		{ "GET /api/v4/user/emails ", 200,
			"[{\"id\":1,\"email\":\"h@example.org\",\"verified\":true}]" });
	assert_int_equal(come_back("gitlab", &profile), PT_OK);
	assert_str(profile.subject, "7");
	assert_str(profile.avatar_url, "");
	assert_int_equal(profile.n_emails, 2);
	assert_str(profile.emails[0].address, "h@example.org");
	assert_false(profile.emails[0].verified || profile.emails[0].primary);
	assert_str(profile.emails[1].address, "g@example.org");
	assert_true(profile.emails[1].verified && profile.emails[1].primary);
}

static void gitlab_without_a_date_is_not_confirmed(void **state)
{
	struct pt_profile profile;

	(void)state;
	ROUTES({ "POST /oauth/token ", 200, TOKEN_OK },
		{ "GET /api/v4/user ", 200,
			"{\"id\":7,\"email\":\"g@example.org\",\"confirmed_at\":null}" },
		{ "GET /api/v4/user/emails ", 200, "[]" });
	assert_int_equal(come_back("gitlab", &profile), PT_OK);
	assert_int_equal(profile.n_emails, 1);
	assert_false(profile.emails[0].verified);
}

static void bitbucket_keeps_its_list_in_values(void **state)
{
	struct pt_profile profile;

	(void)state;
	ROUTES({ "POST /site/oauth2/access_token ", 200, TOKEN_OK },
		{ "GET /2.0/user ", 200,
			"{\"uuid\":\"{b1}\",\"display_name\":\"Bit\","
			"\"links\":{\"avatar\":{\"href\":\"https://a.example/b.png\"}}}" },
		{ "GET /2.0/user/emails ", 200,
			"{\"values\":[{\"email\":\"b@example.org\",\"is_confirmed\":true,"
			"\"is_primary\":true}]}" });
	assert_int_equal(come_back("bitbucket", &profile), PT_OK);
	assert_str(profile.subject, "{b1}");
	assert_str(profile.full_name, "Bit");
	assert_str(profile.avatar_url, "https://a.example/b.png");
	assert_int_equal(profile.n_emails, 1);
	assert_true(profile.emails[0].verified && profile.emails[0].primary);
}

static void google_says_all_at_once(void **state)
{
	struct pt_profile profile;

	(void)state;
	ROUTES({ "POST /o/oauth2/token ", 200, TOKEN_OK },
		{ "GET /userinfo/v2/me ", 200,
			"{\"id\":\"1045\",\"email\":\"g@example.org\",\"verified_email\":true,"
			"\"name\":\"Goo Gle\",\"picture\":\"https://a.example/g\"}" });
	assert_int_equal(come_back("google", &profile), PT_OK);
	assert_str(profile.subject, "1045");
	assert_str(profile.full_name, "Goo Gle");
	assert_str(profile.avatar_url, "https://a.example/g");
	assert_int_equal(profile.n_emails, 1);
	assert_true(profile.emails[0].verified && profile.emails[0].primary);
}

static void facebook_is_shown_that_we_know_the_secret(void **state)
{
	struct provider_setup setup = setup_of("facebook");
	struct pt_provider provider;
	struct pt_profile profile;

	(void)state;
	ROUTES({ "POST /oauth/access_token ", 200, "{\"access_token\":\"fbtoken\"}" },
		{ "GET /me?", 200,
			"{\"id\":\"42\",\"email\":\"f@example.org\",\"first_name\":\" Ann \","
			"\"last_name\":\"Lee\",\"name\":\"annlee\","
			"\"picture\":{\"data\":{\"url\":\"https://a.example/f.jpg\"}}}" });
	setup.url = str(house->url);
	setup.secret = PT_STR("fbsecret");
	assert_int_equal(provider_open(&setup, &provider), PT_OK);
	assert_string_equal(provider.name, "facebook");
	assert_int_equal(provider.profile(provider.ctx, arena, &back, &profile), PT_OK);
	provider_close(&provider);
	assert_str(profile.full_name, "Ann Lee");
	assert_str(profile.slug, "annlee");
	assert_str(profile.avatar_url, "https://a.example/f.jpg");
	assert_true(profile.emails[0].verified && profile.emails[0].primary);
	assert_non_null(strstr(house->calls[1],
		"GET /me?fields=email,first_name,last_name,name,picture&appsecret_proof="
		"5cd4894ccb171d5ccc7a9e0f85586b375f73c6a9d9563f963aa65537c4249278 HTTP/1.1\r\n"));
}

/* ---- what they are asked ---- */

static void the_code_is_shown_in_a_form_with_our_credentials(void **state)
{
	struct pt_profile profile;

	(void)state;
	ROUTES({ "POST /o/oauth2/token ", 200, TOKEN_OK },
		{ "GET /userinfo/v2/me ", 200, "{\"id\":\"1\",\"email\":\"g@example.org\"}" });
	assert_int_equal(come_back("google", &profile), PT_OK);
	assert_int_equal(house_calls(house), 2);
	assert_non_null(strstr(house->calls[0], "\r\nAccept: application/json\r\n"));
	assert_non_null(
		strstr(house->calls[0], "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
	assert_null(strstr(house->calls[0], "\r\nAuthorization:"));
	assert_non_null(strstr(house->calls[0],
		"\r\n\r\ngrant_type=authorization_code&code=the%20c%26de"
		"&redirect_uri=https%3A%2F%2Fdoor.example.org%2Fcallback"
		"&code_verifier=verifier-verifier-verifier-verifier-verifier"
		"&client_id=id%261&client_secret=s%26cret"));
	assert_non_null(strstr(house->calls[1], "\r\nAuthorization: Bearer t0ken\r\n"));
	assert_non_null(strstr(house->calls[1], "\r\nUser-Agent: "));
}

static void who_has_no_pkce_is_not_asked_with_it(void **state)
{
	struct pt_profile profile;

	(void)state;
	ROUTES({ "POST /site/oauth2/access_token ", 200, TOKEN_OK });
	assert_int_equal(come_back("bitbucket", &profile), PT_E_PROVIDER_PROFILE);
	assert_null(strstr(house->calls[0], "code_verifier"));
}

static void an_answer_may_be_a_form(void **state)
{
	struct pt_profile profile;

	(void)state;
	ROUTES({ "POST /login/oauth/access_token ", 200,
		       "access_token=gh%5Fo&scope=user%3Aemail&token_type=bearer" },
		{ "GET /api/v3/user ", 200, "{\"id\":1}" },
		{ "GET /api/v3/user/emails ", 200, "[{\"email\":\"o@example.org\"}]" });
	assert_int_equal(come_back("github", &profile), PT_OK);
	assert_non_null(strstr(house->calls[2], "\r\nAuthorization: Bearer gh_o\r\n"));
}

/* ---- refusals ---- */

static void a_code_that_is_not_taken_is_refused(void **state)
{
	static const struct house_route answers[] = {
		{ "POST", 200, "{\"error\":\"bad_verification_code\"}" },
		{ "POST", 400, "{\"error\":\"invalid_grant\"}" },
		{ "POST", 400, TOKEN_OK },
		{ "POST", 500, "<html>" },
		{ "POST", 302, "" },
		{ "POST", 200, "" },
		{ "POST", 200, "<html>" },
		{ "POST", 200, "{\"access_token\":7}" },
		{ "POST", 200, "{\"access_token\":\"a b\"}" },
		{ "POST", 200, "{\"access_token\":\"t\",\"token_type\":\"mac\"}" },
	};
	struct pt_profile profile;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		routes_are(&answers[i], 1);
		assert_int_equal(come_back("google", &profile), PT_E_PROVIDER_EXCHANGE);
		assert_int_equal(house_calls(house), i + 1);
	}
}

static void a_profile_that_does_not_come_is_refused(void **state)
{
	static const struct house_route answers[] = {
		{ "GET", 401, "{\"id\":\"1\",\"email\":\"g@example.org\"}" },
		{ "GET", 302, "" },
		{ "GET", 200, "" },
		{ "GET", 200, "<html>" },
		{ "GET", 200, "[]" },
		{ "GET", 200, "{\"id\":\"1\"}" },
		{ "GET", 200, "{\"id\":\"1\",\"email\":\"\"}" },
		{ "GET", 200, "{\"id\":\"1\",\"email\":\"a@b\",\"email\":\"c@d\"}" },
	};
	struct pt_profile profile;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		ROUTES({ "POST ", 200, TOKEN_OK }, answers[i]);
		assert_int_equal(come_back("google", &profile), PT_E_PROVIDER_PROFILE);
	}
}

static void a_list_of_addresses_that_does_not_come_is_refused(void **state)
{
	struct pt_profile profile;

	(void)state;
	ROUTES({ "POST ", 200, TOKEN_OK },
		{ "GET /api/v3/user ", 200, "{\"id\":1,\"email\":\"o@example.org\"}" },
		{ "GET /api/v3/user/emails ", 403, "[{\"email\":\"o@example.org\"}]" });
	assert_int_equal(come_back("github", &profile), PT_E_PROVIDER_PROFILE);
}

static void too_large_an_answer_is_refused(void **state)
{
	enum { MEBIBYTE = 1024 * 1024 };
	char *large = arena_alloc(arena, MEBIBYTE + 64);
	struct pt_profile profile;

	(void)state;
	assert_non_null(large);
	memset(large, ' ', MEBIBYTE + 1);
	ROUTES({ "POST ", 200, large });
	assert_int_equal(come_back("google", &profile), PT_E_PROVIDER_EXCHANGE);
	ROUTES({ "POST ", 200, TOKEN_OK }, { "GET ", 200, large });
	assert_int_equal(come_back("google", &profile), PT_E_PROVIDER_PROFILE);
}

static void a_house_that_is_away_is_refused(void **state)
{
	struct provider_setup setup = setup_of("github");
	struct pt_provider provider;
	struct pt_profile profile;

	(void)state;
	setup.url = PT_STR("http://127.0.0.1:1");
	assert_int_equal(provider_open(&setup, &provider), PT_OK);
	assert_int_equal(
		provider.profile(provider.ctx, arena, &back, &profile), PT_E_PROVIDER_EXCHANGE);
	provider_close(&provider);
}

static void no_code_asks_nobody(void **state)
{
	const struct pt_provider_answer empty = { 0 };
	struct pt_provider provider = open_here("github");
	struct pt_profile profile;

	(void)state;
	assert_int_equal(
		provider.profile(provider.ctx, arena, &empty, &profile), PT_E_PROVIDER_EXCHANGE);
	assert_int_equal(house_calls(house), 0);
	provider_close(&provider);
}

static void private_addresses_are_not_asked_unless_allowed(void **state)
{
	struct provider_setup setup = setup_of("github");
	struct pt_provider provider;

	(void)state;
	setup.url = str(house->url);
	setup.allow_private = false;
	assert_int_equal(provider_open(&setup, &provider), PT_F_CONFIG);
}

/* What the log says of refused sign-ins. */
static size_t log_of(const char *kind, char *out, size_t size)
{
	struct pt_profile profile;
	int kept = dup(STDERR_FILENO), pipes[2];

	assert_int_equal(pipe(pipes), 0);
	assert_true(dup2(pipes[1], STDERR_FILENO) >= 0);
	assert_int_not_equal(come_back(kind, &profile), PT_OK);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	close(pipes[1]);
	ssize_t n = read(pipes[0], out, size - 1);
	out[n > 0 ? n : 0] = '\0';
	close(pipes[0]);
	close(kept);
	return strlen(out);
}

static void the_log_says_why_and_no_secret(void **state)
{
	static const char *const secrets[] = { "s&cret", "s%26cret", "the c&de", "the%20c%26de",
		"t0ken", "verifier-" };
	char log[16384];

	(void)state;
	ROUTES({ "POST ", 400, "{\"error\":\"s&cret\",\"error_description\":\"the c&de\"}" });
	assert_true(log_of("google", log, sizeof(log)) > 0);
	assert_non_null(strstr(log, "provider.refused"));
	assert_non_null(strstr(log, "google"));
	ROUTES({ "POST ", 200, TOKEN_OK }, { "GET ", 401, "t0ken" });
	assert_true(log_of("google", log + strlen(log), sizeof(log) - strlen(log)) > 0);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		assert_null(strstr(log, secrets[i]));
}

/* ---- opening ---- */

static void half_a_registration_is_refused(void **state)
{
	struct provider_setup setup;
	struct pt_provider provider;

	(void)state;
	setup = setup_of("github");
	setup.client_id = PT_STR("");
	assert_int_equal(provider_open(&setup, &provider), PT_F_CONFIG);
	setup = setup_of("github");
	setup.secret = PT_STR("");
	assert_int_equal(provider_open(&setup, &provider), PT_F_CONFIG);
	setup = setup_of("github");
	setup.redirect_uri = PT_STR("");
	assert_int_equal(provider_open(&setup, &provider), PT_F_CONFIG);
	setup = setup_of("github");
	setup.url = PT_STR("github.example.org");
	assert_int_equal(provider_open(&setup, &provider), PT_F_CONFIG);
	setup = setup_of("myspace");
	assert_int_equal(provider_open(&setup, &provider), PT_F_CONFIG);
}

static void an_issuer_needs_a_name_of_its_own_and_a_url(void **state)
{
	struct provider_setup setup = setup_of("oidc");
	struct pt_provider provider;

	(void)state;
	setup.url = PT_STR("https://id.example.org");
	assert_int_equal(provider_open(&setup, &provider), PT_F_CONFIG);
	setup.name = PT_STR("github");
	assert_int_equal(provider_open(&setup, &provider), PT_F_CONFIG);
	setup.name = PT_STR("The House");
	assert_int_equal(provider_open(&setup, &provider), PT_F_CONFIG);
	setup.name = PT_STR("house");
	setup.scopes = PT_STR("email");
	assert_int_equal(provider_open(&setup, &provider), PT_F_CONFIG);
	setup.scopes = PT_STR("email openid");
	assert_int_equal(provider_open(&setup, &provider), PT_OK);
	assert_string_equal(provider.name, "house");
	provider_close(&provider);
	provider_close(&provider);
	setup.url = PT_STR("");
	assert_int_equal(provider_open(&setup, &provider), PT_F_CONFIG);
}

static void the_known_kinds_are_the_rows_and_openid(void **state)
{
	static const char *const kinds[] = { "bitbucket", "facebook", "github", "gitlab", "google",
		"oidc" };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		assert_true(provider_is_known(str(kinds[i])));
	assert_false(provider_is_known(PT_STR("GitHub")));
	assert_false(provider_is_known(PT_STR("")));
	provider_close(NULL);
}

#define STORY(name_) cmocka_unit_test_setup_teardown(name_, story_begin, story_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(the_browser_is_sent_where_the_row_says),
		STORY(an_own_url_and_own_scopes_replace_the_rows),
		STORY(the_nonce_is_for_openid_alone),
		STORY(github_lists_its_addresses),
		STORY(github_has_no_prefix_where_its_api_has_a_host),
		STORY(gitlab_confirms_the_own_address_by_its_date),
		STORY(gitlab_without_a_date_is_not_confirmed),
		STORY(bitbucket_keeps_its_list_in_values),
		STORY(google_says_all_at_once),
		STORY(facebook_is_shown_that_we_know_the_secret),
		STORY(the_code_is_shown_in_a_form_with_our_credentials),
		STORY(who_has_no_pkce_is_not_asked_with_it),
		STORY(an_answer_may_be_a_form),
		STORY(a_code_that_is_not_taken_is_refused),
		STORY(a_profile_that_does_not_come_is_refused),
		STORY(a_list_of_addresses_that_does_not_come_is_refused),
		STORY(too_large_an_answer_is_refused),
		STORY(a_house_that_is_away_is_refused),
		STORY(no_code_asks_nobody),
		STORY(private_addresses_are_not_asked_unless_allowed),
		STORY(the_log_says_why_and_no_secret),
		STORY(half_a_registration_is_refused),
		STORY(an_issuer_needs_a_name_of_its_own_and_a_url),
		STORY(the_known_kinds_are_the_rows_and_openid),
	};

	return cmocka_run_group_tests(tests, world_begin, NULL);
}

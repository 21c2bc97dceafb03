/*
 * test_provider_oidc.c - an issuer is looked at, believed for an hour, and checked in every claim.
 *
 * The clock is ours: linked with --wrap=clock_now.
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
#include "crypt/jwt.h"
#include "outbound/provider_private.h"
#include "provider_peer.h"

#include "base/banned.h"

pt_time __real_clock_now(void);
pt_time __wrap_clock_now(void);

enum { DISCOVERY, KEYS, TOKEN, USERINFO };

static pt_time ahead;
static struct arena *arena;
static struct house_peer *house;
static struct pt_provider provider;
static struct jwk *key, *other;

static const struct pt_provider_answer back = {
	.code = PT_STR_INIT("code"),
	.verifier = PT_STR_INIT("verifier-verifier-verifier-verifier-verifier"),
	.nonce = PT_STR_INIT("n-0S6_WzA2Mj"),
};
static const struct pt_provider_ask ask = {
	.state = PT_STR_INIT("st.ate"),
	.challenge = PT_STR_INIT("chall"),
	.nonce = PT_STR_INIT("n-0S6_WzA2Mj"),
};

pt_time __wrap_clock_now(void)
{
	return __real_clock_now() + __atomic_load_n(&ahead, __ATOMIC_SEQ_CST);
}

/* ---- the issuer ---- */

__attribute__((format(printf, 1, 2))) static pt_str text(const char *format, ...)
{
	char *room = arena_alloc(arena, 32 * KIB);
	va_list args;

	va_start(args, format);
	int n = vsnprintf(room, 32 * KIB, format, args);
	va_end(args);
	assert_true(n >= 0 && n < (int)(32 * KIB));
	return str(room);
}

/* In the order of the enum above. */
static const char *const lines[] = { "GET /.well-known/openid-configuration ", "GET /keys ",
	"POST /token ", "GET /me " };

static void answers(size_t which, int status, pt_str body)
{
	house_routes(house, which, &(struct house_route){ lines[which], status, body.p }, 1);
}

static void metadata_is(const char *more)
{
	const char *at = house->url;

	answers(DISCOVERY, 200,
		text("{\"issuer\":\"%s\",\"authorization_endpoint\":\"%s/auth\","
		     "\"token_endpoint\":\"%s/token\",\"jwks_uri\":\"%s/keys\"%s}",
			at, at, at, at, more));
}

static const char *userinfo_too(void)
{
	return text(",\"userinfo_endpoint\":\"%s/me\"", house->url).p;
}

static void keys_are(const struct jwk *only)
{
	pt_str list;

	assert_int_equal(jwk_list_format(arena, &only, 1, &list), PT_OK);
	answers(KEYS, 200, list);
}

static long long seconds_now(void)
{
	return (long long)(clock_now() / PT_SECOND);
}

static void token_is(pt_str id_token)
{
	answers(TOKEN, 200,
		text("{\"access_token\":\"t0ken\",\"token_type\":\"Bearer\",\"id_token\":\"%s\"}",
			id_token.p));
}

static void claims_are(const struct jwk *signer, pt_str claims)
{
	pt_str token;

	assert_int_equal(jwt_sign(arena, signer, claims, &token), PT_OK);
	token_is(token);
}

/* Good claims with some of them said otherwise; "" of `aud` and so on is the good one. */
struct said {
	const char *iss, *aud, *sub, *nonce, *exp, *iat, *more;
};

static pt_str claims_with(const struct said *said)
{
	const char *iss = said->iss ? said->iss : text("\"%s\"", house->url).p;
	const char *exp = said->exp ? said->exp : text("%lld", seconds_now() + 300).p;
	const char *iat = said->iat ? said->iat : text(",\"iat\":%lld", seconds_now()).p;

	return text("{\"iss\":%s,\"aud\":%s,\"sub\":%s%s,\"exp\":%s%s%s}", iss,
		said->aud ? said->aud : "\"our&id\"", said->sub ? said->sub : "\"ann\"",
		said->nonce ? said->nonce : ",\"nonce\":\"n-0S6_WzA2Mj\"", exp, iat,
		said->more ? said->more
			   : ",\"email\":\"ann@example.org\",\"email_verified\":true,"
			     "\"name\":\"Ann Lee\",\"picture\":\"https://a.example/a\","
			     "\"preferred_username\":\"annlee\"");
}

static void person_is(const struct said *said)
{
	claims_are(key, claims_with(said));
}

static void provider_begin(pt_str issuer)
{
	const struct provider_setup setup = {
		.kind = PT_STR("oidc"),
		.name = PT_STR("house"),
		.client_id = PT_STR("our&id"),
		.secret = PT_STR("our secret of thirty-two bytes, at least"),
		.redirect_uri = PT_STR("https://door.example.org/callback"),
		.url = issuer,
		.allow_private = true,
	};

	provider_close(&provider);
	assert_int_equal(provider_open(&setup, &provider), PT_OK);
}

static int world_begin(void **state)
{
	const struct fetch_setup system = { 0 };

	(void)state;
	if (crypt_open() != PT_OK || fetch_open(&system) != PT_OK)
		return -1;
	return jwk_generate(JWK_ES256, PT_STR("one"), &key) == PT_OK &&
			       jwk_generate(JWK_ES256, PT_STR("two"), &other) == PT_OK
		       ? 0
		       : -1;
}

static int world_end(void **state)
{
	(void)state;
	jwk_close(key);
	jwk_close(other);
	return 0;
}

static int story_begin(void **state)
{
	(void)state;
	ahead = 0;
	arena = arena_open(32 * MIB);
	house = calloc(1, sizeof(*house));
	house_open(house);
	metadata_is("");
	keys_are(key);
	person_is(&(struct said){ 0 });
	answers(USERINFO, 404, PT_STR("{}"));
	provider_begin(str(house->url));
	return arena ? 0 : -1;
}

static int story_end(void **state)
{
	(void)state;
	provider_close(&provider);
	house_close(house);
	free(house);
	arena_close(arena);
	return 0;
}

static pt_err come_back(struct pt_profile *out)
{
	return provider.profile(provider.ctx, arena, &back, out);
}

static pt_err outcome(void)
{
	struct pt_profile profile;

	return come_back(&profile);
}

static int times_asked(const char *line)
{
	int times = 0;

	for (int i = 0; i < house_calls(house) && i < HOUSE_CALLS; i++)
		times += strncmp(house->calls[i], line, strlen(line)) == 0;
	return times;
}

static pt_str address(void)
{
	pt_str url;

	assert_int_equal(provider.authorize(provider.ctx, arena, &ask, &url), PT_OK);
	return url;
}

/* ---- the address ---- */

#define TAIL                                                                         \
	"&nonce=n-0S6_WzA2Mj&redirect_uri=https%3A%2F%2Fdoor.example.org%2Fcallback" \
	"&response_type=code&scope=openid%20email%20profile&state=st.ate"

static void the_browser_is_sent_where_the_issuer_says(void **state)
{
	pt_str url = address();

	(void)state;
	assert_true(str_starts(url, str(house->url)));
	assert_string_equal(url.p + strlen(house->url),
		"/auth?client_id=our%26id&code_challenge=chall&code_challenge_method=S256" TAIL);
}

static void an_issuer_that_says_what_pkce_it_has_is_believed(void **state)
{
	(void)state;
	metadata_is(",\"code_challenge_methods_supported\":[\"plain\"]");
	assert_false(str_contains(address(), PT_STR("code_challenge")));
	assert_int_equal(outcome(), PT_OK);
	assert_null(strstr(house->calls[house_calls(house) - 1], "code_verifier"));

	metadata_is(",\"code_challenge_methods_supported\":[\"plain\",\"S256\"]");
	provider_begin(str(house->url));
	assert_true(str_contains(address(), PT_STR("code_challenge=chall")));
	assert_int_equal(outcome(), PT_OK);
	assert_non_null(strstr(house->calls[house_calls(house) - 1], "code_verifier=verifier-"));
}

static void an_endpoint_may_have_a_query(void **state)
{
	const char *at = house->url;

	(void)state;
	answers(DISCOVERY, 200,
		text("{\"issuer\":\"%s\",\"authorization_endpoint\":\"https://a/b?tenant=1\","
		     "\"token_endpoint\":\"%s/token\",\"jwks_uri\":\"%s/keys\"}",
			at, at, at));
	assert_true(str_starts(address(), PT_STR("https://a/b?tenant=1&client_id=our%26id&")));
}

static void without_a_nonce_nobody_goes(void **state)
{
	const struct pt_provider_ask no_nonce = { .state = PT_STR("s") };
	const struct pt_provider_answer nor_back = { .code = PT_STR("c") };
	struct pt_profile profile;
	pt_str url;

	(void)state;
	assert_int_equal(provider.authorize(provider.ctx, arena, &no_nonce, &url), PT_F_BUG);
	assert_int_equal(provider.profile(provider.ctx, arena, &nor_back, &profile), PT_F_BUG);
	assert_int_equal(house_calls(house), 0);
}

/* ---- who comes back ---- */

static void the_id_token_says_who_came_back(void **state)
{
	struct pt_profile profile;

	(void)state;
	assert_int_equal(come_back(&profile), PT_OK);
	assert_string_equal(profile.subject.p, "ann");
	assert_string_equal(profile.full_name.p, "Ann Lee");
	assert_string_equal(profile.avatar_url.p, "https://a.example/a");
	assert_string_equal(profile.slug.p, "annlee");
	assert_int_equal(profile.n_emails, 1);
	assert_string_equal(profile.emails[0].address.p, "ann@example.org");
	assert_true(profile.emails[0].verified && profile.emails[0].primary);
	assert_int_equal(times_asked("GET /me"), 0);
}

static void every_algorithm_with_two_keys_is_read(void **state)
{
	static const enum jwk_algorithm algorithms[] = { JWK_RS256, JWK_ES256, JWK_EDDSA };

	(void)state;
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		struct jwk *made;

		assert_int_equal(jwk_generate(algorithms[i], PT_STR("made"), &made), PT_OK);
		keys_are(made);
		claims_are(made, claims_with(&(struct said){ 0 }));
		provider_begin(str(house->url));
		assert_int_equal(outcome(), PT_OK);
		claims_are(other, claims_with(&(struct said){ 0 }));
		assert_int_equal(outcome(), PT_E_PROVIDER_PROFILE);
		jwk_close(made);
	}
}

static void only_the_boolean_verifies(void **state)
{
	static const char *const unproven[] = { "\"true\"", "\"false\"", "false", "1", "null" };
	struct pt_profile profile;

	(void)state;
	for (size_t i = 0; i < sizeof(unproven) / sizeof(unproven[0]); i++) {
		person_is(&(struct said){ .more = text(",\"email\":\"ann@example.org\","
						       "\"email_verified\":%s",
						  unproven[i])
							  .p });
		assert_int_equal(come_back(&profile), PT_OK);
		assert_false(profile.emails[0].verified);
	}
	person_is(&(struct said){ .more = ",\"email\":\"ann@example.org\"" });
	assert_int_equal(come_back(&profile), PT_OK);
	assert_false(profile.emails[0].verified);
}

static void a_token_for_us_among_others_is_ours(void **state)
{
	(void)state;
	person_is(&(struct said){ .aud = "[\"our&id\"]" });
	assert_int_equal(outcome(), PT_OK);
	person_is(&(struct said){ .aud = "[\"x\",\"our&id\"],\"azp\":\"our&id\"" });
	assert_int_equal(outcome(), PT_OK);
}

/* ---- what is refused ---- */

static void a_claim_that_is_not_right_lets_nobody_in(void **state)
{
	const char *past = text("%lld", seconds_now() - 1).p;
	const char *future = text(",\"iat\":%lld", seconds_now() + 120).p;
	const char *slash = text("\"%s/\"", house->url).p;
	char *longest = arena_alloc(arena, 4096);
	memset(longest, 'x', 300);
	const struct said wrong[] = {
		{ .iss = "\"https://evil.example\"" },
		{ .iss = slash },
		{ .iss = "null" },
		{ .iss = text("[\"%s\"]", house->url).p },
		{ .aud = "\"other\"" },
		{ .aud = "\"our&id \"" },
		{ .aud = "null" },
		{ .aud = "[]" },
		{ .aud = "[\"other\"]" },
		{ .aud = "[\"our&id\",\"other\"]" },
		{ .aud = "[\"our&id\",\"other\"],\"azp\":\"other\"" },
		{ .aud = "\"our&id\",\"azp\":\"other\"" },
		{ .aud = "\"our&id\",\"azp\":7" },
		{ .aud = "{\"our&id\":true}" },
		{ .sub = "7" },
		{ .sub = "\"\"" },
		{ .sub = "null" },
		{ .sub = "\"a\\u0000b\"" },
		{ .sub = "\"a\\nb\"" },
		{ .sub = text("\"%s\"", longest).p },
		{ .nonce = "" },
		{ .nonce = ",\"nonce\":\"\"" },
		{ .nonce = ",\"nonce\":\"other\"" },
		{ .nonce = ",\"nonce\":[\"n-0S6_WzA2Mj\"]" },
		{ .exp = past },
		{ .exp = "\"9999999999\"" },
		{ .exp = "null" },
		{ .iat = "" },
		{ .iat = future },
		{ .iat = ",\"iat\":\"1\"" },
		{ .more = "" },
		{ .more = ",\"email\":\"\"" },
		{ .more = ",\"email\":{}" },
		{ .more = ",\"email\":\"a@b\",\"sub\":\"other\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		person_is(&wrong[i]);
		assert_int_equal(outcome(), PT_E_PROVIDER_PROFILE);
	}
	person_is(&(struct said){ 0 });
	assert_int_equal(outcome(), PT_OK);
}

static void unsigned_or_signed_with_our_secret_is_refused(void **state)
{
	const struct jwk_terms terms = { .kid = PT_STR("one") };
	pt_str claims = claims_with(&(struct said){ 0 });
	struct buf none = BUF(arena, 8 * KIB);
	struct jwk *secret;

	(void)state;
	assert_int_equal(jwk_from_secret(PT_STR("our secret of thirty-two bytes, at least"), &terms,
				 &secret, NULL),
		PT_OK);
	claims_are(secret, claims);
	assert_int_equal(outcome(), PT_E_PROVIDER_PROFILE);
	jwk_close(secret);

	buf_base64url(&none, "{\"alg\":\"none\"}", 14);
	buf_char(&none, '.');
	buf_base64url(&none, claims.p, claims.n);
	buf_char(&none, '.');
	token_is(buf_view(&none));
	assert_int_equal(outcome(), PT_E_PROVIDER_PROFILE);

	answers(TOKEN, 200, PT_STR("{\"access_token\":\"t0ken\"}"));
	assert_int_equal(outcome(), PT_E_PROVIDER_PROFILE);
}

static void a_code_that_is_not_taken_is_refused(void **state)
{
	(void)state;
	answers(TOKEN, 400, PT_STR("{\"error\":\"invalid_grant\"}"));
	assert_int_equal(outcome(), PT_E_PROVIDER_EXCHANGE);
}

static void an_issuer_that_is_not_what_we_were_told_is_refused(void **state)
{
	const char *at = house->url;
	const pt_str wrong[] = {
		PT_STR(""),
		PT_STR("[]"),
		PT_STR("{}"),
		PT_STR("<html>"),
		text("{\"issuer\":\"%s/\",\"authorization_endpoint\":\"%s/auth\","
		     "\"token_endpoint\":\"%s/token\",\"jwks_uri\":\"%s/keys\"}",
			at, at, at, at),
		text("{\"issuer\":\"%s\",\"authorization_endpoint\":\"javascript:x\","
		     "\"token_endpoint\":\"%s/token\",\"jwks_uri\":\"%s/keys\"}",
			at, at, at),
		text("{\"issuer\":\"%s\",\"authorization_endpoint\":\"%s/auth\","
		     "\"token_endpoint\":\"file:///etc/passwd\",\"jwks_uri\":\"%s/keys\"}",
			at, at, at),
		text("{\"issuer\":\"%s\",\"authorization_endpoint\":\"%s/auth\","
		     "\"token_endpoint\":\"%s/token\"}",
			at, at, at),
	};
	pt_str url;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		answers(DISCOVERY, 200, wrong[i]);
		provider_begin(str(at));
		assert_int_equal(provider.authorize(provider.ctx, arena, &ask, &url),
			PT_E_PROVIDER_EXCHANGE);
	}
}

static void a_slash_that_ends_an_issuer_is_its_name(void **state)
{
	pt_str issuer = text("%s/", house->url);
	const char *at = house->url;

	(void)state;
	answers(DISCOVERY, 200,
		text("{\"issuer\":\"%s/\",\"authorization_endpoint\":\"%s/auth\","
		     "\"token_endpoint\":\"%s/token\",\"jwks_uri\":\"%s/keys\"}",
			at, at, at, at));
	provider_begin(issuer);
	person_is(&(struct said){ .iss = text("\"%s\"", issuer.p).p });
	assert_int_equal(outcome(), PT_OK);
	person_is(&(struct said){ 0 });
	assert_int_equal(outcome(), PT_E_PROVIDER_PROFILE);
}

static void no_nonce_is_never_the_right_one(void **state)
{
	struct id_token_terms terms = {
		.issuer = str(house->url),
		.client_id = PT_STR("our&id"),
		.nonce = PT_STR("n"),
		.now = clock_now(),
	};
	struct json_value claims;
	const char *why;

	(void)state;
	pt_str said = claims_with(&(struct said){ .nonce = ",\"nonce\":\"n\"" });
	assert_int_equal(json_read(arena, said, &claims), PT_OK);
	assert_int_equal(id_token_check(&claims, &terms, &why), PT_OK);
	said = claims_with(&(struct said){ .nonce = ",\"nonce\":\"\"" });
	assert_int_equal(json_read(arena, said, &claims), PT_OK);
	terms.nonce = PT_STR("");
	assert_int_equal(id_token_check(&claims, &terms, &why), PT_E_TOKEN);
}

#define SECRET_KEY                                     \
	"{\"keys\":[{\"kty\":\"oct\",\"kid\":\"one\"," \
	"\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}"

static void an_issuer_without_a_usable_key_is_refused(void **state)
{
	static const char *const lists[] = { "", "{}", "{\"keys\":[]}", "{\"keys\":7}",
		SECRET_KEY };

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		answers(KEYS, 200, str(lists[i]));
		provider_begin(str(house->url));
		assert_int_equal(outcome(), PT_E_PROVIDER_EXCHANGE);
	}
}

/* ---- what is kept ---- */

static void an_issuer_is_looked_at_once_an_hour(void **state)
{
	(void)state;
	address();
	assert_int_equal(outcome(), PT_OK);
	assert_int_equal(outcome(), PT_OK);
	assert_int_equal(times_asked("GET /.well-known"), 1);
	assert_int_equal(times_asked("GET /keys"), 1);
	ahead = 61 * PT_MINUTE;
	person_is(&(struct said){ 0 });
	assert_int_equal(outcome(), PT_OK);
	assert_int_equal(times_asked("GET /.well-known"), 2);
	assert_int_equal(times_asked("GET /keys"), 2);
}

static void a_key_that_was_taken_back_is_believed_for_an_hour_at_most(void **state)
{
	(void)state;
	address();
	keys_are(other);
	assert_int_equal(outcome(), PT_OK);
	ahead = 61 * PT_MINUTE;
	person_is(&(struct said){ 0 });
	assert_int_equal(outcome(), PT_E_PROVIDER_PROFILE);
}

static void an_unknown_key_is_looked_for_once_a_minute(void **state)
{
	(void)state;
	assert_int_equal(outcome(), PT_OK);
	keys_are(other);
	claims_are(other, claims_with(&(struct said){ 0 }));
	assert_int_equal(outcome(), PT_E_PROVIDER_PROFILE);
	assert_int_equal(times_asked("GET /keys"), 1);
	ahead = 61 * PT_SECOND;
	assert_int_equal(outcome(), PT_OK);
	assert_int_equal(times_asked("GET /keys"), 2);
	claims_are(key, claims_with(&(struct said){ 0 }));
	assert_int_equal(outcome(), PT_E_PROVIDER_PROFILE);
	assert_int_equal(outcome(), PT_E_PROVIDER_PROFILE);
	assert_int_equal(times_asked("GET /keys"), 2);
}

static void a_bad_claim_does_not_send_us_to_look(void **state)
{
	(void)state;
	assert_int_equal(outcome(), PT_OK);
	ahead = 61 * PT_SECOND;
	person_is(&(struct said){ .nonce = ",\"nonce\":\"other\"" });
	assert_int_equal(outcome(), PT_E_PROVIDER_PROFILE);
	token_is(PT_STR("not-a-token"));
	assert_int_equal(outcome(), PT_E_PROVIDER_PROFILE);
	assert_int_equal(times_asked("GET /keys"), 1);
}

static void an_issuer_that_is_away_is_not_asked_at_once_again(void **state)
{
	pt_str url;

	(void)state;
	answers(DISCOVERY, 503, PT_STR("{}"));
	for (int i = 0; i < 3; i++)
		assert_int_equal(provider.authorize(provider.ctx, arena, &ask, &url),
			PT_E_PROVIDER_EXCHANGE);
	assert_int_equal(house_calls(house), 1);
	metadata_is("");
	ahead = 6 * PT_SECOND;
	assert_int_equal(provider.authorize(provider.ctx, arena, &ask, &url), PT_OK);
}

static void a_clock_set_back_does_not_keep_what_is_old(void **state)
{
	(void)state;
	ahead = PT_DAY;
	address();
	ahead = 0;
	address();
	assert_int_equal(times_asked("GET /keys"), 2);
}

/* ---- how it is asked ---- */

static void credentials_travel_as_the_issuer_takes_them(void **state)
{
	static const struct {
		const char *methods;
		bool is_basic;
	} cases[] = {
		{ "", true },
		{ ",\"token_endpoint_auth_methods_supported\":[\"client_secret_basic\"]", true },
		{ ",\"token_endpoint_auth_methods_supported\":[\"client_secret_basic\","
		  "\"client_secret_post\"]",
			false },
		{ ",\"token_endpoint_auth_methods_supported\":[\"client_secret_post\"]", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		metadata_is(cases[i].methods);
		provider_begin(str(house->url));
		assert_int_equal(outcome(), PT_OK);
		const char *call = house->calls[house_calls(house) - 1];
		/* our%26id:our%20secret%20of%20thirty-two%20bytes%2C%20at%20least */
		assert_int_equal(
			strstr(call,
				"\r\nAuthorization: Basic b3VyJTI2aWQ6b3VyJTIwc2VjcmV0JTIwb2YlMjB0"
				"aGlydHktdHdvJTIwYnl0ZXMlMkMlMjBhdCUyMGxlYXN0\r\n") != NULL,
			cases[i].is_basic);
		assert_int_equal(strstr(call, "client_secret=") != NULL, !cases[i].is_basic);
	}
}

/* ---- the userinfo ---- */

static void userinfo_is_asked_for_an_address(void **state)
{
	struct pt_profile profile;

	(void)state;
	metadata_is(userinfo_too());
	person_is(&(struct said){ .more = "" });
	answers(USERINFO, 200,
		PT_STR("{\"sub\":\"ann\",\"email\":\"ann@example.org\",\"email_verified\":true,"
		       "\"name\":\"Ann\"}"));
	assert_int_equal(come_back(&profile), PT_OK);
	assert_string_equal(profile.subject.p, "ann");
	assert_string_equal(profile.full_name.p, "Ann");
	assert_true(profile.emails[0].verified);
	assert_non_null(strstr(
		house->calls[house_calls(house) - 1], "\r\nAuthorization: Bearer t0ken\r\n"));
}

static void userinfo_of_somebody_else_is_refused(void **state)
{
	static const char *const bodies[] = { "", "[]", "<html>", "{}",
		"{\"sub\":\"bob\",\"email\":\"bob@example.org\"}",
		"{\"email\":\"bob@example.org\"}", "{\"sub\":\"ann\"}",
		"{\"sub\":[\"ann\"],\"email\":\"bob@example.org\"}" };

	(void)state;
	metadata_is(userinfo_too());
	person_is(&(struct said){ .more = "" });
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		answers(USERINFO, 200, str(bodies[i]));
		assert_int_equal(outcome(), PT_E_PROVIDER_PROFILE);
	}
	answers(USERINFO, 401, PT_STR("{\"sub\":\"ann\",\"email\":\"ann@example.org\"}"));
	assert_int_equal(outcome(), PT_E_PROVIDER_PROFILE);
}

/* ---- many at once ---- */

static void *many_sign_ins(void *context)
{
	int *good = context;

	for (int i = 0; i < 10; i++) {
		struct arena *own = arena_open(MIB);
		struct pt_profile profile;

		if (own && provider.profile(provider.ctx, own, &back, &profile) == PT_OK)
			(*good)++;
		arena_close(own);
	}
	return NULL;
}

static void many_at_once_look_once(void **state)
{
	pthread_t threads[8];
	int good[8] = { 0 };

	(void)state;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, many_sign_ins, &good[i]), 0);
	for (size_t i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(good[i], 10);
	}
	assert_int_equal(times_asked("GET /keys"), 1);
}

#define STORY(name_) cmocka_unit_test_setup_teardown(name_, story_begin, story_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(the_browser_is_sent_where_the_issuer_says),
		STORY(an_issuer_that_says_what_pkce_it_has_is_believed),
		STORY(an_endpoint_may_have_a_query),
		STORY(without_a_nonce_nobody_goes),
		STORY(the_id_token_says_who_came_back),
		STORY(every_algorithm_with_two_keys_is_read),
		STORY(only_the_boolean_verifies),
		STORY(a_token_for_us_among_others_is_ours),
		STORY(a_claim_that_is_not_right_lets_nobody_in),
		STORY(unsigned_or_signed_with_our_secret_is_refused),
		STORY(a_code_that_is_not_taken_is_refused),
		STORY(an_issuer_that_is_not_what_we_were_told_is_refused),
		STORY(a_slash_that_ends_an_issuer_is_its_name),
		STORY(no_nonce_is_never_the_right_one),
		STORY(an_issuer_without_a_usable_key_is_refused),
		STORY(an_issuer_is_looked_at_once_an_hour),
		STORY(a_key_that_was_taken_back_is_believed_for_an_hour_at_most),
		STORY(an_unknown_key_is_looked_for_once_a_minute),
		STORY(a_bad_claim_does_not_send_us_to_look),
		STORY(an_issuer_that_is_away_is_not_asked_at_once_again),
		STORY(a_clock_set_back_does_not_keep_what_is_old),
		STORY(credentials_travel_as_the_issuer_takes_them),
		STORY(userinfo_is_asked_for_an_address),
		STORY(userinfo_of_somebody_else_is_refused),
		STORY(many_at_once_look_once),
	};

	return cmocka_run_group_tests(tests, world_begin, world_end);
}

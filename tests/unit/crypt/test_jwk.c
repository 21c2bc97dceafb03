/* Keys as they come and go: JWK, PEM, key files; and everything that is almost a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <pthread.h>

#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jwk.h"
#include "crypt/jws.h"
#include "crypt/jwt.h"
#include "jws_vectors.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int arena_begin(void **state)
{
	*state = arena_open(1 * MIB);
	return *state && crypt_open() == PT_OK ? 0 : -1;
}

static int arena_end(void **state)
{
	arena_close(*state);
	return 0;
}

/* ---- helpers ---- */

static struct jwk *from_json(const char *text)
{
	const char *why = "";
	struct jwk *key;

	if (jwk_from_json(str(text), NULL, &key, &why) != PT_OK)
		fail_msg("%.60s... is no key: %s", text, why);
	return key;
}

static struct jwk *from_pem(const char *text)
{
	const char *why = "";
	struct jwk *key;

	if (jwk_from_pem(str(text), NULL, &key, &why) != PT_OK)
		fail_msg("%.60s... is no key: %s", text, why);
	return key;
}

static struct jwk *generated(enum jwk_algorithm algorithm)
{
	struct jwk *key;

	assert_int_equal(jwk_generate(algorithm, PT_STR(""), &key), PT_OK);
	return key;
}

static void expect_no_json(const char *text, const char *reason)
{
	struct jwk *const untouched = (struct jwk *)(uintptr_t)4711, *key = untouched;
	const char *why = "";
	pt_err err = jwk_from_json(str(text), NULL, &key, &why);

	if (err != PT_E_MALFORMED)
		fail_msg("%s gave %s", text, pt_err_name(err));
	if (!strstr(why, reason))
		fail_msg("%s was refused because: %s", text, why);
	assert_ptr_equal(key, untouched);
	assert_int_equal(ERR_peek_error(), 0);
}

static void expect_no_pem(const char *text, const char *reason)
{
	const char *why = "";
	struct jwk *key;
	pt_err err = jwk_from_pem(str(text), NULL, &key, &why);

	if (err != PT_E_MALFORMED)
		fail_msg("%s gave %s", text, pt_err_name(err));
	if (!strstr(why, reason))
		fail_msg("%s was refused because: %s", text, why);
	assert_int_equal(ERR_peek_error(), 0);
}

/* A JWK with the first `from` replaced by `to`. */
static const char *changed(struct arena *arena, const char *jwk, const char *from, const char *to)
{
	const char *at = strstr(jwk, from);
	struct buf b = BUF(arena, 16 * KIB);

	assert_non_null(at);
	buf_bytes(&b, jwk, (size_t)(at - jwk));
	buf_str(&b, str(to));
	buf_str(&b, str(at + strlen(from)));
	return buf_view(&b).p;
}

/* A JWK with more members. */
static const char *with(struct arena *arena, const char *jwk, const char *members)
{
	struct buf b = BUF(arena, 16 * KIB);

	buf_char(&b, '{');
	buf_str(&b, str(members));
	buf_char(&b, ',');
	buf_str(&b, str(jwk + 1));
	return buf_view(&b).p;
}

static const char *public_text(struct arena *arena, const struct jwk *key)
{
	struct buf b = BUF(arena, 16 * KIB);
	struct json j = JSON(&b);

	jwk_write(key, &j);
	return buf_view(&b).p ? buf_view(&b).p : "";
}

static void expect_same_key(const struct jwk *a, const struct jwk *b)
{
	assert_true(str_eq(jwk_thumbprint(a), jwk_thumbprint(b)));
	assert_int_equal(jwk_algorithm(a), jwk_algorithm(b));
}

/* What one signs, the other takes. */
static void expect_pair(struct arena *arena, const struct jwk *signer, const struct jwk *judge)
{
	struct json_value claims;
	pt_str token;

	assert_int_equal(jwt_sign(arena, signer, PT_STR("{\"sub\":\"a\"}"), &token), PT_OK);
	assert_int_equal(jwt_verify(arena, judge, token, &claims), PT_OK);
}

/* ---- what they are ---- */

static void published_keys_are_read(void **state)
{
	static const struct {
		const char *jwk;
		enum jwk_algorithm algorithm;
		const char *name;
		bool can_sign;
	} published[] = {
		{ RSA_PRIVATE_JWK, JWK_RS256, "RS256", true },
		{ RSA_PUBLIC_JWK, JWK_RS256, "RS256", false },
		{ EC_PRIVATE_JWK, JWK_ES256, "ES256", true },
		{ EC_PUBLIC_JWK, JWK_ES256, "ES256", false },
		{ ED_PRIVATE_JWK, JWK_EDDSA, "EdDSA", true },
		{ ED_PUBLIC_JWK, JWK_EDDSA, "EdDSA", false },
		{ "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ\"}", JWK_HS256,
			"HS256", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(published); i++) {
		struct jwk *key = from_json(published[i].jwk);

		assert_int_equal(jwk_algorithm(key), published[i].algorithm);
		assert_true(str_eq(jwk_algorithm_name(key), str(published[i].name)));
		assert_int_equal(jwk_can_sign(key), published[i].can_sign);
		jwk_close(key);
	}
}

static void thumbprints_are_as_published(void **state)
{
	struct jwk *rsa = from_json(NAMED_JWK), *ed = from_json(ED_PUBLIC_JWK);

	(void)state;
	assert_string_equal(jwk_thumbprint(rsa).p, NAMED_THUMBPRINT);
	assert_string_equal(jwk_thumbprint(ed).p, ED_THUMBPRINT);
	jwk_close(rsa);
	jwk_close(ed);
}

static void a_key_is_named_by_the_caller_then_by_itself_then_by_its_thumbprint(void **state)
{
	const struct jwk_terms terms = { .kid = PT_STR("chosen") };
	struct jwk *key = from_json(NAMED_JWK);

	(void)state;
	assert_string_equal(jwk_kid(key).p, "2011-04-29");
	jwk_close(key);
	assert_int_equal(jwk_from_json(PT_STR(NAMED_JWK), &terms, &key, NULL), PT_OK);
	assert_string_equal(jwk_kid(key).p, "chosen");
	jwk_close(key);
	key = from_json(ED_PUBLIC_JWK);
	assert_string_equal(jwk_kid(key).p, ED_THUMBPRINT);
	jwk_close(key);
	assert_int_equal(jwk_from_pem(PT_STR(ED_SPKI), &terms, &key, NULL), PT_OK);
	assert_string_equal(jwk_kid(key).p, "chosen");
	jwk_close(key);
}

static void a_secret_has_no_name_and_no_thumbprint_of_its_own(void **state)
{
	struct jwk *key;

	(void)state;
	assert_int_equal(jwk_from_secret(PT_STR("secret"), NULL, &key, NULL), PT_OK);
	assert_string_equal(jwk_kid(key).p, "");
	assert_string_equal(jwk_thumbprint(key).p, "");
	assert_true(jwk_can_sign(key));
	jwk_close(key);
}

static void a_short_secret_is_refused_where_the_policy_asks_for_more(void **state)
{
	const pt_str text = PT_STR("0123456789abcdef0123456789abcdef");
	const struct jwk_terms strict = { .secret_min = 32 };
	struct jwk *key;

	(void)state;
	assert_int_equal(jwk_from_secret(text, &strict, &key, NULL), PT_OK);
	jwk_close(key);
	assert_int_equal(
		jwk_from_secret(str_slice(text, 0, 31), &strict, &key, NULL), PT_E_MALFORMED);
	assert_int_equal(jwk_from_secret(PT_STR("x"), NULL, &key, NULL), PT_OK);
	jwk_close(key);
	assert_int_equal(jwk_from_secret(PT_STR(""), NULL, &key, NULL), PT_E_MALFORMED);
	assert_int_equal(
		jwk_from_json(PT_STR("{\"kty\":\"oct\",\"k\":\"AAAA\"}"), &strict, &key, NULL),
		PT_E_MALFORMED);
}

/* JWT-02: nobody can make a secret of what everybody knows. */
static void a_pem_file_is_refused_as_a_secret(void **state)
{
	const char *why = "";
	struct jwk *key;

	(void)state;
	assert_int_equal(jwk_from_secret(PT_STR(RSA_SPKI), NULL, &key, &why), PT_E_MALFORMED);
	assert_non_null(strstr(why, "PEM"));
}

static void names_keep_to_their_alphabet(void **state)
{
	static const char *const fine[] = { "a", "A-Z_0.9", "2011-04-29",
		"0123456789012345678901234567890123456789012345678901234567890123" };
	static const char *const wrong[] = { "", " ", "../../dev/null", "a b", "a/b", "k\xC3\xA9y",
		"a=", "'", "01234567890123456789012345678901234567890123456789012345678901234" };
	struct jwk *key;

	(void)state;
	for (size_t i = 0; i < COUNT(fine); i++)
		assert_true(jwk_kid_is_valid(str(fine[i])));
	for (size_t i = 0; i < COUNT(wrong); i++) {
		const struct jwk_terms terms = { .kid = str(wrong[i]) };

		assert_false(jwk_kid_is_valid(str(wrong[i])));
		if (terms.kid.n == 0)
			continue;
		assert_int_equal(jwk_from_pem(PT_STR(EC_SPKI), &terms, &key, NULL), PT_E_MALFORMED);
		assert_int_equal(jwk_from_secret(PT_STR("s"), &terms, &key, NULL), PT_E_MALFORMED);
		assert_int_equal(jwk_generate(JWK_EDDSA, terms.kid, &key), PT_F_CONFIG);
	}
	assert_false(jwk_kid_is_valid(str_n("a\0b", 3)));
}

/* ---- PEM ---- */

static void every_pem_form_gives_the_same_key(void **state)
{
	static const struct {
		const char *pem;
		const char *jwk;
		bool can_sign;
	} forms[] = {
		{ RSA_PKCS8, RSA_PRIVATE_JWK, true },
		{ RSA_TRADITIONAL, RSA_PRIVATE_JWK, true },
		{ RSA_SPKI, RSA_PRIVATE_JWK, false },
		{ RSA_PKCS1_PUBLIC, RSA_PRIVATE_JWK, false },
		{ EC_PKCS8, EC_PRIVATE_JWK, true },
		{ EC_TRADITIONAL, EC_PRIVATE_JWK, true },
		{ EC_SPKI, EC_PRIVATE_JWK, false },
		{ EC_EXPLICIT_SPKI, EC_PRIVATE_JWK, false },
		{ ED_PKCS8, ED_PRIVATE_JWK, true },
		{ ED_SPKI, ED_PRIVATE_JWK, false },
	};

	for (size_t i = 0; i < COUNT(forms); i++) {
		struct jwk *pem = from_pem(forms[i].pem), *jwk = from_json(forms[i].jwk);

		expect_same_key(pem, jwk);
		assert_int_equal(jwk_can_sign(pem), forms[i].can_sign);
		expect_pair(*state, jwk, pem);
		if (forms[i].can_sign)
			expect_pair(*state, pem, jwk);
		jwk_close(pem);
		jwk_close(jwk);
	}
}

static void what_stands_around_the_key_is_passed_over(void **state)
{
	struct jwk *key;

	(void)state;
	key = from_pem("Bag Attributes\n  friendlyName: x\n" EC_PKCS8 "\nthe end\n");
	jwk_close(key);
	key = from_pem("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
		       "-----END EC PARAMETERS-----\n" EC_TRADITIONAL);
	jwk_close(key);
}

static void pem_that_is_not_one_key_of_ours_is_refused(void **state)
{
	static const struct {
		const char *pem;
		const char *why;
	} wrong[] = {
		{ "", "no key" },
		{ "-----BEGIN ", "no key" },
		{ "-----BEGIN PUBLIC KEY-----\n", "no key" },
		{ "-----BEGIN PUBLIC KEY-----\n-----END PRIVATE KEY-----\n", "no key" },
		{ "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", "cannot be read" },
		{ "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
			"cannot be read" },
		{ EC_ENCRYPTED, "password" },
		{ EC_TRADITIONAL_ENCRYPTED, "password" },
		{ CERTIFICATE_PEM, "beside one key" },
		{ EC_SPKI CERTIFICATE_PEM, "beside one key" },
		{ EC_PKCS8 EC_SPKI, "beside one key" },
		{ EC_SPKI RSA_SPKI, "beside one key" },
		{ P384_SPKI, "P-256" },
		{ K256_SPKI, "P-256" },
		{ ED448_SPKI, "RSA, EC or Ed25519" },
		{ X25519_SPKI, "RSA, EC or Ed25519" },
		{ RSA_PSS_SPKI, "RSA, EC or Ed25519" },
		{ RSA1024_SPKI, "2048" },
		{ RSA8200_SPKI, "8192" },
		{ RSA_THREE_PRIMES, "two prime" },
		{ EC_FORGED_SPKI, "P-256" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		expect_no_pem(wrong[i].pem, wrong[i].why);
}

static void a_pem_text_that_is_too_long_is_refused(void **state)
{
	struct buf b = BUF(*state, 64 * KIB);

	for (size_t i = 0; i < JWK_TEXT_MAX; i++)
		buf_char(&b, ' ');
	buf_str(&b, PT_STR(EC_SPKI));
	expect_no_pem(buf_view(&b).p, "too long");
}

/* ---- JWK ---- */

static void a_jwk_that_is_not_whole_is_refused(void **state)
{
	static const struct {
		const char *jwk;
		const char *why;
	} wrong[] = {
		{ "", "JSON" },
		{ "{", "JSON" },
		{ "[]", "type" },
		{ "null", "type" },
		{ "{}", "type" },
		{ "{\"kty\":1}", "type" },
		{ "{\"kty\":\"oc\"}", "type" },
		{ "{\"kty\":\"rsa\"}", "type" },
		{ "{\"kty\":\"oct\"}", "missing" },
		{ "{\"kty\":\"oct\",\"k\":\"\"}", "length" },
		{ "{\"kty\":\"oct\",\"k\":1}", "base64url" },
		{ "{\"kty\":\"oct\",\"k\":\"AA==\"}", "base64url" },
		{ "{\"kty\":\"oct\",\"k\":\"AB\"}", "base64url" },
		{ "{\"kty\":\"oct\",\"k\":\"A+A/\"}", "base64url" },
		{ "{\"kty\":\"oct\",\"k\":\"AA A\"}", "base64url" },
		{ "{\"kty\":\"oct\",\"k\":\"AAAA\",\"k\":\"AAAA\"}", "JSON" },
		{ "{\"kty\":\"oct\",\"kty\":\"oct\",\"k\":\"AAAA\"}", "JSON" },
		{ "{\"kty\":\"EC\"}", "P-256" },
		{ "{\"kty\":\"EC\",\"crv\":\"P-256\"}", "missing" },
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", "missing" },
		{ "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":"
		  "\"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08\"}",
			"Ed25519" },
		{ "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", "length" },
		{ "{\"kty\":\"RSA\"}", "missing" },
		{ "{\"kty\":\"RSA\",\"e\":\"AQAB\"}", "missing" },
		{ P521_PUBLIC_JWK, "P-256" },
		{ RSA1024_PUBLIC_JWK, "2048" },
		{ ED_PUBLIC_JWK ED_PUBLIC_JWK, "JSON" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		expect_no_json(wrong[i].jwk, wrong[i].why);
}

static void a_point_off_its_curve_is_refused(void **state)
{
	/* y is one bit off; the point at the origin; a coordinate beyond the field; 31 bytes. */
	expect_no_json(changed(*state, EC_PUBLIC_JWK, "5a0\"", "5a4\""), "make no key");
	expect_no_json("{\"kty\":\"EC\",\"crv\":\"P-256\","
		       "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
		       "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"make no key");
	expect_no_json("{\"kty\":\"EC\",\"crv\":\"P-256\","
		       "\"x\":\"__________________________________________8\","
		       "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}",
		"make no key");
	expect_no_json(changed(*state, EC_PUBLIC_JWK, "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
			       "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVA"),
		"length");

	/* Ed25519: no point has this y; the neutral element and a point of order 8; y over p. */
	expect_no_json("{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
		       "\"x\":\"AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"point");
	expect_no_json("{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
		       "\"x\":\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		"point");
	expect_no_json("{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
		       "\"x\":\"xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o\"}",
		"point");
	expect_no_json("{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
		       "\"x\":\"__________________________________________8\"}",
		"point");
}

static void a_private_part_of_another_key_is_refused(void **state)
{
	expect_no_json(changed(*state, EC_PRIVATE_JWK,
			       "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI", OTHER_EC_D),
		"another public key");
	expect_no_json(
		changed(*state, EC_PRIVATE_JWK, "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
			"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
		"unsound");
	expect_no_json(changed(*state, ED_PRIVATE_JWK, "nWGxne_9WmC6", "nWGxne_9WmC7"),
		"another public key");
	expect_no_json(
		changed(*state, RSA_PRIVATE_JWK, "\"dp\":\"BwKfV3", "\"dp\":\"BwKfV4"), "unsound");
	expect_no_json(
		changed(*state, RSA_PRIVATE_JWK, "\"d\":\"Eq5xpG", "\"d\":\"Eq5xpH"), "unsound");
	expect_no_json(
		changed(*state, RSA_PRIVATE_JWK, "\"p\":\"4BzEEO", "\"p\":\"4BzEEP"), "unsound");
}

static void rsa_numbers_that_are_no_key_are_refused(void **state)
{
	/* e: one, even, none, with a zero in front, 33 bits; n: even, and beyond 8192 bits. */
	expect_no_json(changed(*state, RSA_PUBLIC_JWK, "AQAB", "AQ"), "exponent");
	expect_no_json(changed(*state, RSA_PUBLIC_JWK, "AQAB", "AQAA"), "exponent");
	expect_no_json(changed(*state, RSA_PUBLIC_JWK, "AQAB", "AA"), "zero");
	expect_no_json(changed(*state, RSA_PUBLIC_JWK, "AQAB", "AAEAAQ"), "zero");
	expect_no_json(changed(*state, RSA_PUBLIC_JWK, "AQAB", "AQAAAAE"), "exponent");
	expect_no_json(changed(*state, RSA_PUBLIC_JWK, "uXpoQ\"", "uXpoA\""), "odd");

	char long_n[1368 + 1], jwk[2048];
	memset(long_n, '_', sizeof(long_n) - 1);
	long_n[sizeof(long_n) - 1] = '\0';
	struct buf b = BUF_FIXED(jwk);
	buf_printf(&b, "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\"}", long_n);
	expect_no_json(jwk, "8192");

	/* All of the private numbers or none, and no third prime. */
	expect_no_json(changed(*state, RSA_PRIVATE_JWK, "\"qi\":", "\"xx\":"), "missing");
	expect_no_json(changed(*state, RSA_PRIVATE_JWK, "\"p\":", "\"xx\":"), "missing");
	expect_no_json(with(*state, RSA_PUBLIC_JWK, "\"d\":\"AQAB\""), "missing");
	expect_no_json(with(*state, RSA_PRIVATE_JWK, "\"oth\":[]"), "two prime");
}

static void a_key_that_says_it_is_for_something_else_is_refused(void **state)
{
	static const struct {
		const char *jwk;
		const char *members;
		const char *why;
	} wrong[] = {
		{ RSA_PUBLIC_JWK, "\"alg\":\"RS512\"", "algorithm" },
		{ RSA_PUBLIC_JWK, "\"alg\":\"PS256\"", "algorithm" },
		{ RSA_PUBLIC_JWK, "\"alg\":\"RSA-OAEP\"", "algorithm" },
		{ RSA_PUBLIC_JWK, "\"alg\":\"HS256\"", "algorithm" },
		{ RSA_PUBLIC_JWK, "\"alg\":\"none\"", "algorithm" },
		{ RSA_PUBLIC_JWK, "\"alg\":null", "algorithm" },
		{ EC_PUBLIC_JWK, "\"alg\":\"ES384\"", "algorithm" },
		{ EC_PUBLIC_JWK, "\"alg\":\"es256\"", "algorithm" },
		{ ED_PUBLIC_JWK, "\"alg\":\"ES256\"", "algorithm" },
		{ EC_PUBLIC_JWK, "\"use\":\"enc\"", "signatures" },
		{ EC_PUBLIC_JWK, "\"use\":\"\"", "signatures" },
		{ EC_PUBLIC_JWK, "\"use\":1", "signatures" },
		{ EC_PUBLIC_JWK, "\"key_ops\":\"verify\"", "list" },
		{ EC_PUBLIC_JWK, "\"key_ops\":[]", "key_ops" },
		{ EC_PUBLIC_JWK, "\"key_ops\":[\"sign\"]", "key_ops" },
		{ EC_PUBLIC_JWK, "\"key_ops\":[\"sign\",\"verify\"]", "key_ops" },
		{ EC_PUBLIC_JWK, "\"key_ops\":[\"verify\",\"verify\"]", "key_ops" },
		{ EC_PUBLIC_JWK, "\"key_ops\":[\"verify\",\"deriveKey\"]", "key_ops" },
		{ EC_PUBLIC_JWK, "\"key_ops\":[1]", "key_ops" },
		{ EC_PRIVATE_JWK, "\"key_ops\":[\"verify\"]", "key_ops" },
		{ EC_PRIVATE_JWK, "\"key_ops\":[\"encrypt\"]", "key_ops" },
		{ "{\"kty\":\"oct\",\"k\":\"AAAA\"}", "\"key_ops\":[\"sign\"]", "key_ops" },
		{ EC_PUBLIC_JWK, "\"kid\":\"\"", "name" },
		{ EC_PUBLIC_JWK, "\"kid\":\"../../dev/null\"", "name" },
		{ EC_PUBLIC_JWK, "\"kid\":7", "name" },
	};

	for (size_t i = 0; i < COUNT(wrong); i++)
		expect_no_json(with(*state, wrong[i].jwk, wrong[i].members), wrong[i].why);
}

static void a_key_that_says_what_it_is_for_is_read(void **state)
{
	static const struct {
		const char *jwk;
		const char *members;
		bool can_sign;
	} fine[] = {
		{ RSA_PUBLIC_JWK, "\"alg\":\"RS256\",\"use\":\"sig\"", false },
		{ EC_PUBLIC_JWK, "\"alg\":\"ES256\",\"key_ops\":[\"verify\"]", false },
		{ EC_PRIVATE_JWK, "\"key_ops\":[\"sign\"]", true },
		{ ED_PRIVATE_JWK, "\"alg\":\"EdDSA\",\"key_ops\":[\"verify\",\"sign\"]", true },
		{ "{\"kty\":\"oct\",\"k\":\"AAAA\"}", "\"key_ops\":[\"sign\",\"verify\"]", true },
		{ "{\"kty\":\"oct\",\"k\":\"AAAA\"}", "\"key_ops\":[\"verify\"]", false },
		{ EC_PUBLIC_JWK, "\"ext\":true,\"x5c\":[\"AA==\"],\"nbf\":7", false },
	};

	for (size_t i = 0; i < COUNT(fine); i++) {
		struct jwk *key = from_json(with(*state, fine[i].jwk, fine[i].members));

		assert_int_equal(jwk_can_sign(key), fine[i].can_sign);
		jwk_close(key);
	}
}

/* ---- lists ---- */

static void a_list_gives_the_keys_that_can_be_used(void **state)
{
	struct jwk **keys;
	size_t n;

	assert_int_equal(jwk_list_from_json(*state,
				 PT_STR("{\"keys\":[" EC_PUBLIC_JWK ",{\"kty\":\"new\"},17,"
					"{\"kty\":\"oct\",\"k\":\"AAAA\"}," ED_PRIVATE_JWK
					"," P521_PUBLIC_JWK "," ED_PUBLIC_JWK "],\"more\":1}"),
				 &keys, &n),
		PT_OK);
	assert_int_equal(n, 2);
	assert_int_equal(jwk_algorithm(keys[0]), JWK_ES256);
	assert_int_equal(jwk_algorithm(keys[1]), JWK_EDDSA);
	jwk_close(keys[0]);
	jwk_close(keys[1]);
}

static void what_is_not_a_list_of_keys_is_refused(void **state)
{
	static const char *const wrong[] = { "", "[]", "{}", "{\"keys\":{}}", "{\"keys\":null}",
		"{\"keys\":[],\"keys\":[]}", EC_PUBLIC_JWK };
	struct jwk **keys;
	size_t n;

	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(
			jwk_list_from_json(*state, str(wrong[i]), &keys, &n), PT_E_MALFORMED);
	assert_int_equal(jwk_list_from_json(*state, PT_STR("{\"keys\":[]}"), &keys, &n), PT_OK);
	assert_int_equal(n, 0);
}

/* JWT-12: no list, and no public JWK, has a member that only the signer may know. */
static void no_private_member_is_ever_published(void **state)
{
	static const char *const members[] = { "d", "p", "q", "dp", "dq", "qi", "k", "oth" };
	const struct jwk *keys[5];
	struct json_value list;
	pt_str text;

	keys[0] = from_json(RSA_PRIVATE_JWK);
	keys[1] = from_json(EC_PRIVATE_JWK);
	keys[2] = from_json(ED_PRIVATE_JWK);
	keys[3] = from_json("{\"kty\":\"oct\",\"k\":\"AAAA\",\"kid\":\"hidden\"}");
	keys[4] = generated(JWK_ES256);
	assert_int_equal(jwk_list_format(*state, keys, 5, &text), PT_OK);
	assert_int_equal(json_read(*state, text, &list), PT_OK);
	const struct json_value *items = json_find(&list, PT_STR("keys"));
	assert_int_equal(items->n, 4);
	for (size_t i = 0; i < items->n; i++) {
		for (size_t m = 0; m < COUNT(members); m++)
			assert_null(json_find(&items->items[i], str(members[m])));
		assert_true(
			str_eq(json_find(&items->items[i], PT_STR("use"))->text, PT_STR("sig")));
		assert_non_null(json_find(&items->items[i], PT_STR("kid")));
		assert_non_null(json_find(&items->items[i], PT_STR("alg")));
	}
	assert_false(str_contains(text, PT_STR("hidden")));
	assert_string_equal(public_text(*state, keys[3]), "");
	for (size_t i = 0; i < 5; i++)
		jwk_close((struct jwk *)(uintptr_t)keys[i]);
}

static void a_published_key_can_be_read_again(void **state)
{
	static const enum jwk_algorithm algorithms[] = { JWK_RS256, JWK_ES256, JWK_EDDSA };

	for (size_t i = 0; i < COUNT(algorithms); i++) {
		struct jwk *key = generated(algorithms[i]);
		struct jwk *copy = from_json(public_text(*state, key));

		expect_same_key(key, copy);
		assert_string_equal(jwk_kid(key).p, jwk_kid(copy).p);
		assert_false(jwk_can_sign(copy));
		expect_pair(*state, key, copy);
		jwk_close(key);
		jwk_close(copy);
	}
}

/* ---- making and keeping ---- */

static void a_key_file_brings_the_whole_key_back(void **state)
{
	static const enum jwk_algorithm algorithms[] = { JWK_HS256, JWK_RS256, JWK_ES256,
		JWK_EDDSA };

	for (size_t i = 0; i < COUNT(algorithms); i++) {
		struct jwk *key, *copy;
		pt_str text;

		assert_int_equal(jwk_generate(algorithms[i], PT_STR("k1"), &key), PT_OK);
		assert_int_equal(jwk_format_for_key_file(*state, key, &text), PT_OK);
		copy = from_json(text.p);
		expect_same_key(key, copy);
		assert_string_equal(jwk_kid(copy).p, "k1");
		assert_true(jwk_can_sign(copy));
		expect_pair(*state, key, copy);
		expect_pair(*state, copy, key);
		jwk_close(key);
		jwk_close(copy);
	}
}

static void a_public_key_is_no_key_file(void **state)
{
	struct jwk *key = from_json(EC_PUBLIC_JWK);
	pt_str text;

	assert_int_equal(jwk_format_for_key_file(*state, key, &text), PT_F_CONFIG);
	jwk_close(key);
}

static void no_two_generated_keys_are_alike(void **state)
{
	struct jwk *a = generated(JWK_ES256), *b = generated(JWK_ES256);
	struct jwk *c = generated(JWK_EDDSA), *d = generated(JWK_EDDSA);

	(void)state;
	assert_false(str_eq(jwk_thumbprint(a), jwk_thumbprint(b)));
	assert_false(str_eq(jwk_thumbprint(c), jwk_thumbprint(d)));
	jwk_close(a);
	jwk_close(b);
	jwk_close(c);
	jwk_close(d);
}

static void a_key_lives_until_its_last_owner_leaves(void **state)
{
	struct jwk *key = generated(JWK_EDDSA), *shared = jwk_share(key);

	jwk_close(key);
	expect_pair(*state, shared, shared);
	jwk_close(shared);
	jwk_close(NULL);
}

/* ---- threads ---- */

enum { THREADS = 8, ROUNDS = 20, KEYS = 4 };

static void *use_keys(void *p)
{
	struct jwk *const *keys = p;
	struct arena *arena = arena_open(256 * KIB);
	size_t good = 0;

	for (size_t i = 0; arena && i < ROUNDS * KEYS; i++) {
		struct jwk *key = jwk_share(keys[i % KEYS]);
		struct json_value claims;
		pt_str token;

		good += jwt_sign(arena, key, PT_STR("{\"sub\":\"a\"}"), &token) == PT_OK &&
			jwt_verify(arena, key, token, &claims) == PT_OK;
		jwk_close(key);
		arena_reset(arena);
	}
	arena_close(arena);
	return (void *)(uintptr_t)good;
}

static void threads_share_keys(void **state)
{
	struct jwk *keys[KEYS] = { generated(JWK_HS256), generated(JWK_RS256), generated(JWK_ES256),
		generated(JWK_EDDSA) };
	pthread_t threads[THREADS];

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_keys, keys), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *good;

		assert_int_equal(pthread_join(threads[i], &good), 0);
		assert_int_equal((uintptr_t)good, ROUNDS * KEYS);
	}
	for (size_t i = 0; i < KEYS; i++)
		jwk_close(keys[i]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, arena_begin, arena_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(published_keys_are_read),
		TEST(thumbprints_are_as_published),
		TEST(a_key_is_named_by_the_caller_then_by_itself_then_by_its_thumbprint),
		TEST(a_secret_has_no_name_and_no_thumbprint_of_its_own),
		TEST(a_short_secret_is_refused_where_the_policy_asks_for_more),
		TEST(a_pem_file_is_refused_as_a_secret),
		TEST(names_keep_to_their_alphabet),
		TEST(every_pem_form_gives_the_same_key),
		TEST(what_stands_around_the_key_is_passed_over),
		TEST(pem_that_is_not_one_key_of_ours_is_refused),
		TEST(a_pem_text_that_is_too_long_is_refused),
		TEST(a_jwk_that_is_not_whole_is_refused),
		TEST(a_point_off_its_curve_is_refused),
		TEST(a_private_part_of_another_key_is_refused),
		TEST(rsa_numbers_that_are_no_key_are_refused),
		TEST(a_key_that_says_it_is_for_something_else_is_refused),
		TEST(a_key_that_says_what_it_is_for_is_read),
		TEST(a_list_gives_the_keys_that_can_be_used),
		TEST(what_is_not_a_list_of_keys_is_refused),
		TEST(no_private_member_is_ever_published),
		TEST(a_published_key_can_be_read_again),
		TEST(a_key_file_brings_the_whole_key_back),
		TEST(a_public_key_is_no_key_file),
		TEST(no_two_generated_keys_are_alike),
		TEST(a_key_lives_until_its_last_owner_leaves),
		TEST(threads_share_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

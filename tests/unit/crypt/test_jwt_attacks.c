/*
 * The checks JWT-01 to JWT-06 of the threat list, by name, against every algorithm. What is called
 * "signed" here was signed with the right key: only the one thing under test speaks against it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <sodium.h>

#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jws.h"
#include "crypt/jwt.h"
#include "jws_vectors.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CLAIMS       PT_STR("{\"sub\":\"a\"}")
#define NOON         (20000 * PT_DAY)

enum { KEYS = 4 };

static struct jwk *keys[KEYS];
static const char *const names[KEYS] = { "HS256", "RS256", "ES256", "EdDSA" };

static int keys_begin(void **state)
{
	(void)state;
	if (crypt_open() != PT_OK)
		return -1;
	if (jwk_from_secret(PT_STR("0123456789abcdef0123456789abcdef"), NULL, &keys[0], NULL))
		return -1;
	if (jwk_from_json(PT_STR(RSA_PRIVATE_JWK), NULL, &keys[1], NULL))
		return -1;
	if (jwk_from_json(PT_STR(EC_PRIVATE_JWK), NULL, &keys[2], NULL))
		return -1;
	return (int)jwk_from_json(PT_STR(ED_PRIVATE_JWK), NULL, &keys[3], NULL);
}

static int keys_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEYS; i++)
		jwk_close(keys[i]);
	return 0;
}

static int arena_begin(void **state)
{
	*state = arena_open(1 * MIB);
	return *state ? 0 : -1;
}

static int arena_end(void **state)
{
	arena_close(*state);
	return 0;
}

/* ---- forging ---- */

static pt_str joined(struct arena *arena, pt_str input, pt_str signature)
{
	struct buf b = BUF(arena, 64 * KIB);

	buf_str(&b, input);
	buf_char(&b, '.');
	buf_base64url(&b, signature.p, signature.n);
	return buf_view(&b);
}

static pt_str unsigned_part(struct arena *arena, pt_str header, pt_str claims)
{
	struct buf b = BUF(arena, 64 * KIB);

	buf_base64url(&b, header.p, header.n);
	buf_char(&b, '.');
	buf_base64url(&b, claims.p, claims.n);
	return buf_view(&b);
}

static pt_str signature_of(struct arena *arena, const struct jwk *key, pt_str input)
{
	uint8_t signature[JWS_SIGNATURE_MAX];
	pt_str copy;
	size_t n;

	assert_int_equal(key->algorithm->sign(key, input, signature, &n), PT_OK);
	assert_true(arena_str(arena, str_n(signature, n), &copy));
	return copy;
}

static pt_str forged(struct arena *arena, const struct jwk *key, pt_str header, pt_str claims)
{
	pt_str input = unsigned_part(arena, header, claims);

	return joined(arena, input, signature_of(arena, key, input));
}

/* `%s` becomes the key's algorithm. */
static pt_str forged_with(struct arena *arena, size_t i, const char *format)
{
	struct buf b = BUF(arena, 64 * KIB);
	pt_str head, tail;

	assert_true(str_cut(str(format), '%', &head, &tail));
	buf_str(&b, head);
	buf_str(&b, str(names[i]));
	buf_str(&b, str_slice(tail, 1, tail.n));
	return forged(arena, keys[i], buf_view(&b), CLAIMS);
}

static pt_err judged(struct arena *arena, const struct jwk *key, pt_str token)
{
	struct json_value claims;
	pt_err err = jwt_verify(arena, key, token, &claims);

	assert_int_equal(ERR_peek_error(), 0);
	return err;
}

/* By each key alone, and by all of them together. */
static void expect_refused(struct arena *arena, pt_str token)
{
	const struct jwk *const all[KEYS] = { keys[0], keys[1], keys[2], keys[3] };
	struct jwt_verdict verdict;

	for (size_t i = 0; i < KEYS; i++) {
		if (judged(arena, keys[i], token) != PT_E_TOKEN)
			fail_msg("%s accepts %.*s", names[i], (int)token.n, token.p);
	}
	assert_int_equal(jwt_judge(arena, all, KEYS, PT_STR(""), token, &verdict), PT_E_TOKEN);
}

/* ---- the checks ---- */

static void what_is_forged_without_a_fault_is_accepted(void **state)
{
	for (size_t i = 0; i < KEYS; i++)
		assert_int_equal(
			judged(*state, keys[i], forged_with(*state, i, "{\"alg\":\"%s\"}")), PT_OK);
}

static void published_tokens_are_accepted(void **state)
{
	struct json_value claims;

	assert_int_equal(jwt_verify(*state, keys[1], PT_STR(RSA_TOKEN), &claims), PT_OK);
	assert_true(str_eq(json_find(&claims, PT_STR("iss"))->text, PT_STR("joe")));
	assert_int_equal(jwt_verify(*state, keys[2], PT_STR(EC_TOKEN), &claims), PT_OK);
	assert_true(str_eq(json_find(&claims, PT_STR("iss"))->text, PT_STR("joe")));
	/* RFC 7515 A.4 is of an algorithm that no key here has. */
	expect_refused(*state, PT_STR(P521_TOKEN));
}

/* RFC 8037 A.4 and A.5 sign a sentence, which is a signature but not a token. */
static void the_published_ed25519_signature_is_made_and_accepted(void **state)
{
	pt_str input, signature, token = PT_STR(ED_TOKEN);
	size_t dot = token.n - 87;

	input = str_slice(token, 0, dot);
	assert_true(base64url_decode(*state, str_slice(token, dot + 1, token.n), &signature));
	assert_int_equal(jws_eddsa.verify(keys[3], input, signature), PT_OK);
	assert_true(str_eq(signature_of(*state, keys[3], input), signature));
	assert_int_equal(
		jws_eddsa.verify(keys[3], str_slice(input, 1, input.n), signature), PT_E_TOKEN);
	expect_refused(*state, token);
}

static void the_published_rsa_signature_is_made(void **state)
{
	pt_str token = PT_STR(RSA_TOKEN), input = str_slice(token, 0, token.n - 343);

	assert_true(str_eq(joined(*state, input, signature_of(*state, keys[1], input)), token));
}

static void JWT_01_none_is_refused(void **state)
{
	static const char *const headers[] = { "{\"alg\":\"none\"}", "{\"alg\":\"None\"}",
		"{\"alg\":\"NONE\"}", "{\"alg\":\"nOnE\"}", "{\"alg\":\"\"}", "{\"typ\":\"JWT\"}",
		"{\"alg\":null}", "{\"alg\":false}", "{\"alg\":[\"none\"]}" };

	for (size_t i = 0; i < COUNT(headers); i++) {
		pt_str input = unsigned_part(*state, str(headers[i]), CLAIMS);

		expect_refused(*state, input);
		expect_refused(*state, joined(*state, input, PT_STR("")));
		expect_refused(*state, joined(*state, input, PT_STR("garbage")));
		for (size_t k = 0; k < KEYS; k++)
			expect_refused(*state, forged(*state, keys[k], str(headers[i]), CLAIMS));
	}
}

static void JWT_02_a_public_key_used_as_a_secret_is_refused(void **state)
{
	pt_str pem = PT_STR(RSA_SPKI), lines = PT_STR(""), der, n;
	const struct json_value *member;
	struct json_value jwk;
	struct buf b = BUF(*state, 4 * KIB);

	/* the DER inside of the PEM; the modulus as text and as bytes; the whole JWK */
	for (pt_str line, rest = str_slice(pem, 27, pem.n - 26); rest.n > 0;) {
		str_cut(rest, '\n', &line, &rest);
		buf_str(&b, line);
	}
	lines = buf_view(&b);
	assert_true(base64_decode(*state, lines, &der));
	assert_int_equal(json_read(*state, PT_STR(RSA_PUBLIC_JWK), &jwk), PT_OK);
	member = json_find(&jwk, PT_STR("n"));
	assert_true(base64url_decode(*state, member->text, &n));

	const pt_str secrets[] = { pem, str_slice(pem, 0, pem.n - 1), PT_STR(RSA_PKCS1_PUBLIC), der,
		lines, member->text, n, PT_STR(RSA_PUBLIC_JWK) };
	for (size_t i = 0; i < COUNT(secrets); i++) {
		pt_str input = unsigned_part(*state, PT_STR("{\"alg\":\"HS256\"}"), CLAIMS);
		struct pt_hash mac;

		assert_int_equal(digest_hmac(secrets[i], input, &mac), PT_OK);
		expect_refused(*state, joined(*state, input, str_n(mac.bytes, sizeof(mac.bytes))));
	}
}

static void JWT_02_a_token_of_one_algorithm_is_refused_by_keys_of_others(void **state)
{
	for (size_t signer = 0; signer < KEYS; signer++) {
		for (size_t said = 0; said < KEYS; said++) {
			char header[64];
			struct buf b = BUF_FIXED(header);

			if (said == signer)
				continue;
			buf_printf(&b, "{\"alg\":\"%s\"}", names[said]);
			expect_refused(*state, forged(*state, keys[signer], buf_view(&b), CLAIMS));
		}
	}
}

static void JWT_03_a_kid_that_is_no_name_is_refused(void **state)
{
	static const char *const kids[] = { "\"../../dev/null\"", "\"/proc/self/environ\"",
		"\"' OR 1=1--\"", "\"\\u0000\"", "\"\\u0001\\u0002\"", "\"\"", "\"a b\"", "\"a/b\"",
		"\"\xC3\xA9\"", "7", "null", "[\"a\"]", "{\"a\":1}", "\"a\",\"kid\":\"a\"",
		"\"a\",\"\\u006bid\":\"b\"" };

	for (size_t i = 0; i < COUNT(kids); i++) {
		for (size_t k = 0; k < KEYS; k++) {
			struct buf b = BUF(*state, 1 * KIB);

			buf_printf(&b, "{\"alg\":\"%s\",\"kid\":%s}", names[k], kids[i]);
			expect_refused(*state, forged(*state, keys[k], buf_view(&b), CLAIMS));
		}
	}
}

static void JWT_03_a_kid_of_ten_kibibytes_is_refused(void **state)
{
	static const size_t sizes[] = { 65, 4 * 1024, 10 * 1024 };

	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct buf b = BUF(*state, 64 * KIB);

		buf_str(&b, PT_STR("{\"alg\":\"HS256\",\"kid\":\""));
		for (size_t n = 0; n < sizes[i]; n++)
			buf_char(&b, 'k');
		buf_str(&b, PT_STR("\"}"));
		expect_refused(*state, forged(*state, keys[0], buf_view(&b), CLAIMS));
	}
}

static void JWT_03_the_name_of_another_key_is_refused(void **state)
{
	struct buf b = BUF(*state, 1 * KIB);

	/* Keys two and three have names, and answer to no other. */
	for (size_t k = 1; k < KEYS; k++)
		expect_refused(
			*state, forged_with(*state, k, "{\"alg\":\"%s\",\"kid\":\"unknown\"}"));
	buf_printf(&b, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", jwk_kid(keys[1]).p);
	expect_refused(*state, forged(*state, keys[2], buf_view(&b), CLAIMS));
	assert_int_equal(
		judged(*state, keys[0], forged_with(*state, 0, "{\"alg\":\"%s\",\"kid\":\"any\"}")),
		PT_OK);
}

static void JWT_04_a_key_that_the_token_brings_is_refused(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"%s\",\"jku\":\"http://127.0.0.1:9/jwks.json\"}",
		"{\"alg\":\"%s\",\"x5u\":\"http://127.0.0.1:9/cert.pem\"}",
		"{\"alg\":\"%s\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}",
		"{\"alg\":\"%s\",\"jwk\":" EC_PUBLIC_JWK "}",
		"{\"alg\":\"%s\",\"jwk\":null}",
		"{\"alg\":\"%s\",\"x5c\":[\"AAAA\"]}",
		"{\"alg\":\"%s\",\"crit\":[\"exp\"]}",
		"{\"alg\":\"%s\",\"crit\":[\"b64\"],\"b64\":true}",
		"{\"alg\":\"%s\",\"crit\":[]}",
	};

	for (size_t i = 0; i < COUNT(headers); i++) {
		for (size_t k = 0; k < KEYS; k++)
			expect_refused(*state, forged_with(*state, k, headers[i]));
	}
}

/* ---- JWT-05: one signature, one spelling ---- */

static pt_str es256_input(struct arena *arena)
{
	return unsigned_part(arena, PT_STR("{\"alg\":\"ES256\"}"), CLAIMS);
}

/* The order of P-256, and the order less one. */
#define ORDER                                                                                      \
	"\xFF\xFF\xFF\xFF\x00\x00\x00\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xBC\xE6\xFA\xAD\xA7\x17" \
	"\x9E\x84\xF3\xB9\xCA\xC2\xFC\x63\x25\x51"

static void JWT_05_ecdsa_numbers_out_of_range_are_refused(void **state)
{
	pt_str input = es256_input(*state), good = signature_of(*state, keys[2], input);
	static const char *const wrong[] = { ORDER,
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"
		"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF" };
	char bytes[64];

	for (size_t i = 0; i < COUNT(wrong); i++) {
		memcpy(bytes, good.p, 64);
		memcpy(bytes, wrong[i], 32);
		expect_refused(*state, joined(*state, input, str_n(bytes, 64)));
		memcpy(bytes, good.p, 64);
		memcpy(bytes + 32, wrong[i], 32);
		expect_refused(*state, joined(*state, input, str_n(bytes, 64)));
		memcpy(bytes, wrong[i], 32);
		expect_refused(*state, joined(*state, input, str_n(bytes, 64)));
	}
}

/* RFC 7518 3.4 gives both signs of s, so a token's text is no proof that it is the same token. */
static void JWT_05_both_halves_of_s_are_accepted(void **state)
{
	pt_str input = es256_input(*state), good = signature_of(*state, keys[2], input);
	static const uint8_t order[] = ORDER;
	uint8_t twin[64];
	int borrow = 0;

	memcpy(twin, good.p, 64);
	for (size_t i = 32; i-- > 0;) {
		int digit = order[i] - (uint8_t)good.p[32 + i] - borrow;

		borrow = digit < 0;
		twin[32 + i] = (uint8_t)digit;
	}
	assert_int_equal(judged(*state, keys[2], joined(*state, input, good)), PT_OK);
	assert_int_equal(judged(*state, keys[2], joined(*state, input, str_n(twin, 64))), PT_OK);
}

static void JWT_05_a_der_signature_is_refused(void **state)
{
	pt_str input = es256_input(*state), raw = signature_of(*state, keys[2], input);
	char der[72] = { 0x30, 70, 2, 33, 0 };

	memcpy(der + 5, raw.p, 32);
	der[37] = 2;
	der[38] = 33;
	memcpy(der + 40, raw.p + 32, 32);
	expect_refused(*state, joined(*state, input, str_n(der, sizeof(der))));
}

static void JWT_05_a_signature_of_another_length_is_refused(void **state)
{
	for (size_t k = 0; k < KEYS; k++) {
		pt_str token = forged_with(*state, k, "{\"alg\":\"%s\"}"), head, rest, input;
		char longer[JWS_SIGNATURE_MAX + 1] = { 0 };

		str_cut(token, '.', &head, &rest);
		str_cut(rest, '.', &head, &rest);
		input = str_slice(token, 0, token.n - rest.n - 1);
		pt_str good = signature_of(*state, keys[k], input);

		assert_int_equal(judged(*state, keys[k], joined(*state, input, good)), PT_OK);
		const size_t shorter[] = { 0, 1, good.n / 2, good.n - 1 };
		for (size_t i = 0; i < COUNT(shorter); i++)
			expect_refused(
				*state, joined(*state, input, str_slice(good, 0, shorter[i])));
		memcpy(longer, good.p, good.n);
		expect_refused(*state, joined(*state, input, str_n(longer, good.n + 1)));
		memcpy(longer + 1, good.p, good.n);
		longer[0] = 0;
		expect_refused(*state, joined(*state, input, str_n(longer, good.n + 1)));
	}
}

/* RFC 8032 5.1.7: S plus the order is the same number, and another text. */
static void JWT_05_an_ed25519_signature_that_is_not_reduced_is_refused(void **state)
{
	static const uint8_t order[32] = { 0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6,
		0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14, [31] = 0x10 };
	pt_str input = unsigned_part(*state, PT_STR("{\"alg\":\"EdDSA\"}"), CLAIMS);
	uint8_t bytes[64];

	memcpy(bytes, signature_of(*state, keys[3], input).p, sizeof(bytes));
	sodium_add(bytes + 32, order, sizeof(order));
	expect_refused(*state, joined(*state, input, str_n(bytes, sizeof(bytes))));
}

static pt_str spelled(struct arena *arena, pt_str a, pt_str b, pt_str c)
{
	struct buf buf = BUF(arena, 64 * KIB);

	buf_str(&buf, a);
	buf_str(&buf, b);
	buf_str(&buf, c);
	return buf_view(&buf);
}

static void JWT_05_a_second_spelling_is_refused(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	static const char *const tails[] = { "=", "==", "\n", " ", "\r\n", ".", "A", "%3D" };
	const pt_str none = PT_STR("");

	for (size_t k = 0; k < KEYS; k++) {
		pt_str token = forged_with(*state, k, "{\"alg\":\"%s\"}");
		size_t dot = str_find(token, '.');

		for (size_t i = 0; i < COUNT(tails); i++) {
			expect_refused(*state, spelled(*state, token, str(tails[i]), none));
			expect_refused(*state, spelled(*state, str(tails[i]), token, none));
			expect_refused(
				*state, spelled(*state, str_slice(token, 0, dot), str(tails[i]),
						str_slice(token, dot, token.n)));
		}

		/* 32, 64 and 256 bytes leave 2, 4 and 4 bits over. */
		size_t last = (size_t)(strchr(alphabet, token.p[token.n - 1]) - alphabet);
		for (size_t bit = 1; bit < (k == 0 ? 4 : 16); bit <<= 1)
			expect_refused(*state, spelled(*state, str_slice(token, 0, token.n - 1),
						       str_n(&alphabet[last | bit], 1), none));
	}
}

static void JWT_05_plus_and_slash_are_refused(void **state)
{
	for (size_t k = 0; k < KEYS; k++) {
		char text[1024];
		pt_str token;
		bool has;

		/* Until a signature has one of the two digits that differ. */
		for (int i = 0; i < 200; i++) {
			char claims[32];
			struct buf b = BUF_FIXED(claims);

			buf_printf(&b, "{\"sub\":\"%d\"}", i);
			assert_int_equal(jwt_sign(*state, keys[k], buf_view(&b), &token), PT_OK);
			assert_true(token.n < sizeof(text));
			has = false;
			for (size_t c = 0; c < token.n; c++) {
				text[c] = token.p[c] == '-'   ? '+'
					  : token.p[c] == '_' ? '/'
							      : token.p[c];
				has |= text[c] != token.p[c];
			}
			if (has)
				break;
		}
		assert_true(has);
		assert_int_equal(judged(*state, keys[k], str_n(text, token.n)), PT_E_TOKEN);
	}
}

/* ---- JWT-06 ---- */

static pt_err dated(struct arena *arena, const char *format, long long offset)
{
	struct json_value claims;
	struct buf b = BUF(arena, 1 * KIB);
	pt_str head, tail;

	str_cut(str(format), '%', &head, &tail);
	buf_str(&b, head);
	if (tail.n > 0) {
		buf_int(&b, NOON / PT_SECOND + offset);
		buf_str(&b, str_slice(tail, 1, tail.n));
	}
	pt_err err = json_read(arena, buf_view(&b), &claims);
	return err == PT_OK ? jwt_check_times(&claims, NOON) : err;
}

static void JWT_06_an_expiry_is_a_second_ahead_of_now(void **state)
{
	static const char *const no_dates[] = { "{}", "{\"exp\":null}", "{\"exp\":\"99999999999\"}",
		"{\"exp\":99999999999.5}", "{\"exp\":1e300}", "{\"exp\":9.9e10}", "{\"exp\":-1}",
		"{\"exp\":0}", "{\"exp\":[99999999999]}", "{\"exp\":true}",
		"{\"Exp\":99999999999}" };

	assert_int_equal(dated(*state, "{\"exp\":%d}", 1), PT_OK);
	assert_int_equal(dated(*state, "{\"exp\":%d}", 0), PT_E_TOKEN);
	assert_int_equal(dated(*state, "{\"exp\":%d}", -1), PT_E_TOKEN);
	assert_int_equal(dated(*state, "{\"exp\":%d}", -31), PT_E_TOKEN);
	assert_int_equal(dated(*state, "{\"exp\":9223372036854775807}", 0), PT_OK);
	assert_int_equal(dated(*state, "{\"exp\":9223372036854775808}", 0), PT_E_MALFORMED);
	for (size_t i = 0; i < COUNT(no_dates); i++) {
		if (dated(*state, no_dates[i], 0) != PT_E_TOKEN)
			fail_msg("%s was accepted", no_dates[i]);
	}
}

static void JWT_06_what_begins_later_is_refused(void **state)
{
	static const char *const begins[] = { "{\"exp\":99999999999,\"nbf\":%d}",
		"{\"exp\":99999999999,\"iat\":%d}" };
	static const char *const no_dates[] = { "{\"exp\":99999999999,\"nbf\":\"1\"}",
		"{\"exp\":99999999999,\"nbf\":1.5}", "{\"exp\":99999999999,\"iat\":null}",
		"{\"exp\":99999999999,\"iat\":1e300}" };

	for (size_t i = 0; i < COUNT(begins); i++) {
		assert_int_equal(dated(*state, begins[i], -31), PT_OK);
		assert_int_equal(dated(*state, begins[i], 0), PT_OK);
		assert_int_equal(dated(*state, begins[i], 30), PT_OK);
		assert_int_equal(dated(*state, begins[i], 31), PT_E_TOKEN);
		assert_int_equal(dated(*state, begins[i], 1000000000), PT_E_TOKEN);
	}
	for (size_t i = 0; i < COUNT(no_dates); i++)
		assert_int_equal(dated(*state, no_dates[i], 0), PT_E_TOKEN);
}

/* ---- types ---- */

static void a_token_of_one_type_is_refused_where_another_is_wanted(void **state)
{
	const struct jwk *key = keys[3];
	struct jwt_verdict verdict;
	pt_str plain, access, untyped = forged_with(*state, 3, "{\"alg\":\"%s\"}");

	assert_int_equal(jwt_sign(*state, key, CLAIMS, &plain), PT_OK);
	assert_int_equal(jwt_sign_as(*state, key, PT_STR("at+jwt"), CLAIMS, &access), PT_OK);
	assert_int_equal(jwt_judge(*state, &key, 1, PT_STR("at+jwt"), access, &verdict), PT_OK);
	assert_ptr_equal(verdict.key, key);
	assert_int_equal(jwt_judge(*state, &key, 1, PT_STR("AT+JWT"), access, &verdict), PT_OK);
	assert_int_equal(jwt_judge(*state, &key, 1, PT_STR(""), access, &verdict), PT_E_TOKEN);
	assert_int_equal(
		jwt_judge(*state, &key, 1, PT_STR("logout+jwt"), access, &verdict), PT_E_TOKEN);
	assert_int_equal(jwt_judge(*state, &key, 1, PT_STR("at+jwt"), plain, &verdict), PT_E_TOKEN);
	assert_int_equal(
		jwt_judge(*state, &key, 1, PT_STR("at+jwt"), untyped, &verdict), PT_E_TOKEN);
	assert_int_equal(jwt_judge(*state, &key, 1, PT_STR("jwt"), plain, &verdict), PT_OK);
	assert_int_equal(jwt_judge(*state, &key, 1, PT_STR("JWT"), untyped, &verdict), PT_E_TOKEN);
}

static void a_key_that_only_judges_does_not_sign(void **state)
{
	struct jwk *key;
	pt_str token;

	assert_int_equal(jwk_from_json(PT_STR(EC_PUBLIC_JWK), NULL, &key, NULL), PT_OK);
	assert_int_equal(jwt_sign(*state, key, CLAIMS, &token), PT_F_CONFIG);
	jwk_close(key);
}

static void no_more_keys_are_tried_than_a_set_has(void **state)
{
	const struct jwk *list[JWT_TRIES_MAX + 1];
	struct jwt_verdict verdict;
	struct jwk *wrong;
	pt_str token;

	assert_int_equal(jwk_from_secret(PT_STR("wrong"), NULL, &wrong, NULL), PT_OK);
	assert_int_equal(jwt_sign(*state, keys[0], CLAIMS, &token), PT_OK);
	for (size_t i = 0; i < JWT_TRIES_MAX; i++)
		list[i] = wrong;
	list[JWT_TRIES_MAX] = keys[0];
	assert_int_equal(jwt_judge(*state, list, JWT_TRIES_MAX + 1, PT_STR(""), token, &verdict),
		PT_E_TOKEN);
	assert_int_equal(
		jwt_judge(*state, list + 1, JWT_TRIES_MAX, PT_STR(""), token, &verdict), PT_OK);
	assert_ptr_equal(verdict.key, keys[0]);
	jwk_close(wrong);
}

static void every_changed_character_is_refused(void **state)
{
	for (size_t k = 1; k < KEYS; k++) {
		char copy[1024];
		pt_str token;

		assert_int_equal(jwt_sign(*state, keys[k], CLAIMS, &token), PT_OK);
		assert_true(token.n < sizeof(copy));
		for (size_t i = 0; i < token.n; i++) {
			memcpy(copy, token.p, token.n);
			copy[i] = copy[i] == 'A' ? 'B' : 'A';
			assert_int_equal(judged(*state, keys[k], str_n(copy, token.n)), PT_E_TOKEN);
		}
	}
}

/* With ever more memory: not enough is our trouble, and the token is not called bad for it. */
static void a_machine_without_memory_does_not_make_a_token_bad(void **state)
{
	static const char header[] = "{\"alg\":\"%s\",\"typ\":\"jwt\"}";

	for (size_t k = 0; k < KEYS; k++) {
		pt_str token = forged_with(*state, k, header);
		size_t ceiling = 0;
		pt_err err;

		do {
			struct arena *small = arena_open(ceiling);

			err = judged(small, keys[k], token);
			if (err != PT_OK)
				assert_int_equal(err, PT_F_MEMORY);
			arena_close(small);
			ceiling += 64;
		} while (err != PT_OK);
		assert_true(ceiling > 256);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, arena_begin, arena_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_forged_without_a_fault_is_accepted),
		TEST(published_tokens_are_accepted),
		TEST(the_published_ed25519_signature_is_made_and_accepted),
		TEST(the_published_rsa_signature_is_made),
		TEST(JWT_01_none_is_refused),
		TEST(JWT_02_a_public_key_used_as_a_secret_is_refused),
		TEST(JWT_02_a_token_of_one_algorithm_is_refused_by_keys_of_others),
		TEST(JWT_03_a_kid_that_is_no_name_is_refused),
		TEST(JWT_03_a_kid_of_ten_kibibytes_is_refused),
		TEST(JWT_03_the_name_of_another_key_is_refused),
		TEST(JWT_04_a_key_that_the_token_brings_is_refused),
		TEST(JWT_05_ecdsa_numbers_out_of_range_are_refused),
		TEST(JWT_05_both_halves_of_s_are_accepted),
		TEST(JWT_05_a_der_signature_is_refused),
		TEST(JWT_05_a_signature_of_another_length_is_refused),
		TEST(JWT_05_an_ed25519_signature_that_is_not_reduced_is_refused),
		TEST(JWT_05_a_second_spelling_is_refused),
		TEST(JWT_05_plus_and_slash_are_refused),
		TEST(JWT_06_an_expiry_is_a_second_ahead_of_now),
		TEST(JWT_06_what_begins_later_is_refused),
		TEST(a_token_of_one_type_is_refused_where_another_is_wanted),
		TEST(a_key_that_only_judges_does_not_sign),
		TEST(no_more_keys_are_tried_than_a_set_has),
		TEST(every_changed_character_is_refused),
		TEST(a_machine_without_memory_does_not_make_a_token_bad),
	};

	return cmocka_run_group_tests(tests, keys_begin, keys_end);
}

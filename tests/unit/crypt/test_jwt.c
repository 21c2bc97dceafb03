/* RFC 7515 A.1, and every token that looks like one of ours and is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jwt.h"

static const pt_str secret = PT_STR_INIT("a-secret-of-the-site");
static struct jwk *key, *other;

static struct jwk *secret_key(pt_str bytes)
{
	struct jwk *made;

	assert_int_equal(jwk_from_secret(bytes, NULL, &made, NULL), PT_OK);
	return made;
}

static int keys_begin(void **state)
{
	(void)state;
	if (crypt_open() != PT_OK)
		return -1;
	key = secret_key(secret);
	other = secret_key(PT_STR("a-secret-of-the-sitf"));
	return 0;
}

static int keys_end(void **state)
{
	(void)state;
	jwk_close(key);
	jwk_close(other);
	return 0;
}

static int arena_begin(void **state)
{
	*state = arena_open(256 * KIB);
	return *state ? 0 : -1;
}

static int arena_end(void **state)
{
	arena_close(*state);
	return 0;
}

/* A token as somebody who has the key could make it, whatever it says of itself. */
static pt_str forge(struct arena *arena, pt_str header, pt_str claims)
{
	struct buf b = BUF(arena, 16 * KIB);
	struct pt_hash mac;
	pt_str token;

	buf_base64url(&b, header.p, header.n);
	buf_char(&b, '.');
	buf_base64url(&b, claims.p, claims.n);
	assert_int_equal(digest_hmac(secret, buf_view(&b), &mac), PT_OK);
	buf_char(&b, '.');
	buf_base64url(&b, mac.bytes, sizeof(mac.bytes));
	assert_int_equal(buf_done(&b, &token), PT_OK);
	return token;
}

static pt_err judge(struct arena *arena, pt_str token)
{
	struct json_value claims = { .number = 4711 };
	pt_err err = jwt_verify(arena, key, token, &claims);

	if (err != PT_OK)
		assert_int_equal(claims.number, 4711);
	return err;
}

static void a_signed_token_is_verified_and_its_claims_come_back(void **state)
{
	struct json_value claims;
	pt_str token;

	assert_int_equal(
		jwt_sign(*state, key, PT_STR("{\"user_id\":\"u1\",\"exp\":5}"), &token), PT_OK);
	assert_true(
		str_starts(token, PT_STR("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ1c2VyX2lkIjoi")));
	assert_int_equal(jwt_verify(*state, key, token, &claims), PT_OK);
	assert_int_equal(claims.type, JSON_OBJECT);
	assert_true(str_eq(json_find(&claims, PT_STR("user_id"))->text, PT_STR("u1")));
	assert_int_equal(json_find(&claims, PT_STR("exp"))->number, 5);
}

static void the_token_of_rfc_7515_is_verified(void **state)
{
	const pt_str token = PT_STR("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
				    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9"
				    "leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
				    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
	struct json_value claims;
	struct jwk *published;
	pt_str bytes;

	assert_true(base64url_decode(*state,
		PT_STR("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTw"
		       "jAzZr1Z9CAow"),
		&bytes));
	published = secret_key(bytes);
	assert_int_equal(jwt_verify(*state, published, token, &claims), PT_OK);
	jwk_close(published);
	assert_true(str_eq(json_find(&claims, PT_STR("iss"))->text, PT_STR("joe")));
}

static void a_token_of_another_key_is_refused(void **state)
{
	struct json_value claims;
	pt_str token;

	assert_int_equal(jwt_sign(*state, other, PT_STR("{}"), &token), PT_OK);
	assert_int_equal(jwt_verify(*state, key, token, &claims), PT_E_TOKEN);
}

static void a_token_with_any_character_changed_is_refused(void **state)
{
	char copy[256];
	pt_str token;

	assert_int_equal(jwt_sign(*state, key, PT_STR("{\"user_id\":\"u1\"}"), &token), PT_OK);
	for (size_t i = 0; i < token.n; i++) {
		memcpy(copy, token.p, token.n);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		assert_int_equal(judge(*state, str_n(copy, token.n)), PT_E_TOKEN);
	}
}

static void every_shorter_token_is_refused(void **state)
{
	pt_str token;

	assert_int_equal(jwt_sign(*state, key, PT_STR("{\"user_id\":\"u1\"}"), &token), PT_OK);
	for (size_t n = 0; n < token.n; n++)
		assert_int_equal(judge(*state, str_slice(token, 0, n)), PT_E_TOKEN);
}

/* Each is correctly signed: only its header speaks against it. */
static void a_header_that_the_key_did_not_decide_is_refused(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"none\"}",
		"{\"alg\":\"None\"}",
		"{\"alg\":\"NONE\"}",
		"{\"alg\":\"nOnE\"}",
		"{\"alg\":\"\"}",
		"{\"alg\":null}",
		"{\"alg\":256}",
		"{\"alg\":[\"HS256\"]}",
		"{\"alg\":\"hs256\"}",
		"{\"alg\":\"HS256 \"}",
		"{\"alg\":\"HS256\\u0000\"}",
		"{\"alg\":\"HS384\"}",
		"{\"alg\":\"HS512\"}",
		"{\"alg\":\"RS256\"}",
		"{\"alg\":\"ES256\"}",
		"{\"typ\":\"JWT\"}",
		"{}",
		"[]",
		"\"HS256\"",
		"",
		" ",
		"{\"alg\":\"HS256\",\"alg\":\"HS256\"}",
		"{\"alg\":\"HS256\",\"alg\":\"none\"}",
		"{\"alg\":\"HS256\",\"kid\":\"a\",\"kid\":\"b\"}",
		"{\"alg\":\"HS256\",\"jku\":\"http://127.0.0.1/keys\"}",
		"{\"alg\":\"HS256\",\"x5u\":\"http://127.0.0.1/cert\"}",
		"{\"alg\":\"HS256\",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}}",
		"{\"alg\":\"HS256\",\"x5c\":[]}",
		"{\"alg\":\"HS256\",\"crit\":[\"b64\"],\"b64\":false}",
		"{\"alg\":\"HS256\",\"crit\":[]}",
		"{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}",
		"{\"alg\":\"HS256\",\"typ\":1}",
		"{\"alg\":\"HS256\"} x",
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		pt_str token = forge(*state, str(headers[i]), PT_STR("{\"user_id\":\"u1\"}"));
		pt_err err = judge(*state, token);

		if (err != PT_E_TOKEN)
			fail_msg("%s gave %s", headers[i], pt_err_name(err));
	}
}

static void a_harmless_header_is_accepted(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"HS256\"}",
		"{\"typ\":\"jwt\",\"alg\":\"HS256\"}",
		"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"any-name_1.2\"}",
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		assert_int_equal(
			judge(*state, forge(*state, str(headers[i]), PT_STR("{}"))), PT_OK);
}

/* Each is correctly signed: what was signed is not a set of claims. */
static void claims_that_are_not_one_object_are_refused(void **state)
{
	static const char *const claims[] = {
		"",
		"[]",
		"null",
		"\"a\"",
		"{",
		"{} {}",
		"{\"a\":1,}",
		"{\"sub\":\"a\",\"sub\":\"b\"}",
		"{\"sub\":\"\xff\"}",
		"{\"sub\":\"\\u0000\"}",
	};

	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		pt_str token = forge(
			*state, PT_STR("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), str(claims[i]));
		pt_err err = judge(*state, token);

		if (err != PT_E_TOKEN)
			fail_msg("%s gave %s", claims[i], pt_err_name(err));
	}
}

static pt_str with(struct arena *arena, pt_str a, pt_str b, pt_str c)
{
	struct buf buf = BUF(arena, 16 * KIB);

	buf_str(&buf, a);
	buf_str(&buf, b);
	buf_str(&buf, c);
	return buf_view(&buf);
}

static void a_second_spelling_of_a_signature_is_refused(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const pt_str none = PT_STR("");
	pt_str token;

	assert_int_equal(jwt_sign(*state, key, PT_STR("{}"), &token), PT_OK);
	assert_int_equal(judge(*state, with(*state, token, PT_STR("="), none)), PT_E_TOKEN);
	assert_int_equal(judge(*state, with(*state, token, PT_STR("\n"), none)), PT_E_TOKEN);
	assert_int_equal(judge(*state, with(*state, token, PT_STR("."), none)), PT_E_TOKEN);
	assert_int_equal(judge(*state, with(*state, token, PT_STR("A"), none)), PT_E_TOKEN);
	assert_int_equal(judge(*state, with(*state, PT_STR(" "), token, none)), PT_E_TOKEN);

	/* 32 bytes in 43 characters leave two bits over; set, they mean the same to a lax reader. */
	pt_str head = str_slice(token, 0, token.n - 1);
	size_t last = (size_t)(strchr(alphabet, token.p[token.n - 1]) - alphabet);
	for (size_t bits = 1; bits < 4; bits++) {
		pt_str tail = str_n(&alphabet[last | bits], 1);
		assert_int_equal(judge(*state, with(*state, head, tail, none)), PT_E_TOKEN);
	}
	assert_int_equal(judge(*state, with(*state, head, str_n(&alphabet[last], 1), none)), PT_OK);
}

static void a_token_without_a_signature_is_refused(void **state)
{
	assert_int_equal(judge(*state, PT_STR("eyJhbGciOiJub25lIn0.e30.")), PT_E_TOKEN);
	assert_int_equal(
		judge(*state, PT_STR("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.")), PT_E_TOKEN);
	assert_int_equal(
		judge(*state, PT_STR("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30")), PT_E_TOKEN);
	assert_int_equal(judge(*state, PT_STR("..")), PT_E_TOKEN);
	assert_int_equal(judge(*state, PT_STR("")), PT_E_TOKEN);
	assert_int_equal(judge(*state, (pt_str){ 0 }), PT_E_TOKEN);
}

static void a_token_over_fourteen_kibibytes_is_refused_unread(void **state)
{
	char long_text[12 * 1024];
	struct buf b = BUF(*state, 16 * KIB);
	struct json_value claims;
	pt_str token;

	/* 10688 bytes of claims still fit, with header and signature; 10708 do not. */
	memset(long_text, 'x', sizeof(long_text));
	buf_printf(&b, "{\"a\":\"%.*s\"}", 10688 - 8, long_text);
	assert_int_equal(jwt_sign(*state, key, buf_view(&b), &token), PT_OK);
	assert_int_equal(jwt_verify(*state, key, token, &claims), PT_OK);

	b = BUF(*state, 16 * KIB);
	buf_printf(&b, "{\"a\":\"%.*s\"}", 10708 - 8, long_text);
	size_t before = arena_used(*state);
	token = forge(*state, PT_STR("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), buf_view(&b));
	before = arena_used(*state);
	assert_int_equal(judge(*state, token), PT_E_TOKEN);
	assert_int_equal(arena_used(*state), before);
	assert_int_equal(jwt_sign(*state, key, buf_view(&b), &token), PT_F_MEMORY);
}

/* Whoever is told that a token is bad throws it away. */
static void no_memory_is_not_a_bad_token(void **state)
{
	pt_str token = forge(*state, PT_STR("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"),
		PT_STR("{\"exp\":4102444800}"));
	struct json_value claims;
	pt_err err = PT_F_MEMORY;

	for (size_t ceiling = 16; err != PT_OK && ceiling < 64 * KIB; ceiling += 16) {
		struct arena *small = arena_open(ceiling);
		assert_non_null(small);
		err = jwt_verify(small, key, token, &claims);
		assert_true(err == PT_OK || err == PT_F_MEMORY);
		arena_close(small);
	}
	assert_int_equal(err, PT_OK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, arena_begin, arena_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_signed_token_is_verified_and_its_claims_come_back),
		TEST(the_token_of_rfc_7515_is_verified),
		TEST(a_token_of_another_key_is_refused),
		TEST(a_token_with_any_character_changed_is_refused),
		TEST(every_shorter_token_is_refused),
		TEST(a_header_that_the_key_did_not_decide_is_refused),
		TEST(a_harmless_header_is_accepted),
		TEST(claims_that_are_not_one_object_are_refused),
		TEST(a_second_spelling_of_a_signature_is_refused),
		TEST(a_token_without_a_signature_is_refused),
		TEST(no_memory_is_not_a_bad_token),
		TEST(a_token_over_fourteen_kibibytes_is_refused_unread),
	};

	return cmocka_run_group_tests(tests, keys_begin, keys_end);
}

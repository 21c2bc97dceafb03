/*
 * test_signer.c - which keys sign, which judge, and what is remembered of a token.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/str.h"
#include "core/signer.h"
#include "core/token_cache.h"
#include "crypt/digest.h"
#include "crypt/jwk_set.h"
#include "crypt/jwt.h"
#include "base/banned.h"

#define NOON   (1000 * PT_DAY)
#define CLAIMS PT_STR("{\"sub\":\"u1\"}")
#define SECRET PT_STR("a secret that both sides hold, long enough")
#define NONE   PT_STR("")

/* How often a signature was looked at: the linker puts this in jwt_judge's place. */
static unsigned judged;

pt_err __real_jwt_judge(struct arena *arena, const struct jwk *const *keys, size_t n, pt_str typ,
	pt_str token, struct jwt_verdict *out);
pt_err __wrap_jwt_judge(struct arena *arena, const struct jwk *const *keys, size_t n, pt_str typ,
	pt_str token, struct jwt_verdict *out);

pt_err __wrap_jwt_judge(struct arena *arena, const struct jwk *const *keys, size_t n, pt_str typ,
	pt_str token, struct jwt_verdict *out)
{
	__atomic_add_fetch(&judged, 1, __ATOMIC_RELAXED);
	return __real_jwt_judge(arena, keys, n, typ, token, out);
}

/* ---- the world ---- */

static struct jwk *old_key, *new_key;

static int keys_begin(void **state)
{
	(void)state;
	if (crypt_open() != PT_OK || jwk_generate(JWK_ES256, PT_STR("old"), &old_key) != PT_OK)
		return -1;
	return (int)jwk_generate(JWK_EDDSA, PT_STR("new"), &new_key);
}

static int keys_end(void **state)
{
	(void)state;
	jwk_close(old_key);
	jwk_close(new_key);
	return 0;
}

static int arena_begin(void **state)
{
	*state = arena_open(4 * MIB);
	judged = 0;
	return *state ? 0 : -1;
}

static int arena_end(void **state)
{
	arena_close(*state);
	return 0;
}

static pt_str text_of(struct arena *arena, const struct jwk_slot *slots, size_t n)
{
	struct jwk_set set = { 0 };
	pt_str text;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(jwk_set_add(&set, slots[i]), PT_OK);
	assert_int_equal(jwk_set_format_for_key_file(arena, &set, &text), PT_OK);
	return text;
}

static pt_str old_alone(struct arena *arena)
{
	return text_of(arena, (const struct jwk_slot[]){ { old_key, JWK_CURRENT, 0 } }, 1);
}

static pt_str new_alone(struct arena *arena)
{
	return text_of(arena, (const struct jwk_slot[]){ { new_key, JWK_CURRENT, 0 } }, 1);
}

static pt_str rotated(struct arena *arena, pt_time until)
{
	return text_of(arena,
		(const struct jwk_slot[]){
			{ new_key, JWK_CURRENT, 0 }, { old_key, JWK_RETIRED, until } },
		2);
}

static struct signer *opened(pt_str secret, pt_str jwks)
{
	struct signer *signer;

	assert_int_equal(signer_open(secret, NONE, jwks, &signer), PT_OK);
	return signer;
}

static pt_str issued(struct signer *signer, struct arena *arena)
{
	pt_str token;

	assert_int_equal(signer_sign(signer, arena, CLAIMS, NOON, &token), PT_OK);
	return token;
}

static pt_err shown(struct signer *signer, struct arena *arena, pt_str token, pt_time now)
{
	struct json_value claims;
	pt_err err = signer_verify(signer, arena, token, now, &claims, NULL);

	if (err == PT_OK)
		assert_true(str_eq(json_find(&claims, PT_STR("sub"))->text, PT_STR("u1")));
	return err;
}

static struct signer_flaw flaw_of(struct signer *signer, struct arena *arena, pt_str token)
{
	struct json_value claims;
	struct signer_flaw flaw;

	assert_int_equal(signer_verify(signer, arena, token, NOON, &claims, &flaw), PT_E_TOKEN);
	return flaw;
}

/* ---- who signs, who judges ---- */

static void the_secret_signs_where_there_are_no_other_keys(void **state)
{
	struct signer *signer = opened(SECRET, NONE);
	pt_str token = issued(signer, *state);

	assert_true(str_starts(token, PT_STR("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.")));
	assert_int_equal(shown(signer, *state, token, NOON), PT_OK);
	signer_close(signer);
}

static void a_short_secret_is_taken(void **state)
{
	struct signer *signer = opened(PT_STR("testsecret"), NONE);

	assert_int_equal(shown(signer, *state, issued(signer, *state), NOON), PT_OK);
	signer_close(signer);
}

static void the_secrets_name_stands_in_the_header(void **state)
{
	struct signer *signer;

	assert_int_equal(signer_open(SECRET, PT_STR("s1"), NONE, &signer), PT_OK);
	assert_true(str_starts(issued(signer, *state),
		PT_STR("eyJhbGciOiJIUzI1NiIsImtpZCI6InMxIiwidHlwIjoiSldUIn0.")));
	signer_close(signer);
}

static void nothing_that_signs_is_refused(void **state)
{
	const struct jwk_slot next = { old_key, JWK_NEXT, 0 };
	struct signer *signer = NULL;

	assert_int_equal(signer_open(NONE, NONE, NONE, &signer), PT_F_CONFIG);
	assert_int_equal(
		signer_open(SECRET, NONE, text_of(*state, &next, 1), &signer), PT_F_CONFIG);
	assert_int_equal(signer_open(SECRET, NONE, PT_STR("{\"keys\":[]}"), &signer), PT_F_CONFIG);
	assert_int_equal(signer_open(SECRET, NONE, PT_STR("no JSON"), &signer), PT_F_CONFIG);
	assert_null(signer);
}

static void the_secret_still_judges_beside_other_keys(void **state)
{
	struct signer *before = opened(SECRET, NONE), *after = opened(SECRET, old_alone(*state));
	struct signer *without = opened(NONE, old_alone(*state));
	pt_str token = issued(before, *state), fresh = issued(after, *state);

	assert_int_equal(shown(after, *state, token, NOON), PT_OK);
	assert_int_equal(shown(after, *state, fresh, NOON), PT_OK);
	assert_int_equal(shown(before, *state, fresh, NOON), PT_E_TOKEN);
	assert_int_equal(shown(without, *state, token, NOON), PT_E_TOKEN);
	signer_close(before);
	signer_close(after);
	signer_close(without);
}

/* A token as other programs make them: by the secret, and without anything that names it. */
static void a_header_may_name_neither_key_nor_type(void **state)
{
	struct signer *signer;
	struct buf b = BUF(*state, 1 * KIB);
	struct pt_hash mac;

	buf_str(&b, PT_STR("eyJhbGciOiJIUzI1NiJ9."));
	buf_base64url(&b, CLAIMS.p, CLAIMS.n);
	assert_int_equal(digest_hmac(SECRET, buf_view(&b), &mac), PT_OK);
	buf_char(&b, '.');
	buf_base64url(&b, mac.bytes, sizeof(mac.bytes));
	assert_int_equal(signer_open(SECRET, PT_STR("s1"), NONE, &signer), PT_OK);
	assert_int_equal(shown(signer, *state, buf_view(&b), NOON), PT_OK);
	signer_close(signer);
}

static void only_public_parts_are_published(void **state)
{
	struct signer *signer = opened(SECRET, rotated(*state, NOON + PT_HOUR));
	struct signer *secret = opened(SECRET, NONE);
	pt_str keys;

	assert_int_equal(signer_jwks(signer, *state, NOON, &keys), PT_OK);
	assert_true(str_contains(keys, PT_STR("\"kid\":\"new\"")));
	assert_true(str_contains(keys, PT_STR("\"kid\":\"old\"")));
	assert_false(str_contains(keys, PT_STR("\"d\"")));
	assert_false(str_contains(keys, PT_STR("oct")));
	assert_int_equal(signer_jwks(signer, *state, NOON + PT_HOUR, &keys), PT_OK);
	assert_false(str_contains(keys, PT_STR("\"kid\":\"old\"")));
	assert_int_equal(signer_jwks(secret, *state, NOON, &keys), PT_OK);
	assert_true(str_eq(keys, PT_STR("{\"keys\":[]}")));
	signer_close(signer);
	signer_close(secret);
}

/* ---- what is wrong with a token ---- */

static void the_first_thing_that_is_wrong_is_named(void **state)
{
	static const struct {
		const char *token;
		enum pt_token_flaw flaw;
		const char *algorithm;
	} rows[] = {
		{ "", PT_FLAW_SEGMENTS, "" },
		{ "a.b", PT_FLAW_SEGMENTS, "" },
		{ "a.b.c.d", PT_FLAW_SEGMENTS, "" },
		{ "!.e30.AA", PT_FLAW_ENCODING, "" },
		{ "bm8.e30.AA", PT_FLAW_ENCODING, "" },  /* no */
		{ "W10.e30.AA", PT_FLAW_ENCODING, "" },  /* [] */
		{ "e30.e30.AA", PT_FLAW_ALGORITHM, "" }, /* {} */
		{ "eyJhbGciOiJub25lIn0.e30.", PT_FLAW_ALGORITHM, "none" },
		{ "eyJhbGciOiJIUzUxMiJ9.e30.AA", PT_FLAW_ALGORITHM, "HS512" },
		{ "eyJhbGciOiJFUzI1NiJ9.e30.AA", PT_FLAW_ALGORITHM, "ES256" },
		{ "eyJhbGciOiJIUzI1NiJ9.e30.!", PT_FLAW_ENCODING, "HS256" },
		{ "eyJhbGciOiJIUzI1NiJ9.e30.AA", PT_FLAW_SIGNATURE, "HS256" },
		{ "eyJhbGciOiJIUzI1NiJ9.!.AA", PT_FLAW_SIGNATURE, "HS256" },
	};
	struct signer *signer = opened(SECRET, NONE);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct signer_flaw flaw = flaw_of(signer, *state, str(rows[i].token));

		assert_int_equal(flaw.kind, rows[i].flaw);
		assert_true(str_eq(flaw.algorithm, str(rows[i].algorithm)));
	}
	signer_close(signer);
}

/* Each of these is signed well. */
static void a_header_that_asks_for_more_is_no_good_signature(void **state)
{
	static const char *const headers[] = {
		"{\"alg\":\"HS256\",\"crit\":[\"exp\"]}",
		"{\"alg\":\"HS256\",\"jku\":\"https://evil.example\"}",
		"{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}",
		"{\"alg\":\"HS256\",\"typ\":\"logout+jwt\"}",
	};
	struct signer *signer = opened(SECRET, NONE);

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct buf b = BUF(*state, 1 * KIB);
		struct pt_hash mac;

		buf_base64url(&b, headers[i], strlen(headers[i]));
		buf_str(&b, PT_STR(".e30"));
		assert_int_equal(digest_hmac(SECRET, buf_view(&b), &mac), PT_OK);
		buf_char(&b, '.');
		buf_base64url(&b, mac.bytes, sizeof(mac.bytes));
		assert_int_equal(flaw_of(signer, *state, buf_view(&b)).kind, PT_FLAW_SIGNATURE);
	}
	signer_close(signer);
}

/* ---- other keys ---- */

static void a_retired_key_judges_until_its_end(void **state)
{
	struct signer *signer = opened(NONE, old_alone(*state));
	pt_str token = issued(signer, *state);

	assert_int_equal(signer_rekey(signer, rotated(*state, NOON + PT_HOUR)), PT_OK);
	assert_int_equal(shown(signer, *state, token, NOON), PT_OK);
	assert_int_equal(shown(signer, *state, token, NOON), PT_OK);
	assert_int_equal(judged, 1);
	/* It is remembered, and it is over all the same. */
	assert_int_equal(shown(signer, *state, token, NOON + PT_HOUR), PT_E_TOKEN);
	signer_close(signer);
}

static void the_tokens_of_a_removed_key_are_refused_though_they_were_known(void **state)
{
	struct signer *signer = opened(NONE, old_alone(*state));
	pt_str token = issued(signer, *state);

	assert_int_equal(shown(signer, *state, token, NOON), PT_OK);
	assert_int_equal(signer_rekey(signer, new_alone(*state)), PT_OK);
	assert_int_equal(shown(signer, *state, token, NOON), PT_E_TOKEN);
	assert_int_equal(shown(signer, *state, issued(signer, *state), NOON), PT_OK);
	signer_close(signer);
}

static void keys_that_cannot_be_used_leave_the_old_ones(void **state)
{
	struct signer *signer = opened(NONE, old_alone(*state));
	pt_str token = issued(signer, *state);

	assert_int_equal(signer_rekey(signer, PT_STR("{\"keys\":[")), PT_F_CONFIG);
	assert_int_equal(signer_rekey(signer, PT_STR("{\"keys\":[{}]}")), PT_F_CONFIG);
	assert_int_equal(signer_rekey(signer, NONE), PT_F_CONFIG);
	assert_int_equal(shown(signer, *state, token, NOON), PT_OK);
	assert_int_equal(shown(signer, *state, issued(signer, *state), NOON), PT_OK);
	signer_close(signer);
}

static void without_other_keys_the_secret_signs_again(void **state)
{
	struct signer *signer = opened(SECRET, old_alone(*state));
	pt_str token = issued(signer, *state);

	assert_int_equal(signer_rekey(signer, NONE), PT_OK);
	assert_int_equal(shown(signer, *state, token, NOON), PT_E_TOKEN);
	assert_int_equal(shown(signer, *state, issued(signer, *state), NOON), PT_OK);
	signer_close(signer);
}

/* ---- what is remembered ---- */

static void a_good_signature_is_looked_at_once(void **state)
{
	struct signer *signer = opened(NONE, old_alone(*state));
	pt_str token = issued(signer, *state);

	for (int i = 0; i < 3; i++)
		assert_int_equal(shown(signer, *state, token, NOON), PT_OK);
	assert_int_equal(judged, 1);
	signer_close(signer);
}

static void a_bad_signature_is_looked_at_every_time(void **state)
{
	struct signer *signer = opened(NONE, old_alone(*state));
	struct signer *stranger = opened(NONE, new_alone(*state));
	pt_str token = issued(stranger, *state);

	for (int i = 0; i < 3; i++)
		assert_int_equal(shown(signer, *state, token, NOON), PT_E_TOKEN);
	assert_int_equal(judged, 3);
	signer_close(signer);
	signer_close(stranger);
}

static void a_secrets_tokens_are_not_remembered(void **state)
{
	struct signer *alone = opened(SECRET, NONE), *beside = opened(SECRET, old_alone(*state));
	pt_str token = issued(alone, *state);

	for (int i = 0; i < 3; i++) {
		assert_int_equal(shown(alone, *state, token, NOON), PT_OK);
		assert_int_equal(shown(beside, *state, token, NOON), PT_OK);
	}
	assert_int_equal(judged, 6);
	signer_close(alone);
	signer_close(beside);
}

static void a_token_altered_in_one_bit_is_never_a_known_one(void **state)
{
	const pt_str keys[] = { old_alone(*state), new_alone(*state) };

	for (size_t k = 0; k < 2; k++) {
		struct signer *signer = opened(NONE, keys[k]);
		pt_str token = issued(signer, *state);
		char copy[1024];

		assert_int_equal(shown(signer, *state, token, NOON), PT_OK);
		assert_true(token.n < sizeof(copy));
		for (size_t bit = 0; bit < token.n * 8; bit++) {
			struct arena *arena = arena_open(64 * KIB);

			memcpy(copy, token.p, token.n);
			copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
			assert_int_equal(
				shown(signer, arena, str_n(copy, token.n), NOON), PT_E_TOKEN);
			arena_close(arena);
		}
		assert_int_equal(shown(signer, *state, token, NOON), PT_OK);
		signer_close(signer);
	}
}

static struct pt_hash hash_in_set(uint8_t set, uint8_t which)
{
	struct pt_hash hash = { { 0, set, which } };

	return hash;
}

static void a_full_set_forgets_its_oldest(void **state)
{
	struct token_cache *cache;
	unsigned key = 99;

	(void)state;
	assert_int_equal(token_cache_open(&cache), PT_OK);
	for (uint8_t i = 0; i < 5; i++) {
		struct pt_hash hash = hash_in_set(7, i);

		assert_false(token_cache_find(cache, &hash, &key));
		assert_int_equal(key, 99);
		token_cache_add(cache, &hash, i);
	}
	for (uint8_t i = 0; i < 5; i++) {
		struct pt_hash hash = hash_in_set(7, i), other = hash_in_set(8, i);
		unsigned found = 99;

		assert_int_equal(token_cache_find(cache, &hash, &found), i > 0);
		assert_int_equal(found, i > 0 ? i : 99);
		assert_false(token_cache_find(cache, &other, &found));
	}
	token_cache_close(cache);
}

/* ---- while calls go on ---- */

enum { READERS = 3, ROUNDS = 200 };

struct traffic {
	struct signer *signer;
	pt_str token;
	bool over; /* atomic */
	unsigned refused, served;
};

static void *read_on(void *ctx)
{
	struct traffic *t = ctx;

	while (!__atomic_load_n(&t->over, __ATOMIC_ACQUIRE)) {
		struct arena *arena = arena_open(64 * KIB);
		struct json_value claims;
		pt_str fresh;

		pt_err err = signer_verify(t->signer, arena, t->token, NOON, &claims, NULL);
		if (err == PT_OK)
			err = signer_sign(t->signer, arena, CLAIMS, NOON, &fresh);
		/* Whatever came between: every set here knows both keys. */
		if (err == PT_OK)
			err = signer_verify(t->signer, arena, fresh, NOON, &claims, NULL);
		if (err == PT_OK)
			err = signer_jwks(t->signer, arena, NOON, &fresh);
		__atomic_add_fetch(err == PT_OK ? &t->served : &t->refused, 1, __ATOMIC_RELAXED);
		arena_close(arena);
	}
	return NULL;
}

static void keys_are_replaced_while_calls_go_on(void **state)
{
	const struct jwk_slot before[] = { { old_key, JWK_CURRENT, 0 }, { new_key, JWK_NEXT, 0 } };
	const pt_str keys[] = { text_of(*state, before, 2), rotated(*state, 0) };
	struct traffic traffic = { .signer = opened(NONE, keys[0]) };
	pthread_t threads[READERS];

	traffic.token = issued(traffic.signer, *state);
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_on, &traffic), 0);
	for (size_t i = 0; i < ROUNDS; i++)
		assert_int_equal(signer_rekey(traffic.signer, keys[i % 2]), PT_OK);
	__atomic_store_n(&traffic.over, true, __ATOMIC_RELEASE);
	for (size_t i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(traffic.refused, 0);
	assert_true(traffic.served > 0);
	signer_close(traffic.signer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_begin, arena_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_secret_signs_where_there_are_no_other_keys),
		TEST(a_short_secret_is_taken),
		TEST(the_secrets_name_stands_in_the_header),
		TEST(nothing_that_signs_is_refused),
		TEST(the_secret_still_judges_beside_other_keys),
		TEST(a_header_may_name_neither_key_nor_type),
		TEST(only_public_parts_are_published),
		TEST(the_first_thing_that_is_wrong_is_named),
		TEST(a_header_that_asks_for_more_is_no_good_signature),
		TEST(a_retired_key_judges_until_its_end),
		TEST(the_tokens_of_a_removed_key_are_refused_though_they_were_known),
		TEST(keys_that_cannot_be_used_leave_the_old_ones),
		TEST(without_other_keys_the_secret_signs_again),
		TEST(a_good_signature_is_looked_at_once),
		TEST(a_bad_signature_is_looked_at_every_time),
		TEST(a_secrets_tokens_are_not_remembered),
		TEST(a_token_altered_in_one_bit_is_never_a_known_one),
		TEST(a_full_set_forgets_its_oldest),
		TEST(keys_are_replaced_while_calls_go_on),
	};

	return cmocka_run_group_tests(tests, keys_begin, keys_end);
}

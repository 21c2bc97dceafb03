/* The keys of an issuer as text, and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jwk_set.h"

#define NOON (1000 * PT_DAY)

#define SECRET_43 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define OCT       "\"kty\":\"oct\",\"k\":\"" SECRET_43 "\""
#define PUBLIC                                 \
	"\"kty\":\"OKP\",\"crv\":\"Ed25519\"," \
	"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""

static struct jwk *es256, *eddsa, *rs256, *secret;

static int keys_begin(void **state)
{
	(void)state;
	if (crypt_open() != PT_OK || jwk_generate(JWK_ES256, PT_STR("es"), &es256) != PT_OK ||
		jwk_generate(JWK_EDDSA, PT_STR("ed"), &eddsa) != PT_OK ||
		jwk_generate(JWK_RS256, PT_STR("rs"), &rs256) != PT_OK)
		return -1;
	return (int)jwk_generate(JWK_HS256, PT_STR("hs"), &secret);
}

static int keys_end(void **state)
{
	(void)state;
	jwk_close(es256);
	jwk_close(eddsa);
	jwk_close(rs256);
	jwk_close(secret);
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

static struct jwk_set all_of_them(void)
{
	return (struct jwk_set){
		.slots = { { es256, JWK_CURRENT, 0 }, { eddsa, JWK_NEXT, NOON },
			{ rs256, JWK_RETIRED, NOON + PT_HOUR }, { secret, JWK_RETIRED, 0 } },
		.n = 4,
	};
}

static struct jwk_set there_and_back(struct arena *arena, const struct jwk_set *set)
{
	struct jwk_set back;
	const char *why;
	pt_str text;

	assert_int_equal(jwk_set_format_for_key_file(arena, set, &text), PT_OK);
	assert_int_equal(jwk_set_read(text, &back, &why), PT_OK);
	return back;
}

static void a_set_comes_back_as_it_was(void **state)
{
	struct jwk_set set = all_of_them(), back = there_and_back(*state, &set);

	assert_int_equal(back.n, set.n);
	for (size_t i = 0; i < set.n; i++) {
		const struct jwk *before = set.slots[i].key, *after = back.slots[i].key;

		assert_true(str_eq(jwk_kid(after), jwk_kid(before)));
		assert_true(str_eq(jwk_thumbprint(after), jwk_thumbprint(before)));
		assert_int_equal(jwk_algorithm(after), jwk_algorithm(before));
		assert_int_equal(back.slots[i].state, set.slots[i].state);
		assert_int_equal(back.slots[i].when, set.slots[i].when);
	}
	jwk_set_close(&back);
	assert_int_equal(back.n, 0);
}

static void only_what_is_to_sign_keeps_its_private_part(void **state)
{
	struct jwk_set set = all_of_them(), back = there_and_back(*state, &set);

	assert_true(jwk_can_sign(back.slots[0].key));
	assert_true(jwk_can_sign(back.slots[1].key));
	assert_false(jwk_can_sign(back.slots[2].key));
	/* What judges by a secret needs all of it. */
	assert_true(jwk_can_sign(back.slots[3].key));
	jwk_set_close(&back);
}

static void a_key_of_somebody_else_judges_when_it_is_said_to(void **state)
{
	const pt_str text = PT_STR("{\"keys\":[{" OCT ",\"status\":\"current\"},"
				   "{" PUBLIC ",\"status\":\"retired\",\"until\":86400}]}");
	struct jwk_set set;
	const char *why;

	(void)state;
	assert_int_equal(jwk_set_read(text, &set, &why), PT_OK);
	assert_int_equal(set.n, 2);
	assert_int_equal(set.slots[1].when, PT_DAY);
	jwk_set_close(&set);
}

static void what_is_no_set_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text;
		pt_err err;
	} rows[] = {
		{ "", PT_E_MALFORMED },
		{ "[]", PT_E_MALFORMED },
		{ "{}", PT_E_MALFORMED },
		{ "{\"keys\":\"\"}", PT_E_MALFORMED },
		{ "{\"keys\":[1]}", PT_E_MALFORMED },
		{ "{\"keys\":[{" OCT "}]}", PT_E_MALFORMED },
		{ "{\"keys\":[{" OCT ",\"status\":1}]}", PT_E_MALFORMED },
		{ "{\"keys\":[{" OCT ",\"status\":\"asleep\"}]}", PT_E_MALFORMED },
		{ "{\"keys\":[{\"status\":\"current\"}]}", PT_E_MALFORMED },
		{ "{\"keys\":[{" OCT ",\"status\":\"retired\",\"until\":\"1\"}]}", PT_E_MALFORMED },
		{ "{\"keys\":[{" OCT ",\"status\":\"retired\",\"until\":1.5}]}", PT_E_MALFORMED },
		{ "{\"keys\":[{" OCT ",\"status\":\"retired\",\"until\":-1}]}", PT_E_MALFORMED },
		{ "{\"keys\":[{" OCT ",\"status\":\"next\",\"from\":9223372036854775807}]}",
			PT_E_MALFORMED },
		/* 16 bytes */
		{ "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAECAwQFBgcICQoLDA0ODw\",\"status\":"
		  "\"current\"}]}",
			PT_E_MALFORMED },
		{ "{\"keys\":[{" PUBLIC ",\"status\":\"current\"}]}", PT_F_CONFIG },
		{ "{\"keys\":[{" OCT ",\"status\":\"current\"},{" OCT ",\"status\":\"current\"}]}",
			PT_F_CONFIG },
		{ "{\"keys\":[{" PUBLIC ",\"status\":\"retired\"},{" PUBLIC
		  ",\"status\":\"retired\"}]}",
			PT_F_CONFIG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct jwk_set set = { .n = 77 };
		const char *why = NULL;

		assert_int_equal(jwk_set_read(str(rows[i].text), &set, &why), rows[i].err);
		assert_int_equal(set.n, 77);
		assert_int_equal(why != NULL, rows[i].err == PT_E_MALFORMED);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_begin, arena_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_set_comes_back_as_it_was),
		TEST(only_what_is_to_sign_keeps_its_private_part),
		TEST(a_key_of_somebody_else_judges_when_it_is_said_to),
		TEST(what_is_no_set_is_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, keys_begin, keys_end);
}

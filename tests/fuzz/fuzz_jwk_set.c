/*
 * fuzz_jwk_set.c - the bytes as a file of signing keys. What is accepted comes back from its own text
 * as the same keys in the same states, and what was told to be retired cannot sign any more.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jwk_set.h"

#include "base/banned.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_open(LOG_TEXT, LOG_ERROR);
	check(crypt_open() == PT_OK);
	return 0;
}

static void check_same(const struct jwk_set *a, const struct jwk_set *b)
{
	check(a->n == b->n && a->n <= JWK_SET_MAX);
	for (size_t i = 0; i < a->n; i++) {
		const struct jwk_slot *x = &a->slots[i], *y = &b->slots[i];

		check(x->state == y->state && x->when == y->when);
		check(jwk_algorithm(x->key) == jwk_algorithm(y->key));
		check(str_eq(jwk_kid(x->key), jwk_kid(y->key)));
		check(str_eq(jwk_thumbprint(x->key), jwk_thumbprint(y->key)));
		check(jwk_can_sign(y->key) == jwk_can_sign(x->key) || y->state == JWK_RETIRED);
	}
}

/* A retired secret that may not sign is a file that we would not write. */
static bool can_be_written(const struct jwk_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct jwk *key = set->slots[i].key;

		if (jwk_algorithm(key) == JWK_HS256 && !jwk_can_sign(key))
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open(1 * MIB);
	struct jwk_set set, back;
	const char *why = NULL;
	pt_str text;

	pt_err err = jwk_set_read(str_n(bytes, n), &set, &why);
	check(err == PT_OK || (err == PT_E_MALFORMED && why) || err == PT_F_CONFIG);
	if (err == PT_OK && can_be_written(&set)) {
		check(jwk_set_format_for_key_file(arena, &set, &text) == PT_OK);
		check(jwk_set_read(text, &back, &why) == PT_OK);
		check_same(&set, &back);
		jwk_set_close(&back);
	}
	if (err == PT_OK)
		jwk_set_close(&set);
	arena_close(arena);
	return 0;
}

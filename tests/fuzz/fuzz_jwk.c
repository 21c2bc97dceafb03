/*
 * fuzz_jwk.c - the bytes as a JWK, as a list of keys, as PEM and as a secret. What is accepted signs
 * and judges, tells its public part and no more, and comes back from its own text as the same key.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jwk.h"
#include "crypt/jwt.h"

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

static void check_signs(struct arena *arena, const struct jwk *key)
{
	struct json_value claims;
	pt_str token;

	check(jwt_sign(arena, key, PT_STR("{}"), &token) == PT_OK);
	check(jwt_verify(arena, key, token, &claims) == PT_OK);
}

static void check_comes_back(pt_str text, const struct jwk *key)
{
	struct jwk *copy;

	check(jwk_from_json(text, NULL, &copy, NULL) == PT_OK);
	check(jwk_algorithm(copy) == jwk_algorithm(key));
	check(str_eq(jwk_kid(copy), jwk_kid(key)));
	check(str_eq(jwk_thumbprint(copy), jwk_thumbprint(key)));
	jwk_close(copy);
}

static void check_public(struct arena *arena, const struct jwk *key)
{
	static const char *const hidden[] = { "d", "p", "q", "dp", "dq", "qi", "k" };
	struct buf b = BUF(arena, 64 * KIB);
	struct json j = JSON(&b);
	struct json_value object;

	jwk_write(key, &j);
	if (buf_view(&b).n == 0)
		return;
	check(json_read(arena, buf_view(&b), &object) == PT_OK);
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		check(!json_find(&object, str(hidden[i])));
	check_comes_back(buf_view(&b), key);
}

static void check_key(struct arena *arena, struct jwk *key)
{
	pt_str text;

	check_public(arena, key);
	if (jwk_can_sign(key)) {
		check_signs(arena, key);
		check(jwk_format_for_key_file(arena, key, &text) == PT_OK);
		check_comes_back(text, key);
	}
	jwk_close(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open(64 * MIB);
	struct jwk *key, **keys;
	size_t count;

	check(arena != NULL);
	if (jwk_from_json(str_n(bytes, n), NULL, &key, NULL) == PT_OK)
		check_key(arena, key);
	if (jwk_from_pem(str_n(bytes, n), NULL, &key, NULL) == PT_OK)
		check_key(arena, key);
	if (n <= JWK_TEXT_MAX / 2 && jwk_from_secret(str_n(bytes, n), NULL, &key, NULL) == PT_OK)
		check_key(arena, key);
	if (jwk_list_from_json(arena, str_n(bytes, n), &keys, &count) == PT_OK) {
		for (size_t i = 0; i < count; i++)
			check_key(arena, keys[i]);
	}
	arena_close(arena);
	return 0;
}

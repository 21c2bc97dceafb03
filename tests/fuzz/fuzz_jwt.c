/*
 * fuzz_jwt.c - the bytes as a token, which nobody signed and so is never accepted; the bytes as a
 * header, a line break and claims, signed as they are: accepted claims are an object; and the bytes
 * as the signature of every algorithm, which none of them made.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jwt.h"

#include "base/banned.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const pt_str secret = PT_STR_INIT("secret of the fuzzer");
static struct jwk *key, *keys[4];

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
	check(jwk_from_secret(secret, NULL, &key, NULL) == PT_OK);
	for (int i = 0; i < 4; i++)
		check(jwk_generate((enum jwk_algorithm)i, PT_STR("k"), &keys[i]) == PT_OK);
	return 0;
}

static pt_str sign_as_it_is(struct arena *arena, pt_str header, pt_str claims)
{
	struct buf b = BUF(arena, 1 * MIB);
	struct pt_hash mac;

	buf_base64url(&b, header.p, header.n);
	buf_char(&b, '.');
	buf_base64url(&b, claims.p, claims.n);
	check(digest_hmac(secret, buf_view(&b), &mac) == PT_OK);
	buf_char(&b, '.');
	buf_base64url(&b, mac.bytes, sizeof(mac.bytes));
	return buf_view(&b);
}

static void check_signature(struct arena *arena, size_t i, pt_str signature)
{
	struct buf b = BUF(arena, 1 * MIB);
	struct jwt_verdict verdict;
	pt_str token, none;

	check(jwt_sign(arena, keys[i], PT_STR("{}"), &token) == PT_OK);
	str_cut(token, '.', &token, &none);
	buf_str(&b, token);
	buf_str(&b, PT_STR(".e30."));
	buf_base64url(&b, signature.p, signature.n);
	check(jwt_judge(arena, (const struct jwk *const *)keys, 4, PT_STR(""), buf_view(&b),
		      &verdict) == PT_E_TOKEN);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open(16 * MIB);
	struct json_value claims;
	pt_str header, rest;

	check(arena != NULL);
	check(jwt_verify(arena, key, str_n(bytes, n), &claims) == PT_E_TOKEN);

	str_cut(str_n(bytes, n), '\n', &header, &rest);
	pt_err err = jwt_verify(arena, key, sign_as_it_is(arena, header, rest), &claims);
	check(err == PT_OK || err == PT_E_TOKEN);
	if (err == PT_OK)
		check(claims.type == JSON_OBJECT);
	if (err == PT_OK)
		check(jwt_check_times(&claims, 0) == PT_OK ||
			jwt_check_times(&claims, 0) == PT_E_TOKEN);
	check_signature(arena, n % 4, str_n(bytes, n));
	arena_close(arena);
	return 0;
}

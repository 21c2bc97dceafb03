/*
 * jws_eddsa.c - Ed25519 (RFC 8037) by libsodium, which takes half the time that OpenSSL 3.0 takes.
 *
 * libsodium refuses what RFC 8032 leaves to the reader: a signature whose S is not reduced, and
 * keys and signatures with points of small order. So one message has one signature under one key.
 */
#include <openssl/err.h>
#include <sodium.h>

#include "base/err.h"
#include "base/random.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jws.h"

#include "base/banned.h"

enum { SEED_BYTES = crypto_sign_SEEDBYTES };

_Static_assert(ED25519_PUBLIC == crypto_sign_PUBLICKEYBYTES, "a public key is libsodium's");
_Static_assert(ED25519_SECRET == crypto_sign_SECRETKEYBYTES, "a secret key is libsodium's");

static pt_err take_public(struct jwk *key, pt_str x, const char **why)
{
	if (!crypto_core_ed25519_is_valid_point((const uint8_t *)x.p))
		return jws_refuse(why, "the public key is not a point of the curve");
	memcpy(key->ed25519.open, x.p, ED25519_PUBLIC);
	return PT_OK;
}

static void take_seed(struct jwk *key, pt_str seed)
{
	crypto_sign_seed_keypair(key->ed25519.open, key->ed25519.secret, (const uint8_t *)seed.p);
	key->can_sign = true;
}

/* The public part is told beside the private one, and must be its own: with another one a
 * signature would give the private key away. */
static pt_err take_pair(struct jwk *key, pt_str x, pt_str seed, const char **why)
{
	take_seed(key, seed);
	if (!digest_equal(str_n(key->ed25519.open, ED25519_PUBLIC), x))
		return jws_refuse(why, "the private key is of another public key");
	return PT_OK;
}

static pt_err eddsa_read(
	struct arena *arena, const struct json_value *members, struct jwk *key, const char **why)
{
	const struct json_value *curve = json_find(members, PT_STR("crv"));
	bool has_public, has_seed;
	pt_str x, seed;

	if (!curve || curve->type != JSON_STRING || !str_eq(curve->text, PT_STR("Ed25519")))
		return jws_refuse(why, "not on the curve Ed25519");
	TRY(jws_member(arena, members, "x", ED25519_PUBLIC, &x, &has_public, why));
	TRY(jws_member(arena, members, "d", SEED_BYTES, &seed, &has_seed, why));
	if (!has_public)
		return jws_refuse(why, "the public key is missing");
	return has_seed ? take_pair(key, x, seed, why) : take_public(key, x, why);
}

static pt_err eddsa_adopt(EVP_PKEY *pkey, struct jwk *key, const char **why)
{
	uint8_t open[ED25519_PUBLIC], seed[SEED_BYTES];
	size_t open_n = sizeof(open), seed_n = sizeof(seed);

	if (!EVP_PKEY_get_raw_public_key(pkey, open, &open_n) || open_n != sizeof(open))
		return jws_refuse(why, "the public key is missing");
	if (!EVP_PKEY_get_raw_private_key(pkey, seed, &seed_n) || seed_n != sizeof(seed)) {
		ERR_clear_error();
		return take_public(key, str_n(open, sizeof(open)), why);
	}
	pt_err err = take_pair(key, str_n(open, sizeof(open)), str_n(seed, sizeof(seed)), why);
	crypt_wipe(seed, sizeof(seed));
	return err;
}

static pt_err eddsa_generate(struct jwk *key)
{
	uint8_t seed[SEED_BYTES];

	TRY(random_fill(seed, sizeof(seed)));
	take_seed(key, str_n(seed, sizeof(seed)));
	crypt_wipe(seed, sizeof(seed));
	return PT_OK;
}

static pt_err eddsa_write_public(const struct jwk *key, struct json *j)
{
	json_str(j, "crv", PT_STR("Ed25519"));
	json_str(j, "kty", PT_STR("OKP"));
	jws_write_bytes(j, "x", key->ed25519.open, ED25519_PUBLIC);
	return PT_OK;
}

static pt_err eddsa_write_secret(const struct jwk *key, struct json *j)
{
	jws_write_bytes(j, "d", key->ed25519.secret, SEED_BYTES);
	return PT_OK;
}

static pt_err eddsa_sign(
	const struct jwk *key, pt_str input, uint8_t signature[JWS_SIGNATURE_MAX], size_t *n)
{
	crypto_sign_detached(
		signature, NULL, (const uint8_t *)input.p, input.n, key->ed25519.secret);
	*n = crypto_sign_BYTES;
	return PT_OK;
}

static pt_err eddsa_verify(const struct jwk *key, pt_str input, pt_str signature)
{
	if (signature.n != crypto_sign_BYTES ||
		crypto_sign_verify_detached((const uint8_t *)signature.p, (const uint8_t *)input.p,
			input.n, key->ed25519.open) != 0)
		return PT_E_TOKEN;
	return PT_OK;
}

const struct jws_algorithm jws_eddsa = {
	.id = JWK_EDDSA,
	.name = PT_STR_INIT("EdDSA"),
	.type = PT_STR_INIT("OKP"),
	.openssl = "ED25519",
	.read = eddsa_read,
	.adopt = eddsa_adopt,
	.generate = eddsa_generate,
	.write_public = eddsa_write_public,
	.write_secret = eddsa_write_secret,
	.sign = eddsa_sign,
	.verify = eddsa_verify,
};

/*
 * jws_rs256.c - RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 3.3), for those who ask for nothing
 * newer.
 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jws.h"

#include "base/banned.h"

enum { BITS_MIN = 2048, BITS_MAX = 8192, BITS_NEW = 2048, EXPONENT_BITS_MAX = 32 };

/* RFC 7518 6.3: first what everyone may know. */
static const struct {
	const char *member;
	const char *param;
} numbers[] = {
	{ "n", OSSL_PKEY_PARAM_RSA_N },
	{ "e", OSSL_PKEY_PARAM_RSA_E },
	{ "d", OSSL_PKEY_PARAM_RSA_D },
	{ "p", OSSL_PKEY_PARAM_RSA_FACTOR1 },
	{ "q", OSSL_PKEY_PARAM_RSA_FACTOR2 },
	{ "dp", OSSL_PKEY_PARAM_RSA_EXPONENT1 },
	{ "dq", OSSL_PKEY_PARAM_RSA_EXPONENT2 },
	{ "qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1 },
};

enum { N, E, PUBLIC_NUMBERS, NUMBERS = sizeof(numbers) / sizeof(numbers[0]) };

static const char two_primes[] = "an RSA key here has two prime factors";

/* ---- making ---- */

/*
 * A long exponent costs the judge, and only the judge: 32 bits are more than anyone uses.
 *
 * OpenSSL's own check of a public key shows no more than that the modulus is no prime, and takes
 * 0.4 s at 8192 bits, which a list of such keys would make us pay. Whoever wants a weak key for
 * himself needs no prime for it.
 */
static bool is_within_limits(const EVP_PKEY *pkey)
{
	PT_OWN(jws_own_number) BIGNUM *e = NULL;
	PT_OWN(jws_own_number) BIGNUM *n = NULL;
	int bits = EVP_PKEY_get_bits(pkey);

	return bits >= BITS_MIN && bits <= BITS_MAX &&
	       EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_N, &n) && BN_is_odd(n) &&
	       EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) && BN_is_odd(e) &&
	       !BN_is_one(e) && BN_num_bits(e) <= EXPONENT_BITS_MAX;
}

static bool has_number(const EVP_PKEY *pkey, const char *param)
{
	PT_OWN(jws_own_number) BIGNUM *number = NULL;
	bool has = EVP_PKEY_get_bn_param(pkey, param, &number) && !BN_is_zero(number);

	ERR_clear_error();
	return has;
}

static pt_err rs256_adopt(EVP_PKEY *pkey, struct jwk *key, const char **why)
{
	if (!is_within_limits(pkey))
		return jws_refuse(
			why, "an RSA key here has 2048 to 8192 bits and a short odd exponent");
	if (has_number(pkey, OSSL_PKEY_PARAM_RSA_FACTOR3))
		return jws_refuse(why, two_primes);
	key->can_sign = has_number(pkey, OSSL_PKEY_PARAM_RSA_D);
	if (key->can_sign)
		TRY(jws_pkey_check(pkey, true, why));
	if (!EVP_PKEY_up_ref(pkey))
		return jws_fault("keep an RSA key");
	key->pkey = pkey;
	return PT_OK;
}

/* RFC 7518 6.3.2: a private key comes with all of its numbers, or it is none. */
static pt_err numbers_read(struct arena *arena, const struct json_value *members,
	OSSL_PARAM params[NUMBERS + 1], size_t *n, const char **why)
{
	size_t count = 0;

	for (size_t i = 0; i < NUMBERS; i++) {
		pt_str bytes;
		bool given;

		TRY(jws_member(arena, members, numbers[i].member, 0, &bytes, &given, why));
		if (!given)
			continue;
		if (bytes.n > BITS_MAX / 8)
			return jws_refuse(why, "an RSA key here has 2048 to 8192 bits");
		/* RFC 7518 2: Base64urlUInt has no zero in front. */
		if (i < PUBLIC_NUMBERS && bytes.p[0] == 0)
			return jws_refuse(why, "a number of the key begins with zero");
		if (count != i)
			return jws_refuse(why, "a number of the key is missing");
		TRY(jws_number_param(arena, numbers[i].param, bytes, &params[count++]));
	}
	if (count != PUBLIC_NUMBERS && count != NUMBERS)
		return jws_refuse(why, "a number of the key is missing");
	params[count] = OSSL_PARAM_construct_end();
	*n = count;
	return PT_OK;
}

static pt_err rs256_read(
	struct arena *arena, const struct json_value *members, struct jwk *key, const char **why)
{
	PT_OWN(jws_own_pkey) EVP_PKEY *pkey = NULL;
	OSSL_PARAM params[NUMBERS + 1];
	size_t n;

	if (json_find(members, PT_STR("oth")))
		return jws_refuse(why, two_primes);
	TRY(numbers_read(arena, members, params, &n, why));
	TRY(jws_pkey_make("RSA", params, n == NUMBERS, &pkey, why));
	return rs256_adopt(pkey, key, why);
}

static pt_err rs256_generate(struct jwk *key)
{
	key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)BITS_NEW);
	key->can_sign = true;
	return key->pkey ? PT_OK : jws_fault("generate an RSA key");
}

/* ---- telling ---- */

static pt_err rs256_write_public(const struct jwk *key, struct json *j)
{
	TRY(jws_write_number(j, numbers[E].member, key->pkey, numbers[E].param, 0));
	json_str(j, "kty", PT_STR("RSA"));
	return jws_write_number(j, numbers[N].member, key->pkey, numbers[N].param, 0);
}

static pt_err rs256_write_secret(const struct jwk *key, struct json *j)
{
	for (size_t i = PUBLIC_NUMBERS; i < NUMBERS; i++)
		TRY(jws_write_number(j, numbers[i].member, key->pkey, numbers[i].param, 0));
	return PT_OK;
}

/* ---- using ---- */

static bool is_pkcs1_sha256(EVP_PKEY_CTX *ctx)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) > 0;
}

static pt_err rs256_sign(
	const struct jwk *key, pt_str input, uint8_t signature[JWS_SIGNATURE_MAX], size_t *n)
{
	PT_OWN(jws_own_pkey_ctx) EVP_PKEY_CTX *ctx = NULL;
	struct pt_hash hash;

	TRY(digest_sha256(input, &hash));
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	*n = JWS_SIGNATURE_MAX;
	if (!ctx || EVP_PKEY_sign_init(ctx) <= 0 || !is_pkcs1_sha256(ctx) ||
		EVP_PKEY_sign(ctx, signature, n, hash.bytes, sizeof(hash.bytes)) <= 0)
		return jws_fault("sign with RSA");
	return PT_OK;
}

static pt_err rs256_verify(const struct jwk *key, pt_str input, pt_str signature)
{
	PT_OWN(jws_own_pkey_ctx) EVP_PKEY_CTX *ctx = NULL;
	struct pt_hash hash;

	/* RFC 8017 8.2.2: as long as the modulus, leading zeros included. */
	if (signature.n != (size_t)EVP_PKEY_get_size(key->pkey))
		return PT_E_TOKEN;
	TRY(digest_sha256(input, &hash));
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	if (!ctx || EVP_PKEY_verify_init(ctx) <= 0 || !is_pkcs1_sha256(ctx))
		return jws_fault("verify with RSA");
	if (EVP_PKEY_verify(ctx, (const uint8_t *)signature.p, signature.n, hash.bytes,
		    sizeof(hash.bytes)) == 1)
		return PT_OK;
	ERR_clear_error();
	return PT_E_TOKEN;
}

const struct jws_algorithm jws_rs256 = {
	.id = JWK_RS256,
	.name = PT_STR_INIT("RS256"),
	.type = PT_STR_INIT("RSA"),
	.openssl = "RSA",
	.read = rs256_read,
	.adopt = rs256_adopt,
	.generate = rs256_generate,
	.write_public = rs256_write_public,
	.write_secret = rs256_write_secret,
	.sign = rs256_sign,
	.verify = rs256_verify,
};

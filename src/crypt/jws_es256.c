/*
 * jws_es256.c - ECDSA over P-256 with SHA-256 (RFC 7518 3.4). A signature is r and s, 32 bytes
 * each; OpenSSL's own form (DER) never is one.
 *
 * With (r, s) also (r, n - s) fits, and JWS takes both: who needs to know a token again compares
 * its `jti` and not its text.
 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jws.h"

#include "base/banned.h"

enum {
	COORDINATE = 32,
	POINT = 1 + 2 * COORDINATE,
	RAW_SIGNATURE = 2 * COORDINATE,
	DER_SIGNATURE_MAX = 80, /* two integers of 33 bytes and three headers are 72 */
};

/* The order of the group (FIPS 186-4 D.1.2.3). */
static const uint8_t order[COORDINATE] = {
	0xFF,
	0xFF,
	0xFF,
	0xFF,
	0x00,
	0x00,
	0x00,
	0x00,
	0xFF,
	0xFF,
	0xFF,
	0xFF,
	0xFF,
	0xFF,
	0xFF,
	0xFF,
	0xBC,
	0xE6,
	0xFA,
	0xAD,
	0xA7,
	0x17,
	0x9E,
	0x84,
	0xF3,
	0xB9,
	0xCA,
	0xC2,
	0xFC,
	0x63,
	0x25,
	0x51,
};

static void own_signature(ECDSA_SIG **signature)
{
	ECDSA_SIG_free(*signature);
}

/* ---- making ---- */

static pt_err take_point(
	struct arena *arena, struct jwk *key, pt_str x, pt_str y, pt_str d, const char **why)
{
	char group[] = SN_X9_62_prime256v1;
	uint8_t point[POINT] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM params[4] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end(),
		OSSL_PARAM_construct_end(),
	};

	memcpy(point + 1, x.p, COORDINATE);
	memcpy(point + 1 + COORDINATE, y.p, COORDINATE);
	if (d.n > 0)
		TRY(jws_number_param(arena, OSSL_PKEY_PARAM_PRIV_KEY, d, &params[2]));
	key->can_sign = d.n > 0;
	TRY(jws_pkey_make("EC", params, key->can_sign, &key->pkey, why));
	return jws_pkey_check(key->pkey, key->can_sign, why);
}

static pt_err es256_read(
	struct arena *arena, const struct json_value *members, struct jwk *key, const char **why)
{
	const struct json_value *curve = json_find(members, PT_STR("crv"));
	pt_str x, y, d = { 0 };
	bool has_x, has_y, has_d;

	if (!curve || curve->type != JSON_STRING || !str_eq(curve->text, PT_STR("P-256")))
		return jws_refuse(why, "not on the curve P-256");
	TRY(jws_member(arena, members, "x", COORDINATE, &x, &has_x, why));
	TRY(jws_member(arena, members, "y", COORDINATE, &y, &has_y, why));
	TRY(jws_member(arena, members, "d", COORDINATE, &d, &has_d, why));
	if (!has_x || !has_y)
		return jws_refuse(why, "the public key is missing");
	return take_point(arena, key, x, y, d, why);
}

/* One number of OpenSSL's key in 32 bytes; false if it has no such number. */
static bool number_of(
	const EVP_PKEY *pkey, const char *param, uint8_t bytes[COORDINATE], pt_str *out)
{
	PT_OWN(jws_own_number) BIGNUM *number = NULL;

	if (!EVP_PKEY_get_bn_param(pkey, param, &number) ||
		BN_bn2binpad(number, bytes, COORDINATE) != COORDINATE) {
		ERR_clear_error();
		return false;
	}
	*out = str_n(bytes, COORDINATE);
	return true;
}

static bool is_on_our_curve(const EVP_PKEY *pkey)
{
	char group[64];
	size_t n;

	return EVP_PKEY_get_group_name(pkey, group, sizeof(group), &n) &&
	       str_eq(str(group), PT_STR(SN_X9_62_prime256v1));
}

/* Only the numbers are taken. A file may describe its curve in its own words (a generator of the
 * forger's choice, CVE-2020-0601), and those are left behind. */
static pt_err es256_adopt(EVP_PKEY *pkey, struct jwk *key, const char **why)
{
	uint8_t x_bytes[COORDINATE], y_bytes[COORDINATE], d_bytes[COORDINATE];
	struct arena *arena;
	pt_str x, y, d = { 0 };

	if (!is_on_our_curve(pkey))
		return jws_refuse(why, "not on the curve P-256");
	if (!number_of(pkey, OSSL_PKEY_PARAM_EC_PUB_X, x_bytes, &x) ||
		!number_of(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, y_bytes, &y))
		return jws_refuse(why, "the public key is missing");
	if (!number_of(pkey, OSSL_PKEY_PARAM_PRIV_KEY, d_bytes, &d))
		d = (pt_str){ 0 };

	arena = arena_open(4 * KIB);
	pt_err err = arena ? take_point(arena, key, x, y, d, why)
			   : fault(PT_F_MEMORY, "no memory for a key");
	arena_close(arena);
	crypt_wipe(d_bytes, sizeof(d_bytes));
	return err;
}

static pt_err es256_generate(struct jwk *key)
{
	key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", SN_X9_62_prime256v1);
	key->can_sign = true;
	return key->pkey ? PT_OK : jws_fault("generate a P-256 key");
}

/* ---- telling ---- */

static pt_err es256_write_public(const struct jwk *key, struct json *j)
{
	json_str(j, "crv", PT_STR("P-256"));
	json_str(j, "kty", PT_STR("EC"));
	TRY(jws_write_number(j, "x", key->pkey, OSSL_PKEY_PARAM_EC_PUB_X, COORDINATE));
	return jws_write_number(j, "y", key->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, COORDINATE);
}

static pt_err es256_write_secret(const struct jwk *key, struct json *j)
{
	return jws_write_number(j, "d", key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, COORDINATE);
}

/* ---- using ---- */

static pt_err signature_from_der(const uint8_t *der, size_t n, uint8_t raw[RAW_SIGNATURE])
{
	PT_OWN(own_signature) ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)n);

	if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, COORDINATE) < 0 ||
		BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + COORDINATE, COORDINATE) < 0)
		return jws_fault("write a P-256 signature");
	return PT_OK;
}

static pt_err es256_sign(
	const struct jwk *key, pt_str input, uint8_t signature[JWS_SIGNATURE_MAX], size_t *n)
{
	PT_OWN(jws_own_pkey_ctx) EVP_PKEY_CTX *ctx = NULL;
	uint8_t der[DER_SIGNATURE_MAX];
	size_t der_n = sizeof(der);
	struct pt_hash hash;

	TRY(digest_sha256(input, &hash));
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	if (!ctx || EVP_PKEY_sign_init(ctx) <= 0 ||
		EVP_PKEY_sign(ctx, der, &der_n, hash.bytes, sizeof(hash.bytes)) <= 0)
		return jws_fault("sign with P-256");
	*n = RAW_SIGNATURE;
	return signature_from_der(der, der_n, signature);
}

/* From 1 to the order less one. What is judged is public, and may be judged quickly. */
static bool is_in_range(const uint8_t number[COORDINATE])
{
	static const uint8_t zero[COORDINATE];

	return memcmp(number, zero, COORDINATE) != 0 && memcmp(number, order, COORDINATE) < 0;
}

/* An integer in DER is signed, and as short as can be. Returns how many bytes it takes. */
static size_t der_integer(const uint8_t number[COORDINATE], uint8_t *to)
{
	size_t skip = 0, sign;

	while (skip < COORDINATE - 1 && number[skip] == 0)
		skip++;
	sign = number[skip] >> 7;
	to[0] = 0x02;
	to[1] = (uint8_t)(COORDINATE - skip + sign);
	to[2] = 0;
	memcpy(to + 2 + sign, number + skip, COORDINATE - skip);
	return 2 + sign + COORDINATE - skip;
}

static size_t signature_to_der(const uint8_t raw[RAW_SIGNATURE], uint8_t der[DER_SIGNATURE_MAX])
{
	size_t n = 2;

	n += der_integer(raw, der + n);
	n += der_integer(raw + COORDINATE, der + n);
	der[0] = 0x30;
	der[1] = (uint8_t)(n - 2);
	return n;
}

static pt_err es256_verify(const struct jwk *key, pt_str input, pt_str signature)
{
	PT_OWN(jws_own_pkey_ctx) EVP_PKEY_CTX *ctx = NULL;
	const uint8_t *raw = (const uint8_t *)signature.p;
	uint8_t der[DER_SIGNATURE_MAX];
	struct pt_hash hash;

	if (signature.n != RAW_SIGNATURE || !is_in_range(raw) || !is_in_range(raw + COORDINATE))
		return PT_E_TOKEN;
	TRY(digest_sha256(input, &hash));
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	if (!ctx || EVP_PKEY_verify_init(ctx) <= 0)
		return jws_fault("verify with P-256");
	if (EVP_PKEY_verify(ctx, der, signature_to_der(raw, der), hash.bytes, sizeof(hash.bytes)) ==
		1)
		return PT_OK;
	ERR_clear_error();
	return PT_E_TOKEN;
}

const struct jws_algorithm jws_es256 = {
	.id = JWK_ES256,
	.name = PT_STR_INIT("ES256"),
	.type = PT_STR_INIT("EC"),
	.openssl = "EC",
	.read = es256_read,
	.adopt = es256_adopt,
	.generate = es256_generate,
	.write_public = es256_write_public,
	.write_secret = es256_write_secret,
	.sign = es256_sign,
	.verify = es256_verify,
};

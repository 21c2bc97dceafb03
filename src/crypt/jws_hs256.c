/*
 * jws_hs256.c - HMAC with SHA-256 (RFC 7518 3.2): who can judge can also sign.
 */
#include "base/err.h"
#include "base/random.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jws.h"

#include "base/banned.h"

static pt_err hs256_read(
	struct arena *arena, const struct json_value *members, struct jwk *key, const char **why)
{
	bool given;
	pt_str secret;

	TRY(jws_member(arena, members, "k", 0, &secret, &given, why));
	if (!given)
		return jws_refuse(why, "the secret is missing");
	key->can_sign = true;
	return jws_copy(secret, &key->secret);
}

static pt_err hs256_generate(struct jwk *key)
{
	struct key drawn;

	TRY(random_fill(drawn.bytes, sizeof(drawn.bytes)));
	pt_err err = jws_copy(str_n(drawn.bytes, sizeof(drawn.bytes)), &key->secret);
	key_wipe(&drawn);
	key->can_sign = true;
	return err;
}

static pt_err hs256_write_secret(const struct jwk *key, struct json *j)
{
	json_str(j, "kty", PT_STR("oct"));
	jws_write_bytes(j, "k", key->secret.p, key->secret.n);
	return PT_OK;
}

static pt_err hs256_sign(
	const struct jwk *key, pt_str input, uint8_t signature[JWS_SIGNATURE_MAX], size_t *n)
{
	struct pt_hash mac;

	TRY(digest_hmac(key->secret, input, &mac));
	memcpy(signature, mac.bytes, sizeof(mac.bytes));
	*n = sizeof(mac.bytes);
	return PT_OK;
}

static pt_err hs256_verify(const struct jwk *key, pt_str input, pt_str signature)
{
	struct pt_hash mac;

	TRY(digest_hmac(key->secret, input, &mac));
	return digest_equal(str_n(mac.bytes, sizeof(mac.bytes)), signature) ? PT_OK : PT_E_TOKEN;
}

const struct jws_algorithm jws_hs256 = {
	.id = JWK_HS256,
	.name = PT_STR_INIT("HS256"),
	.type = PT_STR_INIT("oct"),
	.read = hs256_read,
	.generate = hs256_generate,
	.write_secret = hs256_write_secret,
	.sign = hs256_sign,
	.verify = hs256_verify,
};

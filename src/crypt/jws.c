/*
 * jws.c - what the algorithms share: refusing, numbers in and out, and OpenSSL's keys.
 */
#include "crypt/jws.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "crypt/digest.h"

#include "base/banned.h"

pt_err jws_fault(const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;
	pt_err err = fault(PT_F_CRYPTO, "%s: %s", what, reason ? reason : "refused");

	ERR_clear_error();
	return err;
}

pt_err jws_copy(pt_str bytes, pt_str *out)
{
	char *p = calloc(1, bytes.n + 1);

	if (!p)
		return fault(PT_F_MEMORY, "no memory for a key");
	if (bytes.n > 0)
		memcpy(p, bytes.p, bytes.n);
	*out = str_n(p, bytes.n);
	return PT_OK;
}

void jws_drop(pt_str *bytes)
{
	void *p = (void *)(uintptr_t)bytes->p;

	if (p)
		crypt_wipe(p, bytes->n);
	free(p);
	*bytes = (pt_str){ 0 };
}

pt_err jws_header(struct arena *arena, const struct jwk *key, pt_str typ, pt_str *out)
{
	struct buf text = BUF(arena, 1 * KIB), encoded = BUF(arena, 1 * KIB);
	struct json j = JSON(&text);
	pt_str done;

	json_object(&j, NULL);
	json_str(&j, "alg", key->algorithm->name);
	if (key->kid[0])
		json_str(&j, "kid", str(key->kid));
	json_str(&j, "typ", typ);
	json_object_end(&j);
	TRY(buf_done(&text, &done));
	buf_base64url(&encoded, done.p, done.n);
	return buf_done(&encoded, out);
}

/* A member's bytes. */
static pt_err member_read(
	struct arena *arena, const struct json_value *member, pt_str *out, const char **why)
{
	pt_err err = member->type == JSON_STRING ? base64url_read(arena, member->text, out)
						 : PT_E_MALFORMED;

	return err == PT_E_MALFORMED ? jws_refuse(why, "a member of the key is not base64url")
				     : err;
}

pt_err jws_member(struct arena *arena, const struct json_value *members, const char *name, size_t n,
	pt_str *out, bool *given, const char **why)
{
	const struct json_value *member = json_find(members, str(name));
	pt_str bytes;

	*given = member != NULL;
	if (!member)
		return PT_OK;
	TRY(member_read(arena, member, &bytes, why));
	if (n > 0 ? bytes.n != n : bytes.n == 0)
		return jws_refuse(why, "a member of the key has the wrong length");
	*out = bytes;
	return PT_OK;
}

void jws_write_bytes(struct json *j, const char *name, const void *p, size_t n)
{
	json_raw(j, name, PT_STR("\""));
	buf_base64url(j->out, p, n);
	buf_char(j->out, '"');
}

pt_err jws_write_number(
	struct json *j, const char *name, const EVP_PKEY *pkey, const char *param, size_t n)
{
	PT_OWN(jws_own_number) BIGNUM *number = NULL;
	uint8_t bytes[JWS_SIGNATURE_MAX];

	if (!EVP_PKEY_get_bn_param(pkey, param, &number))
		return jws_fault("read a number of a key");
	if (n == 0)
		n = (size_t)BN_num_bytes(number);
	if (n > sizeof(bytes) || BN_bn2binpad(number, bytes, (int)n) < 0)
		return jws_fault("write a number of a key");
	jws_write_bytes(j, name, bytes, n);
	crypt_wipe(bytes, sizeof(bytes));
	return PT_OK;
}

/* OpenSSL wants a number as the machine has it. */
pt_err jws_number_param(struct arena *arena, const char *param, pt_str bytes, OSSL_PARAM *out)
{
	const bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	uint8_t *native = arena_alloc(arena, bytes.n);

	if (!native)
		return fault(PT_F_MEMORY, "no memory for a key");
	for (size_t i = 0; i < bytes.n; i++)
		native[i] = (uint8_t)bytes.p[little ? bytes.n - 1 - i : i];
	*out = OSSL_PARAM_construct_BN(param, native, bytes.n);
	return PT_OK;
}

pt_err jws_pkey_check(EVP_PKEY *pkey, bool private_too, const char **why)
{
	PT_OWN(jws_own_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

	if (!ctx)
		return jws_fault("prepare to check a key");
	if (EVP_PKEY_public_check(ctx) <= 0)
		return jws_refuse(why, "the public key is no sound key");
	if (private_too && EVP_PKEY_check(ctx) <= 0)
		return jws_refuse(why, "the private key is unsound or of another public key");
	return PT_OK;
}

pt_err jws_pkey_make(
	const char *type, OSSL_PARAM *params, bool private_too, EVP_PKEY **out, const char **why)
{
	PT_OWN(jws_own_pkey_ctx) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	PT_OWN(jws_own_pkey) EVP_PKEY *pkey = NULL;
	int parts = private_too ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0)
		return jws_fault("prepare to make a key");
	if (EVP_PKEY_fromdata(ctx, &pkey, parts, params) <= 0)
		return jws_refuse(why, "the numbers make no key");
	*out = PT_GIVE(pkey);
	return PT_OK;
}

void jws_own_pkey(EVP_PKEY **pkey)
{
	EVP_PKEY_free(*pkey);
}

void jws_own_pkey_ctx(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

void jws_own_number(BIGNUM **number)
{
	BN_clear_free(*number);
}

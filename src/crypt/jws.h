/*
 * jws.h - what crypt knows of one algorithm of tokens. For jwk.c, jwt.c and the algorithms; core
 * sees jwk.h and jwt.h.
 *
 * An algorithm is one short file that ends in its row. A row's functions may assume that the key
 * is of that row.
 */
#ifndef CRYPT_JWS_H
#define CRYPT_JWS_H

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "crypt/jwk.h"

enum {
	JWS_SIGNATURE_MAX = 8192 / 8, /* of the longest RSA key */
	ED25519_PUBLIC = 32,
	ED25519_SECRET = 64, /* as libsodium has it: seed, then public key */
};

struct jws_algorithm {
	enum jwk_algorithm id;
	pt_str name;         /* RFC 7518 3.1, RFC 8037 3.1 */
	pt_str type;         /* `kty` */
	const char *openssl; /* its type of key there; NULL: none, it is a secret */

	/* Fills the key from a JWK's members, and says whether it can sign. PT_E_MALFORMED: not
	 * such a key. */
	pt_err (*read)(struct arena *arena, const struct json_value *members, struct jwk *key,
		const char **why);

	/* Fills the key from one of OpenSSL's, which stays the caller's. NULL: never from there. */
	pt_err (*adopt)(EVP_PKEY *pkey, struct jwk *key, const char **why);

	pt_err (*generate)(struct jwk *key);

	/* Writes the members that RFC 7638 3.2 asks for, in its order, into an open object. NULL:
	 * there is nothing public. */
	pt_err (*write_public)(const struct jwk *key, struct json *j);
	pt_err (*write_secret)(const struct jwk *key, struct json *j);

	pt_err (*sign)(const struct jwk *key, pt_str input, uint8_t signature[JWS_SIGNATURE_MAX],
		size_t *n);

	/* PT_E_TOKEN: it is not this key's signature of that. */
	pt_err (*verify)(const struct jwk *key, pt_str input, pt_str signature);
};

struct jwk {
	const struct jws_algorithm *algorithm;
	unsigned owners; /* atomic */
	bool can_sign;
	char kid[JWK_KID_MAX + 1];
	char thumbprint[48];
	pt_str header;  /* of our own tokens, encoded; it may only be compared and copied */
	pt_str members; /* the public JWK, without its braces */

	/* One of these, as the algorithm has it. */
	pt_str secret;
	EVP_PKEY *pkey;
	struct {
		uint8_t open[ED25519_PUBLIC];
		uint8_t secret[ED25519_SECRET];
	} ed25519;
};

extern const struct jws_algorithm jws_hs256, jws_rs256, jws_es256, jws_eddsa;

/* ---- shared by the algorithms ---- */

/* A refusal with its reason. What OpenSSL has to add is of no interest. */
static inline pt_err jws_refuse(const char **why, const char *reason)
{
	ERR_clear_error();
	if (why)
		*why = reason;
	return PT_E_MALFORMED;
}

/* What OpenSSL says, as a fault; leaves its error queue empty. */
pt_err jws_fault(const char *what);

/* Room outside of any arena, wiped and given back by jws_drop. */
PT_CHECK pt_err jws_copy(pt_str bytes, pt_str *out);
void jws_drop(pt_str *bytes);

/* What tokens of this type under this key begin with, encoded. */
PT_CHECK pt_err jws_header(struct arena *arena, const struct jwk *key, pt_str typ, pt_str *out);

/* A member in base64url of exactly n bytes, or of any number but none when n is 0. *given is false
 * when there is no such member. */
PT_CHECK pt_err jws_member(struct arena *arena, const struct json_value *members, const char *name,
	size_t n, pt_str *out, bool *given, const char **why);

void jws_write_bytes(struct json *j, const char *name, const void *p, size_t n);

/* A number of a key, in exactly n bytes or, when n is 0, in as many as it needs. */
PT_CHECK pt_err jws_write_number(
	struct json *j, const char *name, const EVP_PKEY *pkey, const char *param, size_t n);

/* The same number for OpenSSL; the bytes, most significant first, are copied into the arena. */
PT_CHECK pt_err jws_number_param(
	struct arena *arena, const char *param, pt_str bytes, OSSL_PARAM *out);

/* A key of OpenSSL's of these parameters, unchecked. */
PT_CHECK pt_err jws_pkey_make(
	const char *type, OSSL_PARAM *params, bool private_too, EVP_PKEY **out, const char **why);

/* As far as can be: a point of its curve, a modulus that may be one, a pair that fits. */
PT_CHECK pt_err jws_pkey_check(EVP_PKEY *pkey, bool private_too, const char **why);

/* The one key that stands in a PEM text. */
PT_CHECK pt_err jws_pem_read(pt_str pem, EVP_PKEY **out, const char **why);

void jws_own_pkey(EVP_PKEY **pkey);
void jws_own_pkey_ctx(EVP_PKEY_CTX **ctx);
void jws_own_number(BIGNUM **number);

#endif

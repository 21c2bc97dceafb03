/*
 * jwk.h - a key that signs tokens or judges them.
 *
 * A key carries exactly one algorithm, at most one name (`kid`) and whether it can sign. It is
 * parsed and checked once and never changes after: threads may share it. Where a token says one
 * thing and its key another, the key is right (RFC 8725 3.1).
 *
 *	HS256  a secret that both sides hold          RFC 7518 3.2
 *	RS256  RSA of 2048 to 8192 bits               RFC 7518 3.3
 *	ES256  P-256; the default for keys we make    RFC 7518 3.4
 *	EdDSA  Ed25519                                RFC 8037
 *
 * A public key that is not a point of its curve, a private key that does not belong to its public
 * part, and a JWK that contradicts itself are refused (PT_E_MALFORMED). `why`, where it is not
 * NULL, then points to the reason in plain words, which never holds anything of the key.
 */
#ifndef CRYPT_JWK_H
#define CRYPT_JWK_H

#include "base/arena.h"
#include "base/json.h"
#include "portress/base.h"

struct jwk;

enum jwk_algorithm { JWK_HS256, JWK_RS256, JWK_ES256, JWK_EDDSA };

enum {
	JWK_KID_MAX = 64,
	JWK_TEXT_MAX = 16 * 1024, /* of a JWK or a PEM file */
	JWK_LIST_MAX = 64,        /* keys read from one JWK set */
};

/* What the caller decides about a key that somebody else made. */
struct jwk_terms {
	pt_str kid;        /* "": the JWK's own name, else the thumbprint; a secret has none */
	size_t secret_min; /* HS256: fewest bytes (32 by RFC 7518 3.2); 0 takes any but none */
};

/* ---- making ---- */

/* An HS256 key of exactly these bytes. */
PT_CHECK pt_err jwk_from_secret(
	pt_str secret, const struct jwk_terms *terms, struct jwk **out, const char **why);

/* One private or public key: PKCS#8, SubjectPublicKeyInfo, or the older RSA and EC forms. A file
 * under a password is refused, and nobody is asked for it. Checking a private RSA key takes 50 ms
 * at 2048 bits and seconds at 8192, here and below: at start, not within a request. */
PT_CHECK pt_err jwk_from_pem(
	pt_str pem, const struct jwk_terms *terms, struct jwk **out, const char **why);

/* One JWK (RFC 7517 4) as JSON text. */
PT_CHECK pt_err jwk_from_json(
	pt_str text, const struct jwk_terms *terms, struct jwk **out, const char **why);

/* The same when it was read already. */
PT_CHECK pt_err jwk_from_members(const struct json_value *members, const struct jwk_terms *terms,
	struct jwk **out, const char **why);

/* The usable public keys of a JWK set (RFC 7517 5) as JSON text: those that cannot be used here
 * are passed over, and so are secret and private ones and all beyond JWK_LIST_MAX. The list lives
 * in the arena, each key in it belongs to the caller. */
PT_CHECK pt_err jwk_list_from_json(struct arena *arena, pt_str text, struct jwk ***keys, size_t *n);

/* A new key of its own randomness: RSA has 2048 bits and takes 80 ms and more, so never within a
 * request. `kid` "": the thumbprint. */
PT_CHECK pt_err jwk_generate(enum jwk_algorithm algorithm, pt_str kid, struct jwk **out);

/* One more owner of the same key; each ends with jwk_close. */
struct jwk *jwk_share(const struct jwk *key);

/* The last owner's call wipes it. NULL is fine. */
void jwk_close(struct jwk *key);

/* ---- asking ---- */

enum jwk_algorithm jwk_algorithm(const struct jwk *key);
pt_str jwk_algorithm_name(const struct jwk *key);
bool jwk_can_sign(const struct jwk *key);

/* "" if it has none. */
pt_str jwk_kid(const struct jwk *key);

/* RFC 7638 with SHA-256, in base64url. "" for a secret: a hash of it is still told to nobody. */
pt_str jwk_thumbprint(const struct jwk *key);

/* At most 64 of A-Z a-z 0-9 . _ - and at least one. */
bool jwk_kid_is_valid(pt_str kid);

/* ---- telling ---- */

/* The public part as a JWK. A secret has none, and then nothing is written. */
void jwk_write(const struct jwk *key, struct json *j);

/* `{"keys":[...]}` of the public parts. */
PT_CHECK pt_err jwk_list_format(
	struct arena *arena, const struct jwk *const *keys, size_t n, pt_str *out);

/* The whole key as a JWK, secret parts included: for the operator's key file and for nothing else.
 * PT_F_CONFIG: it has no secret part. */
PT_CHECK pt_err jwk_format_for_key_file(struct arena *arena, const struct jwk *key, pt_str *out);

#endif

/*
 * jwt.h - compact JWS (RFC 7515) of JSON claims (RFC 7519).
 *
 * The key decides the algorithm: a header that says anything else is refused before arithmetic.
 * There is no `none`; jku, x5u, jwk, x5c and crit are refused; duplicate header or claim names are
 * refused; base64url must be canonical. Today's keys are HS256 (RFC 7518 3.2).
 */
#ifndef CRYPT_JWT_H
#define CRYPT_JWT_H

#include "base/arena.h"
#include "base/json.h"
#include "crypt/digest.h"

struct jwt_key {
	pt_str secret; /* HS256; any length the operator's policy allows */
};

/* `claims` is a JSON object in text form. PT_F_CONFIG: the key is empty. PT_F_MEMORY: the token
 * would be over 8 KiB, which nobody would accept. */
PT_CHECK pt_err jwt_sign(
	struct arena *arena, const struct jwt_key *key, pt_str claims, pt_str *out);

/* PT_E_TOKEN: not ours by form, algorithm or signature. Claims are not judged here. Tokens over
 * 8 KiB are refused unread. PT_F_CONFIG: the key is empty. */
PT_CHECK pt_err jwt_verify(
	struct arena *arena, const struct jwt_key *key, pt_str token, struct json_value *claims);

#endif

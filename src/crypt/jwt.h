/*
 * jwt.h - compact JWS (RFC 7515) of JSON claims (RFC 7519), signed and judged by the keys of jwk.h.
 *
 * The key decides the algorithm: a header that says anything else is refused before arithmetic.
 * There is no `none`; jku, x5u, jwk, x5c and crit are refused; a `kid` is looked up among the keys
 * in hand and nowhere else, and one that jwk_kid_is_valid does not know is refused; duplicate
 * header or claim names are refused; base64url must be canonical. A key without a name answers to
 * every name.
 *
 * A token's `typ` (RFC 8725 3.11): where the asker wants none in particular, "JWT" or none at all;
 * where it wants one, that and nothing else. Letter case does not matter in it.
 */
#ifndef CRYPT_JWT_H
#define CRYPT_JWT_H

#include "base/arena.h"
#include "base/json.h"
#include "crypt/jwk.h"
#include "crypt/jwk_set.h"

/* How many keys may be tried on a token that names none; more are never asked. */
enum { JWT_TRIES_MAX = JWK_SET_MAX };

/* `claims` is a JSON object in text form. PT_F_CONFIG: the key cannot sign. PT_F_MEMORY: the token
 * would be over 8 KiB, which nobody would accept. */
PT_CHECK pt_err jwt_sign(struct arena *arena, const struct jwk *key, pt_str claims, pt_str *out);

/* The same with a `typ` of its own, "at+jwt" (RFC 9068). */
PT_CHECK pt_err jwt_sign_as(
	struct arena *arena, const struct jwk *key, pt_str typ, pt_str claims, pt_str *out);

/* PT_E_TOKEN: not ours by form, algorithm, name or signature. Claims are not judged here. Tokens
 * over 8 KiB are refused unread. */
PT_CHECK pt_err jwt_verify(
	struct arena *arena, const struct jwk *key, pt_str token, struct json_value *claims);

/* By those of the set that judge at `now`. */
PT_CHECK pt_err jwt_verify_set(struct arena *arena, const struct jwk_set *set, pt_time now,
	pt_str token, struct json_value *claims);

/* What is wrong with a token, the first in this order. */
enum jwt_flaw {
	JWT_SOUND,
	JWT_SEGMENTS,  /* not three parts, or over 8 KiB */
	JWT_ENCODING,  /* a part is not base64url, or not a JSON object */
	JWT_ALGORITHM, /* the header names none that a key in hand has */
	JWT_SIGNATURE, /* of no key in hand; or the header asks for what is refused here */
};

struct jwt_verdict {
	struct json_value claims;
	const struct jwk *key; /* whose signature it bears */
	enum jwt_flaw flaw;    /* written with PT_E_TOKEN too */
	pt_str algorithm;      /* likewise: what the header names; "" none, or it was not read */
};

/* By any of these keys, as a token of this `typ` ("": of none in particular). */
PT_CHECK pt_err jwt_judge(struct arena *arena, const struct jwk *const *keys, size_t n, pt_str typ,
	pt_str token, struct jwt_verdict *out);

/* The claims of a token that was judged good before, every byte of it: its signature is not looked at.
 * PT_E_TOKEN: it cannot have been. */
PT_CHECK pt_err jwt_read_judged(struct arena *arena, pt_str token, struct json_value *claims);

/* What the dates among the claims say: `exp` is there and lies ahead; `nbf` and `iat`, where they
 * are there, have come, or come within the 30 seconds that another clock may be ahead of ours.
 * Each is a whole number of seconds. PT_E_TOKEN: not now. */
PT_CHECK pt_err jwt_check_times(const struct json_value *claims, pt_time now);

#endif

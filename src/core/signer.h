/*
 * signer.h - the keys that sign and judge a site's access tokens.
 *
 * Keys are replaced while calls go on: each call works with the ring of keys that it began with, and
 * the last one that uses a ring wipes it. A ring with public keys remembers which tokens bore a good
 * signature, for a signature of theirs costs more than all the rest of a request:
 *
 * (1) What is remembered is the SHA-256 of the whole token and the key, only after a good signature.
 * (2) It opens nothing by itself: claims are read from the token each time, and a key that is past its
 * time judges nothing, remembered or not.  (3) It belongs to its ring: other keys begin with nothing.
 */
#ifndef CORE_SIGNER_H
#define CORE_SIGNER_H

#include "base/arena.h"
#include "base/json.h"
#include "portress/act.h"
#include "portress/base.h"

struct signer;

/*
 * `jwks` is pt_keys.signing. Without it the HS256 secret signs; with it its current key does, and the
 * secret, if there is one, still judges. The secret may have any length but none.
 * PT_F_CONFIG: nothing signs, or the keys cannot be used; one log line says why.
 */
PT_CHECK pt_err signer_open(pt_str secret, pt_str secret_kid, pt_str jwks, struct signer **out);

/* Other keys in the place of `jwks`, from any thread. PT_F_CONFIG leaves the ones that are there. */
PT_CHECK pt_err signer_rekey(struct signer *signer, pt_str jwks);

/* No call may be in it. NULL is fine. */
void signer_close(struct signer *signer);

/* `claims` is a JSON object in text form. */
PT_CHECK pt_err signer_sign(
	struct signer *signer, pt_arena *arena, pt_str claims, pt_time now, pt_str *token);

/* What is wrong with a token: SEGMENTS, ENCODING, ALGORITHM or SIGNATURE, the first in this order. */
struct signer_flaw {
	enum pt_token_flaw kind;
	pt_str algorithm; /* ALGORITHM: what the header names; "" when it names none */
};

/* PT_E_TOKEN, and then *flaw is written; it may be NULL. Claims and their dates are not judged here. */
PT_CHECK pt_err signer_verify(struct signer *signer, pt_arena *arena, pt_str token, pt_time now,
	struct json_value *claims, struct signer_flaw *flaw);

/* The public keys that judge now, `{"keys":[...]}`; a secret is not among them. */
PT_CHECK pt_err signer_jwks(struct signer *signer, pt_arena *arena, pt_time now, pt_str *out);

#endif

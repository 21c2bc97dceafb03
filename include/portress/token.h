/*
 * portress/token.h - refresh tokens that rotate, in families.
 *
 *            issue           rotate
 *   (none) --------> LIVE ----------> SPENT
 *                      | expire         | presented again after the grace, or by another client
 *                      v                v
 *                   EXPIRED       family REVOKED
 *
 * A family is one record: the number of its LIVE token (its generation: 1, 2, ...), and when the last few before
 * it were spent. A token says its family and generation itself, and whoever issued it can tell that it did
 * (a MAC in the text), so nothing is kept of a spent token: every lower number is one, for ever.
 *
 * (1) The store holds only hashes: of the secret that all tokens of a family carry, and of the LIVE one's text, by
 * which alone it is known again where it was issued under another key. (2) A family has one
 * generation, so at most one LIVE token. (3) LIVE -> SPENT happens in the store's token_rotate and nowhere
 * else. (4) Within its grace a SPENT token yields the LIVE token of its family, however many rotations later
 * (up to PT_SPENT_MOST): its text is made from the family, the generation and the secret that the asker showed.
 * docs/design/refresh.md says why nothing smaller is enough.
 *
 * A token that does not say its family was issued by another program, or by an older Portress: it is found by
 * the hash of its text, and is followed by one that does.
 */
#ifndef PORTRESS_TOKEN_H
#define PORTRESS_TOKEN_H

#include "portress/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of how many rotations a family remembers when they were. */
enum { PT_SPENT_MOST = 16 };

/* The LIVE token of a family. */
struct pt_token {
	struct pt_id family;
	int64_t generation;    /* 1 is the first */
	struct pt_hash secret; /* SHA-256 of it */
	struct pt_hash hash;   /* SHA-256 of its text; all 0: nobody knows it */
	struct pt_id account;
	pt_str client; /* who may present it: a client id, "" when the dialect has none */
	pt_time issued_at;
	pt_time expires_at;
};

/* What is known of a token that is presented. */
struct pt_token_ref {
	struct pt_id family; /* "": it does not say, and `hash` finds it */
	int64_t generation;  /* with a family */
	bool unproven; /* its MAC is not of the key of now: it can be the LIVE one, by its hash, or nothing */
	struct pt_hash hash; /* of its text */
};

#ifdef __cplusplus
}
#endif
#endif

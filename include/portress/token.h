/*
 * portress/token.h - refresh tokens that rotate, in families.
 *
 *            issue           rotate
 *   (none) --------> LIVE ----------> SPENT
 *                      | expire         | presented again after the grace, or by another client
 *                      v                v
 *                   EXPIRED       family REVOKED
 *
 * (1) The store holds only hashes. (2) A family has at most one LIVE token. (3) LIVE -> SPENT happens
 * in the store's token_rotate and nowhere else. (4) Within its grace a SPENT token yields the LIVE
 * token of its family, however many rotations later: every successor is derived from the token before
 * it and a key of the site, so whoever holds a token can be told all that came after it.
 * docs/design/refresh.md says why nothing smaller is enough.
 */
#ifndef PORTRESS_TOKEN_H
#define PORTRESS_TOKEN_H

#include "portress/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pt_token {
	struct pt_hash hash;
	struct pt_id family;
	struct pt_id account;
	pt_str client; /* who may present it: a client id, "" when the dialect has none */
	pt_time issued_at;
	pt_time expires_at;
};

#ifdef __cplusplus
}
#endif
#endif

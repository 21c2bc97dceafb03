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
 * in the store's token_rotate and nowhere else. (4) The successor is derived from the presented
 * token and a key of the site, so presenting twice within the grace yields the same successor.
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

/*
 * token.h - access and refresh tokens.
 *
 * Access: JWT, HS256, claims {exp, user_id, iat, jti, token_use: "access", stamp}. Stateless but for
 * the stamp, which binds it to the password it was issued under: a reset ends it.
 * Refresh: JWT, HS256 under another key, claims {exp, user_id, iat, jti, token_use: "refresh"}. The jti is what
 * token_text.h draws: a family, a generation of it and the family's secret. portress/token.h draws its states.
 *
 * Under policy.token_profile: access is {aud, exp, sub, email, app_metadata, user_metadata, iat, sid},
 * bound to nothing but its time; refresh is the jti itself, in a spelling that no pair has.
 *
 * A pair shares one jti, so that signing out with the access token finds the family. Whoever presents a spent token
 * within its grace is given the pair of the LIVE one: its text can be written from the presented one's secret.
 */
#ifndef CORE_TOKEN_H
#define CORE_TOKEN_H

#include "core/call.h"
#include "portress/act.h"
#include "portress/store.h"
#include "portress/token.h"

/* The first token of a new family, for the store, and the jti that its texts carry. */
PT_CHECK pt_err token_begin(struct pt_call *call, const struct pt_account *account,
	struct pt_token *token, pt_str *jti);

/* `amend` and the first token of a new family in one act: the account is signed in. Answers what
 * account_amend does. */
PT_CHECK pt_err token_open(struct pt_call *call, const struct pt_account_record *owner,
	struct pt_amend *amend, struct pt_grant *out);

/* The pair's texts, into the grant. `owner` is as it stands now. */
PT_CHECK pt_err token_write(struct pt_call *call, const struct pt_account_record *owner,
	const struct pt_token *token, pt_str jti, struct pt_grant *grant);

#endif

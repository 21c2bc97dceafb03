/*
 * token.c - access and refresh tokens.
 */
#include "core/token.h"

#include "base/json.h"
#include "base/random.h"
#include "base/str.h"
#include "core/account.h"
#include "core/claim.h"
#include "core/event.h"
#include "core/letter.h"
#include "core/store.h"
#include "core/token_text.h"
#include "crypt/jwt.h"
#include "base/banned.h"

enum { STAMP_BYTES = 12 }; /* 16 characters */

enum token_use { USE_ACCESS, USE_REFRESH };

static const pt_str token_use_name[] = {
	[USE_ACCESS] = { "access", 6 },
	[USE_REFRESH] = { "refresh", 7 },
};

/* What a token says of itself, after its signature was found good. */
struct token_claims {
	struct pt_id account;
	pt_str jti;   /* "" in tokens of the original program */
	pt_str stamp; /* "" likewise */
};

static pt_err bytes_as_text(struct pt_call *call, const void *bytes, size_t n, pt_str *out)
{
	struct buf b = BUF(call->arena, 64);

	buf_base64url(&b, bytes, n);
	return buf_done(&b, out);
}

static pt_err stamp_make(struct pt_call *call, const struct pt_account_record *owner, pt_str *out)
{
	const pt_str parts[] = { str(owner->account.id.text), owner->password };
	struct pt_hash mac;

	TRY(digest_mac_parts(&call->site->keys.stamp, parts, 2, &mac));
	return bytes_as_text(call, mac.bytes, STAMP_BYTES, out);
}

static int64_t seconds(pt_time time)
{
	return time / PT_SECOND;
}

pt_err token_begin(
	struct pt_call *call, const struct pt_account *account, struct pt_token *token, pt_str *jti)
{
	const struct pt_policy *policy = &call->site->policy;
	struct pt_token made = {
		.generation = 1,
		.account = account->id,
		.issued_at = call->now,
		.expires_at = call->now + policy->refresh_life,
	};
	struct token_said said = { .generation = made.generation };
	pt_str text;

	if (policy->refresh_family_life > 0 && policy->refresh_family_life < policy->refresh_life)
		made.expires_at = call->now + policy->refresh_family_life;
	TRY(random_id(call->now, &made.family));
	TRY(token_secret_draw(&said.secret));
	TRY(token_secret_hash(&said.secret, &made.secret));
	said.family = made.family;
	TRY(token_text_write(call, &said, &text));
	TRY(token_text_hash(call, text, &made.hash));
	*token = made;
	*jti = text;
	return PT_OK;
}

struct claims_said {
	enum token_use use;
	pt_time issued;
	pt_time expires;
	pt_str jti;
	pt_str stamp; /* "" leaves it out */
};

static pt_err token_claims(struct pt_call *call, const struct pt_id *account,
	const struct claims_said *text, pt_str *out)
{
	struct buf b = BUF(call->arena, 1 * KIB);
	struct json j = JSON(&b);

	json_object(&j, NULL);
	json_int(&j, "exp", seconds(text->expires));
	json_str(&j, "user_id", str(account->text));
	json_int(&j, "iat", seconds(text->issued));
	json_str(&j, "jti", text->jti);
	json_str(&j, "token_use", token_use_name[text->use]);
	if (text->stamp.n > 0)
		json_str(&j, "stamp", text->stamp);
	json_object_end(&j);
	return buf_done(&b, out);
}

static pt_err pair_write(struct pt_call *call, const struct pt_account_record *owner,
	const struct pt_token *token, pt_str jti, struct pt_grant *grant)
{
	const struct site_keys *keys = &call->site->keys;
	struct claims_said access = { USE_ACCESS, token->issued_at,
		token->issued_at + call->site->policy.access_life, jti, { 0 } };
	struct claims_said refresh = { USE_REFRESH, token->issued_at, token->expires_at, jti,
		{ 0 } };
	pt_str claims;

	TRY(stamp_make(call, owner, &access.stamp));
	TRY(token_claims(call, &token->account, &access, &claims));
	TRY(signer_sign(keys->access, call->arena, claims, call->now, &grant->access_token));
	TRY(token_claims(call, &token->account, &refresh, &claims));
	TRY(jwt_sign(call->arena, keys->refresh, claims, &grant->refresh_token));
	grant->access_expires = access.expires;
	return PT_OK;
}

static pt_str object_or_empty(pt_str json)
{
	return json.n > 0 ? json : PT_STR("{}");
}

static pt_err profile_claims(struct pt_call *call, const struct pt_account *account,
	const struct pt_token *token, pt_time expires, pt_str *out)
{
	struct buf b = BUF(call->arena, 16 * KIB);
	struct json j = JSON(&b);

	json_object(&j, NULL);
	if (account->audience.n > 0)
		json_str(&j, "aud", account->audience);
	json_int(&j, "exp", seconds(expires));
	json_str(&j, "sub", str(account->id.text));
	json_str(&j, "email", account->email);
	json_raw(&j, "app_metadata", object_or_empty(account->app_metadata));
	json_raw(&j, "user_metadata", object_or_empty(account->user_metadata));
	json_int(&j, "iat", seconds(call->now));
	json_str(&j, "sid", str(token->family.text));
	json_object_end(&j);
	return buf_done(&b, out);
}

static pt_err profile_write(struct pt_call *call, const struct pt_account *account,
	const struct pt_token *token, pt_str text, struct pt_grant *grant)
{
	pt_time expires = call->now + call->site->policy.access_life;
	pt_str claims;

	TRY(profile_claims(call, account, token, expires, &claims));
	TRY(signer_sign(
		call->site->keys.access, call->arena, claims, call->now, &grant->access_token));
	grant->refresh_token = text;
	grant->access_expires = expires;
	return PT_OK;
}

pt_err token_write(struct pt_call *call, const struct pt_account_record *owner,
	const struct pt_token *token, pt_str jti, struct pt_grant *grant)
{
	if (call->site->policy.token_profile)
		return profile_write(call, &owner->account, token, jti, grant);
	return pair_write(call, owner, token, jti, grant);
}

pt_err token_open(struct pt_call *call, const struct pt_account_record *owner,
	struct pt_amend *amend, struct pt_grant *out)
{
	struct pt_account_record now;
	struct pt_grant grant = { 0 };
	pt_str jti;

	amend->signed_in = true;
	amend->has_token = true;
	TRY(token_begin(call, &owner->account, &amend->token, &jti));
	TRY(STORE(call, account_amend, amend, &now));
	TRY(token_write(call, &now, &amend->token, jti, &grant));
	letter_posted(call);
	grant.account = now.account;
	*out = grant;
	return PT_OK;
}

/* ---- reading ---- */

/* The claims of a token for one use. A token of the original program says no use and is an access
 * token. An `email` claim marks the original's mailed tokens, which must open nothing here. */
static pt_err claims_read(
	const struct json_value *claims, enum token_use use, struct token_claims *out)
{
	struct token_claims read = { 0 };
	pt_str said_use, account;

	if (!claim_text(claims, "token_use", &said_use) ||
		(said_use.n > 0 && !str_eq(said_use, token_use_name[use])))
		return PT_E_TOKEN;
	if (json_find(claims, PT_STR("email")))
		return PT_E_TOKEN;
	if (!claim_text(claims, "user_id", &account) || account.n == 0 ||
		account.n >= sizeof(read.account.text) || !claim_text(claims, "jti", &read.jti) ||
		!claim_text(claims, "stamp", &read.stamp))
		return PT_E_TOKEN_CLAIMS;
	memcpy(read.account.text, account.p, account.n);
	*out = read;
	return PT_OK;
}

static pt_err token_judge(
	struct pt_call *call, enum token_use use, pt_str text, struct json_value *claims)
{
	const struct site_keys *keys = &call->site->keys;

	if (use == USE_ACCESS)
		return signer_verify(keys->access, call->arena, text, call->now, claims, NULL);
	return jwt_verify(call->arena, keys->refresh, text, claims);
}

static pt_err token_read(
	struct pt_call *call, enum token_use use, pt_str text, struct token_claims *out)
{
	struct json_value claims;

	TRY(token_judge(call, use, text, &claims));
	TRY(jwt_check_times(&claims, call->now));
	return claims_read(&claims, use, out);
}

static pt_err token_owner(
	struct pt_call *call, const struct pt_id *id, struct pt_account_record *out)
{
	struct pt_account_record found;

	pt_err err = account_by_id(call, str(id->text), &found);
	if (err == PT_E_NOT_FOUND || (err == PT_OK && found.account.disabled_at))
		return PT_E_TOKEN;
	TRY(err);
	*out = found;
	return PT_OK;
}

pt_err pt_token_check(struct pt_call *call, pt_str access_token, struct pt_account *account)
{
	struct pt_account_record owner;
	struct token_claims claims;
	pt_str stamp;

	TRY(token_read(call, USE_ACCESS, access_token, &claims));
	TRY(token_owner(call, &claims.account, &owner));
	TRY(stamp_make(call, &owner, &stamp));
	if (claims.stamp.n > 0 && !digest_equal(claims.stamp, stamp))
		return PT_E_TOKEN;
	*account = owner.account;
	return PT_OK;
}

/* ---- refreshing ---- */

/* Every way a refresh token can be no good is one refusal, but for claims that are unusable. */
static pt_err refresh_read(struct pt_call *call, pt_str text, struct token_claims *out)
{
	pt_err err = token_read(call, USE_REFRESH, text, out);

	return err == PT_E_TOKEN ? PT_E_REFRESH : err;
}

/* Whose an event is stands in the store alone, until the act. */
static pt_err owner_tell(void *ctx, const struct pt_account *owner, struct pt_event *event)
{
	event_name(ctx, owner, event);
	return PT_OK;
}

/* A token under way from what was presented to what follows. */
struct turn {
	struct token_said said; /* of the presented one; the family "" where it says none */
	pt_str next;            /* the text of the next generation; "" without a family */
};

static pt_err turn_read(
	struct pt_call *call, pt_str presented, struct turn *turn, struct pt_rotate_act *act)
{
	struct token_said next;
	bool ours;

	*turn = (struct turn){ .said = { .generation = 0 } };
	TRY(token_text_read(call, presented, &ours, &turn->said));
	TRY(token_text_hash(call, presented, &act->presented.hash));
	if (!ours)
		return token_secret_after(call, presented, &turn->said.secret);
	act->presented.family = turn->said.family;
	act->presented.generation = turn->said.generation;
	act->presented.unproven = !turn->said.proven;
	if (turn->said.generation < 1 || turn->said.generation >= UINT32_MAX)
		return PT_E_REFRESH;
	next = turn->said;
	next.generation++;
	TRY(token_text_write(call, &next, &turn->next));
	return token_text_hash(call, turn->next, &act->successor);
}

/* What the store is asked for a presented token. */
static pt_err rotation_make(
	struct pt_call *call, pt_str presented, struct turn *turn, struct pt_rotate_act *act)
{
	const struct pt_policy *policy = &call->site->policy;

	TRY(turn_read(call, presented, turn, act));
	TRY(token_secret_hash(&turn->said.secret, &act->secret));
	act->tenant = call->site->tenant;
	act->now = call->now;
	act->grace = policy->refresh_grace;
	act->lifetime = policy->refresh_life;
	act->family_until = policy->refresh_family_life;
	act->tell = owner_tell;
	act->tell_ctx = call;
	TRY(event_make(call, PT_EVENT_TOKEN_REFRESHED, NULL, "", &act->event));
	if (policy->token_profile)
		TRY(event_make(call, PT_EVENT_TOKEN_REVOKED, NULL, "", &act->spent_event));
	return event_make(call, PT_EVENT_TOKEN_REUSED, NULL, "", &act->reuse_event);
}

/* The text of the LIVE token, which is seldom another than the one that was foreseen. */
static pt_err live_write(
	struct pt_call *call, const struct turn *turn, const struct pt_token *live, pt_str *out)
{
	struct token_said said = turn->said;

	if (turn->next.n > 0 && live->generation == said.generation + 1) {
		*out = turn->next;
		return PT_OK;
	}
	said.family = live->family;
	said.generation = live->generation;
	return token_text_write(call, &said, out);
}

static pt_err rotate(
	struct pt_call *call, struct pt_rotate_act *act, pt_str presented, struct pt_grant *out)
{
	struct pt_rotated got;
	struct turn turn;
	pt_str jti;

	TRY(rotation_make(call, presented, &turn, act));
	TRY(STORE(call, token_rotate, act, &got));
	struct pt_grant grant = { .account = got.owner.account };
	TRY(live_write(call, &turn, &got.token, &jti));
	TRY(token_write(call, &got.owner, &got.token, jti, &grant));
	*out = grant;
	return PT_OK;
}

static bool is_opaque(pt_str text)
{
	bool may = text.n >= 22 && text.n <= 128;

	for (size_t i = 0; may && i < text.n; i++)
		may = ascii_alnum(text.p[i]) || text.p[i] == '-' || text.p[i] == '_';
	return may;
}

/* Opaque: what is presented is the jti itself. */
static pt_err refresh_opaque(struct pt_call *call, pt_str presented, struct pt_grant *out)
{
	struct pt_rotate_act act = { .now = 0 };

	return is_opaque(presented) ? rotate(call, &act, presented, out) : PT_E_REFRESH;
}

static pt_err refresh_signed(struct pt_call *call, pt_str text, struct pt_grant *out)
{
	struct pt_rotate_act act = { .now = 0 };
	struct token_claims claims;

	TRY(refresh_read(call, text, &claims));
	/* A token of the original program has no jti: what was presented stands for it. */
	if (claims.jti.n == 0) {
		act.foreign = text;
		act.foreign_account = claims.account;
		TRY(random_id(call->now, &act.foreign_family));
	}
	pt_err err = rotate(call, &act, claims.jti.n > 0 ? claims.jti : text, out);
	return err == PT_E_REFRESH_EXPIRED ? PT_E_REFRESH : err;
}

pt_err pt_token_refresh(struct pt_call *call, pt_str refresh_token, struct pt_grant *out)
{
	if (call->site->policy.token_profile)
		return refresh_opaque(call, refresh_token, out);
	return refresh_signed(call, refresh_token, out);
}

/* Its dates are not judged: a day later the access token opens nothing, but its family still lives, and
 * whoever signs out then must not leave it behind. */
static pt_err token_read_to_end(struct pt_call *call, pt_str text, struct token_claims *out)
{
	struct json_value claims;

	TRY(token_judge(call, USE_ACCESS, text, &claims));
	return claims_read(&claims, USE_ACCESS, out);
}

static pt_err family_of(struct pt_call *call, pt_str jti, struct pt_token_ref *out)
{
	struct token_said said;
	bool ours;

	TRY(token_text_read(call, jti, &ours, &said));
	if (ours) {
		out->family = said.family;
		out->generation = said.generation;
	}
	return token_text_hash(call, jti, &out->hash);
}

pt_err pt_token_revoke(struct pt_call *call, pt_str access_token)
{
	struct pt_token_ref shown = { .generation = 0 };
	struct token_claims claims;
	struct pt_event event;

	pt_err err = token_read_to_end(call, access_token, &claims);
	if (err == PT_OK)
		err = family_of(call, claims.jti, &shown);
	if (err == PT_E_TOKEN || err == PT_E_TOKEN_CLAIMS)
		return PT_OK;
	TRY(err);
	TRY(event_make(call, PT_EVENT_SIGNOUT, &claims.account, "tokens", &event));
	return STORE(call, token_revoke, &shown, call->now, &event);
}

/*
 * token.c - access and refresh tokens.
 */
#include "core/token.h"

#include "base/json.h"
#include "base/random.h"
#include "base/str.h"
#include "core/event.h"
#include "core/store.h"
#include "crypt/jwt.h"
#include "base/banned.h"

enum {
	JTI_BYTES = 18,   /* 24 characters */
	STAMP_BYTES = 12, /* 16 characters */
	FOLLOW_MOST = 16, /* rotations between the presented token and the LIVE one */
};

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

static pt_err jti_draw(struct pt_call *call, pt_str *out)
{
	uint8_t bytes[JTI_BYTES];

	TRY(random_fill(bytes, sizeof(bytes)));
	return bytes_as_text(call, bytes, sizeof(bytes), out);
}

static pt_err jti_successor(struct pt_call *call, pt_str presented, pt_str *out)
{
	struct pt_hash mac;

	TRY(digest_mac_parts(&call->site->keys.rotate, &presented, 1, &mac));
	return bytes_as_text(call, mac.bytes, JTI_BYTES, out);
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
		.account = account->id,
		.issued_at = call->now,
		.expires_at = call->now + policy->refresh_life,
	};
	pt_str drawn;

	if (policy->refresh_family_life > 0 && policy->refresh_family_life < policy->refresh_life)
		made.expires_at = call->now + policy->refresh_family_life;
	TRY(random_id(call->now, &made.family));
	TRY(jti_draw(call, &drawn));
	TRY(digest_sha256(drawn, &made.hash));
	*token = made;
	*jti = drawn;
	return PT_OK;
}

struct token_text {
	enum token_use use;
	const struct jwk *key;
	pt_time issued;
	pt_time expires;
	pt_str jti;
	pt_str stamp; /* "" leaves it out */
};

static pt_err token_text(struct pt_call *call, const struct pt_id *account,
	const struct token_text *text, pt_str *out)
{
	struct buf b = BUF(call->arena, 1 * KIB);
	struct json j = JSON(&b);
	pt_str claims;

	json_object(&j, NULL);
	json_int(&j, "exp", seconds(text->expires));
	json_str(&j, "user_id", str(account->text));
	json_int(&j, "iat", seconds(text->issued));
	json_str(&j, "jti", text->jti);
	json_str(&j, "token_use", token_use_name[text->use]);
	if (text->stamp.n > 0)
		json_str(&j, "stamp", text->stamp);
	json_object_end(&j);
	TRY(buf_done(&b, &claims));
	return jwt_sign(call->arena, text->key, claims, out);
}

pt_err token_write(struct pt_call *call, const struct pt_account_record *owner,
	const struct pt_token *token, pt_str jti, struct pt_grant *grant)
{
	const struct site_keys *keys = &call->site->keys;
	struct token_text access = { USE_ACCESS, keys->access, token->issued_at,
		token->issued_at + call->site->policy.access_life, jti, { 0 } };
	struct token_text refresh = { USE_REFRESH, keys->refresh, token->issued_at,
		token->expires_at, jti, { 0 } };

	TRY(stamp_make(call, owner, &access.stamp));
	TRY(token_text(call, &token->account, &access, &grant->access_token));
	TRY(token_text(call, &token->account, &refresh, &grant->refresh_token));
	grant->access_expires = access.expires;
	return PT_OK;
}

/* ---- reading ---- */

static bool claim_text(const struct json_value *claims, const char *name, pt_str *out)
{
	const struct json_value *value = json_find(claims, str(name));

	*out = PT_STR("");
	if (!value)
		return true;
	*out = value->text;
	return value->type == JSON_STRING;
}

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

static pt_err token_read(struct pt_call *call, const struct jwk *key, enum token_use use,
	pt_str text, struct token_claims *out)
{
	struct json_value claims;

	TRY(jwt_verify(call->arena, key, text, &claims));
	TRY(jwt_check_times(&claims, call->now));
	return claims_read(&claims, use, out);
}

static pt_err token_owner(
	struct pt_call *call, const struct pt_id *id, struct pt_account_record *out)
{
	const struct pt_account_query query = { .by = PT_BY_ID, .key = str(id->text) };
	struct pt_account_record found;

	pt_err err = STORE(call, account_find, &query, &found);
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

	TRY(token_read(call, call->site->keys.access, USE_ACCESS, access_token, &claims));
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
	pt_err err = token_read(call, call->site->keys.refresh, USE_REFRESH, text, out);

	return err == PT_E_TOKEN ? PT_E_REFRESH : err;
}

/* The jti of the LIVE token that the store named, derived step by step from the presented one. A chain
 * longer than the bound within one grace is no honest client's; one that never meets the token was
 * begun under another key of the site. */
static pt_err jti_follow(
	struct pt_call *call, pt_str presented, const struct pt_hash *live, pt_str *out)
{
	pt_str jti = presented;

	for (int i = 0; i < FOLLOW_MOST; i++) {
		struct pt_hash hash;

		TRY(jti_successor(call, jti, &jti));
		TRY(digest_sha256(jti, &hash));
		if (digest_equal_hash(&hash, live)) {
			*out = jti;
			return PT_OK;
		}
	}
	return PT_E_REFRESH;
}

pt_err pt_token_refresh(struct pt_call *call, pt_str refresh_token, struct pt_grant *out)
{
	const struct pt_policy *policy = &call->site->policy;
	struct pt_rotate_act act = {
		.now = call->now,
		.grace = policy->refresh_grace,
		.lifetime = policy->refresh_life,
		.family_until = policy->refresh_family_life,
	};
	struct pt_account_record owner;
	struct pt_grant grant = { 0 };
	struct token_claims claims;
	struct pt_token live;
	pt_str jti;

	TRY(refresh_read(call, refresh_token, &claims));
	/* Before anything is spent: what fails then can be asked again. */
	pt_err err = token_owner(call, &claims.account, &owner);
	if (err != PT_OK)
		return err == PT_E_TOKEN ? PT_E_REFRESH : err;
	/* A token of the original program has no jti: what was presented stands for it. */
	pt_str presented = claims.jti.n > 0 ? claims.jti : refresh_token;
	if (claims.jti.n == 0) {
		act.foreign = refresh_token;
		act.foreign_account = claims.account;
		TRY(random_id(call->now, &act.foreign_family));
	}
	TRY(digest_sha256(presented, &act.presented));
	TRY(jti_successor(call, presented, &jti));
	TRY(digest_sha256(jti, &act.successor));
	TRY(event_make(call, PT_EVENT_TOKEN_REFRESHED, &claims.account, "", &act.event));
	TRY(event_make(call, PT_EVENT_TOKEN_REUSED, &claims.account, "", &act.reuse_event));
	TRY(STORE(call, token_rotate, &act, &live));
	TRY(jti_follow(call, presented, &live.hash, &jti));
	TRY(token_write(call, &owner, &live, jti, &grant));
	grant.account = owner.account;
	*out = grant;
	return PT_OK;
}

/* Its dates are not judged: a day later the access token opens nothing, but its family still lives, and
 * whoever signs out then must not leave it behind. */
static pt_err token_read_to_end(struct pt_call *call, pt_str text, struct token_claims *out)
{
	struct json_value claims;

	TRY(jwt_verify(call->arena, call->site->keys.access, text, &claims));
	return claims_read(&claims, USE_ACCESS, out);
}

pt_err pt_token_revoke(struct pt_call *call, pt_str access_token)
{
	struct token_claims claims;
	struct pt_event event;
	struct pt_hash hash;

	pt_err err = token_read_to_end(call, access_token, &claims);
	if (err == PT_E_TOKEN || err == PT_E_TOKEN_CLAIMS)
		return PT_OK;
	TRY(err);
	TRY(digest_sha256(claims.jti, &hash));
	TRY(event_make(call, PT_EVENT_SIGNOUT, &claims.account, "tokens", &event));
	return STORE(call, token_revoke, &hash, call->now, &event);
}

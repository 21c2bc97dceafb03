/*
 * access.c - what an access token of policy.token_profile says, judged without the store; and tokens that
 * others signed with a key that both sides hold.
 */
#include "base/json.h"
#include "base/str.h"
#include "core/call.h"
#include "core/claim.h"
#include "crypt/jwt.h"
#include "portress/act.h"

#include "base/banned.h"

/* Clocks of two machines differ a little; `exp` is ours alone and gets no allowance. */
static const pt_time clock_leeway = 30 * PT_SECOND;

static bool claim_time(const struct json_value *claims, const char *name, bool *there, pt_time *out)
{
	const struct json_value *value = json_find(claims, str(name));

	*there = value != NULL;
	if (!value)
		return true;
	if (value->type != JSON_NUMBER || value->text.n == 0 || value->number < 0 ||
		value->number > INT64_MAX / PT_SECOND)
		return false;
	*out = value->number * PT_SECOND;
	return true;
}

static enum pt_token_flaw times_judge(
	const struct json_value *claims, pt_time now, bool needs_exp, struct pt_access *out)
{
	bool has_exp, has_nbf, has_iat;
	pt_time nbf = 0, iat = 0;

	if (!claim_time(claims, "exp", &has_exp, &out->expires) || (needs_exp && !has_exp) ||
		!claim_time(claims, "nbf", &has_nbf, &nbf) ||
		!claim_time(claims, "iat", &has_iat, &iat))
		return PT_FLAW_CLAIMS;
	if (has_exp && out->expires <= now) {
		out->flaw_by = now - out->expires;
		return PT_FLAW_EXPIRED;
	}
	if (iat > now + clock_leeway)
		return PT_FLAW_EARLY;
	return nbf > now + clock_leeway ? PT_FLAW_NOT_YET : PT_FLAW_NONE;
}

static enum pt_token_flaw access_judge(
	const struct json_value *claims, pt_time now, struct pt_access *out)
{
	pt_str session;

	if (claims->type != JSON_OBJECT)
		return PT_FLAW_ENCODING;
	if (!claim_text(claims, "sub", &out->subject) ||
		!claim_text(claims, "aud", &out->audience) ||
		!claim_text(claims, "email", &out->email) || !claim_text(claims, "sid", &session) ||
		session.n >= sizeof(out->session.text))
		return PT_FLAW_CLAIMS;
	if (session.n > 0)
		memcpy(out->session.text, session.p, session.n);
	return times_judge(claims, now, true, out);
}

pt_err pt_access_read(struct pt_call *call, pt_str access_token, struct pt_access *out)
{
	struct signer_flaw flaw = { .kind = PT_FLAW_NONE };
	struct pt_access read = { .flaw = PT_FLAW_NONE };
	struct json_value claims;

	pt_err err = signer_verify(
		call->site->keys.access, call->arena, access_token, call->now, &claims, &flaw);
	if (pt_is_fault(err))
		return err;
	read.flaw = flaw.kind;
	read.algorithm = flaw.algorithm;
	if (err == PT_OK)
		read.flaw = access_judge(&claims, call->now, &read);
	*out = read;
	return read.flaw == PT_FLAW_NONE && err == PT_OK ? PT_OK : PT_E_TOKEN;
}

/* ---- tokens of others ---- */

static pt_err payload_read(struct pt_call *call, pt_str token, pt_str *out)
{
	pt_str head, rest, body, signature;

	str_cut(token, '.', &head, &rest);
	str_cut(rest, '.', &body, &signature);
	pt_err err = base64url_read(call->arena, body, out);
	return err == PT_E_MALFORMED ? PT_E_TOKEN : err;
}

pt_err pt_signed_read(struct pt_call *call, pt_str key, pt_str token, pt_str *claims)
{
	const struct jwk_terms terms = { .secret_min = 0 };
	struct pt_access dates = { .flaw = PT_FLAW_NONE };
	struct json_value value;
	struct jwk *secret;
	const char *why;

	pt_err err = jwk_from_secret(key, &terms, &secret, &why);
	if (err == PT_E_MALFORMED)
		return PT_E_TOKEN;
	TRY(err);
	err = jwt_verify(call->arena, secret, token, &value);
	jwk_close(secret);
	TRY(err);
	if (times_judge(&value, call->now, false, &dates) != PT_FLAW_NONE)
		return PT_E_TOKEN;
	return payload_read(call, token, claims);
}

bool pt_secret_equal(pt_str a, pt_str b)
{
	struct pt_hash left, right;

	/* Hashes of one length: not even how long the right one is shows. */
	return digest_sha256(a, &left) == PT_OK && digest_sha256(b, &right) == PT_OK &&
	       digest_equal_hash(&left, &right);
}

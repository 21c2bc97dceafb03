/*
 * jwt.c - tokens that others can check: base64url(header) . base64url(claims) . base64url(signature)
 *
 * What a token says of itself is believed in this order: its size, its form, its header (which may
 * only repeat what a key already decided), its signature, and only then its claims.
 */
#include "crypt/jwt.h"

#include "base/err.h"
#include "base/str.h"
#include "crypt/jws.h"

#include "base/banned.h"

/* Room for all that an account may say of itself (two objects of PT_METADATA_MAX bytes), and for the longest
 * signature; still less than a request's headers may be. */
enum { TOKEN_BYTES_MAX = 14 * 1024 };

/* How far ahead of us an issuer's clock may be. */
#define CLOCK_SKEW (30 * PT_SECOND)

/* Each of these names a key or a rule that the sender chose (RFC 7515 4.1). */
static const pt_str unwanted[] = {
	PT_STR_INIT("jku"),
	PT_STR_INIT("jwk"),
	PT_STR_INIT("x5u"),
	PT_STR_INIT("x5c"),
	PT_STR_INIT("crit"),
};

struct parts {
	pt_str header;
	pt_str claims;
	pt_str signature;
	pt_str signed_input; /* header and claims with the dot between */
};

struct header {
	pt_str alg;    /* "" names none */
	pt_str kid;    /* "" says nothing */
	bool unwanted; /* it asks for what no token of ours asks for */
};

/* ---- signing ---- */

static pt_err token_finish(
	struct arena *arena, const struct jwk *key, pt_str header, pt_str claims, pt_str *out)
{
	struct buf token = BUF(arena, TOKEN_BYTES_MAX);
	uint8_t signature[JWS_SIGNATURE_MAX];
	size_t n;

	if (!key->can_sign)
		return fault(PT_F_CONFIG, "a key that only judges was asked to sign");
	buf_str(&token, header);
	buf_char(&token, '.');
	buf_base64url(&token, claims.p, claims.n);
	TRY(key->algorithm->sign(key, buf_view(&token), signature, &n));
	buf_char(&token, '.');
	buf_base64url(&token, signature, n);
	return buf_done(&token, out);
}

pt_err jwt_sign(struct arena *arena, const struct jwk *key, pt_str claims, pt_str *out)
{
	return token_finish(arena, key, key->header, claims, out);
}

pt_err jwt_sign_as(
	struct arena *arena, const struct jwk *key, pt_str typ, pt_str claims, pt_str *out)
{
	pt_str header;

	TRY(jws_header(arena, key, typ, &header));
	return token_finish(arena, key, header, claims, out);
}

/* ---- judging ---- */

static pt_err token_split(pt_str token, struct parts *out)
{
	struct parts parts;
	pt_str rest;

	if (token.n > TOKEN_BYTES_MAX)
		return PT_E_TOKEN;
	if (!str_cut(token, '.', &parts.header, &rest) ||
		!str_cut(rest, '.', &parts.claims, &parts.signature) ||
		str_find(parts.signature, '.') < parts.signature.n)
		return PT_E_TOKEN;

	parts.signed_input = str_slice(token, 0, parts.header.n + 1 + parts.claims.n);
	*out = parts;
	return PT_OK;
}

/* A part that is a JSON object in base64url. What cannot be read is not a token of ours. */
static pt_err part_read(struct arena *arena, pt_str part, struct json_value *out)
{
	struct json_value value;
	pt_str text;

	pt_err err = base64url_read(arena, part, &text);
	if (err == PT_OK)
		err = json_read(arena, text, &value);
	if (pt_is_fault(err))
		return err;
	if (err != PT_OK || value.type != JSON_OBJECT)
		return PT_E_TOKEN;

	*out = value;
	return PT_OK;
}

static bool type_is_fine(const struct json_value *type, pt_str wanted)
{
	if (!type)
		return wanted.n == 0;
	return type->type == JSON_STRING &&
	       str_eq_nocase(type->text, wanted.n > 0 ? wanted : PT_STR("JWT"));
}

static bool header_is_unwanted(const struct json_value *object, pt_str typ)
{
	const struct json_value *kid = json_find(object, PT_STR("kid"));

	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++) {
		if (json_find(object, unwanted[i]))
			return true;
	}
	if (kid && !(kid->type == JSON_STRING && jwk_kid_is_valid(kid->text)))
		return true;
	return !type_is_fine(json_find(object, PT_STR("typ")), typ);
}

static pt_err header_read(struct arena *arena, pt_str part, pt_str typ, struct header *out)
{
	struct header header = { 0 };
	struct json_value object;

	TRY(part_read(arena, part, &object));
	const struct json_value *alg = json_find(&object, PT_STR("alg"));
	const struct json_value *kid = json_find(&object, PT_STR("kid"));

	if (alg && alg->type == JSON_STRING)
		header.alg = alg->text;
	header.unwanted = header_is_unwanted(&object, typ);
	if (kid && !header.unwanted)
		header.kid = kid->text;
	*out = header;
	return PT_OK;
}

/* What every token of ours under one of these keys begins with need not be read again. */
static pt_err header_find(struct arena *arena, const struct jwk *const *keys, size_t n, pt_str part,
	pt_str typ, struct header *out)
{
	for (size_t i = 0; i < n && typ.n == 0; i++) {
		if (str_eq(part, keys[i]->header)) {
			*out = (struct header){ .alg = keys[i]->algorithm->name,
				.kid = str(keys[i]->kid) };
			return PT_OK;
		}
	}
	return header_read(arena, part, typ, out);
}

static bool algorithm_is_known(const struct jwk *const *keys, size_t n, pt_str alg)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(alg, keys[i]->algorithm->name))
			return true;
	}
	return false;
}

static bool may_have_signed(const struct jwk *key, const struct header *header)
{
	return str_eq(header->alg, key->algorithm->name) &&
	       (header->kid.n == 0 || !key->kid[0] || str_eq(header->kid, str(key->kid)));
}

static pt_err key_find(const struct jwk *const *keys, size_t n, const struct header *header,
	const struct parts *parts, pt_str signature, const struct jwk **out)
{
	size_t tries = 0;

	for (size_t i = 0; i < n && tries < JWT_TRIES_MAX; i++) {
		if (!may_have_signed(keys[i], header))
			continue;
		pt_err err = keys[i]->algorithm->verify(keys[i], parts->signed_input, signature);
		if (err == PT_OK)
			*out = keys[i];
		if (err != PT_E_TOKEN)
			return err;
		tries++;
	}
	return PT_E_TOKEN;
}

/* Each step says beforehand what it would be if it were refused. */
static pt_err judge(struct arena *arena, const struct jwk *const *keys, size_t n, pt_str typ,
	pt_str token, struct jwt_verdict *verdict)
{
	struct header header;
	struct parts parts;
	pt_str signature;

	verdict->flaw = JWT_SEGMENTS;
	TRY(token_split(token, &parts));
	verdict->flaw = JWT_ENCODING;
	TRY(header_find(arena, keys, n, parts.header, typ, &header));
	verdict->flaw = JWT_ALGORITHM;
	verdict->algorithm = header.alg;
	if (!algorithm_is_known(keys, n, header.alg))
		return PT_E_TOKEN;
	verdict->flaw = JWT_SIGNATURE;
	if (header.unwanted)
		return PT_E_TOKEN;
	pt_err err = base64url_read(arena, parts.signature, &signature);
	if (err == PT_E_MALFORMED)
		verdict->flaw = JWT_ENCODING;
	if (err != PT_OK)
		return pt_is_fault(err) ? err : PT_E_TOKEN;
	TRY(key_find(keys, n, &header, &parts, signature, &verdict->key));
	verdict->flaw = JWT_ENCODING;
	TRY(part_read(arena, parts.claims, &verdict->claims));
	verdict->flaw = JWT_SOUND;
	return PT_OK;
}

pt_err jwt_judge(struct arena *arena, const struct jwk *const *keys, size_t n, pt_str typ,
	pt_str token, struct jwt_verdict *out)
{
	struct jwt_verdict verdict = { 0 };
	pt_err err = judge(arena, keys, n, typ, token, &verdict);

	if (err == PT_OK)
		*out = verdict;
	else if (err == PT_E_TOKEN)
		*out = (struct jwt_verdict){ .flaw = verdict.flaw, .algorithm = verdict.algorithm };
	return err;
}

pt_err jwt_read_judged(struct arena *arena, pt_str token, struct json_value *claims)
{
	struct parts parts;

	TRY(token_split(token, &parts));
	return part_read(arena, parts.claims, claims);
}

pt_err jwt_verify(
	struct arena *arena, const struct jwk *key, pt_str token, struct json_value *claims)
{
	struct jwt_verdict verdict;

	TRY(jwt_judge(arena, &key, 1, PT_STR(""), token, &verdict));
	*claims = verdict.claims;
	return PT_OK;
}

pt_err jwt_verify_set(struct arena *arena, const struct jwk_set *set, pt_time now, pt_str token,
	struct json_value *claims)
{
	const struct jwk *judges[JWK_SET_MAX];
	size_t n = jwk_set_judges(set, now, judges);
	struct jwt_verdict verdict;

	TRY(jwt_judge(arena, judges, n, PT_STR(""), token, &verdict));
	*claims = verdict.claims;
	return PT_OK;
}

/* ---- dates ---- */

/* An integer, or not a date. */
static bool is_date(const struct json_value *value)
{
	return value->type == JSON_NUMBER && value->text.n > 0;
}

static bool has_come(const struct json_value *claims, const char *name, pt_time now)
{
	const struct json_value *date = json_find(claims, str(name));

	return !date || (is_date(date) && date->number <= (now + CLOCK_SKEW) / PT_SECOND);
}

pt_err jwt_check_times(const struct json_value *claims, pt_time now)
{
	const struct json_value *exp = json_find(claims, PT_STR("exp"));

	if (!exp || !is_date(exp) || exp->number <= now / PT_SECOND)
		return PT_E_TOKEN;
	return has_come(claims, "nbf", now) && has_come(claims, "iat", now) ? PT_OK : PT_E_TOKEN;
}

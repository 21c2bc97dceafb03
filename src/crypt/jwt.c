/*
 * jwt.c - tokens that others can check: base64url(header) . base64url(claims) . base64url(signature)
 *
 * What a token says of itself is believed in this order: its size, its form, its header (which may
 * only repeat what the key already decided), its signature, and only then its claims.
 */
#include "crypt/jwt.h"

#include "base/err.h"
#include "base/str.h"

#include "base/banned.h"

enum { TOKEN_BYTES_MAX = 8 * 1024 };

/* One algorithm of RFC 7518 3.1. `header` is what our own tokens begin with, encoded. */
struct algorithm {
	pt_str name;
	pt_str header;
	pt_err (*sign)(const struct jwt_key *key, pt_str input, struct arena *arena, pt_str *out);
	pt_err (*verify)(const struct jwt_key *key, pt_str input, pt_str signature);
};

static pt_err hs256_sign(const struct jwt_key *key, pt_str input, struct arena *arena, pt_str *out);
static pt_err hs256_verify(const struct jwt_key *key, pt_str input, pt_str signature);

static const struct algorithm algorithms[] = {
	/* {"alg":"HS256","typ":"JWT"} */
	{ { "HS256", 5 }, { "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", 36 }, hs256_sign,
		hs256_verify },
};

/* Each of these names a key or a rule that the sender chose (RFC 7515 4.1). */
static const pt_str unwanted[] = {
	{ "jku", 3 },
	{ "jwk", 3 },
	{ "x5u", 3 },
	{ "x5c", 3 },
	{ "crit", 4 },
};

struct parts {
	pt_str header;
	pt_str claims;
	pt_str signature;
	pt_str signed_input; /* header and claims with the dot between */
};

/* The key decides, never the token. */
static const struct algorithm *key_algorithm(const struct jwt_key *key)
{
	(void)key;
	return &algorithms[0];
}

/* Anyone can sign under an empty secret. */
static pt_err key_check(const struct jwt_key *key)
{
	if (key->secret.n == 0)
		return fault(PT_F_CONFIG, "a token key is empty");
	return PT_OK;
}

static pt_err hs256_mac(const struct jwt_key *key, pt_str input, struct pt_hash *out)
{
	return digest_hmac(key->secret, input, out);
}

static pt_err hs256_sign(const struct jwt_key *key, pt_str input, struct arena *arena, pt_str *out)
{
	struct pt_hash mac;

	TRY(hs256_mac(key, input, &mac));
	return arena_str(arena, str_n(mac.bytes, sizeof(mac.bytes)), out)
		       ? PT_OK
		       : fault(PT_F_MEMORY, "no room for a signature");
}

static pt_err hs256_verify(const struct jwt_key *key, pt_str input, pt_str signature)
{
	struct pt_hash mac;

	TRY(hs256_mac(key, input, &mac));
	return digest_equal(str_n(mac.bytes, sizeof(mac.bytes)), signature) ? PT_OK : PT_E_TOKEN;
}

pt_err jwt_sign(struct arena *arena, const struct jwt_key *key, pt_str claims, pt_str *out)
{
	const struct algorithm *algorithm = key_algorithm(key);
	struct buf token = BUF(arena, TOKEN_BYTES_MAX);
	pt_str signature;

	TRY(key_check(key));
	buf_str(&token, algorithm->header);
	buf_char(&token, '.');
	buf_base64url(&token, claims.p, claims.n);
	TRY(algorithm->sign(key, buf_view(&token), arena, &signature));
	buf_char(&token, '.');
	buf_base64url(&token, signature.p, signature.n);
	return buf_done(&token, out);
}

static pt_err token_split(pt_str token, struct parts *out)
{
	struct parts parts;
	pt_str rest;

	if (token.n > TOKEN_BYTES_MAX)
		return PT_E_TOKEN;
	if (!str_cut(token, '.', &parts.header, &rest) ||
		!str_cut(rest, '.', &parts.claims, &parts.signature))
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

	if (!base64url_decode(arena, part, &text))
		return PT_E_TOKEN;

	pt_err err = json_read(arena, text, &value);
	if (pt_is_fault(err))
		return err;
	if (err != PT_OK || value.type != JSON_OBJECT)
		return PT_E_TOKEN;

	*out = value;
	return PT_OK;
}

static bool member_is(const struct json_value *member, pt_str text)
{
	return member && member->type == JSON_STRING && str_eq(member->text, text);
}

static pt_err header_check(struct arena *arena, pt_str header, const struct algorithm *algorithm)
{
	struct json_value object;

	if (str_eq(header, algorithm->header))
		return PT_OK;

	TRY(part_read(arena, header, &object));
	if (!member_is(json_find(&object, PT_STR("alg")), algorithm->name))
		return PT_E_TOKEN;

	/* RFC 8725 3.11: a token made for something else says so here. */
	const struct json_value *type = json_find(&object, PT_STR("typ"));
	if (type && !(type->type == JSON_STRING && str_eq_nocase(type->text, PT_STR("JWT"))))
		return PT_E_TOKEN;

	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++)
		if (json_find(&object, unwanted[i]))
			return PT_E_TOKEN;
	return PT_OK;
}

pt_err jwt_verify(
	struct arena *arena, const struct jwt_key *key, pt_str token, struct json_value *claims)
{
	const struct algorithm *algorithm = key_algorithm(key);
	struct parts parts;
	pt_str signature;

	TRY(key_check(key));
	TRY(token_split(token, &parts));
	TRY(header_check(arena, parts.header, algorithm));
	if (!base64url_decode(arena, parts.signature, &signature))
		return PT_E_TOKEN;
	TRY(algorithm->verify(key, parts.signed_input, signature));
	return part_read(arena, parts.claims, claims);
}

/*
 * token_text.c - the text of refresh tokens.
 */
#include "core/token_text.h"

#include <string.h>

#include "base/buf.h"
#include "base/random.h"
#include "base/str.h"
#include "base/uuid.h"
#include "crypt/digest.h"
#include "base/banned.h"

enum {
	GENERATION_AT = UUID_BYTES,
	GENERATION_BYTES = 4,
	SECRET_AT = GENERATION_AT + GENERATION_BYTES,
	MAC_AT = SECRET_AT + TOKEN_SECRET_BYTES,
	MAC_BYTES = 16,
	TOKEN_BYTES = MAC_AT + MAC_BYTES,
	TOKEN_TEXT = 64, /* TOKEN_BYTES in base64url */
};

static pt_str purpose_of(const struct pt_call *call)
{
	return call->site->policy.token_profile ? PT_STR("bearer") : PT_STR("jti");
}

static pt_err mac_of(struct pt_call *call, pt_str purpose, pt_str message, struct pt_hash *out)
{
	const pt_str parts[] = { purpose, message };

	return digest_mac_parts(&call->site->keys.rotate, parts, 2, out);
}

pt_err token_secret_draw(struct token_secret *out)
{
	return random_fill(out->bytes, sizeof(out->bytes));
}

pt_err token_secret_hash(const struct token_secret *secret, struct pt_hash *out)
{
	return digest_sha256(str_n(secret->bytes, sizeof(secret->bytes)), out);
}

static void generation_write(int64_t generation, uint8_t out[GENERATION_BYTES])
{
	for (size_t i = 0; i < GENERATION_BYTES; i++)
		out[i] = (uint8_t)(generation >> (24 - 8 * i));
}

static int64_t generation_read(const uint8_t bytes[GENERATION_BYTES])
{
	int64_t generation = 0;

	for (size_t i = 0; i < GENERATION_BYTES; i++)
		generation = generation << 8 | bytes[i];
	return generation;
}

pt_err token_text_write(struct pt_call *call, const struct token_said *said, pt_str *out)
{
	struct buf b = BUF(call->arena, 2 * TOKEN_TEXT);
	uint8_t token[TOKEN_BYTES];
	struct pt_hash mac;

	if (!uuid_bytes(&said->family, token))
		return fault(PT_F_BUG, "the family of a token is no UUID");
	if (said->generation < 1 || said->generation > UINT32_MAX)
		return fault(PT_F_BUG, "a token of a generation that cannot be");
	generation_write(said->generation, token + GENERATION_AT);
	memcpy(token + SECRET_AT, said->secret.bytes, TOKEN_SECRET_BYTES);
	TRY(mac_of(call, purpose_of(call), str_n(token, MAC_AT), &mac));
	memcpy(token + MAC_AT, mac.bytes, MAC_BYTES);
	buf_base64url(&b, token, sizeof(token));
	return buf_done(&b, out);
}

pt_err token_text_read(struct pt_call *call, pt_str text, bool *ours, struct token_said *out)
{
	const uint8_t *token;
	struct pt_hash mac;
	pt_str bytes;

	*ours = false;
	if (text.n != TOKEN_TEXT)
		return PT_OK;
	pt_err err = base64url_read(call->arena, text, &bytes);
	if (err != PT_OK)
		return pt_is_fault(err) ? err : PT_OK;
	TRY(mac_of(call, purpose_of(call), str_slice(bytes, 0, MAC_AT), &mac));
	*ours = true;
	token = (const uint8_t *)bytes.p;
	out->family = uuid_text(token);
	out->generation = generation_read(token + GENERATION_AT);
	memcpy(out->secret.bytes, token + SECRET_AT, TOKEN_SECRET_BYTES);
	out->proven =
		digest_equal(str_slice(bytes, MAC_AT, TOKEN_BYTES), str_n(mac.bytes, MAC_BYTES));
	return PT_OK;
}

/* No key: a token outlives it, and people may move in with theirs before there is one. */
pt_err token_text_hash(struct pt_call *call, pt_str text, struct pt_hash *out)
{
	struct buf b = BUF(call->arena, 1 * KIB);
	pt_str message;

	if (!call->site->policy.token_profile)
		return digest_sha256(text, out);
	buf_str(&b, PT_STR("refresh token "));
	buf_str(&b, text);
	TRY(buf_done(&b, &message));
	return digest_sha256(message, out);
}

pt_err token_secret_after(struct pt_call *call, pt_str text, struct token_secret *out)
{
	struct pt_hash mac;

	TRY(mac_of(call, PT_STR("after a foreign one"), text, &mac));
	memcpy(out->bytes, mac.bytes, sizeof(out->bytes));
	return PT_OK;
}

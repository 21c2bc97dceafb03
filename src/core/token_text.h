/*
 * token_text.h - what a refresh token says, and that it is ours.
 *
 *	base64url( family's UUID 16 | generation 4, big endian | secret 12 | MAC 16 ): 64 characters
 *
 * The MAC is HMAC-SHA256 under the site's key for rotation, over what is in front of it and what the text is
 * for: the jti of a pair of JWTs, which an access token shows to whoever it is meant for, is no refresh token.
 * The secret is the family's, and the same in each of its tokens: whoever knew the key and a family's id,
 * which access tokens say, would still lack it. The store knows its hash.
 */
#ifndef CORE_TOKEN_TEXT_H
#define CORE_TOKEN_TEXT_H

#include "core/call.h"
#include "portress/token.h"

enum { TOKEN_SECRET_BYTES = 12 };

struct token_secret {
	uint8_t bytes[TOKEN_SECRET_BYTES];
};

struct token_said {
	struct pt_id family;
	int64_t generation;
	struct token_secret secret;
};

PT_CHECK pt_err token_secret_draw(struct token_secret *out);
PT_CHECK pt_err token_secret_hash(const struct token_secret *secret, struct pt_hash *out);

PT_CHECK pt_err token_text_write(struct pt_call *call, const struct token_said *said, pt_str *out);

/* *ours is false, and nothing else written, for a text of another shape: another program's, or of an older
 * Portress. PT_E_REFRESH: of this shape, and never issued here, or for something else. */
PT_CHECK pt_err token_text_read(
	struct pt_call *call, pt_str text, bool *ours, struct token_said *out);

/* For a text that is not ours: the hash that finds it, and the secret of what will follow it, which whoever
 * shows it again is given again. */
PT_CHECK pt_err token_text_foreign(
	struct pt_call *call, pt_str text, struct pt_hash *hash, struct token_secret *secret);

#endif

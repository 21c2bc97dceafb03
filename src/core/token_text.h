/*
 * token_text.h - what a refresh token says, and that it is ours.
 *
 *	base64url( family's UUID 16 | generation 4, big endian | secret 12 | MAC 16 ): 64 characters
 *
 * The MAC is HMAC-SHA256 under the site's key for rotation, over what is in front of it and what the text is
 * for: the jti of a pair of JWTs, which an access token shows to whoever it is meant for, is no refresh token.
 * The secret is the family's, and the same in each of its tokens: whoever knew the key and a family's id,
 * which access tokens say, would still lack it. The store knows its hash, and that of the LIVE text: under a new
 * key that text still opens its family, and what was spent before it opens nothing.
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
	bool proven; /* read: its MAC is of the key of now, and of what it is shown as */
};

PT_CHECK pt_err token_secret_draw(struct token_secret *out);
PT_CHECK pt_err token_secret_hash(const struct token_secret *secret, struct pt_hash *out);

/* The secret of what follows a token of another program: whoever shows that again is given the same again. */
PT_CHECK pt_err token_secret_after(struct pt_call *call, pt_str text, struct token_secret *out);

PT_CHECK pt_err token_text_write(struct pt_call *call, const struct token_said *said, pt_str *out);

/* *ours is false, and nothing else written, for a text of another shape: another program's, or of an older
 * Portress. */
PT_CHECK pt_err token_text_read(
	struct pt_call *call, pt_str text, bool *ours, struct token_said *out);

/* Under which the store knows a text: SHA-256 of a jti, as it was for an older Portress; of what is a refresh token
 * by itself, SHA-256 of another message. So no jti is found as one. */
PT_CHECK pt_err token_text_hash(struct pt_call *call, pt_str text, struct pt_hash *out);

#endif

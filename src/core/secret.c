/*
 * secret.c - bearer secrets.
 */
#include "core/secret.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/random.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "base/banned.h"

enum {
	SECRET_BYTES = 32,
	SECRET_TEXT = 43,
	CARRIED_TEXT = 22, /* 128 bits: what came from another system may be as short */
};

pt_err secret_make(struct arena *arena, struct secret *out)
{
	uint8_t bytes[SECRET_BYTES];
	struct buf b = BUF(arena, 64);
	struct secret made;

	TRY(random_fill(bytes, sizeof(bytes)));
	buf_base64url(&b, bytes, sizeof(bytes));
	crypt_wipe(bytes, sizeof(bytes));
	TRY(buf_done(&b, &made.text));
	TRY(digest_sha256(made.text, &made.hash));
	*out = made;
	return PT_OK;
}

static bool secret_char(char c)
{
	return ascii_alnum(c) || c == '-' || c == '_';
}

bool secret_possible(pt_str text)
{
	bool possible = text.n >= CARRIED_TEXT && text.n <= SECRET_TEXT;

	for (size_t i = 0; possible && i < text.n; i++)
		possible = secret_char(text.p[i]);
	return possible;
}

pt_err secret_hash(pt_str text, bool *possible, struct pt_hash *out)
{
	*possible = secret_possible(text);
	return *possible ? digest_sha256(text, out) : PT_OK;
}

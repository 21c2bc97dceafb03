/*
 * seal.h - what must be read back but not be read by a thief of the database: letters waiting to
 * be sent, one-time secrets of factors.
 *
 * XChaCha20-Poly1305 (libsodium), random 24-byte nonce in front. `context` is bound as associated
 * data: a sealed value moved to another row does not open.
 */
#ifndef CRYPT_SEAL_H
#define CRYPT_SEAL_H

#include "base/arena.h"
#include "crypt/digest.h"

PT_CHECK pt_err seal(
	struct arena *arena, const struct key *key, pt_str context, pt_str clear, pt_str *out);

/* The same for what came back from outside: PT_E_TOKEN when it does not open, and nothing is logged. */
PT_CHECK pt_err seal_judge(
	struct arena *arena, const struct key *key, pt_str context, pt_str sealed, pt_str *out);

/* PT_F_CRYPTO when it does not open: wrong key, wrong context, altered. Not logged as the user's
 * doing: a stored value that does not open is our trouble. */
PT_CHECK pt_err seal_open(
	struct arena *arena, const struct key *key, pt_str context, pt_str sealed, pt_str *out);

#endif

/*
 * seal.c - XChaCha20-Poly1305 with its nonce in front: nonce (24) | ciphertext | tag (16).
 *
 * The nonce is long enough to be drawn at random for every value under one key, for ever.
 */
#include "crypt/seal.h"

#include <sodium.h>

#include "base/err.h"
#include "base/random.h"
#include "base/str.h"

#include "base/banned.h"

enum {
	NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	SEAL_BYTES = NONCE_BYTES + TAG_BYTES,
};

_Static_assert(KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "a key is a seal's key");

static const uint8_t *octets(pt_str s)
{
	return (const uint8_t *)s.p;
}

pt_err seal(struct arena *arena, const struct key *key, pt_str context, pt_str clear, pt_str *out)
{
	if (clear.n > SIZE_MAX - SEAL_BYTES)
		return fault(PT_F_MEMORY, "nothing that long can be sealed");

	uint8_t *sealed = arena_alloc(arena, SEAL_BYTES + clear.n);
	if (!sealed)
		return fault(PT_F_MEMORY, "no room to seal %zu bytes", clear.n);
	TRY(random_fill(sealed, NONCE_BYTES));

	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_BYTES, NULL, octets(clear),
		clear.n, octets(context), context.n, NULL, sealed, key->bytes);
	*out = str_n(sealed, SEAL_BYTES + clear.n);
	return PT_OK;
}

pt_err seal_judge(
	struct arena *arena, const struct key *key, pt_str context, pt_str sealed, pt_str *out)
{
	if (sealed.n < SEAL_BYTES)
		return PT_E_TOKEN;

	size_t n = sealed.n - SEAL_BYTES;
	uint8_t *clear = arena_alloc(arena, n + 1);
	if (!clear)
		return fault(PT_F_MEMORY, "no room to open %zu bytes", n);

	const uint8_t *nonce = octets(sealed), *cipher = nonce + NONCE_BYTES;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(clear, NULL, NULL, cipher, n + TAG_BYTES,
		    octets(context), context.n, nonce, key->bytes) != 0)
		return PT_E_TOKEN;

	*out = str_n(clear, n);
	return PT_OK;
}

pt_err seal_open(
	struct arena *arena, const struct key *key, pt_str context, pt_str sealed, pt_str *out)
{
	pt_err err = seal_judge(arena, key, context, sealed, out);

	if (err == PT_E_TOKEN)
		return fault(PT_F_CRYPTO,
			"a sealed value of %zu bytes does not open: other key, place or bytes",
			sealed.n);
	return err;
}

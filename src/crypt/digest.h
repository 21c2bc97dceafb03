/*
 * digest.h - hashes, MACs and derived keys over OpenSSL, fetched once.
 */
#ifndef CRYPT_DIGEST_H
#define CRYPT_DIGEST_H

#include "portress/base.h"

enum { KEY_BYTES = 32 };

/* A symmetric key. It has no printer; wipe it with key_wipe. */
struct key {
	uint8_t bytes[KEY_BYTES];
};

/* Once, before threads: fetches algorithms, starts libsodium. PT_F_CRYPTO if a
 * needed algorithm is missing. Safe to call again. */
PT_CHECK pt_err crypt_open(void);

PT_CHECK pt_err digest_sha256(pt_str message, struct pt_hash *out);

/* HMAC-SHA256 (RFC 2104) over the parts one after the other. Each part is preceded by its length
 * (8 bytes, big endian), so that no two lists of parts give one message. */
PT_CHECK pt_err digest_mac_parts(
	const struct key *key, const pt_str *parts, size_t n, struct pt_hash *out);

/* HMAC-SHA256 of exactly these bytes, with a key of any length. */
PT_CHECK pt_err digest_hmac(pt_str key, pt_str message, struct pt_hash *out);

/* HKDF-SHA256 (RFC 5869): one purpose, one key. PT_F_CONFIG: `secret` is empty. */
PT_CHECK pt_err digest_derive(pt_str secret, pt_str salt, pt_str info, struct key *out);

/* Equal in constant time; lengths are public. */
bool digest_equal(pt_str a, pt_str b);
bool digest_equal_hash(const struct pt_hash *a, const struct pt_hash *b);

void crypt_wipe(void *p, size_t n);
void key_wipe(struct key *key);

#endif

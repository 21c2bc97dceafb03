/*
 * digest.c - SHA-256, HMAC-SHA256 and HKDF over OpenSSL 3.
 *
 * Algorithms are fetched once: an implicit fetch costs more than the digest of a token. Keying an
 * HMAC context costs more than using it, and every signed-in request asks for a few under the same
 * few keys, so each thread keeps the contexts that it keyed last.
 *
 * (1) A context belongs to one thread.  (2) A slot's block is the key its context was keyed with.
 * (3) A slot is wiped before it serves another key, and when its thread ends.
 */
#include "crypt/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

#include "base/banned.h"

enum { BLOCK_BYTES = 64, MAC_SLOTS = 8 };

/* A key as HMAC sees it (RFC 2104 2): padded with zeros to the block of the hash. */
struct mac_slot {
	uint8_t block[BLOCK_BYTES];
	EVP_MAC_CTX *ctx;
};

/* Most recently used first. */
struct mac_cache {
	struct mac_slot slots[MAC_SLOTS];
};

static struct {
	pthread_mutex_t lock;
	bool open;
	EVP_MD *sha256;
	EVP_MAC *hmac;
	EVP_KDF *hkdf;
	pthread_key_t cache;
} loaded = { .lock = PTHREAD_MUTEX_INITIALIZER };

static pt_err crypto_fault(const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;
	pt_err err = fault(PT_F_CRYPTO, "%s: %s", what, reason ? reason : "refused");

	ERR_clear_error();
	return err;
}

static void slot_wipe(struct mac_slot *slot)
{
	EVP_MAC_CTX_free(slot->ctx);
	OPENSSL_cleanse(slot, sizeof(*slot));
}

static void cache_close(void *p)
{
	struct mac_cache *cache = p;

	for (size_t i = 0; i < MAC_SLOTS; i++)
		slot_wipe(&cache->slots[i]);
	free(cache);
}

static pt_err algorithms_fetch(void)
{
	if (!loaded.sha256)
		loaded.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!loaded.hmac)
		loaded.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (!loaded.hkdf)
		loaded.hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	if (!loaded.sha256 || !loaded.hmac || !loaded.hkdf)
		return crypto_fault("fetch SHA256, HMAC, HKDF");
	return PT_OK;
}

static pt_err open_once(void)
{
	if (loaded.open)
		return PT_OK;

	TRY(algorithms_fetch());
	if (sodium_init() < 0)
		return fault(PT_F_CRYPTO, "libsodium does not start");
	if (pthread_key_create(&loaded.cache, cache_close) != 0)
		return fault(PT_F_MEMORY, "no room for another thread-specific key");

	loaded.open = true;
	return PT_OK;
}

pt_err crypt_open(void)
{
	pthread_mutex_lock(&loaded.lock);
	pt_err err = open_once();
	pthread_mutex_unlock(&loaded.lock);
	return err;
}

pt_err digest_sha256(pt_str message, struct pt_hash *out)
{
	struct pt_hash hash;

	if (!EVP_Digest(message.p, message.n, hash.bytes, NULL, loaded.sha256, NULL))
		return crypto_fault("SHA-256");

	*out = hash;
	return PT_OK;
}

static pt_err cache_find(struct mac_cache **out)
{
	if (!loaded.open)
		return fault(PT_F_BUG, "a MAC was asked for before crypt_open");

	struct mac_cache *cache = pthread_getspecific(loaded.cache);
	if (!cache) {
		cache = calloc(1, sizeof(*cache));
		if (!cache || pthread_setspecific(loaded.cache, cache) != 0) {
			free(cache);
			return fault(PT_F_MEMORY, "no memory for a thread's MAC contexts");
		}
	}
	*out = cache;
	return PT_OK;
}

static pt_err slot_key(struct mac_slot *slot, const uint8_t block[BLOCK_BYTES])
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	slot_wipe(slot);
	slot->ctx = EVP_MAC_CTX_new(loaded.hmac);
	if (!slot->ctx || !EVP_MAC_init(slot->ctx, block, BLOCK_BYTES, params)) {
		slot_wipe(slot);
		return crypto_fault("key HMAC-SHA256");
	}
	memcpy(slot->block, block, BLOCK_BYTES);
	return PT_OK;
}

static void slot_to_front(struct mac_cache *cache, size_t i)
{
	struct mac_slot found = cache->slots[i];

	memmove(&cache->slots[1], &cache->slots[0], i * sizeof(found));
	cache->slots[0] = found;
	OPENSSL_cleanse(found.block, sizeof(found.block));
}

/* Leaves in front the context of that key. Keys are ours, not the asker's, so the comparison may
 * stop at the first difference. */
static pt_err slot_find(struct mac_cache *cache, const uint8_t block[BLOCK_BYTES])
{
	size_t i = 0;

	while (i < MAC_SLOTS - 1 && cache->slots[i].ctx &&
		memcmp(cache->slots[i].block, block, BLOCK_BYTES) != 0)
		i++;

	struct mac_slot *slot = &cache->slots[i];
	if (!slot->ctx || memcmp(slot->block, block, BLOCK_BYTES) != 0)
		TRY(slot_key(slot, block));
	if (i > 0)
		slot_to_front(cache, i);
	return PT_OK;
}

/* RFC 2104 2: a key longer than the block is hashed first. */
static pt_err key_block(pt_str key, uint8_t block[BLOCK_BYTES])
{
	struct pt_hash hash;

	memset(block, 0, BLOCK_BYTES);
	if (key.n > BLOCK_BYTES) {
		TRY(digest_sha256(key, &hash));
		memcpy(block, hash.bytes, sizeof(hash.bytes));
		OPENSSL_cleanse(&hash, sizeof(hash));
	} else if (key.n > 0) {
		memcpy(block, key.p, key.n);
	}
	return PT_OK;
}

/* A context ready for a message. It belongs to the thread's cache. */
static pt_err mac_begin(pt_str key, EVP_MAC_CTX **out)
{
	struct mac_cache *cache = NULL;
	uint8_t block[BLOCK_BYTES];

	TRY(cache_find(&cache));
	TRY(key_block(key, block));
	pt_err err = slot_find(cache, block);
	OPENSSL_cleanse(block, sizeof(block));
	TRY(err);

	/* Without a key it starts the next message under the one it has. */
	if (!EVP_MAC_init(cache->slots[0].ctx, NULL, 0, NULL))
		return crypto_fault("begin HMAC-SHA256");
	*out = cache->slots[0].ctx;
	return PT_OK;
}

static pt_err mac_end(EVP_MAC_CTX *ctx, struct pt_hash *out)
{
	struct pt_hash hash;
	size_t n = 0;

	if (!EVP_MAC_final(ctx, hash.bytes, &n, sizeof(hash.bytes)) || n != sizeof(hash.bytes))
		return crypto_fault("end HMAC-SHA256");

	*out = hash;
	return PT_OK;
}

static pt_err mac_add(EVP_MAC_CTX *ctx, pt_str bytes)
{
	if (bytes.n > 0 && !EVP_MAC_update(ctx, (const uint8_t *)bytes.p, bytes.n))
		return crypto_fault("HMAC-SHA256");
	return PT_OK;
}

static pt_err mac_add_length(EVP_MAC_CTX *ctx, uint64_t n)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(n >> (56 - 8 * i));
	return mac_add(ctx, str_n(bytes, sizeof(bytes)));
}

pt_err digest_mac_parts(const struct key *key, const pt_str *parts, size_t n, struct pt_hash *out)
{
	EVP_MAC_CTX *ctx;

	TRY(mac_begin(str_n(key->bytes, sizeof(key->bytes)), &ctx));
	for (size_t i = 0; i < n; i++) {
		TRY(mac_add_length(ctx, parts[i].n));
		TRY(mac_add(ctx, parts[i]));
	}
	return mac_end(ctx, out);
}

pt_err digest_hmac(pt_str key, pt_str message, struct pt_hash *out)
{
	EVP_MAC_CTX *ctx;

	TRY(mac_begin(key, &ctx));
	TRY(mac_add(ctx, message));
	return mac_end(ctx, out);
}

static OSSL_PARAM octets(const char *name, pt_str s)
{
	/* OpenSSL's type of a parameter has no const, but it only reads these. NULL is an error. */
	return OSSL_PARAM_construct_octet_string(
		name, (void *)(uintptr_t)(s.n > 0 ? s.p : ""), s.n);
}

pt_err digest_derive(pt_str secret, pt_str salt, pt_str info, struct key *out)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		octets(OSSL_KDF_PARAM_KEY, secret),
		octets(OSSL_KDF_PARAM_SALT, salt),
		octets(OSSL_KDF_PARAM_INFO, info),
		OSSL_PARAM_construct_end(),
	};
	struct key key;

	if (secret.n == 0)
		return fault(PT_F_CONFIG, "a key cannot be derived from an empty secret");

	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(loaded.hkdf);
	bool derived = ctx && EVP_KDF_derive(ctx, key.bytes, sizeof(key.bytes), params) > 0;
	EVP_KDF_CTX_free(ctx);
	if (!derived)
		return crypto_fault("HKDF-SHA256");

	*out = key;
	key_wipe(&key);
	return PT_OK;
}

bool digest_equal(pt_str a, pt_str b)
{
	return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

bool digest_equal_hash(const struct pt_hash *a, const struct pt_hash *b)
{
	return CRYPTO_memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void crypt_wipe(void *p, size_t n)
{
	if (n > 0)
		OPENSSL_cleanse(p, n);
}

void key_wipe(struct key *key)
{
	OPENSSL_cleanse(key, sizeof(*key));
}

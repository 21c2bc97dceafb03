/*
 * token_cache.c - 4096 hashes, found by their first bits, under as many locks as rarely meet.
 */
#include "core/token_cache.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"
#include "crypt/digest.h"

#include "base/banned.h"

enum { SETS = 1024, WAYS = 4, LOCKS = 64 };

struct set {
	struct pt_hash tokens[WAYS];
	uint8_t keys[WAYS]; /* one more than the caller's number; 0: nothing stands here */
	uint8_t oldest;
};

struct token_cache {
	pthread_mutex_t locks[LOCKS];
	struct set sets[SETS];
};

pt_err token_cache_open(struct token_cache **out)
{
	struct token_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return fault(PT_F_MEMORY, "no memory to remember tokens in");
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&cache->locks[i], NULL);
	*out = cache;
	return PT_OK;
}

void token_cache_close(struct token_cache *cache)
{
	if (!cache)
		return;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&cache->locks[i]);
	crypt_wipe(cache->sets, sizeof(cache->sets));
	free(cache);
}

static size_t place_of(const struct pt_hash *token)
{
	return ((size_t)token->bytes[0] << 8 | token->bytes[1]) % SETS;
}

bool token_cache_find(struct token_cache *cache, const struct pt_hash *token, unsigned *key)
{
	size_t place = place_of(token);
	const struct set *set = &cache->sets[place];
	unsigned found = 0;

	pthread_mutex_lock(&cache->locks[place % LOCKS]);
	for (size_t i = 0; i < WAYS && found == 0; i++) {
		if (set->keys[i] != 0 && digest_equal_hash(&set->tokens[i], token))
			found = set->keys[i];
	}
	pthread_mutex_unlock(&cache->locks[place % LOCKS]);
	if (found == 0)
		return false;
	*key = found - 1;
	return true;
}

void token_cache_add(struct token_cache *cache, const struct pt_hash *token, unsigned key)
{
	size_t place = place_of(token);
	struct set *set = &cache->sets[place];

	pthread_mutex_lock(&cache->locks[place % LOCKS]);
	set->tokens[set->oldest] = *token;
	set->keys[set->oldest] = (uint8_t)(key + 1);
	set->oldest = (uint8_t)((set->oldest + 1) % WAYS);
	pthread_mutex_unlock(&cache->locks[place % LOCKS]);
}

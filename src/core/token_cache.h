/*
 * token_cache.h - tokens whose signature was found good, by the SHA-256 of all of their bytes.
 *
 * Bounded: a set of four for each ten bits of the hash, the oldest of which gives way. Only who can
 * have tokens signed can fill it, and all that is lost is the work of judging once more. Threads may
 * share one.
 */
#ifndef CORE_TOKEN_CACHE_H
#define CORE_TOKEN_CACHE_H

#include "portress/base.h"

struct token_cache;

PT_CHECK pt_err token_cache_open(struct token_cache **out);

/* NULL is fine. */
void token_cache_close(struct token_cache *cache);

/* The key that was found to have signed it. False: not known. */
bool token_cache_find(struct token_cache *cache, const struct pt_hash *token, unsigned *key);

/* `key` is the caller's number for it, below 255. */
void token_cache_add(struct token_cache *cache, const struct pt_hash *token, unsigned key);

#endif

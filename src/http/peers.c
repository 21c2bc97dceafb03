/*
 * peers.c - how many connections each client address has.
 *
 * Buckets of chained entries, all made at the start: a flood of addresses allocates nothing.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "http/peers.h"

#include "base/banned.h"

struct entry {
	uint8_t bytes[16];
	size_t count;
	struct entry *next;
};

struct peers {
	pthread_mutex_t lock;
	uint64_t key[2];
	size_t n_buckets; /* a power of two */
	struct entry **buckets;
	struct entry *entries;
	struct entry *free;
};

struct peers *peers_open(size_t most)
{
	struct peers *peers = calloc(1, sizeof(*peers));

	if (peers == NULL)
		return NULL;
	pthread_mutex_init(&peers->lock, NULL);
	peers->n_buckets = 16;
	while (peers->n_buckets < most)
		peers->n_buckets *= 2;
	peers->buckets = calloc(peers->n_buckets, sizeof(struct entry *));
	peers->entries = calloc(most, sizeof(struct entry));
	if (peers->buckets == NULL || peers->entries == NULL ||
		random_fill(peers->key, sizeof(peers->key)) != PT_OK) {
		peers_close(peers);
		return NULL;
	}
	for (size_t i = 0; i < most; i++) {
		peers->entries[i].next = peers->free;
		peers->free = &peers->entries[i];
	}
	return peers;
}

void peers_close(struct peers *peers)
{
	if (peers == NULL)
		return;
	pthread_mutex_destroy(&peers->lock);
	free(peers->buckets);
	free(peers->entries);
	free(peers);
}

/* Keyed, so that nobody can choose addresses that all fall into one bucket. */
static struct entry **bucket_of(struct peers *peers, const struct address *address)
{
	uint64_t half[2], z;

	memcpy(half, address->bytes, sizeof(half));
	z = (half[0] ^ peers->key[0]) * UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 32) ^ half[1] ^ peers->key[1]) * UINT64_C(0xbf58476d1ce4e5b9);
	z ^= z >> 29;
	return &peers->buckets[z & (peers->n_buckets - 1)];
}

static struct entry **entry_find(struct peers *peers, const struct address *address)
{
	struct entry **at = bucket_of(peers, address);

	while (*at != NULL && memcmp((*at)->bytes, address->bytes, sizeof(address->bytes)) != 0)
		at = &(*at)->next;
	return at;
}

static bool enter(struct peers *peers, const struct address *address, size_t limit)
{
	struct entry **at = entry_find(peers, address), *entry = *at;

	if (entry == NULL) {
		entry = peers->free;
		if (entry == NULL)
			return false;
		peers->free = entry->next;
		memcpy(entry->bytes, address->bytes, sizeof(entry->bytes));
		entry->count = 0;
		entry->next = NULL;
		*at = entry;
	}
	if (entry->count >= limit)
		return false;
	entry->count++;
	return true;
}

bool peers_enter(struct peers *peers, const struct address *address, size_t limit)
{
	bool entered;

	pthread_mutex_lock(&peers->lock);
	entered = enter(peers, address, limit);
	pthread_mutex_unlock(&peers->lock);
	return entered;
}

void peers_leave(struct peers *peers, const struct address *address)
{
	struct entry **at, *entry;

	pthread_mutex_lock(&peers->lock);
	at = entry_find(peers, address);
	entry = *at;
	if (entry != NULL && --entry->count == 0) {
		*at = entry->next;
		entry->next = peers->free;
		peers->free = entry;
	}
	pthread_mutex_unlock(&peers->lock);
}

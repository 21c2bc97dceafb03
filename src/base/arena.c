/*
 * arena.c - chained blocks, filled from the front.
 *
 *	arena { first block's bytes .......... }      kept over a reset
 *	  newest -> block -> block -> first           the rest go back
 *
 * (1) The bytes of a block past `used` are zero, so handing them out needs no memset.
 * (2) Wiping `used` bytes on reset restores (1) and is all the wiping there is to do.
 * (3) Only the newest block hands out bytes. (4) `used` of the arena is the sum over its blocks.
 */
#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hook.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONED 1
#endif
#endif
#ifdef ARENA_POISONED
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION((p), (n))
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

#include "base/banned.h"

enum {
	ALIGNMENT = 16,
	FIRST_BLOCK = 16 * 1024,
	LATER_BLOCK = 64 * 1024,
};

struct block {
	struct block *older;
	char *bytes;
	size_t size;
	size_t used;
};

struct arena {
	struct block *newest;
	size_t used;
	size_t ceiling;
	size_t usual; /* ceiling after a reset */
	alignas(ALIGNMENT) struct block first;
};

static_assert(sizeof(struct block) % ALIGNMENT == 0, "bytes that follow a block are aligned");
static_assert(sizeof(struct arena) % ALIGNMENT == 0, "bytes that follow an arena are aligned");
static_assert(alignof(max_align_t) <= ALIGNMENT, "aligned for any type");

/* What n bytes take; an allocation of nothing still has an address of its own. 0: overflow. */
static size_t room(size_t n)
{
	if (n > SIZE_MAX - (ALIGNMENT - 1))
		return 0;
	return n == 0 ? ALIGNMENT : (n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static void block_wipe(struct block *block)
{
	UNPOISON(block->bytes, block->size);
	explicit_bzero(block->bytes, block->used);
	block->used = 0;
}

/* The newest block leaves the arena. Never the first one. */
static void block_drop(struct arena *arena)
{
	struct block *block = arena->newest;

	arena->newest = block->older;
	arena->used -= block->used;
	block_wipe(block);
	free(block);
}

static bool block_add(struct arena *arena, size_t size)
{
	size_t wanted = size > LATER_BLOCK ? size : LATER_BLOCK;
	struct block *block;

	if (wanted > SIZE_MAX - sizeof(*block))
		return false;
	block = calloc(1, sizeof(*block) + wanted);
	if (!block)
		return false;
	block->older = arena->newest;
	block->bytes = (char *)(block + 1);
	block->size = wanted;
	POISON(block->bytes, block->size);
	arena->newest = block;
	return true;
}

struct arena *arena_open(size_t ceiling)
{
	struct arena *arena;

	if (hook_fail_alloc())
		return NULL;
	arena = calloc(1, sizeof(*arena) + FIRST_BLOCK);
	if (!arena)
		return NULL;
	arena->ceiling = arena->usual = ceiling;
	arena->first.bytes = (char *)(arena + 1);
	arena->first.size = FIRST_BLOCK;
	arena->newest = &arena->first;
	POISON(arena->first.bytes, arena->first.size);
	return arena;
}

void arena_close(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->newest != &arena->first)
		block_drop(arena);
	block_wipe(&arena->first);
	free(arena);
}

void arena_reset(struct arena *arena)
{
	while (arena->newest != &arena->first)
		block_drop(arena);
	block_wipe(&arena->first);
	POISON(arena->first.bytes, arena->first.size);
	arena->used = 0;
	arena->ceiling = arena->usual;
}

void arena_raise(struct arena *arena, size_t ceiling)
{
	if (ceiling > arena->ceiling)
		arena->ceiling = ceiling;
}

/* `taken` bytes, a whole number of alignments, of which the caller sees n. */
static void *take(struct arena *arena, size_t taken, size_t n)
{
	struct block *block = arena->newest;
	char *p;

	if (taken == 0 || taken > arena->ceiling - arena->used)
		return NULL;
	if (taken > block->size - block->used) {
		if (!block_add(arena, taken))
			return NULL;
		block = arena->newest;
	}
	p = block->bytes + block->used;
	block->used += taken;
	arena->used += taken;
	UNPOISON(p, n);
	return p;
}

void *arena_alloc(struct arena *arena, size_t n)
{
	if (hook_fail_alloc())
		return NULL;
	return take(arena, room(n), n);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t n;

	if (__builtin_mul_overflow(count, size, &n))
		return NULL;
	return arena_alloc(arena, n);
}

static bool is_newest(const struct arena *arena, const char *p, size_t taken)
{
	const struct block *block = arena->newest;

	return taken <= block->used && p == block->bytes + (block->used - taken);
}

static bool extend(struct arena *arena, char *p, size_t old_taken, size_t new_taken, size_t n)
{
	struct block *block = arena->newest;
	size_t more = new_taken - old_taken;

	if (!is_newest(arena, p, old_taken))
		return false;
	if (more > block->size - block->used || more > arena->ceiling - arena->used)
		return false;
	block->used += more;
	arena->used += more;
	UNPOISON(p, n);
	return true;
}

/* Gives back the block of an allocation that was moved out of it and was alone there. */
static void forget(struct arena *arena, struct block *block, size_t old_taken)
{
	struct block *newest = arena->newest;

	if (block == newest || block == &arena->first || block->used != old_taken)
		return;
	newest->older = block->older;
	arena->used -= block->used;
	block_wipe(block);
	free(block);
}

void *arena_grow(struct arena *arena, void *p, size_t old_size, size_t new_size)
{
	size_t old_taken = room(old_size), new_taken = room(new_size);
	struct block *block = arena->newest;
	bool was_newest;
	void *moved;

	if (!p)
		return arena_alloc(arena, new_size);
	if (new_size <= old_size) {
		/* What is cut off may come back by a later growth, and must then be zero. */
		explicit_bzero((char *)p + new_size, old_size - new_size);
		return p;
	}
	if (hook_fail_alloc() || new_taken == 0)
		return NULL;
	if (extend(arena, p, old_taken, new_taken, new_size))
		return p;
	was_newest = is_newest(arena, p, old_taken);
	moved = take(arena, new_taken, new_size);
	if (!moved)
		return NULL;
	if (old_size > 0)
		memcpy(moved, p, old_size);
	if (was_newest)
		forget(arena, block, old_taken);
	return moved;
}

const char *arena_cstr(struct arena *arena, pt_str s)
{
	char *copy;

	if (s.n == SIZE_MAX)
		return NULL;
	copy = arena_alloc(arena, s.n + 1);
	if (copy && s.n > 0)
		memcpy(copy, s.p, s.n);
	return copy;
}

bool arena_str(struct arena *arena, pt_str s, pt_str *out)
{
	const char *copy = arena_cstr(arena, s);

	if (!copy)
		return false;
	*out = (pt_str){ copy, s.n };
	return true;
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}

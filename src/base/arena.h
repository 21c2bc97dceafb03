/*
 * arena.h - all memory of one call lives in its arena and goes with it.
 *
 * Invariants: an arena never holds more than its ceiling; what it held is wiped before the memory
 * is used again or given back; it belongs to one thread at a time. Nothing is freed singly.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "portress/base.h"

struct arena;

/* An empty arena that will hold at most `ceiling` bytes. NULL when memory is out. */
struct arena *arena_open(size_t ceiling);

/* Wipes and gives everything back. NULL is fine. */
void arena_close(struct arena *arena);

/* Wipes everything and keeps the first block for the next call. */
void arena_reset(struct arena *arena);

/* Until the next reset it may hold as much as this, if that is more: for the few calls that tell much. */
void arena_raise(struct arena *arena, size_t ceiling);

/* n zeroed bytes, aligned for any type; n may be 0. NULL at the ceiling or when memory is out. */
void *arena_alloc(struct arena *arena, size_t n);

/* count * size with an overflow check. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/*
 * Grows the newest allocation in place, or moves it. p may be NULL. The old bytes are kept, new
 * ones are zero. NULL on failure; the old allocation stays as it was.
 */
void *arena_grow(struct arena *arena, void *p, size_t old_size, size_t new_size);

/* Copies, each ending in NUL one past its length. *out untouched on failure. */
PT_CHECK bool arena_str(struct arena *arena, pt_str s, pt_str *out);
const char *arena_cstr(struct arena *arena, pt_str s);

/* Bytes handed out since it was opened or reset. */
size_t arena_used(const struct arena *arena);

#define ARENA_NEW(arena, type)          ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_array((arena), (count), sizeof(type)))

#endif

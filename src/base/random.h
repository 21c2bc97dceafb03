/*
 * random.h - one source of randomness: getrandom(2). It fails closed.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "portress/base.h"

/* Fills p, or answers PT_F_RANDOM and leaves it zeroed. */
PT_CHECK pt_err random_fill(void *p, size_t n);

/* The same for masks that hide a repeated text from who counts bytes (BREACH): fresh each time, no
 * secret, so they are fetched a kilobyte at a time for each thread. */
PT_CHECK pt_err random_noise(void *p, size_t n);

/* A new UUIDv7 (RFC 9562 5.7) for the moment `now`. */
PT_CHECK pt_err random_id(pt_time now, struct pt_id *out);

#endif

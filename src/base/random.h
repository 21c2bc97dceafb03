/*
 * random.h - one source of randomness: getrandom(2). It fails closed.
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "portress/base.h"

/* Fills p, or answers PT_F_RANDOM and leaves it zeroed. */
PT_CHECK pt_err random_fill(void *p, size_t n);

/* The same for what must be new each time and is no secret: ids, and masks that hide a repeated text from who counts
 * bytes (BREACH). So they are fetched a kilobyte at a time for each thread. */
PT_CHECK pt_err random_noise(void *p, size_t n);

/* A new UUIDv7 (RFC 9562 5.7) for the moment `now`: a name, and no secret. */
PT_CHECK pt_err random_id(pt_time now, struct pt_id *out);

#endif

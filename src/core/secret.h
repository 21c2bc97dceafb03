/*
 * secret.h - bearer secrets: 256 random bits, said in base64url, kept as SHA-256.
 */
#ifndef CORE_SECRET_H
#define CORE_SECRET_H

#include "base/arena.h"
#include "portress/base.h"

struct secret {
	pt_str text; /* 43 characters; leaves the house once */
	struct pt_hash hash;
};

PT_CHECK pt_err secret_make(struct arena *arena, struct secret *out);

/* Whether it can be a secret of ours, or one that people brought along (portress/moving.h). */
bool secret_possible(pt_str text);

/* The hash under which a secret that came in would be kept. Nothing is written to *out where it
 * is not possible. */
PT_CHECK pt_err secret_hash(pt_str text, bool *possible, struct pt_hash *out);

#endif

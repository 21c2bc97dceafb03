/*
 * surface_private.h - what the rooms of this folder share of struct surface.
 */
#ifndef SURFACE_SURFACE_PRIVATE_H
#define SURFACE_SURFACE_PRIVATE_H

#include <stdatomic.h>

#include "surface/door.h"

enum {
	MOUNTS_MAX = 4,
	ASSETS_MAX = 32,
};

/* Templates and texts that belong together; swapped as one. */
struct look {
	const struct template_set *templates;
	const struct value *texts;
};

struct surface {
	struct surface_setup setup;
	struct http_app app;
	struct mount mounts[MOUNTS_MAX]; /* asked in this order */
	size_t n_mounts;
	struct look looks[2];
	_Atomic(const struct look *) look;
	atomic_uint_fast64_t answers[6]; /* by status / 100 */
	uint64_t asset_tags[ASSETS_MAX]; /* of each asset's content */
	struct gotrue *gotrue;           /* what that dialect keeps; NULL when it is off */
	bool https;
	bool loopback; /* the public origin is this machine: other spellings of it are as good */
};

struct gotrue; /* gotrue/gotrue.h */

extern const struct dialect ops_dialect;
extern const struct dialect pages_dialect;
extern const struct dialect gotrue_dialect;      /* of one site */
extern const struct dialect gotrue_many_dialect; /* of many, with the operator's rows */

#endif

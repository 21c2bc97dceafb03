/*
 * call.h - one act's surroundings: who asks, when, and where its memory lives.
 */
#ifndef CORE_CALL_H
#define CORE_CALL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/site.h"
#include "portress/portress.h"

struct pt_call {
	struct pt_site *site;
	struct arena *arena;
	bool owns_arena;
	struct pt_asker asker; /* asker.now is set */
	pt_time now;
	pt_time retry_after;
	pt_str audience;                /* whose accounts are meant */
	const struct pt_account *actor; /* an operator who acts; NULL: the account itself */
	pt_str detail;                  /* of a hook that refused */
};

#endif

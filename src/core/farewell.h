/*
 * farewell.h - sessions that ended while the store was away.
 *
 * Signing out always works: the cookie goes, and a session that could not be ended in the store is
 * written down here, opens nothing from then on, and is ended as soon as the store is back. The list
 * is bounded and does not outlive the process; when it is full, signing out says what is wrong.
 */
#ifndef CORE_FAREWELL_H
#define CORE_FAREWELL_H

#include <pthread.h>
#include <stdatomic.h>

#include "portress/base.h"

enum { FAREWELLS_MOST = 1024 };

struct farewells {
	pthread_mutex_t lock;
	atomic_size_t n;
	struct pt_hash sessions[FAREWELLS_MOST];
};

/* False when the list is full. */
bool farewell_note(struct farewells *list, const struct pt_hash *session);

/* True for a session that ended, whatever the store still says. Costs nothing while there are none. */
bool farewell_has(struct farewells *list, const struct pt_hash *session);

/* One that still has to be ended in the store; false when there is none. */
bool farewell_next(struct farewells *list, struct pt_hash *out);
void farewell_done(struct farewells *list, const struct pt_hash *session);

#endif

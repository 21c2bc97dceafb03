/*
 * farewell.c - sessions that ended while the store was away.
 */
#include "core/farewell.h"

#include <string.h>

#include "base/banned.h"

/* The place of a session, or n. The lock is held. Hashes of random secrets: order tells nothing. */
static size_t place_of(const struct farewells *list, const struct pt_hash *session)
{
	size_t n = atomic_load(&list->n);

	for (size_t i = 0; i < n; i++)
		if (memcmp(list->sessions[i].bytes, session->bytes, sizeof(session->bytes)) == 0)
			return i;
	return n;
}

bool farewell_note(struct farewells *list, const struct pt_hash *session)
{
	pthread_mutex_lock(&list->lock);
	size_t n = atomic_load(&list->n), place = place_of(list, session);
	bool kept = place < n || n < FAREWELLS_MOST;
	if (kept && place == n) {
		list->sessions[n] = *session;
		atomic_store(&list->n, n + 1);
	}
	pthread_mutex_unlock(&list->lock);
	return kept;
}

bool farewell_has(struct farewells *list, const struct pt_hash *session)
{
	if (atomic_load_explicit(&list->n, memory_order_acquire) == 0)
		return false;
	pthread_mutex_lock(&list->lock);
	bool found = place_of(list, session) < atomic_load(&list->n);
	pthread_mutex_unlock(&list->lock);
	return found;
}

bool farewell_next(struct farewells *list, struct pt_hash *out)
{
	if (atomic_load_explicit(&list->n, memory_order_acquire) == 0)
		return false;
	pthread_mutex_lock(&list->lock);
	bool some = atomic_load(&list->n) > 0;
	if (some)
		*out = list->sessions[0];
	pthread_mutex_unlock(&list->lock);
	return some;
}

void farewell_done(struct farewells *list, const struct pt_hash *session)
{
	pthread_mutex_lock(&list->lock);
	size_t n = atomic_load(&list->n), place = place_of(list, session);
	if (place < n) {
		list->sessions[place] = list->sessions[n - 1];
		atomic_store(&list->n, n - 1);
	}
	pthread_mutex_unlock(&list->lock);
}

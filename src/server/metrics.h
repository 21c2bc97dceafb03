/*
 * metrics.h - how the server does, as Prometheus reads it (text format 0.0.4). Labels are from closed
 * sets; nothing here names a person.
 */
#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

#include "http/engine.h"
#include "outbound/outbox.h"
#include "server/workers.h"
#include "surface/surface.h"

/* Members may be NULL where a part is not running. */
struct metrics_sources {
	const struct surface *surface;
	const struct http_engine *engine;
	struct workers *workers;
	const struct outbox *outbox;
	const struct pt_store *store;
};

PT_CHECK pt_err metrics_text(const struct metrics_sources *sources, pt_arena *arena, pt_str *out);

#endif

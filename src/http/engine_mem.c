/*
 * engine_mem.c - the engine without sockets.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/str.h"
#include "http/engine_mem.h"
#include "http/reader.h"
#include "http/writer.h"

#include "base/banned.h"

enum { BYTES_MOST = 64 * 1024 * 1024 };

struct mem_wire {
	struct exchange_pool pool;
	struct reader reader;
	struct arena *arena;
	struct buf unread;
	struct buf out;
	struct date_line date;
	bool closed;
};

pt_err mem_wire_open(const struct http_app *app, const struct http_limits *limits,
	const struct networks *trusted, pt_str peer, struct mem_wire **out)
{
	struct mem_wire *wire = calloc(1, sizeof(*wire));
	const struct wire ends = { .peer = peer };

	if (wire == NULL)
		return fault(PT_F_MEMORY, "no memory for a wire");
	wire->arena = arena_open(BYTES_MOST);
	if (wire->arena == NULL || exchange_pool_open(&wire->pool, app, limits, trusted) != PT_OK) {
		mem_wire_close(wire);
		return fault(PT_F_MEMORY, "no memory for a wire");
	}
	wire->unread = BUF(wire->arena, BYTES_MOST);
	wire->out = BUF(wire->arena, BYTES_MOST);
	reader_open(&wire->reader, &wire->pool, &ends);
	*out = wire;
	return PT_OK;
}

void mem_wire_close(struct mem_wire *wire)
{
	if (wire == NULL)
		return;
	if (wire->reader.exchange)
		reader_close(&wire->reader);
	exchange_pool_close(&wire->pool);
	arena_close(wire->arena);
	free(wire);
}

static void answer(struct mem_wire *wire)
{
	const struct http_app *app = wire->pool.app;
	struct exchange *ex = reader_next(&wire->reader);

	wire->closed = !ex->keep_alive || ex->rs.close;
	answer_write(&wire->out, &wire->date, ex, wire->closed);
	if (app->done)
		app->done(app->ctx, &ex->rq, &ex->rs, 0);
	exchange_give(&wire->pool, ex);
}

/* False: it needs more bytes. */
static bool step(struct mem_wire *wire, pt_str *bytes)
{
	size_t used;
	enum reader_event event = reader_feed(&wire->reader, *bytes, &used);

	*bytes = str_slice(*bytes, used, bytes->n);
	switch (event) {
	case READER_REQUEST:
		exchange_answer(wire->pool.app, wire->reader.exchange);
		answer(wire);
		return true;
	case READER_ANSWERED:
	case READER_REFUSAL:
		answer(wire);
		return true;
	case READER_CONTINUE:
		buf_str(&wire->out, answer_continue);
		return true;
	case READER_BROKEN:
		buf_str(&wire->out, answer_broken);
		wire->closed = true;
		return false;
	case READER_MORE:
		break;
	}
	return false;
}

void mem_wire_feed(struct mem_wire *wire, pt_str bytes)
{
	pt_str rest;
	size_t left;

	buf_str(&wire->unread, bytes);
	rest = buf_view(&wire->unread);
	while (!wire->closed && step(wire, &rest))
		;
	left = wire->closed ? 0 : rest.n;
	for (size_t i = 0; i < left; i++)
		wire->unread.p[i] = rest.p[i];
	wire->unread.n = left;
}

pt_str mem_wire_answers(const struct mem_wire *wire)
{
	return buf_view(&wire->out);
}

bool mem_wire_closed(const struct mem_wire *wire)
{
	return wire->closed;
}

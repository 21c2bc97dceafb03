/*
 * exchange.h - one request and its answer, and the memory of both.
 *
 * Exchanges are kept in a pool a loop has, so that a connection that waits holds none. All strings
 * of the request and the answer live in the exchange's arena, which is wiped when it goes back.
 */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "http/engine.h"
#include "http/grammar.h"

struct connection;
struct loop;

struct exchange {
	struct http_request rq;
	struct http_response rs;
	struct arena *arena;
	struct grammar *grammar;
	struct http_plan plan;

	char *head;                  /* the arena's copy of the header block */
	struct http_header *headers; /* room for all lines of the block */
	size_t headers_room;
	struct buf body;
	size_t framing;  /* bytes the body's framing cost so far */
	bool too_large;  /* the body passed plan.body_max */
	bool keep_alive; /* the client may send another request */
	pt_time began;   /* monotonic, header block complete */

	struct connection *connection; /* NULL once the client is gone */
	struct loop *loop;
	struct exchange *next; /* in the pool, or in the loop's list of finished calls */
};

/* What exchanges have in common. One a loop; used by its thread only. */
struct exchange_pool {
	const struct http_app *app;
	const struct http_limits *limits;
	const struct networks *trusted;
	struct exchange *free;
	size_t n_free;
	uint64_t id_key, id_count; /* request ids: unguessable, unique on this loop */
};

PT_CHECK pt_err exchange_pool_open(struct exchange_pool *pool, const struct http_app *app,
	const struct http_limits *limits, const struct networks *trusted);
void exchange_pool_close(struct exchange_pool *pool);

/* Who sits at the other end of the wire. */
struct wire {
	pt_str peer; /* outlives the exchange or is copied by whoever lets it go */
	bool ops;
};

/* An empty exchange with a request id. NULL when memory is out (said in the log). */
struct exchange *exchange_take(struct exchange_pool *pool, const struct wire *wire);

/* Wipes it and puts it back. NULL is fine. */
void exchange_give(struct exchange_pool *pool, struct exchange *ex);

/* Runs the application; on any thread. */
void exchange_answer(const struct http_app *app, struct exchange *ex);

/* Fills the answer to a message that is no request, or that we will not serve. */
void exchange_refuse(const struct http_app *app, struct exchange *ex, int status);

#endif

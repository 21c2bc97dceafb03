/*
 * engine.h - bytes in, judged requests out, answers back.
 *
 * The engine owns sockets, deadlines and caps; it knows nothing of routes. It asks its application
 * twice: once when the header block is complete (how large may the body be, on which lane does the
 * call run?) and once for the answer. One loop a thread; a connection stays on its loop.
 *
 * Refused here, before the application hears of it (spec security HTTP-01 to HTTP-16): ambiguous
 * framing, folded lines, missing or second Host, a Host that is no host, other versions than
 * HTTP/1.0 and 1.1, absolute-form that disagrees with Host, paths that need normalising, request
 * line over 8 KiB (414), header block over 16 KiB or 64 fields (431), body over the cap (413, also
 * before `100 Continue`), unknown expectations (417). After a refusal the connection closes and
 * nothing behind the bad message is read as a request.
 */
#ifndef HTTP_ENGINE_H
#define HTTP_ENGINE_H

#include "http/proxy.h"
#include "http/request.h"
#include "http/response.h"

/* Where a call runs. */
enum http_lane {
	HTTP_QUICK, /* on the loop's own thread: no hash, no network, no commit */
	HTTP_SLOW,  /* on the worker pool */
	HTTP_HASH,  /* on the hashing pool: it will compute password hashes */
	HTTP_LANES
};

struct http_plan {
	enum http_lane lane;
	size_t body_max; /* bytes; 0: any body is refused with 413 */
	/* HTTP_HASH alone: where neither body nor query can hold this word, however it is spelled, no hash is
	 * needed, and the call is HTTP_SLOW. NULL: all do. */
	const char *hash_word;
	const void *found; /* the application's own, in rq->arena: rq->found from then on */
};

/* Both are called on any thread, several at once. */
struct http_app {
	void *ctx;
	/* rq->body is empty still. Cheap: it runs on the loop. */
	struct http_plan (*plan)(void *ctx, const struct http_request *rq);
	/* Fills rs completely; rs->status 0 afterwards is answered as 500. */
	void (*answer)(void *ctx, const struct http_request *rq, struct http_response *rs);
	/* An answer to a message that never became a request (400, 408, 413, 414, 431, 503 ...), or to
	 * one whose answer failed (500). It may set headers and body; without it the engine sends the
	 * bare status. rq is never NULL, but may hold no more than id, peer, ops and received. */
	void (*refuse)(
		void *ctx, const struct http_request *rq, int status, struct http_response *rs);
	/* After each answer and each refusal, on the loop's thread, for the access log and metrics. rq
	 * as for refuse. duration in microseconds. */
	void (*done)(void *ctx, const struct http_request *rq, const struct http_response *rs,
		pt_time duration);
	/* On a loop's thread: before the first answer that runs there since the loop has waited for its
	 * clients, and before it waits again. Always in pairs. May be NULL. */
	void (*turn_begin)(void *ctx);
	void (*turn_end)(void *ctx);
};

/* Threads that are not loops. submit answers false at once when the lane's queue is full, and the
 * engine answers 503 with Retry-After. */
struct http_workers {
	void *ctx;
	bool (*submit)(void *ctx, enum http_lane lane, void (*run)(void *job), void *job);
};

struct http_limits {
	size_t request_line; /* 8 KiB */
	size_t header_block; /* 16 KiB */
	size_t headers;      /* 64 */
	size_t connections;  /* 1024 in all */
	size_t per_client;   /* 64 for one peer address; 0 = no limit; loopback, unix and trusted
				  peers are exempt */
	size_t arena;        /* bytes one request may use, 1 MiB */
	pt_time header_time; /* 15 s from the first byte of the block */
	pt_time body_time;   /* 30 s */
	pt_time idle_time;   /* 60 s between requests */
	pt_time write_time;  /* 30 s for a client to take the answer */
};

extern const struct http_limits http_default_limits;

/* A listening socket: bound and listening, made by the server (or handed over by its parent). */
struct http_listener {
	int fd;
	bool proxy_header; /* connections open with a PROXY header; others than trusted peers are cut */
	bool ops;          /* the operator's listener: the application sees it as rq->ops */
};

struct http_engine;

struct http_setup {
	const struct http_app *app;
	const struct http_workers *workers;
	const struct http_limits *limits;
	const struct networks *trusted;
	const struct http_listener *listeners;
	size_t n_listeners;
	unsigned loops; /* threads; each accepts on every listener */
};

/* Takes the listeners' descriptors. Everything in the setup must outlive the engine. */
PT_CHECK pt_err http_engine_open(const struct http_setup *setup, struct http_engine **out);

/* Starts the loops on threads of their own and returns. */
PT_CHECK pt_err http_engine_start(struct http_engine *engine);

/*
 * Graceful end: stop accepting, close idle connections, answer every request whose header block has
 * arrived (with Connection: close), then stop the loops. Returns when all is answered or `grace` is
 * over, whichever is first; false in the latter case.
 */
bool http_engine_drain(struct http_engine *engine, pt_time grace);

/* After drain. Cuts what is still open, waits for the calls that workers still run, joins the
 * threads and frees everything. NULL is fine. */
void http_engine_close(struct http_engine *engine);

struct http_counts {
	uint64_t accepted, open, requests, refused, shed;
};
void http_engine_counts(const struct http_engine *engine, struct http_counts *out);

#endif

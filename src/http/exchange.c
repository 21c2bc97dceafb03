/*
 * exchange.c - one request and its answer, and the memory of both.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/random.h"
#include "base/str.h"
#include "http/exchange.h"
#include "http/token.h"

#include "base/banned.h"

/* Exchanges that wait for work beyond this many give their memory back. */
enum { POOL_KEEPS = 64 };

pt_err exchange_pool_open(struct exchange_pool *pool, const struct http_app *app,
	const struct http_limits *limits, const struct networks *trusted)
{
	*pool = (struct exchange_pool){ .app = app, .limits = limits, .trusted = trusted };
	return random_fill(&pool->id_key, sizeof(pool->id_key));
}

static void exchange_close(struct exchange *ex)
{
	if (ex == NULL)
		return;
	arena_close(ex->arena);
	grammar_close(ex->grammar);
	free(ex);
}

void exchange_pool_close(struct exchange_pool *pool)
{
	while (pool->free) {
		struct exchange *ex = pool->free;

		pool->free = ex->next;
		exchange_close(ex);
	}
	pool->n_free = 0;
}

/* The block is contiguous in the arena and ours to write: names become lower case where they lie. */
static bool take_header(void *ctx, pt_str name, pt_str value)
{
	struct exchange *ex = ctx;
	char *p;

	/* llhttp takes a line without a name. */
	if (!token_is(name) || ex->rq.n_headers == ex->headers_room)
		return false;
	p = ex->head + (name.p - ex->head);
	for (size_t i = 0; i < name.n; i++)
		p[i] = ascii_lower(p[i]);
	ex->headers[ex->rq.n_headers++] = (struct http_header){ name, value };
	return true;
}

static bool take_body(void *ctx, pt_str part)
{
	struct exchange *ex = ctx;

	ex->too_large = part.n > ex->plan.body_max - ex->body.n;
	if (ex->too_large)
		return false;
	buf_str(&ex->body, part);
	return true;
}

static struct exchange *exchange_open(const struct http_limits *limits)
{
	struct exchange *ex = calloc(1, sizeof(*ex));
	struct grammar_sink sink = { ex, take_header, take_body };

	if (ex == NULL)
		return NULL;
	ex->arena = arena_open(limits->arena);
	ex->grammar = grammar_open(&sink);
	if (ex->arena == NULL || ex->grammar == NULL) {
		exchange_close(ex);
		return NULL;
	}
	return ex;
}

/* A keyed walk through all 64-bit numbers (splitmix64): each once, in an order nobody can guess
 * from outside without having seen several. An id names a request, it is no secret. */
static bool id_make(struct exchange_pool *pool, struct arena *arena, pt_str *out)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t z = pool->id_key + ++pool->id_count * UINT64_C(0x9e3779b97f4a7c15);
	char *text = arena_alloc(arena, 17);

	if (text == NULL)
		return false;
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	for (size_t i = 0; i < 16; i++)
		text[i] = digits[(z >> (60 - 4 * i)) & 15];
	*out = str_n(text, 16);
	return true;
}

static bool exchange_begin(struct exchange_pool *pool, const struct wire *wire, struct exchange *ex)
{
	ex->rq = (struct http_request){
		.arena = ex->arena,
		.method = HTTP_OTHER,
		.path = PT_STR(""),
		.ops = wire->ops,
	};
	http_response_init(&ex->rs, ex->arena);
	ex->head = NULL;
	ex->headers = NULL;
	ex->headers_room = 0;
	ex->framing = 0;
	ex->too_large = false;
	ex->keep_alive = false;
	ex->began = 0;
	ex->connection = NULL;
	ex->next = NULL;
	/* The connection may be gone while a worker still reads the request. */
	if (!arena_str(ex->arena, wire->peer, &ex->rq.peer))
		return false;
	ex->rq.client = ex->rq.peer;
	return id_make(pool, ex->arena, &ex->rq.id);
}

struct exchange *exchange_take(struct exchange_pool *pool, const struct wire *wire)
{
	struct exchange *ex = pool->free;

	if (ex != NULL) {
		pool->free = ex->next;
		pool->n_free--;
	} else {
		ex = exchange_open(pool->limits);
	}
	if (ex != NULL && exchange_begin(pool, wire, ex))
		return ex;
	exchange_close(ex);
	(void)fault(PT_F_MEMORY, "no memory for a request");
	return NULL;
}

void exchange_give(struct exchange_pool *pool, struct exchange *ex)
{
	if (ex == NULL)
		return;
	if (pool->n_free == POOL_KEEPS) {
		exchange_close(ex);
		return;
	}
	arena_reset(ex->arena);
	ex->next = pool->free;
	pool->free = ex;
	pool->n_free++;
}

void exchange_refuse(const struct http_app *app, struct exchange *ex, int status)
{
	http_response_init(&ex->rs, ex->arena);
	if (app->refuse)
		app->refuse(app->ctx, &ex->rq, status, &ex->rs);
	if (ex->rs.failed || ex->rs.status == 0) {
		http_response_init(&ex->rs, ex->arena);
		ex->rs.status = status;
	}
	/* Nobody is made to wait for a refusal. */
	ex->rs.delay = 0;
	if (status == 503)
		http_replace(&ex->rs, PT_STR("Retry-After"), PT_STR("1"));
	if (status == 405)
		http_replace(&ex->rs, PT_STR("Allow"),
			PT_STR("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
}

void exchange_answer(const struct http_app *app, struct exchange *ex)
{
	log_request(ex->rq.id);
	app->answer(app->ctx, &ex->rq, &ex->rs);
	if (ex->rs.failed || ex->rs.status == 0)
		exchange_refuse(app, ex, 500);
	log_request(PT_STR(""));
}

/*
 * asked.h - requests made by hand, for tests of what reads them.
 */
#ifndef TEST_HTTP_ASKED_H
#define TEST_HTTP_ASKED_H

#include <string.h>

#include "base/arena.h"
#include "http/request.h"

struct asked {
	struct arena *arena;
	struct http_header headers[8];
	struct http_request rq;
};

static inline void asked_header(struct asked *asked, const char *name, const char *value)
{
	struct http_header *row = &asked->headers[asked->rq.n_headers++];

	row->name = (pt_str){ name, strlen(name) };
	row->value = (pt_str){ value, strlen(value) };
	asked->rq.headers = asked->headers;
}

static inline void asked_open(struct asked *asked)
{
	*asked = (struct asked){ .arena = arena_open(1 << 20) };
	assert_non_null(asked->arena);
	asked->rq.arena = asked->arena;
}

static inline void asked_close(struct asked *asked)
{
	arena_close(asked->arena);
}

#endif

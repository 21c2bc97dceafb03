/*
 * request.h - one HTTP request as a value, already judged by the engine.
 *
 * Whoever holds one may believe: the framing was unambiguous, the path is decoded once and needs
 * no normalising, exactly one valid Host was given (HTTP/1.0 may lack it), the header names are
 * tokens, the body is complete and within its cap. Everything points into the request's arena.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "base/arena.h"
#include "portress/base.h"

enum http_method {
	HTTP_GET = 1 << 0,
	HTTP_HEAD = 1 << 1,
	HTTP_POST = 1 << 2,
	HTTP_PUT = 1 << 3,
	HTTP_PATCH = 1 << 4,
	HTTP_DELETE = 1 << 5,
	HTTP_OPTIONS = 1 << 6,
	HTTP_OTHER = 1 << 7, /* a token that is none of these: 405 wherever it knocks */
};

#define HTTP_SAFE (HTTP_GET | HTTP_HEAD | HTTP_OPTIONS)

/* "GET"; "?" for HTTP_OTHER. */
const char *http_method_name(enum http_method method);

struct http_header {
	pt_str name; /* ASCII lower case */
	pt_str value;
};

struct http_request {
	struct arena *arena;
	enum http_method method;
	pt_str path; /* decoded, starts with '/'; never holds NUL, "//", "/./", "/../", ';' or '\' */
	pt_str query; /* raw, without '?' */
	pt_str host;  /* lower case, with the port if one was given; "" on HTTP/1.0 without Host */
	bool http_1_0;
	const struct http_header *headers;
	size_t n_headers;
	pt_str body;
	pt_str peer;       /* textual address of the TCP peer, "" on a unix socket */
	pt_str client;     /* the address limits apply to: the peer, or what a trusted proxy says */
	bool client_known; /* false: client is a loopback or private peer and nobody vouches for it */
	bool tls;          /* the client spoke https to us, or to a trusted proxy */
	pt_str id;         /* request id: 16 hex digits, or a trusted proxy's X-Request-Id */
	bool ops;          /* it came in through the operator's listener */
	pt_time received;  /* wall clock when the header block was complete */
	const void *found; /* what the application's plan left for its answer; NULL: nothing */
};

/* The value of a header, by lower-case name. The first one; "" when absent. */
pt_str http_header(const struct http_request *rq, pt_str name);

/* True when a header of that name stands in the request, even empty. */
bool http_has_header(const struct http_request *rq, pt_str name);

/* True when more than one of that name do: two programs may read another of them. */
bool http_repeats_header(const struct http_request *rq, pt_str name);

#endif

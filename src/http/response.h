/*
 * response.h - the one answer to a request, as a value.
 *
 * Header values that hold control characters are refused when set (PT_F_BUG sticks and the engine
 * answers 500): no user text can end a header line.
 */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "base/buf.h"
#include "http/request.h"

enum { HTTP_RESPONSE_HEADERS = 32 };

struct http_response {
	struct arena *arena;
	int status; /* 0 until somebody answered */
	struct http_header headers[HTTP_RESPONSE_HEADERS];
	size_t n_headers;
	pt_str body;
	pt_str id;     /* printable; told as X-Request-Id. "": the request's own */
	pt_time delay; /* hold the finished answer back this long, without holding a thread */
	bool close;    /* close the connection after it */
	bool failed;   /* a header could not be set */
};

void http_response_init(struct http_response *rs, struct arena *arena);

/* Adds a header; name as it goes on the wire ("Content-Type"). Values are not copied. */
void http_set(struct http_response *rs, pt_str name, pt_str value);

/* Replaces the first header of that name, or adds it. */
void http_replace(struct http_response *rs, pt_str name, pt_str value);

/* True when a header of that name was set. */
bool http_is_set(const struct http_response *rs, pt_str name);

/* "Retry-After: n", n in whole seconds rounded up, at least 1. */
void http_retry_after(struct http_response *rs, pt_time wait);

/* The reason phrase of RFC 9110 for a status, "" when unknown. */
const char *http_reason(int status);

#endif

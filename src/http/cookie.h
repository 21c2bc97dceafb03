/*
 * cookie.h - cookies by RFC 6265bis, both ways.
 */
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

#include "http/request.h"
#include "http/response.h"

/* The value of the first cookie of that name among all Cookie headers; "" when absent or when the
 * value holds a byte that cookies may not hold. */
pt_str cookie_value(const struct http_request *rq, pt_str name);

struct cookie {
	pt_str name;
	pt_str value;
	pt_str path;     /* "" means "/" */
	pt_time max_age; /* 0: a session cookie; negative: delete it (Max-Age=0) */
	pt_time now;     /* for Expires, which is sent beside Max-Age */
	bool secure;
	bool script; /* readable by scripts; otherwise HttpOnly */
	bool strict; /* SameSite=Strict; otherwise Lax */
};

/* Adds Set-Cookie. Over 4096 bytes, or a byte a cookie may not hold: the response is failed. */
void cookie_set(struct http_response *rs, const struct cookie *cookie);

#endif

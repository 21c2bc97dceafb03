/*
 * cookie.c - cookies by RFC 6265bis.
 */
#include "http/cookie.h"
#include "base/err.h"
#include "base/str.h"
#include "http/token.h"

#include "base/banned.h"

enum { COOKIE_MOST = 4096 };

/* RFC 6265 4.1.1 cookie-octet: visible ASCII without `"`, `,`, `;` and `\`. */
static bool value_is(pt_str value)
{
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (c <= 0x20 || c >= 0x7f || c == '"' || c == ',' || c == ';' || c == '\\')
			return false;
	}
	return true;
}

/* The value may stand in quotes, which are not part of it to us. */
static pt_str unquote(pt_str value)
{
	if (value.n >= 2 && value.p[0] == '"' && value.p[value.n - 1] == '"')
		return str_slice(value, 1, value.n - 1);
	return value;
}

static bool line_find(pt_str line, pt_str wanted, pt_str *out)
{
	while (line.n > 0) {
		pt_str pair, name, value;

		(void)str_cut(line, ';', &pair, &line);
		if (!str_cut(str_trim(pair), '=', &name, &value) || !str_eq(str_trim(name), wanted))
			continue;
		*out = unquote(str_trim(value));
		return true;
	}
	return false;
}

pt_str cookie_value(const struct http_request *rq, pt_str name)
{
	for (size_t i = 0; i < rq->n_headers; i++) {
		pt_str value;

		if (!str_eq(rq->headers[i].name, PT_STR("cookie")) ||
			!line_find(rq->headers[i].value, name, &value))
			continue;
		return value_is(value) ? value : PT_STR("");
	}
	return PT_STR("");
}

static bool path_is(pt_str path)
{
	for (size_t i = 0; i < path.n; i++) {
		unsigned char c = (unsigned char)path.p[i];

		if (c < 0x20 || c >= 0x7f || c == ';')
			return false;
	}
	return path.n == 0 || path.p[0] == '/';
}

static void age_write(struct buf *b, const struct cookie *cookie)
{
	pt_time age = cookie->max_age > 0 ? cookie->max_age / PT_SECOND : 0;

	if (cookie->max_age == 0)
		return;
	buf_str(b, PT_STR("; Max-Age="));
	buf_int(b, age);
	buf_str(b, PT_STR("; Expires="));
	buf_http_date(b, cookie->max_age > 0 ? cookie->now + age * PT_SECOND : 0);
}

void cookie_set(struct http_response *rs, const struct cookie *cookie)
{
	struct buf b = BUF(rs->arena, COOKIE_MOST + 1);
	pt_str text;

	if (!token_is(cookie->name) || !value_is(cookie->value) || !path_is(cookie->path)) {
		rs->failed = true;
		(void)fault(PT_F_BUG, "a cookie holds a byte that cookies may not hold");
		return;
	}
	buf_str(&b, cookie->name);
	buf_char(&b, '=');
	buf_str(&b, cookie->value);
	buf_str(&b, PT_STR("; Path="));
	buf_str(&b, cookie->path.n > 0 ? cookie->path : PT_STR("/"));
	age_write(&b, cookie);
	if (cookie->secure)
		buf_str(&b, PT_STR("; Secure"));
	if (!cookie->script)
		buf_str(&b, PT_STR("; HttpOnly"));
	buf_str(&b, cookie->strict ? PT_STR("; SameSite=Strict") : PT_STR("; SameSite=Lax"));
	if (buf_done(&b, &text) != PT_OK || text.n > COOKIE_MOST) {
		rs->failed = true;
		return;
	}
	http_set(rs, PT_STR("Set-Cookie"), text);
}

/*
 * writer.c - an answer as bytes.
 */
#include <string.h>

#include "base/str.h"
#include "http/writer.h"

#include "base/banned.h"

static const char continue_text[] = "HTTP/1.1 100 Continue\r\n\r\n";
static const char broken_text[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
				  "Retry-After: 1\r\nConnection: close\r\n\r\n";

const pt_str answer_continue = { continue_text, sizeof(continue_text) - 1 };
const pt_str answer_broken = { broken_text, sizeof(broken_text) - 1 };

/* Room for the status line and the engine's own headers, with a client's request id of 64 bytes. */
enum { OWN_LINES = 320 };

static char *put(char *p, pt_str s)
{
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p + s.n;
}

static char *put_uint(char *p, uint64_t value)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	while (n > 0)
		*p++ = digits[--n];
	return p;
}

static bool is_ours(pt_str name)
{
	switch (name.n) {
	case 4:
		return str_eq_nocase(name, PT_STR("Date"));
	case 10:
		return str_eq_nocase(name, PT_STR("Connection"));
	case 12:
		return str_eq_nocase(name, PT_STR("X-Request-Id"));
	case 14:
		return str_eq_nocase(name, PT_STR("Content-Length"));
	case 17:
		return str_eq_nocase(name, PT_STR("Transfer-Encoding"));
	}
	return false;
}

static void date_make(struct date_line *date, struct arena *arena, pt_time now)
{
	struct buf b = BUF(arena, sizeof(date->text));
	pt_str line;

	buf_str(&b, PT_STR("Date: "));
	buf_http_date(&b, now);
	buf_str(&b, PT_STR("\r\n"));
	line = buf_view(&b);
	date->n = b.failed ? 0 : line.n;
	date->second = now / PT_SECOND;
	memcpy(date->text, line.p, date->n);
}

static bool has_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

static size_t room_for(const struct http_response *rs)
{
	size_t n = OWN_LINES + rs->body.n + rs->id.n;

	for (size_t i = 0; i < rs->n_headers; i++)
		n += rs->headers[i].name.n + rs->headers[i].value.n + 4;
	return n;
}

static char *put_status(char *p, int status)
{
	p = put(p, PT_STR("HTTP/1.1 "));
	p = put_uint(p, (uint64_t)status);
	*p++ = ' ';
	p = put(p, str(http_reason(status)));
	return put(p, PT_STR("\r\n"));
}

static char *put_headers(char *p, const struct http_response *rs)
{
	for (size_t i = 0; i < rs->n_headers; i++) {
		const struct http_header *header = &rs->headers[i];

		if (is_ours(header->name))
			continue;
		p = put(p, header->name);
		p = put(p, PT_STR(": "));
		p = put(p, header->value);
		p = put(p, PT_STR("\r\n"));
	}
	return p;
}

void answer_write(struct buf *out, struct date_line *date, const struct exchange *ex, bool close)
{
	const struct http_response *rs = &ex->rs;
	char *p = buf_reserve(out, room_for(rs));

	if (p == NULL)
		return;
	if (ex->rq.received / PT_SECOND != date->second)
		date_make(date, ex->arena, ex->rq.received);

	p = put_status(p, rs->status);
	p = put(p, str_n(date->text, date->n));
	p = put_headers(p, rs);
	if (has_body(rs->status)) {
		p = put(p, PT_STR("Content-Length: "));
		p = put_uint(p, rs->body.n);
		p = put(p, PT_STR("\r\n"));
	}
	p = put(p, PT_STR("X-Request-Id: "));
	p = put(p, rs->id.n > 0 ? rs->id : ex->rq.id);
	p = put(p, close ? PT_STR("\r\nConnection: close\r\n\r\n") : PT_STR("\r\n\r\n"));
	/* RFC 9110 9.3.2: HEAD is told how long the body would be. */
	if (has_body(rs->status) && ex->rq.method != HTTP_HEAD)
		p = put(p, rs->body);
	out->n = (size_t)(p - out->p);
}

/*
 * response.c - building an answer.
 */
#include "http/response.h"
#include "base/err.h"
#include "base/str.h"
#include "http/token.h"

#include "base/banned.h"

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 100, "Continue" },
	{ 101, "Switching Protocols" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 203, "Non-Authoritative Information" },
	{ 204, "No Content" },
	{ 205, "Reset Content" },
	{ 206, "Partial Content" },
	{ 300, "Multiple Choices" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 402, "Payment Required" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 407, "Proxy Authentication Required" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 423, "Locked" },
	{ 426, "Upgrade Required" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

const char *http_reason(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "";
}

void http_response_init(struct http_response *rs, struct arena *arena)
{
	/* The header rows need no clearing: n_headers says which of them are set. */
	rs->arena = arena;
	rs->status = 0;
	rs->n_headers = 0;
	rs->body = PT_STR("");
	rs->id = PT_STR("");
	rs->delay = 0;
	rs->close = false;
	rs->failed = false;
}

static bool value_is_clean(pt_str value)
{
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* RFC 9112 2.2 and 5: a name is a token and a value never ends its line. */
static bool header_is_clean(struct http_response *rs, pt_str name, pt_str value)
{
	if (token_is(name) && value_is_clean(value))
		return true;
	rs->failed = true;
	(void)fault(PT_F_BUG, "answer header %.*s cannot be sent", token_is(name) ? (int)name.n : 1,
		token_is(name) ? name.p : "?");
	return false;
}

void http_set(struct http_response *rs, pt_str name, pt_str value)
{
	if (!header_is_clean(rs, name, value))
		return;
	if (rs->n_headers == HTTP_RESPONSE_HEADERS) {
		rs->failed = true;
		(void)fault(PT_F_BUG, "an answer has more than %d headers", HTTP_RESPONSE_HEADERS);
		return;
	}
	rs->headers[rs->n_headers++] = (struct http_header){ name, value };
}

void http_replace(struct http_response *rs, pt_str name, pt_str value)
{
	for (size_t i = 0; i < rs->n_headers; i++) {
		if (!str_eq_nocase(rs->headers[i].name, name))
			continue;
		if (header_is_clean(rs, name, value))
			rs->headers[i].value = value;
		return;
	}
	http_set(rs, name, value);
}

bool http_is_set(const struct http_response *rs, pt_str name)
{
	for (size_t i = 0; i < rs->n_headers; i++)
		if (str_eq_nocase(rs->headers[i].name, name))
			return true;
	return false;
}

void http_retry_after(struct http_response *rs, pt_time wait)
{
	struct buf b = BUF(rs->arena, 32);
	pt_time seconds = wait <= 0 ? 1 : wait / PT_SECOND + (wait % PT_SECOND != 0);
	pt_str text;

	buf_uint(&b, (uint64_t)seconds);
	if (buf_done(&b, &text) == PT_OK)
		http_replace(rs, PT_STR("Retry-After"), text);
	else
		rs->failed = true;
}

/*
 * head.c - our own judgement of a header block.
 */
#include <string.h>

#include "base/str.h"
#include "http/field.h"
#include "http/head.h"
#include "http/token.h"

#include "base/banned.h"

/* ---- the block ---------------------------------------------------------------------------- */

/* What can be said before the block is complete: there is no need to wait for the rest of a TLS
 * hello, or of a request from before HTTP/1.0. */
static int partial_check(
	const struct head_scan *scan, pt_str bytes, const struct http_limits *limits)
{
	struct head_line line;

	if (scan->lines > 0) {
		if (bytes.n - scan->fields_at > limits->header_block)
			return 431;
		return head_line_read(str_slice(bytes, 0, scan->fields_at - 2), &line);
	}
	if (bytes.n > 0 && !token_char(bytes.p[0]) && bytes.p[0] != '\r')
		return 400;
	return bytes.n > limits->request_line + 1 ? 414 : 0;
}

static int line_check(const struct head_scan *scan, pt_str line, const struct http_limits *limits)
{
	/* RFC 9112 2.2: a bare CR, or a bare LF, may be read as a line end by somebody else. */
	if (line.n == 0 || line.p[line.n - 1] != '\r' || memchr(line.p, '\r', line.n - 1) != NULL)
		return 400;
	if (scan->lines == 0)
		return line.n - 1 > limits->request_line ? 414 : 0;
	/* RFC 9112 5.2: a folded line is two lines to some and one to others. */
	if (line.p[0] == ' ' || line.p[0] == '\t')
		return 400;
	return line.n > 1 && scan->lines > limits->headers ? 431 : 0;
}

int head_scan(
	struct head_scan *scan, pt_str bytes, const struct http_limits *limits, size_t *length)
{
	*length = 0;
	for (;;) {
		const char *start = bytes.p + scan->at;
		const char *end =
			scan->at < bytes.n ? memchr(start, '\n', bytes.n - scan->at) : NULL;
		pt_str line;
		int status;

		if (end == NULL)
			return partial_check(scan, bytes, limits);
		line = str_n(start, (size_t)(end - start));
		status = line_check(scan, line, limits);
		if (status != 0)
			return status;

		scan->at += line.n + 1;
		if (scan->lines > 0 && scan->at - scan->fields_at > limits->header_block)
			return 431;
		if (line.n == 1 && scan->lines == 0)
			return 400;
		if (line.n == 1) {
			*length = scan->at;
			return 0;
		}
		if (scan->lines++ == 0)
			scan->fields_at = scan->at;
	}
}

/* ---- the request line --------------------------------------------------------------------- */

static const struct {
	pt_str token;
	enum http_method method;
} methods[] = {
	{ { "GET", 3 }, HTTP_GET },
	{ { "POST", 4 }, HTTP_POST },
	{ { "HEAD", 4 }, HTTP_HEAD },
	{ { "PUT", 3 }, HTTP_PUT },
	{ { "PATCH", 5 }, HTTP_PATCH },
	{ { "DELETE", 6 }, HTTP_DELETE },
	{ { "OPTIONS", 7 }, HTTP_OPTIONS },
};

enum http_method head_method(pt_str token)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (str_eq(methods[i].token, token))
			return methods[i].method;
	}
	return HTTP_OTHER;
}

static int version_check(pt_str version, bool *http_1_0)
{
	*http_1_0 = str_eq(version, PT_STR("HTTP/1.0"));
	if (*http_1_0 || str_eq(version, PT_STR("HTTP/1.1")))
		return 0;
	if (version.n == 8 && str_starts(version, PT_STR("HTTP/")) && ascii_digit(version.p[5]) &&
		version.p[6] == '.' && ascii_digit(version.p[7]))
		return 505;
	return 400;
}

int head_line_read(pt_str line, struct head_line *out)
{
	pt_str rest, version;

	if (!str_cut(line, ' ', &out->method, &rest) || !str_cut(rest, ' ', &out->target, &version))
		return 400;
	if (!token_is(out->method) || out->target.n == 0)
		return 400;
	/* RFC 9113 3.4: the preface of HTTP/2 is made so that a server of HTTP/1.1 refuses it. */
	if (str_eq(out->method, PT_STR("PRI")))
		return 400;
	return version_check(version, &out->http_1_0);
}

/* ---- the target --------------------------------------------------------------------------- */

/* Bytes that may stand in a target: visible ASCII without the ones that are read in two ways. */
static bool target_is_clean(pt_str target)
{
	for (size_t i = 0; i < target.n; i++) {
		unsigned char c = (unsigned char)target.p[i];

		if (c <= 0x20 || c >= 0x7f || c == '#' || c == '\\')
			return false;
	}
	return true;
}

/* Dot segments, empty segments and ";" mean one thing here and another behind a proxy. */
static bool path_is_canonical(pt_str path)
{
	size_t segment = 1;

	for (size_t i = 0; i <= path.n; i++) {
		unsigned char c = i < path.n ? (unsigned char)path.p[i] : '/';

		if (c < 0x20 || c == 0x7f || c == ';' || c == '\\')
			return false;
		if (c != '/' || i == 0)
			continue;
		if (i == segment && i < path.n)
			return false;
		if (i - segment == 1 && path.p[segment] == '.')
			return false;
		if (i - segment == 2 && path.p[segment] == '.' && path.p[segment + 1] == '.')
			return false;
		segment = i + 1;
	}
	return true;
}

/* "%2F" would be a separator to one reader and a letter to another. */
static bool hides_a_slash(pt_str raw)
{
	for (size_t i = 0; i + 2 < raw.n; i++) {
		if (raw.p[i] == '%' && raw.p[i + 1] == '2' && ascii_lower(raw.p[i + 2]) == 'f')
			return true;
	}
	return false;
}

static int path_read(struct arena *arena, pt_str raw, pt_str *out)
{
	pt_str path = raw;

	if (raw.n == 0 || raw.p[0] != '/')
		return 400;
	if (str_find(raw, '%') < raw.n) {
		if (hides_a_slash(raw) || percent_decode(arena, raw, &path) != PT_OK ||
			!str_utf8(path))
			return 400;
	}
	if (!path_is_canonical(path))
		return 400;
	*out = path;
	return 0;
}

/* "http://host/path" (RFC 9112 3.2.2). */
static bool authority_cut(pt_str target, pt_str *authority, pt_str *rest)
{
	static const pt_str schemes[] = { { "http://", 7 }, { "https://", 8 } };

	for (size_t i = 0; i < 2; i++) {
		pt_str after;
		size_t n = 0;

		if (!str_eq_nocase(str_slice(target, 0, schemes[i].n), schemes[i]))
			continue;
		after = str_slice(target, schemes[i].n, target.n);
		while (n < after.n && after.p[n] != '/' && after.p[n] != '?')
			n++;
		*authority = str_slice(after, 0, n);
		*rest = str_slice(after, n, after.n);
		return authority->n > 0;
	}
	return false;
}

int head_target_read(struct arena *arena, pt_str target, struct head_target *out)
{
	pt_str path;

	*out = (struct head_target){ 0 };
	if (str_eq(target, PT_STR("*"))) {
		out->asterisk = true;
		out->path = target;
		return 0;
	}
	if (!target_is_clean(target))
		return 400;
	if (target.p[0] != '/') {
		if (!authority_cut(target, &out->authority, &target))
			return 400;
		/* RFC 9110 4.2.3: an empty path is "/". */
		if (target.n == 0)
			target = PT_STR("/");
	}
	(void)str_cut(target, '?', &path, &out->query);
	return path_read(arena, path, &out->path);
}

/* ---- the host ----------------------------------------------------------------------------- */

static bool host_name_is(pt_str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!ascii_alnum(c) && c != '-' && c != '.' && c != '_')
			return false;
	}
	return name.n > 0 && name.n <= 255 && name.p[0] != '.';
}

static bool port_is(pt_str port)
{
	int64_t number;

	return port.n <= 5 && str_int(port, 1, 65535, &number);
}

bool head_host_is(pt_str host)
{
	struct address address;
	pt_str name, port;

	if (host.n > 0 && host.p[0] == '[') {
		size_t end = str_find(host, ']');

		if (end == host.n)
			return false;
		name = str_slice(host, 1, end);
		port = str_slice(host, end + 1, host.n);
		return str_find(name, ':') < name.n && str_find(name, '%') == name.n &&
		       address_parse(name, &address) &&
		       (port.n == 0 || (port.p[0] == ':' && port_is(str_slice(port, 1, port.n))));
	}
	if (str_cut(host, ':', &name, &port) && !port_is(port))
		return false;
	return host_name_is(name);
}

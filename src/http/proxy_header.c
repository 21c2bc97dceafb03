/*
 * proxy_header.c - the PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt).
 */
#include <string.h>

#include "base/str.h"
#include "http/proxy.h"

#include "base/banned.h"

enum {
	V1_LONGEST = 107, /* 2.1: with its CR LF */
	V2_FIXED = 16,
	V2_LONGEST = 2048, /* room for the extensions that proxies send */
};

/* ---- version 1: "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n" ------------------------------ */

static bool v1_address(pt_str word, bool is_v6, struct address *out)
{
	return (str_find(word, ':') < word.n) == is_v6 && address_parse(word, out);
}

static bool v1_port(pt_str word)
{
	int64_t port;

	return word.n <= 5 && str_int(word, 0, 65535, &port);
}

static bool v1_line(pt_str line, struct address *client)
{
	pt_str word[6];
	struct address to;
	size_t n = 0;
	bool more = true;

	while (more && n < 6)
		more = str_cut(line, ' ', &word[n++], &line);
	if (n >= 2 && str_eq(word[1], PT_STR("UNKNOWN")))
		return true;
	if (more || n != 6 || !v1_port(word[4]) || !v1_port(word[5]))
		return false;
	if (str_eq(word[1], PT_STR("TCP4")))
		return v1_address(word[3], false, &to) && v1_address(word[2], false, client);
	return str_eq(word[1], PT_STR("TCP6")) && v1_address(word[3], true, &to) &&
	       v1_address(word[2], true, client);
}

static int v1_parse(const uint8_t *p, size_t n, struct address *client)
{
	const uint8_t *end = memchr(p, '\n', n < V1_LONGEST ? n : V1_LONGEST);

	if (end == NULL)
		return n < V1_LONGEST ? 0 : -1;
	if (end == p || end[-1] != '\r' || !v1_line(str_n(p, (size_t)(end - p) - 1), client))
		return -1;
	return (int)(end - p) + 1;
}

/* ---- version 2: binary ---------------------------------------------------------------------- */

static bool v2_client(const uint8_t *p, size_t length, struct address *client)
{
	enum { LOCAL = 0x20, PROXY = 0x21, STREAM_V4 = 0x11, STREAM_V6 = 0x21 };

	if (p[12] == LOCAL)
		return true;
	if (p[12] != PROXY)
		return false;
	if (p[13] == STREAM_V4 && length >= 12) {
		client->bytes[10] = client->bytes[11] = 0xff;
		memcpy(client->bytes + 12, p + V2_FIXED, 4);
		client->known = true;
	} else if (p[13] == STREAM_V6 && length >= 36) {
		memcpy(client->bytes, p + V2_FIXED, 16);
		client->known = true;
	} else if (p[13] == STREAM_V4 || p[13] == STREAM_V6) {
		return false;
	}
	/* 2.2: other families are accepted, and say nothing about the client. */
	return true;
}

static int v2_parse(const uint8_t *p, size_t n, struct address *client)
{
	size_t length;

	if (n < V2_FIXED)
		return 0;
	length = (size_t)p[14] << 8 | p[15];
	if (V2_FIXED + length > V2_LONGEST)
		return -1;
	if (n < V2_FIXED + length)
		return 0;
	return v2_client(p, length, client) ? (int)(V2_FIXED + length) : -1;
}

static bool begins(const uint8_t *p, size_t n, const char *sign, size_t sign_n)
{
	return memcmp(p, sign, n < sign_n ? n : sign_n) == 0;
}

int proxy_header_parse(const uint8_t *p, size_t n, struct address *client)
{
	static const char v1[] = "PROXY ";
	static const char v2[] = "\r\n\r\n\0\r\nQUIT\n";
	struct address found = { 0 };
	int taken = -1;

	if (n == 0)
		return 0;
	if (begins(p, n, v1, 6))
		taken = n < 6 ? 0 : v1_parse(p, n, &found);
	else if (begins(p, n, v2, 12))
		taken = v2_parse(p, n, &found);
	if (taken > 0)
		*client = found;
	return taken;
}

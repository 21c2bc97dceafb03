/*
 * proxy.h - who is really asking, when proxies of ours stand between.
 *
 * The client is the TCP peer unless the peer is trusted; then it is the right-most hop of
 * X-Forwarded-For (or Forwarded, RFC 7239) that is not trusted itself. A hop that is not an address
 * ends the search: the last good one counts, and where there is none the peer, for limits too.
 * IPv4-mapped IPv6 is folded to IPv4.
 */
#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H

#include <netinet/in.h>

#include "http/request.h"

struct address {
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
	bool known;
};

struct network {
	uint8_t bytes[16];
	int prefix; /* 0..128, counted on the mapped form */
};

struct networks {
	const struct network *items;
	size_t n;
	bool unix_peers; /* the word "unix": peers on unix sockets are trusted */
};

/* An address as text; brackets, port and zone are not part of it. */
bool address_parse(pt_str text, struct address *out);
/* Canonical text (RFC 5952; IPv4 dotted). out holds at least 46 bytes. */
void address_format(const struct address *address, char out[46]);
/* Loopback, private (RFC 1918, 4193, 6598), link-local or unspecified. */
bool address_is_private(const struct address *address);
bool address_in(const struct address *address, const struct networks *networks);

/* "10.0.0.0/8, ::1, unix". False names the bad part in *bad. */
PT_CHECK bool networks_parse(struct arena *arena, pt_str text, struct networks *out, pt_str *bad);

/* Fills client, client_known and tls (X-Forwarded-Proto, Forwarded proto=) of the request. */
PT_CHECK pt_err proxy_resolve(struct http_request *rq, const struct networks *trusted);

/*
 * The PROXY protocol, versions 1 and 2 (haproxy's proxy-protocol.txt), at the head of a connection
 * from a trusted peer. Returns the number of bytes it took, 0 when more are needed, -1 when it is
 * not a PROXY header or a bad one. address->known is false for LOCAL and UNKNOWN.
 */
int proxy_header_parse(const uint8_t *p, size_t n, struct address *client);

#endif

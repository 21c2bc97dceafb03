/*
 * fetch_guard.h - which addresses an address given by somebody else may lead to.
 *
 * Asked with the resolved address, when the socket is made: so every spelling of a host (decimal,
 * octal, a name that points home, a name that changes between check and use) meets one answer.
 */
#ifndef BASE_FETCH_GUARD_H
#define BASE_FETCH_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "portress/base.h"

/* True only for public unicast addresses (IANA's special-purpose registries, RFC 6890). An IPv4
 * address inside of a mapped or NAT64 one (RFC 4291, RFC 6052) is judged as what it stands for. */
bool guard_is_public(const struct sockaddr *address, socklen_t n);

/* 127/8, ::1, and 127/8 mapped. */
bool guard_is_loopback(const struct sockaddr *address, socklen_t n);

/* A network that an operator names as his own. */
struct guard_network {
	uint8_t prefix[16]; /* IPv4 as mapped */
	unsigned bits;
};

/* "10.0.0.0/8", "fd00::/8", or one address. False: it is none, or has bits beyond its length. */
PT_CHECK bool guard_network_parse(pt_str text, struct guard_network *out);

/* Is it in one of these? A mapped IPv4 address is one of IPv4, here too. */
bool guard_is_among(const struct sockaddr *address, socklen_t n,
	const struct guard_network *networks, size_t n_networks);

#endif

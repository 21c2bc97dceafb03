/*
 * fetch_guard.h - which addresses an address given by somebody else may lead to.
 *
 * Asked with the resolved address, when the socket is made: so every spelling of a host (decimal,
 * octal, a name that points home, a name that changes between check and use) meets one answer.
 */
#ifndef BASE_FETCH_GUARD_H
#define BASE_FETCH_GUARD_H

#include <stdbool.h>
#include <sys/socket.h>

/* True only for public unicast addresses (IANA's special-purpose registries, RFC 6890). An IPv4
 * address inside of a mapped or NAT64 one (RFC 4291, RFC 6052) is judged as what it stands for. */
bool guard_is_public(const struct sockaddr *address, socklen_t n);

/* 127/8, ::1, and 127/8 mapped. */
bool guard_is_loopback(const struct sockaddr *address, socklen_t n);

#endif

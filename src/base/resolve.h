/*
 * resolve.h - host names to addresses, also from inside of a jail.
 *
 * After chroot there is no /etc/hosts and no /etc/resolv.conf, and glibc, which looks at them
 * again, would ask a name server on this machine. So both are read once before. Outside of a jail
 * the system's resolver does all of the work.
 */
#ifndef BASE_RESOLVE_H
#define BASE_RESOLVE_H

#include "portress/base.h"

enum { RESOLVE_MAX = 8, RESOLVE_TEXT = 46 };

/* Numeric, as inet_ntop(3) writes them. */
struct addresses {
	size_t n;
	char text[RESOLVE_MAX][RESOLVE_TEXT];
};

/* Before privileges are dropped; again is harmless. PT_F_CONFIG: the C library lacks its resolver. */
PT_CHECK pt_err resolve_open(void);

/* The root directory is another than at resolve_open. */
bool resolve_is_jailed(void);

/*
 * An address gives itself; `localhost` and what ends in `.localhost` gives loopback without asking
 * anybody (RFC 6761 6.3). PT_E_NOT_FOUND: there is no such host, or nobody could be asked. It may
 * take seconds.
 */
PT_CHECK pt_err resolve(pt_str name, struct addresses *out);

/* Is it this machine by its name alone: localhost, or a loopback address? Asks nobody. */
bool resolve_is_loopback(pt_str name);

#endif

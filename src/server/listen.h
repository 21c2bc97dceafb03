/*
 * listen.h - from words to listening sockets.
 *
 *	127.0.0.1:8080   [::1]:8080   :8080 (all addresses)   localhost:8080 (both loopbacks)
 *	unix:/run/portress.sock   systemd (the sockets handed over)   ...;proxy
 */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include <netinet/in.h>
#include <sys/un.h>

#include "base/arena.h"
#include "http/engine.h"

enum { LISTEN_MAX = 16 };

enum listen_kind { LISTEN_TCP, LISTEN_UNIX, LISTEN_SYSTEMD };

struct listen_spec {
	enum listen_kind kind;
	bool proxy_header;
	bool optional; /* no IPv6 on this machine is no reason not to start */
	union {
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un un;
		struct sockaddr any;
	} at;
	socklen_t at_n;
	char text[160]; /* as people write it */
};

struct listen_specs {
	struct listen_spec items[LISTEN_MAX];
	size_t n;
};

/* Adds what the words say. False: *bad is the word that cannot be read. */
bool listen_parse(pt_str words, struct listen_specs *out, pt_str *bad);

struct listeners {
	struct http_listener items[LISTEN_MAX];
	size_t n;
	char unix_paths[LISTEN_MAX][128]; /* to be removed at the end */
	size_t n_unix;
};

/*
 * Binds and listens, before privileges are dropped. PT_F_IO: taken, not allowed or not there; one log
 * line says which. What was opened before the fault stays in *out for listeners_close.
 */
PT_CHECK pt_err listen_open(const struct listen_specs *specs, bool ops, struct listeners *out);

/* Closes what was not given away (fd >= 0), and removes the files of unix sockets. */
void listeners_close(struct listeners *listeners);

#endif

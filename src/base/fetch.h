/*
 * fetch.h - one HTTP request to somebody else, within bounds.
 *
 * libcurl, opened on demand. https to public addresses; http, and any other address, only where the
 * request allows it. The address is judged when the socket is made for it, so what is connected to
 * is what was judged, whatever a name meant before or will mean after. Certificate verified against
 * the CA bundle read at start, no redirects, no proxies from the environment, deadline and byte cap
 * in all. fetch_open belongs before privileges are dropped: it loads the library, the CA bundle and
 * whatever the resolver needs.
 */
#ifndef BASE_FETCH_H
#define BASE_FETCH_H

#include "base/arena.h"
#include "base/fetch_guard.h"
#include "portress/base.h"

struct fetch_setup {
	pt_str ca_file; /* "" uses the system's bundle; its content is read into memory now */
};

PT_CHECK pt_err fetch_open(const struct fetch_setup *setup);

struct fetch_header {
	pt_str name;
	pt_str value; /* with control characters it is refused */
};

struct fetch_request {
	pt_str url;
	const struct fetch_header *headers; /* beside the ones that HTTP needs */
	size_t n_headers;
	pt_str body;         /* POST when set, GET otherwise */
	pt_str content_type; /* of the body */
	pt_time deadline;    /* in all; 0 means 5 s */
	size_t body_max;     /* 0 means 256 KiB */
	bool allow_private; /* loopback, private and link-local targets, and plain http, are allowed */
	const struct guard_network *allowed; /* or these alone, also by plain http */
	size_t n_allowed;
};

/* Why there was no answer. */
enum fetch_failure {
	FETCH_ANSWERED,
	FETCH_TIMEOUT,
	FETCH_NOT_CONNECTED, /* no such name, refused, unreachable, or not allowed to go there */
	FETCH_BROKEN,        /* connected, and then certificate, protocol, size or line failed */
};

struct fetch_response {
	int status;
	pt_str body;
	pt_str content_type; /* "" when it has none */
	enum fetch_failure failure;
};

/*
 * PT_F_IO (logged, without the body): not reached, too slow, too large, certificate refused, or the
 * target is not allowed. Any HTTP status is PT_OK.
 *
 * With PT_F_IO *out is written too: failure, and status where the answer's head had come.
 */
PT_CHECK pt_err fetch(
	pt_arena *arena, const struct fetch_request *request, struct fetch_response *out);

/* The CA bundle that was read, PEM; for other users of libcurl. "" before fetch_open. */
pt_str fetch_ca_bundle(void);

#endif

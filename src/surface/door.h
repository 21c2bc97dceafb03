/*
 * door.h - every request passes here: which row is it, may it be asked, who asks?
 *
 * A dialect is a list of rows and two functions. The door finds the row and runs the row's gates in
 * one order - size (by the engine), route, origin, csrf, method, store - then the handler. A gate or
 * a handler that refuses ends the exchange; the dialect finds the words.
 *
 * The rows are the security review: who may ask, with which proof, how large, on which lane.
 */
#ifndef SURFACE_DOOR_H
#define SURFACE_DOOR_H

#include "base/buf.h"
#include "base/err.h"
#include "http/engine.h"
#include "http/field.h"
#include "portress/act.h"
#include "surface/surface.h"

struct exchange;
struct dialect;

/* Where a row's handler runs. */
enum lane {
	LANE_QUICK, /* touches no store */
	LANE_READ,  /* reads: on the loop's thread, unless the store is across a network */
	LANE_SLOW,  /* writes */
	LANE_HASH,  /* computes password hashes */
};

/* What must be shown before the handler runs; or-ed. */
enum gate {
	GATE_NONE = 0,
	GATE_CSRF = 1 << 0, /* ours by Origin or Referer, and with a CSRF token */
	GATE_STORE =
		1 << 1, /* the handler may not touch the store, but must not answer without it */
};

struct route {
	unsigned methods; /* enum http_method, or-ed; HEAD goes where GET goes */
	const char *path; /* exact, relative to the mount */
	pt_err (*handler)(struct exchange *ex);
	unsigned gates;
	size_t body_max;
	enum lane lane;
	const char *page; /* what a browser sees again when it is refused; NULL: the error page */
};

struct dialect {
	const char *name;
	const struct route *routes;
	size_t n_routes;
	/* Before any gate: how this exchange will be answered. */
	pt_err (*begin)(struct exchange *ex);
	/* Says a refusal or a fault. */
	void (*refuse)(struct exchange *ex, pt_err err);
	/* After everything: headers that every answer of the dialect carries. */
	void (*finish)(struct exchange *ex);
};

/* A dialect where it is mounted. */
struct mount {
	pt_str prefix; /* "" or "/auth" */
	const struct dialect *dialect;
	bool csrf;
};

struct exchange {
	struct surface *surface;
	const struct mount *mount;
	const struct http_request *rq;
	struct http_response *rs;
	const struct route *route; /* NULL until found */
	unsigned allowed;          /* methods that the path has rows for */
	struct pt_call *call;
	struct arena *arena;

	struct fields fields; /* of the body, once read */
	bool fields_read;
	struct pt_csrf csrf;
	bool csrf_open;
	bool json;      /* answer as JSON; otherwise as a page */
	int status;     /* of a message that never became a request; 0 for every other */
	pt_err problem; /* what the page being shown again was refused for */
};

/* The fields of the body, read once. PT_E_MALFORMED, PT_E_MEDIA_TYPE. */
PT_CHECK pt_err exchange_fields(struct exchange *ex);

/* One field of the body; "" when absent. After exchange_fields. */
pt_str exchange_field(const struct exchange *ex, const char *name);

/* A parameter of the query string; "" when absent. PT_E_MALFORMED. */
PT_CHECK pt_err exchange_query(struct exchange *ex, const char *name, pt_str *out);

/* The headers that every answer carries, whoever gives it: no framing, no sniffing, no content. A page
 * that sets its own Content-Security-Policy keeps it. */
void exchange_guard(struct exchange *ex);

/* A path of this mount, "/auth/signin". NULL-free; on failure the arena is full: "" is returned and
 * the response is marked failed. */
pt_str exchange_path(struct exchange *ex, const char *path);

/* The token of an `Authorization: Bearer` header; "" when there is none. RFC 6750 2.1, the scheme in
 * any case; a bare token is accepted where `bare` is true. */
pt_str exchange_bearer(const struct exchange *ex, bool bare);

#endif

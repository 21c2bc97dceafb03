/*
 * door.h - every request passes here: which row is it, may it be asked, who asks?
 *
 * A dialect is a list of rows and a few functions. The door finds the row and runs the gates in one
 * order - size (by the engine), groups, route, origin, csrf, method, store, the dialect's own - then the
 * handler. A gate or a handler that refuses ends the exchange; the dialect finds the words.
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
	/* The dialect's own: it says how they are passed. */
	GATE_BEARER = 1 << 2,   /* with a good access token */
	GATE_ADMIN = 1 << 3,    /* by who may administer the audience */
	GATE_OPERATOR = 1 << 4, /* with the operator's own token */
	GATE_STATE = 1 << 5,    /* back from a provider, with a state of ours */
	GATE_RELAY = 1 << 6,    /* ... the same for SAML */
	GATE_EMAIL = 1 << 7,    /* while signing up and in by address is on */
	GATE_RATE = 1 << 8,     /* counted */
	GATE_EXPORT = 1 << 9,   /* with the secret for moving out */
};

struct route {
	unsigned methods; /* enum http_method, or-ed; HEAD goes where GET goes */
	/* Exact, relative to the mount. `*` at the end takes everything below, `{id}` one segment, and `[/]` at the end
	 * allows a slash there. */
	const char *path;
	pt_err (*handler)(struct exchange *ex);
	unsigned gates;
	size_t body_max;
	enum lane lane;
	const char *page; /* what a browser sees again when it is refused; NULL: the error page */
	bool quiet;       /* asked so often by machines that the log leaves it out */
	const char *
		hash_word; /* LANE_HASH: bodies without it compute no hash (http_plan); NULL: all do */
};

/* Gates of all that stands at a path or below it, whether or not there is a row for it. */
struct group {
	const char *path;
	unsigned gates;
};

struct dialect {
	const char *name;
	const struct route *routes;
	size_t n_routes;
	const struct group *groups;
	size_t n_groups;
	bool literal; /* HEAD does not go where GET goes, and OPTIONS is a method like any other */
	const char *client_header; /* the log repeats it as `nf_client`; NULL: none */
	/* Before any gate: how this exchange will be answered. Touches no store. */
	pt_err (*begin)(struct exchange *ex);
	/* The rest may be NULL. True: it was a question about questions, and is answered. */
	bool (*preflight)(struct exchange *ex);
	/* Whose site is meant. May read the store. */
	pt_err (*enter)(struct exchange *ex);
	/* The gates of a group or a row that are the dialect's own. */
	pt_err (*guard)(struct exchange *ex, unsigned gates);
	/* Says a refusal or a fault. */
	void (*refuse)(struct exchange *ex, pt_err err);
	/* After everything: headers that every answer of the dialect carries. */
	void (*finish)(struct exchange *ex);
	/* The call has ended; may be NULL. */
	void (*leave)(struct exchange *ex);
};

/* A dialect where it is mounted. */
struct mount {
	pt_str prefix; /* "" or "/auth" */
	const struct dialect *dialect;
	struct pt_site *site; /* that calls begin on */
	bool csrf;
	bool many;        /* the site is found in the store, for every request anew */
	pt_str id_header; /* names the request where it is sent; "" none */
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
	pt_str id;      /* of the request, in logs and answers */
	pt_str segment; /* what stood for `{id}` */
	void *own;      /* the dialect's */

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

/* Ends the call and begins one on another site. */
PT_CHECK pt_err exchange_move(struct exchange *ex, struct pt_site *site);

#endif

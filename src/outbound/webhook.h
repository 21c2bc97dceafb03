/*
 * webhook.h - hooks over HTTP: one POST for each question, signed, within bounds.
 *
 * The wire is Netlify's: `X-Netlify-Event: identity_login`, and in `x-webhook-signature` a token
 * (HS256) of the site's and the body's SHA-256. 200, 202 and 204 are a yes; any other status and a
 * time-out are asked again at once, as often as set up; whoever cannot be reached, or breaks off, is
 * not. Thirty seconds in all, 1 MiB an answer, no redirects, public addresses by https.
 */
#ifndef OUTBOUND_WEBHOOK_H
#define OUTBOUND_WEBHOOK_H

#include "base/buf.h"
#include "crypt/jwk.h"
#include "portress/hook.h"

/* One of several programs to ask about one event, in the order of the list; the first no counts. */
struct webhook_target {
	pt_str event; /* "login" */
	pt_str url;
};

struct webhook_setup {
	pt_str url;          /* "" asks the targets below */
	pt_str secret;       /* signs; "" does not sign */
	int tries;           /* 0 means 3 */
	pt_time try_time;    /* 0 means 5 s */
	pt_time time_in_all; /* all tries at all targets; 0 means 30 s */
	const pt_str
		*events; /* what `url` is asked about, by name; spaces around are no part of it */
	size_t n_events;
	pt_str site_url; /* what a URL without a scheme is completed from: scheme, login, host */
	pt_str tenant;   /* "" is the UUID of zeros */
	const struct webhook_target *targets;
	size_t n_targets;
	bool allow_private;     /* any address, and plain http */
	const pt_str *networks; /* or these alone: "10.0.0.0/8", "::1" */
	size_t n_networks;
	/* Writes the account as the JSON object that the user himself sees. */
	pt_err (*render)(struct buf *out, const struct pt_account *account);
};

/*
 * Needs fetch_open before. Strings are copied. With nothing to ask, `wants` is false for every event
 * and the rest is never called. May be asked by many threads at once. PT_F_CONFIG: a URL, a network
 * or the secret cannot be used. A login in a URL becomes an Authorization header.
 */
PT_CHECK pt_err webhook_open(const struct webhook_setup *setup, struct pt_hooks *out);
void webhook_close(struct pt_hooks *hooks);

/* What stands in x-webhook-signature. `tenant` is as it stands in the body. */
PT_CHECK pt_err webhook_sign(pt_arena *arena, const struct jwk *key, pt_str tenant, pt_time now,
	pt_str body, pt_str *out);

#endif

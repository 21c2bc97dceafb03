/*
 * webhook_url.h - where a hook lives, as three texts for three readers.
 */
#ifndef OUTBOUND_WEBHOOK_URL_H
#define OUTBOUND_WEBHOOK_URL_H

#include "portress/base.h"

struct webhook_url {
	pt_str url;   /* what is asked: without login and fragment */
	pt_str label; /* what may be told and logged: without query, too */
	pt_str login; /* the value of an Authorization header, or "" */
};

/* A URL without a scheme takes scheme, login and host of the site's, and its path begins at the root.
 * PT_F_CONFIG: not http or https, no host, or a login that cannot be read. */
PT_CHECK pt_err webhook_url_make(
	pt_arena *arena, pt_str site_url, pt_str url, struct webhook_url *out);

#endif

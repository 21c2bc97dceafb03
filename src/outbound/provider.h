/*
 * provider.h - signing in with an account elsewhere, over HTTP: OAuth 2.0 houses that provider_rows.c
 * knows, and any OpenID Connect issuer.
 */
#ifndef OUTBOUND_PROVIDER_H
#define OUTBOUND_PROVIDER_H

#include "portress/provider.h"

struct provider_setup {
	pt_str kind; /* "github" and the other rows, or "oidc" */
	pt_str name; /* of an "oidc": a-z 0-9 - _, and no row's; a row has its own */
	pt_str client_id;
	pt_str secret;
	pt_str redirect_uri;
	pt_str url; /* row: replaces every host of it, "" keeps them. oidc: the issuer, exactly */
	pt_str scopes;      /* "" the row's; an "oidc" asks at least for `openid` */
	bool allow_private; /* addresses of this machine and network, and plain http */
};

/* A row's name, or "oidc". */
bool provider_is_known(pt_str kind);

/* Needs fetch_open and crypt_open before; asks nobody yet. Strings are copied. Threads may share it.
 * PT_F_CONFIG: a setting is missing or cannot be used. */
PT_CHECK pt_err provider_open(const struct provider_setup *setup, struct pt_provider *out);

/* NULL and what was never opened are fine. */
void provider_close(struct pt_provider *provider);

#endif

/*
 * portress/provider.h - signing in with an account at somebody else's: OAuth 2.0 (RFC 6749) with PKCE
 * (RFC 7636), or OpenID Connect Core 1.0.
 *
 * A provider knows its own addresses and shapes and nothing of our accounts: it writes the address
 * that the browser is sent to, and turns the code that comes back into a profile. Who that profile
 * may sign in as is core's decision alone.
 */
#ifndef PORTRESS_PROVIDER_H
#define PORTRESS_PROVIDER_H

#include "portress/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PT_PROFILE_EMAILS = 16 };

struct pt_profile_email {
	pt_str address;
	bool verified; /* by the provider, and said so */
	bool primary;
};

/* Who came back. Unset strings are "". */
struct pt_profile {
	pt_str subject; /* the provider's own name for the account, never reused, at most 200 bytes without
			 * control characters; "" if it has none */
	struct pt_profile_email emails[PT_PROFILE_EMAILS];
	size_t n_emails; /* at least 1 */
	pt_str full_name;
	pt_str avatar_url;
	pt_str slug;
};

/* What the browser carries there. */
struct pt_provider_ask {
	pt_str state;
	pt_str challenge; /* PKCE S256; left out where the provider has none */
	pt_str nonce;     /* OpenID Connect alone */
};

/* What it brings back, and what was kept for it. */
struct pt_provider_answer {
	pt_str code;
	pt_str verifier; /* PKCE */
	pt_str nonce;
};

struct pt_provider {
	size_t size;      /* sizeof(struct pt_provider) */
	const char *name; /* "github", lower case */
	void *ctx;
	/* The address to send the browser to. Quick for OAuth; OpenID Connect may have to read the issuer's
	 * metadata first: PT_E_PROVIDER_EXCHANGE. */
	pt_err (*authorize)(
		void *ctx, pt_arena *arena, const struct pt_provider_ask *ask, pt_str *url);
	/* Exchanges the code and reads the profile, within 10 s a call and 1 MiB an answer.
	 * PT_E_PROVIDER_EXCHANGE, PT_E_PROVIDER_PROFILE (nothing usable, or no address at all). */
	pt_err (*profile)(void *ctx, pt_arena *arena, const struct pt_provider_answer *answer,
		struct pt_profile *out);
};

#ifdef __cplusplus
}
#endif
#endif

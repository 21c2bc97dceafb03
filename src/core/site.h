/*
 * site.h - what does not change between calls: policy, keys, the store.
 */
#ifndef CORE_SITE_H
#define CORE_SITE_H

#include "core/farewell.h"
#include "core/signer.h"
#include "crypt/digest.h"
#include "crypt/jwk.h"
#include "crypt/password.h"
#include "portress/courier.h"
#include "portress/hook.h"
#include "portress/portress.h"
#include "portress/provider.h"
#include "portress/store.h"

/* One purpose, one key. Derived from the root with HKDF where the operator gave none. */
struct site_keys {
	struct key letter; /* seals letters in the outbox */
	struct key ticket; /* binds a ticket to what must not have changed */
	struct key device; /* signs device cookies */
	struct key limit;  /* hides who is counted */
	struct key rotate; /* says that a refresh token was issued here */
	struct key state;  /* seals what a browser carries to a provider and back */
	struct key tenant; /* seals configurations of tenants */
	struct key stamp;  /* binds an access token to the password it was issued under */
	pt_str csrf;       /* raw bytes, any length */
	struct signer *access;
	struct jwk *refresh;
};

struct pt_site {
	struct arena *memory; /* of the strings below */
	struct pt_policy policy;
	struct password_params password;
	struct site_keys keys;
	struct pt_store store;
	bool store_shared;
	struct pt_captcha captcha;
	bool has_captcha;
	struct pt_hooks hooks;
	bool has_hooks;
	struct pt_provider *providers;
	size_t n_providers;
	pt_str tenant;
	pt_str audience;
	pt_str default_role;
	pt_str public_url;
	pt_str site_url;
	struct pt_letter_look letters[PT_LETTER_LOOKS];
	pt_str courier;
	struct farewells farewells;
	void (*letter_waits)(void *ctx);
	void *letter_waits_ctx;
	pt_err (*post)(void *ctx, pt_arena *arena, const struct pt_letter *letter);
	void *post_ctx;
	unsigned posts_failed; /* atomic */
};

/* The key that letters in this site's outbox are sealed with: for whoever composes them. */
void site_letter_key(const struct pt_site *site, struct key *out);

#endif

/*
 * site.c - opening and closing a site: policy checked, keys derived, the store taken over.
 */
#include "core/site.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/banned.h"

#ifndef PT_VERSION
#define PT_VERSION "unknown"
#endif

enum { ROOT_KEY_MIN = 16 };

const char *pt_version(void)
{
	return PT_VERSION;
}

bool pt_has_test_hooks(void)
{
#ifdef PT_TEST_HOOKS
	return true;
#else
	return false;
#endif
}

void pt_policy_init(struct pt_policy *policy)
{
	*policy = (struct pt_policy){
		.size = sizeof(*policy),
		.username_min = 3,
		.username_max = 20,
		.name_max = 50,
		.email_max = 254,
		.password_min = 8,
		.password_max = 256,
		.password_blocklist = true,
		.bcrypt_cost = 12,
		.argon2_kib = 19456,
		.argon2_passes = 2,
		.session_life = 8 * PT_HOUR,
		.verify_life = 15 * PT_MINUTE,
		.reset_life = 15 * PT_MINUTE,
		.access_life = 24 * PT_HOUR,
		.refresh_life = 720 * PT_HOUR,
		.refresh_grace = 10 * PT_SECOND,
		.refresh_family_life = 90 * PT_DAY,
		.signin_per_account = 15,
		.signin_per_client = 100,
		.mail_per_recipient = 5,
		.mail_per_client = 20,
		.invite_life = 7 * PT_DAY,
		.email_change_life = PT_DAY,
		.failure_delay = 2 * PT_SECOND,
	};
}

static pt_err policy_check(const struct pt_policy *policy)
{
	if (policy->size != sizeof(*policy))
		return fault(PT_F_CONFIG, "policy: not made for this version of the library");
	if (policy->username_min < 1 || policy->username_max < policy->username_min)
		return fault(PT_F_CONFIG, "policy: user names cannot be %zu to %zu characters long",
			policy->username_min, policy->username_max);
	if (policy->password_max < 64 || policy->password_min > policy->password_max)
		return fault(
			PT_F_CONFIG, "policy: passwords of at least 64 characters must be allowed");
	if (policy->invite_life <= 0 || policy->email_change_life <= 0 || policy->mail_pause < 0)
		return fault(PT_F_CONFIG, "policy: no letter can live for no time");
	if (policy->session_life <= 0 || policy->verify_life <= 0 || policy->reset_life <= 0 ||
		policy->access_life <= 0 || policy->refresh_life <= 0 ||
		policy->refresh_grace < 0 || policy->refresh_family_life < 0)
		return fault(PT_F_CONFIG, "policy: nothing can live for no time");
	if (policy->signin_per_account > 128 || policy->signin_per_client > 128 ||
		policy->mail_per_recipient > 128 || policy->mail_per_client > 128)
		return fault(PT_F_CONFIG, "policy: a limit counts to 128 an hour at most");
	return PT_OK;
}

static pt_err key_derive(const struct pt_keys *keys, const char *purpose, struct key *out)
{
	return digest_derive(keys->root, PT_STR("portress"), str(purpose), out);
}

/* The operator's bytes, or derived ones. */
static pt_err key_given_or_derived(struct pt_site *site, const struct pt_keys *keys, pt_str given,
	const char *purpose, pt_str *out)
{
	struct key derived;

	if (given.n > 0)
		return arena_str(site->memory, given, out) ? PT_OK : PT_F_MEMORY;
	TRY(key_derive(keys, purpose, &derived));
	bool kept = arena_str(site->memory, str_n(derived.bytes, sizeof(derived.bytes)), out);
	key_wipe(&derived);
	return kept ? PT_OK : PT_F_MEMORY;
}

static pt_err token_key_open(pt_str secret, struct jwk **out)
{
	const char *why = "";

	pt_err err = jwk_from_secret(secret, NULL, out, &why);
	return err == PT_E_MALFORMED ? fault(PT_F_CONFIG, "a token key: %s", why) : err;
}

/* Two kinds of claims never share a derived key: a token of one opens nothing that asks for the other. */
static pt_err token_keys_open(struct pt_site *site, const struct pt_keys *keys)
{
	const char *purpose = site->policy.token_profile ? "access-profile" : "access";
	pt_str access, refresh;

	TRY(key_given_or_derived(site, keys, keys->access, purpose, &access));
	TRY(key_given_or_derived(site, keys, keys->refresh, "refresh", &refresh));
	if (str_eq(access, refresh))
		return fault(PT_F_CONFIG, "access and refresh tokens need two different keys");
	TRY(signer_open(access, keys->access_kid, keys->signing, &site->keys.access));
	return token_key_open(refresh, &site->keys.refresh);
}

static pt_err keys_open(struct pt_site *site, const struct pt_keys *keys)
{
	struct site_keys *k = &site->keys;

	if (keys->root.n < ROOT_KEY_MIN)
		return fault(PT_F_CONFIG, "the site's root key must have at least %d bytes",
			ROOT_KEY_MIN);
	TRY(key_derive(keys, "letter", &k->letter));
	TRY(key_derive(keys, "ticket", &k->ticket));
	TRY(key_derive(keys, "device", &k->device));
	TRY(key_derive(keys, "limit", &k->limit));
	TRY(key_derive(keys, "rotate", &k->rotate));
	TRY(key_derive(keys, "state", &k->state));
	TRY(key_derive(keys, "tenant", &k->tenant));
	TRY(key_derive(keys, "stamp", &k->stamp));
	TRY(key_given_or_derived(site, keys, keys->csrf, "csrf", &k->csrf));
	return token_keys_open(site, keys);
}

static pt_err password_open(struct pt_site *site, const struct pt_keys *keys)
{
	const struct pt_policy *policy = &site->policy;

	site->password = password_default_params;
	site->password.scheme = policy->hash_bcrypt ? PASSWORD_BCRYPT : PASSWORD_ARGON2ID;
	site->password.bcrypt_cost = policy->bcrypt_cost;
	site->password.argon2_kib = policy->argon2_kib;
	site->password.argon2_passes = policy->argon2_passes;
	if (keys->pepper.n == 0)
		return PT_OK;
	site->password.has_pepper = true;
	return digest_derive(
		keys->pepper, PT_STR("portress"), PT_STR("pepper"), &site->password.pepper);
}

static bool letters_copy(struct pt_site *site, const struct pt_site_setup *setup)
{
	bool copied = true;

	for (size_t i = 0; i < PT_LETTER_LOOKS; i++) {
		const struct pt_letter_look *from = &setup->letters[i];
		struct pt_letter_look *to = &site->letters[i];

		copied = copied && arena_str(site->memory, from->link, &to->link) &&
			 arena_str(site->memory, from->subject, &to->subject) &&
			 arena_str(site->memory, from->body, &to->body);
	}
	return copied;
}

static bool words_copy(struct pt_site *site, const struct pt_site_setup *setup)
{
	pt_str site_url = setup->site_url.n > 0 ? setup->site_url : setup->public_url;

	return arena_str(site->memory, setup->public_url, &site->public_url) &&
	       arena_str(site->memory, site_url, &site->site_url) &&
	       arena_str(site->memory, setup->tenant, &site->tenant) &&
	       arena_str(site->memory, setup->audience, &site->audience) &&
	       arena_str(site->memory, setup->default_role, &site->default_role) &&
	       arena_str(site->memory, setup->courier, &site->courier) && letters_copy(site, setup);
}

/* Those whom the site asks: humans, hooks, providers, and whoever takes letters at once. */
static pt_err friends_copy(struct pt_site *site, const struct pt_site_setup *setup)
{
	if (site->policy.captcha && !setup->captcha)
		return fault(PT_F_CONFIG, "policy: a captcha is asked for but none was given");
	if (site->policy.mail_at_once && !setup->post)
		return fault(PT_F_CONFIG, "policy: letters go at once but nobody takes them");
	if (setup->captcha) {
		site->captcha = *setup->captcha;
		site->has_captcha = true;
	}
	if (setup->hooks) {
		site->hooks = *setup->hooks;
		site->has_hooks = true;
	}
	site->providers = ARENA_ARRAY(site->memory, struct pt_provider, setup->n_providers + 1);
	if (!site->providers)
		return PT_F_MEMORY;
	for (size_t i = 0; i < setup->n_providers; i++)
		site->providers[site->n_providers++] = setup->providers[i];
	site->letter_waits = setup->letter_waits;
	site->letter_waits_ctx = setup->letter_waits_ctx;
	site->post = setup->post;
	site->post_ctx = setup->post_ctx;
	return PT_OK;
}

static pt_err site_fill(struct pt_site *site, const struct pt_site_setup *setup)
{
	TRY(policy_check(setup->policy));
	site->policy = *setup->policy;
	TRY(keys_open(site, setup->keys));
	TRY(password_open(site, setup->keys));
	TRY(friends_copy(site, setup));
	return words_copy(site, setup) ? PT_OK : PT_F_MEMORY;
}

static void site_free(struct pt_site *site)
{
	signer_close(site->keys.access);
	jwk_close(site->keys.refresh);
	arena_close(site->memory);
	pthread_mutex_destroy(&site->farewells.lock);
	crypt_wipe(site, sizeof(*site));
	free(site);
}

pt_err pt_site_open(const struct pt_site_setup *setup, struct pt_site **out)
{
	if (setup->size != sizeof(*setup) || setup->store->size != sizeof(*setup->store))
		return fault(PT_F_CONFIG, "site: not made for this version of the library");
	TRY(crypt_open());

	struct pt_site *site = calloc(1, sizeof(*site));
	if (!site)
		return PT_F_MEMORY;
	pthread_mutex_init(&site->farewells.lock, NULL);
	site->memory = arena_open(64 * KIB);
	pt_err err = site->memory ? site_fill(site, setup) : PT_F_MEMORY;
	if (err != PT_OK) {
		site_free(site);
		return err;
	}
	/* Only now: a site that could not be opened leaves the store with its owner. */
	site->store = *setup->store;
	site->store_shared = setup->store_shared;
	*out = site;
	return PT_OK;
}

void pt_site_close(struct pt_site *site)
{
	if (!site)
		return;
	if (!site->store_shared)
		site->store.close(site->store.ctx);
	site_free(site);
}

pt_err pt_site_jwks(struct pt_site *site, pt_arena *arena, pt_time now, pt_str *out)
{
	return signer_jwks(site->keys.access, arena, now, out);
}

pt_err pt_site_rekey(struct pt_site *site, pt_str signing)
{
	return signer_rekey(site->keys.access, signing);
}

const struct pt_policy *pt_site_policy(const struct pt_site *site)
{
	return &site->policy;
}

bool pt_site_store_is_remote(const struct pt_site *site)
{
	return site->store.remote;
}

void pt_site_turn_begin(struct pt_site *site)
{
	if (site->store.turn_begin)
		site->store.turn_begin(site->store.ctx);
}

void pt_site_turn_end(struct pt_site *site)
{
	if (site->store.turn_end)
		site->store.turn_end(site->store.ctx);
}

pt_err pt_site_check(struct pt_site *site, pt_arena *arena, pt_str *why)
{
	return site->store.check(site->store.ctx, arena, why);
}

void site_letter_key(const struct pt_site *site, struct key *out)
{
	*out = site->keys.letter;
}

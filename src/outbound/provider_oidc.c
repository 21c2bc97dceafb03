/*
 * provider_oidc.c - any OpenID Connect issuer (Core 1.0, Discovery 1.0), by the code flow.
 *
 *            asked for            an hour, or a token of        the last sign-in
 *                                 an unknown key after a minute that used it
 *   (none) -----------> IN HAND ------------------------> OLD ------------------> (gone)
 *                   view_renew                                     view_drop
 *
 * A view is what the issuer said at one moment: its addresses and its keys, read together.
 *
 * (1) A view never changes; who holds one goes on with it.  (2) One thread at a time reads a new one,
 * and no other waits for `lock` meanwhile.  (3) An issuer that is away is asked once in five seconds,
 * however many wait for it.
 */
#include <pthread.h>

#include "outbound/provider_private.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "base/str.h"
#include "crypt/jwt.h"

#include "base/banned.h"

enum { VIEW_STRINGS = 32 * 1024 };

static const pt_time view_life = PT_HOUR;
static const pt_time keys_pause = PT_MINUTE;
static const pt_time failure_pause = 5 * PT_SECOND;

struct view {
	unsigned owners; /* atomic */
	pt_time read;
	struct arena *arena;
	struct metadata metadata;
	struct jwk **keys;
	size_t n_keys;
};

struct issuer {
	struct registration us;
	pt_str url;
	pthread_mutex_t reading; /* held by the one who reads a new view; taken before `lock` */
	pt_time failed;          /* under `reading` */
	pthread_mutex_t lock;    /* of the pointer below */
	struct view *view;
};

/* The members that OpenID Connect Core 5.1 knows. Only a boolean verifies an address: a text that
 * says "true" is what some issuers send, and what others let people write. */
static const struct profile_rule openid_rule = {
	.subject = "sub",
	.full_name = { "name" },
	.avatar_url = { "picture" },
	.slug = "preferred_username",
	.own = { "email", VERIFIED_IF_TRUE, "email_verified" },
};

/* ---- views ---- */

static void view_drop(struct view **view)
{
	if (!*view || __atomic_sub_fetch(&(*view)->owners, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (size_t i = 0; i < (*view)->n_keys; i++)
		jwk_close((*view)->keys[i]);
	arena_close((*view)->arena);
	free(*view);
}

/* The one in hand if it is of the last `life`, or NULL. A clock set back makes it old. */
static struct view *view_in_hand(struct issuer *issuer, pt_time life)
{
	pt_time now = clock_now();
	struct view *view;

	pthread_mutex_lock(&issuer->lock);
	view = issuer->view;
	if (view && view->read <= now && now - view->read < life)
		__atomic_add_fetch(&view->owners, 1, __ATOMIC_RELAXED);
	else
		view = NULL;
	pthread_mutex_unlock(&issuer->lock);
	return view;
}

static void view_put(struct issuer *issuer, struct view *view)
{
	PT_OWN(view_drop) struct view *old = NULL;

	__atomic_add_fetch(&view->owners, 1, __ATOMIC_RELAXED);
	pthread_mutex_lock(&issuer->lock);
	old = issuer->view;
	issuer->view = view;
	pthread_mutex_unlock(&issuer->lock);
}

/* ---- reading one ---- */

static pt_err text_at(struct arena *scratch, const struct issuer *issuer, pt_str url, pt_str *out)
{
	pt_err err = resource_read(scratch, &issuer->us, url, PT_STR(""), out);

	return err == PT_E_NOT_FOUND ? PT_E_PROVIDER_EXCHANGE : err;
}

/* Discovery 4.1: a slash that ends the issuer is not said twice. */
static pt_err metadata_ask(struct arena *scratch, const struct issuer *issuer, struct metadata *out)
{
	struct buf b = BUF(scratch, 2 * PROVIDER_URL_MAX);
	const char *why = "";
	pt_str url, text;

	buf_str(&b, str_slice(issuer->url, 0, issuer->url.n - str_ends(issuer->url, PT_STR("/"))));
	buf_str(&b, PT_STR("/.well-known/openid-configuration"));
	TRY(buf_done(&b, &url));
	TRY(text_at(scratch, issuer, url, &text));
	pt_err err = metadata_read(scratch, text, issuer->url, issuer->us.allow_private, out, &why);
	if (err == PT_E_MALFORMED)
		return provider_refuse(&issuer->us, PT_E_PROVIDER_EXCHANGE, why);
	return err;
}

static pt_err metadata_keep(struct view *view, const struct metadata *said)
{
	struct metadata kept = *said;

	if (!arena_str(view->arena, said->authorization_endpoint, &kept.authorization_endpoint) ||
		!arena_str(view->arena, said->token_endpoint, &kept.token_endpoint) ||
		!arena_str(view->arena, said->userinfo_endpoint, &kept.userinfo_endpoint) ||
		!arena_str(view->arena, said->jwks_uri, &kept.jwks_uri))
		return fault(PT_F_MEMORY, "no room for an issuer's metadata");
	view->metadata = kept;
	return PT_OK;
}

static pt_err keys_ask(struct arena *scratch, const struct issuer *issuer, struct view *view)
{
	struct jwk **keys;
	size_t n;
	pt_str text;

	view->keys = ARENA_ARRAY(view->arena, struct jwk *, JWK_LIST_MAX);
	if (!view->keys)
		return fault(PT_F_MEMORY, "no room for an issuer's keys");
	TRY(text_at(scratch, issuer, view->metadata.jwks_uri, &text));
	pt_err err = jwk_list_from_json(scratch, text, &keys, &n);
	if (err == PT_E_MALFORMED || (err == PT_OK && n == 0))
		return provider_refuse(&issuer->us, PT_E_PROVIDER_EXCHANGE,
			"the issuer has no key that can be used here");
	TRY(err);
	for (; view->n_keys < n; view->n_keys++)
		view->keys[view->n_keys] = keys[view->n_keys];
	return PT_OK;
}

static pt_err view_read(const struct issuer *issuer, struct view **out)
{
	PT_OWN(provider_own_arena) struct arena *scratch = arena_open(PROVIDER_SCRATCH);
	PT_OWN(view_drop) struct view *view = calloc(1, sizeof(*view));
	struct metadata metadata;

	if (!view)
		return fault(PT_F_MEMORY, "no room to look at an issuer");
	view->owners = 1;
	view->read = clock_now();
	view->arena = arena_open(VIEW_STRINGS);
	if (!view->arena || !scratch)
		return fault(PT_F_MEMORY, "no room to look at an issuer");
	TRY(metadata_ask(scratch, issuer, &metadata));
	TRY(metadata_keep(view, &metadata));
	TRY(keys_ask(scratch, issuer, view));
	*out = PT_GIVE(view);
	return PT_OK;
}

/* Under `reading`. Who waited for it finds what another has just read, or that it could not. */
static pt_err view_renew(struct issuer *issuer, pt_time life, struct view **out)
{
	struct view *view = view_in_hand(issuer, life);
	pt_time now = clock_now();

	if (!view) {
		if (issuer->failed != 0 && issuer->failed <= now &&
			now - issuer->failed < failure_pause)
			return provider_refuse(&issuer->us, PT_E_PROVIDER_EXCHANGE,
				"the issuer did not answer a moment ago");
		pt_err err = view_read(issuer, &view);
		issuer->failed = err == PT_OK ? 0 : clock_now();
		TRY(err);
		view_put(issuer, view);
	}
	*out = view;
	return PT_OK;
}

/* What the issuer said within the last `life`; the caller's share ends with view_drop. */
static pt_err view_take(struct issuer *issuer, pt_time life, struct view **out)
{
	struct view *view = view_in_hand(issuer, life);

	if (view) {
		*out = view;
		return PT_OK;
	}
	pthread_mutex_lock(&issuer->reading);
	pt_err err = view_renew(issuer, life, out);
	pthread_mutex_unlock(&issuer->reading);
	return err;
}

/* ---- the address ---- */

pt_err oidc_authorize(
	void *context, pt_arena *arena, const struct pt_provider_ask *ask, pt_str *url)
{
	struct issuer *issuer = context;
	PT_OWN(view_drop) struct view *view = NULL;

	if (ask->nonce.n == 0)
		return fault(PT_F_BUG, "an OpenID Connect sign-in without a nonce");
	TRY(view_take(issuer, view_life, &view));
	return provider_address(arena, &issuer->us, view->metadata.authorization_endpoint, ask,
		view->metadata.has_pkce, true, url);
}

/* ---- the profile ---- */

static pt_err signature_judge(
	struct arena *scratch, const struct view *view, pt_str token, struct jwt_verdict *out)
{
	return jwt_judge(scratch, (const struct jwk *const *)view->keys, view->n_keys, PT_STR(""),
		token, out);
}

/* An issuer may have turned its keys since we looked: one that we do not know sends us to look again,
 * but not more than once a minute, whatever comes. */
static pt_err claims_read(
	struct arena *scratch, struct issuer *issuer, pt_str token, struct json_value *claims)
{
	PT_OWN(view_drop) struct view *view = NULL, *newer = NULL;
	struct jwt_verdict verdict;

	TRY(view_take(issuer, view_life, &view));
	pt_err err = signature_judge(scratch, view, token, &verdict);
	if (err == PT_E_TOKEN && (verdict.flaw == JWT_SIGNATURE || verdict.flaw == JWT_ALGORITHM)) {
		TRY(view_take(issuer, keys_pause, &newer));
		err = signature_judge(scratch, newer, token, &verdict);
	}
	if (err == PT_OK)
		*claims = verdict.claims;
	return err;
}

static pt_err token_judge(struct arena *scratch, struct issuer *issuer, pt_str token, pt_str nonce,
	struct json_value *claims)
{
	const struct id_token_terms terms = {
		.issuer = issuer->url,
		.client_id = issuer->us.client_id,
		.nonce = nonce,
		.now = clock_now(),
	};
	const char *why = "the ID token does not bear the issuer's signature";

	pt_err err = claims_read(scratch, issuer, token, claims);
	if (err == PT_OK)
		err = id_token_check(claims, &terms, &why);
	return err == PT_E_TOKEN ? provider_refuse(&issuer->us, PT_E_PROVIDER_PROFILE, why) : err;
}

/* Core 5.3.2: what it says counts only if it speaks of the same one. */
static pt_err userinfo_ask(struct arena *scratch, const struct issuer *issuer,
	const struct view *view, pt_str token, pt_str subject, struct json_value *out)
{
	struct json_value info;
	pt_str text;

	pt_err err =
		resource_read(scratch, &issuer->us, view->metadata.userinfo_endpoint, token, &text);
	if (err == PT_E_NOT_FOUND)
		return PT_E_PROVIDER_PROFILE;
	TRY(err);
	err = json_read(scratch, text, &info);
	if (err == PT_E_MALFORMED)
		return provider_refuse(
			&issuer->us, PT_E_PROVIDER_PROFILE, "the userinfo is not JSON");
	TRY(err);
	if (!str_eq(profile_text(&info, "sub", PROVIDER_SUBJECT_MAX), subject))
		return provider_refuse(
			&issuer->us, PT_E_PROVIDER_PROFILE, "the userinfo is of somebody else");
	*out = info;
	return PT_OK;
}

static pt_err person_read(struct arena *scratch, struct issuer *issuer, const struct view *view,
	const struct token_answer *token, pt_str nonce, struct pt_profile *out)
{
	struct json_value claims;
	const char *why = "";

	TRY(token_judge(scratch, issuer, token->id_token, nonce, &claims));
	pt_str subject = json_find(&claims, PT_STR("sub"))->text;
	if (profile_text(&claims, "email", PROVIDER_URL_MAX).n == 0 &&
		view->metadata.userinfo_endpoint.n > 0)
		TRY(userinfo_ask(scratch, issuer, view, token->access_token, subject, &claims));
	pt_err err = profile_read(scratch, &openid_rule, &claims, NULL, out, &why);
	return err == PT_E_MALFORMED ? provider_refuse(&issuer->us, PT_E_PROVIDER_PROFILE, why)
				     : err;
}

static pt_err oidc_profile(void *context, pt_arena *arena, const struct pt_provider_answer *answer,
	struct pt_profile *out)
{
	struct issuer *issuer = context;
	PT_OWN(provider_own_arena) struct arena *scratch = arena_open(PROVIDER_SCRATCH);
	PT_OWN(view_drop) struct view *view = NULL;
	struct token_answer token;
	struct pt_profile profile;

	if (!scratch)
		return fault(PT_F_MEMORY, "no room for a sign-in elsewhere");
	if (answer->nonce.n == 0)
		return fault(PT_F_BUG, "an OpenID Connect sign-in without a nonce");
	TRY(view_take(issuer, view_life, &view));
	const struct token_ask ask = {
		.url = view->metadata.token_endpoint,
		.is_basic = view->metadata.is_basic,
		.has_pkce = view->metadata.has_pkce,
	};
	TRY(token_exchange(scratch, &issuer->us, &ask, answer, &token));
	TRY(person_read(scratch, issuer, view, &token, answer->nonce, &profile));
	return profile_copy(arena, &profile, out);
}

/* ---- opening ---- */

pt_err oidc_open(struct registration *us, pt_str issuer, struct pt_provider *out)
{
	struct issuer *opened = calloc(1, sizeof(*opened));

	if (!opened)
		return fault(PT_F_MEMORY, "no room for an issuer");
	opened->us = *us;
	opened->url = issuer;
	pthread_mutex_init(&opened->reading, NULL);
	pthread_mutex_init(&opened->lock, NULL);
	*out = (struct pt_provider){
		.size = sizeof(*out),
		.name = opened->us.name,
		.ctx = opened,
		.authorize = oidc_authorize,
		.profile = oidc_profile,
	};
	return PT_OK;
}

void oidc_close(void *context)
{
	struct issuer *issuer = context;

	view_drop(&issuer->view);
	pthread_mutex_destroy(&issuer->reading);
	pthread_mutex_destroy(&issuer->lock);
	arena_close(issuer->us.strings);
	free(issuer);
}

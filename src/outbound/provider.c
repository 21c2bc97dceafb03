/*
 * provider.c - the verbs of one provider: the address to go to, and who came back.
 */
#include "outbound/provider.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "outbound/provider_private.h"

#include "base/banned.h"

enum {
	STRINGS = 64 * 1024,
	NAME_MAX = 64,
	ADDRESS_MAX = 16 * 1024, /* the question travels in it */
};

static const pt_str openid = PT_STR_INIT("oidc");

/* A row, and what we are there. */
struct house {
	struct registration us;
	const struct provider_row *row;
	pt_str authorize_url;
	pt_str token_url;
	pt_str profile_url;
	pt_str emails_url; /* "" without such a call */
};

/* ---- shared ---- */

pt_err provider_refuse(const struct registration *us, pt_err err, const char *reason)
{
	LOG(LOG_WARN, "provider.refused", F_CSTR("provider", us->name), F_CSTR("reason", reason));
	return err;
}

void provider_own_arena(struct arena **arena)
{
	arena_close(*arena);
}

bool provider_url_is_fine(pt_str url, bool plain_too)
{
	for (size_t i = 0; i < url.n; i++) {
		if (url.p[i] <= ' ' || url.p[i] >= 0x7F || url.p[i] == '#')
			return false;
	}
	return url.n <= PROVIDER_URL_MAX &&
	       ((str_starts(url, PT_STR("https://")) && url.n > 8) ||
		       (plain_too && str_starts(url, PT_STR("http://")) && url.n > 7));
}

/* ---- the address ---- */

static void question_add(struct buf *b, char before, const char *name, pt_str value)
{
	buf_char(b, before);
	buf_str(b, str(name));
	buf_char(b, '=');
	buf_url(b, value);
}

/* RFC 6749 4.1.1, the names in their order. */
pt_err provider_address(pt_arena *arena, const struct registration *us, pt_str endpoint,
	const struct pt_provider_ask *ask, bool pkce, bool nonce, pt_str *out)
{
	struct buf b = BUF(arena, ADDRESS_MAX);

	buf_str(&b, endpoint);
	question_add(
		&b, str_contains(endpoint, PT_STR("?")) ? '&' : '?', "client_id", us->client_id);
	if (pkce && ask->challenge.n > 0) {
		question_add(&b, '&', "code_challenge", ask->challenge);
		question_add(&b, '&', "code_challenge_method", PT_STR("S256"));
	}
	if (nonce)
		question_add(&b, '&', "nonce", ask->nonce);
	question_add(&b, '&', "redirect_uri", us->redirect_uri);
	question_add(&b, '&', "response_type", PT_STR("code"));
	question_add(&b, '&', "scope", us->scopes);
	question_add(&b, '&', "state", ask->state);
	return buf_done(&b, out);
}

static pt_err house_authorize(
	void *context, pt_arena *arena, const struct pt_provider_ask *ask, pt_str *url)
{
	const struct house *house = context;

	return provider_address(
		arena, &house->us, house->authorize_url, ask, house->row->has_pkce, false, url);
}

/* ---- the profile ---- */

/* Facebook, "Securing Graph API Requests": whoever holds the token shows that he knows the secret. */
static pt_err proof_add(
	struct arena *scratch, const struct registration *us, pt_str token, pt_str *url)
{
	struct buf b = BUF(scratch, PROVIDER_URL_MAX);
	struct pt_hash proof;

	TRY(digest_hmac(us->secret, token, &proof));
	buf_str(&b, *url);
	buf_str(&b, PT_STR("&appsecret_proof="));
	buf_hex(&b, proof.bytes, sizeof(proof.bytes));
	return buf_done(&b, url);
}

static pt_err json_at(struct arena *scratch, const struct house *house, pt_str url, pt_str token,
	struct json_value *out)
{
	pt_str text;

	if (house->row->proves_secret)
		TRY(proof_add(scratch, &house->us, token, &url));
	pt_err err = resource_read(scratch, &house->us, url, token, &text);
	if (err == PT_E_NOT_FOUND)
		return PT_E_PROVIDER_PROFILE;
	TRY(err);
	err = json_read(scratch, text, out);
	if (err == PT_E_MALFORMED)
		return provider_refuse(
			&house->us, PT_E_PROVIDER_PROFILE, "the profile's answer is not JSON");
	return err;
}

static pt_err person_read(
	struct arena *scratch, const struct house *house, pt_str token, struct pt_profile *out)
{
	struct json_value user, emails, *listed = NULL;
	const char *why = "";

	TRY(json_at(scratch, house, house->profile_url, token, &user));
	if (house->emails_url.n > 0) {
		TRY(json_at(scratch, house, house->emails_url, token, &emails));
		listed = &emails;
	}
	pt_err err = profile_read(scratch, &house->row->rule, &user, listed, out, &why);
	if (err == PT_E_MALFORMED)
		return provider_refuse(&house->us, PT_E_PROVIDER_PROFILE, why);
	return err;
}

static pt_err house_profile(void *context, pt_arena *arena, const struct pt_provider_answer *answer,
	struct pt_profile *out)
{
	const struct house *house = context;
	const struct token_ask ask = { .url = house->token_url, .has_pkce = house->row->has_pkce };
	PT_OWN(provider_own_arena) struct arena *scratch = arena_open(PROVIDER_SCRATCH);
	struct token_answer token;
	struct pt_profile profile;

	if (!scratch)
		return fault(PT_F_MEMORY, "no room for a sign-in elsewhere");
	TRY(token_exchange(scratch, &house->us, &ask, answer, &token));
	TRY(person_read(scratch, house, token.access_token, &profile));
	return profile_copy(arena, &profile, out);
}

/* ---- opening ---- */

bool provider_is_known(pt_str kind)
{
	return str_eq(kind, openid) || provider_row_find(kind) != NULL;
}

/* Of an address or a name that the operator chose: it goes into headers, logs and paths. */
static bool name_is_fine(pt_str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!(ascii_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_'))
			return false;
	}
	return name.n > 0 && name.n <= NAME_MAX;
}

static bool has_scope(pt_str scopes, pt_str wanted)
{
	pt_str scope;

	while (scopes.n > 0) {
		str_cut(scopes, ' ', &scope, &scopes);
		if (str_eq(scope, wanted))
			return true;
	}
	return false;
}

static pt_err setup_check(const struct provider_setup *setup, pt_str name)
{
	bool is_openid = str_eq(setup->kind, openid);

	if (!provider_is_known(setup->kind))
		return fault(PT_F_CONFIG, "there is no provider of this kind");
	if (!name_is_fine(name) || (is_openid && provider_row_find(name)))
		return fault(PT_F_CONFIG, "a provider's name is of a-z 0-9 - _ and its own");
	if (setup->client_id.n == 0 || setup->secret.n == 0 || setup->redirect_uri.n == 0)
		return fault(PT_F_CONFIG,
			"provider %.*s: client id, secret and redirect URI belong together",
			(int)name.n, name.p);
	if ((is_openid || setup->url.n > 0) &&
		!provider_url_is_fine(setup->url, setup->allow_private))
		return fault(PT_F_CONFIG,
			"provider %.*s: its URL must be https, or http where "
			"provider.allow_private is set",
			(int)name.n, name.p);
	if (is_openid && setup->scopes.n > 0 && !has_scope(setup->scopes, PT_STR("openid")))
		return fault(
			PT_F_CONFIG, "provider %.*s: its scopes lack openid", (int)name.n, name.p);
	return PT_OK;
}

static pt_err registration_make(
	const struct provider_setup *setup, pt_str name, pt_str scopes, struct registration *us)
{
	us->allow_private = setup->allow_private;
	us->strings = arena_open(STRINGS);
	if (us->strings)
		us->name = arena_cstr(us->strings, name);
	if (!us->name || !arena_str(us->strings, setup->client_id, &us->client_id) ||
		!arena_str(us->strings, setup->secret, &us->secret) ||
		!arena_str(us->strings, setup->redirect_uri, &us->redirect_uri) ||
		!arena_str(us->strings, setup->scopes.n > 0 ? setup->scopes : scopes, &us->scopes))
		return fault(PT_F_MEMORY, "no room for a provider");
	return PT_OK;
}

/* GitHub Enterprise keeps below a path what github.com keeps at a host of its own. */
static pt_err place_url(struct arena *arena, const struct place *place, pt_str own, pt_str *out)
{
	struct buf b = BUF(arena, 2 * PROVIDER_URL_MAX);

	if (own.n == 0) {
		buf_str(&b, PT_STR("https://"));
		buf_str(&b, str(place->host));
	} else {
		buf_str(&b, str_slice(own, 0, own.n - str_ends(own, PT_STR("/"))));
		if (!str_ends(buf_view(&b), str(place->host)))
			buf_str(&b, str(place->own_prefix));
	}
	buf_str(&b, str(place->path));
	return buf_done(&b, out);
}

static void house_free(struct house **house)
{
	if (*house)
		arena_close((*house)->us.strings);
	free(*house);
}

static pt_err house_open(
	const struct provider_setup *setup, const struct provider_row *row, struct pt_provider *out)
{
	PT_OWN(house_free) struct house *house = calloc(1, sizeof(*house));

	if (!house)
		return fault(PT_F_MEMORY, "no room for a provider");
	house->row = row;
	TRY(registration_make(setup, str(row->kind), str(row->scopes), &house->us));
	struct arena *arena = house->us.strings;
	TRY(place_url(arena, &row->authorize, setup->url, &house->authorize_url));
	TRY(place_url(arena, &row->token, setup->url, &house->token_url));
	TRY(place_url(arena, &row->profile, setup->url, &house->profile_url));
	if (row->emails.path)
		TRY(place_url(arena, &row->emails, setup->url, &house->emails_url));
	*out = (struct pt_provider){
		.size = sizeof(*out),
		.name = house->us.name,
		.authorize = house_authorize,
		.profile = house_profile,
	};
	out->ctx = PT_GIVE(house);
	return PT_OK;
}

static pt_err issuer_open(const struct provider_setup *setup, struct pt_provider *out)
{
	struct registration us = { 0 };
	pt_str issuer;

	pt_err err = registration_make(setup, setup->name, PT_STR("openid email profile"), &us);
	if (err == PT_OK && !arena_str(us.strings, setup->url, &issuer))
		err = fault(PT_F_MEMORY, "no room for a provider");
	if (err == PT_OK)
		err = oidc_open(&us, issuer, out);
	if (err != PT_OK)
		arena_close(us.strings);
	return err;
}

pt_err provider_open(const struct provider_setup *setup, struct pt_provider *out)
{
	const struct provider_row *row = provider_row_find(setup->kind);

	TRY(setup_check(setup, row ? setup->kind : setup->name));
	return row ? house_open(setup, row, out) : issuer_open(setup, out);
}

void provider_close(struct pt_provider *provider)
{
	if (!provider || !provider->ctx)
		return;
	if (provider->authorize == oidc_authorize) {
		oidc_close(provider->ctx);
	} else {
		struct house *house = provider->ctx;
		house_free(&house);
	}
	*provider = (struct pt_provider){ 0 };
}

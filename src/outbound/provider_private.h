/*
 * provider_private.h - what the files of a provider share. For provider*.c alone.
 *
 * A sign-in elsewhere in the order of these files: provider.c writes the address, provider_token.c
 * turns the code into a token and asks with it, provider_profile.c reads who that is.
 * provider_rows.c says it for each OAuth house; provider_oidc.c and provider_id_token.c for OpenID
 * Connect. Nothing that came from outside is logged, as it may hold a secret.
 */
#ifndef OUTBOUND_PROVIDER_PRIVATE_H
#define OUTBOUND_PROVIDER_PRIVATE_H

#include "base/json.h"
#include "crypt/jwk.h"
#include "outbound/provider.h"

enum {
	PROVIDER_SCRATCH = 16 * 1024 * 1024, /* for one conversation: answers of 1 MiB, and read */
	PROVIDER_URL_MAX = 2048,
	PROVIDER_SUBJECT_MAX = 255, /* OpenID Connect Core 2 */
};

/* Who we are there. */
struct registration {
	struct arena *strings; /* the secret among them: wiped with it */
	const char *name;      /* of the provider */
	pt_str client_id;
	pt_str secret;
	pt_str redirect_uri;
	pt_str scopes;
	bool allow_private;
};

/* One line for the operator; answers `err`. */
pt_err provider_refuse(const struct registration *us, pt_err err, const char *reason);

void provider_own_arena(struct arena **arena);

/* ---- the address: provider.c ---- */

/* `pkce`, `nonce`: whether that part of the question goes along. */
PT_CHECK pt_err provider_address(pt_arena *arena, const struct registration *us, pt_str endpoint,
	const struct pt_provider_ask *ask, bool pkce, bool nonce, pt_str *out);

/* An address that a browser or we may be sent to. */
bool provider_url_is_fine(pt_str url, bool plain_too);

/* ---- the token: provider_token.c ---- */

struct token_answer {
	pt_str access_token;
	pt_str id_token; /* "" unless OpenID Connect */
	pt_str error;    /* not "": the provider says no, and this is a word that may be logged */
};

/* JSON, or a form as GitHub may send it. PT_E_MALFORMED: neither, or without a bearer token. */
PT_CHECK pt_err token_answer_read(struct arena *arena, pt_str body, struct token_answer *out);

struct token_ask {
	pt_str url;
	bool is_basic; /* credentials in the header instead of the form (RFC 6749 2.3.1) */
	bool has_pkce;
};

/* PT_E_PROVIDER_EXCHANGE. */
PT_CHECK pt_err token_exchange(struct arena *scratch, const struct registration *us,
	const struct token_ask *ask, const struct pt_provider_answer *answer,
	struct token_answer *out);

/* What stands at `url`, as text: with the token, or for anybody when it is "". PT_E_NOT_FOUND, told
 * to the operator: there was no answer of 2xx. */
PT_CHECK pt_err resource_read(struct arena *scratch, const struct registration *us, pt_str url,
	pt_str token, pt_str *out);

/* ---- the profile: provider_profile.c ---- */

/* At most `max` bytes, and no control characters. */
bool profile_text_is_fine(pt_str text, size_t max);

/* The text at a path of members, "links.avatar.href"; "" where there is none that is fine. */
pt_str profile_text(const struct json_value *object, const char *path, size_t max);

/* An address counts once it is fine; past PT_PROFILE_EMAILS only the primary one finds room. */
void profile_add_email(struct pt_profile *profile, struct pt_profile_email email);

/* Which members make a profile. NULL stands for none. */
struct profile_rule {
	const char *subject;
	const char *full_name[2];  /* joined by a space */
	const char *avatar_url[2]; /* the first that is there */
	const char *slug;

	/* The address within the profile, which is the primary one. */
	struct {
		const char *address;
		enum { VERIFIED_IF_TRUE, VERIFIED_IF_THERE, VERIFIED_ALWAYS } how;
		const char *verified;
	} own;

	/* The addresses that a call of its own lists. */
	struct {
		const char *list; /* where the list stands; NULL: the answer is the list */
		const char *address;
		const char *verified;
		const char *primary;
	} listed;
};

/* Views into the answers, and the arena. `emails` NULL: there was no such call. PT_E_MALFORMED with
 * the reason. */
PT_CHECK pt_err profile_read(struct arena *arena, const struct profile_rule *rule,
	const struct json_value *user, const struct json_value *emails, struct pt_profile *out,
	const char **why);

PT_CHECK pt_err profile_copy(
	pt_arena *arena, const struct pt_profile *profile, struct pt_profile *out);

/* ---- the rows: provider_rows.c ---- */

struct place {
	const char *host;
	const char *path;
	const char *own_prefix; /* stands before the path where the operator names another host */
};

struct provider_row {
	const char *kind;
	const char *scopes;
	struct place authorize, token, profile, emails; /* no emails: no such call */
	bool has_pkce;
	bool proves_secret; /* profile calls bear Facebook's appsecret_proof */
	struct profile_rule rule;
};

const struct provider_row *provider_row_find(pt_str kind);

/* ---- OpenID Connect: provider_id_token.c, provider_oidc.c ---- */

struct id_token_terms {
	pt_str issuer;
	pt_str client_id;
	pt_str nonce;
	pt_time now;
};

/* What OpenID Connect Core 3.1.3.7 asks of the claims, once the signature is found right. PT_E_TOKEN
 * with the reason. */
PT_CHECK pt_err id_token_check(
	const struct json_value *claims, const struct id_token_terms *terms, const char **why);

/* What an issuer says of itself. */
struct metadata {
	pt_str authorization_endpoint;
	pt_str token_endpoint;
	pt_str userinfo_endpoint; /* "" has none */
	pt_str jwks_uri;
	bool has_pkce;
	bool is_basic;
};

/* OpenID Connect Discovery 4.2, 4.3. PT_E_MALFORMED with the reason. */
PT_CHECK pt_err metadata_read(struct arena *arena, pt_str text, pt_str issuer, bool plain_too,
	struct metadata *out, const char **why);

/* Takes the registration. `issuer` lives as long as it. */
PT_CHECK pt_err oidc_open(struct registration *us, pt_str issuer, struct pt_provider *out);
void oidc_close(void *context);
pt_err oidc_authorize(
	void *context, pt_arena *arena, const struct pt_provider_ask *ask, pt_str *url);

#endif

/*
 * gotrue.h - what one site of the GoTrue dialect is set up with: from our settings, or from the JSON
 * of an instance where one server has many.
 */
#ifndef SERVER_GOTRUE_H
#define SERVER_GOTRUE_H

#include "portress/portress.h"
#include "server/config.h"
#include "surface/surface.h"

enum gotrue_letter {
	GOTRUE_INVITE,
	GOTRUE_CONFIRMATION,
	GOTRUE_RECOVERY,
	GOTRUE_EMAIL_CHANGE,
	GOTRUE_LETTERS
};

enum { GOTRUE_PROVIDERS = 6 };

struct gotrue_options {
	pt_str site_url;
	pt_str redirect_url;
	pt_str secret; /* signs access tokens; "" derives it */
	pt_str audience;
	pt_str admin_group;
	pt_str default_group;
	pt_str saml_label;
	pt_str cookie_key;
	bool files;    /* its letters' templates may be files: never of an instance */
	bool at_pages; /* no application is named: its links lead to the pages beside it */
	bool signup_off;
	bool autoconfirm;
	bool email_off;
	pt_time token_life;
	pt_time refresh_life;
	pt_time confirmation_life;
	pt_time recovery_life;
	pt_time invite_life;
	pt_time mail_pause;
	pt_time cookie_life; /* 0: no cookies */
	struct {
		pt_str subject;
		pt_str body;
		pt_str path;
	} letters[GOTRUE_LETTERS];
	struct gotrue_provider_options {
		const char *kind; /* "github" */
		pt_str name;      /* the kind, unless it is "oidc" */
		bool enabled;
		pt_str client_id;
		pt_str secret;
		pt_str redirect_uri;
		pt_str url;
		pt_str scopes;
	} providers[GOTRUE_PROVIDERS];
	struct {
		pt_str url;
		pt_str secret;
		int tries;
		pt_time try_time;
		pt_str events; /* comma separated */
	} webhook;
	struct gotrue_mail_options { /* of an instance; "" and 0: it does not say */
		pt_str host;
		int port;
		pt_str user;
		pt_str pass;
		pt_str from;
	} mail;
};

void gotrue_options_make(const struct config *config, struct gotrue_options *out);

/*
 * Of an instance: `base` lends its providers, and what else is the same for all; anything else is as
 * GoTrue has it where the JSON says nothing. PT_F_CONFIG: *why names what cannot be used.
 */
PT_CHECK pt_err gotrue_instance_read(struct arena *arena, const struct gotrue_options *base,
	pt_str json, struct gotrue_options *out, const char **why);

/* The rules of such a site; `base` holds the server's own for passwords, hashes and limits. */
void gotrue_policy_make(
	const struct gotrue_options *options, const struct pt_policy *base, struct pt_policy *out);

/* Links, subjects and bodies of its letters, by enum pt_letter_kind. */
PT_CHECK pt_err gotrue_looks_make(struct arena *arena, const struct gotrue_options *options,
	pt_str site_url, struct pt_letter_look looks[PT_LETTER_LOOKS]);

/* All of an OAuth client is set. */
bool gotrue_provider_is_whole(const struct gotrue_provider_options *provider);

#endif

/*
 * surface.h - the dialects as one HTTP application: what the server hands to the engine.
 *
 * A mount has a site of its own: the same store looked at by another policy.
 */
#ifndef SURFACE_SURFACE_H
#define SURFACE_SURFACE_H

#include "base/template.h"
#include "http/engine.h"
#include "portress/courier.h"
#include "portress/portress.h"

/* Where the sources of the Identoro dialect disagree (docs/dialects/identoro.md). */
enum pages_profile { PAGES_README, PAGES_G1, PAGES_G2 };

struct pages_setup {
	bool on;
	pt_str mount; /* "/" or "/auth": no slash at the end unless it is all */
	enum pages_profile profile;
	bool csrf;
	bool tokens;           /* JWT mode: sign-in gives tokens */
	bool signup_sent_page; /* browsers see /signup/sent after signing up */
	pt_str captcha_site_key;
	bool dev_mailbox; /* /dev/mailbox exists */
};

/* What one site of the GoTrue dialect says to its clients; the rest of it is its pt_site's policy. */
struct gotrue_site {
	struct pt_site *site;
	pt_str instance;        /* UUID; all zero in a server of one site */
	pt_str site_url;        /* where browsers are sent back to; its host's referrers are kept */
	pt_str redirect_url;    /* they are all sent there instead; "" none */
	pt_str admin_group;     /* role that may administer its audience: "admin" */
	int64_t token_seconds;  /* expires_in */
	pt_str cookie_key;      /* "nf_jwt" */
	int64_t cookie_seconds; /* negative: no cookies */
	bool email_off;         /* nobody signs up or in by address */
	pt_str saml_label;      /* "" none; SAML itself is not offered */
	/* All that are switched on; the site holds those of them that are set up wholly. */
	struct gotrue_provider {
		pt_str name;
		bool client_id, secret, redirect_uri; /* set */
	} providers[8];
	size_t n_providers;
};

/* One of many sites, as a request names it. */
struct gotrue_tenant {
	const struct pt_tenant *tenant;
	pt_str site_url; /* in place of the configuration's; "" none */
	pt_str hooks; /* {"signup":["/.netlify/functions/x"],"login":"..."}: asked and told unless the
			  * configuration has a webhook; signed with its jwt.secret; "" none */
};

struct gotrue_setup {
	bool on;
	pt_str mount;            /* "/gotrue", or "/" */
	struct gotrue_site site; /* unless `many` */
	pt_str operator_token;   /* "": there is no operator */
	pt_str export_secret;    /* "": nobody moves out */
	pt_str endpoint;         /* told when an instance is made */
	pt_str limit_header;     /* requests to /token are counted by it; "" none */
	pt_str request_id_header;
	pt_str origins;     /* comma separated: those that may send credentials across origins */
	bool state_unbound; /* sign-in elsewhere is not bound to the browser by a cookie */
	bool query_credentials; /* /token reads credentials from the query as well */
	/* Many sites in one: each request names its own in x-nf-sign. */
	bool many;
	struct pt_site *operator_site; /* whose tenants the instances are: pt_tenant_* */
	/* Opens a site from an instance's configuration. What it is given is borrowed while it runs; what
	 * *out points to lives until site_close. PT_F_CONFIG: *why. Called on any thread, several at once. */
	pt_err (*site_open)(void *ctx, const struct gotrue_tenant *tenant, struct gotrue_site *out,
		const char **why);
	void (*site_close)(void *ctx, struct gotrue_site *site);
	void *sites_ctx;
};

/* An account as the JSON that GoTrue's clients and hooks read. */
struct buf;
pt_err gotrue_user_write(struct buf *out, const struct pt_account *account);

/* A file that is served as it is: style sheets, scripts. */
struct surface_asset {
	pt_str name; /* "portress.css" */
	pt_str data;
};

struct surface_setup {
	struct pt_site *site;
	struct pt_mailbox mailbox; /* when pages.dev_mailbox */
	const struct template_set *templates;
	const struct value *texts; /* the catalogue of texts, as `t` */
	const struct surface_asset *assets;
	size_t n_assets;
	pt_str origin; /* "https://id.example.org": scheme and authority of the public URL */
	bool secure_cookies;
	pt_str app_name;
	pt_str help_url;
	pt_str privacy_url;
	pt_str terms_url;
	struct pages_setup pages;
	struct gotrue_setup gotrue;
	/* Metrics and readiness, told by the server. Text lives in the arena. */
	pt_err (*metrics)(void *ctx, pt_arena *arena, pt_str *text);
	pt_err (*ready)(void *ctx, pt_arena *arena, pt_str *why);
	void *ops_ctx;
	bool metrics_public; /* /metrics also outside the operator's listener */
	bool log_requests;   /* one line for each answer */
};

struct surface;

/* PT_F_CONFIG: a template is missing. Everything in the setup must outlive the surface. */
PT_CHECK pt_err surface_open(const struct surface_setup *setup, struct surface **out);
void surface_close(struct surface *surface);

/* Swaps templates and texts while running (HUP); the old ones stay valid until the next swap. */
void surface_reload(
	struct surface *surface, const struct template_set *templates, const struct value *texts);

const struct http_app *surface_app(struct surface *surface);

/* Answers so far, by status / 100. */
struct surface_counts {
	uint64_t answers[6];
};
void surface_counts(const struct surface *surface, struct surface_counts *out);

/* One row per route, "POST", "/signup", "csrf", for documentation and coverage questions. */
void surface_routes(const struct surface *surface,
	void (*row)(void *ctx, const char *methods, const char *path, const char *gates),
	void *ctx);

#endif

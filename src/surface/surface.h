/*
 * surface.h - the dialects as one HTTP application: what the server hands to the engine.
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

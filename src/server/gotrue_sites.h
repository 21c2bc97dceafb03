/*
 * gotrue_sites.h - the sites of the GoTrue dialect, open: one, or many over one store.
 *
 * With each goes who it asks: its webhook, and where else people may sign in.
 */
#ifndef SERVER_GOTRUE_SITES_H
#define SERVER_GOTRUE_SITES_H

#include "portress/hook.h"
#include "portress/store.h"
#include "server/settings.h"

struct gotrue_sites;

/* Everything must outlive the sites. fetch_open comes before, where gotrue_sites_fetch says so. */
struct gotrue_sites_setup {
	const struct settings *settings;
	const struct pt_store *store;
	pt_err (*post)(void *ctx, pt_arena *arena, const struct pt_letter *letter);
	void (*letter_waits)(void *ctx);
	void *ctx; /* of both */
};

PT_CHECK pt_err gotrue_sites_open(
	const struct gotrue_sites_setup *setup, struct gotrue_sites **out);
/* What is open still is closed. NULL is fine. */
void gotrue_sites_close(struct gotrue_sites *sites);

/* The one site; where there are many, the one whose tenants they are. PT_F_CONFIG: a log line says why. */
PT_CHECK pt_err gotrue_sites_own(struct gotrue_sites *sites, struct gotrue_site *out);

/* As gotrue_setup.site_open and site_close. */
pt_err gotrue_sites_instance(
	void *sites, const struct gotrue_tenant *tenant, struct gotrue_site *out, const char **why);
void gotrue_sites_leave(void *sites, struct gotrue_site *site);

/* Somebody may have to be told something some day. */
bool gotrue_sites_tell(const struct gotrue_sites *sites);

/* As outbox_setup.hooks. */
const struct pt_hooks *gotrue_sites_hooks(void *sites, pt_str tenant);

/* Others will be asked over HTTP. */
bool gotrue_sites_fetch(const struct settings *settings);

#endif

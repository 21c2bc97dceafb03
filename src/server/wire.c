/*
 * wire.c - who knows whom.
 *
 *	settings -> listeners, look, key file, jail -> store -> sites -> outbox -> surface -> engine
 *
 * Closed in the other direction. The letter's way: an act writes it into the store and wakes the
 * outbox, whose composer needs the site's letter key: so the outbox is opened behind the sites, and
 * they find it through this struct. All sites share the store and the root key, and with it the key
 * of letters: one outbox carries them all.
 */
#include "server/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/fetch.h"
#include "base/log.h"
#include "base/module.h"
#include "base/resolve.h"
#include "base/str.h"
#include "core/site.h"
#include "crypt/password.h"
#include "outbound/outbox.h"
#include "portress/act.h"
#include "server/gotrue_mail.h"
#include "server/gotrue_sites.h"
#include "server/help.h"
#include "server/keeper.h"
#include "server/keyfile.h"
#include "server/keyring.h"
#include "server/look.h"
#include "server/metrics.h"
#include "server/notify.h"
#include "server/signals.h"

#include "base/banned.h"

enum { PATH_BYTES = 4096, COURIERS = 16 };

struct server {
	struct config *config;
	struct settings *settings;
	struct listeners listeners;
	struct privdrop_plan jail;
	struct look *look;
	struct look *look_first;  /* its style sheets and scripts are served to the end */
	struct look *look_before; /* calls and letters in hand may still use it */
	char ui_dir[PATH_BYTES];
	struct pt_store store;
	bool has_store;
	struct pt_site *pages;
	struct gotrue_sites *gotrue_sites;
	struct gotrue_site gotrue;
	struct pt_site *site;     /* the first of them */
	char signing[PATH_BYTES]; /* the file of signing keys, where it can be read again */
	struct pt_captcha captcha;
	bool has_captcha;
	struct pt_courier courier;
	bool has_courier;
	struct couriers *couriers; /* of instances with a mail server of their own */
	struct composer composer;
	struct outbox *outbox;
	struct surface *surface;
	struct workers *workers;
	struct keeper *keeper;
	struct http_engine *engine;
};

/* ---- before the jail ---- */

static pt_err ui_dir_inside(struct server *s)
{
	pt_str dir = config_text(s->config, SET_UI_DIR);
	const char *path = arena_cstr(s->config->arena, dir);

	s->ui_dir[0] = '\0';
	if (!path)
		return PT_F_MEMORY;
	if (dir.n > 0 && !privdrop_inside(&s->jail, path, s->ui_dir))
		log_say(LOG_INFO, "look.fixed",
			"%s lies outside of the jail: it is read at start only", path);
	return PT_OK;
}

static pt_err root_read(struct config *config, struct settings *settings)
{
	const char *path;

	if (settings->keys.root.n > 0)
		return PT_OK;
	path = arena_cstr(config->arena, config_text(config, SET_KEYS_FILE));
	if (!path)
		return PT_F_MEMORY;
	return keyfile_load(config->arena, path, &settings->keys.root);
}

static pt_err keys_read(struct config *config, struct settings *settings)
{
	pt_str file = config_text(config, SET_KEYS_SIGNING);
	const char *path;

	TRY(root_read(config, settings));
	if (file.n == 0)
		return PT_OK;
	path = arena_cstr(config->arena, file);
	if (!path)
		return PT_F_MEMORY;
	return keyring_load(config->arena, path, &settings->keys.signing);
}

static pt_err signing_inside(struct server *s)
{
	const char *path = arena_cstr(s->config->arena, config_text(s->config, SET_KEYS_SIGNING));

	if (!path)
		return PT_F_MEMORY;
	if (path[0] && !s->jail.drop)
		snprintf(s->signing, sizeof(s->signing), "%s", path);
	else if (path[0] && !privdrop_inside(&s->jail, path, s->signing))
		log_say(LOG_INFO, "keys.fixed",
			"%s lies outside of the jail: it is read at start only", path);
	return PT_OK;
}

/* Libraries, authorities and name servers are out of reach later. */
static pt_err modules_open(const struct server *s)
{
	const struct fetch_setup fetch = { config_text(s->config, SET_CA_FILE) };

	TRY(crypt_open());
	if (s->settings->has_mail || s->settings->policy.captcha || gotrue_sites_fetch(s->settings))
		TRY(fetch_open(&fetch));
	if (s->settings->sqlite_path.n > 0)
		return PT_OK;
	TRY(resolve_open());
	if (s->settings->is_mysql)
		return module_open("libmariadb.so.3", "libmariadb3", NULL, 0);
	return module_open("libpq.so.5", "libpq5", NULL, 0);
}

static pt_err sqlite_inside(struct server *s)
{
	struct buf b = BUF(s->config->arena, PATH_BYTES + 16);

	if (!s->jail.drop || s->settings->sqlite_path.n == 0)
		return PT_OK;
	buf_printf(&b, "sqlite:%s", s->jail.database);
	return buf_done(&b, &s->settings->store.url);
}

static pt_err prepare(struct server *s)
{
	TRY(modules_open(s));
	TRY(look_open(config_text(s->config, SET_UI_DIR), &s->look));
	s->look_first = s->look;
	TRY(ui_dir_inside(s));
	TRY(keys_read(s->config, s->settings));
	TRY(signing_inside(s));
	TRY(sqlite_inside(s));
	notify_open();
	return privdrop_apply(&s->jail);
}

/* ---- behind it ---- */

static void wake_outbox(void *ctx)
{
	struct server *s = ctx;

	if (s->outbox)
		outbox_wake(s->outbox);
}

/* A letter that goes out before its act is answered. */
static pt_err post(void *ctx, pt_arena *arena, const struct pt_letter *letter)
{
	struct server *s = ctx;

	return outbox_post(s->outbox, arena, letter);
}

static pt_err open_pages(struct server *s)
{
	struct pt_keys keys = s->settings->keys;
	const struct pt_site_setup setup = {
		.size = sizeof(setup),
		.policy = &s->settings->policy,
		.keys = &keys,
		.store = &s->store,
		.store_shared = true,
		.audience = s->settings->gotrue_site.audience,
		.default_role = s->settings->gotrue_site.default_group,
		.captcha = s->has_captcha ? &s->captcha : NULL,
		.public_url = s->settings->public_url,
		.hooks = s->gotrue_sites ? gotrue_sites_hooks(s->gotrue_sites, PT_STR("")) : NULL,
		.letter_waits = wake_outbox,
		.letter_waits_ctx = s,
	};

	if (!s->settings->pages.tokens)
		keys.access = PT_STR("");
	return pt_site_open(&setup, &s->pages);
}

static pt_err open_gotrue(struct server *s)
{
	const struct gotrue_sites_setup setup = {
		.settings = s->settings,
		.store = &s->store,
		.post = post,
		.letter_waits = wake_outbox,
		.ctx = s,
	};

	TRY(gotrue_sites_open(&setup, &s->gotrue_sites));
	return gotrue_sites_own(s->gotrue_sites, &s->gotrue);
}

static pt_err open_sites(struct server *s)
{
	TRY(store_open(&s->settings->store, &s->store));
	s->has_store = true;
	if (s->settings->gotrue.on)
		TRY(open_gotrue(s));
	/* Behind it: nobody passes by its webhook through the pages. */
	if (s->settings->pages.on)
		TRY(open_pages(s));
	s->site = s->settings->pages.on ? s->pages : s->gotrue.site;
	return PT_OK;
}

static pt_err open_outbox(struct server *s)
{
	struct outbox_setup setup = {
		.store = &s->store,
		.composer = &s->composer,
		.courier = s->has_courier ? &s->courier : NULL,
		.couriers = s->couriers,
		.per_hour = (int)config_number(s->config, SET_LIMIT_MAIL),
		.hooks = s->gotrue_sites && gotrue_sites_tell(s->gotrue_sites) ? gotrue_sites_hooks
									       : NULL,
		.hooks_ctx = s->gotrue_sites,
	};

	s->composer = (struct composer){
		.templates = s->look->templates,
		.texts = s->look->texts,
		.app = config_text(s->config, SET_UI_APP),
		.allow_private = s->settings->webhook_private,
	};
	site_letter_key(s->site, &s->composer.letter_key);
	return outbox_open(&setup, &s->outbox);
}

static pt_err open_couriers(struct server *s)
{
	const struct couriers_setup setup = { COURIERS, gotrue_mail_open, smtp_close, s->settings };

	return couriers_open(&setup, &s->couriers);
}

static pt_err open_outbound(struct server *s)
{
	if (s->settings->policy.captcha) {
		TRY(captcha_open(&s->settings->captcha, &s->captcha));
		s->has_captcha = true;
	}
	if (s->settings->has_mail) {
		TRY(smtp_open(&s->settings->smtp, &s->courier));
		s->has_courier = true;
	}
	return s->settings->gotrue.many ? open_couriers(s) : PT_OK;
}

static pt_err metrics(void *ctx, pt_arena *arena, pt_str *text)
{
	const struct server *s = ctx;
	const struct metrics_sources sources = { s->surface, s->engine, s->workers, s->outbox,
		&s->store };

	return metrics_text(&sources, arena, text);
}

static pt_err ready(void *ctx, pt_arena *arena, pt_str *why)
{
	const struct server *s = ctx;

	return pt_site_check(s->site, arena, why);
}

static struct gotrue_setup gotrue_setup(struct server *s)
{
	struct gotrue_setup setup = s->settings->gotrue;

	setup.site = s->gotrue;
	setup.operator_site = s->gotrue.site;
	setup.site_open = gotrue_sites_instance;
	setup.site_close = gotrue_sites_leave;
	setup.sites_ctx = s->gotrue_sites;
	return setup;
}

static pt_err open_surface(struct server *s)
{
	const struct config *c = s->config;
	const struct surface_setup setup = {
		.site = s->site,
		.mailbox = outbox_mailbox(s->outbox),
		.templates = s->look->templates,
		.texts = s->look->texts,
		.assets = s->look->assets,
		.n_assets = s->look->n_assets,
		.origin = s->settings->origin,
		.secure_cookies = s->settings->secure_cookies,
		.app_name = config_text(c, SET_UI_APP),
		.help_url = config_text(c, SET_UI_HELP),
		.privacy_url = config_text(c, SET_UI_PRIVACY),
		.terms_url = config_text(c, SET_UI_TERMS),
		.pages = s->settings->pages,
		.gotrue = gotrue_setup(s),
		.metrics = metrics,
		.ready = ready,
		.ops_ctx = s,
		.metrics_public = config_true(c, SET_METRICS_PUBLIC),
		.log_requests = config_true(c, SET_LOG_REQUESTS),
	};

	return surface_open(&setup, &s->surface);
}

static pt_err open_engine(struct server *s)
{
	const struct http_setup setup = {
		.app = surface_app(s->surface),
		.workers = workers_http(s->workers),
		.limits = &s->settings->limits,
		.trusted = &s->settings->trusted,
		.listeners = s->listeners.items,
		.n_listeners = s->listeners.n,
		.loops = s->settings->loops,
	};

	TRY(http_engine_open(&setup, &s->engine));
	/* They are the engine's now. */
	for (size_t i = 0; i < s->listeners.n; i++)
		s->listeners.items[i].fd = -1;
	return http_engine_start(s->engine);
}

static pt_err start(struct server *s)
{
	const struct workers_setup *workers = &s->settings->workers;

	TRY(signals_open());
	TRY(open_outbound(s));
	password_gate(workers->hashes_at_once, workers->hash_queue);
	TRY(open_sites(s));
	TRY(open_outbox(s));
	TRY(open_surface(s));
	TRY(workers_open(workers, &s->workers));
	TRY(keeper_open(&s->store, s->site, &s->keeper));
	return open_engine(s);
}

/* ---- telling ---- */

static void tell_listening(const struct server *s)
{
	for (size_t i = 0; i < s->settings->listen.n; i++)
		LOG(LOG_INFO, "http.listening", F_CSTR("at", s->settings->listen.items[i].text));
	for (size_t i = 0; i < s->settings->ops.n; i++)
		LOG(LOG_INFO, "http.listening", F_CSTR("at", s->settings->ops.items[i].text),
			F_BOOL("ops", true));
}

static void tell_mailbox(const struct server *s)
{
	pt_str url = s->settings->public_url;

	if (s->settings->pages.dev_mailbox)
		log_say(LOG_INFO, "mailbox.open",
			"no mail server is set: letters are shown at "
			"%.*s/dev/mailbox",
			(int)url.n, url.p);
	else if (!s->settings->has_mail)
		log_say(LOG_WARN, "mailbox.none", "no mail server is set: nobody gets any letter%s",
			s->settings->gotrue.many ? ", but of sites that have one" : "");
}

static void tell(const struct server *s)
{
	pt_str url = s->settings->public_url;

	if (s->config->as == AS_IDENTORO) {
		fprintf(stdout, "portress %s\n", pt_version());
		help_config(stdout, s->config);
		fflush(stdout);
	}
	tell_listening(s);
	tell_mailbox(s);
	log_say(LOG_INFO, "server.ready", "portress %s serves %.*s%s", pt_version(), (int)url.n,
		url.p, pt_has_test_hooks() ? " (a test build: not for people)" : "");
}

/* ---- while it runs ---- */

static void reload_look(struct server *s)
{
	pt_str dir = s->jail.drop ? str(s->ui_dir) : config_text(s->config, SET_UI_DIR);
	struct look *fresh;

	if (s->jail.drop && config_text(s->config, SET_UI_DIR).n > 0 && dir.n == 0) {
		log_say(LOG_WARN, "look.fixed",
			"the templates lie outside of the jail: start again to "
			"read them");
		return;
	}
	if (look_open(dir, &fresh) == PT_OK) {
		surface_reload(s->surface, fresh->templates, fresh->texts);
		__atomic_store_n(&s->composer.templates, fresh->templates, __ATOMIC_RELEASE);
		__atomic_store_n(&s->composer.texts, fresh->texts, __ATOMIC_RELEASE);
		/* Whoever began with the last one has had until this reload to end. */
		look_close(s->look_before);
		s->look_before = s->look == s->look_first ? NULL : s->look;
		s->look = fresh;
		log_say(LOG_INFO, "look.reloaded", "templates and texts were read again");
	} else {
		log_say(LOG_ERROR, "look.kept",
			"the templates were not changed: mend what is said above");
	}
}

/* Of many sites each has a secret of its own, and none of these keys. */
static pt_err rekey(struct server *s, pt_str jwks)
{
	if (s->pages)
		TRY(pt_site_rekey(s->pages, jwks));
	if (s->gotrue.site && !s->settings->gotrue.many)
		TRY(pt_site_rekey(s->gotrue.site, jwks));
	return PT_OK;
}

static void reload_keys(struct server *s)
{
	struct arena *arena;
	pt_str jwks;

	if (!s->signing[0])
		return;
	arena = arena_open(MIB);
	pt_err err = arena ? keyring_reload(arena, s->signing, &jwks) : PT_F_MEMORY;
	if (err == PT_OK)
		err = rekey(s, jwks);
	if (err == PT_OK)
		log_say(LOG_INFO, "keys.reloaded", "the signing keys were read again");
	else
		log_say(LOG_ERROR, "keys.kept",
			"the signing keys were not changed: mend what is said above");
	arena_close(arena);
}

static void reload(struct server *s)
{
	notify_reloading();
	reload_look(s);
	reload_keys(s);
	notify("READY=1");
}

static void wait_for_the_end(struct server *s)
{
	while (signals_wait() == ASKED_RELOAD)
		reload(s);
	log_say(LOG_INFO, "server.stopping", "Shutting down server...");
	notify("STOPPING=1");
	if (!http_engine_drain(s->engine, config_number(s->config, SET_SHUTDOWN_GRACE)))
		log_say(LOG_WARN, "server.cut",
			"requests that took longer than the grace were cut off");
}

/* Half-open is fine: each part says NULL is. */
static void stop(struct server *s)
{
	/* First the workers: an answer in hand goes to a loop that is still there. */
	workers_close(s->engine ? s->workers : NULL);
	http_engine_close(s->engine);
	if (!s->engine)
		workers_close(s->workers);
	keeper_close(s->keeper);
	outbox_close(s->outbox, config_number(s->config, SET_SHUTDOWN_GRACE));
	surface_close(s->surface);
	gotrue_sites_close(s->gotrue_sites);
	pt_site_close(s->pages);
	if (s->has_store)
		s->store.close(s->store.ctx);
	couriers_close(s->couriers);
	if (s->has_courier)
		smtp_close(&s->courier);
	if (s->has_captcha)
		captcha_close(&s->captcha);
	if (s->look != s->look_first)
		look_close(s->look);
	look_close(s->look_before);
	look_close(s->look_first);
	listeners_close(&s->listeners);
	key_wipe(&s->composer.letter_key);
}

pt_err server_run(struct config *config, struct settings *settings)
{
	struct server s = { .config = config, .settings = settings };
	pt_err err;

	signals_block();
	err = privdrop_plan(&settings->jail, &s.jail);
	if (err == PT_OK)
		err = listen_open(&settings->listen, false, &s.listeners);
	if (err == PT_OK && settings->ops.n > 0)
		err = listen_open(&settings->ops, true, &s.listeners);
	if (err == PT_OK)
		err = prepare(&s);
	if (err == PT_OK)
		err = start(&s);
	if (err == PT_OK) {
		tell(&s);
		notify("READY=1");
		wait_for_the_end(&s);
	}
	stop(&s);
	return err;
}

pt_err server_create_tables(struct config *config, struct settings *settings)
{
	struct server s = { .config = config, .settings = settings };

	TRY(privdrop_plan(&settings->jail, &s.jail));
	TRY(modules_open(&s));
	TRY(sqlite_inside(&s));
	TRY(privdrop_apply(&s.jail));
	return store_create_identoro_tables(&settings->store);
}

static pt_err site_alone(struct config *config, struct settings *settings,
	const struct pt_policy *policy, pt_str tenant, struct pt_site **out)
{
	struct pt_site_setup setup = {
		.size = sizeof(setup),
		.policy = policy,
		.keys = &settings->keys,
		.tenant = tenant,
		.audience = settings->gotrue_site.audience,
		.default_role = tenant.n > 0 ? PT_STR("") : settings->gotrue_site.default_group,
		.public_url = PT_STR("http://localhost"),
	};
	struct pt_store store;

	/* Nobody signs up at a terminal. */
	settings->policy.captcha = false;
	settings->store.wait = false;
	TRY(crypt_open());
	TRY(root_read(config, settings));
	TRY(store_open(&settings->store, &store));
	setup.store = &store;
	pt_err err = pt_site_open(&setup, out);
	if (err != PT_OK)
		store.close(store.ctx);
	return err;
}

pt_err server_site(struct config *config, struct settings *settings, struct pt_site **out)
{
	const struct pt_policy *policy =
		settings->pages.on ? &settings->policy : &settings->gotrue_policy;

	return site_alone(config, settings, policy, PT_STR(""), out);
}

static pt_err instance_read(struct config *config, const struct settings *settings,
	struct pt_site *site, pt_str instance, struct gotrue_options *options)
{
	const struct pt_asker nobody = { 0 };
	const char *why = "";
	struct pt_tenant tenant;
	struct pt_call *call;

	TRY(pt_call_begin(site, config->arena, &nobody, &call));
	pt_err err = pt_tenant_get(call, instance, &tenant);
	pt_call_end(call);
	TRY(err);
	err = gotrue_instance_read(
		config->arena, &settings->gotrue_site, tenant.config, options, &why);
	return err == PT_F_CONFIG ? fault(err, "instance %s: %s", tenant.id.text, why) : err;
}

pt_err server_gotrue_site(struct config *config, struct settings *settings, pt_str instance,
	struct gotrue_options *options, struct pt_site **out)
{
	struct pt_site *site;

	*options = settings->gotrue_site;
	TRY(site_alone(config, settings, &settings->gotrue_policy, instance, &site));
	pt_err err =
		instance.n > 0 ? instance_read(config, settings, site, instance, options) : PT_OK;
	if (err == PT_OK)
		*out = site;
	else
		pt_site_close(site);
	return err;
}

/*
 * gotrue_sites.c - from values to an open site.
 *
 * Of many sites the surface has those open that are asked for. What is told later, by the outbox,
 * may concern one that is not: then its configuration is read for that one time, and of what its
 * requests bring along the last is kept.
 */
#include "server/gotrue_sites.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "outbound/provider.h"
#include "outbound/webhook.h"
#include "portress/act.h"
#include "server/gotrue_mail.h"
#include "server/site_link.h"

#include "base/banned.h"

#define NO_INSTANCE "00000000-0000-0000-0000-000000000000"

enum { ARENA = 1024 * 1024, EVENTS = 16, TARGETS = 64 };

/* One open site, and what is closed with it. */
struct opened {
	struct opened *next;
	struct arena *arena;
	struct gotrue_options options;
	struct pt_hooks hooks;
	bool has_hooks;
	struct pt_provider providers[GOTRUE_PROVIDERS];
	size_t n_providers;
	pt_str courier;
	struct pt_site *site;
};

/* A tenant that was seen: what its requests name, and the hooks that the outbox tells. Kept. */
struct told {
	struct told *next;
	struct gotrue_sites *sites;
	struct pt_id tenant;
	char *site_url;
	char *targets; /* as gotrue_tenant.hooks */
	struct pt_hooks hooks;
};

struct gotrue_sites {
	struct gotrue_sites_setup setup;
	pthread_mutex_t lock; /* over the two lists */
	struct opened *opened;
	struct told *told;
	struct pt_site *own;
	const struct pt_hooks *own_hooks;
};

/* ---- hooks ---- */

static size_t events_split(pt_str list, pt_str events[EVENTS])
{
	size_t n = 0;
	pt_str word;

	while (list.n > 0 && n < EVENTS) {
		str_cut(list, ',', &word, &list);
		word = str_trim(word);
		if (word.n > 0)
			events[n++] = word;
	}
	return n;
}

/* {"signup":["/x","/y"],"login":"/z"} */
static pt_err targets_read(struct arena *arena, pt_str json, struct webhook_target **out, size_t *n)
{
	struct webhook_target *targets = ARENA_ARRAY(arena, struct webhook_target, TARGETS);
	struct json_value top;

	*n = 0;
	if (!targets)
		return PT_F_MEMORY;
	TRY(json_read(arena, json, &top));
	for (size_t i = 0; i < top.n; i++) {
		const struct json_value *event = &top.items[i];
		bool one = event->type == JSON_STRING;

		for (size_t k = 0; k < (one ? 1 : event->n) && *n < TARGETS; k++)
			targets[(*n)++] = (struct webhook_target){ event->name,
				one ? event->text : event->items[k].text };
	}
	*out = targets;
	return PT_OK;
}

/* A webhook, or else the functions that requests name, which are signed with the tokens' key. */
static pt_err hooks_open(const struct settings *settings, struct arena *arena,
	const struct gotrue_options *o, pt_str tenant, pt_str targets, struct pt_hooks *out)
{
	pt_str events[EVENTS];
	struct webhook_target *list = NULL;
	struct webhook_setup setup = {
		.url = o->webhook.url,
		.secret = o->webhook.url.n > 0 ? o->webhook.secret : o->secret,
		.tries = o->webhook.tries,
		.try_time = o->webhook.try_time,
		.events = events,
		.n_events = events_split(o->webhook.events, events),
		.site_url = o->site_url,
		.tenant = tenant,
		.allow_private = settings->webhook_private,
		.render = gotrue_user_write,
	};

	if (o->webhook.url.n == 0 && targets.n > 0)
		TRY(targets_read(arena, targets, &list, &setup.n_targets));
	setup.targets = list;
	return webhook_open(&setup, out);
}

static bool asks_anybody(const struct gotrue_options *o, pt_str targets)
{
	return o->webhook.url.n > 0 || targets.n > 0;
}

/* ---- one site ---- */

static pt_err providers_open(const struct settings *settings, struct opened *site)
{
	for (size_t i = 0; i < GOTRUE_PROVIDERS; i++) {
		const struct gotrue_provider_options *p = &site->options.providers[i];
		const struct provider_setup setup = {
			.kind = str(p->kind),
			.name = p->name,
			.client_id = p->client_id,
			.secret = p->secret,
			.redirect_uri = p->redirect_uri,
			.url = p->url,
			.scopes = p->scopes,
			.allow_private = settings->provider_private,
		};

		if (!gotrue_provider_is_whole(p))
			continue;
		TRY(provider_open(&setup, &site->providers[site->n_providers]));
		site->n_providers++;
	}
	return PT_OK;
}

/* Keys are borrowed while the site opens. Of many sites each has a secret of its own. */
static struct pt_keys keys_of(const struct settings *settings, const struct opened *site)
{
	return (struct pt_keys){
		.root = settings->keys.root,
		.access = site->options.secret,
		.access_kid = PT_STR("nf-ident"),
		.signing = settings->gotrue.many ? PT_STR("") : settings->keys.signing,
		.pepper = settings->keys.pepper,
	};
}

static pt_err site_open(struct gotrue_sites *sites, struct opened *site, pt_str tenant)
{
	const struct settings *settings = sites->setup.settings;
	const struct gotrue_options *o = &site->options;
	pt_str base = o->site_url.n > 0 ? o->site_url : settings->base_url;
	struct pt_keys keys = keys_of(settings, site);
	bool at_once = settings->mail_at_once && (settings->has_mail || site->courier.n > 0);
	struct pt_policy policy;
	struct pt_site_setup setup = {
		.size = sizeof(setup),
		.policy = &policy,
		.keys = &keys,
		.store = sites->setup.store,
		.store_shared = true,
		.tenant = tenant,
		.audience = o->audience,
		.default_role = o->default_group,
		.site_url = base,
		.hooks = site->has_hooks ? &site->hooks : NULL,
		.providers = site->providers,
		.n_providers = site->n_providers,
		.courier = site->courier,
		.post = at_once ? sites->setup.post : NULL,
		.post_ctx = sites->setup.ctx,
		.public_url = o->at_pages ? settings->public_url : settings->base_url,
		.letter_waits = sites->setup.letter_waits,
		.letter_waits_ctx = sites->setup.ctx,
	};

	gotrue_policy_make(o, &settings->policy, &policy);
	policy.mail_at_once = at_once;
	TRY(gotrue_looks_make(site->arena, o, base, setup.letters));
	return pt_site_open(&setup, &site->site);
}

static void opened_close(struct opened *site)
{
	if (!site)
		return;
	pt_site_close(site->site);
	for (size_t i = 0; i < site->n_providers; i++)
		provider_close(&site->providers[i]);
	if (site->has_hooks)
		webhook_close(&site->hooks);
	arena_close(site->arena);
	free(site);
}

static void say(const struct opened *site, pt_str instance, struct gotrue_site *out)
{
	const struct gotrue_options *o = &site->options;

	*out = (struct gotrue_site){
		.site = site->site,
		.instance = instance,
		.site_url = o->site_url,
		.redirect_url = o->redirect_url,
		.admin_group = o->admin_group,
		.token_seconds = o->token_life / PT_SECOND,
		.cookie_key = o->cookie_key,
		.cookie_seconds = o->cookie_life > 0 ? o->cookie_life / PT_SECOND : -1,
		.email_off = o->email_off,
		.saml_label = o->saml_label,
	};
	for (size_t i = 0; i < GOTRUE_PROVIDERS; i++) {
		const struct gotrue_provider_options *p = &o->providers[i];

		if (p->enabled)
			out->providers[out->n_providers++] = (struct gotrue_provider){ p->name,
				p->client_id.n > 0, p->secret.n > 0, p->redirect_uri.n > 0 };
	}
}

static void remember(struct gotrue_sites *sites, struct opened *site)
{
	pthread_mutex_lock(&sites->lock);
	site->next = sites->opened;
	sites->opened = site;
	pthread_mutex_unlock(&sites->lock);
}

static struct opened *opened_new(void)
{
	struct opened *site = calloc(1, sizeof(*site));

	if (site)
		site->arena = arena_open(ARENA);
	if (!site || site->arena)
		return site;
	free(site);
	return NULL;
}

/* Where there are many, this one has no people of its own, and asks nobody. */
static pt_err own_fill(struct gotrue_sites *sites, struct opened *site)
{
	const struct settings *settings = sites->setup.settings;

	site->options = settings->gotrue_site;
	if (settings->gotrue.many)
		site->options.secret = PT_STR("");
	if (!settings->gotrue.many) {
		if (asks_anybody(&site->options, PT_STR(""))) {
			TRY(hooks_open(settings, site->arena, &site->options, PT_STR(""),
				PT_STR(""), &site->hooks));
			site->has_hooks = true;
		}
		TRY(providers_open(settings, site));
	}
	return site_open(sites, site, PT_STR(""));
}

pt_err gotrue_sites_own(struct gotrue_sites *sites, struct gotrue_site *out)
{
	struct opened *site = opened_new();
	pt_err err = site ? own_fill(sites, site) : PT_F_MEMORY;

	if (err != PT_OK) {
		opened_close(site);
		return err;
	}
	remember(sites, site);
	sites->own = site->site;
	sites->own_hooks = site->has_hooks ? &site->hooks : NULL;
	say(site, PT_STR(NO_INSTANCE), out);
	return PT_OK;
}

/* ---- one of many ---- */

static struct told *told_find(struct gotrue_sites *sites, pt_str tenant)
{
	struct told *told = sites->told;

	while (told && !str_eq(str(told->tenant.text), tenant))
		told = told->next;
	return told;
}

static bool told_wants(void *ctx, enum pt_hook_event event)
{
	(void)ctx;
	return event == PT_HOOK_USER_MODIFIED || event == PT_HOOK_USER_DELETED;
}

static pt_err told_ask(void *ctx, pt_arena *arena, enum pt_hook_event event, pt_str body,
	struct pt_hook_reply *reply, pt_str *detail);

/* With the lock held. */
static struct told *told_new(struct gotrue_sites *sites, pt_str tenant)
{
	struct told *told = calloc(1, sizeof(*told));

	if (!told || tenant.n >= sizeof(told->tenant.text)) {
		free(told);
		return NULL;
	}
	memcpy(told->tenant.text, tenant.p, tenant.n);
	told->sites = sites;
	told->hooks = (struct pt_hooks){
		.size = sizeof(told->hooks), .ctx = told, .wants = told_wants, .ask = told_ask
	};
	told->next = sites->told;
	sites->told = told;
	return told;
}

static void text_keep(char **kept, pt_str text)
{
	char *copy = malloc(text.n + 1);

	if (!copy)
		return;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	free(*kept);
	*kept = copy;
}

static void told_keep(struct gotrue_sites *sites, const struct gotrue_tenant *tenant)
{
	pt_str id = str(tenant->tenant->id.text);

	if (tenant->hooks.n == 0)
		return;
	pthread_mutex_lock(&sites->lock);
	struct told *told = told_find(sites, id);
	if (!told)
		told = told_new(sites, id);
	if (told) {
		text_keep(&told->targets, tenant->hooks);
		text_keep(&told->site_url, tenant->site_url);
	}
	pthread_mutex_unlock(&sites->lock);
}

/* What requests and the store lend is copied: the site lives longer. */
static pt_err instance_fill(struct gotrue_sites *sites, struct opened *site,
	const struct gotrue_tenant *tenant, pt_str id, const char **why)
{
	const struct settings *settings = sites->setup.settings;
	struct gotrue_options *o = &site->options;

	TRY(gotrue_instance_read(
		site->arena, &settings->gotrue_site, tenant->tenant->config, o, why));
	if (tenant->site_url.n > 0 && !arena_str(site->arena, tenant->site_url, &o->site_url))
		return PT_F_MEMORY;
	*why = "site_url is no http address";
	if (o->site_url.n > 0 && !site_is_web(o->site_url))
		return PT_F_CONFIG;
	if (asks_anybody(o, tenant->hooks)) {
		*why = "webhook.url";
		TRY(hooks_open(settings, site->arena, o, id, tenant->hooks, &site->hooks));
		site->has_hooks = true;
	}
	*why = "external";
	TRY(providers_open(settings, site));
	*why = "smtp";
	TRY(gotrue_mail_text(settings, site->arena, &o->mail, &site->courier));
	*why = "it cannot be used";
	return site_open(sites, site, id);
}

pt_err gotrue_sites_instance(
	void *ctx, const struct gotrue_tenant *tenant, struct gotrue_site *out, const char **why)
{
	struct gotrue_sites *sites = ctx;
	struct opened *site = opened_new();
	pt_err err = PT_F_MEMORY;
	pt_str id;

	*why = "out of memory";
	if (site && arena_str(site->arena, str(tenant->tenant->id.text), &id))
		err = instance_fill(sites, site, tenant, id, why);
	if (err != PT_OK) {
		opened_close(site);
		return err;
	}
	told_keep(sites, tenant);
	remember(sites, site);
	say(site, id, out);
	return PT_OK;
}

void gotrue_sites_leave(void *ctx, struct gotrue_site *site)
{
	struct gotrue_sites *sites = ctx;
	struct opened *found;

	pthread_mutex_lock(&sites->lock);
	struct opened **at = &sites->opened;
	while (*at && (*at)->site != site->site)
		at = &(*at)->next;
	found = *at;
	if (found)
		*at = found->next;
	pthread_mutex_unlock(&sites->lock);
	opened_close(found);
}

/* ---- told later ---- */

static pt_err instance_options(struct gotrue_sites *sites, pt_arena *arena, const struct told *told,
	struct gotrue_options *out)
{
	const struct pt_asker nobody = { 0 };
	struct pt_tenant tenant;
	struct pt_call *call;
	const char *why;

	TRY(pt_call_begin(sites->own, arena, &nobody, &call));
	pt_err err = pt_tenant_get(call, str(told->tenant.text), &tenant);
	if (err == PT_OK)
		err = gotrue_instance_read(
			arena, &sites->setup.settings->gotrue_site, tenant.config, out, &why);
	pt_call_end(call);
	return err;
}

static pt_err told_ask(void *ctx, pt_arena *arena, enum pt_hook_event event, pt_str body,
	struct pt_hook_reply *reply, pt_str *detail)
{
	struct told *told = ctx;
	struct gotrue_sites *sites = told->sites;
	struct gotrue_options options;
	pt_str targets, site_url;
	struct pt_hooks hooks;
	bool kept;

	*detail = PT_STR("Instance not found");
	*reply = (struct pt_hook_reply){ 0 };
	if (instance_options(sites, arena, told, &options) != PT_OK)
		return PT_E_HOOK_UNREACHABLE;
	pthread_mutex_lock(&sites->lock);
	kept = arena_str(arena, str(told->targets), &targets) &&
	       arena_str(arena, str(told->site_url), &site_url);
	pthread_mutex_unlock(&sites->lock);
	if (!kept)
		return PT_F_MEMORY;
	if (site_url.n > 0)
		options.site_url = site_url;
	if (!asks_anybody(&options, targets))
		return PT_OK;
	TRY(hooks_open(
		sites->setup.settings, arena, &options, str(told->tenant.text), targets, &hooks));
	pt_err err = PT_OK;
	if (hooks.wants(hooks.ctx, event))
		err = hooks.ask(hooks.ctx, arena, event, body, reply, detail);
	webhook_close(&hooks);
	return err;
}

bool gotrue_sites_tell(const struct gotrue_sites *sites)
{
	return sites->own_hooks || sites->setup.settings->gotrue.many;
}

const struct pt_hooks *gotrue_sites_hooks(void *ctx, pt_str tenant)
{
	struct gotrue_sites *sites = ctx;

	if (tenant.n == 0 || !sites->setup.settings->gotrue.many)
		return sites->own_hooks;
	pthread_mutex_lock(&sites->lock);
	struct told *told = told_find(sites, tenant);
	if (!told)
		told = told_new(sites, tenant);
	pthread_mutex_unlock(&sites->lock);
	return told ? &told->hooks : NULL;
}

/* ---- all ---- */

bool gotrue_sites_fetch(const struct settings *settings)
{
	const struct gotrue_options *o = &settings->gotrue_site;
	bool asks = o->webhook.url.n > 0 || settings->gotrue.many;

	for (size_t i = 0; i < GOTRUE_PROVIDERS; i++)
		asks |= gotrue_provider_is_whole(&o->providers[i]);
	for (size_t i = 0; i < GOTRUE_LETTERS; i++)
		asks |= o->letters[i].body.n > 0 &&
			!str_starts(o->letters[i].body, PT_STR("file:///"));
	return settings->gotrue.on && asks;
}

pt_err gotrue_sites_open(const struct gotrue_sites_setup *setup, struct gotrue_sites **out)
{
	struct gotrue_sites *sites = calloc(1, sizeof(*sites));

	if (!sites)
		return PT_F_MEMORY;
	sites->setup = *setup;
	pthread_mutex_init(&sites->lock, NULL);
	*out = sites;
	return PT_OK;
}

void gotrue_sites_close(struct gotrue_sites *sites)
{
	if (!sites)
		return;
	for (struct opened *site = sites->opened, *next; site; site = next) {
		next = site->next;
		opened_close(site);
	}
	for (struct told *told = sites->told, *next; told; told = next) {
		next = told->next;
		free(told->site_url);
		free(told->targets);
		free(told);
	}
	pthread_mutex_destroy(&sites->lock);
	free(sites);
}

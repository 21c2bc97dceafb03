/*
 * door.c - the gates, in their one order.
 */
#include "surface/door.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "http/cookie.h"
#include "surface/surface_private.h"
#include "base/banned.h"

enum { FIELD_MAX = 4 * 1024 };

/* ---- reading what came ---- */

pt_err exchange_fields(struct exchange *ex)
{
	if (ex->fields_read)
		return PT_OK;
	TRY(fields_read(ex->rq, FIELD_MAX, &ex->fields));
	ex->fields_read = true;
	return PT_OK;
}

pt_str exchange_field(const struct exchange *ex, const char *name)
{
	return ex->fields_read ? field_value(&ex->fields, str(name)) : PT_STR("");
}

pt_err exchange_query(struct exchange *ex, const char *name, pt_str *out)
{
	struct fields query;

	TRY(fields_query(ex->arena, ex->rq->query, &query));
	*out = field_value(&query, str(name));
	return PT_OK;
}

pt_str exchange_path(struct exchange *ex, const char *path)
{
	struct buf b = BUF(ex->arena, 1 * KIB);
	pt_str out;

	buf_str(&b, ex->mount->prefix);
	buf_str(&b, str(path));
	if (buf_done(&b, &out) != PT_OK) {
		ex->rs->failed = true;
		return PT_STR("");
	}
	return out;
}

pt_str exchange_bearer(const struct exchange *ex, bool bare)
{
	pt_str header = str_trim(http_header(ex->rq, PT_STR("authorization")));
	pt_str scheme, token;

	if (!str_cut(header, ' ', &scheme, &token))
		return bare ? header : PT_STR("");
	return str_eq_nocase(scheme, PT_STR("bearer")) ? str_trim(token) : PT_STR("");
}

/* ---- what every answer carries ---- */

void exchange_guard(struct exchange *ex)
{
	struct http_response *rs = ex->rs;

	http_set(rs, PT_STR("X-Frame-Options"), PT_STR("DENY"));
	http_set(rs, PT_STR("X-Content-Type-Options"), PT_STR("nosniff"));
	http_set(rs, PT_STR("X-XSS-Protection"), PT_STR("0"));
	http_set(rs, PT_STR("Referrer-Policy"), PT_STR("same-origin"));
	if (!http_is_set(rs, PT_STR("Content-Security-Policy")))
		http_set(rs, PT_STR("Content-Security-Policy"),
			PT_STR("default-src 'none'; frame-ancestors 'none'; base-uri 'none'"));
	if (ex->surface->https)
		http_set(rs, PT_STR("Strict-Transport-Security"),
			PT_STR("max-age=31536000; includeSubDomains"));
}

/* ---- finding the row ---- */

static bool mount_covers(const struct mount *mount, pt_str path)
{
	pt_str prefix = mount->prefix;

	return str_starts(path, prefix) && (path.n == prefix.n || path.p[prefix.n] == '/');
}

static pt_str path_within(const struct mount *mount, pt_str path)
{
	pt_str rest = str_slice(path, mount->prefix.n, path.n);

	return rest.n > 0 ? rest : PT_STR("/");
}

/* A row whose path ends in '*' takes everything below it. */
static bool row_is(const struct route *row, pt_str path)
{
	size_t n = strlen(row->path);

	if (n > 1 && row->path[n - 1] == '*')
		return path.n > n - 1 && memcmp(path.p, row->path, n - 1) == 0;
	return path.n == n && memcmp(path.p, row->path, n) == 0;
}

/* The row for path and method. *allowed: methods of all rows of the path, 0 if there is none. */
static const struct route *route_find(
	const struct mount *mount, const struct http_request *rq, pt_str path, unsigned *allowed)
{
	const struct route *found = NULL;

	*allowed = 0;
	for (size_t i = 0; i < mount->dialect->n_routes; i++) {
		const struct route *row = &mount->dialect->routes[i];
		if (!row_is(row, path))
			continue;
		unsigned methods = row->methods;
		if (methods & HTTP_GET)
			methods |= HTTP_HEAD;
		*allowed |= methods;
		if (!found && (methods & rq->method))
			found = row;
	}
	return found;
}

/* The first mount that knows the path has it; what nobody knows is refused in the last one's words. */
static const struct route *route_of(const struct surface *surface, const struct http_request *rq,
	const struct mount **mount, unsigned *allowed)
{
	*allowed = 0;
	for (size_t i = 0; i < surface->n_mounts; i++) {
		*mount = &surface->mounts[i];
		if (!mount_covers(*mount, rq->path))
			continue;
		const struct route *found =
			route_find(*mount, rq, path_within(*mount, rq->path), allowed);
		if (*allowed != 0)
			return found;
	}
	return NULL;
}

/* ---- gates ---- */

/* "localhost:8080", "127.0.0.1:8080", "[::1]:8080" */
static bool host_is_loopback(pt_str host)
{
	pt_str name = host;
	size_t colon = str_find(host, ':');

	if (colon < host.n && host.p[0] != '[')
		name.n = colon;
	return str_eq(name, PT_STR("localhost")) || str_eq(name, PT_STR("127.0.0.1")) ||
	       str_starts(name, PT_STR("[::1]"));
}

/* scheme://authority of our own, however this machine was called while it is only this machine. */
static bool origin_is_ours(const struct exchange *ex, pt_str origin)
{
	const struct surface *surface = ex->surface;
	pt_str scheme = PT_STR("http://");

	if (str_eq_nocase(origin, surface->setup.origin))
		return true;
	return surface->loopback && str_starts(origin, scheme) &&
	       str_eq(str_slice(origin, scheme.n, origin.n), ex->rq->host) &&
	       host_is_loopback(ex->rq->host);
}

static bool referer_is_ours(const struct exchange *ex, pt_str referer)
{
	pt_str origin = ex->surface->setup.origin;

	return str_starts(referer, origin) &&
	       (referer.n == origin.n || referer.p[origin.n] == '/' || referer.p[origin.n] == '?');
}

static pt_err gate_origin(const struct exchange *ex)
{
	const struct http_request *rq = ex->rq;

	if (http_has_header(rq, PT_STR("origin")))
		return origin_is_ours(ex, http_header(rq, PT_STR("origin"))) ? PT_OK : PT_E_ORIGIN;
	if (str_eq(http_header(rq, PT_STR("sec-fetch-site")), PT_STR("cross-site")))
		return PT_E_ORIGIN;
	if (!ex->surface->https)
		return PT_OK;
	if (!http_has_header(rq, PT_STR("referer")))
		return PT_E_REFERER_MISSING;
	return referer_is_ours(ex, http_header(rq, PT_STR("referer"))) ? PT_OK : PT_E_REFERER;
}

/* Header first, then the fields of the body; the query never. */
static pt_err csrf_submitted(struct exchange *ex, pt_str *out)
{
	static const char *const names[] = { "gorilla.csrf.Token", "csrf_token" };

	*out = http_header(ex->rq, PT_STR("x-csrf-token"));
	if (out->n == 0)
		*out = http_header(ex->rq, PT_STR("csrf-token"));
	if (out->n > 0)
		return PT_OK;
	pt_err err = exchange_fields(ex);
	if (err != PT_OK)
		return pt_is_fault(err) ? err : PT_OK;
	for (size_t i = 0; i < 2 && out->n == 0; i++)
		*out = exchange_field(ex, names[i]);
	return PT_OK;
}

/* A program with a good access token and no cookie carries nothing that another site could abuse. */
static pt_err csrf_is_needless(struct exchange *ex, bool *needless)
{
	struct pt_account account;
	pt_str bearer = exchange_bearer(ex, false);

	*needless = false;
	if (bearer.n == 0 || http_has_header(ex->rq, PT_STR("cookie")))
		return PT_OK;
	pt_err err = pt_token_check(ex->call, bearer, &account);
	*needless = err == PT_OK;
	return pt_is_fault(err) ? err : PT_OK;
}

static pt_err gate_csrf(struct exchange *ex)
{
	pt_str submitted;
	bool needless;

	TRY(csrf_is_needless(ex, &needless));
	if (needless)
		return PT_OK;
	TRY(gate_origin(ex));
	TRY(csrf_submitted(ex, &submitted));
	return pt_csrf_check(ex->call, &ex->csrf, submitted);
}

static bool path_has_gate(const struct exchange *ex, enum gate gate)
{
	pt_str path = path_within(ex->mount, ex->rq->path);

	for (size_t i = 0; i < ex->mount->dialect->n_routes; i++) {
		const struct route *row = &ex->mount->dialect->routes[i];
		if (row_is(row, path) && (row->gates & gate))
			return true;
	}
	return false;
}

/* For a store across a network: nobody is answered from a page that pretends all is well. */
static pt_err gate_store(struct exchange *ex)
{
	pt_str why;

	if (!pt_site_store_is_remote(ex->surface->setup.site))
		return PT_OK;
	return pt_site_check(ex->surface->setup.site, ex->arena, &why);
}

static pt_err door_pass(struct exchange *ex)
{
	bool unsafe = !(ex->rq->method & HTTP_SAFE);

	TRY(ex->mount->dialect->begin(ex));
	if (ex->allowed == 0)
		return PT_E_NOT_FOUND;
	/* Before the method: an unproven request learns nothing of what could be asked. */
	if (unsafe && ex->mount->csrf && path_has_gate(ex, GATE_CSRF))
		TRY(gate_csrf(ex));
	if (!ex->route)
		return PT_E_METHOD;
	if (ex->route->gates & GATE_STORE)
		TRY(gate_store(ex));
	return ex->route->handler(ex);
}

/* ---- the application that the engine asks ---- */

static enum http_lane lane_of(const struct surface *surface, const struct route *route)
{
	if (!route)
		return HTTP_QUICK;
	switch (route->lane) {
	case LANE_QUICK:
		return HTTP_QUICK;
	case LANE_READ:
		return pt_site_store_is_remote(surface->setup.site) ? HTTP_SLOW : HTTP_QUICK;
	case LANE_SLOW:
		return HTTP_SLOW;
	case LANE_HASH:
		return HTTP_HASH;
	}
	return HTTP_SLOW;
}

static struct http_plan app_plan(void *ctx, const struct http_request *rq)
{
	const struct surface *surface = ctx;
	const struct mount *mount;
	unsigned allowed;
	const struct route *route = route_of(surface, rq, &mount, &allowed);
	struct http_plan plan = {
		.lane = lane_of(surface, route),
		.body_max = route ? route->body_max : 64 * KIB,
	};

	/* A path that exists, asked by a wrong method, may have to check a token: never on the loop of
	 * a remote store. */
	if (!route && allowed != 0)
		plan.lane = HTTP_SLOW;
	return plan;
}

static void answer_options(struct exchange *ex)
{
	struct buf b = BUF(ex->arena, 128);
	pt_str allow;

	for (unsigned m = HTTP_GET; m < HTTP_OTHER; m <<= 1) {
		if (!((ex->allowed | HTTP_OPTIONS) & m))
			continue;
		if (b.n > 0)
			buf_str(&b, PT_STR(", "));
		buf_str(&b, str(http_method_name((enum http_method)m)));
	}
	if (buf_done(&b, &allow) == PT_OK)
		http_set(ex->rs, PT_STR("Allow"), allow);
}

static pt_err exchange_open(struct exchange *ex)
{
	const struct http_request *rq = ex->rq;
	const struct pt_asker asker = {
		.client = rq->client,
		.client_known = rq->client_known,
		.user_agent = http_header(rq, PT_STR("user-agent")),
		.request = rq->id,
	};

	return pt_call_begin(ex->surface->setup.site, ex->arena, &asker, &ex->call);
}

static pt_err door_run(struct exchange *ex)
{
	TRY(exchange_open(ex));
	if (ex->rq->method == HTTP_OPTIONS && ex->allowed != 0) {
		ex->rs->status = 204;
		answer_options(ex);
		return PT_OK;
	}
	return door_pass(ex);
}

static void app_answer(void *ctx, const struct http_request *rq, struct http_response *rs)
{
	struct surface *surface = ctx;
	struct exchange ex = {
		.surface = surface,
		.rq = rq,
		.rs = rs,
		.arena = rq->arena,
		.problem = PT_OK,
	};

	log_request(rq->id);
	ex.route = route_of(surface, rq, &ex.mount, &ex.allowed);
	pt_err err = door_run(&ex);
	if (err == PT_E_METHOD)
		answer_options(&ex);
	if (err != PT_OK)
		ex.mount->dialect->refuse(&ex, err);
	ex.mount->dialect->finish(&ex);
	pt_call_end(ex.call);
	log_request(PT_STR(""));
}

static pt_err err_of_status(int status)
{
	switch (status) {
	case 413:
		return PT_E_TOO_LARGE;
	case 503:
		return PT_E_BUSY;
	default:
		return PT_E_MALFORMED;
	}
}

/* What never became a request, or found every worker busy: in the dialect's words where we know who
 * was meant, and never through the store. */
static void app_refuse(
	void *ctx, const struct http_request *rq, int status, struct http_response *rs)
{
	struct surface *surface = ctx;
	struct exchange ex = { .surface = surface, .rq = rq, .rs = rs };

	if (!rq || rq->path.n == 0)
		return;
	ex.arena = rq->arena;
	ex.route = route_of(surface, rq, &ex.mount, &ex.allowed);
	log_request(rq->id);
	if (exchange_open(&ex) == PT_OK && ex.mount->dialect->begin(&ex) == PT_OK) {
		ex.route = NULL;
		ex.status = status;
		ex.mount->dialect->refuse(&ex, err_of_status(status));
		rs->status = status;
		ex.mount->dialect->finish(&ex);
	}
	pt_call_end(ex.call);
	log_request(PT_STR(""));
}

static void app_done(
	void *ctx, const struct http_request *rq, const struct http_response *rs, pt_time duration)
{
	struct surface *surface = ctx;
	const struct mount *mount;
	unsigned allowed;

	int class = rs->status / 100;
	if (class >= 1 && class <= 5)
		atomic_fetch_add_explicit(&surface->answers[class], 1, memory_order_relaxed);
	if (!surface->setup.log_requests || !rq)
		return;
	const struct route *route = route_of(surface, rq, &mount, &allowed);
	if (mount->dialect == &ops_dialect)
		return;
	log_request(rq->id);
	/* The row's path and never the request's: what is asked for by name may be a secret. */
	LOG(LOG_INFO, "http.request", F_CSTR("method", http_method_name(rq->method)),
		F_CSTR("route", route ? route->path : "-"), F_INT("status", rs->status),
		F_INT("us", duration), F_STR("client", rq->client),
		F_CSTR("surface", mount->dialect->name));
	log_request(PT_STR(""));
}

/* ---- opening ---- */

static void mount_add(
	struct surface *surface, pt_str prefix, const struct dialect *dialect, bool csrf)
{
	surface->mounts[surface->n_mounts++] = (struct mount){ prefix, dialect, csrf };
}

static void look_set(
	struct surface *surface, const struct template_set *templates, const struct value *texts)
{
	const struct look *now = atomic_load(&surface->look);
	struct look *next = &surface->looks[now == &surface->looks[0] ? 1 : 0];

	*next = (struct look){ templates, texts };
	atomic_store(&surface->look, next);
}

/* FNV-1a: names a content among our own; nobody gains by making two alike. */
static uint64_t content_tag(pt_str data)
{
	uint64_t h = 14695981039346656037U;

	for (size_t i = 0; i < data.n; i++)
		h = (h ^ (uint8_t)data.p[i]) * 1099511628211U;
	return h;
}

static pt_str authority_of(pt_str origin)
{
	pt_str scheme, rest;

	str_cut(origin, '/', &scheme, &rest);
	return rest.n > 1 ? str_slice(rest, 1, rest.n) : rest;
}

pt_err surface_open(const struct surface_setup *setup, struct surface **out)
{
	if (setup->n_assets > ASSETS_MAX)
		return fault(PT_F_CONFIG, "more than %d files to serve as they are", ASSETS_MAX);
	struct surface *surface = calloc(1, sizeof(*surface));
	if (!surface)
		return PT_F_MEMORY;
	for (size_t i = 0; i < setup->n_assets; i++)
		surface->asset_tags[i] = content_tag(setup->assets[i].data);
	surface->setup = *setup;
	surface->https = str_starts(setup->origin, PT_STR("https://"));
	surface->loopback = !surface->https && host_is_loopback(authority_of(setup->origin));
	surface->app = (struct http_app){ surface, app_plan, app_answer, app_refuse, app_done };
	look_set(surface, setup->templates, setup->texts);

	/* The operator's few paths are taken before any dialect's, wherever that is mounted. */
	mount_add(surface, PT_STR(""), &ops_dialect, false);
	pt_str prefix = str_eq(setup->pages.mount, PT_STR("/")) ? PT_STR("") : setup->pages.mount;
	mount_add(surface, prefix, &pages_dialect, setup->pages.csrf);
	*out = surface;
	return PT_OK;
}

void surface_close(struct surface *surface)
{
	free(surface);
}

void surface_reload(
	struct surface *surface, const struct template_set *templates, const struct value *texts)
{
	look_set(surface, templates, texts);
}

const struct http_app *surface_app(struct surface *surface)
{
	return &surface->app;
}

void surface_counts(const struct surface *surface, struct surface_counts *out)
{
	for (size_t i = 0; i < 6; i++)
		out->answers[i] = atomic_load_explicit(&surface->answers[i], memory_order_relaxed);
}

static void route_row(const struct mount *mount, const struct route *row,
	void (*told)(void *ctx, const char *methods, const char *path, const char *gates),
	void *ctx)
{
	static const char *const gates[] = { "", "csrf", "store", "csrf store" };
	char methods[64] = "";
	size_t n = 0;

	for (unsigned m = HTTP_GET; m < HTTP_OTHER; m <<= 1) {
		if (!(row->methods & m))
			continue;
		int wrote = snprintf(methods + n, sizeof(methods) - n, "%s%s", n ? " " : "",
			http_method_name((enum http_method)m));
		if (wrote > 0)
			n += (size_t)wrote;
	}
	told(ctx, methods, row->path, gates[row->gates & 3 & (mount->csrf ? 3U : 2U)]);
}

void surface_routes(const struct surface *surface,
	void (*row)(void *ctx, const char *methods, const char *path, const char *gates), void *ctx)
{
	const struct dialect *last = NULL;

	for (size_t i = 0; i < surface->n_mounts; i++) {
		const struct mount *mount = &surface->mounts[i];
		if (mount->dialect == last)
			continue;
		last = mount->dialect;
		for (size_t r = 0; r < last->n_routes; r++)
			route_row(mount, &last->routes[r], row, ctx);
	}
}

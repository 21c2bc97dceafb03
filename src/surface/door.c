/*
 * door.c - the gates, in their one order.
 */
#include "surface/door.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "http/cookie.h"
#include "surface/gotrue/gotrue.h"
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

/* `{id}` in a row's path: *segment is what stands there. */
static bool row_cut(pt_str row, pt_str path, pt_str *segment)
{
	size_t open = str_find(row, '{');
	size_t close = str_find(row, '}');

	*segment = PT_STR("");
	if (close >= row.n)
		return str_eq(row, path);
	pt_str tail = str_slice(row, close + 1, row.n);
	if (path.n <= open + tail.n || !str_starts(path, str_slice(row, 0, open)) ||
		!str_ends(path, tail))
		return false;
	*segment = str_slice(path, open, path.n - tail.n);
	return str_find(*segment, '/') == segment->n;
}

/* Whether they part at a letter that stands for itself, as most do after a few: no need to look closer. */
static bool row_parts(const char *row, pt_str path)
{
	size_t i = 0;

	while (i < path.n && row[i] && row[i] == path.p[i])
		i++;
	return i < path.n && row[i] != '{' && row[i] != '[' && row[i] != '*';
}

static bool row_is(const struct route *row, pt_str path, pt_str *segment)
{
	const pt_str either = PT_STR("[/]");
	pt_str own;

	*segment = PT_STR("");
	if (row_parts(row->path, path))
		return false;
	own = str(row->path);
	if (own.n > 1 && own.p[own.n - 1] == '*')
		return path.n > own.n - 1 && memcmp(path.p, own.p, own.n - 1) == 0;
	if (!str_ends(own, either))
		return row_cut(own, path, segment);
	own.n -= either.n;
	if (str_ends(path, PT_STR("/")))
		path.n--;
	return row_cut(own, path, segment);
}

static unsigned row_methods(const struct dialect *dialect, const struct route *row)
{
	bool head = !dialect->literal && (row->methods & HTTP_GET);

	return head ? row->methods | HTTP_HEAD : row->methods;
}

/* Which row it is, and where. */
struct found {
	const struct mount *mount; /* whose words are used, also when nobody knows the path */
	const struct route *route; /* NULL: no row, or none for the method */
	unsigned allowed;          /* methods of all rows of the path, 0 if there is none */
	pt_str segment;
};

static void route_find(const struct mount *mount, const struct http_request *rq, struct found *out)
{
	pt_str path = path_within(mount, rq->path), segment;

	*out = (struct found){ .mount = mount };
	for (size_t i = 0; i < mount->dialect->n_routes; i++) {
		const struct route *row = &mount->dialect->routes[i];
		if (!row_is(row, path, &segment))
			continue;
		unsigned methods = row_methods(mount->dialect, row);
		out->allowed |= methods;
		if (out->route || !(methods & rq->method))
			continue;
		out->route = row;
		out->segment = segment;
	}
}

/* The first mount that knows the path has it; what nobody knows is refused by the mount that is nearest,
 * and the last of those. */
static struct found route_of(const struct surface *surface, const struct http_request *rq)
{
	struct found none = { .mount = &surface->mounts[surface->n_mounts - 1] };
	size_t nearest = 0;

	for (size_t i = 0; i < surface->n_mounts; i++) {
		const struct mount *mount = &surface->mounts[i];
		struct found found;
		if (!mount_covers(mount, rq->path))
			continue;
		route_find(mount, rq, &found);
		if (found.allowed != 0)
			return found;
		if (mount->dialect == &ops_dialect || mount->prefix.n < nearest)
			continue;
		nearest = mount->prefix.n;
		none = found;
	}
	return none;
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
	pt_str path = path_within(ex->mount, ex->rq->path), segment;

	for (size_t i = 0; i < ex->mount->dialect->n_routes; i++) {
		const struct route *row = &ex->mount->dialect->routes[i];
		if (row_is(row, path, &segment) && (row->gates & gate))
			return true;
	}
	return false;
}

/* For a store across a network: nobody is answered from a page that pretends all is well. */
static pt_err gate_store(struct exchange *ex)
{
	pt_str why;

	if (!pt_site_store_is_remote(ex->mount->site))
		return PT_OK;
	return pt_site_check(ex->mount->site, ex->arena, &why);
}

static bool group_covers(const struct group *group, pt_str path)
{
	pt_str top = str(group->path);

	return str_starts(path, top) && (path.n == top.n || path.p[top.n] == '/');
}

/* What all the groups ask that the path stands in. */
static unsigned group_gates(const struct mount *mount, pt_str path)
{
	unsigned gates = 0;

	path = path_within(mount, path);
	for (size_t i = 0; i < mount->dialect->n_groups; i++)
		if (group_covers(&mount->dialect->groups[i], path))
			gates |= mount->dialect->groups[i].gates;
	return gates;
}

static pt_err gate_group(struct exchange *ex)
{
	unsigned gates = group_gates(ex->mount, ex->rq->path);

	if (!mount_covers(ex->mount, ex->rq->path))
		return PT_OK;
	if (ex->mount->dialect->enter)
		TRY(ex->mount->dialect->enter(ex));
	return gates ? ex->mount->dialect->guard(ex, gates) : PT_OK;
}

static pt_err door_pass(struct exchange *ex)
{
	bool unsafe = !(ex->rq->method & HTTP_SAFE);

	TRY(gate_group(ex));
	if (ex->allowed == 0)
		return PT_E_NOT_FOUND;
	/* Before the method: an unproven request learns nothing of what could be asked. */
	if (unsafe && ex->mount->csrf && path_has_gate(ex, GATE_CSRF))
		TRY(gate_csrf(ex));
	if (!ex->route)
		return PT_E_METHOD;
	if (ex->route->gates & GATE_STORE)
		TRY(gate_store(ex));
	if (ex->mount->dialect->guard)
		TRY(ex->mount->dialect->guard(ex, ex->route->gates));
	return ex->route->handler(ex);
}

/* ---- the application that the engine asks ---- */

static enum http_lane lane_reading(const struct mount *mount)
{
	return pt_site_store_is_remote(mount->site) ? HTTP_SLOW : HTTP_QUICK;
}

static enum http_lane lane_of(const struct mount *mount, const struct route *route)
{
	switch (route->lane) {
	case LANE_QUICK:
		return mount->many ? lane_reading(mount) : HTTP_QUICK;
	case LANE_READ:
		return lane_reading(mount);
	case LANE_SLOW:
		return HTTP_SLOW;
	case LANE_HASH:
		return HTTP_HASH;
	}
	return HTTP_SLOW;
}

/* What has no row may still have to be looked up, to find whose it would be or who asks: never on the
 * loop of a remote store. A wrong method of a page may have to check a token, too. */
static enum http_lane lane_without_row(const struct found *found, const struct http_request *rq)
{
	const struct dialect *dialect = found->mount->dialect;

	if (dialect->literal)
		return rq->method == HTTP_OPTIONS ? HTTP_QUICK : lane_reading(found->mount);
	return found->allowed != 0 ? HTTP_SLOW : HTTP_QUICK;
}

/* Looked for once a request: the plan leaves it for the answer and the log. */
static struct found found_of(const struct surface *surface, const struct http_request *rq)
{
	const struct found *found = rq->found;

	return found ? *found : route_of(surface, rq);
}

static const struct found *found_keep(const struct http_request *rq, const struct found *found)
{
	struct found *kept = ARENA_NEW(rq->arena, struct found);

	if (kept)
		*kept = *found;
	return kept;
}

static struct http_plan app_plan(void *ctx, const struct http_request *rq)
{
	const struct surface *surface = ctx;
	const struct found found = route_of(surface, rq);
	const struct found *kept = found_keep(rq, &found);

	if (!found.route)
		return (struct http_plan){
			.lane = lane_without_row(&found, rq),
			.body_max = 64 * KIB,
			.found = kept,
		};
	return (struct http_plan){
		.lane = lane_of(found.mount, found.route),
		.body_max = found.route->body_max,
		.hash_word = found.route->hash_word,
		.found = kept,
	};
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

static pt_err call_begin(struct exchange *ex, struct pt_site *site)
{
	const struct http_request *rq = ex->rq;
	const struct pt_asker asker = {
		.client = rq->client,
		.client_known = rq->client_known,
		.user_agent = http_header(rq, PT_STR("user-agent")),
		.request = ex->id,
	};

	return pt_call_begin(site, ex->arena, &asker, &ex->call);
}

pt_err exchange_move(struct exchange *ex, struct pt_site *site)
{
	struct pt_call *before = ex->call;

	TRY(call_begin(ex, site));
	pt_call_end(before);
	return PT_OK;
}

/* One that can do no harm in a log line, a header or a page. */
static bool is_request_id(pt_str text)
{
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~')
			return false;
	return text.n > 0 && text.n <= 128;
}

static pt_str request_id(const struct mount *mount, const struct http_request *rq)
{
	pt_str told = mount->id_header.n > 0 ? http_header(rq, mount->id_header) : PT_STR("");

	return is_request_id(told) ? told : rq->id;
}

static void exchange_find(struct exchange *ex)
{
	const struct found found = found_of(ex->surface, ex->rq);

	ex->mount = found.mount;
	ex->route = found.route;
	ex->allowed = found.allowed;
	ex->segment = found.segment;
	ex->id = request_id(ex->mount, ex->rq);
	ex->rs->id = ex->id;
}

static pt_err exchange_open(struct exchange *ex)
{
	TRY(call_begin(ex, ex->mount->site));
	return ex->mount->dialect->begin(ex);
}

static void exchange_close(struct exchange *ex)
{
	ex->mount->dialect->finish(ex);
	pt_call_end(ex->call);
	if (ex->mount->dialect->leave)
		ex->mount->dialect->leave(ex);
}

static bool is_options(const struct exchange *ex)
{
	return ex->rq->method == HTTP_OPTIONS && ex->allowed != 0 && !ex->mount->dialect->literal;
}

static pt_err door_run(struct exchange *ex)
{
	TRY(exchange_open(ex));
	if (ex->mount->dialect->preflight && ex->mount->dialect->preflight(ex))
		return PT_OK;
	if (is_options(ex)) {
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

	exchange_find(&ex);
	log_request(ex.id);
	pt_err err = door_run(&ex);
	if (err == PT_E_METHOD && !ex.mount->dialect->literal)
		answer_options(&ex);
	if (err != PT_OK)
		ex.mount->dialect->refuse(&ex, err);
	exchange_close(&ex);
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
	exchange_find(&ex);
	log_request(ex.id);
	if (exchange_open(&ex) == PT_OK) {
		ex.route = NULL;
		ex.status = status;
		ex.mount->dialect->refuse(&ex, err_of_status(status));
		rs->status = status;
		exchange_close(&ex);
	} else {
		pt_call_end(ex.call);
	}
	log_request(PT_STR(""));
}

static void log_answer(const struct found *found, const struct http_request *rq,
	const struct http_response *rs, pt_time duration)
{
	const char *client = found->mount->dialect->client_header;
	/* The row's path and never the request's: what is asked for by name may be a secret. */
	const struct log_field fields[] = {
		F_CSTR("method", http_method_name(rq->method)),
		F_CSTR("route", found->route ? found->route->path : "-"),
		F_INT("status", rs->status),
		F_INT("us", duration),
		F_STR("client", rq->client),
		F_CSTR("surface", found->mount->dialect->name),
		F_STR("nf_client", client ? http_header(rq, str(client)) : PT_STR("")),
	};
	bool told = fields[6].text.n > 0;

	log_write(LOG_INFO, "http.request", fields, told ? 7 : 6);
}

static void app_done(
	void *ctx, const struct http_request *rq, const struct http_response *rs, pt_time duration)
{
	struct surface *surface = ctx;

	int class = rs->status / 100;
	if (class >= 1 && class <= 5)
		atomic_fetch_add_explicit(&surface->answers[class], 1, memory_order_relaxed);
	if (!surface->setup.log_requests || !rq)
		return;
	const struct found found = found_of(surface, rq);
	if (found.mount->dialect == &ops_dialect || (found.route && found.route->quiet))
		return;
	log_request(request_id(found.mount, rq));
	log_answer(&found, rq, rs, duration);
	log_request(PT_STR(""));
}

/* Whatever the mounts are, they look at one store. */
static void app_turn_begin(void *ctx)
{
	struct surface *surface = ctx;

	pt_site_turn_begin(surface->mounts[0].site);
}

static void app_turn_end(void *ctx)
{
	struct surface *surface = ctx;

	pt_site_turn_end(surface->mounts[0].site);
}

/* ---- opening ---- */

static pt_str prefix_of(pt_str mount)
{
	return str_eq(mount, PT_STR("/")) ? PT_STR("") : mount;
}

static void mount_pages(struct surface *surface)
{
	const struct surface_setup *setup = &surface->setup;

	surface->mounts[surface->n_mounts++] = (struct mount){
		.prefix = prefix_of(setup->pages.mount),
		.dialect = &pages_dialect,
		.site = setup->site,
		.csrf = setup->pages.csrf,
	};
}

static pt_err mount_gotrue(struct surface *surface)
{
	const struct gotrue_setup *setup = &surface->setup.gotrue;

	TRY(gotrue_open(setup, &surface->gotrue));
	surface->mounts[surface->n_mounts++] = (struct mount){
		.prefix = prefix_of(setup->mount),
		.dialect = setup->many ? &gotrue_many_dialect : &gotrue_dialect,
		.site = setup->many ? setup->operator_site : setup->site.site,
		.many = setup->many,
		.id_header = setup->request_id_header,
	};
	return PT_OK;
}

/* The operator's few paths are taken before any dialect's, wherever that is mounted. */
static pt_err mounts_make(struct surface *surface)
{
	struct pt_site *site = surface->setup.site;

	if (!site)
		site = surface->setup.gotrue.many ? surface->setup.gotrue.operator_site
						  : surface->setup.gotrue.site.site;
	surface->mounts[surface->n_mounts++] =
		(struct mount){ .prefix = PT_STR(""), .dialect = &ops_dialect, .site = site };
	if (surface->setup.gotrue.on)
		TRY(mount_gotrue(surface));
	if (surface->setup.pages.on)
		mount_pages(surface);
	return PT_OK;
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
	surface->app = (struct http_app){
		.ctx = surface,
		.plan = app_plan,
		.answer = app_answer,
		.refuse = app_refuse,
		.done = app_done,
		.turn_begin = app_turn_begin,
		.turn_end = app_turn_end,
	};
	look_set(surface, setup->templates, setup->texts);
	pt_err err = mounts_make(surface);
	if (err != PT_OK) {
		surface_close(surface);
		return err;
	}
	*out = surface;
	return PT_OK;
}

void surface_close(struct surface *surface)
{
	if (!surface)
		return;
	gotrue_close(surface->gotrue);
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

/* By bit. */
static const char *const gate_names[] = { "csrf", "store", "bearer", "admin", "operator", "state",
	"relay", "email", "rate", "export" };

static unsigned gates_of(const struct mount *mount, const struct route *row)
{
	unsigned gates = row->gates;

	for (size_t i = 0; i < mount->dialect->n_groups; i++)
		if (str_starts(str(row->path), str(mount->dialect->groups[i].path)))
			gates |= mount->dialect->groups[i].gates;
	return mount->csrf ? gates : gates & ~(unsigned)GATE_CSRF;
}

static void word_add(char *words, size_t size, const char *word)
{
	size_t n = strlen(words);

	if (n + strlen(word) + 2 < size)
		snprintf(words + n, size - n, "%s%s", n > 0 ? " " : "", word);
}

static void route_row(const struct mount *mount, const struct route *row,
	void (*told)(void *ctx, const char *methods, const char *path, const char *gates),
	void *ctx)
{
	char methods[64] = "", gates[64] = "";
	unsigned shown = gates_of(mount, row);

	for (unsigned m = HTTP_GET; m < HTTP_OTHER; m <<= 1)
		if (row->methods & m)
			word_add(methods, sizeof(methods), http_method_name((enum http_method)m));
	for (size_t i = 0; i < sizeof(gate_names) / sizeof(gate_names[0]); i++)
		if (shown & (1U << i))
			word_add(gates, sizeof(gates), gate_names[i]);
	told(ctx, methods, row->path, gates);
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

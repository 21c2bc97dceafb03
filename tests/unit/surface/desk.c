/*
 * desk.c - the desk.
 */
#include "desk.h"

#include <dirent.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "core/site.h"
#include "crypt/seal.h"

#include "base/banned.h"

/* ---- templates ---- */

static const struct {
	const char *folder;
	const char *ending;
	enum template_escape escape;
} parts[] = {
	{ "pages", ".html", TEMPLATE_HTML },
	{ "partials", ".html", TEMPLATE_HTML },
};

static pt_str file_read(struct arena *arena, const char *path)
{
	PT_OWN(own_file) FILE *file = fopen(path, "re");
	char *text = arena_alloc(arena, 64 * KIB);

	assert_non_null(file);
	assert_non_null(text);
	size_t n = fread(text, 1, 64 * KIB, file);
	assert_in_range(n, 1, 64 * KIB - 1);
	return str_n(text, n);
}

static void template_read(struct desk *d, size_t part, const char *file)
{
	const char *folder = parts[part].folder;
	size_t bare = strlen(file) - strlen(parts[part].ending);
	char path[512], name[300], error[256];

	snprintf(path, sizeof(path), "%s/%s/%s", TEMPLATES, folder, file);
	snprintf(name, sizeof(name), "%s/%.*s", folder, (int)bare, file);
	if (template_add(d->templates, str(name), str(path), file_read(d->memory, path),
		    TEMPLATE_MUSTACHE, parts[part].escape, error) != PT_OK)
		fail_msg("%s", error);
}

static void templates_read(struct desk *d)
{
	char path[512], error[256];

	d->templates = template_set_open();
	assert_non_null(d->templates);
	for (size_t i = 0; i < COUNT(parts); i++) {
		struct dirent *entry;
		snprintf(path, sizeof(path), "%s/%s", TEMPLATES, parts[i].folder);
		DIR *dir = opendir(path);
		assert_non_null(dir);
		while ((entry = readdir(dir)))
			if (str_ends(str(entry->d_name), str(parts[i].ending)))
				template_read(d, i, entry->d_name);
		closedir(dir);
	}
	if (template_set_check(d->templates, error) != PT_OK)
		fail_msg("%s", error);
}

/* ---- texts: "signin.title" stands at t.signin.title ---- */

struct branch {
	pt_str prefix;
	struct value *map;
};

struct catalogue {
	struct arena *arena;
	struct branch branches[200];
	size_t n;
};

static size_t last_dot(pt_str name)
{
	size_t dot = name.n;

	while (dot > 0 && name.p[dot - 1] != '.')
		dot--;
	return dot;
}

static struct value *branch_for(struct catalogue *c, pt_str prefix)
{
	size_t dot = last_dot(prefix);

	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->branches[i].prefix, prefix))
			return c->branches[i].map;
	struct value *parent = branch_for(c, str_slice(prefix, 0, dot ? dot - 1 : 0));
	assert_in_range(c->n, 0, COUNT(c->branches) - 1);
	struct branch *branch = &c->branches[c->n++];
	branch->prefix = prefix;
	branch->map = value_child(parent, arena_cstr(c->arena, str_slice(prefix, dot, prefix.n)));
	return branch->map;
}

static const struct value *texts_read(struct arena *arena)
{
	struct catalogue *c = ARENA_NEW(arena, struct catalogue);
	struct value *root = value_map(arena);
	struct json_value all;

	c->arena = arena;
	c->branches[c->n++] = (struct branch){ PT_STR(""), root };
	EXPECT_ERR(PT_OK, json_read(arena, file_read(arena, TEMPLATES "/locales/en.json"), &all));
	for (size_t i = 0; i < all.n; i++) {
		pt_str name = all.items[i].name;
		size_t dot = last_dot(name);
		value_str(branch_for(c, str_slice(name, 0, dot ? dot - 1 : 0)),
			arena_cstr(arena, str_slice(name, dot, name.n)), all.items[i].text);
	}
	return root;
}

/* ---- what the server would tell ---- */

static pt_err tell_metrics(void *ctx, pt_arena *arena, pt_str *text)
{
	(void)ctx;
	(void)arena;
	*text = PT_STR("portress_up 1\n");
	return PT_OK;
}

static pt_err tell_ready(void *ctx, pt_arena *arena, pt_str *why)
{
	const struct desk *d = ctx;

	(void)arena;
	if (!d->not_ready)
		return PT_OK;
	*why = str(d->not_ready);
	return PT_F_STORE;
}

static pt_err list_mails(void *ctx, pt_arena *arena, size_t max, struct pt_mail **mails, size_t *n)
{
	struct desk *d = ctx;

	(void)arena;
	assert_true(max >= d->n_mails);
	*mails = d->mails;
	*n = d->n_mails;
	return PT_OK;
}

/* ---- opening ---- */

static const struct surface_asset assets[] = {
	{ PT_STR_INIT("portress.css"), PT_STR_INIT("body{}") },
	{ PT_STR_INIT("page.js"), PT_STR_INIT("export {};") },
	{ PT_STR_INIT("icon.svg"), PT_STR_INIT("<svg/>") },
};

static void setup_fill(struct desk *d)
{
	d->setup = (struct surface_setup){
		.mailbox = { sizeof(d->setup.mailbox), d, list_mails },
		.templates = d->templates,
		.texts = texts_read(d->memory),
		.assets = assets,
		.n_assets = COUNT(assets),
		.origin = PT_STR("http://localhost:8080"),
		.app_name = PT_STR("Portress"),
		.pages = { .on = true, .mount = PT_STR("/"), .csrf = true, .dev_mailbox = true },
		.metrics = tell_metrics,
		.ready = tell_ready,
		.ops_ctx = d,
	};
}

void desk_open(struct desk *d, void (*change)(struct desk *d))
{
	const struct pt_keys keys = { .root = PT_STR("0123456789abcdef0123456789abcdef") };

	memset(d, 0, sizeof(*d));
	d->memory = arena_open(256 * MIB);
	templates_read(d);
	pt_policy_init(&d->policy);
	d->policy.argon2_kib = 1024;
	d->policy.argon2_passes = 1;
	d->policy.signin_password_min = 6;
	EXPECT_ERR(PT_OK, pt_store_memory(&d->store));
	setup_fill(d);
	if (change)
		change(d);
	const struct pt_site_setup setup = {
		.size = sizeof(setup),
		.policy = &d->policy,
		.keys = &keys,
		.store = &d->store,
		.public_url = PT_STR("http://localhost:8080"),
	};
	EXPECT_ERR(PT_OK, pt_site_open(&setup, &d->site));
	d->setup.site = d->site;
	EXPECT_ERR(PT_OK, surface_open(&d->setup, &d->surface));
}

void desk_close(struct desk *d)
{
	surface_close(d->surface);
	pt_site_close(d->site);
	template_set_close(d->templates);
	arena_close(d->memory);
}

int desk_setup(void **state)
{
	struct desk *d = test_calloc(1, sizeof(*d));

	desk_open(d, NULL);
	*state = d;
	return 0;
}

int desk_teardown(void **state)
{
	desk_close(*state);
	test_free(*state);
	return 0;
}

/* ---- cookies ---- */

static void jar_keep(struct desk *d, pt_str line)
{
	pt_str name, value, rest;
	size_t at = 0;

	str_cut(line, ';', &line, &rest);
	assert_true(str_cut(line, '=', &name, &value));
	while (at < COUNT(d->jar) - 1 && d->jar[at].name[0] && !str_eq(str(d->jar[at].name), name))
		at++;
	snprintf(d->jar[at].name, sizeof(d->jar[at].name), "%.*s", (int)name.n, name.p);
	snprintf(d->jar[at].value, sizeof(d->jar[at].value), "%.*s", (int)value.n, value.p);
}

static pt_str jar_line(struct desk *d)
{
	struct buf b = BUF(d->memory, 8 * KIB);

	for (size_t i = 0; i < COUNT(d->jar); i++)
		if (d->jar[i].value[0])
			buf_printf(&b, "%s%s=%s", b.n ? "; " : "", d->jar[i].name, d->jar[i].value);
	return buf_view(&b);
}

const char *desk_cookie(const struct desk *d, const char *name)
{
	for (size_t i = 0; i < COUNT(d->jar); i++)
		if (strcmp(d->jar[i].name, name) == 0)
			return d->jar[i].value;
	return "";
}

/* ---- asking ---- */

enum { HEADERS = 20 };

struct headers {
	struct http_header items[HEADERS];
	size_t n;
};

static void header_add(struct headers *h, pt_str name, pt_str value)
{
	assert_in_range(h->n, 0, HEADERS - 1);
	h->items[h->n++] = (struct http_header){ name, value };
}

static void headers_fill(struct desk *d, const struct ask *ask, struct headers *h)
{
	pt_str name, value, cookies = jar_line(d);

	if (ask->accept)
		header_add(h, PT_STR("accept"), str(ask->accept));
	if (ask->type)
		header_add(h, PT_STR("content-type"), str(ask->type));
	if (!ask->stranger && cookies.n > 0)
		header_add(h, PT_STR("cookie"), cookies);
	for (size_t i = 0; i < COUNT(ask->headers) && ask->headers[i]; i++) {
		assert_true(str_cut(str(ask->headers[i]), ':', &name, &value));
		header_add(h, name, str_trim(value));
	}
}

static void heard_keep(struct desk *d, struct heard *h)
{
	const char *token = heard_header(h, "X-CSRF-Token");

	for (size_t i = 0; i < h->rs.n_headers; i++)
		if (str_eq_nocase(h->rs.headers[i].name, PT_STR("set-cookie")))
			jar_keep(d, h->rs.headers[i].value);
	if (token)
		snprintf(d->token, sizeof(d->token), "%s", token);
}

/* Headers set through an answer's arena must outlive it: it is the desk's. */
struct heard desk_ask(struct desk *d, const struct ask *ask)
{
	const struct http_app *app = surface_app(d->surface);
	struct heard heard = { .status = 0 };
	struct headers headers = { .n = 0 };
	struct http_request rq = {
		.arena = d->memory,
		.method = ask->method ? ask->method : HTTP_GET,
		.host = ask->host ? str(ask->host) : PT_STR("localhost:8080"),
		.body = str(ask->body),
		.client = PT_STR("203.0.113.7"),
		.client_known = true,
		.id = PT_STR("0123456789abcdef"),
		.ops = ask->ops,
	};

	str_cut(str(ask->path), '?', &rq.path, &rq.query);
	headers_fill(d, ask, &headers);
	rq.headers = headers.items;
	rq.n_headers = headers.n;
	heard.plan = app->plan(app->ctx, &rq);
	http_response_init(&heard.rs, d->memory);
	app->answer(app->ctx, &rq, &heard.rs);
	app->done(app->ctx, &rq, &heard.rs, 1);
	assert_false(heard.rs.failed);
	assert_in_range(heard.rs.status, 200, 599);
	heard.status = heard.rs.status;
	heard.body = arena_cstr(d->memory, heard.rs.body);
	if (!ask->stranger)
		heard_keep(d, &heard);
	return heard;
}

const char *desk_token(struct desk *d)
{
	if (!d->token[0])
		(void)desk_get(d, "/refresh");
	return d->token;
}

static const char *token_header(struct desk *d)
{
	struct buf b = BUF(d->memory, 256);

	buf_printf(&b, "x-csrf-token: %s", desk_token(d));
	return buf_view(&b).p;
}

struct heard desk_get(struct desk *d, const char *path)
{
	return desk_ask(d, &(const struct ask){ .path = path, .accept = JSON_TYPE });
}

struct heard desk_page(struct desk *d, const char *path)
{
	return desk_ask(d, &(const struct ask){ .path = path, .accept = HTML_ACCEPT });
}

struct heard desk_post(struct desk *d, const char *path, const char *json)
{
	const struct ask ask = { .method = HTTP_POST,
		.path = path,
		.type = JSON_TYPE,
		.body = json,
		.headers = { token_header(d) } };

	return desk_ask(d, &ask);
}

struct heard desk_form(struct desk *d, const char *path, const char *body)
{
	const struct ask ask = { .method = HTTP_POST,
		.path = path,
		.type = FORM_TYPE,
		.body = body,
		.accept = HTML_ACCEPT,
		.headers = { token_header(d) } };

	return desk_ask(d, &ask);
}

const char *heard_header(const struct heard *h, const char *name)
{
	for (size_t i = 0; i < h->rs.n_headers; i++)
		if (str_eq_nocase(h->rs.headers[i].name, str(name)))
			return arena_cstr(h->rs.arena, h->rs.headers[i].value);
	return NULL;
}

bool heard_says(const struct heard *h, const char *text)
{
	return str_contains(str(h->body), str(text));
}

/* ---- people ---- */

/* "/auth/signup", wherever the pages are mounted. */
static const char *pages_path(struct desk *d, const char *path, const char *rest)
{
	pt_str mount = d->setup.pages.mount;
	struct buf b = BUF(d->memory, 1 * KIB);

	buf_str(&b, str_eq(mount, PT_STR("/")) ? PT_STR("") : mount);
	buf_str(&b, str(path));
	buf_str(&b, str(rest));
	return buf_view(&b).p;
}

static void expect_done(const struct heard *heard, const char *what)
{
	if (heard->status >= 400)
		fail_msg("%s: %d %s", what, heard->status, heard->body);
}

void desk_join(struct desk *d, const char *name)
{
	struct buf form = BUF(d->memory, 1 * KIB);

	buf_printf(&form, "{\"username\":\"%s\",\"email\":\"%s@example.org\",\"password\":\"%s\"}",
		name, name, PASSWORD);
	struct heard heard = desk_post(d, pages_path(d, "/signup", ""), buf_view(&form).p);
	expect_done(&heard, "sign-up");
	const char *secret = desk_letter_secret(d, PT_LETTER_VERIFY);
	heard = desk_get(d, pages_path(d, "/verify?token=", secret));
	expect_done(&heard, "confirmation");
}

void desk_enter(struct desk *d, const char *name)
{
	struct buf form = BUF(d->memory, 1 * KIB);

	desk_join(d, name);
	buf_printf(&form, "{\"username\":\"%s\",\"password\":\"%s\"}", name, PASSWORD);
	struct heard heard = desk_post(d, pages_path(d, "/signin", ""), buf_view(&form).p);
	expect_done(&heard, "sign-in");
}

static pt_str letter_link(struct desk *d, const struct pt_letter *letter)
{
	struct json_value variables;
	struct key key;
	pt_str clear;

	site_letter_key(d->site, &key);
	EXPECT_ERR(PT_OK, seal_open(d->memory, &key, str(letter->id.text), letter->sealed, &clear));
	EXPECT_ERR(PT_OK, json_read(d->memory, clear, &variables));
	return json_find(&variables, PT_STR("link"))->text;
}

const char *desk_letter_secret(struct desk *d, enum pt_letter_kind kind)
{
	struct pt_letter *all = NULL;
	pt_str head, secret;
	size_t n = 0;

	EXPECT_ERR(PT_OK, d->store.letter_list(d->store.ctx, d->memory, 100, &all, &n));
	for (size_t i = 0; i < n; i++)
		if (all[i].kind == kind && str_cut(letter_link(d, &all[i]), '=', &head, &secret))
			return arena_cstr(d->memory, secret);
	return "";
}

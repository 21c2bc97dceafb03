/*
 * routes.c - the pages dialect: its rows, how it decides between JSON and HTML, how it refuses.
 */
#include "base/str.h"
#include "http/accept.h"
#include "http/cookie.h"
#include "surface/pages/pages.h"
#include "base/banned.h"

#define FORM_MAX (64 * KIB)

/* clang-format off */
static const struct route pages_routes[] = {
	/* methods   path            handler              gates       body      lane        page */
	{ HTTP_GET,  "/",            home_show,           GATE_STORE, 0,        LANE_READ,  NULL },
	{ HTTP_GET,  "/home",        home_show,           GATE_STORE, 0,        LANE_READ,  NULL },
	{ HTTP_GET,  "/me",          me_show,             GATE_NONE,  0,        LANE_READ,  NULL },
	{ HTTP_GET,  "/signup",      signup_show,         GATE_STORE, 0,        LANE_READ,  NULL },
	{ HTTP_POST, "/signup",      signup_post,         GATE_CSRF,  FORM_MAX, LANE_HASH,  "signup" },
	{ HTTP_GET,  "/signup/sent", signup_sent_show,    GATE_STORE, 0,        LANE_READ,  NULL },
	{ HTTP_GET,  "/verify",      verify_get,          GATE_NONE,  0,        LANE_SLOW,  NULL },
	{ HTTP_POST, "/resend",      resend_post,         GATE_CSRF,  FORM_MAX, LANE_SLOW,  "link-expired" },
	{ HTTP_GET,  "/signin",      signin_show,         GATE_STORE, 0,        LANE_READ,  NULL },
	{ HTTP_POST, "/signin",      signin_post,         GATE_CSRF,  FORM_MAX, LANE_HASH,  "signin" },
	{ HTTP_GET,  "/signout",     signout_get,         GATE_NONE,  0,        LANE_SLOW,  NULL },
	{ HTTP_POST, "/signout",     signout_post,        GATE_CSRF,  FORM_MAX, LANE_SLOW,  "signout" },
	{ HTTP_GET,  "/forgot",      forgot_show,         GATE_STORE, 0,        LANE_READ,  NULL },
	{ HTTP_POST, "/forgot",      forgot_post,         GATE_CSRF,  FORM_MAX, LANE_SLOW,  "forgot" },
	{ HTTP_GET,  "/reset",       reset_show,          GATE_STORE, 0,        LANE_READ,  NULL },
	{ HTTP_POST, "/reset",       reset_post,          GATE_CSRF,  FORM_MAX, LANE_HASH,  "reset" },
	{ HTTP_GET,  "/refresh",     refresh_get,         GATE_NONE,  0,        LANE_QUICK, NULL },
	{ HTTP_POST, "/refresh",     refresh_post,        GATE_CSRF,  FORM_MAX, LANE_SLOW,  NULL },
	{ HTTP_GET,  "/assets/*",    asset_show,          GATE_NONE,  0,        LANE_QUICK, NULL },
	{ HTTP_GET,  "/dev/mailbox", mailbox_show,        GATE_NONE,  0,        LANE_SLOW,  NULL },
	{ HTTP_GET,  "/dev/mailbox/*", mailbox_letter_show, GATE_NONE, 0,       LANE_SLOW,  NULL },
	{ HTTP_GET,  "/.well-known/change-password", change_password_show, GATE_NONE, 0, LANE_QUICK, NULL },
	{ HTTP_GET,  "/robots.txt",  robots_show,         GATE_NONE,  0,        LANE_QUICK, NULL },
};
/* clang-format on */

/* ---- JSON or HTML ---- */

static bool is_form_page(const struct exchange *ex)
{
	static const char *const pages[] = { "/", "/signup", "/signin", "/forgot", "/reset",
		"/signup/sent", "/dev/mailbox" };

	if (!(ex->rq->method & (HTTP_GET | HTTP_HEAD)))
		return false;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (str_eq(ex->rq->path, exchange_path((struct exchange *)ex, pages[i])))
			return true;
	return ex->mount->prefix.n > 0 && str_eq(ex->rq->path, ex->mount->prefix);
}

static bool media_type_is_json(pt_str content_type)
{
	pt_str type, parameters;

	str_cut(content_type, ';', &type, &parameters);
	return str_eq_nocase(str_trim(type), PT_STR("application/json"));
}

/* spec: the first rule that matches. */
static bool readme_wants_json(const struct exchange *ex)
{
	const struct http_request *rq = ex->rq;
	pt_str accept = http_header(rq, PT_STR("accept"));
	pt_str mode = http_header(rq, PT_STR("sec-fetch-mode"));
	struct accept_match json = accept_type(accept, PT_STR("application/json"));
	struct accept_match html = accept_type(accept, PT_STR("text/html"));
	struct accept_match xhtml = accept_type(accept, PT_STR("application/xhtml+xml"));

	if (media_type_is_json(http_header(rq, PT_STR("content-type"))))
		return true;
	if (accept.n > 0 && json.q > html.q)
		return true;
	if ((html.explicit && html.q > 0) || (xhtml.explicit && xhtml.q > 0))
		return false;
	if (mode.n > 0)
		return !str_eq(mode, PT_STR("navigate"));
	if (http_has_header(rq, PT_STR("x-requested-with")))
		return true;
	return !is_form_page(ex);
}

static bool wants_json(const struct exchange *ex)
{
	switch (ex->surface->setup.pages.profile) {
	case PAGES_README:
		return readme_wants_json(ex);
	case PAGES_G1:
		return str_eq(
			http_header(ex->rq, PT_STR("content-type")), PT_STR("application/json"));
	case PAGES_G2:
		return true;
	}
	return true;
}

/* G2 had no pages: home under one name, forms that only take POST. */
static void g2_narrow(struct exchange *ex)
{
	if (ex->surface->setup.pages.profile != PAGES_G2 || !ex->route)
		return;
	if (ex->route->handler == home_show && !str_ends(ex->rq->path, PT_STR("/home"))) {
		ex->allowed = 0;
		ex->route = NULL;
		return;
	}
	if (ex->route->handler == signup_show || ex->route->handler == signin_show ||
		ex->route->handler == forgot_show || ex->route->handler == reset_show) {
		ex->allowed = HTTP_POST;
		ex->route = NULL;
	}
}

static pt_err csrf_begin(struct exchange *ex)
{
	if (!ex->mount->csrf || (ex->route && ex->route->handler == asset_show))
		return PT_OK;
	TRY(pt_csrf_open(ex->call, cookie_value(ex->rq, csrf_cookie), &ex->csrf));
	if (ex->csrf.fresh)
		pages_cookie(ex, csrf_cookie, ex->csrf.cookie, PT_CSRF_LIFE);
	ex->csrf_open = true;
	return PT_OK;
}

static pt_err pages_begin(struct exchange *ex)
{
	ex->json = wants_json(ex);
	g2_narrow(ex);
	return csrf_begin(ex);
}

/* ---- refusing ---- */

static void write_field(struct json *json, const void *from)
{
	const struct words *words = from;

	if (!words->field) {
		json_null(json, "data");
		return;
	}
	json_object(json, "data");
	json_str(json, "field", str(words->field));
	json_object_end(json);
}

void fill_nothing_more(struct exchange *ex, struct value *model, const void *from)
{
	const struct pt_policy *policy = pt_site_policy(ex->surface->setup.site);

	(void)from;
	value_bool(model, "signin_with_email", policy->signin_with_email);
	value_bool(model, "unverified", ex->problem == PT_E_UNVERIFIED);
}

struct trouble {
	struct words words;
	pt_err err;
};

static void fill_error(struct exchange *ex, struct value *model, const void *from)
{
	const struct trouble *trouble = from;
	pt_time wait = pt_call_retry_after(ex->call);
	struct buf b = BUF(ex->arena, 64);
	pt_str id, text;

	buf_printf(&b, "status.%d.title", trouble->words.status);
	if (buf_done(&b, &id) == PT_OK)
		value_str(model, "title", value_text(atomic_load(&ex->surface->look)->texts, id));
	b = BUF(ex->arena, 64);
	buf_printf(&b, "status.%d.text", trouble->words.status);
	if (buf_done(&b, &id) == PT_OK)
		value_str(model, "text", value_text(atomic_load(&ex->surface->look)->texts, id));
	if (wait > 0 && text_duration(ex, wait, &text) == PT_OK) {
		const struct blank blank = { "wait", text };
		if (text_fill(ex, "status.wait", &blank, 1, &text) == PT_OK)
			value_str(model, "wait", text);
	}
	value_int(model, "status", trouble->words.status);
	if (trouble->words.status == 403) {
		value_str(model, "reason_id", str(trouble->words.text));
		value_str(model, "reason", text_of(ex, trouble->words.text));
	}
	if (trouble->err == PT_E_METHOD)
		value_str(model, "back", ex->rq->path);
	value_str(model, "request_id", ex->rq->id);
	value_bool(model, "error_prefix", false);
}

static void fill_expired(struct exchange *ex, struct value *model, const void *from)
{
	bool reset = str_ends(ex->rq->path, PT_STR("/reset"));
	const struct pt_policy *policy = pt_site_policy(ex->surface->setup.site);
	pt_str time, text = PT_STR("");

	(void)from;
	if (text_duration(ex, reset ? policy->reset_life : policy->verify_life, &time) == PT_OK) {
		const struct blank blank = { "time", time };
		if (text_fill(ex, reset ? "expired.reset" : "expired.verify", &blank, 1, &text) !=
			PT_OK)
			ex->rs->failed = true;
	}
	value_bool(model, "for_reset", reset);
	value_str(model, "text", text);
}

static bool is_form_problem(pt_err err)
{
	switch (err) {
	case PT_E_ORIGIN:
	case PT_E_REFERER:
	case PT_E_REFERER_MISSING:
	case PT_E_CROSS_SITE:
	case PT_E_NOT_FOUND:
	case PT_E_METHOD:
	case PT_E_TOO_LARGE:
	case PT_E_MEDIA_TYPE:
	case PT_E_MALFORMED:
		return false;
	default:
		return !pt_is_fault(err);
	}
}

/* The same form with what was typed, and what to do about it. An expired form has a fresh token. */
static pt_err refuse_form(struct exchange *ex, const struct trouble *trouble)
{
	const char *page = ex->route->page;

	/* What can still be read of the form is worth keeping. */
	if (!ex->fields_read && pt_is_fault(exchange_fields(ex)))
		return PT_F_MEMORY;
	ex->problem = trouble->err;
	if (strcmp(page, "signup") == 0)
		return answer_page(ex, trouble->words.status, page, fill_signup, NULL);
	if (strcmp(page, "reset") == 0)
		return answer_page(ex, trouble->words.status, page, fill_reset, NULL);
	if (strcmp(page, "link-expired") == 0)
		return answer_page(ex, trouble->words.status, page, fill_expired, NULL);
	return answer_page(ex, trouble->words.status, page, fill_nothing_more, NULL);
}

static pt_err refuse_page(struct exchange *ex, const struct trouble *trouble)
{
	if (trouble->err == PT_E_TICKET)
		return answer_page(ex, trouble->words.status, "link-expired", fill_expired, NULL);
	if (ex->route && ex->route->page && is_form_problem(trouble->err))
		return refuse_form(ex, trouble);
	return answer_page(ex, trouble->words.status, "error", fill_error, trouble);
}

static pt_err refuse_json(struct exchange *ex, const struct trouble *trouble)
{
	const struct answer answer = {
		.status = trouble->words.status,
		.message = trouble->words.message.p,
		.data = write_field,
		.from = &trouble->words,
	};

	return answer_json(ex, &answer);
}

static void refuse_headers(struct exchange *ex, const struct trouble *trouble)
{
	pt_time wait = ex->call ? pt_call_retry_after(ex->call) : 0;

	if (trouble->words.status == 503)
		http_retry_after(
			ex->rs, wait > 0 ? wait : (trouble->err == PT_E_BUSY ? 1 : 5) * PT_SECOND);
	if (trouble->words.status == 429)
		http_retry_after(ex->rs, wait);
	if (trouble->err == PT_E_TOKEN || trouble->err == PT_E_TOKEN_MISSING ||
		trouble->err == PT_E_TOKEN_CLAIMS)
		http_set(ex->rs, PT_STR("WWW-Authenticate"), PT_STR("Bearer"));
	/* Guessing is slowed down by a timer, not by a thread. */
	if (trouble->err == PT_E_CREDENTIALS || trouble->err == PT_E_UNVERIFIED)
		ex->rs->delay = pt_site_policy(ex->surface->setup.site)->failure_delay;
}

/* When even a page cannot be made: words that need nothing. */
static void refuse_plainly(struct exchange *ex)
{
	ex->rs->status = 503;
	ex->rs->body = PT_STR("The service is not available right now. Please try again.\n");
	http_replace(ex->rs, PT_STR("Content-Type"), PT_STR("text/plain; charset=utf-8"));
	http_replace(ex->rs, PT_STR("Retry-After"), PT_STR("5"));
}

static void pages_refuse(struct exchange *ex, pt_err err)
{
	struct trouble trouble = { .err = err };

	if (!ex->call || words_for(ex, err, &trouble.words) != PT_OK) {
		refuse_plainly(ex);
		return;
	}
	/* G1 showed its home page wherever it knew no better. */
	if (err == PT_E_NOT_FOUND && ex->surface->setup.pages.profile == PAGES_G1 &&
		ex->rq->method == HTTP_GET && home_show(ex) == PT_OK)
		return;
	refuse_headers(ex, &trouble);
	pt_err said = ex->json ? refuse_json(ex, &trouble) : refuse_page(ex, &trouble);
	if (said != PT_OK)
		refuse_plainly(ex);
}

/* ---- after everything ---- */

static void finish_csrf(struct exchange *ex)
{
	bool safe = (ex->rq->method & HTTP_SAFE) != 0;
	pt_str mask;

	if (!ex->csrf_open || !(safe || ex->json))
		return;
	if (pt_csrf_mask(ex->call, &ex->csrf, &mask) != PT_OK)
		return;
	http_set(ex->rs, PT_STR("X-CSRF-Token"), mask);
	http_set(ex->rs, PT_STR("CSRF-Token"), mask);
}

static void pages_finish(struct exchange *ex)
{
	struct http_response *rs = ex->rs;
	bool page = rs->body.n > 0 && !ex->json;

	finish_csrf(ex);
	exchange_guard(ex);
	if (http_is_set(rs, PT_STR("Cache-Control")))
		return;
	http_set(rs, PT_STR("Cache-Control"), PT_STR("no-store"));
	http_set(rs, PT_STR("Vary"), PT_STR("Accept, Content-Type, Cookie, Accept-Language"));
	if (!page)
		return;
	http_set(rs, PT_STR("Cross-Origin-Opener-Policy"), PT_STR("same-origin"));
	http_set(rs, PT_STR("Cross-Origin-Resource-Policy"), PT_STR("same-origin"));
	http_set(rs, PT_STR("Permissions-Policy"),
		PT_STR("publickey-credentials-get=(self), publickey-credentials-create=(self), "
		       "clipboard-write=(self), camera=(), microphone=(), geolocation=()"));
}

const struct dialect pages_dialect = {
	.name = "pages",
	.routes = pages_routes,
	.n_routes = sizeof(pages_routes) / sizeof(pages_routes[0]),
	.begin = pages_begin,
	.refuse = pages_refuse,
	.finish = pages_finish,
};

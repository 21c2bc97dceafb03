/*
 * answer.c - JSON envelopes, redirects and pages.
 */
#include "base/str.h"
#include "http/cookie.h"
#include "surface/pages/pages.h"

#include "base/banned.h"

enum {
	JSON_MAX = 32 * 1024,
	PAGE_MAX = 256 * 1024,
};

/* ---- JSON ---- */

static void write_names(struct json *json, const struct pt_account *account, struct buf *name)
{
	buf_str(name, account->given_name);
	if (account->given_name.n > 0 && account->family_name.n > 0)
		buf_char(name, ' ');
	buf_str(name, account->family_name);
	json_str(json, "username", account->username);
	json_str(json, "name", buf_view(name));
}

pt_err answer_json(struct exchange *ex, const struct answer *answer)
{
	struct buf b = BUF(ex->arena, JSON_MAX), name = BUF(ex->arena, 1 * KIB);
	struct json json = JSON(&b);

	json_object(&json, NULL);
	if (answer->data)
		answer->data(&json, answer->from);
	else
		json_null(&json, "data");
	json_str(&json, "message", str(answer->message));
	json_int(&json, "status", answer->status);
	if (answer->account)
		json_str(&json, "userId", str(answer->account->id.text));
	if (answer->account && answer->names)
		write_names(&json, answer->account, &name);
	json_object_end(&json);
	buf_char(&b, '\n');
	TRY(buf_done(&b, &ex->rs->body));
	ex->rs->status = answer->status;
	ex->json = true;
	http_set(ex->rs, PT_STR("Content-Type"), PT_STR("application/json"));
	return PT_OK;
}

/* ---- redirects ---- */

void answer_see_other(struct exchange *ex, pt_str location)
{
	ex->rs->status = 303;
	ex->rs->body = PT_STR("");
	http_set(ex->rs, PT_STR("Location"), location);
}

pt_err answer_done(struct exchange *ex, const char *message, enum notice notice, pt_str location)
{
	if (ex->json) {
		/* Without Location: most clients would follow it and lose what is said here. */
		const struct answer answer = { .status = 303, .message = message };
		return answer_json(ex, &answer);
	}
	notice_leave(ex, notice);
	answer_see_other(ex, location);
	return PT_OK;
}

/* ---- texts ---- */

pt_str text_of(const struct exchange *ex, const char *id)
{
	return value_text(atomic_load(&ex->surface->look)->texts, str(id));
}

static const struct blank *blank_find(const struct blank *blanks, size_t n, pt_str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(str(blanks[i].name), name))
			return &blanks[i];
	return NULL;
}

pt_err text_fill(
	struct exchange *ex, const char *id, const struct blank *blanks, size_t n, pt_str *out)
{
	struct buf b = BUF(ex->arena, 4 * KIB);
	pt_str rest = text_of(ex, id), before, after, name;

	while (str_cut(rest, '{', &before, &after)) {
		buf_str(&b, before);
		const struct blank *blank =
			str_cut(after, '}', &name, &rest) ? blank_find(blanks, n, name) : NULL;
		if (blank)
			buf_str(&b, blank->value);
	}
	buf_str(&b, before);
	return buf_done(&b, out);
}

static pt_err text_count(
	struct exchange *ex, const char *one, const char *other, int64_t n, pt_str *out)
{
	struct buf b = BUF(ex->arena, 32);

	buf_int(&b, n);
	if (b.failed)
		return PT_F_MEMORY;
	const struct blank blank = { "n", buf_view(&b) };
	return text_fill(ex, n == 1 ? one : other, &blank, 1, out);
}

/* In the largest unit that says it without a fraction, rounded up: a wait must not be too short. */
pt_err text_duration(struct exchange *ex, pt_time duration, pt_str *out)
{
	if (duration <= 90 * PT_SECOND)
		return text_count(ex, "time.second.one", "time.second.other",
			(duration + PT_SECOND - 1) / PT_SECOND, out);
	if (duration <= 90 * PT_MINUTE)
		return text_count(ex, "time.minute.one", "time.minute.other",
			(duration + PT_MINUTE - 1) / PT_MINUTE, out);
	return text_count(
		ex, "time.hour.one", "time.hour.other", (duration + PT_HOUR - 1) / PT_HOUR, out);
}

/* ---- pages ---- */

/* /assets/<hash>/<name>: a new content has a new address, so browsers may keep the old for ever. */
static pt_str asset_url(struct exchange *ex, const char *name)
{
	const struct surface *surface = ex->surface;
	struct buf b = BUF(ex->arena, 256);
	pt_str out = PT_STR("");

	for (size_t i = 0; i < surface->setup.n_assets; i++) {
		if (!str_eq(surface->setup.assets[i].name, str(name)))
			continue;
		buf_str(&b, ex->mount->prefix);
		buf_printf(&b, "/assets/%016llx/", (unsigned long long)surface->asset_tags[i]);
		buf_str(&b, str(name));
		if (buf_done(&b, &out) != PT_OK)
			return PT_STR("");
	}
	return out;
}

static void fill_urls(struct exchange *ex, struct value *model)
{
	static const struct {
		const char *name, *path;
	} paths[] = {
		{ "home", "/" },
		{ "signin", "/signin" },
		{ "signup", "/signup" },
		{ "forgot", "/forgot" },
		{ "reset", "/reset" },
		{ "resend", "/resend" },
		{ "signout", "/signout" },
	};
	const struct surface_setup *setup = &ex->surface->setup;
	struct value *u = value_child(model, "u");

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		value_str(u, paths[i].name, exchange_path(ex, paths[i].path));
	value_str(u, "css", asset_url(ex, "portress.css"));
	value_str(u, "js", asset_url(ex, "page.js"));
	value_str(u, "icon", asset_url(ex, "icon.svg"));
	if (setup->pages.dev_mailbox)
		value_str(u, "mailbox", exchange_path(ex, "/dev/mailbox"));
	value_str(u, "help", setup->help_url);
	value_str(u, "privacy", setup->privacy_url);
	value_str(u, "terms", setup->terms_url);
	value_bool(model, "footer",
		setup->help_url.n > 0 || setup->privacy_url.n > 0 || setup->terms_url.n > 0);
}

static pt_err fill_csrf(struct exchange *ex, struct value *model)
{
	struct buf b = BUF(ex->arena, 256);
	pt_str mask, field = PT_STR("");

	if (ex->csrf_open) {
		TRY(pt_csrf_mask(ex->call, &ex->csrf, &mask));
		buf_str(&b, PT_STR("<input type=\"hidden\" name=\"gorilla.csrf.Token\" value=\""));
		buf_html(&b, mask);
		buf_str(&b, PT_STR("\">"));
		TRY(buf_done(&b, &field));
	}
	value_fragment(model, "csrf_field", field);
	value_fragment(model, "csrfField", field);
	value_str(model, "csrf_text", field);
	return PT_OK;
}

/* How long what the notice speaks of lasts. */
static pt_time notice_life(const struct exchange *ex, enum notice notice)
{
	const struct pt_policy *policy = pt_site_policy(ex->surface->setup.site);

	return notice == NOTICE_FORGOT ? policy->reset_life : policy->verify_life;
}

static pt_err fill_notice(struct exchange *ex, struct value *model)
{
	enum notice notice = notice_take(ex);
	const char *id = notice_text(notice);
	struct buf b = BUF(ex->arena, 64);
	pt_str time, detail;

	if (!id)
		return PT_OK;
	TRY(text_duration(ex, notice_life(ex, notice), &time));
	const struct blank blank = { "time", time };
	buf_printf(&b, "detail.%s", strchr(id, '.') + 1);
	TRY(buf_done(&b, &detail));
	TRY(text_fill(ex, detail.p, &blank, 1, &detail));
	struct value *child = value_child(model, "notice");
	value_str(child, "id", str(id));
	value_str(child, "text", text_of(ex, id));
	value_str(child, "detail", detail);
	value_str(model, "Message", text_of(ex, id));
	return PT_OK;
}

/* What a form is shown again with. Never a secret. */
static void fill_form(struct exchange *ex, struct value *model)
{
	static const char *const kept[] = { "username", "email", "firstname", "lastname", "token",
		"next" };
	struct value *form = value_child(model, "form");

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		value_str(form, kept[i], exchange_field(ex, kept[i]));
}

/* Nobody's mistake: the form is shown again, with a fresh token in it. */
static void fill_expired_form(struct exchange *ex, struct value *model)
{
	struct value *notice = value_child(model, "notice");

	value_bool(model, "error_prefix", true);
	value_str(notice, "id", PT_STR("notice.form_expired"));
	value_str(notice, "text", text_of(ex, "notice.form_expired"));
	value_bool(notice, "warning", true);
	if (!http_has_header(ex->rq, PT_STR("cookie")))
		value_str(notice, "detail", text_of(ex, "error.cookies"));
	value_str(model, "Error", text_of(ex, "notice.form_expired"));
}

static pt_err fill_problem(struct exchange *ex, struct value *model)
{
	const struct pt_policy *policy = pt_site_policy(ex->surface->setup.site);
	struct buf min = BUF(ex->arena, 32), max = BUF(ex->arena, 32), href = BUF(ex->arena, 64);
	struct words words;
	pt_str wait, text, target;

	if (ex->problem == PT_OK)
		return PT_OK;
	if (ex->problem == PT_E_CSRF || ex->problem == PT_E_CSRF_MISSING) {
		fill_expired_form(ex, model);
		return PT_OK;
	}
	TRY(words_for(ex, ex->problem, &words));
	TRY(text_duration(ex, pt_call_retry_after(ex->call), &wait));
	buf_uint(&min, pages_password_min(ex));
	bool names = ex->problem == PT_E_GIVEN_NAME_LONG || ex->problem == PT_E_FAMILY_NAME_LONG;
	buf_uint(&max, names ? policy->name_max : policy->hash_bcrypt ? 72 : policy->password_max);
	const struct blank blanks[] = { { "min", buf_view(&min) }, { "max", buf_view(&max) },
		{ "wait", wait } };
	TRY(text_fill(ex, words.text, blanks, 3, &text));

	value_bool(model, "has_problems", true);
	value_bool(model, "error_prefix", true);
	struct value *item = value_item(value_list(model, "problems"));
	value_str(item, "id", str(words.text));
	value_str(item, "text", text);
	value_str(model, "Error", text);
	if (!words.field)
		return PT_OK;
	buf_printf(&href, "#%s", words.field);
	TRY(buf_done(&href, &target));
	value_str(item, "href", target);
	value_str(value_child(model, "err"), words.field, text);
	return PT_OK;
}

static const char *title_of(const char *page)
{
	static const struct {
		const char *page, *title;
	} titles[] = {
		{ "home", "home.title" },
		{ "signin", "signin.title" },
		{ "signup", "signup.title" },
		{ "sent", "sent.title" },
		{ "verify", "verify.title" },
		{ "link-expired", "expired.title" },
		{ "forgot", "forgot.title" },
		{ "reset", "reset.title" },
		{ "signout", "signout.title" },
		{ "mailbox", "mailbox.title" },
		{ "mailbox-letter", "mailbox.title" },
	};

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (strcmp(titles[i].page, page) == 0)
			return titles[i].title;
	return "home.title";
}

static pt_err model_open(struct exchange *ex, const char *page, struct value **out)
{
	struct value *model = value_map(ex->arena);

	value_shared(model, "t", atomic_load(&ex->surface->look)->texts);
	value_str(model, "title", text_of(ex, title_of(page)));
	value_str(model, "app", ex->surface->setup.app_name);
	value_str(model, "RecaptchaSiteKey", ex->surface->setup.pages.captcha_site_key);
	fill_urls(ex, model);
	fill_form(ex, model);
	TRY(fill_csrf(ex, model));
	TRY(fill_notice(ex, model));
	TRY(fill_problem(ex, model));
	*out = model;
	return PT_OK;
}

/* reCAPTCHA is somebody else's script: only the page that carries it may load it. */
static pt_str page_csp(const struct exchange *ex, const char *page)
{
	bool captcha = ex->surface->setup.pages.captcha_site_key.n > 0 &&
		       pt_site_policy(ex->surface->setup.site)->captcha;

	if (captcha && strcmp(page, "signup") == 0)
		return PT_STR(
			"default-src 'none'; script-src 'self' https://www.google.com/recaptcha/ "
			"https://www.gstatic.com/recaptcha/; style-src 'self' 'unsafe-inline'; "
			"img-src 'self' https://www.gstatic.com/recaptcha/; font-src 'self'; "
			"connect-src 'self' https://www.google.com/recaptcha/; "
			"frame-src https://www.google.com/recaptcha/ "
			"https://recaptcha.google.com/recaptcha/; "
			"form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
	return PT_STR(
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
		"font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
		"frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
		"trusted-types 'none'");
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static pt_str after_spaces(pt_str s)
{
	while (s.n > 0 && is_space(s.p[0]))
		s = str_slice(s, 1, s.n);
	return s;
}

/* What a tag says of an attribute, in quotes or without; "" when it says nothing. */
static pt_str attribute_of(pt_str tag, pt_str name)
{
	pt_str value, rest;

	for (size_t i = 1; i + name.n < tag.n; i++) {
		if (!is_space(tag.p[i - 1]) || !str_eq_nocase(str_slice(tag, i, i + name.n), name))
			continue;
		rest = after_spaces(str_slice(tag, i + name.n, tag.n));
		if (!str_starts(rest, PT_STR("=")))
			continue;
		rest = after_spaces(str_slice(rest, 1, rest.n));
		char end = rest.n > 0 && (rest.p[0] == '"' || rest.p[0] == '\'') ? rest.p[0] : ' ';
		str_cut(end == ' ' ? rest : str_slice(rest, 1, rest.n), end, &value, &rest);
		return value;
	}
	return PT_STR("");
}

static bool leads_here(const struct exchange *ex, pt_str address)
{
	pt_str origin = ex->surface->setup.origin;

	if (str_starts(address, origin))
		return address.n == origin.n || address.p[origin.n] == '/';
	return !str_starts(address, PT_STR("//")) && str_find(address, ':') == address.n;
}

/* GET would put the token into an address, and another site has no business with it. */
static bool form_posts_here(const struct exchange *ex, pt_str tag)
{
	return str_eq_nocase(attribute_of(tag, PT_STR("method")), PT_STR("post")) &&
	       leads_here(ex, attribute_of(tag, PT_STR("action")));
}

/* A form that posts here without our hidden field would always be refused: the field is put in. */
static pt_err csrf_insert(struct exchange *ex, struct value *model, pt_str page, pt_str *out)
{
	pt_str field = value_text(model, PT_STR("csrf_text"));
	struct buf b = BUF(ex->arena, PAGE_MAX);
	pt_str rest = page, head, tag;

	if (field.n == 0 || str_contains(page, PT_STR("gorilla.csrf.Token"))) {
		*out = page;
		return PT_OK;
	}
	while (str_cut(rest, '<', &head, &rest)) {
		buf_str(&b, head);
		buf_char(&b, '<');
		if (!str_eq_nocase(str_slice(rest, 0, 4), PT_STR("form")))
			continue;
		bool closed = str_cut(rest, '>', &tag, &rest);
		buf_str(&b, tag);
		buf_str(&b, closed ? PT_STR(">") : PT_STR(""));
		if (closed && form_posts_here(ex, str_slice(tag, 4, tag.n)))
			buf_str(&b, field);
	}
	buf_str(&b, head);
	return buf_done(&b, out);
}

/* The operator's own page of that name, whole; or ours inside its frame. */
static pt_err page_render(struct exchange *ex, const char *page, struct value *model, pt_str *out)
{
	const struct template_set *templates = atomic_load(&ex->surface->look)->templates;
	struct buf name = BUF(ex->arena, 64), body = BUF(ex->arena, PAGE_MAX),
		   whole = BUF(ex->arena, PAGE_MAX);
	pt_str own, ours, inner;

	buf_printf(&name, "own/%s", page);
	TRY(buf_done(&name, &own));
	if (template_has(templates, own)) {
		TRY(template_render(templates, own, model, &body));
		TRY(buf_done(&body, &inner));
		return csrf_insert(ex, model, inner, out);
	}
	name = BUF(ex->arena, 64);
	buf_printf(&name, "pages/%s", page);
	TRY(buf_done(&name, &ours));
	TRY(template_render(templates, ours, model, &body));
	TRY(buf_done(&body, &inner));
	value_fragment(model, "body", inner);
	TRY(template_render(templates, PT_STR("pages/layout"), model, &whole));
	return buf_done(&whole, out);
}

pt_err answer_page(struct exchange *ex, int status, const char *page,
	void (*fill)(struct exchange *ex, struct value *model, const void *from), const void *from)
{
	struct value *model;
	pt_str html;

	TRY(model_open(ex, page, &model));
	if (fill)
		fill(ex, model, from);
	TRY(page_render(ex, page, model, &html));
	ex->rs->status = status;
	ex->rs->body = html;
	http_set(ex->rs, PT_STR("Content-Type"), PT_STR("text/html; charset=utf-8"));
	http_set(ex->rs, PT_STR("Content-Language"), text_of(ex, "language"));
	http_set(ex->rs, PT_STR("Content-Security-Policy"), page_csp(ex, page));
	return PT_OK;
}

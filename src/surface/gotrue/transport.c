/*
 * transport.c - what every answer of the dialect carries, and questions from other origins (Fetch
 * Standard, CORS protocol).
 */
#include "base/str.h"
#include "http/cookie.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

#define CORS_METHODS (HTTP_GET | HTTP_POST | HTTP_PUT | HTTP_DELETE)

static const pt_str json_type = PT_STR_INIT("application/json");

/* ---- other origins ---- */

static bool list_names(pt_str list, pt_str wanted)
{
	while (list.n > 0) {
		pt_str word;

		(void)str_cut(list, ',', &word, &list);
		if (str_eq_nocase(str_trim(word), wanted))
			return true;
	}
	return false;
}

/* Only origins on the list learn that they may send credentials: to everybody else `*` says that what
 * they can read is what anybody can. */
static void allow_origin(struct exchange *ex)
{
	pt_str origin = http_header(ex->rq, PT_STR("origin"));
	bool known = list_names(setup_of(ex)->origins, origin);

	http_set(ex->rs, PT_STR("Access-Control-Allow-Origin"), known ? origin : PT_STR("*"));
	http_set(ex->rs, PT_STR("Access-Control-Allow-Credentials"), PT_STR("true"));
}

static bool headers_are_allowed(pt_str asked)
{
	const pt_str allowed =
		PT_STR("accept,authorization,content-type,x-jwt-aud,x-nf-client,x-use-cookie");

	while (asked.n > 0) {
		pt_str word;

		(void)str_cut(asked, ',', &word, &asked);
		word = str_trim(word);
		if (word.n > 0 && !list_names(allowed, word))
			return false;
	}
	return true;
}

static bool method_is_allowed(pt_str asked)
{
	for (unsigned m = HTTP_GET; m < HTTP_OTHER; m <<= 1)
		if ((CORS_METHODS & m) && str_eq(asked, str(http_method_name((enum http_method)m))))
			return true;
	return false;
}

bool gotrue_preflight(struct exchange *ex)
{
	pt_str method = http_header(ex->rq, PT_STR("access-control-request-method"));
	pt_str headers = http_header(ex->rq, PT_STR("access-control-request-headers"));

	if (ex->rq->method != HTTP_OPTIONS || method.n == 0)
		return false;
	ex->rs->status = 204;
	http_set(ex->rs, PT_STR("Vary"),
		PT_STR("Origin, Access-Control-Request-Method, Access-Control-Request-Headers"));
	if (!http_has_header(ex->rq, PT_STR("origin")) || !method_is_allowed(method) ||
		!headers_are_allowed(headers))
		return true;
	allow_origin(ex);
	http_set(ex->rs, PT_STR("Access-Control-Allow-Methods"), method);
	if (headers.n > 0)
		http_set(ex->rs, PT_STR("Access-Control-Allow-Headers"), headers);
	return true;
}

void gotrue_finish(struct exchange *ex)
{
	struct http_response *rs = ex->rs;

	exchange_guard(ex);
	http_set(rs, PT_STR("Cache-Control"), PT_STR("no-store"));
	if (http_is_set(rs, PT_STR("Vary")))
		return;
	http_set(rs, PT_STR("Vary"), PT_STR("Origin"));
	if (!(ex->rq->method & CORS_METHODS) || !http_has_header(ex->rq, PT_STR("origin")))
		return;
	allow_origin(ex);
	http_set(rs, PT_STR("Access-Control-Expose-Headers"), PT_STR("Link, X-Total-Count"));
}

/* ---- answers ---- */

pt_err answer_json_buf(struct exchange *ex, int status, struct buf *body)
{
	pt_str text;

	TRY(buf_done(body, &text));
	ex->rs->status = status;
	ex->rs->body = text;
	http_replace(ex->rs, PT_STR("Content-Type"), json_type);
	return PT_OK;
}

pt_err answer_empty_object(struct exchange *ex)
{
	ex->rs->status = 200;
	ex->rs->body = PT_STR("{}");
	http_replace(ex->rs, PT_STR("Content-Type"), json_type);
	return PT_OK;
}

pt_err answer_found(struct exchange *ex, pt_str location)
{
	struct buf b = BUF(ex->arena, 64 * KIB);
	pt_str text;

	buf_str(&b, PT_STR("<a href=\""));
	buf_html(&b, location);
	buf_str(&b, PT_STR("\">Found</a>.\n"));
	TRY(buf_done(&b, &text));
	ex->rs->status = 302;
	ex->rs->body = text;
	http_set(ex->rs, PT_STR("Location"), location);
	http_replace(ex->rs, PT_STR("Content-Type"), PT_STR("text/html; charset=utf-8"));
	return PT_OK;
}

/* ---- refusals ---- */

static void words_write(struct exchange *ex, const struct gotrue_words *words, struct buf *body)
{
	struct json json = JSON(body);

	json_object(&json, NULL);
	if (words->oauth) {
		json_str(&json, "error", str(words->oauth));
		if (words->text.n > 0)
			json_str(&json, "error_description", words->text);
	} else {
		json_int(&json, "code", words->status);
		json_str(&json, "msg", words->text);
		if (words->status >= 500)
			json_str(&json, "error_id", ex->id);
	}
	json_object_end(&json);
}

/* One header for each method, and nothing to read. */
static void refuse_method(struct exchange *ex)
{
	ex->rs->status = 405;
	for (unsigned m = HTTP_GET; m < HTTP_OTHER; m <<= 1)
		if (ex->allowed & m)
			http_set(ex->rs, PT_STR("Allow"),
				str(http_method_name((enum http_method)m)));
}

static void refuse_path(struct exchange *ex)
{
	ex->rs->status = 404;
	ex->rs->body = PT_STR("404 page not found\n");
	http_replace(ex->rs, PT_STR("Content-Type"), PT_STR("text/plain; charset=utf-8"));
}

static void refuse_headers(struct exchange *ex, const struct gotrue_words *words, pt_err err)
{
	pt_time wait = ex->call ? pt_call_retry_after(ex->call) : 0;

	if (words->status == 503)
		http_retry_after(ex->rs, wait > 0 ? wait : (err == PT_E_BUSY ? 1 : 5) * PT_SECOND);
	if (words->status == 429)
		http_retry_after(ex->rs, wait);
	if (err == PT_E_REUSED || err == PT_E_REFRESH || err == PT_E_REFRESH_EXPIRED)
		cookie_clear(ex);
	/* Guessing is slowed down by a timer, not by a thread. */
	if (ex->call && (err == PT_E_CREDENTIALS || err == PT_E_UNVERIFIED))
		ex->rs->delay = pt_site_policy(pt_call_site(ex->call))->failure_delay;
}

/* When memory is out, or worse: words that need nothing. */
static void refuse_plainly(struct exchange *ex)
{
	ex->rs->status = 503;
	ex->rs->body = PT_STR("{\"code\":503,\"msg\":\"Service unavailable\"}");
	http_replace(ex->rs, PT_STR("Content-Type"), json_type);
	http_replace(ex->rs, PT_STR("Retry-After"), PT_STR("5"));
}

static bool path_is_unknown(const struct exchange *ex, pt_err err)
{
	return err == PT_E_NOT_FOUND && ex->allowed == 0 && !ex->status &&
	       visit_of(ex)->words.status == 0;
}

void gotrue_refuse(struct exchange *ex, pt_err err)
{
	struct buf body = BUF(ex->arena, 8 * KIB);

	if (!visit_of(ex)) {
		refuse_plainly(ex);
		return;
	}
	if (err == PT_E_METHOD) {
		refuse_method(ex);
		return;
	}
	if (path_is_unknown(ex, err)) {
		refuse_path(ex);
		return;
	}
	const struct gotrue_words words = gotrue_words(ex, err);
	refuse_headers(ex, &words, err);
	words_write(ex, &words, &body);
	if (answer_json_buf(ex, words.status, &body) != PT_OK)
		refuse_plainly(ex);
}

static pt_err say(struct exchange *ex, struct gotrue_words words)
{
	visit_of(ex)->words = words;
	return PT_E_MALFORMED;
}

pt_err gotrue_no(struct exchange *ex, int status, const char *text)
{
	return say(ex, (struct gotrue_words){ .status = status, .text = str(text) });
}

pt_err gotrue_no_detail(struct exchange *ex, int status, const char *text, pt_str detail)
{
	struct buf b = BUF(ex->arena, 4 * KIB);
	pt_str whole;

	buf_str(&b, str(text));
	if (detail.n > 0) {
		buf_str(&b, PT_STR(": "));
		buf_str(&b, str_slice(detail, 0, 2 * KIB));
	}
	TRY(buf_done(&b, &whole));
	return say(ex, (struct gotrue_words){ .status = status, .text = whole });
}

pt_err gotrue_no_oauth(struct exchange *ex, const char *error, const char *text)
{
	return say(ex, (struct gotrue_words){ .status = 400, .text = str(text), .oauth = error });
}

/* ---- the cookie ---- */

enum { COOKIE_VALUE_MAX = 3800 }; /* browsers keep no cookie over 4 KiB */

static void cookie_put(struct exchange *ex, pt_str value, pt_time max_age)
{
	const struct cookie cookie = {
		.name = site_of(ex)->cookie_key,
		.value = value,
		.max_age = max_age,
		.now = pt_call_now(ex->call),
		.secure = true,
	};

	cookie_set(ex->rs, &cookie);
}

void cookie_grant(struct exchange *ex, const struct pt_grant *grant)
{
	pt_str wanted = http_header(ex->rq, PT_STR("x-use-cookie"));
	int64_t seconds = site_of(ex)->cookie_seconds;
	bool session = str_eq(wanted, PT_STR("session"));

	if (wanted.n == 0 || seconds <= 0 || grant->access_token.n > COOKIE_VALUE_MAX)
		return;
	cookie_put(ex, grant->access_token, session ? 0 : seconds * PT_SECOND);
}

void cookie_clear(struct exchange *ex)
{
	if (ex->call && visit_of(ex)->place && !http_is_set(ex->rs, PT_STR("Set-Cookie")))
		cookie_put(ex, PT_STR(""), -1);
}

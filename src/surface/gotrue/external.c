/*
 * external.c - signing in with an account elsewhere: off to the provider, and back.
 *
 * From /callback on, once its state is believed, whatever happens is told to the site by a redirect with
 * a fragment: programs on the page read it, and no server's log does.
 */
#include "base/log.h"
#include "base/str.h"
#include "http/cookie.h"
#include "http/field.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

enum { RETURN_MAX = 1024 };

static const pt_str away_cookie = PT_STR_INIT("pt_away");

/* Where nothing is said of a mount, a proxy may have taken it off the path. */
static pt_str away_path(struct exchange *ex)
{
	return ex->mount->prefix.n > 0 ? exchange_path(ex, "/callback") : PT_STR("/");
}

static void away_cookie_set(struct exchange *ex, pt_str value, pt_time max_age)
{
	const struct cookie cookie = {
		.name = away_cookie,
		.value = value,
		.path = away_path(ex),
		.max_age = max_age,
		.now = pt_call_now(ex->call),
		.secure = ex->surface->setup.secure_cookies,
	};

	cookie_set(ex->rs, &cookie);
}

/* ---- off ---- */

static pt_err unsupported(struct exchange *ex, const char *detail)
{
	return gotrue_no_detail(ex, 400, "Unsupported provider", str(detail));
}

static pt_err unknown_provider(struct exchange *ex, pt_str name)
{
	struct buf b = BUF(ex->arena, 256);
	pt_str detail;

	buf_str(&b, PT_STR("Provider "));
	buf_str(&b, str_slice(name, 0, 64));
	buf_str(&b, PT_STR(" could not be found"));
	TRY(buf_done(&b, &detail));
	return gotrue_no_detail(ex, 400, "Unsupported provider", detail);
}

static pt_err provider_check(struct exchange *ex, pt_str name)
{
	const struct gotrue_site *site = site_of(ex);

	for (size_t i = 0; i < site->n_providers; i++) {
		const struct gotrue_provider *provider = &site->providers[i];
		if (!str_eq(provider->name, name))
			continue;
		if (!provider->client_id)
			return unsupported(ex, "Missing Oauth client ID");
		if (!provider->secret)
			return unsupported(ex, "Missing Oauth secret");
		return provider->redirect_uri ? PT_OK : unsupported(ex, "Missing redirect URI");
	}
	if (str_eq(name, PT_STR("saml")))
		return unsupported(ex, "SAML Provider is not enabled");
	return gotrue_lists_provider(name) ? unsupported(ex, "Provider is not enabled")
					   : unknown_provider(ex, name);
}

static pt_err lower(struct exchange *ex, pt_str text, pt_str *out)
{
	char *p = arena_alloc(ex->arena, text.n + 1);

	if (!p)
		return PT_F_MEMORY;
	for (size_t i = 0; i < text.n; i++)
		p[i] = ascii_lower(text.p[i]);
	*out = str_n(p, text.n);
	return PT_OK;
}

/* What readers of addresses disagree about has no place in one. */
static bool url_is_plain(pt_str url)
{
	for (size_t i = 0; i < url.n; i++)
		if (url.p[i] <= 0x20 || url.p[i] == 0x7f || url.p[i] == '\\')
			return false;
	return true;
}

/* scheme://authority of a web address; false for anything else. */
static bool url_cut(pt_str url, pt_str *scheme, pt_str *authority)
{
	pt_str rest;
	size_t end = 0;

	if (!url_is_plain(url) || !str_cut(url, ':', scheme, &rest) ||
		!str_starts(rest, PT_STR("//")))
		return false;
	rest = str_slice(rest, 2, rest.n);
	while (end < rest.n && !memchr("/?#", rest.p[end], 3))
		end++;
	*authority = str_slice(rest, 0, end);
	return str_eq_nocase(*scheme, PT_STR("https")) || str_eq_nocase(*scheme, PT_STR("http"));
}

/* Where the browser came from, if that is the site itself: tokens go nowhere else. A page that was fetched
 * in clear may be anybody's where the site is not. */
static pt_str referrer_of(const struct exchange *ex)
{
	pt_str referer = http_header(ex->rq, PT_STR("referer"));
	pt_str scheme, authority, site_scheme, site_authority;

	if (referer.n > RETURN_MAX || !url_cut(referer, &scheme, &authority) ||
		!url_cut(site_of(ex)->site_url, &site_scheme, &site_authority))
		return PT_STR("");
	if (!str_eq_nocase(authority, site_authority))
		return PT_STR("");
	return str_eq_nocase(scheme, site_scheme) || str_eq_nocase(scheme, PT_STR("https"))
		       ? referer
		       : PT_STR("");
}

static pt_err return_to(struct exchange *ex, pt_str *out)
{
	*out = referrer_of(ex);
	return setup_of(ex)->many ? state_of_many(ex, *out, out) : PT_OK;
}

static pt_err begin(struct exchange *ex, struct pt_external_ask *ask)
{
	struct pt_external_begun begun;

	TRY(return_to(ex, &ask->return_to));
	TRY(pt_external_begin(ex->call, ask, &begun));
	if (!ask->unbound)
		away_cookie_set(ex, begun.cookie, PT_EXTERNAL_LIFE);
	return answer_found(ex, begun.url);
}

pt_err authorize_show(struct exchange *ex)
{
	struct pt_external_ask ask = { .unbound = setup_of(ex)->state_unbound };
	pt_str name;

	TRY(exchange_query(ex, "provider", &name));
	TRY(exchange_query(ex, "invite_token", &ask.invite));
	TRY(lower(ex, name, &ask.provider));
	TRY(provider_check(ex, ask.provider));
	pt_err err = begin(ex, &ask);
	if (err == PT_E_NOT_FOUND)
		return unsupported(ex, "Provider is not enabled");
	if (err == PT_E_PROVIDER_EXCHANGE)
		return unsupported(ex, "Provider could not be asked for its metadata");
	return err;
}

/* ---- back: the state ---- */

pt_err state_enter(struct exchange *ex)
{
	struct visit *visit = visit_of(ex);
	pt_str state;

	TRY(exchange_query(ex, "state", &state));
	if (state.n == 0)
		return gotrue_no(ex, 400, "OAuth state parameter missing");
	pt_err err = pt_external_state(
		ex->call, state, cookie_value(ex->rq, away_cookie), &visit->state);
	if (err == PT_E_STATE)
		return gotrue_no(ex, 400,
			"OAuth state is invalid: not ours, not this browser's, or too old");
	TRY(err);
	return setup_of(ex)->many ? state_enter_many(ex) : PT_OK;
}

/* ---- back: the fragment ---- */

struct part {
	const char *name;
	pt_str value;
};

static void part_write(struct buf *b, const struct part *part)
{
	pt_str rest = part->value, word;

	buf_str(b, str(part->name));
	buf_char(b, '=');
	while (str_cut(rest, ' ', &word, &rest)) {
		buf_url(b, word);
		buf_char(b, '+');
	}
	buf_url(b, word);
}

static pt_err answer_site(struct exchange *ex, const struct part *parts, size_t n)
{
	const struct gotrue_site *site = site_of(ex);
	struct buf b = BUF(ex->arena, 64 * KIB);
	pt_str to = site->redirect_url, location;

	if (to.n == 0)
		to = visit_of(ex)->state.return_to;
	if (to.n == 0)
		to = site->site_url;
	buf_str(&b, str_slice(to, 0, str_find(to, '#')));
	for (size_t i = 0; i < n; i++) {
		buf_char(&b, i == 0 ? '#' : '&');
		part_write(&b, &parts[i]);
	}
	TRY(buf_done(&b, &location));
	return answer_found(ex, location);
}

static pt_err answer_trouble(struct exchange *ex, pt_str error, pt_str description)
{
	const struct part parts[] = {
		{ "error", error },
		{ "error_description", description },
	};

	return answer_site(ex, parts, 2);
}

/* RFC 6749 4.1.2.1 has few words. */
static const char *error_of(int status)
{
	switch (status) {
	case 400:
		return "invalid_request";
	case 401:
		return "unauthorized_client";
	case 403:
		return "access_denied";
	case 503:
		return "temporarily_unavailable";
	default:
		return "server_error";
	}
}

static pt_err exchange_trouble(struct exchange *ex)
{
	struct buf b = BUF(ex->arena, 256);
	pt_str text;

	buf_str(&b, PT_STR("Unable to exchange external code for "));
	buf_str(&b, visit_of(ex)->state.provider);
	buf_str(&b, PT_STR(" provider"));
	TRY(buf_done(&b, &text));
	return answer_trouble(ex, PT_STR("server_error"), text);
}

static pt_err answer_refusal(struct exchange *ex, pt_err err)
{
	if (err == PT_E_UNVERIFIED)
		return answer_site(ex, NULL, 0);
	if (err == PT_E_PROVIDER_EXCHANGE)
		return exchange_trouble(ex);
	const struct gotrue_words words = gotrue_words(ex, err);
	return answer_trouble(ex, str(error_of(words.status)), words.text);
}

static pt_err answer_signed_in(struct exchange *ex, const struct pt_grant *grant)
{
	struct buf b = BUF(ex->arena, 32);
	pt_str seconds;

	buf_int(&b, site_of(ex)->token_seconds);
	TRY(buf_done(&b, &seconds));
	const struct part parts[] = {
		{ "access_token", grant->access_token },
		{ "expires_in", seconds },
		{ "refresh_token", grant->refresh_token },
		{ "token_type", PT_STR("bearer") },
	};
	return answer_site(ex, parts, 4);
}

pt_err callback_show(struct exchange *ex)
{
	pt_str error, description, code;
	struct pt_grant grant;

	if (!setup_of(ex)->state_unbound)
		away_cookie_set(ex, PT_STR(""), -1);
	TRY(exchange_query(ex, "error", &error));
	TRY(exchange_query(ex, "error_description", &description));
	TRY(exchange_query(ex, "code", &code));
	if (error.n > 0)
		return answer_trouble(ex, error, description);
	if (code.n == 0)
		return answer_trouble(
			ex, PT_STR("invalid_request"), PT_STR("Authorization code missing"));
	pt_err err = pt_external_finish(ex->call, &visit_of(ex)->state, code, &grant);
	return err == PT_OK ? answer_signed_in(ex, &grant) : answer_refusal(ex, err);
}

/*
 * signin.c - signing in and out, and renewing tokens.
 */
#include "base/str.h"
#include "http/cookie.h"
#include "surface/pages/pages.h"
#include "base/banned.h"

#define DEVICE_LIFE (365 * PT_DAY)

/* The way back comes with the link to this page, and travels on in the form. */
pt_err signin_show(struct exchange *ex)
{
	struct fields query;
	pt_str next;

	TRY(exchange_query(ex, "next", &next));
	next = pages_next(ex, next);
	struct field *field = ARENA_NEW(ex->arena, struct field);
	if (!field)
		return PT_F_MEMORY;
	*field = (struct field){ PT_STR("next"), next };
	query = (struct fields){ field, 1 };
	ex->fields = query;
	ex->fields_read = true;
	return answer_page(ex, 200, "signin", fill_nothing_more, NULL);
}

static void write_tokens(struct json *json, const void *from)
{
	const struct pt_grant *grant = from;

	json_object(json, "data");
	json_str(json, "refresh_token", grant->refresh_token);
	json_str(json, "token", grant->access_token);
	json_object_end(json);
}

static pt_err signin_answer_json(struct exchange *ex, const struct pt_grant *grant)
{
	bool tokens = ex->surface->setup.pages.tokens;
	const struct answer answer = {
		.status = tokens ? 200 : 303,
		.message = "Signin successful",
		.data = tokens ? write_tokens : NULL,
		.from = grant,
		.account = &grant->account,
	};

	return answer_json(ex, &answer);
}

static void signin_answer_page(struct exchange *ex)
{
	pt_str next = pages_next(ex, exchange_field(ex, "next"));

	answer_see_other(ex, next.n > 0 ? next : exchange_path(ex, "/"));
}

pt_err signin_post(struct exchange *ex)
{
	unsigned grants =
		ex->surface->setup.pages.tokens && ex->json ? PT_GRANT_TOKENS : PT_GRANT_SESSION;
	struct pt_grant grant;

	TRY(exchange_fields(ex));
	const struct pt_signin_form form = {
		.name = exchange_field(ex, "username"),
		.password = exchange_field(ex, "password"),
		.device = cookie_value(ex->rq, device_cookie),
		.session = cookie_value(ex->rq, session_cookie),
	};
	TRY(pt_signin(ex->call, &form, grants, &grant));
	if (ex->json)
		TRY(signin_answer_json(ex, &grant));
	else
		signin_answer_page(ex);
	/* Last: an answer that could not be made must not let anybody in. */
	if (grant.session.n > 0)
		pages_cookie(ex, session_cookie, grant.session,
			grant.session_expires - pt_call_now(ex->call));
	pages_cookie(ex, device_cookie, grant.device, DEVICE_LIFE);
	return PT_OK;
}

/* ---- out ---- */

static pt_err signout(struct exchange *ex)
{
	pt_str secret = cookie_value(ex->rq, session_cookie);
	pt_str bearer = exchange_bearer(ex, false);

	/* The cookie goes first: also when the store is away this browser is signed out. */
	pages_cookie(ex, session_cookie, PT_STR(""), -1);
	if (ex->surface->https)
		http_set(ex->rs, PT_STR("Clear-Site-Data"), PT_STR("\"cache\", \"storage\""));
	if (secret.n > 0)
		TRY(pt_signout(ex->call, secret));
	if (bearer.n > 0)
		TRY(pt_token_revoke(ex->call, bearer));
	const struct answer answer = { .status = 200, .message = "Signout successful" };
	if (ex->json)
		return answer_json(ex, &answer);
	notice_leave(ex, NOTICE_SIGNOUT);
	answer_see_other(ex, exchange_path(ex, "/"));
	return PT_OK;
}

/* The original signs out by GET. Another site's image or link must not: it gets a page that asks. */
pt_err signout_get(struct exchange *ex)
{
	pt_str site = http_header(ex->rq, PT_STR("sec-fetch-site"));

	if (!str_eq(site, PT_STR("cross-site")))
		return signout(ex);
	return ex->json ? PT_E_CROSS_SITE
			: answer_page(ex, 200, "signout", fill_nothing_more, NULL);
}

pt_err signout_post(struct exchange *ex)
{
	return signout(ex);
}

/* ---- tokens ---- */

/* Single-page clients fetch their CSRF token here; it stands in the headers of every answer. */
pt_err refresh_get(struct exchange *ex)
{
	const struct answer answer = { .status = 200, .message = "CSRF token issued" };

	ex->json = true;
	return answer_json(ex, &answer);
}

pt_err refresh_post(struct exchange *ex)
{
	struct pt_grant grant;

	ex->json = true;
	TRY(exchange_fields(ex));
	if (!ex->surface->setup.pages.tokens)
		return PT_E_REFRESH;
	TRY(pt_token_refresh(ex->call, exchange_field(ex, "refresh_token"), &grant));
	const struct answer answer = {
		.status = 200,
		.message = "Token refreshed",
		.data = write_tokens,
		.from = &grant,
	};
	return answer_json(ex, &answer);
}

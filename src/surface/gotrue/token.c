/*
 * token.c - signing in, staying in, going out.
 */
#include "base/str.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

/* ---- answering ---- */

pt_err answer_grant(struct exchange *ex, const struct pt_grant *grant)
{
	struct buf body = BUF(ex->arena, GOTRUE_ANSWER_MAX);
	struct json json = JSON(&body);

	json_object(&json, NULL);
	json_str(&json, "access_token", grant->access_token);
	json_str(&json, "token_type", PT_STR("bearer"));
	json_int(&json, "expires_in", site_of(ex)->token_seconds);
	json_str(&json, "refresh_token", grant->refresh_token);
	json_object_end(&json);
	TRY(answer_json_buf(ex, 200, &body));
	/* Last: an answer that could not be made must not let anybody in. */
	cookie_grant(ex, grant);
	return PT_OK;
}

/* ---- the form ---- */

struct token_form {
	struct fields body, query;
	bool query_counts; /* for more than the grant's name */
};

/* RFC 6749 4.3: a form. A body of any other type is not looked at. */
static pt_err form_read(struct exchange *ex, struct token_form *out)
{
	enum body_type type = body_type(ex->rq);

	*out = (struct token_form){ .query_counts = setup_of(ex)->query_credentials };
	pt_err err = fields_query(ex->arena, ex->rq->query, &out->query);
	if (err == PT_OK && (type == BODY_FORM || type == BODY_MULTIPART))
		err = fields_read(ex->rq, 4 * KIB, &out->body);
	if (err == PT_OK || pt_is_fault(err))
		return err;
	return gotrue_no_oauth(ex, "invalid_request", "The form cannot be read");
}

/* The body wins over the query, where credentials have no business: logs keep those. */
static pt_str form_value(const struct token_form *form, const char *name, bool secret)
{
	pt_str value = field_value(&form->body, str(name));

	if (value.n > 0 || (secret && !form->query_counts))
		return value;
	return field_value(&form->query, str(name));
}

/* ---- grants ---- */

static pt_err grant_password(struct exchange *ex, const struct token_form *form)
{
	const struct pt_signin_form signin = {
		.name = str_strip(form_value(form, "username", true)),
		.password = form_value(form, "password", true),
	};
	struct pt_grant grant;

	TRY(pt_signin(ex->call, &signin, PT_GRANT_TOKENS, &grant));
	return answer_grant(ex, &grant);
}

static pt_err grant_refresh(struct exchange *ex, const struct token_form *form)
{
	pt_str token = form_value(form, "refresh_token", true);
	struct pt_grant grant;

	if (token.n == 0)
		return gotrue_no_oauth(ex, "invalid_request", "refresh_token required");
	TRY(pt_token_refresh(ex->call, token, &grant));
	return answer_grant(ex, &grant);
}

static const struct {
	pt_str name;
	pt_err (*grant)(struct exchange *ex, const struct token_form *form);
} grants[] = {
	{ PT_STR_INIT("password"), grant_password },
	{ PT_STR_INIT("refresh_token"), grant_refresh },
};

pt_err token_post(struct exchange *ex)
{
	struct token_form form;

	TRY(form_read(ex, &form));
	pt_str type = form_value(&form, "grant_type", false);
	for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++)
		if (str_eq(type, grants[i].name))
			return grants[i].grant(ex, &form);
	return gotrue_no_oauth(ex, "unsupported_grant_type", "");
}

/* ---- out ---- */

/* The cookie goes first: also when the store is away this browser is signed out. */
pt_err logout_post(struct exchange *ex)
{
	pt_str subject = visit_of(ex)->access.subject;

	cookie_clear(ex);
	if (!is_uuid(subject))
		return gotrue_no(ex, 401, "Invalid user");
	TRY(pt_signout_everywhere(ex->call, subject));
	ex->rs->status = 204;
	return PT_OK;
}

/*
 * signup.c - signing up, confirming the address, asking for the link again.
 */
#include "base/str.h"
#include "surface/pages/pages.h"
#include "base/banned.h"

static pt_err password_hint(struct exchange *ex, pt_str *out)
{
	const struct pt_policy *policy = pt_site_policy(ex->surface->setup.site);
	struct buf min = BUF(ex->arena, 32);

	buf_uint(&min, policy->password_min);
	const struct blank blank = { "min", buf_view(&min) };
	return text_fill(ex, "password.hint", &blank, 1, out);
}

static void fill_password_rule(struct exchange *ex, struct value *model)
{
	const struct pt_policy *policy = pt_site_policy(ex->surface->setup.site);
	pt_str hint = PT_STR("");

	if (password_hint(ex, &hint) != PT_OK)
		ex->rs->failed = true;
	value_str(model, "password_hint", hint);
	value_int(model, "password_min", (int64_t)policy->password_min);
	value_int(model, "password_max", policy->hash_bcrypt ? 72 : (int64_t)policy->password_max);
}

void fill_signup(struct exchange *ex, struct value *model, const void *from)
{
	const struct pt_policy *policy = pt_site_policy(ex->surface->setup.site);

	(void)from;
	fill_password_rule(ex, model);
	value_bool(value_child(model, "names"), "required", policy->names_required);
	if (policy->captcha)
		value_str(value_child(model, "captcha"), "site_key",
			ex->surface->setup.pages.captcha_site_key);
}

void fill_reset(struct exchange *ex, struct value *model, const void *from)
{
	(void)from;
	fill_password_rule(ex, model);
	value_str(model, "Token", exchange_field(ex, "token"));
}

pt_err signup_show(struct exchange *ex)
{
	return answer_page(ex, 200, "signup", fill_signup, NULL);
}

pt_err signup_post(struct exchange *ex)
{
	struct pt_account account;

	TRY(exchange_fields(ex));
	const struct pt_signup_form form = {
		.username = exchange_field(ex, "username"),
		.email = exchange_field(ex, "email"),
		.password = exchange_field(ex, "password"),
		.given_name = exchange_field(ex, "firstname"),
		.family_name = exchange_field(ex, "lastname"),
		.captcha = exchange_field(ex, "g-recaptcha-response"),
	};
	TRY(pt_signup(ex->call, &form, &account));
	bool sent_page = ex->surface->setup.pages.signup_sent_page;
	return answer_done(ex, "Signup successful, please verify your email",
		sent_page ? NOTICE_NONE : NOTICE_SIGNUP,
		exchange_path(ex, sent_page ? "/signup/sent" : "/signin"));
}

static void fill_sent(struct exchange *ex, struct value *model, const void *from)
{
	const struct pt_policy *policy = pt_site_policy(ex->surface->setup.site);
	pt_str time, validity = PT_STR("");

	(void)from;
	if (text_duration(ex, policy->verify_life, &time) == PT_OK) {
		const struct blank blank = { "time", time };
		if (text_fill(ex, "sent.validity", &blank, 1, &validity) != PT_OK)
			ex->rs->failed = true;
	}
	value_str(model, "text", text_of(ex, "sent.signup"));
	value_str(model, "validity", validity);
	value_str(model, "again_url", exchange_path(ex, "/signup"));
}

pt_err signup_sent_show(struct exchange *ex)
{
	return answer_page(ex, 200, "sent", fill_sent, NULL);
}

/* GET acts, as mailed links of the original promise: it can only confirm, and doing it again changes
 * nothing, so a scanner that opens it does no harm. */
pt_err verify_get(struct exchange *ex)
{
	pt_str token;

	TRY(exchange_query(ex, "token", &token));
	TRY(pt_confirm(ex->call, token));
	return answer_done(ex, "Account verified", NOTICE_VERIFIED, exchange_path(ex, "/signin"));
}

pt_err resend_post(struct exchange *ex)
{
	TRY(exchange_fields(ex));
	TRY(pt_resend(ex->call, exchange_field(ex, "email")));
	return answer_done(
		ex, "Verification email sent", NOTICE_VERIFY_SENT, exchange_path(ex, "/signin"));
}

/*
 * client.c - what a browser carries: cookies, notices, the way back.
 */
#include "base/str.h"
#include "http/cookie.h"
#include "surface/pages/pages.h"
#include "base/banned.h"

const pt_str session_cookie = PT_STR_INIT("session");
const pt_str device_cookie = PT_STR_INIT("pt_device");
const pt_str csrf_cookie = PT_STR_INIT("_gorilla_csrf");

static const pt_str notice_cookie = PT_STR_INIT("pt_notice");

/* By name, so that a cookie can say no words but ours. */
static const struct {
	pt_str name;
	const char *text;
} notices[] = {
	[NOTICE_SIGNUP] = { PT_STR_INIT("signup"), "notice.signup" },
	[NOTICE_VERIFIED] = { PT_STR_INIT("verified"), "notice.verified" },
	[NOTICE_FORGOT] = { PT_STR_INIT("forgot"), "notice.forgot" },
	[NOTICE_RESET] = { PT_STR_INIT("reset"), "notice.reset" },
	[NOTICE_SIGNOUT] = { PT_STR_INIT("signout"), "notice.signout" },
	[NOTICE_VERIFY_SENT] = { PT_STR_INIT("verify_sent"), "notice.verify_sent" },
};

enum { NOTICES = sizeof(notices) / sizeof(notices[0]) };

void pages_cookie(struct exchange *ex, pt_str name, pt_str value, pt_time max_age)
{
	const struct cookie cookie = {
		.name = name,
		.value = value,
		.path = ex->mount->prefix,
		.max_age = max_age,
		.now = pt_call_now(ex->call),
		.secure = ex->surface->setup.secure_cookies,
	};

	cookie_set(ex->rs, &cookie);
}

void notice_leave(struct exchange *ex, enum notice notice)
{
	if (notice != NOTICE_NONE)
		pages_cookie(ex, notice_cookie, notices[notice].name, 5 * PT_MINUTE);
}

enum notice notice_take(struct exchange *ex)
{
	pt_str value = cookie_value(ex->rq, notice_cookie);

	if (value.n == 0)
		return NOTICE_NONE;
	pages_cookie(ex, notice_cookie, PT_STR(""), -1);
	for (size_t i = NOTICE_NONE + 1; i < NOTICES; i++)
		if (str_eq(value, notices[i].name))
			return (enum notice)i;
	return NOTICE_NONE;
}

const char *notice_text(enum notice notice)
{
	return notice == NOTICE_NONE ? NULL : notices[notice].text;
}

pt_err pages_who(struct exchange *ex, struct pt_account *account)
{
	pt_str secret = cookie_value(ex->rq, session_cookie);
	pt_str bearer = exchange_bearer(ex, true);
	struct pt_session session;

	if (secret.n > 0) {
		pt_err err = pt_session_find(ex->call, secret, &session, account);
		if (err != PT_E_NOT_SIGNED_IN)
			return err;
	}
	if (bearer.n == 0)
		return PT_E_NOT_SIGNED_IN;
	return pt_token_check(ex->call, bearer, account);
}

static bool path_char(char c)
{
	return c > 0x20 && c < 0x7f && c != '\\' && c != '"' && c != '<' && c != '>';
}

pt_str pages_next(struct exchange *ex, pt_str wanted)
{
	pt_str prefix = exchange_path(ex, "/");

	if (wanted.n == 0 || wanted.n > 1024 || !str_starts(wanted, prefix) ||
		str_starts(wanted, PT_STR("//")))
		return PT_STR("");
	for (size_t i = 0; i < wanted.n; i++)
		if (!path_char(wanted.p[i]))
			return PT_STR("");
	return wanted;
}

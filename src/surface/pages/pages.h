/*
 * pages.h - what the rooms of the pages dialect share: how it answers, and in which words.
 *
 * The dialect is Identoro's (docs/dialects/identoro.md): one set of paths that answers browsers with
 * pages and programs with JSON `{"data":…,"message":…,"status":…}`.
 */
#ifndef SURFACE_PAGES_PAGES_H
#define SURFACE_PAGES_PAGES_H

#include "base/json.h"
#include "surface/surface_private.h"

/* ---- words ---- */

/* How a refusal or fault is said. */
struct words {
	int status;
	pt_str message;    /* JSON, English, stable */
	const char *field; /* the field of the form that it is about, or NULL */
	const char *text;  /* its id in the catalogue: "error.username" */
};

PT_CHECK pt_err words_for(struct exchange *ex, pt_err err, struct words *out);

/* The shortest password that the form at hand takes. */
size_t pages_password_min(const struct exchange *ex);

/* ---- notices: what a page says after a redirect, once ---- */

enum notice {
	NOTICE_NONE,
	NOTICE_SIGNUP,
	NOTICE_VERIFIED,
	NOTICE_FORGOT,
	NOTICE_RESET,
	NOTICE_SIGNOUT,
	NOTICE_VERIFY_SENT,
};

void notice_leave(struct exchange *ex, enum notice notice);
/* The notice that waits, which is then gone. */
enum notice notice_take(struct exchange *ex);
/* Its id in the catalogue, "notice.signup"; NULL for none. */
const char *notice_text(enum notice notice);

/* ---- answers ---- */

enum { COOKIE_SESSION_NAME_N = 7 };

/* Writes the members of `data`; NULL says null. */
typedef void (*data_writer)(struct json *json, const void *from);

struct answer {
	int status;
	const char *message;
	data_writer data;
	const void *from;
	const struct pt_account
		*account; /* adds the members that single-page clients read, or NULL */
	bool names;       /* with `username` and `name` beside `userId` */
};

/* The JSON envelope, whatever the exchange prefers. */
PT_CHECK pt_err answer_json(struct exchange *ex, const struct answer *answer);

/* A success: JSON with 303 and no Location, or a redirect with a notice. */
PT_CHECK pt_err answer_done(
	struct exchange *ex, const char *message, enum notice notice, pt_str location);

/* A redirect by 303. */
void answer_see_other(struct exchange *ex, pt_str location);

/* A page with the common model; `fill` adds its own values and may be NULL. */
PT_CHECK pt_err answer_page(struct exchange *ex, int status, const char *page,
	void (*fill)(struct exchange *ex, struct value *model, const void *from), const void *from);

/* Fills {placeholders} of a catalogue text. Pairs of name and value, NULL-ended names. */
struct blank {
	const char *name;
	pt_str value;
};
PT_CHECK pt_err text_fill(
	struct exchange *ex, const char *id, const struct blank *blanks, size_t n, pt_str *out);
pt_str text_of(const struct exchange *ex, const char *id);

/* "15 minutes", "1 hour", in the page's language. */
PT_CHECK pt_err text_duration(struct exchange *ex, pt_time duration, pt_str *out);

/* ---- cookies ---- */

extern const pt_str session_cookie;
extern const pt_str device_cookie;
extern const pt_str csrf_cookie;

/* max_age negative: delete it. */
void pages_cookie(struct exchange *ex, pt_str name, pt_str value, pt_time max_age);

/* ---- who ---- */

/* The signed-in account: by session cookie, or by access token. PT_E_NOT_SIGNED_IN. */
PT_CHECK pt_err pages_who(struct exchange *ex, struct pt_account *account);

/* A path on this site that a form may send people to afterwards; "" for anything else. */
pt_str pages_next(struct exchange *ex, pt_str wanted);

/* ---- handlers, by noun ---- */

pt_err home_show(struct exchange *ex);
pt_err me_show(struct exchange *ex);
pt_err signup_show(struct exchange *ex);
pt_err signup_post(struct exchange *ex);
pt_err signup_sent_show(struct exchange *ex);
pt_err verify_get(struct exchange *ex);
pt_err resend_post(struct exchange *ex);
pt_err signin_show(struct exchange *ex);
pt_err signin_post(struct exchange *ex);
pt_err signout_get(struct exchange *ex);
pt_err signout_post(struct exchange *ex);
pt_err refresh_get(struct exchange *ex);
pt_err refresh_post(struct exchange *ex);
pt_err forgot_show(struct exchange *ex);
pt_err forgot_post(struct exchange *ex);
pt_err reset_show(struct exchange *ex);
pt_err reset_post(struct exchange *ex);
pt_err asset_show(struct exchange *ex);
pt_err mailbox_show(struct exchange *ex);
pt_err mailbox_letter_show(struct exchange *ex);
pt_err change_password_show(struct exchange *ex);
pt_err robots_show(struct exchange *ex);

/* Values that pages share. */
void fill_signup(struct exchange *ex, struct value *model, const void *from);
void fill_reset(struct exchange *ex, struct value *model, const void *from);
void fill_nothing_more(struct exchange *ex, struct value *model, const void *from);

#endif

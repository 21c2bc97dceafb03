/*
 * portress/act.h - one function for each thing a person or program does.
 *
 * Every act may also answer a fault, PT_E_BUSY where it hashes, and PT_E_LIMITED where it is
 * counted. What else it refuses stands with it. Outputs are written on PT_OK only, and live as long
 * as the call.
 */
#ifndef PORTRESS_ACT_H
#define PORTRESS_ACT_H

#include "portress/account.h"
#include "portress/event.h"
#include "portress/portress.h"
#include "portress/session.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- signing up --------------------------------------------------------------------------- */

struct pt_signup_form {
	pt_str username;
	pt_str email;
	pt_str password;
	pt_str given_name;
	pt_str family_name;
	pt_str captcha; /* what the widget put into the form */
};

/*
 * Opens an unconfirmed account and mails the link that confirms it.
 * In this order: PT_E_USERNAME, PT_E_EMAIL, PT_E_PASSWORD_*, PT_E_GIVEN_NAME_LONG,
 * PT_E_FAMILY_NAME_LONG, PT_E_NAMES_MISSING; PT_E_CAPTCHA; PT_E_MAIL_LIMITED; PT_E_TAKEN.
 */
PT_API PT_CHECK pt_err pt_signup(
	struct pt_call *call, const struct pt_signup_form *form, struct pt_account *out);

/* The link of that letter. Again within its life is PT_OK. PT_E_TICKET. */
PT_API PT_CHECK pt_err pt_confirm(struct pt_call *call, pt_str secret);

/* Mails the link again. PT_OK whether or not there is such an account, and whether or not it is
 * confirmed already. PT_E_EMAIL, PT_E_MAIL_LIMITED (per client only). */
PT_API PT_CHECK pt_err pt_resend(struct pt_call *call, pt_str email);

/* ---- signing in --------------------------------------------------------------------------- */

struct pt_signin_form {
	pt_str name; /* user name; or an address, where the policy says so */
	pt_str password;
	pt_str device;  /* the device cookie, if the browser sent one: its own share of attempts */
	pt_str session; /* the session cookie, if it sent one: that session is replaced */
};

/* What a success opens; or-ed. */
enum pt_grant_kind {
	PT_GRANT_SESSION = 1 << 0,
	PT_GRANT_TOKENS = 1 << 1,
};

struct pt_grant {
	struct pt_account account;
	pt_str session; /* the cookie's secret, base64url; "" if none was asked for */
	pt_time session_expires;
	pt_str access_token; /* JWT */
	pt_time access_expires;
	pt_str refresh_token;
	pt_str device; /* device cookie to set: this browser has signed in here before */
};

/*
 * PT_E_USERNAME, PT_E_EMAIL, PT_E_PASSWORD_SHORT ... (a form that no account could have: not
 * counted), PT_E_LIMITED, PT_E_CREDENTIALS, PT_E_UNVERIFIED, PT_E_DISABLED (the last two only
 * after the right password). Costs the same whether or not the account exists.
 */
PT_API PT_CHECK pt_err pt_signin(struct pt_call *call, const struct pt_signin_form *form,
	unsigned grants, struct pt_grant *out);

/* The session that a cookie's secret opens, and whose it is. PT_E_NOT_SIGNED_IN. */
PT_API PT_CHECK pt_err pt_session_find(struct pt_call *call, pt_str secret,
	struct pt_session *session, struct pt_account *account);

/* Ends it. A secret that opens nothing is PT_OK. While the store is away the session is ended in this
 * process and noted, up to a bound: pt_farewells_finish ends it in the store. */
PT_API PT_CHECK pt_err pt_signout(struct pt_call *call, pt_str secret);

/* Ends in the store what was signed out while it was away. Call it now and then; it costs nothing when
 * there is nothing to do. */
PT_API PT_CHECK pt_err pt_farewells_finish(struct pt_call *call);

/* ---- tokens ------------------------------------------------------------------------------- */

/* Whose an access token is. PT_E_TOKEN, PT_E_TOKEN_CLAIMS. */
PT_API PT_CHECK pt_err pt_token_check(
	struct pt_call *call, pt_str access_token, struct pt_account *account);

/* A new pair for a refresh token, which is spent. PT_E_REFRESH, PT_E_TOKEN_CLAIMS, PT_E_REUSED. */
PT_API PT_CHECK pt_err pt_token_refresh(
	struct pt_call *call, pt_str refresh_token, struct pt_grant *out);

/* Revokes the family that an access token came from, though the token itself has expired. PT_OK also
 * when there is none. */
PT_API PT_CHECK pt_err pt_token_revoke(struct pt_call *call, pt_str access_token);

/* ---- recovering --------------------------------------------------------------------------- */

/* Mails a link to choose a new password, if the address belongs to an account. The caller cannot
 * tell. PT_E_EMAIL, PT_E_MAIL_LIMITED (per client only). */
PT_API PT_CHECK pt_err pt_recover(struct pt_call *call, pt_str email);

/* Whose link it is, for the page that asks for the new password. Changes nothing. PT_E_TICKET. */
PT_API PT_CHECK pt_err pt_reset_find(
	struct pt_call *call, pt_str secret, struct pt_account *account);

/* Sets the password, confirms the address, ends every session and token family of the account and
 * mails a notice. PT_E_PASSWORD_* (the link stays good), PT_E_TICKET. */
PT_API PT_CHECK pt_err pt_reset(struct pt_call *call, pt_str secret, pt_str new_password);

/* ---- forms of browsers -------------------------------------------------------------------- */

/*
 * Cross-site request forgery, by a signed double-submit cookie in gorilla/csrf's format: the cookie
 * holds a signed 32-byte token, each form a fresh mask of it.
 */
struct pt_csrf {
	uint8_t token[32];
	bool fresh;    /* no valid cookie was sent: set this one */
	pt_str cookie; /* value to set when fresh */
};

/* Reads the cookie's value, or makes a new token. Only faults. */
PT_API PT_CHECK pt_err pt_csrf_open(struct pt_call *call, pt_str cookie, struct pt_csrf *out);

/* A fresh mask, base64, 88 characters. */
PT_API PT_CHECK pt_err pt_csrf_mask(struct pt_call *call, const struct pt_csrf *csrf, pt_str *out);

/* PT_E_CSRF_MISSING: nothing submitted. PT_E_CSRF: not a mask of it, or the cookie was fresh. */
PT_API PT_CHECK pt_err pt_csrf_check(
	struct pt_call *call, const struct pt_csrf *csrf, pt_str submitted);

/* How long the cookie lives. */
#define PT_CSRF_LIFE (12 * PT_HOUR)

/* ---- operators ---------------------------------------------------------------------------- */

/* These ask nobody: who may call them is the caller's business. `key` is an id, a user name or an
 * address. PT_E_NOT_FOUND. */
PT_API PT_CHECK pt_err pt_account_find(struct pt_call *call, pt_str key, struct pt_account *out);
PT_API PT_CHECK pt_err pt_account_list(
	struct pt_call *call, pt_str after, size_t max, struct pt_account **out, size_t *n);

struct pt_account_form {
	pt_str username;
	pt_str email;
	pt_str password; /* "" makes an account that can only be recovered */
	pt_str given_name;
	pt_str family_name;
	bool verified;
};

/* As pt_signup, without letters, limits and captcha. */
PT_API PT_CHECK pt_err pt_account_create(
	struct pt_call *call, const struct pt_account_form *form, struct pt_account *out);
PT_API PT_CHECK pt_err pt_account_set_password(struct pt_call *call, pt_str key, pt_str password);
PT_API PT_CHECK pt_err pt_account_set_verified(struct pt_call *call, pt_str key, bool verified);
PT_API PT_CHECK pt_err pt_account_set_disabled(struct pt_call *call, pt_str key, bool disabled);
PT_API PT_CHECK pt_err pt_account_remove(struct pt_call *call, pt_str key);
PT_API PT_CHECK pt_err pt_event_list(
	struct pt_call *call, pt_str account_key, size_t max, struct pt_event **out, size_t *n);

#ifdef __cplusplus
}
#endif
#endif

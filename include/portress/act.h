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
#include "portress/moving.h"
#include "portress/portress.h"
#include "portress/provider.h"
#include "portress/session.h"
#include "portress/tenant.h"

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
 * In this order: PT_E_SIGNUP_OFF; PT_E_USERNAME, PT_E_EMAIL, PT_E_PASSWORD_*, PT_E_GIVEN_NAME_LONG,
 * PT_E_FAMILY_NAME_LONG, PT_E_NAMES_MISSING; PT_E_CAPTCHA; PT_E_MAIL_LIMITED; PT_E_HOOK_*; PT_E_TAKEN.
 */
PT_API PT_CHECK pt_err pt_signup(
	struct pt_call *call, const struct pt_signup_form *form, struct pt_account *out);

/* The link of that letter. Again within its life is PT_OK. PT_E_TICKET, PT_E_HOOK_*. */
PT_API PT_CHECK pt_err pt_confirm(struct pt_call *call, pt_str secret);

/* Mails the link again. PT_OK whether or not there is such an account, and whether or not it is
 * confirmed already. PT_E_EMAIL, PT_E_MAIL_LIMITED (per client only). */
PT_API PT_CHECK pt_err pt_resend(struct pt_call *call, pt_str email);

/* ---- signing up by address alone ---------------------------------------------------------- */

struct pt_register_form {
	pt_str email;
	pt_str password;
	pt_str user_metadata; /* a JSON object; "" none */
};

/*
 * Opens an account without a user name, or begins again with one that was never confirmed: its
 * metadata merges, its password and its letter are replaced (the letter not within policy.mail_pause).
 * Confirmed at once under policy.autoconfirm, unless somebody was invited by that address. Says, unlike
 * pt_signup, that an address is taken.
 * PT_E_SIGNUP_OFF, PT_E_EMAIL, PT_E_PASSWORD_*; PT_E_MAIL_LIMITED (per client); PT_E_TAKEN;
 * PT_E_HOOK_*; PT_E_MAIL.
 */
PT_API PT_CHECK pt_err pt_register(
	struct pt_call *call, const struct pt_register_form *form, struct pt_account *out);

/* Opens an account for somebody and mails the link that accepts it. PT_E_EMAIL, PT_E_TAKEN (confirmed or
 * not), PT_E_HOOK_*, PT_E_MAIL. */
PT_API PT_CHECK pt_err pt_invite(
	struct pt_call *call, pt_str email, pt_str user_metadata, struct pt_account *out);

enum pt_proof { PT_PROOF_SIGNUP, PT_PROOF_RECOVERY };

struct pt_grant; /* below */

/*
 * Takes a mailed secret, once, confirms the address if it was not yet, and signs in with tokens. SIGNUP
 * takes the secrets of pt_register and pt_invite, RECOVERY that of pt_recover. `password`: chosen by
 * who was invited and has none yet; ignored otherwise.
 * PT_E_TICKET, PT_E_TICKET_EXPIRED, PT_E_PASSWORD_MISSING, PT_E_PASSWORD_*, PT_E_DISABLED, PT_E_HOOK_*.
 */
PT_API PT_CHECK pt_err pt_prove(struct pt_call *call, enum pt_proof proof, pt_str secret,
	pt_str password, struct pt_grant *out);

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

/* A new pair for a refresh token, which is spent. PT_E_REFRESH, PT_E_REFRESH_EXPIRED (opaque ones alone),
 * PT_E_TOKEN_CLAIMS, PT_E_REUSED. */
PT_API PT_CHECK pt_err pt_token_refresh(
	struct pt_call *call, pt_str refresh_token, struct pt_grant *out);

/* Revokes the family that an access token came from, though the token itself has expired. PT_OK also
 * when there is none. */
PT_API PT_CHECK pt_err pt_token_revoke(struct pt_call *call, pt_str access_token);

/* Why an access token opens nothing. */
enum pt_token_flaw {
	PT_FLAW_NONE,
	PT_FLAW_SEGMENTS,  /* not three parts */
	PT_FLAW_ENCODING,  /* a part is not base64url, or not JSON */
	PT_FLAW_ALGORITHM, /* its header names another algorithm than the keys have */
	PT_FLAW_SIGNATURE,
	PT_FLAW_CLAIMS, /* no `exp`, or one of the wrong type */
	PT_FLAW_EXPIRED,
	PT_FLAW_NOT_YET, /* nbf */
	PT_FLAW_EARLY,   /* iat */
};

/* What an access token of policy.token_profile says. */
struct pt_access {
	pt_str subject;
	pt_str audience;
	pt_str email;
	struct pt_id session; /* the family it came from; "" in tokens of others */
	pt_time expires;
	enum pt_token_flaw flaw; /* written with PT_E_TOKEN too */
	pt_time flaw_by;         /* EXPIRED: how long ago */
	pt_str algorithm;        /* ALGORITHM: what it names */
};

/* Judges the token alone; reads no store. PT_E_TOKEN. */
PT_API PT_CHECK pt_err pt_access_read(
	struct pt_call *call, pt_str access_token, struct pt_access *out);

/* Ends every session and family of an account. PT_E_NOT_FOUND. */
PT_API PT_CHECK pt_err pt_signout_everywhere(struct pt_call *call, pt_str id);

/* ---- signing in with an account elsewhere ------------------------------------------------- */

struct pt_external_ask {
	pt_str provider;  /* its name */
	pt_str invite;    /* secret of an invitation that it accepts; "" none. Unknown: PT_E_TICKET,
			   * PT_E_TICKET_EXPIRED */
	pt_str return_to; /* carried along, up to 1 KiB: where the browser came from */
	bool unbound;     /* not bound to the browser: for a client that keeps no cookies */
};

struct pt_external_begun {
	pt_str url;    /* to send the browser to */
	pt_str cookie; /* to set, and to show again at the end */
};

/* How long a browser may be away, and how long the cookie lives. */
#define PT_EXTERNAL_LIFE (5 * PT_MINUTE)

/* PT_E_NOT_FOUND: no such provider. PT_E_PROVIDER_EXCHANGE. */
PT_API PT_CHECK pt_err pt_external_begin(
	struct pt_call *call, const struct pt_external_ask *ask, struct pt_external_begun *out);

struct pt_external_state {
	pt_str provider;
	pt_str tenant;
	pt_str invite;
	pt_str return_to;
	pt_str nonce, verifier; /* between us and the provider */
};

/* What came back as `state`, before anything else is believed. cookie: as set; PT_E_STATE. */
PT_API PT_CHECK pt_err pt_external_state(
	struct pt_call *call, pt_str state, pt_str cookie, struct pt_external_state *out);

/*
 * Signs in whoever the provider vouches for: by the identity it is known by; else by a verified address
 * of it, which then is linked - an account that never confirmed its address loses its password on the
 * way, since who chose it may be somebody else -; else a new account.
 * PT_E_PROVIDER_EXCHANGE, PT_E_PROVIDER_PROFILE, PT_E_TICKET*, PT_E_INVITE_MISMATCH, PT_E_SIGNUP_OFF,
 * PT_E_TAKEN (an address that the provider does not vouch for belongs to somebody), PT_E_DISABLED,
 * PT_E_HOOK_*, PT_E_MAIL, PT_E_UNVERIFIED (the account is there; a letter went out to confirm it).
 */
PT_API PT_CHECK pt_err pt_external_finish(struct pt_call *call,
	const struct pt_external_state *state, pt_str code, struct pt_grant *out);

/* ---- changing an account ------------------------------------------------------------------ */

struct pt_edit {
	pt_str password;           /* "" keeps it */
	pt_str user_metadata;      /* a JSON object to merge; "" keeps it */
	pt_str app_metadata;       /* likewise */
	pt_str email;              /* "" or the one it has: keeps it */
	pt_str email_change_token; /* confirms the waiting address; then `email` is not looked at */
	struct pt_id session;      /* the family that asks: survives a new password */
	/* by operators alone */
	bool by_operator; /* email is set at once and unasked; the actor is pt_call_act_as's */
	pt_str role;      /* "" keeps it */
	bool confirm;
};

/*
 * All of it or nothing. A new password ends every session and family but the one that asks, and what waits
 * for another address.
 * A new address waits for its owner: the letter goes there, and, once it is confirmed, a notice to the
 * old one.
 * PT_E_NOT_FOUND, PT_E_PASSWORD_*, PT_E_EMAIL, PT_E_TAKEN, PT_E_TICKET (not the token on file),
 * PT_E_TICKET_EXPIRED, PT_E_MAIL_LIMITED, PT_E_MAIL, PT_E_DISABLED (unless an operator does it).
 */
PT_API PT_CHECK pt_err pt_account_edit(
	struct pt_call *call, pt_str id, const struct pt_edit *edit, struct pt_account *out);

/* ---- recovering --------------------------------------------------------------------------- */

/* Mails a link to choose a new password, if the address belongs to an account. The caller cannot
 * tell. PT_E_EMAIL, PT_E_MAIL_LIMITED (per client only). */
PT_API PT_CHECK pt_err pt_recover(struct pt_call *call, pt_str email);

/* Whose link it is, for the page that asks for the new password. Changes nothing. PT_E_TICKET. */
PT_API PT_CHECK pt_err pt_reset_find(
	struct pt_call *call, pt_str secret, struct pt_account *account);

/* Sets the password, confirms the address, ends every session and token family of the account and
 * mails a notice. PT_E_PASSWORD_* and PT_E_HOOK_* (the link stays good), PT_E_TICKET. */
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
	bool nameless;       /* an account without a user name */
	pt_str role;         /* "" the site's default */
	pt_str app_metadata; /* JSON objects; "" none */
	pt_str user_metadata;
	bool super_admin;
};

/* By its id, and of this tenant. PT_E_NOT_FOUND. */
PT_API PT_CHECK pt_err pt_account_get(struct pt_call *call, pt_str id, struct pt_account *out);

/* As pt_signup, without letters, limits and captcha. */
PT_API PT_CHECK pt_err pt_account_create(
	struct pt_call *call, const struct pt_account_form *form, struct pt_account *out);
PT_API PT_CHECK pt_err pt_account_set_password(struct pt_call *call, pt_str key, pt_str password);
PT_API PT_CHECK pt_err pt_account_set_verified(struct pt_call *call, pt_str key, bool verified);
PT_API PT_CHECK pt_err pt_account_set_disabled(struct pt_call *call, pt_str key, bool disabled);
PT_API PT_CHECK pt_err pt_account_remove(struct pt_call *call, pt_str key);
PT_API PT_CHECK pt_err pt_event_list(
	struct pt_call *call, pt_str account_key, size_t max, struct pt_event **out, size_t *n);

struct pt_page {
	size_t skip;
	size_t max; /* at most 1000 */
};

/* The call's audience, by created_at. `part`: of the address or the full_name in user_metadata. */
struct pt_account_search {
	pt_str part;
	bool oldest_first;
	struct pt_page page;
};

/* `hashes`, where it is not NULL, gets the password hashes too ("" for none), for moving out. Whoever may
 * call that holds everybody's hashes. */
PT_API PT_CHECK pt_err pt_account_search(struct pt_call *call,
	const struct pt_account_search *search, struct pt_account **out, pt_str **hashes, size_t *n,
	int64_t *total);

struct pt_event_search {
	uint32_t kinds; /* 1 << enum pt_event_kind, or-ed */
	pt_str author;  /* part of who acted: address or name */
	struct pt_page page;
};

/* This tenant's, newest first. */
PT_API PT_CHECK pt_err pt_event_search(struct pt_call *call, const struct pt_event_search *search,
	struct pt_event **out, size_t *n, int64_t *total);

/* Tenants. `config` is kept sealed. PT_E_TAKEN: the name; PT_E_NOT_FOUND; PT_E_BUSY: changed by somebody
 * else since `seen`, look again. */
PT_API PT_CHECK pt_err pt_tenant_add(
	struct pt_call *call, pt_str name, pt_str config, struct pt_tenant *out);
PT_API PT_CHECK pt_err pt_tenant_get(struct pt_call *call, pt_str id, struct pt_tenant *out);
PT_API PT_CHECK pt_err pt_tenant_change(
	struct pt_call *call, pt_str id, pt_time seen, pt_str config, struct pt_tenant *out);
PT_API PT_CHECK pt_err pt_tenant_remove(struct pt_call *call, pt_str id);

/* ---- moving in ---------------------------------------------------------------------------- */

/*
 * Keeps a batch of people, with the tickets and tokens that can be used still, or of events, in one act.
 * Who is there already, by id, stays as he is, and nothing that is his is looked at: what he has spent
 * here since does not come back.
 */
PT_API PT_CHECK pt_err pt_move_in(
	struct pt_call *call, const struct pt_moving *batch, struct pt_moved *out);

/* The mark of the last batch from there; "" when none came. */
PT_API PT_CHECK pt_err pt_moving_mark(struct pt_call *call, pt_str source, pt_str *mark);

/* A tenant under the id it has already. PT_E_TAKEN: the id, or the name, is another's. */
PT_API PT_CHECK pt_err pt_tenant_move_in(struct pt_call *call, const struct pt_tenant *tenant);

/* Equal in time that tells nothing of where they differ. */
PT_API bool pt_secret_equal(pt_str a, pt_str b);

/* The claims, as JSON text, of a token that somebody signed with HS256 and a key that both sides hold; its
 * dates are judged where it has any. PT_E_TOKEN. */
PT_API PT_CHECK pt_err pt_signed_read(
	struct pt_call *call, pt_str key, pt_str token, pt_str *claims);

/* One try of whoever `subject` names at `kind`: `most` (1..128) at once, and one more each `refill`.
 * PT_E_LIMITED. */
PT_API PT_CHECK pt_err pt_limit(
	struct pt_call *call, const char *kind, pt_str subject, int most, pt_time refill);

#ifdef __cplusplus
}
#endif
#endif

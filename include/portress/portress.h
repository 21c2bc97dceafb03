/*
 * portress/portress.h - open a site, begin a call, act.
 *
 *	struct pt_site *site;
 *	struct pt_site_setup setup = { sizeof(setup), &policy, &keys, &store, ... };
 *
 *	pt_site_open(&setup, &site);
 *
 *	struct pt_call *call;
 *	pt_call_begin(site, NULL, &asker, &call);
 *	err = pt_signin(call, &form, PT_GRANT_SESSION, &grant);
 *	pt_call_end(call);
 *
 * A site is immutable once open and may be used by any number of threads. A call belongs to one
 * thread at a time; everything an act hands out lives until pt_call_end, which wipes it.
 * The library installs no signal handlers, opens no sockets and starts no threads.
 */
#ifndef PORTRESS_PORTRESS_H
#define PORTRESS_PORTRESS_H

#include "portress/account.h"
#include "portress/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the site ----------------------------------------------------------------------------- */

/* How an account proves an address may be spelled at sign-in, what is asked for, how long things
 * last. Dialects differ by these, and by nothing below the surface. */
struct pt_policy {
	size_t size; /* sizeof(struct pt_policy) */

	/* names */
	size_t username_min; /* characters of [A-Za-z0-9_] */
	size_t username_max;
	bool names_required;    /* given and family name at sign-up */
	size_t name_max;        /* bytes of each */
	bool signin_with_email; /* an address is accepted where a user name is asked for */
	size_t email_max;       /* bytes of an address; at most 254 */
	bool email_plain;       /* before the @ only letters, digits and ._%+-, not every atom */

	/* passwords */
	size_t password_min;        /* see password_in_bytes */
	size_t password_max;        /* code points; at most 1024 bytes in any case */
	bool password_in_bytes;     /* password_min counts bytes, as older systems do */
	bool password_blocklist;    /* refuse what everybody tries first */
	size_t signin_password_min; /* bytes below which a sign-in form is refused unread; 0: none */

	/* new hashes */
	bool hash_bcrypt; /* other programs read the users table and know only bcrypt */
	uint32_t bcrypt_cost;
	uint32_t argon2_kib;
	uint32_t argon2_passes;

	/* lives */
	pt_time session_life;
	pt_time verify_life;
	pt_time reset_life;
	pt_time access_life;
	pt_time refresh_life;
	pt_time refresh_grace;
	pt_time refresh_family_life; /* from the sign-in on, however often it is refreshed; 0: no end */

	/* limits: at most this many in any hour; 0 switches one off */
	int signin_per_account;
	int signin_per_client;
	int mail_per_recipient;
	int mail_per_client;

	/* signing up by address */
	bool signup_off; /* nobody opens an account by himself; operators and invitations still do */
	bool autoconfirm; /* addresses are believed unseen */

	/* letters */
	pt_time invite_life;
	pt_time email_change_life;
	pt_time mail_pause; /* between two letters of one kind to one address; 0: as the limits say */
	bool mail_at_once; /* a letter goes out before the act it belongs to, and its failure is the act's:
			     * older systems promise it. Needs pt_site_setup.post */
	bool mail_limit_told; /* PT_E_MAIL_LIMITED also per recipient, known or not */

	/* tokens */
	bool token_profile; /* access tokens carry sub, email, aud and metadata, and refresh tokens are opaque;
			     * else user_id, and refresh tokens are JWTs too */
	size_t password_max_bytes; /* 0: no limit but password_max */

	bool log_names; /* events keep the addresses and names of who acted */

	pt_time failure_delay; /* a failed sign-in is answered this much later, without holding a thread */
	bool captcha;          /* sign-up asks the site's captcha */
};

/* The defaults of a site of its own (NIST SP 800-63B-4 where it speaks). */
PT_API void pt_policy_init(struct pt_policy *policy);

/* Keys. Borrowed while pt_site_open runs. At least 32 bytes each where set. */
struct pt_keys {
	pt_str root;    /* everything not listed below is derived from it (HKDF-SHA256) */
	pt_str csrf;    /* "" derives it */
	pt_str access;  /* HS256 key of access tokens; "" derives it */
	pt_str refresh; /* HS256 key of refresh tokens; "" derives it */
	pt_str signing; /* keys that sign access tokens instead: a JWK Set (RFC 7517 5) with private parts, each key
			 * with "status": "next", "current" or "retired", and "until" (unix seconds) where it
			 * has an end. Public parts are told by pt_site_jwks. "": the HS256 key */
	pt_str access_kid; /* `kid` of the HS256 key; "" leaves it out */
	pt_str pepper;     /* "" uses none */
};

struct pt_store;    /* portress/store.h */
struct pt_captcha;  /* portress/courier.h */
struct pt_letter;   /* portress/courier.h */
struct pt_hooks;    /* portress/hook.h */
struct pt_provider; /* portress/provider.h */

/* A letter's look, where it is not the built-in one. By enum pt_letter_kind. */
struct pt_letter_look {
	pt_str link;    /* the link is this and the secret; "" makes it from public_url */
	pt_str subject; /* Go's text/template; "" the built-in one */
	pt_str body; /* where its Go html/template is: an https URL, or file:///PATH; "" the built-in */
};

enum { PT_LETTER_LOOKS = 8 };

struct pt_site_setup {
	size_t size; /* sizeof(struct pt_site_setup) */
	const struct pt_policy *policy;
	const struct pt_keys *keys;
	const struct pt_store *store; /* copied; closed by pt_site_close, unless it is shared */
	bool store_shared;   /* other sites use it too: who opened it closes it, after them */
	pt_str tenant;       /* whose accounts these are; "" where there is one site */
	pt_str audience;     /* of calls that name none */
	pt_str default_role; /* of new accounts */
	pt_str site_url;     /* the application's address, for letters; "" is public_url */
	struct pt_letter_look letters[PT_LETTER_LOOKS];
	/* Whom letters go by, in words of whoever carries them; sealed in each. "": as all do. */
	pt_str courier;
	const struct pt_hooks *hooks;        /* copied; NULL: nobody is asked or told */
	const struct pt_provider *providers; /* copied, n of them */
	size_t n_providers;
	/* Composes a letter and hands it over now: PT_E_MAIL when it is not taken. NULL without
	 * policy.mail_at_once. */
	pt_err (*post)(void *ctx, pt_arena *arena, const struct pt_letter *letter);
	void *post_ctx;
	const struct pt_captcha *captcha; /* copied; NULL if policy.captcha is false */
	pt_str public_url; /* origin and mount, "https://id.example.org/auth": the base of mailed links */
	void (*letter_waits)(
		void *ctx); /* after an act wrote a letter: wake the outbox; may be NULL */
	void *letter_waits_ctx;
};

struct pt_site;

/* PT_F_CONFIG: the setup cannot work; one log line says why. */
PT_API PT_CHECK pt_err pt_site_open(const struct pt_site_setup *setup, struct pt_site **out);

/* Closes the store and wipes the keys. No call may be open. NULL is fine. */
PT_API void pt_site_close(struct pt_site *site);

PT_API const struct pt_policy *pt_site_policy(const struct pt_site *site);

/* The public keys that judge this site's access tokens now, `{"keys":[...]}` (RFC 7517 5). HS256 has
 * none. */
PT_API PT_CHECK pt_err pt_site_jwks(
	struct pt_site *site, pt_arena *arena, pt_time now, pt_str *out);

/* Other keys of pt_keys.signing, while calls go on. PT_F_CONFIG leaves the ones that are there. */
PT_API PT_CHECK pt_err pt_site_rekey(struct pt_site *site, pt_str signing);

/* A read may block on a network: run acts that only read on a worker too. */
PT_API bool pt_site_store_is_remote(const struct pt_site *site);

/*
 * For a thread that runs many short acts and then waits, as an event loop does: what it reads between the
 * two may be of one moment, some milliseconds old at most, and is cheaper. Acts of this process are seen
 * at once all the same. It ends the turn before it waits. One turn a thread: sites that share a store
 * share it.
 */
PT_API void pt_site_turn_begin(struct pt_site *site);
PT_API void pt_site_turn_end(struct pt_site *site);

/* PT_F_STORE with *why for an operator when the store cannot serve now. */
PT_API PT_CHECK pt_err pt_site_check(struct pt_site *site, pt_arena *arena, pt_str *why);

/* ---- the call ----------------------------------------------------------------------------- */

/* Who asks. Copied. */
struct pt_asker {
	pt_str client;     /* address; "" unknown */
	bool client_known; /* false: do not count per address (an unconfigured proxy stands between) */
	pt_str user_agent;
	pt_str request;  /* request id */
	pt_time now;     /* 0: the wall clock */
	pt_str audience; /* whose accounts are meant; "": the site's own */
};

struct pt_call;

/* arena NULL: the call has its own. Otherwise it must outlive the call, and is not closed. */
PT_API PT_CHECK pt_err pt_call_begin(
	struct pt_site *site, pt_arena *arena, const struct pt_asker *asker, struct pt_call **out);

/* NULL is fine. */
PT_API void pt_call_end(struct pt_call *call);

/* From here on an operator acts: events name him as the actor. Borrowed. NULL: nobody but the account
 * itself. */
PT_API void pt_call_act_as(struct pt_call *call, const struct pt_account *operator_);

/* From here on accounts of this audience are meant. Borrowed. */
PT_API void pt_call_set_audience(struct pt_call *call, pt_str audience);
PT_API pt_str pt_call_audience(const struct pt_call *call);

/* After PT_E_HOOK_*: more, in words for whoever set the hook up. "" otherwise. */
PT_API pt_str pt_call_detail(const struct pt_call *call);

PT_API pt_time pt_call_now(const struct pt_call *call);
PT_API pt_arena *pt_call_arena(struct pt_call *call);
PT_API struct pt_site *pt_call_site(const struct pt_call *call);

/* After PT_E_LIMITED, PT_E_MAIL_LIMITED or PT_E_BUSY: how long to wait. */
PT_API pt_time pt_call_retry_after(const struct pt_call *call);

PT_API const char *pt_version(void);

/* True in a build with test hooks: never to be served to people. */
PT_API bool pt_has_test_hooks(void);

#ifdef __cplusplus
}
#endif
#endif

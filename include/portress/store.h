/*
 * portress/store.h - the contract between core and whatever keeps the data.
 *
 * A store speaks in whole acts. Each verb happens wholly or not at all, is safe against every other
 * verb running at the same moment, and on PT_OK is durable: a crash right after the answer loses
 * nothing of it. An act carries the event and the letters that it causes; they are part of it.
 * A caller never reads, decides and then writes: where that matters there is one verb.
 *
 * Every verb may answer PT_F_STORE (away, full, read-only, broken: nothing was done), PT_F_MEMORY,
 * and PT_E_BUSY (too many acts wait: nothing was done). What else it may answer stands with the verb. On a refusal nothing was changed unless
 * the verb says so.
 *
 * Strings going in are borrowed for the length of the call. Strings coming out live in the arena.
 * Keys (username_key, email_key) are compared as bytes; the store knows no case and no collation.
 * An event of kind 0 is none, and is not recorded.
 * "Expired" means expires_at <= now. All times come from the caller: a store has no clock.
 *
 * Verbs are called from many threads at once.
 */
#ifndef PORTRESS_STORE_H
#define PORTRESS_STORE_H

#include "portress/account.h"
#include "portress/base.h"
#include "portress/courier.h"
#include "portress/event.h"
#include "portress/session.h"
#include "portress/ticket.h"
#include "portress/token.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An account together with its password hash ("" when it has none). For core alone. */
struct pt_account_record {
	struct pt_account account;
	pt_str password;
};

enum pt_find_by { PT_BY_ID, PT_BY_USERNAME, PT_BY_EMAIL };

struct pt_account_query {
	pt_str tenant;
	pt_str audience;
	enum pt_find_by by;
	pt_str key; /* id text (then tenant and audience do not matter), username_key or email_key */
};

/* Sign-up. */
struct pt_join {
	struct pt_account account; /* id "" lets the store choose: the answer says which */
	pt_str password;           /* hash, "" for none */
	bool has_ticket;
	struct pt_ticket ticket; /* ticket.account is filled by the store */
	bool has_letter;
	struct pt_letter letter; /* to the one who joined; letter.account is filled by the store */
	bool has_taken_letter;
	struct pt_letter taken_letter; /* to the owner of the address, if it is taken */
	struct pt_event event;         /* SIGNUP; event.account is filled by the store */
	struct pt_event taken_event;   /* SIGNUP_TAKEN */
};

/* A right password: the account is counted as signed in, and what it gets is opened. */
struct pt_signin_act {
	struct pt_id account;
	pt_str seen_password; /* the hash that was verified; if it is another by now: refused */
	pt_str new_password;  /* rehash to this; "" keeps it */
	pt_time now;
	bool has_session;
	struct pt_session session;
	bool has_replaced;
	struct pt_hash replaced; /* the session that the browser had before: it ends in this act */
	bool has_token;
	struct pt_token token; /* first of a new family */
	struct pt_event event;
};

struct pt_signin_failure {
	struct pt_id account; /* "" for an unknown name: only the event is recorded */
	struct pt_event event;
};

struct pt_session_record {
	struct pt_session session;
	struct pt_account account;
};

/* A new ticket; older ones of the same kind and account die in the same act. */
struct pt_ticket_act {
	struct pt_ticket ticket;
	struct pt_letter letter;
	struct pt_event event;
};

struct pt_ticket_record {
	struct pt_ticket ticket;
	struct pt_account_record owner;
};

struct pt_confirm_act {
	struct pt_hash ticket;
	pt_time now;
	struct pt_event event; /* recorded only if the account was not confirmed before */
};

struct pt_reset_act {
	struct pt_hash ticket;
	struct pt_id account;
	pt_str seen_password; /* the hash when the ticket was judged */
	pt_str new_password;
	pt_time now;
	bool has_letter;
	struct pt_letter letter; /* notice to the owner */
	struct pt_event event;
};

struct pt_rotate_act {
	struct pt_hash presented;
	pt_str client;
	struct pt_hash successor;
	pt_time now;
	pt_time grace;        /* how long a spent token still yields the LIVE one; 0: not at all */
	pt_time lifetime;     /* of the successor: expires_at = now + lifetime, ... */
	pt_time family_until; /* ... but never later than family start + this; 0: no end */
	/* A token of the program that kept one in clear in the users table; "" when there is none. If it
	 * stands there, it is cleared and a family is opened with `successor`, in this act. */
	pt_str foreign;
	struct pt_id foreign_account;
	struct pt_id foreign_family;
	struct pt_event event;       /* TOKEN_REFRESHED */
	struct pt_event reuse_event; /* TOKEN_REUSED */
};

/* An operator changes an account. Members that are not `has_` stay as they are. */
struct pt_account_change {
	struct pt_id account;
	pt_time now;
	bool has_password;
	pt_str password; /* all sessions, families and tickets of the account end */
	bool has_verified;
	bool verified;
	bool has_disabled;
	bool disabled; /* true: all sessions, families and tickets of the account end */
	struct pt_event event;
};

struct pt_account_list {
	pt_str tenant;
	pt_str after; /* id of the last one seen; "" starts */
	size_t max;   /* at most 1000 */
};

/* "At most `limit` in any `window`" for one key. */
struct pt_limit {
	struct pt_hash key; /* of kind and subject; the store cannot read it */
	int limit;          /* 1..128 */
	pt_time window;
};

struct pt_limit_act {
	const struct pt_limit *limits; /* at most 4 of different keys; all are spent, or none */
	size_t n;
	pt_time now;
};

struct pt_claim {
	pt_time now;
	pt_time lease_until; /* nobody else gets the letter before this */
};

struct pt_letter_outcome {
	struct pt_id id;
	enum pt_sent sent;
	pt_time now;
	pt_time retry_at; /* for PT_SENT_LATER and PT_SENT_MISCONFIGURED */
	pt_str detail;    /* what the other side said; at most 200 bytes are kept */
};

struct pt_store_counts {
	int64_t letters_waiting;
	int64_t letters_dead;
	pt_time oldest_waiting; /* created_at of the oldest waiting letter; 0 if none */
};

struct pt_store {
	size_t size;      /* sizeof(struct pt_store); members past it count as NULL */
	const char *name; /* "sqlite" */
	bool remote;      /* a read may block on a network: never call it on a loop's thread */
	void *ctx;

	/*
	 * Inserts account, password, ticket, letter and event.
	 * PT_E_TAKEN: username_key or email_key belongs to an account; then taken_event and, when the
	 * e-mail is the one taken, taken_letter were recorded, and nothing else. taken_letter.to becomes
	 * the stored address of the owner.
	 */
	pt_err (*account_join)(
		void *ctx, pt_arena *arena, const struct pt_join *join, struct pt_id *id);

	/* PT_E_NOT_FOUND: no such account. */
	pt_err (*account_find)(void *ctx, pt_arena *arena, const struct pt_account_query *query,
		struct pt_account_record *out);

	/* In order of id. */
	pt_err (*account_list)(void *ctx, pt_arena *arena, const struct pt_account_list *query,
		struct pt_account **out, size_t *n);

	/* PT_E_NOT_FOUND. */
	pt_err (*account_change)(
		void *ctx, pt_arena *arena, const struct pt_account_change *change);

	/* Removes the account and everything of it except its events. PT_E_NOT_FOUND. */
	pt_err (*account_remove)(void *ctx, pt_arena *arena, const struct pt_id *id, pt_time now,
		const struct pt_event *event);

	/*
	 * failed_signins = 0, signin_count + 1, last_signin_at = now, rehash, session, token, event.
	 * PT_E_CREDENTIALS: the account is gone, disabled, or its password is not seen_password any more.
	 */
	pt_err (*signin)(void *ctx, pt_arena *arena, const struct pt_signin_act *act);

	/* failed_signins + 1 and the event. An account that is gone is no refusal. */
	pt_err (*signin_fail)(void *ctx, pt_arena *arena, const struct pt_signin_failure *failure);

	/* PT_E_NOT_SIGNED_IN: unknown, expired, or its account is gone or disabled. */
	pt_err (*session_find)(void *ctx, pt_arena *arena, const struct pt_hash *hash, pt_time now,
		struct pt_session_record *out);

	/* Ends one session and records the event, with event.account filled. A session that is not there
	 * is no refusal, and leaves no event. */
	pt_err (*session_close)(void *ctx, pt_arena *arena, const struct pt_hash *hash,
		const struct pt_event *event);

	/* PT_E_NOT_FOUND: the account is gone. */
	pt_err (*ticket_issue)(void *ctx, pt_arena *arena, const struct pt_ticket_act *act);

	/* PT_E_TICKET: unknown, of another kind, expired, spent, or its account is gone. Changes nothing. */
	pt_err (*ticket_find)(void *ctx, pt_arena *arena, const struct pt_hash *hash,
		enum pt_ticket_kind kind, pt_time now, struct pt_ticket_record *out);

	/*
	 * email_verified_at = now if it was 0. Doing it again with the same ticket is PT_OK until it expires.
	 * PT_E_TICKET: as ticket_find with PT_TICKET_VERIFY, or the account's address is another by now.
	 */
	pt_err (*account_confirm)(void *ctx, pt_arena *arena, const struct pt_confirm_act *act,
		struct pt_id *account);

	/*
	 * Takes the RESET ticket, sets the password, marks the address verified, ends all sessions, token
	 * families and other RESET tickets of the account, records letter and event.
	 * PT_E_TICKET: as ticket_find with PT_TICKET_RESET, or the ticket is another account's, or the
	 * password is not seen_password any more, or the account's address is another by now.
	 */
	pt_err (*password_reset)(void *ctx, pt_arena *arena, const struct pt_reset_act *act);

	/*
	 * Spends the presented token and opens its successor, as the picture in token.h draws it.
	 * PT_OK: *out is the successor; or, if the presented one was SPENT already and its own grace is not
	 * over, the LIVE token of the family, which may be some rotations further on: then nothing changed,
	 * `successor` did not matter and there is no event.
	 * PT_E_REUSED: SPENT, and its grace is over: the family is revoked and reuse_event recorded, in
	 * this act. PT_E_REFRESH: unknown, expired, family revoked or without a LIVE token, presented by
	 * another client (then too the family is revoked and reuse_event recorded), or the account is gone
	 * or disabled. The events get the account of the family.
	 */
	pt_err (*token_rotate)(
		void *ctx, pt_arena *arena, const struct pt_rotate_act *act, struct pt_token *out);

	/* Revokes the family of a token and records the event, with event.account filled. Unknown is no
	 * refusal, and leaves no event. */
	pt_err (*token_revoke)(void *ctx, pt_arena *arena, const struct pt_hash *hash, pt_time now,
		const struct pt_event *event);

	/*
	 * Counts one try against every limit, or against none.
	 * PT_E_LIMITED: *retry_after says how long until all of them would let it pass.
	 */
	pt_err (*limit_spend)(
		void *ctx, pt_arena *arena, const struct pt_limit_act *act, pt_time *retry_after);

	pt_err (*event_record)(void *ctx, pt_arena *arena, const struct pt_event *event);

	/* The newest `max` events (of one account, if `account` is not ""), newest first. */
	pt_err (*event_list)(void *ctx, pt_arena *arena, const struct pt_id *account, size_t max,
		struct pt_event **out, size_t *n);

	/* The waiting letter that is due longest, leased; attempts counts this one. PT_E_NOT_FOUND: none.
	 * Letters past not_after are dropped on the way: they count as dead. */
	pt_err (*letter_claim)(
		void *ctx, pt_arena *arena, const struct pt_claim *claim, struct pt_letter *out);

	pt_err (*letter_done)(void *ctx, pt_arena *arena, const struct pt_letter_outcome *outcome);

	/* The newest `max` letters whatever became of them, newest first. */
	pt_err (*letter_list)(
		void *ctx, pt_arena *arena, size_t max, struct pt_letter **out, size_t *n);

	/* Deletes what has expired: sessions, tickets, tokens, counters without a try in their window,
	 * letters sent or dead for a week. A bounded piece of work; *more: call again. */
	pt_err (*purge)(void *ctx, pt_arena *arena, pt_time now, bool *more);

	pt_err (*counts)(void *ctx, pt_arena *arena, struct pt_store_counts *out);

	/* Can it read and write, and is the schema the one this program knows? PT_F_STORE if not. *why is
	 * written whenever the answer is not PT_OK, in words for an operator. Changes nothing that lasts. */
	pt_err (*check)(void *ctx, pt_arena *arena, pt_str *why);

	/* After the last call has returned. */
	void (*close)(void *ctx);
};

/*
 * The stores that come with Portress: "sqlite:PATH", or "postgres://..." (libpq is opened then). The
 * schema is brought up to date. PT_F_CONFIG: the URL is none of ours, or what is there cannot be used;
 * PT_F_STORE: it cannot be reached. One log line says why.
 */
PT_API PT_CHECK pt_err pt_store_open(pt_str url, struct pt_store *out);

/* The reference driver: plain, slow, obviously right. Forgets everything when closed. */
PT_API PT_CHECK pt_err pt_store_memory(struct pt_store *out);

#ifdef __cplusplus
}
#endif
#endif

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
#include "portress/tenant.h"
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

enum pt_find_by { PT_BY_ID, PT_BY_USERNAME, PT_BY_EMAIL, PT_BY_IDENTITY };

struct pt_account_query {
	pt_str tenant;
	pt_str audience;
	enum pt_find_by by;
	pt_str key; /* id text (then tenant and audience do not matter), username_key, email_key, or the
		     * identity's subject */
	pt_str provider; /* PT_BY_IDENTITY */
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
	bool has_identity;
	struct pt_identity identity;
	bool has_token;
	struct pt_token token; /* first of a family; token.account is filled by the store */
	struct pt_event event; /* SIGNUP; event.account is filled by the store */
	struct pt_event
		confirmed_event; /* as well, when it begins confirmed; both get its tenant too */
	struct pt_event taken_event; /* SIGNUP_TAKEN */
};

/* How a JSON object of an account changes. */
enum pt_metadata_change {
	PT_METADATA_KEEP,
	PT_METADATA_MERGE, /* its members overwrite, null members delete; one level (RFC 7396, flat) */
	PT_METADATA_REPLACE, /* a hook's answer: the same, but nothing of before stays */
};

struct pt_metadata {
	enum pt_metadata_change change;
	pt_str json; /* an object */
};

/* What an act ends; or-ed. */
enum pt_ending {
	PT_END_SESSIONS = 1 << 0,
	PT_END_FAMILIES = 1 << 1,
	PT_END_VERIFY = 1 << 2, /* tickets of that kind */
	PT_END_RESET = 1 << 3,
	PT_END_INVITE = 1 << 4,
	PT_END_EMAIL_CHANGE = 1 << 5,
	PT_END_TICKETS = PT_END_VERIFY | PT_END_RESET | PT_END_INVITE | PT_END_EMAIL_CHANGE,
	PT_END_IDENTITIES = 1 << 6, /* those that it had before */
	PT_END_ALL = PT_END_SESSIONS | PT_END_FAMILIES | PT_END_TICKETS,
};

/*
 * One act on one account: what must hold, what changes, what ends, what begins, what is told.
 * Members that are not `has_`, 0 or PT_METADATA_KEEP leave things as they are.
 */
struct pt_amend {
	struct pt_id account;
	pt_time now;

	/* ---- what must hold ---- */
	bool has_ticket; /* of this kind, this account and its address (for EMAIL_CHANGE: its new address), not
			  * expired; it is spent */
	struct pt_hash ticket;
	enum pt_ticket_kind ticket_kind;
	bool has_seen_password;
	pt_str seen_password; /* the hash that was judged */
	bool has_seen_email;
	pt_str seen_email_key; /* the address that was judged */
	bool unconfirmed; /* its address was not confirmed when it was judged, and is not now */
	bool enabled;     /* it is not switched off */

	/* ---- what changes ---- */
	bool has_password;
	pt_str password;
	bool has_email;
	pt_str email;
	pt_str email_key;
	bool has_new_email; /* "" clears it */
	pt_str new_email;
	pt_str new_email_key;
	bool has_verified; /* true a second time keeps the first time */
	bool verified;
	bool has_disabled;
	bool disabled;
	bool has_role;
	pt_str role;
	bool has_super_admin;
	bool super_admin;
	struct pt_metadata app_metadata;
	struct pt_metadata user_metadata;
	pt_time invited_at;
	pt_time confirm_sent_at;
	pt_time recover_sent_at;
	pt_time email_change_sent_at;
	bool signed_in; /* signin_count + 1, failed_signins = 0, last_signin_at = now */
	bool has_identity;
	struct pt_identity identity; /* it is this account's from now on */

	/* ---- what ends ---- */
	unsigned ends;            /* enum pt_ending, or-ed; before anything begins */
	struct pt_id keep_family; /* survives PT_END_FAMILIES; "" none does */

	/* ---- what begins; the store fills in the account, but not in the notice ---- */
	bool has_session;
	struct pt_session session;
	bool has_token;
	struct pt_token token; /* first of a new family */
	bool has_new_ticket;   /* older ones of its kind die */
	struct pt_ticket new_ticket;
	bool has_letter;
	struct pt_letter letter;
	bool has_notice;
	struct pt_letter
		notice; /* to the owner, or a hook to be told, which belongs to no account */

	/* ---- what is told; the account is filled in, and its tenant where there is none ---- */
	struct pt_event events[2];
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
	struct pt_token_ref presented;
	/* With a family: must be that family's secret. Without: becomes it, if this act spends the token. */
	struct pt_hash secret;
	struct pt_hash
		successor; /* hash of the text of the next generation; all 0: not known yet */
	pt_str client;
	pt_str tenant; /* whose account it must be */
	pt_time now;
	pt_time grace;        /* how long a spent token still yields the LIVE one; 0: not at all */
	pt_time lifetime;     /* of the successor: expires_at = now + lifetime, ... */
	pt_time family_until; /* ... but never later than family start + this; 0: no end */
	/* A token of the program that kept one in clear in the users table; "" when there is none. If it
	 * stands there, it is cleared and a family is opened, in this act. */
	pt_str foreign;
	struct pt_id foreign_account;
	struct pt_id foreign_family;
	struct pt_event event;       /* TOKEN_REFRESHED */
	struct pt_event spent_event; /* TOKEN_REVOKED, where the policy wants the pair */
	struct pt_event reuse_event; /* TOKEN_REUSED */
	/* Says in an event whose account it is about, before it is recorded. May be called more than once, on
	 * another thread while the caller waits; touches nothing but the event and memory of the call. */
	pt_err (*tell)(void *ctx, const struct pt_account *owner, struct pt_event *event);
	void *tell_ctx;
};

/* The LIVE token of the family, and whose it is. */
struct pt_rotated {
	struct pt_token token;
	struct pt_account_record owner;
};

struct pt_account_list {
	pt_str tenant;
	pt_str after; /* id of the last one seen; "" starts */
	size_t max;   /* at most 1000 */
};

enum pt_order { PT_NEWEST_FIRST, PT_OLDEST_FIRST };

/* A page of the accounts of one tenant and audience, by created_at (then id). */
struct pt_account_page {
	pt_str tenant;
	pt_str audience;
	pt_str part; /* of the address or of user_metadata.full_name, as it stands and nothing of a pattern;
		      * ASCII letters (on MariaDB all letters) match whatever their case; "" any */
	enum pt_order order;
	size_t skip;
	size_t max; /* at most 1000 */
};

enum { PT_EVENT_KINDS = 32 };

/* A page of what happened to one tenant's accounts, newest first; of two at one moment the one recorded last.
 * Events of no account, as when a stranger's letter was asked for, are left out. */
struct pt_event_page {
	pt_str tenant;
	uint32_t kinds; /* 1 << enum pt_event_kind, or-ed */
	pt_str author; /* part of actor_email, actor_name, or, where nobody else acted, of email, as
			 * `part` above; "" any */
	size_t skip;
	size_t max; /* at most 1000 */
};

/* A LIVE token of another program: the first of a family whose secret nobody knows yet. */
struct pt_import_token {
	struct pt_hash hash; /* of its text */
	struct pt_token token;
};

/*
 * People who come from another system, with all that is theirs, by the hundred. What is there already
 * (account by id, ticket and token by hash, event by id) stays as it is and counts as skipped: the same batch
 * again changes nothing. `mark` is kept beside it, in the same act: how far the import has come.
 */
struct pt_import {
	const struct pt_account_record *accounts;
	size_t n_accounts;
	const struct pt_ticket *tickets;
	size_t n_tickets;
	const struct pt_import_token *tokens; /* each of a family of its own */
	size_t n_tokens;
	const struct pt_event *events;
	size_t n_events;
	pt_str source; /* names the import: "gotrue" and where from, without secrets; at most 200 bytes */
	pt_str mark; /* at most 200 bytes, the importer's own */
	pt_time now;
	bool rehearsal; /* counts what would be, and keeps nothing, nor the mark */
};

struct pt_import_count {
	size_t added; /* accounts, tickets, tokens and events alike */
	size_t skipped; /* there already, or, for what hangs on an account: that account is not there */
	size_t taken; /* accounts whose address belongs to another account: left out, with what is theirs */
};

/*
 * "At most `limit` in any `window`" for one key; or, where `refill` is not 0, a bucket of `limit` tries
 * that gets one back each `refill`. A key is always of one sort.
 */
struct pt_limit {
	struct pt_hash key; /* of kind and subject; the store cannot read it */
	int limit;          /* 1..128 */
	pt_time window; /* of a bucket: until an unused one is forgotten, limit * refill at least */
	pt_time refill;
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
	 * PT_E_TAKEN: username_key, email_key or identity belongs to an account; then taken_event and, when the
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

	/*
	 * *out is the account as it is then.
	 * PT_E_NOT_FOUND: the account is gone. PT_E_TICKET: the ticket is none of it any more.
	 * PT_E_CREDENTIALS: the password is another by now. PT_E_NOT_FOUND too when seen_email_key is not
	 * its address. PT_E_TAKEN: the new address, or the identity, is another account's; or it was to be
	 * unconfirmed and is not. PT_E_DISABLED: `enabled`, and it is not. PT_E_METADATA: an object would
	 * be none then, or over PT_METADATA_MAX. PT_F_CONFIG: the accounts live in a
	 * foreign table that has no place for something in the act.
	 */
	pt_err (*account_amend)(void *ctx, pt_arena *arena, const struct pt_amend *amend,
		struct pt_account_record *out);

	/* Removes the account and everything of it except its events; `notice` (a hook to be told; may be
	 * NULL) stays too. PT_E_NOT_FOUND. */
	pt_err (*account_remove)(void *ctx, pt_arena *arena, const struct pt_id *id, pt_time now,
		const struct pt_event *event, const struct pt_letter *notice);

	/* *total: how many there are in all. */
	pt_err (*account_page)(void *ctx, pt_arena *arena, const struct pt_account_page *query,
		struct pt_account_record **out, size_t *n, int64_t *total);

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

	/* PT_E_TICKET: unknown, of another kind, spent, or its account is gone. PT_E_TICKET_EXPIRED: for a
	 * week after it has expired; then PT_E_TICKET. Changes nothing. */
	pt_err (*ticket_find)(void *ctx, pt_arena *arena, const struct pt_hash *hash,
		enum pt_ticket_kind kind, pt_time now, struct pt_ticket_record *out);

	/*
	 * email_verified_at = now if it was 0, and then its identities end: whoever linked them had not shown
	 * that the mailbox is his. Doing it again with the same ticket is PT_OK until it expires.
	 * PT_E_TICKET: as ticket_find with PT_TICKET_VERIFY, or the account's address is another by now.
	 */
	pt_err (*account_confirm)(void *ctx, pt_arena *arena, const struct pt_confirm_act *act,
		struct pt_id *account);

	/*
	 * Takes the RESET ticket, sets the password, marks the address verified as account_confirm does, ends all
	 * sessions, token families, EMAIL_CHANGE and other RESET tickets of the account, records letter and event.
	 * PT_E_TICKET: as ticket_find with PT_TICKET_RESET, or the ticket is another account's, or the
	 * password is not seen_password any more, or the account's address is another by now.
	 */
	pt_err (*password_reset)(void *ctx, pt_arena *arena, const struct pt_reset_act *act);

	/*
	 * Spends the presented token and opens its successor, as the picture in token.h draws it.
	 * PT_OK: out->token is the successor; or, if the presented one was SPENT already and its own grace is not
	 * over, the LIVE token of the family, which may be some rotations further on: then nothing changed and
	 * there is no event.
	 * PT_E_REUSED: SPENT, and its grace is over, or it is more than PT_SPENT_MOST rotations old: the family is
	 * revoked and reuse_event recorded, in this act. PT_E_REFRESH_EXPIRED: the family's LIVE token has
	 * expired, and the family with it. PT_E_REFRESH: unknown, of a generation yet to come, with another secret,
	 * unproven and not the LIVE one,
	 * family revoked, presented by another client (then too the family is revoked and reuse_event
	 * recorded), or the account is gone, disabled or another tenant's; and a token that does not say its
	 * family, while the LIVE one is of that kind, too.
	 */
	pt_err (*token_rotate)(void *ctx, pt_arena *arena, const struct pt_rotate_act *act,
		struct pt_rotated *out);

	/* Revokes the family of a token, whichever of its generations is shown, and records the event, with
	 * event.account filled. Unknown is no refusal, and leaves no event. */
	pt_err (*token_revoke)(void *ctx, pt_arena *arena, const struct pt_token_ref *shown,
		pt_time now, const struct pt_event *event);

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

	pt_err (*event_page)(void *ctx, pt_arena *arena, const struct pt_event_page *query,
		struct pt_event **out, size_t *n, int64_t *total);

	/* ---- tenants ---- */

	/* PT_E_TAKEN: the name is another tenant's. */
	pt_err (*tenant_add)(void *ctx, pt_arena *arena, const struct pt_tenant *tenant);
	/* By id. PT_E_NOT_FOUND. */
	pt_err (*tenant_find)(
		void *ctx, pt_arena *arena, const struct pt_id *id, struct pt_tenant *out);
	/* Compare and set: updated_at becomes now, or, where clocks disagree, just more than `seen`. PT_E_BUSY:
	 * its updated_at is not `seen` any more. PT_E_NOT_FOUND. */
	pt_err (*tenant_change)(void *ctx, pt_arena *arena, const struct pt_id *id, pt_time seen,
		pt_str config, pt_time now);
	/* With all its accounts and what hangs on them; its events stay. Whoever joins in the same moment may
	 * be left: under a tenant that nobody enters any more, and whose id never comes again.
	 * PT_E_NOT_FOUND. */
	pt_err (*tenant_remove)(void *ctx, pt_arena *arena, const struct pt_id *id);

	/* ---- moving in ---- */

	pt_err (*import)(void *ctx, pt_arena *arena, const struct pt_import *batch,
		struct pt_import_count *count);
	/* How far an import came; "" when it has not begun. */
	pt_err (*import_mark)(void *ctx, pt_arena *arena, pt_str source, pt_str *mark);

	/* ---- the outbox ---- */

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

	/* After the last call has returned, and no turn is open. */
	void (*close)(void *ctx);

	/*
	 * For a thread that reads often and never rests in between, as an event loop does between two polls.
	 * What it reads within a turn may be of one moment: of the turn's own time, a few milliseconds ago at
	 * most, and with every act that this store has answered. So only what others do to the same data
	 * (another process) may be seen later, and in the next turn it is. Between turns, and on threads that
	 * have none, a read is of its own moment. A thread has one turn at a time, and ends it before it
	 * waits: the store may hold a lock that long. Both NULL: nothing is gained by it here.
	 */
	void (*turn_begin)(void *ctx);
	void (*turn_end)(void *ctx);
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

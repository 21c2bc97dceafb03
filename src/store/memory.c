/*
 * memory.c - the reference driver: what the contract says, in plain arrays behind one lock.
 *
 * (1) Every verb holds the lock from beginning to end. (2) An act first copies its strings and makes
 * room, which may fail, and then changes things, which may not: so it happens wholly or not at all.
 * (3) Strings are kept until the store closes: records are values that may be moved and forgotten.
 * (4) Accounts stand in order of id, letters and events in the order in which they came.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hook.h"
#include "base/own.h"
#include "base/random.h"
#include "base/str.h"
#include "portress/store.h"

#include "base/banned.h"

enum {
	LIMITS_MOST = 4,
	STAMPS_MOST = 128,
	LIST_MOST = 1000,
	ROOM = 2 * LIMITS_MOST, /* free places that every act finds in every list */
};

static const pt_time letter_kept = 7 * PT_DAY;
static const size_t pool_ceiling = (size_t)1 << 30;

/* ---- what is kept ----------------------------------------------------------------------------- */

struct refresh {
	struct pt_token token;
	pt_time started_at; /* of the family */
	pt_time spent_at;   /* 0: LIVE */
};

struct counter {
	struct pt_hash key;
	pt_time stamps[STAMPS_MOST]; /* oldest first */
	size_t n;
	pt_time until; /* when the newest leaves its window */
};

struct posted {
	struct pt_letter letter;
	enum { WAITING, SENT, DEAD } state;
	pt_time due_at; /* WAITING: not before this; else: may be forgotten from here on */
};

#define LIST(type)           \
	struct {             \
		type *items; \
		size_t n;    \
		size_t room; \
	}

struct memory {
	pthread_mutex_t lock;
	struct arena *pool;
	LIST(struct pt_account_record) accounts;
	LIST(struct pt_session) sessions;
	LIST(struct pt_ticket) tickets;
	LIST(struct refresh) tokens;
	LIST(struct counter) counters;
	LIST(struct posted) letters;
	LIST(struct pt_event) events;
};

/* Takes every item away for which `gone` holds; `item` points to it. */
#define REMOVE_IF(list, item, gone)                                        \
	do {                                                               \
		size_t kept_ = 0;                                          \
		for (size_t i_ = 0; i_ < (list).n; i_++) {                 \
			__typeof__((list).items) item = &(list).items[i_]; \
			if (!(gone))                                       \
				(list).items[kept_++] = *item;             \
		}                                                          \
		(list).n = kept_;                                          \
	} while (0)

/* ---- strings ---------------------------------------------------------------------------------- */

static const size_t record_strings[] = {
	offsetof(struct pt_account_record, account.tenant),
	offsetof(struct pt_account_record, account.audience),
	offsetof(struct pt_account_record, account.username),
	offsetof(struct pt_account_record, account.username_key),
	offsetof(struct pt_account_record, account.email),
	offsetof(struct pt_account_record, account.email_key),
	offsetof(struct pt_account_record, account.phone),
	offsetof(struct pt_account_record, account.role),
	offsetof(struct pt_account_record, account.given_name),
	offsetof(struct pt_account_record, account.family_name),
	offsetof(struct pt_account_record, account.app_metadata),
	offsetof(struct pt_account_record, account.user_metadata),
	offsetof(struct pt_account_record, account.extensions),
	offsetof(struct pt_account_record, password),
};
static const size_t session_strings[] = {
	offsetof(struct pt_session, client),
	offsetof(struct pt_session, user_agent),
};
static const size_t ticket_strings[] = { offsetof(struct pt_ticket, email_key) };
static const size_t token_strings[] = { offsetof(struct pt_token, client) };
static const size_t letter_strings[] = {
	offsetof(struct pt_letter, to),
	offsetof(struct pt_letter, sealed),
};
static const size_t event_strings[] = {
	offsetof(struct pt_event, client),
	offsetof(struct pt_event, request),
	offsetof(struct pt_event, detail),
};

static pt_err strings_copy(struct arena *arena, void *noun, const size_t *offsets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		pt_str *s = (pt_str *)(void *)((char *)noun + offsets[i]);

		if (!arena_str(arena, *s, s))
			return fault(PT_F_MEMORY, "memory store: no memory for strings");
	}
	return PT_OK;
}

/* Makes the strings of `noun` (a copy) live in the arena. */
#define OWN_STRINGS(arena, noun, strings) \
	strings_copy((arena), (noun), (strings), sizeof(strings) / sizeof((strings)[0]))

/* ---- coming in -------------------------------------------------------------------------------- */

static pt_err list_room(void *items, size_t n, size_t *room, size_t size)
{
	void **slot = items;
	size_t wanted = 2 * (n + ROOM);
	void *more;

	if (*room - n >= ROOM)
		return PT_OK;
	more = hook_fail_alloc() ? NULL : reallocarray(*slot, wanted, size);
	if (!more)
		return fault(PT_F_MEMORY, "memory store: no memory for %zu items", wanted);
	*slot = more;
	*room = wanted;
	return PT_OK;
}

#define MAKE_ROOM(list) \
	TRY(list_room(&(list).items, (list).n, &(list).room, sizeof((list).items[0])))

static pt_err make_room(struct memory *m)
{
	MAKE_ROOM(m->accounts);
	MAKE_ROOM(m->sessions);
	MAKE_ROOM(m->tickets);
	MAKE_ROOM(m->tokens);
	MAKE_ROOM(m->counters);
	MAKE_ROOM(m->letters);
	MAKE_ROOM(m->events);
	return PT_OK;
}

static void leave(struct memory **m)
{
	if (*m)
		pthread_mutex_unlock(&(*m)->lock);
}

/* Every verb begins with this; the lock goes with *out. */
static pt_err enter(void *ctx, struct memory **out)
{
	struct memory *m = ctx;

	hook_stall();
	if (hook_fail_act())
		return fault(PT_F_STORE, "store act failed on purpose");
	pthread_mutex_lock(&m->lock);
	*out = m;
	return make_room(m);
}

/* ---- finding ---------------------------------------------------------------------------------- */

static bool id_eq(const struct pt_id *a, const struct pt_id *b)
{
	return strncmp(a->text, b->text, sizeof(a->text)) == 0;
}

static bool hash_eq(const struct pt_hash *a, const struct pt_hash *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool account_fits(const struct pt_account *account, const struct pt_account_query *query)
{
	switch (query->by) {
	case PT_BY_ID:
		return str_eq(str(account->id.text), query->key);
	case PT_BY_USERNAME:
		return str_eq(account->tenant, query->tenant) &&
		       str_eq(account->username_key, query->key);
	case PT_BY_EMAIL:
		return str_eq(account->tenant, query->tenant) &&
		       str_eq(account->audience, query->audience) &&
		       str_eq(account->email_key, query->key);
	}
	return false;
}

static struct pt_account_record *account_of(struct memory *m, const struct pt_account_query *query)
{
	for (size_t i = 0; i < m->accounts.n && query->key.n > 0; i++) {
		if (account_fits(&m->accounts.items[i].account, query))
			return &m->accounts.items[i];
	}
	return NULL;
}

static struct pt_account_record *account_by_id(struct memory *m, const struct pt_id *id)
{
	return account_of(m, &(struct pt_account_query){ .by = PT_BY_ID, .key = str(id->text) });
}

static struct refresh *token_of(struct memory *m, const struct pt_hash *hash)
{
	for (size_t i = 0; i < m->tokens.n; i++) {
		if (hash_eq(&m->tokens.items[i].token.hash, hash))
			return &m->tokens.items[i];
	}
	return NULL;
}

static struct pt_ticket *ticket_of(
	struct memory *m, const struct pt_hash *hash, enum pt_ticket_kind kind, pt_time now)
{
	for (size_t i = 0; i < m->tickets.n; i++) {
		struct pt_ticket *ticket = &m->tickets.items[i];

		if (hash_eq(&ticket->hash, hash) && ticket->kind == kind &&
			ticket->expires_at > now)
			return ticket;
	}
	return NULL;
}

/* ---- changing: none of these can fail ----------------------------------------------------------- */

static void event_put(struct memory *m, const struct pt_event *event)
{
	if (event->kind != 0)
		m->events.items[m->events.n++] = *event;
}

static void event_put_of(struct memory *m, struct pt_event *event, const struct pt_id *account)
{
	event->account = *account;
	event_put(m, event);
}

static void letter_put(struct memory *m, const struct pt_letter *letter)
{
	struct posted *posted = &m->letters.items[m->letters.n++];

	*posted = (struct posted){
		.letter = *letter, .state = WAITING, .due_at = letter->created_at
	};
	posted->letter.attempts = 0;
}

static void letter_put_of(struct memory *m, struct pt_letter *letter, const struct pt_id *account)
{
	letter->account = *account;
	letter_put(m, letter);
}

static void family_end(struct memory *m, struct pt_id family)
{
	REMOVE_IF(m->tokens, item, id_eq(&item->token.family, &family));
}

static void account_end_signins(struct memory *m, const struct pt_id *id)
{
	REMOVE_IF(m->sessions, item, id_eq(&item->account, id));
	REMOVE_IF(m->tokens, item, id_eq(&item->token.account, id));
}

static void account_end_all(struct memory *m, const struct pt_id *id)
{
	account_end_signins(m, id);
	REMOVE_IF(m->tickets, item, id_eq(&item->account, id));
}

static void account_put(struct memory *m, const struct pt_account_record *record)
{
	size_t at = m->accounts.n++;

	for (; at > 0 &&
		strcmp(m->accounts.items[at - 1].account.id.text, record->account.id.text) > 0;
		at--)
		m->accounts.items[at] = m->accounts.items[at - 1];
	m->accounts.items[at] = *record;
}

/* ---- accounts ----------------------------------------------------------------------------------- */

static struct pt_account_record *account_by_name(struct memory *m, const struct pt_account *wanted)
{
	return account_of(m, &(struct pt_account_query){ wanted->tenant, wanted->audience,
				     PT_BY_USERNAME, wanted->username_key });
}

static struct pt_account_record *account_by_email(struct memory *m, const struct pt_account *wanted)
{
	return account_of(m, &(struct pt_account_query){ wanted->tenant, wanted->audience,
				     PT_BY_EMAIL, wanted->email_key });
}

static pt_err join_taken(
	struct memory *m, const struct pt_join *join, const struct pt_account_record *owner)
{
	struct pt_event event = join->taken_event;
	struct pt_letter letter = join->taken_letter;

	TRY(OWN_STRINGS(m->pool, &event, event_strings));
	if (join->has_taken_letter && owner) {
		letter.to = owner->account.email;
		TRY(OWN_STRINGS(m->pool, &letter, letter_strings));
		letter_put_of(m, &letter, &owner->account.id);
	}
	event_put(m, &event);
	return PT_E_TAKEN;
}

static pt_err account_join(void *ctx, pt_arena *arena, const struct pt_join *join, struct pt_id *id)
{
	PT_OWN(leave) struct memory *m = NULL;
	struct pt_account_record record = { join->account, join->password };
	struct pt_ticket ticket = join->ticket;
	struct pt_letter letter = join->letter;
	struct pt_event event = join->event;
	struct pt_id *own = &record.account.id;

	(void)arena;
	TRY(enter(ctx, &m));
	if (account_by_name(m, &join->account) || account_by_email(m, &join->account) ||
		account_by_id(m, own))
		return join_taken(m, join, account_by_email(m, &join->account));
	if (own->text[0] == '\0')
		TRY(random_id(join->account.created_at, own));
	TRY(OWN_STRINGS(m->pool, &record, record_strings));
	TRY(OWN_STRINGS(m->pool, &ticket, ticket_strings));
	TRY(OWN_STRINGS(m->pool, &letter, letter_strings));
	TRY(OWN_STRINGS(m->pool, &event, event_strings));

	account_put(m, &record);
	if (join->has_ticket) {
		ticket.account = *own;
		m->tickets.items[m->tickets.n++] = ticket;
	}
	if (join->has_letter)
		letter_put_of(m, &letter, own);
	event_put_of(m, &event, own);
	*id = *own;
	return PT_OK;
}

static pt_err account_find(void *ctx, pt_arena *arena, const struct pt_account_query *query,
	struct pt_account_record *out)
{
	PT_OWN(leave) struct memory *m = NULL;
	const struct pt_account_record *found;
	struct pt_account_record copy;

	TRY(enter(ctx, &m));
	found = account_of(m, query);
	if (!found)
		return PT_E_NOT_FOUND;
	copy = *found;
	TRY(OWN_STRINGS(arena, &copy, record_strings));
	*out = copy;
	return PT_OK;
}

static bool account_listed(const struct pt_account *account, const struct pt_account_list *query)
{
	pt_str id = str(account->id.text);
	size_t common = id.n < query->after.n ? id.n : query->after.n;
	int order = common > 0 ? memcmp(id.p, query->after.p, common) : 0;

	return str_eq(account->tenant, query->tenant) &&
	       (order > 0 || (order == 0 && id.n > query->after.n));
}

static pt_err account_list(void *ctx, pt_arena *arena, const struct pt_account_list *query,
	struct pt_account **out, size_t *n)
{
	PT_OWN(leave) struct memory *m = NULL;
	size_t max = query->max < LIST_MOST ? query->max : LIST_MOST;
	struct pt_account *accounts;
	size_t listed = 0;

	TRY(enter(ctx, &m));
	accounts = ARENA_ARRAY(arena, struct pt_account, max < m->accounts.n ? max : m->accounts.n);
	if (!accounts)
		return fault(PT_F_MEMORY, "list of accounts");
	for (size_t i = 0; i < m->accounts.n && listed < max; i++) {
		struct pt_account_record copy = m->accounts.items[i];

		if (!account_listed(&copy.account, query))
			continue;
		TRY(OWN_STRINGS(arena, &copy, record_strings));
		accounts[listed++] = copy.account;
	}
	*out = accounts;
	*n = listed;
	return PT_OK;
}

static void account_set_verified(struct pt_account *account, bool verified, pt_time now)
{
	if (verified && account->email_verified_at != 0)
		return;
	account->email_verified_at = verified ? now : 0;
	account->updated_at = now;
}

static void account_set_disabled(struct pt_account *account, bool disabled, pt_time now)
{
	if (disabled && account->disabled_at != 0)
		return;
	account->disabled_at = disabled ? now : 0;
	account->updated_at = now;
}

static pt_err account_change(void *ctx, pt_arena *arena, const struct pt_account_change *change)
{
	PT_OWN(leave) struct memory *m = NULL;
	struct pt_account_record *record;
	struct pt_event event = change->event;
	pt_str password = { NULL, 0 };

	(void)arena;
	TRY(enter(ctx, &m));
	record = account_by_id(m, &change->account);
	if (!record)
		return PT_E_NOT_FOUND;
	TRY(OWN_STRINGS(m->pool, &event, event_strings));
	if (change->has_password && !arena_str(m->pool, change->password, &password))
		return fault(PT_F_MEMORY, "memory store: no memory for a password");

	if (change->has_password) {
		record->password = password;
		record->account.updated_at = change->now;
	}
	if (change->has_verified)
		account_set_verified(&record->account, change->verified, change->now);
	if (change->has_disabled)
		account_set_disabled(&record->account, change->disabled, change->now);
	if (change->has_password || (change->has_disabled && change->disabled))
		account_end_all(m, &change->account);
	event_put_of(m, &event, &change->account);
	return PT_OK;
}

static pt_err account_remove(void *ctx, pt_arena *arena, const struct pt_id *id, pt_time now,
	const struct pt_event *event)
{
	PT_OWN(leave) struct memory *m = NULL;
	struct pt_event copy = *event;

	(void)arena, (void)now;
	TRY(enter(ctx, &m));
	if (!account_by_id(m, id))
		return PT_E_NOT_FOUND;
	TRY(OWN_STRINGS(m->pool, &copy, event_strings));

	REMOVE_IF(m->accounts, item, id_eq(&item->account.id, id));
	REMOVE_IF(m->letters, item, id_eq(&item->letter.account, id));
	account_end_all(m, id);
	event_put_of(m, &copy, id);
	return PT_OK;
}

/* ---- signing in --------------------------------------------------------------------------------- */

static void token_put(struct memory *m, const struct pt_token *token, pt_time started_at)
{
	m->tokens.items[m->tokens.n++] =
		(struct refresh){ .token = *token, .started_at = started_at };
}

static pt_err signin(void *ctx, pt_arena *arena, const struct pt_signin_act *act)
{
	PT_OWN(leave) struct memory *m = NULL;
	struct pt_account_record *record;
	struct pt_session session = act->session;
	struct pt_token token = act->token;
	struct pt_event event = act->event;
	pt_str rehashed;

	(void)arena;
	TRY(enter(ctx, &m));
	record = account_by_id(m, &act->account);
	if (!record || record->account.disabled_at != 0 ||
		!str_eq(record->password, act->seen_password))
		return PT_E_CREDENTIALS;
	TRY(OWN_STRINGS(m->pool, &session, session_strings));
	TRY(OWN_STRINGS(m->pool, &token, token_strings));
	TRY(OWN_STRINGS(m->pool, &event, event_strings));
	if (!arena_str(m->pool, act->new_password, &rehashed))
		return fault(PT_F_MEMORY, "memory store: no memory for a password");

	record->account.failed_signins = 0;
	record->account.signin_count++;
	record->account.last_signin_at = act->now;
	if (rehashed.n > 0) {
		record->password = rehashed;
		record->account.updated_at = act->now;
	}
	session.account = act->account;
	token.account = act->account;
	if (act->has_replaced)
		REMOVE_IF(m->sessions, item, hash_eq(&item->hash, &act->replaced));
	if (act->has_session)
		m->sessions.items[m->sessions.n++] = session;
	if (act->has_token)
		token_put(m, &token, token.issued_at);
	event_put_of(m, &event, &act->account);
	return PT_OK;
}

static pt_err signin_fail(void *ctx, pt_arena *arena, const struct pt_signin_failure *failure)
{
	PT_OWN(leave) struct memory *m = NULL;
	struct pt_account_record *record;
	struct pt_event event = failure->event;

	(void)arena;
	TRY(enter(ctx, &m));
	TRY(OWN_STRINGS(m->pool, &event, event_strings));

	record = account_by_id(m, &failure->account);
	if (record)
		record->account.failed_signins++;
	event_put(m, &event);
	return PT_OK;
}

/* ---- sessions ----------------------------------------------------------------------------------- */

static pt_err session_find(void *ctx, pt_arena *arena, const struct pt_hash *hash, pt_time now,
	struct pt_session_record *out)
{
	PT_OWN(leave) struct memory *m = NULL;

	TRY(enter(ctx, &m));
	for (size_t i = 0; i < m->sessions.n; i++) {
		struct pt_session session = m->sessions.items[i];
		const struct pt_account_record *owner = account_by_id(m, &session.account);
		struct pt_account_record copy;

		if (!hash_eq(&session.hash, hash) || session.expires_at <= now || !owner ||
			owner->account.disabled_at != 0)
			continue;
		copy = *owner;
		TRY(OWN_STRINGS(arena, &session, session_strings));
		TRY(OWN_STRINGS(arena, &copy, record_strings));
		*out = (struct pt_session_record){ session, copy.account };
		return PT_OK;
	}
	return PT_E_NOT_SIGNED_IN;
}

static pt_err session_close(
	void *ctx, pt_arena *arena, const struct pt_hash *hash, const struct pt_event *event)
{
	PT_OWN(leave) struct memory *m = NULL;
	struct pt_event copy = *event;

	(void)arena;
	TRY(enter(ctx, &m));
	TRY(OWN_STRINGS(m->pool, &copy, event_strings));
	for (size_t i = 0; i < m->sessions.n; i++) {
		if (hash_eq(&m->sessions.items[i].hash, hash))
			event_put_of(m, &copy, &m->sessions.items[i].account);
	}
	REMOVE_IF(m->sessions, item, hash_eq(&item->hash, hash));
	return PT_OK;
}

/* ---- tickets ------------------------------------------------------------------------------------ */

static pt_err ticket_issue(void *ctx, pt_arena *arena, const struct pt_ticket_act *act)
{
	PT_OWN(leave) struct memory *m = NULL;
	struct pt_ticket ticket = act->ticket;
	struct pt_letter letter = act->letter;
	struct pt_event event = act->event;

	(void)arena;
	TRY(enter(ctx, &m));
	if (!account_by_id(m, &ticket.account))
		return PT_E_NOT_FOUND;
	TRY(OWN_STRINGS(m->pool, &ticket, ticket_strings));
	TRY(OWN_STRINGS(m->pool, &letter, letter_strings));
	TRY(OWN_STRINGS(m->pool, &event, event_strings));

	REMOVE_IF(m->tickets, item,
		item->kind == ticket.kind && id_eq(&item->account, &ticket.account));
	m->tickets.items[m->tickets.n++] = ticket;
	letter_put(m, &letter);
	event_put(m, &event);
	return PT_OK;
}

static pt_err ticket_find(void *ctx, pt_arena *arena, const struct pt_hash *hash,
	enum pt_ticket_kind kind, pt_time now, struct pt_ticket_record *out)
{
	PT_OWN(leave) struct memory *m = NULL;
	const struct pt_ticket *ticket;
	const struct pt_account_record *owner;
	struct pt_ticket_record copy;

	TRY(enter(ctx, &m));
	ticket = ticket_of(m, hash, kind, now);
	owner = ticket ? account_by_id(m, &ticket->account) : NULL;
	if (!owner)
		return PT_E_TICKET;
	copy = (struct pt_ticket_record){ *ticket, *owner };
	TRY(OWN_STRINGS(arena, &copy.ticket, ticket_strings));
	TRY(OWN_STRINGS(arena, &copy.owner, record_strings));
	*out = copy;
	return PT_OK;
}

static pt_err account_confirm(
	void *ctx, pt_arena *arena, const struct pt_confirm_act *act, struct pt_id *account)
{
	PT_OWN(leave) struct memory *m = NULL;
	const struct pt_ticket *ticket;
	struct pt_account_record *owner;
	struct pt_event event = act->event;

	(void)arena;
	TRY(enter(ctx, &m));
	ticket = ticket_of(m, &act->ticket, PT_TICKET_VERIFY, act->now);
	owner = ticket ? account_by_id(m, &ticket->account) : NULL;
	if (!owner || !str_eq(owner->account.email_key, ticket->email_key))
		return PT_E_TICKET;
	TRY(OWN_STRINGS(m->pool, &event, event_strings));

	if (owner->account.email_verified_at == 0)
		event_put_of(m, &event, &owner->account.id);
	account_set_verified(&owner->account, true, act->now);
	*account = owner->account.id;
	return PT_OK;
}

static pt_err password_reset(void *ctx, pt_arena *arena, const struct pt_reset_act *act)
{
	PT_OWN(leave) struct memory *m = NULL;
	const struct pt_ticket *ticket;
	struct pt_account_record *owner;
	struct pt_letter letter = act->letter;
	struct pt_event event = act->event;
	pt_str password;

	(void)arena;
	TRY(enter(ctx, &m));
	ticket = ticket_of(m, &act->ticket, PT_TICKET_RESET, act->now);
	owner = ticket ? account_by_id(m, &ticket->account) : NULL;
	if (!owner || !id_eq(&ticket->account, &act->account) ||
		!str_eq(owner->account.email_key, ticket->email_key) ||
		!str_eq(owner->password, act->seen_password))
		return PT_E_TICKET;
	TRY(OWN_STRINGS(m->pool, &letter, letter_strings));
	TRY(OWN_STRINGS(m->pool, &event, event_strings));
	if (!arena_str(m->pool, act->new_password, &password))
		return fault(PT_F_MEMORY, "memory store: no memory for a password");

	owner->password = password;
	owner->account.updated_at = act->now;
	account_set_verified(&owner->account, true, act->now);
	account_end_signins(m, &act->account);
	REMOVE_IF(m->tickets, item,
		item->kind == PT_TICKET_RESET && id_eq(&item->account, &act->account));
	if (act->has_letter)
		letter_put(m, &letter);
	event_put_of(m, &event, &act->account);
	return PT_OK;
}

/* ---- refresh tokens, as token.h draws them ------------------------------------------------------ */

static pt_err family_revoke(struct memory *m, const struct pt_rotate_act *act,
	const struct refresh *presented, pt_err refusal)
{
	struct pt_event event = act->reuse_event;

	TRY(OWN_STRINGS(m->pool, &event, event_strings));
	event_put_of(m, &event, &presented->token.account);
	family_end(m, presented->token.family);
	return refusal;
}

static const struct refresh *family_live(struct memory *m, const struct pt_id *family, pt_time now)
{
	for (size_t i = 0; i < m->tokens.n; i++) {
		const struct refresh *item = &m->tokens.items[i];

		if (id_eq(&item->token.family, family) && item->spent_at == 0)
			return item->token.expires_at > now ? item : NULL;
	}
	return NULL;
}

/* SPENT: the LIVE token of the family within the grace, an alarm after it. */
static pt_err rotate_again(struct memory *m, pt_arena *arena, const struct pt_rotate_act *act,
	const struct refresh *presented, struct pt_token *out)
{
	const struct refresh *live;
	struct pt_token copy;

	if (act->now - presented->spent_at >= act->grace)
		return family_revoke(m, act, presented, PT_E_REUSED);
	live = family_live(m, &presented->token.family, act->now);
	if (!live)
		return PT_E_REFRESH;
	copy = live->token;
	TRY(OWN_STRINGS(arena, &copy, token_strings));
	*out = copy;
	return PT_OK;
}

/* LIVE -> SPENT. */
static pt_err rotate_live(struct memory *m, pt_arena *arena, const struct pt_rotate_act *act,
	struct refresh *presented, struct pt_token *out)
{
	struct pt_token next = presented->token;
	struct pt_token copy;
	struct pt_event event = act->event;

	next.hash = act->successor;
	next.issued_at = act->now;
	next.expires_at = act->now + act->lifetime;
	if (act->family_until > 0 && next.expires_at > presented->started_at + act->family_until)
		next.expires_at = presented->started_at + act->family_until;
	if (next.expires_at <= act->now)
		return PT_E_REFRESH;
	copy = next;
	TRY(OWN_STRINGS(arena, &copy, token_strings));
	TRY(OWN_STRINGS(m->pool, &event, event_strings));

	presented->spent_at = act->now;
	token_put(m, &next, presented->started_at);
	event_put_of(m, &event, &next.account);
	*out = copy;
	return PT_OK;
}

static pt_err token_rotate(
	void *ctx, pt_arena *arena, const struct pt_rotate_act *act, struct pt_token *out)
{
	PT_OWN(leave) struct memory *m = NULL;
	const struct pt_account_record *owner;
	struct refresh *presented;

	TRY(enter(ctx, &m));
	presented = token_of(m, &act->presented);
	if (!presented || presented->token.expires_at <= act->now)
		return PT_E_REFRESH;
	if (!str_eq(presented->token.client, act->client))
		return family_revoke(m, act, presented, PT_E_REFRESH);
	owner = account_by_id(m, &presented->token.account);
	if (!owner || owner->account.disabled_at != 0)
		return PT_E_REFRESH;
	if (presented->spent_at != 0)
		return rotate_again(m, arena, act, presented, out);
	return rotate_live(m, arena, act, presented, out);
}

static pt_err token_revoke(void *ctx, pt_arena *arena, const struct pt_hash *hash, pt_time now,
	const struct pt_event *event)
{
	PT_OWN(leave) struct memory *m = NULL;
	const struct refresh *found;
	struct pt_event copy = *event;

	(void)arena, (void)now;
	TRY(enter(ctx, &m));
	found = token_of(m, hash);
	if (!found)
		return PT_OK;
	TRY(OWN_STRINGS(m->pool, &copy, event_strings));

	event_put_of(m, &copy, &found->token.account);
	family_end(m, found->token.family);
	return PT_OK;
}

/* ---- counters ----------------------------------------------------------------------------------- */

static struct counter *counter_of(struct memory *m, const struct pt_hash *key)
{
	for (size_t i = 0; i < m->counters.n; i++) {
		if (hash_eq(&m->counters.items[i].key, key))
			return &m->counters.items[i];
	}
	return NULL;
}

/* How long until one more try fits; 0: now. */
static pt_time limit_wait(const struct counter *counter, const struct pt_limit *limit, pt_time now)
{
	size_t allowed = (size_t)limit->limit;
	pt_time wait;

	if (!counter || counter->n < allowed)
		return 0;
	wait = counter->stamps[counter->n - allowed] + limit->window - now;
	return wait > 0 ? wait : 0;
}

static void limit_count(struct memory *m, const struct pt_limit *limit, pt_time now)
{
	struct counter *counter = counter_of(m, &limit->key);
	size_t old = 0, at;

	if (!counter) {
		counter = &m->counters.items[m->counters.n++];
		*counter = (struct counter){ .key = limit->key };
	}
	while (old < counter->n && counter->stamps[old] <= now - limit->window)
		old++;
	if (old == 0 && counter->n == STAMPS_MOST)
		old = 1;
	counter->n -= old;
	memmove(counter->stamps, counter->stamps + old, counter->n * sizeof(pt_time));
	for (at = counter->n++; at > 0 && counter->stamps[at - 1] > now; at--)
		counter->stamps[at] = counter->stamps[at - 1];
	counter->stamps[at] = now;
	counter->until = counter->stamps[counter->n - 1] + limit->window;
}

static pt_err limit_spend(
	void *ctx, pt_arena *arena, const struct pt_limit_act *act, pt_time *retry_after)
{
	PT_OWN(leave) struct memory *m = NULL;
	pt_time longest = 0;

	(void)arena;
	if (hook_break_limiter())
		return fault(PT_F_STORE, "limiter broken on purpose");
	if (act->n > LIMITS_MOST)
		return fault(PT_F_BUG, "more than %d limits in one act", LIMITS_MOST);
	TRY(enter(ctx, &m));
	for (size_t i = 0; i < act->n; i++) {
		const struct pt_limit *limit = &act->limits[i];
		pt_time wait = limit_wait(counter_of(m, &limit->key), limit, act->now);

		if (limit->limit < 1 || limit->limit > STAMPS_MOST)
			return fault(PT_F_BUG, "a limit of %d is not in 1..%d", limit->limit,
				STAMPS_MOST);
		if (wait > longest)
			longest = wait;
	}
	if (longest > 0) {
		*retry_after = longest;
		return PT_E_LIMITED;
	}
	for (size_t i = 0; i < act->n; i++)
		limit_count(m, &act->limits[i], act->now);
	return PT_OK;
}

/* ---- events ------------------------------------------------------------------------------------- */

static pt_err event_record(void *ctx, pt_arena *arena, const struct pt_event *event)
{
	PT_OWN(leave) struct memory *m = NULL;
	struct pt_event copy = *event;

	(void)arena;
	TRY(enter(ctx, &m));
	TRY(OWN_STRINGS(m->pool, &copy, event_strings));
	event_put(m, &copy);
	return PT_OK;
}

static pt_err event_list(void *ctx, pt_arena *arena, const struct pt_id *account, size_t max,
	struct pt_event **out, size_t *n)
{
	PT_OWN(leave) struct memory *m = NULL;
	struct pt_event *events;
	size_t listed = 0;

	TRY(enter(ctx, &m));
	events = ARENA_ARRAY(arena, struct pt_event, max < m->events.n ? max : m->events.n);
	if (!events)
		return fault(PT_F_MEMORY, "list of events");
	for (size_t i = m->events.n; i > 0 && listed < max; i--) {
		struct pt_event copy = m->events.items[i - 1];

		if (account->text[0] != '\0' && !id_eq(account, &copy.account))
			continue;
		TRY(OWN_STRINGS(arena, &copy, event_strings));
		events[listed++] = copy;
	}
	*out = events;
	*n = listed;
	return PT_OK;
}

/* ---- the outbox --------------------------------------------------------------------------------- */

static struct posted *letter_next(struct memory *m, pt_time now)
{
	struct posted *next = NULL;

	for (size_t i = 0; i < m->letters.n; i++) {
		struct posted *posted = &m->letters.items[i];

		if (posted->state == WAITING && posted->due_at <= now &&
			(!next || posted->due_at < next->due_at))
			next = posted;
	}
	return next;
}

static void letter_end(struct posted *posted, bool sent, pt_time now)
{
	posted->state = sent ? SENT : DEAD;
	posted->due_at = now + letter_kept;
}

static pt_err letter_claim(
	void *ctx, pt_arena *arena, const struct pt_claim *claim, struct pt_letter *out)
{
	PT_OWN(leave) struct memory *m = NULL;
	struct posted *next;
	struct pt_letter copy;

	TRY(enter(ctx, &m));
	while ((next = letter_next(m, claim->now))) {
		if (next->letter.not_after == 0 || next->letter.not_after > claim->now)
			break;
		letter_end(next, false, claim->now);
	}
	if (!next)
		return PT_E_NOT_FOUND;
	copy = next->letter;
	copy.attempts++;
	TRY(OWN_STRINGS(arena, &copy, letter_strings));

	next->letter.attempts++;
	next->due_at = claim->lease_until;
	*out = copy;
	return PT_OK;
}

static pt_err letter_done(void *ctx, pt_arena *arena, const struct pt_letter_outcome *outcome)
{
	PT_OWN(leave) struct memory *m = NULL;

	(void)arena;
	TRY(enter(ctx, &m));
	for (size_t i = 0; i < m->letters.n; i++) {
		struct posted *posted = &m->letters.items[i];

		if (!id_eq(&posted->letter.id, &outcome->id) || posted->state != WAITING)
			continue;
		switch (outcome->sent) {
		case PT_SENT:
		case PT_SENT_NEVER:
			letter_end(posted, outcome->sent == PT_SENT, outcome->now);
			break;
		case PT_SENT_LATER:
		case PT_SENT_MISCONFIGURED:
			posted->due_at = outcome->retry_at;
			break;
		}
	}
	return PT_OK;
}

static pt_err letter_list(void *ctx, pt_arena *arena, size_t max, struct pt_letter **out, size_t *n)
{
	PT_OWN(leave) struct memory *m = NULL;
	struct pt_letter *letters;
	size_t listed = 0;

	TRY(enter(ctx, &m));
	letters = ARENA_ARRAY(arena, struct pt_letter, max < m->letters.n ? max : m->letters.n);
	if (!letters)
		return fault(PT_F_MEMORY, "list of letters");
	for (size_t i = m->letters.n; i > 0 && listed < max; i--) {
		struct pt_letter copy = m->letters.items[i - 1].letter;

		TRY(OWN_STRINGS(arena, &copy, letter_strings));
		letters[listed++] = copy;
	}
	*out = letters;
	*n = listed;
	return PT_OK;
}

/* ---- housekeeping ------------------------------------------------------------------------------- */

static pt_err purge(void *ctx, pt_arena *arena, pt_time now, bool *more)
{
	PT_OWN(leave) struct memory *m = NULL;

	(void)arena;
	TRY(enter(ctx, &m));
	REMOVE_IF(m->sessions, item, item->expires_at <= now);
	REMOVE_IF(m->tickets, item, item->expires_at <= now);
	REMOVE_IF(m->tokens, item, item->token.expires_at <= now);
	REMOVE_IF(m->counters, item, item->until <= now);
	REMOVE_IF(m->letters, item, item->state != WAITING && item->due_at <= now);
	*more = false;
	return PT_OK;
}

static pt_err counts(void *ctx, pt_arena *arena, struct pt_store_counts *out)
{
	PT_OWN(leave) struct memory *m = NULL;
	struct pt_store_counts counted = { 0 };

	(void)arena;
	TRY(enter(ctx, &m));
	for (size_t i = 0; i < m->letters.n; i++) {
		const struct posted *posted = &m->letters.items[i];
		pt_time created_at = posted->letter.created_at;

		counted.letters_waiting += posted->state == WAITING;
		counted.letters_dead += posted->state == DEAD;
		if (posted->state == WAITING &&
			(counted.oldest_waiting == 0 || created_at < counted.oldest_waiting))
			counted.oldest_waiting = created_at;
	}
	*out = counted;
	return PT_OK;
}

static pt_err check(void *ctx, pt_arena *arena, pt_str *why)
{
	PT_OWN(leave) struct memory *m = NULL;
	pt_err err = enter(ctx, &m);

	(void)arena;
	if (err != PT_OK)
		*why = PT_STR("the store cannot be read and written");
	return err;
}

/* ---- the table ---------------------------------------------------------------------------------- */

static void memory_close(void *ctx)
{
	struct memory *m = ctx;

	free(m->accounts.items);
	free(m->sessions.items);
	free(m->tickets.items);
	free(m->tokens.items);
	free(m->counters.items);
	free(m->letters.items);
	free(m->events.items);
	arena_close(m->pool);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

pt_err pt_store_memory(struct pt_store *out)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (m)
		m->pool = arena_open(pool_ceiling);
	if (!m || !m->pool) {
		free(m);
		return fault(PT_F_MEMORY, "memory store: no memory");
	}
	pthread_mutex_init(&m->lock, NULL);
	*out = (struct pt_store){
		.size = sizeof(*out),
		.name = "memory",
		.ctx = m,
		.account_join = account_join,
		.account_find = account_find,
		.account_list = account_list,
		.account_change = account_change,
		.account_remove = account_remove,
		.signin = signin,
		.signin_fail = signin_fail,
		.session_find = session_find,
		.session_close = session_close,
		.ticket_issue = ticket_issue,
		.ticket_find = ticket_find,
		.account_confirm = account_confirm,
		.password_reset = password_reset,
		.token_rotate = token_rotate,
		.token_revoke = token_revoke,
		.limit_spend = limit_spend,
		.event_record = event_record,
		.event_list = event_list,
		.letter_claim = letter_claim,
		.letter_done = letter_done,
		.letter_list = letter_list,
		.purge = purge,
		.counts = counts,
		.check = check,
		.close = memory_close,
	};
	return PT_OK;
}

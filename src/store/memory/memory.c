/*
 * memory.c - the reference driver: what the contract says, in plain arrays behind one lock.
 *
 *   accounts.c, amend.c, signins.c, tickets.c, tokens.c, limits.c, events.c, tenants.c, import.c,
 *   letters.c, keeping.c: the verbs by noun. Here stands what they share.
 */
#include "store/memory/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hook.h"

#include "base/banned.h"

/* ---- strings ---------------------------------------------------------------------------------- */

static const size_t pool_ceiling = (size_t)1 << 30;

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
	offsetof(struct pt_account_record, account.new_email),
	offsetof(struct pt_account_record, account.new_email_key),
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
	offsetof(struct pt_event, tenant),
	offsetof(struct pt_event, email),
	offsetof(struct pt_event, actor_email),
	offsetof(struct pt_event, actor_name),
};
static const size_t elsewhere_strings[] = {
	offsetof(struct elsewhere, tenant),
	offsetof(struct elsewhere, identity.provider),
	offsetof(struct elsewhere, identity.subject),
};

static pt_err no_memory(void)
{
	return fault(PT_F_MEMORY, "memory store: no memory for strings");
}

static pt_err strings_copy(struct arena *arena, void *noun, const size_t *offsets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		pt_str *s = (pt_str *)(void *)((char *)noun + offsets[i]);

		if (!arena_str(arena, *s, s))
			return no_memory();
	}
	return PT_OK;
}

#define OWN_STRINGS(arena, noun, strings) \
	strings_copy((arena), (noun), (strings), sizeof(strings) / sizeof((strings)[0]))

pt_err mem_own_record(struct arena *arena, struct pt_account_record *record)
{
	return OWN_STRINGS(arena, record, record_strings);
}

pt_err mem_own_session(struct arena *arena, struct pt_session *session)
{
	return OWN_STRINGS(arena, session, session_strings);
}

pt_err mem_own_ticket(struct arena *arena, struct pt_ticket *ticket)
{
	return OWN_STRINGS(arena, ticket, ticket_strings);
}

pt_err mem_own_token(struct arena *arena, struct pt_token *token)
{
	return OWN_STRINGS(arena, token, token_strings);
}

pt_err mem_own_letter(struct arena *arena, struct pt_letter *letter)
{
	return OWN_STRINGS(arena, letter, letter_strings);
}

pt_err mem_own_event(struct arena *arena, struct pt_event *event)
{
	return OWN_STRINGS(arena, event, event_strings);
}

pt_err mem_own_elsewhere(struct arena *arena, struct elsewhere *elsewhere)
{
	return OWN_STRINGS(arena, elsewhere, elsewhere_strings);
}

pt_err mem_own_str(struct arena *arena, pt_str *s)
{
	return arena_str(arena, *s, s) ? PT_OK : no_memory();
}

/* ---- coming in -------------------------------------------------------------------------------- */

pt_err mem_list_room(void *items, size_t n, size_t *room, size_t size, size_t free_places)
{
	void **slot = items;
	size_t wanted = 2 * (n + free_places);
	void *more;

	if (*room - n >= free_places)
		return PT_OK;
	more = hook_fail_alloc() ? NULL : reallocarray(*slot, wanted, size);
	if (!more)
		return fault(PT_F_MEMORY, "memory store: no memory for %zu items", wanted);
	*slot = more;
	*room = wanted;
	return PT_OK;
}

static pt_err make_room(struct memory *m)
{
	MAKE_ROOM(m->accounts, ROOM);
	MAKE_ROOM(m->identities, ROOM);
	MAKE_ROOM(m->sessions, ROOM);
	MAKE_ROOM(m->tickets, ROOM);
	MAKE_ROOM(m->families, ROOM);
	MAKE_ROOM(m->loose, ROOM);
	MAKE_ROOM(m->counters, ROOM);
	MAKE_ROOM(m->letters, ROOM);
	MAKE_ROOM(m->events, ROOM);
	MAKE_ROOM(m->tenants, ROOM);
	MAKE_ROOM(m->imports, ROOM);
	return PT_OK;
}

void mem_leave(struct memory **m)
{
	if (*m)
		pthread_mutex_unlock(&(*m)->lock);
}

pt_err mem_enter(void *ctx, struct memory **out)
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

bool mem_id_eq(const struct pt_id *a, const struct pt_id *b)
{
	return strncmp(a->text, b->text, sizeof(a->text)) == 0;
}

bool mem_hash_eq(const struct pt_hash *a, const struct pt_hash *b)
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
	case PT_BY_IDENTITY:
		return false;
	}
	return false;
}

struct elsewhere *mem_elsewhere_of(
	struct memory *m, pt_str tenant, const struct pt_identity *identity)
{
	for (size_t i = 0; i < m->identities.n; i++) {
		struct elsewhere *item = &m->identities.items[i];

		if (str_eq(item->tenant, tenant) &&
			str_eq(item->identity.provider, identity->provider) &&
			str_eq(item->identity.subject, identity->subject))
			return item;
	}
	return NULL;
}

static struct pt_account_record *account_elsewhere(
	struct memory *m, const struct pt_account_query *query)
{
	const struct pt_identity identity = { query->provider, query->key };
	const struct elsewhere *found = mem_elsewhere_of(m, query->tenant, &identity);

	return found ? mem_account_by_id(m, &found->account) : NULL;
}

struct pt_account_record *mem_account_of(struct memory *m, const struct pt_account_query *query)
{
	if (query->by == PT_BY_IDENTITY)
		return account_elsewhere(m, query);
	for (size_t i = 0; i < m->accounts.n && query->key.n > 0; i++) {
		if (account_fits(&m->accounts.items[i].account, query))
			return &m->accounts.items[i];
	}
	return NULL;
}

struct pt_account_record *mem_account_by_id(struct memory *m, const struct pt_id *id)
{
	return mem_account_of(
		m, &(struct pt_account_query){ .by = PT_BY_ID, .key = str(id->text) });
}

struct pt_account_record *mem_account_by_name(struct memory *m, const struct pt_account *wanted)
{
	return mem_account_of(m, &(struct pt_account_query){ wanted->tenant, wanted->audience,
					 PT_BY_USERNAME, wanted->username_key, { NULL, 0 } });
}

struct pt_account_record *mem_account_by_email(struct memory *m, const struct pt_account *wanted)
{
	return mem_account_of(m, &(struct pt_account_query){ wanted->tenant, wanted->audience,
					 PT_BY_EMAIL, wanted->email_key, { NULL, 0 } });
}

struct family *mem_family_of(struct memory *m, const struct pt_id *id)
{
	for (size_t i = 0; i < m->families.n; i++) {
		if (mem_id_eq(&m->families.items[i].token.family, id))
			return &m->families.items[i];
	}
	return NULL;
}

struct loose *mem_loose_of(struct memory *m, const struct pt_hash *hash)
{
	for (size_t i = 0; i < m->loose.n; i++) {
		if (mem_hash_eq(&m->loose.items[i].hash, hash))
			return &m->loose.items[i];
	}
	return NULL;
}

struct pt_ticket *mem_ticket_of(
	struct memory *m, const struct pt_hash *hash, enum pt_ticket_kind kind)
{
	for (size_t i = 0; i < m->tickets.n; i++) {
		struct pt_ticket *ticket = &m->tickets.items[i];

		if (mem_hash_eq(&ticket->hash, hash) && ticket->kind == kind)
			return ticket;
	}
	return NULL;
}

struct pt_ticket *mem_ticket_live(
	struct memory *m, const struct pt_hash *hash, enum pt_ticket_kind kind, pt_time now)
{
	struct pt_ticket *ticket = mem_ticket_of(m, hash, kind);

	return ticket && ticket->expires_at > now ? ticket : NULL;
}

bool mem_part_of(pt_str whole, pt_str part)
{
	for (size_t i = 0; i + part.n <= whole.n; i++) {
		if (str_eq_nocase(str_slice(whole, i, i + part.n), part))
			return true;
	}
	return false;
}

/* ---- changing: none of these can fail ----------------------------------------------------------- */

void mem_event_put(struct memory *m, const struct pt_event *event)
{
	if (event->kind != 0)
		m->events.items[m->events.n++] = *event;
}

void mem_event_put_of(struct memory *m, struct pt_event *event, const struct pt_id *account)
{
	event->account = *account;
	mem_event_put(m, event);
}

void mem_event_put_about(struct memory *m, struct pt_event *event, const struct pt_account *account)
{
	if (event->tenant.n == 0)
		event->tenant = account->tenant;
	mem_event_put_of(m, event, &account->id);
}

void mem_letter_put(struct memory *m, const struct pt_letter *letter)
{
	struct posted *posted = &m->letters.items[m->letters.n++];

	*posted = (struct posted){
		.letter = *letter, .state = WAITING, .due_at = letter->created_at
	};
	posted->letter.attempts = 0;
}

void mem_letter_put_of(struct memory *m, struct pt_letter *letter, const struct pt_id *account)
{
	letter->account = *account;
	mem_letter_put(m, letter);
}

void mem_family_put(struct memory *m, const struct pt_token *first)
{
	m->families.items[m->families.n++] =
		(struct family){ .token = *first, .started_at = first->issued_at };
}

void mem_loose_end(struct memory *m)
{
	REMOVE_IF(m->loose, item, !mem_family_of(m, &item->family));
}

void mem_family_end(struct memory *m, struct pt_id id)
{
	REMOVE_IF(m->families, item, mem_id_eq(&item->token.family, &id));
	mem_loose_end(m);
}

void mem_account_end_signins(struct memory *m, const struct pt_id *id)
{
	REMOVE_IF(m->sessions, item, mem_id_eq(&item->account, id));
	REMOVE_IF(m->families, item, mem_id_eq(&item->token.account, id));
	mem_loose_end(m);
}

void mem_account_end_all(struct memory *m, const struct pt_id *id)
{
	mem_account_end_signins(m, id);
	REMOVE_IF(m->tickets, item, mem_id_eq(&item->account, id));
}

void mem_account_forget(struct memory *m, const struct pt_id *id)
{
	REMOVE_IF(m->accounts, item, mem_id_eq(&item->account.id, id));
	REMOVE_IF(m->identities, item, mem_id_eq(&item->account, id));
	REMOVE_IF(m->letters, item, mem_id_eq(&item->letter.account, id));
	mem_account_end_all(m, id);
}

void mem_account_put(struct memory *m, const struct pt_account_record *record)
{
	size_t at = m->accounts.n++;

	for (; at > 0 &&
		strcmp(m->accounts.items[at - 1].account.id.text, record->account.id.text) > 0;
		at--)
		m->accounts.items[at] = m->accounts.items[at - 1];
	m->accounts.items[at] = *record;
}

/* ---- the table ---------------------------------------------------------------------------------- */

static void memory_close(void *ctx)
{
	struct memory *m = ctx;

	free(m->accounts.items);
	free(m->identities.items);
	free(m->sessions.items);
	free(m->tickets.items);
	free(m->families.items);
	free(m->loose.items);
	free(m->counters.items);
	free(m->letters.items);
	free(m->events.items);
	free(m->tenants.items);
	free(m->imports.items);
	arena_close(m->pool);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static void memory_publish(struct memory *m, struct pt_store *out)
{
	static void (*const rooms[])(struct pt_store *) = {
		memory_accounts_publish,
		memory_amend_publish,
		memory_signins_publish,
		memory_tickets_publish,
		memory_tokens_publish,
		memory_limits_publish,
		memory_events_publish,
		memory_tenants_publish,
		memory_import_publish,
		memory_letters_publish,
		memory_keeping_publish,
	};

	*out = (struct pt_store){
		.size = sizeof(*out), .name = "memory", .ctx = m, .close = memory_close
	};
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
		rooms[i](out);
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
	memory_publish(m, out);
	return PT_OK;
}

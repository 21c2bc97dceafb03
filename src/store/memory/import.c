/*
 * import.c - people who come from another system, with all that is theirs.
 */
#include "base/err.h"
#include "store/memory/memory.h"

#include "base/banned.h"

/* A batch with strings of our own. */
struct batch {
	struct pt_account_record *accounts;
	struct pt_ticket *tickets;
	struct pt_import_token *tokens;
	struct pt_event *events;
	struct imported imported;
};

#define COPY_LIST(arena, to, from, n, own)                                  \
	do {                                                                \
		(to) = arena_array((arena), (n), sizeof((to)[0]));          \
		if (!(to))                                                  \
			return fault(PT_F_MEMORY, "memory store: a batch"); \
		for (size_t i_ = 0; i_ < (n); i_++) {                       \
			(to)[i_] = (from)[i_];                              \
			TRY(own((arena), &(to)[i_]));                       \
		}                                                           \
	} while (0)

static pt_err own_import_token(struct arena *pool, struct pt_import_token *token)
{
	return mem_own_token(pool, &token->token);
}

static pt_err batch_own(struct arena *pool, const struct pt_import *batch, struct batch *out)
{
	COPY_LIST(pool, out->accounts, batch->accounts, batch->n_accounts, mem_own_record);
	COPY_LIST(pool, out->tickets, batch->tickets, batch->n_tickets, mem_own_ticket);
	COPY_LIST(pool, out->tokens, batch->tokens, batch->n_tokens, own_import_token);
	COPY_LIST(pool, out->events, batch->events, batch->n_events, mem_own_event);
	out->imported = (struct imported){ batch->source, batch->mark };
	TRY(mem_own_str(pool, &out->imported.source));
	return mem_own_str(pool, &out->imported.mark);
}

static pt_err batch_room(struct memory *m, const struct pt_import *batch)
{
	MAKE_ROOM(m->accounts, batch->n_accounts + ROOM);
	MAKE_ROOM(m->tickets, batch->n_tickets + ROOM);
	MAKE_ROOM(m->families, batch->n_tokens + ROOM);
	MAKE_ROOM(m->loose, batch->n_tokens + ROOM);
	MAKE_ROOM(m->events, batch->n_events + ROOM);
	return PT_OK;
}

static bool count_if(bool added, struct pt_import_count *count)
{
	if (added)
		count->added++;
	else
		count->skipped++;
	return added;
}

static void account_import(
	struct memory *m, const struct pt_account_record *record, struct pt_import_count *count)
{
	const struct pt_account *account = &record->account;
	bool there = mem_account_by_id(m, &account->id);

	if (!there && (mem_account_by_name(m, account) || mem_account_by_email(m, account)))
		count->taken++;
	else if (count_if(!there, count))
		mem_account_put(m, record);
}

static bool ticket_is_new(struct memory *m, const struct pt_ticket *ticket)
{
	for (size_t i = 0; i < m->tickets.n; i++) {
		if (mem_hash_eq(&m->tickets.items[i].hash, &ticket->hash))
			return false;
	}
	return mem_account_by_id(m, &ticket->account);
}

static bool token_is_new(struct memory *m, const struct pt_import_token *token)
{
	return !mem_loose_of(m, &token->hash) && !mem_family_of(m, &token->token.family) &&
	       mem_account_by_id(m, &token->token.account);
}

static void token_put(struct memory *m, const struct pt_import_token *token)
{
	struct pt_token first = token->token;

	first.secret = first.hash = (struct pt_hash){ { 0 } };
	mem_family_put(m, &first);
	m->loose.items[m->loose.n++] =
		(struct loose){ token->hash, first.family, first.generation };
}

static bool event_is_new(const struct memory *m, const struct pt_event *event)
{
	for (size_t i = 0; i < m->events.n; i++) {
		if (mem_id_eq(&m->events.items[i].id, &event->id))
			return false;
	}
	return true;
}

static void mark_put(struct memory *m, const struct imported *imported)
{
	REMOVE_IF(m->imports, item, str_eq(item->source, imported->source));
	m->imports.items[m->imports.n++] = *imported;
}

static void batch_put(struct memory *m, const struct pt_import *batch, const struct batch *own,
	struct pt_import_count *count)
{
	for (size_t i = 0; i < batch->n_accounts; i++)
		account_import(m, &own->accounts[i], count);
	for (size_t i = 0; i < batch->n_tickets; i++) {
		if (count_if(ticket_is_new(m, &own->tickets[i]), count))
			m->tickets.items[m->tickets.n++] = own->tickets[i];
	}
	for (size_t i = 0; i < batch->n_tokens; i++) {
		if (count_if(token_is_new(m, &own->tokens[i]), count))
			token_put(m, &own->tokens[i]);
	}
	for (size_t i = 0; i < batch->n_events; i++) {
		if (count_if(event_is_new(m, &own->events[i]), count))
			mem_event_put(m, &own->events[i]);
	}
}

/* What came last in each list goes again; accounts stand in an order of their own. */
static void batch_undo(
	struct memory *m, const struct memory *before, const struct pt_account_record *accounts)
{
	for (size_t i = 0; i < before->accounts.n; i++)
		m->accounts.items[i] = accounts[i];
	m->accounts.n = before->accounts.n;
	m->tickets.n = before->tickets.n;
	m->families.n = before->families.n;
	m->loose.n = before->loose.n;
	m->events.n = before->events.n;
}

static pt_err rehearse(struct memory *m, pt_arena *arena, const struct pt_import *batch,
	const struct batch *own, struct pt_import_count *count)
{
	const struct memory before = *m;
	struct pt_account_record *accounts =
		arena_array(arena, before.accounts.n, sizeof(accounts[0]));

	if (!accounts)
		return fault(PT_F_MEMORY, "memory store: a rehearsal");
	for (size_t i = 0; i < before.accounts.n; i++)
		accounts[i] = before.accounts.items[i];
	batch_put(m, batch, own, count);
	batch_undo(m, &before, accounts);
	return PT_OK;
}

static pt_err import(
	void *ctx, pt_arena *arena, const struct pt_import *batch, struct pt_import_count *count)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct pt_import_count counted = { 0 };
	struct batch own;

	TRY(mem_enter(ctx, &m));
	TRY(batch_room(m, batch));
	TRY(batch_own(m->pool, batch, &own));
	if (batch->rehearsal) {
		TRY(rehearse(m, arena, batch, &own, &counted));
	} else {
		batch_put(m, batch, &own, &counted);
		mark_put(m, &own.imported);
	}
	*count = counted;
	return PT_OK;
}

static pt_err import_mark(void *ctx, pt_arena *arena, pt_str source, pt_str *mark)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	pt_str found = PT_STR("");

	TRY(mem_enter(ctx, &m));
	for (size_t i = 0; i < m->imports.n; i++) {
		if (str_eq(m->imports.items[i].source, source))
			found = m->imports.items[i].mark;
	}
	TRY(mem_own_str(arena, &found));
	*mark = found;
	return PT_OK;
}

void memory_import_publish(struct pt_store *out)
{
	out->import = import;
	out->import_mark = import_mark;
}

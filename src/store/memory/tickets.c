/*
 * tickets.c - secrets that travel by mail, and what they open.
 */
#include "base/err.h"
#include "store/memory/memory.h"

#include "base/banned.h"

static pt_err ticket_find(void *ctx, pt_arena *arena, const struct pt_hash *hash,
	enum pt_ticket_kind kind, pt_time now, struct pt_ticket_record *out)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	const struct pt_ticket *ticket;
	const struct pt_account_record *owner;
	struct pt_ticket_record copy;

	TRY(mem_enter(ctx, &m));
	ticket = mem_ticket_of(m, hash, kind);
	owner = ticket ? mem_account_by_id(m, &ticket->account) : NULL;
	if (!owner || now - ticket->expires_at >= ticket_kept)
		return PT_E_TICKET;
	if (ticket->expires_at <= now)
		return PT_E_TICKET_EXPIRED;
	copy = (struct pt_ticket_record){ *ticket, *owner };
	TRY(mem_own_ticket(arena, &copy.ticket));
	TRY(mem_own_record(arena, &copy.owner));
	*out = copy;
	return PT_OK;
}

static void account_verify(struct memory *m, struct pt_account *account, pt_time now)
{
	if (account->email_verified_at != 0)
		return;
	account->email_verified_at = account->updated_at = now;
	REMOVE_IF(m->identities, item, mem_id_eq(&item->account, &account->id));
}

static pt_err account_confirm(
	void *ctx, pt_arena *arena, const struct pt_confirm_act *act, struct pt_id *account)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	const struct pt_ticket *ticket;
	struct pt_account_record *owner;
	struct pt_event event = act->event;

	(void)arena;
	TRY(mem_enter(ctx, &m));
	ticket = mem_ticket_live(m, &act->ticket, PT_TICKET_VERIFY, act->now);
	owner = ticket ? mem_account_by_id(m, &ticket->account) : NULL;
	if (!owner || !str_eq(owner->account.email_key, ticket->email_key))
		return PT_E_TICKET;
	TRY(mem_own_event(m->pool, &event));

	if (owner->account.email_verified_at == 0)
		mem_event_put_of(m, &event, &owner->account.id);
	account_verify(m, &owner->account, act->now);
	*account = owner->account.id;
	return PT_OK;
}

static pt_err password_reset(void *ctx, pt_arena *arena, const struct pt_reset_act *act)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	const struct pt_ticket *ticket;
	struct pt_account_record *owner;
	struct pt_letter letter = act->letter;
	struct pt_event event = act->event;
	pt_str password;

	(void)arena;
	TRY(mem_enter(ctx, &m));
	ticket = mem_ticket_live(m, &act->ticket, PT_TICKET_RESET, act->now);
	owner = ticket ? mem_account_by_id(m, &ticket->account) : NULL;
	if (!owner || !mem_id_eq(&ticket->account, &act->account) ||
		!str_eq(owner->account.email_key, ticket->email_key) ||
		!str_eq(owner->password, act->seen_password))
		return PT_E_TICKET;
	TRY(mem_own_letter(m->pool, &letter));
	TRY(mem_own_event(m->pool, &event));
	if (!arena_str(m->pool, act->new_password, &password))
		return fault(PT_F_MEMORY, "memory store: no memory for a password");

	owner->password = password;
	owner->account.updated_at = act->now;
	account_verify(m, &owner->account, act->now);
	mem_account_end_signins(m, &act->account);
	REMOVE_IF(m->tickets, item,
		(item->kind == PT_TICKET_RESET || item->kind == PT_TICKET_EMAIL_CHANGE) &&
			mem_id_eq(&item->account, &act->account));
	if (act->has_letter)
		mem_letter_put(m, &letter);
	mem_event_put_of(m, &event, &act->account);
	return PT_OK;
}

void memory_tickets_publish(struct pt_store *out)
{
	out->ticket_find = ticket_find;
	out->account_confirm = account_confirm;
	out->password_reset = password_reset;
}

/*
 * amend.c - one act on one account: what must hold, what changes, ends and begins.
 */
#include "store/amend.h"

#include "base/err.h"
#include "store/memory/memory.h"

#include "base/banned.h"

static pt_err amend_take(
	struct memory *m, const struct pt_amend *amend, const struct pt_account *account)
{
	const struct pt_ticket *ticket;

	if (!amend->has_ticket)
		return PT_OK;
	ticket = mem_ticket_live(m, &amend->ticket, amend->ticket_kind, amend->now);
	if (!ticket || !mem_id_eq(&ticket->account, &account->id) ||
		!str_eq(ticket->email_key, amend_ticket_key(amend, account)))
		return PT_E_TICKET;
	return PT_OK;
}

/* PT_E_TAKEN: what it is to have is somebody else's. */
static pt_err amend_claims(
	struct memory *m, const struct pt_amend *amend, const struct pt_account *after)
{
	const struct elsewhere *elsewhere =
		amend->has_identity ? mem_elsewhere_of(m, after->tenant, &amend->identity) : NULL;
	const struct pt_account_record *owner = mem_account_by_email(m, after);

	if (owner && !mem_id_eq(&owner->account.id, &after->id))
		return PT_E_TAKEN;
	if (elsewhere && !mem_id_eq(&elsewhere->account, &after->id))
		return PT_E_TAKEN;
	return PT_OK;
}

static pt_err amend_own(struct memory *m, struct pt_amend *own)
{
	TRY(mem_own_session(m->pool, &own->session));
	TRY(mem_own_token(m->pool, &own->token));
	TRY(mem_own_ticket(m->pool, &own->new_ticket));
	TRY(mem_own_letter(m->pool, &own->letter));
	TRY(mem_own_letter(m->pool, &own->notice));
	TRY(mem_own_event(m->pool, &own->events[0]));
	return mem_own_event(m->pool, &own->events[1]);
}

static bool amend_ends_ticket(const struct pt_amend *amend, enum pt_ticket_kind kind)
{
	switch (kind) {
	case PT_TICKET_VERIFY:
		return amend->ends & PT_END_VERIFY;
	case PT_TICKET_RESET:
		return amend->ends & PT_END_RESET;
	case PT_TICKET_INVITE:
		return amend->ends & PT_END_INVITE;
	case PT_TICKET_EMAIL_CHANGE:
		return amend->ends & PT_END_EMAIL_CHANGE;
	}
	return false;
}

static void amend_end(struct memory *m, const struct pt_amend *amend)
{
	const struct pt_id *id = &amend->account;

	if (amend->has_ticket)
		REMOVE_IF(m->tickets, item, mem_hash_eq(&item->hash, &amend->ticket));
	if (amend->ends & PT_END_SESSIONS)
		REMOVE_IF(m->sessions, item, mem_id_eq(&item->account, id));
	if (amend->ends & PT_END_FAMILIES)
		REMOVE_IF(m->families, item,
			mem_id_eq(&item->token.account, id) &&
				!mem_id_eq(&item->token.family, &amend->keep_family));
	mem_loose_end(m);
	if (amend->ends & PT_END_IDENTITIES)
		REMOVE_IF(m->identities, item, mem_id_eq(&item->account, id));
	REMOVE_IF(m->tickets, item,
		mem_id_eq(&item->account, id) && amend_ends_ticket(amend, item->kind));
}

static void amend_begin(struct memory *m, struct pt_amend *own, const struct elsewhere *elsewhere)
{
	const struct pt_id *id = &own->account;

	own->session.account = own->token.account = own->new_ticket.account = *id;
	if (own->has_identity && !mem_elsewhere_of(m, elsewhere->tenant, &elsewhere->identity))
		m->identities.items[m->identities.n++] = *elsewhere;
	if (own->has_session)
		m->sessions.items[m->sessions.n++] = own->session;
	if (own->has_token)
		mem_family_put(m, &own->token);
	if (own->has_new_ticket) {
		REMOVE_IF(m->tickets, item,
			item->kind == own->new_ticket.kind && mem_id_eq(&item->account, id));
		m->tickets.items[m->tickets.n++] = own->new_ticket;
	}
	if (own->has_letter)
		mem_letter_put_of(m, &own->letter, id);
	if (own->has_notice)
		mem_letter_put(m, &own->notice);
}

static pt_err account_amend(
	void *ctx, pt_arena *arena, const struct pt_amend *amend, struct pt_account_record *out)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct pt_amend own = *amend;
	struct pt_account_record *record, after, copy;
	struct elsewhere elsewhere = { .identity = amend->identity, .account = amend->account };

	TRY(mem_enter(ctx, &m));
	record = mem_account_by_id(m, &amend->account);
	if (!record)
		return PT_E_NOT_FOUND;
	after = *record;
	TRY(amend_may(amend, record));
	TRY(amend_take(m, amend, &record->account));
	TRY(amend_apply(arena, amend, &after));
	TRY(amend_claims(m, amend, &after.account));
	copy = after;
	elsewhere.tenant = after.account.tenant;
	TRY(mem_own_record(arena, &copy));
	TRY(mem_own_record(m->pool, &after));
	TRY(mem_own_elsewhere(m->pool, &elsewhere));
	TRY(amend_own(m, &own));

	*record = after;
	amend_end(m, amend);
	amend_begin(m, &own, &elsewhere);
	mem_event_put_about(m, &own.events[0], &after.account);
	mem_event_put_about(m, &own.events[1], &after.account);
	*out = copy;
	return PT_OK;
}

void memory_amend_publish(struct pt_store *out)
{
	out->account_amend = account_amend;
}

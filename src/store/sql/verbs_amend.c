/*
 * verbs_amend.c - one act on one account: what must hold, what changes, ends and begins.
 *
 * Whatever opens tickets or takes them holds the account's name, order (3); its row is locked next,
 * order (2). So of two amendments the second sees all that the first did.
 */
#include "base/err.h"
#include "store/amend.h"
#include "store/sql/act.h"

#include "base/banned.h"

static pt_err amend_take(struct sql_conn *conn, pt_arena *arena, const struct pt_amend *amend,
	const struct pt_account *account)
{
	pt_str email_key;

	if (!amend->has_ticket)
		return PT_OK;
	TRY(sql_ticket_take(conn, arena, &amend->ticket, amend->ticket_kind, &account->id,
		amend->now, &email_key));
	return str_eq(email_key, amend_ticket_key(amend, account)) ? PT_OK : PT_E_TICKET;
}

/* It may be this account's already. */
static pt_err amend_link(struct sql_conn *conn, pt_arena *arena, const struct pt_amend *amend,
	const struct pt_account *account)
{
	struct pt_id owner;
	pt_err err;

	if (!amend->has_identity)
		return PT_OK;
	err = sql_identity_hold(conn, arena, account->tenant, &amend->identity, &owner);
	if (err == PT_E_NOT_FOUND)
		return sql_identity_add(
			conn, arena, account->tenant, &amend->identity, &account->id, amend->now);
	TRY(err);
	return str_eq(id_text(&owner), id_text(&account->id)) ? PT_OK : PT_E_TAKEN;
}

static pt_err amend_end(struct sql_conn *conn, pt_arena *arena, const struct pt_amend *amend)
{
	static const struct {
		enum pt_ending ending;
		enum pt_ticket_kind kind;
	} tickets[] = {
		{ PT_END_VERIFY, PT_TICKET_VERIFY },
		{ PT_END_RESET, PT_TICKET_RESET },
		{ PT_END_INVITE, PT_TICKET_INVITE },
		{ PT_END_EMAIL_CHANGE, PT_TICKET_EMAIL_CHANGE },
	};
	const struct sql_value id = sql_id(&amend->account);

	if (amend->ends & PT_END_SESSIONS)
		TRY(RUN(conn, arena, SESSIONS_END, NULL, id));
	if (amend->ends & PT_END_FAMILIES)
		TRY(RUN(conn, arena, FAMILIES_END, NULL, id, sql_id(&amend->keep_family)));
	if (amend->ends & PT_END_IDENTITIES)
		TRY(RUN(conn, arena, IDENTITIES_END, NULL, id));
	for (size_t i = 0; i < sizeof(tickets) / sizeof(tickets[0]); i++) {
		if (amend->ends & tickets[i].ending)
			TRY(RUN(conn, arena, TICKETS_END_KIND, NULL, id, sql_int(tickets[i].kind)));
	}
	return PT_OK;
}

static pt_err amend_begin(struct sql_conn *conn, pt_arena *arena, const struct pt_amend *amend)
{
	const struct pt_id *id = &amend->account;

	if (amend->has_session)
		TRY(sql_session_add(conn, arena, &amend->session, id));
	if (amend->has_token)
		TRY(sql_family_open(conn, arena, &amend->token, id));
	if (amend->has_new_ticket) {
		TRY(RUN(conn, arena, TICKETS_END_KIND, NULL, sql_id(id),
			sql_int(amend->new_ticket.kind)));
		TRY(sql_ticket_add(conn, arena, &amend->new_ticket, id));
	}
	if (amend->has_letter)
		TRY(sql_letter_add_of(conn, arena, &amend->letter, id));
	/* As it stands: a hook to be told belongs to nobody, and outlives the account. */
	return amend->has_notice ? sql_letter_add(conn, arena, &amend->notice) : PT_OK;
}

static pt_err amend_tell(struct sql_conn *conn, pt_arena *arena, const struct pt_amend *amend,
	const struct pt_account *account)
{
	for (size_t i = 0; i < sizeof(amend->events) / sizeof(amend->events[0]); i++)
		TRY(sql_event_add_about(conn, arena, &amend->events[i], account));
	return PT_OK;
}

static pt_err act_account_amend(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_amend *amend = in;
	const struct sql_directory *directory = conn->store->directory;
	struct pt_account_record *record = out;

	(void)keep;
	TRY(sql_account_lock(conn, arena, &amend->account));
	TRY(directory->hold(conn, arena, &amend->account, record));
	TRY(amend_may(amend, record));
	TRY(amend_take(conn, arena, amend, &record->account));
	TRY(directory->amend(conn, arena, amend, record));
	TRY(amend_end(conn, arena, amend));
	TRY(amend_link(conn, arena, amend, &record->account));
	TRY(sql_never_taken(amend_begin(conn, arena, amend)));
	return amend_tell(conn, arena, amend, &record->account);
}

static pt_err account_amend(
	void *ctx, pt_arena *arena, const struct pt_amend *amend, struct pt_account_record *out)
{
	struct pt_account_record got;

	TRY(sql_run_claim(ctx, act_account_amend, arena, amend, &got));
	*out = got;
	return PT_OK;
}

void sql_amend_publish(struct pt_store *out)
{
	out->account_amend = account_amend;
}

/*
 * verbs_tickets.c - secrets that travel by mail, and what they open.
 */
#include "base/err.h"
#include "store/sql/act.h"

#include "base/banned.h"

struct ticket_question {
	const struct pt_hash *hash;
	enum pt_ticket_kind kind;
	pt_time now;
};

/* PT_E_TICKET_EXPIRED: *out is written all the same. */
static pt_err ticket_look(struct sql_conn *conn, pt_arena *arena,
	const struct ticket_question *question, struct pt_ticket *out)
{
	struct sql_rows rows;

	TRY(RUN(conn, arena, TICKET_FIND, &rows, sql_hash(question->hash),
		sql_int(question->kind)));
	if (rows.n_rows == 0)
		return PT_E_TICKET;
	*out = row_ticket(&rows, 0);
	if (out->expires_at > question->now)
		return PT_OK;
	return question->now - out->expires_at < ticket_kept ? PT_E_TICKET_EXPIRED : PT_E_TICKET;
}

static pt_err act_ticket_find(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct pt_ticket_record record;

	pt_err err = ticket_look(conn, arena, in, &record.ticket);

	(void)keep;
	if (err != PT_E_TICKET_EXPIRED)
		TRY(err);
	TRY(sql_account_or(PT_E_TICKET, conn, arena, &record.ticket.account, &record.owner));
	TRY(err);
	*(struct pt_ticket_record *)out = record;
	return PT_OK;
}

static pt_err ticket_find(void *ctx, pt_arena *arena, const struct pt_hash *hash,
	enum pt_ticket_kind kind, pt_time now, struct pt_ticket_record *out)
{
	const struct ticket_question question = { hash, kind, now };

	return sql_run_read(ctx, act_ticket_find, arena, &question, out);
}

static pt_err act_account_confirm(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_confirm_act *act = in;
	const struct ticket_question question = { &act->ticket, PT_TICKET_VERIFY, act->now };
	struct pt_account_record owner;
	struct pt_ticket ticket;
	pt_err err = ticket_look(conn, arena, &question, &ticket);

	(void)keep;
	if (err == PT_E_TICKET_EXPIRED)
		return PT_E_TICKET;
	TRY(err);
	TRY(sql_account_lock(conn, arena, &ticket.account));
	TRY(sql_account_or(PT_E_TICKET, conn, arena, &ticket.account, &owner));
	if (!str_eq(owner.account.email_key, ticket.email_key))
		return PT_E_TICKET;
	*(struct pt_id *)out = ticket.account;
	if (owner.account.email_verified_at != 0)
		return PT_OK;
	TRY(conn->store->directory->set_verified(conn, arena, &ticket.account, act->now));
	TRY(RUN(conn, arena, IDENTITIES_END, NULL, sql_id(&ticket.account)));
	return sql_event_add_of(conn, arena, &act->event, &ticket.account);
}

static pt_err account_confirm(
	void *ctx, pt_arena *arena, const struct pt_confirm_act *act, struct pt_id *account)
{
	struct pt_id got;

	TRY(sql_run_write(ctx, act_account_confirm, arena, act, &got));
	*account = got;
	return PT_OK;
}

/* Taking the ticket decides between two who hold it; the password's compare-and-set, between this
 * and anything else that changes it. */
static pt_err reset_take(
	struct sql_conn *conn, pt_arena *arena, const struct pt_reset_act *act, bool *confirms)
{
	struct pt_account_record owner;
	pt_str email_key;

	TRY(sql_ticket_take(
		conn, arena, &act->ticket, PT_TICKET_RESET, &act->account, act->now, &email_key));
	TRY(sql_account_or(PT_E_TICKET, conn, arena, &act->account, &owner));
	*confirms = owner.account.email_verified_at == 0;
	return str_eq(owner.account.email_key, email_key) ? PT_OK : PT_E_TICKET;
}

static pt_err reset_end(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, bool confirms)
{
	TRY(sql_account_end_signins(conn, arena, id));
	TRY(RUN(conn, arena, TICKETS_END_KIND, NULL, sql_id(id), sql_int(PT_TICKET_RESET)));
	TRY(RUN(conn, arena, TICKETS_END_KIND, NULL, sql_id(id), sql_int(PT_TICKET_EMAIL_CHANGE)));
	return confirms ? RUN(conn, arena, IDENTITIES_END, NULL, sql_id(id)) : PT_OK;
}

static pt_err act_password_reset(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_reset_act *act = in;
	const struct pt_id *id = &act->account;
	bool confirms;
	pt_err err;

	(void)out, (void)keep;
	TRY(sql_account_lock(conn, arena, id));
	TRY(reset_take(conn, arena, act, &confirms));
	err = conn->store->directory->set_password(
		conn, arena, id, act->seen_password, act->new_password, true, act->now);
	if (err == PT_E_CREDENTIALS)
		return PT_E_TICKET;
	TRY(err);
	TRY(reset_end(conn, arena, id, confirms));
	if (act->has_letter)
		TRY(sql_letter_add(conn, arena, &act->letter));
	return sql_event_add_of(conn, arena, &act->event, id);
}

static pt_err password_reset(void *ctx, pt_arena *arena, const struct pt_reset_act *act)
{
	return sql_run_write(ctx, act_password_reset, arena, act, NULL);
}

void sql_tickets_publish(struct pt_store *out)
{
	out->ticket_find = ticket_find;
	out->account_confirm = account_confirm;
	out->password_reset = password_reset;
}

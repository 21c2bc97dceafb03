/*
 * verbs_import.c - people who come from another system, with all that is theirs.
 *
 * What is there already is left alone, by its key: so an import that broke off begins where it was.
 */
#include "base/err.h"
#include "store/sql/act.h"

#include "base/banned.h"

/* What is refused is rolled back; nothing in an import answers this otherwise. */
#define REHEARSED PT_E_NOT_FOUND

static void import_counted(bool added, struct pt_import_count *count)
{
	if (added)
		count->added++;
	else
		count->skipped++;
}

static pt_err account_import(struct sql_conn *conn, pt_arena *arena,
	const struct pt_account_record *record, struct pt_import_count *count)
{
	struct pt_account_record there;
	struct pt_id id;
	pt_err err = sql_account_by_id(conn, arena, &record->account.id, &there);

	if (err == PT_E_NOT_FOUND) {
		err = conn->store->directory->create(
			conn, arena, &record->account, record->password, &id);
		if (err == PT_E_TAKEN) {
			count->taken++;
			return PT_OK;
		}
		TRY(err);
		import_counted(true, count);
		return PT_OK;
	}
	TRY(err);
	import_counted(false, count);
	return PT_OK;
}

static pt_err account_there(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, bool *there)
{
	struct pt_account_record record;
	pt_err err = sql_account_by_id(conn, arena, id, &record);

	*there = err == PT_OK;
	return err == PT_E_NOT_FOUND ? PT_OK : err;
}

static pt_err ticket_import(struct sql_conn *conn, pt_arena *arena, const struct pt_ticket *ticket,
	struct pt_import_count *count)
{
	bool added = false, there;

	TRY(account_there(conn, arena, &ticket->account, &there));
	if (there)
		TRY(INSERT_NEW(conn, arena, TICKET_IMPORT, &added, sql_hash(&ticket->hash),
			sql_int(ticket->kind), sql_id(&ticket->account),
			sql_text_or_null(ticket->email_key), sql_hash(&ticket->bound),
			sql_int(ticket->created_at), sql_int(ticket->expires_at)));
	import_counted(added, count);
	return PT_OK;
}

/* The hash is looked for first: its family may have another id by now. Its secret is not known yet, nor the hash of a text of ours. */
static pt_err token_import(struct sql_conn *conn, pt_arena *arena,
	const struct pt_import_token *carried, struct pt_import_count *count)
{
	struct pt_token first = carried->token;
	bool added = false, there;
	struct sql_rows rows;

	first.secret = first.hash = (struct pt_hash){ { 0 } };
	TRY(account_there(conn, arena, &first.account, &there));
	TRY(RUN(conn, arena, LOOSE_FIND, &rows, sql_hash(&carried->hash)));
	if (there && rows.n_rows == 0)
		TRY(sql_family_add(conn, arena, &first, PT_STR(""), &added));
	if (added)
		TRY(sql_loose_token_add(
			conn, arena, &carried->hash, &first.family, first.generation));
	import_counted(added, count);
	return PT_OK;
}

/* Nobody is told: it happened long ago. */
static pt_err event_import(struct sql_conn *conn, pt_arena *arena, const struct pt_event *event,
	struct pt_import_count *count)
{
	struct sql_rows rows;

	TRY(RUN(conn, arena, EVENT_THERE, &rows, sql_text(event->tenant), sql_int(event->at),
		sql_id(&event->id)));
	if (rows.n_rows == 0)
		TRY(sql_event_write(conn, arena, event));
	import_counted(rows.n_rows == 0, count);
	return PT_OK;
}

static pt_err import_all(struct sql_conn *conn, pt_arena *arena, const struct pt_import *batch,
	struct pt_import_count *count)
{
	for (size_t i = 0; i < batch->n_accounts; i++)
		TRY(account_import(conn, arena, &batch->accounts[i], count));
	for (size_t i = 0; i < batch->n_tickets; i++)
		TRY(ticket_import(conn, arena, &batch->tickets[i], count));
	for (size_t i = 0; i < batch->n_tokens; i++)
		TRY(token_import(conn, arena, &batch->tokens[i], count));
	for (size_t i = 0; i < batch->n_events; i++)
		TRY(event_import(conn, arena, &batch->events[i], count));
	return PT_OK;
}

static pt_err act_import(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_import *batch = in;
	struct pt_import_count *count = out;

	(void)keep;
	if (conn->store->directory != &sql_native_directory)
		return fault(PT_F_CONFIG, "accounts cannot be imported into a foreign table");
	*count = (struct pt_import_count){ 0 };
	TRY(import_all(conn, arena, batch, count));
	if (batch->rehearsal)
		return REHEARSED;
	return RUN(conn, arena, IMPORT_KEEP, NULL, sql_text(batch->source), sql_text(batch->mark),
		sql_int(batch->now));
}

static pt_err import(
	void *ctx, pt_arena *arena, const struct pt_import *batch, struct pt_import_count *count)
{
	struct pt_import_count got;
	pt_err err = sql_run_write(ctx, act_import, arena, batch, &got);

	if (err != REHEARSED)
		TRY(err);
	*count = got;
	return PT_OK;
}

static pt_err act_import_mark(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct sql_rows rows;

	(void)keep;
	TRY(RUN(conn, arena, IMPORT_MARK, &rows, sql_text(*(const pt_str *)in)));
	*(pt_str *)out = rows.n_rows > 0 ? row_text(&rows, 0, 0) : PT_STR("");
	return PT_OK;
}

static pt_err import_mark(void *ctx, pt_arena *arena, pt_str source, pt_str *mark)
{
	return sql_run_read(ctx, act_import_mark, arena, &source, mark);
}

void sql_import_publish(struct pt_store *out)
{
	out->import = import;
	out->import_mark = import_mark;
}

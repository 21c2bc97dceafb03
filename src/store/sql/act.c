/*
 * act.c - how acts are run, and the steps that several of them share.
 */
#include "store/sql/act.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/hook.h"

#include "base/banned.h"

/* ---- running acts ------------------------------------------------------------------------- */

static pt_err injected(void)
{
	hook_stall();
	if (hook_fail_act())
		return fault(PT_F_STORE, "store act failed on purpose");
	return PT_OK;
}

pt_err sql_run_read(void *ctx, sql_act act, pt_arena *arena, const void *in, void *out)
{
	struct sql_store *store = ctx;

	TRY(injected());
	return store->driver->read(store, act, arena, in, out);
}

pt_err sql_run_claim(void *ctx, sql_act act, pt_arena *arena, const void *in, void *out)
{
	struct sql_store *store = ctx;

	TRY(injected());
	return store->driver->write(store, act, arena, in, out);
}

pt_err sql_never_taken(pt_err err)
{
	if (err == PT_E_TAKEN)
		return fault(PT_F_STORE, "a key that must be new stands in the store already");
	return err;
}

pt_err sql_run_write(void *ctx, sql_act act, pt_arena *arena, const void *in, void *out)
{
	return sql_never_taken(sql_run_claim(ctx, act, arena, in, out));
}

/* Databases say it by a count of 0, or by a broken rule. */
pt_err sql_insert_new(struct sql_conn *conn, pt_arena *arena, enum sql_statement statement,
	const struct sql_value *values, size_t n, bool *added)
{
	struct sql_rows rows = { 0 };
	pt_err err = conn->driver->run(conn, arena, statement, values, n, &rows);

	if (err != PT_E_TAKEN)
		TRY(err);
	*added = err == PT_OK && rows.changed > 0;
	return PT_OK;
}

pt_err sql_part_fold(pt_arena *arena, pt_str part, pt_str *out)
{
	char *folded = arena_alloc(arena, part.n + 1);

	if (!folded)
		return fault(PT_F_MEMORY, "part to look for");
	for (size_t i = 0; i < part.n; i++)
		folded[i] = ascii_lower(part.p[i]);
	*out = str_n(folded, part.n);
	return PT_OK;
}

/* ---- the account of an act ------------------------------------------------------------------ */

pt_err sql_account_lock(struct sql_conn *conn, pt_arena *arena, const struct pt_id *account)
{
	return conn->driver->lock_name(conn, arena, id_text(account));
}

pt_err sql_account_by_id(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id,
	struct pt_account_record *out)
{
	const struct pt_account_query query = { .by = PT_BY_ID, .key = id_text(id) };

	if (query.key.n == 0)
		return PT_E_NOT_FOUND;
	return conn->store->directory->find(conn, arena, &query, out);
}

pt_err sql_account_or(pt_err refusal, struct sql_conn *conn, pt_arena *arena,
	const struct pt_id *id, struct pt_account_record *out)
{
	pt_err err = sql_account_by_id(conn, arena, id, out);

	return err == PT_E_NOT_FOUND ? refusal : err;
}

pt_err sql_account_end_signins(struct sql_conn *conn, pt_arena *arena, const struct pt_id *account)
{
	TRY(RUN(conn, arena, SESSIONS_END, NULL, sql_id(account)));
	return RUN(conn, arena, FAMILIES_END, NULL, sql_id(account), sql_text(PT_STR("")));
}

pt_err sql_account_end_all(struct sql_conn *conn, pt_arena *arena, const struct pt_id *account)
{
	TRY(sql_account_end_signins(conn, arena, account));
	return RUN(conn, arena, TICKETS_END, NULL, sql_id(account));
}

/* ---- events and letters, part of the act that causes them ---------------------------------- */

pt_err sql_event_write(struct sql_conn *conn, pt_arena *arena, const struct pt_event *event)
{
	return RUN(conn, arena, EVENT_INSERT, NULL, sql_id(&event->id), sql_int(event->kind),
		sql_id_or_null(&event->account), sql_int(event->at),
		sql_text_or_null(event->client), sql_text_or_null(event->request),
		sql_text_or_null(event->detail), sql_text(event->tenant),
		sql_id_or_null(&event->actor), sql_text_or_null(event->email),
		sql_text_or_null(event->actor_email), sql_text_or_null(event->actor_name));
}

pt_err sql_event_add(struct sql_conn *conn, pt_arena *arena, const struct pt_event *event)
{
	const struct sql_directory *directory = conn->store->directory;

	if (event->kind == 0)
		return PT_OK;
	TRY(sql_event_write(conn, arena, event));
	return directory->announce ? directory->announce(conn, arena, event) : PT_OK;
}

pt_err sql_event_add_of(struct sql_conn *conn, pt_arena *arena, const struct pt_event *event,
	const struct pt_id *account)
{
	struct pt_event filled = *event;

	filled.account = *account;
	return sql_event_add(conn, arena, &filled);
}

pt_err sql_event_add_about(struct sql_conn *conn, pt_arena *arena, const struct pt_event *event,
	const struct pt_account *account)
{
	struct pt_event filled = *event;

	filled.account = account->id;
	if (filled.tenant.n == 0)
		filled.tenant = account->tenant;
	return sql_event_add(conn, arena, &filled);
}

pt_err sql_letter_add(struct sql_conn *conn, pt_arena *arena, const struct pt_letter *letter)
{
	return RUN(conn, arena, LETTER_INSERT, NULL, sql_id(&letter->id), sql_int(letter->kind),
		sql_id_or_null(&letter->account), sql_text(letter->to),
		sql_bytes(letter->sealed.p, letter->sealed.n), sql_int(letter->created_at),
		sql_int(letter->not_after));
}

pt_err sql_letter_add_of(struct sql_conn *conn, pt_arena *arena, const struct pt_letter *letter,
	const struct pt_id *account)
{
	struct pt_letter filled = *letter;

	filled.account = *account;
	return sql_letter_add(conn, arena, &filled);
}

/* ---- tickets, sessions, tokens, identities -------------------------------------------------- */

pt_err sql_ticket_add(struct sql_conn *conn, pt_arena *arena, const struct pt_ticket *ticket,
	const struct pt_id *account)
{
	return RUN(conn, arena, TICKET_INSERT, NULL, sql_hash(&ticket->hash), sql_int(ticket->kind),
		sql_id(account), sql_text_or_null(ticket->email_key), sql_hash(&ticket->bound),
		sql_int(ticket->created_at), sql_int(ticket->expires_at));
}

pt_err sql_ticket_take(struct sql_conn *conn, pt_arena *arena, const struct pt_hash *hash,
	enum pt_ticket_kind kind, const struct pt_id *account, pt_time now, pt_str *email_key)
{
	struct sql_rows rows;

	TRY(RUN(conn, arena, TICKET_TAKE, &rows, sql_hash(hash), sql_int(kind), sql_int(now),
		sql_id(account)));
	if (rows.n_rows == 0)
		return PT_E_TICKET;
	*email_key = row_text(&rows, 0, 0);
	return PT_OK;
}

pt_time sql_family_purge_at(pt_time expires_at)
{
	return expires_at + PT_DAY - expires_at % PT_DAY;
}

pt_err sql_family_add(struct sql_conn *conn, pt_arena *arena, const struct pt_token *live,
	pt_str spent, bool *added)
{
	const struct sql_value values[] = { sql_id(&live->family), sql_id(&live->account),
		sql_text_or_null(live->client), sql_int(live->issued_at), sql_int(live->generation),
		sql_hash_or_null(&live->secret), sql_hash_or_null(&live->hash),
		sql_int(live->issued_at), sql_int(live->expires_at),
		sql_int(sql_family_purge_at(live->expires_at)), sql_bytes(spent.p, spent.n) };
	const size_t n = sizeof(values) / sizeof(values[0]);

	if (added)
		return sql_insert_new(conn, arena, SQL_FAMILY_IMPORT, values, n, added);
	return conn->driver->run(conn, arena, SQL_FAMILY_INSERT, values, n, NULL);
}

pt_err sql_loose_token_add(struct sql_conn *conn, pt_arena *arena, const struct pt_hash *hash,
	const struct pt_id *family, int64_t generation)
{
	return RUN(conn, arena, LOOSE_INSERT, NULL, sql_hash(hash), sql_id(family),
		sql_int(generation));
}

pt_err sql_session_add(struct sql_conn *conn, pt_arena *arena, const struct pt_session *session,
	const struct pt_id *account)
{
	return RUN(conn, arena, SESSION_INSERT, NULL, sql_hash(&session->hash), sql_id(account),
		sql_int(session->created_at), sql_int(session->expires_at),
		sql_int(session->methods), sql_text_or_null(session->client),
		sql_text_or_null(session->user_agent));
}

pt_err sql_family_open(struct sql_conn *conn, pt_arena *arena, const struct pt_token *token,
	const struct pt_id *account)
{
	struct pt_token first = *token;

	first.account = *account;
	return sql_family_add(conn, arena, &first, PT_STR(""), NULL);
}

/* The id of a lock must tell (a, bc) from (ab, c). */
static pt_err identity_name(
	pt_arena *arena, pt_str tenant, const struct pt_identity *identity, pt_str *out)
{
	struct buf b = BUF(arena, 8 * KIB);

	buf_str(&b, PT_STR("identity:"));
	buf_json(&b, tenant);
	buf_json(&b, identity->provider);
	buf_json(&b, identity->subject);
	return buf_done(&b, out);
}

pt_err sql_identity_hold(struct sql_conn *conn, pt_arena *arena, pt_str tenant,
	const struct pt_identity *identity, struct pt_id *owner)
{
	struct sql_rows rows;
	pt_str name;

	TRY(identity_name(arena, tenant, identity, &name));
	TRY(conn->driver->lock_name(conn, arena, name));
	TRY(RUN(conn, arena, IDENTITY_OWNER, &rows, sql_text(tenant), sql_text(identity->provider),
		sql_text(identity->subject)));
	if (rows.n_rows == 0)
		return PT_E_NOT_FOUND;
	*owner = row_id(&rows, 0, 0);
	return PT_OK;
}

pt_err sql_identity_add(struct sql_conn *conn, pt_arena *arena, pt_str tenant,
	const struct pt_identity *identity, const struct pt_id *account, pt_time now)
{
	return RUN(conn, arena, IDENTITY_INSERT, NULL, sql_text(tenant),
		sql_text(identity->provider), sql_text(identity->subject), sql_id(account),
		sql_int(now));
}

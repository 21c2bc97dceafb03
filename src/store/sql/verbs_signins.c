/*
 * verbs_signins.c - signing in, and the sessions that come of it.
 */
#include "base/err.h"
#include "store/sql/act.h"

#include "base/banned.h"

/* signed_in writes the account's row under the condition that it is still what was verified: a reset
 * or a lock-out beside us either comes first and refuses us, or waits and then ends what we open. */
static pt_err act_signin(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_signin_act *act = in;
	const struct sql_directory *directory = conn->store->directory;
	const struct pt_id *id = &act->account;

	(void)out, (void)keep;
	TRY(directory->signed_in(conn, arena, id, act->seen_password, act->now));
	if (act->new_password.n > 0)
		TRY(directory->set_password(
			conn, arena, id, act->seen_password, act->new_password, false, act->now));
	if (act->has_replaced)
		TRY(RUN(conn, arena, SESSION_CLOSE, NULL, sql_hash(&act->replaced)));
	if (act->has_session)
		TRY(sql_session_add(conn, arena, &act->session, id));
	if (act->has_token)
		TRY(sql_family_open(conn, arena, &act->token, id));
	return sql_event_add_of(conn, arena, &act->event, id);
}

static pt_err signin(void *ctx, pt_arena *arena, const struct pt_signin_act *act)
{
	return sql_run_write(ctx, act_signin, arena, act, NULL);
}

static pt_err act_signin_fail(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_signin_failure *failure = in;

	(void)out, (void)keep;
	if (id_text(&failure->account).n > 0)
		TRY(conn->store->directory->failed(conn, arena, &failure->account));
	return sql_event_add(conn, arena, &failure->event);
}

static pt_err signin_fail(void *ctx, pt_arena *arena, const struct pt_signin_failure *failure)
{
	return sql_run_write(ctx, act_signin_fail, arena, failure, NULL);
}

/* ---- sessions ------------------------------------------------------------------------------- */

struct session_question {
	const struct pt_hash *hash;
	pt_time now;
};

/* The hottest read there is: one statement where the accounts are ours. */
static pt_err session_find_native(struct sql_conn *conn, pt_arena *arena,
	const struct session_question *question, struct pt_session_record *out)
{
	struct sql_rows rows;

	TRY(RUN(conn, arena, SESSION_AND_ACCOUNT, &rows, sql_hash(question->hash),
		sql_int(question->now)));
	if (rows.n_rows == 0)
		return PT_E_NOT_SIGNED_IN;
	out->session = row_session(&rows, 0, 0);
	out->account = row_account(&rows, 0, SESSION_COLUMNS).account;
	return PT_OK;
}

static pt_err session_find_elsewhere(struct sql_conn *conn, pt_arena *arena,
	const struct session_question *question, struct pt_session_record *out)
{
	struct pt_account_record record;
	struct pt_session session;
	struct sql_rows rows;

	TRY(RUN(conn, arena, SESSION_ALONE, &rows, sql_hash(question->hash),
		sql_int(question->now)));
	if (rows.n_rows == 0)
		return PT_E_NOT_SIGNED_IN;
	session = row_session(&rows, 0, 0);
	TRY(sql_account_or(PT_E_NOT_SIGNED_IN, conn, arena, &session.account, &record));
	if (record.account.disabled_at != 0)
		return PT_E_NOT_SIGNED_IN;
	*out = (struct pt_session_record){ session, record.account };
	return PT_OK;
}

static pt_err act_session_find(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	(void)keep;
	if (conn->store->directory == &sql_native_directory)
		return session_find_native(conn, arena, in, out);
	return session_find_elsewhere(conn, arena, in, out);
}

static pt_err session_find(void *ctx, pt_arena *arena, const struct pt_hash *hash, pt_time now,
	struct pt_session_record *out)
{
	const struct session_question question = { hash, now };

	return sql_run_read(ctx, act_session_find, arena, &question, out);
}

struct ending {
	const struct pt_hash *hash;
	const struct pt_event *event;
};

static pt_err act_session_close(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct ending *ending = in;
	struct sql_rows rows;
	struct pt_id account;

	(void)out, (void)keep;
	TRY(RUN(conn, arena, SESSION_CLOSE, &rows, sql_hash(ending->hash)));
	if (rows.n_rows == 0)
		return PT_OK;
	account = row_id(&rows, 0, 0);
	return sql_event_add_of(conn, arena, ending->event, &account);
}

static pt_err session_close(
	void *ctx, pt_arena *arena, const struct pt_hash *hash, const struct pt_event *event)
{
	const struct ending ending = { hash, event };

	return sql_run_write(ctx, act_session_close, arena, &ending, NULL);
}

void sql_signins_publish(struct pt_store *out)
{
	out->signin = signin;
	out->signin_fail = signin_fail;
	out->session_find = session_find;
	out->session_close = session_close;
}

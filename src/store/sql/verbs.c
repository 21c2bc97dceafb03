/*
 * verbs.c - what each verb of the contract does, said once for every SQL database.
 *
 * An act runs in one transaction and reads straight down. Where two acts could meet, one of three
 * things puts them in order, and the act says which:
 *
 * (1) a conditional UPDATE or DELETE whose count of rows tells who won;
 * (2) the row of the account or of the family, written or locked before what hangs on it;
 * (3) driver->lock_name on the account's id, for acts that write no such row.
 *
 * SQLite has one writer and needs none of them.
 */
#include <string.h>

#include "base/err.h"
#include "base/hook.h"
#include "store/sql/directory.h"
#include "store/sql/drivers_internal.h"
#include "store/sql/row.h"

#include "base/banned.h"

enum {
	LIMITS_MOST = 4,
	STAMPS_MOST = 128,
	LIST_MOST = 1000,
	DROPS_MOST = 100,
	PURGE_MOST = 500, /* the LIMIT of the PURGE_ statements */
	DETAIL_MOST = 200,
	TRIES_MOST = 4,
};

static const pt_time letter_kept = 7 * PT_DAY;

/* ---- running acts ------------------------------------------------------------------------- */

static pt_err injected(void)
{
	hook_stall();
	if (hook_fail_act())
		return fault(PT_F_STORE, "store act failed on purpose");
	return PT_OK;
}

static pt_err run_read(void *ctx, sql_act act, pt_arena *arena, const void *in, void *out)
{
	struct sql_store *store = ctx;

	TRY(injected());
	return store->driver->read(store, act, arena, in, out);
}

static pt_err run_join(void *ctx, sql_act act, pt_arena *arena, const void *in, void *out)
{
	struct sql_store *store = ctx;

	TRY(injected());
	return store->driver->write(store, act, arena, in, out);
}

/* Outside of account_join every key is new: a hash or a UUID that is there already is no refusal. */
static pt_err run_write(void *ctx, sql_act act, pt_arena *arena, const void *in, void *out)
{
	pt_err err = run_join(ctx, act, arena, in, out);

	if (err == PT_E_TAKEN)
		return fault(PT_F_STORE, "a key that must be new stands in the store already");
	return err;
}

static pt_err account_lock(struct sql_conn *conn, pt_arena *arena, const struct pt_id *account)
{
	return conn->driver->lock_name(conn, arena, id_text(account));
}

static pt_err account_by_id(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id,
	struct pt_account_record *out)
{
	const struct pt_account_query query = { .by = PT_BY_ID, .key = id_text(id) };

	if (query.key.n == 0)
		return PT_E_NOT_FOUND;
	return conn->store->directory->find(conn, arena, &query, out);
}

/* `refusal` when the account is gone. */
static pt_err account_or(pt_err refusal, struct sql_conn *conn, pt_arena *arena,
	const struct pt_id *id, struct pt_account_record *out)
{
	pt_err err = account_by_id(conn, arena, id, out);

	return err == PT_E_NOT_FOUND ? refusal : err;
}

/* ---- events and letters, part of the act that causes them ---------------------------------- */

static pt_err event_add(struct sql_conn *conn, pt_arena *arena, const struct pt_event *event)
{
	const struct sql_directory *directory = conn->store->directory;

	if (event->kind == 0)
		return PT_OK;
	TRY(RUN(conn, arena, EVENT_INSERT, NULL, sql_id(&event->id), sql_int(event->kind),
		sql_id_or_null(&event->account), sql_int(event->at),
		sql_text_or_null(event->client), sql_text_or_null(event->request),
		sql_text_or_null(event->detail)));
	return directory->announce ? directory->announce(conn, arena, event) : PT_OK;
}

static pt_err event_add_of(struct sql_conn *conn, pt_arena *arena, const struct pt_event *event,
	const struct pt_id *account)
{
	struct pt_event filled = *event;

	filled.account = *account;
	return event_add(conn, arena, &filled);
}

static pt_err letter_add(struct sql_conn *conn, pt_arena *arena, const struct pt_letter *letter)
{
	return RUN(conn, arena, LETTER_INSERT, NULL, sql_id(&letter->id), sql_int(letter->kind),
		sql_id_or_null(&letter->account), sql_text(letter->to),
		sql_bytes(letter->sealed.p, letter->sealed.n), sql_int(letter->created_at),
		sql_int(letter->not_after));
}

static pt_err letter_add_of(struct sql_conn *conn, pt_arena *arena, const struct pt_letter *letter,
	const struct pt_id *account)
{
	struct pt_letter filled = *letter;

	filled.account = *account;
	return letter_add(conn, arena, &filled);
}

/* ---- small steps that several acts share ---------------------------------------------------- */

static pt_err ticket_add(struct sql_conn *conn, pt_arena *arena, const struct pt_ticket *ticket,
	const struct pt_id *account)
{
	return RUN(conn, arena, TICKET_INSERT, NULL, sql_hash(&ticket->hash), sql_int(ticket->kind),
		sql_id(account), sql_text_or_null(ticket->email_key), sql_hash(&ticket->bound),
		sql_int(ticket->created_at), sql_int(ticket->expires_at));
}

static pt_err token_add(struct sql_conn *conn, pt_arena *arena, const struct pt_token *token)
{
	return RUN(conn, arena, TOKEN_INSERT, NULL, sql_hash(&token->hash), sql_id(&token->family),
		sql_int(token->issued_at), sql_int(token->expires_at), sql_int(0), sql_null());
}

static pt_err family_add(struct sql_conn *conn, pt_arena *arena, const struct pt_token *first)
{
	return RUN(conn, arena, FAMILY_INSERT, NULL, sql_id(&first->family),
		sql_id(&first->account), sql_text_or_null(first->client),
		sql_int(first->issued_at));
}

/* Signs an account out everywhere. Its row was written in this act already: order (2). */
static pt_err account_end_signins(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *account)
{
	TRY(RUN(conn, arena, SESSIONS_END, NULL, sql_id(account)));
	return RUN(conn, arena, FAMILIES_END, NULL, sql_id(account));
}

static pt_err account_end_all(struct sql_conn *conn, pt_arena *arena, const struct pt_id *account)
{
	TRY(account_end_signins(conn, arena, account));
	return RUN(conn, arena, TICKETS_END, NULL, sql_id(account));
}

/* ---- accounts ------------------------------------------------------------------------------- */

/* The address is somebody's: its owner, and nobody else, may hear that it was tried. */
static pt_err join_taken(struct sql_conn *conn, pt_arena *arena, const struct pt_join *join)
{
	const struct pt_account *account = &join->account;
	const struct pt_account_query query = { account->tenant, account->audience, PT_BY_EMAIL,
		account->email_key };
	struct pt_account_record owner;
	struct pt_letter letter = join->taken_letter;
	pt_err err;

	TRY(event_add(conn, arena, &join->taken_event));
	if (!join->has_taken_letter || account->email_key.n == 0)
		return PT_OK;
	err = conn->store->directory->find(conn, arena, &query, &owner);
	if (err == PT_E_NOT_FOUND)
		return PT_OK;
	TRY(err);
	letter.to = owner.account.email;
	return letter_add_of(conn, arena, &letter, &owner.account.id);
}

static pt_err act_account_join(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_join *join = in;
	struct pt_id *id = out;
	pt_err err =
		conn->store->directory->create(conn, arena, &join->account, join->password, id);

	if (err == PT_E_TAKEN) {
		TRY(join_taken(conn, arena, join));
		*keep = true;
		return PT_E_TAKEN;
	}
	TRY(err);
	if (join->has_ticket)
		TRY(ticket_add(conn, arena, &join->ticket, id));
	if (join->has_letter)
		TRY(letter_add_of(conn, arena, &join->letter, id));
	return event_add_of(conn, arena, &join->event, id);
}

static pt_err account_join(void *ctx, pt_arena *arena, const struct pt_join *join, struct pt_id *id)
{
	struct pt_id got;

	TRY(run_join(ctx, act_account_join, arena, join, &got));
	*id = got;
	return PT_OK;
}

static pt_err act_account_find(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	(void)keep;
	return conn->store->directory->find(conn, arena, in, out);
}

static pt_err account_find(void *ctx, pt_arena *arena, const struct pt_account_query *query,
	struct pt_account_record *out)
{
	return run_read(ctx, act_account_find, arena, query, out);
}

struct accounts {
	struct pt_account *items;
	size_t n;
};

static pt_err act_account_list(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct pt_account_list query = *(const struct pt_account_list *)in;
	struct accounts *list = out;

	(void)keep;
	if (query.max > LIST_MOST)
		query.max = LIST_MOST;
	return conn->store->directory->list(conn, arena, &query, &list->items, &list->n);
}

static pt_err account_list(void *ctx, pt_arena *arena, const struct pt_account_list *query,
	struct pt_account **out, size_t *n)
{
	struct accounts list;

	TRY(run_read(ctx, act_account_list, arena, query, &list));
	*out = list.items;
	*n = list.n;
	return PT_OK;
}

/* Sets it whatever it was. Another program may change it between look and write: then look again. */
static pt_err password_overwrite(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id,
	pt_str password, pt_time now)
{
	const struct sql_directory *directory = conn->store->directory;
	struct pt_account_record record;
	pt_err err = PT_E_CREDENTIALS;

	for (int i = 0; i < TRIES_MOST && err == PT_E_CREDENTIALS; i++) {
		TRY(account_by_id(conn, arena, id, &record));
		err = directory->set_password(
			conn, arena, id, record.password, password, false, now);
	}
	if (err == PT_E_CREDENTIALS)
		return fault(PT_F_STORE, "password of an account keeps changing underneath");
	return err;
}

static pt_err act_account_change(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_account_change *change = in;
	const struct sql_directory *directory = conn->store->directory;
	const struct pt_id *id = &change->account;
	struct pt_account_record record;

	(void)out, (void)keep;
	TRY(account_lock(conn, arena, id));
	TRY(account_by_id(conn, arena, id, &record));
	if (change->has_password)
		TRY(password_overwrite(conn, arena, id, change->password, change->now));
	if (change->has_verified)
		TRY(directory->set_verified(conn, arena, id, change->verified, change->now));
	if (change->has_disabled)
		TRY(directory->set_disabled(conn, arena, id, change->disabled, change->now));
	if (change->has_password || (change->has_disabled && change->disabled))
		TRY(account_end_all(conn, arena, id));
	return event_add_of(conn, arena, &change->event, id);
}

static pt_err account_change(void *ctx, pt_arena *arena, const struct pt_account_change *change)
{
	return run_write(ctx, act_account_change, arena, change, NULL);
}

struct removal {
	const struct pt_id *id;
	pt_time now;
	const struct pt_event *event;
};

static pt_err act_account_remove(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct removal *removal = in;

	(void)out, (void)keep;
	TRY(account_lock(conn, arena, removal->id));
	TRY(conn->store->directory->remove(conn, arena, removal->id, removal->now));
	TRY(account_end_all(conn, arena, removal->id));
	TRY(RUN(conn, arena, LETTERS_END, NULL, sql_id(removal->id)));
	return event_add_of(conn, arena, removal->event, removal->id);
}

static pt_err account_remove(void *ctx, pt_arena *arena, const struct pt_id *id, pt_time now,
	const struct pt_event *event)
{
	const struct removal removal = { id, now, event };

	return run_write(ctx, act_account_remove, arena, &removal, NULL);
}

/* ---- signing in ----------------------------------------------------------------------------- */

static pt_err session_add(struct sql_conn *conn, pt_arena *arena, const struct pt_session *session,
	const struct pt_id *account)
{
	return RUN(conn, arena, SESSION_INSERT, NULL, sql_hash(&session->hash), sql_id(account),
		sql_int(session->created_at), sql_int(session->expires_at),
		sql_int(session->methods), sql_text_or_null(session->client),
		sql_text_or_null(session->user_agent));
}

static pt_err family_open(struct sql_conn *conn, pt_arena *arena, const struct pt_token *token,
	const struct pt_id *account)
{
	struct pt_token first = *token;

	first.account = *account;
	TRY(family_add(conn, arena, &first));
	return token_add(conn, arena, &first);
}

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
		TRY(session_add(conn, arena, &act->session, id));
	if (act->has_token)
		TRY(family_open(conn, arena, &act->token, id));
	return event_add_of(conn, arena, &act->event, id);
}

static pt_err signin(void *ctx, pt_arena *arena, const struct pt_signin_act *act)
{
	return run_write(ctx, act_signin, arena, act, NULL);
}

static pt_err act_signin_fail(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_signin_failure *failure = in;

	(void)out, (void)keep;
	if (id_text(&failure->account).n > 0)
		TRY(conn->store->directory->failed(conn, arena, &failure->account));
	return event_add(conn, arena, &failure->event);
}

static pt_err signin_fail(void *ctx, pt_arena *arena, const struct pt_signin_failure *failure)
{
	return run_write(ctx, act_signin_fail, arena, failure, NULL);
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
	TRY(account_or(PT_E_NOT_SIGNED_IN, conn, arena, &session.account, &record));
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

	return run_read(ctx, act_session_find, arena, &question, out);
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
	return event_add_of(conn, arena, ending->event, &account);
}

static pt_err session_close(
	void *ctx, pt_arena *arena, const struct pt_hash *hash, const struct pt_event *event)
{
	const struct ending ending = { hash, event };

	return run_write(ctx, act_session_close, arena, &ending, NULL);
}

/* ---- tickets -------------------------------------------------------------------------------- */

static pt_err act_ticket_issue(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_ticket_act *act = in;
	const struct pt_id *account = &act->ticket.account;
	struct pt_account_record record;

	(void)out, (void)keep;
	TRY(account_lock(conn, arena, account));
	TRY(account_by_id(conn, arena, account, &record));
	TRY(RUN(conn, arena, TICKETS_END_KIND, NULL, sql_id(account), sql_int(act->ticket.kind)));
	TRY(ticket_add(conn, arena, &act->ticket, account));
	TRY(letter_add(conn, arena, &act->letter));
	return event_add(conn, arena, &act->event);
}

static pt_err ticket_issue(void *ctx, pt_arena *arena, const struct pt_ticket_act *act)
{
	return run_write(ctx, act_ticket_issue, arena, act, NULL);
}

struct ticket_question {
	const struct pt_hash *hash;
	enum pt_ticket_kind kind;
	pt_time now;
};

static pt_err ticket_look(struct sql_conn *conn, pt_arena *arena,
	const struct ticket_question *question, struct pt_ticket *out)
{
	struct sql_rows rows;

	TRY(RUN(conn, arena, TICKET_FIND, &rows, sql_hash(question->hash), sql_int(question->kind),
		sql_int(question->now)));
	if (rows.n_rows == 0)
		return PT_E_TICKET;
	*out = row_ticket(&rows, 0);
	return PT_OK;
}

static pt_err act_ticket_find(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct pt_ticket_record record;

	(void)keep;
	TRY(ticket_look(conn, arena, in, &record.ticket));
	TRY(account_or(PT_E_TICKET, conn, arena, &record.ticket.account, &record.owner));
	*(struct pt_ticket_record *)out = record;
	return PT_OK;
}

static pt_err ticket_find(void *ctx, pt_arena *arena, const struct pt_hash *hash,
	enum pt_ticket_kind kind, pt_time now, struct pt_ticket_record *out)
{
	const struct ticket_question question = { hash, kind, now };

	return run_read(ctx, act_ticket_find, arena, &question, out);
}

static pt_err act_account_confirm(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_confirm_act *act = in;
	const struct ticket_question question = { &act->ticket, PT_TICKET_VERIFY, act->now };
	struct pt_account_record owner;
	struct pt_ticket ticket;

	(void)keep;
	TRY(ticket_look(conn, arena, &question, &ticket));
	TRY(account_lock(conn, arena, &ticket.account));
	TRY(account_or(PT_E_TICKET, conn, arena, &ticket.account, &owner));
	if (!str_eq(owner.account.email_key, ticket.email_key))
		return PT_E_TICKET;
	*(struct pt_id *)out = ticket.account;
	if (owner.account.email_verified_at != 0)
		return PT_OK;
	TRY(conn->store->directory->set_verified(conn, arena, &ticket.account, true, act->now));
	return event_add_of(conn, arena, &act->event, &ticket.account);
}

static pt_err account_confirm(
	void *ctx, pt_arena *arena, const struct pt_confirm_act *act, struct pt_id *account)
{
	struct pt_id got;

	TRY(run_write(ctx, act_account_confirm, arena, act, &got));
	*account = got;
	return PT_OK;
}

/* Taking the ticket decides between two who hold it; the password's compare-and-set, between this
 * and anything else that changes it. */
static pt_err reset_take(struct sql_conn *conn, pt_arena *arena, const struct pt_reset_act *act)
{
	struct pt_account_record owner;
	struct sql_rows rows;

	TRY(RUN(conn, arena, TICKET_TAKE, &rows, sql_hash(&act->ticket), sql_int(PT_TICKET_RESET),
		sql_int(act->now), sql_id(&act->account)));
	if (rows.n_rows == 0)
		return PT_E_TICKET;
	TRY(account_or(PT_E_TICKET, conn, arena, &act->account, &owner));
	if (!str_eq(owner.account.email_key, row_text(&rows, 0, 0)))
		return PT_E_TICKET;
	return PT_OK;
}

static pt_err act_password_reset(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_reset_act *act = in;
	const struct pt_id *id = &act->account;
	pt_err err;

	(void)out, (void)keep;
	TRY(account_lock(conn, arena, id));
	TRY(reset_take(conn, arena, act));
	err = conn->store->directory->set_password(
		conn, arena, id, act->seen_password, act->new_password, true, act->now);
	if (err == PT_E_CREDENTIALS)
		return PT_E_TICKET;
	TRY(err);
	TRY(account_end_signins(conn, arena, id));
	TRY(RUN(conn, arena, TICKETS_END_KIND, NULL, sql_id(id), sql_int(PT_TICKET_RESET)));
	if (act->has_letter)
		TRY(letter_add(conn, arena, &act->letter));
	return event_add_of(conn, arena, &act->event, id);
}

static pt_err password_reset(void *ctx, pt_arena *arena, const struct pt_reset_act *act)
{
	return run_write(ctx, act_password_reset, arena, act, NULL);
}

/* ---- refresh tokens, as token.h draws them -------------------------------------------------- */

/* A token as it stands, and its family. */
struct token_seen {
	pt_time expires_at;
	pt_time spent_at; /* 0: LIVE */
	struct pt_id family;
	struct pt_id account;
	pt_str client;
	pt_time started_at;
};

static pt_err token_look(
	struct sql_conn *conn, pt_arena *arena, const struct pt_hash *hash, struct token_seen *out)
{
	struct sql_rows rows;

	TRY(RUN(conn, arena, TOKEN_SEEN, &rows, sql_hash(hash)));
	if (rows.n_rows == 0)
		return PT_E_NOT_FOUND;
	*out = (struct token_seen){
		.expires_at = row_int(&rows, 0, 0),
		.spent_at = row_int(&rows, 0, 1),
		.family = row_id(&rows, 0, 2),
		.account = row_id(&rows, 0, 3),
		.client = row_text(&rows, 0, 4),
		.started_at = row_int(&rows, 0, 5),
	};
	return PT_OK;
}

static pt_err token_account_may(struct sql_conn *conn, pt_arena *arena, const struct pt_id *account)
{
	struct pt_account_record record;

	TRY(account_or(PT_E_REFRESH, conn, arena, account, &record));
	return record.account.disabled_at == 0 ? PT_OK : PT_E_REFRESH;
}

/* The family ends for good; the answer that goes with it is a refusal, and the ending stays. */
static pt_err family_revoke(struct sql_conn *conn, pt_arena *arena, const struct pt_rotate_act *act,
	const struct token_seen *seen, bool *keep)
{
	TRY(RUN(conn, arena, FAMILY_END, NULL, sql_id(&seen->family)));
	TRY(event_add_of(conn, arena, &act->reuse_event, &seen->account));
	*keep = true;
	return PT_OK;
}

static struct pt_token successor_make(const struct pt_rotate_act *act, const struct pt_id *family,
	const struct pt_id *account, pt_time started_at)
{
	pt_time expires_at = act->now + act->lifetime;

	if (act->family_until > 0 && expires_at > started_at + act->family_until)
		expires_at = started_at + act->family_until;
	return (struct pt_token){ act->successor, *family, *account, act->client, act->now,
		expires_at };
}

/* SPENT: the LIVE token of the family for one whose answer was lost, an alarm for anybody later. What
 * was spent after the presented one is younger than it: its own grace is all there is to judge. */
static pt_err rotate_again(struct sql_conn *conn, pt_arena *arena, const struct pt_rotate_act *act,
	const struct token_seen *seen, struct pt_token *out, bool *keep)
{
	struct sql_rows rows;

	if (act->now - seen->spent_at >= act->grace) {
		TRY(family_revoke(conn, arena, act, seen, keep));
		return PT_E_REUSED;
	}
	TRY(RUN(conn, arena, TOKEN_LIVE, &rows, sql_id(&seen->family), sql_int(act->now)));
	if (rows.n_rows == 0)
		return PT_E_REFRESH;
	*out = (struct pt_token){ row_hash(&rows, 0, 0), seen->family, seen->account, act->client,
		row_int(&rows, 0, 1), row_int(&rows, 0, 2) };
	return PT_OK;
}

/* LIVE -> SPENT, here and nowhere else. PT_E_BUSY: somebody else was first, look again. */
static pt_err rotate_live(struct sql_conn *conn, pt_arena *arena, const struct pt_rotate_act *act,
	const struct token_seen *seen, struct pt_token *out)
{
	struct pt_token next = successor_make(act, &seen->family, &seen->account, seen->started_at);
	struct sql_rows rows;

	if (next.expires_at <= act->now)
		return PT_E_REFRESH;
	TRY(RUN(conn, arena, TOKEN_SPEND, &rows, sql_hash(&act->presented), sql_int(act->now),
		sql_hash(&act->successor)));
	if (rows.changed == 0)
		return PT_E_BUSY;
	TRY(token_add(conn, arena, &next));
	TRY(event_add_of(conn, arena, &act->event, &seen->account));
	*out = next;
	return PT_OK;
}

/* A token that another program issued: it leaves that program's column and begins a family of ours as
 * one that was spent just now, so that a lost answer can be asked for again. */
static pt_err rotate_foreign(struct sql_conn *conn, pt_arena *arena,
	const struct pt_rotate_act *act, struct pt_token *out)
{
	const struct sql_directory *directory = conn->store->directory;
	const struct pt_id *account = &act->foreign_account;
	struct pt_token next = successor_make(act, &act->foreign_family, account, act->now);

	if (act->foreign.n == 0 || !directory->take_foreign_token)
		return PT_E_REFRESH;
	TRY(token_account_may(conn, arena, account));
	TRY(directory->take_foreign_token(conn, arena, account, act->foreign));
	TRY(family_add(conn, arena, &next));
	TRY(RUN(conn, arena, TOKEN_INSERT, NULL, sql_hash(&act->presented), sql_id(&next.family),
		sql_int(act->now), sql_int(next.expires_at), sql_int(act->now),
		sql_hash(&act->successor)));
	TRY(token_add(conn, arena, &next));
	TRY(event_add_of(conn, arena, &act->event, account));
	*out = next;
	return PT_OK;
}

static pt_err rotate(struct sql_conn *conn, pt_arena *arena, const struct pt_rotate_act *act,
	struct pt_token *out, bool *keep)
{
	struct token_seen seen;
	pt_err err;

	/* A foreign token has no row to lock yet. */
	if (act->foreign.n > 0)
		TRY(account_lock(conn, arena, &act->foreign_account));
	err = token_look(conn, arena, &act->presented, &seen);
	if (err == PT_E_NOT_FOUND)
		return rotate_foreign(conn, arena, act, out);
	TRY(err);
	if (seen.expires_at <= act->now)
		return PT_E_REFRESH;
	if (!str_eq(seen.client, act->client)) {
		TRY(family_revoke(conn, arena, act, &seen, keep));
		return PT_E_REFRESH;
	}
	TRY(token_account_may(conn, arena, &seen.account));
	if (seen.spent_at != 0)
		return rotate_again(conn, arena, act, &seen, out, keep);
	return rotate_live(conn, arena, act, &seen, out);
}

/* The second look holds the family's lock from the start and sees what the winner wrote. */
static pt_err act_token_rotate(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	pt_err err = PT_E_BUSY;

	for (int i = 0; i < TRIES_MOST && err == PT_E_BUSY; i++)
		err = rotate(conn, arena, in, out, keep);
	return err;
}

static pt_err token_rotate(
	void *ctx, pt_arena *arena, const struct pt_rotate_act *act, struct pt_token *out)
{
	struct pt_token got;

	TRY(run_write(ctx, act_token_rotate, arena, act, &got));
	*out = got;
	return PT_OK;
}

static pt_err act_token_revoke(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct ending *ending = in;
	struct sql_rows rows;
	struct pt_id account;

	(void)out, (void)keep;
	TRY(RUN(conn, arena, FAMILY_OF_TOKEN_END, &rows, sql_hash(ending->hash)));
	if (rows.n_rows == 0)
		return PT_OK;
	account = row_id(&rows, 0, 0);
	return event_add_of(conn, arena, ending->event, &account);
}

static pt_err token_revoke(void *ctx, pt_arena *arena, const struct pt_hash *hash, pt_time now,
	const struct pt_event *event)
{
	const struct ending ending = { hash, event };

	(void)now;
	return run_write(ctx, act_token_revoke, arena, &ending, NULL);
}

/* ---- counters ------------------------------------------------------------------------------- */

/* The tries of one key that are still in its window, oldest first. */
struct tally {
	const struct pt_limit *limit;
	pt_time stamps[STAMPS_MOST + 1];
	size_t n;
};

static pt_time stamp_at(pt_str packed, size_t i)
{
	uint64_t stamp = 0;

	for (size_t b = 0; b < 8; b++)
		stamp |= (uint64_t)(uint8_t)packed.p[i * 8 + b] << (8 * b);
	return (pt_time)stamp;
}

static pt_err tally_read(struct sql_conn *conn, pt_arena *arena, const struct pt_limit *limit,
	pt_time now, struct tally *out)
{
	struct sql_rows rows;
	pt_str packed;

	out->limit = limit;
	out->n = 0;
	TRY(RUN(conn, arena, LIMIT_SEEN, &rows, sql_hash(&limit->key)));
	if (rows.n_rows == 0)
		return PT_OK;
	packed = row_text(&rows, 0, 0);
	for (size_t i = 0; i < packed.n / 8 && out->n < STAMPS_MOST; i++) {
		if (stamp_at(packed, i) > now - limit->window)
			out->stamps[out->n++] = stamp_at(packed, i);
	}
	return PT_OK;
}

/* How long until one more try fits; 0: now. */
static pt_time tally_wait(const struct tally *tally, pt_time now)
{
	size_t limit = (size_t)tally->limit->limit;

	if (tally->n < limit)
		return 0;
	return tally->stamps[tally->n - limit] + tally->limit->window - now;
}

/* Clocks of two nodes differ a little: the new stamp goes where it belongs. */
static void tally_add(struct tally *tally, pt_time now)
{
	size_t i = tally->n++;

	for (; i > 0 && tally->stamps[i - 1] > now; i--)
		tally->stamps[i] = tally->stamps[i - 1];
	tally->stamps[i] = now;
}

static pt_err tally_write(struct sql_conn *conn, pt_arena *arena, const struct tally *tally)
{
	char packed[8 * (STAMPS_MOST + 1)];

	for (size_t i = 0; i < tally->n; i++) {
		for (size_t b = 0; b < 8; b++)
			packed[i * 8 + b] = (char)((uint64_t)tally->stamps[i] >> (8 * b));
	}
	return RUN(conn, arena, LIMIT_KEEP, NULL, sql_hash(&tally->limit->key),
		sql_bytes(packed, 8 * tally->n),
		sql_int(tally->stamps[tally->n - 1] + tally->limit->window));
}

/* In order of key, so that two acts that lock the same counters do not wait for each other. */
static pt_err limits_sort(
	const struct pt_limit_act *act, const struct pt_limit *sorted[LIMITS_MOST])
{
	if (act->n > LIMITS_MOST)
		return fault(PT_F_BUG, "more than %d limits in one act", LIMITS_MOST);
	for (size_t i = 0; i < act->n; i++) {
		const struct pt_limit *limit = &act->limits[i];
		size_t at = i;

		if (limit->limit < 1 || limit->limit > STAMPS_MOST)
			return fault(PT_F_BUG, "a limit of %d is not in 1..%d", limit->limit,
				STAMPS_MOST);
		for (; at > 0 && memcmp(&sorted[at - 1]->key, &limit->key, sizeof(limit->key)) > 0;
			at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = limit;
	}
	return PT_OK;
}

static pt_err act_limit_spend(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_limit_act *act = in;
	const struct pt_limit *sorted[LIMITS_MOST];
	struct tally tallies[LIMITS_MOST];
	pt_time longest = 0;

	(void)keep;
	TRY(limits_sort(act, sorted));
	for (size_t i = 0; i < act->n; i++) {
		pt_time wait;

		TRY(tally_read(conn, arena, sorted[i], act->now, &tallies[i]));
		wait = tally_wait(&tallies[i], act->now);
		if (wait > longest)
			longest = wait;
	}
	if (longest > 0) {
		*(pt_time *)out = longest;
		return PT_E_LIMITED;
	}
	for (size_t i = 0; i < act->n; i++) {
		tally_add(&tallies[i], act->now);
		TRY(tally_write(conn, arena, &tallies[i]));
	}
	return PT_OK;
}

static pt_err limit_spend(
	void *ctx, pt_arena *arena, const struct pt_limit_act *act, pt_time *retry_after)
{
	if (hook_break_limiter())
		return fault(PT_F_STORE, "limiter broken on purpose");
	return run_write(ctx, act_limit_spend, arena, act, retry_after);
}

/* ---- events --------------------------------------------------------------------------------- */

static pt_err act_event_record(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	(void)out, (void)keep;
	return event_add(conn, arena, in);
}

static pt_err event_record(void *ctx, pt_arena *arena, const struct pt_event *event)
{
	return run_write(ctx, act_event_record, arena, event, NULL);
}

struct list_question {
	const struct pt_id *account;
	size_t max;
};

struct events {
	struct pt_event *items;
	size_t n;
};

static pt_err act_event_list(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct list_question *question = in;
	struct events *list = out;
	struct sql_rows rows;

	(void)keep;
	if (id_text(question->account).n > 0)
		TRY(RUN(conn, arena, EVENT_LIST_OF, &rows, sql_id(question->account),
			sql_int((int64_t)question->max)));
	else
		TRY(RUN(conn, arena, EVENT_LIST, &rows, sql_int((int64_t)question->max)));
	list->items = ARENA_ARRAY(arena, struct pt_event, rows.n_rows);
	if (!list->items)
		return fault(PT_F_MEMORY, "list of events");
	for (size_t i = 0; i < rows.n_rows; i++)
		list->items[i] = row_event(&rows, i);
	list->n = rows.n_rows;
	return PT_OK;
}

static pt_err event_list(void *ctx, pt_arena *arena, const struct pt_id *account, size_t max,
	struct pt_event **out, size_t *n)
{
	const struct list_question question = { account, max };
	struct events list;

	TRY(run_read(ctx, act_event_list, arena, &question, &list));
	*out = list.items;
	*n = list.n;
	return PT_OK;
}

/* ---- the outbox ----------------------------------------------------------------------------- */

/* What another host said, as text that every database takes. */
static pt_err detail_clean(pt_arena *arena, pt_str said, pt_str *out)
{
	pt_str whole = str_slice(said, 0, DETAIL_MOST);
	char *copy;

	while (whole.n > 0 && whole.n < said.n && (said.p[whole.n] & 0xC0) == 0x80)
		whole.n--;
	copy = arena_alloc(arena, whole.n + 1);
	if (!copy)
		return fault(PT_F_MEMORY, "detail of a letter");
	for (size_t i = 0; i < whole.n; i++) {
		bool odd = (uint8_t)whole.p[i] < ' ' || (whole.p[i] & 0x80);

		copy[i] = odd && ((uint8_t)whole.p[i] < ' ' || !str_utf8(whole)) ? '?' : whole.p[i];
	}
	*out = str_n(copy, whole.n);
	return PT_OK;
}

static pt_err act_letter_claim(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_claim *claim = in;
	struct pt_letter *letter = out;

	*keep = true; /* what was dropped stays dropped, though none be left */
	for (int i = 0; i < DROPS_MOST; i++) {
		struct sql_rows rows;

		TRY(RUN(conn, arena, LETTER_NEXT, &rows, sql_int(claim->now)));
		if (rows.n_rows == 0)
			return PT_E_NOT_FOUND;
		*letter = row_letter(&rows, 0);
		letter->attempts++;
		if (letter->not_after == 0 || letter->not_after > claim->now)
			return RUN(conn, arena, LETTER_LEASE, NULL, sql_id(&letter->id),
				sql_int(claim->lease_until));
		TRY(RUN(conn, arena, LETTER_DEAD, NULL, sql_id(&letter->id),
			sql_int(claim->now + letter_kept), sql_text(PT_STR("expired"))));
	}
	return PT_E_NOT_FOUND;
}

static pt_err letter_claim(
	void *ctx, pt_arena *arena, const struct pt_claim *claim, struct pt_letter *out)
{
	struct pt_letter got;

	TRY(run_write(ctx, act_letter_claim, arena, claim, &got));
	*out = got;
	return PT_OK;
}

static pt_err act_letter_done(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_letter_outcome *outcome = in;
	struct sql_value id = sql_id(&outcome->id);
	pt_str detail = { NULL, 0 };

	(void)out, (void)keep;
	TRY(detail_clean(arena, outcome->detail, &detail));
	switch (outcome->sent) {
	case PT_SENT:
		return RUN(conn, arena, LETTER_SENT, NULL, id, sql_int(outcome->now + letter_kept),
			sql_text_or_null(detail));
	case PT_SENT_NEVER:
		return RUN(conn, arena, LETTER_DEAD, NULL, id, sql_int(outcome->now + letter_kept),
			sql_text_or_null(detail));
	case PT_SENT_LATER:
	case PT_SENT_MISCONFIGURED:
		return RUN(conn, arena, LETTER_LATER, NULL, id, sql_int(outcome->retry_at),
			sql_text_or_null(detail));
	}
	return fault(PT_F_BUG, "no such outcome of a letter: %d", (int)outcome->sent);
}

static pt_err letter_done(void *ctx, pt_arena *arena, const struct pt_letter_outcome *outcome)
{
	return run_write(ctx, act_letter_done, arena, outcome, NULL);
}

struct letters {
	struct pt_letter *items;
	size_t n;
};

static pt_err act_letter_list(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct list_question *question = in;
	struct letters *list = out;
	struct sql_rows rows;

	(void)keep;
	TRY(RUN(conn, arena, LETTER_LIST, &rows, sql_int((int64_t)question->max)));
	list->items = ARENA_ARRAY(arena, struct pt_letter, rows.n_rows);
	if (!list->items)
		return fault(PT_F_MEMORY, "list of letters");
	for (size_t i = 0; i < rows.n_rows; i++)
		list->items[i] = row_letter(&rows, i);
	list->n = rows.n_rows;
	return PT_OK;
}

static pt_err letter_list(void *ctx, pt_arena *arena, size_t max, struct pt_letter **out, size_t *n)
{
	const struct list_question question = { NULL, max };
	struct letters list;

	TRY(run_read(ctx, act_letter_list, arena, &question, &list));
	*out = list.items;
	*n = list.n;
	return PT_OK;
}

/* ---- housekeeping --------------------------------------------------------------------------- */

static pt_err act_purge(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	static const enum sql_statement sweeps[] = {
		SQL_PURGE_SESSIONS,
		SQL_PURGE_TICKETS,
		SQL_PURGE_FAMILIES,
		SQL_PURGE_TOKENS,
		SQL_PURGE_LIMITS,
		SQL_PURGE_LETTERS,
	};
	const struct sql_value now = sql_int(*(const pt_time *)in);
	bool *more = out;

	(void)keep;
	*more = false;
	for (size_t i = 0; i < sizeof(sweeps) / sizeof(sweeps[0]); i++) {
		struct sql_rows rows;

		TRY(conn->driver->run(conn, arena, sweeps[i], &now, 1, &rows));
		if (rows.changed >= PURGE_MOST)
			*more = true;
	}
	return PT_OK;
}

static pt_err purge(void *ctx, pt_arena *arena, pt_time now, bool *more)
{
	bool got;

	TRY(run_write(ctx, act_purge, arena, &now, &got));
	*more = got;
	return PT_OK;
}

static pt_err act_counts(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct sql_rows rows;

	(void)in, (void)keep;
	TRY(conn->driver->run(conn, arena, SQL_COUNTS, NULL, 0, &rows));
	*(struct pt_store_counts *)out = (struct pt_store_counts){
		.letters_waiting = row_int(&rows, 0, 0),
		.letters_dead = row_int(&rows, 0, 1),
		.oldest_waiting = row_int(&rows, 0, 2),
	};
	return PT_OK;
}

static pt_err counts(void *ctx, pt_arena *arena, struct pt_store_counts *out)
{
	return run_read(ctx, act_counts, arena, NULL, out);
}

/* Writes a row and takes it back in one commit, which must reach the disk like any other. */
static pt_err act_check(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	static const struct pt_hash nobody;

	(void)in, (void)keep;
	TRY(migrate_judge(conn, arena, out));
	if (((const pt_str *)out)->n > 0)
		return PT_OK;
	TRY(RUN(conn, arena, LIMIT_KEEP, NULL, sql_hash(&nobody), sql_bytes("", 0), sql_int(0)));
	return RUN(conn, arena, LIMIT_DROP, NULL, sql_hash(&nobody));
}

static pt_err check(void *ctx, pt_arena *arena, pt_str *why)
{
	pt_str judged = { NULL, 0 };
	pt_err err = run_write(ctx, act_check, arena, NULL, &judged);

	if (err == PT_OK && judged.n > 0)
		err = fault(PT_F_STORE, "%.*s", (int)judged.n, judged.p);
	if (err != PT_OK)
		*why = judged.n > 0 ? judged : PT_STR("the database cannot be read and written");
	return err;
}

/* ---- the table ------------------------------------------------------------------------------ */

static void store_close(void *ctx)
{
	sql_store_close(ctx);
}

void sql_store_publish(struct sql_store *store, struct pt_store *out)
{
	*out = (struct pt_store){
		.size = sizeof(*out),
		.name = store->driver->name,
		.remote = store->driver->remote,
		.ctx = store,
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
		.close = store_close,
	};
}

/*
 * verbs_tokens.c - refresh tokens, as token.h draws them.
 */
#include "base/err.h"
#include "store/sql/act.h"

#include "base/banned.h"

enum { TRIES_MOST = 4 };

/* A token as it stands, and its family. */
struct token_seen {
	pt_time expires_at;
	pt_time spent_at; /* 0: LIVE */
	struct pt_id family;
	struct pt_id account;
	pt_str client;
	pt_time started_at;
};

static struct token_seen seen_at(const struct sql_rows *rows)
{
	return (struct token_seen){
		.expires_at = row_int(rows, 0, 0),
		.spent_at = row_int(rows, 0, 1),
		.family = row_id(rows, 0, 2),
		.account = row_id(rows, 0, 3),
		.client = row_text(rows, 0, 4),
		.started_at = row_int(rows, 0, 5),
	};
}

static pt_err token_look(
	struct sql_conn *conn, pt_arena *arena, const struct pt_hash *hash, struct token_seen *out)
{
	struct sql_rows rows;

	TRY(RUN(conn, arena, TOKEN_SEEN, &rows, sql_hash(hash)));
	if (rows.n_rows == 0)
		return PT_E_NOT_FOUND;
	*out = seen_at(&rows);
	return PT_OK;
}

static pt_err act_token_find(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct pt_token_record *record = out;
	struct token_seen seen;
	struct sql_rows rows;

	(void)keep;
	TRY(RUN(conn, arena, TOKEN_FIND, &rows, sql_hash(in)));
	if (rows.n_rows == 0)
		return PT_E_REFRESH;
	seen = seen_at(&rows);
	record->token = (struct pt_token){ *(const struct pt_hash *)in, seen.family, seen.account,
		seen.client, row_int(&rows, 0, TOKEN_COLUMNS), seen.expires_at };
	record->spent_at = seen.spent_at;
	return sql_account_or(PT_E_REFRESH, conn, arena, &seen.account, &record->owner);
}

static pt_err token_find(
	void *ctx, pt_arena *arena, const struct pt_hash *hash, struct pt_token_record *out)
{
	struct pt_token_record got;

	TRY(sql_run_read(ctx, act_token_find, arena, hash, &got));
	*out = got;
	return PT_OK;
}

static pt_err token_account_may(struct sql_conn *conn, pt_arena *arena, const struct pt_id *account)
{
	struct pt_account_record record;

	TRY(sql_account_or(PT_E_REFRESH, conn, arena, account, &record));
	return record.account.disabled_at == 0 ? PT_OK : PT_E_REFRESH;
}

/* The family ends for good; the answer that goes with it is a refusal, and the ending stays. */
static pt_err family_revoke(struct sql_conn *conn, pt_arena *arena, const struct pt_rotate_act *act,
	const struct token_seen *seen, bool *keep)
{
	TRY(RUN(conn, arena, FAMILY_END, NULL, sql_id(&seen->family)));
	TRY(sql_event_add_of(conn, arena, &act->reuse_event, &seen->account));
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

	/* Who came first may have spent it at a moment that is yet to come for this one. */
	if (act->grace <= 0 || act->now - seen->spent_at >= act->grace) {
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
	TRY(sql_token_add(conn, arena, &next));
	TRY(sql_event_add_of(conn, arena, &act->event, &seen->account));
	TRY(sql_event_add_of(conn, arena, &act->spent_event, &seen->account));
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
	TRY(sql_family_add(conn, arena, &next));
	TRY(RUN(conn, arena, TOKEN_INSERT, NULL, sql_hash(&act->presented), sql_id(&next.family),
		sql_int(act->now), sql_int(next.expires_at), sql_int(act->now),
		sql_hash(&act->successor)));
	TRY(sql_token_add(conn, arena, &next));
	TRY(sql_event_add_of(conn, arena, &act->event, account));
	TRY(sql_event_add_of(conn, arena, &act->spent_event, account));
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
		TRY(sql_account_lock(conn, arena, &act->foreign_account));
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

	TRY(sql_run_write(ctx, act_token_rotate, arena, act, &got));
	*out = got;
	return PT_OK;
}

struct ending {
	const struct pt_hash *hash;
	const struct pt_event *event;
};

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
	return sql_event_add_of(conn, arena, ending->event, &account);
}

static pt_err token_revoke(void *ctx, pt_arena *arena, const struct pt_hash *hash, pt_time now,
	const struct pt_event *event)
{
	const struct ending ending = { hash, event };

	(void)now;
	return sql_run_write(ctx, act_token_revoke, arena, &ending, NULL);
}

void sql_tokens_publish(struct pt_store *out)
{
	out->token_find = token_find;
	out->token_rotate = token_rotate;
	out->token_revoke = token_revoke;
}

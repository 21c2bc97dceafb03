/*
 * verbs_tokens.c - refresh tokens, as token.h draws them.
 *
 * Whoever rotates or revokes holds the row of the family first: order (2). All that is judged stands in it, but
 * for the account, and a rotation writes it once.
 */
#include "base/err.h"
#include "store/sql/act.h"
#include "store/sql/stamps.h"

#include "base/banned.h"

/* When the tokens before the LIVE one were spent, the newest first. */
struct spent {
	pt_time at[PT_SPENT_MOST];
	size_t n;
};

struct family {
	struct pt_token live;
	pt_time started_at;
	pt_time purge_at;
	struct spent spent;
};

/* ---- what was spent --------------------------------------------------------------------------- */

/* Who came first may have spent it at a moment that is yet to come for this one. */
static bool within_grace(const struct pt_rotate_act *act, pt_time spent_at)
{
	return act->grace > 0 && act->now - spent_at < act->grace;
}

/* The LIVE token joins those before it; at the end go the ones that yield nothing any more. */
static void spent_add(struct spent *spent, const struct pt_rotate_act *act)
{
	size_t kept = spent->n < PT_SPENT_MOST ? spent->n : PT_SPENT_MOST - 1;

	memmove(spent->at + 1, spent->at, kept * sizeof(spent->at[0]));
	spent->at[0] = act->now;
	spent->n = kept + 1;
	while (spent->n > 0 && !within_grace(act, spent->at[spent->n - 1]))
		spent->n--;
}

static pt_str spent_pack(const struct spent *spent, char packed[STAMP_BYTES * PT_SPENT_MOST])
{
	return stamps_pack(spent->at, spent->n, packed);
}

/* ---- the token that is shown ------------------------------------------------------------------- */

static bool says_family(const struct pt_token_ref *shown)
{
	return shown->family.text[0] != '\0';
}

/* Its family and generation. PT_E_NOT_FOUND: it does not say them, and is none that is known. */
static pt_err shown_find(struct sql_conn *conn, pt_arena *arena, const struct pt_token_ref *shown,
	struct pt_id *family, int64_t *generation)
{
	struct sql_rows rows;

	if (says_family(shown)) {
		*family = shown->family;
		*generation = shown->generation;
		return PT_OK;
	}
	TRY(RUN(conn, arena, LOOSE_FIND, &rows, sql_hash(&shown->hash)));
	if (rows.n_rows == 0)
		return PT_E_NOT_FOUND;
	*family = row_id(&rows, 0, 0);
	*generation = row_int(&rows, 0, 1);
	return PT_OK;
}

/* Letter by letter: no MAC vouches for what it says. */
static bool is_live(const struct pt_token_ref *shown, const struct pt_token *live)
{
	return shown->generation == live->generation && hash_is_set(&live->hash) &&
	       memcmp(&shown->hash, &live->hash, sizeof(live->hash)) == 0;
}

/* Whoever has rotated a token that does not say its family has given the family a secret: the one that
 * belongs to the token's text. */
static bool shown_fits(
	const struct pt_rotate_act *act, const struct family *family, int64_t generation)
{
	const struct pt_hash *secret = &family->live.secret;

	if (generation < 1 || generation > family->live.generation)
		return false;
	if (act->presented.unproven && !is_live(&act->presented, &family->live))
		return false;
	if (!hash_is_set(secret))
		return !says_family(&act->presented);
	return memcmp(secret, &act->secret, sizeof(*secret)) == 0;
}

/* ---- the family -------------------------------------------------------------------------------- */

static pt_err family_hold(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, struct family *out)
{
	struct sql_rows rows;

	TRY(RUN(conn, arena, FAMILY_HOLD, &rows, sql_id(id)));
	if (rows.n_rows == 0)
		return PT_E_REFRESH;
	out->live = (struct pt_token){
		.family = row_id(&rows, 0, 0),
		.account = row_id(&rows, 0, 1),
		.client = row_text(&rows, 0, 2),
		.generation = row_int(&rows, 0, 4),
		.secret = row_hash(&rows, 0, 5),
		.hash = row_hash(&rows, 0, 6),
		.issued_at = row_int(&rows, 0, 7),
		.expires_at = row_int(&rows, 0, 8),
	};
	out->started_at = row_int(&rows, 0, 3);
	out->purge_at = row_int(&rows, 0, 9);
	out->spent.n = stamps_unpack(row_text(&rows, 0, 10), out->spent.at, PT_SPENT_MOST);
	return PT_OK;
}

/* Becomes what `next` is the LIVE token of. */
static pt_err family_write(struct sql_conn *conn, pt_arena *arena, const struct family *family,
	const struct pt_token *next)
{
	pt_time purge_at = sql_family_purge_at(next->expires_at);
	char packed[STAMP_BYTES * PT_SPENT_MOST];
	pt_str spent = spent_pack(&family->spent, packed);
	struct sql_rows rows;

	TRY(RUN(conn, arena, FAMILY_ROTATE, &rows, sql_id(&next->family),
		sql_int(family->live.generation), sql_hash(&next->secret),
		sql_hash_or_null(&next->hash), sql_int(next->issued_at), sql_int(next->expires_at),
		sql_bytes(spent.p, spent.n)));
	if (rows.changed != 1)
		return fault(PT_F_STORE, "a family of tokens changed while it was held");
	if (purge_at == family->purge_at)
		return PT_OK;
	return RUN(conn, arena, FAMILY_PURGE_AT, NULL, sql_id(&next->family), sql_int(purge_at));
}

/* ---- turning it -------------------------------------------------------------------------------- */

static pt_err owner_may(struct sql_conn *conn, pt_arena *arena, const struct pt_rotate_act *act,
	const struct pt_id *id, struct pt_account_record *out)
{
	TRY(sql_account_or(PT_E_REFRESH, conn, arena, id, out));
	if (out->account.disabled_at != 0 || !str_eq(out->account.tenant, act->tenant))
		return PT_E_REFRESH;
	return PT_OK;
}

static pt_err event_tell(struct sql_conn *conn, pt_arena *arena, const struct pt_rotate_act *act,
	const struct pt_event *event, const struct pt_account *owner)
{
	struct pt_event told = *event;

	if (told.kind == 0)
		return PT_OK;
	told.account = owner->id;
	if (act->tell)
		TRY(act->tell(act->tell_ctx, owner, &told));
	return sql_event_add(conn, arena, &told);
}

static pt_err events_tell(struct sql_conn *conn, pt_arena *arena, const struct pt_rotate_act *act,
	const struct pt_account *owner)
{
	TRY(event_tell(conn, arena, act, &act->event, owner));
	return event_tell(conn, arena, act, &act->spent_event, owner);
}

/* The family ends for good; the answer that goes with it is a refusal, and the ending stays. */
static pt_err family_revoke(struct sql_conn *conn, pt_arena *arena, const struct pt_rotate_act *act,
	const struct pt_rotated *turned, bool *keep)
{
	struct sql_rows rows;

	TRY(RUN(conn, arena, FAMILY_END, &rows, sql_id(&turned->token.family)));
	TRY(event_tell(conn, arena, act, &act->reuse_event, &turned->owner.account));
	*keep = true;
	return PT_OK;
}

static pt_err successor_make(const struct pt_rotate_act *act, const struct pt_token *before,
	pt_time started_at, struct pt_token *out)
{
	*out = *before;
	out->generation = before->generation + 1;
	out->secret = act->secret;
	out->hash = act->successor;
	out->issued_at = act->now;
	out->expires_at = act->now + act->lifetime;
	if (act->family_until > 0 && out->expires_at > started_at + act->family_until)
		out->expires_at = started_at + act->family_until;
	return out->expires_at > act->now ? PT_OK : PT_E_REFRESH;
}

/* SPENT: the LIVE token of the family for one whose answer was lost, an alarm for anybody later. What
 * was spent after the presented one is younger than it: its own grace is all there is to judge. */
static pt_err rotate_again(struct sql_conn *conn, pt_arena *arena, const struct pt_rotate_act *act,
	const struct family *family, int64_t generation, const struct pt_rotated *turned,
	bool *keep)
{
	const uint64_t later = (uint64_t)(family->live.generation - 1 - generation);

	if (later >= family->spent.n || !within_grace(act, family->spent.at[later])) {
		TRY(family_revoke(conn, arena, act, turned, keep));
		return PT_E_REUSED;
	}
	return PT_OK;
}

/* LIVE -> SPENT, here and nowhere else. */
static pt_err rotate_live(struct sql_conn *conn, pt_arena *arena, const struct pt_rotate_act *act,
	struct family *family, struct pt_rotated *turned)
{
	TRY(successor_make(act, &family->live, family->started_at, &turned->token));
	spent_add(&family->spent, act);
	TRY(family_write(conn, arena, family, &turned->token));
	return events_tell(conn, arena, act, &turned->owner.account);
}

/* A token that another program issued: it leaves that program's column and begins a family of ours as
 * one that was spent just now, so that a lost answer can be asked for again. */
static pt_err rotate_foreign(struct sql_conn *conn, pt_arena *arena,
	const struct pt_rotate_act *act, struct pt_rotated *out)
{
	const struct sql_directory *directory = conn->store->directory;
	const struct pt_id *account = &act->foreign_account;
	struct pt_token first = {
		.family = act->foreign_family, .generation = 1, .account = *account
	};
	char packed[STAMP_BYTES * PT_SPENT_MOST];
	struct spent spent = { .n = 0 };

	if (act->foreign.n == 0 || !directory->take_foreign_token)
		return PT_E_REFRESH;
	if (!arena_str(arena, act->client, &first.client))
		return fault(PT_F_MEMORY, "token of another program");
	TRY(owner_may(conn, arena, act, account, &out->owner));
	TRY(directory->take_foreign_token(conn, arena, account, act->foreign));
	TRY(successor_make(act, &first, act->now, &out->token));
	spent_add(&spent, act);
	TRY(sql_family_add(conn, arena, &out->token, spent_pack(&spent, packed), NULL));
	TRY(sql_loose_token_add(
		conn, arena, &act->presented.hash, &first.family, first.generation));
	return events_tell(conn, arena, act, &out->owner.account);
}

static pt_err rotate_known(struct sql_conn *conn, pt_arena *arena, const struct pt_rotate_act *act,
	const struct pt_id *id, int64_t generation, struct pt_rotated *out, bool *keep)
{
	struct family family;

	TRY(family_hold(conn, arena, id, &family));
	if (!shown_fits(act, &family, generation))
		return PT_E_REFRESH;
	out->token = family.live;
	TRY(owner_may(conn, arena, act, &family.live.account, &out->owner));
	if (!str_eq(family.live.client, act->client)) {
		TRY(family_revoke(conn, arena, act, out, keep));
		return PT_E_REFRESH;
	}
	if (family.live.expires_at <= act->now)
		return PT_E_REFRESH_EXPIRED;
	if (generation < family.live.generation)
		return rotate_again(conn, arena, act, &family, generation, out, keep);
	return rotate_live(conn, arena, act, &family, out);
}

static pt_err act_token_rotate(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_rotate_act *act = in;
	struct pt_id family;
	int64_t generation;
	pt_err err;

	/* A foreign token has no row to hold yet. */
	if (act->foreign.n > 0)
		TRY(sql_account_lock(conn, arena, &act->foreign_account));
	err = shown_find(conn, arena, &act->presented, &family, &generation);
	if (err == PT_E_NOT_FOUND)
		return rotate_foreign(conn, arena, act, out);
	TRY(err);
	return rotate_known(conn, arena, act, &family, generation, out, keep);
}

static pt_err token_rotate(
	void *ctx, pt_arena *arena, const struct pt_rotate_act *act, struct pt_rotated *out)
{
	struct pt_rotated got;

	TRY(sql_run_write(ctx, act_token_rotate, arena, act, &got));
	*out = got;
	return PT_OK;
}

/* ---- revoking ---------------------------------------------------------------------------------- */

struct ending {
	const struct pt_token_ref *shown;
	const struct pt_event *event;
};

static pt_err act_token_revoke(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct ending *ending = in;
	struct pt_id family, account;
	struct sql_rows rows;
	int64_t generation;
	pt_err err;

	(void)out, (void)keep;
	err = shown_find(conn, arena, ending->shown, &family, &generation);
	if (err == PT_E_NOT_FOUND)
		return PT_OK;
	TRY(err);
	TRY(RUN(conn, arena, FAMILY_END, &rows, sql_id(&family)));
	if (rows.n_rows == 0)
		return PT_OK;
	account = row_id(&rows, 0, 0);
	return sql_event_add_of(conn, arena, ending->event, &account);
}

static pt_err token_revoke(void *ctx, pt_arena *arena, const struct pt_token_ref *shown,
	pt_time now, const struct pt_event *event)
{
	const struct ending ending = { shown, event };

	(void)now;
	return sql_run_write(ctx, act_token_revoke, arena, &ending, NULL);
}

void sql_tokens_publish(struct pt_store *out)
{
	out->token_rotate = token_rotate;
	out->token_revoke = token_revoke;
}

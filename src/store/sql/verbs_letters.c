/*
 * verbs_letters.c - the outbox.
 */
#include "base/err.h"
#include "store/sql/act.h"

#include "base/banned.h"

enum { DROPS_MOST = 100, DETAIL_MOST = 200 };

static const pt_time letter_kept = 7 * PT_DAY;

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

	TRY(sql_run_write(ctx, act_letter_claim, arena, claim, &got));
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
	return sql_run_write(ctx, act_letter_done, arena, outcome, NULL);
}

struct letters {
	struct pt_letter *items;
	size_t n;
};

static pt_err act_letter_list(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const size_t *max = in;
	struct letters *list = out;
	struct sql_rows rows;

	(void)keep;
	TRY(RUN(conn, arena, LETTER_LIST, &rows, sql_int((int64_t)*max)));
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
	struct letters list;

	TRY(sql_run_read(ctx, act_letter_list, arena, &max, &list));
	*out = list.items;
	*n = list.n;
	return PT_OK;
}

void sql_letters_publish(struct pt_store *out)
{
	out->letter_claim = letter_claim;
	out->letter_done = letter_done;
	out->letter_list = letter_list;
}

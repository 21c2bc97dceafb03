/*
 * verbs_keeping.c - housekeeping: what has expired, how much there is, whether all is well.
 */
#include "base/err.h"
#include "store/sql/act.h"
#include "store/sql/drivers_internal.h"

#include "base/banned.h"

enum { PURGE_MOST = 500 }; /* the LIMIT of the PURGE_ statements */

static pt_err act_purge(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	static const struct {
		enum sql_statement statement;
		pt_time kept; /* after it has expired */
	} sweeps[] = {
		{ SQL_PURGE_SESSIONS, 0 },
		{ SQL_PURGE_TICKETS, ticket_kept },
		{ SQL_PURGE_FAMILIES, 0 },
		{ SQL_PURGE_LIMITS, 0 },
		{ SQL_PURGE_LETTERS, 0 },
	};
	const pt_time now = *(const pt_time *)in;
	bool *more = out;

	(void)keep;
	*more = false;
	for (size_t i = 0; i < sizeof(sweeps) / sizeof(sweeps[0]); i++) {
		const struct sql_value until = sql_int(now - sweeps[i].kept);
		struct sql_rows rows;

		TRY(conn->driver->run(conn, arena, sweeps[i].statement, &until, 1, &rows));
		if (rows.changed >= PURGE_MOST)
			*more = true;
	}
	return PT_OK;
}

static pt_err purge(void *ctx, pt_arena *arena, pt_time now, bool *more)
{
	bool got;

	TRY(sql_run_write(ctx, act_purge, arena, &now, &got));
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
	return sql_run_read(ctx, act_counts, arena, NULL, out);
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
	pt_err err = sql_run_write(ctx, act_check, arena, NULL, &judged);

	if (err == PT_OK && judged.n > 0)
		err = fault(PT_F_STORE, "%.*s", (int)judged.n, judged.p);
	if (err != PT_OK)
		*why = judged.n > 0 ? judged : PT_STR("the database cannot be read and written");
	return err;
}

void sql_keeping_publish(struct pt_store *out)
{
	out->purge = purge;
	out->counts = counts;
	out->check = check;
}

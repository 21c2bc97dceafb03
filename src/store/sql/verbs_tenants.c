/*
 * verbs_tenants.c - sites that share the store.
 */
#include "base/err.h"
#include "store/sql/act.h"

#include "base/banned.h"

static pt_err act_tenant_add(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_tenant *tenant = in;
	bool added;

	(void)out, (void)keep;
	TRY(INSERT_NEW(conn, arena, TENANT_INSERT, &added, sql_id(&tenant->id),
		sql_id(&tenant->name), sql_bytes(tenant->config.p, tenant->config.n),
		sql_int(tenant->created_at), sql_int(tenant->updated_at)));
	return added ? PT_OK : PT_E_TAKEN;
}

static pt_err tenant_add(void *ctx, pt_arena *arena, const struct pt_tenant *tenant)
{
	return sql_run_claim(ctx, act_tenant_add, arena, tenant, NULL);
}

static pt_err act_tenant_find(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct sql_rows rows;

	(void)keep;
	TRY(RUN(conn, arena, TENANT_FIND, &rows, sql_id(in)));
	if (rows.n_rows == 0)
		return PT_E_NOT_FOUND;
	*(struct pt_tenant *)out = (struct pt_tenant){
		.id = row_id(&rows, 0, 0),
		.name = row_id(&rows, 0, 1),
		.config = row_text(&rows, 0, 2),
		.created_at = row_int(&rows, 0, 3),
		.updated_at = row_int(&rows, 0, 4),
	};
	return PT_OK;
}

static pt_err tenant_find(void *ctx, pt_arena *arena, const struct pt_id *id, struct pt_tenant *out)
{
	return sql_run_read(ctx, act_tenant_find, arena, id, out);
}

struct tenant_turn {
	const struct pt_id *id;
	pt_time seen;
	pt_str config;
	pt_time now;
};

/* Order (1). Each change moves updated_at, whatever the clocks say, so that it can be compared. */
static pt_err act_tenant_change(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct tenant_turn *turn = in;
	const pt_time now = turn->now > turn->seen ? turn->now : turn->seen + 1;
	struct pt_tenant there;
	struct sql_rows rows;

	TRY(RUN(conn, arena, TENANT_CHANGE, &rows, sql_id(turn->id), sql_int(turn->seen),
		sql_bytes(turn->config.p, turn->config.n), sql_int(now)));
	if (rows.changed > 0)
		return PT_OK;
	(void)out;
	TRY(act_tenant_find(conn, arena, turn->id, &there, keep));
	return PT_E_BUSY;
}

static pt_err tenant_change(void *ctx, pt_arena *arena, const struct pt_id *id, pt_time seen,
	pt_str config, pt_time now)
{
	const struct tenant_turn turn = { id, seen, config, now };

	return sql_run_write(ctx, act_tenant_change, arena, &turn, NULL);
}

/* The accounts are written first, order (2), and go last: what hangs on them is found through them. */
static pt_err act_tenant_remove(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	static const enum sql_statement steps[] = {
		SQL_TENANT_ACCOUNTS_HOLD,
		SQL_TENANT_SESSIONS_END,
		SQL_TENANT_FAMILIES_END,
		SQL_TENANT_TICKETS_END,
		SQL_TENANT_LETTERS_END,
		SQL_TENANT_IDENTITIES_END,
		SQL_TENANT_ACCOUNTS_END,
	};
	const struct sql_value id = sql_id(in);
	struct sql_rows rows;

	(void)out, (void)keep;
	TRY(RUN(conn, arena, TENANT_REMOVE, &rows, id));
	if (rows.changed == 0)
		return PT_E_NOT_FOUND;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		TRY(conn->driver->run(conn, arena, steps[i], &id, 1, NULL));
	return PT_OK;
}

static pt_err tenant_remove(void *ctx, pt_arena *arena, const struct pt_id *id)
{
	return sql_run_write(ctx, act_tenant_remove, arena, id, NULL);
}

void sql_tenants_publish(struct pt_store *out)
{
	out->tenant_add = tenant_add;
	out->tenant_find = tenant_find;
	out->tenant_change = tenant_change;
	out->tenant_remove = tenant_remove;
}

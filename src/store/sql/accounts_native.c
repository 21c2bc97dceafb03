/*
 * accounts_native.c - the directory that keeps accounts in portress_account.
 */
#include "base/err.h"
#include "base/random.h"
#include "store/sql/directory.h"
#include "store/sql/row.h"

#include "base/banned.h"

static pt_err native_find(struct sql_conn *conn, pt_arena *arena,
	const struct pt_account_query *query, struct pt_account_record *out)
{
	struct sql_rows rows;

	switch (query->by) {
	case PT_BY_ID:
		TRY(RUN(conn, arena, ACCOUNT_BY_ID, &rows, sql_text(query->key)));
		break;
	case PT_BY_USERNAME:
		TRY(RUN(conn, arena, ACCOUNT_BY_USERNAME, &rows, sql_text(query->tenant),
			sql_text(query->key)));
		break;
	case PT_BY_EMAIL:
		TRY(RUN(conn, arena, ACCOUNT_BY_EMAIL, &rows, sql_text(query->tenant),
			sql_text(query->audience), sql_text(query->key)));
		break;
	}
	if (rows.n_rows == 0)
		return PT_E_NOT_FOUND;
	*out = row_account(&rows, 0, 0);
	return PT_OK;
}

static pt_err native_create(struct sql_conn *conn, pt_arena *arena,
	const struct pt_account *account, pt_str password, struct pt_id *id)
{
	struct pt_id own = account->id;
	struct sql_rows rows;

	if (id_text(&own).n == 0)
		TRY(random_id(account->created_at, &own));
	TRY(RUN(conn, arena, ACCOUNT_INSERT, &rows, sql_id(&own), sql_text(account->tenant),
		sql_text(account->audience), sql_text_or_null(account->username),
		sql_text_or_null(account->username_key), sql_text_or_null(account->email),
		sql_text_or_null(account->email_key), sql_int(account->email_verified_at),
		sql_text_or_null(account->phone), sql_int(account->phone_verified_at),
		sql_text_or_null(account->role), sql_text_or_null(account->given_name),
		sql_text_or_null(account->family_name), sql_text_or_null(account->app_metadata),
		sql_text_or_null(account->user_metadata), sql_text_or_null(account->extensions),
		sql_int(account->created_at), sql_int(account->updated_at),
		sql_int(account->last_signin_at), sql_int(account->disabled_at),
		sql_int(account->signin_count), sql_int(account->failed_signins),
		sql_text_or_null(password)));
	if (rows.changed == 0)
		return PT_E_TAKEN;
	*id = own;
	return PT_OK;
}

static pt_err native_list(struct sql_conn *conn, pt_arena *arena,
	const struct pt_account_list *query, struct pt_account **out, size_t *n)
{
	struct pt_account *accounts;
	struct sql_rows rows;

	TRY(RUN(conn, arena, ACCOUNT_LIST, &rows, sql_text(query->tenant), sql_text(query->after),
		sql_int((int64_t)query->max)));
	accounts = ARENA_ARRAY(arena, struct pt_account, rows.n_rows);
	if (!accounts)
		return fault(PT_F_MEMORY, "list of accounts");
	for (size_t i = 0; i < rows.n_rows; i++)
		accounts[i] = row_account(&rows, i, 0).account;
	*out = accounts;
	*n = rows.n_rows;
	return PT_OK;
}

static pt_err native_set_verified(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, bool verified, pt_time now)
{
	if (verified)
		return RUN(conn, arena, ACCOUNT_VERIFY, NULL, sql_id(id), sql_int(now));
	return RUN(conn, arena, ACCOUNT_UNVERIFY, NULL, sql_id(id), sql_int(now));
}

static pt_err native_set_password(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id,
	pt_str seen, pt_str password, bool verified, pt_time now)
{
	struct sql_rows rows;

	TRY(RUN(conn, arena, ACCOUNT_PASSWORD, &rows, sql_id(id), sql_text(seen),
		sql_text_or_null(password), sql_int(now)));
	if (rows.changed == 0)
		return PT_E_CREDENTIALS;
	return verified ? native_set_verified(conn, arena, id, true, now) : PT_OK;
}

static pt_err native_set_disabled(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, bool disabled, pt_time now)
{
	if (disabled)
		return RUN(conn, arena, ACCOUNT_DISABLE, NULL, sql_id(id), sql_int(now));
	return RUN(conn, arena, ACCOUNT_ENABLE, NULL, sql_id(id), sql_int(now));
}

static pt_err native_signed_in(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, pt_str seen, pt_time now)
{
	struct sql_rows rows;

	TRY(RUN(conn, arena, ACCOUNT_SIGNED_IN, &rows, sql_id(id), sql_text(seen), sql_int(now)));
	return rows.changed > 0 ? PT_OK : PT_E_CREDENTIALS;
}

static pt_err native_failed(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id)
{
	return RUN(conn, arena, ACCOUNT_FAILED, NULL, sql_id(id));
}

static pt_err native_remove(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, pt_time now)
{
	struct sql_rows rows;

	(void)now;
	TRY(RUN(conn, arena, ACCOUNT_REMOVE, &rows, sql_id(id)));
	return rows.changed > 0 ? PT_OK : PT_E_NOT_FOUND;
}

const struct sql_directory sql_native_directory = {
	.name = "native",
	.find = native_find,
	.create = native_create,
	.list = native_list,
	.set_password = native_set_password,
	.set_verified = native_set_verified,
	.set_disabled = native_set_disabled,
	.signed_in = native_signed_in,
	.failed = native_failed,
	.remove = native_remove,
};

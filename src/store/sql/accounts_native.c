/*
 * accounts_native.c - the directory that keeps accounts in portress_account.
 */
#include "base/err.h"
#include "base/random.h"
#include "store/amend.h"
#include "store/sql/act.h"

#include "base/banned.h"

static const struct page_texts {
	enum sql_statement newest;
	enum sql_statement oldest;
	enum sql_statement count;
} page_texts[] = {
	{ SQL_ACCOUNT_PAGE_NEWEST, SQL_ACCOUNT_PAGE_OLDEST, SQL_ACCOUNT_COUNT },
	{ SQL_ACCOUNT_PART_NEWEST, SQL_ACCOUNT_PART_OLDEST, SQL_ACCOUNT_PART_COUNT },
};

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
	case PT_BY_IDENTITY:
		return fault(PT_F_BUG, "accounts: identities do not stand beside them");
	}
	if (rows.n_rows == 0)
		return PT_E_NOT_FOUND;
	*out = row_account(&rows, 0, 0);
	return PT_OK;
}

static pt_err account_insert(struct sql_conn *conn, pt_arena *arena,
	const struct pt_account *account, pt_str password, const struct pt_id *id, bool *added)
{
	return INSERT_NEW(conn, arena, ACCOUNT_INSERT, added, sql_id(id), sql_text(account->tenant),
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
		sql_text_or_null(password), sql_int(account->super_admin),
		sql_text_or_null(account->new_email), sql_text_or_null(account->new_email_key),
		sql_int(account->invited_at), sql_int(account->confirm_sent_at),
		sql_int(account->recover_sent_at), sql_int(account->email_change_sent_at));
}

static pt_err native_create(struct sql_conn *conn, pt_arena *arena,
	const struct pt_account *account, pt_str password, struct pt_id *id)
{
	struct pt_id own = account->id;
	bool added;

	if (id_text(&own).n == 0)
		TRY(random_id(account->created_at, &own));
	TRY(account_insert(conn, arena, account, password, &own, &added));
	if (!added)
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

static pt_err native_page(struct sql_conn *conn, pt_arena *arena,
	const struct pt_account_page *query, struct pt_account_record **out, size_t *n,
	int64_t *total)
{
	const struct page_texts *texts = &page_texts[query->part.n > 0];
	enum sql_statement page = query->order == PT_NEWEST_FIRST ? texts->newest : texts->oldest;
	struct sql_value values[5] = { sql_text(query->tenant), sql_text(query->audience) };
	struct pt_account_record *records;
	struct sql_rows rows;
	size_t count = 2;
	pt_str part;

	TRY(sql_part_fold(arena, query->part, &part));
	if (part.n > 0)
		values[count++] = sql_text(part);
	TRY(conn->driver->run(conn, arena, texts->count, values, count, &rows));
	*total = row_int(&rows, 0, 0);
	values[count++] = sql_int((int64_t)query->max);
	values[count++] = sql_int((int64_t)query->skip);
	TRY(conn->driver->run(conn, arena, page, values, count, &rows));
	records = ARENA_ARRAY(arena, struct pt_account_record, rows.n_rows);
	if (!records)
		return fault(PT_F_MEMORY, "page of accounts");
	for (size_t i = 0; i < rows.n_rows; i++)
		records[i] = row_account(&rows, i, 0);
	*out = records;
	*n = rows.n_rows;
	return PT_OK;
}

static pt_err native_hold(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id,
	struct pt_account_record *out)
{
	struct sql_rows rows;

	TRY(RUN(conn, arena, ACCOUNT_HOLD, &rows, sql_id(id)));
	if (rows.n_rows == 0)
		return PT_E_NOT_FOUND;
	*out = row_account(&rows, 0, 0);
	return PT_OK;
}

static pt_err native_amend(struct sql_conn *conn, pt_arena *arena, const struct pt_amend *amend,
	struct pt_account_record *record)
{
	const struct pt_account *account = &record->account;

	TRY(amend_apply(arena, amend, record));
	return RUN(conn, arena, ACCOUNT_WRITE, NULL, sql_id(&account->id),
		sql_text_or_null(account->email), sql_text_or_null(account->email_key),
		sql_int(account->email_verified_at), sql_text_or_null(account->role),
		sql_text_or_null(account->app_metadata), sql_text_or_null(account->user_metadata),
		sql_int(account->updated_at), sql_int(account->last_signin_at),
		sql_int(account->disabled_at), sql_int(account->signin_count),
		sql_int(account->failed_signins), sql_text_or_null(record->password),
		sql_int(account->super_admin), sql_text_or_null(account->new_email),
		sql_text_or_null(account->new_email_key), sql_int(account->invited_at),
		sql_int(account->confirm_sent_at), sql_int(account->recover_sent_at),
		sql_int(account->email_change_sent_at));
}

static pt_err native_set_verified(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, pt_time now)
{
	return RUN(conn, arena, ACCOUNT_VERIFY, NULL, sql_id(id), sql_int(now));
}

static pt_err native_set_password(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id,
	pt_str seen, pt_str password, bool verified, pt_time now)
{
	struct sql_rows rows;

	TRY(RUN(conn, arena, ACCOUNT_PASSWORD, &rows, sql_id(id), sql_text(seen),
		sql_text_or_null(password), sql_int(now)));
	if (rows.changed == 0)
		return PT_E_CREDENTIALS;
	return verified ? native_set_verified(conn, arena, id, now) : PT_OK;
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
	.page = native_page,
	.hold = native_hold,
	.amend = native_amend,
	.set_password = native_set_password,
	.set_verified = native_set_verified,
	.signed_in = native_signed_in,
	.failed = native_failed,
	.remove = native_remove,
};

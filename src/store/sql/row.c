/*
 * row.c - rows of our statements as the nouns of the contract.
 */
#include "store/sql/row.h"

#include <string.h>

#include "base/banned.h"

pt_str row_text(const struct sql_rows *rows, size_t row, size_t column)
{
	const struct sql_value *value = sql_at(rows, row, column);

	if (value->type != SQL_TEXT && value->type != SQL_BYTES)
		return (pt_str){ NULL, 0 };
	return value->bytes;
}

int64_t row_int(const struct sql_rows *rows, size_t row, size_t column)
{
	const struct sql_value *value = sql_at(rows, row, column);

	return value->type == SQL_INT ? value->number : 0;
}

struct pt_hash row_hash(const struct sql_rows *rows, size_t row, size_t column)
{
	pt_str bytes = row_text(rows, row, column);
	struct pt_hash hash = { { 0 } };

	if (bytes.n == sizeof(hash.bytes))
		memcpy(hash.bytes, bytes.p, sizeof(hash.bytes));
	return hash;
}

bool hash_is_set(const struct pt_hash *hash)
{
	static const struct pt_hash none;

	return memcmp(hash, &none, sizeof(none)) != 0;
}

struct pt_id id_of(pt_str text)
{
	struct pt_id id = { "" };

	text = str_slice(text, 0, sizeof(id.text) - 1);
	if (text.n > 0)
		memcpy(id.text, text.p, text.n);
	return id;
}

struct pt_id row_id(const struct sql_rows *rows, size_t row, size_t column)
{
	return id_of(row_text(rows, row, column));
}

struct pt_account_record row_account(const struct sql_rows *rows, size_t row, size_t column)
{
#define TEXT() row_text(rows, row, column++)
#define INT()  row_int(rows, row, column++)
	struct pt_account_record out = { .account.id = row_id(rows, row, column++) };
	struct pt_account *account = &out.account;

	account->tenant = TEXT();
	account->audience = TEXT();
	account->username = TEXT();
	account->username_key = TEXT();
	account->email = TEXT();
	account->email_key = TEXT();
	account->email_verified_at = INT();
	account->phone = TEXT();
	account->phone_verified_at = INT();
	account->role = TEXT();
	account->given_name = TEXT();
	account->family_name = TEXT();
	account->app_metadata = TEXT();
	account->user_metadata = TEXT();
	account->extensions = TEXT();
	account->created_at = INT();
	account->updated_at = INT();
	account->last_signin_at = INT();
	account->disabled_at = INT();
	account->signin_count = INT();
	account->failed_signins = INT();
	out.password = TEXT();
	account->super_admin = INT() != 0;
	account->new_email = TEXT();
	account->new_email_key = TEXT();
	account->invited_at = INT();
	account->confirm_sent_at = INT();
	account->recover_sent_at = INT();
	account->email_change_sent_at = INT();
	return out;
#undef TEXT
#undef INT
}

struct pt_session row_session(const struct sql_rows *rows, size_t row, size_t column)
{
	return (struct pt_session){
		.hash = row_hash(rows, row, column),
		.account = row_id(rows, row, column + 1),
		.created_at = row_int(rows, row, column + 2),
		.expires_at = row_int(rows, row, column + 3),
		.methods = (uint32_t)row_int(rows, row, column + 4),
		.client = row_text(rows, row, column + 5),
		.user_agent = row_text(rows, row, column + 6),
	};
}

struct pt_ticket row_ticket(const struct sql_rows *rows, size_t row)
{
	return (struct pt_ticket){
		.hash = row_hash(rows, row, 0),
		.kind = (enum pt_ticket_kind)row_int(rows, row, 1),
		.account = row_id(rows, row, 2),
		.email_key = row_text(rows, row, 3),
		.bound = row_hash(rows, row, 4),
		.created_at = row_int(rows, row, 5),
		.expires_at = row_int(rows, row, 6),
	};
}

struct pt_letter row_letter(const struct sql_rows *rows, size_t row)
{
	return (struct pt_letter){
		.id = row_id(rows, row, 0),
		.kind = (enum pt_letter_kind)row_int(rows, row, 1),
		.account = row_id(rows, row, 2),
		.to = row_text(rows, row, 3),
		.sealed = row_text(rows, row, 4),
		.created_at = row_int(rows, row, 5),
		.not_after = row_int(rows, row, 6),
		.attempts = (int)row_int(rows, row, 7),
	};
}

struct pt_event row_event(const struct sql_rows *rows, size_t row)
{
	return (struct pt_event){
		.id = row_id(rows, row, 0),
		.kind = (enum pt_event_kind)row_int(rows, row, 1),
		.account = row_id(rows, row, 2),
		.at = row_int(rows, row, 3),
		.client = row_text(rows, row, 4),
		.request = row_text(rows, row, 5),
		.detail = row_text(rows, row, 6),
		.tenant = row_text(rows, row, 7),
		.actor = row_id(rows, row, 8),
		.email = row_text(rows, row, 9),
		.actor_email = row_text(rows, row, 10),
		.actor_name = row_text(rows, row, 11),
	};
}

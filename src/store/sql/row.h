/*
 * row.h - rows of our statements as the nouns of the contract, and back.
 *
 * Any column may be NULL where a users table of somebody else is read: NULL text is empty, a NULL
 * number is 0. Strings stay in the arena of the rows.
 */
#ifndef STORE_SQL_ROW_H
#define STORE_SQL_ROW_H

#include "base/str.h"
#include "store/sql/port.h"

/* Columns of the lists in statements.c. */
enum { SESSION_COLUMNS = 7, ACCOUNT_COLUMNS = 30 };

pt_str row_text(const struct sql_rows *rows, size_t row, size_t column);
int64_t row_int(const struct sql_rows *rows, size_t row, size_t column);
/* Zero where the column does not hold 32 bytes. No hash of a secret is zero: it stands for "not set". */
struct pt_hash row_hash(const struct sql_rows *rows, size_t row, size_t column);
bool hash_is_set(const struct pt_hash *hash);
/* Cut to what an id holds: a longer one is none of ours and finds nothing. */
struct pt_id row_id(const struct sql_rows *rows, size_t row, size_t column);

/* `column`: where the list begins. */
struct pt_account_record row_account(const struct sql_rows *rows, size_t row, size_t column);
struct pt_session row_session(const struct sql_rows *rows, size_t row, size_t column);
struct pt_ticket row_ticket(const struct sql_rows *rows, size_t row);
struct pt_letter row_letter(const struct sql_rows *rows, size_t row);
struct pt_event row_event(const struct sql_rows *rows, size_t row);

struct pt_id id_of(pt_str text);

static inline pt_str id_text(const struct pt_id *id)
{
	return (pt_str){ id->text, strnlen(id->text, sizeof(id->text)) };
}

static inline struct sql_value sql_id(const struct pt_id *id)
{
	return sql_text(id_text(id));
}

static inline struct sql_value sql_id_or_null(const struct pt_id *id)
{
	return sql_text_or_null(id_text(id));
}

static inline struct sql_value sql_hash(const struct pt_hash *hash)
{
	return sql_bytes(hash->bytes, sizeof(hash->bytes));
}

static inline struct sql_value sql_hash_or_null(const struct pt_hash *hash)
{
	return hash_is_set(hash) ? sql_hash(hash) : sql_null();
}

/* RUN(conn, arena, SESSIONS_END, &rows, sql_id(&id)): a statement of the list with its values. */
#define RUN(conn_, arena_, name_, rows_, ...)                                                 \
	(conn_)->driver->run((conn_), (arena_), SQL_##name_,                                  \
		(const struct sql_value[]){ __VA_ARGS__ },                                    \
		sizeof((const struct sql_value[]){ __VA_ARGS__ }) / sizeof(struct sql_value), \
		(rows_))

#endif

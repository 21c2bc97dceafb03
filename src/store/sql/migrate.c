/*
 * migrate.c - the schema, brought up to date one numbered step at a time.
 *
 * The steps are the files of schema/, compiled in: NNN-name.sql. Each runs in one act together with the
 * row of portress_schema that records it, so that a crash leaves whole steps. They only go forward. A
 * database that was written by a newer program is refused. MariaDB commits with each statement that
 * changes the schema: there a step that a crash cut short is run again over what it left, which
 * mysql_schema.c makes harmless.
 *
 * The checksum tells that a file was edited after it had been applied. It is no protection against
 * anybody.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/embedded.h"
#include "base/err.h"
#include "base/str.h"
#include "store/sql/drivers_internal.h"
#include "store/sql/mysql_schema.h"
#include "store/sql/row.h"

#include "base/banned.h"

extern const struct embedded store_schema[];
extern const size_t store_schema_count;

static const size_t script_ceiling = 256 * KIB;

/* ---- the steps that this program knows -------------------------------------------------------- */

#define MYSQL_TABLE \
	"ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin"

/* @NAME@ in a schema file, by dialect. MariaDB gets a key where the name is one of mysql_schema.c's. */
static const struct {
	const char *name;
	const char *text[3]; /* by enum sql_dialect */
} macros[] = {
	{ "@TEXT@", { "TEXT", "TEXT COLLATE \"C\"", "MEDIUMTEXT" } },
	/* text that stands in an index */
	{ "@KEY@", { "TEXT", "TEXT COLLATE \"C\"", "VARCHAR(255)" } },
	{ "@INT@", { "INTEGER", "BIGINT", "BIGINT" } },
	{ "@BYTES@", { "BLOB", "BYTEA", "LONGBLOB" } },
	{ "@SERIAL@", { "INTEGER PRIMARY KEY", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
			      "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY" } },
	{ "@ROWS@", { "STRICT", "", MYSQL_TABLE } },
	{ "@KEYED@", { "STRICT, WITHOUT ROWID", "", MYSQL_TABLE } },
};

static const char record_table[] = "CREATE TABLE IF NOT EXISTS portress_schema ("
				   "number @INT@ NOT NULL PRIMARY KEY, name @TEXT@ NOT NULL,"
				   " checksum @TEXT@ NOT NULL, applied_at @INT@ NOT NULL) @ROWS@;";

static const char *macro_at(pt_str text, enum sql_dialect dialect, size_t *length)
{
	for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++) {
		*length = strlen(macros[i].name);
		if (str_starts(text, str(macros[i].name)))
			return macros[i].text[dialect];
	}
	return NULL;
}

static pt_err macros_expand(pt_arena *arena, pt_str text, enum sql_dialect dialect, pt_str *out)
{
	struct buf b = BUF(arena, script_ceiling);

	while (text.n > 0) {
		size_t plain = str_find(text, '@'), length = 0;
		const char *expansion;

		buf_str(&b, str_slice(text, 0, plain));
		text = str_slice(text, plain, text.n);
		if (text.n == 0)
			break;
		expansion = macro_at(text, dialect, &length);
		if (!expansion)
			return fault(PT_F_BUG, "unknown macro in the schema: %.20s", text.p);
		if (dialect == SQL_MYSQL)
			expansion = mysql_schema_type(buf_view(&b), expansion);
		buf_str(&b, str(expansion));
		text = str_slice(text, length, text.n);
	}
	return buf_done(&b, out);
}

static pt_err script_expand(pt_arena *arena, pt_str text, enum sql_dialect dialect, pt_str *out)
{
	TRY(macros_expand(arena, text, dialect, out));
	return dialect == SQL_MYSQL ? mysql_schema(arena, *out, out) : PT_OK;
}

/* FNV-1a, 64 bits, as hexadecimal digits. */
static pt_str checksum(const struct embedded *file, char out[17])
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < file->size; i++)
		sum = (sum ^ (uint8_t)file->data[i]) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < 16; i++)
		out[i] = "0123456789abcdef"[(sum >> (60 - 4 * i)) & 15];
	return str_n(out, 16);
}

/* Steps are numbered 1, 2, 3 without a gap, which is the order of their names. */
static const struct embedded *step(int number)
{
	return &store_schema[number - 1];
}

static int steps_known(void)
{
	return (int)store_schema_count;
}

/* ---- what the database says -------------------------------------------------------------------- */

/* The steps that were applied; no rows when not even their table is there. */
static pt_err record_read(struct sql_conn *conn, pt_arena *arena, struct sql_rows *out)
{
	struct sql_rows there;

	TRY(conn->driver->run(conn, arena, SQL_SCHEMA_THERE, NULL, 0, &there));
	if (row_int(&there, 0, 0) == 0) {
		*out = (struct sql_rows){ 0 };
		return PT_OK;
	}
	return conn->driver->run(conn, arena, SQL_SCHEMA_LIST, NULL, 0, out);
}

static int record_last(const struct sql_rows *record)
{
	return record->n_rows > 0 ? (int)row_int(record, record->n_rows - 1, 0) : 0;
}

/* ---- applying ---------------------------------------------------------------------------------- */

struct applied {
	int number; /* of the step that this act applied; 0: there was none left */
};

static pt_err step_apply(struct sql_conn *conn, pt_arena *arena, int number)
{
	const struct embedded *file = step(number);
	pt_str script;
	char sum[17];

	TRY(script_expand(arena, str_n(file->data, file->size), conn->driver->dialect, &script));
	TRY(conn->driver->script(conn, arena, script.p));
	return RUN(conn, arena, SCHEMA_INSERT, NULL, sql_int(number), sql_text(str(file->name)),
		sql_text(checksum(file, sum)), sql_int(clock_now()));
}

static pt_err act_migrate_one(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct applied *applied = out;
	struct sql_rows record;
	pt_str table;
	int last;

	(void)in, (void)keep;
	TRY(conn->driver->lock_name(conn, arena, PT_STR("portress schema")));
	TRY(record_read(conn, arena, &record));
	last = record_last(&record);
	if (last > steps_known())
		return fault(PT_F_CONFIG,
			"the schema is at step %d and this program knows %d: run the newer program",
			last, steps_known());
	applied->number = 0;
	if (last == steps_known())
		return PT_OK;
	TRY(script_expand(arena, str(record_table), conn->driver->dialect, &table));
	TRY(conn->driver->script(conn, arena, table.p));
	TRY(step_apply(conn, arena, last + 1));
	applied->number = last + 1;
	return PT_OK;
}

static pt_err migrate_rest(struct sql_store *store, pt_arena *arena,
	void (*told)(void *ctx, int number, const char *name), void *ctx)
{
	struct applied applied;

	for (;;) {
		TRY(store->driver->write(store, act_migrate_one, arena, NULL, &applied));
		if (applied.number == 0)
			return PT_OK;
		if (told)
			told(ctx, applied.number, step(applied.number)->name);
		arena_reset(arena);
	}
}

pt_err migrate_up(
	struct sql_store *store, void (*told)(void *ctx, int number, const char *name), void *ctx)
{
	pt_arena *arena = arena_open(4 * MIB);
	pt_err err = arena ? migrate_rest(store, arena, told, ctx) : fault(PT_F_MEMORY, "migrate");

	arena_close(arena);
	return err;
}

/* ---- judging ----------------------------------------------------------------------------------- */

static pt_err act_status(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct sql_rows record;

	(void)in, (void)keep;
	TRY(record_read(conn, arena, &record));
	*(struct migration_status *)out =
		(struct migration_status){ record_last(&record), steps_known() };
	return PT_OK;
}

static pt_err act_verify(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct sql_rows record;
	char sum[17];

	TRY(record_read(conn, arena, &record));
	for (size_t i = 0; i < record.n_rows && i < store_schema_count; i++) {
		const struct embedded *known = step((int)i + 1);

		if (row_int(&record, i, 0) != (int64_t)i + 1 ||
			!str_eq(row_text(&record, i, 2), checksum(known, sum)))
			return fault(PT_F_CONFIG,
				"%s was applied in another form than this program knows",
				known->name);
	}
	return act_status(conn, arena, in, out, keep);
}

static pt_err judged(struct sql_store *store, sql_act act, struct migration_status *out)
{
	pt_arena *arena = arena_open(4 * MIB);
	pt_err err = arena ? store->driver->read(store, act, arena, NULL, out)
			   : fault(PT_F_MEMORY, "migrate");

	arena_close(arena);
	return err;
}

pt_err migrate_status(struct sql_store *store, struct migration_status *out)
{
	return judged(store, act_status, out);
}

pt_err migrate_verify(struct sql_store *store, struct migration_status *out)
{
	return judged(store, act_verify, out);
}

pt_err migrate_judge(struct sql_conn *conn, pt_arena *arena, pt_str *why)
{
	struct buf b = BUF(arena, 256);
	struct sql_rows record;
	int last;

	TRY(record_read(conn, arena, &record));
	last = record_last(&record);
	if (last < steps_known())
		buf_printf(&b, "the schema is at step %d of %d: run `portress migrate up`", last,
			steps_known());
	else if (last > steps_known())
		buf_printf(&b,
			"the schema is at step %d and this program knows %d: run the newer program",
			last, steps_known());
	return buf_done(&b, why);
}

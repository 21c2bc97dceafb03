/*
 * view_map.c - looks at somebody's users table and maps its columns.
 *
 * What the table lacks and we can do without is kept in a side table of ours, portress_identoro_ext.
 * The users table itself is only read, inserted into, updated and deleted from: no ALTER, no index, no
 * trigger, and no foreign key to it.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "store/directory/identoro_tables.h"
#include "store/directory/view.h"
#include "store/sql/row.h"

#include "base/banned.h"

#define SIDE_TABLE "portress_identoro_ext"

/* ---- the fields ---- */

static const struct field {
	const char *label;
	const char *aliases[2]; /* the first that is there is taken */
	bool required;
} fields[VIEW_FIELDS] = {
	[VIEW_ID] = { "id", { "user_id" }, true },
	[VIEW_USERNAME] = { "username", { "username", "user_name" }, true },
	[VIEW_PASSWORD] = { "password", { "password", "passwd" }, true },
	[VIEW_EMAIL] = { "email", { "email", "mail" }, true },
	[VIEW_VERIFIED] = { "verified", { "verified", "is_verified" }, true },
	[VIEW_FIRSTNAME] = { "firstname", { "firstname", "first_name" }, false },
	[VIEW_LASTNAME] = { "lastname", { "lastname", "last_name" }, false },
	[VIEW_SIGNIN_COUNT] = { "signin_count", { "signin_count" }, false },
	[VIEW_FAILED_SIGNINS] = { "unsuccessful_signins", { "unsuccessful_signins" }, false },
	[VIEW_CREATED_AT] = { "created_at", { "created_at" }, false },
	[VIEW_REFRESH_TOKEN] = { "refresh_token", { "refresh_token" }, false },
	[VIEW_EXTENSIONS] = { "extensions", { "extensions" }, false },
};

/* ---- types ---- */

/* From the server's names of base types. */
static enum view_kind kind_in_postgres(pt_str type)
{
	static const struct {
		const char *name;
		enum view_kind kind;
	} kinds[] = {
		{ "uuid", VIEW_UUID },
		{ "text", VIEW_TEXT },
		{ "varchar", VIEW_TEXT },
		{ "bpchar", VIEW_TEXT },
		{ "citext", VIEW_TEXT },
		{ "name", VIEW_TEXT },
		{ "int2", VIEW_INT },
		{ "int4", VIEW_INT },
		{ "int8", VIEW_INT },
		{ "bool", VIEW_BOOL },
		{ "timestamp", VIEW_MOMENT },
		{ "timestamptz", VIEW_MOMENT },
		{ "date", VIEW_MOMENT },
		{ "json", VIEW_JSON },
		{ "jsonb", VIEW_JSON },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (str_eq(type, str(kinds[i].name)))
			return kinds[i].kind;
	}
	return VIEW_OTHER;
}

static bool has_word(pt_str type, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= type.n; i++) {
		if (str_eq_nocase(str_slice(type, i, i + n), str(word)))
			return true;
	}
	return false;
}

/* From what was declared, which in SQLite is a wish. */
static enum view_kind kind_in_sqlite(pt_str type)
{
	static const struct {
		const char *word;
		enum view_kind kind;
	} kinds[] = {
		{ "bool", VIEW_BOOL },
		{ "int", VIEW_INT },
		{ "char", VIEW_TEXT },
		{ "clob", VIEW_TEXT },
		{ "text", VIEW_TEXT },
		{ "uuid", VIEW_TEXT },
		{ "date", VIEW_MOMENT },
		{ "time", VIEW_MOMENT },
		{ "json", VIEW_TEXT },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (has_word(type, kinds[i].word))
			return kinds[i].kind;
	}
	return VIEW_OTHER;
}

/* ---- columns ---- */

/* Rows of view_text_columns. Of the relation: its name, whether rows can be deleted, may be
 * inserted, and whether it is a view. */
enum { C_COLUMN, C_TYPE, C_RELATION, C_DELETES, C_INSERTS, C_IS_VIEW, C_HAS_DEFAULT };

static pt_err look(struct sql_conn *conn, pt_arena *arena, pt_str relation, struct sql_rows *rows)
{
	const struct sql_value args[] = { sql_text(relation) };

	return conn->driver->run_text(conn, arena, VIEW_Q_COLUMNS,
		view_text_columns(conn->driver->dialect), args, 1, rows);
}

/* The row of a column, or n_rows. SQLite ignores case in names. */
static size_t find_column(const struct view *view, const struct sql_rows *rows, pt_str name)
{
	for (size_t i = 0; i < rows->n_rows; i++) {
		pt_str column = row_text(rows, i, C_COLUMN);

		if (view->dialect == SQL_SQLITE ? str_eq_nocase(column, name)
						: str_eq(column, name))
			return i;
	}
	return rows->n_rows;
}

static enum view_kind kind_at(const struct view *view, const struct sql_rows *rows, size_t row)
{
	pt_str type = row_text(rows, row, C_TYPE);

	return view->dialect == SQL_POSTGRES ? kind_in_postgres(type) : kind_in_sqlite(type);
}

static pt_err quote(struct arena *arena, pt_str name, const char **out)
{
	struct buf b = BUF(arena, KIB);
	pt_str quoted;

	buf_char(&b, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] == '"')
			buf_char(&b, '"');
		buf_char(&b, name.p[i]);
	}
	buf_char(&b, '"');
	TRY(buf_done(&b, &quoted));
	*out = quoted.p;
	return PT_OK;
}

static pt_err take_column(
	struct view *view, enum view_field field, const struct sql_rows *rows, size_t row)
{
	struct view_column *column = &view->columns[field];

	column->kind = kind_at(view, rows, row);
	return quote(view->arena, row_text(rows, row, C_COLUMN), &column->name);
}

static pt_err map_override(struct view *view, enum view_field field, const struct sql_rows *rows,
	const struct view_setup *setup)
{
	pt_str wanted = setup->columns[field];
	size_t row = find_column(view, rows, wanted);

	if (row == rows->n_rows)
		return fault(PT_F_CONFIG,
			"the users table %s has no column %.*s, which was set for %s",
			view->relation, (int)wanted.n, wanted.p, fields[field].label);
	return take_column(view, field, rows, row);
}

static pt_err map_alias(struct view *view, enum view_field field, const struct sql_rows *rows)
{
	for (size_t i = 0; i < 2 && fields[field].aliases[i]; i++) {
		size_t row = find_column(view, rows, str(fields[field].aliases[i]));

		if (row < rows->n_rows)
			return take_column(view, field, rows, row);
	}
	return PT_OK;
}

/* "username (or user_name), email (or mail)" */
static void name_missing(struct buf *b, enum view_field field)
{
	const struct field *missing = &fields[field];

	if (b->n > 0)
		buf_str(b, PT_STR(", "));
	buf_str(b, str(missing->aliases[0]));
	if (missing->aliases[1])
		buf_printf(b, " (or %s)", missing->aliases[1]);
}

static pt_err check_required(const struct view *view)
{
	char text[300];
	struct buf missing = BUF_FIXED(text);

	for (enum view_field field = 0; field < VIEW_FIELDS; field++) {
		if (fields[field].required && !view_has(view, field))
			name_missing(&missing, field);
	}
	if (missing.n == 0)
		return PT_OK;
	return fault(PT_F_CONFIG,
		"the users table %s lacks required columns: %s; give it a view that has them, or "
		"set "
		"their names with IDENTORO_COL_...",
		view->relation, buf_view(&missing).p);
}

static pt_err check_verified(const struct view *view)
{
	enum view_kind kind = view->columns[VIEW_VERIFIED].kind;

	if (kind == VIEW_BOOL || kind == VIEW_INT ||
		(view->dialect == SQL_SQLITE && kind == VIEW_OTHER))
		return PT_OK;
	return fault(PT_F_CONFIG, "the column %s of %s is neither a boolean nor an integer",
		view->columns[VIEW_VERIFIED].name, view->relation);
}

static pt_err map_columns(
	struct view *view, const struct sql_rows *rows, const struct view_setup *setup)
{
	for (enum view_field field = 0; field < VIEW_FIELDS; field++) {
		if (setup->columns[field].n > 0)
			TRY(map_override(view, field, rows, setup));
		else
			TRY(map_alias(view, field, rows));
	}
	TRY(check_required(view));
	return check_verified(view);
}

/* PostgreSQL spells the relation as it must be written here; SQLite is given what was set. */
static pt_err name_relation(
	struct view *view, const struct sql_rows *rows, const struct view_setup *setup)
{
	if (view->dialect == SQL_SQLITE)
		return quote(view->arena, setup->relation, &view->relation);
	view->relation = arena_cstr(view->arena, row_text(rows, 0, C_RELATION));
	return view->relation ? PT_OK : fault(PT_F_MEMORY, "no memory for a view");
}

static pt_err map_relation(
	struct sql_conn *conn, pt_arena *arena, const struct view_setup *setup, struct view *view)
{
	struct sql_rows rows;

	TRY(look(conn, arena, setup->relation, &rows));
	if (rows.n_rows == 0)
		return fault(PT_F_CONFIG,
			"there is no table or view %.*s; create it, or let Portress do it with "
			"--createtables",
			(int)setup->relation.n, setup->relation.p);
	TRY(name_relation(view, &rows, setup));
	view->deletes = row_int(&rows, 0, C_DELETES) != 0;
	/* SQLite does not count what an INSTEAD OF trigger does. */
	view->counts_changes = view->dialect == SQL_POSTGRES || row_int(&rows, 0, C_IS_VIEW) == 0;
	return map_columns(view, &rows, setup);
}

/* ---- our side table ---- */

static const char side_script[] = //
	"CREATE TABLE " SIDE_TABLE " ("
	" user_id TEXT NOT NULL PRIMARY KEY,"
	" firstname TEXT, lastname TEXT, extensions TEXT,"
	" signin_count BIGINT NOT NULL DEFAULT 0, failed_signins BIGINT NOT NULL DEFAULT 0,"
	" created_at BIGINT NOT NULL DEFAULT 0, updated_at BIGINT NOT NULL DEFAULT 0,"
	" verified_at BIGINT NOT NULL DEFAULT 0, last_signin_at BIGINT NOT NULL DEFAULT 0,"
	" disabled_at BIGINT NOT NULL DEFAULT 0);";

static pt_err make_side_table(struct sql_conn *conn, pt_arena *arena)
{
	struct sql_rows rows;

	TRY(conn->driver->lock_name(conn, arena, PT_STR(SIDE_TABLE)));
	TRY(look(conn, arena, PT_STR(SIDE_TABLE), &rows));
	return rows.n_rows > 0 ? PT_OK : conn->driver->script(conn, arena, side_script);
}

/* ---- the queue of the other programs ---- */

static bool has_column(const struct view *view, const struct sql_rows *rows, const char *column)
{
	return find_column(view, rows, str(column)) < rows->n_rows;
}

/* An id that has no default, and that we can make. */
static bool needs_id(const struct view *view, const struct sql_rows *rows)
{
	size_t row = find_column(view, rows, PT_STR("id"));
	enum view_kind kind;

	if (row == rows->n_rows || row_int(rows, row, C_HAS_DEFAULT))
		return false;
	kind = kind_at(view, rows, row);
	return kind == VIEW_UUID || kind == VIEW_TEXT;
}

static void map_queue(struct view *view, const struct sql_rows *rows)
{
	size_t user = find_column(view, rows, PT_STR("user_id"));

	if (user == rows->n_rows || !row_int(rows, 0, C_INSERTS))
		return;
	view->queue = (struct view_queue){
		.there = has_column(view, rows, "event_type") &&
			 has_column(view, rows, "processed") &&
			 has_column(view, rows, "created_at"),
		.writes_id = needs_id(view, rows),
		.user = kind_at(view, rows, user),
	};
}

static pt_err look_for_queue(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct view *view = out;
	struct sql_rows rows;

	(void)in, (void)keep;
	TRY(look(conn, arena, PT_STR(IDENTORO_QUEUE), &rows));
	if (rows.n_rows == 0)
		return PT_E_NOT_FOUND;
	map_queue(view, &rows);
	return PT_OK;
}

static pt_err create_queue(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct sql_rows rows;

	const struct view *view = in;

	(void)out, (void)keep;
	TRY(conn->driver->lock_name(conn, arena, PT_STR(IDENTORO_QUEUE)));
	TRY(look(conn, arena, PT_STR(IDENTORO_QUEUE), &rows));
	if (rows.n_rows > 0)
		return PT_OK;
	return conn->driver->script(conn, arena,
		identoro_queue_script(
			conn->driver->dialect, view->columns[VIEW_ID].kind == VIEW_UUID));
}

/* A queue that cannot be had is no reason not to serve: its readers hear nothing, and we say so. */
static pt_err find_queue(struct sql_store *store, struct view *view, pt_arena *arena)
{
	const struct sql_driver *driver = store->driver;
	pt_err err = driver->read(store, look_for_queue, arena, NULL, view);

	if (err == PT_E_NOT_FOUND && driver->write(store, create_queue, arena, view, NULL) == PT_OK)
		err = driver->read(store, look_for_queue, arena, NULL, view);
	if (pt_is_fault(err))
		return err;
	if (!view->queue.there)
		log_say(LOG_WARN, "view.queue",
			"no events are written: the table %s is missing and cannot be created, or "
			"cannot "
			"be written to",
			IDENTORO_QUEUE);
	return PT_OK;
}

/* ---- the whole ---- */

static void log_map(const struct view *view)
{
	struct log_field told[VIEW_FIELDS + 1] = { F_CSTR("relation", view->relation) };

	for (enum view_field field = 0; field < VIEW_FIELDS; field++)
		told[field + 1] = F_CSTR(fields[field].label,
			view_has(view, field) ? view->columns[field].name : "(side table)");
	log_write(LOG_INFO, "view.mapped", told, VIEW_FIELDS + 1);
}

struct mapping {
	const struct view_setup *setup;
	struct view *view;
};

static pt_err act_map(struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct mapping *mapping = in;

	(void)out, (void)keep;
	TRY(map_relation(conn, arena, mapping->setup, mapping->view));
	return make_side_table(conn, arena);
}

pt_err view_map(struct sql_store *store, const struct view_setup *setup, struct view *view)
{
	const struct mapping mapping = { setup, view };

	TRY(store->driver->write(store, act_map, view->arena, &mapping, NULL));
	TRY(find_queue(store, view, view->arena));
	log_map(view);
	return PT_OK;
}

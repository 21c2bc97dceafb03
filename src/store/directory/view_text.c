/*
 * view_text.c - the statements of a view, written once from the map of its columns.
 *
 * On the users table there is no RETURNING, no ON CONFLICT and no volatile function: a view with rules
 * refuses the first two and may evaluate the third more than once. INSERT names every mapped column,
 * because defaults of a table behind a view do not apply. The side table is ours and knows no such
 * limits.
 *
 * A key is looked for first as it stands, which an ordinary index serves, and then folded, which
 * wants an index on lower(username) and lower(email) once the table is large.
 */
#include <assert.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "store/directory/identoro_tables.h"
#include "store/directory/view.h"

#include "base/banned.h"

#define SIDE "portress_identoro_ext"

/* pg_relation_is_updatable: 1 << CMD_DELETE is 16. */
const char *view_text_columns(enum sql_dialect dialect)
{
	if (dialect == SQL_POSTGRES)
		return "SELECT a.attname::text, COALESCE(b.typname, t.typname)::text,"
		       " c.oid::regclass::text,"
		       " (pg_catalog.pg_relation_is_updatable(c.oid, true) & 16) <> 0"
		       " AND pg_catalog.has_table_privilege(c.oid, 'DELETE'),"
		       " pg_catalog.has_table_privilege(c.oid, 'INSERT'), c.relkind = 'v',"
		       " a.atthasdef OR a.attidentity <> ''"
		       " FROM pg_catalog.pg_class c"
		       " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid"
		       " JOIN pg_catalog.pg_type t ON t.oid = a.atttypid"
		       " LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype"
		       " WHERE c.oid = pg_catalog.to_regclass(?1::text)"
		       " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
	return "SELECT i.name, i.type, s.name, s.type = 'table' OR EXISTS (SELECT 1 FROM "
	       "sqlite_schema t"
	       " WHERE t.type = 'trigger' AND t.tbl_name = s.name COLLATE NOCASE"
	       " AND t.sql LIKE '%INSTEAD OF DELETE%'), 1, s.type = 'view', i.dflt_value IS NOT "
	       "NULL"
	       " FROM sqlite_schema s, pragma_table_info(s.name) i"
	       " WHERE s.name = ?1 COLLATE NOCASE AND s.type IN ('table', 'view') ORDER BY i.cid";
}

/* ---- pieces ---- */

struct writer {
	const struct view *view;
	struct buf b;
	bool postgres;
};

static struct writer start(const struct view *view)
{
	return (struct writer){ view, BUF(view->arena, 8 * KIB), view->dialect == SQL_POSTGRES };
}

static void say(struct writer *w, const char *text)
{
	buf_str(&w->b, str(text));
}

static const char *name(const struct writer *w, enum view_field field)
{
	return w->view->columns[field].name;
}

/* A column as text, whatever it is. */
static void as_text(struct writer *w, const char *prefix, enum view_field field)
{
	if (w->postgres)
		buf_printf(&w->b, "%s%s::text", prefix, name(w, field));
	else
		buf_printf(&w->b, "CAST(%s%s AS TEXT)", prefix, name(w, field));
}

static void as_number(struct writer *w, const char *prefix, enum view_field field)
{
	if (w->postgres)
		buf_printf(&w->b, "%s%s::bigint", prefix, name(w, field));
	else
		buf_printf(&w->b, "%s%s", prefix, name(w, field));
}

/* The id is the parameter, which takes the column's type, so that the column's index is used. */
static void id_compares(struct writer *w, const char *prefix, const char *operator, int parameter)
{
	enum view_kind kind = w->view->columns[VIEW_ID].kind;

	if (kind == VIEW_OTHER)
		as_text(w, prefix, VIEW_ID);
	else
		buf_printf(&w->b, "%s%s", prefix, name(w, VIEW_ID));
	buf_printf(&w->b, " %s ?%d", operator, parameter);
	if (w->postgres && kind == VIEW_UUID)
		say(w, "::uuid");
	if (w->postgres && kind == VIEW_INT)
		say(w, "::bigint");
}

static void id_is(struct writer *w, int parameter)
{
	id_compares(w, "", "=", parameter);
}

/* The stored hash is the parameter; no hash is "". */
static void password_is(struct writer *w, int parameter)
{
	say(w, " AND COALESCE(");
	as_text(w, "", VIEW_PASSWORD);
	buf_printf(&w->b, ", '') = ?%d", parameter);
}

static void finish(struct writer *w, struct view *view, enum view_slot slot)
{
	pt_str text;

	/* A text that failed stays NULL, which view_texts_make sees. */
	if (buf_done(&w->b, &text) == PT_OK)
		view->texts[slot] = text.p;
}

/* ---- reading ---- */

static void column_or_side(struct writer *w, enum view_field field, const char *side)
{
	if (view_has(w->view, field))
		as_text(w, "u.", field);
	else
		buf_printf(&w->b, "x.%s", side);
	say(w, ", ");
}

static void number_or_side(struct writer *w, enum view_field field, const char *side)
{
	if (view_has(w->view, field))
		as_number(w, "u.", field);
	else
		buf_printf(&w->b, "x.%s", side);
	say(w, ", ");
}

static void created_at(struct writer *w)
{
	if (view_has(w->view, VIEW_CREATED_AT))
		buf_printf(&w->b, "u.%s", name(w, VIEW_CREATED_AT));
	else
		say(w, "x.created_at");
}

static void typed_and_folded(struct writer *w, enum view_field field)
{
	as_text(w, "u.", field);
	say(w, ", lower(");
	as_text(w, "u.", field);
	say(w, "), ");
}

/* In the order of row_account; see VIEW_C_VERIFIED. */
static void select_accounts(struct writer *w)
{
	say(w, "SELECT ");
	as_text(w, "u.", VIEW_ID);
	say(w, ", NULL, NULL, ");
	typed_and_folded(w, VIEW_USERNAME);
	typed_and_folded(w, VIEW_EMAIL);
	buf_printf(&w->b, "u.%s, NULL, NULL, NULL, ", name(w, VIEW_VERIFIED));
	column_or_side(w, VIEW_FIRSTNAME, "firstname");
	column_or_side(w, VIEW_LASTNAME, "lastname");
	say(w, "NULL, NULL, ");
	column_or_side(w, VIEW_EXTENSIONS, "extensions");
	created_at(w);
	say(w, ", x.updated_at, x.last_signin_at, x.disabled_at, ");
	number_or_side(w, VIEW_SIGNIN_COUNT, "signin_count");
	number_or_side(w, VIEW_FAILED_SIGNINS, "failed_signins");
	as_text(w, "u.", VIEW_PASSWORD);
	/* No place for an operator, a new address, and when letters were written. */
	say(w, ", 0, NULL, NULL, 0, 0, 0, 0");
	buf_printf(&w->b, ", x.verified_at FROM %s u LEFT JOIN " SIDE " x ON x.user_id = ",
		w->view->relation);
	as_text(w, "u.", VIEW_ID);
	say(w, " WHERE ");
}

/* Where two rows share a key, as tables without a unique index let them, the elder one has it. */
static void eldest(struct writer *w)
{
	say(w, " ORDER BY ");
	created_at(w);
	say(w, ", ");
	as_text(w, "u.", VIEW_ID);
	say(w, " LIMIT 1");
}

static void find_by_id(struct view *view)
{
	struct writer w = start(view);

	select_accounts(&w);
	id_compares(&w, "u.", "=", 1);
	finish(&w, view, VIEW_Q_BY_ID);
}

static void find_by_key(struct view *view, enum view_field field, enum view_slot exact)
{
	struct writer as_stands = start(view), folded = start(view);

	select_accounts(&as_stands);
	buf_printf(&as_stands.b, "u.%s = ?1", view->columns[field].name);
	eldest(&as_stands);
	finish(&as_stands, view, exact);

	select_accounts(&folded);
	say(&folded, "lower(");
	as_text(&folded, "u.", field);
	say(&folded, ") = ?1");
	eldest(&folded);
	finish(&folded, view, exact + 1);
}

/* Accounts that were removed where rows cannot be deleted have a hash that nothing fits. */
static void list(struct view *view, enum view_slot slot, bool from_start)
{
	struct writer w = start(view);

	select_accounts(&w);
	if (!from_start) {
		id_compares(&w, "u.", ">", 2);
		say(&w, " AND ");
	}
	say(&w, "COALESCE(");
	as_text(&w, "u.", VIEW_PASSWORD);
	say(&w, ", '') <> '!' ORDER BY ");
	if (view->columns[VIEW_ID].kind == VIEW_OTHER)
		as_text(&w, "u.", VIEW_ID);
	else
		buf_printf(&w.b, "u.%s", name(&w, VIEW_ID));
	say(&w, " LIMIT ?1");
	finish(&w, view, slot);
}

/* A key that is NULL meets nobody. */
static void is_taken(struct view *view)
{
	struct writer w = start(view);

	buf_printf(&w.b, "SELECT 1 FROM %s u WHERE lower(", view->relation);
	as_text(&w, "u.", VIEW_USERNAME);
	say(&w, ") = ?1 OR lower(");
	as_text(&w, "u.", VIEW_EMAIL);
	say(&w, ") = ?2 LIMIT 1");
	finish(&w, view, VIEW_Q_TAKEN);
}

static void count(struct view *view, enum view_slot slot)
{
	struct writer w = start(view);

	buf_printf(&w.b, "SELECT count(*) FROM %s WHERE ", view->relation);
	id_is(&w, 1);
	if (slot == VIEW_Q_COUNT_PASSWORD)
		password_is(&w, 2);
	if (slot == VIEW_Q_COUNT_TOKEN)
		buf_printf(&w.b, " AND %s = ?2", name(&w, VIEW_REFRESH_TOKEN));
	finish(&w, view, slot);
}

/* ---- writing ---- */

/* Parameters in the order of enum view_field, without those that are not written. */
static void insert(struct view *view)
{
	struct writer w = start(view);
	int parameter = 1;

	buf_printf(&w.b, "INSERT INTO %s (", view->relation);
	for (enum view_field field = 0; field < VIEW_FIELDS; field++) {
		if (!view_has(view, field) || (field == VIEW_ID && !view_writes_id(view)))
			continue;
		buf_printf(&w.b, "%s%s", parameter++ > 1 ? ", " : "", name(&w, field));
	}
	say(&w, ") VALUES (");
	for (int i = 1; i < parameter; i++)
		buf_printf(&w.b, "%s?%d", i > 1 ? ", " : "", i);
	say(&w, ")");
	finish(&w, view, VIEW_Q_INSERT);
}

static struct writer start_update(const struct view *view)
{
	struct writer w = start(view);

	buf_printf(&w.b, "UPDATE %s SET ", view->relation);
	return w;
}

static void finish_update(
	struct writer *w, struct view *view, enum view_slot slot, bool if_password)
{
	say(w, " WHERE ");
	id_is(w, 1);
	if (if_password)
		password_is(w, 2);
	finish(w, view, slot);
}

static const char *truth(const struct writer *w, bool value)
{
	if (w->postgres && w->view->columns[VIEW_VERIFIED].kind == VIEW_BOOL)
		return value ? "true" : "false";
	return value ? "1" : "0";
}

static void set_password(struct view *view, bool verified)
{
	struct writer w = start_update(view);

	buf_printf(&w.b, "%s = ?3", name(&w, VIEW_PASSWORD));
	if (verified)
		buf_printf(&w.b, ", %s = %s", name(&w, VIEW_VERIFIED), truth(&w, true));
	finish_update(&w, view, verified ? VIEW_Q_PASSWORD_VERIFIED : VIEW_Q_PASSWORD, true);
}

static void set_verified(struct view *view)
{
	struct writer w = start_update(view);

	buf_printf(&w.b, "%s = ?2", name(&w, VIEW_VERIFIED));
	finish_update(&w, view, VIEW_Q_VERIFIED, false);
}

/* Changes nothing: it waits for who else writes the row, and makes others wait. */
static void touch(struct view *view)
{
	struct writer w = start_update(view);

	buf_printf(&w.b, "%s = %s", name(&w, VIEW_PASSWORD), name(&w, VIEW_PASSWORD));
	finish_update(&w, view, VIEW_Q_TOUCH, false);
}

static void one_more(struct writer *w, enum view_field field)
{
	buf_printf(&w->b, "%s = COALESCE(%s, 0) + 1", name(w, field), name(w, field));
}

static void signed_in(struct view *view)
{
	struct writer w = start_update(view);

	if (view_has(view, VIEW_SIGNIN_COUNT))
		one_more(&w, VIEW_SIGNIN_COUNT);
	else
		buf_printf(&w.b, "%s = %s", name(&w, VIEW_PASSWORD), name(&w, VIEW_PASSWORD));
	if (view_has(view, VIEW_FAILED_SIGNINS))
		buf_printf(&w.b, ", %s = 0", name(&w, VIEW_FAILED_SIGNINS));
	finish_update(&w, view, VIEW_Q_SIGNED_IN, true);
}

static void failed(struct view *view)
{
	struct writer w = start_update(view);

	one_more(&w, VIEW_FAILED_SIGNINS);
	finish_update(&w, view, VIEW_Q_FAILED, false);
}

static void take_token(struct view *view)
{
	struct writer w = start_update(view);

	buf_printf(&w.b, "%s = '' WHERE ", name(&w, VIEW_REFRESH_TOKEN));
	id_is(&w, 1);
	buf_printf(&w.b, " AND %s = ?2", name(&w, VIEW_REFRESH_TOKEN));
	finish(&w, view, VIEW_Q_TOKEN);
}

static void delete_row(struct view *view)
{
	struct writer w = start(view);

	buf_printf(&w.b, "DELETE FROM %s WHERE ", view->relation);
	id_is(&w, 1);
	finish(&w, view, VIEW_Q_DELETE);
}

static void clear(struct writer *w, enum view_field field)
{
	if (view_has(w->view, field))
		buf_printf(&w->b, ", %s = ''", name(w, field));
}

/* ?2 and ?3: a name and an address that nobody has. */
static void anonymise(struct view *view)
{
	struct writer w = start_update(view);

	buf_printf(&w.b, "%s = ?2, %s = ?3, %s = '!', %s = %s", name(&w, VIEW_USERNAME),
		name(&w, VIEW_EMAIL), name(&w, VIEW_PASSWORD), name(&w, VIEW_VERIFIED),
		truth(&w, false));
	clear(&w, VIEW_FIRSTNAME);
	clear(&w, VIEW_LASTNAME);
	clear(&w, VIEW_REFRESH_TOKEN);
	if (view_has(view, VIEW_EXTENSIONS))
		buf_printf(&w.b, ", %s = 'null'", name(&w, VIEW_EXTENSIONS));
	finish_update(&w, view, VIEW_Q_ANONYMISE, false);
}

static void announce(struct view *view)
{
	struct writer w = start(view);

	say(&w, "INSERT INTO " IDENTORO_QUEUE " (user_id, event_type, processed, created_at");
	say(&w, view->queue.writes_id ? ", id) VALUES (?1, ?2, " : ") VALUES (?1, ?2, ");
	say(&w, w.postgres ? "false" : "0");
	say(&w, view->queue.writes_id ? ", ?3, ?4)" : ", ?3)");
	finish(&w, view, VIEW_Q_ANNOUNCE);
}

/* ---- our own table, and transactions ---- */

static const struct {
	enum view_slot slot;
	const char *text;
} constant[] = {
	{ VIEW_Q_SIDE_JOIN, "INSERT INTO " SIDE " (user_id, firstname, lastname, extensions,"
			    " signin_count, failed_signins, created_at, updated_at, verified_at)"
			    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
			    " ON CONFLICT (user_id) DO UPDATE SET firstname = excluded.firstname,"
			    " lastname = excluded.lastname, extensions = excluded.extensions,"
			    " signin_count = excluded.signin_count,"
			    " failed_signins = excluded.failed_signins,"
			    " created_at = excluded.created_at, updated_at = excluded.updated_at,"
			    " verified_at = excluded.verified_at, last_signin_at = 0,"
			    " disabled_at = 0" },
	{ VIEW_Q_SIDE_SIGNED_IN, "INSERT INTO " SIDE " (user_id, last_signin_at, signin_count)"
				 " VALUES (?1, ?2, 1) ON CONFLICT (user_id) DO UPDATE SET"
				 " last_signin_at = excluded.last_signin_at,"
				 " signin_count = " SIDE ".signin_count + 1, failed_signins = 0"
				 " RETURNING disabled_at" },
	{ VIEW_Q_SIDE_FAILED, "INSERT INTO " SIDE " (user_id, failed_signins) VALUES (?1, 1)"
			      " ON CONFLICT (user_id) DO UPDATE SET"
			      " failed_signins = " SIDE ".failed_signins + 1" },
	{ VIEW_Q_SIDE_VERIFIED, "INSERT INTO " SIDE " (user_id, verified_at, updated_at)"
				" VALUES (?1, ?2, ?3) ON CONFLICT (user_id) DO UPDATE SET"
				" verified_at = CASE WHEN excluded.verified_at = 0 THEN 0"
				" WHEN " SIDE ".verified_at > 0 THEN " SIDE ".verified_at"
				" ELSE excluded.verified_at END,"
				" updated_at = excluded.updated_at" },
	{ VIEW_Q_SIDE_DISABLED, "INSERT INTO " SIDE " (user_id, disabled_at, updated_at)"
				" VALUES (?1, ?2, ?3) ON CONFLICT (user_id) DO UPDATE SET"
				" disabled_at = CASE WHEN excluded.disabled_at = 0 THEN 0"
				" WHEN " SIDE ".disabled_at > 0 THEN " SIDE ".disabled_at"
				" ELSE excluded.disabled_at END,"
				" updated_at = excluded.updated_at" },
	{ VIEW_Q_SIDE_DELETE, "DELETE FROM " SIDE " WHERE user_id = ?1" },
	{ VIEW_Q_SAVEPOINT, "SAVEPOINT view_step" },
	{ VIEW_Q_RELEASE, "RELEASE SAVEPOINT view_step" },
	{ VIEW_Q_ROLLBACK_TO, "ROLLBACK TO SAVEPOINT view_step" },
};

static void write_constant(struct view *view)
{
	for (size_t i = 0; i < sizeof(constant) / sizeof(constant[0]); i++)
		view->texts[constant[i].slot] = constant[i].text;
}

static void write_for_columns(struct view *view)
{
	find_by_id(view);
	find_by_key(view, VIEW_USERNAME, VIEW_Q_BY_NAME);
	find_by_key(view, VIEW_EMAIL, VIEW_Q_BY_EMAIL);
	list(view, VIEW_Q_LIST_FIRST, true);
	list(view, VIEW_Q_LIST_AFTER, false);
	is_taken(view);
	count(view, VIEW_Q_COUNT_ID);
	count(view, VIEW_Q_COUNT_PASSWORD);
	insert(view);
	set_password(view, false);
	set_password(view, true);
	set_verified(view);
	touch(view);
	signed_in(view);
	delete_row(view);
	anonymise(view);
}

/* False: this table cannot have it, and nobody runs it. */
static bool has_text(const struct view *view, enum view_slot slot)
{
	if (slot == VIEW_Q_TOKEN || slot == VIEW_Q_COUNT_TOKEN)
		return view_has(view, VIEW_REFRESH_TOKEN);
	if (slot == VIEW_Q_FAILED)
		return view_has(view, VIEW_FAILED_SIGNINS);
	return true;
}

static_assert((int)VIEW_QS <= (int)SQL_DYNAMIC, "each text has a slot");

pt_err view_texts_make(struct view *view)
{
	view->texts[VIEW_Q_COLUMNS] = view_text_columns(view->dialect);
	write_constant(view);
	write_for_columns(view);
	announce(view);
	if (has_text(view, VIEW_Q_FAILED))
		failed(view);
	if (has_text(view, VIEW_Q_TOKEN)) {
		take_token(view);
		count(view, VIEW_Q_COUNT_TOKEN);
	}
	for (enum view_slot slot = 0; slot < VIEW_QS; slot++) {
		if (!view->texts[slot] && has_text(view, slot))
			return fault(PT_F_MEMORY, "no memory for the statements of a view");
	}
	return PT_OK;
}

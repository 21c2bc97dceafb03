/*
 * view.c - accounts in a users table that belongs to somebody else.
 *
 * Other programs read and write the same rows while we do, so:
 *
 * (1) What a row must still say when it is changed stands in the UPDATE: the id, the hash that was seen.
 * (2) Two sign-ups for one name are ordered by lock_name on the folded name and address, because
 *     there may be no unique index; a unique index that is there, and hit, says the same.
 * (3) The row that INSERT made is read again by name: a view may have given it another id.
 * (4) Any column may be NULL.
 * (5) Disabled is ours alone and stands in the side table. Signing in and disabling both write the
 *     users row first, so one of them waits for the other and sees what it did.
 *
 * The table wants a name and an address of everybody, and may want them unique. Who has none gets a
 * UUID for a name and UUID@invalid for an address, and we show neither.
 *
 * An account that cannot be deleted is anonymised: it keeps its row, under a name and an address that
 * nobody has, and a hash ('!') that no password fits. It is as good as gone: nothing finds it.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "base/random.h"
#include "base/str.h"
#include "store/directory/identoro_tables.h"
#include "store/directory/view.h"
#include "store/sql/drivers_internal.h"
#include "store/sql/moment.h"
#include "store/sql/row.h"

#include "base/banned.h"

#define NOBODYS_HASH "!"
#define NOBODYS_MAIL "@invalid"

/* ---- running the texts ---- */

static const struct view *view_of(const struct sql_conn *conn)
{
	return conn->store->directory_ctx;
}

static pt_err run_values(struct sql_conn *conn, pt_arena *arena, enum view_slot slot,
	struct sql_rows *rows, const struct sql_value *values, size_t n)
{
	return conn->driver->run_text(
		conn, arena, slot, view_of(conn)->texts[slot], values, n, rows);
}

/* VRUN(conn, arena, VIEW_Q_TAKEN, &rows, values...) */
#define VRUN(conn_, arena_, slot_, rows_, ...)                                                     \
	run_values((conn_), (arena_), (slot_), (rows_), (const struct sql_value[]){ __VA_ARGS__ }, \
		sizeof((const struct sql_value[]){ __VA_ARGS__ }) / sizeof(struct sql_value))

/* ---- ids ---- */

static bool is_uuid(pt_str text)
{
	if (text.n != 36)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char c = ascii_lower(text.p[i]);
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? c != '-' : !(ascii_digit(c) || (c >= 'a' && c <= 'f')))
			return false;
	}
	return true;
}

/* An id as its column wants it. False: no row of such a column can have it. */
static bool id_fits(enum view_kind kind, pt_str text, struct sql_value *out)
{
	int64_t number;

	*out = sql_text(text);
	if (text.n == 0)
		return false;
	if (kind == VIEW_UUID)
		return is_uuid(text);
	if (kind != VIEW_INT)
		return true;
	if (!str_int(text, INT64_MIN, INT64_MAX, &number))
		return false;
	*out = sql_int(number);
	return true;
}

static bool id_value(const struct sql_conn *conn, const struct pt_id *id, struct sql_value *out)
{
	return id_fits(view_of(conn)->columns[VIEW_ID].kind, id_text(id), out);
}

/* ---- reading ---- */

/* A moment as the table has it: a timestamp that the driver understood, seconds in a column of
 * integers, or text. */
static pt_time created_at(const struct view *view, const struct sql_value *value)
{
	pt_time time = 0;

	if (value->type == SQL_TEXT)
		return moment_parse(str_trim(value->bytes), &time) ? time : 0;
	if (value->type != SQL_INT)
		return 0;
	if (view->dialect == SQL_POSTGRES && view->columns[VIEW_CREATED_AT].kind == VIEW_MOMENT)
		return value->number;
	/* From our own side table, where times are microseconds. */
	if (!view_has(view, VIEW_CREATED_AT))
		return value->number;
	return __builtin_mul_overflow(value->number, PT_SECOND, &time) ? 0 : time;
}

static bool is_true(const struct sql_value *value)
{
	if (value->type == SQL_INT)
		return value->number != 0;
	return value->type == SQL_TEXT && (str_eq_nocase(value->bytes, PT_STR("true")) ||
						  str_eq_nocase(value->bytes, PT_STR("t")));
}

/* When it was verified if that is known, or else that it was. */
static pt_time verified_at(const struct sql_rows *rows, size_t row, pt_time created)
{
	pt_time known = row_int(rows, row, VIEW_C_SIDE_VERIFIED_AT);

	if (!is_true(sql_at(rows, row, VIEW_C_VERIFIED)))
		return 0;
	if (known > 0)
		return known;
	return created > 0 ? created : 1;
}

static struct pt_account_record record_at(
	const struct view *view, const struct sql_rows *rows, size_t row)
{
	struct pt_account_record record = row_account(rows, row, 0);
	struct pt_account *account = &record.account;

	account->created_at = created_at(view, sql_at(rows, row, VIEW_C_CREATED_AT));
	account->email_verified_at = verified_at(rows, row, account->created_at);
	if (account->updated_at == 0)
		account->updated_at = account->created_at;
	return record;
}

static bool is_nobody(const struct pt_account_record *record)
{
	return str_eq(record->password, PT_STR(NOBODYS_HASH)) &&
	       str_ends(record->account.email, PT_STR(NOBODYS_MAIL));
}

static bool is_stand_in(pt_str text, const char *end)
{
	return str_ends(text, str(end)) && is_uuid(str_slice(text, 0, text.n - str(end).n));
}

static void hide_stand_ins(struct pt_account *account)
{
	if (is_stand_in(account->username, ""))
		account->username = account->username_key = (pt_str){ 0 };
	if (is_stand_in(account->email, NOBODYS_MAIL))
		account->email = account->email_key = (pt_str){ 0 };
}

static pt_err first_of(
	const struct view *view, const struct sql_rows *rows, struct pt_account_record *out)
{
	struct pt_account_record record;

	if (rows->n_rows == 0)
		return PT_E_NOT_FOUND;
	record = record_at(view, rows, 0);
	if (is_nobody(&record))
		return PT_E_NOT_FOUND;
	hide_stand_ins(&record.account);
	*out = record;
	return PT_OK;
}

static pt_err find_by_id(
	struct sql_conn *conn, pt_arena *arena, pt_str key, struct pt_account_record *out)
{
	struct sql_value id;
	struct sql_rows rows;

	if (!id_fits(view_of(conn)->columns[VIEW_ID].kind, key, &id))
		return PT_E_NOT_FOUND;
	TRY(VRUN(conn, arena, VIEW_Q_BY_ID, &rows, id));
	return first_of(view_of(conn), &rows, out);
}

/* As it stands, which is quick, and then in whatever case another program wrote it. */
static pt_err find_by_key(struct sql_conn *conn, pt_arena *arena, enum view_slot exact, pt_str key,
	struct pt_account_record *out)
{
	struct sql_rows rows;

	if (key.n == 0)
		return PT_E_NOT_FOUND;
	TRY(VRUN(conn, arena, exact, &rows, sql_text(key)));
	if (rows.n_rows == 0)
		TRY(VRUN(conn, arena, exact + 1, &rows, sql_text(key)));
	return first_of(view_of(conn), &rows, out);
}

static pt_err view_find(struct sql_conn *conn, pt_arena *arena,
	const struct pt_account_query *query, struct pt_account_record *out)
{
	switch (query->by) {
	case PT_BY_ID:
		return find_by_id(conn, arena, query->key, out);
	case PT_BY_USERNAME:
		return find_by_key(conn, arena, VIEW_Q_BY_NAME, query->key, out);
	case PT_BY_EMAIL:
		return find_by_key(conn, arena, VIEW_Q_BY_EMAIL, query->key, out);
	case PT_BY_IDENTITY:
		break;
	}
	return fault(PT_F_BUG, "view: no such key");
}

static pt_err list_rows(struct sql_conn *conn, pt_arena *arena, const struct pt_account_list *query,
	struct sql_rows *rows)
{
	struct sql_value max = sql_int((int64_t)query->max), after;

	if (query->after.n == 0)
		return VRUN(conn, arena, VIEW_Q_LIST_FIRST, rows, max);
	if (!id_fits(view_of(conn)->columns[VIEW_ID].kind, query->after, &after)) {
		*rows = (struct sql_rows){ 0 };
		return PT_OK;
	}
	return VRUN(conn, arena, VIEW_Q_LIST_AFTER, rows, max, after);
}

static pt_err view_list(struct sql_conn *conn, pt_arena *arena, const struct pt_account_list *query,
	struct pt_account **out, size_t *n)
{
	struct pt_account *accounts;
	struct sql_rows rows;

	TRY(list_rows(conn, arena, query, &rows));
	accounts = ARENA_ARRAY(arena, struct pt_account, rows.n_rows);
	if (!accounts)
		return fault(PT_F_MEMORY, "list of accounts");
	for (size_t i = 0; i < rows.n_rows; i++) {
		accounts[i] = record_at(view_of(conn), &rows, i).account;
		hide_stand_ins(&accounts[i]);
	}
	*out = accounts;
	*n = rows.n_rows;
	return PT_OK;
}

/* ---- creating ---- */

static pt_err lock_key(struct sql_conn *conn, pt_arena *arena, const char *what, pt_str key)
{
	struct buf b = BUF(arena, KIB);
	pt_str name;

	if (key.n == 0)
		return PT_OK;
	buf_str(&b, str(what));
	buf_str(&b, key);
	TRY(buf_done(&b, &name));
	return conn->driver->lock_name(conn, arena, name);
}

/* Always the name before the address, so that two who want the same both ways do not wait for each
 * other. */
static pt_err claim_keys(struct sql_conn *conn, pt_arena *arena, const struct pt_account *account)
{
	struct sql_rows rows;

	TRY(lock_key(conn, arena, "username:", account->username_key));
	TRY(lock_key(conn, arena, "email:", account->email_key));
	TRY(VRUN(conn, arena, VIEW_Q_TAKEN, &rows, sql_text_or_null(account->username_key),
		sql_text_or_null(account->email_key)));
	return rows.n_rows > 0 ? PT_E_TAKEN : PT_OK;
}

static pt_err spell_moment(pt_arena *arena, pt_time time, struct sql_value *out)
{
	struct buf b = BUF(arena, 64);
	pt_str text;

	moment_format(&b, time);
	TRY(buf_done(&b, &text));
	*out = sql_text(text);
	return PT_OK;
}

static pt_err moment_value(
	const struct view *view, pt_arena *arena, pt_time time, struct sql_value *out)
{
	if (view->columns[VIEW_CREATED_AT].kind != VIEW_INT)
		return spell_moment(arena, time, out);
	*out = sql_int(time / PT_SECOND);
	return PT_OK;
}

static pt_err address_of_nobody(pt_arena *arena, const struct pt_id *id, pt_str *out)
{
	struct buf b = BUF(arena, 128);

	buf_str(&b, id_text(id));
	buf_str(&b, PT_STR(NOBODYS_MAIL));
	return buf_done(&b, out);
}

/* Gives a stand-in to who has no name or no address: made of a new UUID, for the id may be none. */
static pt_err stand_in(pt_arena *arena, struct pt_account *account)
{
	struct pt_id unique;

	TRY(random_id(account->created_at, &unique));
	if (account->email.n == 0)
		TRY(address_of_nobody(arena, &unique, &account->email));
	if (account->username.n == 0 && !arena_str(arena, id_text(&unique), &account->username))
		return fault(PT_F_MEMORY, "no memory for a name");
	return PT_OK;
}

/* One value for each field; those of fields that the table lacks are not used. */
static pt_err spell_account(const struct view *view, pt_arena *arena,
	const struct pt_account *account, pt_str password, const struct pt_id *id,
	struct sql_value values[VIEW_FIELDS])
{
	pt_str extensions = account->extensions.n ? account->extensions : PT_STR("null");

	values[VIEW_ID] = sql_id(id);
	values[VIEW_USERNAME] = sql_text(account->username);
	values[VIEW_PASSWORD] = sql_text(password);
	/* In lower case, as the table's other programs write and look it up. */
	values[VIEW_EMAIL] = sql_text(account->email_key.n ? account->email_key : account->email);
	values[VIEW_VERIFIED] = sql_int(account->email_verified_at != 0);
	values[VIEW_FIRSTNAME] = sql_text(account->given_name);
	values[VIEW_LASTNAME] = sql_text(account->family_name);
	values[VIEW_SIGNIN_COUNT] = sql_int(account->signin_count);
	values[VIEW_FAILED_SIGNINS] = sql_int(account->failed_signins);
	values[VIEW_REFRESH_TOKEN] = sql_text(PT_STR(""));
	values[VIEW_EXTENSIONS] = sql_text(extensions);
	return moment_value(view, arena, account->created_at, &values[VIEW_CREATED_AT]);
}

/* In PostgreSQL a statement that broke a rule must be undone before the act can go on; SQLite does
 * so by itself. */
static pt_err begin_step(struct sql_conn *conn, pt_arena *arena)
{
	if (view_of(conn)->dialect != SQL_POSTGRES)
		return PT_OK;
	return run_values(conn, arena, VIEW_Q_SAVEPOINT, NULL, NULL, 0);
}

static pt_err end_step(struct sql_conn *conn, pt_arena *arena, pt_err err)
{
	if (view_of(conn)->dialect != SQL_POSTGRES || pt_is_fault(err))
		return err;
	if (err != PT_OK)
		TRY(run_values(conn, arena, VIEW_Q_ROLLBACK_TO, NULL, NULL, 0));
	TRY(run_values(conn, arena, VIEW_Q_RELEASE, NULL, NULL, 0));
	return err;
}

/* A unique index of theirs may be hit by a program that takes no locks of ours. */
static pt_err insert_row(struct sql_conn *conn, pt_arena *arena, const struct sql_value *all)
{
	const struct view *view = view_of(conn);
	struct sql_value values[VIEW_FIELDS];
	size_t n = 0;

	for (enum view_field field = 0; field < VIEW_FIELDS; field++) {
		if (view_has(view, field) && (field != VIEW_ID || view_writes_id(view)))
			values[n++] = all[field];
	}
	TRY(begin_step(conn, arena));
	return end_step(conn, arena, run_values(conn, arena, VIEW_Q_INSERT, NULL, values, n));
}

/* Promise (3). A trigger of theirs may have folded the name. */
static pt_err read_again(
	struct sql_conn *conn, pt_arena *arena, const struct pt_account *account, struct pt_id *id)
{
	struct pt_account_record record;
	pt_err err = find_by_key(conn, arena, VIEW_Q_BY_NAME, account->username, &record);

	if (err == PT_E_NOT_FOUND)
		err = find_by_key(conn, arena, VIEW_Q_BY_NAME, account->username_key, &record);
	if (err == PT_E_NOT_FOUND)
		return fault(PT_F_STORE,
			"the view %s does not show the row that was inserted into it",
			view_of(conn)->relation);
	TRY(err);
	*id = record.account.id;
	return PT_OK;
}

/* What the table has no room for, and exact times. */
static pt_err side_join(struct sql_conn *conn, pt_arena *arena, const struct pt_account *account,
	const struct pt_id *id)
{
	return VRUN(conn, arena, VIEW_Q_SIDE_JOIN, NULL, sql_id(id),
		sql_text_or_null(account->given_name), sql_text_or_null(account->family_name),
		sql_text_or_null(account->extensions), sql_int(account->signin_count),
		sql_int(account->failed_signins), sql_int(account->created_at),
		sql_int(account->updated_at), sql_int(account->email_verified_at));
}

static pt_err view_create(struct sql_conn *conn, pt_arena *arena, const struct pt_account *account,
	pt_str password, struct pt_id *id)
{
	struct pt_account named = *account;
	struct sql_value values[VIEW_FIELDS];
	struct pt_id own = account->id;

	TRY(claim_keys(conn, arena, account));
	if (own.text[0] == '\0')
		TRY(random_id(account->created_at, &own));
	TRY(stand_in(arena, &named));
	TRY(spell_account(view_of(conn), arena, &named, password, &own, values));
	TRY(insert_row(conn, arena, values));
	TRY(read_again(conn, arena, &named, &own));
	TRY(side_join(conn, arena, account, &own));
	*id = own;
	return PT_OK;
}

/* ---- changing ---- */

/* How many rows an UPDATE or DELETE meets, where the driver cannot tell afterwards: asked before, by a
 * statement with the same condition, whose values are the first ones. */
static pt_err count_first(struct sql_conn *conn, pt_arena *arena, enum view_slot counts,
	const struct sql_value *values, size_t n, int64_t *changed)
{
	struct sql_rows rows;

	TRY(run_values(conn, arena, counts, &rows, values, n));
	*changed = row_int(&rows, 0, 0);
	return PT_OK;
}

/* A change of one row, as `counts` (a statement of n_condition values) would find it. *changed is 0 or
 * 1: an id that names two rows is a fault, and the act changes none. */
static pt_err change_row(struct sql_conn *conn, pt_arena *arena, enum view_slot slot,
	enum view_slot counts, const struct sql_value *values, size_t n, size_t n_condition,
	int64_t *changed)
{
	const struct view *view = view_of(conn);
	struct sql_rows rows;

	if (!view->counts_changes)
		TRY(count_first(conn, arena, counts, values, n_condition, changed));
	TRY(run_values(conn, arena, slot, &rows, values, n));
	if (view->counts_changes)
		*changed = rows.changed;
	if (*changed > 1)
		return fault(PT_F_STORE, "the view %s shows one id in more than one row",
			view->relation);
	return PT_OK;
}

#define CHANGE(conn_, arena_, slot_, counts_, n_condition_, changed_, ...)                    \
	change_row((conn_), (arena_), (slot_), (counts_),                                     \
		(const struct sql_value[]){ __VA_ARGS__ },                                    \
		sizeof((const struct sql_value[]){ __VA_ARGS__ }) / sizeof(struct sql_value), \
		(n_condition_), (changed_))

static pt_err vanished(struct sql_conn *conn)
{
	return fault(
		PT_F_STORE, "a row of %s vanished while it was changed", view_of(conn)->relation);
}

static pt_err side_verified(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, pt_time at, pt_time now)
{
	return VRUN(conn, arena, VIEW_Q_SIDE_VERIFIED, NULL, sql_id(id), sql_int(at), sql_int(now));
}

static pt_err view_set_password(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id,
	pt_str seen, pt_str password, bool verified, pt_time now)
{
	enum view_slot slot = verified ? VIEW_Q_PASSWORD_VERIFIED : VIEW_Q_PASSWORD;
	struct sql_value own;
	int64_t changed;

	if (!id_value(conn, id, &own))
		return PT_E_CREDENTIALS;
	TRY(CHANGE(conn, arena, slot, VIEW_Q_COUNT_PASSWORD, 2, &changed, own, sql_text(seen),
		sql_text(password)));
	if (changed == 0)
		return PT_E_CREDENTIALS;
	return verified ? side_verified(conn, arena, id, now, now) : PT_OK;
}

static pt_err change_verified(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, bool verified, pt_time now)
{
	struct sql_value own;
	int64_t changed;

	if (!id_value(conn, id, &own))
		return vanished(conn);
	TRY(CHANGE(conn, arena, VIEW_Q_VERIFIED, VIEW_Q_COUNT_ID, 1, &changed, own,
		sql_int(verified)));
	if (changed == 0)
		return vanished(conn);
	return side_verified(conn, arena, id, verified ? now : 0, now);
}

static pt_err view_set_verified(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, pt_time now)
{
	return change_verified(conn, arena, id, true, now);
}

/* Promise (5). */
static pt_err view_hold(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id,
	struct pt_account_record *out)
{
	struct sql_value own;
	int64_t changed;

	if (!id_value(conn, id, &own))
		return PT_E_NOT_FOUND;
	TRY(CHANGE(conn, arena, VIEW_Q_TOUCH, VIEW_Q_COUNT_ID, 1, &changed, own));
	return changed > 0 ? find_by_id(conn, arena, id_text(id), out) : PT_E_NOT_FOUND;
}

static pt_err change_disabled(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, bool disabled, pt_time now)
{
	return VRUN(conn, arena, VIEW_Q_SIDE_DISABLED, NULL, sql_id(id),
		sql_int(disabled ? now : 0), sql_int(now));
}

/* *disabled_at: as the side table has it. */
static pt_err count_signin(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id,
	pt_str seen, pt_time now, pt_time *disabled_at)
{
	struct sql_value own;
	struct sql_rows side;
	int64_t changed;

	if (!id_value(conn, id, &own))
		return PT_E_CREDENTIALS;
	TRY(CHANGE(conn, arena, VIEW_Q_SIGNED_IN, VIEW_Q_COUNT_PASSWORD, 2, &changed, own,
		sql_text(seen)));
	if (changed == 0)
		return PT_E_CREDENTIALS;
	TRY(VRUN(conn, arena, VIEW_Q_SIDE_SIGNED_IN, &side, sql_id(id), sql_int(now)));
	*disabled_at = row_int(&side, 0, 0);
	return PT_OK;
}

static pt_err view_signed_in(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, pt_str seen, pt_time now)
{
	pt_time disabled_at;

	TRY(count_signin(conn, arena, id, seen, now, &disabled_at));
	return disabled_at == 0 ? PT_OK : PT_E_CREDENTIALS;
}

/* The table knows passwords and whether an address is confirmed; the side table, who is switched off
 * and who signed in when. */
static bool has_place(const struct pt_amend *amend)
{
	return !amend->has_email && !amend->has_role && !amend->has_super_admin &&
	       (!amend->has_new_email || amend->new_email_key.n == 0) &&
	       amend->app_metadata.change == PT_METADATA_KEEP &&
	       amend->user_metadata.change == PT_METADATA_KEEP && amend->invited_at == 0 &&
	       amend->confirm_sent_at == 0 && amend->recover_sent_at == 0 &&
	       amend->email_change_sent_at == 0;
}

static pt_err amend_fields(struct sql_conn *conn, pt_arena *arena, const struct pt_amend *amend,
	const struct pt_account_record *held)
{
	const struct pt_id *id = &held->account.id;
	pt_time disabled_at;

	if (amend->signed_in)
		TRY(count_signin(conn, arena, id, held->password, amend->now, &disabled_at));
	if (amend->has_password)
		TRY(view_set_password(
			conn, arena, id, held->password, amend->password, false, amend->now));
	if (amend->has_verified)
		TRY(change_verified(conn, arena, id, amend->verified, amend->now));
	if (amend->has_disabled)
		TRY(change_disabled(conn, arena, id, amend->disabled, amend->now));
	return PT_OK;
}

static pt_err view_amend(struct sql_conn *conn, pt_arena *arena, const struct pt_amend *amend,
	struct pt_account_record *record)
{
	pt_err err;

	if (!has_place(amend))
		return fault(PT_F_CONFIG, "%s has no place for what is to change",
			view_of(conn)->relation);
	err = amend_fields(conn, arena, amend, record);
	if (err == PT_E_CREDENTIALS)
		return vanished(conn);
	TRY(err);
	return find_by_id(conn, arena, id_text(&amend->account), record);
}

static pt_err view_failed(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id)
{
	struct sql_value own;
	int64_t changed;

	if (!id_value(conn, id, &own))
		return PT_OK;
	if (view_has(view_of(conn), VIEW_FAILED_SIGNINS))
		return CHANGE(conn, arena, VIEW_Q_FAILED, VIEW_Q_COUNT_ID, 1, &changed, own);
	/* An account that is gone gets no row of ours. */
	TRY(count_first(conn, arena, VIEW_Q_COUNT_ID, &own, 1, &changed));
	return changed ? VRUN(conn, arena, VIEW_Q_SIDE_FAILED, NULL, sql_id(id)) : PT_OK;
}

static pt_err view_take_foreign_token(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, pt_str token)
{
	struct sql_value own;
	int64_t changed;

	if (token.n == 0 || !id_value(conn, id, &own))
		return PT_E_REFRESH;
	TRY(CHANGE(
		conn, arena, VIEW_Q_TOKEN, VIEW_Q_COUNT_TOKEN, 2, &changed, own, sql_text(token)));
	return changed == 1 ? PT_OK : PT_E_REFRESH;
}

/* ---- removing ---- */

/* PT_E_TAKEN: other tables of theirs refer to the row. */
static pt_err delete_row(
	struct sql_conn *conn, pt_arena *arena, struct sql_value own, int64_t *changed)
{
	TRY(begin_step(conn, arena));
	return end_step(
		conn, arena, CHANGE(conn, arena, VIEW_Q_DELETE, VIEW_Q_COUNT_ID, 1, changed, own));
}

static pt_err anonymise(struct sql_conn *conn, pt_arena *arena, const struct pt_id *id,
	struct sql_value own, int64_t *changed)
{
	struct buf name = BUF(arena, 64);
	uint8_t random[8];
	pt_str name_text, mail_text;

	TRY(random_fill(random, sizeof(random)));
	buf_str(&name, PT_STR("deleted_"));
	buf_hex(&name, random, sizeof(random));
	TRY(buf_done(&name, &name_text));
	TRY(address_of_nobody(arena, id, &mail_text));
	return CHANGE(conn, arena, VIEW_Q_ANONYMISE, VIEW_Q_COUNT_ID, 1, changed, own,
		sql_text(name_text), sql_text(mail_text));
}

static pt_err view_remove(
	struct sql_conn *conn, pt_arena *arena, const struct pt_id *id, pt_time now)
{
	struct pt_account_record record;
	struct sql_value own;
	int64_t changed;
	pt_err err = PT_E_TAKEN;

	(void)now;
	TRY(find_by_id(conn, arena, id_text(id), &record));
	if (!id_value(conn, id, &own))
		return PT_E_NOT_FOUND;
	if (view_of(conn)->deletes)
		err = delete_row(conn, arena, own, &changed);
	if (err == PT_E_TAKEN)
		err = anonymise(conn, arena, id, own, &changed);
	TRY(err);
	if (changed == 0)
		return PT_E_NOT_FOUND;
	return VRUN(conn, arena, VIEW_Q_SIDE_DELETE, NULL, sql_id(id));
}

/* ---- telling the others ---- */

/* The three that every reader of the queue knows; NULL: not for it. */
static const char *announced_as(const struct view *view, enum pt_event_kind kind)
{
	if (kind == PT_EVENT_SIGNUP)
		return "signup";
	if (kind == PT_EVENT_SIGNIN)
		return "signin";
	if (kind == PT_EVENT_SIGNIN_FAILED)
		return "failed_signin";
	return view->extended_events ? pt_event_name(kind) : NULL;
}

static pt_err view_announce(struct sql_conn *conn, pt_arena *arena, const struct pt_event *event)
{
	const struct view *view = view_of(conn);
	const char *type = announced_as(view, event->kind);
	struct sql_value at, user;

	if (!type)
		return PT_OK;
	TRY(spell_moment(arena, event->at, &at));
	if (!id_fits(view->queue.user, id_text(&event->account), &user))
		user = sql_null();
	if (view->queue.writes_id)
		return VRUN(conn, arena, VIEW_Q_ANNOUNCE, NULL, user, sql_text(str(type)), at,
			sql_id(&event->id));
	return VRUN(conn, arena, VIEW_Q_ANNOUNCE, NULL, user, sql_text(str(type)), at);
}

/* ---- attaching ---- */

static const struct sql_directory whole_table = {
	.name = "view",
	.find = view_find,
	.create = view_create,
	.list = view_list,
	.hold = view_hold,
	.amend = view_amend,
	.set_password = view_set_password,
	.set_verified = view_set_verified,
	.signed_in = view_signed_in,
	.failed = view_failed,
	.take_foreign_token = view_take_foreign_token,
	.announce = view_announce,
	.remove = view_remove,
};

static void view_detach(void *ctx)
{
	struct view *view = ctx;

	if (view)
		arena_close(view->arena);
}

static void own_view(struct view **view)
{
	view_detach(*view);
}

static pt_err view_new(
	const struct sql_store *store, const struct view_setup *setup, struct view **out)
{
	struct arena *arena = arena_open(256 * KIB);
	struct view *view = arena ? ARENA_NEW(arena, struct view) : NULL;

	if (!view) {
		arena_close(arena);
		return fault(PT_F_MEMORY, "no memory for a view");
	}
	view->arena = arena;
	view->dialect = store->driver->dialect;
	view->extended_events = setup->extended_events;
	view->table = whole_table;
	view->table.detach = view_detach;
	*out = view;
	return PT_OK;
}

static void leave_out(struct view *view)
{
	if (!view_has(view, VIEW_REFRESH_TOKEN))
		view->table.take_foreign_token = NULL;
	if (!view->queue.there)
		view->table.announce = NULL;
}

/* What PostgreSQL can read as the name of a relation, with or without quotes and a schema. */
static bool is_relation_name(pt_str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!ascii_alnum(c) && str_find(PT_STR("_.$\""), c) == 4 && (c & 0x80) == 0)
			return false;
	}
	return name.n > 0;
}

pt_err view_attach(struct sql_store *store, const struct view_setup *setup)
{
	PT_OWN(own_view) struct view *view = NULL;
	struct view_setup named = *setup;

	if (named.relation.n == 0)
		named.relation = PT_STR(IDENTORO_USERS);
	if (!is_relation_name(named.relation))
		return fault(PT_F_CONFIG, "the name of the users table is none");
	TRY(view_new(store, &named, &view));
	TRY(view_map(store, &named, view));
	TRY(view_texts_make(view));
	leave_out(view);
	store->directory = &view->table;
	store->directory_ctx = PT_GIVE(view);
	return PT_OK;
}

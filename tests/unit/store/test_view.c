/*
 * Accounts in a users table of somebody else: every shape of it that is known, on SQLite, and on
 * PostgreSQL when run inside of `postgres.py run`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/random.h"
#include "base/str.h"
#include "store/drivers.h"
#include "store/sql/drivers_internal.h"

#include "base/banned.h"

/* ---- the tables ---- */

#define BASE_COLUMNS_PG                                                            \
	" user_name VARCHAR(50) NOT NULL, passwd VARCHAR(100) NOT NULL,"           \
	" mail VARCHAR(100) NOT NULL, is_verified BOOLEAN NOT NULL DEFAULT FALSE," \
	" signin_count INTEGER NOT NULL DEFAULT 0,"                                \
	" unsuccessful_signins INTEGER NOT NULL DEFAULT 0,"                        \
	" created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP"
#define BASE_COLUMNS_SQLITE                                                                 \
	" user_name TEXT NOT NULL, passwd TEXT NOT NULL, mail TEXT NOT NULL,"               \
	" is_verified BOOLEAN NOT NULL DEFAULT 0, signin_count INTEGER NOT NULL DEFAULT 0," \
	" unsuccessful_signins INTEGER NOT NULL DEFAULT 0,"                                 \
	" created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP"
#define VIEW_OF_BASE                                                                 \
	"CREATE VIEW identoro_users AS SELECT user_id, user_name AS username,"       \
	" passwd AS password, mail AS email, is_verified AS verified, signin_count," \
	" unsuccessful_signins, created_at FROM users"
#define INSERT_OF_BASE                                                                      \
	"INSERT INTO users (user_name, passwd, mail, is_verified, signin_count,"            \
	" unsuccessful_signins, created_at) VALUES (NEW.username, NEW.password, NEW.email," \
	" NEW.verified, NEW.signin_count, NEW.unsuccessful_signins, NEW.created_at)"
#define UPDATE_OF_BASE                                                                        \
	"UPDATE users SET user_name = NEW.username, passwd = NEW.password, mail = NEW.email," \
	" is_verified = NEW.verified, signin_count = NEW.signin_count,"                       \
	" unsuccessful_signins = NEW.unsuccessful_signins, created_at = NEW.created_at"       \
	" WHERE user_id = OLD.user_id"
#define RULES                                                                           \
	"CREATE RULE ins AS ON INSERT TO identoro_users DO INSTEAD " INSERT_OF_BASE ";" \
	"CREATE RULE upd AS ON UPDATE TO identoro_users DO INSTEAD " UPDATE_OF_BASE ";"
#define TRIGGERS                                                                                \
	"CREATE TRIGGER ins INSTEAD OF INSERT ON identoro_users BEGIN " INSERT_OF_BASE "; END;" \
	"CREATE TRIGGER upd INSTEAD OF UPDATE ON identoro_users BEGIN " UPDATE_OF_BASE "; END;"
#define G2_COLUMNS_PG                                                                              \
	"user_id UUID PRIMARY KEY, username VARCHAR(50) NOT NULL, password VARCHAR(100) NOT NULL," \
	" email VARCHAR(100) NOT NULL, firstname VARCHAR(50), lastname VARCHAR(50),"               \
	" verified BOOLEAN NOT NULL, signin_count INTEGER NOT NULL,"                               \
	" unsuccessful_signins INTEGER NOT NULL, created_at TIMESTAMP NOT NULL,"                   \
	" refresh_token TEXT, extensions JSONB"
#define G2_COLUMNS_SQLITE                                                                 \
	"user_id TEXT PRIMARY KEY, username TEXT NOT NULL, password TEXT NOT NULL,"       \
	" email TEXT NOT NULL, firstname TEXT, lastname TEXT, verified INTEGER NOT NULL," \
	" signin_count INTEGER NOT NULL, unsuccessful_signins INTEGER NOT NULL,"          \
	" created_at TIMESTAMP NOT NULL, refresh_token TEXT, extensions TEXT"

enum shape_kind {
	README_VIEW,
	README_TABLE,
	G2_TABLE,
	NUMBERED,
	BOTH_SPELLINGS,
	NO_DELETE,
	REFERRED,
	SHAPES
};

static const struct shape {
	const char *name;
	const char *postgres;
	const char *sqlite;
	bool old_names;      /* user_name, passwd, mail, is_verified */
	bool keeps_postgres; /* rows cannot be deleted */
	bool keeps_sqlite;
} shapes[SHAPES] = {
	[README_VIEW] = { "a view with rules",
		"CREATE TABLE users (user_id UUID PRIMARY KEY DEFAULT "
		"gen_random_uuid()," BASE_COLUMNS_PG ");" VIEW_OF_BASE ";" RULES,
		"CREATE TABLE users (user_id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(16))))"
		"," BASE_COLUMNS_SQLITE ");" VIEW_OF_BASE ";" TRIGGERS,
		.keeps_sqlite = true },
	[README_TABLE] = { "a table in the old spelling",
		"CREATE TABLE identoro_users (user_id UUID PRIMARY KEY," BASE_COLUMNS_PG ")",
		"CREATE TABLE identoro_users (user_id TEXT PRIMARY KEY," BASE_COLUMNS_SQLITE ")",
		.old_names = true },
	[G2_TABLE] = { "a table with all columns",
		"CREATE TABLE identoro_users (" G2_COLUMNS_PG ")",
		"CREATE TABLE identoro_users (" G2_COLUMNS_SQLITE ")" },
	[NUMBERED] = { "a view of a table that numbers its rows",
		"CREATE TABLE users (user_id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY "
		"KEY," BASE_COLUMNS_PG ");" VIEW_OF_BASE,
		"CREATE TABLE users (user_id INTEGER PRIMARY KEY AUTOINCREMENT," BASE_COLUMNS_SQLITE
		");" VIEW_OF_BASE ";" TRIGGERS,
		.keeps_sqlite = true },
	[BOTH_SPELLINGS] = { "both spellings",
		"CREATE TABLE identoro_users (" G2_COLUMNS_PG ", user_name TEXT, passwd TEXT,"
		" mail TEXT, is_verified BOOLEAN)",
		"CREATE TABLE identoro_users (" G2_COLUMNS_SQLITE ", user_name TEXT, passwd TEXT,"
		" mail TEXT, is_verified BOOLEAN)" },
	[NO_DELETE] = { "a view that rows cannot be deleted from",
		"CREATE TABLE users (user_id UUID PRIMARY KEY DEFAULT "
		"gen_random_uuid()," BASE_COLUMNS_PG ");" VIEW_OF_BASE " OFFSET 0;" RULES,
		"CREATE TABLE users (user_id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(16))))"
		"," BASE_COLUMNS_SQLITE ");" VIEW_OF_BASE ";" TRIGGERS,
		.keeps_postgres = true, .keeps_sqlite = true },
	[REFERRED] = { "a table that others refer to",
		"CREATE TABLE identoro_users (" G2_COLUMNS_PG ");"
		"CREATE TABLE notes (owner UUID REFERENCES identoro_users (user_id))",
		"CREATE TABLE identoro_users (" G2_COLUMNS_SQLITE ");"
		"CREATE TABLE notes (owner TEXT REFERENCES identoro_users (user_id))",
		.keeps_postgres = true, .keeps_sqlite = true },
};

/* ---- the world ---- */

struct world {
	bool postgres;
	char path[64];
	char url[128];
	struct sql_store *raw; /* as another program sees the database */
	struct pt_store store;
	struct arena *arena;
};

static const pt_time now = INT64_C(1709210096000000); /* 2024-02-29 12:34:56 */

static pt_err run_script(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	(void)out, (void)keep;
	return conn->driver->script(conn, arena, in);
}

static void script(struct world *w, const char *text)
{
	assert_int_equal(w->raw->driver->write(w->raw, run_script, w->arena, text, NULL), PT_OK);
}

/* Asked under a slot of its own text: the raw store prepares each question once. */
struct question {
	unsigned slot;
	const char *text;
	struct sql_rows rows;
};

static pt_err run_question(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct question *question = out;

	(void)in, (void)keep;
	return conn->driver->run_text(
		conn, arena, question->slot, question->text, NULL, 0, &question->rows);
}

static const struct sql_value *ask(struct world *w, const char *text)
{
	/* Questions are literals: one slot for each. */
	static const char *asked[SQL_DYNAMIC];
	struct question question = { .text = text };

	while (asked[question.slot] && asked[question.slot] != text) {
		question.slot++;
		assert_true(question.slot < SQL_DYNAMIC);
	}
	asked[question.slot] = text;
	assert_int_equal(
		w->raw->driver->read(w->raw, run_question, w->arena, NULL, &question), PT_OK);
	assert_int_equal(question.rows.n_rows, 1);
	return sql_at(&question.rows, 0, 0);
}

static int64_t ask_number(struct world *w, const char *text)
{
	const struct sql_value *value = ask(w, text);

	assert_int_equal(value->type, SQL_INT);
	return value->number;
}

static void open_raw(struct world *w)
{
	struct store_setup setup = { .url = str(w->url), .connections = 2 };

	assert_int_equal(
		w->postgres ? postgres_open(&setup, &w->raw) : sqlite_open(&setup, &w->raw), PT_OK);
}

static void begin(struct world *w)
{
	const char *url = getenv("PORTRESS_TEST_POSTGRES");
	struct buf b = BUF_FIXED(w->url);

	*w = (struct world){ .postgres = url != NULL, .arena = arena_open(16 * MIB) };
	if (w->postgres) {
		buf_str(&b, str(url));
	} else {
		struct buf path = BUF_FIXED(w->path);
		int fd;

		buf_str(&path, PT_STR("/tmp/portress-view-XXXXXX"));
		fd = mkstemp(w->path);
		assert_true(fd >= 0);
		close(fd);
		buf_str(&b, PT_STR("sqlite:"));
		buf_str(&b, str(w->path));
	}
	open_raw(w);
	if (w->postgres)
		script(w, "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
}

static void begin_with(struct world *w, enum shape_kind kind)
{
	const struct shape *shape = &shapes[kind];

	begin(w);
	script(w, w->postgres ? shape->postgres : shape->sqlite);
}

static pt_err open_view_as(struct world *w, const struct view_setup *view)
{
	struct store_setup setup = { .url = str(w->url), .view = view, .migrate = true };

	return store_open(&setup, &w->store);
}

static void open_view(struct world *w)
{
	const struct view_setup view = { .relation = PT_STR("identoro_users") };

	assert_int_equal(open_view_as(w, &view), PT_OK);
}

static void forget_file(const char *path, const char *suffix)
{
	char name[80];
	struct buf b = BUF_FIXED(name);

	buf_str(&b, str(path));
	buf_str(&b, str(suffix));
	unlink(name);
}

static void end(struct world *w)
{
	if (w->store.close)
		w->store.close(w->store.ctx);
	w->raw->driver->close(w->raw);
	if (!w->postgres) {
		forget_file(w->path, "");
		forget_file(w->path, "-wal");
		forget_file(w->path, "-shm");
	}
	arena_close(w->arena);
}

/* ---- the nouns ---- */

static struct pt_event event_of(enum pt_event_kind kind)
{
	struct pt_event event = { .kind = kind, .at = now };

	assert_int_equal(random_id(now, &event.id), PT_OK);
	return event;
}

static struct pt_hash hash_of(uint8_t first)
{
	return (struct pt_hash){ { first, 1, 2 } };
}

static struct pt_join join_of(
	const char *name, const char *name_key, const char *mail, const char *mail_key)
{
	return (struct pt_join){
		.account = { .username = str(name),
			.username_key = str(name_key),
			.email = str(mail),
			.email_key = str(mail_key),
			.created_at = now,
			.updated_at = now },
		.password = PT_STR("$2y$10$hash"),
		.event = event_of(PT_EVENT_SIGNUP),
		.taken_event = event_of(PT_EVENT_SIGNUP_TAKEN),
	};
}

static pt_err join(struct world *w, const char *name, const char *mail, struct pt_id *id)
{
	struct pt_join act = join_of(name, name, mail, mail);

	act.account.given_name = PT_STR("Ann");
	act.account.family_name = PT_STR("Lee");
	return w->store.account_join(w->store.ctx, w->arena, &act, id);
}

static pt_err find(
	struct world *w, enum pt_find_by by, const char *key, struct pt_account_record *out)
{
	const struct pt_account_query query = { .by = by, .key = str(key) };

	return w->store.account_find(w->store.ctx, w->arena, &query, out);
}

static pt_err sign_in(struct world *w, const struct pt_id *id, const char *seen)
{
	struct pt_signin_act act = { .account = *id,
		.seen_password = str(seen),
		.now = now + PT_HOUR,
		.event = event_of(PT_EVENT_SIGNIN) };

	return w->store.signin(w->store.ctx, w->arena, &act);
}

static pt_err sign_in_badly(struct world *w, const struct pt_id *id)
{
	struct pt_signin_failure failure = { .event = event_of(PT_EVENT_SIGNIN_FAILED) };

	if (id)
		failure.account = failure.event.account = *id;
	return w->store.signin_fail(w->store.ctx, w->arena, &failure);
}

static pt_err amend(struct world *w, struct pt_amend act)
{
	struct pt_account_record after;

	act.now = now + PT_DAY;
	act.events[0] = event_of(PT_EVENT_ACCOUNT_DISABLED);
	return w->store.account_amend(w->store.ctx, w->arena, &act, &after);
}

static pt_err remove_account(struct world *w, const struct pt_id *id)
{
	struct pt_event event = event_of(PT_EVENT_ACCOUNT_DELETED);

	return w->store.account_remove(w->store.ctx, w->arena, id, now, &event, NULL);
}

static void issue(struct world *w, enum pt_ticket_kind kind, uint8_t hash, const struct pt_id *id,
	const char *mail)
{
	struct pt_amend amend = {
		.account = *id,
		.now = now,
		.has_new_ticket = true,
		.new_ticket = { .hash = hash_of(hash),
			.kind = kind,
			.email_key = str(mail),
			.created_at = now,
			.expires_at = now + PT_HOUR },
		.has_letter = true,
		.letter = { .kind = PT_LETTER_VERIFY,
			.to = str(mail),
			.sealed = PT_STR("x"),
			.created_at = now,
			.not_after = now + PT_HOUR },
		.events = { event_of(PT_EVENT_CONFIRM_ASKED) },
	};
	struct pt_account_record record;

	assert_int_equal(random_id(now, &amend.letter.id), PT_OK);
	assert_int_equal(w->store.account_amend(w->store.ctx, w->arena, &amend, &record), PT_OK);
}

static pt_err confirm(struct world *w, uint8_t hash)
{
	struct pt_confirm_act act = { .ticket = hash_of(hash),
		.now = now + PT_MINUTE,
		.event = event_of(PT_EVENT_CONFIRMED) };
	struct pt_id id;

	return w->store.account_confirm(w->store.ctx, w->arena, &act, &id);
}

static pt_err reset(struct world *w, uint8_t hash, const struct pt_id *id, const char *seen)
{
	struct pt_reset_act act = { .ticket = hash_of(hash),
		.account = *id,
		.seen_password = str(seen),
		.new_password = PT_STR("$2y$10$other"),
		.now = now + PT_MINUTE,
		.event = event_of(PT_EVENT_PASSWORD_RESET) };

	return w->store.password_reset(w->store.ctx, w->arena, &act);
}

#define assert_text(value_, text_) assert_true(str_eq((value_), PT_STR(text_)))

/* ---- one life, in every shape ---- */

static void joins(struct world *w, struct pt_id *id)
{
	struct pt_account_record record;
	struct pt_id again;

	assert_int_equal(join(w, "ann_1", "ann@example.org", id), PT_OK);
	assert_int_equal(find(w, PT_BY_ID, id->text, &record), PT_OK);
	assert_string_equal(record.account.id.text, id->text);
	assert_text(record.account.username, "ann_1");
	assert_text(record.account.username_key, "ann_1");
	assert_text(record.account.email, "ann@example.org");
	assert_text(record.account.given_name, "Ann");
	assert_text(record.account.family_name, "Lee");
	assert_text(record.password, "$2y$10$hash");
	assert_true(record.account.created_at == now);
	assert_true(record.account.email_verified_at == 0);
	assert_int_equal(record.account.signin_count, 0);
	assert_int_equal(find(w, PT_BY_USERNAME, "ann_1", &record), PT_OK);
	assert_string_equal(record.account.id.text, id->text);
	assert_int_equal(find(w, PT_BY_EMAIL, "ann@example.org", &record), PT_OK);
	assert_string_equal(record.account.id.text, id->text);

	assert_int_equal(join(w, "ann_1", "other@example.org", &again), PT_E_TAKEN);
	assert_int_equal(join(w, "other", "ann@example.org", &again), PT_E_TAKEN);
	assert_int_equal(find(w, PT_BY_USERNAME, "other", &record), PT_E_NOT_FOUND);
	assert_int_equal(ask_number(w, "SELECT count(*) FROM identoro_users"), 1);
}

static void signs_in(struct world *w, const struct pt_id *id)
{
	struct pt_account_record record;

	assert_int_equal(sign_in_badly(w, id), PT_OK);
	assert_int_equal(sign_in_badly(w, id), PT_OK);
	assert_int_equal(find(w, PT_BY_ID, id->text, &record), PT_OK);
	assert_int_equal(record.account.failed_signins, 2);
	assert_int_equal(ask_number(w, "SELECT unsuccessful_signins FROM identoro_users"), 2);
	assert_int_equal(sign_in(w, id, "$2y$10$wrong"), PT_E_CREDENTIALS);
	assert_int_equal(sign_in(w, id, "$2y$10$hash"), PT_OK);
	assert_int_equal(find(w, PT_BY_ID, id->text, &record), PT_OK);
	assert_int_equal(record.account.failed_signins, 0);
	assert_int_equal(record.account.signin_count, 1);
	assert_true(record.account.last_signin_at == now + PT_HOUR);
	assert_int_equal(ask_number(w, "SELECT signin_count FROM identoro_users"), 1);
	/* nobody, under a name that nobody has */
	assert_int_equal(sign_in_badly(w, NULL), PT_OK);
}

static void confirms_and_resets(struct world *w, const struct pt_id *id)
{
	struct pt_account_record record;

	issue(w, PT_TICKET_VERIFY, 1, id, "ann@example.org");
	assert_int_equal(confirm(w, 1), PT_OK);
	assert_int_equal(confirm(w, 1), PT_OK);
	assert_int_equal(confirm(w, 9), PT_E_TICKET);
	assert_int_equal(find(w, PT_BY_ID, id->text, &record), PT_OK);
	assert_true(record.account.email_verified_at == now + PT_MINUTE);

	issue(w, PT_TICKET_RESET, 2, id, "ann@example.org");
	assert_int_equal(reset(w, 2, id, "$2y$10$stale"), PT_E_TICKET);
	assert_int_equal(reset(w, 2, id, "$2y$10$hash"), PT_OK);
	assert_int_equal(reset(w, 2, id, "$2y$10$hash"), PT_E_TICKET);
	assert_int_equal(sign_in(w, id, "$2y$10$hash"), PT_E_CREDENTIALS);
	assert_int_equal(sign_in(w, id, "$2y$10$other"), PT_OK);
}

static void is_disabled(struct world *w, const struct pt_id *id)
{
	struct pt_account_record record;

	assert_int_equal(amend(w,
				 (struct pt_amend){
					 .account = *id, .has_disabled = true, .disabled = true }),
		PT_OK);
	assert_int_equal(sign_in(w, id, "$2y$10$other"), PT_E_CREDENTIALS);
	assert_int_equal(find(w, PT_BY_ID, id->text, &record), PT_OK);
	assert_true(record.account.disabled_at == now + PT_DAY);
	assert_int_equal(record.account.signin_count, 2);
	assert_int_equal(
		amend(w, (struct pt_amend){ .account = *id, .has_disabled = true }), PT_OK);
	assert_int_equal(sign_in(w, id, "$2y$10$other"), PT_OK);
	assert_int_equal(
		amend(w, (struct pt_amend){ .account = *id, .has_verified = true }), PT_OK);
	assert_int_equal(find(w, PT_BY_ID, id->text, &record), PT_OK);
	assert_true(record.account.email_verified_at == 0);
}

/* Signed in, password, linked: what there is a place for. The rest is refused and changes nothing. */
static void is_amended(struct world *w, const struct pt_id *id)
{
	const struct pt_amend misfits[] = {
		{ .has_email = true, .email = PT_STR("a@b.c"), .email_key = PT_STR("a@b.c") },
		{ .has_new_email = true, .new_email_key = PT_STR("a@b.c") },
		{ .has_role = true, .role = PT_STR("admin") },
		{ .has_super_admin = true, .super_admin = true },
		{ .app_metadata = { PT_METADATA_MERGE, PT_STR("{}") } },
		{ .user_metadata = { PT_METADATA_REPLACE, PT_STR("{}") } },
		{ .invited_at = 1 },
		{ .confirm_sent_at = 1 },
		{ .recover_sent_at = 1 },
		{ .email_change_sent_at = 1 },
	};
	struct pt_amend act = { .account = *id,
		.has_seen_password = true,
		.seen_password = PT_STR("$2y$10$other"),
		.signed_in = true,
		.has_password = true,
		.password = PT_STR("$2y$10$amended"),
		.has_new_email = true,
		.has_identity = true,
		.identity = { PT_STR("github"), PT_STR("4711") } };
	const struct pt_account_query elsewhere = { { NULL, 0 }, { NULL, 0 }, PT_BY_IDENTITY,
		PT_STR("4711"), PT_STR("github") };
	struct pt_account_record record;
	int64_t signins;

	assert_int_equal(find(w, PT_BY_ID, id->text, &record), PT_OK);
	signins = record.account.signin_count;
	assert_int_equal(amend(w, act), PT_OK);
	assert_int_equal(amend(w, act), PT_E_CREDENTIALS);
	assert_int_equal(find(w, PT_BY_ID, id->text, &record), PT_OK);
	assert_true(str_eq(record.password, PT_STR("$2y$10$amended")));
	assert_int_equal(record.account.signin_count, signins + 1);
	assert_int_equal(w->store.account_find(w->store.ctx, w->arena, &elsewhere, &record), PT_OK);
	assert_string_equal(record.account.id.text, id->text);
	for (size_t i = 0; i < sizeof(misfits) / sizeof(misfits[0]); i++) {
		act = misfits[i];
		act.account = *id;
		act.has_disabled = act.disabled = true;
		assert_int_equal(amend(w, act), PT_F_CONFIG);
	}
	assert_int_equal(find(w, PT_BY_ID, id->text, &record), PT_OK);
	assert_int_equal(record.account.disabled_at, 0);
	assert_int_equal(amend(w, (struct pt_amend){ .account = *id,
					  .has_password = true,
					  .password = PT_STR("$2y$10$other") }),
		PT_OK);
	assert_int_equal(
		amend(w, (struct pt_amend){ .account = { "no-such-id" } }), PT_E_NOT_FOUND);
}

static void cannot_be_paged_or_moved_into(struct world *w)
{
	const struct pt_account_page page = { .max = 10 };
	const struct pt_import batch = { .source = PT_STR("gotrue") };
	struct pt_import_count count;
	struct pt_account_record *records;
	int64_t total;
	size_t n;

	assert_int_equal(w->store.account_page(w->store.ctx, w->arena, &page, &records, &n, &total),
		PT_F_CONFIG);
	assert_int_equal(w->store.import(w->store.ctx, w->arena, &batch, &count), PT_F_CONFIG);
}

static void is_heard_of(struct world *w, const struct pt_id *id)
{
	const struct sql_value *user;

	assert_int_equal(ask_number(w, "SELECT count(*) FROM identoro_message_queue"
				       " WHERE event_type = 'signup'"),
		1);
	assert_int_equal(ask_number(w, "SELECT count(*) FROM identoro_message_queue"
				       " WHERE event_type = 'signin'"),
		3);
	assert_int_equal(ask_number(w, "SELECT count(*) FROM identoro_message_queue"
				       " WHERE event_type = 'failed_signin'"),
		3);
	assert_int_equal(
		ask_number(w, "SELECT count(*) FROM identoro_message_queue"
			      " WHERE event_type NOT IN ('signup', 'signin', 'failed_signin')"),
		0);
	assert_int_equal(ask_number(w, "SELECT count(*) FROM identoro_message_queue"
				       " WHERE processed = false AND created_at IS NOT NULL"
				       " AND id IS NOT NULL"),
		7);
	user = ask(w, "SELECT user_id FROM identoro_message_queue WHERE event_type = 'signup'");
	assert_true(str_eq(user->bytes, str(id->text)));
}

static void is_removed(struct world *w, const struct pt_id *id, const struct shape *shape)
{
	bool keeps_rows = w->postgres ? shape->keeps_postgres : shape->keeps_sqlite;
	struct pt_account_record record;
	struct pt_account *accounts;
	struct pt_account_list query = { .max = 10 };
	struct pt_id again;
	size_t n = 9;

	assert_int_equal(remove_account(w, id), PT_OK);
	assert_int_equal(remove_account(w, id), PT_E_NOT_FOUND);
	assert_int_equal(find(w, PT_BY_ID, id->text, &record), PT_E_NOT_FOUND);
	assert_int_equal(find(w, PT_BY_USERNAME, "ann_1", &record), PT_E_NOT_FOUND);
	assert_int_equal(
		w->store.account_list(w->store.ctx, w->arena, &query, &accounts, &n), PT_OK);
	assert_int_equal(n, 0);
	assert_int_equal(ask_number(w, "SELECT count(*) FROM identoro_users"), keeps_rows);
	assert_int_equal(
		ask_number(w, shape->old_names
				      ? "SELECT count(*) FROM identoro_users"
					" WHERE user_name LIKE '%ann%' OR mail LIKE '%ann%'"
				      : "SELECT count(*) FROM identoro_users"
					" WHERE username LIKE '%ann%' OR email LIKE '%ann%'"),
		0);
	assert_int_equal(join(w, "ann_1", "ann@example.org", &again), PT_OK);
}

static void live(enum shape_kind kind)
{
	struct world w;
	struct pt_id id;

	begin_with(&w, kind);
	open_view(&w);
	joins(&w, &id);
	signs_in(&w, &id);
	confirms_and_resets(&w, &id);
	is_disabled(&w, &id);
	is_amended(&w, &id);
	cannot_be_paged_or_moved_into(&w);
	is_heard_of(&w, &id);
	if (kind == REFERRED)
		script(&w, "INSERT INTO notes SELECT user_id FROM identoro_users");
	is_removed(&w, &id, &shapes[kind]);
	end(&w);
}

#define LIFE(name_, kind_)              \
	static void name_(void **state) \
	{                               \
		(void)state;            \
		live(kind_);            \
	}

LIFE(lives_in_a_view_with_rules, README_VIEW)
LIFE(lives_in_a_table_of_the_old_spelling, README_TABLE)
LIFE(lives_in_a_table_with_all_columns, G2_TABLE)
LIFE(lives_in_a_view_of_numbered_rows, NUMBERED)
LIFE(lives_in_a_table_with_both_spellings, BOTH_SPELLINGS)
LIFE(lives_in_a_view_without_deletes, NO_DELETE)
LIFE(lives_in_a_table_that_others_refer_to, REFERRED)

/* ---- what other programs leave there ---- */

static const char foreign_id[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
#define FOREIGN_ROW(id_, name_, mail_)                                                            \
	"INSERT INTO identoro_users (user_id, username, password, email, verified, signin_count," \
	" unsuccessful_signins, created_at, refresh_token) VALUES ('" id_ "', '" name_            \
	"', '$2a$10$theirs', '" mail_ "', '1', 3, 0, '2020-01-02 03:04:05', 'tok');"

static void row_of_another_program_is_found_in_any_case(void **state)
{
	struct world w;
	struct pt_account_record record;
	struct pt_id id;

	(void)state;
	begin_with(&w, G2_TABLE);
	script(&w, FOREIGN_ROW("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "Bob_X", "Bob@Example.ORG"));
	open_view(&w);
	assert_int_equal(find(&w, PT_BY_USERNAME, "bob_x", &record), PT_OK);
	assert_string_equal(record.account.id.text, foreign_id);
	assert_text(record.account.username, "Bob_X");
	assert_text(record.account.username_key, "bob_x");
	assert_int_equal(find(&w, PT_BY_EMAIL, "bob@example.org", &record), PT_OK);
	assert_text(record.account.email, "Bob@Example.ORG");
	assert_text(record.account.email_key, "bob@example.org");
	assert_int_equal(record.account.signin_count, 3);
	assert_true(record.account.created_at == INT64_C(1577934245000000));
	assert_true(record.account.email_verified_at > 0);
	/* first name, last name and extensions are NULL */
	assert_int_equal(record.account.given_name.n, 0);
	assert_int_equal(record.account.extensions.n, 0);
	assert_int_equal(join(&w, "bob_x", "new@example.org", &id), PT_E_TAKEN);
	assert_int_equal(join(&w, "new", "bob@example.org", &id), PT_E_TAKEN);
	assert_int_equal(find(&w, PT_BY_ID, "no-such-id", &record), PT_E_NOT_FOUND);
	assert_int_equal(find(&w, PT_BY_ID, "7", &record), PT_E_NOT_FOUND);
	end(&w);
}

static void only_the_owner_of_a_ticket_is_confirmed(void **state)
{
	struct world w;
	struct pt_account_record record;
	struct pt_id first;

	(void)state;
	begin_with(&w, G2_TABLE);
	script(&w, FOREIGN_ROW("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "bob", "same@example.org")
			   FOREIGN_ROW("6ba7b810-9dad-11d1-80b4-00c04fd430c9", "eve",
				   "same@example.org") "UPDATE identoro_users SET verified = '0'");
	open_view(&w);
	assert_int_equal(find(&w, PT_BY_USERNAME, "bob", &record), PT_OK);
	first = record.account.id;
	issue(&w, PT_TICKET_VERIFY, 1, &first, "same@example.org");
	assert_int_equal(confirm(&w, 1), PT_OK);
	assert_int_equal(find(&w, PT_BY_USERNAME, "bob", &record), PT_OK);
	assert_true(record.account.email_verified_at > 0);
	assert_int_equal(find(&w, PT_BY_USERNAME, "eve", &record), PT_OK);
	assert_true(record.account.email_verified_at == 0);
	end(&w);
}

static void view_may_hold_null_everywhere(void **state)
{
	struct world w;
	struct pt_account_record record;

	(void)state;
	begin(&w);
	script(&w,
		w.postgres
			? "CREATE TABLE u (id UUID, n TEXT, e TEXT);"
			  "INSERT INTO u VALUES ('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'bob', "
			  "NULL);"
			  "CREATE VIEW identoro_users AS SELECT id AS user_id, n AS username,"
			  " NULL::text AS password, e AS email, NULL::boolean AS verified,"
			  " NULL::text AS firstname, NULL::text AS lastname,"
			  " NULL::int AS signin_count, NULL::int AS unsuccessful_signins,"
			  " NULL::timestamp AS created_at, NULL::text AS refresh_token,"
			  " NULL::jsonb AS extensions FROM u"
			: "CREATE TABLE identoro_users (user_id TEXT, username TEXT, password TEXT,"
			  " email TEXT, verified BOOLEAN, firstname TEXT, lastname TEXT,"
			  " signin_count INTEGER, unsuccessful_signins INTEGER,"
			  " created_at TIMESTAMP, refresh_token TEXT, extensions TEXT);"
			  "INSERT INTO identoro_users (user_id, username) VALUES"
			  " ('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'bob')");
	open_view(&w);
	assert_int_equal(find(&w, PT_BY_USERNAME, "bob", &record), PT_OK);
	assert_string_equal(record.account.id.text, foreign_id);
	assert_int_equal(record.account.email.n, 0);
	assert_int_equal(record.password.n, 0);
	assert_true(record.account.email_verified_at == 0);
	assert_int_equal(find(&w, PT_BY_EMAIL, "", &record), PT_E_NOT_FOUND);
	end(&w);
}

static void refresh_token_of_another_program_is_taken_once(void **state)
{
	struct world w;
	struct pt_rotate_act act = { .presented.hash = hash_of(1),
		.secret = hash_of(2),
		.now = now,
		.grace = PT_SECOND,
		.lifetime = PT_HOUR,
		.event = event_of(PT_EVENT_TOKEN_REFRESHED),
		.reuse_event = event_of(PT_EVENT_TOKEN_REUSED) };
	struct pt_rotated got, again;

	(void)state;
	begin_with(&w, G2_TABLE);
	script(&w, FOREIGN_ROW("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "bob", "bob@example.org"));
	open_view(&w);
	memcpy(act.foreign_account.text, foreign_id, sizeof(foreign_id));
	assert_int_equal(random_id(now, &act.foreign_family), PT_OK);
	act.foreign = PT_STR("other");
	assert_int_equal(w.store.token_rotate(w.store.ctx, w.arena, &act, &got), PT_E_REFRESH);
	act.foreign = PT_STR("tok");
	act.tenant = PT_STR("elsewhere");
	assert_int_equal(w.store.token_rotate(w.store.ctx, w.arena, &act, &got), PT_E_REFRESH);
	act.tenant = PT_STR("");
	assert_int_equal(w.store.token_rotate(w.store.ctx, w.arena, &act, &got), PT_OK);
	assert_string_equal(got.token.family.text, act.foreign_family.text);
	assert_int_equal(got.token.generation, 2);
	assert_string_equal(got.token.account.text, foreign_id);
	assert_string_equal(got.owner.account.id.text, foreign_id);
	assert_true(got.token.expires_at == now + PT_HOUR);
	assert_int_equal(
		ask_number(&w, "SELECT count(*) FROM identoro_users WHERE refresh_token = ''"), 1);
	assert_int_equal(random_id(now, &act.foreign_family), PT_OK);
	assert_int_equal(w.store.token_rotate(w.store.ctx, w.arena, &act, &again), PT_OK);
	assert_string_equal(again.token.family.text, got.token.family.text);
	assert_int_equal(again.token.generation, 2);
	act.presented.hash = hash_of(3);
	act.secret = hash_of(4);
	assert_int_equal(w.store.token_rotate(w.store.ctx, w.arena, &act, &got), PT_E_REFRESH);
	end(&w);
}

static void who_has_no_name_or_address_is_shown_none(void **state)
{
	struct pt_account_list query = { .max = 10 };
	struct pt_account_record record;
	struct pt_account *accounts;
	struct world w;
	struct pt_id id;
	size_t n;

	(void)state;
	begin_with(&w, G2_TABLE);
	script(&w, "CREATE UNIQUE INDEX one_name ON identoro_users (lower(username));"
		   "CREATE UNIQUE INDEX one_mail ON identoro_users (lower(email))");
	open_view(&w);
	assert_int_equal(join(&w, "", "ann@example.org", &id), PT_OK);
	assert_int_equal(join(&w, "", "bob@example.org", &id), PT_OK);
	assert_int_equal(join(&w, "eve", "", &id), PT_OK);
	assert_int_equal(join(&w, "joe", "", &id), PT_OK);
	assert_int_equal(join(&w, "joe", "", &id), PT_E_TAKEN);
	assert_int_equal(find(&w, PT_BY_EMAIL, "ann@example.org", &record), PT_OK);
	assert_int_equal(record.account.username.n, 0);
	assert_int_equal(record.account.username_key.n, 0);
	assert_int_equal(find(&w, PT_BY_USERNAME, "eve", &record), PT_OK);
	assert_int_equal(record.account.email.n, 0);
	assert_int_equal(find(&w, PT_BY_EMAIL, "", &record), PT_E_NOT_FOUND);
	assert_int_equal(w.store.account_list(w.store.ctx, w.arena, &query, &accounts, &n), PT_OK);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++)
		assert_true((accounts[i].username.n == 0) != (accounts[i].email.n == 0));
	end(&w);
}

/* ---- many at once ---- */

enum { CROWD = 50 };

struct rush {
	struct world *w;
	bool same_name, same_mail;
	atomic_int number, ok, taken, other;
};

static const char *numbered(struct arena *arena, const char *text, int number)
{
	struct buf b = BUF(arena, 100);
	pt_str whole;

	buf_printf(&b, "%s%d", text, number);
	assert_int_equal(buf_done(&b, &whole), PT_OK);
	return whole.p;
}

static void *rush_thread(void *argument)
{
	struct rush *rush = argument;
	struct arena *arena = arena_open(MIB);
	int number = ++rush->number;
	const char *name = numbered(arena, "ann", rush->same_name ? 0 : number);
	const char *mail = numbered(arena, "ann@example.org", rush->same_mail ? 0 : number);
	struct pt_join act = join_of(name, name, mail, mail);
	struct pt_id id;
	pt_err err = rush->w->store.account_join(rush->w->store.ctx, arena, &act, &id);

	if (err == PT_OK)
		rush->ok++;
	else if (err == PT_E_TAKEN)
		rush->taken++;
	else
		rush->other++;
	arena_close(arena);
	return NULL;
}

static void one_of_many_gets_it(enum shape_kind kind, bool same_name, bool same_mail)
{
	pthread_t threads[CROWD];
	struct world w;
	struct rush rush = { .w = &w, .same_name = same_name, .same_mail = same_mail };

	begin_with(&w, kind);
	open_view(&w);
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, rush_thread, &rush), 0);
	for (int i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(rush.ok, 1);
	assert_int_equal(rush.taken, CROWD - 1);
	assert_int_equal(ask_number(&w, "SELECT count(*) FROM identoro_users"), 1);
	assert_int_equal(ask_number(&w, "SELECT count(*) FROM identoro_message_queue"), 1);
	end(&w);
}

static void one_of_many_gets_the_name_or_the_address_in_a_view(void **state)
{
	(void)state;
	one_of_many_gets_it(README_VIEW, true, false);
	one_of_many_gets_it(README_VIEW, false, true);
	one_of_many_gets_it(README_VIEW, true, true);
}

static void one_of_many_gets_the_name_or_the_address_in_a_table(void **state)
{
	(void)state;
	one_of_many_gets_it(G2_TABLE, true, false);
	one_of_many_gets_it(G2_TABLE, false, true);
}

/* ---- maps that do not fit ---- */

static void missing_columns_are_refused(void **state)
{
	const struct view_setup view = { .relation = PT_STR("identoro_users") };
	struct world w;

	(void)state;
	begin(&w);
	script(&w,
		"CREATE TABLE identoro_users (user_id TEXT, login TEXT, passwd TEXT, mail TEXT)");
	assert_int_equal(open_view_as(&w, &view), PT_F_CONFIG);
	assert_null(w.store.close);
	end(&w);
}

static void missing_table_is_refused(void **state)
{
	const struct view_setup view = { .relation = PT_STR("no_such_users") };
	struct world w;

	(void)state;
	begin(&w);
	assert_int_equal(open_view_as(&w, &view), PT_F_CONFIG);
	end(&w);
}

static void name_that_is_none_is_refused(void **state)
{
	struct view_setup view = { .relation = PT_STR("users; DROP TABLE users") };
	struct world w;

	(void)state;
	begin_with(&w, G2_TABLE);
	assert_int_equal(open_view_as(&w, &view), PT_F_CONFIG);
	view.relation = PT_STR("");
	assert_int_equal(open_view_as(&w, &view), PT_OK);
	end(&w);
}

static void columns_can_be_named(void **state)
{
	struct view_setup view = { .relation = PT_STR("people") };
	struct pt_account_record record;
	struct world w;
	struct pt_id id;

	(void)state;
	begin(&w);
	script(&w,
		"CREATE TABLE people (\"Key\" TEXT PRIMARY KEY, login TEXT, secret TEXT, mail TEXT,"
		" \"order\" INTEGER)");
	view.columns[VIEW_ID] = PT_STR("Key");
	view.columns[VIEW_USERNAME] = PT_STR("login");
	view.columns[VIEW_PASSWORD] = PT_STR("secret");
	view.columns[VIEW_VERIFIED] = PT_STR("nothing");
	assert_int_equal(open_view_as(&w, &view), PT_F_CONFIG);
	view.columns[VIEW_VERIFIED] = PT_STR("order");
	assert_int_equal(open_view_as(&w, &view), PT_OK);
	assert_int_equal(join(&w, "ann", "ann@example.org", &id), PT_OK);
	assert_int_equal(find(&w, PT_BY_USERNAME, "ann", &record), PT_OK);
	assert_text(record.account.given_name, "Ann");
	assert_true(record.account.created_at == now);
	assert_int_equal(sign_in_badly(&w, &id), PT_OK);
	assert_int_equal(find(&w, PT_BY_USERNAME, "ann", &record), PT_OK);
	assert_int_equal(record.account.failed_signins, 1);
	assert_int_equal(sign_in(&w, &id, "$2y$10$hash"), PT_OK);
	assert_int_equal(find(&w, PT_BY_USERNAME, "ann", &record), PT_OK);
	assert_int_equal(record.account.failed_signins, 0);
	assert_int_equal(record.account.signin_count, 1);
	end(&w);
}

static void more_events_are_told_when_wanted(void **state)
{
	const struct view_setup view = { .relation = PT_STR("identoro_users"),
		.extended_events = true };
	struct world w;
	struct pt_id id;

	(void)state;
	begin_with(&w, G2_TABLE);
	assert_int_equal(open_view_as(&w, &view), PT_OK);
	assert_int_equal(join(&w, "ann", "ann@example.org", &id), PT_OK);
	assert_int_equal(join(&w, "ann", "ann@example.org", &id), PT_E_TAKEN);
	assert_int_equal(ask_number(&w, "SELECT count(*) FROM identoro_message_queue"
					" WHERE event_type = 'signup_taken'"),
		1);
	end(&w);
}

static void tables_are_created_once(void **state)
{
	struct store_setup setup = { 0 };
	struct world w;
	struct pt_id id;

	(void)state;
	begin(&w);
	setup.url = str(w.url);
	assert_int_equal(store_create_identoro_tables(&setup), PT_OK);
	assert_int_equal(store_create_identoro_tables(&setup), PT_E_TAKEN);
	open_view(&w);
	assert_int_equal(join(&w, "ann", "ann@example.org", &id), PT_OK);
	assert_int_equal(ask_number(&w, "SELECT count(*) FROM identoro_message_queue"), 1);
	end(&w);
}

/* A program that takes no locks of ours inserts a row while we look: its unique index says so. */
static void broken_rule_of_theirs_is_taken(void **state)
{
	struct world w;
	struct pt_id id;

	(void)state;
	begin_with(&w, G2_TABLE);
	script(&w, "CREATE UNIQUE INDEX one_first_name ON identoro_users (firstname)");
	open_view(&w);
	assert_int_equal(join(&w, "ann", "ann@example.org", &id), PT_OK);
	assert_int_equal(join(&w, "bob", "bob@example.org", &id), PT_E_TAKEN);
	assert_int_equal(ask_number(&w, "SELECT count(*) FROM portress_event WHERE kind = 2"), 1);
	end(&w);
}

/* ---- what the server was told ---- */

static bool speaks_of_users(pt_str line)
{
	return str_contains(line, PT_STR("identoro_users")) &&
	       !str_contains(line, PT_STR("INSERT INTO portress_identoro_ext"));
}

static void check_line(pt_str line)
{
	if (!str_contains(line, PT_STR("execute p")) || !speaks_of_users(line))
		return;
	assert_false(str_contains(line, PT_STR("RETURNING")));
	assert_false(str_contains(line, PT_STR("ON CONFLICT")));
	assert_false(str_contains(line, PT_STR("ALTER")));
}

/* On PostgreSQL alone, and last: it reads what all the others made the server log. */
static void nothing_was_said_that_a_view_with_rules_refuses(void **state)
{
	const char *cluster = getenv("PORTRESS_TEST_CLUSTER");
	char path[128], line[8192];
	struct buf b = BUF_FIXED(path);
	size_t lines = 0;
	FILE *log;

	(void)state;
	buf_str(&b, str(cluster));
	buf_str(&b, PT_STR("/log"));
	log = fopen(path, "re");
	assert_non_null(log);
	while (fgets(line, sizeof(line), log)) {
		lines += speaks_of_users(str(line));
		check_line(str(line));
	}
	fclose(log);
	assert_true(lines > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives_in_a_view_with_rules),
		cmocka_unit_test(lives_in_a_table_of_the_old_spelling),
		cmocka_unit_test(lives_in_a_table_with_all_columns),
		cmocka_unit_test(lives_in_a_view_of_numbered_rows),
		cmocka_unit_test(lives_in_a_table_with_both_spellings),
		cmocka_unit_test(lives_in_a_view_without_deletes),
		cmocka_unit_test(lives_in_a_table_that_others_refer_to),
		cmocka_unit_test(row_of_another_program_is_found_in_any_case),
		cmocka_unit_test(only_the_owner_of_a_ticket_is_confirmed),
		cmocka_unit_test(view_may_hold_null_everywhere),
		cmocka_unit_test(refresh_token_of_another_program_is_taken_once),
		cmocka_unit_test(who_has_no_name_or_address_is_shown_none),
		cmocka_unit_test(one_of_many_gets_the_name_or_the_address_in_a_view),
		cmocka_unit_test(one_of_many_gets_the_name_or_the_address_in_a_table),
		cmocka_unit_test(missing_columns_are_refused),
		cmocka_unit_test(missing_table_is_refused),
		cmocka_unit_test(name_that_is_none_is_refused),
		cmocka_unit_test(columns_can_be_named),
		cmocka_unit_test(more_events_are_told_when_wanted),
		cmocka_unit_test(tables_are_created_once),
		cmocka_unit_test(broken_rule_of_theirs_is_taken),
	};
	const struct CMUnitTest postgres_tests[] = {
		cmocka_unit_test(nothing_was_said_that_a_view_with_rules_refuses),
	};
	int failed;

	log_open(LOG_TEXT, LOG_WARN);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (getenv("PORTRESS_TEST_POSTGRES"))
		failed += cmocka_run_group_tests(postgres_tests, NULL, NULL);
	return failed;
}

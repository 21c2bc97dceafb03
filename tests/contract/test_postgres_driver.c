/*
 * What only the PostgreSQL driver does; what every driver of a server does is in test_remote_driver.c.
 *
 * Runs inside of `postgres.py run`.
 */
#include "driver_world.h"

#include "base/err.h"
#include "base/log.h"

#include "base/banned.h"

static void values_come_back_as_they_went(void **state)
{
	struct sql_store *store = open_store(0, false);
	struct arena *arena = arena_open(ARENA);
	static const char bytes[] = "\0\xff\x5c'?1";
	const struct sql_value args[] = { sql_int(INT64_MIN), sql_text(PT_STR("a'?1 \xc3\xa9")),
		sql_bytes(bytes, sizeof(bytes)), sql_null(), sql_int(1), sql_text(PT_STR("")),
		sql_bytes("", 0) };
	struct texts texts = {
		.text = { "SELECT ?1::int8, ?2::text, ?3::bytea, ?4::text, ?5::boolean,"
			  " ?6::varchar, ?7::bytea, '?1 stays', 7::int2, 8::int4" },
		.args = args,
		.n_args = 7
	};

	(void)state;
	assert_int_equal(write_texts(store, arena, &texts), PT_OK);
	assert_int_equal(texts.rows.n_rows, 1);
	assert_int_equal(texts.rows.n_columns, 10);
	assert_int_equal(sql_at(&texts.rows, 0, 0)->type, SQL_INT);
	assert_true(sql_at(&texts.rows, 0, 0)->number == INT64_MIN);
	assert_true(str_eq(sql_at(&texts.rows, 0, 1)->bytes, args[1].bytes));
	assert_int_equal(sql_at(&texts.rows, 0, 2)->type, SQL_BYTES);
	assert_true(str_eq(sql_at(&texts.rows, 0, 2)->bytes, args[2].bytes));
	assert_int_equal(sql_at(&texts.rows, 0, 3)->type, SQL_NULL);
	assert_int_equal(sql_at(&texts.rows, 0, 4)->type, SQL_INT);
	assert_int_equal(sql_at(&texts.rows, 0, 4)->number, 1);
	assert_int_equal(sql_at(&texts.rows, 0, 5)->type, SQL_TEXT);
	assert_int_equal(sql_at(&texts.rows, 0, 5)->bytes.n, 0);
	assert_int_equal(sql_at(&texts.rows, 0, 6)->type, SQL_BYTES);
	assert_int_equal(sql_at(&texts.rows, 0, 6)->bytes.n, 0);
	assert_true(str_eq(sql_at(&texts.rows, 0, 7)->bytes, PT_STR("?1 stays")));
	assert_int_equal(sql_at(&texts.rows, 0, 8)->number, 7);
	assert_int_equal(sql_at(&texts.rows, 0, 9)->number, 8);
	arena_close(arena);
	store->driver->close(store);
}

static void moments_are_microseconds_in_utc(void **state)
{
	struct sql_store *store = open_store(0, false);
	struct arena *arena = arena_open(ARENA);
	struct texts texts = { .text = { "SELECT TIMESTAMP '2024-02-29 12:34:56.789', TIMESTAMPTZ "
					 "'2024-02-29 12:34:56+02',"
					 " DATE '1970-01-02', 'infinity'::timestamp, "
					 "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid,"
					 " '{\"a\": 1}'::jsonb, 12.50::numeric" } };

	(void)state;
	assert_int_equal(read_texts(store, arena, &texts), PT_OK);
	assert_true(sql_at(&texts.rows, 0, 0)->number == INT64_C(1709210096789000));
	assert_true(sql_at(&texts.rows, 0, 1)->number == INT64_C(1709202896000000));
	assert_true(sql_at(&texts.rows, 0, 2)->number == PT_DAY);
	assert_int_equal(sql_at(&texts.rows, 0, 3)->type, SQL_TEXT);
	assert_true(str_eq(
		sql_at(&texts.rows, 0, 4)->bytes, PT_STR("6ba7b810-9dad-11d1-80b4-00c04fd430c8")));
	assert_true(str_eq(sql_at(&texts.rows, 0, 5)->bytes, PT_STR("{\"a\": 1}")));
	assert_true(str_eq(sql_at(&texts.rows, 0, 6)->bytes, PT_STR("12.50")));
	arena_close(arena);
	store->driver->close(store);
}

static pt_err swallow(struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	(void)in;
	(void)out;
	(void)keep;
	TRY(conn->driver->run_text(conn, arena, 0, "INSERT INTO gone VALUES (1)", NULL, 0, NULL));
	/* Aborts the transaction, and the act does not say so. */
	(void)!conn->driver->run_text(conn, arena, 0, "INSERT INTO gone VALUES (1)", NULL, 0, NULL);
	return PT_OK;
}

static void commit_that_does_not_happen_is_a_fault(void **state)
{
	struct sql_store *store = open_store(0, false);
	struct arena *arena = arena_open(ARENA);

	(void)state;
	script(store, "CREATE TABLE gone (id bigint UNIQUE)");
	assert_int_equal(store->driver->write(store, swallow, arena, NULL, NULL), PT_F_STORE);
	assert_int_equal(count(store, 5, "SELECT count(*) FROM gone"), 0);
	arena_close(arena);
	store->driver->close(store);
}

static void reading_act_cannot_write(void **state)
{
	struct sql_store *store = open_store(0, false);
	struct arena *arena = arena_open(ARENA);
	struct texts texts = { .text = { "CREATE TABLE never (id int)" } };

	(void)state;
	/* 25006, which might be a standby: it is tried again on another connection, and then given up. */
	assert_int_equal(read_texts(store, arena, &texts), PT_F_STORE);
	assert_int_equal(
		count(store, 5, "SELECT count(*) FROM pg_class WHERE relname = 'never'"), 0);
	arena_close(arena);
	store->driver->close(store);
}

static void failed_script_leaves_nothing(void **state)
{
	struct sql_store *store = open_store(0, false);
	struct arena *arena = arena_open(ARENA);

	(void)state;
	assert_int_equal(store->driver->write(store, run_script, arena,
				 "CREATE TABLE half (id int); SELECT 1/0", NULL),
		PT_F_STORE);
	assert_int_equal(
		count(store, 5, "SELECT count(*) FROM pg_class WHERE relname = 'half'"), 0);
	arena_close(arena);
	store->driver->close(store);
}

/* The whole store: migrations and a look at a users table wait for the server too. */
static void store_is_made_ready_when_the_server_comes(void **state)
{
	const struct view_setup view = { .relation = PT_STR("late_users") };
	const struct store_setup setup = {
		.url = server_url(), .view = &view, .migrate = true, .wait = true
	};
	const struct pt_account_query query = { .by = PT_BY_USERNAME, .key = PT_STR("ann") };
	struct arena *arena = arena_open(ARENA);
	struct sql_store *raw = open_store(1, false);
	struct pt_account_record record;
	struct pt_store store;
	pt_err err;

	(void)state;
	cluster("kill");
	assert_int_equal(store_open(&setup, &store), PT_OK);
	err = store.account_find(store.ctx, arena, &query, &record);
	assert_int_equal(err, PT_F_STORE);
	cluster("start");
	pause_for(PT_SECOND);
	/* The table is not there yet: that is said once, and not looked at again at once. */
	assert_int_equal(store.account_find(store.ctx, arena, &query, &record), PT_F_STORE);
	assert_int_equal(store.account_find(store.ctx, arena, &query, &record), PT_F_STORE);
	script(raw,
		"CREATE TABLE late_users (user_id TEXT PRIMARY KEY, username TEXT, password TEXT,"
		" email TEXT, verified BOOLEAN); INSERT INTO late_users VALUES ('1', 'ann')");
	pause_for(5200 * PT_MILLISECOND);
	assert_int_equal(store.account_find(store.ctx, arena, &query, &record), PT_OK);
	assert_string_equal(record.account.id.text, "1");
	store.close(store.ctx);
	raw->driver->close(raw);
	arena_close(arena);
}

static void settings_that_libpq_cannot_read_are_refused(void **state)
{
	static const char *const urls[] = {
		"postgres://user:pa/ss@host:5432/db", /* the password spills over into the port */
		"postgres://user:se:cret@/x@y/db",
		"host=x port=secret",
		"nonsense",
		"postgres://h/db?no_such_option=1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct store_setup setup = { .url = str(urls[i]), .wait = true };
		struct sql_store *store = NULL;

		assert_int_equal(postgres_open(&setup, &store), PT_F_CONFIG);
		assert_null(store);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_that_libpq_cannot_read_are_refused),
		cmocka_unit_test(values_come_back_as_they_went),
		cmocka_unit_test(moments_are_microseconds_in_utc),
		cmocka_unit_test(commit_that_does_not_happen_is_a_fault),
		cmocka_unit_test(reading_act_cannot_write),
		cmocka_unit_test(failed_script_leaves_nothing),
		cmocka_unit_test(store_is_made_ready_when_the_server_comes),
	};

	log_open(LOG_TEXT, LOG_INFO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

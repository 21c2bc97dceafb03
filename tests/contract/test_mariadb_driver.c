/*
 * What only the MariaDB driver does; what every driver of a server does is in test_remote_driver.c.
 *
 * Runs inside of `mariadb.py run`.
 */
#include "driver_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"

#include "base/banned.h"

/* ---- values ---- */

static void values_come_back_as_they_went(void **state)
{
	struct sql_store *store = open_store(0, false);
	struct arena *arena = arena_open(ARENA);
	static const char bytes[] = "\0\xff\x5c'?1";
	const struct sql_value args[] = { sql_int(INT64_MIN),
		sql_text(PT_STR("a'?1 \xf0\x9f\x8c\x8d")), sql_bytes(bytes, sizeof(bytes)),
		sql_null(), sql_text(PT_STR("")), sql_bytes("", 0) };
	struct texts texts = { .text = { "INSERT INTO came VALUES (?2, ?1, ?3, ?4, ?5, ?6)",
				       "SELECT n, t, b, no, none, nothing, '?1 stays', 7, count(*)"
				       " FROM came WHERE n = ?1 AND t = ?2" },
		.args = args,
		.n_args = 6 };
	struct texts insert = texts;

	(void)state;
	script(store,
		"CREATE TABLE came (t VARCHAR(20) CHARACTER SET utf8mb4, n BIGINT, b LONGBLOB,"
		" no TEXT, none TEXT, nothing VARBINARY(9))");
	insert.text[1] = NULL;
	assert_int_equal(write_texts(store, arena, &insert), PT_OK);
	assert_int_equal(insert.rows.changed, 1);
	texts.slot = 1;
	texts.text[0] = texts.text[1];
	texts.text[1] = NULL;
	texts.n_args = 2;
	assert_int_equal(write_texts(store, arena, &texts), PT_OK);
	assert_int_equal(texts.rows.n_rows, 1);
	assert_int_equal(texts.rows.n_columns, 9);
	assert_int_equal(sql_at(&texts.rows, 0, 0)->type, SQL_INT);
	assert_true(sql_at(&texts.rows, 0, 0)->number == INT64_MIN);
	assert_int_equal(sql_at(&texts.rows, 0, 1)->type, SQL_TEXT);
	assert_true(str_eq(sql_at(&texts.rows, 0, 1)->bytes, args[1].bytes));
	assert_int_equal(sql_at(&texts.rows, 0, 2)->type, SQL_BYTES);
	assert_true(str_eq(sql_at(&texts.rows, 0, 2)->bytes, args[2].bytes));
	assert_int_equal(sql_at(&texts.rows, 0, 3)->type, SQL_NULL);
	assert_int_equal(sql_at(&texts.rows, 0, 4)->type, SQL_TEXT);
	assert_int_equal(sql_at(&texts.rows, 0, 4)->bytes.n, 0);
	assert_int_equal(sql_at(&texts.rows, 0, 5)->type, SQL_BYTES);
	assert_int_equal(sql_at(&texts.rows, 0, 5)->bytes.n, 0);
	assert_true(str_eq(sql_at(&texts.rows, 0, 6)->bytes, PT_STR("?1 stays")));
	assert_int_equal(sql_at(&texts.rows, 0, 7)->number, 7);
	assert_int_equal(sql_at(&texts.rows, 0, 8)->number, 1);
	arena_close(arena);
	store->driver->close(store);
}

/* What does not fit is refused whatever the server's own mode is, and is not logged. */
static void value_that_does_not_fit_is_a_fault(void **state)
{
	struct sql_store *store = open_store(0, false);
	struct arena *arena = arena_open(ARENA);
	static const char *const texts_[] = { "INSERT INTO narrow VALUES ('too long', 1)",
		"INSERT INTO narrow VALUES ('a', 3000000000)",
		"INSERT INTO narrow VALUES ('a', 'secret')",
		"INSERT INTO narrow (t) VALUES ('a')" };

	(void)state;
	script(store, "CREATE TABLE narrow (t VARCHAR(3), n INT NOT NULL)");
	for (unsigned i = 0; i < 4; i++) {
		struct texts texts = { .slot = i, .text = { texts_[i] } };

		assert_int_equal(write_texts(store, arena, &texts), PT_F_STORE);
	}
	assert_int_equal(count(store, 9, "SELECT count(*) FROM narrow"), 0);
	arena_close(arena);
	store->driver->close(store);
}

static void update_counts_the_rows_it_meets(void **state)
{
	struct sql_store *store = open_store(0, false);
	struct arena *arena = arena_open(ARENA);
	struct texts same = { .text = { "UPDATE same SET n = 1" } };
	struct texts none = { .slot = 1, .text = { "UPDATE same SET n = 1 WHERE n = 2" } };

	(void)state;
	script(store, "CREATE TABLE same (n INT); INSERT INTO same VALUES (1)");
	assert_int_equal(write_texts(store, arena, &same), PT_OK);
	assert_int_equal(same.rows.changed, 1);
	assert_int_equal(write_texts(store, arena, &none), PT_OK);
	assert_int_equal(none.rows.changed, 0);
	arena_close(arena);
	store->driver->close(store);
}

/* Not as in PostgreSQL: the act goes on, and decides. */
static pt_err go_on(struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	static const char insert[] = "INSERT INTO twice VALUES (1)";

	(void)in, (void)out, (void)keep;
	TRY(conn->driver->run_text(conn, arena, 0, insert, NULL, 0, NULL));
	if (conn->driver->run_text(conn, arena, 0, insert, NULL, 0, NULL) != PT_E_TAKEN)
		return PT_F_BUG;
	return conn->driver->run_text(
		conn, arena, 1, "INSERT INTO twice VALUES (2)", NULL, 0, NULL);
}

static void act_goes_on_after_a_broken_unique_rule(void **state)
{
	struct sql_store *store = open_store(0, false);
	struct arena *arena = arena_open(ARENA);

	(void)state;
	script(store, "CREATE TABLE twice (id bigint UNIQUE)");
	assert_int_equal(store->driver->write(store, go_on, arena, NULL, NULL), PT_OK);
	assert_int_equal(count(store, 5, "SELECT count(*) FROM twice"), 2);
	arena_close(arena);
	store->driver->close(store);
}

static void reading_act_cannot_write(void **state)
{
	struct sql_store *store = open_store(0, false);
	struct arena *arena = arena_open(ARENA);
	struct texts alone = { .text = { "INSERT INTO never VALUES (1)" } };
	struct texts later = { .slot = 1,
		.text = { "SELECT count(*) FROM never", "INSERT INTO never VALUES (1)" } };

	(void)state;
	script(store, "CREATE TABLE never (id int)");
	assert_int_equal(read_texts(store, arena, &alone), PT_F_STORE);
	assert_int_equal(read_texts(store, arena, &later), PT_F_STORE);
	assert_int_equal(count(store, 5, "SELECT count(*) FROM never"), 0);
	arena_close(arena);
	store->driver->close(store);
}

/* ---- names and the schema ---- */

static pt_err hold_two(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	(void)in, (void)out, (void)keep;
	TRY(conn->driver->lock_name(conn, arena, PT_STR("ann")));
	return conn->driver->lock_name(conn, arena, PT_STR("bob"));
}

static void names_are_given_back_when_the_act_ends(void **state)
{
	struct sql_store *store = open_store(1, false);
	struct arena *arena = arena_open(ARENA);

	(void)state;
	assert_int_equal(store->driver->write(store, hold_two, arena, NULL, NULL), PT_OK);
	assert_int_equal(count(store, 5,
				 "SELECT count(IS_USED_LOCK(CONCAT('portress ', SHA1(CONCAT("
				 "DATABASE(), ' ', 'ann')))))"),
		0);
	arena_close(arena);
	store->driver->close(store);
}

static void failed_script_does_not_loosen_the_session(void **state)
{
	struct sql_store *store = open_store(1, false);
	struct arena *arena = arena_open(ARENA);

	(void)state;
	assert_int_equal(
		store->driver->write(store, run_script, arena, "SELECT 1; SELECT nothing", NULL),
		PT_F_STORE);
	assert_int_equal(count(store, 5, "SELECT @@tx_read_only"), 1);
	assert_int_equal(count(store, 6, "SELECT @@max_statement_time > 0"), 1);
	arena_close(arena);
	store->driver->close(store);
}

/* The server commits with every change of the schema: a crash leaves half a step. */
static void schema_that_was_half_made_is_finished(void **state)
{
	const struct store_setup setup = { .url = server_url(), .migrate = true };
	struct sql_store *raw = open_store(1, false);
	struct migration_status status;
	struct pt_store store;

	(void)state;
	assert_int_equal(store_open(&setup, &store), PT_OK);
	store.close(store.ctx);
	script(raw, "DELETE FROM portress_schema; DROP INDEX portress_account_email ON "
		    "portress_account;"
		    "DROP TABLE portress_event");
	assert_int_equal(store_open(&setup, &store), PT_OK);
	store.close(store.ctx);
	assert_int_equal(store_migrate_verify(&setup, &status), PT_OK);
	assert_int_equal(status.applied, status.known);
	assert_int_equal(
		count(raw, 5,
			"SELECT count(*) FROM information_schema.statistics WHERE"
			" table_schema = DATABASE() AND index_name = 'portress_account_email'"),
		3);
	raw->driver->close(raw);
}

/* Whichever statement it was that the crash came after. */
static void tokens_survive_a_step_that_is_made_again(void **state)
{
	const struct store_setup setup = { .url = server_url(), .migrate = true };
	struct sql_store *raw = open_store(1, false);
	struct pt_store store;

	(void)state;
	assert_int_equal(store_open(&setup, &store), PT_OK);
	store.close(store.ctx);
	script(raw, "INSERT INTO portress_family (id, account, started_at, generation, issued_at,"
		    " expires_at) VALUES ('here', 'ann', 1, 2, 2, 200);"
		    "INSERT INTO portress_loose_token VALUES ('the hash', 'here', 2);"
		    "DELETE FROM portress_schema WHERE number = 2");
	assert_int_equal(store_open(&setup, &store), PT_OK);
	store.close(store.ctx);
	script(raw, "DELETE FROM portress_schema WHERE number = 2;"
		    "CREATE TABLE portress_token (hash VARBINARY(255), family VARCHAR(255),"
		    " issued_at BIGINT, expires_at BIGINT, spent_at BIGINT);"
		    "INSERT INTO portress_token VALUES ('the hash', 'here', 2, 200, 0)");
	assert_int_equal(store_open(&setup, &store), PT_OK);
	store.close(store.ctx);
	assert_int_equal(
		count(raw, 5,
			"SELECT count(*) FROM portress_family f JOIN portress_loose_token l ON"
			" l.family = f.id WHERE f.generation = 2 AND l.generation = 2 AND"
			" f.issued_at = 2 AND f.expires_at = 200 AND f.purge_at = 86400000000"),
		1);
	raw->driver->close(raw);
}

static void table_of_somebody_else_is_not_offered(void **state)
{
	const struct view_setup view = { .relation = PT_STR("users") };
	const struct store_setup setup = { .url = server_url(), .view = &view, .wait = true };
	struct pt_store store;

	(void)state;
	assert_int_equal(store_open(&setup, &store), PT_F_CONFIG);
}

/* ---- getting in ---- */

/* A store at mysql://WHO@HOST:PORT/portress?PARAMETERS of the test's server. */
static pt_err knock_at(const char *who, const char *host, const char *parameters)
{
	pt_str url = server_url();
	size_t port = url.n;
	char text[512];
	struct store_setup setup = { .connections = 1 };
	struct sql_store *store = NULL;
	pt_err err;

	while (url.p[port - 1] != ':')
		port--;
	(void)snprintf(
		text, sizeof(text), "mysql://%s@%s:%s?%s", who, host, url.p + port, parameters);
	setup.url = str(text);
	err = server()->open(&setup, &store);
	if (err == PT_OK)
		store->driver->close(store);
	return err;
}

static void right_password_opens_and_a_wrong_one_does_not(void **state)
{
	(void)state;
	assert_int_equal(knock_at("secret:s%2Fe%3Ac%40r%3Ft", "127.0.0.1", ""), PT_OK);
	assert_int_equal(knock_at("secret:wrong", "127.0.0.1", ""), PT_F_STORE);
	assert_int_equal(knock_at("secret", "127.0.0.1", ""), PT_F_STORE);
}

static void certificate_must_bear_the_name_when_that_is_asked(void **state)
{
	char own[256], system[] = "ssl=verify";

	(void)state;
	(void)snprintf(own, sizeof(own), "ssl=verify&ssl-ca=%s/roots.pem",
		getenv("PORTRESS_TEST_CLUSTER"));
	assert_int_equal(knock_at("portress", "localhost", own), PT_OK);
	assert_int_equal(knock_at("portress", "127.0.0.1", own), PT_F_STORE);
	assert_int_equal(knock_at("portress", "localhost", system), PT_F_STORE);
	assert_int_equal(knock_at("portress", "127.0.0.1", "ssl=require"), PT_OK);
}

static void socket_opens_too(void **state)
{
	char parameters[256];

	(void)state;
	(void)snprintf(parameters, sizeof(parameters), "socket=%s/socket",
		getenv("PORTRESS_TEST_CLUSTER"));
	assert_int_equal(knock_at("portress", "elsewhere.test", parameters), PT_OK);
	assert_int_equal(knock_at("portress", "elsewhere.test", "socket=/nowhere"), PT_F_STORE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_back_as_they_went),
		cmocka_unit_test(value_that_does_not_fit_is_a_fault),
		cmocka_unit_test(update_counts_the_rows_it_meets),
		cmocka_unit_test(act_goes_on_after_a_broken_unique_rule),
		cmocka_unit_test(reading_act_cannot_write),
		cmocka_unit_test(names_are_given_back_when_the_act_ends),
		cmocka_unit_test(failed_script_does_not_loosen_the_session),
		cmocka_unit_test(schema_that_was_half_made_is_finished),
		cmocka_unit_test(tokens_survive_a_step_that_is_made_again),
		cmocka_unit_test(table_of_somebody_else_is_not_offered),
		cmocka_unit_test(right_password_opens_and_a_wrong_one_does_not),
		cmocka_unit_test(certificate_must_bear_the_name_when_that_is_asked),
		cmocka_unit_test(socket_opens_too),
	};

	log_open(LOG_TEXT, LOG_INFO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

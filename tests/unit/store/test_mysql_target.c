/*
 * What libmariadb is told, for a setting. No server is asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"
#include "store/sql/mysql_target.h"

#include "base/banned.h"

struct wanted {
	const char *text;
	const char *host;
	unsigned port;
	const char *user, *password, *database;
	const char *socket; /* NULL: none */
};

static void assert_read(const struct wanted *wanted)
{
	pt_arena *arena = arena_open(64 * 1024);
	struct my_target target;

	assert_int_equal(mysql_target_parse(arena, str(wanted->text), &target), PT_OK);
	assert_string_equal(target.host, wanted->host);
	assert_int_equal(target.port, wanted->port);
	assert_string_equal(target.user, wanted->user);
	assert_string_equal(target.password, wanted->password);
	assert_string_equal(target.database, wanted->database);
	if (wanted->socket)
		assert_string_equal(target.socket, wanted->socket);
	else
		assert_null(target.socket);
	arena_close(arena);
}

static void url_says_who_where_and_what(void **state)
{
	static const struct wanted all[] = {
		{ "mysql://u:p@db.example.org:3307/portress", "db.example.org", 3307, "u", "p",
			"portress", NULL },
		{ "mariadb://u@[::1]/a", "::1", 3306, "u", "", "a", NULL },
		{ "mysql://u@[::1]:33/a", "::1", 33, "u", "", "a", NULL },
		{ "mysql:///a", "localhost", 3306, "", "", "a", NULL },
		{ "mysql://u:p%40%2F%3a%3F@h/a%20b", "h", 3306, "u", "p@/:?", "a b", NULL },
		{ "mysql://u:p:q@h/a", "h", 3306, "u", "p:q", "a", NULL },
		{ "mysql://u@x@h/a", "h", 3306, "u@x", "", "a", NULL },
		{ "mysql://u@h/a?socket=/run/my%20sql.sock", "h", 3306, "u", "", "a",
			"/run/my sql.sock" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_read(&all[i]);
}

static void what_go_programs_write_is_read_as_it_is(void **state)
{
	static const struct wanted all[] = {
		{ "u:p@tcp(h:3307)/a?parseTime=true&multiStatements=true", "h", 3307, "u", "p", "a",
			NULL },
		{ "mysql://u:p@tcp(h)/a", "h", 3306, "u", "p", "a", NULL },
		{ "mysql://root:root@(db:33)/a", "db", 33, "root", "root", "a", NULL },
		{ "u:p%40/?x@y@tcp([::1]:33)/a", "::1", 33, "u", "p%40/?x@y", "a", NULL },
		{ "u@unix(/run/mysqld.sock)/a", "localhost", 3306, "u", "", "a",
			"/run/mysqld.sock" },
		{ "tcp(h:3306)/a", "h", 3306, "", "", "a", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_read(&all[i]);
}

static void only_the_form_of_go_is_known_without_a_scheme(void **state)
{
	(void)state;
	assert_true(mysql_target_is_dsn(PT_STR("u:p@tcp(h:1)/a")));
	assert_true(mysql_target_is_dsn(PT_STR("u@unix(/s)/a")));
	assert_false(mysql_target_is_dsn(PT_STR("")));
	assert_false(mysql_target_is_dsn(PT_STR("u:p@h/a")));
	assert_false(mysql_target_is_dsn(PT_STR("./tcp(old)")));
	assert_false(mysql_target_is_dsn(PT_STR("nonsense@")));
}

static void unreadable_setting_is_refused(void **state)
{
	static const char *const texts[] = {
		"mysql://",
		"mysql://u:p@h",       /* no database */
		"mysql://u:p@h/",      /* nor here */
		"mysql://u:pa/ss@h/a", /* the password spills over into the database */
		"mysql://u:pa?ss@h/a",
		"mysql://u:p%4@h/a",
		"mysql://u:p%zz@h/a",
		"mysql://u:p%00@h/a",
		"mysql://u@h:0/a",
		"mysql://u@h:65536/a",
		"mysql://u@h:x/a",
		"mysql://u@[::1/a",
		"mysql://u@[::1]x/a",
		"mysql://u@h/a?sslmode=require", /* somebody means something by it */
		"mysql://u@h/a?ssl=maybe",
		"u:p@tcp(h:3306)/",
		"u:p@tcp(h:3306)/a?tls=own-name",
		"u:p@tcp(h:3306)/a?sql_mode=ANSI",
	};
	pt_arena *arena = arena_open(64 * 1024);
	struct my_target target;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (mysql_target_parse(arena, str(texts[i]), &target) != PT_F_CONFIG)
			fail_msg("%s was read", texts[i]);
	}
	arena_close(arena);
}

static void assert_tls(const char *text, enum my_tls wanted)
{
	pt_arena *arena = arena_open(64 * 1024);
	struct my_target target;

	assert_int_equal(mysql_target_parse(arena, str(text), &target), PT_OK);
	assert_int_equal(target.tls, wanted);
	arena_close(arena);
}

static void remote_server_must_prove_its_name(void **state)
{
	(void)state;
	assert_tls("mysql://u@db.example.org/a", MY_TLS_VERIFY);
	assert_tls("mysql://u@192.0.2.1/a", MY_TLS_VERIFY);
	assert_tls("u@tcp(db.example.org:3306)/a", MY_TLS_VERIFY);
	assert_tls("u@tcp(db.example.org:3306)/a?tls=true", MY_TLS_VERIFY);
}

static void this_machine_and_an_operators_word_are_left_alone(void **state)
{
	(void)state;
	assert_tls("mysql://u@localhost/a", MY_TLS_OFF);
	assert_tls("mysql://u@127.0.0.1/a", MY_TLS_OFF);
	assert_tls("mysql://u@[::1]/a", MY_TLS_OFF);
	assert_tls("mysql://u@db.example.org/a?socket=/s", MY_TLS_OFF);
	assert_tls("mysql://u@localhost/a?ssl=verify", MY_TLS_VERIFY);
	assert_tls("mysql://u@db.example.org/a?ssl=require", MY_TLS_REQUIRE);
	assert_tls("mysql://u@db.example.org/a?ssl=off", MY_TLS_OFF);
	assert_tls("u@tcp(db.example.org:3306)/a?tls=skip-verify", MY_TLS_REQUIRE);
	/* In clear only where nobody listens. */
	assert_tls("u@tcp(db.example.org:3306)/a?tls=preferred", MY_TLS_REQUIRE);
	assert_tls("u@tcp(localhost:3306)/a?tls=preferred", MY_TLS_OFF);
}

static void session_keeps_its_times(void **state)
{
	struct my_target *target = NULL;

	(void)state;
	assert_int_equal(mysql_target_make(PT_STR("mysql://u@h/a"), 2 * PT_SECOND, &target), PT_OK);
	assert_true(str_contains(str(target->session), PT_STR("max_statement_time = 1.500,")));
	assert_true(str_contains(str(target->session), PT_STR("innodb_lock_wait_timeout = 1,")));
	assert_true(str_contains(str(target->session), PT_STR("STRICT_ALL_TABLES")));
	mysql_target_free(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(url_says_who_where_and_what),
		cmocka_unit_test(what_go_programs_write_is_read_as_it_is),
		cmocka_unit_test(only_the_form_of_go_is_known_without_a_scheme),
		cmocka_unit_test(unreadable_setting_is_refused),
		cmocka_unit_test(remote_server_must_prove_its_name),
		cmocka_unit_test(this_machine_and_an_operators_word_are_left_alone),
		cmocka_unit_test(session_keeps_its_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

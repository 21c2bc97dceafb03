/*
 * The schema files as MariaDB is told them. Whether it understands is asked in tests/contract.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"
#include "store/sql/mysql_schema.h"

#include "base/banned.h"

static void assert_said(const char *script, const char *wanted)
{
	pt_arena *arena = arena_open(64 * 1024);
	pt_str said;

	assert_int_equal(mysql_schema(arena, str(script), &said), PT_OK);
	assert_string_equal(said.p, wanted);
	arena_close(arena);
}

static void what_is_made_may_be_there_already(void **state)
{
	(void)state;
	assert_said("CREATE TABLE a (b INT);", "CREATE TABLE IF NOT EXISTS a (b INT);");
	assert_said("CREATE INDEX a ON b (c);", "CREATE INDEX IF NOT EXISTS a ON b (c);");
	assert_said(
		"CREATE UNIQUE INDEX a ON b (c);", "CREATE UNIQUE INDEX IF NOT EXISTS a ON b (c);");
	assert_said("ALTER TABLE a\n\tADD COLUMN b INT;",
		"ALTER TABLE a\n\tADD COLUMN IF NOT EXISTS b INT;");
	assert_said(
		"CREATE TABLE IF NOT EXISTS a (b INT);", "CREATE TABLE IF NOT EXISTS a (b INT);");
}

static void index_loses_its_where_and_nothing_else_does(void **state)
{
	(void)state;
	assert_said(
		"CREATE INDEX a ON b (c)\n\tWHERE c IS NOT NULL;\nUPDATE b SET c = 1 WHERE c = 2;",
		"CREATE INDEX IF NOT EXISTS a ON b (c)\n\t;\nUPDATE b SET c = 1 WHERE c = 2;");
}

static void comments_and_quoted_texts_are_left_alone(void **state)
{
	(void)state;
	assert_said("-- CREATE TABLE a; it's\nSELECT 1;", "-- CREATE TABLE a; it's\nSELECT 1;");
	assert_said("INSERT INTO a VALUES ('CREATE TABLE b');",
		"INSERT INTO a VALUES ('CREATE TABLE b');");
	assert_said("SELECT 'open", "SELECT 'open");
	assert_said("-- no end", "-- no end");
	assert_said("", "");
}

static void column_in_an_index_of_the_first_steps_is_bounded(void **state)
{
	(void)state;
	assert_string_equal(
		mysql_schema_type(PT_STR("\temail_key "), "MEDIUMTEXT"), "VARCHAR(255)");
	assert_string_equal(mysql_schema_type(PT_STR("(hash "), "LONGBLOB"), "VARBINARY(255)");
	assert_string_equal(
		mysql_schema_type(PT_STR("new_email_key "), "MEDIUMTEXT"), "MEDIUMTEXT");
	assert_string_equal(mysql_schema_type(PT_STR("id "), "BIGINT"), "BIGINT");
	assert_string_equal(mysql_schema_type(PT_STR(""), "MEDIUMTEXT"), "MEDIUMTEXT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_may_be_there_already),
		cmocka_unit_test(index_loses_its_where_and_nothing_else_does),
		cmocka_unit_test(comments_and_quoted_texts_are_left_alone),
		cmocka_unit_test(column_in_an_index_of_the_first_steps_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

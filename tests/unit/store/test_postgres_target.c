/*
 * What libpq is told, for a setting. No server is asked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "store/sql/postgres_target.h"

#include "base/banned.h"

static struct pg_target *make(const char *url)
{
	struct pg_target *target = NULL;

	assert_int_equal(pg_target_make(str(url), 2 * PT_SECOND, &target), PT_OK);
	return target;
}

/* The value that is said first, before (or with) the URL; NULL when nothing is said. */
static const char *told(const struct pg_target *target, const char *keyword)
{
	for (size_t i = 0; target->keywords[i]; i++) {
		if (strcmp(target->keywords[i], keyword) == 0)
			return target->values[i];
	}
	return NULL;
}

static void assert_tls(const char *url, const char *mode)
{
	struct pg_target *target = make(url);
	const char *said = told(target, "sslmode");

	if (mode)
		assert_string_equal(said, mode);
	else
		assert_null(said);
	pg_target_free(target);
}

static void remote_server_must_prove_its_name(void **state)
{
	(void)state;
	assert_tls("postgres://u:p@db.example.org/portress", "verify-full");
	assert_tls("postgres://u:p@localhost,db.example.org/portress", "verify-full");
	assert_tls("host=192.0.2.1 dbname=portress", "verify-full");
	assert_tls("hostaddr=192.0.2.1 dbname=portress", "verify-full");
}

static void this_machine_and_an_operators_word_are_left_alone(void **state)
{
	(void)state;
	assert_tls("postgres:///portress?host=/run/postgresql", NULL);
	assert_tls("postgres://localhost/portress", NULL);
	assert_tls("postgres://127.0.0.1:5433/portress", NULL);
	assert_tls("postgres://[::1]/portress", NULL);
	assert_tls("dbname=portress", NULL);
	assert_tls("postgres://db.example.org/portress?sslmode=require", NULL);
}

static void environment_names_the_host_and_the_mode(void **state)
{
	(void)state;
	setenv("PGHOST", "db.example.org", 1);
	assert_tls("dbname=portress", "verify-full");
	setenv("PGSSLMODE", "require", 1);
	assert_tls("dbname=portress", NULL);
	unsetenv("PGSSLMODE");
	unsetenv("PGHOST");
}

static void url_may_change_what_stands_before_it(void **state)
{
	struct pg_target *target = make("postgres://localhost/portress?application_name=mine");
	size_t url = 0, name = 0, encoding = 0;

	(void)state;
	for (size_t i = 0; target->keywords[i]; i++) {
		if (strcmp(target->keywords[i], "dbname") == 0)
			url = i;
		if (strcmp(target->keywords[i], "application_name") == 0)
			name = i;
		if (strcmp(target->keywords[i], "client_encoding") == 0)
			encoding = i;
	}
	assert_true(name < url);
	assert_true(encoding > url);
	assert_string_equal(told(target, "gssencmode"), "disable");
	pg_target_free(target);
}

static void server_gives_up_before_we_do(void **state)
{
	struct pg_target *target = make("postgres://localhost/portress");

	(void)state;
	assert_non_null(strstr(target->session, "statement_timeout = 1500;"));
	assert_non_null(strstr(target->session, "lock_timeout = 1400;"));
	assert_true(target->patience > pg_statement_timeout(2 * PT_SECOND));
	assert_true(target->patience < 2 * PT_SECOND);
	pg_target_free(target);
}

static int setup(void **state)
{
	(void)state;
	return pq_open() == PT_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remote_server_must_prove_its_name),
		cmocka_unit_test(this_machine_and_an_operators_word_are_left_alone),
		cmocka_unit_test(environment_names_the_host_and_the_mode),
		cmocka_unit_test(url_may_change_what_stands_before_it),
		cmocka_unit_test(server_gives_up_before_we_do),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}

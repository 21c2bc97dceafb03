/*
 * test_config.c - which value counts, and what is said about the ones that cannot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "config_support.h"

#include "base/banned.h"

static char file_path[64];

static void file_write(const char *text, mode_t mode)
{
	snprintf(file_path, sizeof(file_path), "/tmp/test-config-%ld", (long)getpid());
	FILE *file = fopen(file_path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(file_path, mode);
}

static int file_remove(void **state)
{
	(void)state;
	if (file_path[0])
		unlink(file_path);
	return 0;
}

static void expect(
	const struct loaded *l, enum setting id, const char *text, enum setting_origin origin)
{
	assert_true(str_eq(config_text(&l->config, id), str(text)));
	assert_int_equal(l->config.values[id].origin, origin);
}

static void nothing_set_means_the_defaults(void **state)
{
	struct loaded l = load(NO_ENVIRONMENT, NULL);

	(void)state;
	assert_int_equal(l.err, PT_OK);
	expect(&l, SET_DATABASE, "sqlite:./var/portress.db", FROM_DEFAULT);
	assert_int_equal(config_number(&l.config, SET_SHUTDOWN_GRACE), 10 * PT_SECOND);
	assert_true(config_true(&l.config, SET_CSRF));
	unload(&l);
}

static void flags_count_more_than_environment_more_than_file(void **state)
{
	(void)state;
	file_write("PORTRESS_LISTEN=:1\nPORTRESS_HTTP_WORKERS=3\nPORTRESS_HASH_QUEUE=5\n", 0644);
	struct loaded l =
		load(ENVIRONMENT("PORTRESS_LISTEN=:2", "PORTRESS_HTTP_WORKERS=4", "HOME=/x"),
			FLAGS("listen", ":3", "config", file_path));
	assert_int_equal(l.err, PT_OK);
	expect(&l, SET_LISTEN, ":3", FROM_FLAG);
	expect(&l, SET_HTTP_WORKERS, "4", FROM_ENVIRONMENT);
	expect(&l, SET_HASH_QUEUE, "5", FROM_FILE);
	assert_int_equal(config_number(&l.config, SET_HASH_QUEUE), 5);
	unload(&l);
}

static void unknown_names_are_refused_with_the_nearest(void **state)
{
	struct loaded l = load(ENVIRONMENT("PORTRESS_LISTN=:2"), NULL);

	(void)state;
	assert_int_equal(l.err, PT_F_CONFIG);
	assert_true(
		complains(&l, "PORTRESS_LISTN: no such setting; did you mean PORTRESS_LISTEN?"));
	assert_false(l.config.bad_flags);
	unload(&l);
	l = load(NO_ENVIRONMENT, FLAGS("smtp.hots", "x"));
	assert_int_equal(l.err, PT_F_CONFIG);
	assert_true(complains(&l, "did you mean --smtp.host?"));
	assert_true(l.config.bad_flags);
	unload(&l);
}

static void names_of_tests_and_of_others_are_left_alone(void **state)
{
	struct loaded l =
		load(ENVIRONMENT("PORTRESS_TEST_CONTROL=/x", "DB_TYPE=oracle", "PATH=/bin"), NULL);

	(void)state;
	assert_int_equal(l.err, PT_OK);
	unload(&l);
}

static void all_problems_are_told_at_once(void **state)
{
	struct loaded l = load(ENVIRONMENT("PORTRESS_SMTP_PORT=abc", "PORTRESS_CSRF=maybe",
				       "PORTRESS_SHUTDOWN_GRACE=10", "PORTRESS_LOG_LEVEL=loud",
				       "PORTRESS_MAIL_FROM=nobody", "PORTRESS_URL=example.org"),
		NULL);

	(void)state;
	assert_int_equal(l.config.n_problems, 6);
	assert_true(
		complains(&l, "PORTRESS_SMTP_PORT: must be a number from 1 to 65535, not `abc`"));
	assert_true(complains(&l, "PORTRESS_CSRF: must be true or false"));
	assert_true(complains(&l, "PORTRESS_SHUTDOWN_GRACE: must be a time from 0s to 10m"));
	assert_true(complains(&l, "PORTRESS_LOG_LEVEL: must be one of error|warn|info|debug"));
	assert_true(complains(&l, "PORTRESS_MAIL_FROM: must be an e-mail address"));
	assert_true(complains(&l, "PORTRESS_URL: must be an address like https://"));
	unload(&l);
}

static void times_have_units(void **state)
{
	struct loaded l =
		load(ENVIRONMENT("PORTRESS_SESSION_LIFE=30d", "PORTRESS_SIGNIN_DELAY=500ms"), NULL);

	(void)state;
	assert_int_equal(config_number(&l.config, SET_SESSION_LIFE), 30 * PT_DAY);
	assert_int_equal(config_number(&l.config, SET_SIGNIN_DELAY), 500 * PT_MILLISECOND);
	unload(&l);
	l = load(ENVIRONMENT("PORTRESS_SESSION_LIFE=366d"), NULL);
	assert_int_equal(l.err, PT_F_CONFIG);
	unload(&l);
}

static void a_secret_is_never_a_flag(void **state)
{
	struct loaded l = load(NO_ENVIRONMENT, FLAGS("smtp.password", "hunter2hunter2"));

	(void)state;
	assert_int_equal(l.err, PT_F_CONFIG);
	assert_true(complains(&l, "--smtp.password: a secret is never an argument"));
	assert_false(complains(&l, "hunter2"));
	unload(&l);
}

static void a_secret_may_stand_in_a_file_of_its_owner(void **state)
{
	char name[128];

	(void)state;
	file_write("s3cret value\n", 0600);
	snprintf(name, sizeof(name), "PORTRESS_SMTP_PASSWORD_FILE=%s", file_path);
	struct loaded l = load(ENVIRONMENT(name), NULL);
	assert_int_equal(l.err, PT_OK);
	assert_true(str_eq(config_text(&l.config, SET_SMTP_PASSWORD), PT_STR("s3cret value")));
	assert_true(str_eq(config_shown(&l.config, SET_SMTP_PASSWORD), PT_STR("set")));
	unload(&l);

	l = load(ENVIRONMENT(name, "PORTRESS_SMTP_PASSWORD=x"), NULL);
	assert_int_equal(l.err, PT_F_CONFIG);
	unload(&l);

	chmod(file_path, 0644);
	l = load(ENVIRONMENT(name), NULL);
	assert_int_equal(l.err, PT_F_CONFIG);
	assert_true(complains(&l, "chmod 600"));
	unload(&l);
}

static void a_file_with_a_name_twice_or_none_is_refused(void **state)
{
	(void)state;
	file_write("PORTRESS_LISTEN=:1\nPORTRESS_LISTEN=:2\nOTHER=3\n", 0644);
	struct loaded l = load(NO_ENVIRONMENT, FLAGS("config", file_path));
	assert_int_equal(l.config.n_problems, 2);
	assert_true(complains(&l, "line 2: PORTRESS_LISTEN stands there twice"));
	assert_true(complains(&l, "line 3: OTHER: no such setting"));
	unload(&l);
	l = load(NO_ENVIRONMENT, FLAGS("config", "/nonexistent/portress.conf"));
	assert_int_equal(l.err, PT_F_CONFIG);
	unload(&l);
}

static void passwords_in_addresses_are_not_shown(void **state)
{
	struct loaded l = load(ENVIRONMENT("PORTRESS_DATABASE=postgres://me:pa@ss@db/x",
				       "PORTRESS_SMTP_URL=smtp://me@host"),
		NULL);

	(void)state;
	assert_true(
		str_eq(config_shown(&l.config, SET_DATABASE), PT_STR("postgres://me:***@db/x")));
	assert_true(str_eq(config_shown(&l.config, SET_SMTP_URL), PT_STR("smtp://me@host")));
	unload(&l);
	l = load(ENVIRONMENT("PORTRESS_DATABASE=me:pa://ss@tcp(db)/x"), NULL);
	assert_true(str_eq(config_shown(&l.config, SET_DATABASE), PT_STR("me:***@tcp(db)/x")));
	unload(&l);
}

/* ---- in Identoro's place ---- */

#define IDENTORO                                                                           \
	"PORTRESS_AS=identoro", "DB_TYPE=sqlite", "DATABASE_URL=x.db",                     \
		"SECRET_KEY=0123456789abcdefg0123456789abcdefg",                           \
		"HASH_KEY=0123456789abcdefh0123456789abcdefh", "EMAIL_SENDER=a@b.example", \
		"EMAIL_REPLY_TO=c@b.example", "SMTP_HOST=localhost", "SMTP_PORT=25",       \
		"WEB_SERVER_ADDRESS=http://localhost:8080"

static void identoros_names_and_units_are_read(void **state)
{
	struct loaded l =
		load(ENVIRONMENT(IDENTORO, "SIGNIN_DELAY_MS=1500", "JWT_EXPIRATION_HOURS=2",
			     "INSECURE_COOKIES=true", "USE_CSRF=what", "USE_JWT_AUTH=T",
			     "REQUIRE_FIRST_AND_LAST_NAME=1"),
			NULL);

	(void)state;
	assert_int_equal(l.err, PT_OK);
	assert_int_equal(config_number(&l.config, SET_SIGNIN_DELAY), 1500 * PT_MILLISECOND);
	assert_int_equal(config_number(&l.config, SET_JWT_LIFE), 2 * PT_HOUR);
	assert_true(str_eq(config_text(&l.config, SET_COOKIES_SECURE), PT_STR("off")));
	assert_true(config_true(&l.config, SET_CSRF));
	assert_true(config_true(&l.config, SET_JWT));
	assert_false(config_true(&l.config, SET_NAMES_REQUIRED));
	assert_int_equal(config_number(&l.config, SET_PASSWORD_MIN), 6);
	unload(&l);
}

static void what_identoro_needs_is_missed_by_name(void **state)
{
	struct loaded l = load(ENVIRONMENT("PORTRESS_AS=identoro"), NULL);

	(void)state;
	assert_int_equal(l.err, PT_F_CONFIG);
	assert_true(complains(&l, "HASH_KEY is required"));
	assert_true(complains(&l, "WEB_SERVER_ADDRESS is required"));
	assert_true(complains(&l, "SMTP_PORT is required"));
	unload(&l);
}

static void user_counts_from_the_file_only(void **state)
{
	(void)state;
	struct loaded l = load(ENVIRONMENT(IDENTORO, "USER=root", "GROUP=root"), NULL);
	assert_int_equal(config_text(&l.config, SET_JAIL_USER).n, 0);
	unload(&l);

	file_write("USER=nobody\nGROUP=nogroup\nRUN_AS_GROUPNAME_OR_ID=games\n", 0644);
	l = load(ENVIRONMENT(IDENTORO, "USER=root"), FLAGS("config", file_path));
	assert_true(str_eq(config_text(&l.config, SET_JAIL_USER), PT_STR("nobody")));
	assert_true(str_eq(config_text(&l.config, SET_JAIL_GROUP), PT_STR("games")));
	unload(&l);
}

static void our_name_counts_more_than_identoros(void **state)
{
	struct loaded l =
		load(ENVIRONMENT(IDENTORO, "PORTRESS_LISTEN=:1", "LISTEN_ADDRESS=:2"), NULL);

	(void)state;
	assert_true(str_eq(config_text(&l.config, SET_LISTEN), PT_STR(":1")));
	unload(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_set_means_the_defaults),
		cmocka_unit_test(flags_count_more_than_environment_more_than_file),
		cmocka_unit_test(unknown_names_are_refused_with_the_nearest),
		cmocka_unit_test(names_of_tests_and_of_others_are_left_alone),
		cmocka_unit_test(all_problems_are_told_at_once),
		cmocka_unit_test(times_have_units),
		cmocka_unit_test(a_secret_is_never_a_flag),
		cmocka_unit_test(a_secret_may_stand_in_a_file_of_its_owner),
		cmocka_unit_test(a_file_with_a_name_twice_or_none_is_refused),
		cmocka_unit_test(passwords_in_addresses_are_not_shown),
		cmocka_unit_test(identoros_names_and_units_are_read),
		cmocka_unit_test(what_identoro_needs_is_missed_by_name),
		cmocka_unit_test(user_counts_from_the_file_only),
		cmocka_unit_test(our_name_counts_more_than_identoros),
	};

	return cmocka_run_group_tests(tests, NULL, file_remove);
}

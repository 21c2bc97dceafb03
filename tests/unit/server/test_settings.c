/*
 * test_settings.c - settings that must go together, and what a site is opened with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_support.h"
#include "server/settings.h"

#include "base/banned.h"

#define KEY_A "0123456789abcdefghijklmnopqrstuvA"
#define KEY_B "0123456789abcdefghijklmnopqrstuvB"
#define IDENTORO_BUT_KEYS                                                                          \
	"PORTRESS_AS=identoro", "DB_TYPE=sqlite", "DATABASE_URL=x.db", "EMAIL_SENDER=a@b.example", \
		"EMAIL_REPLY_TO=c@b.example", "SMTP_HOST=localhost", "SMTP_PORT=25"
#define IDENTORO IDENTORO_BUT_KEYS, "SECRET_KEY=" KEY_A, "HASH_KEY=" KEY_B

struct made {
	struct loaded loaded;
	struct settings settings;
	pt_err err;
};

static struct made make(char *const *environment)
{
	struct made m = { .loaded = load(environment, NULL) };

	m.err = settings_make(&m.loaded.config, &m.settings);
	return m;
}

static void accepted(char *const *environment)
{
	struct made m = make(environment);

	if (m.err != PT_OK)
		fail_msg("%.*s", (int)m.loaded.config.problems[0].n, m.loaded.config.problems[0].p);
	unload(&m.loaded);
}

static void refused(char *const *environment, const char *words)
{
	struct made m = make(environment);

	assert_int_equal(m.err, PT_F_CONFIG);
	if (!complains(&m.loaded, words))
		fail_msg("expected `%s`, got `%.*s`", words, (int)m.loaded.config.problems[0].n,
			m.loaded.config.problems[0].p);
	unload(&m.loaded);
}

static void a_newcomer_needs_no_settings(void **state)
{
	struct made m = make(NO_ENVIRONMENT);

	(void)state;
	assert_int_equal(m.err, PT_OK);
	assert_true(str_eq(m.settings.public_url, PT_STR("http://localhost:8080")));
	assert_true(m.settings.pages.dev_mailbox);
	assert_false(m.settings.secure_cookies);
	assert_false(m.settings.policy.password_in_bytes);
	assert_int_equal(m.settings.policy.password_min, 8);
	assert_null(m.settings.store.view);
	unload(&m.loaded);
}

static void identoro_means_its_rules(void **state)
{
	struct made m = make(ENVIRONMENT(IDENTORO, "WEB_SERVER_ADDRESS=https://id.example/"));

	(void)state;
	assert_int_equal(m.err, PT_OK);
	assert_true(str_eq(m.settings.store.url, PT_STR("sqlite:x.db")));
	assert_true(str_eq(m.settings.public_url, PT_STR("https://id.example")));
	assert_true(str_eq(m.settings.keys.csrf, PT_STR(KEY_B)));
	assert_true(m.settings.policy.hash_bcrypt && m.settings.policy.password_in_bytes);
	assert_int_equal(m.settings.policy.password_min, 6);
	assert_int_equal(m.settings.policy.email_max, 100);
	assert_true(m.settings.policy.email_plain);
	assert_true(m.settings.secure_cookies);
	assert_false(m.settings.pages.dev_mailbox);
	assert_true(str_eq(m.settings.view.relation, PT_STR("identoro_users")));
	unload(&m.loaded);
}

static void the_kind_of_database_must_be_one_of_two(void **state)
{
	(void)state;
	refused(ENVIRONMENT(IDENTORO, "WEB_SERVER_ADDRESS=http://localhost", "DB_TYPE=mysql"),
		"DB_TYPE must be either 'postgres' or 'sqlite'");
}

static void weak_keys_are_refused(void **state)
{
	(void)state;
	refused(ENVIRONMENT(IDENTORO_BUT_KEYS, "WEB_SERVER_ADDRESS=http://localhost",
			"SECRET_KEY=" KEY_A, "HASH_KEY=tooshort"),
		"HASH_KEY must have at least 16 bytes");
	refused(ENVIRONMENT(IDENTORO_BUT_KEYS, "WEB_SERVER_ADDRESS=http://localhost",
			"SECRET_KEY=" KEY_A, "HASH_KEY=supersecretvalue"),
		"HASH_KEY is one that anybody could guess");
	refused(ENVIRONMENT(IDENTORO_BUT_KEYS, "WEB_SERVER_ADDRESS=http://localhost",
			"SECRET_KEY=" KEY_A, "HASH_KEY=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
		"HASH_KEY is one that anybody could guess");
	refused(ENVIRONMENT(IDENTORO_BUT_KEYS, "WEB_SERVER_ADDRESS=http://localhost",
			"SECRET_KEY=" KEY_A, "HASH_KEY=" KEY_A),
		"are the same");
}

static void jwt_mode_needs_a_long_secret(void **state)
{
	(void)state;
	refused(ENVIRONMENT(IDENTORO, "WEB_SERVER_ADDRESS=http://localhost", "USE_JWT_AUTH=true"),
		"JWT_SECRET is required");
	refused(ENVIRONMENT(IDENTORO, "WEB_SERVER_ADDRESS=http://localhost", "USE_JWT_AUTH=true",
			"JWT_SECRET=0123456789abcdef0123456789abcde"),
		"JWT_SECRET must have at least 32 bytes");
	accepted(ENVIRONMENT(IDENTORO, "WEB_SERVER_ADDRESS=http://localhost", "JWT_SECRET=unused"));
}

static void letters_are_not_shown_to_the_world(void **state)
{
	(void)state;
	refused(ENVIRONMENT("PORTRESS_URL=https://id.example"), "PORTRESS_SMTP_URL");
	refused(ENVIRONMENT("PORTRESS_LISTEN=:8080"), "/dev/mailbox");
	accepted(ENVIRONMENT("PORTRESS_URL=https://id.example", "PORTRESS_DEV_MAILBOX=off"));
	accepted(ENVIRONMENT("PORTRESS_URL=https://id.example",
		"PORTRESS_SMTP_URL=smtp://mail.example", "PORTRESS_MAIL_FROM=a@b.example"));
}

static void clear_text_to_another_machine_carries_no_secure_cookies(void **state)
{
	(void)state;
	refused(ENVIRONMENT("PORTRESS_URL=http://id.example", "PORTRESS_DEV_MAILBOX=off"),
		"cookies are for https only");
	accepted(ENVIRONMENT("PORTRESS_URL=http://id.example", "PORTRESS_DEV_MAILBOX=off",
		"PORTRESS_COOKIES_SECURE=off"));
}

static void the_mount_is_part_of_mailed_links(void **state)
{
	struct made m = make(ENVIRONMENT("PORTRESS_SURFACES=pages=/auth/"));

	(void)state;
	assert_int_equal(m.err, PT_OK);
	assert_true(str_eq(m.settings.pages.mount, PT_STR("/auth")));
	assert_true(str_eq(m.settings.public_url, PT_STR("http://localhost:8080/auth")));
	assert_true(str_eq(m.settings.origin, PT_STR("http://localhost:8080")));
	unload(&m.loaded);
	refused(ENVIRONMENT("PORTRESS_SURFACES=pages"), "is no surface and its path");
	refused(ENVIRONMENT("PORTRESS_SURFACES=wiki=/"), "is no surface and its path");
}

static void what_cannot_be_read_is_named(void **state)
{
	(void)state;
	refused(ENVIRONMENT("PORTRESS_LISTEN=nowhere"), "`nowhere` is no address to listen on");
	refused(ENVIRONMENT("PORTRESS_TRUSTED_PROXIES=10.0.0.0/8,x"), "`x` is no network");
	refused(ENVIRONMENT("PORTRESS_DATABASE=oracle:x"), "PORTRESS_DATABASE must be sqlite:PATH");
	refused(ENVIRONMENT("PORTRESS_SMTP_URL=ftp://x", "PORTRESS_MAIL_FROM=a@b.example"),
		"PORTRESS_SMTP_URL must be like smtp://");
	refused(ENVIRONMENT("PORTRESS_CAPTCHA_ON=true"), "reCAPTCHA needs");
	refused(ENVIRONMENT("PORTRESS_LISTEN=unix:/x"), "PORTRESS_URL must be set");
}

static void expect_threads(char *const *environment, unsigned threads)
{
	struct made m = make(environment);

	assert_int_equal(m.err, PT_OK);
	assert_int_equal(m.settings.workers.slow_threads, threads);
	unload(&m.loaded);
}

static void as_many_threads_wait_for_a_database_as_it_has_connections_for_us(void **state)
{
	(void)state;
	expect_threads(NO_ENVIRONMENT, 32);
	expect_threads(ENVIRONMENT("PORTRESS_DATABASE_CONNECTIONS=5"), 32);
	expect_threads(ENVIRONMENT("PORTRESS_DATABASE=postgres://localhost/x",
			       "PORTRESS_DATABASE_CONNECTIONS=5"),
		5);
	expect_threads(ENVIRONMENT("PORTRESS_DATABASE=mysql://localhost/x"), 8);
	expect_threads(
		ENVIRONMENT("PORTRESS_DATABASE=postgres://localhost/x", "PORTRESS_HTTP_WORKERS=20"),
		20);
	expect_threads(ENVIRONMENT("PORTRESS_HTTP_WORKERS=1"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_newcomer_needs_no_settings),
		cmocka_unit_test(identoro_means_its_rules),
		cmocka_unit_test(the_kind_of_database_must_be_one_of_two),
		cmocka_unit_test(weak_keys_are_refused),
		cmocka_unit_test(jwt_mode_needs_a_long_secret),
		cmocka_unit_test(letters_are_not_shown_to_the_world),
		cmocka_unit_test(clear_text_to_another_machine_carries_no_secure_cookies),
		cmocka_unit_test(the_mount_is_part_of_mailed_links),
		cmocka_unit_test(what_cannot_be_read_is_named),
		cmocka_unit_test(as_many_threads_wait_for_a_database_as_it_has_connections_for_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

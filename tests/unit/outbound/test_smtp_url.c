/*
 * test_smtp_url.c - a mail server in one line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "outbound/smtp.h"

#include "base/banned.h"

static int arena_begin(void **state)
{
	*state = arena_open(64 * KIB);
	return *state ? 0 : -1;
}

static int arena_end(void **state)
{
	arena_close(*state);
	return 0;
}

static struct smtp_setup parsed(struct arena *arena, const char *url)
{
	struct smtp_setup setup = { 0 };

	assert_int_equal(smtp_url_parse(arena, str(url), &setup), PT_OK);
	return setup;
}

static void all_parts_are_read(void **state)
{
	struct smtp_setup setup = parsed(*state, "smtp://ann:s%3aecr%40t@mail.example.org:2525/");

	assert_true(str_eq(setup.host, PT_STR("mail.example.org")));
	assert_int_equal(setup.port, 2525);
	assert_true(str_eq(setup.username, PT_STR("ann")));
	assert_true(str_eq(setup.password, PT_STR("s:ecr@t")));
	assert_int_equal(setup.tls, SMTP_TLS_REQUIRE);
}

static void what_is_left_out_follows_from_scheme_and_host(void **state)
{
	assert_int_equal(parsed(*state, "smtp://mail.example.org").port, 587);
	assert_int_equal(parsed(*state, "smtp://localhost").port, 25);
	assert_int_equal(parsed(*state, "smtp://localhost").tls, SMTP_TLS_OPPORTUNISTIC);
	assert_int_equal(parsed(*state, "SMTPS://mail.example.org").port, 465);
	assert_int_equal(parsed(*state, "smtps://mail.example.org:2465").tls, SMTP_TLS_IMPLICIT);
	assert_int_equal(parsed(*state, "smtp://[::1]:2525").port, 2525);
	assert_true(str_eq(parsed(*state, "smtp://[::1]").host, PT_STR("::1")));
}

static void passwords_may_hold_at_signs_and_colons(void **state)
{
	struct smtp_setup setup = parsed(*state, "smtp://ann@example.org:a@b:c@mail.example.org");

	assert_true(str_eq(setup.username, PT_STR("ann@example.org")));
	assert_true(str_eq(setup.password, PT_STR("a@b:c")));
	assert_true(str_eq(setup.host, PT_STR("mail.example.org")));
}

static void other_urls_are_refused_and_change_nothing(void **state)
{
	static const char *const urls[] = { "", "mail.example.org", "http://mail.example.org",
		"smtp://", "smtp://:25", "smtp://a:0", "smtp://a:65536", "smtp://a:x",
		"smtp://a:", "smtp://u:%zz@a", "smtp://u:%4@a" };
	struct smtp_setup setup = { .port = 7 };

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		assert_int_equal(smtp_url_parse(*state, str(urls[i]), &setup), PT_F_CONFIG);
	assert_int_equal(setup.port, 7);
	assert_int_equal(setup.host.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_parts_are_read),
		cmocka_unit_test(what_is_left_out_follows_from_scheme_and_host),
		cmocka_unit_test(passwords_may_hold_at_signs_and_colons),
		cmocka_unit_test(other_urls_are_refused_and_change_nothing),
	};

	return cmocka_run_group_tests(tests, arena_begin, arena_end);
}

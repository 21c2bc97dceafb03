/*
 * test_cookie.c - cookies, both ways.
 */
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "http/cookie.h"

#include "asked.h"

#include "base/banned.h"

static const struct {
	const char *header, *name, *value;
} rows[] = {
	{ "a=1; b=2", "b", "2" },
	{ "a=1;b=2", "a", "1" },
	{ " a = 1 ", "a", "1" },
	{ "a=\"q\"", "a", "q" },
	{ "a=1; a=2", "a", "1" },
	{ "a=b=c", "a", "b=c" },
	{ "ab=1; b=2", "b", "2" },
	{ "A=1", "a", "" },
	{ "a", "a", "" },
	{ "a=x y", "a", "" },
	{ "a=x,y", "a", "" },
	{ "a=x\\y", "a", "" },
	{ "a=\xc3\xa4", "a", "" },
	{ "a=\"x", "a", "" },
	{ "a=xyz\"", "a", "" },
	{ "a=\"", "a", "" },
	{ "a=\x7f", "a", "" },
	{ "a=~!", "a", "~!" },
	{ "", "a", "" },
	{ ";;;=;a", "a", "" },
};

static void values_are_found_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct asked asked;
		pt_str value;

		asked_open(&asked);
		asked_header(&asked, "cookie", rows[i].header);
		value = cookie_value(&asked.rq, str(rows[i].name));
		if (!str_eq(value, str(rows[i].value)))
			fail_msg("\"%s\": %.*s", rows[i].header, (int)value.n, value.p);
		asked_close(&asked);
	}
}

static void all_cookie_headers_are_looked_through(void **state)
{
	struct asked asked;

	(void)state;
	asked_open(&asked);
	asked_header(&asked, "cookie", "a=1");
	asked_header(&asked, "cookie", "b=2; a=3");
	assert_true(str_eq(cookie_value(&asked.rq, PT_STR("b")), PT_STR("2")));
	assert_true(str_eq(cookie_value(&asked.rq, PT_STR("a")), PT_STR("1")));
	asked_close(&asked);
}

static struct http_response answer;

static const char *set(struct arena *arena, struct cookie cookie)
{
	http_response_init(&answer, arena);
	cookie_set(&answer, &cookie);
	return answer.failed ? NULL : arena_cstr(arena, answer.headers[0].value);
}

static void a_session_cookie_is_as_safe_as_it_can_be(void **state)
{
	struct arena *arena = arena_open(64 * KIB);

	(void)state;
	assert_string_equal(set(arena, (struct cookie){ .name = PT_STR("s"),
					       .value = PT_STR("v"),
					       .secure = true,
					       .strict = true }),
		"s=v; Path=/; Secure; HttpOnly; SameSite=Strict");
	assert_string_equal(set(arena, (struct cookie){ .name = PT_STR("s"),
					       .value = PT_STR(""),
					       .path = PT_STR("/a"),
					       .script = true }),
		"s=; Path=/a; SameSite=Lax");
	arena_close(arena);
}

static void lasting_and_deleted_cookies_say_when(void **state)
{
	struct arena *arena = arena_open(64 * KIB);
	struct cookie cookie = { .name = PT_STR("s"),
		.value = PT_STR("v"),
		.now = 784111777 * PT_SECOND,
		.max_age = PT_HOUR };

	(void)state;
	assert_string_equal(set(arena, cookie),
		"s=v; Path=/; Max-Age=3600; Expires=Sun, 06 Nov 1994 09:49:37 GMT; HttpOnly; "
		"SameSite=Lax");
	cookie.max_age = -1;
	assert_string_equal(set(arena, cookie),
		"s=v; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; "
		"SameSite=Lax");
	arena_close(arena);
}

static void what_a_cookie_may_not_hold_fails_the_answer(void **state)
{
	static const struct cookie bad[] = {
		{ .name = { "s", 1 }, .value = { "a;b", 3 } },
		{ .name = { "s", 1 }, .value = { "a b", 3 } },
		{ .name = { "s", 1 }, .value = { "a\r\n", 3 } },
		{ .name = { "s=", 2 }, .value = { "v", 1 } },
		{ .name = { "", 0 }, .value = { "v", 1 } },
		{ .name = { "s", 1 }, .value = { "v", 1 }, .path = { "/;x", 3 } },
		{ .name = { "s", 1 }, .value = { "v", 1 }, .path = { "a", 1 } },
	};
	struct arena *arena = arena_open(64 * KIB);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(set(arena, bad[i]));
	arena_close(arena);
}

static void a_cookie_has_at_most_4096_bytes(void **state)
{
	static const char frame[] = "s=; Path=/; HttpOnly; SameSite=Lax";
	struct arena *arena = arena_open(64 * KIB);
	char text[4096];
	size_t most = 4096 - (sizeof(frame) - 1);

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_non_null(
		set(arena, (struct cookie){ .name = PT_STR("s"), .value = str_n(text, most) }));
	assert_null(
		set(arena, (struct cookie){ .name = PT_STR("s"), .value = str_n(text, most + 1) }));
	arena_close(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found_by_name),
		cmocka_unit_test(all_cookie_headers_are_looked_through),
		cmocka_unit_test(a_session_cookie_is_as_safe_as_it_can_be),
		cmocka_unit_test(lasting_and_deleted_cookies_say_when),
		cmocka_unit_test(what_a_cookie_may_not_hold_fails_the_answer),
		cmocka_unit_test(a_cookie_has_at_most_4096_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

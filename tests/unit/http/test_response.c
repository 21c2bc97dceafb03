/*
 * test_response.c - building an answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "http/response.h"

#include "base/banned.h"

static struct http_response answer;

static int make(void **state)
{
	*state = arena_open(64 * KIB);
	http_response_init(&answer, *state);
	return *state ? 0 : -1;
}

static int forget(void **state)
{
	arena_close(*state);
	return 0;
}

static void headers_are_kept_in_order(void **state)
{
	(void)state;
	http_set(&answer, PT_STR("A"), PT_STR("1"));
	http_set(&answer, PT_STR("B"), PT_STR("2\t3 4"));
	http_set(&answer, PT_STR("A"), PT_STR(""));
	assert_false(answer.failed);
	assert_int_equal(answer.n_headers, 3);
	assert_true(str_eq(answer.headers[1].value, PT_STR("2\t3 4")));
}

static void text_cannot_end_a_header_line(void **state)
{
	static const pt_str bad[] = { { "a\r\nX: y", 7 }, { "a\nb", 3 }, { "a\rb", 3 },
		{ "a\0b", 3 }, { "\x7f", 1 }, { "\x1b", 1 } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		http_response_init(&answer, *state);
		http_set(&answer, PT_STR("Location"), bad[i]);
		assert_true(answer.failed);
		assert_int_equal(answer.n_headers, 0);
	}
}

static void names_are_tokens(void **state)
{
	static const pt_str bad[] = { { "", 0 }, { "a b", 3 }, { "a:", 2 }, { "\xc3\xa4", 2 } };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		http_response_init(&answer, *state);
		http_set(&answer, bad[i], PT_STR("x"));
		assert_true(answer.failed);
	}
}

static void replacing_takes_the_first_of_the_name(void **state)
{
	(void)state;
	http_set(&answer, PT_STR("Allow"), PT_STR("GET"));
	http_replace(&answer, PT_STR("allow"), PT_STR("POST"));
	http_replace(&answer, PT_STR("Other"), PT_STR("x"));
	assert_int_equal(answer.n_headers, 2);
	assert_true(str_eq(answer.headers[0].value, PT_STR("POST")));
}

static void replacing_refuses_what_setting_refuses(void **state)
{
	(void)state;
	http_set(&answer, PT_STR("Allow"), PT_STR("GET"));
	http_replace(&answer, PT_STR("Allow"), PT_STR("GET\r\n"));
	assert_true(answer.failed);
	assert_true(str_eq(answer.headers[0].value, PT_STR("GET")));
}

static void one_header_too_many_fails_the_answer(void **state)
{
	(void)state;
	for (int i = 0; i < HTTP_RESPONSE_HEADERS; i++)
		http_set(&answer, PT_STR("A"), PT_STR("1"));
	assert_false(answer.failed);
	http_set(&answer, PT_STR("A"), PT_STR("1"));
	assert_true(answer.failed);
	assert_int_equal(answer.n_headers, HTTP_RESPONSE_HEADERS);
}

static const char *retry(struct arena *arena, pt_time wait)
{
	http_response_init(&answer, arena);
	http_retry_after(&answer, wait);
	return arena_cstr(arena, answer.headers[0].value);
}

static void waiting_is_said_in_whole_seconds_rounded_up(void **state)
{
	assert_string_equal(retry(*state, 1), "1");
	assert_string_equal(retry(*state, PT_SECOND), "1");
	assert_string_equal(retry(*state, PT_SECOND + 1), "2");
	assert_string_equal(retry(*state, 0), "1");
	assert_string_equal(retry(*state, -PT_HOUR), "1");
	assert_string_equal(retry(*state, INT64_MAX), "9223372036855");
}

static void known_statuses_have_reasons(void **state)
{
	(void)state;
	assert_string_equal(http_reason(431), "Request Header Fields Too Large");
	assert_string_equal(http_reason(799), "");
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, make, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(headers_are_kept_in_order),
		STORY(text_cannot_end_a_header_line),
		STORY(names_are_tokens),
		STORY(replacing_takes_the_first_of_the_name),
		STORY(replacing_refuses_what_setting_refuses),
		STORY(one_header_too_many_fails_the_answer),
		STORY(waiting_is_said_in_whole_seconds_rounded_up),
		STORY(known_statuses_have_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

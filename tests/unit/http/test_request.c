/*
 * test_request.c - reading what the engine has judged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

#include "asked.h"

#include "base/banned.h"

static void first_header_of_a_name_counts(void **state)
{
	struct asked asked;

	(void)state;
	asked_open(&asked);
	asked_header(&asked, "accept", "a");
	asked_header(&asked, "accept", "b");
	asked_header(&asked, "empty", "");
	assert_true(str_eq(http_header(&asked.rq, PT_STR("accept")), PT_STR("a")));
	assert_true(http_has_header(&asked.rq, PT_STR("empty")));
	assert_true(http_repeats_header(&asked.rq, PT_STR("accept")));
	assert_false(http_repeats_header(&asked.rq, PT_STR("empty")));
	asked_close(&asked);
}

static void absent_header_is_empty_and_absent(void **state)
{
	struct asked asked;

	(void)state;
	asked_open(&asked);
	asked_header(&asked, "x_forwarded_for", "1.2.3.4");
	assert_int_equal(http_header(&asked.rq, PT_STR("accept")).n, 0);
	assert_false(http_has_header(&asked.rq, PT_STR("accept")));
	/* An underscore is no dash. */
	assert_false(http_has_header(&asked.rq, PT_STR("x-forwarded-for")));
	asked_close(&asked);
}

static void methods_have_names(void **state)
{
	(void)state;
	assert_string_equal(http_method_name(HTTP_DELETE), "DELETE");
	assert_string_equal(http_method_name(HTTP_OTHER), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_header_of_a_name_counts),
		cmocka_unit_test(absent_header_is_empty_and_absent),
		cmocka_unit_test(methods_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

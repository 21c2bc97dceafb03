/*
 * test_names.c - events by name.
 */
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "portress/event.h"

#include "base/banned.h"

static void each_event_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int kind = PT_EVENT_SIGNUP; kind <= PT_EVENT_SIGNIN_REFUSED; kind++) {
		const char *name = pt_event_name((enum pt_event_kind)kind);

		assert_string_not_equal("unknown", name);
		assert_int_equal(strlen(name), strspn(name, "abcdefghijklmnopqrstuvwxyz_"));
		for (int other = PT_EVENT_SIGNUP; other < kind; other++)
			assert_string_not_equal(name, pt_event_name((enum pt_event_kind)other));
	}
}

static void number_of_a_newer_program_is_unknown(void **state)
{
	(void)state;
	assert_string_equal("unknown", pt_event_name((enum pt_event_kind)0));
	assert_string_equal("unknown", pt_event_name((enum pt_event_kind)9999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_has_a_name_of_its_own),
		cmocka_unit_test(number_of_a_newer_program_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

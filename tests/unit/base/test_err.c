/*
 * test_err.c - names of outcomes.
 */
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"

#include "base/banned.h"

static pt_err passes_on(pt_err err)
{
	TRY(err);
	return PT_E_BUSY;
}

static void every_outcome_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int a = PT_F_BUG; a <= PT_E_BUSY; a++) {
		const char *name = pt_err_name((pt_err)a);

		assert_string_not_equal(name, "PT_F_UNKNOWN");
		assert_true(str_starts(str(name), a == 0  ? PT_STR("PT_OK")
						  : a > 0 ? PT_STR("PT_E_")
							  : PT_STR("PT_F_")));
		for (int b = PT_F_BUG; b < a; b++)
			assert_string_not_equal(name, pt_err_name((pt_err)b));
	}
}

static void unknown_outcome_still_has_words(void **state)
{
	(void)state;
	assert_string_equal(pt_err_name((pt_err)-99), "PT_F_UNKNOWN");
	assert_string_equal(pt_err_name((pt_err)(PT_E_BUSY + 1)), "PT_F_UNKNOWN");
}

static void bad_news_is_passed_on_untouched(void **state)
{
	(void)state;
	assert_int_equal(passes_on(PT_E_TAKEN), PT_E_TAKEN);
	assert_int_equal(passes_on(PT_F_STORE), PT_F_STORE);
	assert_int_equal(passes_on(PT_OK), PT_E_BUSY);
	assert_true(pt_is_fault(PT_F_STORE));
	assert_false(pt_is_fault(PT_E_TAKEN));
	assert_false(pt_is_fault(PT_OK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_outcome_has_a_name_of_its_own),
		cmocka_unit_test(unknown_outcome_still_has_words),
		cmocka_unit_test(bad_news_is_passed_on_untouched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

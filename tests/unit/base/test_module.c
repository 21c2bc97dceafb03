/*
 * test_module.c - shared libraries on demand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/module.h"

#include "base/banned.h"

static void slots_are_filled_and_work(void **state)
{
	double (*cosine)(double) = NULL;
	const struct module_symbol symbols[] = { { "cos", (void **)&cosine } };

	(void)state;
	assert_int_equal(module_open("libm.so.6", "libc6", symbols, 1), PT_OK);
	assert_non_null(cosine);
	assert_true(cosine(0.0) > 0.99);
	assert_int_equal(module_open("libm.so.6", "libc6", symbols, 1), PT_OK);
	assert_true(cosine(0.0) > 0.99);
}

static void absent_library_is_refused(void **state)
{
	void *slot = NULL;
	const struct module_symbol symbols[] = { { "cos", &slot } };

	(void)state;
	assert_int_equal(module_open("libnothere.so.9", "libnothere9", symbols, 1), PT_F_CONFIG);
	assert_null(slot);
}

static void absent_symbol_fills_no_slot(void **state)
{
	void *first = NULL, *second = NULL;
	const struct module_symbol symbols[] = { { "cos", &first }, { "not_in_libm", &second } };

	(void)state;
	assert_int_equal(module_open("libm.so.6", "libc6", symbols, 2), PT_F_CONFIG);
	assert_null(first);
	assert_null(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_are_filled_and_work),
		cmocka_unit_test(absent_library_is_refused),
		cmocka_unit_test(absent_symbol_fills_no_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_random.c - randomness and the ids made of it.
 */
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"

#include "base/banned.h"

static void fills_all_of_it_and_never_the_same(void **state)
{
	uint8_t a[1000] = { 0 }, b[1000] = { 0 };
	size_t zeros = 0;

	(void)state;
	assert_int_equal(random_fill(a, sizeof(a)), PT_OK);
	assert_int_equal(random_fill(b, sizeof(b)), PT_OK);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_memory_not_equal(a + 984, b + 984, 16);
	for (size_t i = 0; i < sizeof(a); i++)
		zeros += a[i] == 0;
	assert_true(zeros < 40);
}

static void writes_nothing_past_the_end(void **state)
{
	uint8_t bytes[] = { 1, 1, 1 };

	(void)state;
	assert_int_equal(random_fill(bytes, 0), PT_OK);
	assert_int_equal(bytes[0], 1);
	assert_int_equal(random_fill(bytes, 2), PT_OK);
	assert_int_equal(bytes[2], 1);
}

/* The moment of RFC 9562 A.6. */
static void id_is_a_uuid_of_version_seven(void **state)
{
	struct pt_id id;

	(void)state;
	assert_int_equal(random_id((pt_time)0x017F22E279B0 * PT_MILLISECOND, &id), PT_OK);
	assert_int_equal(strlen(id.text), 36);
	assert_memory_equal(id.text, "017f22e2-79b0-7000-", 19);
	assert_non_null(strchr("89ab", id.text[19]));
	assert_int_equal(strspn(id.text, "0123456789abcdef-"), 36);
	assert_int_equal(id.text[23], '-');
}

static void ids_sort_by_the_microsecond_and_never_repeat(void **state)
{
	struct pt_id before, id;

	(void)state;
	assert_int_equal(random_id(1767323045 * PT_SECOND, &before), PT_OK);
	for (pt_time i = 1; i < 3000; i++) {
		assert_int_equal(random_id(1767323045 * PT_SECOND + i, &id), PT_OK);
		assert_true(strcmp(before.text, id.text) < 0);
		before = id;
	}
	assert_int_equal(random_id(1767323045 * PT_SECOND + 2999, &id), PT_OK);
	assert_string_not_equal(before.text, id.text);
}

static void unset_and_negative_time_still_make_an_id(void **state)
{
	struct pt_id id;

	(void)state;
	assert_int_equal(random_id(0, &id), PT_OK);
	assert_memory_equal(id.text, "00000000-0000-7000-", 19);
	assert_int_equal(random_id(-5, &id), PT_OK);
	assert_memory_equal(id.text, "00000000-0000-7000-", 19);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_all_of_it_and_never_the_same),
		cmocka_unit_test(writes_nothing_past_the_end),
		cmocka_unit_test(id_is_a_uuid_of_version_seven),
		cmocka_unit_test(ids_sort_by_the_microsecond_and_never_repeat),
		cmocka_unit_test(unset_and_negative_time_still_make_an_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

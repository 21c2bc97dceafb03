/*
 * Several times in one column.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "store/sql/stamps.h"

#include "base/banned.h"

static void packed_times_are_read_back_in_order(void **state)
{
	static const pt_time times[] = { 0, 1, -1, 1800000000 * PT_SECOND, INT64_MAX, INT64_MIN };
	enum { N = sizeof(times) / sizeof(times[0]) };
	char packed[STAMP_BYTES * N];
	pt_time again[N];

	(void)state;
	assert_int_equal(sizeof(packed), stamps_pack(times, N, packed).n);
	assert_int_equal(N, stamps_unpack(str_n(packed, sizeof(packed)), again, N));
	assert_memory_equal(times, again, sizeof(times));
}

static void time_is_packed_with_its_lowest_byte_first(void **state)
{
	const pt_time time = INT64_C(0x0123456789abcdef);
	char packed[STAMP_BYTES];

	(void)state;
	stamps_pack(&time, 1, packed);
	assert_memory_equal("\xef\xcd\xab\x89\x67\x45\x23\x01", packed, sizeof(packed));
}

static void no_more_are_read_than_there_is_room_for(void **state)
{
	const pt_time times[] = { 1, 2, 3 };
	char packed[sizeof(times)];
	pt_time again[] = { 7, 7, 7 };

	(void)state;
	assert_int_equal(2, stamps_unpack(stamps_pack(times, 3, packed), again, 2));
	assert_int_equal(2, again[1]);
	assert_int_equal(7, again[2]);
}

static void what_makes_no_whole_time_is_none(void **state)
{
	const pt_time times[] = { 1, 2 };
	char packed[sizeof(times)];
	pt_time again[] = { 7, 7 };

	(void)state;
	stamps_pack(times, 2, packed);
	assert_int_equal(0, stamps_unpack(PT_STR(""), again, 2));
	assert_int_equal(0, stamps_unpack(str_n(NULL, 0), again, 2));
	assert_int_equal(0, stamps_unpack(str_n(packed, 7), again, 2));
	assert_int_equal(1, stamps_unpack(str_n(packed, 15), again, 2));
	assert_int_equal(7, again[1]);
	assert_int_equal(0, stamps_pack(times, 0, packed).n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packed_times_are_read_back_in_order),
		cmocka_unit_test(time_is_packed_with_its_lowest_byte_first),
		cmocka_unit_test(no_more_are_read_than_there_is_room_for),
		cmocka_unit_test(what_makes_no_whole_time_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

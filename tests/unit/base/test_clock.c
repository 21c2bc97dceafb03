/*
 * test_clock.c - the clocks and the calendar.
 */
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

#include "base/banned.h"

static void known_days_are_named_right(void **state)
{
	static const struct {
		pt_time time;
		struct civil civil;
	} rows[] = {
		{ 0, { 1970, 1, 1, 0, 0, 0, 0, 4 } },
		{ -1, { 1969, 12, 31, 23, 59, 59, 999999, 3 } },
		{ 784111777 * PT_SECOND, { 1994, 11, 6, 8, 49, 37, 0, 0 } },
		{ 951782400 * PT_SECOND, { 2000, 2, 29, 0, 0, 0, 0, 2 } },
		{ 951868800 * PT_SECOND - 1, { 2000, 2, 29, 23, 59, 59, 999999, 2 } },
		{ 951868800 * PT_SECOND, { 2000, 3, 1, 0, 0, 0, 0, 3 } },
		{ 1709164800 * PT_SECOND, { 2024, 2, 29, 0, 0, 0, 0, 4 } },
		{ 1677628800 * PT_SECOND, { 2023, 3, 1, 0, 0, 0, 0, 3 } },
		{ 4107542400 * PT_SECOND, { 2100, 3, 1, 0, 0, 0, 0, 1 } },
		{ 4107542400 * PT_SECOND - 1, { 2100, 2, 28, 23, 59, 59, 999999, 0 } },
		{ 2147483648 * PT_SECOND, { 2038, 1, 19, 3, 14, 8, 0, 2 } },
		{ -2208988800 * PT_SECOND, { 1900, 1, 1, 0, 0, 0, 0, 1 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct civil civil = clock_civil(rows[i].time);

		assert_memory_equal(&civil, &rows[i].civil, sizeof(civil));
	}
}

/* Every day of ten thousand years, against the C library. */
static void calendar_agrees_with_the_library(void **state)
{
	(void)state;
	for (int64_t day = -719528; day < 2932897; day += 1) {
		time_t seconds = day * 86400 + day % 86400 * (day < 0 ? -1 : 1);
		struct civil civil = clock_civil(seconds * PT_SECOND);
		struct tm tm;

		if (seconds >= 2932897 * (time_t)86400 || !gmtime_r(&seconds, &tm))
			continue;
		assert_int_equal(civil.year, tm.tm_year + 1900);
		assert_int_equal(civil.month, tm.tm_mon + 1);
		assert_int_equal(civil.day, tm.tm_mday);
		assert_int_equal(civil.hour, tm.tm_hour);
		assert_int_equal(civil.second, tm.tm_sec);
		assert_int_equal(civil.weekday, tm.tm_wday);
	}
}

static void moments_beyond_four_digits_become_the_nearest(void **state)
{
	(void)state;
	assert_int_equal(clock_civil(INT64_MAX).year, 9999);
	assert_int_equal(clock_civil(INT64_MAX).microsecond, 999999);
	assert_int_equal(clock_civil(INT64_MIN).year, 0);
	assert_int_equal(clock_civil(INT64_MIN).day, 1);
}

static void clocks_run_forward(void **state)
{
	pt_time before = clock_monotonic();

	(void)state;
	assert_true(clock_monotonic() >= before);
	assert_true(clock_now() > 1700000000 * PT_SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_days_are_named_right),
		cmocka_unit_test(calendar_agrees_with_the_library),
		cmocka_unit_test(moments_beyond_four_digits_become_the_nearest),
		cmocka_unit_test(clocks_run_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

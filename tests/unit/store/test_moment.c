/*
 * Moments as SQL databases spell them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "store/sql/moment.h"

#include "base/banned.h"

static void spellings_of_a_moment_are_read(void **state)
{
	static const struct {
		const char *text;
		pt_time time;
	} moments[] = {
		{ "1970-01-01", 0 },
		{ "1970-01-01 00:00:01", PT_SECOND },
		{ "1970-01-01T00:00:01Z", PT_SECOND },
		{ "1970-01-01 00:01", PT_MINUTE },
		{ "1969-12-31 23:59:59.999999", -1 },
		{ "2024-02-29 12:34:56.789", INT64_C(1709210096789000) },
		{ "2024-02-29 12:34:56.123456789+00:00", INT64_C(1709210096123456) },
		{ "2024-02-29 14:34:56+02", INT64_C(1709210096000000) },
		{ "2024-02-29 07:04:56-0530", INT64_C(1709210096000000) },
		{ "2000-03-01 00:00:00", INT64_C(951868800000000) },
		{ "1900-03-01 00:00:00", INT64_C(-2203891200000000) },
		{ "9999-12-31 23:59:59", INT64_C(253402300799000000) },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		pt_time time = 7;

		assert_true(moment_parse(str(moments[i].text), &time));
		assert_true(time == moments[i].time);
	}
}

static void what_is_no_moment_is_refused(void **state)
{
	static const char *const texts[] = { "", "now", "infinity", "-infinity", "2024",
		"2024-02-30", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-01", "2024-01-00",
		"2024-01-01 ", "2024-01-01 25:00", "2024-01-01 00:60", "2024-01-01 00:00:61",
		"2024-01-01 00:00:00.", "2024-01-01 00:00:00.1234567890", "2024-01-01 00:00:00+",
		"2024-01-01 00:00:00+1", "2024-01-01 00:00:00 BC", "0001-01-01 BC", "+024-01-01",
		"2024-01-01x", "2024-01-01 00:00:00Zz", "10000-01-01" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		pt_time time = 7;

		assert_false(moment_parse(str(texts[i]), &time));
		assert_true(time == 7);
	}
}

static void written_moment_is_read_back(void **state)
{
	(void)state;
	for (int64_t day = -700000; day < 2900000; day += 97) {
		pt_time time = day * PT_DAY + 12345 * PT_SECOND, again;
		char text[40];
		struct buf b = BUF_FIXED(text);

		moment_format(&b, time);
		assert_true(moment_parse(buf_view(&b), &again));
		assert_true(again == time);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spellings_of_a_moment_are_read),
		cmocka_unit_test(what_is_no_moment_is_refused),
		cmocka_unit_test(written_moment_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

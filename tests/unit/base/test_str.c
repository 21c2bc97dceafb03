/*
 * test_str.c - reading borrowed strings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

#include "base/banned.h"

static const pt_str none = { NULL, 0 };

static void slices_are_cut_to_the_length(void **state)
{
	pt_str s = PT_STR("abcdef");

	(void)state;
	assert_true(str_eq(str_slice(s, 1, 3), PT_STR("bc")));
	assert_true(str_eq(str_slice(s, 4, 99), PT_STR("ef")));
	assert_true(str_eq(str_slice(s, 5, 2), PT_STR("")));
	assert_true(str_eq(str_slice(s, 99, 100), PT_STR("")));
	assert_int_equal(str_slice(none, 0, 5).n, 0);
	assert_int_equal(str_slice(none, 3, 5).n, 0);
}

static void case_is_ignored_for_ascii_letters_only(void **state)
{
	(void)state;
	assert_true(str_eq_nocase(PT_STR("Content-Type"), PT_STR("cONTENT-tYPE")));
	assert_false(str_eq_nocase(PT_STR("a@"), PT_STR("a`")));
	assert_false(str_eq_nocase(PT_STR("["), PT_STR("{")));
	assert_false(str_eq_nocase(PT_STR("\xC3\x84"), PT_STR("\xC3\xA4")));
	assert_false(str_eq_nocase(PT_STR("abc"), PT_STR("abcd")));
}

static void starts_ends_contains(void **state)
{
	pt_str s = PT_STR("https://example.org");

	(void)state;
	assert_true(str_starts(s, PT_STR("https:")));
	assert_false(str_starts(PT_STR("http"), PT_STR("https:")));
	assert_true(str_starts(s, none));
	assert_true(str_ends(s, PT_STR(".org")));
	assert_false(str_ends(PT_STR("rg"), PT_STR(".org")));
	assert_true(str_contains(s, PT_STR("example")));
	assert_true(str_contains(none, none));
	assert_false(str_contains(none, PT_STR("a")));
	assert_true(str_contains(PT_STR("a\0b"), PT_STR("\0b")));
	assert_false(str_contains(s, PT_STR("exampel")));
}

static void cuts_at_the_first_separator(void **state)
{
	pt_str head, tail;

	(void)state;
	assert_true(str_cut(PT_STR("a=b=c"), '=', &head, &tail));
	assert_true(str_eq(head, PT_STR("a")) && str_eq(tail, PT_STR("b=c")));
	assert_true(str_cut(PT_STR("a="), '=', &head, &tail));
	assert_true(str_eq(head, PT_STR("a")) && tail.n == 0);
	assert_false(str_cut(PT_STR("abc"), '=', &head, &tail));
	assert_true(str_eq(head, PT_STR("abc")) && tail.n == 0);
	assert_false(str_cut(none, '=', &head, &tail));
	assert_true(head.n == 0 && tail.n == 0);
}

static void trims_blanks_and_nothing_else(void **state)
{
	(void)state;
	assert_true(str_eq(str_trim(PT_STR(" \t a b\t ")), PT_STR("a b")));
	assert_true(str_eq(str_trim(PT_STR(" \t ")), PT_STR("")));
	assert_true(str_eq(str_trim(PT_STR("\na\r")), PT_STR("\na\r")));
	assert_int_equal(str_trim(none).n, 0);
}

static void what_was_pasted_loses_its_ends_of_lines(void **state)
{
	(void)state;
	assert_true(str_eq(str_strip(PT_STR(" \r\na \n b\t\v\f\n")), PT_STR("a \n b")));
	assert_true(str_eq(str_strip(PT_STR("\n")), PT_STR("")));
	assert_true(str_eq(str_strip(PT_STR("\x0e"
					    "a\b")),
		PT_STR("\x0e"
		       "a\b")));
	assert_int_equal(str_strip(none).n, 0);
}

static void numbers_within_their_range_are_read(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} rows[] = {
		{ "0", 0 },
		{ "7", 7 },
		{ "007", 7 },
		{ "-1", -1 },
		{ "-0", 0 },
		{ "9223372036854775807", INT64_MAX },
		{ "-9223372036854775808", INT64_MIN },
	};
	int64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(str_int(str(rows[i].text), INT64_MIN, INT64_MAX, &value));
		assert_true(value == rows[i].value);
	}
	assert_true(str_int(PT_STR("10"), 1, 10, &value));
}

static void anything_but_a_number_in_range_is_refused(void **state)
{
	static const char *const rows[] = { "", "-", "+1", " 1", "1 ", "1x", "0x10", "1.0", "1e3",
		"9223372036854775808", "-9223372036854775809", "99999999999999999999999", "--1",
		"\xD9\xA1" };
	int64_t value = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(str_int(str(rows[i]), INT64_MIN, INT64_MAX, &value));
	assert_false(str_int(PT_STR("-0"), 0, 10, &value));
	assert_false(str_int(PT_STR("11"), 1, 10, &value));
	assert_false(str_int(PT_STR("0"), 1, 10, &value));
	assert_false(str_int(PT_STR("1\0"), 1, 10, &value));
	assert_false(str_int(none, 0, 10, &value));
	assert_int_equal(value, 42);
}

/* The edges of RFC 3629's table. */
static void valid_utf8_is_accepted(void **state)
{
	static const char *const rows[] = { "", "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80",
		"\xE1\x80\x80", "\xEC\xBF\xBF", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF",
		"\xF0\x90\x80\x80", "\xF1\x80\x80\x80", "\xF3\xBF\xBF\xBF", "\xF4\x8F\xBF\xBF",
		"Gr\xC3\xBC\xC3\x9F Gott, long enough for whole words" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(str_utf8(str(rows[i])));
	assert_true(str_utf8(PT_STR("a\0b")));
	assert_true(str_utf8(none));
}

static void invalid_utf8_is_refused(void **state)
{
	static const char *const rows[] = { "\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2",
		"\xC2\x7F", "\xC2\xC0", "\xE0\x9F\xBF", "\xE0\xA0", "\xE1\x80", "\xE1\x80\x7F",
		"\xED\xA0\x80", "\xED\xBF\xBF", "\xEF\xBF\xC0", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80",
		"\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF", "abcdefgh\xFF",
		"abcdefghijklm\xC3", "abcdefg\xC3zbcdefgh" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(str_utf8(str(rows[i])));
}

/* Against the definition: encode every code point, and compare every two-byte string. */
static void utf8_agrees_with_its_definition(void **state)
{
	(void)state;
	for (uint32_t c = 0x10000; c <= 0x10FFFF; c += 0xFF) {
		char s[] = { (char)(0xF0 | c >> 18), (char)(0x80 | (c >> 12 & 63)),
			(char)(0x80 | (c >> 6 & 63)), (char)(0x80 | (c & 63)) };

		assert_int_equal(str_utf8_step(str_n(s, 4)), 4);
		assert_int_equal(str_utf8_step(str_n(s, 3)), 0);
	}
	for (uint32_t c = 0x800; c <= 0xFFFF; c++) {
		char s[] = { (char)(0xE0 | c >> 12), (char)(0x80 | (c >> 6 & 63)),
			(char)(0x80 | (c & 63)) };
		bool surrogate = c >= 0xD800 && c <= 0xDFFF;

		assert_int_equal(str_utf8_step(str_n(s, 3)), surrogate ? 0 : 3);
	}
	for (uint32_t c = 0; c <= 0xFFFF; c++) {
		char s[] = { (char)(c >> 8), (char)c };
		bool two = c >> 8 >= 0xC2 && c >> 8 <= 0xDF && (c & 0xC0) == 0x80;

		assert_int_equal(str_utf8_step(str_n(s, 2)), c >> 8 < 0x80 ? 1 : two ? 2 : 0);
	}
}

static void utf8_length_counts_characters(void **state)
{
	(void)state;
	assert_int_equal(str_utf8_length(PT_STR("")), 0);
	assert_int_equal(str_utf8_length(PT_STR("a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80")), 4);
}

static void distance_counts_edits(void **state)
{
	(void)state;
	assert_int_equal(str_distance(PT_STR("listen"), PT_STR("listen")), 0);
	assert_int_equal(str_distance(PT_STR("kitten"), PT_STR("sitting")), 3);
	assert_int_equal(str_distance(PT_STR(""), PT_STR("abc")), 3);
	assert_int_equal(str_distance(PT_STR("abc"), none), 3);
}

static void distance_looks_at_64_bytes(void **state)
{
	char a[200], b[100];

	(void)state;
	memset(a, 'a', sizeof(a));
	memset(b, 'b', sizeof(b));
	assert_int_equal(str_distance(str_n(a, sizeof(a)), str_n(b, sizeof(b))), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_are_cut_to_the_length),
		cmocka_unit_test(case_is_ignored_for_ascii_letters_only),
		cmocka_unit_test(starts_ends_contains),
		cmocka_unit_test(cuts_at_the_first_separator),
		cmocka_unit_test(trims_blanks_and_nothing_else),
		cmocka_unit_test(what_was_pasted_loses_its_ends_of_lines),
		cmocka_unit_test(numbers_within_their_range_are_read),
		cmocka_unit_test(anything_but_a_number_in_range_is_refused),
		cmocka_unit_test(valid_utf8_is_accepted),
		cmocka_unit_test(invalid_utf8_is_refused),
		cmocka_unit_test(utf8_agrees_with_its_definition),
		cmocka_unit_test(utf8_length_counts_characters),
		cmocka_unit_test(distance_counts_edits),
		cmocka_unit_test(distance_looks_at_64_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_json.c - JSON at the edge.
 */
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/str.h"

#include "base/banned.h"

static struct arena *arena;

static int world(void **state)
{
	(void)state;
	arena = arena_open(16 * MIB);
	return arena ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

static struct json_value value_of(const char *text)
{
	struct json_value value;

	assert_int_equal(json_read(arena, str(text), &value), PT_OK);
	return value;
}

/* n copies of `open`, then of `close`. */
static pt_str nested(size_t n, const char *open, const char *middle, const char *close)
{
	struct buf b = BUF(arena, 1 * MIB);

	for (size_t i = 0; i < n; i++)
		buf_str(&b, str(open));
	buf_str(&b, str(middle));
	for (size_t i = 0; i < n; i++)
		buf_str(&b, str(close));
	assert_false(b.failed);
	return buf_view(&b);
}

static pt_str object_of(size_t members)
{
	struct buf b = BUF(arena, 1 * MIB);
	struct json j = JSON(&b);

	json_object(&j, NULL);
	for (size_t i = 0; i < members; i++) {
		char name[16];
		struct buf n = BUF_FIXED(name);

		buf_uint(&n, i);
		json_str(&j, name, PT_STR("v"));
	}
	json_object_end(&j);
	return buf_view(&b);
}

static pt_str string_of(size_t length)
{
	struct buf b = BUF(arena, 1 * MIB);
	char *p;

	buf_char(&b, '"');
	p = buf_reserve(&b, length);
	memset(p, 'x', length);
	buf_char(&b, '"');
	return buf_view(&b);
}

/* ---- reading ---- */

static void every_kind_of_value_is_read(void **state)
{
	struct json_value top =
		value_of(" {\"null\":null, \"yes\":true, \"no\":false, \"int\":-7,"
			 " \"real\":1.5, \"text\":\"a\\u00fc\\n\", \"list\":[1,[],{}]} ");
	const struct json_value *list = json_find(&top, PT_STR("list"));

	(void)state;
	assert_int_equal(top.type, JSON_OBJECT);
	assert_int_equal(top.n, 7);
	assert_int_equal(json_find(&top, PT_STR("null"))->type, JSON_NULL);
	assert_true(json_find(&top, PT_STR("yes"))->truth);
	assert_int_equal(json_find(&top, PT_STR("no"))->type, JSON_BOOL);
	assert_false(json_find(&top, PT_STR("no"))->truth);
	assert_int_equal(json_find(&top, PT_STR("int"))->number, -7);
	assert_string_equal(json_find(&top, PT_STR("int"))->text.p, "-7");
	assert_int_equal(json_find(&top, PT_STR("real"))->type, JSON_NUMBER);
	assert_int_equal(json_find(&top, PT_STR("real"))->text.n, 0);
	assert_string_equal(json_find(&top, PT_STR("text"))->text.p, "a\xC3\xBC\n");
	assert_int_equal(list->n, 3);
	assert_int_equal(list->items[0].number, 1);
	assert_int_equal(list->items[0].name.n, 0);
	assert_int_equal(list->items[1].type, JSON_ARRAY);
	assert_int_equal(list->items[2].type, JSON_OBJECT);
	assert_string_equal(top.items[0].name.p, "null");
}

static void what_is_absent_is_not_found(void **state)
{
	struct json_value top = value_of("{\"a\":1}"), list = value_of("[1]");

	(void)state;
	assert_null(json_find(&top, PT_STR("b")));
	assert_null(json_find(&top, PT_STR("a\0")));
	assert_null(json_find(&list, PT_STR("")));
}

static void widest_integers_are_read(void **state)
{
	(void)state;
	assert_true(value_of("9223372036854775807").number == INT64_MAX);
	assert_string_equal(value_of("-9223372036854775808").text.p, "-9223372036854775808");
	assert_int_equal(json_check(PT_STR("9223372036854775808")), PT_E_MALFORMED);
}

static void what_is_not_strict_json_is_refused(void **state)
{
	static const char *const rows[] = { "", " ", "{", "}", "{}{}", "{} x", "[1,]", "{\"a\":1,}",
		"{'a':1}", "{a:1}", "[01]", "[+1]", "[.5]", "[1.]", "[NaN]", "[Infinity]",
		"[1e999]", "nul", "True", "\"\t\"", "\"\\x\"", "\"\\u12\"", "\"open", "/**/1",
		"1 // c", "\xEF\xBB\xBF{}", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}",
		"[\"\\u0000\"]", "{\"\\u0000\":1}", "[\"\xFF\"]", "[\"\xC0\x80\"]",
		"[\"\xED\xA0\x80\"]", "[\"\\ud800\"]", "[\"\\udc00\\ud800\"]", "[1}", "{\"a\"}",
		"{\"a\":}", "[,]", "]", "-", "[1e]", "[1e+]", "[-01]", "[1.e1]", "[1 2]",
		"{\"a\":1 \"b\":2}", "[\"\\ud83dx\"]", "[\"\\ud83d\\u0041\"]", "[\"\\", "[\"\\u",
		"[\"\\u00\"]", "tru", "nullx" };
	struct json_value value = { .n = 42 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(json_read(arena, str(rows[i]), &value), PT_E_MALFORMED);
		assert_int_equal(json_check(str(rows[i])), PT_E_MALFORMED);
	}
	assert_int_equal(json_check(PT_STR("{}\0")), PT_E_MALFORMED);
	assert_int_equal(json_check(PT_STR("1\0")), PT_E_MALFORMED);
	assert_int_equal(json_check(PT_STR("\"a\0b\"")), PT_E_MALFORMED);
	assert_int_equal(json_check((pt_str){ NULL, 0 }), PT_E_MALFORMED);
	assert_int_equal(value.n, 42);
}

static void numbers_end_short_of_1e308(void **state)
{
	static const char *const fine[] = { "9.99e307", "-9e307", "1e-999", "0e999",
		"-0.00e99999999999", "0.0001e311", "123456789.5e299", "1E+2" };
	static const char *const beyond[] = { "1e308", "-1e308", "1e999", "10e307", "0.0001e312",
		"1e99999999999999999999", "123456789.5e300" };

	(void)state;
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		assert_int_equal(json_check(str(fine[i])), PT_OK);
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		assert_int_equal(json_check(str(beyond[i])), PT_E_MALFORMED);
	assert_int_equal(value_of("-0").number, 0);
	assert_string_equal(value_of("-0").text.p, "0");
}

static void escapes_are_decoded(void **state)
{
	(void)state;
	assert_string_equal(value_of("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"").text.p, "\"\\/\b\f\n\r\t");
	assert_string_equal(value_of("\"\\u0041\\u00E9\\u20ac\\uD83D\\uDE00\"").text.p,
		"A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
	assert_string_equal(value_of("\"\x7F\xC3\xA9\"").text.p, "\x7F\xC3\xA9");
}

/* More of them at once than the reader first has room for, and open at different depths. */
static void many_values_keep_their_places(void **state)
{
	struct buf b = BUF(arena, 1 * MIB);
	struct json_value top;

	(void)state;
	buf_char(&b, '[');
	for (int i = 0; i < 500; i++)
		buf_printf(&b, "%s{\"n\":%d,\"list\":[[%d,%d],[]]}", i ? "," : "", i, i + 1, i + 2);
	buf_char(&b, ']');
	top = value_of(buf_view(&b).p);
	assert_int_equal(top.n, 500);
	for (int i = 0; i < 500; i++) {
		const struct json_value *list = json_find(&top.items[i], PT_STR("list"));

		assert_int_equal(json_find(&top.items[i], PT_STR("n"))->number, i);
		assert_int_equal(list->n, 2);
		assert_int_equal(list->items[0].items[0].number, i + 1);
		assert_int_equal(list->items[0].items[1].number, i + 2);
		assert_int_equal(list->items[1].n, 0);
	}
}

/* A check keeps none of them: they would take thirty times their text. */
static void what_is_only_checked_takes_little_memory(void **state)
{
	pt_str numbers = nested(100000, "0,", "0", ""), texts = nested(100000, "\"\",", "0", "");
	struct buf b = BUF(arena, 1 * MIB);

	(void)state;
	buf_str(&b, PT_STR("{\"a\":["));
	buf_str(&b, numbers);
	buf_char(&b, ',');
	buf_str(&b, texts);
	buf_str(&b, PT_STR("]}"));
	assert_int_equal(json_check(buf_view(&b)), PT_OK);
	struct arena *small = arena_open(64 * KIB);
	pt_str found;

	assert_int_equal(json_find_raw(small, buf_view(&b), PT_STR("b"), &found), PT_OK);
	assert_int_equal(found.n, 0);
	arena_close(small);
}

static void depth_ends_at_32(void **state)
{
	(void)state;
	assert_int_equal(json_check(nested(32, "[", "", "]")), PT_OK);
	assert_int_equal(json_check(nested(33, "[", "", "]")), PT_E_MALFORMED);
	assert_int_equal(json_check(nested(32, "{\"a\":", "1", "}")), PT_OK);
	assert_int_equal(json_check(nested(33, "{\"a\":", "1", "}")), PT_E_MALFORMED);
	assert_int_equal(json_check(nested(100000, "[", "", "")), PT_E_MALFORMED);
}

static void brackets_in_strings_are_not_depth(void **state)
{
	(void)state;
	assert_int_equal(
		json_check(PT_STR("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]")), PT_OK);
	assert_int_equal(
		json_check(PT_STR("[\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]")), PT_OK);
	assert_int_equal(json_check(nested(40, "[],", "1", "")), PT_E_MALFORMED);
}

static void members_end_at_256(void **state)
{
	(void)state;
	assert_int_equal(json_check(object_of(256)), PT_OK);
	assert_int_equal(json_check(object_of(257)), PT_E_MALFORMED);
}

static void strings_end_at_16_kib(void **state)
{
	pt_str longest = string_of(16 * KIB), longer = string_of(16 * KIB + 1);
	struct buf b = BUF(arena, 1 * MIB);

	(void)state;
	assert_int_equal(json_check(longest), PT_OK);
	assert_int_equal(json_check(longer), PT_E_MALFORMED);
	buf_str(&b, PT_STR("[{"));
	buf_str(&b, longer);
	buf_str(&b, PT_STR(":1}]"));
	assert_int_equal(json_check(buf_view(&b)), PT_E_MALFORMED);
}

static void object_of_strings_is_read(void **state)
{
	struct json_member *members;
	size_t n;

	(void)state;
	assert_int_equal(
		json_read_strings(arena, PT_STR("{\"b\":\"1\",\"a\":\"\"}"), &members, &n), PT_OK);
	assert_int_equal(n, 2);
	assert_string_equal(members[0].name.p, "b");
	assert_string_equal(members[0].value.p, "1");
	assert_string_equal(members[1].name.p, "a");
	assert_int_equal(members[1].value.n, 0);
	assert_int_equal(json_read_strings(arena, PT_STR("{}"), &members, &n), PT_OK);
	assert_int_equal(n, 0);
}

static void anything_but_strings_is_refused_where_strings_are_due(void **state)
{
	static const char *const rows[] = { "[]", "\"a\"", "null", "{\"a\":1}", "{\"a\":null}",
		"{\"a\":\"b\",\"c\":[]}", "{\"a\":{\"b\":\"c\"}}" };
	struct json_member *members = NULL;
	size_t n = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			json_read_strings(arena, str(rows[i]), &members, &n), PT_E_MALFORMED);
	assert_null(members);
	assert_int_equal(n, 42);
}

static void arena_that_is_full_is_our_fault(void **state)
{
	struct arena *small = arena_open(128);
	struct json_value value = { .n = 42 };

	(void)state;
	assert_int_equal(json_read(small, PT_STR("[1,2,3,4,5,6,7,8,9]"), &value), PT_F_MEMORY);
	assert_int_equal(value.n, 42);
	arena_close(small);
}

static void text_outlives_what_it_was_read_from(void **state)
{
	char text[] = "{\"name\":\"value\"}";
	struct json_member *members;
	size_t n;

	(void)state;
	assert_int_equal(json_read_strings(arena, str(text), &members, &n), PT_OK);
	memset(text, 'x', sizeof(text));
	assert_string_equal(members[0].name.p, "name");
	assert_string_equal(members[0].value.p, "value");
}

/* ---- writing ---- */

static void writer_keeps_the_commas(void **state)
{
	struct buf b = BUF(arena, 1 * KIB);
	struct json j = JSON(&b);

	(void)state;
	json_object(&j, NULL);
	json_str(&j, "s", PT_STR("</\""));
	json_int(&j, "i", -5);
	json_array(&j, "a");
	json_int(&j, NULL, 1);
	json_object(&j, NULL);
	json_object_end(&j);
	json_array(&j, NULL);
	json_array_end(&j);
	json_null(&j, NULL);
	json_array_end(&j);
	json_bool(&j, "t", true);
	json_bool(&j, "f", false);
	json_raw(&j, "r", PT_STR("{\"x\":1}"));
	json_object(&j, "o");
	json_null(&j, "n");
	json_object_end(&j);
	json_object_end(&j);
	assert_string_equal(buf_view(&b).p,
		"{\"s\":\"\\u003c/\\\"\",\"i\":-5,\"a\":[1,{},[],null],\"t\":true,\"f\":false,"
		"\"r\":{\"x\":1},\"o\":{\"n\":null}}");
	assert_int_equal(json_check(buf_view(&b)), PT_OK);
}

static void writer_past_its_ceiling_fails(void **state)
{
	struct buf b = BUF(arena, 8);
	struct json j = JSON(&b);
	pt_str out;

	(void)state;
	json_object(&j, NULL);
	json_str(&j, "name", PT_STR("value"));
	json_object_end(&j);
	assert_int_equal(buf_done(&b, &out), PT_F_MEMORY);
}

static void whatever_text_is_written_can_be_read(void **state)
{
	(void)state;
	for (unsigned pair = 0x100; pair <= 0xFFFF; pair += 3) {
		char text[] = { (char)(pair >> 8), (char)pair };
		struct buf b = BUF_FIXED(((char[64]){ 0 }));
		struct json_value value;
		pt_err wanted = text[0] && text[1] ? PT_OK : PT_E_MALFORMED;

		buf_json(&b, str_n(text, 2));
		assert_int_equal(json_read(arena, buf_view(&b), &value), wanted);
		if (wanted == PT_OK && str_utf8(str_n(text, 2)))
			assert_true(str_eq(value.text, str_n(text, 2)));
	}
}

/* ---- merging ---- */

static void merges_to(const char *base, const char *patch, const char *wanted)
{
	pt_str merged;

	assert_int_equal(json_merge(arena, str(base), str(patch), &merged), PT_OK);
	assert_string_equal(wanted, merged.p);
}

static void members_of_a_patch_overwrite_and_follow(void **state)
{
	(void)state;
	merges_to("{\"a\":1,\"b\":2}", "{\"c\":3,\"a\":4}", "{\"a\":4,\"b\":2,\"c\":3}");
	merges_to("{\"a\":{\"x\":1}}", "{\"a\":{\"y\":2}}", "{\"a\":{\"y\":2}}");
	merges_to("{}", "{}", "{}");
	merges_to(" { \"a\" : [1, {\"b\" : 2}] , \"c\":\"}\" } ", "{\"d\"\n:\ttrue}",
		"{\"a\":[1, {\"b\" : 2}],\"c\":\"}\",\"d\":true}");
}

static void null_takes_a_member_away_and_is_never_kept(void **state)
{
	(void)state;
	merges_to("{\"a\":1,\"b\":2}", "{\"a\":null}", "{\"b\":2}");
	merges_to("{\"a\":1}", "{\"a\":null,\"b\":null}", "{}");
	merges_to("", "{\"a\":null,\"b\":0}", "{\"b\":0}");
	merges_to("{\"a\":null}", "{\"b\":[null]}", "{\"b\":[null]}");
}

static void values_are_merged_as_they_are_written(void **state)
{
	(void)state;
	merges_to("{\"n\":123456789012345678901234567890,\"r\":0.1000}", "{\"e\":1E+2}",
		"{\"n\":123456789012345678901234567890,\"r\":0.1000,\"e\":1E+2}");
	merges_to("{\"\\u00e4\":1}", "{\"\303\244\":\"\\ud83d\\ude00 \\\"\\\\\"}",
		"{\"\303\244\":\"\\ud83d\\ude00 \\\"\\\\\"}");
}

static void what_is_no_object_is_not_merged(void **state)
{
	static const char *const bad[] = { "", "null", "[]", "1", "{", "{\"a\":1,\"a\":2}",
		"{\"a\":1}x", "{\"\\u0000\":1}" };
	pt_str merged;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
			json_merge(arena, PT_STR("{}"), str(bad[i]), &merged), PT_E_MALFORMED);
		if (bad[i][0])
			assert_int_equal(json_merge(arena, str(bad[i]), PT_STR("{}"), &merged),
				PT_E_MALFORMED);
	}
}

static void merged_members_end_at_256_too(void **state)
{
	pt_str merged;

	(void)state;
	assert_int_equal(json_merge(arena, object_of(256), PT_STR("{\"a\":null}"), &merged), PT_OK);
	assert_int_equal(json_merge(arena, object_of(256), PT_STR("{\"another\":1}"), &merged),
		PT_E_MALFORMED);
}

static void assert_member(const char *text, const char *name, const char *wanted)
{
	pt_str value;

	assert_int_equal(json_find_raw(arena, str(text), str(name), &value), PT_OK);
	assert_true(str_eq(value, str(wanted)));
}

static void a_member_is_found_as_it_is_spelled(void **state)
{
	(void)state;
	assert_member("{\"a\":1}", "a", "1");
	assert_member(" { \"a\" : [ 1, {\"b\":\"]\"} ] , \"b\":2 } ", "a", "[ 1, {\"b\":\"]\"} ]");
	assert_member("{\"x\":\"\\\"}\",\"a\":\"\\u00e9\"}", "a", "\"\\u00e9\"");
	assert_member("{\"\\u0061\":12345678901234567890.10}", "a", "12345678901234567890.10");
	assert_member("{\"b\":{\"a\":1}}", "a", "");
	assert_member("{}", "a", "");
	assert_member("{\"a\":null}", "a", "null");
}

static void no_member_is_found_in_what_is_no_object(void **state)
{
	static const char *const bad[] = { "", "[]", "1", "null", "\"{}\"", "{\"a\":1", "{} {}",
		"{\"a\":1,\"a\":2}", "{\"a\":1,}" };
	pt_str value;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			json_find_raw(arena, str(bad[i]), PT_STR("a"), &value), PT_E_MALFORMED);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, world, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(every_kind_of_value_is_read),
		STORY(what_is_absent_is_not_found),
		STORY(widest_integers_are_read),
		STORY(what_is_not_strict_json_is_refused),
		STORY(numbers_end_short_of_1e308),
		STORY(escapes_are_decoded),
		STORY(many_values_keep_their_places),
		STORY(what_is_only_checked_takes_little_memory),
		STORY(depth_ends_at_32),
		STORY(brackets_in_strings_are_not_depth),
		STORY(members_end_at_256),
		STORY(strings_end_at_16_kib),
		STORY(object_of_strings_is_read),
		STORY(anything_but_strings_is_refused_where_strings_are_due),
		STORY(arena_that_is_full_is_our_fault),
		STORY(text_outlives_what_it_was_read_from),
		STORY(members_of_a_patch_overwrite_and_follow),
		STORY(null_takes_a_member_away_and_is_never_kept),
		STORY(values_are_merged_as_they_are_written),
		STORY(what_is_no_object_is_not_merged),
		STORY(merged_members_end_at_256_too),
		STORY(writer_keeps_the_commas),
		STORY(writer_past_its_ceiling_fails),
		STORY(whatever_text_is_written_can_be_read),
		STORY(a_member_is_found_as_it_is_spelled),
		STORY(no_member_is_found_in_what_is_no_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

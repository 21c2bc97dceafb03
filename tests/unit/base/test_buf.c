/*
 * test_buf.c - strings under construction, and the spelling of each language.
 */
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"

#include "base/banned.h"

typedef void writer(struct buf *b, pt_str s);

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

static pt_str written(writer *write, pt_str s)
{
	struct buf b = BUF(arena, 1 * MIB);

	write(&b, s);
	assert_false(b.failed);
	assert_int_equal(buf_view(&b).p[buf_view(&b).n], '\0');
	return buf_view(&b);
}

static void expect(writer *write, pt_str s, const char *wanted)
{
	assert_string_equal(written(write, s).p, wanted);
}

/* ---- ceilings ---- */

static void appends_come_out_in_order(void **state)
{
	struct buf b = BUF(arena, 64);
	pt_str out;

	(void)state;
	buf_str(&b, PT_STR("a"));
	buf_char(&b, '-');
	buf_bytes(&b, "bc", 1);
	buf_str(&b, (pt_str){ NULL, 0 });
	buf_printf(&b, "%s%03d", "x", 7);
	buf_uint(&b, UINT64_MAX);
	buf_int(&b, INT64_MIN);
	buf_uint(&b, 0);
	assert_int_equal(buf_done(&b, &out), PT_OK);
	assert_string_equal(out.p, "a-bx007184467440737095516"
				   "15-92233720368547758080");
	assert_int_equal(out.n, strlen(out.p));
}

static void empty_text_is_an_empty_string(void **state)
{
	struct buf b = BUF(arena, 64);
	pt_str out = { 0 };

	(void)state;
	assert_string_equal(buf_view(&b).p, "");
	assert_int_equal(buf_done(&b, &out), PT_OK);
	assert_string_equal(out.p, "");
	assert_int_equal(out.n, 0);
}

static void ceiling_is_reached_but_not_passed(void **state)
{
	struct buf b = BUF(arena, 1000);
	pt_str out = PT_STR("before");

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_char(&b, 'x');
	assert_int_equal(buf_view(&b).n, 1000);
	assert_int_equal(buf_done(&b, &out), PT_OK);
	buf_char(&b, 'y');
	assert_int_equal(buf_done(&b, &out), PT_F_MEMORY);
	assert_int_equal(out.n, 1000);
}

static void failure_sticks(void **state)
{
	struct buf b = BUF(arena, 10);
	pt_str out = PT_STR("before");

	(void)state;
	buf_str(&b, PT_STR("0123456789-"));
	buf_str(&b, PT_STR("ok"));
	assert_null(buf_reserve(&b, 1));
	assert_int_equal(buf_view(&b).n, 0);
	assert_int_equal(buf_done(&b, &out), PT_F_MEMORY);
	assert_string_equal(out.p, "before");
}

static void arena_that_is_full_fails_the_text(void **state)
{
	struct arena *small = arena_open(300);
	struct buf b = BUF(small, 1 * MIB);
	pt_str out;

	(void)state;
	for (int i = 0; i < 400; i++)
		buf_char(&b, 'x');
	assert_int_equal(buf_done(&b, &out), PT_F_MEMORY);
	arena_close(small);
}

static void lengths_that_overflow_fail(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct buf b = BUF(arena, SIZE_MAX - 1);

		buf_char(&b, 'x');
		if (i == 0)
			buf_reserve(&b, SIZE_MAX - 1);
		else if (i == 1)
			buf_hex(&b, "x", SIZE_MAX / 2 + 1);
		else if (i == 2)
			buf_base64(&b, "x", SIZE_MAX - 1);
		else
			buf_reserve(&b, SIZE_MAX / 2);
		assert_true(b.failed);
	}
}

static void fixed_text_lives_in_the_callers_array(void **state)
{
	char array[8];
	struct buf b = BUF_FIXED(array);

	(void)state;
	buf_str(&b, PT_STR("1234567"));
	assert_string_equal(array, "1234567");
	buf_char(&b, '8');
	assert_true(b.failed);
	assert_string_equal(array, "1234567");
}

static void reserved_room_is_counted_and_ends_in_nul(void **state)
{
	struct buf b = BUF(arena, 64);
	char *p = buf_reserve(&b, 3);

	(void)state;
	memcpy(p, "abc", 3);
	buf_char(&b, 'd');
	assert_string_equal(buf_view(&b).p, "abcd");
}

/* ---- languages ---- */

static void html_is_inert_in_text_and_attributes(void **state)
{
	(void)state;
	expect(buf_html, PT_STR("plain text, \xC3\xBC"), "plain text, \xC3\xBC");
	expect(buf_html, PT_STR("<script>alert('x')</script>"),
		"&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
	expect(buf_html, PT_STR("\" onclick=\"a&&b"), "&#34; onclick=&#34;a&amp;&amp;b");
	expect(buf_html, PT_STR("&amp;"), "&amp;amp;");
	expect(buf_html, PT_STR(""), "");
}

static void url_leaves_only_unreserved_characters(void **state)
{
	(void)state;
	expect(buf_url, PT_STR("azAZ09-._~"), "azAZ09-._~");
	expect(buf_url, PT_STR("a b&c=d/?#[]@!$'()*+,;:%"),
		"a%20b%26c%3Dd%2F%3F%23%5B%5D%40%21%24%27%28%29%2A%2B%2C%3B%3A%25");
	expect(buf_url, PT_STR("\xC3\xBC\r\n"), "%C3%BC%0D%0A");
	assert_true(str_eq(written(buf_url, PT_STR("a\0b")), PT_STR("a%00b")));
}

static void json_is_inert_inside_scripts(void **state)
{
	(void)state;
	expect(buf_json, PT_STR(""), "\"\"");
	expect(buf_json, PT_STR("a\"\\/\n\r\t"), "\"a\\\"\\\\/\\n\\r\\t\"");
	expect(buf_json, PT_STR("</script><!-- & -->"),
		"\"\\u003c/script\\u003e\\u003c!-- \\u0026 --\\u003e\"");
	expect(buf_json, PT_STR("\x01\x1F\x7F"), "\"\\u0001\\u001f\\u007f\"");
	expect(buf_json, PT_STR("a\xE2\x80\xA8z\xE2\x80\xA9"), "\"a\\u2028z\\u2029\"");
	expect(buf_json, PT_STR("\xC2\x9B[31m"), "\"\\u009b[31m\"");
	expect(buf_json, PT_STR("a\0b"), "\"a\\u0000b\"");
}

static void json_keeps_characters_and_replaces_what_is_none(void **state)
{
	(void)state;
	expect(buf_json, PT_STR("\xC3\xBC\xE2\x82\xAC\xE2\x80\xA7\xF0\x9F\x98\x80"),
		"\"\xC3\xBC\xE2\x82\xAC\xE2\x80\xA7\xF0\x9F\x98\x80\"");
	expect(buf_json, PT_STR("a\xFFz\xC3"), "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\"");
	expect(buf_json, PT_STR("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

/* Whatever the bytes, what comes out is UTF-8 without a raw control, quote or tag. */
static void no_byte_pair_breaks_out_of_json_or_html(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair <= 0xFFFF; pair++) {
		char s[] = { 'a', (char)(pair >> 8), (char)pair, 'z' };
		struct buf b = BUF_FIXED(((char[64]){ 0 }));
		pt_str inside;

		buf_json(&b, str_n(s, sizeof(s)));
		assert_true(str_utf8(buf_view(&b)));
		inside = str_slice(buf_view(&b), 1, b.n - 1);
		for (size_t i = 0; i < inside.n; i++) {
			assert_true((uint8_t)inside.p[i] >= 0x20);
			assert_true(inside.p[i] != '<' && inside.p[i] != '>' && inside.p[i] != '&');
			if (inside.p[i] == '"')
				assert_int_equal(inside.p[i - 1], '\\');
		}
		b = BUF_FIXED(((char[64]){ 0 }));
		buf_html(&b, str_n(s, sizeof(s)));
		assert_false(str_contains(buf_view(&b), PT_STR("<")));
		assert_false(str_contains(buf_view(&b), PT_STR("\"")));
		assert_false(str_contains(buf_view(&b), PT_STR("'")));
	}
}

/* ---- bytes as text ---- */

static void base64_of_rfc_4648(void **state)
{
	static const struct {
		const char *plain, *padded, *url;
	} rows[] = {
		{ "", "", "" },
		{ "f", "Zg==", "Zg" },
		{ "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" },
		{ "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
		{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xFB\xFF\xFE", "+//+", "-__-" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pt_str plain = str(rows[i].plain), out;
		struct buf padded = BUF(arena, 64), url = BUF(arena, 64);

		buf_base64(&padded, plain.p, plain.n);
		buf_base64url(&url, plain.p, plain.n);
		assert_string_equal(buf_view(&padded).p, rows[i].padded);
		assert_string_equal(buf_view(&url).p, rows[i].url);
		assert_true(base64_decode(arena, str(rows[i].padded), &out));
		assert_true(str_eq(out, plain));
		assert_true(base64url_decode(arena, str(rows[i].url), &out));
		assert_true(str_eq(out, plain));
	}
}

static void every_length_comes_back(void **state)
{
	uint8_t bytes[100];
	pt_str out;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 167 + 13);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		struct buf b = BUF(arena, 1 * KIB), h = BUF(arena, 1 * KIB);

		buf_base64url(&b, bytes, n);
		assert_true(base64url_decode(arena, buf_view(&b), &out));
		assert_true(str_eq(out, str_n(bytes, n)));
		buf_hex(&h, bytes, n);
		assert_true(hex_decode(arena, buf_view(&h), &out));
		assert_true(str_eq(out, str_n(bytes, n)));
	}
}

static void second_spellings_of_base64_are_refused(void **state)
{
	static const char *const url[] = { "Zg==", "Zg=", "Zh", "Zm9", "Z", "A", "Zm9vA", "Zm9vY",
		"Zm 9v", "Zm9v\n", "+w", "_/", "=", "\xC3\xBC" };
	static const char *const padded[] = { "Zg",
		"Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "-w==", "Zm9v=", "Zm=v", "Z=9v",
		"=Zm9", "Zg==\n", "Zg= =" };
	pt_str out = PT_STR("before");

	(void)state;
	for (size_t i = 0; i < sizeof(url) / sizeof(url[0]); i++)
		assert_false(base64url_decode(arena, str(url[i]), &out));
	for (size_t i = 0; i < sizeof(padded) / sizeof(padded[0]); i++)
		assert_false(base64_decode(arena, str(padded[i]), &out));
	assert_false(base64url_decode(arena, PT_STR("Zm9v\0Zm9"), &out));
	assert_string_equal(out.p, "before");
}

/* Who reads it must not take a good text for a bad one. */
static void no_memory_is_not_a_bad_text(void **state)
{
	struct arena *full = arena_open(16);
	pt_str out = PT_STR("untouched");

	(void)state;
	assert_non_null(arena_alloc(full, 16));
	assert_int_equal(base64_read(full, PT_STR("Zm9v"), &out), PT_F_MEMORY);
	assert_int_equal(base64url_read(full, PT_STR("Zm9v"), &out), PT_F_MEMORY);
	assert_int_equal(base64_read(full, PT_STR("Zm9"), &out), PT_E_MALFORMED);
	assert_string_equal(out.p, "untouched");
	arena_close(full);
}

/* Of all texts of two digits, as many decode as there are bytes. */
static void one_byte_has_one_spelling(void **state)
{
	size_t accepted = 0;
	pt_str out;

	(void)state;
	for (unsigned pair = 0; pair <= 0xFFFF; pair++) {
		char s[] = { (char)(pair >> 8), (char)pair };

		accepted += base64url_decode(arena, str_n(s, 2), &out);
	}
	assert_int_equal(accepted, 256);
}

static void hex_is_lower_case_and_even(void **state)
{
	pt_str out = PT_STR("before");

	(void)state;
	assert_false(hex_decode(arena, PT_STR("0"), &out));
	assert_false(hex_decode(arena, PT_STR("0A"), &out));
	assert_false(hex_decode(arena, PT_STR("0g"), &out));
	assert_false(hex_decode(arena, PT_STR("0x"), &out));
	assert_string_equal(out.p, "before");
	assert_true(hex_decode(arena, PT_STR("00ff7f"), &out));
	assert_true(str_eq(out, PT_STR("\0\xFF\x7F")));
}

/* ---- dates ---- */

static void dates_are_spelled_as_their_standards_say(void **state)
{
	static const struct {
		pt_time time;
		int digits;
		const char *rfc3339, *http;
	} rows[] = {
		{ 784111777 * PT_SECOND, 0, "1994-11-06T08:49:37Z",
			"Sun, 06 Nov 1994 08:49:37 GMT" },
		{ 1136214245123456, 6, "2006-01-02T15:04:05.123456Z",
			"Mon, 02 Jan 2006 15:04:05 GMT" },
		{ 1136214245123999, 3, "2006-01-02T15:04:05.123Z",
			"Mon, 02 Jan 2006 15:04:05 GMT" },
		{ 1136214245000001, 6, "2006-01-02T15:04:05.000001Z",
			"Mon, 02 Jan 2006 15:04:05 GMT" },
		{ 951782400 * PT_SECOND, 3, "2000-02-29T00:00:00.000Z",
			"Tue, 29 Feb 2000 00:00:00 GMT" },
		{ -1, 0, "1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 GMT" },
		{ INT64_MAX, 0, "9999-12-31T23:59:59Z", "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ INT64_MIN, 0, "0000-01-01T00:00:00Z", "Sat, 01 Jan 0000 00:00:00 GMT" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf a = BUF(arena, 64), b = BUF(arena, 64);

		buf_rfc3339(&a, rows[i].time, rows[i].digits);
		buf_http_date(&b, rows[i].time);
		assert_string_equal(buf_view(&a).p, rows[i].rfc3339);
		assert_string_equal(buf_view(&b).p, rows[i].http);
	}
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, world, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(appends_come_out_in_order),
		STORY(empty_text_is_an_empty_string),
		STORY(ceiling_is_reached_but_not_passed),
		STORY(failure_sticks),
		STORY(arena_that_is_full_fails_the_text),
		STORY(lengths_that_overflow_fail),
		STORY(fixed_text_lives_in_the_callers_array),
		STORY(reserved_room_is_counted_and_ends_in_nul),
		STORY(html_is_inert_in_text_and_attributes),
		STORY(url_leaves_only_unreserved_characters),
		STORY(json_is_inert_inside_scripts),
		STORY(json_keeps_characters_and_replaces_what_is_none),
		STORY(no_byte_pair_breaks_out_of_json_or_html),
		STORY(base64_of_rfc_4648),
		STORY(every_length_comes_back),
		STORY(second_spellings_of_base64_are_refused),
		STORY(no_memory_is_not_a_bad_text),
		STORY(one_byte_has_one_spelling),
		STORY(hex_is_lower_case_and_even),
		STORY(dates_are_spelled_as_their_standards_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

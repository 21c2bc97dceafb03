/*
 * test_field.c - what a client filled in, whatever it was wrapped in.
 */
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "http/field.h"

#include "asked.h"

#include "base/banned.h"

#define FORM      "application/x-www-form-urlencoded"
#define JSON_TYPE "application/json"

static struct asked asked;
static struct fields fields;

static int make(void **state)
{
	(void)state;
	asked_open(&asked);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	asked_close(&asked);
	return 0;
}

static pt_err read_n(const char *type, pt_str body, size_t max_value)
{
	asked.rq.n_headers = 0;
	if (type)
		asked_header(&asked, "content-type", type);
	asked.rq.body = body;
	return fields_read(&asked.rq, max_value, &fields);
}

static pt_err read_as(const char *type, const char *body)
{
	return read_n(type, str(body), 0);
}

static void expect(const char *name, const char *value)
{
	assert_true(field_present(&fields, str(name)));
	if (!str_eq(field_value(&fields, str(name)), str(value)))
		fail_msg("%s is not %s", name, value);
}

/* ---- types ---- */

static const struct {
	const char *header;
	enum body_type type;
} types[] = {
	{ NULL, BODY_NONE },
	{ FORM, BODY_FORM },
	{ "Application/X-WWW-Form-URLencoded ; charset=UTF-8", BODY_FORM },
	{ "application/json; charset=\"utf-8\"", BODY_JSON },
	{ "application/json; charset=utf-16", BODY_OTHER },
	{ "application/json; charset=\"utf-16\"", BODY_OTHER },
	{ "multipart/form-data; boundary=x", BODY_MULTIPART },
	{ "text/plain", BODY_OTHER },
	{ "", BODY_OTHER },
	{ "application/jsonp", BODY_OTHER },
};

static void content_types_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		asked.rq.n_headers = 0;
		if (types[i].header)
			asked_header(&asked, "content-type", types[i].header);
		if (body_type(&asked.rq) != types[i].type)
			fail_msg("%s", types[i].header);
	}
}

static void two_content_types_are_none(void **state)
{
	(void)state;
	asked_header(&asked, "content-type", FORM);
	asked_header(&asked, "content-type", JSON_TYPE);
	assert_int_equal(body_type(&asked.rq), BODY_OTHER);
}

static void other_types_are_not_read(void **state)
{
	(void)state;
	assert_int_equal(read_as("text/plain", "{\"a\":\"b\"}"), PT_E_MEDIA_TYPE);
	assert_int_equal(read_as(NULL, "a=b"), PT_E_MEDIA_TYPE);
	assert_int_equal(read_as("application/json; charset=utf-16", "{}"), PT_E_MEDIA_TYPE);
}

static void no_body_gives_no_fields(void **state)
{
	(void)state;
	assert_int_equal(read_as(NULL, ""), PT_OK);
	assert_int_equal(fields.n, 0);
}

/* ---- forms ---- */

static void forms_are_decoded(void **state)
{
	(void)state;
	assert_int_equal(read_as(FORM, "a=1+2%2b3&b=%C3%bF&&c&d=x=y&%61b=%3D"), PT_OK);
	assert_int_equal(fields.n, 5);
	expect("a", "1 2+3");
	expect("b", "\xc3\xbf");
	expect("c", "");
	expect("d", "x=y");
	expect("ab", "=");
	assert_false(field_present(&fields, PT_STR("e")));
	assert_int_equal(field_value(&fields, PT_STR("e")).n, 0);
}

static void first_of_two_equal_form_names_counts(void **state)
{
	(void)state;
	assert_int_equal(read_as(FORM, "a=1&a=2"), PT_OK);
	expect("a", "1");
}

static void broken_forms_are_refused(void **state)
{
	static const char *const bad[] = { "a=%", "b=c&a=%00", "b=c&a=%ff", "a=%4", "a=%zz",
		"a=%00", "%=1", "a=%ff", "a=\xff", "a=%C0%80", "a=%ED%A0%80", "%00a=1" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (read_as(FORM, bad[i]) != PT_E_MALFORMED)
			fail_msg("%s", bad[i]);
	}
}

static pt_str repeated(const char *text, size_t times)
{
	struct buf b = BUF(asked.arena, MIB);

	for (size_t i = 0; i < times; i++)
		buf_str(&b, str(text));
	assert_false(b.failed);
	return buf_view(&b);
}

static void a_form_has_at_most_256_fields(void **state)
{
	(void)state;
	assert_int_equal(read_n(FORM, repeated("a=b&", 256), 0), PT_OK);
	assert_int_equal(fields.n, 256);
	assert_int_equal(read_n(FORM, repeated("a=b&", 257), 0), PT_E_MALFORMED);
}

static void a_value_has_at_most_4_kib_or_what_the_caller_says(void **state)
{
	pt_str most = repeated("x", 4096 + 2), long_name = repeated("y", 70000);
	char *p = arena_alloc(asked.arena, most.n);

	(void)state;
	memcpy(p, most.p, most.n);
	memcpy(p, "a=", 2);
	assert_int_equal(read_n(FORM, str_n(p, 4098), 0), PT_OK);
	assert_int_equal(read_n(FORM, str_n(p, 4098), 4095), PT_E_MALFORMED);
	assert_int_equal(read_n(FORM, long_name, 100000), PT_E_MALFORMED);
	assert_int_equal(read_n(FORM, PT_STR("a=12345"), 5), PT_OK);
	assert_int_equal(read_n(FORM, PT_STR("a=123456"), 5), PT_E_MALFORMED);
}

/* ---- JSON ---- */

static void objects_of_strings_are_read(void **state)
{
	(void)state;
	assert_int_equal(read_as(JSON_TYPE, "{\"a\":\"b\", \"c\":\"\\u00e4\"}"), PT_OK);
	expect("a", "b");
	expect("c", "\xc3\xa4");
}

static void other_json_is_refused(void **state)
{
	static const char *const bad[] = { "", "[]", "\"a\"", "{\"a\":1}", "{\"a\":null}",
		"{\"a\":[\"b\"]}", "{\"a\":\"b\"}x", "{\"a\":\"b\",\"a\":\"c\"}",
		"{\"a\":\"\\u0000\"}", "{\"a\":\"\xff\"}" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (read_as(JSON_TYPE, bad[i]) != PT_E_MALFORMED)
			fail_msg("%s", bad[i]);
	}
	assert_int_equal(read_n(JSON_TYPE, PT_STR("{\"a\":\"123456\"}"), 5), PT_E_MALFORMED);
}

/* ---- multipart ---- */

#define MULTI "multipart/form-data; boundary=XX"
#define PART(name, value) \
	"--XX\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"

static void text_parts_are_read(void **state)
{
	(void)state;
	assert_int_equal(
		read_as(MULTI, PART("a", "1\r\n2") PART("b", "") PART("c", "--X") "--XX--\r\n"),
		PT_OK);
	assert_int_equal(fields.n, 3);
	expect("a", "1\r\n2");
	expect("b", "");
	expect("c", "--X");
	assert_int_equal(
		read_as("multipart/form-data; boundary=\"XX\"",
			"--XX\r\ncontent-type: text/plain; charset=UTF-8\r\n"
			"content-disposition: form-data; name=\"n\"; x=y\r\n\r\nv\r\n--XX--"),
		PT_OK);
	expect("n", "v");
	assert_int_equal(read_as(MULTI, "--XX--\r\n"), PT_OK);
	assert_int_equal(fields.n, 0);
}

static void anything_but_text_parts_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"--XX",
		"--XX\r\n",
		"--XX\n\n",
		"preamble\r\n--XX--",
		PART("a", "b"),
		PART("a", "b") "--XX-",
		PART("a", "b") "--XX--\r\nepilogue",
		"--XX\r\n\r\nno name\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XX--",
		"--XX\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=a; filename=f\r\n\r\nx\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\nx\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=\"a\\\"\"\r\n\r\nx\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; "
		"name=b\r\n\r\nx\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=a\r\nContent-Type: "
		"image/png\r\n\r\nx\r\n"
		"--XX--",
		"--XX\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain; "
		"charset=utf-16\r\n\r\nx\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: "
		"base64\r\n\r\neA==\r\n--XX--",
		"--XX\r\nContent Disposition: form-data; name=a\r\n\r\nx\r\n--XX--",
		PART("a", "\xff") "--XX--",
		PART("a", "b") PART("c", "\xff") "--XX--",
		"--XX\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=a; filename*=f\r\n\r\nx\r\n--XX--",
		"--XX\r\nContent-Disposition: form-data; name=\"a\"b\r\n\r\nx\r\n--XX--",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (read_as(MULTI, bad[i]) != PT_E_MALFORMED)
			fail_msg("%s", bad[i]);
	}
}

static void a_boundary_has_1_to_70_bytes(void **state)
{
	char type[128] = "multipart/form-data; boundary=", body[128] = "--";
	size_t t = strlen(type);

	(void)state;
	memset(type + t, 'b', 70);
	memset(body + 2, 'b', 70);
	memcpy(body + 72, "--", 3);
	assert_int_equal(read_as(type, body), PT_OK);
	type[t + 70] = 'b';
	memcpy(body + 72, "b--", 4);
	assert_int_equal(read_as(type, body), PT_E_MALFORMED);
	assert_int_equal(read_as("multipart/form-data; boundary=", "----"), PT_E_MALFORMED);
	assert_int_equal(read_as("multipart/form-data; boundary=\"\"", "----"), PT_E_MALFORMED);
	assert_int_equal(read_as("multipart/form-data", "----"), PT_E_MALFORMED);
	assert_int_equal(
		read_as("multipart/form-data; boundary=a; boundary=b", "--a--"), PT_E_MALFORMED);
}

static void multipart_has_at_most_256_parts(void **state)
{
	pt_str parts = repeated(PART("a", "b"), 257);
	size_t one = parts.n / 257;
	char *p = arena_alloc(asked.arena, parts.n + 6);

	(void)state;
	memcpy(p, parts.p, parts.n);
	memcpy(p + 256 * one, "--XX--", 6);
	assert_int_equal(read_n(MULTI, str_n(p, 256 * one + 6), 0), PT_OK);
	memcpy(p, parts.p, parts.n);
	memcpy(p + 257 * one, "--XX--", 6);
	assert_int_equal(read_n(MULTI, str_n(p, 257 * one + 6), 0), PT_E_MALFORMED);
}

/* ---- queries ---- */

static void queries_are_read_by_the_same_rules(void **state)
{
	pt_str text;

	(void)state;
	assert_int_equal(fields_query(asked.arena, PT_STR("a=b+c&d=%26"), &fields), PT_OK);
	expect("a", "b c");
	expect("d", "&");
	assert_int_equal(fields_query(asked.arena, PT_STR(""), &fields), PT_OK);
	assert_int_equal(fields_query(asked.arena, PT_STR("a=%0"), &fields), PT_E_MALFORMED);
	assert_int_equal(percent_decode(asked.arena, PT_STR("a+b%20c"), &text), PT_OK);
	assert_true(str_eq(text, PT_STR("a+b c")));
	assert_int_equal(percent_decode(asked.arena, PT_STR("a%2"), &text), PT_E_MALFORMED);
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, make, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(content_types_are_told_apart),
		STORY(two_content_types_are_none),
		STORY(other_types_are_not_read),
		STORY(no_body_gives_no_fields),
		STORY(forms_are_decoded),
		STORY(first_of_two_equal_form_names_counts),
		STORY(broken_forms_are_refused),
		STORY(a_form_has_at_most_256_fields),
		STORY(a_value_has_at_most_4_kib_or_what_the_caller_says),
		STORY(objects_of_strings_are_read),
		STORY(other_json_is_refused),
		STORY(text_parts_are_read),
		STORY(anything_but_text_parts_is_refused),
		STORY(a_boundary_has_1_to_70_bytes),
		STORY(multipart_has_at_most_256_parts),
		STORY(queries_are_read_by_the_same_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

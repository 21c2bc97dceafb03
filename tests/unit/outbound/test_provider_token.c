/*
 * test_provider_token.c - answers of token endpoints, as JSON and as forms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "outbound/provider_private.h"

#include "base/banned.h"

static struct arena *arena;

static int story_begin(void **state)
{
	(void)state;
	arena = arena_open(8 * MIB);
	return arena ? 0 : -1;
}

static int story_end(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

static struct token_answer read_well(const char *body)
{
	struct token_answer answer;

	assert_int_equal(token_answer_read(arena, str(body), &answer), PT_OK);
	return answer;
}

static void refused(const char *body)
{
	struct token_answer answer;

	assert_int_equal(token_answer_read(arena, str(body), &answer), PT_E_MALFORMED);
}

static void a_token_in_json_is_read(void **state)
{
	struct token_answer answer =
		read_well(" \n{\"access_token\":\"a.b-c~d/+=\",\"token_type\":\"BEARER\","
			  "\"expires_in\":3600,\"refresh_token\":null,\"id_token\":\"x.y.z\"}");

	(void)state;
	assert_true(str_eq(answer.access_token, PT_STR("a.b-c~d/+=")));
	assert_true(str_eq(answer.id_token, PT_STR("x.y.z")));
	assert_int_equal(answer.error.n, 0);
}

static void a_token_in_a_form_is_read(void **state)
{
	struct token_answer answer =
		read_well("access_token=a%2Bb&scope=user%3Aemail%2Cgist+x&token_type=bearer&");

	(void)state;
	assert_true(str_eq(answer.access_token, PT_STR("a+b")));
	assert_int_equal(answer.id_token.n, 0);
}

static void the_type_may_be_absent_or_empty(void **state)
{
	(void)state;
	read_well("{\"access_token\":\"t\"}");
	read_well("{\"access_token\":\"t\",\"token_type\":\"\"}");
	read_well("access_token=t");
}

static void another_type_than_bearer_is_refused(void **state)
{
	(void)state;
	refused("{\"access_token\":\"t\",\"token_type\":\"mac\"}");
	refused("access_token=t&token_type=bearer%20");
}

static void a_token_that_a_header_cannot_carry_is_refused(void **state)
{
	char *body = arena_alloc(arena, 20000);
	struct buf b = BUF(arena, 20000);

	(void)state;
	refused("{\"access_token\":\"a b\"}");
	refused("{\"access_token\":\"a\\r\\nX: y\"}");
	refused("{\"access_token\":\"\xc3\xa9\"}");
	refused("{\"access_token\":\"\"}");
	refused("access_token=a%0d%0aX:%20y");
	refused("access_token=a%00");
	refused("access_token=a+b");
	memset(body, 'x', 8193);
	buf_str(&b, PT_STR("access_token="));
	buf_str(&b, str_n(body, 8192));
	read_well(buf_view(&b).p);
	buf_char(&b, 'x');
	refused(buf_view(&b).p);
}

static void what_is_no_answer_is_refused(void **state)
{
	static const char *const bodies[] = { "", " ", "{", "{}", "[]", "null", "\"access_token\"",
		"<html>access_token=t</html>", "access_token",
		"access_token=", "access_token=t&access_token=u", "access_token=%",
		"access_token=%4", "access_token=%4g", "%61ccess_token=t&access_token=u",
		"access_token=t&x=%zz", "{\"access_token\":\"t\",\"access_token\":\"u\"}",
		"{\"access_token\":\"t\"} x", "{\"access_token\":[\"t\"]}", "{\"access_token\":1}",
		"{\"access_token\":\"t\",\"x\":\"\\u0000\"}" };

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		refused(bodies[i]);
}

static void too_many_fields_are_refused(void **state)
{
	struct buf b = BUF(arena, 8 * KIB);

	(void)state;
	buf_str(&b, PT_STR("access_token=t"));
	for (int i = 1; i < 64; i++)
		buf_printf(&b, "&f%d=", i);
	read_well(buf_view(&b).p);
	buf_str(&b, PT_STR("&more="));
	refused(buf_view(&b).p);
}

static void an_error_is_a_no_whatever_stands_beside_it(void **state)
{
	(void)state;
	assert_true(str_eq(read_well("{\"access_token\":\"t\",\"error\":\"invalid_grant\"}").error,
		PT_STR("invalid_grant")));
	assert_true(str_eq(read_well("error=bad_verification_code&error_uri=x").error,
		PT_STR("bad_verification_code")));
}

static void only_known_words_of_an_error_are_kept(void **state)
{
	static const char *const bodies[] = { "{\"error\":\"my-secret\"}", "{\"error\":\"\"}",
		"{\"error\":{\"message\":\"my-secret\",\"type\":\"OAuthException\"}}",
		"{\"error\":1}", "error=my-secret", "error=" };

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		assert_true(str_eq(read_well(bodies[i]).error, PT_STR("other")));
}

#define STORY(name_) cmocka_unit_test_setup_teardown(name_, story_begin, story_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_token_in_json_is_read),
		STORY(a_token_in_a_form_is_read),
		STORY(the_type_may_be_absent_or_empty),
		STORY(another_type_than_bearer_is_refused),
		STORY(a_token_that_a_header_cannot_carry_is_refused),
		STORY(what_is_no_answer_is_refused),
		STORY(too_many_fields_are_refused),
		STORY(an_error_is_a_no_whatever_stands_beside_it),
		STORY(only_known_words_of_an_error_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

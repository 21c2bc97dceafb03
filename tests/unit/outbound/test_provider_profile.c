/*
 * test_provider_profile.c - answers become a person, or nobody.
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

static pt_err read_as(const char *kind, pt_str user, const char *emails, struct pt_profile *out)
{
	const struct provider_row *row = provider_row_find(str(kind));
	struct json_value parsed, listed;
	const char *why = NULL;

	assert_non_null(row);
	assert_int_equal(json_read(arena, user, &parsed), PT_OK);
	if (emails)
		assert_int_equal(json_read(arena, str(emails), &listed), PT_OK);
	pt_err err = profile_read(arena, &row->rule, &parsed, emails ? &listed : NULL, out, &why);
	assert_true(err == PT_OK || why != NULL);
	return err;
}

/* Google's row, with an address and the given members. */
static pt_err read_members(pt_str members, struct pt_profile *out)
{
	struct buf b = BUF(arena, 64 * KIB);

	buf_str(&b, PT_STR("{\"email\":\"g@example.org\","));
	buf_str(&b, members);
	buf_char(&b, '}');
	return read_as("google", buf_view(&b), NULL, out);
}

/* `"name":"xxx..."` of n bytes. */
static pt_str long_member(const char *name, const char *begin, size_t n)
{
	struct buf b = BUF(arena, 16 * KIB);

	buf_printf(&b, "\"%s\":\"%s", name, begin);
	for (size_t i = strlen(begin); i < n; i++)
		buf_char(&b, 'x');
	buf_char(&b, '"');
	return buf_view(&b);
}

/* ---- the account ---- */

static void an_account_is_named_by_text_or_number(void **state)
{
	struct pt_profile profile;

	(void)state;
	assert_int_equal(read_members(PT_STR("\"id\":\"10\""), &profile), PT_OK);
	assert_true(str_eq(profile.subject, PT_STR("10")));
	assert_int_equal(read_members(PT_STR("\"id\":9007199254740993"), &profile), PT_OK);
	assert_true(str_eq(profile.subject, PT_STR("9007199254740993")));
	assert_int_equal(read_members(PT_STR("\"x\":1"), &profile), PT_OK);
	assert_int_equal(profile.subject.n, 0);
	assert_int_equal(read_members(long_member("id", "", 255), &profile), PT_OK);
	assert_int_equal(profile.subject.n, 255);
}

static void an_account_that_cannot_be_named_is_nobody(void **state)
{
	static const pt_str members[] = { PT_STR_INIT("\"id\":1.5"), PT_STR_INIT("\"id\":true"),
		PT_STR_INIT("\"id\":[1]"), PT_STR_INIT("\"id\":{}"),
		PT_STR_INIT("\"id\":\"a\\nb\""), PT_STR_INIT("\"id\":\"a\\u007f\""),
		PT_STR_INIT("\"id\":\"a\\u0085\"") };
	struct pt_profile profile;

	(void)state;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		assert_int_equal(read_members(members[i], &profile), PT_E_MALFORMED);
	assert_int_equal(read_members(long_member("id", "", 256), &profile), PT_E_MALFORMED);
}

/* ---- what somebody typed there ---- */

static void what_is_fine_is_taken(void **state)
{
	struct pt_profile profile;

	(void)state;
	assert_int_equal(read_members(PT_STR("\"name\":\" Zo\\u00eb \",\"picture\":\"http://a/b\""),
				 &profile),
		PT_OK);
	assert_true(str_eq(profile.full_name, PT_STR("Zo\xc3\xab")));
	assert_true(str_eq(profile.avatar_url, PT_STR("http://a/b")));
}

static void what_is_not_fine_is_dropped(void **state)
{
	static const pt_str members[] = { PT_STR_INIT("\"name\":7"), PT_STR_INIT("\"name\":null"),
		PT_STR_INIT("\"name\":\"a\\u0007b\""), PT_STR_INIT("\"name\":\"a\\u009bb\""),
		PT_STR_INIT("\"picture\":\"javascript:alert(1)\""),
		PT_STR_INIT("\"picture\":\"data:text/html,x\""),
		PT_STR_INIT("\"picture\":\"//a/b\""), PT_STR_INIT("\"picture\":\"https://\""),
		PT_STR_INIT("\"picture\":\"https://a/ b\""),
		PT_STR_INIT("\"picture\":\"https://a/\\u000ab\""),
		PT_STR_INIT("\"picture\":{\"data\":{}}") };
	struct pt_profile profile;

	(void)state;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		assert_int_equal(read_members(members[i], &profile), PT_OK);
		assert_int_equal(profile.full_name.n + profile.avatar_url.n, 0);
	}
	assert_int_equal(read_members(long_member("name", "", 513), &profile), PT_OK);
	assert_int_equal(profile.full_name.n, 0);
	assert_int_equal(read_members(long_member("picture", "https://a/", 2049), &profile), PT_OK);
	assert_int_equal(profile.avatar_url.n, 0);
	assert_int_equal(read_members(long_member("picture", "https://a/", 2048), &profile), PT_OK);
	assert_int_equal(profile.avatar_url.n, 2048);
}

static void half_a_name_is_a_name(void **state)
{
	struct pt_profile profile;

	(void)state;
	assert_int_equal(
		read_as("facebook", PT_STR("{\"email\":\"f@example.org\",\"last_name\":\"Lee\"}"),
			NULL, &profile),
		PT_OK);
	assert_true(str_eq(profile.full_name, PT_STR("Lee")));
	assert_int_equal(profile.slug.n, 0);
}

/* ---- addresses ---- */

static void only_the_boolean_verifies(void **state)
{
	static const pt_str members[] = { PT_STR_INIT("\"verified_email\":\"true\""),
		PT_STR_INIT("\"verified_email\":1"), PT_STR_INIT("\"verified_email\":false"),
		PT_STR_INIT("\"verified_email\":null"), PT_STR_INIT("\"verified\":true"),
		PT_STR_INIT("\"email_verified\":true") };
	struct pt_profile profile;

	(void)state;
	assert_int_equal(read_members(PT_STR("\"verified_email\":true"), &profile), PT_OK);
	assert_true(profile.emails[0].verified);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		assert_int_equal(read_members(members[i], &profile), PT_OK);
		assert_false(profile.emails[0].verified);
	}
}

static void an_address_that_is_not_fine_does_not_count(void **state)
{
	static const char *const lists[] = { "[]", "{}", "null", "\"o@example.org\"",
		"[\"o@example.org\"]", "[{\"email\":7}]", "[{\"email\":\"\"}]", "[{}]", "[[]]",
		"[{\"email\":\"o@example.org\\r\\nBcc: x\",\"verified\":true}]",
		"{\"values\":[{\"email\":\"o@example.org\"}]}" };
	struct pt_profile profile;

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		assert_int_equal(read_as("github", PT_STR("{\"email\":\"o@example.org\"}"),
					 lists[i], &profile),
			PT_E_MALFORMED);
	assert_int_equal(
		read_as("google", PT_STR("{\"email\":\"\\u0001g@example.org\"}"), NULL, &profile),
		PT_E_MALFORMED);
	assert_int_equal(read_as("google", PT_STR("[]"), NULL, &profile), PT_E_MALFORMED);
	assert_int_equal(read_as("google", PT_STR("null"), NULL, &profile), PT_E_MALFORMED);
}

static void the_primary_address_finds_room(void **state)
{
	struct buf b = BUF(arena, 64 * KIB);
	struct pt_profile profile;

	(void)state;
	buf_char(&b, '[');
	for (int i = 0; i < 40; i++)
		buf_printf(&b, "%s{\"email\":\"a%d@example.org\",\"primary\":%s}", i ? "," : "", i,
			i == 30 ? "true" : "false");
	buf_char(&b, ']');
	assert_int_equal(read_as("github", PT_STR("{\"id\":1}"), buf_view(&b).p, &profile), PT_OK);
	assert_int_equal(profile.n_emails, PT_PROFILE_EMAILS);
	assert_true(str_eq(profile.emails[0].address, PT_STR("a0@example.org")));
	assert_true(
		str_eq(profile.emails[PT_PROFILE_EMAILS - 1].address, PT_STR("a30@example.org")));
	assert_true(profile.emails[PT_PROFILE_EMAILS - 1].primary);
	for (size_t i = 0; i + 1 < PT_PROFILE_EMAILS; i++)
		assert_false(profile.emails[i].primary);
}

static void a_copy_outlives_the_answers(void **state)
{
	struct arena *own = arena_open(64 * KIB);
	struct pt_profile profile, copy;

	(void)state;
	assert_int_equal(read_members(PT_STR("\"id\":\"1\",\"name\":\"Ann\""), &profile), PT_OK);
	assert_int_equal(profile_copy(own, &profile, &copy), PT_OK);
	arena_reset(arena);
	assert_true(str_eq(copy.subject, PT_STR("1")));
	assert_true(str_eq(copy.full_name, PT_STR("Ann")));
	assert_true(str_eq(copy.emails[0].address, PT_STR("g@example.org")));
	arena_close(own);
}

static void a_copy_needs_room(void **state)
{
	struct arena *tiny = arena_open(16);
	struct pt_profile profile, copy;

	(void)state;
	assert_int_equal(read_members(long_member("name", "", 500), &profile), PT_OK);
	assert_int_equal(profile_copy(tiny, &profile, &copy), PT_F_MEMORY);
	arena_close(tiny);
}

#define STORY(name_) cmocka_unit_test_setup_teardown(name_, story_begin, story_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(an_account_is_named_by_text_or_number),
		STORY(an_account_that_cannot_be_named_is_nobody),
		STORY(what_is_fine_is_taken),
		STORY(what_is_not_fine_is_dropped),
		STORY(half_a_name_is_a_name),
		STORY(only_the_boolean_verifies),
		STORY(an_address_that_is_not_fine_does_not_count),
		STORY(the_primary_address_finds_room),
		STORY(a_copy_outlives_the_answers),
		STORY(a_copy_needs_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

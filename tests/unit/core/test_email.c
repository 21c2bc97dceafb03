#include "world.h"

#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "core/email.h"
#include "core/username.h"

struct fixture {
	struct arena *arena;
	struct pt_policy policy;
};

static int open_fixture(void **state)
{
	static struct fixture f;

	f.arena = arena_open(1 << 20);
	pt_policy_init(&f.policy);
	*state = &f;
	return 0;
}

static int close_fixture(void **state)
{
	arena_close(((struct fixture *)*state)->arena);
	return 0;
}

static void an_address_has_one_canonical_form(void **state)
{
	static const struct {
		const char *typed, *address, *key;
	} rows[] = {
		{ "Ann.Lee+tag@Example.ORG", "Ann.Lee+tag@example.org", "ann.lee+tag@example.org" },
		{ "a@b.io", "a@b.io", "a@b.io" },
		{ "O'Brien@Example.ORG", "O'Brien@example.org", "o'brien@example.org" },
		{ "!#$&'*+-/?=^_`{|}~%@x.io", "!#$&'*+-/?=^_`{|}~%@x.io",
			"!#$&'*+-/?=^_`{|}~%@x.io" },
		{ "x_%-9@sub.domain.museum", "x_%-9@sub.domain.museum", "x_%-9@sub.domain.museum" },
		{ "ann@B\xc3\xbc"
		  "cher.example",
			"ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example" },
		{ "ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example",
			"ann@xn--bcher-kva.example" },
	};
	struct fixture *f = *state;
	struct email email, again;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EXPECT_ERR(PT_OK, email_parse(f->arena, &f->policy, str(rows[i].typed), &email));
		assert_string_equal(rows[i].address, email.address.p);
		assert_string_equal(rows[i].key, email.key.p);
		EXPECT_ERR(PT_OK, email_parse(f->arena, &f->policy, email.key, &again));
		assert_string_equal(email.key.p, again.key.p);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const rows[] = { "", "x", "x@y", "x@y.z", "@b.io", "a@", "a@b@c.io",
		"\"a b\"@x.io", "a@[127.0.0.1]", "a@127.0.0.1", "a@x..io", ".a@x.io", "a.@x.io",
		"a..b@x.io", "a@-x.io", "a@x-.io", "a@x.io.", "a@x.io\n",
		"a@x.io\r\nBcc: evil@x.io", "<a@x.io>", "Name <a@x.io>", "a@x.io,b@x.io",
		"=?utf-8?q?a=40evil?=@x.io", "a b@x.io", "a@x_y.io", "\xc3\xa4@x.io", "a@x.\xff",
		"a@\xe2\x80\x8b.io", "a(b)@x.io",
		"0123456789012345678901234567890123456789012345678901234567890123x@x.io" };
	struct fixture *f = *state;
	struct email email;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (email_parse(f->arena, &f->policy, str(rows[i]), &email) != PT_E_EMAIL)
			fail_msg("accepted: %s", rows[i]);
	EXPECT_ERR(PT_E_EMAIL, email_parse(f->arena, &f->policy, PT_STR("a@x.io\0"), &email));
	EXPECT_ERR(PT_E_EMAIL, email_parse(f->arena, &f->policy, PT_STR("a@x\0.io"), &email));
}

static void a_plain_address_has_few_marks_before_the_at_sign(void **state)
{
	struct fixture *f = *state;
	struct email email;

	f->policy.email_plain = true;
	EXPECT_ERR(PT_OK, email_parse(f->arena, &f->policy, PT_STR("a.b_c%d+e-f@x.io"), &email));
	EXPECT_ERR(PT_E_EMAIL, email_parse(f->arena, &f->policy, PT_STR("o'brien@x.io"), &email));
	EXPECT_ERR(PT_E_EMAIL, email_parse(f->arena, &f->policy, PT_STR("a&b@x.io"), &email));
}

static void an_address_over_the_sites_length_is_refused(void **state)
{
	struct fixture *f = *state;
	struct email email;

	f->policy.email_max = 12;
	EXPECT_ERR(PT_OK, email_parse(f->arena, &f->policy, PT_STR("ann@xyzab.io"), &email));
	EXPECT_ERR(PT_E_EMAIL, email_parse(f->arena, &f->policy, PT_STR("ann@xyzabc.io"), &email));
}

static void user_names_are_ascii_words_of_three_to_twenty(void **state)
{
	static const char *const good[] = { "abc", "ABC_9", "01234567890123456789" };
	static const char *const bad[] = { "", "ab", "012345678901234567890", "a-b", "a b", "a.b",
		"ab\xc3\xa4", "a@b" };
	struct fixture *f = *state;
	pt_str key;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		EXPECT_ERR(PT_OK, username_parse(f->arena, &f->policy, str(good[i]), &key));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_ERR(PT_E_USERNAME, username_parse(f->arena, &f->policy, str(bad[i]), &key));
	EXPECT_ERR(PT_OK, username_parse(f->arena, &f->policy, PT_STR("ABC_9"), &key));
	assert_string_equal("abc_9", key.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			an_address_has_one_canonical_form, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(
			what_is_no_address_is_refused, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(a_plain_address_has_few_marks_before_the_at_sign,
			open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(
			an_address_over_the_sites_length_is_refused, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(
			user_names_are_ascii_words_of_three_to_twenty, open_fixture, close_fixture),
	};

	return cmocka_run_group_tests_name("email", tests, NULL, NULL);
}

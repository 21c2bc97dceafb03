#include "world.h"

#include "base/str.h"

static void a_newcomer_gets_one_letter_and_an_unconfirmed_account(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, world_signup(&w, "Ann", "Ann@Example.org"));
	assert_int_equal(1, w.letters_posted);
	assert_int_equal(1, world_letters(&w, PT_LETTER_VERIFY));
	assert_int_equal(1, world_events(&w, PT_EVENT_SIGNUP));
	struct pt_account account = world_account(&w, "ann");
	assert_int_equal(0, account.email_verified_at);
	assert_string_equal("Ann", account.username.p);
	assert_string_equal("ann@example.org", account.email_key.p);
	world_close(&w);
}

static void signup_off(struct pt_policy *policy)
{
	policy->signup_off = true;
}

static void where_nobody_signs_up_no_form_is_read(void **state)
{
	struct world w = { 0 };

	(void)state;
	world_open_with(&w, signup_off);
	EXPECT_ERR(PT_E_SIGNUP_OFF, world_signup(&w, "ann", "ann@example.org"));
	EXPECT_ERR(PT_E_SIGNUP_OFF, world_signup(&w, "", ""));
	assert_int_equal(0, world_letters(&w, PT_LETTER_VERIFY));
	world_close(&w);
}

static void a_taken_name_is_refused_in_any_case(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, world_signup(&w, "ann", "ann@example.org"));
	EXPECT_ERR(PT_E_TAKEN, world_signup(&w, "ANN", "other@example.org"));
	EXPECT_ERR(PT_E_TAKEN, world_signup(&w, "other", "ANN@EXAMPLE.ORG"));
	assert_int_equal(1, world_letters(&w, PT_LETTER_VERIFY));
	assert_int_equal(2, world_events(&w, PT_EVENT_SIGNUP_TAKEN));
	world_close(&w);
}

static void the_first_broken_rule_is_named(void **state)
{
	static const struct {
		struct pt_signup_form form;
		pt_err refusal;
	} rows[] = {
		{ { PT_STR_INIT("ab"), PT_STR_INIT("x"), PT_STR_INIT("y"), { 0 }, { 0 }, { 0 } },
			PT_E_USERNAME },
		{ { PT_STR_INIT("abc"), PT_STR_INIT("x"), PT_STR_INIT("y"), { 0 }, { 0 }, { 0 } },
			PT_E_EMAIL },
		{ { PT_STR_INIT("abc"), PT_STR_INIT("x@y.zz"), PT_STR_INIT("y"), { 0 }, { 0 },
			  { 0 } },
			PT_E_PASSWORD_SHORT },
		{ { PT_STR_INIT("abc"), PT_STR_INIT("x@y.zz"), PT_STR_INIT("password"), { 0 },
			  { 0 }, { 0 } },
			PT_E_PASSWORD_COMMON },
		{ { PT_STR_INIT("abc"), PT_STR_INIT("x@y.zz"), PT_STR_INIT("nul\0 in the middle"),
			  { 0 }, { 0 }, { 0 } },
			PT_E_PASSWORD_BYTES },
		{ { PT_STR_INIT("abc"), PT_STR_INIT("x@y.zz"), PT_STR_INIT(PASSWORD),
			  PT_STR_INIT("012345678901234567890123456789012345678901234567891"), { 0 },
			  { 0 } },
			PT_E_GIVEN_NAME_LONG },
	};
	struct pt_account account;
	struct world w;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		EXPECT_ERR(rows[i].refusal, pt_signup(world_call(&w), &rows[i].form, &account));
	assert_int_equal(0, w.letters_posted);
	world_close(&w);
}

static void a_link_confirms_and_again_changes_nothing(void **state)
{
	char secret[64];
	struct world w;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, world_signup(&w, "ann", "ann@example.org"));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_VERIFY));
	EXPECT_ERR(PT_OK, pt_confirm(world_call(&w), str(secret)));
	pt_time first = world_account(&w, "ann").email_verified_at;
	assert_int_equal(w.now, first);
	w.now += PT_MINUTE;
	EXPECT_ERR(PT_OK, pt_confirm(world_call(&w), str(secret)));
	assert_int_equal(first, world_account(&w, "ann").email_verified_at);
	assert_int_equal(1, world_events(&w, PT_EVENT_CONFIRMED));
	world_close(&w);
}

static void an_old_altered_or_foreign_link_confirms_nothing(void **state)
{
	char secret[64];
	struct world w;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, world_signup(&w, "ann", "ann@example.org"));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_VERIFY));
	secret[0] = secret[0] == 'A' ? 'B' : 'A';
	EXPECT_ERR(PT_E_TICKET, pt_confirm(world_call(&w), str(secret)));
	EXPECT_ERR(PT_E_TICKET, pt_confirm(world_call(&w), PT_STR("")));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_VERIFY));
	w.now += 15 * PT_MINUTE;
	EXPECT_ERR(PT_E_TICKET, pt_confirm(world_call(&w), str(secret)));
	assert_int_equal(0, world_account(&w, "ann").email_verified_at);
	world_close(&w);
}

static void a_new_link_ends_the_old_one(void **state)
{
	char first[64];
	struct world w;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, world_signup(&w, "ann", "ann@example.org"));
	strcpy(first, world_letter_secret(&w, PT_LETTER_VERIFY));
	w.now += PT_SECOND;
	EXPECT_ERR(PT_OK, pt_resend(world_call(&w), PT_STR("ann@example.org")));
	EXPECT_ERR(PT_E_TICKET, pt_confirm(world_call(&w), str(first)));
	const char *newest = world_letter_secret(&w, PT_LETTER_VERIFY);
	EXPECT_ERR(PT_OK, pt_confirm(world_call(&w), str(newest)));
	world_close(&w);
}

static void nobody_learns_from_a_resend_who_has_an_account(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	int letters = world_letters(&w, PT_LETTER_VERIFY);
	EXPECT_ERR(PT_OK, pt_resend(world_call(&w), PT_STR("nobody@example.org")));
	EXPECT_ERR(PT_OK, pt_resend(world_call(&w), PT_STR("ann@example.org")));
	assert_int_equal(letters, world_letters(&w, PT_LETTER_VERIFY));
	EXPECT_ERR(PT_E_EMAIL, pt_resend(world_call(&w), PT_STR("nobody")));
	world_close(&w);
}

static void letters_to_one_address_are_counted(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, world_signup(&w, "ann", "ann@example.org"));
	for (int i = 0; i < 10; i++)
		EXPECT_ERR(PT_OK, pt_resend(world_call(&w), PT_STR("ann@example.org")));
	assert_int_equal(5, world_letters(&w, PT_LETTER_VERIFY));
	EXPECT_ERR(PT_E_MAIL_LIMITED, world_signup(&w, "eve", "Ann@example.org"));
	assert_true(pt_call_retry_after(w.call) > 0);
	world_close(&w);
}

static void letters_asked_for_by_one_client_are_counted_even_across_a_network(void **state)
{
	char name[16], email[32];
	struct world w;

	(void)state;
	world_open(&w);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		snprintf(email, sizeof(email), "user%d@example.org", i);
		EXPECT_ERR(PT_OK, world_signup(&w, name, email));
	}
	EXPECT_ERR(PT_E_MAIL_LIMITED, world_signup(&w, "more", "more@example.org"));
	w.client = "203.0.113.8";
	EXPECT_ERR(PT_OK, world_signup(&w, "more", "more@example.org"));
	world_close(&w);
}

static void hosts_of_one_ipv6_network_share_their_limit(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	w.client = "2001:db8::1";
	for (int i = 0; i < 20; i++)
		EXPECT_ERR(PT_OK, pt_recover(world_call(&w), PT_STR("nobody@example.org")));
	w.client = "2001:db8::ffff:1";
	EXPECT_ERR(PT_E_MAIL_LIMITED, pt_recover(world_call(&w), PT_STR("nobody@example.org")));
	w.client = "2001:db8:0:1::1";
	EXPECT_ERR(PT_OK, pt_recover(world_call(&w), PT_STR("nobody@example.org")));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_newcomer_gets_one_letter_and_an_unconfirmed_account),
		cmocka_unit_test(where_nobody_signs_up_no_form_is_read),
		cmocka_unit_test(a_taken_name_is_refused_in_any_case),
		cmocka_unit_test(the_first_broken_rule_is_named),
		cmocka_unit_test(a_link_confirms_and_again_changes_nothing),
		cmocka_unit_test(an_old_altered_or_foreign_link_confirms_nothing),
		cmocka_unit_test(a_new_link_ends_the_old_one),
		cmocka_unit_test(nobody_learns_from_a_resend_who_has_an_account),
		cmocka_unit_test(letters_to_one_address_are_counted),
		cmocka_unit_test(letters_asked_for_by_one_client_are_counted_even_across_a_network),
		cmocka_unit_test(hosts_of_one_ipv6_network_share_their_limit),
	};

	return cmocka_run_group_tests_name("signup", tests, NULL, NULL);
}

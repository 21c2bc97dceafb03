#include "world.h"

#include "base/str.h"

#define NEW_PASSWORD "another quiet harbour"

static void a_link_sets_a_password_once_and_ends_everything_else(void **state)
{
	struct pt_session session;
	struct pt_account account;
	struct pt_grant grant;
	char secret[64], cookie[64], access[1024], refresh[1024];
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	EXPECT_ERR(PT_OK, world_signin(&w, "ann", PASSWORD, &grant));
	strcpy(cookie, grant.session.p);
	strcpy(access, grant.access_token.p);
	strcpy(refresh, grant.refresh_token.p);
	EXPECT_ERR(PT_OK, pt_recover(world_call(&w), PT_STR("Ann@Example.org")));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_RESET));
	EXPECT_ERR(PT_OK, pt_reset_find(world_call(&w), str(secret), &account));
	assert_string_equal("ann", account.username.p);
	EXPECT_ERR(PT_OK, pt_reset(world_call(&w), str(secret), PT_STR(NEW_PASSWORD)));

	EXPECT_ERR(PT_E_TICKET, pt_reset(world_call(&w), str(secret), PT_STR(NEW_PASSWORD)));
	EXPECT_ERR(PT_E_NOT_SIGNED_IN,
		pt_session_find(world_call(&w), str(cookie), &session, &account));
	EXPECT_ERR(PT_E_TOKEN, pt_token_check(world_call(&w), str(access), &account));
	EXPECT_ERR(PT_E_REFRESH, pt_token_refresh(world_call(&w), str(refresh), &grant));
	EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "ann", PASSWORD, &grant));
	EXPECT_ERR(PT_OK, world_signin(&w, "ann", NEW_PASSWORD, &grant));
	assert_int_equal(1, world_letters(&w, PT_LETTER_PASSWORD_CHANGED));
	world_close(&w);
}

static void a_reset_confirms_the_address(void **state)
{
	struct pt_grant grant;
	struct world w;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, world_signup(&w, "ann", "ann@example.org"));
	EXPECT_ERR(PT_OK, pt_recover(world_call(&w), PT_STR("ann@example.org")));
	const char *secret = world_letter_secret(&w, PT_LETTER_RESET);
	EXPECT_ERR(PT_OK, pt_reset(world_call(&w), str(secret), PT_STR(NEW_PASSWORD)));
	EXPECT_ERR(PT_OK, world_signin(&w, "ann", NEW_PASSWORD, &grant));
	world_close(&w);
}

static void a_bad_password_does_not_burn_the_link(void **state)
{
	char secret[64];
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	EXPECT_ERR(PT_OK, pt_recover(world_call(&w), PT_STR("ann@example.org")));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_RESET));
	EXPECT_ERR(PT_E_PASSWORD_SHORT, pt_reset(world_call(&w), str(secret), PT_STR("short")));
	EXPECT_ERR(PT_E_PASSWORD_COMMON,
		pt_reset(world_call(&w), str(secret), PT_STR("ann@example.org")));
	EXPECT_ERR(PT_OK, pt_reset(world_call(&w), str(secret), PT_STR(NEW_PASSWORD)));
	world_close(&w);
}

static void a_link_of_another_kind_or_time_sets_nothing(void **state)
{
	char secret[64];
	struct world w;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, world_signup(&w, "ann", "ann@example.org"));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_VERIFY));
	EXPECT_ERR(PT_E_TICKET, pt_reset(world_call(&w), str(secret), PT_STR(NEW_PASSWORD)));
	EXPECT_ERR(PT_OK, pt_recover(world_call(&w), PT_STR("ann@example.org")));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_RESET));
	EXPECT_ERR(PT_E_TICKET, pt_confirm(world_call(&w), str(secret)));
	w.now += 15 * PT_MINUTE;
	EXPECT_ERR(PT_E_TICKET, pt_reset(world_call(&w), str(secret), PT_STR(NEW_PASSWORD)));
	world_close(&w);
}

static void a_password_changed_by_other_means_kills_the_link(void **state)
{
	char secret[64];
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	EXPECT_ERR(PT_OK, pt_recover(world_call(&w), PT_STR("ann@example.org")));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_RESET));
	EXPECT_ERR(PT_OK,
		pt_account_set_password(world_call(&w), PT_STR("ann"), PT_STR("by an operator")));
	EXPECT_ERR(PT_E_TICKET, pt_reset(world_call(&w), str(secret), PT_STR(NEW_PASSWORD)));
	world_close(&w);
}

static void nobody_learns_who_has_an_account(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	EXPECT_ERR(PT_OK, pt_recover(world_call(&w), PT_STR("nobody@example.org")));
	assert_int_equal(0, world_letters(&w, PT_LETTER_RESET));
	for (int i = 0; i < 8; i++)
		EXPECT_ERR(PT_OK, pt_recover(world_call(&w), PT_STR("ann@example.org")));
	assert_int_equal(5, world_letters(&w, PT_LETTER_RESET));
	EXPECT_ERR(PT_E_EMAIL, pt_recover(world_call(&w), PT_STR("ann")));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_sets_a_password_once_and_ends_everything_else),
		cmocka_unit_test(a_reset_confirms_the_address),
		cmocka_unit_test(a_bad_password_does_not_burn_the_link),
		cmocka_unit_test(a_link_of_another_kind_or_time_sets_nothing),
		cmocka_unit_test(a_password_changed_by_other_means_kills_the_link),
		cmocka_unit_test(nobody_learns_who_has_an_account),
	};

	return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}

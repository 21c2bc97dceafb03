#include "world.h"

#include <string.h>

#include "base/str.h"

static pt_err join_as(struct world *w, const char *email, const char *password,
	const char *metadata, struct pt_account *out)
{
	const struct pt_register_form form = { str(email), str(password), str(metadata) };

	return pt_register(world_call(w), &form, out);
}

static pt_err join(struct world *w, const char *email)
{
	struct pt_account account;

	return join_as(w, email, PASSWORD, NULL, &account);
}

static pt_err prove(
	struct world *w, enum pt_letter_kind letter, const char *password, struct pt_grant *out)
{
	char secret[128];

	strcpy(secret, world_letter_secret(w, letter));
	return pt_prove(world_call(w),
		letter == PT_LETTER_RESET ? PT_PROOF_RECOVERY : PT_PROOF_SIGNUP, str(secret),
		str(password), out);
}

static void whoever_signs_up_confirms_and_is_signed_in(void **state)
{
	struct world w = { 0 };
	struct pt_account account;
	struct pt_access access;
	struct pt_grant grant;

	(void)state;
	world_open_profiles(&w, NULL);
	EXPECT_ERR(PT_OK, join_as(&w, "ann@example.org", PASSWORD, "{\"a\":1}", &account));
	assert_string_equal("{\"provider\":\"email\"}", account.app_metadata.p);
	assert_int_equal(w.now, account.confirm_sent_at);
	EXPECT_ERR(PT_E_UNVERIFIED, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	EXPECT_ERR(PT_OK, prove(&w, PT_LETTER_VERIFY, "", &grant));
	EXPECT_ERR(PT_OK, pt_access_read(w.call, grant.access_token, &access));
	assert_string_equal(account.id.text, access.subject.p);
	assert_true(grant.account.email_verified_at > 0);
	EXPECT_ERR(PT_E_TICKET, prove(&w, PT_LETTER_VERIFY, "", &grant));
	EXPECT_ERR(PT_OK, world_signin(&w, "ANN@example.org", PASSWORD, &grant));
	world_close(&w);
}

static void a_confirmed_address_is_taken_whatever_its_letter_case(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant;

	(void)state;
	world_open_profiles(&w, NULL);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org"));
	EXPECT_ERR(PT_OK, prove(&w, PT_LETTER_VERIFY, "", &grant));
	EXPECT_ERR(PT_E_TAKEN, join(&w, "Ann@Example.org"));
	w.audience = "elsewhere";
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org"));
	world_close(&w);
}

static void signing_up_again_merges_and_takes_the_last_password(void **state)
{
	struct world w = { 0 };
	struct pt_account account;
	struct pt_grant grant;

	(void)state;
	world_open_profiles(&w, NULL);
	EXPECT_ERR(PT_OK, join_as(&w, "ann@example.org", PASSWORD, "{\"a\":1,\"b\":2}", &account));
	EXPECT_ERR(PT_OK, join_as(&w, "ann@example.org", "another quiet harbour",
				  "{\"b\":null,\"c\":3}", &account));
	assert_string_equal("{\"a\":1,\"c\":3}", account.user_metadata.p);
	assert_int_equal(1, world_letters(&w, PT_LETTER_VERIFY));
	w.now += 15 * PT_MINUTE;
	EXPECT_ERR(PT_OK, join_as(&w, "ann@example.org", "another quiet harbour", NULL, &account));
	assert_int_equal(2, world_letters(&w, PT_LETTER_VERIFY));
	EXPECT_ERR(PT_OK, prove(&w, PT_LETTER_VERIFY, "", &grant));
	EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	EXPECT_ERR(PT_OK, world_signin(&w, "ann@example.org", "another quiet harbour", &grant));
	world_close(&w);
}

static void signup_off(struct pt_policy *policy)
{
	policy->signup_off = true;
}

static void where_nobody_signs_up_an_invitation_still_does(void **state)
{
	struct world w = { 0 };
	struct pt_account account;
	struct pt_grant grant;

	(void)state;
	world_open_profiles(&w, signup_off);
	EXPECT_ERR(PT_E_SIGNUP_OFF, join(&w, "ann@example.org"));
	EXPECT_ERR(
		PT_OK, pt_invite(world_call(&w), PT_STR("ann@example.org"), PT_STR(""), &account));
	EXPECT_ERR(PT_E_TAKEN,
		pt_invite(world_call(&w), PT_STR("ann@example.org"), PT_STR(""), &account));
	EXPECT_ERR(PT_E_PASSWORD_MISSING, prove(&w, PT_LETTER_INVITE, "", &grant));
	EXPECT_ERR(PT_E_PASSWORD_SHORT, prove(&w, PT_LETTER_INVITE, "short", &grant));
	EXPECT_ERR(PT_OK, prove(&w, PT_LETTER_INVITE, PASSWORD, &grant));
	EXPECT_ERR(PT_OK, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	world_close(&w);
}

static void an_invitation_sets_the_password_over_what_a_stranger_chose(void **state)
{
	struct world w = { 0 };
	struct pt_account account;
	struct pt_grant grant;

	(void)state;
	world_open_profiles(&w, NULL);
	EXPECT_ERR(
		PT_OK, pt_invite(world_call(&w), PT_STR("ann@example.org"), PT_STR(""), &account));
	EXPECT_ERR(PT_OK, join_as(&w, "ann@example.org", "what a stranger chose", NULL, &account));
	EXPECT_ERR(PT_OK, prove(&w, PT_LETTER_INVITE, PASSWORD, &grant));
	EXPECT_ERR(PT_E_CREDENTIALS,
		world_signin(&w, "ann@example.org", "what a stranger chose", &grant));
	EXPECT_ERR(PT_OK, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	EXPECT_ERR(PT_E_TICKET, prove(&w, PT_LETTER_VERIFY, "", &grant));
	world_close(&w);
}

static void late_proofs_are_told_apart_from_none(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant;

	(void)state;
	world_open_profiles(&w, NULL);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org"));
	w.now += 16 * PT_MINUTE;
	EXPECT_ERR(PT_E_TICKET_EXPIRED, prove(&w, PT_LETTER_VERIFY, "", &grant));
	EXPECT_ERR(PT_E_TICKET,
		pt_prove(world_call(&w), PT_PROOF_SIGNUP, PT_STR("nothing"), PT_STR(""), &grant));
	world_close(&w);
}

static void a_recovery_confirms_and_forgets_the_password_of_whoever_signed_up(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant;
	char secret[128];

	(void)state;
	world_open_profiles(&w, NULL);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org"));
	EXPECT_ERR(PT_OK, pt_recover(world_call(&w), PT_STR("ann@example.org")));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_RESET));
	EXPECT_ERR(PT_E_TICKET,
		pt_prove(world_call(&w), PT_PROOF_SIGNUP, str(secret), PT_STR(""), &grant));
	EXPECT_ERR(PT_OK, prove(&w, PT_LETTER_RESET, "", &grant));
	assert_true(grant.account.email_verified_at > 0);
	EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	EXPECT_ERR(PT_E_TICKET, prove(&w, PT_LETTER_RESET, "", &grant));
	world_close(&w);
}

static void asking_again_too_soon_is_refused_to_known_and_unknown_alike(void **state)
{
	struct world w = { 0 };

	(void)state;
	world_open_profiles(&w, NULL);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org"));
	EXPECT_ERR(PT_OK, pt_recover(world_call(&w), PT_STR("ann@example.org")));
	EXPECT_ERR(PT_E_MAIL_LIMITED, pt_recover(world_call(&w), PT_STR("ann@example.org")));
	EXPECT_ERR(PT_OK, pt_recover(world_call(&w), PT_STR("bob@example.org")));
	EXPECT_ERR(PT_E_MAIL_LIMITED, pt_recover(world_call(&w), PT_STR("bob@example.org")));
	w.now += 15 * PT_MINUTE;
	EXPECT_ERR(PT_OK, pt_recover(world_call(&w), PT_STR("ann@example.org")));
	assert_int_equal(2, world_letters(&w, PT_LETTER_RESET));
	world_close(&w);
}

static void mail_that_is_not_taken_leaves_nobody_behind(void **state)
{
	struct world w = { 0 };
	struct pt_account account;

	(void)state;
	world_open_profiles(&w, NULL);
	w.mail_fails = true;
	EXPECT_ERR(PT_E_MAIL, join(&w, "ann@example.org"));
	EXPECT_ERR(PT_E_NOT_FOUND,
		pt_account_find(world_call(&w), PT_STR("ann@example.org"), &account));
	w.mail_fails = false;
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org"));
	world_close(&w);
}

static void of_many_letters_at_one_moment_one_goes(void **state)
{
	struct world w = { 0 };

	(void)state;
	world_open_profiles(&w, NULL);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org"));
	/* Nobody is found there, as by one who looked a moment earlier. */
	EXPECT_ERR(PT_OK, pt_account_remove(world_call(&w), PT_STR("ann@example.org")));
	EXPECT_ERR(PT_E_MAIL_LIMITED, join(&w, "ANN@example.org"));
	EXPECT_ERR(PT_OK, join(&w, "bob@example.org"));
	assert_int_equal(2, w.mailed);
	w.now += 5 * PT_SECOND;
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org"));
	assert_int_equal(3, w.mailed);
	world_close(&w);
}

static void autoconfirm(struct pt_policy *policy)
{
	policy->autoconfirm = true;
}

static void where_addresses_are_believed_no_letter_goes(void **state)
{
	struct world w = { 0 };
	struct pt_account account;
	struct pt_grant grant;

	(void)state;
	world_open_profiles(&w, autoconfirm);
	EXPECT_ERR(PT_OK, join_as(&w, "ann@example.org", PASSWORD, NULL, &account));
	assert_int_equal(w.now, account.email_verified_at);
	assert_int_equal(0, w.mailed);
	EXPECT_ERR(PT_OK, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	assert_int_equal(1, world_events(&w, PT_EVENT_CONFIRMED));
	world_close(&w);
}

/* ---- refreshing ---- */

static void an_invitation_is_nobody_elses_even_where_addresses_are_believed(void **state)
{
	struct world w = { 0 };
	struct pt_account account;
	struct pt_grant grant;

	(void)state;
	world_open_profiles(&w, autoconfirm);
	EXPECT_ERR(
		PT_OK, pt_invite(world_call(&w), PT_STR("ann@example.org"), PT_STR(""), &account));
	EXPECT_ERR(PT_OK, join_as(&w, "ann@example.org", "what a stranger chose", NULL, &account));
	assert_int_equal(0, account.email_verified_at);
	EXPECT_ERR(PT_E_UNVERIFIED,
		world_signin(&w, "ann@example.org", "what a stranger chose", &grant));
	EXPECT_ERR(PT_OK, prove(&w, PT_LETTER_INVITE, PASSWORD, &grant));
	EXPECT_ERR(PT_OK, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	world_close(&w);
}

static void a_link_that_confirmed_on_a_page_opens_nothing_afterwards(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant;
	char secret[128];

	(void)state;
	world_open_profiles(&w, NULL);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org"));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_VERIFY));
	EXPECT_ERR(PT_OK, pt_confirm(world_call(&w), str(secret)));
	EXPECT_ERR(PT_E_TICKET, prove(&w, PT_LETTER_VERIFY, "", &grant));
	EXPECT_ERR(PT_OK, pt_confirm(world_call(&w), str(secret)));
	world_close(&w);
}

static void an_opaque_token_rotates_and_says_when_it_is_too_old(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant, next;
	char first[128], second[128];

	(void)state;
	world_open_profiles(&w, autoconfirm);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org"));
	EXPECT_ERR(PT_OK, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	strcpy(first, grant.refresh_token.p);
	EXPECT_ERR(PT_OK, pt_token_refresh(world_call(&w), str(first), &next));
	strcpy(second, next.refresh_token.p);
	assert_string_not_equal(first, second);
	EXPECT_ERR(PT_OK, pt_token_refresh(world_call(&w), str(first), &next));
	assert_string_equal(second, next.refresh_token.p);
	w.now += 11 * PT_SECOND;
	EXPECT_ERR(PT_E_REUSED, pt_token_refresh(world_call(&w), str(first), &next));
	EXPECT_ERR(PT_E_REFRESH, pt_token_refresh(world_call(&w), str(second), &next));
	EXPECT_ERR(PT_OK, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	strcpy(first, grant.refresh_token.p);
	w.now += 31 * PT_DAY;
	EXPECT_ERR(PT_E_REFRESH_EXPIRED, pt_token_refresh(world_call(&w), str(first), &next));
	EXPECT_ERR(PT_E_REFRESH, pt_token_refresh(world_call(&w), PT_STR("no token"), &next));
	world_close(&w);
}

static void what_is_wrong_with_an_access_token_is_said(void **state)
{
	struct world w = { 0 };
	struct pt_access access;
	struct pt_grant grant;
	char token[2048];

	(void)state;
	world_open_profiles(&w, autoconfirm);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org"));
	EXPECT_ERR(PT_OK, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	strcpy(token, grant.access_token.p);
	EXPECT_ERR(PT_OK, pt_access_read(world_call(&w), str(token), &access));
	assert_true(access.session.text[0] != '\0');
	EXPECT_ERR(PT_E_TOKEN, pt_access_read(world_call(&w), PT_STR("a.b"), &access));
	assert_int_equal(PT_FLAW_SEGMENTS, access.flaw);
	/* Not the last one: some of its bits say nothing. */
	char *signed_by = token + strlen(token) - 2, right = *signed_by;
	*signed_by = right == 'A' ? 'B' : 'A';
	EXPECT_ERR(PT_E_TOKEN, pt_access_read(world_call(&w), str(token), &access));
	assert_int_equal(PT_FLAW_SIGNATURE, access.flaw);
	*signed_by = right;
	w.now += 25 * PT_HOUR;
	EXPECT_ERR(PT_E_TOKEN, pt_access_read(world_call(&w), str(token), &access));
	assert_int_equal(PT_FLAW_EXPIRED, access.flaw);
	assert_int_equal(PT_HOUR, access.flaw_by);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_signs_up_confirms_and_is_signed_in),
		cmocka_unit_test(a_confirmed_address_is_taken_whatever_its_letter_case),
		cmocka_unit_test(signing_up_again_merges_and_takes_the_last_password),
		cmocka_unit_test(where_nobody_signs_up_an_invitation_still_does),
		cmocka_unit_test(an_invitation_sets_the_password_over_what_a_stranger_chose),
		cmocka_unit_test(late_proofs_are_told_apart_from_none),
		cmocka_unit_test(a_recovery_confirms_and_forgets_the_password_of_whoever_signed_up),
		cmocka_unit_test(asking_again_too_soon_is_refused_to_known_and_unknown_alike),
		cmocka_unit_test(mail_that_is_not_taken_leaves_nobody_behind),
		cmocka_unit_test(of_many_letters_at_one_moment_one_goes),
		cmocka_unit_test(where_addresses_are_believed_no_letter_goes),
		cmocka_unit_test(an_invitation_is_nobody_elses_even_where_addresses_are_believed),
		cmocka_unit_test(a_link_that_confirmed_on_a_page_opens_nothing_afterwards),
		cmocka_unit_test(an_opaque_token_rotates_and_says_when_it_is_too_old),
		cmocka_unit_test(what_is_wrong_with_an_access_token_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "world.h"

#include "base/str.h"
#include "crypt/password.h"

static void the_right_password_opens_a_session(void **state)
{
	struct pt_session session;
	struct pt_account account;
	struct pt_grant grant;
	char secret[64];
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "Ann", "ann@example.org");
	EXPECT_ERR(PT_OK, world_signin(&w, "ANN", PASSWORD, &grant));
	assert_int_equal(43, grant.session.n);
	strcpy(secret, grant.session.p);
	EXPECT_ERR(PT_OK, pt_session_find(world_call(&w), str(secret), &session, &account));
	assert_string_equal("Ann", account.username.p);
	assert_int_equal(1, account.signin_count);
	assert_string_equal("203.0.113.0", session.client.p);
	world_close(&w);
}

static void a_session_ends_by_time_and_by_signing_out(void **state)
{
	struct pt_session session;
	struct pt_account account;
	struct pt_grant grant;
	char secret[64];
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	EXPECT_ERR(PT_OK, world_signin(&w, "ann", PASSWORD, &grant));
	strcpy(secret, grant.session.p);
	w.now += 8 * PT_HOUR - 1;
	EXPECT_ERR(PT_OK, pt_session_find(world_call(&w), str(secret), &session, &account));
	w.now += 1;
	EXPECT_ERR(PT_E_NOT_SIGNED_IN,
		pt_session_find(world_call(&w), str(secret), &session, &account));
	EXPECT_ERR(PT_OK, world_signin(&w, "ann", PASSWORD, &grant));
	strcpy(secret, grant.session.p);
	EXPECT_ERR(PT_OK, pt_signout(world_call(&w), str(secret)));
	EXPECT_ERR(PT_E_NOT_SIGNED_IN,
		pt_session_find(world_call(&w), str(secret), &session, &account));
	EXPECT_ERR(PT_OK, pt_signout(world_call(&w), str(secret)));
	assert_int_equal(1, world_events(&w, PT_EVENT_SIGNOUT));
	world_close(&w);
}

static void a_wrong_password_and_an_unknown_name_look_and_cost_alike(void **state)
{
	struct pt_grant grant;
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	uint64_t before = password_hashes_computed();
	EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "ann", "wrong password", &grant));
	uint64_t known = password_hashes_computed() - before;
	/* the decoy itself is made once */
	EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "bob", "wrong password", &grant));
	before = password_hashes_computed();
	EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "bob", "wrong password", &grant));
	assert_int_equal(known, password_hashes_computed() - before);
	assert_int_equal(1, world_account(&w, "ann").failed_signins);
	assert_int_equal(3, world_events(&w, PT_EVENT_SIGNIN_FAILED));
	world_close(&w);
}

static void not_confirmed_is_only_said_to_who_knows_the_password(void **state)
{
	struct pt_grant grant;
	struct world w;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, world_signup(&w, "ann", "ann@example.org"));
	EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "ann", "wrong password", &grant));
	EXPECT_ERR(PT_E_UNVERIFIED, world_signin(&w, "ann", PASSWORD, &grant));
	world_close(&w);
}

static void a_switched_off_account_is_out_at_once(void **state)
{
	struct pt_session session;
	struct pt_account account;
	struct pt_grant grant;
	char secret[64];
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	EXPECT_ERR(PT_OK, world_signin(&w, "ann", PASSWORD, &grant));
	strcpy(secret, grant.session.p);
	EXPECT_ERR(PT_OK, pt_account_set_disabled(world_call(&w), PT_STR("ann"), true));
	EXPECT_ERR(PT_E_NOT_SIGNED_IN,
		pt_session_find(world_call(&w), str(secret), &session, &account));
	EXPECT_ERR(PT_E_DISABLED, world_signin(&w, "ann", PASSWORD, &grant));
	EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "ann", "wrong password", &grant));
	EXPECT_ERR(PT_OK, pt_account_set_disabled(world_call(&w), PT_STR("ann"), false));
	EXPECT_ERR(PT_OK, world_signin(&w, "ann", PASSWORD, &grant));
	world_close(&w);
}

static void the_sixteenth_attempt_of_an_hour_is_refused(void **state)
{
	struct pt_grant grant;
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	for (int i = 0; i < 15; i++)
		EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "ann", "wrong password", &grant));
	EXPECT_ERR(PT_E_LIMITED, world_signin(&w, "ann", PASSWORD, &grant));
	pt_time wait = pt_call_retry_after(w.call);
	assert_true(wait > 0 && wait <= PT_HOUR);
	EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "bob", "wrong password", &grant));
	w.now += wait;
	EXPECT_ERR(PT_OK, world_signin(&w, "ann", PASSWORD, &grant));
	world_close(&w);
}

static void a_known_device_keeps_its_own_share_of_attempts(void **state)
{
	struct pt_grant grant;
	char device[128];
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	EXPECT_ERR(PT_OK, world_signin(&w, "ann", PASSWORD, &grant));
	strcpy(device, grant.device.p);
	for (int i = 0; i < 14; i++)
		EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "ann", "wrong password", &grant));
	EXPECT_ERR(PT_E_LIMITED, world_signin(&w, "ann", PASSWORD, &grant));
	struct pt_signin_form form = { PT_STR("ann"), PT_STR(PASSWORD), str(device) };
	EXPECT_ERR(PT_OK, pt_signin(world_call(&w), &form, PT_GRANT_SESSION, &grant));
	device[0] = device[0] == 'A' ? 'B' : 'A';
	EXPECT_ERR(PT_E_LIMITED, pt_signin(world_call(&w), &form, PT_GRANT_SESSION, &grant));
	world_close(&w);
}

static void a_form_that_nobody_could_have_is_not_counted(void **state)
{
	struct pt_grant grant;
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	for (int i = 0; i < 20; i++) {
		EXPECT_ERR(PT_E_USERNAME, world_signin(&w, "a-n", PASSWORD, &grant));
		EXPECT_ERR(PT_E_PASSWORD_SHORT, world_signin(&w, "ann", "short", &grant));
	}
	EXPECT_ERR(PT_OK, world_signin(&w, "ann", PASSWORD, &grant));
	world_close(&w);
}

static void want_more_passes(struct pt_policy *policy)
{
	policy->argon2_passes = 2;
}

static void a_hash_of_yesterday_is_replaced_by_the_right_password_alone(void **state)
{
	const struct pt_account_query query = { .by = PT_BY_USERNAME, .key = PT_STR("ann") };
	struct pt_account_record before, after;
	struct password_params old = password_default_params;
	char hash[PASSWORD_HASH_MAX];
	struct pt_grant grant;
	struct world w;

	(void)state;
	world_open_with(&w, want_more_passes);
	world_join(&w, "ann", "ann@example.org");
	old.argon2_kib = 1024;
	old.argon2_passes = 1;
	EXPECT_ERR(PT_OK, password_hash(&old, PT_STR(PASSWORD), hash));
	struct pt_amend amend = { .account = world_account(&w, "ann").id,
		.now = w.now,
		.has_password = true,
		.password = str(hash) };
	world_call(&w);
	EXPECT_ERR(
		PT_OK, w.store.account_amend(w.store.ctx, pt_call_arena(w.call), &amend, &before));

	EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "ann", "wrong password", &grant));
	EXPECT_ERR(
		PT_OK, w.store.account_find(w.store.ctx, pt_call_arena(w.call), &query, &before));
	assert_string_equal(hash, before.password.p);
	EXPECT_ERR(PT_OK, world_signin(&w, "ann", PASSWORD, &grant));
	EXPECT_ERR(PT_OK, w.store.account_find(w.store.ctx, pt_call_arena(w.call), &query, &after));
	assert_string_not_equal(hash, after.password.p);
	EXPECT_ERR(PT_OK, world_signin(&w, "ann", PASSWORD, &grant));
	world_close(&w);
}

static void an_account_without_a_password_cannot_be_entered(void **state)
{
	const struct pt_account_form form = {
		.username = PT_STR("ann"), .email = PT_STR("ann@example.org"), .verified = true
	};
	struct pt_account account;
	struct pt_grant grant;
	struct world w;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, pt_account_create(world_call(&w), &form, &account));
	EXPECT_ERR(PT_E_PASSWORD_SHORT, world_signin(&w, "ann", "", &grant));
	EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "ann", "        ", &grant));
	EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "ann", PASSWORD, &grant));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_right_password_opens_a_session),
		cmocka_unit_test(a_session_ends_by_time_and_by_signing_out),
		cmocka_unit_test(a_wrong_password_and_an_unknown_name_look_and_cost_alike),
		cmocka_unit_test(not_confirmed_is_only_said_to_who_knows_the_password),
		cmocka_unit_test(a_switched_off_account_is_out_at_once),
		cmocka_unit_test(the_sixteenth_attempt_of_an_hour_is_refused),
		cmocka_unit_test(a_known_device_keeps_its_own_share_of_attempts),
		cmocka_unit_test(a_form_that_nobody_could_have_is_not_counted),
		cmocka_unit_test(a_hash_of_yesterday_is_replaced_by_the_right_password_alone),
		cmocka_unit_test(an_account_without_a_password_cannot_be_entered),
	};

	return cmocka_run_group_tests_name("signin", tests, NULL, NULL);
}

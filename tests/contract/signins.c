/*
 * signins.c - a right password, a wrong one, and the sessions that come of it.
 */
#include "chapters.h"
#include "world.h"

#include "base/banned.h"

static struct pt_signin_act new_signin(const struct world *w, const struct pt_id *id)
{
	return (struct pt_signin_act){
		.account = *id,
		.seen_password = PT_STR("hash of ann"),
		.now = w->now,
		.has_session = true,
		.session = new_session(w),
		.event = new_event(w, PT_EVENT_SIGNIN),
	};
}

static void signin_counts_and_opens_a_session(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_signin_act act = new_signin(w, &ann);
	struct pt_signin_failure failure = { ann, new_event(w, PT_EVENT_SIGNIN_FAILED) };
	struct pt_session_record got;

	EXPECT(PT_OK, ACT(w, signin_fail, &failure));
	act.now += PT_SECOND;
	EXPECT(PT_OK, ACT(w, signin, &act));
	EXPECT(PT_OK, ACT(w, session_find, &act.session.hash, w->now, &got));

	assert_memory_equal(&act.session.hash, &got.session.hash, sizeof(got.session.hash));
	assert_string_equal(ann.text, got.session.account.text);
	assert_int_equal(act.session.created_at, got.session.created_at);
	assert_int_equal(act.session.expires_at, got.session.expires_at);
	assert_int_equal(PT_METHOD_PASSWORD, got.session.methods);
	EXPECT_TEXT("192.0.2.0", got.session.client);
	EXPECT_TEXT("Mozilla/5.0", got.session.user_agent);
	assert_string_equal(ann.text, got.account.id.text);
	EXPECT_TEXT("ann@Example.test", got.account.email);
	assert_int_equal(1, got.account.signin_count);
	assert_int_equal(0, got.account.failed_signins);
	assert_int_equal(act.now, got.account.last_signin_at);
	EXPECT_TEXT("hash of ann", account(w, &ann).password);
	assert_int_equal(PT_EVENT_SIGNIN, last_event(w).kind);
	assert_string_equal(ann.text, last_event(w).account.text);
}

static void signin_rehashes_when_told(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_signin_act act = new_signin(w, &ann);

	act.new_password = PT_STR("better hash of ann");
	EXPECT(PT_OK, ACT(w, signin, &act));
	EXPECT_TEXT("better hash of ann", account(w, &ann).password);
	assert_true(session_lives(w, &act.session.hash));
	assert_int_equal(0, account(w, &ann).account.email_verified_at);
}

static void signin_without_session_or_token_only_counts(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_signin_act act = new_signin(w, &ann);

	act.has_session = false;
	EXPECT(PT_OK, ACT(w, signin, &act));
	assert_int_equal(1, account(w, &ann).account.signin_count);
	assert_false(session_lives(w, &act.session.hash));
}

static void password_that_changed_since_it_was_verified_is_refused(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_signin_act act = new_signin(w, &ann);

	act.seen_password = PT_STR("an older hash");
	EXPECT(PT_E_CREDENTIALS, ACT(w, signin, &act));
	assert_false(session_lives(w, &act.session.hash));
	assert_int_equal(0, account(w, &ann).account.signin_count);
	assert_int_equal(0, events(w, PT_EVENT_SIGNIN));
}

static void disabled_account_cannot_sign_in(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_signin_act act = new_signin(w, &ann);
	struct pt_amend amend = {
		.account = ann, .now = w->now, .has_disabled = true, .disabled = true
	};

	EXPECT(PT_OK, amended(w, &amend));
	EXPECT(PT_E_CREDENTIALS, ACT(w, signin, &act));
	assert_int_equal(0, account(w, &ann).account.signin_count);
}

static void account_that_is_gone_cannot_sign_in(void **state)
{
	struct world *w = *state;
	struct pt_id nobody = new_id();
	struct pt_signin_act act = new_signin(w, &nobody);

	EXPECT(PT_E_CREDENTIALS, ACT(w, signin, &act));
	assert_false(session_lives(w, &act.session.hash));
}

static void failures_are_counted_and_recorded(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_signin_failure failure = { ann, new_event(w, PT_EVENT_SIGNIN_FAILED) };

	failure.event.account = ann;
	EXPECT(PT_OK, ACT(w, signin_fail, &failure));
	EXPECT(PT_OK, ACT(w, signin_fail, &failure));
	assert_int_equal(2, account(w, &ann).account.failed_signins);
	assert_int_equal(2, events(w, PT_EVENT_SIGNIN_FAILED));
	assert_string_equal(ann.text, last_event(w).account.text);
}

static void failure_of_nobody_is_recorded_all_the_same(void **state)
{
	struct world *w = *state;
	struct pt_signin_failure failure = { { "" }, new_event(w, PT_EVENT_SIGNIN_FAILED) };

	EXPECT(PT_OK, ACT(w, signin_fail, &failure));
	failure.account = new_id();
	EXPECT(PT_OK, ACT(w, signin_fail, &failure));
	assert_int_equal(2, events(w, PT_EVENT_SIGNIN_FAILED));
	assert_string_equal("", last_event(w).account.text);
}

static void session_ends_at_the_moment_it_expires(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash hash = session_of(w, &ann, "ann");

	w->now += PT_DAY - 1;
	assert_true(session_lives(w, &hash));
	w->now += 1;
	assert_false(session_lives(w, &hash));
}

static void unknown_session_is_not_signed_in(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash other = new_hash();

	session_of(w, &ann, "ann");
	assert_false(session_lives(w, &other));
}

static void closed_session_is_gone_and_others_stay(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash here = session_of(w, &ann, "ann"), there = session_of(w, &ann, "ann");
	struct pt_event event = new_event(w, PT_EVENT_SIGNOUT);

	EXPECT(PT_OK, ACT(w, session_close, &here, &event));
	assert_false(session_lives(w, &here));
	assert_true(session_lives(w, &there));
	assert_int_equal(PT_EVENT_SIGNOUT, last_event(w).kind);
	assert_string_equal(ann.text, last_event(w).account.text);
}

static void closing_a_session_that_is_not_there_leaves_no_event(void **state)
{
	struct world *w = *state;
	struct pt_hash other = new_hash();
	struct pt_event event = new_event(w, PT_EVENT_SIGNOUT);

	EXPECT(PT_OK, ACT(w, session_close, &other, &event));
	assert_int_equal(0, events(w, PT_EVENT_SIGNOUT));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(signin_counts_and_opens_a_session),
	cmocka_unit_test(signin_rehashes_when_told),
	cmocka_unit_test(signin_without_session_or_token_only_counts),
	cmocka_unit_test(password_that_changed_since_it_was_verified_is_refused),
	cmocka_unit_test(disabled_account_cannot_sign_in),
	cmocka_unit_test(account_that_is_gone_cannot_sign_in),
	cmocka_unit_test(failures_are_counted_and_recorded),
	cmocka_unit_test(failure_of_nobody_is_recorded_all_the_same),
	cmocka_unit_test(session_ends_at_the_moment_it_expires),
	cmocka_unit_test(unknown_session_is_not_signed_in),
	cmocka_unit_test(closed_session_is_gone_and_others_stay),
	cmocka_unit_test(closing_a_session_that_is_not_there_leaves_no_event),
};
CHAPTER(signins);

/*
 * loose_tokens.c - refresh tokens that do not say their family: another program issued them.
 */
#include "chapters.h"
#include "world.h"

#include "base/banned.h"

static pt_err rotate(struct world *w, const struct pt_token_ref *presented, const char *client)
{
	const struct pt_rotate_act turn = new_turn(w, presented, client);
	struct pt_rotated got;

	return ACT(w, token_rotate, &turn, &got);
}

static bool is_added(struct world *w, const struct pt_import_token *token)
{
	const struct pt_import batch = { .tokens = token,
		.n_tokens = 1,
		.source = PT_STR("gotrue"),
		.mark = PT_STR("1"),
		.now = w->now };
	struct pt_import_count count;

	EXPECT(PT_OK, ACT(w, import, &batch, &count));
	assert_int_equal(1, count.added + count.skipped);
	return count.added == 1;
}

static void it_is_followed_by_one_that_says_its_family(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_import_token token = new_loose_token(w, &ann, "app");
	struct pt_token_ref loose = { .hash = token.hash }, second;
	struct pt_rotate_act turn;
	struct pt_rotated got;

	assert_true(is_added(w, &token));
	w->now += PT_HOUR;
	turn = new_turn(w, &loose, "app");
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
	assert_string_equal(token.token.family.text, got.token.family.text);
	assert_int_equal(2, got.token.generation);
	assert_memory_equal(&turn.secret, &got.token.secret, sizeof(turn.secret));
	assert_string_equal(ann.text, got.token.account.text);
	EXPECT_TEXT("app", got.token.client);
	assert_int_equal(w->now, got.token.issued_at);
	assert_int_equal(w->now + 30 * PT_DAY, got.token.expires_at);
	assert_string_equal(ann.text, got.owner.account.id.text);
	EXPECT_TEXT("hash of ann", got.owner.password);
	assert_int_equal(PT_EVENT_TOKEN_REFRESHED, last_event(w).kind);
	assert_string_equal(ann.text, last_event(w).account.text);

	second = ref_of(&got.token);
	assert_int_equal(3, refreshed(w, &second, "app").generation);
}

static void again_within_the_grace_it_yields_the_living_one(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref loose = loose_token_of(w, &ann, "app");
	struct pt_token_ref second = refreshed(w, &loose, "app"), third, again;

	w->now += 5 * PT_SECOND;
	again = refreshed(w, &loose, "app");
	same_token(&second, &again);
	third = refreshed(w, &second, "app");
	w->now += 5 * PT_SECOND - 1;
	again = refreshed(w, &loose, "app");
	same_token(&third, &again);
	assert_int_equal(2, events(w, PT_EVENT_TOKEN_REFRESHED));
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
	refreshed(w, &third, "app");
}

static void after_the_grace_it_ends_the_family(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref loose = loose_token_of(w, &ann, "app");
	struct pt_token_ref other = loose_token_of(w, &ann, "app");
	struct pt_token_ref second = refreshed(w, &loose, "app");

	w->now += 10 * PT_SECOND;
	EXPECT(PT_E_REUSED, rotate(w, &loose, "app"));
	assert_int_equal(PT_EVENT_TOKEN_REUSED, last_event(w).kind);
	assert_string_equal(ann.text, last_event(w).account.text);
	EXPECT(PT_E_REFRESH, rotate(w, &second, "app"));
	EXPECT(PT_E_REFRESH, rotate(w, &loose, "app"));
	EXPECT(PT_OK, rotate(w, &other, "app"));
}

static void again_with_another_secret_it_is_refused_and_ends_nothing(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref loose = loose_token_of(w, &ann, "app");
	struct pt_token_ref second = refreshed(w, &loose, "app");

	for (int i = 0; i < 2; i++) {
		struct pt_rotate_act turn = new_turn(w, &loose, i == 0 ? "app" : "other");
		struct pt_rotated got;

		turn.secret = new_hash();
		EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
		turn.grace = 0;
		EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
	}
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
	EXPECT(PT_OK, rotate(w, &second, "app"));
}

/* Nor does its importer know a secret of it. */
static void nobody_can_say_its_family_before_it_is_rotated(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_import_token token = new_loose_token(w, &ann, "app");
	struct pt_token_ref loose = { .hash = token.hash }, named = ref_of(&token.token);
	const struct pt_hash secrets[] = { new_hash(), { { 0 } } };

	token.token.secret = secrets[0];
	assert_true(is_added(w, &token));
	for (size_t i = 0; i < 2; i++) {
		struct pt_rotate_act turn = new_turn(w, &named, i == 0 ? "app" : "other");
		struct pt_rotated got;

		for (size_t k = 0; k < 2; k++) {
			turn.secret = secrets[k];
			EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
		}
	}
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
	EXPECT(PT_OK, rotate(w, &loose, "app"));
	/* Now its secret is known: to whoever has it, the number alone is not new. */
	assert_int_equal(2, refreshed(w, &named, "app").generation);
}

static void another_client_is_refused_and_ends_its_family(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref loose = loose_token_of(w, &ann, "app");

	EXPECT(PT_E_REFRESH, rotate(w, &loose, "other"));
	assert_int_equal(1, events(w, PT_EVENT_TOKEN_REUSED));
	EXPECT(PT_E_REFRESH, rotate(w, &loose, "app"));
}

static void another_tenant_is_refused_and_it_stays_what_it_is(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref loose = loose_token_of(w, &ann, "app");
	struct pt_rotate_act turn = new_turn(w, &loose, "other");
	struct pt_rotated got;

	turn.tenant = PT_STR("acme");
	EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
	EXPECT(PT_OK, rotate(w, &loose, "app"));
}

static void its_family_ends_when_it_should(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref loose = loose_token_of(w, &ann, "app");
	struct pt_token_ref late = loose_token_of(w, &ann, "app");
	pt_time start = w->now;
	struct pt_rotate_act turn;
	struct pt_rotated got;

	w->now += 20 * PT_DAY;
	turn = new_turn(w, &loose, "app");
	turn.family_until = 40 * PT_DAY;
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
	assert_int_equal(start + 40 * PT_DAY, got.token.expires_at);
	w->now = start + 30 * PT_DAY;
	EXPECT(PT_E_REFRESH_EXPIRED, rotate(w, &late, "app"));
	w->now = start + 40 * PT_DAY;
	EXPECT(PT_E_REFRESH_EXPIRED, rotate(w, &loose, "app"));
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
}

static void two_of_them_never_share_a_family_nor_a_hash(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_import_token one = new_loose_token(w, &ann, "app"), two = one, three = one, four;
	struct pt_token_ref named = token_of(w, &ann, "ann", "app"), loose;

	two.hash = new_hash();
	three.token.family = new_id();
	three.token.client = PT_STR("other");
	four = new_loose_token(w, &ann, "app");
	four.token.family = named.family;
	assert_true(is_added(w, &one));
	assert_false(is_added(w, &two));
	assert_false(is_added(w, &three));
	assert_false(is_added(w, &four));

	loose = (struct pt_token_ref){ .hash = two.hash };
	EXPECT(PT_E_REFRESH, rotate(w, &loose, "app"));
	loose = (struct pt_token_ref){ .hash = four.hash };
	EXPECT(PT_E_REFRESH, rotate(w, &loose, "app"));
	loose = (struct pt_token_ref){ .hash = one.hash };
	assert_string_equal(one.token.family.text, refreshed(w, &loose, "app").family.text);
	EXPECT(PT_OK, rotate(w, &named, "app"));
}

static void two_in_one_batch_do_not_share_a_family_either(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_import_token tokens[3] = { new_loose_token(w, &ann, "app") };
	struct pt_import batch = { .tokens = tokens,
		.n_tokens = 3,
		.source = PT_STR("gotrue"),
		.mark = PT_STR("1"),
		.now = w->now };
	struct pt_import_count count;
	struct pt_token_ref loose;

	tokens[1] = tokens[2] = tokens[0];
	tokens[1].hash = new_hash();
	tokens[2].token.family = new_id();
	EXPECT(PT_OK, ACT(w, import, &batch, &count));
	assert_int_equal(1, count.added);
	assert_int_equal(2, count.skipped);
	loose = (struct pt_token_ref){ .hash = tokens[1].hash };
	EXPECT(PT_E_REFRESH, rotate(w, &loose, "app"));
	loose = (struct pt_token_ref){ .hash = tokens[0].hash };
	assert_string_equal(tokens[0].token.family.text, refreshed(w, &loose, "app").family.text);
}

static void imported_again_after_it_was_rotated_it_changes_nothing(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_import_token token = new_loose_token(w, &ann, "app");
	struct pt_token_ref loose = { .hash = token.hash }, second, again;

	assert_true(is_added(w, &token));
	second = refreshed(w, &loose, "app");
	assert_false(is_added(w, &token));
	token.token.family = new_id();
	assert_false(is_added(w, &token));
	again = refreshed(w, &loose, "app");
	same_token(&second, &again);
	assert_int_equal(3, refreshed(w, &second, "app").generation);
}

static void revoking_it_ends_its_family_rotated_or_not(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref live = loose_token_of(w, &ann, "app");
	struct pt_token_ref spent = loose_token_of(w, &ann, "app");
	struct pt_token_ref other = loose_token_of(w, &ann, "app");
	struct pt_token_ref second = refreshed(w, &spent, "app");
	struct pt_event event = new_event(w, PT_EVENT_SIGNOUT);

	EXPECT(PT_OK, ACT(w, token_revoke, &live, w->now, &event));
	assert_string_equal(ann.text, last_event(w).account.text);
	event.id = new_id();
	EXPECT(PT_OK, ACT(w, token_revoke, &spent, w->now, &event));
	assert_int_equal(2, events(w, PT_EVENT_SIGNOUT));
	EXPECT(PT_E_REFRESH, rotate(w, &live, "app"));
	EXPECT(PT_E_REFRESH, rotate(w, &spent, "app"));
	EXPECT(PT_E_REFRESH, rotate(w, &second, "app"));
	EXPECT(PT_OK, rotate(w, &other, "app"));
}

static void revoking_its_successor_ends_it_too(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref loose = loose_token_of(w, &ann, "app");
	struct pt_token_ref second = refreshed(w, &loose, "app");
	struct pt_event event = new_event(w, PT_EVENT_SIGNOUT);

	EXPECT(PT_OK, ACT(w, token_revoke, &second, w->now, &event));
	EXPECT(PT_E_REFRESH, rotate(w, &loose, "app"));
	assert_int_equal(1, events(w, PT_EVENT_SIGNOUT));
	EXPECT(PT_OK, ACT(w, token_revoke, &loose, w->now, &event));
	assert_int_equal(1, events(w, PT_EVENT_SIGNOUT));
}

/* Its hash is free then: nothing of it is left. */
static void it_goes_with_its_family_and_its_account(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_import_token token = new_loose_token(w, &ann, "app");
	struct pt_token_ref loose = { .hash = token.hash };
	const struct pt_amend amend = { .account = ann, .now = w->now, .ends = PT_END_FAMILIES };
	struct pt_event none = { .kind = 0 };
	struct pt_join again = new_join(w, "ann");
	struct pt_id id;

	assert_true(is_added(w, &token));
	EXPECT(PT_OK, amended(w, &amend));
	EXPECT(PT_E_REFRESH, rotate(w, &loose, "app"));
	assert_true(is_added(w, &token));
	EXPECT(PT_OK, ACT(w, token_revoke, &loose, w->now, &none));
	assert_true(is_added(w, &token));
	EXPECT(PT_OK, ACT(w, account_remove, &ann, w->now, &none, NULL));
	assert_false(is_added(w, &token)); /* nobody's */
	again.account.id = ann;
	EXPECT(PT_OK, ACT(w, account_join, &again, &id));
	EXPECT(PT_E_REFRESH, rotate(w, &loose, "app"));
	assert_true(is_added(w, &token));
	EXPECT(PT_OK, rotate(w, &loose, "app"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(it_is_followed_by_one_that_says_its_family),
	cmocka_unit_test(again_within_the_grace_it_yields_the_living_one),
	cmocka_unit_test(after_the_grace_it_ends_the_family),
	cmocka_unit_test(again_with_another_secret_it_is_refused_and_ends_nothing),
	cmocka_unit_test(nobody_can_say_its_family_before_it_is_rotated),
	cmocka_unit_test(another_client_is_refused_and_ends_its_family),
	cmocka_unit_test(another_tenant_is_refused_and_it_stays_what_it_is),
	cmocka_unit_test(its_family_ends_when_it_should),
	cmocka_unit_test(two_of_them_never_share_a_family_nor_a_hash),
	cmocka_unit_test(two_in_one_batch_do_not_share_a_family_either),
	cmocka_unit_test(imported_again_after_it_was_rotated_it_changes_nothing),
	cmocka_unit_test(revoking_it_ends_its_family_rotated_or_not),
	cmocka_unit_test(revoking_its_successor_ends_it_too),
	cmocka_unit_test(it_goes_with_its_family_and_its_account),
};
CHAPTER(loose_tokens);

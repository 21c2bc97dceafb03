/*
 * tokens.c - refresh tokens that rotate, as portress/token.h draws them.
 */
#include "chapters.h"
#include "world.h"

#include "base/banned.h"

static pt_err rotate(struct world *w, const struct pt_token_ref *presented, const char *client)
{
	struct pt_rotate_act turn = new_turn(w, presented, client);
	struct pt_rotated got;

	return ACT(w, token_rotate, &turn, &got);
}

static void rotation_spends_the_token_and_opens_its_successor(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref second;
	struct pt_rotate_act turn;
	struct pt_rotated got;

	w->now += PT_HOUR;
	turn = new_turn(w, &first, "app");
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
	assert_string_equal(first.family.text, got.token.family.text);
	assert_int_equal(2, got.token.generation);
	assert_memory_equal(&turn.secret, &got.token.secret, sizeof(turn.secret));
	assert_string_equal(ann.text, got.token.account.text);
	EXPECT_TEXT("app", got.token.client);
	assert_int_equal(w->now, got.token.issued_at);
	assert_int_equal(w->now + 30 * PT_DAY, got.token.expires_at);
	assert_string_equal(ann.text, got.owner.account.id.text);
	EXPECT_TEXT("ann@Example.test", got.owner.account.email);
	EXPECT_TEXT("hash of ann", got.owner.password);
	assert_int_equal(PT_EVENT_TOKEN_REFRESHED, last_event(w).kind);
	assert_string_equal(ann.text, last_event(w).account.text);

	second = ref_of(&got.token);
	assert_int_equal(3, refreshed(w, &second, "app").generation);
}

static void presented_again_within_the_grace_it_yields_the_same_successor(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref second = refreshed(w, &first, "app"), again;

	w->now += 10 * PT_SECOND - 1;
	again = refreshed(w, &first, "app");
	same_token(&second, &again);
	assert_int_equal(1, events(w, PT_EVENT_TOKEN_REFRESHED));
	refreshed(w, &second, "app");
}

static void presented_after_the_grace_it_ends_the_family(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref other = token_of(w, &ann, "ann", "app");
	struct pt_token_ref second = refreshed(w, &first, "app");

	w->now += 10 * PT_SECOND;
	EXPECT(PT_E_REUSED, rotate(w, &first, "app"));
	assert_int_equal(PT_EVENT_TOKEN_REUSED, last_event(w).kind);
	assert_string_equal(ann.text, last_event(w).account.text);
	EXPECT(PT_E_REFRESH, rotate(w, &second, "app"));
	EXPECT(PT_E_REFRESH, rotate(w, &first, "app"));
	EXPECT(PT_OK, rotate(w, &other, "app"));
}

static void without_grace_the_second_presentation_ends_the_family(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref second = refreshed(w, &first, "app");
	struct pt_rotate_act turn = new_turn(w, &first, "app");
	struct pt_rotated got;

	turn.grace = 0;
	EXPECT(PT_E_REUSED, ACT(w, token_rotate, &turn, &got));
	EXPECT(PT_E_REFRESH, rotate(w, &second, "app"));
}

static void clock_behind_lends_no_grace_where_there_is_none(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref second = refreshed(w, &first, "app");
	struct pt_rotate_act turn = new_turn(w, &first, "app");
	struct pt_rotated got;

	turn.grace = 0;
	turn.now -= PT_MILLISECOND;
	EXPECT(PT_E_REUSED, ACT(w, token_rotate, &turn, &got));
	EXPECT(PT_E_REFRESH, rotate(w, &second, "app"));
}

static void token_whose_successor_is_spent_yields_the_living_one_within_its_grace(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref other = token_of(w, &ann, "ann", "app");
	struct pt_token_ref second = refreshed(w, &first, "app");
	struct pt_token_ref third = refreshed(w, &second, "app"), fourth;
	struct pt_rotate_act turn;
	struct pt_rotated got;

	refreshed(w, &other, "app");
	w->now += PT_SECOND;
	turn = new_turn(w, &third, "app");
	turn.lifetime = PT_DAY;
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));

	w->now += PT_SECOND;
	for (int i = 0; i < 2; i++) {
		const struct pt_token_ref *spent[] = { &first, &second, &third };

		for (size_t k = 0; k < 3; k++) {
			struct pt_rotate_act again = new_turn(w, spent[k], "app");
			struct pt_rotated live;

			EXPECT(PT_OK, ACT(w, token_rotate, &again, &live));
			assert_string_equal(first.family.text, live.token.family.text);
			assert_int_equal(4, live.token.generation);
			assert_memory_equal(&turn.secret, &live.token.secret, sizeof(turn.secret));
			assert_string_equal(ann.text, live.token.account.text);
			EXPECT_TEXT("app", live.token.client);
			assert_int_equal(turn.now, live.token.issued_at);
			assert_int_equal(turn.now + PT_DAY, live.token.expires_at);
			assert_string_equal(ann.text, live.owner.account.id.text);
			EXPECT_TEXT("hash of ann", live.owner.password);
		}
	}
	assert_int_equal(4, events(w, PT_EVENT_TOKEN_REFRESHED));
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
	fourth = ref_of(&got.token);
	refreshed(w, &fourth, "app");
}

static void grace_of_a_token_ends_though_its_successors_still_have_theirs(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref second = refreshed(w, &first, "app"), third;

	w->now += 9 * PT_SECOND;
	third = refreshed(w, &second, "app");
	w->now += PT_SECOND;
	EXPECT(PT_OK, rotate(w, &second, "app"));
	EXPECT(PT_E_REUSED, rotate(w, &first, "app"));
	EXPECT(PT_E_REFRESH, rotate(w, &second, "app"));
	EXPECT(PT_E_REFRESH, rotate(w, &third, "app"));
	assert_int_equal(1, events(w, PT_EVENT_TOKEN_REUSED));
}

static void token_of_a_revoked_family_yields_nothing_within_its_grace(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref second = refreshed(w, &first, "app");
	struct pt_event event = new_event(w, PT_EVENT_SIGNOUT);

	refreshed(w, &second, "app");
	EXPECT(PT_OK, ACT(w, token_revoke, &first, w->now, &event));
	EXPECT(PT_E_REFRESH, rotate(w, &first, "app"));
	EXPECT(PT_E_REFRESH, rotate(w, &second, "app"));
}

static void another_client_is_refused_and_ends_the_family(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");

	EXPECT(PT_E_REFRESH, rotate(w, &first, "other"));
	assert_int_equal(1, events(w, PT_EVENT_TOKEN_REUSED));
	EXPECT(PT_E_REFRESH, rotate(w, &first, "app"));
}

static void another_client_gets_nothing_within_the_grace(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref second = refreshed(w, &first, "app");

	EXPECT(PT_E_REFRESH, rotate(w, &first, ""));
	EXPECT(PT_E_REFRESH, rotate(w, &second, "app"));
}

static void unknown_token_is_refused(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref strange = token_of(w, &ann, "ann", "app");
	struct pt_token_ref loose = { .hash = new_hash() };

	strange.family = new_id();
	EXPECT(PT_E_REFRESH, rotate(w, &strange, "app"));
	EXPECT(PT_E_REFRESH, rotate(w, &loose, "app"));
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
}

static void expired_token_is_refused_from_its_last_moment_on(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref one = token_of(w, &ann, "ann", ""), two = token_of(w, &ann, "ann", "");

	w->now += 30 * PT_DAY - 1;
	EXPECT(PT_OK, rotate(w, &one, ""));
	w->now += 1;
	EXPECT(PT_E_REFRESH_EXPIRED, rotate(w, &two, ""));
}

static void family_never_outlives_its_end(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	pt_time start = w->now;
	struct pt_token_ref second;
	struct pt_rotate_act turn;
	struct pt_rotated got;

	w->now += 20 * PT_DAY;
	turn = new_turn(w, &first, "app");
	turn.family_until = 40 * PT_DAY;
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
	assert_int_equal(start + 40 * PT_DAY, got.token.expires_at);

	w->now += 19 * PT_DAY;
	second = ref_of(&got.token);
	turn = new_turn(w, &second, "app");
	turn.family_until = 39 * PT_DAY;
	EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
	turn.family_until = 40 * PT_DAY;
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
	assert_int_equal(start + 40 * PT_DAY, got.token.expires_at);
}

static void token_of_an_account_that_is_gone_is_refused(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref loose = loose_token_of(w, &ann, "app");
	struct pt_event event = { .kind = 0 };

	EXPECT(PT_OK, ACT(w, account_remove, &ann, w->now, &event, NULL));
	EXPECT(PT_E_REFRESH, rotate(w, &first, "app"));
	EXPECT(PT_E_REFRESH, rotate(w, &loose, "app"));
}

static void rotation_tells_of_the_spent_one_where_that_is_wanted(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_rotate_act turn = new_turn(w, &first, "app");
	struct pt_rotated got;

	turn.spent_event = new_event(w, PT_EVENT_TOKEN_REVOKED);
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
	assert_int_equal(1, events(w, PT_EVENT_TOKEN_REFRESHED));
	assert_int_equal(PT_EVENT_TOKEN_REVOKED, last_event(w).kind);
	assert_string_equal(ann.text, last_event(w).account.text);

	turn.event.id = new_id();
	turn.spent_event.id = new_id();
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
	assert_int_equal(1, events(w, PT_EVENT_TOKEN_REVOKED));
}

static void disabled_account_cannot_refresh(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_amend amend = {
		.account = ann, .now = w->now, .has_disabled = true, .disabled = true
	};

	EXPECT(PT_OK, amended(w, &amend));
	EXPECT(PT_E_REFRESH, rotate(w, &first, "app"));
}

static void spent_token_yields_no_living_one_that_has_expired(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_rotate_act turn = new_turn(w, &first, "app");
	struct pt_rotated got;

	turn.lifetime = 5 * PT_SECOND;
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
	turn.now += 5 * PT_SECOND - 1;
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
	turn.now += 1;
	EXPECT(PT_E_REFRESH_EXPIRED, ACT(w, token_rotate, &turn, &got));
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
}

static void revoking_any_token_ends_its_family(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref other = token_of(w, &ann, "ann", "app");
	struct pt_token_ref second = refreshed(w, &first, "app");
	struct pt_event event = new_event(w, PT_EVENT_SIGNOUT);

	EXPECT(PT_OK, ACT(w, token_revoke, &first, w->now, &event));
	EXPECT(PT_E_REFRESH, rotate(w, &second, "app"));
	assert_int_equal(1, events(w, PT_EVENT_SIGNOUT));
	assert_string_equal(ann.text, last_event(w).account.text);
	EXPECT(PT_OK, rotate(w, &other, "app"));
}

static void revoking_an_unknown_token_leaves_no_event(void **state)
{
	struct world *w = *state;
	struct pt_token_ref named = { .family = new_id(), .generation = 1 };
	struct pt_token_ref loose = { .hash = new_hash() };
	struct pt_event event = new_event(w, PT_EVENT_SIGNOUT);

	EXPECT(PT_OK, ACT(w, token_revoke, &named, w->now, &event));
	EXPECT(PT_OK, ACT(w, token_revoke, &loose, w->now, &event));
	assert_int_equal(0, events(w, PT_EVENT_SIGNOUT));
}

static void foreign_token_where_no_program_keeps_any_is_refused(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref presented = { .hash = new_hash() };
	struct pt_rotate_act turn = new_turn(w, &presented, "");
	struct pt_rotated got;

	turn.foreign = PT_STR("some token in clear");
	turn.foreign_account = ann;
	turn.foreign_family = new_id();
	EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(rotation_spends_the_token_and_opens_its_successor),
	cmocka_unit_test(presented_again_within_the_grace_it_yields_the_same_successor),
	cmocka_unit_test(presented_after_the_grace_it_ends_the_family),
	cmocka_unit_test(without_grace_the_second_presentation_ends_the_family),
	cmocka_unit_test(clock_behind_lends_no_grace_where_there_is_none),
	cmocka_unit_test(token_whose_successor_is_spent_yields_the_living_one_within_its_grace),
	cmocka_unit_test(grace_of_a_token_ends_though_its_successors_still_have_theirs),
	cmocka_unit_test(token_of_a_revoked_family_yields_nothing_within_its_grace),
	cmocka_unit_test(another_client_is_refused_and_ends_the_family),
	cmocka_unit_test(another_client_gets_nothing_within_the_grace),
	cmocka_unit_test(unknown_token_is_refused),
	cmocka_unit_test(expired_token_is_refused_from_its_last_moment_on),
	cmocka_unit_test(family_never_outlives_its_end),
	cmocka_unit_test(token_of_an_account_that_is_gone_is_refused),
	cmocka_unit_test(rotation_tells_of_the_spent_one_where_that_is_wanted),
	cmocka_unit_test(disabled_account_cannot_refresh),
	cmocka_unit_test(spent_token_yields_no_living_one_that_has_expired),
	cmocka_unit_test(revoking_any_token_ends_its_family),
	cmocka_unit_test(revoking_an_unknown_token_leaves_no_event),
	cmocka_unit_test(foreign_token_where_no_program_keeps_any_is_refused),
};
CHAPTER(tokens);

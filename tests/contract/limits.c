/*
 * limits.c - at most so many tries in any window.
 */
#include "chapters.h"
#include "world.h"

#include "base/banned.h"

static pt_err spend(struct world *w, const struct pt_limit *limits, size_t n, pt_time *retry_after)
{
	const struct pt_limit_act act = { limits, n, w->now };

	*retry_after = -1;
	return ACT(w, limit_spend, &act, retry_after);
}

static void try_past_the_limit_is_refused_until_the_window_has_moved_on(void **state)
{
	struct world *w = *state;
	const struct pt_limit limit = { new_hash(), 3, PT_MINUTE };
	pt_time wait;

	for (int i = 0; i < 3; i++) {
		EXPECT(PT_OK, spend(w, &limit, 1, &wait));
		w->now += 10 * PT_SECOND;
	}
	EXPECT(PT_E_LIMITED, spend(w, &limit, 1, &wait));
	assert_int_equal(30 * PT_SECOND, wait);
	w->now += wait - 1;
	EXPECT(PT_E_LIMITED, spend(w, &limit, 1, &wait));
	assert_int_equal(1, wait);
	w->now += wait;
	EXPECT(PT_OK, spend(w, &limit, 1, &wait));
	EXPECT(PT_E_LIMITED, spend(w, &limit, 1, &wait));
	assert_int_equal(10 * PT_SECOND, wait);
}

static void refused_tries_do_not_prolong_the_wait(void **state)
{
	struct world *w = *state;
	const struct pt_limit limit = { new_hash(), 1, PT_MINUTE };
	pt_time wait;

	EXPECT(PT_OK, spend(w, &limit, 1, &wait));
	for (int i = 0; i < 5; i++) {
		w->now += 10 * PT_SECOND;
		EXPECT(PT_E_LIMITED, spend(w, &limit, 1, &wait));
		assert_int_equal(PT_MINUTE - (i + 1) * 10 * PT_SECOND, wait);
	}
}

static void keys_do_not_share_their_tries(void **state)
{
	struct world *w = *state;
	const struct pt_limit one = { new_hash(), 1, PT_MINUTE },
			      two = { new_hash(), 1, PT_MINUTE };
	pt_time wait;

	EXPECT(PT_OK, spend(w, &one, 1, &wait));
	EXPECT(PT_OK, spend(w, &two, 1, &wait));
	EXPECT(PT_E_LIMITED, spend(w, &one, 1, &wait));
}

static void all_limits_are_spent_or_none(void **state)
{
	struct world *w = *state;
	const struct pt_limit narrow = { new_hash(), 1, PT_MINUTE },
			      wide = { new_hash(), 2, PT_HOUR };
	const struct pt_limit both[] = { wide, narrow };
	pt_time wait;

	EXPECT(PT_OK, spend(w, both, 2, &wait));
	EXPECT(PT_E_LIMITED, spend(w, both, 2, &wait));
	/* The wide one still has its second try, because the refusal spent nothing. */
	EXPECT(PT_OK, spend(w, &wide, 1, &wait));
	/* Now both are full: the answer is when the last of them lets it pass. */
	w->now += PT_SECOND;
	EXPECT(PT_E_LIMITED, spend(w, both, 2, &wait));
	assert_int_equal(PT_HOUR - PT_SECOND, wait);
	w->now += wait;
	EXPECT(PT_OK, spend(w, both, 2, &wait));
}

static void four_limits_and_the_largest_fit(void **state)
{
	struct world *w = *state;
	const struct pt_limit limits[4] = {
		{ new_hash(), 128, PT_MINUTE },
		{ new_hash(), 128, PT_HOUR },
		{ new_hash(), 128, PT_HOUR },
		{ new_hash(), 128, PT_DAY },
	};
	pt_time wait;

	for (int i = 0; i < 128; i++) {
		EXPECT(PT_OK, spend(w, limits, 4, &wait));
		w->now += PT_MILLISECOND;
	}
	EXPECT(PT_E_LIMITED, spend(w, limits, 4, &wait));
	assert_int_equal(PT_DAY - 128 * PT_MILLISECOND, wait);
	w->now += PT_DAY;
	EXPECT(PT_OK, spend(w, limits, 4, &wait));
}

static void lowered_limit_holds_at_once(void **state)
{
	struct world *w = *state;
	struct pt_limit limit = { new_hash(), 5, PT_MINUTE };
	pt_time wait;

	for (int i = 0; i < 4; i++) {
		EXPECT(PT_OK, spend(w, &limit, 1, &wait));
		w->now += PT_SECOND;
	}
	limit.limit = 2;
	EXPECT(PT_E_LIMITED, spend(w, &limit, 1, &wait));
	assert_int_equal(PT_MINUTE - 2 * PT_SECOND, wait);
	w->now += wait;
	EXPECT(PT_OK, spend(w, &limit, 1, &wait));
}

static void clock_of_another_node_behind_ours_counts_too(void **state)
{
	struct world *w = *state;
	const struct pt_limit limit = { new_hash(), 2, PT_MINUTE };
	pt_time wait;

	EXPECT(PT_OK, spend(w, &limit, 1, &wait));
	w->now -= 5 * PT_SECOND;
	EXPECT(PT_OK, spend(w, &limit, 1, &wait));
	w->now += 5 * PT_SECOND;
	EXPECT(PT_E_LIMITED, spend(w, &limit, 1, &wait));
	assert_int_equal(55 * PT_SECOND, wait);
}

static void bucket_is_empty_after_its_tries_and_gets_one_back_at_a_time(void **state)
{
	struct world *w = *state;
	const struct pt_limit bucket = { new_hash(), 3, PT_MINUTE, 10 * PT_SECOND };
	pt_time wait;

	for (int i = 0; i < 3; i++)
		EXPECT(PT_OK, spend(w, &bucket, 1, &wait));
	EXPECT(PT_E_LIMITED, spend(w, &bucket, 1, &wait));
	assert_int_equal(10 * PT_SECOND, wait);
	w->now += wait - 1;
	EXPECT(PT_E_LIMITED, spend(w, &bucket, 1, &wait));
	assert_int_equal(1, wait);
	w->now += wait;
	EXPECT(PT_OK, spend(w, &bucket, 1, &wait));
	EXPECT(PT_E_LIMITED, spend(w, &bucket, 1, &wait));
	assert_int_equal(10 * PT_SECOND, wait);
}

static void unused_bucket_is_full_and_not_fuller(void **state)
{
	struct world *w = *state;
	const struct pt_limit bucket = { new_hash(), 3, PT_MINUTE, 10 * PT_SECOND };
	pt_time wait;

	EXPECT(PT_OK, spend(w, &bucket, 1, &wait));
	w->now += PT_DAY;
	for (int i = 0; i < 3; i++)
		EXPECT(PT_OK, spend(w, &bucket, 1, &wait));
	EXPECT(PT_E_LIMITED, spend(w, &bucket, 1, &wait));
	assert_int_equal(10 * PT_SECOND, wait);
}

static void no_limits_let_everything_pass(void **state)
{
	struct world *w = *state;
	pt_time wait;

	EXPECT(PT_OK, spend(w, NULL, 0, &wait));
}

static void limits_out_of_range_are_our_mistake_and_let_nobody_pass(void **state)
{
	struct world *w = *state;
	const struct pt_limit none = { new_hash(), 0, PT_MINUTE },
			      much = { new_hash(), 129, PT_MINUTE };
	const struct pt_limit five[5] = { { new_hash(), 1, 1 }, { new_hash(), 1, 1, 0 },
		{ new_hash(), 1, 1 }, { new_hash(), 1, 1, 0 }, { new_hash(), 1, 1, 0 } };
	pt_time wait;

	EXPECT(PT_F_BUG, spend(w, &none, 1, &wait));
	EXPECT(PT_F_BUG, spend(w, &much, 1, &wait));
	EXPECT(PT_F_BUG, spend(w, five, 5, &wait));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(try_past_the_limit_is_refused_until_the_window_has_moved_on),
	cmocka_unit_test(refused_tries_do_not_prolong_the_wait),
	cmocka_unit_test(keys_do_not_share_their_tries),
	cmocka_unit_test(all_limits_are_spent_or_none),
	cmocka_unit_test(four_limits_and_the_largest_fit),
	cmocka_unit_test(lowered_limit_holds_at_once),
	cmocka_unit_test(clock_of_another_node_behind_ours_counts_too),
	cmocka_unit_test(bucket_is_empty_after_its_tries_and_gets_one_back_at_a_time),
	cmocka_unit_test(unused_bucket_is_full_and_not_fuller),
	cmocka_unit_test(no_limits_let_everything_pass),
	cmocka_unit_test(limits_out_of_range_are_our_mistake_and_let_nobody_pass),
};
CHAPTER(limits);

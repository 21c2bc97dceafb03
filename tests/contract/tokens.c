/*
 * tokens.c - refresh tokens that rotate, as portress/token.h draws them.
 */
#include <string.h>

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
	EXPECT(PT_E_REFRESH, rotate(w, &first, "other"));
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
	amend.disabled = false;
	EXPECT(PT_OK, amended(w, &amend));
	EXPECT(PT_OK, rotate(w, &first, "app"));
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
	turn.now += PT_DAY;
	EXPECT(PT_E_REFRESH_EXPIRED, ACT(w, token_rotate, &turn, &got));
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
}

static void generation_yet_to_come_is_refused_and_ends_nothing(void **state)
{
	static const int64_t generations[] = { INT64_MIN, -1, 0, 3, 4, INT64_MAX };
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref second = refreshed(w, &first, "app");

	for (size_t i = 0; i < sizeof(generations) / sizeof(generations[0]); i++) {
		struct pt_token_ref guess = first;

		guess.generation = generations[i];
		EXPECT(PT_E_REFRESH, rotate(w, &guess, "app"));
		EXPECT(PT_E_REFRESH, rotate(w, &guess, "other"));
	}
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
	assert_int_equal(3, refreshed(w, &second, "app").generation);
}

static void another_secret_is_refused_and_ends_nothing(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref second = refreshed(w, &first, "app");
	const struct pt_token_ref *shown[] = { &first, &second };
	const struct pt_hash secrets[] = { new_hash(), { { 0 } } };

	w->now += PT_HOUR;
	for (size_t i = 0; i < 4; i++) {
		struct pt_rotate_act turn = new_turn(w, shown[i % 2], i < 2 ? "app" : "other");
		struct pt_rotated got;

		for (size_t k = 0; k < 2; k++) {
			turn.secret = secrets[k];
			EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
		}
	}
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
	assert_int_equal(3, refreshed(w, &second, "app").generation);
}

static void unproven_it_is_the_living_one_letter_by_letter_or_nothing(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	const struct pt_hash hashes[] = { new_hash(), { { 0 } } }, living = new_hash();
	struct pt_rotate_act turn = new_turn(w, &first, "app");
	struct pt_token_ref shown;
	struct pt_rotated got;

	turn.successor = living;
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
	assert_memory_equal(&living, &got.token.hash, sizeof(living));
	shown = ref_of(&got.token);
	shown.unproven = true;
	for (size_t i = 0; i < 2; i++) {
		shown.hash = hashes[i];
		EXPECT(PT_E_REFRESH, rotate(w, &shown, "app"));
		EXPECT(PT_E_REFRESH, rotate(w, &shown, "other"));
	}
	shown.hash = living;
	shown.generation--;
	EXPECT(PT_E_REFRESH, rotate(w, &shown, "app"));
	shown.generation++;
	turn = new_turn(w, &shown, "app");
	turn.secret = new_hash();
	EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
	assert_int_equal(3, rotated(w, &shown, "app").token.generation);
	/* It is spent: of its own grace nobody can speak who has not proven it. */
	EXPECT(PT_E_REFRESH, rotate(w, &shown, "app"));
	/* Nobody said the hash of this one. */
	shown.generation++;
	shown.hash = hashes[1];
	EXPECT(PT_E_REFRESH, rotate(w, &shown, "app"));
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
	shown.unproven = false;
	assert_int_equal(4, refreshed(w, &shown, "app").generation);
}

static void hash_of_the_first_is_kept_too(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_amend amend = { .account = ann, .now = w->now, .has_token = true };
	struct pt_token_ref shown;

	amend.token = new_token(w, "app");
	amend.token.hash = new_hash();
	EXPECT(PT_OK, amended(w, &amend));
	shown = ref_of(&amend.token);
	shown.unproven = true;
	EXPECT(PT_E_REFRESH, rotate(w, &shown, "app"));
	shown.hash = amend.token.hash;
	EXPECT(PT_OK, rotate(w, &shown, "app"));
}

static void hash_beside_a_family_does_not_matter(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref loose = loose_token_of(w, &ann, "app");

	first.hash = loose.hash;
	assert_string_equal(first.family.text, refreshed(w, &first, "app").family.text);
	EXPECT(PT_OK, rotate(w, &loose, "app"));
}

static void token_of_another_tenant_is_refused_and_stays_what_it_is(void **state)
{
	struct world *w = *state;
	struct pt_join join = new_join(w, "ann");
	struct pt_id ann;
	struct pt_token_ref first, second;
	struct pt_rotate_act turn;
	struct pt_rotated got;

	join.account.tenant = PT_STR("acme");
	EXPECT(PT_OK, ACT(w, account_join, &join, &ann));
	first = token_of(w, &ann, "ann", "app");
	EXPECT(PT_E_REFRESH, rotate(w, &first, "app"));
	EXPECT(PT_E_REFRESH, rotate(w, &first, "other"));
	turn = new_turn(w, &first, "app");
	turn.tenant = PT_STR("acme");
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
	second = ref_of(&got.token);

	w->now += PT_HOUR;
	EXPECT(PT_E_REFRESH, rotate(w, &first, "app"));
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
	turn = new_turn(w, &second, "app");
	turn.tenant = PT_STR("acme");
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
}

static void spent_token_of_any_age_ends_the_family(void **state)
{
	enum { ROTATIONS = 40 };
	static const int64_t generations[] = { 1, 2, ROTATIONS / 2, ROTATIONS };
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");

	for (size_t i = 0; i < sizeof(generations) / sizeof(generations[0]); i++) {
		struct pt_token_ref live = token_of(w, &ann, "ann", "app"), spent = live;

		for (size_t k = 0; k < ROTATIONS; k++) {
			w->now += 20 * PT_DAY;
			live = refreshed(w, &live, "app");
		}
		w->now += 29 * PT_DAY;
		spent.generation = generations[i];
		EXPECT(PT_E_REUSED, rotate(w, &spent, "app"));
		assert_int_equal(i + 1, events(w, PT_EVENT_TOKEN_REUSED));
		EXPECT(PT_E_REFRESH, rotate(w, &live, "app"));
	}
}

static void so_many_rotations_are_remembered_within_the_grace(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app"), live = first, second, again;

	for (size_t i = 0; i < PT_SPENT_MOST; i++)
		live = refreshed(w, &live, "app");
	again = refreshed(w, &first, "app");
	same_token(&live, &again);

	live = refreshed(w, &live, "app");
	second = first;
	second.generation = 2;
	again = refreshed(w, &second, "app");
	same_token(&live, &again);
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
	EXPECT(PT_E_REUSED, rotate(w, &first, "app"));
	EXPECT(PT_E_REFRESH, rotate(w, &live, "app"));
}

static void each_spent_token_has_its_own_grace(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app"), live = first, again;
	enum { ROTATIONS = 5 };

	for (size_t i = 0; i < ROTATIONS; i++) {
		live = refreshed(w, &live, "app");
		w->now += 2 * PT_SECOND;
	}
	/* The first was spent 10 s ago, the others 8, 6, 4 and 2. */
	for (int64_t generation = 2; generation <= ROTATIONS; generation++) {
		struct pt_token_ref spent = first;

		spent.generation = generation;
		again = refreshed(w, &spent, "app");
		same_token(&live, &again);
	}
	EXPECT(PT_E_REUSED, rotate(w, &first, "app"));
}

static void rotation_forgets_when_what_is_over_was_spent(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref second = refreshed(w, &first, "app");
	struct pt_rotate_act turn;
	struct pt_rotated got;

	w->now += 5 * PT_SECOND;
	turn = new_turn(w, &second, "app");
	turn.grace = 5 * PT_SECOND;
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
	EXPECT(PT_OK, rotate(w, &second, "app"));
	EXPECT(PT_E_REUSED, rotate(w, &first, "app"));
}

static void clock_behind_finds_what_was_spent_in_its_future(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app"), second, third, again;
	pt_time start = w->now;

	w->now = start + 5 * PT_SECOND;
	second = refreshed(w, &first, "app");
	w->now = start;
	again = refreshed(w, &first, "app");
	same_token(&second, &again);
	third = refreshed(w, &second, "app");
	w->now = start + 14 * PT_SECOND;
	again = refreshed(w, &first, "app");
	same_token(&third, &again);
	EXPECT(PT_E_REUSED, rotate(w, &second, "app"));
}

static void another_client_ends_even_a_family_that_expired(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");

	w->now += 30 * PT_DAY;
	EXPECT(PT_E_REFRESH_EXPIRED, rotate(w, &first, "app"));
	EXPECT(PT_E_REFRESH, rotate(w, &first, "other"));
	assert_int_equal(1, events(w, PT_EVENT_TOKEN_REUSED));
	EXPECT(PT_E_REFRESH, rotate(w, &first, "app"));
}

/* ---- what is told of it ---- */

/* Writes down what it is told, and says `answer` to an event of one kind. */
struct ear {
	struct pt_id owner;
	bool is_owner; /* ... of every event, which says so already */
	uint32_t heard;
	enum pt_event_kind kind;
	pt_err answer;
};

static pt_err hear(void *ctx, const struct pt_account *owner, struct pt_event *event)
{
	struct ear *ear = ctx;

	ear->is_owner &= strcmp(owner->id.text, ear->owner.text) == 0 &&
			 strcmp(event->account.text, ear->owner.text) == 0 &&
			 str_eq(owner->email, PT_STR("ann@Example.test"));
	ear->heard |= UINT32_C(1) << event->kind;
	event->email = owner->email;
	event->detail = PT_STR("told");
	return event->kind == ear->kind ? ear->answer : PT_OK;
}

static struct pt_rotate_act turn_with(
	const struct world *w, const struct pt_token_ref *presented, struct ear *ear)
{
	struct pt_rotate_act turn = new_turn(w, presented, "app");

	turn.spent_event = new_event(w, PT_EVENT_TOKEN_REVOKED);
	turn.tell = hear;
	turn.tell_ctx = ear;
	return turn;
}

static void told(struct world *w, const struct ear *ear, uint32_t kinds)
{
	assert_int_equal(kinds, ear->heard);
	assert_true(ear->is_owner);
	assert_string_equal(ear->owner.text, last_event(w).account.text);
	EXPECT_TEXT("ann@Example.test", last_event(w).email);
	EXPECT_TEXT("told", last_event(w).detail);
}

static void events_are_told_whose_they_are(void **state)
{
	struct world *w = *state;
	struct ear ear = { .owner = joined(w, "ann"), .is_owner = true };
	struct pt_token_ref first = token_of(w, &ear.owner, "ann", "app");
	struct pt_token_ref loose = loose_token_of(w, &ear.owner, "app");
	const struct pt_token_ref *shown[] = { &first, &loose };

	for (size_t i = 0; i < 2; i++) {
		struct pt_rotate_act turn = turn_with(w, shown[i], &ear);
		struct pt_rotated got;

		ear.heard = 0;
		EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
		told(w, &ear,
			1 << PT_EVENT_TOKEN_REFRESHED | UINT32_C(1) << PT_EVENT_TOKEN_REVOKED);

		ear.heard = 0;
		turn = turn_with(w, shown[i], &ear);
		turn.grace = 0;
		EXPECT(PT_E_REUSED, ACT(w, token_rotate, &turn, &got));
		told(w, &ear, 1 << PT_EVENT_TOKEN_REUSED);
	}
	assert_int_equal(2, events(w, PT_EVENT_TOKEN_REFRESHED));
	assert_int_equal(2, events(w, PT_EVENT_TOKEN_REVOKED));
	assert_int_equal(2, events(w, PT_EVENT_TOKEN_REUSED));
}

static void alarm_about_another_client_is_told_whose_it_is(void **state)
{
	struct world *w = *state;
	struct ear ear = { .owner = joined(w, "ann"), .is_owner = true };
	struct pt_token_ref first = token_of(w, &ear.owner, "ann", "app");
	struct pt_rotate_act turn = turn_with(w, &first, &ear);
	struct pt_rotated got;

	turn.client = PT_STR("other");
	EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
	told(w, &ear, 1 << PT_EVENT_TOKEN_REUSED);
}

static void event_that_is_none_is_not_told(void **state)
{
	struct world *w = *state;
	struct ear ear = { .owner = joined(w, "ann"), .is_owner = true };
	struct pt_token_ref first = token_of(w, &ear.owner, "ann", "app");
	struct pt_rotate_act turn = turn_with(w, &first, &ear);
	struct pt_rotated got;

	turn.spent_event.kind = 0;
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));
	told(w, &ear, 1 << PT_EVENT_TOKEN_REFRESHED);
	turn.grace = 0;
	turn.reuse_event.kind = 0;
	EXPECT(PT_E_REUSED, ACT(w, token_rotate, &turn, &got));
	told(w, &ear, 1 << PT_EVENT_TOKEN_REFRESHED);
}

static void fault_while_an_event_is_told_leaves_nothing(void **state)
{
	static const struct {
		enum pt_event_kind kind;
		const char *client;
		pt_time grace;
	} rows[] = {
		{ PT_EVENT_TOKEN_REFRESHED, "app", PT_MINUTE },
		{ PT_EVENT_TOKEN_REVOKED, "app", PT_MINUTE },
		{ PT_EVENT_TOKEN_REUSED, "app", 0 }, /* with the spent one */
		{ PT_EVENT_TOKEN_REUSED, "other", PT_MINUTE },
	};
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_token_ref second = refreshed(w, &first, "app"), again;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ear ear = { .owner = ann, .kind = rows[i].kind, .answer = PT_F_MEMORY };
		struct pt_rotate_act turn =
			turn_with(w, rows[i].grace == 0 ? &first : &second, &ear);
		struct pt_rotated got;

		turn.client = str(rows[i].client);
		turn.grace = rows[i].grace;
		EXPECT(PT_F_MEMORY, ACT(w, token_rotate, &turn, &got));
		assert_true(ear.heard & UINT32_C(1) << rows[i].kind);
	}
	again = refreshed(w, &first, "app");
	same_token(&second, &again);
	assert_int_equal(1, events(w, PT_EVENT_TOKEN_REFRESHED));
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REVOKED));
	assert_int_equal(0, events(w, PT_EVENT_TOKEN_REUSED));
}

/* ---- revoking ---- */

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
	cmocka_unit_test(generation_yet_to_come_is_refused_and_ends_nothing),
	cmocka_unit_test(another_secret_is_refused_and_ends_nothing),
	cmocka_unit_test(unproven_it_is_the_living_one_letter_by_letter_or_nothing),
	cmocka_unit_test(hash_of_the_first_is_kept_too),
	cmocka_unit_test(hash_beside_a_family_does_not_matter),
	cmocka_unit_test(token_of_another_tenant_is_refused_and_stays_what_it_is),
	cmocka_unit_test(spent_token_of_any_age_ends_the_family),
	cmocka_unit_test(so_many_rotations_are_remembered_within_the_grace),
	cmocka_unit_test(each_spent_token_has_its_own_grace),
	cmocka_unit_test(rotation_forgets_when_what_is_over_was_spent),
	cmocka_unit_test(clock_behind_finds_what_was_spent_in_its_future),
	cmocka_unit_test(another_client_ends_even_a_family_that_expired),
	cmocka_unit_test(events_are_told_whose_they_are),
	cmocka_unit_test(alarm_about_another_client_is_told_whose_it_is),
	cmocka_unit_test(event_that_is_none_is_not_told),
	cmocka_unit_test(fault_while_an_event_is_told_leaves_nothing),
	cmocka_unit_test(revoking_any_token_ends_its_family),
	cmocka_unit_test(revoking_an_unknown_token_leaves_no_event),
	cmocka_unit_test(foreign_token_where_no_program_keeps_any_is_refused),
};
CHAPTER(tokens);

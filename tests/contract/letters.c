/*
 * letters.c - the outbox.
 */
#include <string.h>

#include "chapters.h"
#include "world.h"

#include "base/banned.h"

/* A letter enters the outbox by an act that causes it; here, a ticket. */
static struct pt_letter posted(struct world *w, const struct pt_id *to)
{
	struct asking act = {
		.ticket = new_ticket(w, to, PT_TICKET_RESET, "ann"),
		.letter = new_letter(w, PT_LETTER_RESET, "ann@Example.test"),
	};

	act.letter.account = *to;
	EXPECT(PT_OK, asked(w, &act));
	return act.letter;
}

static pt_err claim(struct world *w, struct pt_letter *out)
{
	const struct pt_claim lease = { w->now, w->now + PT_MINUTE };

	return ACT(w, letter_claim, &lease, out);
}

static void done(struct world *w, const struct pt_letter *letter, enum pt_sent sent)
{
	const struct pt_letter_outcome outcome = { letter->id, sent, w->now, w->now + PT_HOUR,
		PT_STR("421 try again later") };

	EXPECT(PT_OK, ACT(w, letter_done, &outcome));
}

static struct pt_store_counts counted(struct world *w)
{
	struct pt_store_counts counts;

	EXPECT(PT_OK, ACT(w, counts, &counts));
	return counts;
}

static void everything_of_a_letter_comes_back(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_letter letter = posted(w, &ann), got;

	EXPECT(PT_OK, claim(w, &got));
	assert_string_equal(letter.id.text, got.id.text);
	assert_int_equal(PT_LETTER_RESET, got.kind);
	assert_string_equal(ann.text, got.account.text);
	EXPECT_TEXT("ann@Example.test", got.to);
	assert_true(str_eq(letter.sealed, got.sealed));
	assert_int_equal(letter.created_at, got.created_at);
	assert_int_equal(letter.not_after, got.not_after);
	assert_int_equal(1, got.attempts);
}

static void leased_letter_is_nobody_elses_until_the_lease_ends(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_letter letter = posted(w, &ann), got;

	EXPECT(PT_OK, claim(w, &got));
	w->now += PT_MINUTE - 1;
	EXPECT(PT_E_NOT_FOUND, claim(w, &got));
	w->now += 1;
	EXPECT(PT_OK, claim(w, &got));
	assert_string_equal(letter.id.text, got.id.text);
	assert_int_equal(2, got.attempts);
}

static void letter_that_is_due_longest_comes_first(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_letter one = posted(w, &ann), two, got;

	w->now += PT_SECOND;
	two = posted(w, &ann);
	EXPECT(PT_OK, claim(w, &got));
	assert_string_equal(one.id.text, got.id.text);
	EXPECT(PT_OK, claim(w, &got));
	assert_string_equal(two.id.text, got.id.text);
	EXPECT(PT_E_NOT_FOUND, claim(w, &got));
}

static void empty_outbox_has_no_letter(void **state)
{
	struct world *w = *state;
	struct pt_letter got;

	EXPECT(PT_E_NOT_FOUND, claim(w, &got));
	assert_int_equal(0, counted(w).letters_waiting);
	assert_int_equal(0, counted(w).oldest_waiting);
}

static void sent_letter_is_not_sent_again(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_letter letter = posted(w, &ann), got;

	assert_int_equal(1, counted(w).letters_waiting);
	assert_int_equal(letter.created_at, counted(w).oldest_waiting);
	EXPECT(PT_OK, claim(w, &got));
	done(w, &got, PT_SENT);
	w->now += PT_DAY / 2;
	EXPECT(PT_E_NOT_FOUND, claim(w, &got));
	assert_int_equal(0, counted(w).letters_waiting);
	assert_int_equal(0, counted(w).letters_dead);
	assert_int_equal(1, letters(w));
}

static void refused_letter_is_dead(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_letter got;

	posted(w, &ann);
	EXPECT(PT_OK, claim(w, &got));
	done(w, &got, PT_SENT_NEVER);
	w->now += PT_DAY / 2;
	EXPECT(PT_E_NOT_FOUND, claim(w, &got));
	assert_int_equal(0, counted(w).letters_waiting);
	assert_int_equal(1, counted(w).letters_dead);
}

static void later_and_misconfigured_come_back_when_told(void **state)
{
	static const enum pt_sent again[] = { PT_SENT_LATER, PT_SENT_MISCONFIGURED };
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_letter got;

	posted(w, &ann);
	for (int i = 0; i < 2; i++) {
		EXPECT(PT_OK, claim(w, &got));
		assert_int_equal(i + 1, got.attempts);
		done(w, &got, again[i]);
		w->now += PT_HOUR - 1;
		EXPECT(PT_E_NOT_FOUND, claim(w, &got));
		assert_int_equal(1, counted(w).letters_waiting);
		w->now += 1;
	}
	EXPECT(PT_OK, claim(w, &got));
}

static void letter_past_its_time_is_dropped_unsent(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_letter fresh, got;

	posted(w, &ann);
	w->now += PT_DAY;
	fresh = posted(w, &ann);
	EXPECT(PT_OK, claim(w, &got));
	assert_string_equal(fresh.id.text, got.id.text);
	assert_int_equal(1, counted(w).letters_dead);
	assert_int_equal(1, counted(w).letters_waiting);
}

static void dropped_letter_stays_dropped_when_none_is_left(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_letter got;

	posted(w, &ann);
	w->now += PT_DAY;
	EXPECT(PT_E_NOT_FOUND, claim(w, &got));
	assert_int_equal(1, counted(w).letters_dead);
	assert_int_equal(0, counted(w).letters_waiting);
}

static void outcome_of_a_letter_that_is_done_changes_nothing(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_letter letter = posted(w, &ann), got, stranger = { .id = new_id() };

	EXPECT(PT_OK, claim(w, &got));
	done(w, &letter, PT_SENT);
	done(w, &letter, PT_SENT_LATER);
	done(w, &letter, PT_SENT_NEVER);
	done(w, &stranger, PT_SENT_LATER);
	w->now += 2 * PT_HOUR;
	EXPECT(PT_E_NOT_FOUND, claim(w, &got));
	assert_int_equal(0, counted(w).letters_dead);
}

static void any_detail_is_taken(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_letter letter = posted(w, &ann);
	char noise[400];
	struct pt_letter_outcome outcome = { letter.id, PT_SENT_LATER, w->now, w->now,
		{ noise, 400 } };

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)i;
	EXPECT(PT_OK, ACT(w, letter_done, &outcome));
	/* "é" is two bytes: one of them is the two hundredth. */
	for (size_t i = 1; i + 1 < sizeof(noise); i += 2)
		memcpy(noise + i, "\xc3\xa9", 2);
	noise[0] = 'x';
	outcome.detail = str_n(noise, 399);
	EXPECT(PT_OK, ACT(w, letter_done, &outcome));
}

static void list_begins_with_the_newest(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_letter one = posted(w, &ann), two, *list;
	size_t n;

	w->now += PT_SECOND;
	two = posted(w, &ann);
	EXPECT(PT_OK, ACT(w, letter_list, 10, &list, &n));
	assert_int_equal(2, n);
	assert_string_equal(two.id.text, list[0].id.text);
	assert_string_equal(one.id.text, list[1].id.text);
	assert_true(str_eq(one.sealed, list[1].sealed));
	EXPECT(PT_OK, ACT(w, letter_list, 1, &list, &n));
	assert_int_equal(1, n);
	assert_string_equal(two.id.text, list[0].id.text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(everything_of_a_letter_comes_back),
	cmocka_unit_test(leased_letter_is_nobody_elses_until_the_lease_ends),
	cmocka_unit_test(letter_that_is_due_longest_comes_first),
	cmocka_unit_test(empty_outbox_has_no_letter),
	cmocka_unit_test(sent_letter_is_not_sent_again),
	cmocka_unit_test(refused_letter_is_dead),
	cmocka_unit_test(later_and_misconfigured_come_back_when_told),
	cmocka_unit_test(letter_past_its_time_is_dropped_unsent),
	cmocka_unit_test(dropped_letter_stays_dropped_when_none_is_left),
	cmocka_unit_test(outcome_of_a_letter_that_is_done_changes_nothing),
	cmocka_unit_test(any_detail_is_taken),
	cmocka_unit_test(list_begins_with_the_newest),
};
CHAPTER(letters);

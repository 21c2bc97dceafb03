/*
 * keeping.c - events, purging, checking.
 */
#include "chapters.h"
#include "world.h"

#include "base/banned.h"

static void purge(struct world *w)
{
	bool more = true;

	for (int i = 0; i < 100 && more; i++)
		EXPECT(PT_OK, ACT(w, purge, w->now, &more));
	assert_false(more);
}

static void everything_of_an_event_comes_back(void **state)
{
	struct world *w = *state;
	struct pt_event event = new_event(w, PT_EVENT_SIGNIN_LIMITED), got;

	event.account = new_id();
	event.actor = new_id();
	event.tenant = PT_STR("acme");
	event.email = PT_STR("ann@Example.test");
	event.actor_email = PT_STR("root@example.test");
	event.actor_name = PT_STR("Röot");
	EXPECT(PT_OK, ACT(w, event_record, &event));
	got = last_event(w);
	assert_string_equal(event.id.text, got.id.text);
	assert_int_equal(PT_EVENT_SIGNIN_LIMITED, got.kind);
	assert_string_equal(event.account.text, got.account.text);
	assert_int_equal(w->now, got.at);
	EXPECT_TEXT("192.0.2.0", got.client);
	EXPECT_TEXT("request-1", got.request);
	EXPECT_TEXT("contract", got.detail);
	assert_string_equal(event.actor.text, got.actor.text);
	EXPECT_TEXT("acme", got.tenant);
	EXPECT_TEXT("ann@Example.test", got.email);
	EXPECT_TEXT("root@example.test", got.actor_email);
	EXPECT_TEXT("Röot", got.actor_name);
}

static void events_come_newest_first_and_by_account(void **state)
{
	struct world *w = *state;
	struct pt_id ann = new_id(), bob = new_id(), anybody = { "" };
	const struct pt_id *owners[] = { &ann, &bob, &ann, &anybody };
	struct pt_event events[4], *list;
	size_t n;

	for (size_t i = 0; i < 4; i++) {
		events[i] = new_event(w, PT_EVENT_SIGNIN);
		events[i].account = *owners[i];
		EXPECT(PT_OK, ACT(w, event_record, &events[i]));
	}
	EXPECT(PT_OK, ACT(w, event_list, &anybody, 3, &list, &n));
	assert_int_equal(3, n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(events[3 - i].id.text, list[i].id.text);
	EXPECT(PT_OK, ACT(w, event_list, &ann, 10, &list, &n));
	assert_int_equal(2, n);
	assert_string_equal(events[2].id.text, list[0].id.text);
	assert_string_equal(events[0].id.text, list[1].id.text);
}

static void event_of_no_kind_is_not_recorded(void **state)
{
	struct world *w = *state;
	struct pt_event none = { .kind = 0 };

	EXPECT(PT_OK, ACT(w, event_record, &none));
	assert_int_equal(0, events(w, 0));
}

static void purge_of_an_empty_store_has_nothing_to_do(void **state)
{
	purge(*state);
}

static void purge_leaves_what_lives(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash session = session_of(w, &ann, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_VERIFY, "ann");
	struct pt_token_ref second = refreshed(w, &first, "app");
	const struct pt_limit limit = { new_hash(), 1, PT_MINUTE };
	const struct pt_limit_act try = { &limit, 1, w->now };
	size_t posted = letters(w);
	struct pt_rotate_act turn;
	struct pt_rotated got;
	pt_time wait;

	EXPECT(PT_OK, ACT(w, limit_spend, &try, &wait));
	purge(w);
	assert_true(session_lives(w, &session));
	assert_true(ticket_lives(w, &ticket, PT_TICKET_VERIFY));
	EXPECT(PT_E_LIMITED, ACT(w, limit_spend, &try, &wait));
	assert_int_equal(posted, letters(w));
	refreshed(w, &second, "app");

	/* That the first was spent must stay known as long as it could be presented: it tells a thief. */
	w->now += PT_DAY;
	purge(w);
	turn = new_turn(w, &first, "app");
	EXPECT(PT_E_REUSED, ACT(w, token_rotate, &turn, &got));
}

static void purge_takes_what_has_expired(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash session = session_of(w, &ann, "ann");
	struct pt_token_ref token = token_of(w, &ann, "ann", "app");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_VERIFY, "ann");
	const struct pt_claim claim = { w->now, w->now };
	struct pt_letter letter;
	struct pt_letter_outcome outcome = { .sent = PT_SENT, .now = w->now };
	pt_time start = w->now;
	struct pt_rotate_act turn;
	struct pt_rotated got;

	EXPECT(PT_OK, ACT(w, letter_claim, &claim, &letter));
	outcome.id = letter.id;
	EXPECT(PT_OK, ACT(w, letter_done, &outcome));
	w->now += 7 * PT_DAY - 1;
	purge(w);
	assert_int_equal(1, letters(w));
	w->now = start + 31 * PT_DAY;
	purge(w);

	/* Whoever comes with an older clock finds that they are gone, and not only expired. */
	w->now = start;
	assert_false(session_lives(w, &session));
	assert_false(ticket_lives(w, &ticket, PT_TICKET_VERIFY));
	turn = new_turn(w, &token, "app");
	EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
	assert_int_equal(0, letters(w));
	assert_true(account_is_there(w, &ann));
}

static void purge_knows_that_a_rotation_moved_the_end_of_a_family(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref first = token_of(w, &ann, "ann", "app"), second;
	struct pt_rotate_act turn;
	struct pt_rotated got;
	pt_time start = w->now;

	w->now += 20 * PT_DAY;
	second = refreshed(w, &first, "app");
	w->now = start + 50 * PT_DAY - 1;
	purge(w);
	turn = new_turn(w, &second, "app");
	turn.lifetime = PT_HOUR;
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &got));

	/* A day late at most. */
	w->now += PT_HOUR + PT_DAY;
	purge(w);
	EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
}

/* At each hour of a day: wherever days begin, some of them end near a family's own end. */
static void purge_never_takes_a_living_family(void **state)
{
	enum { HOURS = 24 };
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_token_ref tokens[HOURS];
	pt_time start = w->now;

	for (size_t i = 0; i < HOURS; i++) {
		w->now = start + (pt_time)i * PT_HOUR;
		tokens[i] =
			i % 2 ? loose_token_of(w, &ann, "app") : token_of(w, &ann, "ann", "app");
	}
	for (size_t i = 0; i < HOURS; i++) {
		w->now = start + (pt_time)i * PT_HOUR + 30 * PT_DAY - 1;
		purge(w);
		refreshed(w, &tokens[i], "app");
	}
}

static void purge_takes_loose_tokens_with_their_family(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	const struct pt_import_token token = new_loose_token(w, &ann, "app");
	const struct pt_import batch = {
		.tokens = &token, .n_tokens = 1, .source = PT_STR("gotrue"), .mark = PT_STR("1")
	};
	struct pt_import_count count;

	EXPECT(PT_OK, ACT(w, import, &batch, &count));
	assert_int_equal(1, count.added);
	w->now += 31 * PT_DAY;
	purge(w);
	EXPECT(PT_OK, ACT(w, import, &batch, &count));
	assert_int_equal(1, count.added);
}

static void purge_leaves_waiting_letters_however_old(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");

	issued(w, &ann, PT_TICKET_VERIFY, "ann");
	w->now += 30 * PT_DAY;
	purge(w);
	assert_int_equal(1, letters(w));
}

static void purge_works_in_pieces(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash hash = new_hash();

	for (int i = 0; i < 1203; i++)
		hash = session_of(w, &ann, "ann");
	w->now += 2 * PT_DAY;
	purge(w);
	w->now -= 2 * PT_DAY;
	assert_false(session_lives(w, &hash));
}

static void check_finds_nothing_wrong_and_changes_nothing(void **state)
{
	struct world *w = *state;
	pt_str why = PT_STR("untouched");

	EXPECT(PT_OK, ACT(w, check, &why));
	EXPECT_TEXT("untouched", why);
	assert_int_equal(0, events(w, PT_EVENT_SIGNUP));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(everything_of_an_event_comes_back),
	cmocka_unit_test(events_come_newest_first_and_by_account),
	cmocka_unit_test(event_of_no_kind_is_not_recorded),
	cmocka_unit_test(purge_of_an_empty_store_has_nothing_to_do),
	cmocka_unit_test(purge_leaves_what_lives),
	cmocka_unit_test(purge_takes_what_has_expired),
	cmocka_unit_test(purge_knows_that_a_rotation_moved_the_end_of_a_family),
	cmocka_unit_test(purge_never_takes_a_living_family),
	cmocka_unit_test(purge_takes_loose_tokens_with_their_family),
	cmocka_unit_test(purge_leaves_waiting_letters_however_old),
	cmocka_unit_test(purge_works_in_pieces),
	cmocka_unit_test(check_finds_nothing_wrong_and_changes_nothing),
};
CHAPTER(keeping);

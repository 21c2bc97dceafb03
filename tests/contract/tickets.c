/*
 * tickets.c - secrets that travel by mail: confirming an address, choosing a new password.
 */
#include "chapters.h"
#include "world.h"

#include "base/banned.h"

static struct pt_reset_act new_reset(
	const struct world *w, const struct pt_hash *ticket, const struct pt_id *id)
{
	struct pt_reset_act act = {
		.ticket = *ticket,
		.account = *id,
		.seen_password = PT_STR("hash of ann"),
		.new_password = PT_STR("new hash of ann"),
		.now = w->now,
		.has_letter = true,
		.letter = new_letter(w, PT_LETTER_PASSWORD_CHANGED, "ann@Example.test"),
		.event = new_event(w, PT_EVENT_PASSWORD_RESET),
	};

	act.letter.account = *id;
	return act;
}

static struct pt_confirm_act new_confirm(const struct world *w, const struct pt_hash *ticket)
{
	return (struct pt_confirm_act){ *ticket, w->now, new_event(w, PT_EVENT_CONFIRMED) };
}

static void everything_of_a_ticket_comes_back(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct asking act = {
		.ticket = new_ticket(w, &ann, PT_TICKET_RESET, "ann"),
		.letter = new_letter(w, PT_LETTER_RESET, "ann@Example.test"),
		.event = new_event(w, PT_EVENT_RECOVER_ASKED),
	};
	struct pt_ticket_record got;

	EXPECT(PT_OK, asked(w, &act));
	EXPECT(PT_OK, ACT(w, ticket_find, &act.ticket.hash, PT_TICKET_RESET, w->now, &got));
	assert_memory_equal(&act.ticket.hash, &got.ticket.hash, sizeof(got.ticket.hash));
	assert_memory_equal(&act.ticket.bound, &got.ticket.bound, sizeof(got.ticket.bound));
	assert_int_equal(PT_TICKET_RESET, got.ticket.kind);
	assert_string_equal(ann.text, got.ticket.account.text);
	EXPECT_TEXT("ann@example.test", got.ticket.email_key);
	assert_int_equal(act.ticket.created_at, got.ticket.created_at);
	assert_int_equal(act.ticket.expires_at, got.ticket.expires_at);
	EXPECT_TEXT("hash of ann", got.owner.password);
	EXPECT_TEXT("ann", got.owner.account.username);
	assert_int_equal(1, letters(w));
	assert_int_equal(PT_EVENT_RECOVER_ASKED, last_event(w).kind);
}

static void ticket_for_nobody_is_not_found(void **state)
{
	struct world *w = *state;
	struct pt_id nobody = new_id();
	struct asking act = {
		.ticket = new_ticket(w, &nobody, PT_TICKET_RESET, "ann"),
		.letter = new_letter(w, PT_LETTER_RESET, "ann@Example.test"),
		.event = new_event(w, PT_EVENT_RECOVER_ASKED),
	};

	EXPECT(PT_E_NOT_FOUND, asked(w, &act));
	assert_int_equal(0, letters(w));
	assert_int_equal(0, events(w, PT_EVENT_RECOVER_ASKED));
}

static void new_ticket_ends_older_ones_of_its_kind_and_account(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann"), bob = joined(w, "bob");
	struct pt_hash older = issued(w, &ann, PT_TICKET_RESET, "ann");
	struct pt_hash other_kind = issued(w, &ann, PT_TICKET_VERIFY, "ann");
	struct pt_hash others = issued(w, &bob, PT_TICKET_RESET, "bob");
	struct pt_hash newer = issued(w, &ann, PT_TICKET_RESET, "ann");

	assert_false(ticket_lives(w, &older, PT_TICKET_RESET));
	assert_true(ticket_lives(w, &newer, PT_TICKET_RESET));
	assert_true(ticket_lives(w, &other_kind, PT_TICKET_VERIFY));
	assert_true(ticket_lives(w, &others, PT_TICKET_RESET));
}

static void ticket_of_another_kind_unknown_or_expired_is_refused(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_RESET, "ann"), other = new_hash();

	assert_false(ticket_lives(w, &ticket, PT_TICKET_VERIFY));
	assert_false(ticket_lives(w, &other, PT_TICKET_RESET));
	w->now += PT_HOUR - 1;
	assert_true(ticket_lives(w, &ticket, PT_TICKET_RESET));
	w->now += 1;
	assert_false(ticket_lives(w, &ticket, PT_TICKET_RESET));
}

static pt_err find(struct world *w, const struct pt_hash *hash, enum pt_ticket_kind kind)
{
	struct pt_ticket_record record;

	return ACT(w, ticket_find, hash, kind, w->now, &record);
}

static void purge(struct world *w)
{
	bool more = true;

	while (more)
		EXPECT(PT_OK, ACT(w, purge, w->now, &more));
}

static void expired_ticket_is_told_apart_for_a_week(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_VERIFY, "ann");
	struct pt_confirm_act act = { ticket, w->now, new_event(w, PT_EVENT_CONFIRMED) };
	struct pt_id id;

	w->now += PT_HOUR;
	purge(w);
	EXPECT(PT_E_TICKET_EXPIRED, find(w, &ticket, PT_TICKET_VERIFY));
	EXPECT(PT_E_TICKET, find(w, &ticket, PT_TICKET_RESET));
	act.now = w->now;
	EXPECT(PT_E_TICKET, ACT(w, account_confirm, &act, &id));
	w->now += 7 * PT_DAY - 1;
	purge(w);
	EXPECT(PT_E_TICKET_EXPIRED, find(w, &ticket, PT_TICKET_VERIFY));
	w->now += 1;
	EXPECT(PT_E_TICKET, find(w, &ticket, PT_TICKET_VERIFY));
	purge(w);
	EXPECT(PT_E_TICKET, find(w, &ticket, PT_TICKET_VERIFY));
}

static void expired_ticket_of_an_account_that_is_gone_is_none(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_VERIFY, "ann");
	struct pt_event event = { .kind = 0 };

	w->now += PT_HOUR;
	EXPECT(PT_OK, ACT(w, account_remove, &ann, w->now, &event, NULL));
	EXPECT(PT_E_TICKET, find(w, &ticket, PT_TICKET_VERIFY));
}

static void finding_a_ticket_does_not_take_it(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_RESET, "ann");

	assert_true(ticket_lives(w, &ticket, PT_TICKET_RESET));
	assert_true(ticket_lives(w, &ticket, PT_TICKET_RESET));
}

static void confirming_verifies_once_and_may_be_repeated(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann"), got = { "" };
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_VERIFY, "ann");
	struct pt_confirm_act act = new_confirm(w, &ticket);

	EXPECT(PT_OK, ACT(w, account_confirm, &act, &got));
	assert_string_equal(ann.text, got.text);
	assert_int_equal(w->now, account(w, &ann).account.email_verified_at);
	assert_int_equal(PT_EVENT_CONFIRMED, last_event(w).kind);
	assert_string_equal(ann.text, last_event(w).account.text);

	act.now += PT_MINUTE;
	EXPECT(PT_OK, ACT(w, account_confirm, &act, &got));
	assert_int_equal(w->now, account(w, &ann).account.email_verified_at);
	assert_int_equal(1, events(w, PT_EVENT_CONFIRMED));

	act.now = w->now + PT_HOUR;
	EXPECT(PT_E_TICKET, ACT(w, account_confirm, &act, &got));
}

static void linked(struct world *w, const struct pt_id *id, bool verified)
{
	struct pt_account_record after;
	const struct pt_amend amend = {
		.account = *id,
		.now = w->now,
		.has_identity = true,
		.identity = { PT_STR("github"), PT_STR("4711") },
		.has_verified = verified,
		.verified = verified,
	};

	EXPECT(PT_OK, ACT(w, account_amend, &amend, &after));
}

static bool is_linked(struct world *w)
{
	const struct pt_account_query query = {
		.by = PT_BY_IDENTITY, .key = PT_STR("4711"), .provider = PT_STR("github")
	};
	struct pt_account_record found;
	pt_err err = ACT(w, account_find, &query, &found);

	assert_true(err == PT_OK || err == PT_E_NOT_FOUND);
	return err == PT_OK;
}

/* Whoever linked it had not shown that the mailbox is his. */
static void confirming_ends_what_was_linked_before(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann"), got;
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_VERIFY, "ann");
	struct pt_confirm_act act = new_confirm(w, &ticket);

	linked(w, &ann, false);
	assert_true(is_linked(w));
	EXPECT(PT_OK, ACT(w, account_confirm, &act, &got));
	assert_false(is_linked(w));
	linked(w, &ann, false);
	EXPECT(PT_OK, ACT(w, account_confirm, &act, &got));
	assert_true(is_linked(w));
}

static void reset_that_confirms_ends_what_was_linked_before(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_RESET, "ann");
	struct pt_reset_act act = new_reset(w, &ticket, &ann);

	linked(w, &ann, false);
	EXPECT(PT_OK, ACT(w, password_reset, &act));
	assert_false(is_linked(w));
}

static void reset_of_a_confirmed_account_leaves_what_is_linked(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_RESET, "ann");
	struct pt_reset_act act = new_reset(w, &ticket, &ann);

	linked(w, &ann, true);
	EXPECT(PT_OK, ACT(w, password_reset, &act));
	assert_true(is_linked(w));
}

static void reset_ticket_does_not_confirm(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann"), got;
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_RESET, "ann");
	struct pt_confirm_act act = new_confirm(w, &ticket);

	EXPECT(PT_E_TICKET, ACT(w, account_confirm, &act, &got));
	assert_int_equal(0, account(w, &ann).account.email_verified_at);
	assert_int_equal(0, events(w, PT_EVENT_CONFIRMED));
}

static void ticket_mailed_to_another_address_does_not_confirm(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann"), got;
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_VERIFY, "formerly");
	struct pt_confirm_act act = new_confirm(w, &ticket);

	EXPECT(PT_E_TICKET, ACT(w, account_confirm, &act, &got));
	assert_int_equal(0, account(w, &ann).account.email_verified_at);
}

static void reset_sets_the_password_and_signs_out_everywhere(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann"), bob = joined(w, "bob");
	struct pt_hash session = session_of(w, &ann, "ann"), others = session_of(w, &bob, "bob");
	struct pt_token_ref token = token_of(w, &ann, "ann", "app");
	struct pt_hash verify = issued(w, &ann, PT_TICKET_VERIFY, "ann");
	struct pt_hash change = issued(w, &ann, PT_TICKET_EMAIL_CHANGE, "another");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_RESET, "ann");
	struct pt_reset_act act = new_reset(w, &ticket, &ann);
	struct pt_rotate_act turn = new_turn(w, &token, "app");
	struct pt_rotated got;

	EXPECT(PT_OK, ACT(w, password_reset, &act));
	EXPECT_TEXT("new hash of ann", account(w, &ann).password);
	assert_int_equal(w->now, account(w, &ann).account.email_verified_at);
	assert_false(session_lives(w, &session));
	assert_true(session_lives(w, &others));
	EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
	assert_true(ticket_lives(w, &verify, PT_TICKET_VERIFY));
	assert_false(ticket_lives(w, &change, PT_TICKET_EMAIL_CHANGE));
	assert_int_equal(PT_LETTER_PASSWORD_CHANGED, last_letter(w).kind);
	assert_int_equal(PT_EVENT_PASSWORD_RESET, last_event(w).kind);
	assert_string_equal(ann.text, last_event(w).account.text);
}

static void reset_ticket_is_taken_once(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_RESET, "ann");
	struct pt_reset_act act = new_reset(w, &ticket, &ann);

	EXPECT(PT_OK, ACT(w, password_reset, &act));
	act = new_reset(w, &ticket, &ann);
	act.seen_password = PT_STR("new hash of ann");
	act.new_password = PT_STR("third");
	EXPECT(PT_E_TICKET, ACT(w, password_reset, &act));
	EXPECT_TEXT("new hash of ann", account(w, &ann).password);
	assert_int_equal(1, events(w, PT_EVENT_PASSWORD_RESET));
}

static void expired_or_wrong_reset_changes_nothing(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann"), bob = joined(w, "bob");
	struct pt_hash session = session_of(w, &ann, "ann");
	struct pt_hash verify = issued(w, &ann, PT_TICKET_VERIFY, "ann");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_RESET, "ann");
	size_t before = letters(w);
	struct pt_reset_act act = new_reset(w, &verify, &ann);

	EXPECT(PT_E_TICKET, ACT(w, password_reset, &act));
	act = new_reset(w, &ticket, &bob);
	act.seen_password = PT_STR("hash of bob");
	EXPECT(PT_E_TICKET, ACT(w, password_reset, &act));
	act = new_reset(w, &ticket, &ann);
	act.now += PT_HOUR;
	EXPECT(PT_E_TICKET, ACT(w, password_reset, &act));
	act = new_reset(w, &ticket, &ann);
	act.seen_password = PT_STR("an older hash");
	EXPECT(PT_E_TICKET, ACT(w, password_reset, &act));

	EXPECT_TEXT("hash of ann", account(w, &ann).password);
	EXPECT_TEXT("hash of bob", account(w, &bob).password);
	assert_true(session_lives(w, &session));
	assert_int_equal(before, letters(w));
	assert_int_equal(0, events(w, PT_EVENT_PASSWORD_RESET));
	/* A refusal took nothing: the ticket still does what it is for. */
	act = new_reset(w, &ticket, &ann);
	EXPECT(PT_OK, ACT(w, password_reset, &act));
}

static void reset_ticket_mailed_to_another_address_is_refused(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_RESET, "formerly");
	struct pt_reset_act act = new_reset(w, &ticket, &ann);

	EXPECT(PT_E_TICKET, ACT(w, password_reset, &act));
	EXPECT_TEXT("hash of ann", account(w, &ann).password);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(everything_of_a_ticket_comes_back),
	cmocka_unit_test(ticket_for_nobody_is_not_found),
	cmocka_unit_test(new_ticket_ends_older_ones_of_its_kind_and_account),
	cmocka_unit_test(ticket_of_another_kind_unknown_or_expired_is_refused),
	cmocka_unit_test(expired_ticket_is_told_apart_for_a_week),
	cmocka_unit_test(expired_ticket_of_an_account_that_is_gone_is_none),
	cmocka_unit_test(finding_a_ticket_does_not_take_it),
	cmocka_unit_test(confirming_verifies_once_and_may_be_repeated),
	cmocka_unit_test(confirming_ends_what_was_linked_before),
	cmocka_unit_test(reset_that_confirms_ends_what_was_linked_before),
	cmocka_unit_test(reset_of_a_confirmed_account_leaves_what_is_linked),
	cmocka_unit_test(reset_ticket_does_not_confirm),
	cmocka_unit_test(ticket_mailed_to_another_address_does_not_confirm),
	cmocka_unit_test(reset_sets_the_password_and_signs_out_everywhere),
	cmocka_unit_test(reset_ticket_is_taken_once),
	cmocka_unit_test(expired_or_wrong_reset_changes_nothing),
	cmocka_unit_test(reset_ticket_mailed_to_another_address_is_refused),
};
CHAPTER(tickets);

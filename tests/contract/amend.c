/*
 * amend.c - one act on one account: what must hold, what changes, what ends and begins.
 */
#include "chapters.h"
#include "world.h"

#include "base/banned.h"

static struct pt_amend new_amend(const struct world *w, const struct pt_id *id)
{
	return (struct pt_amend){
		.account = *id, .now = w->now, .events = { new_event(w, PT_EVENT_ACCOUNT_CHANGED) }
	};
}

static struct pt_amend with_ticket(const struct world *w, const struct pt_id *id,
	const struct pt_hash *ticket, enum pt_ticket_kind kind)
{
	struct pt_amend amend = new_amend(w, id);

	amend.has_ticket = true;
	amend.ticket = *ticket;
	amend.ticket_kind = kind;
	return amend;
}

/* Ann as she is in every test that refuses: nothing of her moves. */
static void refuses(struct world *w, pt_err wanted, struct pt_amend amend)
{
	const struct pt_account_record before = account(w, &amend.account);
	struct pt_account_record after;

	amend.has_password = true;
	amend.password = PT_STR("another");
	amend.ends = PT_END_ALL;
	amend.has_letter = true;
	amend.letter = new_letter(w, PT_LETTER_PASSWORD_CHANGED, "ann@Example.test");
	EXPECT(wanted, ACT(w, account_amend, &amend, &after));
	after = account(w, &amend.account);
	EXPECT_TEXT("hash of ann", after.password);
	assert_int_equal(before.account.updated_at, after.account.updated_at);
	assert_int_equal(0, events(w, PT_EVENT_ACCOUNT_CHANGED));
}

/* ---- what changes ---- */

static void everything_that_changes_is_in_the_answer_and_stays(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_amend amend = new_amend(w, &ann);
	struct pt_account_record after, got;

	w->now += PT_HOUR;
	amend.now = w->now;
	amend.has_password = amend.has_email = amend.has_new_email = amend.has_verified = true;
	amend.has_disabled = amend.has_role = amend.has_super_admin = amend.signed_in = true;
	amend.verified = amend.disabled = amend.super_admin = true;
	amend.password = PT_STR("better");
	amend.email = PT_STR("Bob@Example.test");
	amend.email_key = PT_STR("bob@example.test");
	amend.new_email = PT_STR("Eve@Example.test");
	amend.new_email_key = PT_STR("eve@example.test");
	amend.role = PT_STR("admin");
	amend.app_metadata = (struct pt_metadata){ PT_METADATA_REPLACE, PT_STR("{\"p\":1}") };
	amend.user_metadata = (struct pt_metadata){ PT_METADATA_MERGE, PT_STR("{\"u\":2}") };
	amend.invited_at = 1;
	amend.confirm_sent_at = 2;
	amend.recover_sent_at = 3;
	amend.email_change_sent_at = 4;
	EXPECT(PT_OK, ACT(w, account_amend, &amend, &after));
	got = account(w, &ann);

	for (int i = 0; i < 2; i++, after = got) {
		EXPECT_TEXT("better", after.password);
		EXPECT_TEXT("Bob@Example.test", after.account.email);
		EXPECT_TEXT("bob@example.test", after.account.email_key);
		EXPECT_TEXT("Eve@Example.test", after.account.new_email);
		EXPECT_TEXT("eve@example.test", after.account.new_email_key);
		EXPECT_TEXT("admin", after.account.role);
		EXPECT_TEXT("{\"p\":1}", after.account.app_metadata);
		EXPECT_TEXT("{\"u\":2}", after.account.user_metadata);
		EXPECT_TEXT("ann", after.account.username);
		assert_true(after.account.super_admin);
		assert_int_equal(w->now, after.account.email_verified_at);
		assert_int_equal(w->now, after.account.disabled_at);
		assert_int_equal(w->now, after.account.updated_at);
		assert_int_equal(w->now, after.account.last_signin_at);
		assert_int_equal(1, after.account.signin_count);
		assert_int_equal(1, after.account.invited_at);
		assert_int_equal(2, after.account.confirm_sent_at);
		assert_int_equal(3, after.account.recover_sent_at);
		assert_int_equal(4, after.account.email_change_sent_at);
	}
}

static void signing_in_forgets_the_failures_before_it(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	const struct pt_signin_failure failure = { ann, { .kind = 0 } };
	struct pt_amend amend = new_amend(w, &ann);
	pt_time joined_at = w->now;

	EXPECT(PT_OK, ACT(w, signin_fail, &failure));
	amend.now = w->now += PT_HOUR;
	amend.signed_in = true;
	EXPECT(PT_OK, amended(w, &amend));
	assert_int_equal(0, account(w, &ann).account.failed_signins);
	assert_int_equal(w->now, account(w, &ann).account.last_signin_at);
	assert_int_equal(joined_at, account(w, &ann).account.updated_at);
}

static void empty_amendment_changes_nothing_and_tells_of_it(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash session = session_of(w, &ann, "ann");
	struct pt_amend amend = new_amend(w, &ann);
	pt_time joined_at = w->now;

	amend.now = w->now += PT_HOUR;
	EXPECT(PT_OK, amended(w, &amend));
	assert_int_equal(joined_at, account(w, &ann).account.updated_at);
	EXPECT_TEXT("hash of ann", account(w, &ann).password);
	assert_true(session_lives(w, &session));
	assert_int_equal(1, events(w, PT_EVENT_ACCOUNT_CHANGED));
}

static void what_is_set_can_be_unset(void **state)
{
	struct world *w = *state;
	struct pt_join join = new_join(w, "ann");
	struct pt_amend amend;
	struct pt_id ann;

	join.account.new_email = PT_STR("Eve@Example.test");
	join.account.new_email_key = PT_STR("eve@example.test");
	join.account.role = PT_STR("admin");
	join.account.super_admin = true;
	join.account.disabled_at = join.account.email_verified_at = 5;
	EXPECT(PT_OK, ACT(w, account_join, &join, &ann));
	amend = new_amend(w, &ann);
	amend.has_new_email = amend.has_role = amend.has_super_admin = true;
	amend.has_disabled = amend.has_verified = amend.has_password = true;
	EXPECT(PT_OK, amended(w, &amend));
	EXPECT_TEXT("", account(w, &ann).account.new_email_key);
	EXPECT_TEXT("", account(w, &ann).account.role);
	EXPECT_TEXT("", account(w, &ann).password);
	assert_false(account(w, &ann).account.super_admin);
	assert_int_equal(0, account(w, &ann).account.disabled_at);
	assert_int_equal(0, account(w, &ann).account.email_verified_at);
}

static void metadata_is_merged_one_level_deep(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_amend amend = new_amend(w, &ann);

	amend.user_metadata.change = PT_METADATA_MERGE;
	amend.user_metadata.json = PT_STR("{\"a\":1,\"b\":{\"x\":1},\"c\":null}");
	EXPECT(PT_OK, amended(w, &amend));
	EXPECT_TEXT("{\"a\":1,\"b\":{\"x\":1}}", account(w, &ann).account.user_metadata);
	amend.events[0].id = new_id();
	amend.user_metadata.json = PT_STR("{\"b\":{\"y\":2},\"a\":null,\"d\":4}");
	EXPECT(PT_OK, amended(w, &amend));
	EXPECT_TEXT("{\"b\":{\"y\":2},\"d\":4}", account(w, &ann).account.user_metadata);
	EXPECT_TEXT("", account(w, &ann).account.app_metadata);
	amend.events[0].kind = 0;
	amend.user_metadata.change = PT_METADATA_REPLACE;
	amend.user_metadata.json = PT_STR("{\"e\":5,\"f\":null}");
	EXPECT(PT_OK, amended(w, &amend));
	EXPECT_TEXT("{\"e\":5}", account(w, &ann).account.user_metadata);
}

static void metadata_that_grows_too_large_is_refused(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_amend amend = new_amend(w, &ann);
	char large[PT_METADATA_MAX];

	memset(large, 'x', sizeof(large));
	memcpy(large, "{\"a\":\"", 6);
	memcpy(large + sizeof(large) - 2, "\"}", 2);
	amend.user_metadata = (struct pt_metadata){ PT_METADATA_MERGE, { large, sizeof(large) } };
	EXPECT(PT_OK, amended(w, &amend));
	amend.events[0].kind = 0;
	amend.user_metadata.json = PT_STR("{\"b\":1}");
	EXPECT(PT_E_METADATA, amended(w, &amend));
	assert_int_equal(sizeof(large), account(w, &ann).account.user_metadata.n);
	amend.user_metadata.json = PT_STR("[]");
	EXPECT(PT_E_METADATA, amended(w, &amend));
	amend.user_metadata.change = PT_METADATA_REPLACE;
	EXPECT(PT_E_METADATA, amended(w, &amend));
	assert_int_equal(sizeof(large), account(w, &ann).account.user_metadata.n);
}

static void address_of_another_account_is_taken(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann"), bob = joined(w, "bob");
	struct pt_amend amend = new_amend(w, &ann);

	amend.has_email = true;
	amend.email = amend.email_key = PT_STR("bob@example.test");
	refuses(w, PT_E_TAKEN, amend);
	EXPECT_TEXT("ann@example.test", account(w, &ann).account.email_key);
	amend.email = amend.email_key = PT_STR("ann@example.test");
	EXPECT(PT_OK, amended(w, &amend));
	assert_true(account_is_there(w, &bob));
}

static void identity_is_linked_once(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann"), bob = joined(w, "bob");
	struct pt_amend amend = new_amend(w, &bob);
	const struct pt_account_query elsewhere = { { NULL, 0 }, { NULL, 0 }, PT_BY_IDENTITY,
		PT_STR("4711"), PT_STR("github") };
	struct pt_account_record found;

	amend.has_identity = true;
	amend.identity = (struct pt_identity){ PT_STR("github"), PT_STR("4711") };
	amend.events[0].kind = 0;
	EXPECT(PT_OK, amended(w, &amend));
	EXPECT(PT_OK, amended(w, &amend));
	EXPECT(PT_OK, ACT(w, account_find, &elsewhere, &found));
	assert_string_equal(bob.text, found.account.id.text);
	amend.account = ann;
	refuses(w, PT_E_TAKEN, amend);
	EXPECT(PT_OK, ACT(w, account_find, &elsewhere, &found));
	assert_string_equal(bob.text, found.account.id.text);
}

/* ---- what must hold ---- */

static void what_was_judged_must_still_be_so(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_amend amend = new_amend(w, &ann);

	amend.has_seen_password = true;
	amend.seen_password = PT_STR("hash of an");
	refuses(w, PT_E_CREDENTIALS, amend);
	amend.seen_password = PT_STR("hash of ann");
	amend.has_seen_email = true;
	amend.seen_email_key = PT_STR("bob@example.test");
	refuses(w, PT_E_NOT_FOUND, amend);
	amend.seen_email_key = PT_STR("ann@example.test");
	amend.unconfirmed = amend.enabled = true;
	EXPECT(PT_OK, amended(w, &amend));
}

static void confirmed_or_disabled_account_is_refused_where_it_must_not_be(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_amend amend = new_amend(w, &ann);

	amend.events[0].kind = 0;
	amend.has_verified = amend.verified = amend.has_disabled = amend.disabled = true;
	EXPECT(PT_OK, amended(w, &amend));
	amend = new_amend(w, &ann);
	amend.unconfirmed = true;
	refuses(w, PT_E_TAKEN, amend);
	amend.unconfirmed = false;
	amend.enabled = true;
	refuses(w, PT_E_DISABLED, amend);
}

static void nobody_is_not_found(void **state)
{
	struct world *w = *state;
	struct pt_id nobody = new_id(), none = { "" };
	struct pt_amend amend = new_amend(w, &nobody);

	EXPECT(PT_E_NOT_FOUND, amended(w, &amend));
	amend.account = none;
	EXPECT(PT_E_NOT_FOUND, amended(w, &amend));
	assert_int_equal(0, events(w, PT_EVENT_ACCOUNT_CHANGED));
}

static void ticket_is_spent_by_the_act_it_allows(void **state)
{
	static const enum pt_ticket_kind kinds[] = { PT_TICKET_VERIFY, PT_TICKET_RESET,
		PT_TICKET_INVITE };
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct pt_hash ticket = issued(w, &ann, kinds[i], "ann");
		struct pt_amend amend = with_ticket(w, &ann, &ticket, kinds[i]);

		EXPECT(PT_OK, amended(w, &amend));
		EXPECT(PT_E_TICKET, amended(w, &amend));
		assert_false(ticket_lives(w, &ticket, kinds[i]));
	}
	assert_int_equal(3, events(w, PT_EVENT_ACCOUNT_CHANGED));
}

static void ticket_that_is_not_the_right_one_is_refused(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann"), bob = joined(w, "bob");
	struct pt_hash anns = issued(w, &ann, PT_TICKET_RESET, "ann"), unknown = new_hash();
	/* Hers by its address, and yet another account's. */
	struct pt_hash bobs = issued(w, &bob, PT_TICKET_RESET, "ann");
	struct pt_hash strayed = issued(w, &ann, PT_TICKET_INVITE, "eve");

	refuses(w, PT_E_TICKET, with_ticket(w, &ann, &anns, PT_TICKET_VERIFY));
	refuses(w, PT_E_TICKET, with_ticket(w, &ann, &unknown, PT_TICKET_RESET));
	refuses(w, PT_E_TICKET, with_ticket(w, &ann, &bobs, PT_TICKET_RESET));
	refuses(w, PT_E_TICKET, with_ticket(w, &ann, &strayed, PT_TICKET_INVITE));
	assert_true(ticket_lives(w, &strayed, PT_TICKET_INVITE));
	w->now += PT_HOUR;
	refuses(w, PT_E_TICKET, with_ticket(w, &ann, &anns, PT_TICKET_RESET));
	w->now -= PT_HOUR;
	assert_true(ticket_lives(w, &anns, PT_TICKET_RESET));
	assert_true(ticket_lives(w, &bobs, PT_TICKET_RESET));
}

static void ticket_of_a_new_address_belongs_to_that_address(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_amend ask = new_amend(w, &ann), prove;

	ask.events[0].kind = 0;
	ask.has_new_email = ask.has_new_ticket = true;
	ask.new_email = ask.new_email_key = PT_STR("new@example.test");
	ask.new_ticket = new_ticket(w, &ann, PT_TICKET_EMAIL_CHANGE, "ann");
	EXPECT(PT_OK, amended(w, &ask));
	prove = with_ticket(w, &ann, &ask.new_ticket.hash, PT_TICKET_EMAIL_CHANGE);
	refuses(w, PT_E_TICKET, prove);
	ask.new_ticket = new_ticket(w, &ann, PT_TICKET_EMAIL_CHANGE, "new");
	EXPECT(PT_OK, amended(w, &ask));
	prove.ticket = ask.new_ticket.hash;
	prove.has_email = prove.has_new_email = true;
	prove.email = prove.email_key = PT_STR("new@example.test");
	EXPECT(PT_OK, amended(w, &prove));
	EXPECT_TEXT("new@example.test", account(w, &ann).account.email_key);
	EXPECT_TEXT("", account(w, &ann).account.new_email_key);
}

/* ---- what ends, and what begins ---- */

struct life {
	struct pt_hash session, verify, reset, invite, change;
	struct pt_token_ref token, kept;
};

static struct life live(struct world *w, const struct pt_id *id)
{
	struct life life = { .session = session_of(w, id, "ann") };

	life.token = token_of(w, id, "ann", "app");
	life.kept = token_of(w, id, "ann", "app");
	life.verify = issued(w, id, PT_TICKET_VERIFY, "ann");
	life.reset = issued(w, id, PT_TICKET_RESET, "ann");
	life.invite = issued(w, id, PT_TICKET_INVITE, "ann");
	life.change = issued(w, id, PT_TICKET_EMAIL_CHANGE, "ann");
	return life;
}

static unsigned what_lives(struct world *w, const struct life *life)
{
	return (session_lives(w, &life->session) ? PT_END_SESSIONS : 0U) |
	       (token_lives(w, &life->token, "app") ? PT_END_FAMILIES : 0U) |
	       (ticket_lives(w, &life->verify, PT_TICKET_VERIFY) ? PT_END_VERIFY : 0U) |
	       (ticket_lives(w, &life->reset, PT_TICKET_RESET) ? PT_END_RESET : 0U) |
	       (ticket_lives(w, &life->invite, PT_TICKET_INVITE) ? PT_END_INVITE : 0U) |
	       (ticket_lives(w, &life->change, PT_TICKET_EMAIL_CHANGE) ? PT_END_EMAIL_CHANGE : 0U);
}

static void only_what_is_named_ends(void **state)
{
	static const unsigned endings[] = { 0, PT_END_SESSIONS, PT_END_FAMILIES, PT_END_VERIFY,
		PT_END_RESET, PT_END_INVITE, PT_END_EMAIL_CHANGE, PT_END_TICKETS, PT_END_ALL };
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann"), bob = joined(w, "bob");
	struct pt_hash others = session_of(w, &bob, "bob");

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		struct life life = live(w, &ann);
		struct pt_amend amend = new_amend(w, &ann);

		amend.ends = endings[i];
		amend.keep_family = life.kept.family;
		EXPECT(PT_OK, amended(w, &amend));
		assert_int_equal(PT_END_ALL & ~endings[i], what_lives(w, &life));
		assert_true(token_lives(w, &life.kept, "app"));
	}
	assert_true(session_lives(w, &others));
}

static void no_family_survives_when_none_is_kept(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct life life = live(w, &ann);
	struct pt_amend amend = new_amend(w, &ann);

	amend.ends = PT_END_FAMILIES;
	EXPECT(PT_OK, amended(w, &amend));
	assert_false(token_lives(w, &life.kept, "app"));
}

static void what_begins_outlives_what_ends_in_the_same_act(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct life life = live(w, &ann);
	struct pt_amend amend = new_amend(w, &ann);
	struct pt_token_ref token;
	size_t before = letters(w);

	amend.ends = PT_END_ALL;
	amend.has_session = amend.has_token = amend.has_new_ticket = true;
	amend.has_letter = amend.has_notice = true;
	amend.session = new_session(w);
	amend.token = new_token(w, "");
	amend.new_ticket = new_ticket(w, &ann, PT_TICKET_RESET, "ann");
	amend.letter = new_letter(w, PT_LETTER_RESET, "ann@Example.test");
	amend.notice = new_letter(w, PT_LETTER_HOOK, "validate");
	amend.events[1] = new_event(w, PT_EVENT_SIGNIN);
	EXPECT(PT_OK, amended(w, &amend));
	assert_int_equal(0, what_lives(w, &life));
	assert_true(session_lives(w, &amend.session.hash));
	assert_true(ticket_lives(w, &amend.new_ticket.hash, PT_TICKET_RESET));
	token = ref_of(&amend.token);
	assert_string_equal(ann.text, rotated(w, &token, "").token.account.text);
	assert_int_equal(before + 2, letters(w));
	assert_string_equal(amend.notice.id.text, last_letter(w).id.text);
	assert_string_equal("", last_letter(w).account.text);
	EXPECT(PT_OK, ACT(w, account_remove, &ann, w->now, &amend.events[0], NULL));
	assert_int_equal(1, letters(w));
}

static void events_are_recorded_in_their_order(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_amend amend = new_amend(w, &ann);

	amend.events[1] = new_event(w, PT_EVENT_SIGNIN);
	EXPECT(PT_OK, amended(w, &amend));
	assert_int_equal(1, events(w, PT_EVENT_ACCOUNT_CHANGED));
	assert_int_equal(PT_EVENT_SIGNIN, last_event(w).kind);
	assert_string_equal(ann.text, last_event(w).account.text);
}

static void identities_of_before_end_where_a_new_one_begins(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_amend amend = new_amend(w, &ann);
	struct pt_account_query query = {
		.by = PT_BY_IDENTITY, .key = PT_STR("4711"), .provider = PT_STR("github")
	};
	struct pt_account_record got;

	amend.events[0].kind = 0;
	amend.has_identity = true;
	amend.identity = (struct pt_identity){ PT_STR("github"), PT_STR("4711") };
	EXPECT(PT_OK, amended(w, &amend));
	amend.ends = PT_END_IDENTITIES;
	EXPECT(PT_OK, amended(w, &amend));
	EXPECT(PT_OK, ACT(w, account_find, &query, &got));
	amend.identity.subject = PT_STR("4712");
	EXPECT(PT_OK, amended(w, &amend));
	EXPECT(PT_E_NOT_FOUND, ACT(w, account_find, &query, &got));
	query.key = PT_STR("4712");
	EXPECT(PT_OK, ACT(w, account_find, &query, &got));
	amend.has_identity = false;
	EXPECT(PT_OK, amended(w, &amend));
	EXPECT(PT_E_NOT_FOUND, ACT(w, account_find, &query, &got));
}

static void new_ticket_ends_older_ones_of_its_kind(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash reset = issued(w, &ann, PT_TICKET_RESET, "ann");
	struct pt_hash verify = issued(w, &ann, PT_TICKET_VERIFY, "ann");
	struct pt_amend amend = new_amend(w, &ann);

	amend.has_new_ticket = true;
	amend.new_ticket = new_ticket(w, &ann, PT_TICKET_RESET, "ann");
	EXPECT(PT_OK, amended(w, &amend));
	assert_false(ticket_lives(w, &reset, PT_TICKET_RESET));
	assert_true(ticket_lives(w, &verify, PT_TICKET_VERIFY));
}

static void events_get_the_tenant_of_the_account(void **state)
{
	struct world *w = *state;
	struct pt_join join = new_join(w, "ann");
	struct pt_amend amend;
	struct pt_id ann;

	join.account.tenant = PT_STR("acme");
	EXPECT(PT_OK, ACT(w, account_join, &join, &ann));
	EXPECT_TEXT("acme", last_event(w).tenant);
	amend = new_amend(w, &ann);
	amend.events[0].email = PT_STR("old@example.test");
	EXPECT(PT_OK, amended(w, &amend));
	EXPECT_TEXT("acme", last_event(w).tenant);
	EXPECT_TEXT("old@example.test", last_event(w).email);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(everything_that_changes_is_in_the_answer_and_stays),
	cmocka_unit_test(signing_in_forgets_the_failures_before_it),
	cmocka_unit_test(empty_amendment_changes_nothing_and_tells_of_it),
	cmocka_unit_test(what_is_set_can_be_unset),
	cmocka_unit_test(metadata_is_merged_one_level_deep),
	cmocka_unit_test(metadata_that_grows_too_large_is_refused),
	cmocka_unit_test(address_of_another_account_is_taken),
	cmocka_unit_test(identity_is_linked_once),
	cmocka_unit_test(what_was_judged_must_still_be_so),
	cmocka_unit_test(confirmed_or_disabled_account_is_refused_where_it_must_not_be),
	cmocka_unit_test(nobody_is_not_found),
	cmocka_unit_test(ticket_is_spent_by_the_act_it_allows),
	cmocka_unit_test(ticket_that_is_not_the_right_one_is_refused),
	cmocka_unit_test(ticket_of_a_new_address_belongs_to_that_address),
	cmocka_unit_test(only_what_is_named_ends),
	cmocka_unit_test(no_family_survives_when_none_is_kept),
	cmocka_unit_test(what_begins_outlives_what_ends_in_the_same_act),
	cmocka_unit_test(new_ticket_ends_older_ones_of_its_kind),
	cmocka_unit_test(events_are_recorded_in_their_order),
	cmocka_unit_test(identities_of_before_end_where_a_new_one_begins),
	cmocka_unit_test(events_get_the_tenant_of_the_account),
};
CHAPTER(amend);

/*
 * accounts.c - joining, finding, changing, removing.
 */
#include <string.h>

#include "chapters.h"
#include "world.h"

#include "base/banned.h"

static pt_err find(struct world *w, enum pt_find_by by, const char *tenant, const char *audience,
	const char *key, struct pt_account_record *out)
{
	const struct pt_account_query query = { str(tenant), str(audience), by, str(key),
		{ NULL, 0 } };

	return ACT(w, account_find, &query, out);
}

static struct pt_amend new_amend(const struct world *w, const struct pt_id *id)
{
	return (struct pt_amend){
		.account = *id, .now = w->now, .events = { new_event(w, PT_EVENT_PASSWORD_SET) }
	};
}

static void everything_of_an_account_comes_back(void **state)
{
	struct world *w = *state;
	struct pt_join join = new_join(w, "ann");
	struct pt_account_record got;
	struct pt_id id;

	join.account.tenant = PT_STR("acme");
	join.account.audience = PT_STR("web");
	join.account.email_verified_at = 11;
	join.account.phone = PT_STR("+15550100");
	join.account.phone_verified_at = 12;
	join.account.role = PT_STR("editor");
	join.account.given_name = PT_STR("Änn");
	join.account.family_name = PT_STR("O'Neill; DROP TABLE portress_account --");
	join.account.app_metadata = PT_STR("{\"plan\":\"pro\"}");
	join.account.user_metadata = PT_STR("{\"x\":[1,2]}");
	join.account.extensions = PT_STR("{\"legacy\":true}");
	join.account.last_signin_at = 13;
	join.account.disabled_at = 14;
	join.account.signin_count = 15;
	join.account.failed_signins = 16;
	join.account.super_admin = true;
	join.account.new_email = PT_STR("New@Example.test");
	join.account.new_email_key = PT_STR("new@example.test");
	join.account.invited_at = 17;
	join.account.confirm_sent_at = 18;
	join.account.recover_sent_at = 19;
	join.account.email_change_sent_at = 20;
	EXPECT(PT_OK, ACT(w, account_join, &join, &id));
	got = account(w, &id);

	assert_string_equal(join.account.id.text, id.text);
	assert_string_equal(id.text, got.account.id.text);
	EXPECT_TEXT("acme", got.account.tenant);
	EXPECT_TEXT("web", got.account.audience);
	EXPECT_TEXT("ann", got.account.username);
	EXPECT_TEXT("ann", got.account.username_key);
	EXPECT_TEXT("ann@Example.test", got.account.email);
	EXPECT_TEXT("ann@example.test", got.account.email_key);
	EXPECT_TEXT("+15550100", got.account.phone);
	EXPECT_TEXT("editor", got.account.role);
	EXPECT_TEXT("Änn", got.account.given_name);
	EXPECT_TEXT("O'Neill; DROP TABLE portress_account --", got.account.family_name);
	EXPECT_TEXT("{\"plan\":\"pro\"}", got.account.app_metadata);
	EXPECT_TEXT("{\"x\":[1,2]}", got.account.user_metadata);
	EXPECT_TEXT("{\"legacy\":true}", got.account.extensions);
	EXPECT_TEXT("hash of ann", got.password);
	assert_int_equal(11, got.account.email_verified_at);
	assert_int_equal(12, got.account.phone_verified_at);
	assert_int_equal(w->now, got.account.created_at);
	assert_int_equal(w->now, got.account.updated_at);
	assert_int_equal(13, got.account.last_signin_at);
	assert_int_equal(14, got.account.disabled_at);
	assert_int_equal(15, got.account.signin_count);
	assert_int_equal(16, got.account.failed_signins);
	assert_true(got.account.super_admin);
	EXPECT_TEXT("New@Example.test", got.account.new_email);
	EXPECT_TEXT("new@example.test", got.account.new_email_key);
	assert_int_equal(17, got.account.invited_at);
	assert_int_equal(18, got.account.confirm_sent_at);
	assert_int_equal(19, got.account.recover_sent_at);
	assert_int_equal(20, got.account.email_change_sent_at);
}

static void what_is_unset_comes_back_empty(void **state)
{
	struct world *w = *state;
	struct pt_join join = { .account = { .id = new_id(), .created_at = w->now } };
	struct pt_account_record got;
	struct pt_id id;

	EXPECT(PT_OK, ACT(w, account_join, &join, &id));
	got = account(w, &id);
	EXPECT_TEXT("", got.account.username_key);
	EXPECT_TEXT("", got.account.email);
	EXPECT_TEXT("", got.account.app_metadata);
	EXPECT_TEXT("", got.password);
	assert_int_equal(0, got.account.email_verified_at);
}

static void accounts_without_name_and_address_do_not_collide(void **state)
{
	struct world *w = *state;
	struct pt_join one = { .account = { .id = new_id() } },
		       two = { .account = { .id = new_id() } };
	struct pt_account_record got;
	struct pt_id id;

	EXPECT(PT_OK, ACT(w, account_join, &one, &id));
	EXPECT(PT_OK, ACT(w, account_join, &two, &id));
	EXPECT(PT_E_NOT_FOUND, find(w, PT_BY_EMAIL, "", "", "", &got));
	EXPECT(PT_E_NOT_FOUND, find(w, PT_BY_USERNAME, "", "", "", &got));
}

static void store_chooses_an_id_when_none_is_given(void **state)
{
	struct world *w = *state;
	struct pt_join join = new_join(w, "ann");
	struct pt_id id;

	join.account.id = (struct pt_id){ "" };
	EXPECT(PT_OK, ACT(w, account_join, &join, &id));
	assert_int_equal(36, strlen(id.text));
	EXPECT_TEXT("ann", account(w, &id).account.username);
}

static void joining_brings_ticket_letter_and_event(void **state)
{
	struct world *w = *state;
	struct pt_join join = new_join(w, "ann");
	struct pt_ticket_record ticket;
	struct pt_id id, nobody = { "" };

	join.has_ticket = true;
	join.ticket = new_ticket(w, &nobody, PT_TICKET_VERIFY, "ann");
	join.has_letter = true;
	join.letter = new_letter(w, PT_LETTER_VERIFY, "ann@Example.test");
	EXPECT(PT_OK, ACT(w, account_join, &join, &id));

	EXPECT(PT_OK, ACT(w, ticket_find, &join.ticket.hash, PT_TICKET_VERIFY, w->now, &ticket));
	assert_string_equal(id.text, ticket.ticket.account.text);
	assert_string_equal(id.text, ticket.owner.account.id.text);
	assert_int_equal(1, letters(w));
	assert_string_equal(id.text, last_letter(w).account.text);
	assert_int_equal(PT_EVENT_SIGNUP, last_event(w).kind);
	assert_string_equal(id.text, last_event(w).account.text);
}

static void joining_with_an_identity_and_a_token_is_one_act(void **state)
{
	struct world *w = *state;
	struct pt_join join = new_join(w, "ann");
	const struct pt_account_query elsewhere = { join.account.tenant, join.account.audience,
		PT_BY_IDENTITY, PT_STR("4711"), PT_STR("github") };
	struct pt_account_query another = elsewhere;
	struct pt_account_record found;
	struct pt_token_ref token;
	struct pt_id id;

	join.account.email_verified_at = w->now;
	join.has_identity = join.has_token = true;
	join.identity = (struct pt_identity){ PT_STR("github"), PT_STR("4711") };
	join.token = new_token(w, "");
	join.confirmed_event = new_event(w, PT_EVENT_CONFIRMED);
	EXPECT(PT_OK, ACT(w, account_join, &join, &id));

	EXPECT(PT_OK, ACT(w, account_find, &elsewhere, &found));
	assert_string_equal(id.text, found.account.id.text);
	another.key = PT_STR("4712");
	EXPECT(PT_E_NOT_FOUND, ACT(w, account_find, &another, &found));
	another = elsewhere;
	another.provider = PT_STR("gitlab");
	EXPECT(PT_E_NOT_FOUND, ACT(w, account_find, &another, &found));
	another = elsewhere;
	another.tenant = PT_STR("other");
	EXPECT(PT_E_NOT_FOUND, ACT(w, account_find, &another, &found));
	assert_int_equal(1, events(w, PT_EVENT_SIGNUP));
	assert_int_equal(1, events(w, PT_EVENT_CONFIRMED));
	assert_string_equal(id.text, last_event(w).account.text);
	token = ref_of(&join.token);
	assert_string_equal(id.text, rotated(w, &token, "").token.account.text);
}

static void joining_unconfirmed_confirms_nothing(void **state)
{
	struct world *w = *state;
	struct pt_join join = new_join(w, "ann");
	struct pt_id id;

	join.confirmed_event = new_event(w, PT_EVENT_CONFIRMED);
	EXPECT(PT_OK, ACT(w, account_join, &join, &id));
	assert_int_equal(0, events(w, PT_EVENT_CONFIRMED));
}

static void identity_of_somebody_else_cannot_join(void **state)
{
	struct world *w = *state;
	struct pt_join ann = new_join(w, "ann"), bob = new_join(w, "bob");
	struct pt_id id;

	ann.has_identity = bob.has_identity = true;
	ann.identity = bob.identity = (struct pt_identity){ PT_STR("github"), PT_STR("4711") };
	EXPECT(PT_OK, ACT(w, account_join, &ann, &id));
	EXPECT(PT_E_TAKEN, ACT(w, account_join, &bob, &id));
	assert_false(account_is_there(w, &bob.account.id));
	assert_int_equal(1, events(w, PT_EVENT_SIGNUP));
	assert_int_equal(1, events(w, PT_EVENT_SIGNUP_TAKEN));
	bob.account.tenant = PT_STR("other");
	EXPECT(PT_OK, ACT(w, account_join, &bob, &id));
}

static void taken_address_leaves_a_letter_to_its_owner_and_nothing_else(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann"), id = { "untouched" }, nobody = { "" };
	struct pt_join join = new_join(w, "eve");

	join.account.email_key = PT_STR("ann@example.test");
	join.has_ticket = true;
	join.ticket = new_ticket(w, &nobody, PT_TICKET_VERIFY, "ann");
	join.has_letter = true;
	join.letter = new_letter(w, PT_LETTER_VERIFY, "eve typed this");
	join.has_taken_letter = true;
	join.taken_letter = new_letter(w, PT_LETTER_ACCOUNT_EXISTS, "eve typed this");
	EXPECT(PT_E_TAKEN, ACT(w, account_join, &join, &id));

	assert_string_equal("untouched", id.text);
	assert_false(account_is_there(w, &join.account.id));
	assert_false(ticket_lives(w, &join.ticket.hash, PT_TICKET_VERIFY));
	assert_int_equal(1, letters(w));
	EXPECT_TEXT("ann@Example.test", last_letter(w).to);
	assert_int_equal(PT_LETTER_ACCOUNT_EXISTS, last_letter(w).kind);
	assert_string_equal(ann.text, last_letter(w).account.text);
	assert_int_equal(1, events(w, PT_EVENT_SIGNUP));
	assert_int_equal(1, events(w, PT_EVENT_SIGNUP_TAKEN));
}

static void taken_address_without_a_letter_leaves_an_event(void **state)
{
	struct world *w = *state;
	struct pt_join join;
	struct pt_id id;

	joined(w, "ann");
	join = new_join(w, "ann");
	EXPECT(PT_E_TAKEN, ACT(w, account_join, &join, &id));
	assert_int_equal(0, letters(w));
	assert_int_equal(1, events(w, PT_EVENT_SIGNUP_TAKEN));
}

static void taken_name_leaves_an_event_and_no_letter(void **state)
{
	struct world *w = *state;
	struct pt_join join;
	struct pt_id id;

	joined(w, "ann");
	join = new_join(w, "eve");
	join.account.username_key = PT_STR("ann");
	join.has_taken_letter = true;
	join.taken_letter = new_letter(w, PT_LETTER_ACCOUNT_EXISTS, "eve@Example.test");
	EXPECT(PT_E_TAKEN, ACT(w, account_join, &join, &id));

	assert_false(account_is_there(w, &join.account.id));
	assert_int_equal(0, letters(w));
	assert_int_equal(1, events(w, PT_EVENT_SIGNUP_TAKEN));
}

static void keys_are_bytes_and_know_no_case(void **state)
{
	struct world *w = *state;
	struct pt_join upper;
	struct pt_account_record got;
	struct pt_id id;

	joined(w, "ann");
	upper = new_join(w, "ANN");
	EXPECT(PT_OK, ACT(w, account_join, &upper, &id));
	EXPECT(PT_OK, find(w, PT_BY_USERNAME, "", "", "ANN", &got));
	assert_string_equal(id.text, got.account.id.text);
	EXPECT(PT_E_NOT_FOUND, find(w, PT_BY_USERNAME, "", "", "Ann", &got));
	EXPECT(PT_E_NOT_FOUND, find(w, PT_BY_USERNAME, "", "", "ann ", &got));
	EXPECT(PT_E_NOT_FOUND, find(w, PT_BY_USERNAME, "", "", "an_", &got));
	EXPECT(PT_E_NOT_FOUND, find(w, PT_BY_USERNAME, "", "", "%", &got));
}

static void same_names_live_beside_each_other_in_two_tenants(void **state)
{
	struct world *w = *state;
	struct pt_join other;
	struct pt_account_record got;
	struct pt_id here = joined(w, "ann"), there;

	other = new_join(w, "ann");
	other.account.tenant = PT_STR("acme");
	EXPECT(PT_OK, ACT(w, account_join, &other, &there));
	EXPECT(PT_OK, find(w, PT_BY_USERNAME, "acme", "", "ann", &got));
	assert_string_equal(there.text, got.account.id.text);
	EXPECT(PT_OK, find(w, PT_BY_EMAIL, "", "", "ann@example.test", &got));
	assert_string_equal(here.text, got.account.id.text);
	EXPECT(PT_E_NOT_FOUND, find(w, PT_BY_USERNAME, "other", "", "ann", &got));
}

static void an_address_may_be_used_once_in_each_audience(void **state)
{
	struct world *w = *state;
	struct pt_join web, app;
	struct pt_id id;
	struct pt_account_record got;

	web = new_join(w, "ann");
	web.account.audience = PT_STR("web");
	EXPECT(PT_OK, ACT(w, account_join, &web, &id));
	app = new_join(w, "ann");
	app.account.audience = PT_STR("app");
	app.account.username_key = PT_STR("ann2");
	EXPECT(PT_OK, ACT(w, account_join, &app, &id));
	EXPECT(PT_OK, find(w, PT_BY_EMAIL, "", "app", "ann@example.test", &got));
	assert_string_equal(id.text, got.account.id.text);
	EXPECT(PT_E_NOT_FOUND, find(w, PT_BY_EMAIL, "", "", "ann@example.test", &got));

	/* A name is one for the whole tenant. */
	app = new_join(w, "ann");
	app.account.audience = PT_STR("tv");
	EXPECT(PT_E_TAKEN, ACT(w, account_join, &app, &id));
}

/* A text that its owner overwrites as soon as the act is over. */
static pt_str borrowed(char buffer[32], const char *text)
{
	memset(buffer, 0, 32);
	memcpy(buffer, text, strlen(text));
	return str(buffer);
}

static void strings_are_borrowed_for_the_length_of_the_call(void **state)
{
	struct world *w = *state;
	char texts[12][32];
	struct pt_join join = new_join(w, "ann");
	struct pt_signin_act signin = { .now = w->now,
		.has_session = true,
		.has_token = true,
		.session = new_session(w),
		.token = new_token(w, "") };
	struct pt_session_record record;
	struct pt_ticket_record ticket;
	struct pt_token_ref token = ref_of(&signin.token);
	struct pt_id nobody = { "" };

	join.account.username = borrowed(texts[0], "ann");
	join.account.username_key = borrowed(texts[1], "ann");
	join.account.email = borrowed(texts[2], "ann@Example.test");
	join.password = borrowed(texts[3], "hash of ann");
	join.has_ticket = join.has_letter = true;
	join.ticket = new_ticket(w, &nobody, PT_TICKET_VERIFY, "ann");
	join.ticket.email_key = borrowed(texts[4], "ann@example.test");
	join.letter = new_letter(w, PT_LETTER_VERIFY, "");
	join.letter.to = borrowed(texts[5], "ann@Example.test");
	join.letter.sealed = borrowed(texts[6], "sealed");
	join.event.detail = borrowed(texts[7], "joined");
	EXPECT(PT_OK, ACT(w, account_join, &join, &signin.account));
	memset(texts, 'x', sizeof(texts));
	EXPECT_TEXT("joined", last_event(w).detail);
	EXPECT_TEXT("ann@Example.test", last_letter(w).to);
	EXPECT_TEXT("sealed", last_letter(w).sealed);
	EXPECT_TEXT("ann@Example.test", account(w, &signin.account).account.email);
	EXPECT(PT_OK, ACT(w, ticket_find, &join.ticket.hash, PT_TICKET_VERIFY, w->now, &ticket));
	EXPECT_TEXT("ann@example.test", ticket.ticket.email_key);

	signin.seen_password = borrowed(texts[8], "hash of ann");
	signin.new_password = borrowed(texts[9], "new hash of ann");
	signin.session.user_agent = borrowed(texts[10], "Mozilla/5.0");
	signin.token.client = borrowed(texts[11], "app");
	EXPECT(PT_OK, ACT(w, signin, &signin));
	memset(texts, 'x', sizeof(texts));
	EXPECT(PT_OK, ACT(w, session_find, &signin.session.hash, w->now, &record));
	EXPECT_TEXT("Mozilla/5.0", record.session.user_agent);
	EXPECT_TEXT("ann", record.account.username);
	EXPECT_TEXT("new hash of ann", account(w, &signin.account).password);
	refreshed(w, &token, "app");
}

/* What was read before stays as it was, whatever the store does then. */
static void strings_that_came_out_outlive_the_store(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash session = session_of(w, &ann, "ann");
	struct pt_token_ref token = token_of(w, &ann, "ann", "app");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_RESET, "ann");
	struct pt_rotate_act turn = new_turn(w, &token, "app");
	struct pt_session_record in;
	struct pt_ticket_record asked;
	struct pt_rotated next, again;
	struct pt_account_record record;
	struct pt_account_list query = { .max = 10 };
	struct pt_account *list;
	struct pt_event event;
	struct pt_letter letter;
	size_t n;

	EXPECT(PT_OK, ACT(w, session_find, &session, w->now, &in));
	EXPECT(PT_OK, ACT(w, ticket_find, &ticket, PT_TICKET_RESET, w->now, &asked));
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &next));
	EXPECT(PT_OK, ACT(w, token_rotate, &turn, &again));
	EXPECT(PT_OK, ACT(w, account_list, &query, &list, &n));
	record = account(w, &ann);
	event = last_event(w);
	letter = last_letter(w);
	world_reopen(w);
	EXPECT_TEXT("Mozilla/5.0", in.session.user_agent);
	EXPECT_TEXT("ann", in.account.username);
	EXPECT_TEXT("ann@example.test", asked.ticket.email_key);
	EXPECT_TEXT("hash of ann", asked.owner.password);
	EXPECT_TEXT("app", next.token.client);
	EXPECT_TEXT("ann@Example.test", next.owner.account.email);
	EXPECT_TEXT("app", again.token.client);
	EXPECT_TEXT("hash of ann", again.owner.password);
	EXPECT_TEXT("ann", list[0].username);
	EXPECT_TEXT("hash of ann", record.password);
	EXPECT_TEXT("contract", event.detail);
	EXPECT_TEXT("ann@Example.test", letter.to);
}

static void unknown_account_is_not_found(void **state)
{
	struct world *w = *state;
	struct pt_account_record got;

	joined(w, "ann");
	EXPECT(PT_E_NOT_FOUND, find(w, PT_BY_ID, "", "", "nobody", &got));
	EXPECT(PT_E_NOT_FOUND, find(w, PT_BY_ID, "", "", "", &got));
	EXPECT(PT_E_NOT_FOUND, find(w, PT_BY_EMAIL, "", "", "eve@example.test", &got));
}

static void list_goes_on_where_it_ended(void **state)
{
	struct world *w = *state;
	struct pt_account_list query = { .max = 2 };
	struct pt_account *list;
	struct pt_join other;
	struct pt_id ids[5], elsewhere;
	size_t n;

	for (size_t i = 0; i < 5; i++) {
		const char name[] = { (char)('a' + (char)i), '\0' };
		ids[i] = joined(w, name);
	}
	other = new_join(w, "a");
	other.account.tenant = PT_STR("acme");
	EXPECT(PT_OK, ACT(w, account_join, &other, &elsewhere));

	for (size_t page = 0; page < 3; page++) {
		EXPECT(PT_OK, ACT(w, account_list, &query, &list, &n));
		assert_int_equal(page < 2 ? 2 : 1, n);
		for (size_t i = 0; i < n; i++)
			assert_string_equal(ids[2 * page + i].text, list[i].id.text);
		query.after = str(list[n - 1].id.text);
	}
	EXPECT(PT_OK, ACT(w, account_list, &query, &list, &n));
	assert_int_equal(0, n);
}

static void operator_verifies_and_unverifies(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_amend amend = new_amend(w, &ann);

	amend.has_verified = amend.verified = true;
	EXPECT(PT_OK, amended(w, &amend));
	assert_int_equal(w->now, account(w, &ann).account.email_verified_at);
	amend.now += PT_HOUR;
	EXPECT(PT_OK, amended(w, &amend));
	assert_int_equal(w->now, account(w, &ann).account.email_verified_at);
	amend.verified = false;
	EXPECT(PT_OK, amended(w, &amend));
	assert_int_equal(0, account(w, &ann).account.email_verified_at);
	EXPECT_TEXT("hash of ann", account(w, &ann).password);
	assert_string_equal(ann.text, last_event(w).account.text);
}

static void disabling_ends_sessions_families_and_tickets(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann"), bob = joined(w, "bob");
	struct pt_hash session = session_of(w, &ann, "ann"), others = session_of(w, &bob, "bob");
	struct pt_token_ref token = token_of(w, &ann, "ann", "app");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_RESET, "ann");
	struct pt_rotate_act turn = new_turn(w, &token, "app");
	struct pt_amend amend = new_amend(w, &ann);
	struct pt_rotated got;

	amend.has_disabled = amend.disabled = true;
	amend.ends = PT_END_ALL;
	EXPECT(PT_OK, amended(w, &amend));
	assert_int_equal(w->now, account(w, &ann).account.disabled_at);
	amend.disabled = false;
	EXPECT(PT_OK, amended(w, &amend));
	assert_int_equal(0, account(w, &ann).account.disabled_at);

	assert_false(session_lives(w, &session));
	assert_false(ticket_lives(w, &ticket, PT_TICKET_RESET));
	EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
	assert_true(session_lives(w, &others));
}

static void password_set_by_an_operator_ends_everything(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash session = session_of(w, &ann, "ann");
	struct pt_token_ref token = token_of(w, &ann, "ann", "app");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_VERIFY, "ann");
	struct pt_rotate_act turn = new_turn(w, &token, "app");
	struct pt_amend amend = new_amend(w, &ann);
	struct pt_rotated got;

	amend.has_password = true;
	amend.password = PT_STR("another");
	amend.ends = PT_END_ALL;
	EXPECT(PT_OK, amended(w, &amend));
	EXPECT_TEXT("another", account(w, &ann).password);
	assert_false(session_lives(w, &session));
	assert_false(ticket_lives(w, &ticket, PT_TICKET_VERIFY));
	EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
}

static void other_changes_leave_sessions_alone(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct pt_hash session = session_of(w, &ann, "ann");
	struct pt_amend amend = new_amend(w, &ann);

	amend.has_verified = amend.verified = true;
	amend.has_disabled = true;
	EXPECT(PT_OK, amended(w, &amend));
	assert_true(session_lives(w, &session));
}

static void changing_nobody_is_not_found_and_leaves_no_event(void **state)
{
	struct world *w = *state;
	struct pt_id nobody = new_id();
	struct pt_amend amend = new_amend(w, &nobody);

	amend.has_password = true;
	amend.password = PT_STR("another");
	EXPECT(PT_E_NOT_FOUND, amended(w, &amend));
	amend = new_amend(w, &nobody);
	amend.has_disabled = amend.has_verified = true;
	EXPECT(PT_E_NOT_FOUND, amended(w, &amend));
	assert_int_equal(0, events(w, PT_EVENT_PASSWORD_SET));
}

static void removal_takes_everything_but_the_events(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann"), again;
	struct pt_hash session = session_of(w, &ann, "ann");
	struct pt_token_ref token = token_of(w, &ann, "ann", "app");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_VERIFY, "ann");
	struct pt_rotate_act turn = new_turn(w, &token, "app");
	struct pt_event event = new_event(w, PT_EVENT_ACCOUNT_DELETED);
	struct pt_rotated got;

	EXPECT(PT_OK, ACT(w, account_remove, &ann, w->now, &event, NULL));
	assert_false(account_is_there(w, &ann));
	assert_false(session_lives(w, &session));
	assert_false(ticket_lives(w, &ticket, PT_TICKET_VERIFY));
	EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
	assert_int_equal(0, letters(w));
	assert_int_equal(1, events(w, PT_EVENT_SIGNUP));
	assert_int_equal(1, events(w, PT_EVENT_ACCOUNT_DELETED));
	assert_string_equal(ann.text, last_event(w).account.text);

	again = joined(w, "ann");
	assert_string_not_equal(ann.text, again.text);
}

static void nothing_of_a_removed_account_waits_for_another_with_its_id(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann"), again;
	struct pt_hash session = session_of(w, &ann, "ann");
	struct pt_token_ref token = token_of(w, &ann, "ann", "app");
	struct pt_hash ticket = issued(w, &ann, PT_TICKET_VERIFY, "ann");
	struct pt_event event = new_event(w, PT_EVENT_ACCOUNT_DELETED);
	struct pt_rotate_act turn = new_turn(w, &token, "app");
	struct pt_join join;
	struct pt_rotated got;

	EXPECT(PT_OK, ACT(w, account_remove, &ann, w->now, &event, NULL));
	join = new_join(w, "bob");
	join.account.id = ann;
	EXPECT(PT_OK, ACT(w, account_join, &join, &again));
	assert_false(session_lives(w, &session));
	assert_false(ticket_lives(w, &ticket, PT_TICKET_VERIFY));
	EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &turn, &got));
}

static void removal_leaves_its_notice_and_frees_the_identity(void **state)
{
	struct world *w = *state;
	struct pt_join ann = new_join(w, "ann"), bob = new_join(w, "bob");
	struct pt_event event = new_event(w, PT_EVENT_ACCOUNT_DELETED);
	struct pt_letter notice = new_letter(w, PT_LETTER_HOOK, "userdeleted");
	struct pt_id id;

	ann.has_identity = bob.has_identity = ann.has_letter = true;
	ann.identity = bob.identity = (struct pt_identity){ PT_STR("github"), PT_STR("4711") };
	ann.letter = new_letter(w, PT_LETTER_VERIFY, "ann@Example.test");
	EXPECT(PT_OK, ACT(w, account_join, &ann, &id));
	notice.account = id;
	EXPECT(PT_OK, ACT(w, account_remove, &id, w->now, &event, &notice));
	assert_int_equal(1, letters(w));
	assert_string_equal(notice.id.text, last_letter(w).id.text);
	EXPECT(PT_OK, ACT(w, account_join, &bob, &id));
}

static void removing_nobody_is_not_found(void **state)
{
	struct world *w = *state;
	struct pt_id nobody = new_id();
	struct pt_event event = new_event(w, PT_EVENT_ACCOUNT_DELETED);

	EXPECT(PT_E_NOT_FOUND, ACT(w, account_remove, &nobody, w->now, &event, NULL));
	assert_int_equal(0, events(w, PT_EVENT_ACCOUNT_DELETED));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(everything_of_an_account_comes_back),
	cmocka_unit_test(what_is_unset_comes_back_empty),
	cmocka_unit_test(joining_with_an_identity_and_a_token_is_one_act),
	cmocka_unit_test(joining_unconfirmed_confirms_nothing),
	cmocka_unit_test(identity_of_somebody_else_cannot_join),
	cmocka_unit_test(removal_leaves_its_notice_and_frees_the_identity),
	cmocka_unit_test(accounts_without_name_and_address_do_not_collide),
	cmocka_unit_test(store_chooses_an_id_when_none_is_given),
	cmocka_unit_test(joining_brings_ticket_letter_and_event),
	cmocka_unit_test(taken_address_leaves_a_letter_to_its_owner_and_nothing_else),
	cmocka_unit_test(taken_address_without_a_letter_leaves_an_event),
	cmocka_unit_test(taken_name_leaves_an_event_and_no_letter),
	cmocka_unit_test(keys_are_bytes_and_know_no_case),
	cmocka_unit_test(same_names_live_beside_each_other_in_two_tenants),
	cmocka_unit_test(an_address_may_be_used_once_in_each_audience),
	cmocka_unit_test(strings_are_borrowed_for_the_length_of_the_call),
	cmocka_unit_test(strings_that_came_out_outlive_the_store),
	cmocka_unit_test(unknown_account_is_not_found),
	cmocka_unit_test(list_goes_on_where_it_ended),
	cmocka_unit_test(operator_verifies_and_unverifies),
	cmocka_unit_test(disabling_ends_sessions_families_and_tickets),
	cmocka_unit_test(password_set_by_an_operator_ends_everything),
	cmocka_unit_test(other_changes_leave_sessions_alone),
	cmocka_unit_test(changing_nobody_is_not_found_and_leaves_no_event),
	cmocka_unit_test(removal_takes_everything_but_the_events),
	cmocka_unit_test(nothing_of_a_removed_account_waits_for_another_with_its_id),
	cmocka_unit_test(removing_nobody_is_not_found),
};
CHAPTER(accounts);

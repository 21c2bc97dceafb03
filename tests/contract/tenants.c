/*
 * tenants.c - sites that share the store, and people who come from another system.
 */
#include "chapters.h"
#include "world.h"

#include "base/banned.h"

/* ---- tenants ---- */

static struct pt_tenant new_tenant(const struct world *w, const char *name)
{
	struct pt_tenant tenant = { .id = new_id(),
		.config = PT_STR("sealed\0\xff config"),
		.created_at = w->now,
		.updated_at = w->now };

	memcpy(tenant.name.text, name, strlen(name) + 1);
	return tenant;
}

static struct pt_tenant added(struct world *w, const char *name)
{
	struct pt_tenant tenant = new_tenant(w, name);

	EXPECT(PT_OK, ACT(w, tenant_add, &tenant));
	return tenant;
}

static void everything_of_a_tenant_comes_back(void **state)
{
	struct world *w = *state;
	struct pt_tenant acme = added(w, "acme"), got;
	struct pt_id nobody = new_id();

	EXPECT(PT_OK, ACT(w, tenant_find, &acme.id, &got));
	assert_string_equal(acme.id.text, got.id.text);
	assert_string_equal("acme", got.name.text);
	assert_int_equal(acme.config.n, got.config.n);
	assert_memory_equal(acme.config.p, got.config.p, got.config.n);
	assert_int_equal(w->now, got.created_at);
	assert_int_equal(w->now, got.updated_at);
	EXPECT(PT_E_NOT_FOUND, ACT(w, tenant_find, &nobody, &got));
}

static void name_of_a_tenant_is_its_own(void **state)
{
	struct world *w = *state;
	struct pt_tenant acme = added(w, "acme"), again = new_tenant(w, "acme");
	struct pt_tenant same_id = new_tenant(w, "other"), got;

	EXPECT(PT_E_TAKEN, ACT(w, tenant_add, &again));
	EXPECT(PT_E_NOT_FOUND, ACT(w, tenant_find, &again.id, &got));
	same_id.id = acme.id;
	EXPECT(PT_E_TAKEN, ACT(w, tenant_add, &same_id));
	EXPECT(PT_OK, ACT(w, tenant_find, &acme.id, &got));
	assert_string_equal("acme", got.name.text);
}

static void tenant_changes_only_from_what_was_seen(void **state)
{
	struct world *w = *state;
	struct pt_tenant acme = added(w, "acme"), got;
	struct pt_id nobody = new_id();
	pt_time seen = w->now;

	EXPECT(PT_OK, ACT(w, tenant_change, &acme.id, seen, PT_STR("one"), w->now));
	EXPECT(PT_E_BUSY, ACT(w, tenant_change, &acme.id, seen, PT_STR("two"), w->now + 5));
	EXPECT(PT_OK, ACT(w, tenant_find, &acme.id, &got));
	EXPECT_TEXT("one", got.config);
	assert_true(got.updated_at > seen);
	assert_int_equal(seen, got.created_at);
	EXPECT(PT_OK, ACT(w, tenant_change, &acme.id, got.updated_at, PT_STR("two"), w->now + 5));
	EXPECT(PT_E_NOT_FOUND, ACT(w, tenant_change, &nobody, seen, PT_STR("three"), w->now));
}

static struct pt_join join_of(const struct world *w, const struct pt_tenant *tenant)
{
	struct pt_join join = new_join(w, "ann");

	join.account.tenant = str(tenant->id.text);
	join.event.tenant = str(tenant->id.text);
	join.has_identity = join.has_letter = join.has_ticket = join.has_token = true;
	join.identity = (struct pt_identity){ PT_STR("github"), PT_STR("4711") };
	join.letter = new_letter(w, PT_LETTER_VERIFY, "ann@Example.test");
	join.ticket = new_ticket(w, &join.account.id, PT_TICKET_VERIFY, "ann");
	join.token = new_token(w, "");
	return join;
}

static void removed_tenant_takes_its_people_and_leaves_its_events(void **state)
{
	struct world *w = *state;
	struct pt_tenant acme = added(w, "acme"), other = added(w, "other"), got;
	struct pt_join anns = join_of(w, &acme), others = join_of(w, &other);
	struct pt_token_ref anns_token = ref_of(&anns.token), others_token = ref_of(&others.token);
	struct pt_rotate_act anns_turn = new_turn(w, &anns_token, "");
	struct pt_rotate_act others_turn = new_turn(w, &others_token, "");
	struct pt_rotated token;
	struct pt_hash session;
	struct pt_id ann, eve;

	EXPECT(PT_OK, ACT(w, account_join, &anns, &ann));
	EXPECT(PT_OK, ACT(w, account_join, &others, &eve));
	session = session_of(w, &ann, "ann");
	EXPECT(PT_OK, ACT(w, tenant_remove, &acme.id));

	EXPECT(PT_E_NOT_FOUND, ACT(w, tenant_find, &acme.id, &got));
	assert_false(account_is_there(w, &ann));
	assert_false(session_lives(w, &session));
	assert_false(ticket_lives(w, &anns.ticket.hash, PT_TICKET_VERIFY));
	anns_turn.tenant = anns.account.tenant;
	EXPECT(PT_E_REFRESH, ACT(w, token_rotate, &anns_turn, &token));
	assert_int_equal(1, letters(w));
	assert_int_equal(2, events(w, PT_EVENT_SIGNUP));

	assert_true(account_is_there(w, &eve));
	assert_true(ticket_lives(w, &others.ticket.hash, PT_TICKET_VERIFY));
	others_turn.tenant = others.account.tenant;
	EXPECT(PT_OK, ACT(w, token_rotate, &others_turn, &token));
	EXPECT(PT_E_NOT_FOUND, ACT(w, tenant_remove, &acme.id));
	added(w, "acme");
	anns.event.id = new_id();
	EXPECT(PT_OK, ACT(w, account_join, &anns, &ann));
}

/* ---- moving in ---- */

/* One of each, of one person. */
struct luggage {
	struct pt_account_record account;
	struct pt_ticket ticket;
	struct pt_import_token token;
	struct pt_event event;
};

static struct luggage pack(const struct world *w, const char *name)
{
	struct pt_join join = new_join(w, name);
	struct luggage l = { .account = { join.account, join.password } };

	l.account.account.app_metadata = PT_STR("{\"provider\":\"email\"}");
	l.ticket = new_ticket(w, &join.account.id, PT_TICKET_RESET, name);
	l.token = new_loose_token(w, &join.account.id, "");
	l.event = new_event(w, PT_EVENT_SIGNUP);
	l.event.account = join.account.id;
	return l;
}

static struct pt_import batch_of(const struct world *w, const struct luggage *l, const char *mark)
{
	return (struct pt_import){ .accounts = &l->account,
		.n_accounts = 1,
		.tickets = &l->ticket,
		.n_tickets = 1,
		.tokens = &l->token,
		.n_tokens = 1,
		.events = &l->event,
		.n_events = 1,
		.source = PT_STR("gotrue db"),
		.mark = str(mark),
		.now = w->now };
}

static void counts_are(
	const struct pt_import_count *count, size_t added_, size_t skipped, size_t taken)
{
	assert_int_equal(added_, count->added);
	assert_int_equal(skipped, count->skipped);
	assert_int_equal(taken, count->taken);
}

static void people_move_in_with_all_that_is_theirs(void **state)
{
	struct world *w = *state;
	struct luggage l = pack(w, "ann");
	struct pt_import batch = batch_of(w, &l, "users:1");
	struct pt_import_count count;
	struct pt_token_ref token = { .hash = l.token.hash };
	pt_str mark;

	EXPECT(PT_OK, ACT(w, import_mark, batch.source, &mark));
	EXPECT_TEXT("", mark);
	EXPECT(PT_OK, ACT(w, import, &batch, &count));
	counts_are(&count, 4, 0, 0);
	EXPECT_TEXT("hash of ann", account(w, &l.account.account.id).password);
	EXPECT_TEXT(
		"{\"provider\":\"email\"}", account(w, &l.account.account.id).account.app_metadata);
	assert_true(ticket_lives(w, &l.ticket.hash, PT_TICKET_RESET));
	refreshed(w, &token, "");
	assert_int_equal(1, events(w, PT_EVENT_SIGNUP));
	EXPECT(PT_OK, ACT(w, import_mark, batch.source, &mark));
	EXPECT_TEXT("users:1", mark);
	EXPECT(PT_OK, ACT(w, import_mark, PT_STR("gotrue"), &mark));
	EXPECT_TEXT("", mark);
}

static void same_batch_again_changes_nothing(void **state)
{
	struct world *w = *state;
	struct luggage l = pack(w, "ann");
	struct pt_import batch = batch_of(w, &l, "users:1");
	struct pt_import_count count;
	pt_str mark;

	EXPECT(PT_OK, ACT(w, import, &batch, &count));
	l.account.password = PT_STR("older hash");
	l.token.token.family = new_id();
	batch.mark = PT_STR("users:2");
	EXPECT(PT_OK, ACT(w, import, &batch, &count));
	counts_are(&count, 0, 4, 0);
	EXPECT_TEXT("hash of ann", account(w, &l.account.account.id).password);
	assert_int_equal(1, events(w, PT_EVENT_SIGNUP));
	EXPECT(PT_OK, ACT(w, import_mark, batch.source, &mark));
	EXPECT_TEXT("users:2", mark);
}

static void address_that_is_taken_is_left_out_with_what_hangs_on_it(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct luggage l = pack(w, "ann");
	struct pt_import batch = batch_of(w, &l, "users:1");
	struct pt_import_count count;
	struct pt_token_ref token = { .hash = l.token.hash };

	EXPECT(PT_OK, ACT(w, import, &batch, &count));
	counts_are(&count, 1, 2, 1);
	assert_false(account_is_there(w, &l.account.account.id));
	assert_true(account_is_there(w, &ann));
	assert_false(ticket_lives(w, &l.ticket.hash, PT_TICKET_RESET));
	assert_false(token_lives(w, &token, ""));
}

static void rehearsed_batch_is_counted_and_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct pt_id ann = joined(w, "ann");
	struct luggage l = pack(w, "bob"), again = pack(w, "ann");
	struct pt_import batch = batch_of(w, &l, "users:1");
	struct pt_import_count count;
	struct pt_token_ref token = { .hash = l.token.hash };
	pt_str mark;

	batch.rehearsal = true;
	EXPECT(PT_OK, ACT(w, import, &batch, &count));
	counts_are(&count, 4, 0, 0);
	assert_true(account_is_there(w, &ann));
	assert_false(account_is_there(w, &l.account.account.id));
	assert_false(ticket_lives(w, &l.ticket.hash, PT_TICKET_RESET));
	assert_false(token_lives(w, &token, ""));
	assert_int_equal(1, events(w, PT_EVENT_SIGNUP));
	EXPECT(PT_OK, ACT(w, import_mark, batch.source, &mark));
	EXPECT_TEXT("", mark);

	batch = batch_of(w, &again, "users:1");
	batch.rehearsal = true;
	EXPECT(PT_OK, ACT(w, import, &batch, &count));
	counts_are(&count, 1, 2, 1);

	batch = batch_of(w, &l, "users:1");
	EXPECT(PT_OK, ACT(w, import, &batch, &count));
	counts_are(&count, 4, 0, 0);
	assert_true(token_lives(w, &token, ""));
}

static void large_batch_is_one_act(void **state)
{
	enum { MANY = 120 };
	struct world *w = *state;
	struct pt_account_record *accounts = ARENA_ARRAY(w->arena, struct pt_account_record, MANY);
	struct pt_import batch = { .accounts = accounts,
		.n_accounts = MANY,
		.source = PT_STR("gotrue"),
		.mark = PT_STR("all"),
		.now = w->now };
	struct pt_import_count count;

	for (size_t i = 0; i < MANY; i++) {
		accounts[i].account = (struct pt_account){ .id = new_id(), .created_at = w->now };
		accounts[i].account.email = accounts[i].account.email_key =
			str(arena_cstr(w->arena, str(accounts[i].account.id.text)));
	}
	EXPECT(PT_OK, ACT(w, import, &batch, &count));
	counts_are(&count, MANY, 0, 0);
	for (size_t i = 0; i < MANY; i++)
		assert_true(account_is_there(w, &accounts[i].account.id));
	batch.n_accounts = 0;
	EXPECT(PT_OK, ACT(w, import, &batch, &count));
	counts_are(&count, 0, 0, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(everything_of_a_tenant_comes_back),
	cmocka_unit_test(name_of_a_tenant_is_its_own),
	cmocka_unit_test(tenant_changes_only_from_what_was_seen),
	cmocka_unit_test(removed_tenant_takes_its_people_and_leaves_its_events),
	cmocka_unit_test(people_move_in_with_all_that_is_theirs),
	cmocka_unit_test(same_batch_again_changes_nothing),
	cmocka_unit_test(address_that_is_taken_is_left_out_with_what_hangs_on_it),
	cmocka_unit_test(rehearsed_batch_is_counted_and_leaves_nothing),
	cmocka_unit_test(large_batch_is_one_act),
};
CHAPTER(tenants);

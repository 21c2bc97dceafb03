#include "world.h"

#include <string.h>

#include "base/str.h"
#include "crypt/digest.h"

#define CONFIRM "confirmconfirmconfirm1"
#define RECOVER "recoverrecoverrecover1"
#define CHANGE  "changechangechangecha1"
#define REFRESH "refreshrefreshrefresh1"

static struct pt_id id(const char *text)
{
	struct pt_id made = { "" };

	strcpy(made.text, text);
	return made;
}

static struct pt_newcomer newcomer(const struct world *w, const char *name, const char *email)
{
	return (struct pt_newcomer){
		.key = str(name),
		.account = { .id = id(name),
			.email = str(email),
			.app_metadata = PT_STR("{\"provider\": \"email\"}"),
			.user_metadata = PT_STR("null"),
			.email_verified_at = w->now - PT_DAY,
			.created_at = w->now - PT_DAY },
	};
}

static struct pt_moving batch_of(const struct pt_newcomer *newcomers, size_t n)
{
	return (struct pt_moving){ .newcomers = newcomers,
		.n_newcomers = n,
		.source = PT_STR("there"),
		.mark = PT_STR("people 1") };
}

static struct pt_moved moved(struct world *w, const struct pt_moving *batch)
{
	struct pt_moved out;

	EXPECT_ERR(PT_OK, pt_move_in(world_call(w), batch, &out));
	return out;
}

static void moved_is(const struct pt_moved *moved, enum pt_moving_kind kind, size_t added,
	size_t skipped, size_t left)
{
	size_t sum = 0;

	for (size_t i = 0; i < PT_LEFT_REASONS; i++)
		sum += moved->left_out[kind][i];
	assert_int_equal(added, moved->added[kind]);
	assert_int_equal(skipped, moved->skipped[kind]);
	assert_int_equal(left, sum);
}

/* The first report, in words. */
struct told {
	int n;
	char key[64];
	enum pt_left_out why;
};

static void tell(void *ctx, enum pt_moving_kind kind, pt_str key, enum pt_left_out why)
{
	struct told *told = ctx;

	(void)kind;
	if (told->n++ > 0)
		return;
	memcpy(told->key, key.p, key.n);
	told->why = why;
}

static bool is_there(struct world *w, const char *key)
{
	struct pt_account account;

	return pt_account_get(world_call(w), str(key), &account) == PT_OK;
}

static struct pt_carried_token token_of(const struct world *w, const char *owner)
{
	return (struct pt_carried_token){ PT_STR("7"), id(owner), PT_STR(REFRESH),
		w->now - PT_HOUR };
}

/* ---- people ---- */

static void account_comes_as_it_was(void **state)
{
	struct world w = { 0 };
	struct pt_account account;

	(void)state;
	world_open_profiles(&w, NULL);
	struct pt_newcomer ann = newcomer(&w, "ann", " Ann@Example.org ");
	ann.account.role = PT_STR("admin");
	ann.account.super_admin = true;
	ann.account.user_metadata = PT_STR("{\"a\": 1}");
	ann.account.new_email = PT_STR("ann2@example.org");
	struct pt_moving batch = batch_of(&ann, 1);

	struct pt_moved out = moved(&w, &batch);
	moved_is(&out, PT_MOVING_ACCOUNTS, 1, 0, 0);
	moved_is(&out, PT_MOVING_PARTS, 0, 0, 0);
	EXPECT_ERR(PT_OK, pt_account_get(world_call(&w), PT_STR("ann"), &account));
	assert_string_equal("Ann@example.org", account.email.p);
	assert_string_equal("ann@example.org", account.email_key.p);
	assert_string_equal("ann2@example.org", account.new_email_key.p);
	assert_string_equal("admin", account.role.p);
	assert_string_equal("{\"a\": 1}", account.user_metadata.p);
	assert_true(account.super_admin);
	assert_int_equal(w.now - PT_DAY, account.created_at);
	assert_int_equal(w.now - PT_DAY, account.email_verified_at);
	world_close(&w);
}

static void whoever_has_no_address_of_ours_stays_with_all_that_is_his(void **state)
{
	struct world w = { 0 };
	struct told told = { 0 };

	(void)state;
	world_open_profiles(&w, NULL);
	struct pt_newcomer eve = newcomer(&w, "eve", "Eve <eve@example.org>");
	eve.recover_secret = PT_STR(RECOVER);
	const struct pt_carried_token token = token_of(&w, "eve");
	struct pt_moving batch = batch_of(&eve, 1);
	batch.tokens = &token;
	batch.n_tokens = 1;
	batch.left_out = tell;
	batch.ctx = &told;

	struct pt_moved out = moved(&w, &batch);
	moved_is(&out, PT_MOVING_ACCOUNTS, 0, 0, 1);
	moved_is(&out, PT_MOVING_TICKETS, 0, 0, 1);
	moved_is(&out, PT_MOVING_TOKENS, 0, 0, 1);
	assert_int_equal(3, told.n);
	assert_string_equal("eve", told.key);
	assert_int_equal(PT_LEFT_ADDRESS, told.why);
	assert_false(is_there(&w, "eve"));
	world_close(&w);
}

static void address_belongs_to_one_within_a_batch_and_within_the_site(void **state)
{
	struct world w = { 0 };

	(void)state;
	world_open_profiles(&w, NULL);
	const struct pt_newcomer all[] = { newcomer(&w, "ann", "ann@example.org"),
		newcomer(&w, "ann2", "ANN@example.org"), newcomer(&w, "bob", "bob@example.org") };
	struct pt_moving first = batch_of(all, 2), second = batch_of(all + 1, 2);

	struct pt_moved out = moved(&w, &first);
	moved_is(&out, PT_MOVING_ACCOUNTS, 1, 0, 1);
	assert_int_equal(1, out.left_out[PT_MOVING_ACCOUNTS][PT_LEFT_TAKEN]);
	out = moved(&w, &second);
	moved_is(&out, PT_MOVING_ACCOUNTS, 1, 0, 1);
	assert_true(is_there(&w, "ann"));
	assert_false(is_there(&w, "ann2"));
	world_close(&w);
}

static void same_address_of_another_audience_is_another_person(void **state)
{
	struct world w = { 0 };

	(void)state;
	world_open_profiles(&w, NULL);
	struct pt_newcomer all[] = { newcomer(&w, "ann", "ann@example.org"),
		newcomer(&w, "ann2", "ann@example.org") };
	all[1].account.audience = PT_STR("app");
	struct pt_moving batch = batch_of(all, 2);

	struct pt_moved out = moved(&w, &batch);
	moved_is(&out, PT_MOVING_ACCOUNTS, 2, 0, 0);
	world_close(&w);
}

static void parts_that_cannot_come_are_told_and_the_account_comes(void **state)
{
	static char large[PT_METADATA_MAX + 8];
	struct world w = { 0 };

	(void)state;
	world_open_profiles(&w, NULL);
	memset(large, ' ', sizeof(large) - 1);
	memcpy(large, "{}", 2);
	struct pt_newcomer ann = newcomer(&w, "ann", "ann@example.org");
	ann.account.user_metadata = str(large);
	ann.account.app_metadata = PT_STR("[1]");
	ann.account.new_email = PT_STR("nowhere");
	ann.password = PT_STR("plain words");
	struct pt_moving batch = batch_of(&ann, 1);

	struct pt_moved out = moved(&w, &batch);
	moved_is(&out, PT_MOVING_ACCOUNTS, 1, 0, 0);
	moved_is(&out, PT_MOVING_PARTS, 0, 0, 4);
	assert_int_equal(2, out.left_out[PT_MOVING_PARTS][PT_LEFT_METADATA]);
	assert_int_equal(1, out.left_out[PT_MOVING_PARTS][PT_LEFT_PASSWORD]);
	assert_int_equal(1, out.left_out[PT_MOVING_PARTS][PT_LEFT_ADDRESS]);
	world_close(&w);
}

/* ---- secrets ---- */

static void mailed_secrets_go_on(void **state)
{
	struct world w = { 0 };
	struct pt_account account;
	struct pt_grant grant;

	(void)state;
	world_open_profiles(&w, NULL);
	struct pt_newcomer all[] = { newcomer(&w, "ann", "ann@example.org"),
		newcomer(&w, "bob", "bob@example.org") };
	all[0].account.email_verified_at = 0;
	all[0].account.confirm_sent_at = w.now - PT_MINUTE;
	all[0].confirm_secret = PT_STR(CONFIRM);
	all[1].account.recover_sent_at = w.now - PT_MINUTE;
	all[1].recover_secret = PT_STR(RECOVER);
	all[1].account.new_email = PT_STR("bob2@example.org");
	all[1].account.email_change_sent_at = w.now - PT_MINUTE;
	all[1].email_change_secret = PT_STR(CHANGE);
	struct pt_moving batch = batch_of(all, 2);

	struct pt_moved out = moved(&w, &batch);
	moved_is(&out, PT_MOVING_TICKETS, 3, 0, 0);
	EXPECT_ERR(PT_OK,
		pt_prove(world_call(&w), PT_PROOF_SIGNUP, PT_STR(CONFIRM), PT_STR(""), &grant));
	assert_true(grant.account.email_verified_at > 0);
	EXPECT_ERR(PT_E_TICKET,
		pt_prove(world_call(&w), PT_PROOF_SIGNUP, PT_STR(CONFIRM), PT_STR(""), &grant));
	EXPECT_ERR(PT_OK,
		pt_prove(world_call(&w), PT_PROOF_RECOVERY, PT_STR(RECOVER), PT_STR(""), &grant));
	const struct pt_edit edit = { .email_change_token = PT_STR(CHANGE) };
	EXPECT_ERR(PT_OK, pt_account_edit(world_call(&w), PT_STR("bob"), &edit, &account));
	assert_string_equal("bob2@example.org", account.email.p);
	world_close(&w);
}

static void invitation_still_asks_for_a_password(void **state)
{
	struct world w = { 0 };
	struct pt_ticket_record kept;
	struct pt_hash hash;
	struct pt_grant grant;

	(void)state;
	world_open_profiles(&w, NULL);
	struct pt_newcomer ann = newcomer(&w, "ann", "ann@example.org");
	ann.account.email_verified_at = 0;
	ann.account.invited_at = w.now - 2 * PT_DAY;
	ann.confirm_secret = PT_STR(CONFIRM);
	struct pt_moving batch = batch_of(&ann, 1);

	struct pt_moved out = moved(&w, &batch);
	moved_is(&out, PT_MOVING_TICKETS, 1, 0, 0);
	EXPECT_ERR(PT_OK, digest_sha256(PT_STR(CONFIRM), &hash));
	EXPECT_ERR(PT_OK, w.store.ticket_find(w.store.ctx, pt_call_arena(w.call), &hash,
				  PT_TICKET_INVITE, w.now, &kept));
	assert_int_equal(ann.account.invited_at, kept.ticket.created_at);
	assert_int_equal(ann.account.invited_at + w.policy.invite_life, kept.ticket.expires_at);
	EXPECT_ERR(PT_E_PASSWORD_MISSING,
		pt_prove(world_call(&w), PT_PROOF_SIGNUP, PT_STR(CONFIRM), PT_STR(""), &grant));
	EXPECT_ERR(PT_OK, pt_prove(world_call(&w), PT_PROOF_SIGNUP, PT_STR(CONFIRM),
				  PT_STR(PASSWORD), &grant));
	EXPECT_ERR(PT_OK, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	world_close(&w);
}

static void secret_that_is_old_odd_or_of_no_use_stays(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant;

	(void)state;
	world_open_profiles(&w, NULL);
	struct pt_newcomer ann = newcomer(&w, "ann", "ann@example.org");
	ann.confirm_secret = PT_STR(CONFIRM); /* confirmed long ago */
	ann.recover_secret = PT_STR("short");
	ann.account.recover_sent_at = w.now;
	ann.email_change_secret = PT_STR(CHANGE); /* no address waits */
	ann.account.email_change_sent_at = w.now;
	struct pt_newcomer bob = newcomer(&w, "bob", "bob@example.org");
	bob.recover_secret = PT_STR(RECOVER);
	bob.account.recover_sent_at = w.now - w.policy.reset_life;
	const struct pt_newcomer all[] = { ann, bob };
	struct pt_moving batch = batch_of(all, 2);

	struct pt_moved out = moved(&w, &batch);
	moved_is(&out, PT_MOVING_ACCOUNTS, 2, 0, 0);
	moved_is(&out, PT_MOVING_TICKETS, 0, 0, 4);
	assert_int_equal(1, out.left_out[PT_MOVING_TICKETS][PT_LEFT_SECRET]);
	EXPECT_ERR(PT_E_TICKET,
		pt_prove(world_call(&w), PT_PROOF_RECOVERY, PT_STR(RECOVER), PT_STR(""), &grant));
	world_close(&w);
}

static void refresh_token_goes_on_once(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant;

	(void)state;
	world_open_profiles(&w, NULL);
	w.policy.refresh_grace = 0;
	const struct pt_newcomer ann = newcomer(&w, "ann", "ann@example.org");
	const struct pt_carried_token tokens[] = { token_of(&w, "ann"),
		{ PT_STR("8"), id("ann"), PT_STR("oldoldoldoldoldoldold1"),
			w.now - w.policy.refresh_life },
		{ PT_STR("9"), id("ann"), PT_STR("not one"), w.now },
		{ PT_STR("10"), id("nobody"), PT_STR("nobodynobodynobodynob1"), w.now } };
	struct pt_moving batch = batch_of(&ann, 1);
	batch.tokens = tokens;
	batch.n_tokens = 4;

	struct pt_moved out = moved(&w, &batch);
	moved_is(&out, PT_MOVING_TOKENS, 1, 0, 3);
	assert_int_equal(1, out.left_out[PT_MOVING_TOKENS][PT_LEFT_EXPIRED]);
	assert_int_equal(1, out.left_out[PT_MOVING_TOKENS][PT_LEFT_SECRET]);
	assert_int_equal(1, out.left_out[PT_MOVING_TOKENS][PT_LEFT_OWNER]);
	EXPECT_ERR(PT_OK, pt_token_refresh(world_call(&w), PT_STR(REFRESH), &grant));
	assert_string_equal("ann", grant.account.id.text);
	EXPECT_ERR(PT_E_REFRESH,
		pt_token_refresh(world_call(&w), PT_STR("oldoldoldoldoldoldold1"), &grant));
	world_close(&w);
}

static void what_was_spent_here_does_not_come_back(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant;

	(void)state;
	world_open_profiles(&w, NULL);
	struct pt_newcomer ann = newcomer(&w, "ann", "ann@example.org");
	ann.recover_secret = PT_STR(RECOVER);
	ann.account.recover_sent_at = w.now;
	const struct pt_carried_token token = token_of(&w, "ann");
	struct pt_moving batch = batch_of(&ann, 1);
	batch.tokens = &token;
	batch.n_tokens = 1;

	struct pt_moved out = moved(&w, &batch);
	moved_is(&out, PT_MOVING_ACCOUNTS, 1, 0, 0);
	EXPECT_ERR(PT_OK,
		pt_prove(world_call(&w), PT_PROOF_RECOVERY, PT_STR(RECOVER), PT_STR(""), &grant));
	EXPECT_ERR(PT_OK, pt_signout_everywhere(world_call(&w), PT_STR("ann")));
	out = moved(&w, &batch);
	moved_is(&out, PT_MOVING_ACCOUNTS, 0, 1, 0);
	moved_is(&out, PT_MOVING_TICKETS, 0, 1, 0);
	moved_is(&out, PT_MOVING_TOKENS, 0, 1, 0);
	EXPECT_ERR(PT_E_TICKET,
		pt_prove(world_call(&w), PT_PROOF_RECOVERY, PT_STR(RECOVER), PT_STR(""), &grant));
	EXPECT_ERR(PT_E_REFRESH, pt_token_refresh(world_call(&w), PT_STR(REFRESH), &grant));
	world_close(&w);
}

/* ---- events, rehearsals, marks ---- */

static void events_keep_their_ids_and_unknown_ones_stay(void **state)
{
	struct world w = { 0 };

	(void)state;
	world_open_profiles(&w, NULL);
	const struct pt_carried_event events[] = {
		{ PT_STR("e1"), { .id = id("e1"),
					.kind = PT_EVENT_SIGNIN,
					.account = id("ann"),
					.at = w.now - PT_DAY,
					.email = PT_STR("ann@example.org") } },
		{ PT_STR("e2"), { .id = id("e2"), .at = w.now } },
		{ PT_STR("long"), { .kind = PT_EVENT_SIGNIN, .at = w.now } },
	};
	const struct pt_moving batch = { .events = events,
		.n_events = 3,
		.source = PT_STR("there"),
		.mark = PT_STR("events e2") };

	struct pt_moved out = moved(&w, &batch);
	moved_is(&out, PT_MOVING_EVENTS, 1, 0, 2);
	assert_int_equal(1, out.left_out[PT_MOVING_EVENTS][PT_LEFT_UNKNOWN]);
	out = moved(&w, &batch);
	moved_is(&out, PT_MOVING_EVENTS, 0, 1, 2);
	assert_int_equal(1, world_events(&w, PT_EVENT_SIGNIN));
	world_close(&w);
}

static void nameless_log(struct pt_policy *policy)
{
	policy->log_names = false;
}

static void events_lose_their_names_where_the_log_keeps_none(void **state)
{
	struct world w = { 0 };
	struct pt_event *got;
	size_t n;

	(void)state;
	world_open_profiles(&w, nameless_log);
	const struct pt_carried_event event = { PT_STR("e1"),
		{ .id = id("e1"),
			.kind = PT_EVENT_SIGNIN,
			.at = w.now,
			.email = PT_STR("ann@example.org"),
			.actor_name = PT_STR("Ann") } };
	const struct pt_moving batch = { .events = &event, .n_events = 1 };

	(void)moved(&w, &batch);
	EXPECT_ERR(PT_OK, pt_event_list(world_call(&w), PT_STR(""), 10, &got, &n));
	assert_int_equal(1, n);
	assert_int_equal(0, got[0].email.n);
	assert_int_equal(0, got[0].actor_name.n);
	world_close(&w);
}

static void rehearsal_counts_alike_and_keeps_nothing(void **state)
{
	struct world w = { 0 };
	pt_str mark;

	(void)state;
	world_open_profiles(&w, NULL);
	struct pt_newcomer all[] = { newcomer(&w, "ann", "ann@example.org"),
		newcomer(&w, "bob", "bob@example.org") };
	all[1].address_seen = true;
	const struct pt_carried_token token = token_of(&w, "ann");
	struct pt_moving batch = batch_of(all, 2);
	batch.tokens = &token;
	batch.n_tokens = 1;
	batch.rehearsal = true;

	struct pt_moved out = moved(&w, &batch);
	moved_is(&out, PT_MOVING_ACCOUNTS, 1, 0, 1);
	moved_is(&out, PT_MOVING_TOKENS, 1, 0, 0);
	assert_false(is_there(&w, "ann"));
	EXPECT_ERR(PT_OK, pt_moving_mark(world_call(&w), PT_STR("there"), &mark));
	assert_int_equal(0, mark.n);
	batch.rehearsal = false;
	out = moved(&w, &batch);
	moved_is(&out, PT_MOVING_ACCOUNTS, 2, 0, 0);
	EXPECT_ERR(PT_OK, pt_moving_mark(world_call(&w), PT_STR("there"), &mark));
	assert_string_equal("people 1", mark.p);
	world_close(&w);
}

static void people_and_events_come_to_the_tenant_that_is_named(void **state)
{
	struct world w = { .tenant = "acme" };
	struct pt_event *got;
	size_t n;

	(void)state;
	world_open_profiles(&w, NULL);
	const struct pt_newcomer ann = newcomer(&w, "ann", "ann@example.org"),
				 bob = newcomer(&w, "bob", "bob@example.org");
	const struct pt_carried_event event = { PT_STR("e1"),
		{ .id = id("e1"), .kind = PT_EVENT_SIGNIN, .at = w.now } };
	struct pt_moving here = batch_of(&ann, 1), elsewhere = batch_of(&bob, 1);
	const struct pt_moving events = {
		.tenant = PT_STR("acme"), .events = &event, .n_events = 1
	};
	here.tenant = PT_STR("acme");

	(void)moved(&w, &here);
	(void)moved(&w, &elsewhere);
	(void)moved(&w, &events);
	assert_true(is_there(&w, "ann"));
	assert_false(is_there(&w, "bob"));
	EXPECT_ERR(PT_OK, w.store.event_list(w.store.ctx, pt_call_arena(world_call(&w)),
				  &(struct pt_id){ "" }, 10, &got, &n));
	assert_int_equal(1, n);
	assert_string_equal("acme", got[0].tenant.p);
	world_close(&w);
}

static void tenant_keeps_its_id(void **state)
{
	struct world w = { 0 };
	struct pt_tenant got;
	struct pt_tenant acme = { .id = id("5b8b5f0e-6a1c-4c0e-9d0a-0123456789ab"),
		.name = id("acme"),
		.config = PT_STR("{\"a\":1}") };

	(void)state;
	world_open_profiles(&w, NULL);
	EXPECT_ERR(PT_OK, pt_tenant_move_in(world_call(&w), &acme));
	EXPECT_ERR(PT_OK, pt_tenant_get(world_call(&w), str(acme.id.text), &got));
	assert_string_equal("acme", got.name.text);
	assert_string_equal("{\"a\":1}", got.config.p);
	acme.id = id("another");
	EXPECT_ERR(PT_E_TAKEN, pt_tenant_move_in(world_call(&w), &acme));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(account_comes_as_it_was),
		cmocka_unit_test(whoever_has_no_address_of_ours_stays_with_all_that_is_his),
		cmocka_unit_test(address_belongs_to_one_within_a_batch_and_within_the_site),
		cmocka_unit_test(same_address_of_another_audience_is_another_person),
		cmocka_unit_test(parts_that_cannot_come_are_told_and_the_account_comes),
		cmocka_unit_test(mailed_secrets_go_on),
		cmocka_unit_test(invitation_still_asks_for_a_password),
		cmocka_unit_test(secret_that_is_old_odd_or_of_no_use_stays),
		cmocka_unit_test(refresh_token_goes_on_once),
		cmocka_unit_test(what_was_spent_here_does_not_come_back),
		cmocka_unit_test(events_keep_their_ids_and_unknown_ones_stay),
		cmocka_unit_test(events_lose_their_names_where_the_log_keeps_none),
		cmocka_unit_test(rehearsal_counts_alike_and_keeps_nothing),
		cmocka_unit_test(people_and_events_come_to_the_tenant_that_is_named),
		cmocka_unit_test(tenant_keeps_its_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "world.h"

#include <string.h>

#include "base/str.h"
#include "core/site.h"

#define NEW_PASSWORD "another quiet harbour"

/* A hook that remembers what it heard, and answers what the test puts there. */
static char heard[256];
static struct pt_hook_reply answer;
static pt_err verdict;

static bool wants(void *ctx, enum pt_hook_event event)
{
	(void)ctx, (void)event;
	return true;
}

static pt_err hook_body(void *ctx, pt_arena *arena, enum pt_hook_event event,
	const struct pt_account *account, pt_str *body)
{
	(void)ctx, (void)arena, (void)event;
	*body = account->email;
	return PT_OK;
}

static pt_err ask(void *ctx, pt_arena *arena, enum pt_hook_event event, pt_str body,
	struct pt_hook_reply *reply, pt_str *detail)
{
	(void)ctx, (void)arena, (void)body;
	strcat(heard, pt_hook_name(event));
	strcat(heard, " ");
	*reply = answer;
	*detail = PT_STR("why not");
	return verdict;
}

static void hooks_open(struct world *w)
{
	heard[0] = '\0';
	answer = (struct pt_hook_reply){ { 0 }, { 0 } };
	verdict = PT_OK;
	w->hooks = (struct pt_hooks){ sizeof(w->hooks), NULL, wants, hook_body, ask };
}

static void autoconfirm(struct pt_policy *policy)
{
	policy->autoconfirm = true;
}

static pt_err join(struct world *w, const char *email, struct pt_account *out)
{
	const struct pt_register_form form = { str(email), PT_STR(PASSWORD), { 0 } };

	return pt_register(world_call(w), &form, out);
}

static pt_err edit_of(struct world *w, const struct pt_id *id, struct pt_edit edit)
{
	struct pt_account account;

	return pt_account_edit(world_call(w), str(id->text), &edit, &account);
}

static void a_new_password_ends_all_but_the_family_that_asks(void **state)
{
	struct world w = { 0 };
	struct pt_account ann;
	struct pt_access access;
	struct pt_grant mine, other;
	char kept[128], lost[128];

	(void)state;
	world_open_profiles(&w, autoconfirm);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org", &ann));
	struct pt_id id = ann.id;
	EXPECT_ERR(PT_OK, world_signin(&w, "ann@example.org", PASSWORD, &mine));
	strcpy(kept, mine.refresh_token.p);
	EXPECT_ERR(PT_OK, pt_access_read(w.call, mine.access_token, &access));
	struct pt_id session = access.session;
	EXPECT_ERR(PT_OK, world_signin(&w, "ann@example.org", PASSWORD, &other));
	strcpy(lost, other.refresh_token.p);

	EXPECT_ERR(PT_E_PASSWORD_SHORT,
		edit_of(&w, &id, (struct pt_edit){ .password = PT_STR("x"), .session = session }));
	EXPECT_ERR(PT_OK,
		edit_of(&w, &id,
			(struct pt_edit){ .password = PT_STR(NEW_PASSWORD), .session = session }));
	EXPECT_ERR(PT_E_REFRESH, pt_token_refresh(world_call(&w), str(lost), &other));
	EXPECT_ERR(PT_OK, pt_token_refresh(world_call(&w), str(kept), &mine));
	EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "ann@example.org", PASSWORD, &mine));
	EXPECT_ERR(PT_OK, world_signin(&w, "ann@example.org", NEW_PASSWORD, &mine));
	world_close(&w);
}

static void a_new_address_waits_for_its_owner(void **state)
{
	struct world w = { 0 };
	struct pt_account ann, bob, now;
	char secret[128];

	(void)state;
	world_open_profiles(&w, autoconfirm);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org", &ann));
	struct pt_id id = ann.id;
	EXPECT_ERR(PT_OK, join(&w, "bob@example.org", &bob));
	struct pt_id bobs = bob.id;
	EXPECT_ERR(PT_E_TAKEN,
		edit_of(&w, &id, (struct pt_edit){ .email = PT_STR("Bob@example.org") }));
	EXPECT_ERR(PT_OK, edit_of(&w, &id, (struct pt_edit){ .email = PT_STR("eve@example.org") }));
	EXPECT_ERR(PT_E_MAIL_LIMITED,
		edit_of(&w, &id, (struct pt_edit){ .email = PT_STR("eva@example.org") }));
	EXPECT_ERR(PT_OK, pt_account_get(world_call(&w), str(id.text), &now));
	assert_string_equal("ann@example.org", now.email.p);
	assert_string_equal("eve@example.org", now.new_email.p);
	strcpy(secret, world_letter_secret(&w, PT_LETTER_EMAIL_CHANGE));
	EXPECT_ERR(PT_E_TICKET,
		edit_of(&w, &bobs, (struct pt_edit){ .email_change_token = str(secret) }));
	EXPECT_ERR(PT_OK, edit_of(&w, &id, (struct pt_edit){ .email_change_token = str(secret) }));
	EXPECT_ERR(PT_OK, pt_account_get(world_call(&w), str(id.text), &now));
	assert_string_equal("eve@example.org", now.email.p);
	assert_int_equal(0, now.new_email.n);
	assert_int_equal(1, world_letters(&w, PT_LETTER_EMAIL_CHANGED));
	EXPECT_ERR(PT_E_TICKET,
		edit_of(&w, &id, (struct pt_edit){ .email_change_token = str(secret) }));
	world_close(&w);
}

static void an_address_taken_meanwhile_is_refused(void **state)
{
	struct world w = { 0 };
	struct pt_account ann, eve;
	char secret[128];

	(void)state;
	world_open_profiles(&w, autoconfirm);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org", &ann));
	struct pt_id id = ann.id;
	EXPECT_ERR(PT_OK, edit_of(&w, &id, (struct pt_edit){ .email = PT_STR("eve@example.org") }));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_EMAIL_CHANGE));
	EXPECT_ERR(PT_OK, join(&w, "eve@example.org", &eve));
	EXPECT_ERR(PT_E_TAKEN,
		edit_of(&w, &id, (struct pt_edit){ .email_change_token = str(secret) }));
	w.now += PT_DAY;
	EXPECT_ERR(PT_E_TICKET_EXPIRED,
		edit_of(&w, &id, (struct pt_edit){ .email_change_token = str(secret) }));
	world_close(&w);
}

/* Somebody who looked before another new address was asked for. */
static pt_err (*real_find)(void *ctx, pt_arena *arena, const struct pt_account_query *query,
	struct pt_account_record *out);

static pt_err stale_find(void *ctx, pt_arena *arena, const struct pt_account_query *query,
	struct pt_account_record *out)
{
	pt_err err = real_find(ctx, arena, query, out);

	if (err == PT_OK && out->account.new_email.n > 0) {
		out->account.new_email = PT_STR("victim@example.org");
		out->account.new_email_key = PT_STR("victim@example.org");
	}
	return err;
}

static void the_address_that_the_letter_went_to_is_the_one(void **state)
{
	struct world w = { 0 };
	struct pt_account ann, now;
	char secret[128];

	(void)state;
	world_open_profiles(&w, autoconfirm);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org", &ann));
	struct pt_id id = ann.id;
	EXPECT_ERR(PT_OK, edit_of(&w, &id, (struct pt_edit){ .email = PT_STR("eve@example.org") }));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_EMAIL_CHANGE));
	real_find = w.site->store.account_find;
	w.site->store.account_find = stale_find;
	EXPECT_ERR(PT_OK, edit_of(&w, &id, (struct pt_edit){ .email_change_token = str(secret) }));
	w.site->store.account_find = real_find;
	EXPECT_ERR(PT_OK, pt_account_get(world_call(&w), str(id.text), &now));
	assert_string_equal("eve@example.org", now.email.p);
	world_close(&w);
}

static void a_new_password_ends_what_waits_for_another_address(void **state)
{
	struct world w = { 0 };
	struct pt_account ann;
	char secret[128];

	(void)state;
	world_open_profiles(&w, autoconfirm);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org", &ann));
	struct pt_id id = ann.id;
	EXPECT_ERR(PT_OK, edit_of(&w, &id, (struct pt_edit){ .email = PT_STR("eve@example.org") }));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_EMAIL_CHANGE));
	EXPECT_ERR(PT_OK, edit_of(&w, &id, (struct pt_edit){ .password = PT_STR(NEW_PASSWORD) }));
	EXPECT_ERR(PT_E_TICKET,
		edit_of(&w, &id, (struct pt_edit){ .email_change_token = str(secret) }));
	world_close(&w);
}

static void whoever_was_switched_off_changes_nothing(void **state)
{
	const struct pt_edit mine = { .password = PT_STR(NEW_PASSWORD) };
	const struct pt_edit operators = { .by_operator = true, .role = PT_STR("reader") };
	struct world w = { 0 };
	struct pt_account ann;

	(void)state;
	world_open_profiles(&w, autoconfirm);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org", &ann));
	struct pt_id id = ann.id;
	EXPECT_ERR(PT_OK, pt_account_set_disabled(world_call(&w), str(id.text), true));
	EXPECT_ERR(PT_E_DISABLED, edit_of(&w, &id, mine));
	EXPECT_ERR(PT_OK, edit_of(&w, &id, operators));
	world_close(&w);
}

static void an_operator_sets_an_address_at_once_and_is_named(void **state)
{
	struct pt_account operator_ = { .email = PT_STR("root@example.org") }, ann;
	struct pt_event *events;
	struct world w = { 0 };
	int64_t total;
	size_t n;

	(void)state;
	strcpy(operator_.id.text, "00000000-0000-0000-0000-000000000000");
	world_open_profiles(&w, autoconfirm);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org", &ann));
	struct pt_id id = ann.id;
	pt_call_act_as(world_call(&w), &operator_);
	const struct pt_edit edit = {
		.by_operator = true, .email = PT_STR("eve@example.org"), .role = PT_STR(" boss ")
	};
	EXPECT_ERR(PT_OK, pt_account_edit(w.call, str(id.text), &edit, &ann));
	assert_string_equal("eve@example.org", ann.email.p);
	assert_true(str_eq(ann.role, PT_STR("boss")));
	const struct pt_event_search search = { .kinds = 1U << PT_EVENT_ACCOUNT_CHANGED,
		.author = PT_STR("ROOT@"),
		.page = { 0, 10 } };
	EXPECT_ERR(PT_OK, pt_event_search(world_call(&w), &search, &events, &n, &total));
	assert_int_equal(1, total);
	assert_string_equal(operator_.id.text, events[0].actor.text);
	world_close(&w);
}

static void metadata_is_an_object_of_bounded_size(void **state)
{
	static char large[PT_METADATA_MAX + 16];
	struct world w = { 0 };
	struct pt_account ann;

	(void)state;
	world_open_profiles(&w, autoconfirm);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org", &ann));
	struct pt_id id = ann.id;
	EXPECT_ERR(
		PT_E_METADATA, edit_of(&w, &id, (struct pt_edit){ .user_metadata = PT_STR("[]") }));
	memset(large, ' ', sizeof(large) - 1);
	EXPECT_ERR(
		PT_E_METADATA, edit_of(&w, &id, (struct pt_edit){ .user_metadata = str(large) }));
	EXPECT_ERR(
		PT_OK, edit_of(&w, &id, (struct pt_edit){ .user_metadata = PT_STR("{\"a\":1}") }));
	world_close(&w);
}

/* ---- hooks ---- */

static void hooks_are_asked_before_and_told_within(void **state)
{
	struct world w = { 0 };
	struct pt_account ann;
	struct pt_grant grant;

	(void)state;
	hooks_open(&w);
	world_open_profiles(&w, autoconfirm);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org", &ann));
	struct pt_id id = ann.id;
	answer.user_metadata = PT_STR("{\"level\":7}");
	EXPECT_ERR(PT_OK, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	assert_string_equal("{\"level\":7}", grant.account.user_metadata.p);
	assert_string_equal("validate signup login ", heard);
	EXPECT_ERR(
		PT_OK, edit_of(&w, &id, (struct pt_edit){ .by_operator = true, .confirm = true }));
	EXPECT_ERR(PT_OK, pt_account_remove(world_call(&w), str(id.text)));
	assert_int_equal(2, world_letters(&w, PT_LETTER_HOOK));
	assert_string_equal("validate signup login ", heard);
	world_close(&w);
}

static void a_hook_that_refuses_leaves_nothing_behind(void **state)
{
	struct world w = { 0 };
	struct pt_account ann;
	struct pt_grant grant;

	(void)state;
	hooks_open(&w);
	world_open_profiles(&w, autoconfirm);
	verdict = PT_E_HOOK_REFUSED;
	EXPECT_ERR(PT_E_HOOK_REFUSED, join(&w, "ann@example.org", &ann));
	assert_string_equal("why not", pt_call_detail(w.call).p);
	EXPECT_ERR(
		PT_E_NOT_FOUND, pt_account_find(world_call(&w), PT_STR("ann@example.org"), &ann));
	verdict = PT_OK;
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org", &ann));
	verdict = PT_E_HOOK_TIMEOUT;
	EXPECT_ERR(PT_E_HOOK_TIMEOUT, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	verdict = PT_OK;
	answer.app_metadata = PT_STR("[1]");
	EXPECT_ERR(PT_E_HOOK_MALFORMED, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	world_close(&w);
}

static void the_pages_pass_by_no_hook(void **state)
{
	struct pt_signup_form form = { .username = PT_STR("ann"),
		.email = PT_STR("ann@example.org"),
		.password = PT_STR(PASSWORD) };
	struct world w = { 0 };
	struct pt_account ann;
	char secret[128];

	(void)state;
	hooks_open(&w);
	world_open_profiles(&w, NULL);
	verdict = PT_E_HOOK_REFUSED;
	EXPECT_ERR(PT_E_HOOK_REFUSED, pt_signup(world_call(&w), &form, &ann));
	verdict = PT_OK;
	EXPECT_ERR(PT_OK, pt_signup(world_call(&w), &form, &ann));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_VERIFY));
	verdict = PT_E_HOOK_REFUSED;
	EXPECT_ERR(PT_E_HOOK_REFUSED, pt_confirm(world_call(&w), str(secret)));
	assert_int_equal(0, world_account(&w, "ann").email_verified_at);
	verdict = PT_OK;
	answer.user_metadata = PT_STR("{\"level\":7}");
	EXPECT_ERR(PT_OK, pt_confirm(world_call(&w), str(secret)));
	EXPECT_ERR(PT_OK, pt_confirm(world_call(&w), str(secret)));
	assert_string_equal("{\"level\":7}", world_account(&w, "ann").user_metadata.p);
	assert_string_equal("validate validate signup signup ", heard);
	world_close(&w);
}

static void a_reset_passes_by_no_hook(void **state)
{
	struct world w = { 0 };
	struct pt_account ann;
	char secret[128];

	(void)state;
	hooks_open(&w);
	world_open_profiles(&w, NULL);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org", &ann));
	struct pt_id id = ann.id;
	EXPECT_ERR(PT_OK, pt_recover(world_call(&w), PT_STR("ann@example.org")));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_RESET));
	verdict = PT_E_HOOK_REFUSED;
	EXPECT_ERR(PT_E_HOOK_REFUSED, pt_reset(world_call(&w), str(secret), PT_STR(NEW_PASSWORD)));
	verdict = PT_OK;
	answer.app_metadata = PT_STR("{\"level\":7}");
	EXPECT_ERR(PT_OK, pt_reset(world_call(&w), str(secret), PT_STR(NEW_PASSWORD)));
	EXPECT_ERR(PT_OK, pt_account_get(world_call(&w), str(id.text), &ann));
	assert_string_equal("{\"level\":7}", ann.app_metadata.p);
	assert_true(ann.email_verified_at > 0);
	EXPECT_ERR(PT_E_TICKET, pt_reset(world_call(&w), str(secret), PT_STR(NEW_PASSWORD)));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_password_ends_all_but_the_family_that_asks),
		cmocka_unit_test(a_new_address_waits_for_its_owner),
		cmocka_unit_test(an_address_taken_meanwhile_is_refused),
		cmocka_unit_test(the_address_that_the_letter_went_to_is_the_one),
		cmocka_unit_test(a_new_password_ends_what_waits_for_another_address),
		cmocka_unit_test(whoever_was_switched_off_changes_nothing),
		cmocka_unit_test(an_operator_sets_an_address_at_once_and_is_named),
		cmocka_unit_test(metadata_is_an_object_of_bounded_size),
		cmocka_unit_test(hooks_are_asked_before_and_told_within),
		cmocka_unit_test(a_hook_that_refuses_leaves_nothing_behind),
		cmocka_unit_test(the_pages_pass_by_no_hook),
		cmocka_unit_test(a_reset_passes_by_no_hook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

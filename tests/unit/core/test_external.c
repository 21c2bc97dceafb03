#include "world.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "core/call.h"
#include "core/site.h"

/* A provider that hands over whoever the test puts there. */
static struct pt_profile visitor;
static pt_err provider_says;
static char seen_state[8192];

static pt_err authorize(void *ctx, pt_arena *arena, const struct pt_provider_ask *ask, pt_str *url)
{
	(void)ctx, (void)arena;
	memcpy(seen_state, ask->state.p, ask->state.n);
	seen_state[ask->state.n] = '\0';
	assert_int_equal(43, ask->challenge.n);
	*url = PT_STR("https://provider.example/authorize");
	return PT_OK;
}

static pt_err profile(
	void *ctx, pt_arena *arena, const struct pt_provider_answer *answer, struct pt_profile *out)
{
	(void)ctx, (void)arena;
	assert_int_equal(43, answer->verifier.n);
	*out = visitor;
	return provider_says;
}

static void comes(const char *subject, const char *email, bool verified)
{
	visitor = (struct pt_profile){
		.subject = str(subject),
		.emails = { { str(email), verified, true } },
		.n_emails = 1,
		.full_name = PT_STR("Ann Other"),
	};
	provider_says = PT_OK;
}

static void open_with(struct world *w, void (*change)(struct pt_policy *policy))
{
	w->provider =
		(struct pt_provider){ sizeof(w->provider), "github", NULL, authorize, profile };
	world_open_profiles(w, change);
}

static pt_err begin(struct world *w, const char *invite, char cookie[64])
{
	const struct pt_external_ask ask = { .provider = PT_STR("github"), .invite = str(invite) };
	struct pt_external_begun begun;
	pt_err err = pt_external_begin(world_call(w), &ask, &begun);

	if (err == PT_OK)
		strcpy(cookie, begun.cookie.p);
	return err;
}

static pt_err enter_by(struct world *w, const char *invite, struct pt_grant *out)
{
	struct pt_external_state state;
	char cookie[64];
	pt_err err = begin(w, invite, cookie);

	if (err != PT_OK)
		return err;
	EXPECT_ERR(PT_OK, pt_external_state(world_call(w), str(seen_state), str(cookie), &state));
	return pt_external_finish(w->call, &state, PT_STR("code"), out);
}

static pt_err enter(struct world *w, struct pt_grant *out)
{
	return enter_by(w, NULL, out);
}

static pt_err join(struct world *w, const char *email)
{
	const struct pt_register_form form = { str(email), PT_STR(PASSWORD), { 0 } };
	struct pt_account account;

	return pt_register(world_call(w), &form, &account);
}

static void confirm(struct world *w)
{
	struct pt_grant grant;
	char secret[128];

	strcpy(secret, world_letter_secret(w, PT_LETTER_VERIFY));
	EXPECT_ERR(
		PT_OK, pt_prove(world_call(w), PT_PROOF_SIGNUP, str(secret), PT_STR(""), &grant));
}

static void a_newcomer_gets_an_account_and_comes_back_by_identity(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant;
	struct pt_id first;

	(void)state;
	open_with(&w, NULL);
	comes("7", "ann@example.org", true);
	EXPECT_ERR(PT_OK, enter(&w, &grant));
	first = grant.account.id;
	assert_true(grant.account.email_verified_at > 0);
	assert_string_equal("{\"provider\":\"github\"}", grant.account.app_metadata.p);
	assert_string_equal("{\"full_name\":\"Ann Other\"}", grant.account.user_metadata.p);
	comes("7", "ann@elsewhere.example", true);
	EXPECT_ERR(PT_OK, enter(&w, &grant));
	assert_string_equal(first.text, grant.account.id.text);
	comes("8", "bob@example.org", true);
	EXPECT_ERR(PT_OK, enter(&w, &grant));
	assert_string_not_equal(first.text, grant.account.id.text);
	world_close(&w);
}

static void an_address_nobody_vouches_for_opens_no_account_of_others(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant;

	(void)state;
	open_with(&w, NULL);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org"));
	confirm(&w);
	int mailed = w.mailed;
	comes("7", "ann@example.org", false);
	EXPECT_ERR(PT_E_TAKEN, enter(&w, &grant));
	assert_int_equal(mailed, w.mailed);
	comes("7", "ann@example.org", true);
	EXPECT_ERR(PT_OK, enter(&w, &grant));
	EXPECT_ERR(PT_OK, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	assert_int_equal(1, world_events(&w, PT_EVENT_IDENTITY_LINKED));
	world_close(&w);
}

static void an_account_nobody_confirmed_loses_its_password_to_the_owner(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant;

	(void)state;
	open_with(&w, NULL);
	EXPECT_ERR(PT_OK, join(&w, "ann@example.org"));
	comes("7", "ann@example.org", true);
	EXPECT_ERR(PT_OK, enter(&w, &grant));
	assert_true(grant.account.email_verified_at > 0);
	EXPECT_ERR(PT_E_CREDENTIALS, world_signin(&w, "ann@example.org", PASSWORD, &grant));
	world_close(&w);
}

static void whoever_was_there_before_the_owner_comes_in_no_more(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant;

	(void)state;
	open_with(&w, NULL);
	comes("666", "ann@example.org", false);
	EXPECT_ERR(PT_E_UNVERIFIED, enter(&w, &grant));
	comes("7", "ann@example.org", true);
	EXPECT_ERR(PT_OK, enter(&w, &grant));
	comes("666", "ann@example.org", false);
	EXPECT_ERR(PT_E_TAKEN, enter(&w, &grant));
	world_close(&w);
}

/* A hook that agrees, and has something to say. */
static bool wants(void *ctx, enum pt_hook_event event)
{
	(void)ctx, (void)event;
	return true;
}

static pt_err hook_body(void *ctx, pt_arena *arena, enum pt_hook_event event,
	const struct pt_account *account, pt_str *body)
{
	(void)ctx, (void)arena, (void)event, (void)account;
	*body = PT_STR("{}");
	return PT_OK;
}

static pt_err agree(void *ctx, pt_arena *arena, enum pt_hook_event event, pt_str body,
	struct pt_hook_reply *reply, pt_str *detail)
{
	(void)ctx, (void)arena, (void)event, (void)body, (void)detail;
	*reply = (struct pt_hook_reply){ PT_STR("{\"plan\":\"free\"}"), { 0 } };
	return PT_OK;
}

static const struct pt_hooks agreeing = { sizeof(agreeing), NULL, wants, hook_body, agree };

static pt_err reset(struct world *w)
{
	char secret[128];

	EXPECT_ERR(PT_OK, pt_recover(world_call(w), PT_STR("ann@example.org")));
	strcpy(secret, world_letter_secret(w, PT_LETTER_RESET));
	return pt_reset(world_call(w), str(secret), PT_STR(PASSWORD));
}

static void neither_after_the_owner_came_by_the_pages(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct world w = { .hooks = i & 1 ? agreeing : (struct pt_hooks){ 0 } };
		struct pt_grant grant;
		char secret[128];

		open_with(&w, NULL);
		comes("666", "ann@example.org", false);
		EXPECT_ERR(PT_E_UNVERIFIED, enter(&w, &grant));
		strcpy(secret, world_letter_secret(&w, PT_LETTER_VERIFY));
		if (i & 2)
			EXPECT_ERR(PT_OK, reset(&w));
		else
			EXPECT_ERR(PT_OK, pt_confirm(world_call(&w), str(secret)));
		EXPECT_ERR(PT_E_TAKEN, enter(&w, &grant));
		world_close(&w);
	}
}

static void an_unverified_newcomer_is_mailed_and_not_let_in(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant;

	(void)state;
	open_with(&w, NULL);
	comes("7", "ann@example.org", false);
	EXPECT_ERR(PT_E_UNVERIFIED, enter(&w, &grant));
	EXPECT_ERR(PT_E_UNVERIFIED, enter(&w, &grant));
	assert_int_equal(1, world_letters(&w, PT_LETTER_VERIFY));
	/* By the letter the owner came; who came by the provider was never shown to be the same. */
	confirm(&w);
	EXPECT_ERR(PT_E_TAKEN, enter(&w, &grant));
	comes("7", "ann@example.org", true);
	EXPECT_ERR(PT_OK, enter(&w, &grant));
	world_close(&w);
}

/* The owner's letter is read between somebody's look and his act. */
static struct pt_store beneath;

static pt_err find_and_be_late(void *ctx, pt_arena *arena, const struct pt_account_query *query,
	struct pt_account_record *out)
{
	struct pt_account_record now;
	struct pt_amend owner = {
		.now = 1800000000 * PT_SECOND,
		.has_verified = true,
		.verified = true,
		.ends = PT_END_VERIFY | PT_END_IDENTITIES,
	};
	pt_err err = beneath.account_find(ctx, arena, query, out);

	if (err != PT_OK)
		return err;
	owner.account = out->account.id;
	return beneath.account_amend(ctx, arena, &owner, &now);
}

static void whoever_looked_before_the_owner_came_is_too_late(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant;

	(void)state;
	open_with(&w, NULL);
	comes("666", "ann@example.org", false);
	EXPECT_ERR(PT_E_UNVERIFIED, enter(&w, &grant));
	beneath = w.site->store;
	w.site->policy.autoconfirm = true;
	w.site->store.account_find = find_and_be_late;
	EXPECT_ERR(PT_E_TAKEN, enter(&w, &grant));
	w.site->store = beneath;
	world_close(&w);
}

static void signup_off(struct pt_policy *policy)
{
	policy->signup_off = true;
}

static void where_nobody_signs_up_only_those_who_are_known_come_in(void **state)
{
	const struct pt_account_form form = {
		.email = PT_STR("ann@example.org"), .nameless = true, .verified = true
	};
	struct pt_account account;
	struct world w = { 0 };
	struct pt_grant grant;

	(void)state;
	open_with(&w, signup_off);
	EXPECT_ERR(PT_OK, pt_account_create(world_call(&w), &form, &account));
	comes("7", "bob@example.org", true);
	EXPECT_ERR(PT_E_SIGNUP_OFF, enter(&w, &grant));
	visitor.emails[visitor.n_emails++] =
		(struct pt_profile_email){ PT_STR("ann@example.org"), true, false };
	EXPECT_ERR(PT_OK, enter(&w, &grant));
	assert_string_equal(account.id.text, grant.account.id.text);
	world_close(&w);
}

static void an_invitation_is_for_the_address_it_went_to(void **state)
{
	struct pt_account account;
	struct world w = { 0 };
	struct pt_grant grant;
	char secret[128];

	(void)state;
	open_with(&w, NULL);
	EXPECT_ERR(
		PT_OK, pt_invite(world_call(&w), PT_STR("ann@example.org"), PT_STR(""), &account));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_INVITE));
	EXPECT_ERR(
		PT_E_TICKET, enter_by(&w, "0123456789012345678901234567890123456789012", &grant));
	comes("7", "bob@example.org", true);
	EXPECT_ERR(PT_E_INVITE_MISMATCH, enter_by(&w, secret, &grant));
	comes("7", "ann@example.org", false);
	EXPECT_ERR(PT_OK, enter_by(&w, secret, &grant));
	assert_string_equal("{\"provider\":\"github\"}", grant.account.app_metadata.p);
	EXPECT_ERR(PT_E_TICKET, enter_by(&w, secret, &grant));
	world_close(&w);
}

static void an_invitation_is_over_when_its_owner_has_come(void **state)
{
	struct pt_account account;
	struct world w = { 0 };
	struct pt_grant grant;
	char secret[128];

	(void)state;
	open_with(&w, NULL);
	EXPECT_ERR(
		PT_OK, pt_invite(world_call(&w), PT_STR("ann@example.org"), PT_STR(""), &account));
	strcpy(secret, world_letter_secret(&w, PT_LETTER_INVITE));
	EXPECT_ERR(PT_OK, reset(&w));
	comes("666", "ann@example.org", false);
	EXPECT_ERR(PT_E_TICKET, enter_by(&w, secret, &grant));
	world_close(&w);
}

static void an_invitation_links_within_its_own_audience(void **state)
{
	struct pt_account account;
	struct world w = { 0 };
	struct pt_grant grant;
	char secret[128];

	(void)state;
	open_with(&w, NULL);
	w.audience = "elsewhere";
	EXPECT_ERR(
		PT_OK, pt_invite(world_call(&w), PT_STR("ann@example.org"), PT_STR(""), &account));
	struct pt_id anns = account.id;
	strcpy(secret, world_letter_secret(&w, PT_LETTER_INVITE));
	w.audience = NULL;
	comes("7", "ann@example.org", true);
	EXPECT_ERR(PT_OK, enter_by(&w, secret, &grant));
	assert_string_equal(anns.text, grant.account.id.text);
	EXPECT_ERR(PT_OK, enter(&w, &grant));
	assert_string_not_equal(anns.text, grant.account.id.text);
	assert_string_equal("", grant.account.audience.p);
	w.audience = "elsewhere";
	EXPECT_ERR(PT_OK, enter(&w, &grant));
	assert_string_equal(anns.text, grant.account.id.text);
	world_close(&w);
}

static void a_state_is_this_browsers_ours_and_young(void **state)
{
	struct pt_external_state read;
	struct world w = { 0 };
	char cookie[64], other[64], kept[8192];

	(void)state;
	open_with(&w, NULL);
	EXPECT_ERR(PT_OK, begin(&w, NULL, other));
	EXPECT_ERR(PT_OK, begin(&w, NULL, cookie));
	strcpy(kept, seen_state);
	EXPECT_ERR(PT_OK, pt_external_state(world_call(&w), str(kept), str(cookie), &read));
	EXPECT_ERR(PT_E_STATE, pt_external_state(world_call(&w), str(kept), str(other), &read));
	EXPECT_ERR(PT_E_STATE, pt_external_state(world_call(&w), str(kept), PT_STR(""), &read));
	kept[40] ^= 1;
	EXPECT_ERR(PT_E_STATE, pt_external_state(world_call(&w), str(kept), str(cookie), &read));
	kept[40] ^= 1;
	w.now += PT_EXTERNAL_LIFE;
	EXPECT_ERR(PT_E_STATE, pt_external_state(world_call(&w), str(kept), str(cookie), &read));
	world_close(&w);
}

static void what_the_provider_refuses_lets_nobody_in(void **state)
{
	const struct pt_external_ask nobody = { .provider = PT_STR("nobody") };
	struct pt_external_begun begun;
	struct world w = { 0 };
	struct pt_grant grant;

	(void)state;
	open_with(&w, NULL);
	EXPECT_ERR(PT_E_NOT_FOUND, pt_external_begin(world_call(&w), &nobody, &begun));
	comes("7", "ann@example.org", true);
	provider_says = PT_E_PROVIDER_EXCHANGE;
	EXPECT_ERR(PT_E_PROVIDER_EXCHANGE, enter(&w, &grant));
	comes("7", "not an address", true);
	EXPECT_ERR(PT_E_PROVIDER_PROFILE, enter(&w, &grant));
	visitor.n_emails = 0;
	EXPECT_ERR(PT_E_PROVIDER_PROFILE, enter(&w, &grant));
	world_close(&w);
}

static void a_name_that_no_store_keeps_is_nobodys(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant;
	struct pt_id first;
	char name[202];

	(void)state;
	open_with(&w, NULL);
	memset(name, 's', 201);
	name[201] = '\0';
	comes(name, "ann@example.org", true);
	EXPECT_ERR(PT_E_PROVIDER_PROFILE, enter(&w, &grant));
	comes("7\n", "ann@example.org", true);
	EXPECT_ERR(PT_E_PROVIDER_PROFILE, enter(&w, &grant));
	comes("7\xff", "ann@example.org", true);
	EXPECT_ERR(PT_E_PROVIDER_PROFILE, enter(&w, &grant));
	name[200] = '\0';
	comes(name, "ann@example.org", true);
	EXPECT_ERR(PT_OK, enter(&w, &grant));
	first = grant.account.id;
	comes(name, "else@example.org", true);
	EXPECT_ERR(PT_OK, enter(&w, &grant));
	assert_string_equal(first.text, grant.account.id.text);
	world_close(&w);
}

static pt_err enter_as(struct world *w, const char *audience, struct pt_grant *out)
{
	struct pt_external_state read;
	char cookie[64];

	EXPECT_ERR(PT_OK, begin(w, NULL, cookie));
	EXPECT_ERR(PT_OK, pt_external_state(world_call(w), str(seen_state), str(cookie), &read));
	pt_call_set_audience(w->call, str(audience));
	return pt_external_finish(w->call, &read, PT_STR("code"), out);
}

static void an_identity_is_of_one_audience_however_names_are_cut(void **state)
{
	struct world w = { 0 };
	struct pt_grant grant;
	struct pt_id first;

	(void)state;
	open_with(&w, NULL);
	comes("b|7", "ann@example.org", true);
	EXPECT_ERR(PT_OK, enter_as(&w, "a", &grant));
	first = grant.account.id;
	comes("7", "eve@example.org", true);
	EXPECT_ERR(PT_OK, enter_as(&w, "a|b", &grant));
	assert_string_not_equal(first.text, grant.account.id.text);
	comes("a|b|7", "eve@example.org", true);
	EXPECT_ERR(PT_OK, enter_as(&w, "", &grant));
	assert_string_not_equal(first.text, grant.account.id.text);
	comes("b|7", "elsewhere@example.org", true);
	EXPECT_ERR(PT_OK, enter_as(&w, "a", &grant));
	assert_string_equal(first.text, grant.account.id.text);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_newcomer_gets_an_account_and_comes_back_by_identity),
		cmocka_unit_test(an_address_nobody_vouches_for_opens_no_account_of_others),
		cmocka_unit_test(an_account_nobody_confirmed_loses_its_password_to_the_owner),
		cmocka_unit_test(whoever_was_there_before_the_owner_comes_in_no_more),
		cmocka_unit_test(neither_after_the_owner_came_by_the_pages),
		cmocka_unit_test(an_unverified_newcomer_is_mailed_and_not_let_in),
		cmocka_unit_test(whoever_looked_before_the_owner_came_is_too_late),
		cmocka_unit_test(where_nobody_signs_up_only_those_who_are_known_come_in),
		cmocka_unit_test(an_invitation_is_for_the_address_it_went_to),
		cmocka_unit_test(an_invitation_is_over_when_its_owner_has_come),
		cmocka_unit_test(an_invitation_links_within_its_own_audience),
		cmocka_unit_test(a_state_is_this_browsers_ours_and_young),
		cmocka_unit_test(what_the_provider_refuses_lets_nobody_in),
		cmocka_unit_test(a_name_that_no_store_keeps_is_nobodys),
		cmocka_unit_test(an_identity_is_of_one_audience_however_names_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * What people do through the GoTrue dialect: sign up, prove, sign in, stay in, change, go out.
 */
#include "lodge.h"
#include "portress/act.h"

#include "base/banned.h"

#define GOOD "{\"email\":\"ada@example.org\",\"password\":\"" PASSWORD "\"}"

static const char *secret(struct lodge *l, enum pt_letter_kind kind)
{
	return desk_letter_secret(&l->desk, kind);
}

static struct heard verify(struct lodge *l, const char *type, const char *token)
{
	return lodge_post(l, "/verify", format(l, "{\"type\":\"$\",\"token\":\"$\"}", type, token));
}

/* ---- signing up ---- */

static void signing_up_tells_the_new_user(void **state)
{
	struct heard h = lodge_post(*state, "/signup", GOOD);
	static const char *const keys[] = { "\"id\":", "\"aud\":\"\"", "\"role\":\"\"",
		"\"email\":\"ada@example.org\"", "\"confirmation_sent_at\":\"",
		"\"app_metadata\":{\"provider\":\"email\"}", "\"user_metadata\":null",
		"\"created_at\":\"", "\"updated_at\":\"" };

	assert_int_equal(h.status, 200);
	for (size_t i = 0; i < COUNT(keys); i++)
		if (!heard_says(&h, keys[i]))
			fail_msg("no %s: %s", keys[i], h.body);
	assert_false(heard_says(&h, "confirmed_at"));
	assert_false(heard_says(&h, "password"));
}

static void signing_up_again_merges_what_is_told(void **state)
{
	struct heard h = lodge_post(*state, "/signup",
		"{\"email\":\"ada@example.org\",\"password\":\"x\",\"data\":{\"a\":1,\"b\":2}}");

	assert_true(heard_says(&h, "\"user_metadata\":{\"a\":1,\"b\":2}"));
	h = lodge_post(*state, "/signup",
		"{\"email\":\"ada@example.org\",\"password\":\"x\",\"data\":{\"b\":null}}");
	assert_int_equal(h.status, 200);
	assert_true(heard_says(&h, "\"user_metadata\":{\"a\":1}"));
}

static const struct {
	const char *body;
	int status;
	const char *says;
} signups[] = {
	{ "", 400, "Could not read Signup params: EOF" },
	{ "{\"email\"", 400, "Could not read Signup params: unexpected EOF" },
	{ "[]", 400, "Could not read Signup params: json" },
	{ "{\"email\":7}", 400,
		"Could not read Signup params: json: cannot unmarshal number into field email of "
		"type string" },
	{ "{\"data\":[]}", 400, "Could not read Signup params: " },
	{ "null", 422, "Signup requires a valid password" },
	{ "{\"email\":\"ada@example.org\",\"password\":\"\"}", 422,
		"Signup requires a valid password" },
	{ "{\"password\":\"x\"}", 422, "An email address is required" },
	{ "{\"email\":\"nobody\",\"password\":\"x\"}", 422, "Unable to validate email address: " },
	{ "{\"EMAIL\":\"Ada@example.org\",\"Password\":\"x\",\"zzz\":[{}]} trailing", 200, "Ada@" },
};

static void sign_up_forms_are_read_as_leniently_as_ever(void **state)
{
	for (size_t i = 0; i < COUNT(signups); i++) {
		struct heard h = lodge_post(*state, "/signup", signups[i].body);
		if (h.status != signups[i].status || !heard_says(&h, signups[i].says))
			fail_msg("%s: %d %s", signups[i].body, h.status, h.body);
	}
}

static void password_too_long_to_be_taken_whole_is_refused(void **state)
{
	char body[256];

	snprintf(body, sizeof(body), "{\"email\":\"a@example.org\",\"password\":\"%073d\"}", 7);
	assert_int_equal(lodge_post(*state, "/signup", body).status, 422);
	snprintf(body, sizeof(body), "{\"email\":\"a@example.org\",\"password\":\"%072d\"}", 7);
	assert_int_equal(lodge_post(*state, "/signup", body).status, 200);
}

static void eight(struct lodge *l)
{
	l->policy.password_min = 8;
}

static void password_too_short_is_told_so(void **state)
{
	struct lodge l = { .many = false };

	(void)state;
	lodge_open(&l, eight);
	struct heard h =
		lodge_post(&l, "/signup", "{\"email\":\"a@example.org\",\"password\":\"1234567\"}");
	EXPECT_SAID(h, 422, "{\"code\":422,\"msg\":\"Password is too short\"}");
	h = lodge_post(&l, "/signup", "{\"email\":\"a@example.org\",\"password\":\"12345678\"}");
	assert_int_equal(h.status, 200);
	lodge_close(&l);
}

static void taken_address_is_told(void **state)
{
	(void)lodge_enter(*state, "ada");
	struct heard h = lodge_post(*state, "/signup", GOOD);
	EXPECT_SAID(h, 400,
		"{\"code\":400,\"msg\":\"A user with this email address has already been "
		"registered\"}");
	h = lodge_ask(*state, HTTP_POST, "/signup", GOOD, "x-jwt-aud: other", NULL, NULL);
	assert_int_equal(h.status, 200);
	assert_true(heard_says(&h, "\"aud\":\"other\""));
}

static void closed(struct lodge *l)
{
	l->policy.signup_off = true;
}

static void closed_sign_up_is_told_before_anything_is_read(void **state)
{
	struct lodge l = { .many = false };

	(void)state;
	lodge_open(&l, closed);
	struct heard h = lodge_post(&l, "/signup", "");
	EXPECT_SAID(h, 403, "{\"code\":403,\"msg\":\"Signups not allowed for this instance\"}");
	assert_int_equal(
		lodge_order(&l, HTTP_POST, "/invite", "{\"email\":\"a@example.org\"}").status, 200);
	lodge_close(&l);
}

/* ---- proving ---- */

static void secret_of_a_letter_works_once(void **state)
{
	struct lodge *l = *state;

	(void)lodge_post(l, "/signup", GOOD);
	const char *token = secret(l, PT_LETTER_VERIFY);
	struct heard h = verify(l, "recovery", token);
	EXPECT_SAID(h, 404, "{\"code\":404,\"msg\":\"User not found\"}");
	h = verify(l, "signup", token);
	assert_int_equal(h.status, 200);
	assert_true(heard_says(&h, "\"token_type\":\"bearer\",\"expires_in\":3600"));
	h = verify(l, "signup", token);
	EXPECT_SAID(h, 404, "{\"code\":404,\"msg\":\"User not found\"}");
}

static void proof_without_secret_or_type_is_refused(void **state)
{
	struct heard h = verify(*state, "signup", " ");

	EXPECT_SAID(h, 422, "{\"code\":422,\"msg\":\"Verify requires a token\"}");
	h = verify(*state, "magic", "x");
	EXPECT_SAID(h, 422, "{\"code\":422,\"msg\":\"Verify requires a verification type\"}");
	h = lodge_post(*state, "/verify", "");
	assert_true(heard_says(&h, "Could not read verification params: EOF"));
}

static void invited_user_chooses_a_password(void **state)
{
	struct lodge *l = *state;
	struct heard h = lodge_order(l, HTTP_POST, "/invite", "{\"email\":\"eve@example.org\"}");

	assert_int_equal(h.status, 200);
	assert_true(heard_says(&h, "\"invited_at\":\""));
	assert_false(heard_says(&h, "confirmation_sent_at"));
	const char *token = secret(l, PT_LETTER_INVITE);
	h = verify(l, "signup", token);
	EXPECT_SAID(h, 422, "{\"code\":422,\"msg\":\"Invited users must specify a password\"}");
	h = lodge_post(l, "/verify",
		format(l, "{\"type\":\"signup\",\"token\":\"$\",\"password\":\"mine\"}", token,
			NULL));
	assert_int_equal(h.status, 200);
	assert_int_equal(lodge_signin(l, "eve", "mine").status, 200);
	h = lodge_order(l, HTTP_POST, "/invite", "{\"email\":\"eve@example.org\"}");
	EXPECT_SAID(h, 422,
		"{\"code\":422,\"msg\":\"Email address already registered by another user\"}");
	assert_int_equal(lodge_post(l, "/invite", "{\"email\":\"b@example.org\"}").status, 401);
}

/* ---- recovering ---- */

static void recovery_says_the_same_of_nobody(void **state)
{
	struct lodge *l = *state;

	(void)lodge_enter(l, "ada");
	struct heard h = lodge_post(l, "/recover", "{\"email\":\"nobody@example.org\"}");
	EXPECT_SAID(h, 200, "{}");
	h = lodge_post(l, "/recover", "{\"email\":\"no address\"}");
	EXPECT_SAID(h, 200, "{}");
	h = lodge_post(l, "/recover", "{\"email\":\"ada@example.org\"}");
	EXPECT_SAID(h, 200, "{}");
	assert_int_equal(verify(l, "recovery", secret(l, PT_LETTER_RESET)).status, 200);
	h = lodge_post(l, "/recover", "{\"email\":\"\"}");
	EXPECT_SAID(h, 422, "{\"code\":422,\"msg\":\"Password recovery requires an email\"}");
}

static void recovery_too_soon_is_told_whoever_it_is(void **state)
{
	static const char *const bodies[] = { "{\"email\":\"ada@example.org\"}",
		"{\"email\":\"nobody@example.org\"}" };

	(void)lodge_enter(*state, "ada");
	for (size_t i = 0; i < COUNT(bodies); i++) {
		assert_int_equal(lodge_post(*state, "/recover", bodies[i]).status, 200);
		struct heard h = lodge_post(*state, "/recover", bodies[i]);
		EXPECT_SAID(
			h, 429, "{\"code\":429,\"msg\":\"Rate limit exceeded, try again later\"}");
		assert_non_null(heard_header(&h, "retry-after"));
	}
}

/* ---- tokens ---- */

static void wrong_password_and_nobody_are_told_the_same(void **state)
{
	static const char *const forms[] = {
		"grant_type=password&username=ada@example.org&password=wrong",
		"grant_type=password&username=nobody@example.org&password=wrong",
		"grant_type=password&username=ada@example.org&password=",
		"grant_type=password&username=&password=x",
		"grant_type=password",
	};

	(void)lodge_enter(*state, "ada");
	for (size_t i = 0; i < COUNT(forms); i++) {
		struct heard h = lodge_form(*state, "/token", forms[i]);
		EXPECT_SAID(h, 400,
			"{\"error\":\"invalid_grant\",\"error_description\":\"No user found with "
			"that email, or password invalid.\"}");
	}
}

static void unconfirmed_is_told_after_the_right_password(void **state)
{
	(void)lodge_post(*state, "/signup", GOOD);
	struct heard h = lodge_signin(*state, "ada", PASSWORD);
	EXPECT_SAID(h, 400,
		"{\"error\":\"invalid_grant\",\"error_description\":\"Email not confirmed\"}");
	h = lodge_signin(*state, "ada", "wrong");
	assert_true(heard_says(&h, "No user found"));
}

static void unknown_grant_has_no_description(void **state)
{
	static const char *const said = "{\"error\":\"unsupported_grant_type\"}";
	struct heard h = lodge_form(*state, "/token", "grant_type=authorization_code");

	EXPECT_SAID(h, 400, said);
	h = lodge_form(*state, "/token", "");
	EXPECT_SAID(h, 400, said);
	h = lodge_ask(*state, HTTP_POST, "/token", "{\"grant_type\":\"password\"}",
		"content-type: application/json", NULL, NULL);
	EXPECT_SAID(h, 400, said);
}

static void grant_may_be_named_in_the_query_but_not_the_password(void **state)
{
	(void)lodge_enter(*state, "ada");
	struct heard h = lodge_form(*state, "/token?grant_type=password",
		"username=ada@example.org&password="
		"a+quiet+harbour");
	assert_int_equal(h.status, 200);
	h = lodge_form(*state,
		"/token?grant_type=password&username=ada@example.org&password=a+quiet+harbour", "");
	assert_int_equal(h.status, 400);
}

static void grant_has_four_members(void **state)
{
	(void)lodge_enter(*state, "ada");
	struct heard h = lodge_signin(*state, "ada", PASSWORD);

	assert_int_equal(h.status, 200);
	assert_true(str_starts(str(h.body), PT_STR("{\"access_token\":\"eyJ")));
	assert_true(heard_says(
		&h, "\",\"token_type\":\"bearer\",\"expires_in\":3600,\"refresh_token\":\""));
	assert_null(heard_header(&h, "set-cookie"));
	EXPECT_HEADER(&h, "cache-control", "no-store");
}

static struct heard refresh(struct lodge *l, const char *token)
{
	return lodge_form(
		l, "/token", format(l, "grant_type=refresh_token&refresh_token=$", token, NULL));
}

static void refreshing_turns_the_token_over(void **state)
{
	struct lodge *l = *state;
	struct heard h = lodge_join(l, "ada");
	const char *first = heard_text(l, &h, "refresh_token");

	h = refresh(l, first);
	assert_int_equal(h.status, 200);
	assert_string_not_equal(heard_text(l, &h, "refresh_token"), first);
	h = refresh(l, "nonsense");
	EXPECT_SAID(h, 400,
		"{\"error\":\"invalid_grant\",\"error_description\":\"Invalid Refresh Token\"}");
	assert_non_null(strstr(heard_header(&h, "set-cookie"), "nf_jwt=; Path=/; Max-Age=0"));
	h = refresh(l, "");
	EXPECT_SAID(h, 400,
		"{\"error\":\"invalid_request\",\"error_description\":\"refresh_token required\"}");
}

static void cookie_is_set_for_who_asks_for_it(void **state)
{
	struct lodge *l = *state;
	const char *form = "grant_type=password&username=ada@example.org&password=a+quiet+harbour";

	(void)lodge_enter(l, "ada");
	struct heard h = lodge_ask(
		l, HTTP_POST, "/token", form, "content-type: " FORM_TYPE, "x-use-cookie: 1", NULL);
	const char *cookie = heard_header(&h, "set-cookie");
	assert_non_null(cookie);
	assert_non_null(strstr(cookie, "nf_jwt=eyJ"));
	assert_non_null(strstr(cookie, "; Path=/; Max-Age=86400; Expires="));
	assert_non_null(strstr(cookie, "; Secure; HttpOnly; SameSite=Lax"));
	h = lodge_ask(l, HTTP_POST, "/token", form, "content-type: " FORM_TYPE,
		"x-use-cookie: session", NULL);
	cookie = heard_header(&h, "set-cookie");
	assert_non_null(cookie);
	assert_null(strstr(cookie, "Max-Age"));
	assert_null(strstr(cookie, "Expires"));
}

static void limited(struct lodge *l)
{
	l->desk.setup.gotrue.limit_header = PT_STR("x-me");
}

static void who_asks_for_tokens_is_counted_by_the_header(void **state)
{
	struct lodge l = { .many = false };
	struct heard h;

	(void)state;
	lodge_open(&l, limited);
	for (int i = 0; i < 30; i++)
		assert_int_equal(
			lodge_ask(&l, HTTP_POST, "/token", "", "x-me: a", NULL, NULL).status, 400);
	h = lodge_ask(&l, HTTP_POST, "/token", "", "x-me: a", NULL, NULL);
	EXPECT_SAID(h, 429, "{\"code\":429,\"msg\":\"Rate limit exceeded\"}");
	assert_non_null(heard_header(&h, "retry-after"));
	h = lodge_ask(&l, HTTP_POST, "/token", "", "x-me: b", NULL, NULL);
	assert_int_equal(h.status, 400);
	lodge_close(&l);
}

/* ---- one's own account ---- */

static struct heard own(struct lodge *l, const char *as)
{
	return lodge_ask(l, HTTP_GET, "/user", NULL, as, NULL, NULL);
}

static struct heard put(struct lodge *l, const char *as, const char *body)
{
	return lodge_ask(l, HTTP_PUT, "/user", body, as, NULL, NULL);
}

static void bearer_is_told_who_he_is(void **state)
{
	const char *as = lodge_enter(*state, "ada");
	struct heard h = own(*state, as);

	assert_int_equal(h.status, 200);
	assert_true(heard_says(&h, "\"email\":\"ada@example.org\",\"confirmed_at\":\""));
	assert_true(heard_says(&h, "\"user_metadata\":{}"));
	assert_int_equal(h.plan.lane, HTTP_QUICK);
	h = lodge_ask(*state, HTTP_GET, "/user", NULL, as, "x-jwt-aud: other", NULL);
	EXPECT_SAID(
		h, 400, "{\"code\":400,\"msg\":\"Token audience doesn't match request audience\"}");
}

static const struct {
	const char *header;
	const char *says;
} bearers[] = {
	{ NULL, "This endpoint requires a Bearer token" },
	{ "authorization: BEARER a.b.c", "This endpoint requires a Bearer token" },
	{ "authorization: Bearer a b", "This endpoint requires a Bearer token" },
	{ "authorization: Basic YTpi", "This endpoint requires a Bearer token" },
	{ "authorization: bearer abc",
		"Invalid token: token contains an invalid number of segments" },
	{ "authorization: bearer a.b.c", "Invalid token: " },
	/* alg none */
	{ "authorization: Bearer eyJhbGciOiJub25lIn0.e30.", "Invalid token: signing method none" },
};

static void bad_bearers_are_told_what_is_wrong(void **state)
{
	for (size_t i = 0; i < COUNT(bearers); i++) {
		struct heard h = own(*state, bearers[i].header);
		if (h.status != 401 || !heard_says(&h, bearers[i].says))
			fail_msg("%s: %d %s", bearers[i].header, h.status, h.body);
		const char *cookie = heard_header(&h, "set-cookie");
		assert_non_null(cookie);
		assert_non_null(strstr(cookie, "nf_jwt=; Path=/; Max-Age=0"));
	}
}

static void owner_changes_what_is_his(void **state)
{
	struct lodge *l = *state;
	const char *as = lodge_enter(l, "ada");
	struct heard h = put(l, as, "{\"data\":{\"full_name\":\"Ada\",\"x\":1}}");

	assert_int_equal(h.status, 200);
	h = put(l, as, "{\"data\":{\"x\":null},\"password\":\"another one\"}");
	assert_int_equal(h.status, 200);
	assert_true(heard_says(&h, "\"user_metadata\":{\"full_name\":\"Ada\"}"));
	assert_int_equal(lodge_signin(l, "ada", "another one").status, 200);
	assert_int_equal(lodge_signin(l, "ada", PASSWORD).status, 400);
	assert_int_equal(put(l, as, "{}").status, 200);
	h = put(l, as, "");
	EXPECT_SAID(h, 400, "{\"code\":400,\"msg\":\"Could not read User Update params: EOF\"}");
}

static void owner_does_not_change_what_is_the_applications(void **state)
{
	struct lodge *l = *state;
	const char *as = lodge_enter(l, "ada");
	struct heard h =
		put(l, as, "{\"password\":\"another one\",\"app_metadata\":{\"roles\":[\"x\"]}}");

	EXPECT_SAID(h, 401,
		"{\"code\":401,\"msg\":\"Updating app_metadata requires admin privileges\"}");
	assert_int_equal(lodge_signin(l, "ada", PASSWORD).status, 200);
}

static void new_address_waits_for_its_owner(void **state)
{
	struct lodge *l = *state;
	const char *as = lodge_enter(l, "ada");
	(void)lodge_enter(l, "eve");
	struct heard h = put(l, as, "{\"email\":\"eve@example.org\"}");

	EXPECT_SAID(h, 422,
		"{\"code\":422,\"msg\":\"Email address already registered by another user\"}");
	h = put(l, as, "{\"email\":\"new@example.org\"}");
	assert_int_equal(h.status, 200);
	assert_true(heard_says(&h, "\"email\":\"ada@example.org\""));
	assert_true(heard_says(&h, "\"new_email\":\"new@example.org\",\"email_change_sent_at\":"));
	h = put(l, as, "{\"email_change_token\":\"wrong\"}");
	EXPECT_SAID(
		h, 401, "{\"code\":401,\"msg\":\"Email Change Token didn't match token on file\"}");
	h = put(l, as,
		format(l, "{\"email_change_token\":\"$\"}", secret(l, PT_LETTER_EMAIL_CHANGE),
			NULL));
	assert_int_equal(h.status, 200);
	assert_true(heard_says(&h, "\"email\":\"new@example.org\""));
	assert_false(heard_says(&h, "new_email"));
}

static void going_out_ends_every_refresh_token(void **state)
{
	struct lodge *l = *state;
	struct heard h = lodge_join(l, "ada");
	const char *token = heard_text(l, &h, "refresh_token");
	const char *as = bearer(l, heard_text(l, &h, "access_token"));

	h = lodge_ask(l, HTTP_POST, "/logout", "", as, NULL, NULL);
	EXPECT_SAID(h, 204, "");
	assert_non_null(strstr(heard_header(&h, "set-cookie"), "nf_jwt=; Path=/; Max-Age=0"));
	assert_int_equal(refresh(l, token).status, 400);
	assert_int_equal(own(l, as).status, 200);
	assert_int_equal(lodge_post(l, "/logout", "").status, 401);
}

static void switch_off(struct lodge *l, const char *address)
{
	const struct pt_asker asker = { .client = PT_STR("192.0.2.7") };
	struct pt_call *call;

	EXPECT_ERR(PT_OK, pt_call_begin(l->site, NULL, &asker, &call));
	EXPECT_ERR(PT_OK, pt_account_set_disabled(call, str(address), true));
	pt_call_end(call);
}

static void who_was_switched_off_does_nothing_with_the_token_he_has(void **state)
{
	struct lodge *l = *state;
	const char *as = lodge_enter(l, "ada"), *eve = lodge_enter(l, "eve");

	assert_int_equal(own(l, as).status, 200);
	switch_off(l, "ada@example.org");
	struct heard h = own(l, as);
	EXPECT_SAID(h, 403, "{\"code\":403,\"msg\":\"User is disabled\"}");
	h = put(l, as, "{\"password\":\"another one\"}");
	EXPECT_SAID(h, 403, "{\"code\":403,\"msg\":\"User is disabled\"}");
	h = lodge_signin(l, "ada", PASSWORD);
	EXPECT_SAID(
		h, 400, "{\"error\":\"invalid_grant\",\"error_description\":\"User is disabled\"}");
	assert_int_equal(lodge_ask(l, HTTP_POST, "/logout", "", as, NULL, NULL).status, 204);
	assert_int_equal(own(l, eve).status, 200);
}

#define AT_A_LODGE(test) cmocka_unit_test_setup_teardown(test, lodge_setup, lodge_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_A_LODGE(signing_up_tells_the_new_user),
		AT_A_LODGE(signing_up_again_merges_what_is_told),
		AT_A_LODGE(sign_up_forms_are_read_as_leniently_as_ever),
		AT_A_LODGE(password_too_long_to_be_taken_whole_is_refused),
		AT_A_LODGE(password_too_short_is_told_so),
		AT_A_LODGE(taken_address_is_told),
		cmocka_unit_test(closed_sign_up_is_told_before_anything_is_read),
		AT_A_LODGE(secret_of_a_letter_works_once),
		AT_A_LODGE(proof_without_secret_or_type_is_refused),
		AT_A_LODGE(invited_user_chooses_a_password),
		AT_A_LODGE(recovery_says_the_same_of_nobody),
		AT_A_LODGE(recovery_too_soon_is_told_whoever_it_is),
		AT_A_LODGE(wrong_password_and_nobody_are_told_the_same),
		AT_A_LODGE(unconfirmed_is_told_after_the_right_password),
		AT_A_LODGE(unknown_grant_has_no_description),
		AT_A_LODGE(grant_may_be_named_in_the_query_but_not_the_password),
		AT_A_LODGE(grant_has_four_members),
		AT_A_LODGE(refreshing_turns_the_token_over),
		AT_A_LODGE(cookie_is_set_for_who_asks_for_it),
		cmocka_unit_test(who_asks_for_tokens_is_counted_by_the_header),
		AT_A_LODGE(bearer_is_told_who_he_is),
		AT_A_LODGE(bad_bearers_are_told_what_is_wrong),
		AT_A_LODGE(owner_changes_what_is_his),
		AT_A_LODGE(owner_does_not_change_what_is_the_applications),
		AT_A_LODGE(new_address_waits_for_its_owner),
		AT_A_LODGE(going_out_ends_every_refresh_token),
		AT_A_LODGE(who_was_switched_off_does_nothing_with_the_token_he_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

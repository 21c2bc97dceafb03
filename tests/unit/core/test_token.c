#include "world.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "core/site.h"
#include "crypt/jwt.h"

struct pair {
	char access[1024];
	char refresh[1024];
};

static struct pair pair_of(const struct pt_grant *grant)
{
	struct pair pair;

	strcpy(pair.access, grant->access_token.p);
	strcpy(pair.refresh, grant->refresh_token.p);
	return pair;
}

static struct pair issue(struct world *w)
{
	struct pt_grant grant;

	EXPECT_ERR(PT_OK, world_signin(w, "ann", PASSWORD, &grant));
	return pair_of(&grant);
}

static pt_err refresh(struct world *w, const char *token, struct pair *out)
{
	struct pt_grant grant;
	pt_err err = pt_token_refresh(world_call(w), str(token), &grant);

	if (err == PT_OK)
		*out = pair_of(&grant);
	return err;
}

static pt_err check(struct world *w, const char *token)
{
	struct pt_account account;

	return pt_token_check(world_call(w), str(token), &account);
}

static void presenting_twice_within_the_grace_yields_the_same_successor(void **state)
{
	struct pair first, second, again, third;
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	first = issue(&w);
	EXPECT_ERR(PT_OK, refresh(&w, first.refresh, &second));
	assert_string_not_equal(first.refresh, second.refresh);
	w.now += 9 * PT_SECOND;
	EXPECT_ERR(PT_OK, refresh(&w, first.refresh, &again));
	assert_string_equal(second.refresh, again.refresh);
	assert_string_equal(second.access, again.access);
	EXPECT_ERR(PT_OK, refresh(&w, second.refresh, &third));
	world_close(&w);
}

static void two_rotations_behind_a_token_yields_the_living_pair(void **state)
{
	struct pair first, second, third, again, fourth;
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	first = issue(&w);
	EXPECT_ERR(PT_OK, refresh(&w, first.refresh, &second));
	w.now += 4 * PT_SECOND;
	EXPECT_ERR(PT_OK, refresh(&w, second.refresh, &third));
	w.now += 4 * PT_SECOND;
	EXPECT_ERR(PT_OK, refresh(&w, first.refresh, &again));
	assert_string_equal(third.refresh, again.refresh);
	assert_string_equal(third.access, again.access);
	EXPECT_ERR(PT_OK, refresh(&w, again.refresh, &fourth));
	assert_int_equal(3, world_events(&w, PT_EVENT_TOKEN_REFRESHED));
	assert_int_equal(0, world_events(&w, PT_EVENT_TOKEN_REUSED));

	w.now += 2 * PT_SECOND;
	EXPECT_ERR(PT_OK, refresh(&w, second.refresh, &again));
	EXPECT_ERR(PT_E_REUSED, refresh(&w, first.refresh, &again));
	EXPECT_ERR(PT_E_REFRESH, refresh(&w, fourth.refresh, &again));
	world_close(&w);
}

static void a_spent_token_is_forgiven_for_sixteen_rotations_and_no_further(void **state)
{
	struct pair first, next, again;
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	first = issue(&w);
	next = first;
	for (int i = 0; i < 16; i++)
		EXPECT_ERR(PT_OK, refresh(&w, next.refresh, &next));
	EXPECT_ERR(PT_OK, refresh(&w, first.refresh, &again));
	assert_string_equal(next.refresh, again.refresh);
	EXPECT_ERR(PT_OK, refresh(&w, next.refresh, &next));
	EXPECT_ERR(PT_E_REUSED, refresh(&w, first.refresh, &again));
	EXPECT_ERR(PT_E_REFRESH, refresh(&w, next.refresh, &next));
	assert_int_equal(1, world_events(&w, PT_EVENT_TOKEN_REUSED));
	world_close(&w);
}

static void a_spent_token_after_the_grace_revokes_the_family(void **state)
{
	struct pair first, second, any;
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	first = issue(&w);
	EXPECT_ERR(PT_OK, refresh(&w, first.refresh, &second));
	w.now += 11 * PT_SECOND;
	EXPECT_ERR(PT_E_REUSED, refresh(&w, first.refresh, &any));
	EXPECT_ERR(PT_E_REFRESH, refresh(&w, second.refresh, &any));
	assert_int_equal(1, world_events(&w, PT_EVENT_TOKEN_REUSED));
	world_close(&w);
}

static void under_a_new_key_the_living_token_goes_on_and_nothing_of_before_does(void **state)
{
	struct pair first, second, third, any;
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	first = issue(&w);
	EXPECT_ERR(PT_OK, refresh(&w, first.refresh, &second));
	w.site->keys.rotate.bytes[0] ^= 1;
	EXPECT_ERR(PT_E_REFRESH, refresh(&w, first.refresh, &any));
	EXPECT_ERR(PT_OK, refresh(&w, second.refresh, &third));
	EXPECT_ERR(PT_E_REFRESH, refresh(&w, second.refresh, &any));
	EXPECT_ERR(PT_OK, refresh(&w, third.refresh, &any));
	assert_int_equal(0, world_events(&w, PT_EVENT_TOKEN_REUSED));
	world_close(&w);
}

static void refreshing_every_hour_ends_on_the_ninetieth_day(void **state)
{
	struct pair pair;
	struct world w;
	pt_err err = PT_OK;
	int hours = 0;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	pair = issue(&w);
	for (; hours < 91 * 24 && err == PT_OK; hours++) {
		w.now += PT_HOUR;
		err = refresh(&w, pair.refresh, &pair);
	}
	EXPECT_ERR(PT_E_REFRESH, err);
	assert_int_equal(90 * 24, hours);
	assert_int_equal(0, world_events(&w, PT_EVENT_TOKEN_REUSED));
	pair = issue(&w);
	EXPECT_ERR(PT_OK, refresh(&w, pair.refresh, &pair));
	world_close(&w);
}

static void no_end(struct pt_policy *policy)
{
	policy->refresh_family_life = 0;
}

static void a_family_without_an_end_goes_on(void **state)
{
	struct pair pair;
	struct world w;

	(void)state;
	world_open_with(&w, no_end);
	world_join(&w, "ann", "ann@example.org");
	pair = issue(&w);
	for (int day = 0; day < 91; day++) {
		w.now += PT_DAY;
		EXPECT_ERR(PT_OK, refresh(&w, pair.refresh, &pair));
	}
	world_close(&w);
}

static void one_day(struct pt_policy *policy)
{
	policy->refresh_family_life = PT_DAY;
}

static void the_first_token_does_not_outlive_its_family_either(void **state)
{
	struct json_value claims;
	struct pair pair;
	struct world w;

	(void)state;
	world_open_with(&w, one_day);
	world_join(&w, "ann", "ann@example.org");
	pair = issue(&w);
	world_call(&w);
	EXPECT_ERR(PT_OK, jwt_verify(pt_call_arena(w.call), w.site->keys.refresh, str(pair.refresh),
				  &claims));
	EXPECT_ERR(PT_OK, jwt_check_times(&claims, w.now + PT_DAY - PT_SECOND));
	EXPECT_ERR(PT_E_TOKEN, jwt_check_times(&claims, w.now + PT_DAY));
	w.now += PT_DAY;
	EXPECT_ERR(PT_E_REFRESH, refresh(&w, pair.refresh, &pair));
	pair = issue(&w);
	w.now += PT_DAY - PT_SECOND;
	EXPECT_ERR(PT_OK, refresh(&w, pair.refresh, &pair));
	world_close(&w);
}

static void families_are_independent(void **state)
{
	struct pair laptop, phone, any;
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	laptop = issue(&w);
	phone = issue(&w);
	EXPECT_ERR(PT_OK, refresh(&w, laptop.refresh, &any));
	EXPECT_ERR(PT_OK, refresh(&w, phone.refresh, &any));
	world_close(&w);
}

static void each_token_has_one_place_where_it_works(void **state)
{
	struct pair pair, any;
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	pair = issue(&w);
	EXPECT_ERR(PT_OK, check(&w, pair.access));
	EXPECT_ERR(PT_E_TOKEN, check(&w, pair.refresh));
	EXPECT_ERR(PT_E_REFRESH, refresh(&w, pair.access, &any));
	w.now += 24 * PT_HOUR;
	EXPECT_ERR(PT_E_TOKEN, check(&w, pair.access));
	world_close(&w);
}

static void signing_out_revokes_the_family(void **state)
{
	struct pair pair, any;
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	pair = issue(&w);
	EXPECT_ERR(PT_OK, pt_token_revoke(world_call(&w), str(pair.access)));
	EXPECT_ERR(PT_E_REFRESH, refresh(&w, pair.refresh, &any));
	EXPECT_ERR(PT_OK, pt_token_revoke(world_call(&w), PT_STR("nonsense")));
	world_close(&w);
}

static void signing_out_with_an_expired_access_token_revokes_the_family(void **state)
{
	struct pair pair, next, any;
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	pair = issue(&w);
	EXPECT_ERR(PT_OK, refresh(&w, pair.refresh, &next));
	w.now += 25 * PT_HOUR;
	EXPECT_ERR(PT_E_TOKEN, check(&w, pair.access));
	EXPECT_ERR(PT_OK, pt_token_revoke(world_call(&w), str(pair.access)));
	assert_int_equal(1, world_events(&w, PT_EVENT_SIGNOUT));
	EXPECT_ERR(PT_E_REFRESH, refresh(&w, next.refresh, &any));
	world_close(&w);
}

static void signing_out_with_another_token_or_signature_revokes_nothing(void **state)
{
	struct pair pair;
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	pair = issue(&w);
	EXPECT_ERR(PT_OK, pt_token_revoke(world_call(&w), str(pair.refresh)));
	char *signature = strrchr(pair.access, '.') + 1;
	*signature = *signature == 'A' ? 'B' : 'A';
	EXPECT_ERR(PT_OK, pt_token_revoke(world_call(&w), str(pair.access)));
	assert_int_equal(0, world_events(&w, PT_EVENT_SIGNOUT));
	EXPECT_ERR(PT_OK, refresh(&w, pair.refresh, &pair));
	world_close(&w);
}

/* A token with these claims, signed with the site's own access key. */
static const char *forge(struct world *w, const char *claims)
{
	pt_str token;

	world_call(w);
	EXPECT_ERR(PT_OK, signer_sign(w->site->keys.access, pt_call_arena(w->call), str(claims),
				  w->now, &token));
	static char text[1024];
	strcpy(text, token.p);
	return text;
}

static void claims_are_judged(void **state)
{
	char id[64], claims[512];
	struct world w;

	(void)state;
	world_open(&w);
	world_join(&w, "ann", "ann@example.org");
	strcpy(id, world_account(&w, "ann").id.text);
	long long now = (long long)(w.now / PT_SECOND);

	snprintf(claims, sizeof(claims), "{\"user_id\":\"%s\",\"exp\":%lld}", id, now + 10);
	EXPECT_ERR(PT_OK, check(&w, forge(&w, claims))); /* as the original program writes them */
	snprintf(claims, sizeof(claims), "{\"user_id\":\"%s\"}", id);
	EXPECT_ERR(PT_E_TOKEN, check(&w, forge(&w, claims)));
	snprintf(claims, sizeof(claims), "{\"user_id\":\"%s\",\"exp\":%lld}", id, now);
	EXPECT_ERR(PT_E_TOKEN, check(&w, forge(&w, claims)));
	snprintf(claims, sizeof(claims), "{\"user_id\":\"%s\",\"exp\":%lld.5}", id, now + 10);
	EXPECT_ERR(PT_E_TOKEN, check(&w, forge(&w, claims)));
	snprintf(claims, sizeof(claims), "{\"user_id\":\"%s\",\"exp\":\"%lld\"}", id, now + 10);
	EXPECT_ERR(PT_E_TOKEN, check(&w, forge(&w, claims)));
	snprintf(claims, sizeof(claims), "{\"user_id\":7,\"exp\":%lld}", now + 10);
	EXPECT_ERR(PT_E_TOKEN_CLAIMS, check(&w, forge(&w, claims)));
	snprintf(claims, sizeof(claims), "{\"user_id\":\"%s\",\"exp\":%lld,\"iat\":%lld}", id,
		now + 99, now + 31);
	EXPECT_ERR(PT_E_TOKEN, check(&w, forge(&w, claims)));
	snprintf(claims, sizeof(claims),
		"{\"user_id\":\"%s\",\"exp\":%lld,\"email\":\"ann@example.org\"}", id, now + 10);
	EXPECT_ERR(PT_E_TOKEN, check(&w, forge(&w, claims)));
	snprintf(claims, sizeof(claims), "{\"user_id\":\"nobody\",\"exp\":%lld}", now + 10);
	EXPECT_ERR(PT_E_TOKEN, check(&w, forge(&w, claims)));
	world_close(&w);
}

/* ---- what somebody else signed with a key that both hold ---- */

#define SHARED_KEY "a key that two sides hold, and nobody else"

static pt_err signed_read(struct world *w, const char *claims)
{
	const struct jwk_terms terms = { .secret_min = 0 };
	struct jwk *key;
	const char *why;
	pt_str token, read;

	world_call(w);
	EXPECT_ERR(PT_OK, jwk_from_secret(PT_STR(SHARED_KEY), &terms, &key, &why));
	EXPECT_ERR(PT_OK, jwt_sign(pt_call_arena(w->call), key, str(claims), &token));
	jwk_close(key);
	EXPECT_ERR(PT_E_TOKEN, pt_signed_read(w->call, PT_STR("another key"), token, &read));
	pt_err err = pt_signed_read(w->call, PT_STR(SHARED_KEY), token, &read);
	if (err == PT_OK)
		assert_true(str_eq(read, str(claims)));
	return err;
}

static void each_date_of_a_signed_token_is_judged_where_it_is_there(void **state)
{
	struct world w;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, signed_read(&w, "{\"id\":\"x\"}"));
	EXPECT_ERR(PT_OK, signed_read(&w, "{\"exp\":1800000001,\"nbf\":1800000000}"));
	EXPECT_ERR(PT_E_TOKEN, signed_read(&w, "{\"exp\":1800000000}"));
	EXPECT_ERR(PT_E_TOKEN, signed_read(&w, "{\"nbf\":1800000031}"));
	EXPECT_ERR(PT_E_TOKEN, signed_read(&w, "{\"iat\":1800000031}"));
	EXPECT_ERR(PT_E_TOKEN, signed_read(&w, "{\"nbf\":\"soon\"}"));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_date_of_a_signed_token_is_judged_where_it_is_there),
		cmocka_unit_test(presenting_twice_within_the_grace_yields_the_same_successor),
		cmocka_unit_test(two_rotations_behind_a_token_yields_the_living_pair),
		cmocka_unit_test(a_spent_token_is_forgiven_for_sixteen_rotations_and_no_further),
		cmocka_unit_test(a_spent_token_after_the_grace_revokes_the_family),
		cmocka_unit_test(
			under_a_new_key_the_living_token_goes_on_and_nothing_of_before_does),
		cmocka_unit_test(refreshing_every_hour_ends_on_the_ninetieth_day),
		cmocka_unit_test(a_family_without_an_end_goes_on),
		cmocka_unit_test(the_first_token_does_not_outlive_its_family_either),
		cmocka_unit_test(families_are_independent),
		cmocka_unit_test(each_token_has_one_place_where_it_works),
		cmocka_unit_test(signing_out_revokes_the_family),
		cmocka_unit_test(signing_out_with_an_expired_access_token_revokes_the_family),
		cmocka_unit_test(signing_out_with_another_token_or_signature_revokes_nothing),
		cmocka_unit_test(claims_are_judged),
	};

	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}

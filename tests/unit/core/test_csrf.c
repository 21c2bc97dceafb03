#include "world.h"

#include <string.h>

#include "base/str.h"

static void a_mask_of_the_cookies_token_is_accepted(void **state)
{
	struct pt_csrf first, again;
	char cookie[512], mask[128];
	struct world w;
	pt_str text;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, pt_csrf_open(world_call(&w), PT_STR(""), &first));
	assert_true(first.fresh);
	strcpy(cookie, first.cookie.p);
	EXPECT_ERR(PT_OK, pt_csrf_open(world_call(&w), str(cookie), &again));
	assert_false(again.fresh);
	assert_memory_equal(first.token, again.token, 32);
	EXPECT_ERR(PT_OK, pt_csrf_mask(w.call, &again, &text));
	assert_int_equal(88, text.n);
	strcpy(mask, text.p);
	EXPECT_ERR(PT_OK, pt_csrf_check(w.call, &again, str(mask)));
	EXPECT_ERR(PT_OK, pt_csrf_mask(w.call, &again, &text));
	assert_string_not_equal(mask, text.p);
	EXPECT_ERR(PT_OK, pt_csrf_check(w.call, &again, text));
	world_close(&w);
}

static void a_mask_of_another_token_is_refused(void **state)
{
	struct pt_csrf mine, other;
	char cookie[512];
	struct world w;
	pt_str text;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, pt_csrf_open(world_call(&w), PT_STR(""), &other));
	strcpy(cookie, other.cookie.p);
	EXPECT_ERR(PT_OK, pt_csrf_open(world_call(&w), str(cookie), &mine));
	mine.token[0] ^= 1;
	EXPECT_ERR(PT_OK, pt_csrf_mask(w.call, &mine, &text));
	mine.token[0] ^= 1;
	EXPECT_ERR(PT_E_CSRF, pt_csrf_check(w.call, &mine, text));
	EXPECT_ERR(PT_E_CSRF_MISSING, pt_csrf_check(w.call, &mine, PT_STR("")));
	EXPECT_ERR(PT_E_CSRF, pt_csrf_check(w.call, &mine, PT_STR("nonsense")));
	world_close(&w);
}

static void an_altered_or_old_cookie_is_no_cookie(void **state)
{
	struct pt_csrf csrf, again;
	char cookie[512];
	struct world w;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, pt_csrf_open(world_call(&w), PT_STR(""), &csrf));
	strcpy(cookie, csrf.cookie.p);
	w.now += PT_CSRF_LIFE;
	EXPECT_ERR(PT_OK, pt_csrf_open(world_call(&w), str(cookie), &again));
	assert_false(again.fresh);
	w.now += PT_SECOND;
	EXPECT_ERR(PT_OK, pt_csrf_open(world_call(&w), str(cookie), &again));
	assert_true(again.fresh);
	w.now -= PT_HOUR;
	cookie[20] = cookie[20] == 'A' ? 'B' : 'A';
	EXPECT_ERR(PT_OK, pt_csrf_open(world_call(&w), str(cookie), &again));
	assert_true(again.fresh);
	world_close(&w);
}

/* The pad is 32 times 0xaa, the token 00 to 1f. */
static void the_published_vector_unmasks(void **state)
{
	struct pt_csrf csrf = { .fresh = false };
	struct world w;

	(void)state;
	world_open(&w);
	for (size_t i = 0; i < 32; i++)
		csrf.token[i] = (uint8_t)i;
	EXPECT_ERR(PT_OK,
		pt_csrf_check(world_call(&w), &csrf,
			PT_STR("qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq6iprq+sraKjoKGmp6Slu"
			       "ru4ub6/vL2ys7Cxtre0tQ==")));
	csrf.token[31]++;
	EXPECT_ERR(PT_E_CSRF,
		pt_csrf_check(w.call, &csrf,
			PT_STR("qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq6iprq+sraKjoKGmp6"
			       "Sluru4ub6/vL2ys7Cxtre0tQ==")));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mask_of_the_cookies_token_is_accepted),
		cmocka_unit_test(a_mask_of_another_token_is_refused),
		cmocka_unit_test(an_altered_or_old_cookie_is_no_cookie),
		cmocka_unit_test(the_published_vector_unmasks),
	};

	return cmocka_run_group_tests_name("csrf", tests, NULL, NULL);
}

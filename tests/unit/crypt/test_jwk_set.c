/* Which key signs and which judge, from its first day to its last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jwk_set.h"
#include "crypt/jwt.h"
#include "jws_vectors.h"

#define NOON (1000 * PT_DAY)

static struct jwk *first, *second, *third, *open_key;

static struct jwk *named(const char *kid)
{
	struct jwk *key;

	assert_int_equal(jwk_generate(JWK_EDDSA, str(kid), &key), PT_OK);
	return key;
}

static int keys_begin(void **state)
{
	(void)state;
	if (crypt_open() != PT_OK)
		return -1;
	first = named("k1");
	second = named("k2");
	third = named("k3");
	return (int)jwk_from_json(PT_STR(EC_PUBLIC_JWK), NULL, &open_key, NULL);
}

static int keys_end(void **state)
{
	(void)state;
	jwk_close(first);
	jwk_close(second);
	jwk_close(third);
	jwk_close(open_key);
	return 0;
}

static int arena_begin(void **state)
{
	*state = arena_open(256 * KIB);
	return *state ? 0 : -1;
}

static int arena_end(void **state)
{
	arena_close(*state);
	return 0;
}

static void add(struct jwk_set *set, const struct jwk *key, enum jwk_state state, pt_time when)
{
	assert_int_equal(jwk_set_add(set, (struct jwk_slot){ key, state, when }), PT_OK);
}

static struct jwk_set current_and_next(void)
{
	struct jwk_set set = { 0 };

	add(&set, first, JWK_CURRENT, 0);
	add(&set, second, JWK_NEXT, NOON);
	return set;
}

static size_t judges_at(const struct jwk_set *set, pt_time now)
{
	const struct jwk *judges[JWK_SET_MAX];

	return jwk_set_judges(set, now, judges);
}

static pt_str signed_by(struct arena *arena, const struct jwk *key)
{
	pt_str token;

	assert_int_equal(jwt_sign(arena, key, PT_STR("{}"), &token), PT_OK);
	return token;
}

static pt_err judged(struct arena *arena, const struct jwk_set *set, pt_time now, pt_str token)
{
	struct json_value claims;

	return jwt_verify_set(arena, set, now, token, &claims);
}

static void the_current_key_signs_and_all_judge(void **state)
{
	struct jwk_set set = current_and_next();
	const struct jwk *judges[JWK_SET_MAX];

	add(&set, open_key, JWK_RETIRED, NOON);
	assert_ptr_equal(jwk_set_signer(&set), first);
	assert_int_equal(jwk_set_judges(&set, NOON - 1, judges), 3);
	assert_ptr_equal(judges[0], first);
	assert_int_equal(judged(*state, &set, NOON, signed_by(*state, first)), PT_OK);
	/* A node that rotated a moment before us has signed it. */
	assert_int_equal(judged(*state, &set, NOON, signed_by(*state, second)), PT_OK);
	assert_int_equal(judged(*state, &set, NOON, signed_by(*state, third)), PT_E_TOKEN);
}

static void an_empty_set_signs_and_judges_nothing(void **state)
{
	const struct jwk_set set = { 0 };

	assert_null(jwk_set_signer(&set));
	assert_int_equal(judges_at(&set, NOON), 0);
	assert_int_equal(judged(*state, &set, NOON, signed_by(*state, first)), PT_E_TOKEN);
}

static void a_key_is_found_by_name_while_it_judges(void **state)
{
	struct jwk_set set = current_and_next();

	(void)state;
	add(&set, third, JWK_RETIRED, NOON);
	assert_ptr_equal(jwk_set_find(&set, PT_STR("k2"), NOON), second);
	assert_ptr_equal(jwk_set_find(&set, PT_STR("k3"), NOON - 1), third);
	assert_null(jwk_set_find(&set, PT_STR("k3"), NOON));
	assert_null(jwk_set_find(&set, PT_STR("k4"), NOON));
	assert_null(jwk_set_find(&set, PT_STR(""), NOON));
}

/* JWT-12 */
static void rotating_refuses_no_token_before_its_time(void **state)
{
	const struct jwk_set before = current_and_next();
	pt_str old = signed_by(*state, first);
	struct jwk_set after;

	assert_int_equal(jwk_set_rotate(&before, NOON, NOON + PT_HOUR, &after), PT_OK);
	assert_ptr_equal(jwk_set_signer(&after), second);
	assert_int_equal(judges_at(&after, NOON), 2);
	assert_int_equal(judged(*state, &after, NOON, old), PT_OK);
	assert_int_equal(judged(*state, &after, NOON, signed_by(*state, second)), PT_OK);
	assert_int_equal(judged(*state, &after, NOON + PT_HOUR - 1, old), PT_OK);
	assert_int_equal(judged(*state, &after, NOON + PT_HOUR, old), PT_E_TOKEN);
	/* The set is a value: who still holds the old one signs with the old key. */
	assert_ptr_equal(jwk_set_signer(&before), first);
}

static void a_second_rotation_forgets_who_is_past_its_time(void **state)
{
	struct jwk_set set = current_and_next(), once, twice;

	(void)state;
	assert_int_equal(jwk_set_rotate(&set, NOON, NOON + PT_HOUR, &once), PT_OK);
	add(&once, third, JWK_NEXT, 0);
	assert_int_equal(jwk_set_rotate(&once, NOON + PT_HOUR, NOON + 2 * PT_HOUR, &twice), PT_OK);
	assert_int_equal(twice.n, 2);
	assert_ptr_equal(jwk_set_signer(&twice), third);
	assert_null(jwk_set_find(&twice, PT_STR("k1"), NOON));
}

static void a_rotation_without_a_ready_next_key_is_refused(void **state)
{
	struct jwk_set set = current_and_next(), out = { .n = 4711 };

	(void)state;
	assert_int_equal(jwk_set_rotate(&set, NOON - 1, NOON + PT_HOUR, &out), PT_E_NOT_FOUND);
	assert_int_equal(out.n, 4711);
	assert_int_equal(jwk_set_rotate(&set, NOON, NOON + PT_HOUR, &set), PT_OK);
	assert_int_equal(jwk_set_rotate(&set, NOON, NOON + PT_HOUR, &out), PT_E_NOT_FOUND);
}

static pt_err try_add(struct jwk_set *set, const struct jwk *key, enum jwk_state state)
{
	return jwk_set_add(set, (struct jwk_slot){ .key = key, .state = state });
}

static void what_breaks_an_invariant_is_refused(void **state)
{
	struct jwk_set set = { 0 };
	struct jwk *twin = named("k1"), *nameless;

	(void)state;
	assert_int_equal(try_add(&set, open_key, JWK_CURRENT), PT_F_CONFIG);
	assert_int_equal(try_add(&set, open_key, JWK_NEXT), PT_F_CONFIG);
	add(&set, first, JWK_CURRENT, 0);
	assert_int_equal(try_add(&set, second, JWK_CURRENT), PT_F_CONFIG);
	assert_int_equal(try_add(&set, twin, JWK_RETIRED), PT_F_CONFIG);
	add(&set, second, JWK_NEXT, 0);
	assert_int_equal(try_add(&set, third, JWK_NEXT), PT_F_CONFIG);
	assert_int_equal(set.n, 2);

	assert_int_equal(jwk_from_secret(PT_STR("s"), NULL, &nameless, NULL), PT_OK);
	while (set.n < JWK_SET_MAX)
		add(&set, nameless, JWK_RETIRED, 0);
	assert_int_equal(try_add(&set, nameless, JWK_RETIRED), PT_F_CONFIG);
	jwk_close(nameless);
	jwk_close(twin);
}

static void secrets_without_names_are_tried_in_turn(void **state)
{
	struct jwk *old, *new, *other;
	struct jwk_set set = { 0 };

	assert_int_equal(jwk_from_secret(PT_STR("old secret"), NULL, &old, NULL), PT_OK);
	assert_int_equal(jwk_from_secret(PT_STR("new secret"), NULL, &new, NULL), PT_OK);
	assert_int_equal(jwk_from_secret(PT_STR("other secret"), NULL, &other, NULL), PT_OK);
	add(&set, new, JWK_CURRENT, 0);
	add(&set, old, JWK_RETIRED, NOON);
	add(&set, first, JWK_RETIRED, 0);
	assert_int_equal(judged(*state, &set, NOON - 1, signed_by(*state, old)), PT_OK);
	assert_int_equal(judged(*state, &set, NOON - 1, signed_by(*state, new)), PT_OK);
	assert_int_equal(judged(*state, &set, NOON, signed_by(*state, old)), PT_E_TOKEN);
	assert_int_equal(judged(*state, &set, NOON, signed_by(*state, other)), PT_E_TOKEN);
	/* A retired key without an end judges for ever. */
	assert_int_equal(judged(*state, &set, NOON, signed_by(*state, first)), PT_OK);
	jwk_close(old);
	jwk_close(new);
	jwk_close(other);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, arena_begin, arena_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_current_key_signs_and_all_judge),
		TEST(an_empty_set_signs_and_judges_nothing),
		TEST(a_key_is_found_by_name_while_it_judges),
		TEST(rotating_refuses_no_token_before_its_time),
		TEST(a_second_rotation_forgets_who_is_past_its_time),
		TEST(a_rotation_without_a_ready_next_key_is_refused),
		TEST(what_breaks_an_invariant_is_refused),
		TEST(secrets_without_names_are_tried_in_turn),
	};

	return cmocka_run_group_tests(tests, keys_begin, keys_end);
}

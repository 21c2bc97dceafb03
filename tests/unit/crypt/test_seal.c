/* What was sealed opens again, in its own place and under its own key only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "crypt/seal.h"

static const struct key site = { .bytes = { 1, 2, 3 } };
static const struct key other = { .bytes = { 1, 2, 4 } };

static int arena_begin(void **state)
{
	*state = arena_open(64 * KIB);
	return *state && crypt_open() == PT_OK ? 0 : -1;
}

static int arena_end(void **state)
{
	arena_close(*state);
	return 0;
}

static pt_str sealed(struct arena *arena, pt_str context, pt_str clear)
{
	pt_str out;

	assert_int_equal(seal(arena, &site, context, clear, &out), PT_OK);
	return out;
}

static void a_sealed_value_opens_in_its_place(void **state)
{
	const pt_str values[] = { PT_STR("a letter"), PT_STR(""), PT_STR("\0with\0zeros") };
	pt_str clear;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		pt_str box = sealed(*state, PT_STR("outbox:1"), values[i]);

		assert_int_equal(box.n, values[i].n + 40);
		assert_int_equal(seal_open(*state, &site, PT_STR("outbox:1"), box, &clear), PT_OK);
		assert_true(str_eq(clear, values[i]));
	}
}

static void a_sealed_value_does_not_open_in_another_place(void **state)
{
	pt_str box = sealed(*state, PT_STR("outbox:1"), PT_STR("a letter")), clear = PT_STR("kept");

	assert_int_equal(seal_open(*state, &site, PT_STR("outbox:2"), box, &clear), PT_F_CRYPTO);
	assert_int_equal(seal_open(*state, &site, PT_STR(""), box, &clear), PT_F_CRYPTO);
	assert_string_equal(clear.p, "kept");
}

static void a_sealed_value_does_not_open_under_another_key(void **state)
{
	pt_str box = sealed(*state, PT_STR("outbox:1"), PT_STR("a letter")), clear;

	assert_int_equal(seal_open(*state, &other, PT_STR("outbox:1"), box, &clear), PT_F_CRYPTO);
}

static void a_sealed_value_with_one_bit_changed_does_not_open(void **state)
{
	pt_str box = sealed(*state, PT_STR("c"), PT_STR("x")), clear;
	char copy[64];

	for (size_t i = 0; i < box.n; i++) {
		memcpy(copy, box.p, box.n);
		copy[i] = (char)(copy[i] ^ 1);
		assert_int_equal(seal_open(*state, &site, PT_STR("c"), str_n(copy, box.n), &clear),
			PT_F_CRYPTO);
	}
}

static void a_sealed_value_cut_short_does_not_open(void **state)
{
	pt_str box = sealed(*state, PT_STR("c"), PT_STR("xyz")), clear;

	for (size_t n = 0; n < box.n; n++)
		assert_int_equal(
			seal_open(*state, &site, PT_STR("c"), str_slice(box, 0, n), &clear),
			PT_F_CRYPTO);
}

static void sealing_twice_gives_two_different_values(void **state)
{
	pt_str a = sealed(*state, PT_STR("c"), PT_STR("x"));
	pt_str b = sealed(*state, PT_STR("c"), PT_STR("x"));

	assert_false(str_eq(a, b));
}

static void a_full_arena_is_a_fault_and_nothing_is_written(void **state)
{
	struct arena *small = arena_open(64);
	char letter[256] = { 'a' };
	pt_str out = PT_STR("kept");

	(void)state;
	assert_int_equal(
		seal(small, &site, PT_STR("c"), str_n(letter, sizeof(letter)), &out), PT_F_MEMORY);
	assert_string_equal(out.p, "kept");
	arena_close(small);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, arena_begin, arena_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_sealed_value_opens_in_its_place),
		TEST(a_sealed_value_does_not_open_in_another_place),
		TEST(a_sealed_value_does_not_open_under_another_key),
		TEST(a_sealed_value_with_one_bit_changed_does_not_open),
		TEST(a_sealed_value_cut_short_does_not_open),
		TEST(sealing_twice_gives_two_different_values),
		TEST(a_full_arena_is_a_fault_and_nothing_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

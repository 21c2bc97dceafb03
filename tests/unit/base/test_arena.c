/*
 * test_arena.c - memory of one call.
 */
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"

#include "base/banned.h"

static bool is_zero(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != 0)
			return false;
	}
	return true;
}

static int world(void **state)
{
	*state = arena_open(1024 * 1024);
	return *state ? 0 : -1;
}

static int end(void **state)
{
	arena_close(*state);
	return 0;
}

static void allocations_are_zero_and_aligned_whatever_their_size(void **state)
{
	struct arena *arena = *state;

	for (size_t n = 0; n < 300; n++) {
		char *p = arena_alloc(arena, n);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		assert_true(is_zero(p, n));
		memset(p, 0x5A, n);
	}
}

static void allocations_do_not_overlap(void **state)
{
	char *a = arena_alloc(*state, 5), *nothing = arena_alloc(*state, 0),
	     *b = arena_alloc(*state, 5);

	memset(a, 'a', 5);
	memset(b, 'b', 5);
	assert_memory_equal(a, "aaaaa", 5);
	assert_ptr_not_equal(nothing, b);
	assert_ptr_not_equal(nothing, a);
}

static void ceiling_holds_exactly(void **state)
{
	struct arena *arena = arena_open(64);

	(void)state;
	assert_non_null(arena_alloc(arena, 48));
	assert_non_null(arena_alloc(arena, 16));
	assert_int_equal(arena_used(arena), 64);
	assert_null(arena_alloc(arena, 1));
	assert_null(arena_alloc(arena, 0));
	arena_close(arena);
}

static void tiny_allocations_cannot_slip_under_the_ceiling(void **state)
{
	struct arena *arena = arena_open(1600);
	size_t n = 0;

	(void)state;
	while (arena_alloc(arena, 1))
		n++;
	assert_int_equal(n, 100);
	arena_close(arena);
}

static void raised_ceiling_lasts_until_the_reset(void **state)
{
	struct arena *arena = arena_open(64);

	(void)state;
	arena_raise(arena, 128);
	assert_non_null(arena_alloc(arena, 128));
	assert_null(arena_alloc(arena, 1));
	arena_reset(arena);
	assert_null(arena_alloc(arena, 65));
	arena_raise(arena, 16);
	assert_non_null(arena_alloc(arena, 64));
	arena_close(arena);
}

static void sizes_that_overflow_are_refused(void **state)
{
	assert_null(arena_alloc(*state, SIZE_MAX));
	assert_null(arena_alloc(*state, SIZE_MAX - 14));
	assert_null(arena_array(*state, SIZE_MAX / 2, 3));
	assert_null(arena_grow(*state, arena_alloc(*state, 1), 1, SIZE_MAX));
	assert_non_null(arena_array(*state, 10, 3));
}

static void reset_wipes_what_was_held_and_keeps_the_first_block(void **state)
{
	struct arena *arena = *state;
	char *first = arena_alloc(arena, 1000), *again;

	memset(first, 0xAA, 1000);
	memset(arena_alloc(arena, 15000), 0xBB, 15000);
	arena_reset(arena);
	assert_int_equal(arena_used(arena), 0);
	again = arena_alloc(arena, 16 * 1024);
	assert_ptr_equal(again, first);
	assert_true(is_zero(again, 16 * 1024));
}

static void reset_forgets_later_blocks(void **state)
{
	struct arena *arena = *state;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 9; i++) {
			char *p = arena_alloc(arena, 100000);

			assert_non_null(p);
			assert_true(is_zero(p, 100000));
			memset(p, 0xCC, 100000);
		}
		assert_null(arena_alloc(arena, 200000));
		arena_reset(arena);
	}
}

static void newest_grows_in_place_and_its_new_bytes_are_zero(void **state)
{
	char *p = arena_alloc(*state, 10), *grown;

	memset(p, 'x', 10);
	grown = arena_grow(*state, p, 10, 5000);
	assert_ptr_equal(grown, p);
	assert_memory_equal(grown, "xxxxxxxxxx", 10);
	assert_true(is_zero(grown + 10, 4990));
}

static void older_moves_when_it_grows(void **state)
{
	char *p = arena_alloc(*state, 10), *other = arena_alloc(*state, 10), *grown;

	memset(p, 'x', 10);
	memset(other, 'o', 10);
	grown = arena_grow(*state, p, 10, 100);
	assert_ptr_not_equal(grown, p);
	assert_memory_equal(grown, "xxxxxxxxxx", 10);
	assert_true(is_zero(grown + 10, 90));
	assert_memory_equal(other, "oooooooooo", 10);
}

static void shrinking_does_not_bring_old_bytes_back(void **state)
{
	char *p = arena_alloc(*state, 100);

	memset(p, 's', 100);
	p = arena_grow(*state, p, 100, 10);
	p = arena_grow(*state, p, 10, 100);
	assert_memory_equal(p, "ssssssssss", 10);
	assert_true(is_zero(p + 10, 90));
}

static void refused_growth_leaves_the_old_allocation(void **state)
{
	struct arena *arena = arena_open(128);
	char *p = arena_alloc(arena, 100);

	(void)state;
	memset(p, 'k', 100);
	assert_null(arena_grow(arena, p, 100, 129));
	assert_int_equal(p[99], 'k');
	assert_ptr_equal(arena_grow(arena, p, 100, 128), p);
	arena_close(arena);
}

/* A body that doubles up to its limit must not need twice the ceiling. */
static void growing_alone_in_a_block_gives_the_old_block_back(void **state)
{
	struct arena *arena = arena_open(4 * 1024 * 1024);
	size_t size = 32 * 1024;
	char *p = arena_alloc(arena, size);

	(void)state;
	for (; size < 2 * 1024 * 1024; size *= 2) {
		p[size - 1] = 'e';
		p = arena_grow(arena, p, size, size * 2);
		assert_non_null(p);
		assert_int_equal(p[size - 1], 'e');
		assert_int_equal(p[size], 0);
	}
	assert_true(arena_used(arena) < 2 * 1024 * 1024 + 64 * 1024);
	arena_close(arena);
}

static void growing_from_nothing_allocates(void **state)
{
	assert_non_null(arena_grow(*state, NULL, 0, 7));
	assert_null(arena_grow(*state, NULL, 0, 2 * 1024 * 1024));
}

static void copies_end_in_nul(void **state)
{
	pt_str out = PT_STR("before");

	assert_string_equal(arena_cstr(*state, (pt_str){ "abcdef", 3 }), "abc");
	assert_string_equal(arena_cstr(*state, (pt_str){ NULL, 0 }), "");
	assert_true(arena_str(*state, (pt_str){ "a\0b", 3 }, &out));
	assert_int_equal(out.n, 3);
	assert_memory_equal(out.p, "a\0b", 4);
}

static void copy_that_does_not_fit_leaves_out_alone(void **state)
{
	struct arena *arena = arena_open(16);
	pt_str out = PT_STR("before");

	(void)state;
	assert_false(arena_str(arena, PT_STR("sixteen bytes...."), &out));
	assert_string_equal(out.p, "before");
	arena_close(arena);
}

static void closing_nothing_is_fine(void **state)
{
	(void)state;
	arena_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			allocations_are_zero_and_aligned_whatever_their_size, world, end),
		cmocka_unit_test_setup_teardown(allocations_do_not_overlap, world, end),
		cmocka_unit_test(ceiling_holds_exactly),
		cmocka_unit_test(tiny_allocations_cannot_slip_under_the_ceiling),
		cmocka_unit_test(raised_ceiling_lasts_until_the_reset),
		cmocka_unit_test_setup_teardown(sizes_that_overflow_are_refused, world, end),
		cmocka_unit_test_setup_teardown(
			reset_wipes_what_was_held_and_keeps_the_first_block, world, end),
		cmocka_unit_test_setup_teardown(reset_forgets_later_blocks, world, end),
		cmocka_unit_test_setup_teardown(
			newest_grows_in_place_and_its_new_bytes_are_zero, world, end),
		cmocka_unit_test_setup_teardown(older_moves_when_it_grows, world, end),
		cmocka_unit_test_setup_teardown(
			shrinking_does_not_bring_old_bytes_back, world, end),
		cmocka_unit_test(refused_growth_leaves_the_old_allocation),
		cmocka_unit_test(growing_alone_in_a_block_gives_the_old_block_back),
		cmocka_unit_test_setup_teardown(growing_from_nothing_allocates, world, end),
		cmocka_unit_test_setup_teardown(copies_end_in_nul, world, end),
		cmocka_unit_test(copy_that_does_not_fit_leaves_out_alone),
		cmocka_unit_test(closing_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

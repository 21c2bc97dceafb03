/*
 * test_hook.c - the test build's strings. Built only with -Dtest_hooks=true.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/hook.h"
#include "base/random.h"

#include "base/banned.h"

static struct hook_control *control;
static char path[] = "/tmp/portress-hook-XXXXXX";

static int open_control(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0 || setenv("PORTRESS_TEST_CONTROL", path, 1) != 0)
		return -1;
	hook_open();
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return control == MAP_FAILED ? -1 : 0;
}

static int close_control(void **state)
{
	(void)state;
	return unlink(path);
}

static int calm(void **state)
{
	(void)state;
	memset(control, 0, sizeof(*control));
	return 0;
}

static void clock_moves_by_the_offset(void **state)
{
	pt_time before = clock_now();

	(void)state;
	control->clock_offset = 30 * PT_DAY;
	assert_true(clock_now() - before >= 30 * PT_DAY);
	assert_true(clock_now() - before < 31 * PT_DAY);
}

static void third_allocation_fails_once(void **state)
{
	struct arena *arena = arena_open(1000);

	(void)state;
	control->fail_alloc = 3;
	assert_non_null(arena_alloc(arena, 1));
	assert_non_null(arena_alloc(arena, 1));
	assert_null(arena_alloc(arena, 1));
	assert_non_null(arena_alloc(arena, 1));
	assert_int_equal(control->fail_alloc, 0);
	assert_int_equal(control->count_alloc, 5);
	arena_close(arena);
}

static void sticky_failure_stays_until_it_is_taken_back(void **state)
{
	(void)state;
	control->fail_sticky = 1;
	control->fail_act = 2;
	assert_false(hook_fail_act());
	assert_true(hook_fail_act());
	assert_true(hook_fail_act());
	control->fail_act = 0;
	assert_false(hook_fail_act());
	assert_int_equal(control->count_act, 4);
}

static void growing_and_opening_an_arena_can_fail_too(void **state)
{
	struct arena *arena = arena_open(1000);
	void *p = arena_alloc(arena, 8);

	(void)state;
	control->fail_alloc = 1;
	assert_null(arena_grow(arena, p, 8, 16));
	assert_ptr_equal(arena_grow(arena, p, 8, 16), p);
	control->fail_alloc = 1;
	assert_null(arena_open(1000));
	arena_close(arena);
}

static void seeded_randomness_repeats(void **state)
{
	uint8_t first[32], other[32], again[32];

	(void)state;
	control->random_seed = 7;
	assert_int_equal(random_fill(first, sizeof(first)), PT_OK);
	control->random_seed = 8;
	assert_int_equal(random_fill(other, sizeof(other)), PT_OK);
	control->random_seed = 7;
	assert_int_equal(random_fill(again, sizeof(again)), PT_OK);
	assert_memory_equal(first, again, sizeof(first));
	assert_memory_not_equal(first, other, sizeof(first));
	assert_int_equal(random_fill(again, sizeof(again)), PT_OK);
	assert_memory_not_equal(first, again, sizeof(first));
}

static void limiter_breaks_on_request(void **state)
{
	(void)state;
	assert_false(hook_break_limiter());
	control->break_limiter = 1;
	assert_true(hook_break_limiter());
}

static void stall_sleeps_as_long_as_it_says(void **state)
{
	pt_time before = clock_monotonic();

	(void)state;
	hook_stall();
	control->stall_before_act = 30;
	hook_stall();
	assert_true(clock_monotonic() - before >= 30 * PT_MILLISECOND);
}

#define STORY(name) cmocka_unit_test_setup(name, calm)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(clock_moves_by_the_offset),
		STORY(third_allocation_fails_once),
		STORY(sticky_failure_stays_until_it_is_taken_back),
		STORY(growing_and_opening_an_arena_can_fail_too),
		STORY(seeded_randomness_repeats),
		STORY(limiter_breaks_on_request),
		STORY(stall_sleeps_as_long_as_it_says),
	};

	return cmocka_run_group_tests(tests, open_control, close_control);
}

/*
 * test_couriers.c - couriers are opened once, kept a while, and never taken from who uses them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/err.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "outbound/couriers.h"

#include "base/banned.h"

enum { MAX = 2, TAKERS = 4, TURNS = 500 };

static struct world {
	int opened, closed, stops;
	struct couriers *couriers;
} world;

static void count_stop(void *context)
{
	(void)context;
	world.stops++;
}

static pt_err open_it(void *context, pt_str text, struct pt_courier *out)
{
	assert_ptr_equal(context, &world);
	if (str_eq(text, PT_STR("broken")))
		return PT_F_CONFIG;
	world.opened++;
	*out = (struct pt_courier){ .size = sizeof(*out), .ctx = &world, .stop = count_stop };
	return PT_OK;
}

static void close_it(struct pt_courier *courier)
{
	assert_ptr_equal(courier->ctx, &world);
	world.closed++;
	courier->ctx = NULL;
}

static int world_begin(void **state)
{
	const struct couriers_setup setup = { MAX, open_it, close_it, &world };

	(void)state;
	world = (struct world){ 0 };
	return crypt_open() != PT_OK || couriers_open(&setup, &world.couriers) != PT_OK;
}

static int world_end(void **state)
{
	(void)state;
	couriers_close(world.couriers);
	return world.opened != world.closed;
}

static const struct pt_courier *take(const char *text)
{
	return couriers_take(world.couriers, str(text));
}

static void leave(const struct pt_courier *taken)
{
	couriers_leave(world.couriers, taken);
}

static void use(const char *text)
{
	const struct pt_courier *taken = take(text);

	assert_non_null(taken);
	leave(taken);
}

static void one_text_is_opened_once(void **state)
{
	const struct pt_courier *first = take("a"), *second = take("a");

	(void)state;
	assert_ptr_equal(first, second);
	leave(first);
	leave(second);
	assert_ptr_equal(take("a"), first);
	leave(first);
	assert_int_equal(world.opened, 1);
	assert_int_equal(world.closed, 0);
}

static void one_that_does_not_open_is_nobody(void **state)
{
	(void)state;
	assert_null(take("broken"));
	assert_null(take("broken"));
	use("a");
	assert_int_equal(world.opened, 1);
}

static void the_one_that_was_not_asked_for_the_longest_is_closed(void **state)
{
	(void)state;
	use("a");
	use("b");
	use("a");
	use("c");
	assert_int_equal(world.closed, 1);
	use("a");
	use("c");
	assert_int_equal(world.opened, 3);
	use("b");
	assert_int_equal(world.opened, 4);
	assert_int_equal(world.closed, 2);
}

static void one_in_use_is_not_closed(void **state)
{
	const struct pt_courier *held = take("held");

	(void)state;
	use("a");
	use("b");
	use("c");
	assert_int_equal(world.closed, 1);
	assert_ptr_equal(held->ctx, &world);
	assert_ptr_equal(take("held"), held);
	leave(held);
	leave(held);
	assert_int_equal(world.opened, 4);
}

static void more_may_be_in_use_than_are_kept(void **state)
{
	const struct pt_courier *taken[] = { take("a"), take("b"), take("c"), take("d") };

	(void)state;
	assert_int_equal(world.closed, 0);
	for (int i = 0; i < 4; i++)
		leave(taken[i]);
	assert_int_equal(world.closed, 2);
}

static void one_rests_alone(void **state)
{
	const struct pt_courier *a = take("a"), *b = take("b");

	(void)state;
	assert_int_equal(couriers_rest_until(world.couriers, a), 0);
	couriers_rest(world.couriers, a, 7);
	assert_int_equal(couriers_rest_until(world.couriers, a), 7);
	assert_int_equal(couriers_rest_until(world.couriers, b), 0);
	leave(a);
	leave(b);
}

static void once_stopped_nobody_takes_one(void **state)
{
	const struct pt_courier *held = take("a");

	(void)state;
	use("b");
	couriers_stop(world.couriers);
	assert_int_equal(world.stops, 2);
	assert_null(take("a"));
	assert_null(take("c"));
	leave(held);
}

static void *take_often(void *context)
{
	static const char *const texts[] = { "a", "b", "c", "d", "e" };
	const struct pt_courier *taken;

	(void)context;
	for (int i = 0; i < TURNS; i++) {
		taken = take(texts[i % 5]);
		if (!taken || taken->ctx != &world)
			return &world;
		leave(taken);
	}
	return NULL;
}

static void several_threads_take_and_leave(void **state)
{
	pthread_t threads[TAKERS];
	void *failed;

	(void)state;
	for (int i = 0; i < TAKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_often, NULL), 0);
	for (int i = 0; i < TAKERS; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	assert_in_range(world.opened - world.closed, 1, MAX);
}

static void closing_none_is_fine(void **state)
{
	(void)state;
	couriers_close(NULL);
}

#define STORY(name_) cmocka_unit_test_setup_teardown(name_, world_begin, world_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(one_text_is_opened_once),
		STORY(one_that_does_not_open_is_nobody),
		STORY(the_one_that_was_not_asked_for_the_longest_is_closed),
		STORY(one_in_use_is_not_closed),
		STORY(more_may_be_in_use_than_are_kept),
		STORY(one_rests_alone),
		STORY(once_stopped_nobody_takes_one),
		STORY(several_threads_take_and_leave),
		cmocka_unit_test(closing_none_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

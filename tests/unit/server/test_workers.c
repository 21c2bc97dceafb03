/*
 * test_workers.c - bounded pools: what was taken runs once, what does not fit is refused at once.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/workers.h"

#include "base/banned.h"

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool open;
} gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static atomic_int ran, niceness;

static void gate_set(bool open)
{
	pthread_mutex_lock(&gate.lock);
	gate.open = open;
	pthread_cond_broadcast(&gate.changed);
	pthread_mutex_unlock(&gate.lock);
}

static void wait_at_gate(void *job)
{
	(void)job;
	pthread_mutex_lock(&gate.lock);
	while (!gate.open)
		pthread_cond_wait(&gate.changed, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
	atomic_fetch_add(&ran, 1);
}

static void count(void *job)
{
	atomic_fetch_add((atomic_int *)job, 1);
}

static void note_niceness(void *job)
{
	(void)job;
	atomic_store(&niceness, getpriority(PRIO_PROCESS, 0));
}

static struct workers *opened(unsigned threads, unsigned queue)
{
	const struct workers_setup setup = { threads, queue, threads, queue };
	struct workers *workers;

	assert_int_equal(workers_open(&setup, &workers), PT_OK);
	return workers;
}

static bool submit(struct workers *workers, enum http_lane lane, void (*run)(void *job), void *job)
{
	const struct http_workers *http = workers_http(workers);

	return http->submit(http->ctx, lane, run, job);
}

static void until_running(struct workers *workers, unsigned n)
{
	struct workers_counts counts;

	do {
		usleep(1000);
		workers_counts(workers, HTTP_HASH, &counts);
	} while (counts.running < n);
}

static void every_job_runs_once(void **state)
{
	struct workers *workers = opened(4, 1024);
	atomic_int counts[1000] = { 0 };

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		assert_true(submit(workers, i % 2 ? HTTP_SLOW : HTTP_HASH, count, &counts[i]));
	workers_close(workers);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(atomic_load(&counts[i]), 1);
}

static void a_full_queue_refuses_at_once(void **state)
{
	struct workers *workers = opened(1, 3);
	struct workers_counts counts;

	(void)state;
	gate_set(false);
	atomic_store(&ran, 0);
	assert_true(submit(workers, HTTP_HASH, wait_at_gate, NULL));
	until_running(workers, 1);
	for (int i = 0; i < 3; i++)
		assert_true(submit(workers, HTTP_HASH, wait_at_gate, NULL));
	assert_false(submit(workers, HTTP_HASH, wait_at_gate, NULL));
	workers_counts(workers, HTTP_HASH, &counts);
	assert_int_equal(counts.waiting, 3);
	assert_int_equal(counts.refused, 1);
	/* One pool being full is nothing to the other. */
	atomic_int slow = 0;
	assert_true(submit(workers, HTTP_SLOW, count, &slow));
	gate_set(true);
	workers_close(workers);
	assert_int_equal(atomic_load(&ran), 4);
	assert_int_equal(atomic_load(&slow), 1);
}

static void close_runs_what_was_taken(void **state)
{
	struct workers *workers = opened(1, 100);

	(void)state;
	gate_set(false);
	atomic_store(&ran, 0);
	for (int i = 0; i < 50; i++)
		assert_true(submit(workers, HTTP_SLOW, wait_at_gate, NULL));
	gate_set(true);
	workers_close(workers);
	assert_int_equal(atomic_load(&ran), 50);
}

static void hashing_gives_way_to_everything_else(void **state)
{
	struct workers *workers = opened(1, 1);
	int here = getpriority(PRIO_PROCESS, 0);

	(void)state;
	atomic_store(&niceness, -100);
	assert_true(submit(workers, HTTP_HASH, note_niceness, NULL));
	workers_close(workers);
	assert_true(atomic_load(&niceness) >= 10 || atomic_load(&niceness) > here);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), here);
}

struct flood {
	struct workers *workers;
	atomic_int *done;
	int taken;
};

static void *flood(void *ctx)
{
	struct flood *f = ctx;

	for (int i = 0; i < 2000; i++)
		f->taken += submit(f->workers, i % 2 ? HTTP_SLOW : HTTP_HASH, count, f->done);
	return NULL;
}

static void many_threads_may_submit(void **state)
{
	struct workers *workers = opened(2, 16);
	atomic_int done = 0;
	struct flood floods[4];
	pthread_t threads[4];
	int taken = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		floods[i] = (struct flood){ workers, &done, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, flood, &floods[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		taken += floods[i].taken;
	}
	workers_close(workers);
	assert_int_equal(atomic_load(&done), taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_job_runs_once),
		cmocka_unit_test(a_full_queue_refuses_at_once),
		cmocka_unit_test(close_runs_what_was_taken),
		cmocka_unit_test(hashing_gives_way_to_everything_else),
		cmocka_unit_test(many_threads_may_submit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

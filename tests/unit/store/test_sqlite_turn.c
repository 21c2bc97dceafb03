/*
 * test_sqlite_turn.c - what a thread reads within a turn, and what it leaves behind.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/str.h"
#include "store/drivers.h"
#include "store/sql/drivers_internal.h"
#include "store/sql/row.h"

#include "base/banned.h"

/* Far less than a turn's snapshot may be old. */
#define AT_ONCE (2 * PT_MILLISECOND)

struct place {
	char directory[64];
	char file[96];
	char url[128];
	pt_arena *arena;
	struct pt_store store;
	sqlite3 *other; /* as another process has it */
};

static void store_begin(struct place *p, struct pt_store *store)
{
	const struct store_setup setup = { .url = str(p->url), .migrate = true };

	assert_int_equal(PT_OK, store_open(&setup, store));
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->directory, sizeof(p->directory), "/tmp/portress-turn-XXXXXX");
	if (!mkdtemp(p->directory))
		return -1;
	snprintf(p->file, sizeof(p->file), "%s/main.db", p->directory);
	snprintf(p->url, sizeof(p->url), "sqlite:%s", p->file);
	p->arena = arena_open(64 << 20);
	store_begin(p, &p->store);
	assert_int_equal(SQLITE_OK, sqlite3_open(p->file, &p->other));
	assert_int_equal(
		SQLITE_OK, sqlite3_exec(p->other, "PRAGMA synchronous = OFF", NULL, NULL, NULL));
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "main.db", "main.db-wal", "main.db-shm",
		"elsewhere.db", "" };
	struct place *p = *state;
	char path[160];

	sqlite3_close(p->other);
	p->store.close(p->store.ctx);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", p->directory, names[i]);
		remove(path);
	}
	arena_close(p->arena);
	free(p);
	return 0;
}

static void turn_begin(struct place *p)
{
	p->store.turn_begin(p->store.ctx);
}

static void turn_end(struct place *p)
{
	p->store.turn_end(p->store.ctx);
}

static pt_err join(struct place *p, const char *name)
{
	struct pt_join act = {
		.account = { .username = str(name), .username_key = str(name), .created_at = 1 },
		.password = PT_STR("hash"),
	};
	struct pt_id id;

	return p->store.account_join(p->store.ctx, p->arena, &act, &id);
}

static pt_err find_in(const struct pt_store *store, pt_arena *arena, const char *name,
	struct pt_account_record *out)
{
	const struct pt_account_query query = { .by = PT_BY_USERNAME, .key = str(name) };

	return store->account_find(store->ctx, arena, &query, out);
}

static pt_err find(struct place *p, const char *name)
{
	struct pt_account_record record;

	return find_in(&p->store, p->arena, name, &record);
}

/* How often the other one has written to Ann, as this store sees it. */
static int64_t seen_in(struct place *p, const struct pt_store *store)
{
	struct pt_account_record record;

	assert_int_equal(PT_OK, find_in(store, p->arena, "ann", &record));
	return record.account.signin_count;
}

static int64_t seen(struct place *p)
{
	return seen_in(p, &p->store);
}

static void other_writes(struct place *p)
{
	assert_int_equal(
		SQLITE_OK, sqlite3_exec(p->other,
				   "UPDATE portress_account SET signin_count = signin_count + 1",
				   NULL, NULL, NULL));
}

/* Can the log begin anew? Not while somebody reads what stands in it. */
static bool log_is_free(struct place *p)
{
	int rc = sqlite3_wal_checkpoint_v2(p->other, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

	assert_true(rc == SQLITE_OK || rc == SQLITE_BUSY);
	return rc == SQLITE_OK;
}

/* ---- what is seen ------------------------------------------------------------------------------ */

static void own_act_is_seen_at_once_within_a_turn(void **state)
{
	struct place *p = *state;

	turn_begin(p);
	assert_int_equal(PT_E_NOT_FOUND, find(p, "ann"));
	assert_int_equal(PT_OK, join(p, "ann"));
	assert_int_equal(PT_OK, find(p, "ann"));
	assert_int_equal(PT_E_NOT_FOUND, find(p, "bob"));
	turn_end(p);
}

static void *join_main(void *ctx)
{
	struct place *p = ctx;
	pt_arena *arena = arena_open(1 << 20);
	const struct pt_join act = {
		.account = { .username = PT_STR("bob"),
			.username_key = PT_STR("bob"),
			.created_at = 1 },
	};
	struct pt_id id;
	pt_err err = p->store.account_join(p->store.ctx, arena, &act, &id);

	arena_close(arena);
	return err == PT_OK ? ctx : NULL;
}

static void act_of_another_thread_is_seen_at_once_within_a_turn(void **state)
{
	struct place *p = *state;
	pthread_t thread;
	void *joined;

	turn_begin(p);
	assert_int_equal(PT_E_NOT_FOUND, find(p, "bob"));
	assert_int_equal(0, pthread_create(&thread, NULL, join_main, p));
	pthread_join(thread, &joined);
	assert_non_null(joined);
	assert_int_equal(PT_OK, find(p, "bob"));
	turn_end(p);
}

/* Whether two reads, with the other's act between them, saw one moment. *quick: they were near enough to each
 * other that they should. */
static bool read_one_moment(struct place *p, bool *quick)
{
	pt_time start = clock_monotonic();
	int64_t first = seen(p), second;

	other_writes(p);
	second = seen(p);
	*quick = clock_monotonic() - start < AT_ONCE;
	return first == second;
}

static void turn_is_of_one_moment_and_the_next_turn_of_another(void **state)
{
	struct place *p = *state;
	int times = 0;

	assert_int_equal(PT_OK, join(p, "ann"));
	for (int i = 1; i <= 100; i++) {
		bool quick, same;

		turn_begin(p);
		same = read_one_moment(p, &quick);
		turn_end(p);
		if (quick)
			assert_true(same);
		times += quick;
		turn_begin(p);
		assert_int_equal(i, seen(p));
		turn_end(p);
	}
	assert_true(times > 0);
}

static void reads_outside_of_a_turn_are_each_of_their_own_moment(void **state)
{
	struct place *p = *state;
	bool quick;

	assert_int_equal(PT_OK, join(p, "ann"));
	assert_false(read_one_moment(p, &quick));
	turn_begin(p);
	turn_end(p);
	assert_false(read_one_moment(p, &quick));
}

static void turn_that_never_ends_is_a_few_milliseconds_late_at_most(void **state)
{
	struct place *p = *state;
	pt_time start;

	assert_int_equal(PT_OK, join(p, "ann"));
	turn_begin(p);
	assert_int_equal(0, seen(p));
	other_writes(p);
	start = clock_monotonic();
	while (seen(p) == 0)
		assert_true(clock_monotonic() - start < PT_SECOND);
	turn_end(p);
}

static void turn_of_one_store_is_none_of_another(void **state)
{
	struct place *p = *state;
	struct pt_store second;
	int64_t before;

	assert_int_equal(PT_OK, join(p, "ann"));
	store_begin(p, &second);
	turn_begin(p);
	second.turn_begin(second.ctx);
	before = seen(p);
	assert_int_equal(before, seen_in(p, &second));
	other_writes(p);
	assert_int_equal(before + 1, seen_in(p, &second));
	second.turn_end(second.ctx);
	turn_end(p);
	assert_int_equal(before + 1, seen(p));
	second.close(second.ctx);
}

static size_t count_bob(struct sql_conn *conn, pt_arena *arena)
{
	struct sql_rows rows = { 0 };
	pt_err err = RUN(conn, arena, ACCOUNT_BY_USERNAME, &rows, sql_text(PT_STR("")),
		sql_text(PT_STR("bob")));

	assert_int_equal(PT_OK, err);
	return rows.n_rows;
}

/* An act that looks somebody up by the store's own verb, who has joined since it began. */
static pt_err act_nested(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct place *p = out;
	pthread_t thread;

	(void)in, (void)keep;
	assert_int_equal(0, count_bob(conn, arena));
	assert_int_equal(0, pthread_create(&thread, NULL, join_main, p));
	pthread_join(thread, NULL);
	assert_int_equal(PT_OK, find(p, "bob"));
	assert_int_equal(0, count_bob(conn, arena));
	return PT_OK;
}

static void read_within_a_read_has_a_moment_of_its_own(void **state)
{
	struct place *p = *state;
	struct sql_store *sql = p->store.ctx;

	turn_begin(p);
	assert_int_equal(PT_E_NOT_FOUND, find(p, "bob"));
	assert_int_equal(PT_OK, sql->driver->read(sql, act_nested, p->arena, NULL, p));
	assert_int_equal(PT_OK, find(p, "bob"));
	turn_end(p);
	assert_true(log_is_free(p));
}

/* ---- what is left behind ----------------------------------------------------------------------- */

static void nothing_is_held_when_a_turn_is_over(void **state)
{
	struct place *p = *state;

	assert_int_equal(PT_OK, join(p, "ann"));
	turn_begin(p);
	assert_int_equal(0, seen(p));
	other_writes(p);
	assert_false(log_is_free(p));
	turn_end(p);
	assert_true(log_is_free(p));
}

static void who_waits_for_the_writer_holds_nothing(void **state)
{
	struct place *p = *state;

	assert_int_equal(PT_OK, join(p, "ann"));
	turn_begin(p);
	assert_int_equal(0, seen(p));
	assert_int_equal(PT_E_TAKEN, join(p, "ann"));
	other_writes(p);
	assert_true(log_is_free(p));
	turn_end(p);
}

static void store_is_closed_after_turns(void **state)
{
	struct place *p = *state;

	for (int i = 0; i < 3; i++) {
		turn_begin(p);
		assert_int_equal(PT_E_NOT_FOUND, find(p, "ann"));
		turn_end(p);
		turn_begin(p);
		turn_end(p);
		p->store.close(p->store.ctx);
		store_begin(p, &p->store);
	}
	assert_int_equal(PT_OK, join(p, "ann"));
	assert_int_equal(PT_OK, find(p, "ann"));
	assert_true(log_is_free(p));
}

static void file_that_vanished_fails_closed_within_a_turn(void **state)
{
	struct place *p = *state;
	char aside[96];

	snprintf(aside, sizeof(aside), "%s/elsewhere.db", p->directory);
	assert_int_equal(PT_OK, join(p, "ann"));
	turn_begin(p);
	assert_int_equal(PT_OK, find(p, "ann"));
	assert_int_equal(0, rename(p->file, aside));
	assert_int_equal(PT_F_STORE, join(p, "bob"));
	assert_int_equal(PT_F_STORE, find(p, "ann"));
	assert_int_equal(PT_F_STORE, find(p, "ann"));
	assert_int_equal(0, rename(aside, p->file));
	assert_int_equal(PT_OK, find(p, "ann"));
	turn_end(p);
	assert_int_equal(PT_OK, find(p, "ann"));
}

/* ---- loops at work ----------------------------------------------------------------------------- */

struct loop {
	struct place *p;
	atomic_int *joined; /* so many are there */
	atomic_bool *over;
	int turns, missed;
	pthread_t thread;
};

static void name_of(char name[32], int number)
{
	snprintf(name, 32, "user%d", number);
}

static void loop_turn(struct loop *loop, pt_arena *arena)
{
	const struct pt_store *store = &loop->p->store;

	store->turn_begin(store->ctx);
	for (int i = 0; i < 50; i++) {
		struct pt_account_record record;
		char name[32];

		name_of(name, atomic_load(loop->joined));
		loop->missed += find_in(store, arena, name, &record) != PT_OK;
		arena_reset(arena);
	}
	store->turn_end(store->ctx);
	loop->turns++;
}

/* Turn after turn, without a rest. */
static void *loop_main(void *ctx)
{
	struct loop *loop = ctx;
	pt_arena *arena = arena_open(1 << 20);

	while (!atomic_load(loop->over))
		loop_turn(loop, arena);
	arena_close(arena);
	return NULL;
}

/* The writer may be at it itself just then: nobody waits for that. */
static bool log_gets_free(struct place *p)
{
	pt_time start = clock_monotonic();
	bool is_free = false;

	sqlite3_busy_timeout(p->other, 1000);
	while (!is_free && clock_monotonic() - start < 10 * PT_SECOND)
		is_free = log_is_free(p);
	return is_free;
}

static void loops_never_miss_what_was_answered_nor_hold_up_the_log(void **state)
{
	enum { LOOPS = 3, JOINS = 200 };
	struct place *p = *state;
	struct loop loops[LOOPS];
	atomic_int joined = 0;
	atomic_bool over = false;
	bool freed;
	char name[32];

	name_of(name, 0);
	assert_int_equal(PT_OK, join(p, name));
	for (int i = 0; i < LOOPS; i++) {
		loops[i] = (struct loop){ .p = p, .joined = &joined, .over = &over };
		assert_int_equal(0, pthread_create(&loops[i].thread, NULL, loop_main, &loops[i]));
	}
	for (int i = 1; i <= JOINS; i++) {
		name_of(name, i);
		assert_int_equal(PT_OK, join(p, name));
		atomic_store(&joined, i);
	}
	freed = log_gets_free(p);
	atomic_store(&over, true);
	for (int i = 0; i < LOOPS; i++) {
		pthread_join(loops[i].thread, NULL);
		assert_true(loops[i].turns > 0);
		assert_int_equal(0, loops[i].missed);
	}
	assert_true(freed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(own_act_is_seen_at_once_within_a_turn),
		TEST(act_of_another_thread_is_seen_at_once_within_a_turn),
		TEST(turn_is_of_one_moment_and_the_next_turn_of_another),
		TEST(reads_outside_of_a_turn_are_each_of_their_own_moment),
		TEST(turn_that_never_ends_is_a_few_milliseconds_late_at_most),
		TEST(turn_of_one_store_is_none_of_another),
		TEST(read_within_a_read_has_a_moment_of_its_own),
		TEST(nothing_is_held_when_a_turn_is_over),
		TEST(who_waits_for_the_writer_holds_nothing),
		TEST(store_is_closed_after_turns),
		TEST(file_that_vanished_fails_closed_within_a_turn),
		TEST(loops_never_miss_what_was_answered_nor_hold_up_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

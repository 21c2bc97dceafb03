/*
 * What every driver of a database server does: transactions, the pool, and a server that goes away.
 *
 * Runs inside of `postgres.py run` or `mariadb.py run`.
 */
#include "driver_world.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

#include "base/banned.h"

/* ---- transactions ---- */

static void text_with_nul_is_refused(void **state)
{
	struct sql_store *store = open_store(0, false);
	struct arena *arena = arena_open(ARENA);
	const struct sql_value args[] = { sql_text((pt_str){ "a\0b", 3 }) };
	struct texts texts = {
		.text = { "SELECT CAST(?1 AS char(3))" }, .args = args, .n_args = 1
	};

	(void)state;
	assert_int_equal(read_texts(store, arena, &texts), PT_F_STORE);
	arena_close(arena);
	store->driver->close(store);
}

static void refused_act_leaves_nothing_unless_it_keeps(void **state)
{
	struct sql_store *store = open_store(0, false);
	struct arena *arena = arena_open(ARENA);
	struct texts texts = { .text = { "INSERT INTO kept VALUES (1)" }, .answer = PT_E_TAKEN };

	(void)state;
	script(store, "CREATE TABLE kept (id bigint)");
	assert_int_equal(write_texts(store, arena, &texts), PT_E_TAKEN);
	assert_int_equal(count(store, 5, "SELECT count(*) FROM kept"), 0);
	texts.keep = true;
	assert_int_equal(write_texts(store, arena, &texts), PT_E_TAKEN);
	assert_int_equal(count(store, 5, "SELECT count(*) FROM kept"), 1);
	arena_close(arena);
	store->driver->close(store);
}

static void broken_unique_rule_is_taken(void **state)
{
	struct sql_store *store = open_store(0, false);
	struct arena *arena = arena_open(ARENA);
	struct texts texts = { .text = { "INSERT INTO one_only VALUES (1)" } };

	(void)state;
	script(store, "CREATE TABLE one_only (id bigint UNIQUE)");
	assert_int_equal(write_texts(store, arena, &texts), PT_OK);
	assert_int_equal(texts.rows.changed, 1);
	assert_int_equal(write_texts(store, arena, &texts), PT_E_TAKEN);
	assert_int_equal(count(store, 5, "SELECT count(*) FROM one_only"), 1);
	arena_close(arena);
	store->driver->close(store);
}

/* Two acts that update two rows in opposite order. */
struct crossing {
	struct sql_store *store;
	pthread_barrier_t *both;
	const char *first, *second;
	unsigned slot;
	int runs;
	pt_err err;
};

static pt_err cross(struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct crossing *crossing = out;

	(void)in;
	(void)keep;
	TRY(conn->driver->run_text(conn, arena, crossing->slot, crossing->first, NULL, 0, NULL));
	if (crossing->runs++ == 0)
		pthread_barrier_wait(crossing->both);
	return conn->driver->run_text(
		conn, arena, crossing->slot + 1, crossing->second, NULL, 0, NULL);
}

static void *crossing_thread(void *argument)
{
	struct crossing *crossing = argument;
	struct arena *arena = arena_open(ARENA);

	crossing->err =
		crossing->store->driver->write(crossing->store, cross, arena, NULL, crossing);
	arena_close(arena);
	return NULL;
}

static void deadlocked_act_is_run_again(void **state)
{
	struct sql_store *store = open_store(0, false);
	static const char one[] = "UPDATE crossed SET n = n + 1 WHERE id = 1";
	static const char two[] = "UPDATE crossed SET n = n + 1 WHERE id = 2";
	pthread_barrier_t both;
	struct crossing crossings[2] = { { store, &both, one, two, 0, 0, PT_OK },
		{ store, &both, two, one, 2, 0, PT_OK } };
	pthread_t thread;

	(void)state;
	script(store,
		"CREATE TABLE crossed (id int, n int); INSERT INTO crossed VALUES (1, 0), (2, 0)");
	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&thread, NULL, crossing_thread, &crossings[0]);
	crossing_thread(&crossings[1]);
	pthread_join(thread, NULL);
	assert_int_equal(crossings[0].err, PT_OK);
	assert_int_equal(crossings[1].err, PT_OK);
	/* One of them again; on a busy machine the other one, too. */
	assert_true(crossings[0].runs + crossings[1].runs >= 3);
	assert_int_equal(count(store, 9, "SELECT sum(n) FROM crossed WHERE n = 2") == 0, false);
	pthread_barrier_destroy(&both);
	store->driver->close(store);
}

/* ---- the schema ---- */

/* What there was with the first step, put there as soon as it stands. */
static void settle(void *ctx, int number, const char *name)
{
	(void)name;
	if (number != 1)
		return;
	script(ctx,
		"INSERT INTO portress_account (id, tenant, audience, email_verified_at,"
		" phone_verified_at, created_at, updated_at, last_signin_at, disabled_at,"
		" signin_count, failed_signins) VALUES ('ann', '', '', 0, 0, 1, 1, 0, 0, 0, 0);"
		"INSERT INTO portress_family (id, account, client, started_at) VALUES"
		" ('here', 'ann', 'app', 1), ('ended', 'ann', NULL, 1);"
		"INSERT INTO portress_token (hash, family, issued_at, expires_at, spent_at) VALUES"
		" ('the first token, and it is spent', 'here', 1, 100, 2),"
		" ('the second one, which is LIVE...', 'here', 2, 200, 0),"
		" ('one of a family without LIVE one', 'ended', 1, 100, 2)");
}

static pt_err turn(struct pt_store *store, const char *text, struct pt_rotated *out)
{
	struct arena *arena = arena_open(ARENA);
	struct pt_rotate_act act = {
		.client = PT_STR("app"), .now = 50, .grace = 40, .lifetime = 1000
	};
	pt_err err;

	assert_int_equal(strlen(text), sizeof(act.presented.hash));
	memcpy(act.presented.hash.bytes, text, sizeof(act.presented.hash));
	memset(act.secret.bytes, 7, sizeof(act.secret));
	err = store->token_rotate(store->ctx, arena, &act, out);
	arena_close(arena);
	return err;
}

static void tokens_of_an_older_schema_are_carried_over(void **state)
{
	const struct store_setup setup = { .url = server_url() };
	struct sql_store *raw = open_store(1, false);
	struct pt_rotated got;
	struct pt_store store;

	(void)state;
	assert_int_equal(store_migrate_up(&setup, settle, raw), PT_OK);
	assert_int_equal(count(raw, 5,
				 "SELECT count(*) FROM portress_family WHERE id = 'here' AND"
				 " generation = 2 AND issued_at = 2 AND expires_at = 200 AND"
				 " purge_at = 86400000000 AND secret IS NULL"),
		1);
	assert_int_equal(count(raw, 6, "SELECT count(*) FROM portress_family"), 1);
	assert_int_equal(count(raw, 7, "SELECT count(*) FROM portress_loose_token"), 2);
	assert_int_equal(store_open(&setup, &store), PT_OK);
	assert_int_equal(turn(&store, "one of a family without LIVE one", &got), PT_E_REFRESH);
	assert_int_equal(turn(&store, "the second one, which is LIVE...", &got), PT_OK);
	assert_string_equal(got.token.family.text, "here");
	assert_int_equal(got.token.generation, 3);
	assert_int_equal(turn(&store, "the first token, and it is spent", &got), PT_E_REUSED);
	assert_int_equal(turn(&store, "the second one, which is LIVE...", &got), PT_E_REFRESH);
	assert_int_equal(count(raw, 7, "SELECT count(*) FROM portress_loose_token"), 0);
	store.close(store.ctx);
	raw->driver->close(raw);
}

/* ---- the pool ---- */

struct crowd {
	struct sql_store *store;
	const char *text;
	unsigned slot;
	int acts;
	atomic_int ok, away, other;
	_Atomic pt_time longest;
};

static void note(struct crowd *crowd, pt_err err, pt_time took)
{
	pt_time longest = crowd->longest;

	if (err == PT_OK)
		crowd->ok++;
	else if (err == PT_F_STORE)
		crowd->away++;
	else
		crowd->other++;
	while (took > longest && !atomic_compare_exchange_weak(&crowd->longest, &longest, took))
		;
}

static void *crowd_thread(void *argument)
{
	struct crowd *crowd = argument;
	struct arena *arena = arena_open(ARENA);

	for (int i = 0; i < crowd->acts; i++) {
		struct texts texts = { .slot = crowd->slot, .text = { crowd->text } };
		pt_time began = clock_monotonic();
		pt_err err = write_texts(crowd->store, arena, &texts);

		note(crowd, err, clock_monotonic() - began);
		arena_reset(arena);
	}
	arena_close(arena);
	return NULL;
}

enum { CROWD = 64 };

static void gather(struct crowd *crowd, pthread_t *threads)
{
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, crowd_thread, crowd), 0);
}

static void disperse(pthread_t *threads)
{
	for (int i = 0; i < CROWD; i++)
		pthread_join(threads[i], NULL);
}

static void many_threads_share_few_connections(void **state)
{
	struct sql_store *store = open_store(8, false);
	struct crowd crowd = {
		.store = store, .text = "UPDATE shared SET n = n + 1 WHERE id = 1", .acts = 50
	};
	pthread_t threads[CROWD];
	int64_t backends;

	(void)state;
	script(store, "CREATE TABLE shared (id int, n int); INSERT INTO shared VALUES (1, 0)");
	gather(&crowd, threads);
	disperse(threads);
	assert_int_equal(crowd.ok, CROWD * 50);
	assert_int_equal(count(store, 5, "SELECT n FROM shared"), CROWD * 50);
	/* Those of the test before leave when the server comes to it. */
	for (int i = 0; i < 100 && (backends = count(store, 6, server()->count_sessions)) > 8; i++)
		pause_for(100 * PT_MILLISECOND);
	assert_true(backends >= 1 && backends <= 8);
	store->driver->close(store);
}

static void full_pool_refuses_in_time(void **state)
{
	struct sql_store *store = open_store(2, false);
	struct crowd crowd = { .store = store, .text = server()->sleep_some, .acts = 1 };
	struct arena *arena = arena_open(ARENA);
	struct texts texts = { .slot = 5, .text = { "SELECT 1" } };
	pthread_t threads[CROWD];

	(void)state;
	gather(&crowd, threads);
	disperse(threads);
	assert_int_equal(crowd.ok + crowd.away, CROWD);
	assert_true(crowd.ok >= 2);
	assert_true(crowd.away >= CROWD - 6);
	assert_true(crowd.longest < 2300 * PT_MILLISECOND);
	/* and it is whole again afterwards */
	assert_int_equal(write_texts(store, arena, &texts), PT_OK);
	arena_close(arena);
	store->driver->close(store);
}

static void slow_statement_is_ended_by_the_server(void **state)
{
	struct sql_store *store = open_store(1, false);
	struct arena *arena = arena_open(ARENA);
	struct texts slow = { .text = { server()->sleep_long } };
	struct texts quick = { .slot = 5, .text = { "SELECT 1" } };
	pt_time began = clock_monotonic();

	(void)state;
	assert_int_equal(write_texts(store, arena, &slow), PT_F_STORE);
	assert_true(clock_monotonic() - began < 2 * PT_SECOND);
	assert_int_equal(write_texts(store, arena, &quick), PT_OK);
	arena_close(arena);
	store->driver->close(store);
}

static pt_err hold_name(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	(void)in;
	(void)keep;
	TRY(conn->driver->lock_name(conn, arena, PT_STR("ann")));
	TRY(conn->driver->run_text(conn, arena, 0, "SELECT count(*) FROM named", NULL, 0, out));
	if (sql_at(out, 0, 0)->number > 0)
		return PT_E_TAKEN;
	return conn->driver->run_text(
		conn, arena, 1, "INSERT INTO named VALUES (1)", NULL, 0, NULL);
}

static void *name_thread(void *argument)
{
	struct crowd *crowd = argument;
	struct arena *arena = arena_open(ARENA);
	struct sql_rows rows;

	note(crowd, crowd->store->driver->write(crowd->store, hold_name, arena, NULL, &rows), 0);
	arena_close(arena);
	return NULL;
}

static void locked_name_is_inserted_once(void **state)
{
	struct sql_store *store = open_store(8, false);
	struct crowd crowd = { .store = store };
	pthread_t threads[CROWD];

	(void)state;
	script(store, "CREATE TABLE named (id int)");
	for (int i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, name_thread, &crowd), 0);
	disperse(threads);
	assert_int_equal(crowd.ok, 1);
	assert_int_equal(crowd.other, CROWD - 1);
	store->driver->close(store);
}

/* ---- a server that goes away ---- */

/* How long until an act succeeds. */
static pt_time recovery(struct sql_store *store, unsigned slot)
{
	struct arena *arena = arena_open(ARENA);
	struct texts texts = { .slot = slot, .text = { "SELECT 1" } };
	pt_time began = clock_monotonic();

	while (write_texts(store, arena, &texts) != PT_OK) {
		assert_true(clock_monotonic() - began < 10 * PT_SECOND);
		pause_for(20 * PT_MILLISECOND);
	}
	arena_close(arena);
	return clock_monotonic() - began;
}

/* Asks again and again, as a busy site does: each answer comes in time. */
static void knock(struct sql_store *store, unsigned slot, pt_time time)
{
	struct arena *arena = arena_open(ARENA);
	struct texts texts = { .slot = slot, .text = { "SELECT 1" } };
	pt_time until = clock_monotonic() + time;

	while (clock_monotonic() < until) {
		pt_time began = clock_monotonic();

		assert_int_equal(write_texts(store, arena, &texts), PT_F_STORE);
		assert_true(clock_monotonic() - began < 2100 * PT_MILLISECOND);
		pause_for(20 * PT_MILLISECOND);
	}
	arena_close(arena);
}

static void restarted_server_is_not_noticed_by_idle_connections(void **state)
{
	struct sql_store *store = open_store(4, false);
	struct crowd crowd = { .store = store, .text = "SELECT 1", .acts = 2 };
	pthread_t threads[CROWD];

	(void)state;
	gather(&crowd, threads);
	disperse(threads);
	cluster("restart");
	gather(&crowd, threads);
	disperse(threads);
	assert_int_equal(crowd.ok, 4 * CROWD);
	assert_int_equal(crowd.away + crowd.other, 0);
	store->driver->close(store);
}

static void killed_server_is_refused_and_found_again(void **state)
{
	struct sql_store *store = open_store(8, false);
	struct crowd crowd = { .store = store, .text = server()->sleep_short, .acts = 300 };
	pthread_t threads[CROWD];
	pt_time back;

	(void)state;
	gather(&crowd, threads);
	pause_for(200 * PT_MILLISECOND);
	cluster("kill");
	disperse(threads);
	assert_true(crowd.ok > 0 && crowd.away > 0);
	assert_int_equal(crowd.other, 0);
	assert_true(crowd.longest < 2100 * PT_MILLISECOND);
	knock(store, 5, 4 * PT_SECOND);
	cluster("start");
	back = recovery(store, 5);
	print_message("found again after %d ms\n", (int)(back / PT_MILLISECOND));
	assert_true(back < 2 * PT_SECOND);
	store->driver->close(store);
}

static void hanging_server_is_refused_and_found_again(void **state)
{
	struct sql_store *store = open_store(8, false);
	struct crowd crowd = { .store = store, .text = server()->sleep_short, .acts = 300 };
	pthread_t threads[CROWD];
	pt_time back;

	(void)state;
	gather(&crowd, threads);
	pause_for(200 * PT_MILLISECOND);
	cluster("pause");
	disperse(threads);
	assert_true(crowd.ok > 0 && crowd.away > 0);
	print_message("longest act %d ms\n", (int)(crowd.longest / PT_MILLISECOND));
	assert_true(crowd.longest < 2700 * PT_MILLISECOND);
	knock(store, 5, 4 * PT_SECOND);
	cluster("resume");
	back = recovery(store, 5);
	print_message("found again after %d ms\n", (int)(back / PT_MILLISECOND));
	assert_true(back < 2 * PT_SECOND);
	store->driver->close(store);
}

static atomic_int prepared;

static pt_err prepare(struct sql_store *store)
{
	struct arena *arena = arena_open(ARENA);
	struct texts texts = { .slot = 20, .text = { "SELECT 1" } };
	pt_err err = write_texts(store, arena, &texts);

	arena_close(arena);
	prepared += err == PT_OK;
	return err;
}

static void store_that_waits_is_prepared_once_when_the_server_comes(void **state)
{
	struct arena *arena = arena_open(ARENA);
	struct store_setup setup = { .url = server_url() };
	struct texts texts = { .text = { "SELECT 1" } };
	struct crowd crowd = { .text = "SELECT 1", .slot = 3, .acts = 1 };
	struct sql_store *store = NULL;
	pthread_t threads[CROWD];

	(void)state;
	cluster("kill");
	assert_int_equal(server()->open(&setup, &store), PT_F_STORE);
	assert_null(store);
	store = open_store(0, true);
	store->prepare = prepare;
	prepared = 0;
	assert_int_equal(write_texts(store, arena, &texts), PT_F_STORE);
	assert_int_equal(read_texts(store, arena, &texts), PT_F_STORE);
	assert_int_equal(texts.runs, 0);
	cluster("start");
	pause_for(PT_SECOND);
	crowd.store = store;
	gather(&crowd, threads);
	disperse(threads);
	assert_int_equal(crowd.ok, CROWD);
	assert_int_equal(prepared, 1);
	arena_close(arena);
	store->driver->close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_with_nul_is_refused),
		cmocka_unit_test(refused_act_leaves_nothing_unless_it_keeps),
		cmocka_unit_test(broken_unique_rule_is_taken),
		cmocka_unit_test(deadlocked_act_is_run_again),
		cmocka_unit_test(tokens_of_an_older_schema_are_carried_over),
		cmocka_unit_test(many_threads_share_few_connections),
		cmocka_unit_test(full_pool_refuses_in_time),
		cmocka_unit_test(slow_statement_is_ended_by_the_server),
		cmocka_unit_test(locked_name_is_inserted_once),
		cmocka_unit_test(restarted_server_is_not_noticed_by_idle_connections),
		cmocka_unit_test(killed_server_is_refused_and_found_again),
		cmocka_unit_test(hanging_server_is_refused_and_found_again),
		cmocka_unit_test(store_that_waits_is_prepared_once_when_the_server_comes),
	};

	log_open(LOG_TEXT, LOG_INFO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

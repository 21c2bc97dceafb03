/*
 * test_sqlite.c - one file on a disk that may be full, broken, gone, locked, or somebody else's.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/own.h"
#include "base/str.h"
#include "faulty_disk.h"
#include "store/drivers.h"
#include "store/sql/drivers_internal.h"
#include "store/sql/row.h"

#include "base/banned.h"

struct place {
	char directory[64];
	char file[96];
	char url[128];
	pt_arena *arena;
	struct pt_store store;
	bool is_open;
};

static pt_err try_open(struct place *p)
{
	const struct store_setup setup = { .url = str(p->url), .migrate = true };
	pt_err err = store_open(&setup, &p->store);

	p->is_open = err == PT_OK;
	return err;
}

static void shut(struct place *p)
{
	if (p->is_open)
		p->store.close(p->store.ctx);
	p->is_open = false;
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->directory, sizeof(p->directory), "/tmp/portress-sqlite-XXXXXX");
	if (!mkdtemp(p->directory))
		return -1;
	snprintf(p->file, sizeof(p->file), "%s/site/main.db", p->directory);
	snprintf(p->url, sizeof(p->url), "sqlite:%s", p->file);
	p->arena = arena_open(16 << 20);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "site/main.db", "site/main.db-wal", "site/main.db-shm",
		"site/elsewhere.db", "site", "" };
	struct place *p = *state;
	char path[160];

	faulty_disk_fail(0, SQLITE_OK, false);
	shut(p);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", p->directory, names[i]);
		remove(path);
	}
	arena_close(p->arena);
	free(p);
	return 0;
}

static pt_err join(struct place *p, const char *name)
{
	struct pt_join act = {
		.account = { .username = str(name), .username_key = str(name), .created_at = 1 },
		.password = PT_STR("hash"),
		.event = { .kind = PT_EVENT_SIGNUP, .at = 1 },
	};
	struct pt_id id;

	return p->store.account_join(p->store.ctx, p->arena, &act, &id);
}

static pt_err find(struct place *p, const char *name)
{
	const struct pt_account_query query = { .by = PT_BY_USERNAME, .key = str(name) };
	struct pt_account_record record;

	return p->store.account_find(p->store.ctx, p->arena, &query, &record);
}

static const char *numbered(char name[32], const char *prefix, int number)
{
	snprintf(name, 32, "%s%d", prefix, number);
	return name;
}

/* What SQLite itself says of the file. */
static void expect_sound(const struct place *p)
{
	sqlite3 *db;
	sqlite3_stmt *statement;

	assert_int_equal(SQLITE_OK, sqlite3_open(p->file, &db));
	assert_int_equal(
		SQLITE_OK, sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL));
	assert_int_equal(SQLITE_ROW, sqlite3_step(statement));
	assert_string_equal("ok", (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	sqlite3_close(db);
}

/* ---- opening ---------------------------------------------------------------------------------- */

static void file_and_directory_are_for_the_owner_alone(void **state)
{
	struct place *p = *state;
	mode_t mask = umask(0);
	struct stat st;
	char path[128];

	assert_int_equal(PT_OK, try_open(p));
	umask(mask);
	assert_int_equal(PT_OK, join(p, "ann"));
	assert_int_equal(0, stat(p->file, &st));
	assert_int_equal(0600, st.st_mode & 07777);
	snprintf(path, sizeof(path), "%s-wal", p->file);
	assert_int_equal(0, stat(path, &st));
	assert_int_equal(0600, st.st_mode & 07777);
	snprintf(path, sizeof(path), "%s/site", p->directory);
	assert_int_equal(0, stat(path, &st));
	assert_int_equal(0700, st.st_mode & 07777);
}

static void what_was_written_is_there_after_reopening(void **state)
{
	struct place *p = *state;

	assert_int_equal(PT_OK, try_open(p));
	assert_int_equal(PT_OK, join(p, "ann"));
	shut(p);
	assert_int_equal(PT_OK, try_open(p));
	assert_int_equal(PT_OK, find(p, "ann"));
	assert_int_equal(PT_E_NOT_FOUND, find(p, "bob"));
}

static void url_without_a_file_is_refused(void **state)
{
	static const char *const urls[] = { "sqlite:", "sqlite::memory:", "sqlit:/tmp/x", "",
		"/tmp/x.db" };
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		snprintf(p->url, sizeof(p->url), "%s", urls[i]);
		assert_int_equal(PT_F_CONFIG, try_open(p));
	}
}

static void path_that_is_no_file_is_refused(void **state)
{
	struct place *p = *state;

	snprintf(p->url, sizeof(p->url), "sqlite:%s", p->directory);
	assert_int_equal(PT_F_CONFIG, try_open(p));
	snprintf(p->url, sizeof(p->url), "sqlite:/dev/null/main.db");
	assert_int_equal(PT_F_CONFIG, try_open(p));
}

static void uri_is_only_a_path(void **state)
{
	struct place *p = *state;
	char here[256];

	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(0, chdir(p->directory));
	snprintf(p->url, sizeof(p->url), "sqlite:file:site?mode=memory");
	assert_int_equal(PT_OK, try_open(p));
	shut(p);
	assert_int_equal(0, access("file:site?mode=memory", F_OK));
	unlink("file:site?mode=memory");
	assert_int_equal(0, chdir(here));
}

/* In a process that is not root, who may write everything. */
static void file_that_may_only_be_read_is_refused(void **state)
{
	struct place *p = *state;
	char site[96];
	int status;
	pid_t child;

	snprintf(site, sizeof(site), "%s/site", p->directory);
	assert_int_equal(PT_OK, try_open(p));
	shut(p);
	assert_int_equal(0, chmod(p->file, 0444));
	assert_int_equal(0, chmod(site, 0755));
	assert_int_equal(0, chmod(p->directory, 0755));
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
			_exit(2);
		_exit(try_open(p) == PT_F_CONFIG ? 0 : 1);
	}
	assert_int_equal(child, waitpid(child, &status, 0));
	assert_true(WIFEXITED(status));
	assert_int_equal(0, WEXITSTATUS(status));
}

static void garbage_is_no_database(void **state)
{
	struct place *p = *state;
	char site[96];
	int fd;

	snprintf(site, sizeof(site), "%s/site", p->directory);
	assert_int_equal(0, mkdir(site, 0700));
	fd = open(p->file, O_WRONLY | O_CREAT, 0600);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(26, write(fd, "this is not a database...\n", 26));
	close(fd);
	assert_int_equal(PT_F_CONFIG, try_open(p));
}

/* ---- a disk in trouble ------------------------------------------------------------------------- */

/* The n-th change to the disk fails once, or from then on, for each n: nothing that was acknowledged
 * is lost, and once the disk is mended the same store works on. */
static void sweep(struct place *p, int rc, bool sticky)
{
	enum { DEPTH = 30 };
	char name[32];
	int faults = 0;

	assert_int_equal(PT_OK, try_open(p));
	for (int n = 1; n <= DEPTH; n++) {
		pt_err err = PT_OK;

		faulty_disk_fail(n, rc, sticky);
		for (int i = 0; err == PT_OK && !faulty_disk_failed(); i++)
			err = join(p, numbered(name, "try", 1000 * n + i));
		if (err == PT_OK)
			err = join(p, numbered(name, "last", n));
		faults += err == PT_F_STORE;
		assert_true(err == PT_OK || err == PT_F_STORE);
		if (sticky)
			assert_int_equal(PT_F_STORE, join(p, "nobody"));
		faulty_disk_fail(0, SQLITE_OK, false);
		err = join(p, numbered(name, "last", n));
		assert_true(err == PT_OK || err == PT_E_TAKEN);
		if (n % 10 == 0) {
			shut(p);
			assert_int_equal(PT_OK, try_open(p));
		}
	}
	assert_true(faults > 0);
	shut(p);
	expect_sound(p);
	assert_int_equal(PT_OK, try_open(p));
	for (int n = 1; n <= DEPTH; n++)
		assert_int_equal(PT_OK, find(p, numbered(name, "last", n)));
}

static void full_disk_fails_closed_and_needs_no_restart(void **state)
{
	sweep(*state, SQLITE_FULL, true);
}

static void failed_write_loses_nothing_that_was_acknowledged(void **state)
{
	sweep(*state, SQLITE_IOERR_WRITE, false);
}

static void failed_sync_loses_nothing_that_was_acknowledged(void **state)
{
	sweep(*state, SQLITE_IOERR_FSYNC, true);
}

static void act_on_a_full_disk_is_a_fault(void **state)
{
	struct place *p = *state;

	assert_int_equal(PT_OK, try_open(p));
	faulty_disk_fail(1, SQLITE_FULL, true);
	assert_int_equal(PT_F_STORE, join(p, "ann"));
	assert_int_equal(PT_E_NOT_FOUND, find(p, "ann"));
	faulty_disk_fail(0, SQLITE_OK, false);
	assert_int_equal(PT_OK, join(p, "ann"));
}

static void file_that_vanished_fails_closed_until_it_is_back(void **state)
{
	struct place *p = *state;
	char aside[96];

	snprintf(aside, sizeof(aside), "%s/site/elsewhere.db", p->directory);
	assert_int_equal(PT_OK, try_open(p));
	assert_int_equal(PT_OK, join(p, "ann"));
	assert_int_equal(0, rename(p->file, aside));
	assert_int_equal(PT_F_STORE, join(p, "bob"));
	assert_int_equal(PT_F_STORE, find(p, "ann"));
	assert_int_equal(0, rename(aside, p->file));
	assert_int_equal(PT_OK, join(p, "bob"));
	assert_int_equal(PT_OK, find(p, "ann"));
}

static void reader_notices_within_a_second_that_the_file_was_replaced(void **state)
{
	struct place *p = *state;
	pt_time start;
	pt_err err = PT_OK;

	assert_int_equal(PT_OK, try_open(p));
	assert_int_equal(PT_OK, join(p, "ann"));
	assert_int_equal(0, unlink(p->file));
	close(open(p->file, O_CREAT | O_WRONLY, 0600));
	start = clock_monotonic();
	while (err == PT_OK && clock_monotonic() - start < 3 * PT_SECOND)
		err = find(p, "ann");
	assert_int_equal(PT_F_STORE, err);
	assert_true(clock_monotonic() - start < 2 * PT_SECOND);
}

static void another_database_in_its_place_is_not_taken_up(void **state)
{
	struct place *p = *state;
	char aside[96];

	snprintf(aside, sizeof(aside), "%s/site/elsewhere.db", p->directory);
	assert_int_equal(PT_OK, try_open(p));
	assert_int_equal(PT_OK, join(p, "other"));
	shut(p);
	assert_int_equal(0, rename(p->file, aside));
	assert_int_equal(PT_OK, try_open(p));
	assert_int_equal(PT_OK, join(p, "ann"));
	assert_int_equal(0, rename(aside, p->file));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(PT_F_STORE, join(p, "bob"));
		assert_int_equal(PT_F_STORE, find(p, "ann"));
		assert_int_equal(PT_F_STORE, find(p, "other"));
	}
	shut(p);
}

static void flipped_bytes_never_crash(void **state)
{
	struct place *p = *state;
	PT_OWN(own_malloc) char *sound = NULL;
	char name[32];
	struct stat st;
	unsigned dice = 12345;
	int fd;

	assert_int_equal(PT_OK, try_open(p));
	for (int i = 0; i < 40; i++)
		assert_int_equal(PT_OK, join(p, numbered(name, "user", i)));
	shut(p);
	assert_int_equal(0, stat(p->file, &st));
	sound = malloc((size_t)st.st_size);
	fd = open(p->file, O_RDWR);
	assert_int_equal(st.st_size, read(fd, sound, (size_t)st.st_size));
	for (int round = 0; round < 100; round++) {
		assert_int_equal(st.st_size, pwrite(fd, sound, (size_t)st.st_size, 0));
		assert_int_equal(0, ftruncate(fd, st.st_size));
		for (int i = 0; i < 10; i++) {
			dice = dice * 1664525 + 1013904223;
			assert_int_equal(
				1, pwrite(fd, &dice, 1, (off_t)(dice % (unsigned)st.st_size)));
		}
		if (try_open(p) != PT_OK)
			continue;
		for (int i = 0; i < 40; i += 3)
			(void)find(p, numbered(name, "user", i));
		(void)join(p, "another");
		shut(p);
	}
	close(fd);
}

/* ---- others at the same file ------------------------------------------------------------------- */

static void lock_of_another_program_is_waited_for_and_then_a_fault(void **state)
{
	struct place *p = *state;
	sqlite3 *other;
	pt_time start;

	assert_int_equal(PT_OK, try_open(p));
	assert_int_equal(SQLITE_OK, sqlite3_open(p->file, &other));
	assert_int_equal(SQLITE_OK, sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL));
	start = clock_monotonic();
	assert_int_equal(PT_F_STORE, join(p, "ann"));
	assert_in_range(clock_monotonic() - start, 200 * PT_MILLISECOND, 1500 * PT_MILLISECOND);
	assert_int_equal(PT_E_NOT_FOUND, find(p, "ann"));
	assert_int_equal(SQLITE_OK, sqlite3_exec(other, "COMMIT", NULL, NULL, NULL));
	sqlite3_close(other);
	assert_int_equal(PT_OK, join(p, "ann"));
}

enum { EACH = 150 };

/* Joins EACH names; those that both processes want go to one of them. */
static int join_many(struct place *p, const char *prefix)
{
	char name[32];
	int shared = 0;

	for (int i = 0; i < EACH; i++) {
		pt_err err = join(p, numbered(name, "shared", i));

		if (err != PT_OK && err != PT_E_TAKEN)
			return -1;
		shared += err == PT_OK;
		if (join(p, numbered(name, prefix, i)) != PT_OK)
			return -1;
	}
	return shared;
}

static void two_processes_share_one_file(void **state)
{
	struct place *p = *state;
	char name[32];
	int mine, theirs, status;
	pid_t child;

	assert_int_equal(PT_OK, try_open(p));
	shut(p);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int got = try_open(p) == PT_OK ? join_many(p, "child") : -1;

		shut(p);
		_exit(got < 0 ? 255 : got);
	}
	assert_int_equal(PT_OK, try_open(p));
	mine = join_many(p, "parent");
	assert_int_equal(child, waitpid(child, &status, 0));
	assert_true(WIFEXITED(status));
	theirs = WEXITSTATUS(status);
	assert_true(mine >= 0 && theirs != 255);
	assert_int_equal(EACH, mine + theirs);
	for (int i = 0; i < EACH; i++) {
		assert_int_equal(PT_OK, find(p, numbered(name, "child", i)));
		assert_int_equal(PT_OK, find(p, numbered(name, "parent", i)));
	}
	shut(p);
	expect_sound(p);
}

/* Names are told through the pipe after they were acknowledged. */
static void join_until_killed(struct place *p, int pipe_end, int round)
{
	char name[32];

	for (int i = 0;; i++) {
		if (join(p, numbered(name, round % 2 ? "odd" : "even", round * 100000 + i)) !=
				PT_OK ||
			write(pipe_end, name, sizeof(name)) != (ssize_t)sizeof(name))
			_exit(1);
	}
}

static void acknowledged_is_there_after_kill_9(void **state)
{
	struct place *p = *state;
	char name[32];
	int found = 0;

	for (int round = 0; round < 12; round++) {
		int ends[2], status;
		pid_t child;

		assert_int_equal(0, pipe(ends));
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			close(ends[0]);
			if (try_open(p) == PT_OK)
				join_until_killed(p, ends[1], round);
			_exit(1);
		}
		close(ends[1]);
		usleep((useconds_t)(40000 + 7000 * round));
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(PT_OK, try_open(p));
		while (read(ends[0], name, sizeof(name)) == (ssize_t)sizeof(name)) {
			assert_int_equal(PT_OK, find(p, name));
			found++;
		}
		close(ends[0]);
		shut(p);
	}
	assert_true(found > 0);
	expect_sound(p);
}

/* ---- the group --------------------------------------------------------------------------------- */

struct gate {
	sem_t reached, open;
};

/* Holds the writer, so that the acts behind it gather. */
static pt_err act_hold(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct gate *gate = out;

	(void)conn, (void)arena, (void)in, (void)keep;
	sem_post(&gate->reached);
	sem_wait(&gate->open);
	return PT_OK;
}

struct writing {
	struct place *p;
	const char *name;
	pt_err answer;
	bool keep;
	pt_err got;
	pthread_t thread;
};

/* Records an event whose detail is the name, and answers what it was told to. */
static pt_err act_write(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct writing *w = in;
	const struct pt_id id = { "x" };
	pt_err err = RUN(conn, arena, EVENT_INSERT, NULL, sql_id(&id), sql_int(1), sql_id(&id),
		sql_int(1), sql_null(), sql_null(), sql_text(str(w->name)), sql_text(PT_STR("")),
		sql_null(), sql_null(), sql_null(), sql_null());

	(void)out;
	*keep = w->keep;
	return err == PT_OK ? w->answer : err;
}

static void *write_main(void *ctx)
{
	struct writing *w = ctx;
	struct sql_store *sql = w->p->store.ctx;
	pt_arena *arena = arena_open(1 << 20);

	w->got = sql->driver->write(sql, act_write, arena, w, NULL);
	arena_close(arena);
	return NULL;
}

static void *hold_main(void *ctx)
{
	void **both = ctx;
	struct sql_store *sql = both[0];

	(void)!sql->driver->write(sql, act_hold, both[2], NULL, both[1]);
	return NULL;
}

static bool event_is_there(struct place *p, const char *detail)
{
	const struct pt_id anybody = { "" };
	struct pt_event *events;
	size_t n;
	bool there = false;

	assert_int_equal(
		PT_OK, p->store.event_list(p->store.ctx, p->arena, &anybody, 1000, &events, &n));
	for (size_t i = 0; i < n; i++)
		there |= str_eq(events[i].detail, str(detail));
	return there;
}

static void refused_act_takes_nothing_of_its_group_with_it(void **state)
{
	struct place *p = *state;
	struct gate gate;
	struct writing group[] = {
		{ .name = "one", .answer = PT_OK },
		{ .name = "refused", .answer = PT_E_TICKET },
		{ .name = "kept", .answer = PT_E_REUSED, .keep = true },
		{ .name = "fault", .answer = PT_F_STORE, .keep = true },
		{ .name = "five", .answer = PT_OK },
	};
	void *both[] = { NULL, &gate, p->arena };
	pthread_t holder;

	assert_int_equal(PT_OK, try_open(p));
	both[0] = p->store.ctx;
	sem_init(&gate.reached, 0, 0);
	sem_init(&gate.open, 0, 0);
	pthread_create(&holder, NULL, hold_main, both);
	sem_wait(&gate.reached);
	for (size_t i = 0; i < 5; i++) {
		group[i].p = p;
		pthread_create(&group[i].thread, NULL, write_main, &group[i]);
		usleep(20000);
	}
	sem_post(&gate.open);
	pthread_join(holder, NULL);
	for (size_t i = 0; i < 5; i++) {
		pthread_join(group[i].thread, NULL);
		assert_int_equal(group[i].answer, group[i].got);
	}
	assert_true(event_is_there(p, "one"));
	assert_false(event_is_there(p, "refused"));
	assert_true(event_is_there(p, "kept"));
	assert_false(event_is_there(p, "fault"));
	assert_true(event_is_there(p, "five"));
}

static void act_that_is_refused_alone_leaves_nothing(void **state)
{
	struct place *p = *state;
	struct writing refused = { .p = p, .name = "refused", .answer = PT_E_TICKET };
	struct writing kept = { .p = p, .name = "kept", .answer = PT_E_TICKET, .keep = true };

	assert_int_equal(PT_OK, try_open(p));
	write_main(&refused);
	write_main(&kept);
	assert_int_equal(PT_E_TICKET, refused.got);
	assert_false(event_is_there(p, "refused"));
	assert_int_equal(PT_E_TICKET, kept.got);
	assert_true(event_is_there(p, "kept"));
}

static void group_whose_commit_fails_fails_whole(void **state)
{
	struct place *p = *state;
	struct writing one = { .p = p, .name = "one", .answer = PT_OK };
	struct writing kept = { .p = p, .name = "kept", .answer = PT_E_REUSED, .keep = true };

	assert_int_equal(PT_OK, try_open(p));
	faulty_disk_fail(1, SQLITE_IOERR_WRITE, true);
	write_main(&one);
	write_main(&kept);
	faulty_disk_fail(0, SQLITE_OK, false);
	assert_int_equal(PT_F_STORE, one.got);
	assert_int_equal(PT_F_STORE, kept.got);
	assert_false(event_is_there(p, "one"));
	assert_false(event_is_there(p, "kept"));
}

static void full_queue_is_busy_and_changes_nothing(void **state)
{
	enum { MANY = 1100 };
	struct place *p = *state;
	struct gate gate;
	struct writing *many = calloc(MANY, sizeof(*many));
	void *both[] = { NULL, &gate, p->arena };
	pthread_t holder;
	pthread_attr_t small;
	int busy = 0, fine = 0;

	assert_int_equal(PT_OK, try_open(p));
	both[0] = p->store.ctx;
	sem_init(&gate.reached, 0, 0);
	sem_init(&gate.open, 0, 0);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 128 << 10);
	pthread_create(&holder, NULL, hold_main, both);
	sem_wait(&gate.reached);
	for (size_t i = 0; i < MANY; i++) {
		many[i] = (struct writing){ .p = p, .name = "many", .answer = PT_OK };
		assert_int_equal(0, pthread_create(&many[i].thread, &small, write_main, &many[i]));
	}
	usleep(300000);
	sem_post(&gate.open);
	pthread_join(holder, NULL);
	for (size_t i = 0; i < MANY; i++) {
		pthread_join(many[i].thread, NULL);
		busy += many[i].got == PT_E_BUSY;
		fine += many[i].got == PT_OK;
	}
	assert_int_equal(1024, fine);
	assert_int_equal(MANY - 1024, busy);
	pthread_attr_destroy(&small);
	free(many);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_and_directory_are_for_the_owner_alone),
		TEST(what_was_written_is_there_after_reopening),
		TEST(url_without_a_file_is_refused),
		TEST(path_that_is_no_file_is_refused),
		TEST(uri_is_only_a_path),
		TEST(file_that_may_only_be_read_is_refused),
		TEST(garbage_is_no_database),
		TEST(full_disk_fails_closed_and_needs_no_restart),
		TEST(failed_write_loses_nothing_that_was_acknowledged),
		TEST(failed_sync_loses_nothing_that_was_acknowledged),
		TEST(act_on_a_full_disk_is_a_fault),
		TEST(file_that_vanished_fails_closed_until_it_is_back),
		TEST(reader_notices_within_a_second_that_the_file_was_replaced),
		TEST(another_database_in_its_place_is_not_taken_up),
		TEST(flipped_bytes_never_crash),
		TEST(lock_of_another_program_is_waited_for_and_then_a_fault),
		TEST(two_processes_share_one_file),
		TEST(acknowledged_is_there_after_kill_9),
		TEST(refused_act_takes_nothing_of_its_group_with_it),
		TEST(act_that_is_refused_alone_leaves_nothing),
		TEST(group_whose_commit_fails_fails_whole),
		TEST(full_queue_is_busy_and_changes_nothing),
	};

	faulty_disk_open();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

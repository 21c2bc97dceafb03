/*
 * driver_world.c - a database server that a test may stop, and acts made of texts.
 */
#include "driver_world.h"

#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"

#include "base/banned.h"

static const struct server servers[] = {
	{ "PORTRESS_TEST_POSTGRES", postgres_open, "SELECT pg_sleep(30)", "SELECT pg_sleep(1.1)",
		"SELECT pg_sleep(0.01)",
		"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'portress'" },
	{ "PORTRESS_TEST_MARIADB", mysql_open, "SELECT sleep(30)", "SELECT sleep(1.1)",
		"SELECT sleep(0.01)",
		"SELECT count(*) FROM information_schema.processlist WHERE user = 'portress'" },
};

const struct server *server(void)
{
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
		if (getenv(servers[i].variable))
			return &servers[i];
	}
	fail_msg("run this inside of postgres.py or mariadb.py");
	return NULL;
}

pt_str server_url(void)
{
	return str(getenv(server()->variable));
}

struct sql_store *open_store(unsigned connections, bool wait)
{
	struct store_setup setup = {
		.url = server_url(), .connections = connections, .wait = wait
	};
	struct sql_store *store = NULL;

	assert_int_equal(server()->open(&setup, &store), PT_OK);
	return store;
}

void cluster(const char *what)
{
	char *const argv[] = { getenv("PORTRESS_TEST_CLUSTER_TOOL"), (char *)(uintptr_t)what,
		getenv("PORTRESS_TEST_CLUSTER"), NULL };
	int status = -1;
	pid_t pid;

	assert_int_equal(posix_spawn(&pid, argv[0], NULL, NULL, argv, environ), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

void pause_for(pt_time time)
{
	usleep((useconds_t)time);
}

static pt_err run_texts(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct texts *texts = out;

	(void)in;
	texts->runs++;
	for (unsigned i = 0; i < 4 && texts->text[i]; i++) {
		bool last = i == 3 || !texts->text[i + 1];

		TRY(conn->driver->run_text(conn, arena, texts->slot + i, texts->text[i],
			last ? texts->args : NULL, last ? texts->n_args : 0, &texts->rows));
	}
	*keep = texts->keep;
	return texts->answer;
}

pt_err write_texts(struct sql_store *store, pt_arena *arena, struct texts *texts)
{
	return store->driver->write(store, run_texts, arena, NULL, texts);
}

pt_err read_texts(struct sql_store *store, pt_arena *arena, struct texts *texts)
{
	return store->driver->read(store, run_texts, arena, NULL, texts);
}

pt_err run_script(struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	(void)out;
	(void)keep;
	return conn->driver->script(conn, arena, in);
}

void script(struct sql_store *store, const char *text)
{
	struct arena *arena = arena_open(ARENA);

	assert_int_equal(store->driver->write(store, run_script, arena, text, NULL), PT_OK);
	arena_close(arena);
}

int64_t count(struct sql_store *store, unsigned slot, const char *text)
{
	struct arena *arena = arena_open(ARENA);
	struct texts texts = { .slot = slot, .text = { text } };
	int64_t number;

	assert_int_equal(read_texts(store, arena, &texts), PT_OK);
	number = sql_at(&texts.rows, 0, 0)->number;
	arena_close(arena);
	return number;
}

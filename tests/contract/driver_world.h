/*
 * driver_world.h - a database server that a test may stop, kill and start, and acts made of texts.
 *
 * The server is the one that postgres.py or mariadb.py runs around the test.
 */
#ifndef TESTS_CONTRACT_DRIVER_WORLD_H
#define TESTS_CONTRACT_DRIVER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"
#include "store/sql/drivers_internal.h"

enum { ARENA = 1024 * 1024 };

/* What differs between the kinds, for tests that do not. */
struct server {
	const char *variable; /* of the environment: its URL */
	pt_err (*open)(const struct store_setup *setup, struct sql_store **out);
	const char *sleep_long;     /* 30 s */
	const char *sleep_some;     /* 1.1 s */
	const char *sleep_short;    /* 0.01 s */
	const char *count_sessions; /* of ours */
};

/* The kind that is there. */
const struct server *server(void);
pt_str server_url(void);

struct sql_store *open_store(unsigned connections, bool wait);

/* What the server's tool knows: "kill", "start", "restart", "pause", "resume". */
void cluster(const char *what);

void pause_for(pt_time time);

/*
 * An act that runs texts, one after the other; the last one with values. Texts are prepared under the
 * slots from `slot` on, and a slot stands for one text as long as the store is open.
 */
struct texts {
	unsigned slot;
	const char *text[4];
	const struct sql_value *args;
	size_t n_args;
	struct sql_rows rows;
	pt_err answer; /* when all went well */
	bool keep;
	int runs;
};

pt_err write_texts(struct sql_store *store, pt_arena *arena, struct texts *texts);
pt_err read_texts(struct sql_store *store, pt_arena *arena, struct texts *texts);

/* An act that runs the script `in`. */
pt_err run_script(struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep);
void script(struct sql_store *store, const char *text);

/* The number that a text answers with. */
int64_t count(struct sql_store *store, unsigned slot, const char *text);

#endif

/*
 * remote.h - acts on a database server: what PostgreSQL and MariaDB have in common.
 *
 * An act takes a connection from the pool and runs in one transaction, which begins together with
 * its first statement. READ COMMITTED is enough for what writes: verbs lock the rows they decide by,
 * and say in the UPDATE what must still hold.
 *
 * What reads sees one snapshot. Most such acts are one statement, which is a snapshot by itself and
 * twice as fast without a transaction around it. An act is taken to be one of those until it asks for
 * a second statement; then it is run again in a transaction, and from then on always.
 *
 *   trouble       before COMMIT           at COMMIT
 *   AGAIN, MORE   roll back, run again    run again: nothing was committed
 *   BROKEN        run again, twice        nobody knows: PT_F_STORE and a line that says so
 *   SILENT        PT_F_STORE              the same
 */
#ifndef STORE_SQL_REMOTE_H
#define STORE_SQL_REMOTE_H

#include "store/drivers.h"
#include "store/sql/port.h"

/* What the last thing that went wrong means for the connection and the act. */
enum remote_trouble {
	REMOTE_FINE,
	REMOTE_AGAIN, /* serialisation failure, deadlock: roll back and run the act again */
	REMOTE_MORE, /* an act that runs alone wants a second statement: run it again in a transaction */
	REMOTE_BROKEN, /* the connection is no more, or cannot be used */
	REMOTE_SILENT, /* no answer by the deadline: the server hangs, or the network does */
};

/* A connection; a driver's own begins with it. It belongs to one thread at a time. */
struct remote_conn {
	pt_time deadline;  /* of the act, on the monotonic clock */
	const char *begin; /* sent before the next statement; NULL: the transaction has begun */
	bool alone;   /* the act's one statement needs no transaction; another one is REMOTE_MORE */
	unsigned ran; /* statements so far in this act */
	enum remote_trouble trouble;
};

/* A kind of server: how to reach one and how a transaction begins and ends there. */
struct remote_kind {
	const char *name;    /* "postgres" */
	const char *product; /* "PostgreSQL", for people */
	size_t conn_size;
	const char *begin_write;
	const char *begin_read; /* of one snapshot */

	/* PT_F_STORE: `why` says it in words without secrets. */
	pt_err (*connect)(struct remote_conn *conn, const void *target, pt_time deadline, char *why,
		size_t size);
	/* Also what never was connected. */
	void (*disconnect)(struct remote_conn *conn);
	/* False when the server has hung up meanwhile. */
	bool (*is_usable)(struct remote_conn *conn, pt_time deadline);

	/* COMMIT or ROLLBACK, and waits for the answer. */
	pt_err (*end)(struct remote_conn *conn, bool commit);
	/* Ends a transaction that only read; may leave the answer to whoever uses the connection next. */
	void (*end_read)(struct remote_conn *conn);

	void (*target_free)(void *target);
};

/* The time that an act may take, all in all. */
pt_time remote_timeout(const struct store_setup *setup);

/* A store over such a server. Owns the target from now on, also when it fails. PT_F_STORE: the server
 * cannot be reached (never with setup->wait). */
PT_CHECK pt_err remote_open(const struct store_setup *setup, const struct remote_kind *kind,
	const struct sql_driver *driver, void *target, struct sql_store **out);

/* What a driver's table has of it. */
pt_err remote_write(
	struct sql_store *store, sql_act run_act, pt_arena *arena, const void *in, void *out);
pt_err remote_read(
	struct sql_store *store, sql_act run_act, pt_arena *arena, const void *in, void *out);
void remote_close(struct sql_store *store);

/* Before each statement. PT_F_STORE after trouble: nothing more can be asked, the act is on its way out. */
PT_CHECK pt_err remote_may_ask(struct remote_conn *conn);

/* For the log. */
const char *remote_label(enum sql_statement statement);

#endif

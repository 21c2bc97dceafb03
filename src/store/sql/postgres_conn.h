/*
 * postgres_conn.h - one connection to PostgreSQL: statements with deadlines, answers as sql_rows.
 *
 * A connection belongs to one thread at a time. No function here blocks past its deadline, save that
 * libpq resolves host names with the C library.
 */
#ifndef STORE_SQL_POSTGRES_CONN_H
#define STORE_SQL_POSTGRES_CONN_H

#include <libpq-fe.h>

#include "store/drivers.h"
#include "store/sql/port.h"
#include "store/sql/remote.h"

/* What we use of libpq, opened when the first PostgreSQL store is. */
#define PQ_FUNCTIONS(X)       \
	X(conndefaults)       \
	X(conninfoFree)       \
	X(conninfoParse)      \
	X(connectPoll)        \
	X(connectStartParams) \
	X(consumeInput)       \
	X(enterPipelineMode)  \
	X(errorMessage)       \
	X(exitPipelineMode)   \
	X(finish)             \
	X(flush)              \
	X(ftype)              \
	X(getResult)          \
	X(getisnull)          \
	X(getlength)          \
	X(getvalue)           \
	X(isBusy)             \
	X(nfields)            \
	X(ntuples)            \
	X(pipelineSync)       \
	X(resultErrorField)   \
	X(resultStatus)       \
	X(sendPrepare)        \
	X(sendQuery)          \
	X(sendQueryParams)    \
	X(sendQueryPrepared)  \
	X(setNoticeProcessor) \
	X(setnonblocking)     \
	X(socket)             \
	X(status)             \
	X(cmdStatus)          \
	X(cmdTuples)          \
	X(clear)

struct pq {
#define PQ_MEMBER(name) __typeof__(PQ##name) *name;
	PQ_FUNCTIONS(PQ_MEMBER)
#undef PQ_MEMBER
};

extern struct pq pq;

PT_CHECK pt_err pq_open(void);

enum { PG_PARAMETERS = 16 };

/* Where to connect, and what a session begins with. */
struct pg_target {
	const char *const *keywords; /* for PQconnectStartParams */
	const char *const *values;
	size_t n;
	const char *host;    /* the one name to be looked up; NULL: none, or several */
	const char *session; /* SET statements */
	pt_time patience;
};

enum {
	PG_TEXTS =
		SQL_STATEMENTS + SQL_DYNAMIC, /* statements of the list, then slots of run_text */
	PG_LOCK_NAME = PG_TEXTS,              /* the driver's own */
	PG_NAMES,
};

/* A text that is prepared once a connection. */
struct pg_text {
	unsigned name;     /* 0..PG_NAMES-1 */
	const char *label; /* for the log */
	const char *text;
};

struct pg_conn {
	struct remote_conn base; /* first */
	PGconn *pq;
	pt_time asked_at; /* when the last exchange was sent */
	pt_time patience; /* silence for so long after a question means that the server hangs */
	bool unread;      /* the answer to the last COMMIT is still to be read */
	bool prepared[PG_NAMES];
};

/* Connects and sets the session up. PT_F_STORE: *why says it in words without secrets. */
PT_CHECK pt_err pg_connect(struct pg_conn *conn, const struct pg_target *target, pt_time deadline,
	char *why, size_t size);

void pg_disconnect(struct pg_conn *conn);

/* False when the server has hung up meanwhile; reads what was left unread. */
bool pg_is_usable(struct pg_conn *conn, pt_time deadline);

/*
 * Runs a text, together with conn->base.begin when that is due. PT_E_TAKEN: a UNIQUE rule, or somebody's
 * foreign key, was broken. PT_F_STORE: conn->base.trouble says of what kind; logged here when it is REMOTE_FINE,
 * that is when the statement itself failed.
 */
PT_CHECK pt_err pg_run(struct pg_conn *conn, pt_arena *arena, const struct pg_text *text,
	const struct sql_value *args, size_t n_args, struct sql_rows *rows);

/* Several statements in one text, outside of the extended protocol; takes as long as it takes. */
PT_CHECK pt_err pg_script(struct pg_conn *conn, pt_arena *arena, const char *text);

/* "COMMIT" or "ROLLBACK", and waits for the answer. */
PT_CHECK pt_err pg_end(struct pg_conn *conn, const char *text);

/* Ends a transaction that only read; whoever uses the connection next reads the answer. */
void pg_end_unread(struct pg_conn *conn);

#endif

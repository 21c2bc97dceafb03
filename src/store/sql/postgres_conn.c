/*
 * postgres_conn.c - one connection to PostgreSQL.
 *
 * Statements travel in pipeline mode (libpq 34.5): BEGIN when it is due, PREPARE when the connection
 * has not seen the text, EXECUTE and a sync leave in one packet; the answers are read up to the sync.
 * Values travel as text, whose type the server infers from where they stand, and bytes in binary.
 */
#include "store/sql/postgres_conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/module.h"
#include "base/own.h"
#include "base/resolve.h"
#include "base/str.h"
#include "store/sql/moment.h"

#include "base/banned.h"

enum {
	MAX_ARGS = 48,
	/* A script is a migration: it may build an index over a large table. */
	SCRIPT_SECONDS = 600,
};

struct pq pq;

pt_err pq_open(void)
{
	static const struct module_symbol symbols[] = {
#define PQ_SYMBOL(name) { "PQ" #name, (void **)&pq.name },
		PQ_FUNCTIONS(PQ_SYMBOL)
#undef PQ_SYMBOL
	};

	return module_open("libpq.so.5", "libpq5", symbols, sizeof(symbols) / sizeof(symbols[0]));
}

static void own_result(PGresult **result)
{
	if (*result)
		pq.clear(*result);
}

/* ---- waiting ---- */

/* Out of time. A server that had long enough to say "timed out" itself, and did not, hangs. */
static enum remote_trouble too_late(const struct pg_conn *conn)
{
	return clock_monotonic() - conn->asked_at >= conn->patience ? REMOTE_SILENT : REMOTE_BROKEN;
}

/* Waits until the socket is ready or the act's deadline is there; a closed socket counts as ready. */
static bool wait_socket(struct pg_conn *conn, short events)
{
	struct pollfd fd = { .fd = pq.socket(conn->pq), .events = events };

	for (;;) {
		pt_time left = conn->base.deadline - clock_monotonic();
		int n;

		if (left <= 0 || fd.fd < 0)
			return false;
		n = poll(&fd, 1, (int)((left + PT_MILLISECOND - 1) / PT_MILLISECOND));
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

static enum remote_trouble broken_or_late(const struct pg_conn *conn)
{
	return clock_monotonic() >= conn->base.deadline ? too_late(conn) : REMOTE_BROKEN;
}

static bool wait_and_read(struct pg_conn *conn, short events)
{
	if (!wait_socket(conn, events)) {
		conn->base.trouble = broken_or_late(conn);
		return false;
	}
	if (!pq.consumeInput(conn->pq)) {
		conn->base.trouble = REMOTE_BROKEN;
		return false;
	}
	return true;
}

static bool flush(struct pg_conn *conn)
{
	int left;

	while ((left = pq.flush(conn->pq)) > 0) {
		/* The server may have to be read before it reads on. */
		if (!wait_and_read(conn, POLLIN | POLLOUT))
			return false;
	}
	if (left < 0)
		conn->base.trouble = REMOTE_BROKEN;
	return left == 0;
}

/* The next answer; NULL is the end of one command's answers, or trouble. */
static PGresult *next_result(struct pg_conn *conn)
{
	PGresult *result;

	while (pq.isBusy(conn->pq)) {
		if (!wait_and_read(conn, POLLIN))
			return NULL;
	}
	result = pq.getResult(conn->pq);
	if (pq.status(conn->pq) == CONNECTION_BAD)
		conn->base.trouble = REMOTE_BROKEN;
	return result;
}

/* ---- what an error means ---- */

static const struct meaning {
	const char *state; /* SQLSTATE, or the class that it begins with */
	enum remote_trouble trouble;
} meanings[] = {
	{ "40001", REMOTE_AGAIN }, /* serialization_failure */
	{ "40P01", REMOTE_AGAIN }, /* deadlock_detected */
	{ "08", REMOTE_BROKEN },   /* connection_exception */
	{ "57P0", REMOTE_BROKEN }, /* shutting down, starting up, crashed, database dropped, idle */
	{ "25P03", REMOTE_BROKEN }, /* idle_in_transaction_session_timeout */
	{ "25006", REMOTE_BROKEN }, /* read only: after a failover this one became a standby */
	{ "26000", REMOTE_BROKEN }, /* a pooler took our prepared statements away, ... */
	{ "42P05", REMOTE_BROKEN }, /* ... or shows those of another session */
};

static pt_str error_field(const PGresult *result, int code)
{
	return str(pq.resultErrorField(result, code));
}

static enum remote_trouble trouble_of(const PGresult *result)
{
	pt_str state = error_field(result, PG_DIAG_SQLSTATE);

	/* libpq's own errors have no SQLSTATE. */
	if (state.n == 0)
		return REMOTE_BROKEN;
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (str_starts(state, str(meanings[i].state)))
			return meanings[i].trouble;
	}
	/* "cached plan must not change result type": somebody altered a table of theirs. */
	if (str_eq(error_field(result, PG_DIAG_SOURCE_FUNCTION), PT_STR("RevalidateCachedQuery")))
		return REMOTE_BROKEN;
	return REMOTE_FINE;
}

/* Errors of class 22 quote the value that they are about; it may be somebody's. */
static pt_err failed_statement(const PGresult *result, const char *label)
{
	pt_str state = error_field(result, PG_DIAG_SQLSTATE);
	pt_str message = error_field(result, PG_DIAG_MESSAGE_PRIMARY);

	if (str_starts(state, PT_STR("22")))
		message = PT_STR("a value was refused");
	return fault(PT_F_STORE, "postgres: %s: %.*s (%.*s)", label, (int)message.n, message.p,
		(int)state.n, state.p);
}

static pt_err error_of(struct pg_conn *conn, const PGresult *result, const char *label)
{
	pt_str state = error_field(result, PG_DIAG_SQLSTATE);

	if (str_eq(state, PT_STR("23505")) || str_eq(state, PT_STR("23503")))
		return PT_E_TAKEN;
	conn->base.trouble = trouble_of(result);
	return conn->base.trouble == REMOTE_FINE ? failed_statement(result, label) : PT_F_STORE;
}

/* ---- rows ---- */

/* From the server's pg_type.dat: these numbers never change. */
enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_OID = 26,
	OID_DATE = 1082,
	OID_TIMESTAMP = 1114,
	OID_TIMESTAMPTZ = 1184,
};

static bool copy_text(pt_arena *arena, pt_str raw, struct sql_value *out)
{
	out->type = SQL_TEXT;
	return arena_str(arena, raw, &out->bytes);
}

static bool copy_int(pt_arena *arena, pt_str raw, struct sql_value *out)
{
	out->type = SQL_INT;
	return str_int(raw, INT64_MIN, INT64_MAX, &out->number) || copy_text(arena, raw, out);
}

static bool copy_bool(pt_str raw, struct sql_value *out)
{
	*out = sql_int(str_eq(raw, PT_STR("t")));
	return true;
}

static bool copy_bytes(pt_arena *arena, pt_str raw, struct sql_value *out)
{
	out->type = SQL_BYTES;
	return str_starts(raw, PT_STR("\\x")) &&
	       hex_decode(arena, str_slice(raw, 2, raw.n), &out->bytes);
}

/* A moment that has no number ("infinity", before year 0) stays text. */
static bool copy_moment(pt_arena *arena, pt_str raw, struct sql_value *out)
{
	out->type = SQL_INT;
	return moment_parse(raw, &out->number) || copy_text(arena, raw, out);
}

static bool copy_value(pt_arena *arena, Oid type, pt_str raw, struct sql_value *out)
{
	switch (type) {
	case OID_INT2:
	case OID_INT4:
	case OID_INT8:
	case OID_OID:
		return copy_int(arena, raw, out);
	case OID_BOOL:
		return copy_bool(raw, out);
	case OID_BYTEA:
		return copy_bytes(arena, raw, out);
	case OID_DATE:
	case OID_TIMESTAMP:
	case OID_TIMESTAMPTZ:
		return copy_moment(arena, raw, out);
	default:
		return copy_text(arena, raw, out);
	}
}

static bool copy_row(pt_arena *arena, const PGresult *result, int row, int n, struct sql_value *out)
{
	for (int i = 0; i < n; i++) {
		pt_str raw = { pq.getvalue(result, row, i), (size_t)pq.getlength(result, row, i) };

		if (pq.getisnull(result, row, i))
			out[i] = sql_null();
		else if (!copy_value(arena, pq.ftype(result, i), raw, &out[i]))
			return false;
	}
	return true;
}

static pt_err copy_rows(pt_arena *arena, PGresult *result, struct sql_rows *rows)
{
	int n_rows = pq.ntuples(result), n_columns = pq.nfields(result);
	struct sql_value *values;
	int64_t changed = 0;

	/* Empty for what changes nothing. */
	if (!str_int(str(pq.cmdTuples(result)), 0, INT64_MAX, &changed))
		changed = 0;
	values = ARENA_ARRAY(arena, struct sql_value, (size_t)n_rows * (size_t)n_columns);
	if (!values)
		return fault(PT_F_MEMORY, "postgres: no memory for %d rows", n_rows);
	for (int row = 0; row < n_rows; row++) {
		if (!copy_row(arena, result, row, n_columns,
			    values + (size_t)row * (size_t)n_columns))
			return fault(PT_F_MEMORY, "postgres: no memory for row %d", row);
	}
	*rows = (struct sql_rows){ .values = values,
		.n_rows = (size_t)n_rows,
		.n_columns = (size_t)n_columns,
		.changed = changed };
	return PT_OK;
}

/* ---- asking ---- */

struct args {
	const char *values[MAX_ARGS];
	int lengths[MAX_ARGS];
	int formats[MAX_ARGS]; /* 1: binary */
};

static bool spell_int(pt_arena *arena, int64_t number, const char **out)
{
	char digits[24];
	struct buf b = BUF_FIXED(digits);

	buf_int(&b, number);
	*out = arena_cstr(arena, buf_view(&b));
	return *out != NULL;
}

static pt_err spell_arg(pt_arena *arena, const struct sql_value *value, struct args *args, size_t i)
{
	bool fits = true;

	args->values[i] = NULL;
	args->lengths[i] = 0;
	args->formats[i] = value->type == SQL_BYTES;
	switch (value->type) {
	case SQL_NULL:
		return PT_OK;
	case SQL_INT:
		fits = spell_int(arena, value->number, &args->values[i]);
		break;
	case SQL_TEXT:
		/* A PostgreSQL text cannot hold NUL, and must not be cut at one. */
		if (str_find(value->bytes, '\0') < value->bytes.n)
			return fault(PT_F_STORE, "postgres: a text with a NUL byte was refused");
		args->values[i] = arena_cstr(arena, value->bytes);
		fits = args->values[i] != NULL;
		break;
	case SQL_BYTES:
		if (value->bytes.n > INT32_MAX)
			return fault(PT_F_STORE, "postgres: a value is too long");
		args->values[i] = value->bytes.n ? value->bytes.p : "";
		args->lengths[i] = (int)value->bytes.n;
		break;
	}
	return fits ? PT_OK : fault(PT_F_MEMORY, "postgres: no memory for a parameter");
}

static pt_err spell_args(
	pt_arena *arena, const struct sql_value *values, size_t n, struct args *args)
{
	if (n > MAX_ARGS)
		return fault(PT_F_BUG, "postgres: %zu parameters are too many", n);
	for (size_t i = 0; i < n; i++)
		TRY(spell_arg(arena, &values[i], args, i));
	return PT_OK;
}

/* ?1 becomes $1, but not inside of a quoted text. */
static pt_err translate(pt_arena *arena, const char *text, const char **out)
{
	struct buf b = BUF(arena, 32 * KIB);
	bool quoted = false;
	pt_str whole;

	for (const char *p = text; *p; p++) {
		quoted ^= *p == '\'';
		buf_char(&b, !quoted && *p == '?' && ascii_digit(p[1]) ? '$' : *p);
	}
	TRY(buf_done(&b, &whole));
	*out = whole.p;
	return PT_OK;
}

static void name_of(const struct pg_text *text, char *out, size_t size)
{
	(void)snprintf(out, size, "p%u", text->name);
}

/* One exchange: which of its commands are on the way. */
struct asked {
	bool begin;
	bool prepare;
};

static bool send_commands(struct pg_conn *conn, const char *name, const char *prepare,
	const struct args *args, size_t n_args, struct asked *asked)
{
	*asked = (struct asked){ .begin = conn->base.begin != NULL, .prepare = prepare != NULL };
	conn->asked_at = clock_monotonic();
	if (conn->base.begin &&
		!pq.sendQueryParams(conn->pq, conn->base.begin, 0, NULL, NULL, NULL, NULL, 0))
		return false;
	if (prepare && !pq.sendPrepare(conn->pq, name, prepare, 0, NULL))
		return false;
	return pq.sendQueryPrepared(conn->pq, name, (int)n_args, args->values, args->lengths,
		       args->formats, 0) &&
	       pq.pipelineSync(conn->pq) && flush(conn);
}

/*
 * Reads the answers up to the sync. *out is that of the first command that failed, or else of the
 * last one. The answers before the n-th NULL belong to the n-th command.
 */
static bool read_answers(struct pg_conn *conn, unsigned *done, PGresult **out)
{
	bool failed = false;

	*done = 0;
	for (;;) {
		PGresult *result = next_result(conn);
		ExecStatusType status;

		if (conn->base.trouble != REMOTE_FINE) {
			own_result(&result);
			return false;
		}
		if (!result)
			continue;
		status = pq.resultStatus(result);
		if (status == PGRES_PIPELINE_SYNC) {
			pq.clear(result);
			return true;
		}
		if (failed) {
			pq.clear(result);
			continue;
		}
		failed = status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK;
		*done += !failed;
		own_result(out);
		*out = result;
	}
}

/* Sends, reads, and remembers what the session has now: a transaction, a prepared statement. */
static pt_err exchange(struct pg_conn *conn, const struct pg_text *text, const char *prepare,
	const struct args *args, size_t n_args, PGresult **out)
{
	struct asked asked;
	unsigned done = 0;
	char name[16];

	name_of(text, name, sizeof(name));
	if (!send_commands(conn, name, prepare, args, n_args, &asked)) {
		if (conn->base.trouble == REMOTE_FINE)
			conn->base.trouble = REMOTE_BROKEN;
		return PT_F_STORE;
	}
	if (!read_answers(conn, &done, out))
		return PT_F_STORE;
	if (asked.begin && done > 0)
		conn->base.begin = NULL;
	if (asked.prepare && done > asked.begin)
		conn->prepared[text->name] = true;
	if (done == (unsigned)asked.begin + asked.prepare + 1)
		return PT_OK;
	return error_of(conn, *out, text->label);
}

pt_err pg_run(struct pg_conn *conn, pt_arena *arena, const struct pg_text *text,
	const struct sql_value *args, size_t n_args, struct sql_rows *rows)
{
	PT_OWN(own_result) PGresult *result = NULL;
	const char *prepare = NULL;
	struct args spelled;

	TRY(remote_may_ask(&conn->base));
	if (!conn->prepared[text->name])
		TRY(translate(arena, text->text, &prepare));
	TRY(spell_args(arena, args, n_args, &spelled));
	TRY(exchange(conn, text, prepare, &spelled, n_args, &result));
	return rows ? copy_rows(arena, result, rows) : PT_OK;
}

/* ---- texts without parameters ---- */

/* A text of one or more statements in the simple protocol. */
static pt_err simple(struct pg_conn *conn, const char *text, const char *label)
{
	pt_err err = PT_OK;

	conn->asked_at = clock_monotonic();
	if (!pq.sendQuery(conn->pq, text) || !flush(conn)) {
		if (conn->base.trouble == REMOTE_FINE)
			conn->base.trouble = REMOTE_BROKEN;
		return PT_F_STORE;
	}
	for (;;) {
		PT_OWN(own_result) PGresult *result = next_result(conn);
		ExecStatusType status;

		if (conn->base.trouble != REMOTE_FINE)
			return PT_F_STORE;
		if (!result)
			return err;
		status = pq.resultStatus(result);
		if (err == PT_OK && status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
			status != PGRES_EMPTY_QUERY)
			err = error_of(conn, result, label);
	}
}

static pt_err simple_outside_pipeline(struct pg_conn *conn, const char *text, const char *label)
{
	pt_err err;

	if (!pq.exitPipelineMode(conn->pq))
		return fault(PT_F_BUG, "postgres: the pipeline is not empty");
	err = simple(conn, text, label);
	if (conn->base.trouble != REMOTE_BROKEN && conn->base.trouble != REMOTE_SILENT &&
		!pq.enterPipelineMode(conn->pq))
		conn->base.trouble = REMOTE_BROKEN;
	return err;
}

pt_err pg_script(struct pg_conn *conn, pt_arena *arena, const char *text)
{
	struct buf b = BUF(arena, MIB);
	pt_str whole;

	if (conn->base.trouble != REMOTE_FINE)
		return PT_F_STORE;
	if (conn->base.begin) {
		buf_str(&b, str(conn->base.begin));
		buf_str(&b, PT_STR(";"));
	}
	buf_str(&b, PT_STR("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;"));
	buf_str(&b, str(text));
	TRY(buf_done(&b, &whole));
	conn->base.deadline = clock_monotonic() + SCRIPT_SECONDS * PT_SECOND;
	/* Even if the script fails, the BEGIN before it did not. */
	conn->base.begin = NULL;
	return simple_outside_pipeline(conn, whole.p, "script");
}

static bool send_end(struct pg_conn *conn, const char *text)
{
	conn->asked_at = clock_monotonic();
	return pq.sendQueryParams(conn->pq, text, 0, NULL, NULL, NULL, NULL, 0) &&
	       pq.pipelineSync(conn->pq);
}

pt_err pg_end(struct pg_conn *conn, const char *text)
{
	PT_OWN(own_result) PGresult *result = NULL;
	unsigned done = 0;

	if (!send_end(conn, text) || !flush(conn) || !read_answers(conn, &done, &result)) {
		if (conn->base.trouble == REMOTE_FINE)
			conn->base.trouble = REMOTE_BROKEN;
		return PT_F_STORE;
	}
	if (done != 1)
		return error_of(conn, result, text);
	/* COMMIT of a transaction in which a statement failed is answered with ROLLBACK. */
	if (!str_eq(str(pq.cmdStatus(result)), str(text)))
		return fault(PT_F_STORE, "postgres: %s did not happen", text);
	return PT_OK;
}

void pg_end_unread(struct pg_conn *conn)
{
	conn->unread = true;
	if (!send_end(conn, "COMMIT") || pq.flush(conn->pq) < 0)
		conn->base.trouble = REMOTE_BROKEN;
}

/* ---- coming and going ---- */

static void quiet(void *ctx, const char *message)
{
	(void)ctx;
	(void)message;
}

/* The first line of what libpq has to say. */
static void explain(struct pg_conn *conn, char *why, size_t size)
{
	pt_str message = str(pq.errorMessage(conn->pq));

	message = str_slice(message, 0, str_find(message, '\n'));
	(void)snprintf(why, size, "%.*s", (int)message.n, message.p ? message.p : "");
}

static bool connect_by_deadline(struct pg_conn *conn, char *why, size_t size)
{
	PostgresPollingStatusType state = PGRES_POLLING_WRITING;

	while (state == PGRES_POLLING_WRITING || state == PGRES_POLLING_READING) {
		if (!wait_socket(conn, state == PGRES_POLLING_WRITING ? POLLOUT : POLLIN)) {
			(void)snprintf(why, size, "no answer in time");
			return false;
		}
		state = pq.connectPoll(conn->pq);
	}
	if (state != PGRES_POLLING_OK)
		explain(conn, why, size);
	return state == PGRES_POLLING_OK;
}

static bool start_session(struct pg_conn *conn, const char *session, char *why, size_t size)
{
	if (pq.setnonblocking(conn->pq, 1) == 0 && simple(conn, session, "session") == PT_OK &&
		pq.enterPipelineMode(conn->pq))
		return true;
	(void)snprintf(why, size, "the session cannot be set up");
	return false;
}

/* In a jail libpq's own resolver finds neither /etc/hosts nor a name server: ours looks the host up,
 * anew for each connection, and the name stays what the certificate is held against. */
static PGconn *connect_start(const struct pg_target *target)
{
	const char *keywords[PG_PARAMETERS + 2] = { 0 }, *values[PG_PARAMETERS + 2] = { 0 };
	struct addresses found;

	if (!target->host || target->n > PG_PARAMETERS || !resolve_is_jailed() ||
		resolve(str(target->host), &found) != PT_OK || found.n == 0)
		return pq.connectStartParams(target->keywords, target->values, 1);
	for (size_t i = 0; i < target->n; i++) {
		keywords[i] = target->keywords[i];
		values[i] = target->values[i];
	}
	keywords[target->n] = "hostaddr";
	values[target->n] = found.text[0];
	return pq.connectStartParams(keywords, values, 1);
}

pt_err pg_connect(struct pg_conn *conn, const struct pg_target *target, pt_time deadline, char *why,
	size_t size)
{
	*conn = (struct pg_conn){ .base.deadline = deadline, .patience = target->patience };
	conn->pq = connect_start(target);
	if (!conn->pq) {
		(void)snprintf(why, size, "no memory");
		return PT_F_STORE;
	}
	pq.setNoticeProcessor(conn->pq, quiet, NULL);
	if (pq.status(conn->pq) == CONNECTION_BAD) {
		explain(conn, why, size);
	} else if (connect_by_deadline(conn, why, size) &&
		   start_session(conn, target->session, why, size)) {
		return PT_OK;
	}
	pg_disconnect(conn);
	return PT_F_STORE;
}

void pg_disconnect(struct pg_conn *conn)
{
	if (conn->pq)
		pq.finish(conn->pq);
	*conn = (struct pg_conn){ 0 };
}

/* What can be read although nothing was asked is a notice, or a last word and the end. */
static bool is_silent_or_alive(struct pg_conn *conn)
{
	struct pollfd fd = { .fd = pq.socket(conn->pq), .events = POLLIN };

	while (poll(&fd, 1, 0) != 0) {
		if (!pq.consumeInput(conn->pq))
			return false;
	}
	return pq.status(conn->pq) == CONNECTION_OK;
}

bool pg_is_usable(struct pg_conn *conn, pt_time deadline)
{
	PT_OWN(own_result) PGresult *result = NULL;
	unsigned done = 0;

	conn->base.deadline = deadline;
	if (conn->unread && (!flush(conn) || !read_answers(conn, &done, &result) || done != 1))
		return false;
	conn->unread = false;
	return is_silent_or_alive(conn);
}

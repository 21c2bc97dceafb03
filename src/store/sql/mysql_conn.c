/*
 * mysql_conn.c - one connection to MariaDB.
 *
 * libmariadb's functions that talk to the server are used in the form that does not block
 * (mysql_X_start, mysql_X_cont): we wait for the socket ourselves, until the act's deadline. One that is
 * out of time finds its socket shut, and comes to its end by itself.
 *
 * Values travel in binary. The session counts the rows that an UPDATE meets, changed or not, as the
 * other databases do (CLIENT_FOUND_ROWS).
 */
#include "store/sql/mysql_conn.h"

#include <errmsg.h>
#include <errno.h>
#include <mysqld_error.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/module.h"
#include "base/own.h"
#include "base/resolve.h"
#include "base/str.h"

#include "base/banned.h"

enum {
	/* A script is a migration: it may build an index over a large table. */
	SCRIPT_SECONDS = 600,
	/* RETURNING everywhere, SKIP LOCKED. */
	OLDEST_SERVER = 100600,
	COLUMNS_MOST = 64,
};

static struct my my;

/* ---- the library ---- */

static void begin_library(void)
{
	(void)my.mysql_server_init(0, NULL, NULL);
}

pt_err my_open(void)
{
	static const struct module_symbol symbols[] = {
#define MYSQL_SYMBOL(name) { "mysql_" #name, (void **)&my.mysql_##name },
		MYSQL_FUNCTIONS(MYSQL_SYMBOL)
#undef MYSQL_SYMBOL
	};
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	TRY(module_open(
		"libmariadb.so.3", "libmariadb3", symbols, sizeof(symbols) / sizeof(symbols[0])));
	pthread_once(&once, begin_library);
	return PT_OK;
}

/* ---- waiting ---- */

/* Out of time. A server that had long enough to say "timed out" itself, and did not, hangs. */
static enum remote_trouble too_late(const struct my_conn *conn)
{
	return clock_monotonic() - conn->asked_at >= conn->target->patience ? REMOTE_SILENT
									    : REMOTE_BROKEN;
}

/* 0: out of time. */
static int poll_until(int socket, short events, pt_time deadline)
{
	struct pollfd fd = { .fd = socket, .events = events };

	for (;;) {
		pt_time left = deadline - clock_monotonic();
		int n;

		if (left <= 0 || socket < 0)
			return 0;
		n = poll(&fd, 1, (int)((left + PT_MILLISECOND - 1) / PT_MILLISECOND));
		if (n > 0)
			return fd.revents;
		if (n < 0 && errno != EINTR)
			return 0;
	}
}

/* What libmariadb waits for has happened, or it is told that the time is over. */
static int await(struct my_conn *conn, int wanted)
{
	int socket = (int)my.mysql_get_socket(conn->mysql);
	short events = 0;
	int got, happened = 0;

	if (conn->base.trouble == REMOTE_BROKEN || conn->base.trouble == REMOTE_SILENT)
		return wanted & (MYSQL_WAIT_READ | MYSQL_WAIT_WRITE);
	if (wanted & MYSQL_WAIT_READ)
		events |= POLLIN;
	if (wanted & MYSQL_WAIT_WRITE)
		events |= POLLOUT;
	if (wanted & MYSQL_WAIT_EXCEPT)
		events |= POLLPRI;
	got = poll_until(socket, events, conn->base.deadline);
	if (got == 0) {
		conn->base.trouble = too_late(conn);
		(void)shutdown(socket, SHUT_RDWR);
		return MYSQL_WAIT_TIMEOUT;
	}
	/* A socket that was closed is ready for everything. */
	if (got & (POLLIN | POLLERR | POLLHUP))
		happened |= wanted & MYSQL_WAIT_READ;
	if (got & (POLLOUT | POLLERR | POLLHUP))
		happened |= wanted & MYSQL_WAIT_WRITE;
	if (got & POLLPRI)
		happened |= MYSQL_WAIT_EXCEPT;
	return happened;
}

/* FINISH(conn, real_query, &failed, conn->mysql, text, n): a call with all of its waits. */
#define FINISH(conn_, call_, result_, object_, ...)                                        \
	do {                                                                               \
		int wanted_ = my.mysql_##call_##_start((result_), (object_), __VA_ARGS__); \
		while (wanted_)                                                            \
			wanted_ = my.mysql_##call_##_cont(                                 \
				(result_), (object_), await((conn_), wanted_));            \
	} while (0)

#define FINISH_PLAIN(conn_, call_, result_, object_)                            \
	do {                                                                    \
		int wanted_ = my.mysql_##call_##_start((result_), (object_));   \
		while (wanted_)                                                 \
			wanted_ = my.mysql_##call_##_cont(                      \
				(result_), (object_), await((conn_), wanted_)); \
	} while (0)

/* ---- what an error means ---- */

static const struct {
	unsigned number;
	enum remote_trouble trouble;
} meanings[] = {
	{ ER_LOCK_DEADLOCK, REMOTE_AGAIN },
	{ ER_LOCK_WAIT_TIMEOUT, REMOTE_AGAIN },
	{ ER_CHECKREAD, REMOTE_AGAIN }, /* innodb_snapshot_isolation: changed since the snapshot */
	{ ER_SERVER_SHUTDOWN, REMOTE_BROKEN },
	{ ER_CONNECTION_KILLED, REMOTE_BROKEN },
	{ ER_UNKNOWN_COM_ERROR, REMOTE_BROKEN }, /* a Galera node that is on its own */
	/* read only: after a failover this one became a replica */
	{ ER_OPTION_PREVENTS_STATEMENT, REMOTE_BROKEN },
	{ ER_UNKNOWN_STMT_HANDLER, REMOTE_BROKEN }, /* a proxy took our statements away */
	{ ER_NEED_REPREPARE, REMOTE_BROKEN },
};

/* Numbers that libmariadb gave, and not the server: it could not talk to it. */
static bool is_ours(unsigned number)
{
	return (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) || number >= CER_MIN_ERROR;
}

static enum remote_trouble trouble_of(unsigned number)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].number == number)
			return meanings[i].trouble;
	}
	return is_ours(number) ? REMOTE_BROKEN : REMOTE_FINE;
}

static bool is_taken(unsigned number)
{
	return number == ER_DUP_ENTRY || number == ER_DUP_ENTRY_WITH_KEY_NAME ||
	       number == ER_ROW_IS_REFERENCED_2 || number == ER_NO_REFERENCED_ROW_2;
}

/* An error, wherever it came from. */
struct bad_news {
	unsigned number;
	const char *state;
	const char *message;
};

/* Errors of class 22 quote the value that they are about; it may be somebody's. */
static pt_err error_of(struct my_conn *conn, const struct bad_news *news, const char *label)
{
	bool quotes = str_starts(str(news->state), PT_STR("22")) ||
		      news->number == ER_TRUNCATED_WRONG_VALUE_FOR_FIELD;

	/* Out of time already: this is what came of it. */
	if (conn->base.trouble != REMOTE_FINE)
		return PT_F_STORE;
	if (is_taken(news->number))
		return PT_E_TAKEN;
	conn->base.trouble = trouble_of(news->number);
	if (conn->base.trouble != REMOTE_FINE)
		return PT_F_STORE;
	return fault(PT_F_STORE, "mariadb: %s: %s (%u)", label,
		quotes ? "a value was refused" : news->message, news->number);
}

static pt_err stmt_error(struct my_conn *conn, MYSQL_STMT *stmt, const char *label)
{
	const struct bad_news news = { my.mysql_stmt_errno(stmt), my.mysql_stmt_sqlstate(stmt),
		my.mysql_stmt_error(stmt) };

	return error_of(conn, &news, label);
}

static pt_err conn_error(struct my_conn *conn, const char *label)
{
	const struct bad_news news = { my.mysql_errno(conn->mysql), my.mysql_sqlstate(conn->mysql),
		my.mysql_error(conn->mysql) };

	return error_of(conn, &news, label);
}

/* ---- texts without parameters ---- */

static void own_result(MYSQL_RES **result)
{
	if (*result)
		my.mysql_free_result(*result);
}

/* The answer to one statement of a text: rows that nobody wants, or an error. */
static pt_err pass_over(struct my_conn *conn, const char *label)
{
	PT_OWN(own_result) MYSQL_RES *result = NULL;

	if (my.mysql_field_count(conn->mysql) == 0)
		return PT_OK;
	FINISH_PLAIN(conn, store_result, &result, conn->mysql);
	return result ? PT_OK : conn_error(conn, label);
}

/* A text of one statement or, where the connection allows it, of several. */
static pt_err query(struct my_conn *conn, pt_str text, const char *label)
{
	int failed = 0, more = 0;

	conn->asked_at = clock_monotonic();
	FINISH(conn, real_query, &failed, conn->mysql, text.p, text.n);
	if (failed)
		return conn_error(conn, label);
	for (;;) {
		TRY(pass_over(conn, label));
		FINISH_PLAIN(conn, next_result, &more, conn->mysql);
		if (more < 0)
			return PT_OK;
		if (more > 0)
			return conn_error(conn, label);
	}
}

/* The texts of base.begin, which ';' parts. */
static pt_err begin_if_due(struct my_conn *conn)
{
	pt_str rest = str(conn->base.begin);

	while (rest.n > 0) {
		pt_str one;

		str_cut(rest, ';', &one, &rest);
		TRY(query(conn, one, "begin"));
	}
	conn->base.begin = NULL;
	return PT_OK;
}

static pt_err allow_many(struct my_conn *conn, bool many)
{
	int failed = 0;

	FINISH(conn, set_server_option, &failed, conn->mysql,
		many ? MYSQL_OPTION_MULTI_STATEMENTS_ON : MYSQL_OPTION_MULTI_STATEMENTS_OFF);
	return failed ? conn_error(conn, "script") : PT_OK;
}

/* After a change of the schema there is no transaction any more. */
static pt_err begin_again(struct my_conn *conn)
{
	if (conn->mysql->server_status & SERVER_STATUS_IN_TRANS)
		return PT_OK;
	return query(conn, PT_STR("START TRANSACTION READ WRITE"), "script");
}

static pt_err run_script(struct my_conn *conn, const char *text)
{
	static const char patient[] = "SET SESSION max_statement_time = 0, lock_wait_timeout = 600,"
				      " innodb_lock_wait_timeout = 600, tx_read_only = 0";

	TRY(query(conn, str(patient), "script"));
	TRY(allow_many(conn, true));
	TRY(query(conn, str(text), "script"));
	TRY(allow_many(conn, false));
	TRY(query(conn, str(conn->target->session), "script"));
	return begin_again(conn);
}

pt_err my_script(struct my_conn *conn, const char *text)
{
	pt_err err;

	TRY(remote_may_ask(&conn->base));
	TRY(begin_if_due(conn));
	conn->base.deadline = clock_monotonic() + SCRIPT_SECONDS * PT_SECOND;
	err = run_script(conn, text);
	/* It may be allowed more than it should be. */
	conn->spoiled |= err != PT_OK;
	return err;
}

/* ---- asking ---- */

/* Values as libmariadb wants them, by their number. */
struct args {
	MYSQL_BIND binds[MY_MARKS]; /* by mark */
	long long numbers[MY_MARKS];
};

static void spell_arg(const struct sql_value *value, MYSQL_BIND *bind, long long *number)
{
	*bind = (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_NULL };
	switch (value->type) {
	case SQL_NULL:
		return;
	case SQL_INT:
		*number = value->number;
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = number;
		return;
	case SQL_TEXT:
	case SQL_BYTES:
		bind->buffer_type = value->type == SQL_TEXT ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
		/* libmariadb only reads it. */
		bind->buffer = (void *)(uintptr_t)(value->bytes.n ? value->bytes.p : "");
		bind->buffer_length = value->bytes.n;
		return;
	}
}

static pt_err bind_args(struct my_conn *conn, const struct my_prepared *prepared,
	const struct my_text *text, const struct sql_value *values, size_t n, struct args *args)
{
	for (size_t i = 0; i < prepared->n_marks; i++) {
		if (prepared->marks[i] > n)
			return fault(PT_F_BUG, "mariadb: %s has no value for ?%d", text->label,
				prepared->marks[i]);
		spell_arg(&values[prepared->marks[i] - 1], &args->binds[i], &args->numbers[i]);
	}
	if (prepared->n_marks > 0 && my.mysql_stmt_bind_param(prepared->stmt, args->binds))
		return stmt_error(conn, prepared->stmt, text->label);
	return PT_OK;
}

/* A NUL in a text is no news to MariaDB, but it is to whoever reads the text next. */
static pt_err refuse_nul(const struct sql_value *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		pt_str bytes = values[i].bytes;

		if (values[i].type == SQL_TEXT && str_find(bytes, '\0') < bytes.n)
			return fault(PT_F_STORE, "mariadb: a text with a NUL byte was refused");
	}
	return PT_OK;
}

/* ?12 becomes ? and the mark remembers 12, but not inside of a quoted text. */
static pt_err translate(
	pt_arena *arena, const struct my_text *text, struct my_prepared *prepared, pt_str *out)
{
	struct buf b = BUF(arena, 32 * KIB);
	bool quoted = false;

	prepared->n_marks = 0;
	for (const char *p = text->text; *p; p++) {
		unsigned number = 0;

		quoted ^= *p == '\'';
		buf_char(&b, *p);
		if (quoted || *p != '?' || !ascii_digit(p[1]))
			continue;
		for (; ascii_digit(p[1]) && number < MY_MARKS; p++)
			number = number * 10 + (unsigned)(p[1] - '0');
		if (number == 0 || number > MY_MARKS || prepared->n_marks >= MY_MARKS)
			return fault(PT_F_BUG, "mariadb: %s has too many parameters", text->label);
		prepared->marks[prepared->n_marks++] = (uint8_t)number;
	}
	return buf_done(&b, out);
}

static pt_err prepare(struct my_conn *conn, pt_arena *arena, const struct my_text *text)
{
	struct my_prepared *prepared = &conn->prepared[text->name];
	int failed = 0;
	pt_str spelled;
	pt_err err;

	TRY(translate(arena, text, prepared, &spelled));
	prepared->stmt = my.mysql_stmt_init(conn->mysql);
	if (!prepared->stmt)
		return fault(PT_F_MEMORY, "mariadb: no memory for %s", text->label);
	FINISH(conn, stmt_prepare, &failed, prepared->stmt, spelled.p, spelled.n);
	if (!failed)
		return PT_OK;
	err = stmt_error(conn, prepared->stmt, text->label);
	(void)my.mysql_stmt_close(prepared->stmt);
	prepared->stmt = NULL;
	return err;
}

/* ---- rows ---- */

static bool is_number(const MYSQL_FIELD *field)
{
	switch (field->type) {
	case MYSQL_TYPE_TINY:
	case MYSQL_TYPE_SHORT:
	case MYSQL_TYPE_INT24:
	case MYSQL_TYPE_LONG:
	case MYSQL_TYPE_LONGLONG:
	case MYSQL_TYPE_YEAR:
	case MYSQL_TYPE_NEWDECIMAL:
		return true;
	default:
		return false;
	}
}

/* One row as libmariadb fills it: numbers at once, of everything else the length. */
struct cells {
	MYSQL_BIND binds[COLUMNS_MOST];
	long long numbers[COLUMNS_MOST];
	unsigned long lengths[COLUMNS_MOST];
	my_bool nulls[COLUMNS_MOST];
};

static void bind_cell(struct cells *cells, size_t i, const MYSQL_FIELD *field)
{
	cells->binds[i] = (MYSQL_BIND){ .length = &cells->lengths[i], .is_null = &cells->nulls[i] };
	if (is_number(field)) {
		cells->binds[i].buffer_type = MYSQL_TYPE_LONGLONG;
		cells->binds[i].buffer = &cells->numbers[i];
	} else {
		cells->binds[i].buffer_type = MYSQL_TYPE_BLOB;
	}
}

/* Columns of bytes have the character set 63, "binary". */
static bool copy_bytes(MYSQL_STMT *stmt, pt_arena *arena, unsigned column, unsigned long length,
	const MYSQL_FIELD *field, struct sql_value *out)
{
	char *bytes = arena_alloc(arena, length + 1);
	unsigned long got = 0;
	MYSQL_BIND bind = { .buffer_type = MYSQL_TYPE_BLOB,
		.buffer = bytes,
		.buffer_length = length,
		.length = &got };

	if (!bytes || (length > 0 && my.mysql_stmt_fetch_column(stmt, &bind, column, 0)))
		return false;
	bytes[length] = '\0';
	*out = field->charsetnr == 63 ? sql_bytes(bytes, length) : sql_text(str_n(bytes, length));
	return true;
}

static bool copy_row(MYSQL_STMT *stmt, pt_arena *arena, const struct cells *cells,
	const MYSQL_FIELD *fields, unsigned n, struct sql_value *out)
{
	for (unsigned i = 0; i < n; i++) {
		if (cells->nulls[i])
			out[i] = sql_null();
		else if (is_number(&fields[i]))
			out[i] = sql_int(cells->numbers[i]);
		else if (!copy_bytes(stmt, arena, i, cells->lengths[i], &fields[i], &out[i]))
			return false;
	}
	return true;
}

static pt_err fetch_rows(
	MYSQL_STMT *stmt, pt_arena *arena, const MYSQL_FIELD *fields, struct sql_rows *rows)
{
	size_t n = (size_t)my.mysql_stmt_num_rows(stmt),
	       n_columns = my.mysql_stmt_field_count(stmt);
	struct sql_value *values = ARENA_ARRAY(arena, struct sql_value, n * n_columns);
	struct cells cells;

	for (size_t i = 0; i < n_columns; i++)
		bind_cell(&cells, i, &fields[i]);
	if (!values || my.mysql_stmt_bind_result(stmt, cells.binds))
		return fault(PT_F_MEMORY, "mariadb: no memory for %zu rows", n);
	for (size_t row = 0; row < n; row++) {
		int got = my.mysql_stmt_fetch(stmt);

		if ((got != 0 && got != MYSQL_DATA_TRUNCATED) ||
			!copy_row(stmt, arena, &cells, fields, (unsigned)n_columns,
				values + row * n_columns))
			return fault(PT_F_MEMORY, "mariadb: no memory for row %zu", row);
	}
	*rows = (struct sql_rows){
		.values = values, .n_rows = n, .n_columns = n_columns, .changed = (int64_t)n
	};
	return PT_OK;
}

static pt_err copy_rows(struct my_conn *conn, pt_arena *arena, MYSQL_STMT *stmt, const char *label,
	struct sql_rows *rows)
{
	PT_OWN(own_result) MYSQL_RES *metadata = NULL;
	int failed = 0;

	/* Asked of the connection: DELETE .. RETURNING that can meet nothing is answered as if it had no
	 * RETURNING, which the statement does not notice. */
	if (my.mysql_field_count(conn->mysql) == 0) {
		*rows = (struct sql_rows){ .changed = (int64_t)my.mysql_stmt_affected_rows(stmt) };
		return PT_OK;
	}
	if (my.mysql_stmt_field_count(stmt) > COLUMNS_MOST)
		return fault(PT_F_BUG, "mariadb: %s has too many columns", label);
	FINISH_PLAIN(conn, stmt_store_result, &failed, stmt);
	if (failed)
		return stmt_error(conn, stmt, label);
	metadata = my.mysql_stmt_result_metadata(stmt);
	if (!metadata)
		return fault(PT_F_MEMORY, "mariadb: no memory for rows");
	return fetch_rows(stmt, arena, my.mysql_fetch_fields(metadata), rows);
}

pt_err my_run(struct my_conn *conn, pt_arena *arena, const struct my_text *text,
	const struct sql_value *values, size_t n, struct sql_rows *rows)
{
	struct my_prepared *prepared = &conn->prepared[text->name];
	struct sql_rows unwanted;
	struct args args;
	int failed = 0;
	pt_err err;

	TRY(remote_may_ask(&conn->base));
	TRY(refuse_nul(values, n));
	TRY(begin_if_due(conn));
	conn->asked_at = clock_monotonic();
	if (!prepared->stmt)
		TRY(prepare(conn, arena, text));
	TRY(bind_args(conn, prepared, text, values, n, &args));
	FINISH_PLAIN(conn, stmt_execute, &failed, prepared->stmt);
	if (failed)
		return stmt_error(conn, prepared->stmt, text->label);
	err = copy_rows(conn, arena, prepared->stmt, text->label, rows ? rows : &unwanted);
	(void)my.mysql_stmt_free_result(prepared->stmt);
	return err;
}

/* ---- names ---- */

/* The server's names are its own, of all databases, short, and know no case. */
pt_err my_lock_name(struct my_conn *conn, pt_arena *arena, pt_str name)
{
	static const struct my_text lock = { .name = MY_LOCK_NAME,
		.label = "lock_name",
		.text = "SELECT GET_LOCK(CONCAT('portress ', SHA1(CONCAT(DATABASE(), ' ', ?1))), "
			"@@innodb_lock_wait_timeout)" };
	const struct sql_value args[] = { sql_text(name) };
	struct sql_rows rows;

	conn->locks = true;
	TRY(my_run(conn, arena, &lock, args, 1, &rows));
	if (sql_at(&rows, 0, 0)->type == SQL_INT && sql_at(&rows, 0, 0)->number == 1)
		return PT_OK;
	conn->base.trouble = REMOTE_AGAIN;
	return PT_F_STORE;
}

/* The act is done whatever comes of this: who cannot give names back hangs up, which does it too. */
static void unlock_names(struct my_conn *conn)
{
	enum remote_trouble trouble = conn->base.trouble;

	conn->locks = false;
	if (trouble == REMOTE_BROKEN || trouble == REMOTE_SILENT)
		return;
	conn->base.trouble = REMOTE_FINE;
	if (query(conn, PT_STR("DO RELEASE_ALL_LOCKS()"), "unlock") != PT_OK) {
		conn->spoiled = true;
		(void)shutdown((int)my.mysql_get_socket(conn->mysql), SHUT_RDWR);
	}
	conn->base.trouble = trouble;
}

pt_err my_end(struct my_conn *conn, bool commit)
{
	pt_err err = query(conn, commit ? PT_STR("COMMIT") : PT_STR("ROLLBACK"),
		commit ? "commit" : "rollback");

	if (conn->locks)
		unlock_names(conn);
	return err;
}

/* ---- coming and going ---- */

static void set_tls(MYSQL *mysql, const struct my_target *target)
{
	my_bool yes = 1;

	if (target->tls == MY_TLS_OFF)
		return;
	my.mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
	my.mysql_options(mysql, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3");
	if (target->tls == MY_TLS_REQUIRE)
		return;
	my.mysql_options(mysql, MYSQL_OPT_SSL_CA, target->roots);
	my.mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
}

static void set_options(MYSQL *mysql, const struct my_target *target)
{
	const unsigned no = 0, seconds = 5;
	unsigned protocol = target->socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;

	my.mysql_options(mysql, MYSQL_OPT_NONBLOCK, NULL);
	my.mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	/* No server may ask us for a file, or for the password in clear. */
	my.mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no);
	my.mysql_options(mysql, MARIADB_OPT_RESTRICTED_AUTH,
		"mysql_native_password,client_ed25519,caching_sha2_password");
	my.mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol);
	/* For what little is said without waiting, such as goodbye. */
	my.mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &seconds);
	my.mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
	set_tls(mysql, target);
}

static pt_err explain(struct my_conn *conn, char *why, size_t size)
{
	bool late = conn->base.trouble == REMOTE_BROKEN || conn->base.trouble == REMOTE_SILENT;

	(void)snprintf(why, size, "%s", late ? "no answer in time" : my.mysql_error(conn->mysql));
	return PT_F_STORE;
}

static pt_err start_session(struct my_conn *conn, char *why, size_t size)
{
	const char *version = my.mysql_get_server_info(conn->mysql);

	if (!conn->target->foreign &&
		(!str_contains(str(version), PT_STR("MariaDB")) ||
			my.mysql_get_server_version(conn->mysql) < OLDEST_SERVER)) {
		(void)snprintf(why, size, "the server is not MariaDB 10.6 or newer: %s", version);
		return PT_F_STORE;
	}
	if (query(conn, str(conn->target->session), "session") == PT_OK)
		return PT_OK;
	(void)snprintf(why, size, "the session cannot be set up");
	return PT_F_STORE;
}

/*
 * NULL: the socket, which is only taken where no host is named. In a jail libmariadb's own resolver finds
 * neither /etc/hosts nor a name server: ours looks the host up. Not where a certificate must bear the
 * name: libmariadb holds it against what it was told to reach.
 */
static const char *whom_to_reach(const struct my_target *target, struct addresses *found)
{
	if (target->socket)
		return NULL;
	if (target->tls == MY_TLS_VERIFY || !resolve_is_jailed() ||
		resolve(str(target->host), found) != PT_OK || found->n == 0)
		return target->host;
	return found->text[0];
}

static pt_err connect_now(struct my_conn *conn, char *why, size_t size)
{
	const struct my_target *target = conn->target;
	struct addresses found = { 0 };
	MYSQL *connected = NULL;

	conn->asked_at = clock_monotonic();
	FINISH(conn, real_connect, &connected, conn->mysql, whom_to_reach(target, &found),
		target->user, target->password, target->database, target->port, target->socket,
		CLIENT_FOUND_ROWS);
	return connected ? start_session(conn, why, size) : explain(conn, why, size);
}

pt_err my_connect(struct my_conn *conn, const struct my_target *target, pt_time deadline, char *why,
	size_t size)
{
	*conn = (struct my_conn){ .base.deadline = deadline, .target = target };
	conn->mysql = my.mysql_init(NULL);
	if (!conn->mysql) {
		(void)snprintf(why, size, "no memory");
		return PT_F_STORE;
	}
	set_options(conn->mysql, target);
	if (connect_now(conn, why, size) == PT_OK)
		return PT_OK;
	my_disconnect(conn);
	return PT_F_STORE;
}

void my_disconnect(struct my_conn *conn)
{
	/* First the connection: then a statement says no goodbye of its own. */
	if (conn->mysql)
		my.mysql_close(conn->mysql);
	for (size_t i = 0; i < MY_NAMES; i++) {
		if (conn->prepared[i].stmt)
			(void)my.mysql_stmt_close(conn->prepared[i].stmt);
	}
	*conn = (struct my_conn){ 0 };
}

/* What can be read although nothing was asked is a last word, or the end. */
bool my_is_usable(struct my_conn *conn, pt_time deadline)
{
	struct pollfd fd = { .fd = (int)my.mysql_get_socket(conn->mysql), .events = POLLIN };

	conn->base.deadline = deadline;
	return !conn->spoiled && poll(&fd, 1, 0) == 0;
}

/*
 * mysql_conn.h - one connection to MariaDB: statements with deadlines, answers as sql_rows.
 *
 * A connection belongs to one thread at a time. No function here blocks past its deadline, save that
 * libmariadb resolves host names with the C library.
 */
#ifndef STORE_SQL_MYSQL_CONN_H
#define STORE_SQL_MYSQL_CONN_H

#include <mysql.h>

#include "store/drivers.h"
#include "store/sql/mysql_target.h"
#include "store/sql/port.h"
#include "store/sql/remote.h"

/* What we use of libmariadb, opened when the first MariaDB store is. */
#define MYSQL_FUNCTIONS(X)         \
	X(close)                   \
	X(errno)                   \
	X(error)                   \
	X(fetch_fields)            \
	X(field_count)             \
	X(free_result)             \
	X(get_server_info)         \
	X(get_server_version)      \
	X(get_socket)              \
	X(init)                    \
	X(next_result_cont)        \
	X(next_result_start)       \
	X(options)                 \
	X(real_connect_cont)       \
	X(real_connect_start)      \
	X(real_query_cont)         \
	X(real_query_start)        \
	X(server_init)             \
	X(set_server_option_cont)  \
	X(set_server_option_start) \
	X(stmt_affected_rows)      \
	X(stmt_bind_param)         \
	X(stmt_bind_result)        \
	X(stmt_close)              \
	X(stmt_errno)              \
	X(stmt_error)              \
	X(stmt_execute_cont)       \
	X(stmt_execute_start)      \
	X(stmt_fetch)              \
	X(stmt_fetch_column)       \
	X(stmt_field_count)        \
	X(stmt_free_result)        \
	X(stmt_init)               \
	X(stmt_num_rows)           \
	X(stmt_prepare_cont)       \
	X(stmt_prepare_start)      \
	X(stmt_result_metadata)    \
	X(stmt_sqlstate)           \
	X(stmt_store_result_cont)  \
	X(stmt_store_result_start) \
	X(store_result_cont)       \
	X(store_result_start)      \
	X(sqlstate)

struct my {
#define MYSQL_MEMBER(name) __typeof__(mysql_##name) *mysql_##name;
	MYSQL_FUNCTIONS(MYSQL_MEMBER)
#undef MYSQL_MEMBER
};

PT_CHECK pt_err my_open(void);

enum {
	MY_TEXTS =
		SQL_STATEMENTS + SQL_DYNAMIC, /* statements of the list, then slots of run_text */
	MY_LOCK_NAME = MY_TEXTS,              /* the driver's own */
	MY_NAMES,
	MY_MARKS = 48,
};

/* A text that is prepared once a connection. */
struct my_text {
	unsigned name;     /* 0..MY_NAMES-1 */
	const char *label; /* for the log */
	const char *text;
};

/* Its marks are ? in order; marks[i] is the number of the parameter that the i-th stands for. */
struct my_prepared {
	MYSQL_STMT *stmt; /* NULL: not yet */
	uint8_t n_marks;
	uint8_t marks[MY_MARKS];
};

struct my_conn {
	struct remote_conn base; /* first */
	MYSQL *mysql;
	const struct my_target *target;
	pt_time asked_at; /* when the last exchange was sent */
	bool locks;       /* this act took names that its end must give back */
	bool spoiled;     /* not to be used again, though the act went well */
	struct my_prepared prepared[MY_NAMES];
};

/* Connects and sets the session up. PT_F_STORE: *why says it in words without secrets. */
PT_CHECK pt_err my_connect(struct my_conn *conn, const struct my_target *target, pt_time deadline,
	char *why, size_t size);

void my_disconnect(struct my_conn *conn);

/* False when the server has hung up meanwhile. */
bool my_is_usable(struct my_conn *conn, pt_time deadline);

/*
 * Runs a text, after conn->base.begin when that is due. PT_E_TAKEN: a UNIQUE rule, or somebody's foreign
 * key, was broken; the transaction can go on. PT_F_STORE: conn->base.trouble says of what kind; logged
 * here when it is REMOTE_FINE, that is when the statement itself failed.
 */
PT_CHECK pt_err my_run(struct my_conn *conn, pt_arena *arena, const struct my_text *text,
	const struct sql_value *args, size_t n_args, struct sql_rows *rows);

/* Several statements in one text; takes as long as it takes. What changes the schema commits: then the
 * rest of the act is in a transaction of its own. */
PT_CHECK pt_err my_script(struct my_conn *conn, const char *text);

/* Holds until the act ends. */
PT_CHECK pt_err my_lock_name(struct my_conn *conn, pt_arena *arena, pt_str name);

/* COMMIT or ROLLBACK, and waits for the answer. */
PT_CHECK pt_err my_end(struct my_conn *conn, bool commit);

#endif

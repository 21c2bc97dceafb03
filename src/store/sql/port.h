/*
 * port.h - the thin waist between the SQL verbs and a database.
 *
 * verbs_*.c say what an act does, statements.def says it in SQL (one row a statement, a spelling for
 * each dialect where they differ), a driver says how its database runs it. Values are always bound.
 *
 * Parameters are written ?1, ?2 ... in statements.def; a driver whose database spells them
 * otherwise translates once, when it prepares.
 */
#ifndef STORE_SQL_PORT_H
#define STORE_SQL_PORT_H

#include "base/arena.h"
#include "portress/store.h"

enum sql_type { SQL_NULL, SQL_INT, SQL_TEXT, SQL_BYTES };

struct sql_value {
	enum sql_type type;
	int64_t number;
	pt_str bytes; /* SQL_TEXT, SQL_BYTES */
};

static inline struct sql_value sql_int(int64_t number)
{
	return (struct sql_value){ .type = SQL_INT, .number = number };
}

static inline struct sql_value sql_text(pt_str text)
{
	return (struct sql_value){ .type = SQL_TEXT, .bytes = text };
}

static inline struct sql_value sql_bytes(const void *p, size_t n)
{
	return (struct sql_value){ .type = SQL_BYTES, .bytes = { (const char *)p, n } };
}

static inline struct sql_value sql_null(void)
{
	return (struct sql_value){ .type = SQL_NULL };
}

/* Empty text is stored as NULL where "unset" and "" are one. */
static inline struct sql_value sql_text_or_null(pt_str text)
{
	return text.n ? sql_text(text) : sql_null();
}

/* A statement's answer, copied into the arena: rows of columns. */
struct sql_rows {
	const struct sql_value *values; /* n_rows * n_columns */
	size_t n_rows;
	size_t n_columns;
	int64_t changed; /* rows inserted, updated or deleted */
};

static inline const struct sql_value *sql_at(const struct sql_rows *rows, size_t row, size_t column)
{
	return &rows->values[row * rows->n_columns + column];
}

/* Statements of ours, by name; a driver prepares each once a connection. */
enum sql_statement {
#define STATEMENT(name, ...) SQL_##name,
#include "store/sql/statements.def"
#undef STATEMENT
	SQL_STATEMENTS
};

enum sql_dialect { SQL_SQLITE, SQL_POSTGRES, SQL_MYSQL };

/* The spelling of a statement in a dialect (statements.c). */
const char *sql_statement_text(enum sql_statement statement, enum sql_dialect dialect);

/*
 * One connection inside one act. PT_E_TAKEN is how a driver says that a UNIQUE rule was broken, or that a
 * row cannot go because others refer to it; the act goes on or returns it, which rolls back what the act
 * wrote. In PostgreSQL it can only go on if it set a savepoint before.
 */
struct sql_conn {
	const struct sql_driver *driver;
	struct sql_store *store;
	void *handle; /* the driver's own */
};

/* An act: runs wholly on one connection, in one transaction. PT_OK commits; anything else, refusals
 * too, rolls back what it wrote. An act that must record something and refuse (a reused token, a
 * taken address) sets *keep: then its writes are committed and its answer is returned all the same.
 * A fault rolls back whatever *keep says. An act may be run again from its beginning. */
typedef pt_err (*sql_act)(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep);

struct sql_driver {
	const char *name; /* "sqlite", "postgres" */
	enum sql_dialect dialect;
	bool remote;

	/* Runs a statement of the list. `rows` may be NULL when no answer is wanted. */
	pt_err (*run)(struct sql_conn *conn, pt_arena *arena, enum sql_statement statement,
		const struct sql_value *args, size_t n_args, struct sql_rows *rows);

	/* The same for a text made at start (a view's mapped columns); `slot` (0..SQL_DYNAMIC-1) names it,
	 * so that it is prepared once a connection as well. */
	pt_err (*run_text)(struct sql_conn *conn, pt_arena *arena, unsigned slot, const char *text,
		const struct sql_value *args, size_t n_args, struct sql_rows *rows);

	/* Several statements without parameters, for migrations. Inside write() only. */
	pt_err (*script)(struct sql_conn *conn, pt_arena *arena, const char *text);

	/* Runs an act that writes. SQLite hands it to the one writer thread, which commits acts that wait
	 * together; an act that is undone takes nothing of the others with it. PostgreSQL runs it on a
	 * pooled connection, again if the database asks for it (serialisation, deadlock), a bounded number
	 * of times. */
	pt_err (*write)(
		struct sql_store *store, sql_act act, pt_arena *arena, const void *in, void *out);

	/* Runs an act that only reads, on this thread's (or a pooled) connection, on one snapshot. */
	pt_err (*read)(
		struct sql_store *store, sql_act act, pt_arena *arena, const void *in, void *out);

	/* A thread's turn, as store.h says; both NULL where a turn gains nothing. */
	void (*turn_begin)(struct sql_store *store);
	void (*turn_end)(struct sql_store *store);

	/* Orders acts that claim the same names even where no unique index can (a foreign users table):
	 * holds until the transaction ends. Nothing to do where there is only one writer. */
	pt_err (*lock_name)(struct sql_conn *conn, pt_arena *arena, pt_str name);

	void (*close)(struct sql_store *store);
};

enum { SQL_DYNAMIC = 32 };

/* A SQL store: driver, directory and what the driver keeps. Drivers embed it as first member. */
struct sql_store {
	const struct sql_driver *driver;
	const struct sql_directory *directory;
	void *directory_ctx;

	/* What must have happened once before the first act, and could not while the store was opened because
	 * the database was away: migrations, looking at a foreign table. NULL: nothing is left. A driver calls
	 * it by the first act that finds the database there, and answers PT_F_STORE until it has said PT_OK.
	 * It runs acts of its own through write() and read(). */
	pt_err (*prepare)(struct sql_store *store);
	struct store_plan *plan; /* for prepare */
};

/* Fills the public vtable: every verb of verbs_*.c over this store. Takes ownership. */
void sql_store_publish(struct sql_store *store, struct pt_store *out);

#endif

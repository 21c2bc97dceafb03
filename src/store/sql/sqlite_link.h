/*
 * sqlite_link.h - one connection to a SQLite file, with its prepared statements.
 *
 * It belongs to one thread at a time.
 */
#ifndef STORE_SQL_SQLITE_LINK_H
#define STORE_SQL_SQLITE_LINK_H

#include <sqlite3.h>

#include "store/sql/port.h"

struct link {
	const char *path; /* of the store, for what is logged */
	sqlite3 *db;
	sqlite3_stmt *named[SQL_STATEMENTS];
	sqlite3_stmt *made[SQL_DYNAMIC];
	sqlite3_stmt *begin;
	sqlite3_stmt *commit;
	sqlite3_stmt *save;
	sqlite3_stmt *release;
	bool guarded; /* each act that writes gets a savepoint */
	bool saved;   /* this act has got it */
	bool wrote;   /* this act changed a row */
	struct link *next;
};

PT_CHECK pt_err link_open(const char *path, bool writer, struct link **out);
/* NULL is fine. */
void link_close(struct link *link);

/* PT_F_STORE or PT_F_MEMORY, after one line that names the file and says what to do. */
pt_err link_fault(const struct link *link, int rc, const char *what);

/* Runs a statement that answers nothing; a SQLite result code. */
int link_step(sqlite3_stmt *statement);

/* The port's ways to run a statement: conn->handle is the link. */
pt_err sqlite_run(struct sql_conn *conn, pt_arena *arena, enum sql_statement statement,
	const struct sql_value *args, size_t n_args, struct sql_rows *rows);
pt_err sqlite_run_text(struct sql_conn *conn, pt_arena *arena, unsigned slot, const char *text,
	const struct sql_value *args, size_t n_args, struct sql_rows *rows);
pt_err sqlite_script(struct sql_conn *conn, pt_arena *arena, const char *text);

#endif

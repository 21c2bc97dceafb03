/*
 * mysql_schema.h - the schema files, which SQLite and PostgreSQL read as they are, for MariaDB.
 */
#ifndef STORE_SQL_MYSQL_SCHEMA_H
#define STORE_SQL_MYSQL_SCHEMA_H

#include "base/arena.h"
#include "portress/base.h"

/*
 * The type of the column whose name ends `before`. MariaDB indexes no TEXT or BLOB of any length: a
 * column that the first steps put into an index, before there was @KEY@, gets a bounded type.
 */
const char *mysql_schema_type(pt_str before, const char *type);

/*
 * Says a script in a way that MariaDB understands and that may be run again after half of it was:
 * IF NOT EXISTS stands wherever something is made, and an index loses its WHERE (NULL is in nobody's
 * way there). Text in quotes and comments are left alone.
 */
PT_CHECK pt_err mysql_schema(pt_arena *arena, pt_str script, pt_str *out);

#endif

/*
 * mysql_target.h - from a setting to what libmariadb wants to know.
 */
#ifndef STORE_SQL_MYSQL_TARGET_H
#define STORE_SQL_MYSQL_TARGET_H

#include <stdbool.h>

#include "base/arena.h"
#include "portress/base.h"

enum my_tls {
	MY_TLS_OFF,
	MY_TLS_REQUIRE, /* encrypted, whoever the server is */
	MY_TLS_VERIFY,  /* and its certificate bears the host's name */
};

/* Where to connect, and what a session begins with. */
struct my_target {
	const char *host;   /* a name or an address */
	const char *socket; /* NULL: TCP */
	unsigned port;
	const char *user;
	const char *password;
	const char *database;
	enum my_tls tls;
	const char *roots;   /* PEM, for MY_TLS_VERIFY */
	const char *session; /* one SET statement */
	bool foreign;     /* somebody else's, only read: MySQL, and what is older than we ask for */
	pt_time patience; /* silence for so long after a question means that the server hangs */
};

/*
 * Reads
 *
 *	mysql://user:password@host:3306/database?ssl=verify&ssl-ca=/etc/roots.pem&socket=/run/mysqld.sock
 *
 * (mariadb:// as well; user, password and database with %XX), or what Go programs write,
 *
 *	user:password@tcp(host:3306)/database?tls=skip-verify&parseTime=true	or unix(/path)
 *
 * with or without the scheme before it; there nothing is escaped, and parameters that are about Go
 * are passed over. Without a word about TLS a host that is not this machine must prove its name.
 * PT_F_CONFIG, after a line that quotes nothing of it.
 */
PT_CHECK pt_err mysql_target_parse(pt_arena *arena, pt_str text, struct my_target *out);

/* Has it the form that Go programs write, without a scheme? */
bool mysql_target_is_dsn(pt_str text);

/* mysql_target_parse, and the session that goes with acts of `timeout`. The target owns copies, in one
 * piece of memory. */
PT_CHECK pt_err mysql_target_make(pt_str text, pt_time timeout, struct my_target **out);

/* NULL is fine. Wipes it: the setting may hold a password. */
void mysql_target_free(struct my_target *target);

#endif

/*
 * drivers.h - the stores that come with Portress, for the composition root and the command line.
 */
#ifndef STORE_DRIVERS_H
#define STORE_DRIVERS_H

#include "base/arena.h"
#include "portress/store.h"

/* A users table that other programs share, under its own names. Unset members are found out. */
struct view_setup {
	pt_str relation;    /* "identoro_users" */
	pt_str columns[12]; /* by enum view_field; "" means: the first known alias that is there */
	bool extended_events; /* announce more than signup, signin and failed_signin */
};

enum view_field {
	VIEW_ID,
	VIEW_USERNAME,
	VIEW_PASSWORD,
	VIEW_EMAIL,
	VIEW_VERIFIED,
	VIEW_FIRSTNAME,
	VIEW_LASTNAME,
	VIEW_SIGNIN_COUNT,
	VIEW_FAILED_SIGNINS,
	VIEW_CREATED_AT,
	VIEW_REFRESH_TOKEN,
	VIEW_EXTENSIONS,
	VIEW_FIELDS
};

struct store_setup {
	/* "sqlite:PATH", "postgres://..." (or a libpq connection string), "mysql://..." (mariadb://, or
	 * the form that Go programs write) */
	pt_str url;
	const struct view_setup *view; /* NULL: accounts in our own tables */
	unsigned connections;          /* of a server: pool size, 0 means 8 */
	pt_time timeout;               /* of a server: of an act, all in all; 0 means 2 s */
	bool migrate;                  /* bring the schema up to date while opening */
	unsigned group_max;            /* SQLite: acts that share a commit at most, 0 means 128 */
	bool wait; /* a server: open even if it is away now, and answer PT_F_STORE meanwhile */
};

/*
 * Opens the store. PT_F_CONFIG: the URL is none of ours, the file cannot be used, a view lacks a
 * column, the schema is newer than this program or (without migrate) older; one log line says what
 * and how to mend it. PT_F_STORE: the database cannot be reached (never with wait).
 */
PT_CHECK pt_err store_open(const struct store_setup *setup, struct pt_store *out);

/* ---- migrations ---- */

struct migration_status {
	int applied; /* number of the last applied migration; 0: none */
	int known;   /* number of the last one this program knows */
};

/* Applies what is missing, one after the other, under one lock. told: called after each, may be NULL. */
PT_CHECK pt_err store_migrate_up(const struct store_setup *setup,
	void (*told)(void *ctx, int number, const char *name), void *ctx);
PT_CHECK pt_err store_migrate_status(const struct store_setup *setup, struct migration_status *out);
/* Checks that what was applied is, byte for byte, what this program knows. PT_F_CONFIG names the
 * first that differs (logged). */
PT_CHECK pt_err store_migrate_verify(const struct store_setup *setup, struct migration_status *out);

/* Creates identoro_users and identoro_message_queue with the canonical columns. PT_E_TAKEN: they exist
 * (in either spelling) already. */
PT_CHECK pt_err store_create_identoro_tables(const struct store_setup *setup);

#endif

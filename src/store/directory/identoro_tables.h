/*
 * identoro_tables.h - the users table and the queue of events, for who has none yet.
 */
#ifndef STORE_DIRECTORY_IDENTORO_TABLES_H
#define STORE_DIRECTORY_IDENTORO_TABLES_H

#include "store/sql/port.h"

/* The script that creates the queue of events; NULL for a driver that has none. */
const char *identoro_queue_script(const struct sql_driver *driver);

/* Creates both tables in one act. PT_E_TAKEN: identoro_users exists already; nothing was done. */
PT_CHECK pt_err identoro_tables_create(struct sql_store *store);

#endif

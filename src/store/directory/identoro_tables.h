/*
 * identoro_tables.h - the users table and the queue of events, for who has none yet.
 */
#ifndef STORE_DIRECTORY_IDENTORO_TABLES_H
#define STORE_DIRECTORY_IDENTORO_TABLES_H

#include "store/sql/port.h"

#define IDENTORO_USERS "identoro_users"
#define IDENTORO_QUEUE "identoro_message_queue"

/* The script that creates the queue of events. */
const char *identoro_queue_script(enum sql_dialect dialect, bool uuids);

#endif

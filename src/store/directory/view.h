/*
 * view.h - accounts in a users table that other programs share.
 */
#ifndef STORE_DIRECTORY_VIEW_H
#define STORE_DIRECTORY_VIEW_H

#include "store/drivers.h"
#include "store/sql/directory.h"

/* Makes the store use the view directory. Copies what it needs of setup; touches no database. */
PT_CHECK pt_err view_attach(struct sql_store *store, const struct view_setup *setup);

/*
 * Looks at the relation, maps its columns, makes the side table, looks for the queue of events, and
 * logs the mapping. For store->prepare, after the migrations. PT_F_CONFIG: there is no such relation,
 * or required columns are missing: the log line names them.
 */
PT_CHECK pt_err view_prepare(struct sql_store *store);

#endif

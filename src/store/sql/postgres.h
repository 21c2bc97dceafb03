/*
 * postgres.h - the PostgreSQL driver, for the one who opens stores.
 */
#ifndef STORE_SQL_POSTGRES_H
#define STORE_SQL_POSTGRES_H

#include "store/drivers.h"
#include "store/sql/port.h"

/*
 * setup->url is a postgres:// URL or a libpq connection string. Opens libpq the first time.
 *
 * PT_F_CONFIG: no libpq, or a URL that it cannot read. PT_F_STORE: the database cannot be reached; with
 * setup->wait it is not asked, and the acts answer PT_F_STORE until it is there.
 *
 * store->prepare is called by the first act that finds the database (see port.h); until it has said
 * PT_OK no other act runs.
 */
PT_CHECK pt_err postgres_open(const struct store_setup *setup, struct sql_store **out);

#endif

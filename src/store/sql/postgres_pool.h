/*
 * postgres_pool.h - a bounded number of connections, and whether the database is there.
 *
 *            connect              give
 *   EMPTY ------------> BUSY -------------> IDLE
 *     ^                  | ^       take       |
 *     |  broken, silent  | +------------------+
 *     +------------------+   (hung up meanwhile: EMPTY)
 *
 *   THERE --- nobody can connect, or silence ---> LOST --- the probe connects ---> THERE
 *
 * (1) A BUSY connection belongs to one thread. (2) While LOST there is no IDLE connection, and at most
 * one thread at a time, the probe, tries to connect, after a pause that doubles; everybody else is
 * refused at once. (3) One line is logged when it is lost and one when it is back.
 */
#ifndef STORE_SQL_POSTGRES_POOL_H
#define STORE_SQL_POSTGRES_POOL_H

#include "store/sql/postgres_conn.h"

struct pg_pool;

/* target is borrowed for the pool's life. NULL: no memory. */
struct pg_pool *pg_pool_open(const struct pg_target *target, unsigned size, pt_time patience);

/* When no connection is taken any more. NULL is fine. */
void pg_pool_close(struct pg_pool *pool);

/* A usable connection for one act. PT_F_STORE: the database is away (logged when it was lost), or all
 * connections were busy for too long. */
PT_CHECK pt_err pg_pool_take(struct pg_pool *pool, pt_time deadline, struct pg_conn **out);

/* Looks at conn->trouble: closes what is broken; silence means that the database is lost. */
void pg_pool_give(struct pg_pool *pool, struct pg_conn *conn);

#endif

/*
 * remote_pool.h - a bounded number of connections, and whether the database is there.
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
#ifndef STORE_SQL_REMOTE_POOL_H
#define STORE_SQL_REMOTE_POOL_H

#include "store/sql/remote.h"

struct remote_pool;

/* kind and target are borrowed for the pool's life. patience: how long an act waits for a connection.
 * NULL: no memory. */
struct remote_pool *remote_pool_open(
	const struct remote_kind *kind, const void *target, unsigned size, pt_time patience);

/* When no connection is taken any more. NULL is fine. */
void remote_pool_close(struct remote_pool *pool);

/* A usable connection for one act. PT_F_STORE: the database is away (logged when it was lost), or all
 * connections were busy for too long. */
PT_CHECK pt_err remote_pool_take(
	struct remote_pool *pool, pt_time deadline, struct remote_conn **out);

/* Looks at conn->trouble: closes what is broken; silence means that the database is lost. */
void remote_pool_give(struct remote_pool *pool, struct remote_conn *conn);

#endif

/*
 * moment.h - moments as SQL databases spell them.
 */
#ifndef STORE_SQL_MOMENT_H
#define STORE_SQL_MOMENT_H

#include "base/buf.h"
#include "portress/base.h"

/*
 * `2006-01-02`, `2006-01-02 15:04:05`, with T for the space, with up to nine digits of a fraction,
 * with Z, +01, +0100 or +01:00 behind it; without a zone it is UTC. False for anything else.
 */
PT_CHECK bool moment_parse(pt_str text, pt_time *out);

/* `2006-01-02 15:04:05` in UTC, as CURRENT_TIMESTAMP of SQLite. */
void moment_format(struct buf *b, pt_time time);

#endif

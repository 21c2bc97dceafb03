/*
 * workers.h - two bounded pools of threads beside the loops.
 *
 * SLOW runs what waits for a disk or a network. HASH runs what burns a processor, at a lower priority,
 * so that loops answer everybody else in time. A pool takes a job at once or says no: nothing queues
 * without bound.
 *
 *	submit --> [queue, at most `queue` jobs] --> thread runs it
 *	  no, when the queue is full or the pool is closing
 *
 * (1) Every job that was taken runs exactly once. (2) Close returns when the last has run.
 */
#ifndef SERVER_WORKERS_H
#define SERVER_WORKERS_H

#include "http/engine.h"
#include "portress/base.h"

struct workers;

/* More calls than hashes at once are under way on HASH: while some hash, others commit, and what
 * commits together is cheaper. How many hash is bounded by the gate of crypt/password.h. */
struct workers_setup {
	unsigned slow_threads, slow_queue;
	unsigned hash_threads, hash_queue;
	unsigned hashes_at_once;
};

PT_CHECK pt_err workers_open(const struct workers_setup *setup, struct workers **out);

/* Takes no more, runs what was taken, joins. NULL is fine. */
void workers_close(struct workers *workers);

/* Lives as long as the workers. */
const struct http_workers *workers_http(const struct workers *workers);

struct workers_counts {
	uint64_t taken, refused;
	unsigned waiting, running;
};
void workers_counts(struct workers *workers, enum http_lane lane, struct workers_counts *out);

#endif

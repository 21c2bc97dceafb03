/*
 * loop.h - one thread, one uv loop, its listeners and its connections.
 *
 * Everything here belongs to the loop's thread, but for `finished` (under its mutex), the counts
 * (atomics that only the loop writes) and what stands in struct http_engine.
 */
#ifndef HTTP_LOOP_H
#define HTTP_LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "http/peers.h"
#include "http/reader.h"
#include "http/writer.h"

/*
 *                 +-------------------------------- answer sent -----------------------------+
 *                 v                                                                          |
 *   PROXIED --> IDLE --byte--> HEADER --block--> BODY --request--> CALLING --answer--> WRITING
 *                 |               |               |                   |    \--delay--> HELD --^
 *                 | late          | late: 408     | late: 408         |                      |
 *                 v               +-------+-------+                   | client gone          |
 *              CLOSED <--- late, or EOF --- LINGERING <--- refusal or last answer sent ------+
 *
 * connection_settle makes every move but the ones to CLOSED (connection_close).
 *
 * (1) A connection stands in at most one deadline list, the one of its state; lists of fixed terms
 *     are in order of time because they are appended to.
 * (2) CALLING has no deadline: the call belongs to a worker, which always comes back.
 * (3) Only IDLE, HEADER, BODY, PROXIED and LINGERING read.
 * (4) An exchange on a worker is in no list; it comes back through loop_finish, whether its
 *     connection still lives or not.
 * (5) When no connection is being looked at, the loop's buffer holds what `spoken` says and nothing
 *     else. Who closes has been sent it before.
 */
enum connection_state {
	CONNECTION_PROXIED, /* the PROXY header is awaited */
	CONNECTION_IDLE,
	CONNECTION_HEADER,
	CONNECTION_BODY,
	CONNECTION_CALLING,
	CONNECTION_HELD,      /* the answer is ready and waits for its time */
	CONNECTION_WRITING,   /* the client is slow to take it */
	CONNECTION_LINGERING, /* all is said; what still comes is thrown away (RFC 9112 9.6) */
	CONNECTION_CLOSED,
	CONNECTION_STATES
};

/* Bytes that wait. Empty almost always. */
struct stock {
	char *p;
	size_t n;
};

struct connection {
	uv_poll_t poll;
	struct loop *loop;
	int fd;
	int watched; /* the events that uv watches for */
	enum connection_state state;
	struct connection *before, *after; /* in the list of its state */
	bool listed;
	struct connection *elder, *younger; /* among all of the loop */
	uint64_t deadline;                  /* milliseconds of uv_now */

	struct reader reader;
	struct stock unread; /* an incomplete header block, or requests that wait their turn */
	struct stock unsent;
	struct exchange *held;
	struct exchange *called;
	struct address address;
	bool has_peer; /* counted for its address */
	bool proxied;  /* the PROXY header is still to come */
	bool last;     /* close when all is sent */
	bool lingers;  /* there may be bytes that nobody will read */
	bool spoke;    /* it stands among `spoken` */
	bool answered; /* since it was settled last: its terms begin anew */
	bool broken;   /* nothing more can be sent */
	bool shed;     /* over a cap: it gets a 503 and nothing else */
	size_t thrown; /* bytes read while lingering */
	char peer[48];
};

/* Answers that stand in the loop's buffer and go out when its turn ends: up to `end`, from where those of the
 * one before end. */
struct spoken {
	struct connection *connection;
	size_t end;
};

/* Enough for the other end to have something to do while the rest is sent; few, so that the first waits
 * little for the last. */
enum { SPOKEN_MOST = 16 };

struct deadline_list {
	struct connection *first, *last;
};

struct loop_listener {
	uv_poll_t poll;
	struct loop *loop;
	int fd;
	bool proxy_header, ops, open;
};

struct loop {
	struct http_engine *engine;
	uv_loop_t uv;
	pthread_t thread;
	bool initialised, started;

	struct loop_listener *listeners;
	size_t n_listeners;
	uv_timer_t retry;    /* accepts again after descriptors ran out */
	uint64_t complained; /* when that was said last */

	struct exchange_pool pool;
	struct connection *connections; /* all of them */
	struct deadline_list lists[CONNECTION_STATES];
	uv_timer_t deadlines;
	uint64_t armed; /* when the timer will fire; 0 = not at all */

	char *input; /* what one read brings, with what was left over before it */
	size_t input_size;
	struct arena *out_arena;
	struct buf out;
	struct spoken spoken[SPOKEN_MOST];
	size_t n_spoken;
	struct date_line date;

	uv_prepare_t before_wait;
	bool in_turn; /* the application was told that one began */

	uv_async_t wake;
	pthread_mutex_t lock;
	struct exchange *finished; /* under lock, newest first */
	size_t calls;              /* exchanges on workers */
	bool stopped;              /* under lock */
	size_t shed_lingering;     /* connections over a cap that are being told so */
	bool draining;

	atomic_uint_fast64_t accepted, requests, refused, shed;
};

struct http_engine {
	struct http_setup setup;
	struct loop *loops;
	unsigned n_loops;
	struct peers *peers;
	atomic_size_t open; /* connections */
	atomic_bool draining, closing;

	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned running; /* loops that have not ended; under lock */
};

/* connection.c */

/* Takes the descriptor. Over a cap the client is told 503. */
void connection_open(struct loop *loop, const struct loop_listener *listener, int fd,
	const struct address *address);
void connection_close(struct connection *c);

/* A worker is done with it. The answer is dropped when its client is gone. */
void connection_finish(struct loop *loop, struct exchange *ex);

/* The loop ends: what has sent no whole header block by now is closed. */
void connection_drain(struct connection *c);

/* Sends what the connections of this turn were told. */
void connections_send(struct loop *loop);

/* Its time is over: says 408, or the answer that was held back, or just closes. */
void connection_expire(struct connection *c);

/* deadline.c */

/* Moves c to a state and its list; HELD takes its term from `hold`. */
void deadline_move(struct connection *c, enum connection_state state, pt_time hold);
void deadline_forget(struct connection *c);
void deadlines_check(uv_timer_t *timer);

/* loop.c */

/* The first loop takes the listeners' descriptors, the others take duplicates. */
PT_CHECK pt_err loop_open(struct loop *loop, struct http_engine *engine, bool first);
PT_CHECK pt_err loop_start(struct loop *loop);
/* From any thread: look at what has changed. */
void loop_wake(struct loop *loop);
/* Joins the thread, or runs what is left to close if there was none, and frees everything. */
void loop_close(struct loop *loop);

/* Before an answer on this thread. */
void loop_turn(struct loop *loop);

/* Hands the exchange to a worker. False when the lane is full. */
PT_CHECK bool loop_submit(struct loop *loop, struct exchange *ex);

/* The loop ends once it drains and nothing is left to do. */
void loop_may_stop(struct loop *loop);

static inline void count(atomic_uint_fast64_t *counter)
{
	/* One writer: no locked instruction is needed. */
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
		memory_order_relaxed);
}

#endif

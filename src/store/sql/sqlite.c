/*
 * sqlite.c - the driver for one file on this machine.
 *
 *	write()  -> queue -> the writer's thread: BEGIN, the acts that wait, COMMIT -> wake them all
 *	read()   -> a reader of the pool, on the caller's own thread; all that a thread reads in
 *	            one turn: on one reader, of one moment
 *
 * (1) Only the writer's thread writes. (2) An act is answered after the commit that holds it, and
 * when that commit fails, all of the group fail: what one of them read may be another's write.
 * (3) There is no timer: an idle writer begins at once, and the acts that come while it commits are
 * the next group. (4) A connection belongs to one thread at a time. (5) Other processes may use the
 * file: nothing is remembered between acts, but within a turn, and then not for longer than
 * SNAPSHOT_MOST nor beyond a commit of our own.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "base/thread.h"
#include "store/sql/drivers_internal.h"
#include "store/sql/sqlite_link.h"

#include "base/banned.h"

enum {
	GROUP_MOST = 128,
	QUEUE_MOST = 1024,
	READERS_MOST = 16,
	READER_WAIT_S = 2,
	WAL_CHECKPOINT = 1000, /* pages: 4 MiB */
	WAL_RESTART = 8000,    /* readers kept us from starting it anew: wait for them */
};

/* Turns are shorter, but for one that hears thousands of clients: the log must not wait for it. */
#define SNAPSHOT_MOST (5 * PT_MILLISECOND)

/* An act that waits for the writer, on its caller's stack. */
struct waiting {
	sql_act act;
	pt_arena *arena;
	const void *in;
	void *out;
	pt_err err;
	sem_t done;
	struct waiting *next;
};

struct sqlite_store {
	struct sql_store sql; /* first: the port knows only this */
	char *path;
	dev_t device; /* the file that stood there when the store was opened */
	ino_t inode;
	unsigned group_max;

	pthread_mutex_t readers_lock;
	pthread_cond_t readers_free;
	struct link *readers; /* idle ones, the last used first */
	unsigned readers_open;

	pthread_t thread;
	pthread_mutex_t queue_lock;
	pthread_cond_t queue_filled;
	struct waiting *first;
	struct waiting **last;
	unsigned queued;
	bool closing;

	/* The writer's thread only. */
	struct link *writer;
	int wal_pages;

	/* Raised behind each commit, before anybody hears of it. */
	_Atomic uint64_t commits;

	_Atomic pt_time looked_at; /* when the path was last seen to be our file */
	_Atomic bool moved;
};

static struct sqlite_store *sqlite_of(struct sql_store *store)
{
	return (struct sqlite_store *)(void *)store;
}

static pt_err sqlite_lock_name(struct sql_conn *conn, pt_arena *arena, pt_str name)
{
	(void)conn, (void)arena, (void)name;
	return PT_OK;
}

/* ---- is it still our file? ------------------------------------------------------------------ */

/* A file that was unlinked or replaced takes writes as before, and nobody will ever see them. Another
 * file in its place is not opened either: readers and writer would look at two. */
static pt_err file_look(struct sqlite_store *store)
{
	struct stat st;
	bool moved = stat(store->path, &st) != 0 || st.st_dev != store->device ||
		     st.st_ino != store->inode;

	atomic_store_explicit(&store->looked_at, clock_monotonic(), memory_order_relaxed);
	atomic_store_explicit(&store->moved, moved, memory_order_relaxed);
	if (moved)
		return fault(PT_F_STORE,
			"%s: moved or replaced underneath: put it back, or restart with the new "
			"one",
			store->path);
	return PT_OK;
}

/* For readers once a second is enough: the writer looks before each group. */
static pt_err file_glance(struct sqlite_store *store, pt_time now)
{
	pt_time looked_at = atomic_load_explicit(&store->looked_at, memory_order_relaxed);

	if (!atomic_load_explicit(&store->moved, memory_order_relaxed) &&
		now - looked_at < PT_SECOND)
		return PT_OK;
	return file_look(store);
}

/* Looks first, always: to open another file in its place, and to close it again, would take the write-ahead
 * log of ours for that file's own, write it there and delete it. */
static pt_err file_open(struct sqlite_store *store, bool writer, struct link **out)
{
	TRY(file_look(store));
	return link_open(store->path, writer, out);
}

/* ---- readers -------------------------------------------------------------------------------- */

static struct timespec seconds_from_now(int seconds)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	return until;
}

/* An idle reader, or leave to open one (*out is NULL). */
static pt_err reader_wait(struct sqlite_store *store, struct link **out)
{
	struct timespec until = seconds_from_now(READER_WAIT_S);
	pt_err err = PT_OK;

	pthread_mutex_lock(&store->readers_lock);
	while (!store->readers && store->readers_open == READERS_MOST && err == PT_OK) {
		if (pthread_cond_timedwait(&store->readers_free, &store->readers_lock, &until) ==
			ETIMEDOUT)
			err = PT_E_BUSY;
	}
	if (err == PT_OK) {
		*out = store->readers;
		if (store->readers)
			store->readers = store->readers->next;
		else
			store->readers_open++;
	}
	pthread_mutex_unlock(&store->readers_lock);
	return err;
}

static void reader_give(struct sqlite_store *store, struct link *link)
{
	pthread_mutex_lock(&store->readers_lock);
	if (link) {
		link->next = store->readers;
		store->readers = link;
	} else {
		store->readers_open--;
	}
	pthread_cond_signal(&store->readers_free);
	pthread_mutex_unlock(&store->readers_lock);
}

static pt_err reader_take(struct sqlite_store *store, struct link **out)
{
	struct link *link = NULL;
	pt_err err;

	TRY(reader_wait(store, &link));
	err = link ? PT_OK : file_open(store, false, &link);
	if (err != PT_OK)
		reader_give(store, NULL);
	else
		*out = link;
	return err;
}

/* What the link reads is of one moment from here on: that of its first statement. */
static pt_err snapshot_begin(struct link *link)
{
	int rc = link_step(link->begin);

	return rc == SQLITE_OK ? PT_OK : link_fault(link, rc, "begin");
}

static bool snapshot_is_open(const struct link *link)
{
	return !sqlite3_get_autocommit(link->db);
}

static void snapshot_end(struct link *link)
{
	if (snapshot_is_open(link))
		link_step(link->commit);
}

static pt_err link_act(struct sqlite_store *store, struct link *link, sql_act act, pt_arena *arena,
	const void *in, void *out)
{
	struct sql_conn conn = { store->sql.driver, &store->sql, link };
	bool keep = false;

	return act(&conn, arena, in, out, &keep);
}

static pt_err link_read(struct sqlite_store *store, struct link *link, sql_act act, pt_arena *arena,
	const void *in, void *out)
{
	pt_err err;

	TRY(file_glance(store, clock_monotonic()));
	TRY(snapshot_begin(link));
	err = link_act(store, link, act, arena, in, out);
	snapshot_end(link);
	return err;
}

/* After trouble with the file nothing in a connection's memory is worth keeping. */
static void reader_drop(struct sqlite_store *store, struct link *link)
{
	link_close(link);
	reader_give(store, NULL);
}

static pt_err alone_read(
	struct sqlite_store *store, sql_act act, pt_arena *arena, const void *in, void *out)
{
	struct link *link;
	pt_err err;

	TRY(reader_take(store, &link));
	err = link_read(store, link, act, arena, in, out);
	if (pt_is_fault(err))
		reader_drop(store, link);
	else
		reader_give(store, link);
	return err;
}

/* ---- turns ---------------------------------------------------------------------------------- */

/* This thread's, with the store where it began: in another one it reads as if it had none. */
static _Thread_local struct {
	struct sqlite_store *store; /* NULL: no turn */
	struct link *link;          /* from the first read on */
	uint64_t commits;           /* before its snapshot was begun */
	pt_time began;
	bool reading;
} turn;

static void sqlite_turn_begin(struct sql_store *sql)
{
	if (!turn.store)
		turn.store = sqlite_of(sql);
}

static void sqlite_turn_end(struct sql_store *sql)
{
	if (turn.store != sqlite_of(sql))
		return;
	if (turn.link) {
		snapshot_end(turn.link);
		reader_give(turn.store, turn.link);
	}
	turn.store = NULL;
	turn.link = NULL;
}

static bool turn_is_here(const struct sqlite_store *store)
{
	/* An act that reads within an act has a reader of its own. */
	return turn.store == store && !turn.reading;
}

/* Readies the turn's reader: with the snapshot that it has, or, where that may lack something, another. */
static pt_err turn_look(struct sqlite_store *store)
{
	/* Before the snapshot: it may hold a commit more than it is known to, never one less. */
	uint64_t commits = atomic_load_explicit(&store->commits, memory_order_acquire);
	pt_time now = clock_monotonic();

	TRY(file_glance(store, now));
	if (snapshot_is_open(turn.link)) {
		if (turn.commits == commits && now - turn.began < SNAPSHOT_MOST)
			return PT_OK;
		snapshot_end(turn.link);
	}
	turn.commits = commits;
	turn.began = now;
	return snapshot_begin(turn.link);
}

static pt_err turn_read(
	struct sqlite_store *store, sql_act act, pt_arena *arena, const void *in, void *out)
{
	pt_err err;

	if (!turn.link)
		TRY(reader_take(store, &turn.link));
	turn.reading = true;
	err = turn_look(store);
	if (err == PT_OK)
		err = link_act(store, turn.link, act, arena, in, out);
	turn.reading = false;
	if (pt_is_fault(err)) {
		reader_drop(store, turn.link);
		turn.link = NULL;
	}
	return err;
}

/* Whoever waits for the writer must not be who the writer waits for. */
static void turn_rest(const struct sqlite_store *store)
{
	if (turn_is_here(store) && turn.link)
		snapshot_end(turn.link);
}

static pt_err sqlite_read(
	struct sql_store *sql, sql_act act, pt_arena *arena, const void *in, void *out)
{
	struct sqlite_store *store = sqlite_of(sql);

	return turn_is_here(store) ? turn_read(store, act, arena, in, out)
				   : alone_read(store, act, arena, in, out);
}

/* ---- the writer ----------------------------------------------------------------------------- */

static void rollback(struct link *link)
{
	if (!sqlite3_get_autocommit(link->db))
		sqlite3_exec(link->db, "ROLLBACK", NULL, NULL, NULL);
}

static int wal_grew(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct sqlite_store *store = ctx;

	(void)db, (void)name;
	store->wal_pages = pages;
	return SQLITE_OK;
}

static pt_err writer_open(struct sqlite_store *store)
{
	if (store->writer)
		return PT_OK;
	TRY(file_open(store, true, &store->writer));
	sqlite3_wal_hook(store->writer->db, wal_grew, store);
	return PT_OK;
}

/* After a failed write nobody knows which pages the kernel still holds: begin anew from the file. */
static void writer_drop(struct sqlite_store *store)
{
	link_close(store->writer);
	store->writer = NULL;
}

/* How an act went, for the acts that share its transaction. */
enum went {
	WENT_WELL,    /* its writes stay, or it had none, or they are undone */
	WENT_SPOILED, /* it was refused after it had written, and has no savepoint */
	WENT_LOST,    /* the whole transaction is gone, as after some errors */
};

static enum went act_run(struct sqlite_store *store, struct link *link, struct waiting *item)
{
	struct sql_conn conn = { store->sql.driver, &store->sql, link };
	bool keep = false;

	link->saved = false;
	link->wrote = false;
	item->err = item->act(&conn, item->arena, item->in, item->out, &keep);
	if (sqlite3_get_autocommit(link->db))
		return WENT_LOST;
	if (item->err != PT_OK && !(item->err > 0 && keep)) {
		if (link->wrote && !link->saved)
			return WENT_SPOILED;
		if (link->saved)
			sqlite3_exec(link->db, "ROLLBACK TO act", NULL, NULL, NULL);
	}
	if (link->saved && link_step(link->release) != SQLITE_OK)
		return WENT_LOST;
	return WENT_WELL;
}

static enum went acts_run(struct sqlite_store *store, struct link *link, struct waiting *items)
{
	enum went went = WENT_WELL;

	for (struct waiting *item = items; item && went == WENT_WELL; item = item->next)
		went = act_run(store, link, item);
	return went;
}

static pt_err group_begin(struct link *link, bool guarded)
{
	int rc = link_step(link->begin);

	link->guarded = guarded;
	return rc == SQLITE_OK ? PT_OK : link_fault(link, rc, "begin");
}

static pt_err group_commit(struct sqlite_store *store, struct link *link)
{
	int rc = link_step(link->commit);

	atomic_fetch_add_explicit(&store->commits, 1, memory_order_release);
	return rc == SQLITE_OK ? PT_OK : link_fault(link, rc, "commit");
}

/* The fault that took the transaction away, which was logged where it was born. */
static pt_err lost(const struct sqlite_store *store, const struct waiting *items)
{
	for (const struct waiting *item = items; item; item = item->next) {
		if (pt_is_fault(item->err))
			return item->err;
	}
	return fault(PT_F_STORE, "%s: the transaction was lost", store->path);
}

/* Acts that are refused after they wrote are rare, and savepoints cost a quarter: so they are tried
 * without, and the group is run again with them when there was such an act. */
static pt_err group_run(struct sqlite_store *store, struct waiting *items)
{
	struct link *link;
	enum went went;

	TRY(file_look(store));
	TRY(writer_open(store));
	link = store->writer;
	TRY(group_begin(link, false));
	went = acts_run(store, link, items);
	if (went == WENT_SPOILED) {
		rollback(link);
		if (!items->next)
			return PT_OK; /* it was alone, and has its answer */
		TRY(group_begin(link, true));
		went = acts_run(store, link, items);
	}
	return went == WENT_WELL ? group_commit(store, link) : lost(store, items);
}

static void group_write(struct sqlite_store *store, struct waiting *items)
{
	pt_err err = group_run(store, items);

	if (err != PT_OK)
		writer_drop(store);
	while (items) {
		struct waiting *item = items;

		items = item->next; /* once it is woken, the item is not ours any more */
		if (err != PT_OK)
			item->err = err;
		sem_post(&item->done);
	}
}

/* When it fails, the log still holds everything; another process at work is no failure. */
static void checkpoint(struct sqlite_store *store, int mode)
{
	int rc;

	if (!store->writer)
		return;
	rc = sqlite3_wal_checkpoint_v2(store->writer->db, NULL, mode, NULL, NULL);
	if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY)
		return;
	(void)link_fault(store->writer, rc, "checkpoint");
	writer_drop(store);
}

/* Answers are out already; only what comes next waits for this. */
static void checkpoint_by_size(struct sqlite_store *store)
{
	if (store->wal_pages >= WAL_RESTART)
		checkpoint(store, SQLITE_CHECKPOINT_RESTART);
	else if (store->wal_pages >= WAL_CHECKPOINT)
		checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
}

/* Cuts at most group_max acts from the queue. The lock is held. */
static struct waiting *queue_cut(struct sqlite_store *store)
{
	struct waiting *items = store->first;
	struct waiting **end = &store->first;
	unsigned n = 0;

	while (*end && n < store->group_max) {
		end = &(*end)->next;
		n++;
	}
	store->first = *end;
	*end = NULL;
	if (!store->first)
		store->last = &store->first;
	store->queued -= n;
	return items;
}

/* The next group; NULL after a second without any, and when the store closes. */
static struct waiting *queue_wait(struct sqlite_store *store, bool *closing)
{
	struct timespec until = seconds_from_now(1);
	struct waiting *items = NULL;
	int rc = 0;

	pthread_mutex_lock(&store->queue_lock);
	while (!store->first && !store->closing && rc != ETIMEDOUT) {
		if (store->wal_pages > 0)
			rc = pthread_cond_timedwait(
				&store->queue_filled, &store->queue_lock, &until);
		else
			pthread_cond_wait(&store->queue_filled, &store->queue_lock);
	}
	if (store->first)
		items = queue_cut(store);
	*closing = store->closing;
	pthread_mutex_unlock(&store->queue_lock);
	return items;
}

static void *writer_main(void *ctx)
{
	struct sqlite_store *store = ctx;
	bool closing = false;

	/* Who is under way comes to its own act first: the groups are larger. */
	thread_batch();
	while (!closing) {
		struct waiting *items = queue_wait(store, &closing);

		if (items) {
			group_write(store, items);
			checkpoint_by_size(store);
		} else if (!closing) {
			checkpoint(store, SQLITE_CHECKPOINT_PASSIVE);
			store->wal_pages = 0;
		}
	}
	return NULL;
}

static pt_err queue_add(struct sqlite_store *store, struct waiting *item)
{
	bool full;

	pthread_mutex_lock(&store->queue_lock);
	full = store->queued >= QUEUE_MOST;
	if (!full) {
		*store->last = item;
		store->last = &item->next;
		store->queued++;
		pthread_cond_signal(&store->queue_filled);
	}
	pthread_mutex_unlock(&store->queue_lock);
	return full ? PT_E_BUSY : PT_OK;
}

static pt_err sqlite_write(
	struct sql_store *sql, sql_act act, pt_arena *arena, const void *in, void *out)
{
	struct waiting item = { .act = act, .arena = arena, .in = in, .out = out };
	pt_err err;

	turn_rest(sqlite_of(sql));
	sem_init(&item.done, 0, 0);
	err = queue_add(sqlite_of(sql), &item);
	if (err == PT_OK) {
		while (sem_wait(&item.done) != 0)
			; /* EINTR */
		err = item.err;
	}
	sem_destroy(&item.done);
	return err;
}

/* ---- opening and closing -------------------------------------------------------------------- */

static void sqlite_free(struct sqlite_store *store)
{
	while (store->readers) {
		struct link *link = store->readers;

		store->readers = link->next;
		link_close(link);
	}
	link_close(store->writer); /* last: it folds the log into the file */
	pthread_mutex_destroy(&store->readers_lock);
	pthread_cond_destroy(&store->readers_free);
	pthread_mutex_destroy(&store->queue_lock);
	pthread_cond_destroy(&store->queue_filled);
	free(store->path);
	free(store);
}

static void sqlite_close(struct sql_store *sql)
{
	struct sqlite_store *store = sqlite_of(sql);

	pthread_mutex_lock(&store->queue_lock);
	store->closing = true;
	pthread_cond_signal(&store->queue_filled);
	pthread_mutex_unlock(&store->queue_lock);
	pthread_join(store->thread, NULL);
	sqlite_free(store);
}

static const struct sql_driver sqlite_driver = {
	.name = "sqlite",
	.dialect = SQL_SQLITE,
	.remote = false,
	.run = sqlite_run,
	.run_text = sqlite_run_text,
	.script = sqlite_script,
	.write = sqlite_write,
	.read = sqlite_read,
	.turn_begin = sqlite_turn_begin,
	.turn_end = sqlite_turn_end,
	.lock_name = sqlite_lock_name,
	.close = sqlite_close,
};

/* A path that SQLite cannot take for a URI or for its own ":memory:". */
static char *path_copy(pt_str path)
{
	const char *prefix = path.p[0] == '/' ? "" : "./";
	size_t skip = strlen(prefix);
	char *copy = malloc(skip + path.n + 1);

	if (!copy)
		return NULL;
	memcpy(copy, prefix, skip);
	memcpy(copy + skip, path.p, path.n);
	copy[skip + path.n] = '\0';
	return copy;
}

static pt_err directories_make(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		int rc;

		*slash = '\0';
		rc = mkdir(path, 0700);
		if (rc != 0 && errno != EEXIST)
			return fault(PT_F_CONFIG, "%s: cannot make the directory: %s", path,
				strerror(errno));
		*slash = '/';
	}
	return PT_OK;
}

/* Made by us and not by SQLite, which would let the umask decide who may read it. One that is there is
 * not opened: closing it would drop the locks that another store of this process has on it. */
static pt_err file_make(struct sqlite_store *store)
{
	PT_OWN(own_fd)
	int fd = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
	struct stat st;

	if ((fd < 0 && errno != EEXIST) || stat(store->path, &st) != 0)
		return fault(PT_F_CONFIG, "%s: cannot make the database file: %s", store->path,
			strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fault(PT_F_CONFIG, "%s: this is not a file", store->path);
	store->device = st.st_dev;
	store->inode = st.st_ino;
	return PT_OK;
}

/* Its counters of memory take a lock on every allocation, and nobody reads them. */
static void sqlite_quiet(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static void conds_init(struct sqlite_store *store)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&store->readers_free, &monotonic);
	pthread_cond_init(&store->queue_filled, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&store->readers_lock, NULL);
	pthread_mutex_init(&store->queue_lock, NULL);
}

/* Signals are for the threads of the server. */
static pt_err thread_start(struct sqlite_store *store)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&store->thread, NULL, writer_main, store);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc == 0 ? PT_OK : fault(PT_F_MEMORY, "%s: no thread for the writer", store->path);
}

static pt_err sqlite_start(struct sqlite_store *store)
{
	TRY(directories_make(store->path));
	TRY(file_make(store));
	if (writer_open(store) != PT_OK)
		return PT_F_CONFIG; /* said already */
	return thread_start(store);
}

pt_err sqlite_open(const struct store_setup *setup, struct sql_store **out)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pt_str path = str_slice(setup->url, sizeof("sqlite:") - 1, setup->url.n);
	struct sqlite_store *store;
	pt_err err;

	if (path.n == 0 || path.p[0] == ':' || memchr(path.p, '\0', path.n))
		return fault(PT_F_CONFIG, "sqlite: needs the path of a file after it");
	pthread_once(&once, sqlite_quiet);
	store = calloc(1, sizeof(*store));
	if (!store)
		return fault(PT_F_MEMORY, "sqlite: no memory for a store");
	store->sql.driver = &sqlite_driver;
	store->sql.directory = &sql_native_directory;
	store->group_max = setup->group_max ? setup->group_max : GROUP_MOST;
	store->last = &store->first;
	conds_init(store);
	store->path = path_copy(path);
	err = store->path ? sqlite_start(store)
			  : fault(PT_F_MEMORY, "sqlite: no memory for a path");
	if (err != PT_OK) {
		sqlite_free(store);
		return err;
	}
	*out = &store->sql;
	return PT_OK;
}

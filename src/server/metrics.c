/*
 * metrics.c - one line for each number.
 */
#include "server/metrics.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/own.h"
#include "base/str.h"
#include "crypt/password.h"
#include "portress/store.h"

#include "base/banned.h"

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP portress_%s %s\n# TYPE portress_%s %s\n", name, help, name, type);
}

static void one(struct buf *b, const char *name, const char *type, const char *help, int64_t value)
{
	head(b, name, type, help);
	buf_printf(b, "portress_%s %lld\n", name, (long long)value);
}

static void build(struct buf *b)
{
	head(b, "build_info", "gauge", "The program that is running.");
	buf_printf(b, "portress_build_info{version=\"%s\"} 1\n", pt_version());
}

static void answers(struct buf *b, const struct surface *surface)
{
	struct surface_counts counts;

	surface_counts(surface, &counts);
	head(b, "http_answers_total", "counter", "Answers by class of status.");
	for (int i = 1; i < 6; i++)
		buf_printf(b, "portress_http_answers_total{class=\"%dxx\"} %llu\n", i,
			(unsigned long long)counts.answers[i]);
}

static void connections(struct buf *b, const struct http_engine *engine)
{
	struct http_counts counts;

	http_engine_counts(engine, &counts);
	one(b, "http_connections_accepted_total", "counter", "Connections taken.",
		(int64_t)counts.accepted);
	one(b, "http_connections_open", "gauge", "Connections open now.", (int64_t)counts.open);
	one(b, "http_requests_total", "counter", "Requests that were answered.",
		(int64_t)counts.requests);
	one(b, "http_refused_total", "counter", "Messages that never became a request.",
		(int64_t)counts.refused);
	one(b, "http_shed_total", "counter", "Requests answered 503 because a queue was full.",
		(int64_t)counts.shed);
}

static void pools(struct buf *b, struct workers *workers)
{
	static const struct {
		enum http_lane lane;
		const char *name;
	} lanes[] = { { HTTP_SLOW, "slow" }, { HTTP_HASH, "hash" } };
	struct workers_counts counts[2];

	for (size_t i = 0; i < 2; i++)
		workers_counts(workers, lanes[i].lane, &counts[i]);
	head(b, "worker_jobs_total", "counter", "Calls taken by a pool of threads.");
	for (size_t i = 0; i < 2; i++)
		buf_printf(b, "portress_worker_jobs_total{pool=\"%s\"} %llu\n", lanes[i].name,
			(unsigned long long)counts[i].taken);
	head(b, "worker_refused_total", "counter", "Calls a pool had no room for.");
	for (size_t i = 0; i < 2; i++)
		buf_printf(b, "portress_worker_refused_total{pool=\"%s\"} %llu\n", lanes[i].name,
			(unsigned long long)counts[i].refused);
	head(b, "worker_waiting", "gauge", "Calls that wait for a thread.");
	for (size_t i = 0; i < 2; i++)
		buf_printf(b, "portress_worker_waiting{pool=\"%s\"} %u\n", lanes[i].name,
			counts[i].waiting);
	head(b, "worker_running", "gauge", "Calls that run now.");
	for (size_t i = 0; i < 2; i++)
		buf_printf(b, "portress_worker_running{pool=\"%s\"} %u\n", lanes[i].name,
			counts[i].running);
}

static void letters(struct buf *b, const struct metrics_sources *s, pt_arena *arena)
{
	struct outbox_counts sent;
	struct pt_store_counts stored;

	if (s->outbox) {
		outbox_counts(s->outbox, &sent);
		one(b, "letters_sent_total", "counter", "Letters the mail server took.",
			(int64_t)sent.sent);
		one(b, "letters_retried_total", "counter", "Attempts that will be made again.",
			(int64_t)sent.retried);
		one(b, "letters_dead_total", "counter", "Letters given up.", (int64_t)sent.dead);
		one(b, "letters_alarms_total", "counter",
			"Attempts that only an operator can mend.", (int64_t)sent.alarms);
	}
	/* A store that is away says so once, in the log; its numbers are then missing here. */
	if (s->store && s->store->counts(s->store->ctx, arena, &stored) == PT_OK) {
		one(b, "letters_waiting", "gauge", "Letters that wait to be sent.",
			stored.letters_waiting);
		one(b, "letters_dead", "gauge", "Letters given up and still kept.",
			stored.letters_dead);
	}
}

static void process(struct buf *b)
{
	PT_OWN(own_fd) int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[128];
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text)) : -1;
	pt_str size, resident, rest;
	int64_t pages;

	one(b, "log_dropped_total", "counter", "Log lines that nobody read in time.",
		(int64_t)log_dropped());
	one(b, "password_hashes_total", "counter", "Password hashes computed.",
		(int64_t)password_hashes_computed());
	/* In a jail there is no /proc. */
	if (n <= 0)
		return;
	str_cut(str_n(text, (size_t)n), ' ', &size, &rest);
	str_cut(rest, ' ', &resident, &rest);
	if (str_int(resident, 0, INT64_MAX / 65536, &pages))
		one(b, "resident_memory_bytes", "gauge", "Memory in use.",
			pages * sysconf(_SC_PAGESIZE));
}

pt_err metrics_text(const struct metrics_sources *sources, pt_arena *arena, pt_str *out)
{
	struct buf b = BUF(arena, 32 * KIB);

	build(&b);
	if (sources->surface)
		answers(&b, sources->surface);
	if (sources->engine)
		connections(&b, sources->engine);
	if (sources->workers)
		pools(&b, sources->workers);
	letters(&b, sources, arena);
	process(&b);
	return buf_done(&b, out);
}

/*
 * echo_server.c - the engine alone, with an application of a few lines, for tests and measurements.
 *
 *	GET  /healthz       200, a hundred bytes, on the loop's own thread
 *	POST /signup        200, the body back, on a worker; at most 64 KiB
 *	GET  /slow          200 after --call-ms on a worker
 *	GET  /held          200, held back for --call-ms without a thread
 *	GET  /who           200, who asks: client, client_known, tls, path, id
 *	GET  /large         200, as many bytes as the query says
 *
 * Prints "listening PORT" when it listens. SIGTERM drains it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "http/engine.h"

#include "base/banned.h"

/* ---- options ------------------------------------------------------------------------------ */

static struct {
	long port, loops, workers, queue, call_ms, grace_ms, proxy, quiet;
	long connections, per_client, header_ms, body_ms, idle_ms, write_ms;
	const char *trusted, *unix_path;
} options = {
	.loops = 1,
	.workers = 2,
	.queue = 64,
	.call_ms = 100,
	.grace_ms = 5000,
	.connections = 1024,
	.per_client = 64,
	.header_ms = 15000,
	.body_ms = 30000,
	.idle_ms = 60000,
	.write_ms = 30000,
};

static const struct {
	const char *name;
	long *number;
	const char **text;
} option_rows[] = {
	{ "--port", &options.port, NULL },
	{ "--unix", NULL, &options.unix_path },
	{ "--loops", &options.loops, NULL },
	{ "--workers", &options.workers, NULL },
	{ "--queue", &options.queue, NULL },
	{ "--call-ms", &options.call_ms, NULL },
	{ "--grace-ms", &options.grace_ms, NULL },
	{ "--proxy", &options.proxy, NULL },
	{ "--quiet", &options.quiet, NULL },
	{ "--trusted", NULL, &options.trusted },
	{ "--connections", &options.connections, NULL },
	{ "--per-client", &options.per_client, NULL },
	{ "--header-ms", &options.header_ms, NULL },
	{ "--body-ms", &options.body_ms, NULL },
	{ "--idle-ms", &options.idle_ms, NULL },
	{ "--write-ms", &options.write_ms, NULL },
};

static bool option_set(const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(option_rows) / sizeof(option_rows[0]); i++) {
		if (strcmp(name, option_rows[i].name) != 0)
			continue;
		if (option_rows[i].number)
			*option_rows[i].number = strtol(value, NULL, 10);
		else
			*option_rows[i].text = value;
		return true;
	}
	return false;
}

/* ---- the application ---------------------------------------------------------------------- */

static const char hundred[] = "a hundred bytes, give or take none: this is what the cheapest "
			      "answer of this server is made of.....\n";

static void pause_ms(long ms)
{
	struct timespec time = { ms / 1000, (ms % 1000) * 1000000 };

	while (nanosleep(&time, &time) != 0 && errno == EINTR)
		;
}

struct route {
	const char *path;
	enum http_method method;
	enum http_lane lane;
	size_t body_max;
	void (*answer)(const struct http_request *rq, struct http_response *rs);
};

static void health(const struct http_request *rq, struct http_response *rs)
{
	(void)rq;
	rs->body = str(hundred);
}

static void echo(const struct http_request *rq, struct http_response *rs)
{
	rs->body = rq->body;
}

static void slow(const struct http_request *rq, struct http_response *rs)
{
	(void)rq;
	pause_ms(options.call_ms);
	rs->body = str(hundred);
}

static void held(const struct http_request *rq, struct http_response *rs)
{
	(void)rq;
	rs->delay = options.call_ms * PT_MILLISECOND;
	rs->body = str(hundred);
}

static void who(const struct http_request *rq, struct http_response *rs)
{
	struct buf b = BUF(rs->arena, 4 * KIB);

	buf_str(&b, rq->client);
	buf_str(&b, rq->client_known ? PT_STR(" known ") : PT_STR(" unknown "));
	buf_str(&b, rq->tls ? PT_STR("https ") : PT_STR("http "));
	buf_str(&b, rq->path);
	buf_char(&b, ' ');
	buf_str(&b, rq->id);
	rs->body = buf_view(&b);
}

static void large(const struct http_request *rq, struct http_response *rs)
{
	int64_t n = 0;
	char *p;

	(void)str_int(rq->query, 0, 1000000, &n);
	p = arena_alloc(rs->arena, (size_t)n);
	if (p == NULL)
		return;
	memset(p, 'x', (size_t)n);
	rs->body = str_n(p, (size_t)n);
}

static void redirect(const struct http_request *rq, struct http_response *rs)
{
	rs->status = 302;
	/* A careless application: the engine must not let the text end the line. */
	http_set(rs, PT_STR("Location"), rq->path);
}

static const struct route routes[] = {
	{ "/healthz", HTTP_GET, HTTP_QUICK, 0, health },
	{ "/signup", HTTP_POST, HTTP_HASH, 64 * 1024, echo },
	{ "/slow", HTTP_GET, HTTP_SLOW, 0, slow },
	{ "/held", HTTP_GET, HTTP_QUICK, 0, held },
	{ "/who", HTTP_GET, HTTP_QUICK, 0, who },
	{ "/large", HTTP_GET, HTTP_SLOW, 0, large },
	{ "/redirect", HTTP_GET, HTTP_QUICK, 0, redirect },
};

static const struct route *route_find(const struct http_request *rq)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (str_eq(rq->path, str(routes[i].path)))
			return &routes[i];
	}
	return NULL;
}

static struct http_plan plan(void *ctx, const struct http_request *rq)
{
	const struct route *route = route_find(rq);

	(void)ctx;
	if (route == NULL || route->method != rq->method)
		return (struct http_plan){ HTTP_QUICK, 64 * 1024 };
	return (struct http_plan){ route->lane, route->body_max };
}

static void answer(void *ctx, const struct http_request *rq, struct http_response *rs)
{
	const struct route *route = route_find(rq);
	enum http_method method = rq->method == HTTP_HEAD ? HTTP_GET : rq->method;

	(void)ctx;
	if (route == NULL) {
		rs->status = 404;
		return;
	}
	if (route->method != method) {
		rs->status = 405;
		http_set(rs, PT_STR("Allow"),
			route->method == HTTP_GET ? PT_STR("GET, HEAD") : PT_STR("POST"));
		return;
	}
	rs->status = 200;
	http_set(rs, PT_STR("Content-Type"), PT_STR("text/plain"));
	route->answer(rq, rs);
}

static void refuse(void *ctx, const struct http_request *rq, int status, struct http_response *rs)
{
	(void)ctx;
	(void)rq;
	rs->status = status;
	http_set(rs, PT_STR("Content-Type"), PT_STR("text/plain"));
	rs->body = str(http_reason(status));
}

static void done(
	void *ctx, const struct http_request *rq, const struct http_response *rs, pt_time duration)
{
	(void)ctx;
	if (options.quiet)
		return;
	LOG(LOG_INFO, "http.request", F_CSTR("method", http_method_name(rq->method)),
		F_STR("path", rq->path), F_INT("status", rs->status), F_INT("us", duration));
}

static const struct http_app app = { NULL, plan, answer, refuse, done, NULL, NULL };

/* ---- workers ------------------------------------------------------------------------------ */

struct task {
	void (*run)(void *job);
	void *job;
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t some;
	struct task tasks[1024];
	size_t first, n;
	bool ends;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .some = PTHREAD_COND_INITIALIZER };

static bool submit(void *ctx, enum http_lane lane, void (*run)(void *job), void *job)
{
	bool room;

	(void)ctx;
	(void)lane;
	pthread_mutex_lock(&pool.lock);
	room = pool.n < (size_t)options.queue && pool.n < 1024;
	if (room) {
		pool.tasks[(pool.first + pool.n++) % 1024] = (struct task){ run, job };
		pthread_cond_signal(&pool.some);
	}
	pthread_mutex_unlock(&pool.lock);
	return room;
}

static void *work(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&pool.lock);
	for (;;) {
		struct task task;

		while (pool.n == 0 && !pool.ends)
			pthread_cond_wait(&pool.some, &pool.lock);
		if (pool.n == 0)
			break;
		task = pool.tasks[pool.first];
		pool.first = (pool.first + 1) % 1024;
		pool.n--;
		pthread_mutex_unlock(&pool.lock);
		task.run(task.job);
		pthread_mutex_lock(&pool.lock);
	}
	pthread_mutex_unlock(&pool.lock);
	return NULL;
}

static void workers_end(void)
{
	pthread_mutex_lock(&pool.lock);
	pool.ends = true;
	pthread_cond_broadcast(&pool.some);
	pthread_mutex_unlock(&pool.lock);
}

static const struct http_workers workers = { NULL, submit };

/* ---- sockets ------------------------------------------------------------------------------ */

static int listen_tcp(void)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)options.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 1024) != 0)
		return -1;
	getsockname(fd, (struct sockaddr *)&at, &length);
	printf("listening %d\n", ntohs(at.sin_port));
	fflush(stdout);
	return fd;
}

static int listen_unix(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(at.sun_path))
		return -1;
	memcpy(at.sun_path, path, strlen(path) + 1);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 1024) != 0)
		return -1;
	return fd;
}

/* ---- main --------------------------------------------------------------------------------- */

static struct http_limits limits_of_options(void)
{
	struct http_limits limits = http_default_limits;

	limits.connections = (size_t)options.connections;
	limits.per_client = (size_t)options.per_client;
	limits.header_time = options.header_ms * PT_MILLISECOND;
	limits.body_time = options.body_ms * PT_MILLISECOND;
	limits.idle_time = options.idle_ms * PT_MILLISECOND;
	limits.write_time = options.write_ms * PT_MILLISECOND;
	return limits;
}

static int serve(const struct http_setup *setup)
{
	struct http_engine *engine;
	struct http_counts counts;
	sigset_t set;
	int signal_number;
	bool all;

	if (http_engine_open(setup, &engine) != PT_OK)
		return 1;
	if (http_engine_start(engine) != PT_OK)
		return 1;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigwait(&set, &signal_number);

	all = http_engine_drain(engine, options.grace_ms * PT_MILLISECOND);
	http_engine_counts(engine, &counts);
	http_engine_close(engine);
	printf("drained %d accepted %lu requests %lu refused %lu shed %lu open %lu\n", all,
		(unsigned long)counts.accepted, (unsigned long)counts.requests,
		(unsigned long)counts.refused, (unsigned long)counts.shed,
		(unsigned long)counts.open);
	return 0;
}

int main(int argc, char **argv)
{
	struct http_listener listeners[2] = { { .fd = -1 } };
	struct networks trusted = { 0 };
	struct arena *arena = arena_open(MIB);
	struct http_limits limits;
	struct http_setup setup = { &app, &workers, &limits, &trusted, listeners, 1, 1 };
	pthread_t threads[64];
	sigset_t set;
	pt_str bad;
	int status;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (!option_set(argv[i], argv[i + 1])) {
			fprintf(stderr, "unknown option %s\n", argv[i]);
			return 2;
		}
	}
	log_open(LOG_TEXT, LOG_INFO);
	if (!networks_parse(arena, str(options.trusted), &trusted, &bad))
		return 2;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);

	limits = limits_of_options();
	setup.loops = (unsigned)options.loops;
	listeners[0].fd = listen_tcp();
	listeners[0].proxy_header = options.proxy != 0;
	if (options.unix_path)
		listeners[setup.n_listeners++].fd = listen_unix(options.unix_path);
	for (long i = 0; i < options.workers && i < 64; i++)
		pthread_create(&threads[i], NULL, work, NULL);

	status = serve(&setup);
	workers_end();
	for (long i = 0; i < options.workers && i < 64; i++)
		pthread_join(threads[i], NULL);
	arena_close(arena);
	return status;
}

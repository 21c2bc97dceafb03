/*
 * loop.c - one thread, one uv loop and its listeners.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "http/loop.h"

#include "base/banned.h"

enum {
	/* Few at a time: the other loops are awake too, and shall have their share. */
	ACCEPTS_AT_ONCE = 4,
	LAST_ACCEPTS = 1024,
	RETRY_MS = 100,
	COMPLAIN_MS = 60 * 1000,
};

static void on_listener(uv_poll_t *poll, int status, int events);

/* ---- accepting ---------------------------------------------------------------------------- */

static struct address address_of(const struct sockaddr_storage *from)
{
	struct address address = { .known = true };

	if (from->ss_family == AF_INET6) {
		memcpy(address.bytes, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
	} else if (from->ss_family == AF_INET) {
		address.bytes[10] = address.bytes[11] = 0xff;
		memcpy(address.bytes + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
	} else {
		address.known = false;
	}
	return address;
}

static void listeners_watch(struct loop *loop, bool watch)
{
	for (size_t i = 0; i < loop->n_listeners; i++) {
		struct loop_listener *listener = &loop->listeners[i];

		if (!listener->open)
			continue;
		if (watch)
			uv_poll_start(&listener->poll, UV_READABLE, on_listener);
		else
			uv_poll_stop(&listener->poll);
	}
}

static void on_retry(uv_timer_t *timer)
{
	listeners_watch(timer->data, true);
}

/* Out of descriptors or memory: a listener that stays readable would spin, so it rests. */
static void loop_rest(struct loop *loop, int error)
{
	uint64_t now = uv_now(&loop->uv);

	if (loop->complained == 0 || now - loop->complained > COMPLAIN_MS) {
		loop->complained = now;
		log_say(LOG_WARN, "http.accept", "cannot accept connections: %s",
			uv_strerror(uv_translate_sys_error(error)));
	}
	listeners_watch(loop, false);
	uv_timer_start(&loop->retry, on_retry, RETRY_MS, 0);
}

/* False: there is nothing to accept now. */
static bool listener_accept(struct loop_listener *listener)
{
	struct sockaddr_storage from = { 0 };
	socklen_t length = sizeof(from);
	struct address address;
	int fd = accept4(
		listener->fd, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		address = address_of(&from);
		connection_open(listener->loop, listener, fd, &address);
		return true;
	}
	switch (errno) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		loop_rest(listener->loop, errno);
		return false;
	case EINTR:
	case ECONNABORTED:
		return true;
	}
	return false;
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
	struct loop_listener *listener = poll->data;

	(void)events;
	if (status < 0)
		return;
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		if (!listener_accept(listener))
			break;
	}
}

static bool listener_open(struct loop *loop, struct loop_listener *listener,
	const struct http_listener *from, bool first)
{
	int fd = first ? from->fd : fcntl(from->fd, F_DUPFD_CLOEXEC, 3);

	*listener = (struct loop_listener){
		.loop = loop,
		.fd = fd,
		.proxy_header = from->proxy_header,
		.ops = from->ops,
	};
	if (fd < 0 || uv_poll_init(&loop->uv, &listener->poll, fd) != 0) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	listener->poll.data = listener;
	listener->open = true;
	return true;
}

static void listeners_close(struct loop *loop)
{
	for (size_t i = 0; i < loop->n_listeners; i++) {
		struct loop_listener *listener = &loop->listeners[i];

		if (!listener->open)
			continue;
		listener->open = false;
		uv_close((uv_handle_t *)&listener->poll, NULL);
		close(listener->fd);
	}
}

/* ---- turns -------------------------------------------------------------------------------- */

void loop_turn(struct loop *loop)
{
	const struct http_app *app = loop->engine->setup.app;

	if (loop->in_turn)
		return;
	loop->in_turn = true;
	if (app->turn_begin)
		app->turn_begin(app->ctx);
}

static void loop_turn_end(struct loop *loop)
{
	const struct http_app *app = loop->engine->setup.app;

	if (!loop->in_turn)
		return;
	loop->in_turn = false;
	if (app->turn_end)
		app->turn_end(app->ctx);
}

static void on_before_wait(uv_prepare_t *before_wait)
{
	loop_turn_end(before_wait->data);
	connections_send(before_wait->data);
}

/* ---- calls on workers --------------------------------------------------------------------- */

static void run_call(void *job)
{
	struct exchange *ex = job;
	struct loop *loop = ex->loop;

	exchange_answer(loop->engine->setup.app, ex);

	pthread_mutex_lock(&loop->lock);
	ex->next = loop->finished;
	loop->finished = ex;
	/* Inside the lock: once the loop has seen the last call it may be gone. */
	if (ex->next == NULL)
		uv_async_send(&loop->wake);
	pthread_mutex_unlock(&loop->lock);
}

bool loop_submit(struct loop *loop, struct exchange *ex)
{
	const struct http_workers *workers = loop->engine->setup.workers;

	loop->calls++;
	if (workers != NULL && workers->submit(workers->ctx, ex->plan.lane, run_call, ex))
		return true;
	loop->calls--;
	return false;
}

static void calls_finish(struct loop *loop)
{
	struct exchange *newest, *oldest = NULL;

	pthread_mutex_lock(&loop->lock);
	newest = loop->finished;
	loop->finished = NULL;
	pthread_mutex_unlock(&loop->lock);

	while (newest != NULL) {
		struct exchange *ex = newest;

		newest = ex->next;
		ex->next = oldest;
		oldest = ex;
	}
	while (oldest != NULL) {
		struct exchange *ex = oldest;

		oldest = ex->next;
		ex->next = NULL;
		loop->calls--;
		connection_finish(loop, ex);
	}
}

/* ---- the end ------------------------------------------------------------------------------ */

static void loop_drain(struct loop *loop)
{
	loop->draining = true;
	/* Who stands in the queue already is let in before the door is shut; a queue that never ends
	 * has no claim to that. */
	for (size_t i = 0; i < loop->n_listeners; i++) {
		for (int n = 0; n < LAST_ACCEPTS && listener_accept(&loop->listeners[i]); n++)
			;
	}
	listeners_close(loop);
	uv_timer_stop(&loop->retry);
	for (struct connection *c = loop->connections; c != NULL; c = c->younger)
		connection_drain(c);
}

static void loop_cut(struct loop *loop)
{
	for (struct connection *c = loop->connections; c != NULL; c = c->younger)
		connection_close(c);
}

void loop_may_stop(struct loop *loop)
{
	if (!loop->draining || loop->connections != NULL || loop->calls > 0 || loop->stopped)
		return;
	pthread_mutex_lock(&loop->lock);
	loop->stopped = true;
	pthread_mutex_unlock(&loop->lock);
	uv_close((uv_handle_t *)&loop->wake, NULL);
	uv_close((uv_handle_t *)&loop->deadlines, NULL);
	uv_close((uv_handle_t *)&loop->retry, NULL);
	uv_close((uv_handle_t *)&loop->before_wait, NULL);
}

static void on_wake(uv_async_t *wake)
{
	struct loop *loop = wake->data;
	struct http_engine *engine = loop->engine;

	calls_finish(loop);
	if (atomic_load(&engine->draining) && !loop->draining)
		loop_drain(loop);
	if (atomic_load(&engine->closing))
		loop_cut(loop);
	loop_may_stop(loop);
}

void loop_wake(struct loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	if (!loop->stopped)
		uv_async_send(&loop->wake);
	pthread_mutex_unlock(&loop->lock);
}

/* ---- open, run, close --------------------------------------------------------------------- */

static bool handles_open(struct loop *loop)
{
	if (uv_loop_init(&loop->uv) != 0)
		return false;
	if (uv_async_init(&loop->uv, &loop->wake, on_wake) != 0) {
		uv_loop_close(&loop->uv);
		return false;
	}
	uv_timer_init(&loop->uv, &loop->retry);
	uv_timer_init(&loop->uv, &loop->deadlines);
	uv_prepare_init(&loop->uv, &loop->before_wait);
	uv_prepare_start(&loop->before_wait, on_before_wait);
	loop->before_wait.data = loop;
	loop->wake.data = loop->retry.data = loop->deadlines.data = loop;
	loop->initialised = true;
	return true;
}

static pt_err buffers_open(struct loop *loop, const struct http_setup *setup)
{
	const struct http_limits *limits = setup->limits;
	/* The longest answers are longer than what most requests may use. */
	const size_t ceiling = limits->arena + 4 * MIB;

	/* A block that is almost complete, and a good piece of what follows it. */
	loop->input_size = limits->request_line + limits->header_block + 16 * KIB;
	loop->input = malloc(loop->input_size);
	loop->out_arena = arena_open(2 * ceiling);
	loop->listeners = calloc(setup->n_listeners, sizeof(*loop->listeners));
	if (loop->input == NULL || loop->out_arena == NULL || loop->listeners == NULL)
		return fault(PT_F_MEMORY, "no memory for a loop");
	loop->out = BUF(loop->out_arena, ceiling);
	return exchange_pool_open(&loop->pool, setup->app, limits, setup->trusted);
}

pt_err loop_open(struct loop *loop, struct http_engine *engine, bool first)
{
	const struct http_setup *setup = &engine->setup;

	loop->engine = engine;
	pthread_mutex_init(&loop->lock, NULL);
	TRY(buffers_open(loop, setup));
	if (!handles_open(loop))
		return fault(PT_F_IO, "cannot make an event loop");
	for (size_t i = 0; i < setup->n_listeners; i++) {
		if (!listener_open(loop, &loop->listeners[i], &setup->listeners[i], first))
			return fault(PT_F_IO, "cannot watch a listening socket");
		loop->n_listeners++;
	}
	listeners_watch(loop, true);
	return PT_OK;
}

static void loop_run(struct loop *loop)
{
	struct http_engine *engine = loop->engine;

	uv_run(&loop->uv, UV_RUN_DEFAULT);
	loop_turn_end(loop); /* the last round waits for nothing more */

	pthread_mutex_lock(&engine->lock);
	if (--engine->running == 0)
		pthread_cond_broadcast(&engine->idle);
	pthread_mutex_unlock(&engine->lock);
}

static void *loop_thread(void *arg)
{
	struct loop *loop = arg;
	char name[16];

	(void)snprintf(
		name, sizeof(name), "http/%u", (unsigned)(loop - loop->engine->loops) % 1000);
	pthread_setname_np(pthread_self(), name);
	loop_run(loop);
	return NULL;
}

pt_err loop_start(struct loop *loop)
{
	sigset_t all, before;
	int error;

	/* Signals belong to the host program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&loop->thread, NULL, loop_thread, loop);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0)
		return fault(PT_F_MEMORY, "cannot start a loop's thread");
	loop->started = true;
	return PT_OK;
}

void loop_close(struct loop *loop)
{
	if (loop->started) {
		pthread_join(loop->thread, NULL);
	} else if (loop->initialised) {
		loop->draining = true;
		listeners_close(loop);
		loop_may_stop(loop);
		uv_run(&loop->uv, UV_RUN_DEFAULT);
	}
	if (loop->initialised)
		uv_loop_close(&loop->uv);
	exchange_pool_close(&loop->pool);
	arena_close(loop->out_arena);
	free(loop->input);
	free(loop->listeners);
	pthread_mutex_destroy(&loop->lock);
}

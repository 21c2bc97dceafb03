/*
 * connection.c - one client's wire, from accept to close.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "http/loop.h"

#include "base/banned.h"

enum {
	OUT_ENOUGH = 64 * 1024,    /* answers to pipelined requests are sent at this size */
	SPOKEN_ENOUGH = 12 * 1024, /* those of several clients at this */
	THROWN_MOST = 256 * 1024,  /* a lingering client may send this much in vain */
	SHED_LINGERING_MOST = 64,  /* of those over the cap, a loop hears out so many at a time */
};

static void connection_settle(struct connection *c);

/* ---- bytes that wait ---------------------------------------------------------------------- */

static bool stock_add(struct stock *stock, pt_str bytes)
{
	char *p;

	if (bytes.n == 0)
		return true;
	/* Not realloc: it would leave a copy behind that nobody wipes. */
	p = malloc(stock->n + bytes.n);
	if (p == NULL)
		return false;
	if (stock->n > 0) {
		memcpy(p, stock->p, stock->n);
		explicit_bzero(stock->p, stock->n);
		free(stock->p);
	}
	memcpy(p + stock->n, bytes.p, bytes.n);
	stock->p = p;
	stock->n += bytes.n;
	return true;
}

static void stock_clear(struct stock *stock)
{
	if (stock->p != NULL)
		explicit_bzero(stock->p, stock->n);
	free(stock->p);
	*stock = (struct stock){ 0 };
}

static void stock_drop(struct stock *stock, size_t n)
{
	if (n == stock->n) {
		stock_clear(stock);
		return;
	}
	memmove(stock->p, stock->p + n, stock->n - n);
	explicit_bzero(stock->p + stock->n - n, n);
	stock->n -= n;
}

/* ---- the descriptor ----------------------------------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events);

/* Each change costs a system call, so what is watched changes only when it must. */
static void connection_watch(struct connection *c, int events)
{
	if (c->watched == events)
		return;
	c->watched = events;
	if (events == 0)
		uv_poll_stop(&c->poll);
	else
		uv_poll_start(&c->poll, events, on_poll);
}

/* What the socket takes at once; the rest waits. False: the client is gone. */
static bool connection_send(struct connection *c, pt_str bytes)
{
	ssize_t n = 0;

	if (bytes.n == 0)
		return true;
	if (c->unsent.n == 0) {
		do
			n = send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL);
		while (n < 0 && errno == EINTR);
		if (n < 0 && errno != EAGAIN)
			return false;
		if (n < 0)
			n = 0;
	}
	return stock_add(&c->unsent, str_slice(bytes, (size_t)n, bytes.n));
}

/* ---- what is sent together ---------------------------------------------------------------- */

static void out_clear(struct loop *loop)
{
	arena_reset(loop->out_arena);
	loop->out = BUF(loop->out_arena, loop->out.ceiling);
}

static size_t spoken_end(const struct loop *loop)
{
	return loop->n_spoken > 0 ? loop->spoken[loop->n_spoken - 1].end : 0;
}

static void spoken_send(struct loop *loop, const struct spoken *spoken, size_t from)
{
	struct connection *c = spoken->connection;

	c->spoke = false;
	/* It may stand there twice, and have gone at the first. */
	if (c->state == CONNECTION_CLOSED)
		return;
	if (!connection_send(c, str_n(loop->out.p + from, spoken->end - from)))
		c->broken = true;
	if (c->broken || c->unsent.n > 0)
		connection_settle(c);
}

/* The answers of all that wait; what stands behind them in the buffer stays. */
static void spoken_send_all(struct loop *loop)
{
	size_t from = 0;

	for (size_t i = 0; i < loop->n_spoken; i++) {
		spoken_send(loop, &loop->spoken[i], from);
		from = loop->spoken[i].end;
	}
	loop->n_spoken = 0;
}

void connections_send(struct loop *loop)
{
	if (loop->n_spoken == 0)
		return;
	spoken_send_all(loop);
	out_clear(loop);
}

/* Sends what the loop's buffer holds for this client, and before it what stands there for others. */
static bool connection_flush(struct connection *c)
{
	struct loop *loop = c->loop;
	size_t from = spoken_end(loop);
	bool sent;

	if (loop->out.n == from && !loop->out.failed)
		return true;
	spoken_send_all(loop);
	sent = !loop->out.failed && c->state != CONNECTION_CLOSED &&
	       connection_send(c, str_n(loop->out.p + from, loop->out.n - from));
	out_clear(loop);
	return sent;
}

/* The same at the end of the turn, together: a proxy on this machine that waits for us is woken by the first
 * answer, is awake for the rest, and to wake it is a tenth of what an answer costs. Not for last words: the
 * door closes behind them. */
static bool connection_flush_later(struct connection *c)
{
	struct loop *loop = c->loop;

	if (c->last || c->broken || loop->out.failed)
		return connection_flush(c);
	if (loop->out.n == spoken_end(loop))
		return true;
	loop->spoken[loop->n_spoken++] = (struct spoken){ c, loop->out.n };
	c->spoke = true;
	if (loop->n_spoken == SPOKEN_MOST || loop->out.n > SPOKEN_ENOUGH)
		connections_send(loop);
	return true;
}

/* ---- answers ------------------------------------------------------------------------------ */

static void exchange_done(struct loop *loop, struct exchange *ex)
{
	const struct http_app *app = loop->engine->setup.app;

	if (app->done)
		app->done(app->ctx, &ex->rq, &ex->rs, clock_monotonic() - ex->began);
	exchange_give(&loop->pool, ex);
}

/* The answer goes into the loop's buffer; who called flushes. */
static void connection_say(struct connection *c, struct exchange *ex)
{
	struct loop *loop = c->loop;

	if (!ex->keep_alive || ex->rs.close || loop->draining)
		c->last = true;
	c->answered = true;
	answer_write(&loop->out, &loop->date, ex, c->last);
	exchange_done(loop, ex);
}

static void connection_answer(struct connection *c, struct exchange *ex)
{
	if (ex->rs.delay > 0)
		c->held = ex;
	else
		connection_say(c, ex);
}

static void connection_refuse(struct connection *c)
{
	count(&c->loop->refused);
	c->last = true;
	c->lingers = true;
	connection_say(c, reader_next(&c->reader));
}

/* Also in capitals; and what is escaped, as forms (%70) and JSON (\u0070) have it, may be any word. */
static bool may_hold(pt_str text, pt_str word)
{
	char first = ascii_lower(word.p[0]);

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '%' || c == '\\')
			return true;
		if (ascii_lower(c) == first && str_eq_nocase(str_slice(text, i, i + word.n), word))
			return true;
	}
	return false;
}

/* Refreshing a token must not wait behind sign-ins, which come by the same path; and no sign-in may come
 * by where refreshing waits. */
static void lane_settle(struct exchange *ex)
{
	const struct http_plan *plan = &ex->plan;

	if (plan->lane == HTTP_HASH && plan->hash_word &&
		!may_hold(ex->rq.body, str(plan->hash_word)) &&
		!may_hold(ex->rq.query, str(plan->hash_word)))
		ex->plan.lane = HTTP_SLOW;
}

static void connection_call(struct connection *c)
{
	struct loop *loop = c->loop;
	const struct http_app *app = loop->engine->setup.app;
	struct exchange *ex = reader_next(&c->reader);

	count(&loop->requests);
	lane_settle(ex);
	if (ex->plan.lane == HTTP_QUICK) {
		loop_turn(loop);
		exchange_answer(app, ex);
		connection_answer(c, ex);
		return;
	}
	ex->connection = c;
	ex->loop = loop;
	c->called = ex;
	if (loop_submit(loop, ex))
		return;
	c->called = NULL;
	count(&loop->shed);
	exchange_refuse(app, ex, 503);
	connection_say(c, ex);
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool connection_may_read(const struct connection *c)
{
	return c->state != CONNECTION_CLOSED && !c->last && !c->called && !c->held &&
	       c->unsent.n == 0;
}

static void connection_event(struct connection *c, enum reader_event event)
{
	switch (event) {
	case READER_REQUEST:
		connection_call(c);
		break;
	case READER_ANSWERED:
		count(&c->loop->requests);
		connection_answer(c, reader_next(&c->reader));
		break;
	case READER_REFUSAL:
		connection_refuse(c);
		break;
	case READER_CONTINUE:
		buf_str(&c->loop->out, answer_continue);
		break;
	case READER_BROKEN:
		buf_str(&c->loop->out, answer_broken);
		c->last = true;
		c->lingers = true;
		break;
	case READER_MORE:
		break;
	}
}

static bool address_is_loopback(const struct address *address)
{
	static const uint8_t v4[13] = { [10] = 0xff, [11] = 0xff, [12] = 127 };
	static const uint8_t v6[16] = { [15] = 1 };

	return memcmp(address->bytes, v4, sizeof(v4)) == 0 ||
	       memcmp(address->bytes, v6, sizeof(v6)) == 0;
}

static bool connection_is_trusted(const struct connection *c)
{
	const struct networks *trusted = c->loop->engine->setup.trusted;

	if (trusted == NULL)
		return false;
	return c->address.known ? address_in(&c->address, trusted) : trusted->unix_peers;
}

/* Counts the client, unless it is one of ours. */
static bool connection_enter(struct connection *c)
{
	const struct http_engine *engine = c->loop->engine;
	size_t limit = engine->setup.limits->per_client;

	if (limit == 0 || !c->address.known || address_is_loopback(&c->address) ||
		connection_is_trusted(c))
		return true;
	c->has_peer = peers_enter(engine->peers, &c->address, limit);
	return c->has_peer;
}

static void connection_shed(struct connection *c)
{
	struct loop *loop = c->loop;

	count(&loop->shed);
	c->shed = true;
	c->last = true;
	c->lingers = true;
	if (loop->shed_lingering++ < SHED_LINGERING_MOST &&
		reader_refuse(&c->reader, 503) == READER_REFUSAL)
		connection_say(c, reader_next(&c->reader));
	else
		c->lingers = false;
}

static void peer_set(struct connection *c, const struct address *address)
{
	struct wire *wire = &c->reader.wire;

	c->address = *address;
	c->peer[0] = '\0';
	if (address->known)
		address_format(address, c->peer);
	wire->peer = str(c->peer);
}

/* Takes the PROXY header off the front. False: wait for more, or nothing more to read. */
static bool proxied_read(struct connection *c, pt_str *bytes)
{
	struct address client;
	int n = proxy_header_parse((const uint8_t *)bytes->p, bytes->n, &client);

	if (n < 0)
		c->last = true;
	if (n <= 0)
		return false;
	*bytes = str_slice(*bytes, (size_t)n, bytes->n);
	c->proxied = false;
	/* LOCAL and UNKNOWN speak of the proxy itself. */
	if (client.known)
		peer_set(c, &client);
	if (!connection_enter(c))
		connection_shed(c);
	return connection_may_read(c);
}

static void connection_consume(struct connection *c, pt_str bytes)
{
	bool more = !c->proxied || proxied_read(c, &bytes);

	while (more && connection_may_read(c)) {
		size_t used;
		enum reader_event event = reader_feed(&c->reader, bytes, &used);

		bytes = str_slice(bytes, used, bytes.n);
		more = event != READER_MORE;
		connection_event(c, event);
		if (c->loop->out.n > OUT_ENOUGH && !connection_flush(c))
			c->broken = true;
	}
	if (!stock_add(&c->unread, bytes) || !connection_flush_later(c))
		c->broken = true;
	connection_settle(c);
}

/* Goes on with what had to wait. */
static void connection_resume(struct connection *c)
{
	struct loop *loop = c->loop;
	size_t n = c->unread.n;

	if (n > 0)
		memcpy(loop->input, c->unread.p, n);
	stock_clear(&c->unread);
	connection_consume(c, str_n(loop->input, n));
	explicit_bzero(loop->input, n);
}

static void connection_read(struct connection *c)
{
	struct loop *loop = c->loop;
	size_t had = c->unread.n;
	ssize_t n = recv(c->fd, loop->input + had, loop->input_size - had, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* The end of what the client says, or of the client; nobody waits for an answer. */
		connection_close(c);
		return;
	}
	if (had > 0)
		memcpy(loop->input, c->unread.p, had);
	stock_clear(&c->unread);
	connection_consume(c, str_n(loop->input, had + (size_t)n));
	explicit_bzero(loop->input, had + (size_t)n);
}

static void connection_throw(struct connection *c)
{
	ssize_t n = recv(c->fd, c->loop->input, c->loop->input_size, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		explicit_bzero(c->loop->input, (size_t)n);
		c->thrown += (size_t)n;
	}
	if (n <= 0 || c->thrown > THROWN_MOST)
		connection_close(c);
}

static void connection_write(struct connection *c)
{
	ssize_t n = send(c->fd, c->unsent.p, c->unsent.n, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		connection_close(c);
		return;
	}
	stock_drop(&c->unsent, (size_t)n);
	if (c->unsent.n == 0)
		connection_resume(c);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct connection *c = poll->data;

	(void)events;
	if (status < 0) {
		connection_close(c);
		return;
	}
	switch (c->state) {
	case CONNECTION_PROXIED:
	case CONNECTION_IDLE:
	case CONNECTION_HEADER:
	case CONNECTION_BODY:
		connection_read(c);
		break;
	case CONNECTION_CALLING:
	case CONNECTION_HELD:
		/* The next request, or the end of the stream: it waits until this one is answered. */
		connection_watch(c, 0);
		break;
	case CONNECTION_WRITING:
		connection_write(c);
		break;
	case CONNECTION_LINGERING:
		connection_throw(c);
		break;
	case CONNECTION_CLOSED:
	case CONNECTION_STATES:
		break;
	}
}

/* ---- states ------------------------------------------------------------------------------- */

/* Where it stands, by what it holds. */
static enum connection_state connection_state_of(const struct connection *c)
{
	if (c->broken)
		return CONNECTION_CLOSED;
	if (c->unsent.n > 0)
		return CONNECTION_WRITING;
	if (c->called)
		return CONNECTION_CALLING;
	if (c->held)
		return CONNECTION_HELD;
	if (c->last)
		return c->lingers || c->unread.n > 0 ? CONNECTION_LINGERING : CONNECTION_CLOSED;
	if (c->reader.state == READER_BODY)
		return CONNECTION_BODY;
	if (c->loop->draining)
		return CONNECTION_CLOSED;
	if (c->proxied)
		return CONNECTION_PROXIED;
	return c->unread.n > 0 || c->reader.skipped_blank ? CONNECTION_HEADER : CONNECTION_IDLE;
}

static void connection_settle(struct connection *c)
{
	enum connection_state state = connection_state_of(c);

	if (c->state == CONNECTION_CLOSED)
		return;
	if (state == CONNECTION_CLOSED) {
		connection_close(c);
		return;
	}
	/* A deadline is absolute: who stays in a state keeps it. Idle time begins anew. */
	if (state != c->state || c->answered)
		deadline_move(c, state, c->held ? c->held->rs.delay : 0);
	c->answered = false;
	switch (state) {
	case CONNECTION_LINGERING:
		shutdown(c->fd, SHUT_WR);
		connection_watch(c, UV_READABLE);
		break;
	case CONNECTION_CALLING:
	case CONNECTION_HELD:
		break;
	case CONNECTION_WRITING:
		connection_watch(c, UV_WRITABLE);
		break;
	default:
		connection_watch(c, UV_READABLE);
	}
}

/* ---- open and close ----------------------------------------------------------------------- */

static void connection_link(struct connection *c)
{
	struct loop *loop = c->loop;

	c->younger = loop->connections;
	if (c->younger)
		c->younger->elder = c;
	loop->connections = c;
}

static void connection_unlink(struct connection *c)
{
	*(c->elder ? &c->elder->younger : &c->loop->connections) = c->younger;
	if (c->younger)
		c->younger->elder = c->elder;
}

static struct connection *connection_make(struct loop *loop, int fd)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (c == NULL || uv_poll_init(&loop->uv, &c->poll, fd) != 0) {
		(void)fault(PT_F_MEMORY, "no memory for a connection");
		free(c);
		close(fd);
		return NULL;
	}
	c->poll.data = c;
	c->loop = loop;
	c->fd = fd;
	c->state = CONNECTION_CALLING;
	connection_link(c);
	return c;
}

/* May it come in at all? Says 503 if not. */
static void connection_judge(struct connection *c, bool is_full)
{
	if (is_full)
		connection_shed(c);
	else if (c->proxied && !connection_is_trusted(c))
		c->last = true;
	else if (!c->proxied && !connection_enter(c))
		connection_shed(c);
}

void connection_open(struct loop *loop, const struct loop_listener *listener, int fd,
	const struct address *address)
{
	struct http_engine *engine = loop->engine;
	size_t open = atomic_fetch_add_explicit(&engine->open, 1, memory_order_relaxed);
	const struct wire wire = { .ops = listener->ops };
	struct connection *c = connection_make(loop, fd);
	int one = 1;

	count(&loop->accepted);
	if (c == NULL) {
		atomic_fetch_sub_explicit(&engine->open, 1, memory_order_relaxed);
		return;
	}
	/* An answer is one send; there is nothing to wait for. On a unix socket this does nothing. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	reader_open(&c->reader, &loop->pool, &wire);
	peer_set(c, address);
	c->proxied = listener->proxy_header;
	connection_judge(c, open >= engine->setup.limits->connections);
	c->broken = !connection_flush(c);
	connection_settle(c);
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;
	struct loop *loop = c->loop;

	connection_unlink(c);
	free(c);
	loop_may_stop(loop);
}

void connection_close(struct connection *c)
{
	struct loop *loop = c->loop;
	struct http_engine *engine = loop->engine;

	if (c->spoke)
		connections_send(loop);
	if (c->state == CONNECTION_CLOSED)
		return;
	deadline_move(c, CONNECTION_CLOSED, 0);
	/* The call ends in its own time; its answer has nobody to go to. */
	if (c->called)
		c->called->connection = NULL;
	if (c->held)
		exchange_done(loop, c->held);
	reader_close(&c->reader);
	stock_clear(&c->unread);
	stock_clear(&c->unsent);
	if (c->has_peer)
		peers_leave(engine->peers, &c->address);
	if (c->shed)
		loop->shed_lingering--;
	uv_close((uv_handle_t *)&c->poll, on_closed);
	close(c->fd);
	atomic_fetch_sub_explicit(&engine->open, 1, memory_order_relaxed);
}

/* ---- what happens to it from outside ------------------------------------------------------ */

void connection_finish(struct loop *loop, struct exchange *ex)
{
	struct connection *c = ex->connection;

	if (c == NULL) {
		exchange_done(loop, ex);
		return;
	}
	c->called = NULL;
	connection_answer(c, ex);
	connection_resume(c);
}

static bool connection_waits(const struct connection *c)
{
	return c->state == CONNECTION_IDLE || c->state == CONNECTION_HEADER ||
	       c->state == CONNECTION_PROXIED;
}

void connection_drain(struct connection *c)
{
	/* A request may lie in the socket already. */
	if (connection_waits(c))
		connection_read(c);
	if (connection_waits(c) || c->state == CONNECTION_LINGERING)
		connection_close(c);
}

static void connection_time_out(struct connection *c)
{
	connection_event(c, reader_refuse(&c->reader, 408));
	c->broken = !connection_flush(c);
	connection_settle(c);
}

static void connection_release(struct connection *c)
{
	struct exchange *ex = c->held;

	c->held = NULL;
	connection_say(c, ex);
	connection_resume(c);
}

/* Closes without leaving the kernel to offer the rest of the answer for minutes. */
static void connection_abort(struct connection *c)
{
	const struct linger at_once = { .l_onoff = 1 };

	(void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	connection_close(c);
}

void connection_expire(struct connection *c)
{
	switch (c->state) {
	case CONNECTION_HEADER:
	case CONNECTION_BODY:
		connection_time_out(c);
		break;
	case CONNECTION_HELD:
		connection_release(c);
		break;
	case CONNECTION_WRITING:
		connection_abort(c);
		break;
	case CONNECTION_PROXIED:
	case CONNECTION_IDLE:
	case CONNECTION_LINGERING:
	case CONNECTION_CALLING:
	case CONNECTION_CLOSED:
	case CONNECTION_STATES:
		connection_close(c);
		break;
	}
}

/*
 * reader.c - bytes become requests, one after the other.
 */
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "http/reader.h"

#include "base/banned.h"

void reader_open(struct reader *reader, struct exchange_pool *pool, const struct wire *wire)
{
	*reader = (struct reader){ .pool = pool, .wire = *wire };
}

void reader_close(struct reader *reader)
{
	exchange_give(reader->pool, reader->exchange);
	reader->exchange = NULL;
}

struct exchange *reader_next(struct reader *reader)
{
	struct exchange *ex = reader->exchange;

	reader->exchange = NULL;
	if (reader->state != READER_REFUSED)
		reader->state = READER_HEAD;
	reader->scan = (struct head_scan){ 0 };
	reader->skipped_blank = false;
	return ex;
}

enum reader_event reader_refuse(struct reader *reader, int status)
{
	reader->state = READER_REFUSED;
	if (reader->exchange == NULL)
		reader->exchange = exchange_take(reader->pool, &reader->wire);
	if (reader->exchange == NULL)
		return READER_BROKEN;
	if (reader->exchange->began == 0)
		reader->exchange->began = clock_monotonic();
	if (reader->exchange->rq.received == 0)
		reader->exchange->rq.received = clock_now();
	exchange_refuse(reader->pool->app, reader->exchange, status);
	reader->exchange->rs.close = true;
	reader->exchange->keep_alive = false;
	return READER_REFUSAL;
}

/* ---- the header block --------------------------------------------------------------------- */

/* What the headers that the engine itself obeys have said, and how often some others came. */
struct orders {
	size_t hosts, lengths, codings, expectations, connections, credentials, types;
	pt_str host, length, coding, expectation, id, credential, type;
};

static void order_note(pt_str *value, size_t *times, const struct http_header *header)
{
	*value = header->value;
	(*times)++;
}

static void orders_read(const struct http_request *rq, struct orders *out)
{
	size_t ids = 0;

	*out = (struct orders){ 0 };
	for (size_t i = 0; i < rq->n_headers; i++) {
		const struct http_header *header = &rq->headers[i];

		if (str_eq(header->name, PT_STR("host")))
			order_note(&out->host, &out->hosts, header);
		else if (str_eq(header->name, PT_STR("content-length")))
			order_note(&out->length, &out->lengths, header);
		else if (str_eq(header->name, PT_STR("transfer-encoding")))
			order_note(&out->coding, &out->codings, header);
		else if (str_eq(header->name, PT_STR("expect")))
			order_note(&out->expectation, &out->expectations, header);
		else if (str_eq(header->name, PT_STR("x-request-id")))
			order_note(&out->id, &ids, header);
		else if (str_eq(header->name, PT_STR("authorization")))
			order_note(&out->credential, &out->credentials, header);
		else if (str_eq(header->name, PT_STR("content-type")))
			order_note(&out->type, &out->types, header);
	}
}

/* RFC 9110 5.3: no list may be made of these, and two programs may well read another of two. */
static bool is_said_once(const struct orders *orders)
{
	return orders->credentials <= 1 && orders->types <= 1;
}

/* RFC 9112 6.3: whoever disagrees about the length of a message disagrees about the next one. */
static int framing_check(const struct exchange *ex, const struct orders *orders, uint64_t *length)
{
	int64_t number = 0;

	if (orders->lengths > 1 || orders->codings > 1)
		return 400;
	if (orders->codings == 1) {
		if (orders->lengths > 0 || ex->rq.http_1_0)
			return 400;
		if (!str_eq_nocase(orders->coding, PT_STR("chunked")))
			return 501;
		if (!grammar_chunked(ex->grammar))
			return 400;
	}
	if (orders->lengths == 1) {
		/* The value is looked at as it came: "5 " is not a number. */
		const char *after = orders->length.p + orders->length.n;

		if (!str_int(orders->length, 0, INT64_MAX, &number) || *after != '\r')
			return 400;
	}
	*length = (uint64_t)number;
	return 0;
}

static bool lower_copy(struct arena *arena, pt_str s, pt_str *out)
{
	char *p = arena_alloc(arena, s.n);

	if (p == NULL)
		return false;
	for (size_t i = 0; i < s.n; i++)
		p[i] = ascii_lower(s.p[i]);
	*out = str_n(p, s.n);
	return true;
}

/* RFC 9112 3.2: one Host, a valid one, and no other authority in the request line. */
static int host_read(
	struct http_request *rq, const struct orders *orders, const struct head_target *target)
{
	pt_str host = orders->host;

	if (orders->hosts > 1 || (orders->hosts == 0 && !rq->http_1_0))
		return 400;
	if (orders->hosts == 1 && !head_host_is(host))
		return 400;
	if (target->authority.n > 0) {
		if (orders->hosts == 1 && !str_eq_nocase(host, target->authority))
			return 400;
		if (!head_host_is(target->authority))
			return 400;
		host = target->authority;
	}
	return host.n == 0 || lower_copy(rq->arena, host, &rq->host) ? 0 : 500;
}

/* An id from outside is kept if it can do no harm in a log line. */
static bool id_is(pt_str id)
{
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];

		if (!ascii_alnum(c) && c != '.' && c != '_' && c != '-')
			return false;
	}
	return id.n >= 1 && id.n <= 64;
}

static bool peer_is_trusted(const struct http_request *rq, const struct networks *trusted)
{
	struct address peer;

	if (trusted == NULL)
		return false;
	if (rq->peer.n == 0)
		return trusted->unix_peers;
	return address_parse(rq->peer, &peer) && address_in(&peer, trusted);
}

static int asker_read(
	struct http_request *rq, const struct orders *orders, const struct networks *trusted)
{
	if (proxy_resolve(rq, trusted) != PT_OK)
		return 500;
	if (orders->id.n > 0 && id_is(orders->id) && peer_is_trusted(rq, trusted))
		rq->id = orders->id;
	return 0;
}

/* Copies the block into the arena and has it read there. */
static int block_read(struct exchange *ex, pt_str block, size_t lines, struct head_line *line,
	enum grammar_step *step)
{
	const char *end = memchr(block.p, '\r', block.n);
	int status;

	ex->headers_room = lines;
	ex->headers = ARENA_ARRAY(ex->arena, struct http_header, lines);
	ex->head = arena_alloc(ex->arena, block.n);
	if (ex->headers == NULL || ex->head == NULL)
		return 500;
	memcpy(ex->head, block.p, block.n);
	ex->rq.headers = ex->headers;

	status = head_line_read(str_n(ex->head, (size_t)(end - block.p)), line);
	if (status != 0)
		return status;
	if (str_eq(line->method, PT_STR("TRACE")) || str_eq(line->method, PT_STR("CONNECT")))
		return 405;
	*step = grammar_head(
		ex->grammar, str_n(ex->head + line->method.n, block.n - line->method.n));
	return *step == GRAMMAR_BAD ? 400 : 0;
}

/* Fills everything of the request but its body. */
static int head_read(struct reader *reader, struct exchange *ex, pt_str block,
	enum grammar_step *step, struct orders *orders, uint64_t *length)
{
	struct http_request *rq = &ex->rq;
	struct head_line line;
	struct head_target target = { 0 };
	int status = block_read(ex, block, reader->scan.lines - 1, &line, step);

	if (status != 0)
		return status;
	orders_read(rq, orders);
	rq->method = head_method(line.method);
	rq->http_1_0 = line.http_1_0;
	ex->keep_alive = !line.http_1_0 && !grammar_closes(ex->grammar);

	status = framing_check(ex, orders, length);
	if (status == 0)
		status = head_target_read(ex->arena, line.target, &target);
	if (status != 0)
		return status;
	/* RFC 9112 3.2.4: asterisk-form is for a server-wide OPTIONS only. */
	if (target.asterisk && rq->method != HTTP_OPTIONS)
		return 400;
	rq->path = target.path;
	rq->query = target.query;

	if (!is_said_once(orders))
		return 400;
	status = host_read(rq, orders, &target);
	return status != 0 ? status : asker_read(rq, orders, reader->pool->trusted);
}

/* RFC 9110 10.1.1: 100-continue is the only expectation there is. */
static int expectation_check(const struct exchange *ex, const struct orders *orders)
{
	if (orders->expectations == 0 || ex->rq.http_1_0)
		return 0;
	if (orders->expectations > 1 || !str_eq_nocase(orders->expectation, PT_STR("100-continue")))
		return 417;
	return 0;
}

/* OPTIONS * is the one request that names no path. */
static bool asks_for_server(const struct http_request *rq)
{
	return str_eq(rq->path, PT_STR("*"));
}

static enum reader_event request_ready(struct reader *reader)
{
	struct exchange *ex = reader->exchange;

	reader->state = READER_READY;
	if (ex->body.failed)
		return reader_refuse(reader, 500);
	ex->rq.body = buf_view(&ex->body);
	if (!asks_for_server(&ex->rq))
		return READER_REQUEST;
	/* A question about the server as a whole gets no list of what it knows. */
	ex->rs.status = 204;
	return READER_ANSWERED;
}

static enum reader_event head_done(struct reader *reader, pt_str block, size_t more)
{
	struct exchange *ex = exchange_take(reader->pool, &reader->wire);
	const struct http_app *app = reader->pool->app;
	enum grammar_step step = GRAMMAR_BAD;
	struct orders orders;
	uint64_t length = 0;
	int status;

	if (ex == NULL)
		return READER_BROKEN;
	reader->exchange = ex;
	ex->began = clock_monotonic();
	ex->rq.received = clock_now();
	status = head_read(reader, ex, block, &step, &orders, &length);
	if (status == 0)
		status = expectation_check(ex, &orders);
	if (status != 0)
		return reader_refuse(reader, status);

	ex->plan = (struct http_plan){ 0 };
	if (!asks_for_server(&ex->rq))
		ex->plan = app->plan(app->ctx, &ex->rq);
	ex->rq.found = ex->plan.found;
	if (length > ex->plan.body_max || (orders.codings > 0 && ex->plan.body_max == 0))
		return reader_refuse(reader, 413);
	ex->body = BUF(ex->arena, ex->plan.body_max + 1);
	if (step == GRAMMAR_END)
		return request_ready(reader);
	reader->state = READER_BODY;
	/* A client that sends without waiting needs no leave. */
	return orders.expectations > 0 && !ex->rq.http_1_0 && more == 0 ? READER_CONTINUE
									: READER_MORE;
}

/* RFC 9112 2.2: one empty line before a request is forgiven, for clients that end a body in one. */
static size_t blank_skip(struct reader *reader, pt_str bytes)
{
	if (reader->skipped_blank || reader->scan.at > 0 || !str_starts(bytes, PT_STR("\r\n")))
		return 0;
	reader->skipped_blank = true;
	return 2;
}

static enum reader_event head_feed(struct reader *reader, pt_str bytes, size_t *used)
{
	size_t blank = blank_skip(reader, bytes), length;
	int status;

	bytes = str_slice(bytes, blank, bytes.n);
	*used = blank;
	status = head_scan(&reader->scan, bytes, reader->pool->limits, &length);
	if (status != 0)
		return reader_refuse(reader, status);
	if (length == 0)
		return READER_MORE;
	*used += length;
	return head_done(reader, str_slice(bytes, 0, length), bytes.n - length);
}

/* ---- the body ----------------------------------------------------------------------------- */

static enum reader_event body_feed(struct reader *reader, pt_str bytes, size_t *used)
{
	struct exchange *ex = reader->exchange;
	size_t before = ex->body.n;
	enum grammar_step step = grammar_body(ex->grammar, bytes, used);

	/* Chunks of one byte, or with long extensions, make much ado about little. */
	ex->framing += *used - (ex->body.n - before);
	if (ex->framing > reader->pool->limits->header_block + 8 * ex->body.n)
		return reader_refuse(reader, 413);
	if (step == GRAMMAR_BAD)
		return reader_refuse(reader, ex->too_large ? 413 : 400);
	return step == GRAMMAR_END ? request_ready(reader) : READER_MORE;
}

enum reader_event reader_feed(struct reader *reader, pt_str bytes, size_t *used)
{
	enum reader_event event = READER_MORE;
	size_t head = 0, body = 0;

	if (reader->state == READER_HEAD)
		event = head_feed(reader, bytes, &head);
	bytes = str_slice(bytes, head, bytes.n);
	if (event == READER_MORE && reader->state == READER_BODY && bytes.n > 0)
		event = body_feed(reader, bytes, &body);
	*used = head + body;
	return event;
}

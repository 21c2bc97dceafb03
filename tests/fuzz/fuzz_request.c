/*
 * fuzz_request.c - whatever comes over the wire: what the application hears keeps the promises of
 * request.h, and does not depend on how the bytes were cut into packets.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "http/engine_mem.h"

#include "base/banned.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

#define MUST(truth) must((truth), #truth)

/* What the application heard, in one number (FNV-1a). */
struct story {
	uint64_t sum;
	size_t heard;
};

static void note(struct story *story, pt_str s)
{
	for (size_t i = 0; i < s.n; i++)
		story->sum = (story->sum ^ (uint8_t)s.p[i]) * UINT64_C(0x100000001b3);
	story->sum = (story->sum ^ 0x1ff) * UINT64_C(0x100000001b3);
}

static void promises_check(const struct http_request *rq)
{
	MUST(rq->path.n > 0 && rq->path.p[0] == '/');
	MUST(!str_contains(rq->path, PT_STR("//")));
	MUST(!str_contains(rq->path, PT_STR("/./")) && !str_ends(rq->path, PT_STR("/.")));
	MUST(!str_contains(rq->path, PT_STR("/../")) && !str_ends(rq->path, PT_STR("/..")));
	MUST(str_find(rq->path, ';') == rq->path.n && str_find(rq->path, '\\') == rq->path.n);
	MUST(str_find(rq->path, '\0') == rq->path.n && str_utf8(rq->path));
	MUST(rq->http_1_0 || rq->host.n > 0);
	MUST(rq->n_headers <= http_default_limits.headers);
	for (size_t i = 0; i < rq->n_headers; i++) {
		MUST(rq->headers[i].name.n > 0);
		for (size_t j = 0; j < rq->headers[i].value.n; j++) {
			char c = rq->headers[i].value.p[j];

			MUST(c != '\r' && c != '\n' && c != '\0');
		}
	}
}

static struct http_plan plan(void *ctx, const struct http_request *rq)
{
	(void)ctx;
	promises_check(rq);
	return (struct http_plan){ HTTP_QUICK, 4096 };
}

static void answer(void *ctx, const struct http_request *rq, struct http_response *rs)
{
	struct story *story = ctx;

	promises_check(rq);
	MUST(rq->body.n <= 4096);
	story->heard++;
	note(story, str(http_method_name(rq->method)));
	note(story, rq->path);
	note(story, rq->query);
	note(story, rq->host);
	note(story, rq->body);
	note(story, rq->client);
	for (size_t i = 0; i < rq->n_headers; i++) {
		note(story, rq->headers[i].name);
		note(story, rq->headers[i].value);
	}
	rs->status = 200;
	rs->body = rq->body;
}

static void refuse(void *ctx, const struct http_request *rq, int status, struct http_response *rs)
{
	(void)rq;
	note(ctx, PT_STR("refused"));
	rs->status = status;
}

static const struct network everybody[] = { { { 0 }, 0 } };
static const struct networks trusted = { everybody, 1, true };

/* Feeds pieces of `piece` bytes. */
static struct story tell(const uint8_t *data, size_t size, size_t piece)
{
	struct story story = { .sum = UINT64_C(0xcbf29ce484222325) };
	const struct http_app app = { &story, plan, answer, refuse, NULL, NULL, NULL };
	struct mem_wire *wire;

	if (mem_wire_open(&app, &http_default_limits, &trusted, PT_STR("192.0.2.1"), &wire) !=
		PT_OK)
		abort();
	for (size_t at = 0; at < size; at += piece)
		mem_wire_feed(wire, str_n(data + at, size - at < piece ? size - at : piece));
	if (mem_wire_closed(wire))
		note(&story, PT_STR("closed"));
	mem_wire_close(wire);
	return story;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_open(LOG_TEXT, LOG_ERROR);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct story whole, pieces;

	if (size < 1)
		return 0;
	whole = tell(data + 1, size - 1, size);
	pieces = tell(data + 1, size - 1, 1 + data[0] % 16);
	MUST(whole.sum == pieces.sum && whole.heard == pieces.heard);
	return 0;
}

/*
 * grammar.c - llhttp at arm's length. No other file sees its header.
 */
#include <llhttp.h>
#include <stdlib.h>

#include "base/str.h"
#include "http/grammar.h"

#include "base/banned.h"

struct grammar {
	llhttp_t parser;
	struct grammar_sink sink;
	pt_str name;
	pt_str value;
	bool in_head;
};

/* A span may come in parts; within one block the parts touch each other. */
static int span_extend(pt_str *span, const char *at, size_t n)
{
	if (span->p == NULL)
		*span = str_n(at, n);
	else if (span->p + span->n == at)
		span->n += n;
	else
		return -1;
	return 0;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t n)
{
	struct grammar *grammar = parser->data;

	/* Trailers could only say what the header block should have said. */
	if (!grammar->in_head)
		return -1;
	return span_extend(&grammar->name, at, n);
}

static int on_header_value(llhttp_t *parser, const char *at, size_t n)
{
	struct grammar *grammar = parser->data;

	return span_extend(&grammar->value, at, n);
}

static int on_header_value_complete(llhttp_t *parser)
{
	struct grammar *grammar = parser->data;
	pt_str name = grammar->name, value = str_trim(grammar->value);

	grammar->name = grammar->value = (pt_str){ NULL, 0 };
	return grammar->sink.header(grammar->sink.ctx, name, value) ? 0 : -1;
}

static int on_headers_complete(llhttp_t *parser)
{
	struct grammar *grammar = parser->data;

	grammar->in_head = false;
	/* We speak no other protocol, so a wish to upgrade is not heard (RFC 9110 7.8). */
	parser->upgrade = 0;
	return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t n)
{
	struct grammar *grammar = parser->data;

	return grammar->sink.body(grammar->sink.ctx, str_n(at, n)) ? 0 : HPE_USER;
}

/* Pausing keeps the bytes of the next request from being read before this one is answered. */
static int on_message_complete(llhttp_t *parser)
{
	(void)parser;
	return HPE_PAUSED;
}

/* llhttp never writes to its settings, its type only forgot to say so. */
static llhttp_settings_t settings = {
	.on_header_field = on_header_field,
	.on_header_value = on_header_value,
	.on_header_value_complete = on_header_value_complete,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_message_complete = on_message_complete,
};

struct grammar *grammar_open(const struct grammar_sink *sink)
{
	struct grammar *grammar = calloc(1, sizeof(*grammar));

	if (grammar)
		grammar->sink = *sink;
	return grammar;
}

void grammar_close(struct grammar *grammar)
{
	free(grammar);
}

static enum grammar_step step_of(enum llhttp_errno error)
{
	if (error == HPE_OK)
		return GRAMMAR_MORE;
	return error == HPE_PAUSED ? GRAMMAR_END : GRAMMAR_BAD;
}

enum grammar_step grammar_head(struct grammar *grammar, pt_str block)
{
	enum llhttp_errno error;

	llhttp_init(&grammar->parser, HTTP_REQUEST, &settings);
	grammar->parser.data = grammar;
	grammar->name = grammar->value = (pt_str){ NULL, 0 };
	grammar->in_head = true;

	error = llhttp_execute(&grammar->parser, "POST", 4);
	if (error == HPE_OK)
		error = llhttp_execute(&grammar->parser, block.p, block.n);
	if (error == HPE_OK && grammar->in_head)
		return GRAMMAR_BAD;
	return step_of(error);
}

enum grammar_step grammar_body(struct grammar *grammar, pt_str bytes, size_t *used)
{
	enum llhttp_errno error = llhttp_execute(&grammar->parser, bytes.p, bytes.n);

	*used = bytes.n;
	if (error != HPE_OK)
		*used = (size_t)(llhttp_get_error_pos(&grammar->parser) - bytes.p);
	return step_of(error);
}

bool grammar_chunked(const struct grammar *grammar)
{
	return (grammar->parser.flags & F_CHUNKED) != 0;
}

bool grammar_closes(const struct grammar *grammar)
{
	return (grammar->parser.flags & F_CONNECTION_CLOSE) != 0;
}

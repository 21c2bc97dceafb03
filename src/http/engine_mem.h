/*
 * engine_mem.h - the engine without sockets: bytes in, bytes out, at once.
 *
 * The same reader and writer as on the wire, so framing can be tested, and fuzzed, as values. Every
 * lane runs at once and nothing is held back.
 */
#ifndef HTTP_ENGINE_MEM_H
#define HTTP_ENGINE_MEM_H

#include "http/engine.h"

struct mem_wire;

/* peer is the client's address, "" for a unix socket. Everything given outlives the wire. */
PT_CHECK pt_err mem_wire_open(const struct http_app *app, const struct http_limits *limits,
	const struct networks *trusted, pt_str peer, struct mem_wire **out);
void mem_wire_close(struct mem_wire *wire);

/* Bytes arrive. Nothing is read once the wire is closed by an answer. */
void mem_wire_feed(struct mem_wire *wire, pt_str bytes);

/* Everything answered so far. Valid until the next feed. */
pt_str mem_wire_answers(const struct mem_wire *wire);

/* The last answer said Connection: close. */
bool mem_wire_closed(const struct mem_wire *wire);

#endif

/*
 * head.h - our own judgement of a header block, before anybody believes it.
 *
 * What llhttp lets through and we do not: lines that end otherwise than in CR LF, folded lines,
 * other versions, targets that need normalising, hosts that are none. Each function answers 0, or
 * the status of the refusal.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "http/engine.h"

/* How far the search for the end of a block has come. Zeroed before the first byte. */
struct head_scan {
	size_t at;        /* start of the line that is not complete yet */
	size_t lines;     /* complete lines before it */
	size_t fields_at; /* where the header lines begin */
};

/* *length is the length of the block with its empty line, or 0 while it is not complete. */
PT_CHECK int head_scan(
	struct head_scan *scan, pt_str bytes, const struct http_limits *limits, size_t *length);

struct head_line {
	pt_str method;
	pt_str target;
	bool http_1_0;
};

/* Reads "GET /path HTTP/1.1". */
PT_CHECK int head_line_read(pt_str line, struct head_line *out);

enum http_method head_method(pt_str token);

struct head_target {
	pt_str path;      /* decoded */
	pt_str query;     /* raw */
	pt_str authority; /* absolute-form only, as written */
	bool asterisk;    /* "*" */
};

/* Takes a request target apart and decodes its path, in place where it can. */
PT_CHECK int head_target_read(struct arena *arena, pt_str target, struct head_target *out);

/* uri-host [":" port] (RFC 9110 7.2), names in letters, digits, '-', '_' and '.'. */
bool head_host_is(pt_str host);

#endif

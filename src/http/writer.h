/*
 * writer.h - an answer as bytes.
 *
 * The engine alone writes Date, Content-Length, Connection and X-Request-Id; rows of these names in
 * an answer are left out. No Server header: it helps nobody but attackers.
 */
#ifndef HTTP_WRITER_H
#define HTTP_WRITER_H

#include "http/exchange.h"

/* The Date header, made anew once a second. Zeroed at first. */
struct date_line {
	pt_time second;
	size_t n;
	char text[40]; /* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" */
};

/* Appends the answer. `close` adds Connection: close. Errors stick in out. */
void answer_write(struct buf *out, struct date_line *date, const struct exchange *ex, bool close);

extern const pt_str answer_continue; /* "HTTP/1.1 100 Continue" and an empty line */
extern const pt_str answer_broken;   /* a 503 that needs no memory; close the wire after it */

#endif

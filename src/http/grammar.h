/*
 * grammar.h - llhttp at arm's length.
 *
 * The grammar of header lines and bodies is llhttp's, in its strict mode, with no lenient flag. It
 * is told that every method is POST: llhttp refuses methods it does not know, though they deserve
 * a 405, and takes CONNECT, PRI and SOURCE for the start of other protocols.
 */
#ifndef HTTP_GRAMMAR_H
#define HTTP_GRAMMAR_H

#include "portress/base.h"

struct grammar;

struct grammar_sink {
	void *ctx;
	/* Views into the block that was fed. False: the message is bad. */
	bool (*header)(void *ctx, pt_str name, pt_str value);
	bool (*body)(void *ctx, pt_str part);
};

enum grammar_step {
	GRAMMAR_MORE, /* all bytes taken, the message goes on */
	GRAMMAR_END,  /* the message is complete */
	GRAMMAR_BAD,  /* not HTTP, or the sink said no */
};

/* The sink is called with `ctx`. NULL when memory is out. */
struct grammar *grammar_open(const struct grammar_sink *sink);
void grammar_close(struct grammar *grammar);

/* Forgets the last message and reads a whole header block: all that stands behind the method. */
enum grammar_step grammar_head(struct grammar *grammar, pt_str block);

/* Reads on in the body; *used says how many bytes belong to this message. */
enum grammar_step grammar_body(struct grammar *grammar, pt_str bytes, size_t *used);

/* What the header block said. */
bool grammar_chunked(const struct grammar *grammar);
bool grammar_closes(const struct grammar *grammar); /* Connection: close */

#endif

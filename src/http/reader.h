/*
 * reader.h - bytes become requests, one after the other.
 *
 *   HEAD --block complete--> BODY --message complete--> READY --reader_next--> HEAD
 *     \______________________/
 *                | anything that can be read in two ways
 *                v
 *             REFUSED (for good)
 *
 * (1) An exchange exists from the moment that its header block is complete and in order.
 * (2) Nothing behind a refused message is read.  (3) In READY no byte is taken.
 */
#ifndef HTTP_READER_H
#define HTTP_READER_H

#include "http/exchange.h"
#include "http/head.h"

enum reader_state { READER_HEAD, READER_BODY, READER_READY, READER_REFUSED };

struct reader {
	struct exchange_pool *pool;
	struct wire wire;
	enum reader_state state;
	struct head_scan scan;
	bool skipped_blank;
	struct exchange *exchange;
};

enum reader_event {
	READER_MORE,     /* the bytes not taken must be offered again, with more behind them */
	READER_CONTINUE, /* the client waits for "100 Continue" before it sends the body */
	READER_REQUEST,  /* reader->exchange holds a whole request */
	READER_ANSWERED, /* reader->exchange holds an answer of the engine's own; the wire stays */
	READER_REFUSAL,  /* reader->exchange holds the refusal; close the wire after it */
	READER_BROKEN,   /* out of memory: say answer_broken and close the wire */
};

void reader_open(struct reader *reader, struct exchange_pool *pool, const struct wire *wire);

/* Gives an exchange that was not taken away back to the pool. */
void reader_close(struct reader *reader);

/* Reads on. *used says how many bytes were taken. */
enum reader_event reader_feed(struct reader *reader, pt_str bytes, size_t *used);

/* Makes a refusal of whatever is there: 408 when it took too long. READER_REFUSAL or _BROKEN. */
enum reader_event reader_refuse(struct reader *reader, int status);

/* Takes the exchange away, to be answered, and makes ready for the next request. */
struct exchange *reader_next(struct reader *reader);

#endif

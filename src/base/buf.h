/*
 * buf.h - a string under construction, with a ceiling.
 *
 *	struct buf b = BUF(arena, 2 * KIB);
 *	buf_str(&b, origin);
 *	buf_str(&b, PT_STR("/verify?token="));
 *	buf_url(&b, ticket);
 *	TRY(buf_done(&b, &link));
 *
 * Errors stick: forty appends, one check. Past the ceiling or out of memory every append does
 * nothing and buf_done answers PT_F_MEMORY. Untrusted text goes through the writer of its context
 * (html, url, json); buf_str is for text that is already in the target's language.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "portress/base.h"

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

struct buf {
	struct arena *arena;
	char *p;
	size_t n;
	size_t size;
	size_t ceiling;
	bool failed;
};

#define BUF(arena_, ceiling_) ((struct buf){ .arena = (arena_), .ceiling = (ceiling_) })

/* Over a char array of the caller's, which sets the ceiling: for where no arena is at hand. */
#define BUF_FIXED(array_) \
	((struct buf){ .p = (array_), .size = sizeof(array_), .ceiling = sizeof(array_) - 1 })

void buf_str(struct buf *b, pt_str s);
void buf_bytes(struct buf *b, const void *p, size_t n);
void buf_char(struct buf *b, char c);
void buf_uint(struct buf *b, uint64_t value);
void buf_int(struct buf *b, int64_t value);

/* `& < > " '` become character references: right for HTML text and for quoted attributes. */
void buf_html(struct buf *b, pt_str s);

/* RFC 3986: everything but unreserved characters is percent-encoded. */
void buf_url(struct buf *b, pt_str s);

/* A JSON string (RFC 8259) with its quotes. Bytes that are not UTF-8 become U+FFFD; `<`, `>`, `&`,
 * U+2028 and U+2029 are escaped so that the text is inert inside HTML and scripts. */
void buf_json(struct buf *b, pt_str s);

void buf_hex(struct buf *b, const void *p, size_t n);

/* RFC 4648. base64url is unpadded, base64 is padded. Not constant time: not for secret keys. */
void buf_base64url(struct buf *b, const void *p, size_t n);
void buf_base64(struct buf *b, const void *p, size_t n);

/* RFC 3339 in UTC, `2006-01-02T15:04:05.123456Z`; fraction digits 0, 3 or 6. */
void buf_rfc3339(struct buf *b, pt_time time, int fraction_digits);

/* IMF-fixdate (RFC 9110 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`. */
void buf_http_date(struct buf *b, pt_time time);

/* printf for our own formats; never with untrusted text in another language's context. */
__attribute__((format(printf, 2, 3))) void buf_printf(struct buf *b, const char *format, ...);

/* Room for n more bytes to be written directly, counted as written. NULL when it failed. */
char *buf_reserve(struct buf *b, size_t n);

/* What stands so far; ends in NUL one past its length. Valid until the next append. */
pt_str buf_view(const struct buf *b);

/* The finished string, or PT_F_MEMORY. */
PT_CHECK pt_err buf_done(struct buf *b, pt_str *out);

/* As the decoders below, where a client must not be told that its text is bad because memory is out:
 * PT_E_MALFORMED, PT_F_MEMORY. */
PT_CHECK pt_err base64url_read(struct arena *arena, pt_str text, pt_str *out);
PT_CHECK pt_err base64_read(struct arena *arena, pt_str text, pt_str *out);

/* Decoders. Each refuses anything but the one canonical spelling; *out points into the arena. */
PT_CHECK bool base64url_decode(struct arena *arena, pt_str text, pt_str *out);
PT_CHECK bool base64_decode(struct arena *arena, pt_str text, pt_str *out);
PT_CHECK bool hex_decode(struct arena *arena, pt_str text, pt_str *out);

#endif

/*
 * str.h - reading borrowed strings. Nothing here allocates; nothing depends on the locale.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "portress/base.h"

/* The view of a NUL-terminated string; NULL is the empty view. */
static inline pt_str str(const char *s)
{
	return (pt_str){ s, s ? strlen(s) : 0 };
}

static inline pt_str str_n(const void *p, size_t n)
{
	return (pt_str){ (const char *)p, n };
}

static inline bool str_eq(pt_str a, pt_str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* The bytes from `from` up to `to` (exclusive); both are cut to the length. */
pt_str str_slice(pt_str s, size_t from, size_t to);

/* ASCII letters match whatever their case; other bytes match themselves. */
bool str_eq_nocase(pt_str a, pt_str b);
bool str_starts(pt_str s, pt_str prefix);
bool str_ends(pt_str s, pt_str suffix);

/* Position of the first byte c, or s.n. */
size_t str_find(pt_str s, char c);
bool str_contains(pt_str s, pt_str needle);

/* Cuts at the first c: *head is what stands before, *tail what stands after. False (and *head is
 * all of s, *tail empty) when there is no c. */
bool str_cut(pt_str s, char c, pt_str *head, pt_str *tail);

/* Without leading and trailing spaces and tabs. */
pt_str str_trim(pt_str s);

/* Without white space at either end, ends of lines too: what somebody typed or pasted. */
pt_str str_strip(pt_str s);

/* The whole of s as a decimal number in [min, max]; no sign unless min < 0, no spaces. */
bool str_int(pt_str s, int64_t min, int64_t max, int64_t *out);

/* Valid UTF-8 (RFC 3629: shortest form, no surrogates). */
bool str_utf8(pt_str s);

/* Bytes of the code point that s begins with; 0 when s is empty or does not begin with one. */
size_t str_utf8_step(pt_str s);

/* Number of code points; s must be valid UTF-8. */
size_t str_utf8_length(pt_str s);

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool ascii_alpha(char c)
{
	char l = ascii_lower(c);
	return l >= 'a' && l <= 'z';
}

static inline bool ascii_alnum(char c)
{
	return ascii_alpha(c) || ascii_digit(c);
}

/* How many single-byte edits apart; used to name the nearest known setting. Both cut to 64 bytes. */
size_t str_distance(pt_str a, pt_str b);

#endif

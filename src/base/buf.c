/*
 * buf.c - strings under construction, and the spelling of each target language.
 *
 * The byte at p[n] is always NUL once p is set: room is asked for one byte more than is written,
 * arenas hand out zeroed bytes, and nothing writes past n.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

#include "base/banned.h"

enum { SMALLEST = 256 };

/* What a byte may be written as itself in. Of bytes beyond ASCII, JSON looks at whole characters. */
enum { HTML = 1, JSON_TEXT = 2, URL = 4 };

/* clang-format off */
#define _ 0
#define H HTML
#define J JSON_TEXT
#define B (HTML | JSON_TEXT)
#define A (HTML | JSON_TEXT | URL)
static const uint8_t plain_in[256] = {
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* 00 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* 10 */
	B, B, _, B, B, B, _, J, B, B, B, B, B, A, A, B, /* 20 */
	A, A, A, A, A, A, A, A, A, A, B, B, _, B, _, B, /* 30 */
	B, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, /* 40 */
	A, A, A, A, A, A, A, A, A, A, A, B, H, B, B, A, /* 50 */
	B, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, /* 60 */
	A, A, A, A, A, A, A, A, A, A, A, B, B, B, A, H, /* 70 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* 80 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* 90 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* A0 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* B0 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* C0 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* D0 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* E0 */
	H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, /* F0 */
};
#undef _
#undef H
#undef J
#undef B
#undef A
/* clang-format on */

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char hex_digits[] = "0123456789abcdef";

/* ---- growing ---- */

static bool grow(struct buf *b, size_t needed)
{
	size_t size = b->size > SMALLEST / 2 ? b->size * 2 : SMALLEST;
	char *p;

	if (!b->arena)
		return false;
	if (size < needed || size < b->size)
		size = needed;
	if (size > b->ceiling + 1)
		size = b->ceiling + 1;
	p = arena_grow(b->arena, b->p, b->size, size);
	if (!p)
		return false;
	b->p = p;
	b->size = size;
	return true;
}

char *buf_reserve(struct buf *b, size_t n)
{
	char *p;

	if (b->failed)
		return NULL;
	/* The ceiling itself must leave room for the NUL. */
	if (b->ceiling == SIZE_MAX || n > b->ceiling - b->n ||
		(b->n + n + 1 > b->size && !grow(b, b->n + n + 1))) {
		b->failed = true;
		return NULL;
	}
	p = b->p + b->n;
	b->n += n;
	b->p[b->n] = '\0';
	return p;
}

void buf_bytes(struct buf *b, const void *p, size_t n)
{
	char *to = n > 0 ? buf_reserve(b, n) : NULL;

	if (to)
		memcpy(to, p, n);
}

void buf_str(struct buf *b, pt_str s)
{
	buf_bytes(b, s.p, s.n);
}

void buf_char(struct buf *b, char c)
{
	char *to = buf_reserve(b, 1);

	if (to)
		*to = c;
}

/* ---- numbers ---- */

void buf_uint(struct buf *b, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	buf_bytes(b, digits + at, sizeof(digits) - at);
}

void buf_int(struct buf *b, int64_t value)
{
	if (value < 0)
		buf_char(b, '-');
	buf_uint(b, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

/* ---- languages ---- */

/* How many bytes from `from` on stand for themselves. */
static size_t plain_run(pt_str s, size_t from, uint8_t language)
{
	size_t i = from;

	while (i < s.n && (plain_in[(uint8_t)s.p[i]] & language))
		i++;
	return i - from;
}

static pt_str html_reference(char c)
{
	switch (c) {
	case '&':
		return PT_STR("&amp;");
	case '<':
		return PT_STR("&lt;");
	case '>':
		return PT_STR("&gt;");
	case '"':
		return PT_STR("&#34;");
	default:
		return PT_STR("&#39;");
	}
}

void buf_html(struct buf *b, pt_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		size_t run = plain_run(s, i, HTML);

		buf_str(b, str_slice(s, i, i + run));
		i += run;
		if (i < s.n)
			buf_str(b, html_reference(s.p[i]));
	}
}

void buf_url(struct buf *b, pt_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		size_t run = plain_run(s, i, URL);

		buf_str(b, str_slice(s, i, i + run));
		i += run;
		if (i < s.n) {
			uint8_t byte = (uint8_t)s.p[i];
			char escape[3] = { '%', "0123456789ABCDEF"[byte >> 4],
				"0123456789ABCDEF"[byte & 15] };

			buf_bytes(b, escape, sizeof(escape));
		}
	}
}

static void json_escape(struct buf *b, unsigned unit)
{
	char escape[6] = { '\\', 'u', hex_digits[unit >> 12 & 15], hex_digits[unit >> 8 & 15],
		hex_digits[unit >> 4 & 15], hex_digits[unit & 15] };

	buf_bytes(b, escape, sizeof(escape));
}

static void json_ascii(struct buf *b, char c)
{
	switch (c) {
	case '"':
		buf_str(b, PT_STR("\\\""));
		return;
	case '\\':
		buf_str(b, PT_STR("\\\\"));
		return;
	case '\n':
		buf_str(b, PT_STR("\\n"));
		return;
	case '\r':
		buf_str(b, PT_STR("\\r"));
		return;
	case '\t':
		buf_str(b, PT_STR("\\t"));
		return;
	default:
		json_escape(b, (uint8_t)c);
	}
}

/*
 * Characters of two bytes and more that are not written as themselves: the C1 controls, which
 * terminals obey, and the two separators that end a line in scripts. 0 for all others.
 */
static unsigned json_unsafe(pt_str character)
{
	const uint8_t *p = (const uint8_t *)character.p;

	if (character.n == 2 && p[0] == 0xC2 && p[1] < 0xA0)
		return p[1];
	if (character.n == 3 && p[0] == 0xE2 && p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9))
		return 0x2000u + (p[2] & 0x3Fu);
	return 0;
}

/* Length of the run that is written as it stands, valid characters beyond ASCII included. */
static size_t json_run(pt_str s, size_t from)
{
	size_t i = from;

	for (;;) {
		size_t step;

		i += plain_run(s, i, JSON_TEXT);
		if (i >= s.n || (s.p[i] & 0x80) == 0)
			return i - from;
		step = str_utf8_step(str_slice(s, i, s.n));
		if (step == 0 || json_unsafe(str_slice(s, i, i + step)) != 0)
			return i - from;
		i += step;
	}
}

/* The one character at the front that is not written as itself. Returns its length. */
static size_t json_special(struct buf *b, pt_str s)
{
	size_t step = str_utf8_step(s);

	if (step == 0) {
		buf_str(b, PT_STR("\xEF\xBF\xBD"));
		return 1;
	}
	if (step == 1)
		json_ascii(b, s.p[0]);
	else
		json_escape(b, json_unsafe(str_slice(s, 0, step)));
	return step;
}

void buf_json(struct buf *b, pt_str s)
{
	size_t i = 0;

	buf_char(b, '"');
	while (i < s.n) {
		size_t run = json_run(s, i);

		buf_str(b, str_slice(s, i, i + run));
		i += run;
		if (i < s.n)
			i += json_special(b, str_slice(s, i, s.n));
	}
	buf_char(b, '"');
}

/* ---- bytes as text ---- */

void buf_hex(struct buf *b, const void *p, size_t n)
{
	const uint8_t *bytes = p;
	char *to = n <= SIZE_MAX / 2 ? buf_reserve(b, 2 * n) : NULL;

	if (!to) {
		b->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		*to++ = hex_digits[bytes[i] >> 4];
		*to++ = hex_digits[bytes[i] & 15];
	}
}

/* Three bytes become four digits; one or two at the end become two or three. */
static void base64(struct buf *b, const uint8_t *p, size_t n, const char *digits, bool padded)
{
	size_t rest = n % 3, tail = rest == 0 ? 0 : padded ? 4 : rest + 1;
	char *to = n / 3 < SIZE_MAX / 4 - 1 ? buf_reserve(b, n / 3 * 4 + tail) : NULL;
	uint32_t bits;

	if (!to) {
		b->failed = true;
		return;
	}
	for (size_t i = 0; i + 3 <= n; i += 3) {
		bits = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
		*to++ = digits[bits >> 18];
		*to++ = digits[bits >> 12 & 63];
		*to++ = digits[bits >> 6 & 63];
		*to++ = digits[bits & 63];
	}
	if (rest == 0)
		return;
	bits = (uint32_t)p[n - rest] << 16 | (rest == 2 ? (uint32_t)p[n - 1] << 8 : 0);
	*to++ = digits[bits >> 18];
	*to++ = digits[bits >> 12 & 63];
	if (rest == 2)
		*to++ = digits[bits >> 6 & 63];
	if (padded) {
		memset(to, '=', 3 - rest);
	}
}

void buf_base64url(struct buf *b, const void *p, size_t n)
{
	base64(b, p, n, base64url_digits, false);
}

void buf_base64(struct buf *b, const void *p, size_t n)
{
	base64(b, p, n, base64_digits, true);
}

/* ---- dates ---- */

/* `width` digits with leading zeros; value is not negative and fits. */
static void zero_padded(struct buf *b, int value, size_t width)
{
	char *to = buf_reserve(b, width);

	if (!to)
		return;
	for (size_t i = width; i-- > 0; value /= 10)
		to[i] = (char)('0' + value % 10);
}

static void clock_time(struct buf *b, const struct civil *civil)
{
	zero_padded(b, civil->hour, 2);
	buf_char(b, ':');
	zero_padded(b, civil->minute, 2);
	buf_char(b, ':');
	zero_padded(b, civil->second, 2);
}

void buf_rfc3339(struct buf *b, pt_time time, int fraction_digits)
{
	struct civil civil = clock_civil(time);

	zero_padded(b, civil.year, 4);
	buf_char(b, '-');
	zero_padded(b, civil.month, 2);
	buf_char(b, '-');
	zero_padded(b, civil.day, 2);
	buf_char(b, 'T');
	clock_time(b, &civil);
	if (fraction_digits == 3) {
		buf_char(b, '.');
		zero_padded(b, civil.microsecond / 1000, 3);
	} else if (fraction_digits == 6) {
		buf_char(b, '.');
		zero_padded(b, civil.microsecond, 6);
	}
	buf_char(b, 'Z');
}

void buf_http_date(struct buf *b, pt_time time)
{
	static const char weekdays[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct civil civil = clock_civil(time);

	buf_bytes(b, weekdays + 3 * civil.weekday, 3);
	buf_str(b, PT_STR(", "));
	zero_padded(b, civil.day, 2);
	buf_char(b, ' ');
	buf_bytes(b, months + 3 * (civil.month - 1), 3);
	buf_char(b, ' ');
	zero_padded(b, civil.year, 4);
	buf_char(b, ' ');
	clock_time(b, &civil);
	buf_str(b, PT_STR(" GMT"));
}

/* ---- the rest ---- */

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	char *to;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0) {
		b->failed = true;
		return;
	}
	to = buf_reserve(b, (size_t)n);
	if (!to)
		return;
	va_start(args, format);
	vsnprintf(to, (size_t)n + 1, format, args);
	va_end(args);
}

pt_str buf_view(const struct buf *b)
{
	return b->p ? (pt_str){ b->p, b->n } : PT_STR("");
}

pt_err buf_done(struct buf *b, pt_str *out)
{
	if (b->failed)
		return fault(PT_F_MEMORY,
			"a text outgrew its ceiling of %zu bytes, or memory is out", b->ceiling);
	*out = buf_view(b);
	return PT_OK;
}

/* ---- decoders ---- */

/* One more than the value of each digit; 0 for any other byte. */
/* clang-format off */
#define BASE64_LETTERS_AND_FIGURES \
	['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, \
	['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, \
	['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62
static const uint8_t base64_values[256] = { BASE64_LETTERS_AND_FIGURES, ['+'] = 63, ['/'] = 64 };
static const uint8_t base64url_values[256] = { BASE64_LETTERS_AND_FIGURES, ['-'] = 63, ['_'] = 64 };
/* clang-format on */

/* n digits as 6 n bits, or UINT32_MAX. */
static uint32_t base64_group(const char *p, size_t n, const uint8_t *values)
{
	uint32_t bits = 0, all = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t value = values[(uint8_t)p[i]] - 1u;

		bits = bits << 6 | value;
		all |= value;
	}
	return all < 64 ? bits : UINT32_MAX;
}

/* The two or three digits at the end. Bits that no byte uses must be zero, or one value had two
 * spellings. */
static bool base64_rest(pt_str rest, const uint8_t *values, char *to)
{
	uint32_t bits = base64_group(rest.p, rest.n, values);
	unsigned spare = rest.n == 2 ? 4 : 2;

	if (bits == UINT32_MAX || (bits & ((1u << spare) - 1)) != 0)
		return false;
	bits >>= spare;
	if (rest.n == 3)
		*to++ = (char)(uint8_t)(bits >> 8);
	*to = (char)(uint8_t)bits;
	return true;
}

/* Digits without padding. */
static pt_err base64_digits_read(
	struct arena *arena, pt_str text, const uint8_t *values, pt_str *out)
{
	size_t whole = text.n - text.n % 4,
	       n = whole / 4 * 3 + (text.n % 4 > 0 ? text.n % 4 - 1 : 0);
	char *bytes, *to;

	if (text.n % 4 == 1)
		return PT_E_MALFORMED;
	bytes = to = arena_alloc(arena, n + 1);
	if (!bytes)
		return fault(PT_F_MEMORY, "no memory to decode %zu bytes", text.n);
	for (size_t i = 0; i < whole; i += 4) {
		uint32_t bits = base64_group(text.p + i, 4, values);

		if (bits == UINT32_MAX)
			return PT_E_MALFORMED;
		*to++ = (char)(uint8_t)(bits >> 16);
		*to++ = (char)(uint8_t)(bits >> 8);
		*to++ = (char)(uint8_t)bits;
	}
	if (whole < text.n && !base64_rest(str_slice(text, whole, text.n), values, to))
		return PT_E_MALFORMED;
	*out = (pt_str){ bytes, n };
	return PT_OK;
}

pt_err base64url_read(struct arena *arena, pt_str text, pt_str *out)
{
	return base64_digits_read(arena, text, base64url_values, out);
}

pt_err base64_read(struct arena *arena, pt_str text, pt_str *out)
{
	size_t digits = text.n;

	if (text.n % 4 != 0)
		return PT_E_MALFORMED;
	while (digits > 0 && text.n - digits < 2 && text.p[digits - 1] == '=')
		digits--;
	return base64_digits_read(arena, str_slice(text, 0, digits), base64_values, out);
}

bool base64url_decode(struct arena *arena, pt_str text, pt_str *out)
{
	return base64url_read(arena, text, out) == PT_OK;
}

bool base64_decode(struct arena *arena, pt_str text, pt_str *out)
{
	return base64_read(arena, text, out) == PT_OK;
}

static int hex_value(char c)
{
	if (ascii_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_decode(struct arena *arena, pt_str text, pt_str *out)
{
	char *bytes;

	if (text.n % 2 != 0)
		return false;
	bytes = arena_alloc(arena, text.n / 2 + 1);
	if (!bytes)
		return false;
	for (size_t i = 0; i < text.n; i += 2) {
		int high = hex_value(text.p[i]), low = hex_value(text.p[i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i / 2] = (char)(uint8_t)(high << 4 | low);
	}
	*out = (pt_str){ bytes, text.n / 2 };
	return true;
}

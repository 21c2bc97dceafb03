/*
 * str.c - reading borrowed strings.
 */
#include "base/str.h"

#include "base/banned.h"

pt_str str_slice(pt_str s, size_t from, size_t to)
{
	if (to > s.n)
		to = s.n;
	if (from > to)
		from = to;
	return (pt_str){ from > 0 ? s.p + from : s.p, to - from };
}

bool str_eq_nocase(pt_str a, pt_str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	}
	return true;
}

bool str_starts(pt_str s, pt_str prefix)
{
	return s.n >= prefix.n && str_eq(str_slice(s, 0, prefix.n), prefix);
}

bool str_ends(pt_str s, pt_str suffix)
{
	return s.n >= suffix.n && str_eq(str_slice(s, s.n - suffix.n, s.n), suffix);
}

size_t str_find(pt_str s, char c)
{
	const char *hit = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

	return hit ? (size_t)(hit - s.p) : s.n;
}

bool str_contains(pt_str s, pt_str needle)
{
	if (needle.n == 0)
		return true;
	return s.n >= needle.n && memmem(s.p, s.n, needle.p, needle.n) != NULL;
}

bool str_cut(pt_str s, char c, pt_str *head, pt_str *tail)
{
	size_t at = str_find(s, c);

	*head = str_slice(s, 0, at);
	*tail = str_slice(s, at + 1, s.n);
	return at < s.n;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

pt_str str_trim(pt_str s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = str_slice(s, 1, s.n);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool is_space(char c)
{
	return is_blank(c) || (c >= '\n' && c <= '\r');
}

pt_str str_strip(pt_str s)
{
	while (s.n > 0 && is_space(s.p[0]))
		s = str_slice(s, 1, s.n);
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Counts down from zero, because the lowest number has no positive twin. */
static bool digits(pt_str s, int64_t *negated)
{
	int64_t value = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_digit(s.p[i]))
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_sub_overflow(value, s.p[i] - '0', &value))
			return false;
	}
	*negated = value;
	return true;
}

bool str_int(pt_str s, int64_t min, int64_t max, int64_t *out)
{
	bool negative = min < 0 && s.n > 0 && s.p[0] == '-';
	int64_t value;

	if (!digits(negative ? str_slice(s, 1, s.n) : s, &value))
		return false;
	if (!negative && __builtin_sub_overflow(0, value, &value))
		return false;
	if (value < min || value > max)
		return false;
	*out = value;
	return true;
}

/* RFC 3629 section 4: how many bytes follow the lead byte, and what the first of them may be. */
struct utf8_lead {
	uint8_t follow, low, high;
};

static struct utf8_lead utf8_lead(uint8_t byte)
{
	if (byte >= 0xC2 && byte <= 0xDF)
		return (struct utf8_lead){ 1, 0x80, 0xBF };
	if (byte == 0xE0)
		return (struct utf8_lead){ 2, 0xA0, 0xBF };
	if (byte == 0xED)
		return (struct utf8_lead){ 2, 0x80, 0x9F };
	if (byte >= 0xE1 && byte <= 0xEF)
		return (struct utf8_lead){ 2, 0x80, 0xBF };
	if (byte == 0xF0)
		return (struct utf8_lead){ 3, 0x90, 0xBF };
	if (byte >= 0xF1 && byte <= 0xF3)
		return (struct utf8_lead){ 3, 0x80, 0xBF };
	if (byte == 0xF4)
		return (struct utf8_lead){ 3, 0x80, 0x8F };
	return (struct utf8_lead){ 0 };
}

size_t str_utf8_step(pt_str s)
{
	const uint8_t *p = (const uint8_t *)s.p;
	struct utf8_lead lead;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	lead = utf8_lead(p[0]);
	if (lead.follow == 0 || lead.follow >= s.n || p[1] < lead.low || p[1] > lead.high)
		return 0;
	for (size_t i = 2; i <= lead.follow; i++) {
		if (p[i] < 0x80 || p[i] > 0xBF)
			return 0;
	}
	return lead.follow + (size_t)1;
}

/* Length of the leading run of ASCII, eight bytes at a time: most text is nothing else. */
static size_t ascii_run(pt_str s)
{
	size_t i = 0;
	uint64_t word;

	for (; i + sizeof(word) <= s.n; i += sizeof(word)) {
		memcpy(&word, s.p + i, sizeof(word));
		if (word & UINT64_C(0x8080808080808080))
			break;
	}
	while (i < s.n && (s.p[i] & 0x80) == 0)
		i++;
	return i;
}

bool str_utf8(pt_str s)
{
	for (;;) {
		size_t step;

		s = str_slice(s, ascii_run(s), s.n);
		if (s.n == 0)
			return true;
		step = str_utf8_step(s);
		if (step == 0)
			return false;
		s = str_slice(s, step, s.n);
	}
}

size_t str_utf8_length(pt_str s)
{
	size_t length = 0;

	for (size_t i = 0; i < s.n; i++)
		length += (s.p[i] & 0xC0) != 0x80;
	return length;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein with one row: `row[j]` is the distance of a's first i bytes from b's first j. */
size_t str_distance(pt_str a, pt_str b)
{
	enum { LONGEST = 64 };
	size_t row[LONGEST + 1];

	a = str_slice(a, 0, LONGEST);
	b = str_slice(b, 0, LONGEST);
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t above = row[j];

			row[j] = least(
				above + 1, row[j - 1] + 1, diagonal + (a.p[i - 1] != b.p[j - 1]));
			diagonal = above;
		}
	}
	return row[b.n];
}

/*
 * blocklist.c - is the whole password a common one, as it stands or in one of its usual dresses?
 *
 * common   = word [ dress ]
 * word     = listed, or listed when digits are read as letters, or a run along rows of the
 *            keyboard, or one short piece repeated, or a word twice
 * dress    = [ separator ] [ up to four digits, or digits that are a word ] [ up to 3 marks ]
 *
 * Nothing is searched inside a longer text: a passphrase may hold "password".
 */
#include "crypt/blocklist.h"

#include "base/str.h"
#include "crypt/blocklist_table.h"
#include "crypt/digest.h"

#include "base/banned.h"

enum {
	LONGEST = 64, /* no common password comes near */
	WORD_MIN = 3,
	RUN_MIN = 3,
	PIECE_MAX = 4, /* one character of UTF-8, however it is spelled, is a piece */
	DIGITS_MAX = 4,
	MARKS_MAX = 3,
	WORDS = sizeof(blocklist_offsets) / sizeof(blocklist_offsets[0]) - 1,
};

/* Walked in both directions. */
static const char *const rows[] = {
	"abcdefghijklmnopqrstuvwxyz",
	"01234567890",
	"qwertyuiop[]",
	"qwertzuiop",
	"azertyuiop",
	"asdfghjkl;'",
	"qsdfghjklm",
	"zxcvbnm,./",
	"yxcvbnm",
	"wxcvbn",
	"!@#$%^&*()_+",
	"!\"$%&/()=?",
	"1q2w3e4r5t6y7u8i9o0p",
	"q1w2e3r4t5y6u7i8o9p0",
	"1a2b3c4d5e6f7g8h9i",
	"a1b2c3d4e5f6g7h8i9",
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
	"zaq1xsw2cde3vfr4bgt5nhy6mju7",
	"qazwsxedcrfvtgbyhnujmikolp",
	"aqwzsxedcrfv",
	"741852963",
	"147258369",
	"159357",
};

/* How digits and marks are read as letters. There are two readings of 1. */
struct reading {
	const char *from;
	const char *to;
};

static const struct reading readings[] = {
	{ "4@310!5$7", "aaeioisst" },
	{ "4@310!5$7", "aaelolsst" },
};

static pt_str listed(size_t i)
{
	size_t begin = blocklist_offsets[i];

	return str_n(blocklist_text + begin, blocklist_offsets[i + 1] - begin);
}

static int order(pt_str a, pt_str b)
{
	int difference = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return difference != 0 ? difference : (a.n > b.n) - (a.n < b.n);
}

static bool is_listed(pt_str s)
{
	size_t low = 0, high = WORDS;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int side = order(s, listed(middle));

		if (side == 0)
			return true;
		if (side < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static bool is_listed_as(pt_str s, const struct reading *reading)
{
	char letters[LONGEST];

	for (size_t i = 0; i < s.n; i++) {
		const char *at = s.p[i] ? strchr(reading->from, s.p[i]) : NULL;
		letters[i] = at ? reading->to[at - reading->from] : s.p[i];
	}
	bool found = is_listed(str_n(letters, s.n));
	crypt_wipe(letters, s.n);
	return found;
}

/* How far s follows the row from place `at`, one step at a time. */
static size_t follow(pt_str s, pt_str row, size_t at, bool backward)
{
	size_t n = 0;

	while (n < s.n && at < row.n && s.p[n] == row.p[at]) {
		n++;
		at = backward ? at - 1 : at + 1; /* past the front it is past the end */
	}
	return n;
}

static size_t longest_run(pt_str s)
{
	size_t longest = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pt_str row = str(rows[i]);

		for (size_t at = 0; at < row.n; at++) {
			size_t forward = follow(s, row, at, false);
			size_t backward = follow(s, row, at, true);

			longest = forward > longest ? forward : longest;
			longest = backward > longest ? backward : longest;
		}
	}
	return longest;
}

/* "qwertz", and one after the other: "asdf4321". */
static bool is_run(pt_str s)
{
	while (s.n > 0) {
		size_t n = longest_run(s);

		if (n < RUN_MIN)
			return false;
		s = str_slice(s, n, s.n);
	}
	return true;
}

static bool has_period(pt_str s, size_t period)
{
	for (size_t i = period; i < s.n; i++)
		if (s.p[i] != s.p[i - period])
			return false;
	return true;
}

static bool is_repetition(pt_str s)
{
	for (size_t period = 1; period <= PIECE_MAX && 2 * period <= s.n; period++)
		if (has_period(s, period))
			return true;
	return false;
}

static bool is_plain_word(pt_str s)
{
	if (s.n < WORD_MIN)
		return false;
	for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++)
		if (is_listed_as(s, &readings[i]))
			return true;
	return is_listed(s) || is_run(s) || is_repetition(s);
}

static bool is_word(pt_str s)
{
	return is_plain_word(s) ||
	       (s.n % 2 == 0 && has_period(s, s.n / 2) && is_plain_word(str_slice(s, 0, s.n / 2)));
}

static bool is_mark(char c)
{
	return c > ' ' && c < 0x7f && !ascii_alnum(c);
}

static size_t digits_in_front(pt_str s)
{
	size_t n = 0;

	while (n < s.n && ascii_digit(s.p[n]))
		n++;
	return n;
}

static bool is_dress(pt_str s)
{
	if (s.n > 1 && is_mark(s.p[0]) && ascii_digit(s.p[1]))
		s = str_slice(s, 1, s.n);

	size_t digits = digits_in_front(s);
	if (digits > DIGITS_MAX && !is_plain_word(str_slice(s, 0, digits)))
		return false;

	pt_str marks = str_slice(s, digits, s.n);
	for (size_t i = 0; i < marks.n; i++)
		if (!is_mark(marks.p[i]))
			return false;
	return marks.n <= MARKS_MAX;
}

static bool is_common(pt_str s)
{
	for (size_t n = s.n; n >= WORD_MIN; n--)
		if (is_dress(str_slice(s, n, s.n)) && is_word(str_slice(s, 0, n)))
			return true;
	return false;
}

bool blocklist_has(pt_str password)
{
	char lower[LONGEST];

	if (is_repetition(password))
		return true;
	if (password.n > LONGEST)
		return false;

	for (size_t i = 0; i < password.n; i++)
		lower[i] = ascii_lower(password.p[i]);
	bool common = is_common(str_n(lower, password.n));
	crypt_wipe(lower, password.n);
	return common;
}

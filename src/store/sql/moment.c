/*
 * moment.c - moments as SQL databases spell them.
 */
#include "store/sql/moment.h"

#include "base/clock.h"
#include "base/str.h"

#include "base/banned.h"

/* What is left of a text that is read from the left. */
struct reader {
	pt_str rest;
	bool failed;
};

static bool next_is(struct reader *r, char c)
{
	if (r->rest.n == 0 || r->rest.p[0] != c)
		return false;
	r->rest = str_slice(r->rest, 1, r->rest.n);
	return true;
}

static void expect(struct reader *r, char c)
{
	if (!next_is(r, c))
		r->failed = true;
}

/* Exactly `digits` digits that make a number in [min, max]. */
static int number(struct reader *r, size_t digits, int min, int max)
{
	int64_t value = 0;

	if (r->rest.n < digits || !str_int(str_slice(r->rest, 0, digits), min, max, &value)) {
		r->failed = true;
		return 0;
	}
	r->rest = str_slice(r->rest, digits, r->rest.n);
	return (int)value;
}

/* Microseconds after a point; digits past the sixth are dropped. */
static int fraction(struct reader *r)
{
	int value = 0, digits = 0;

	while (r->rest.n > 0 && ascii_digit(r->rest.p[0])) {
		if (digits < 6)
			value = value * 10 + (r->rest.p[0] - '0');
		digits++;
		r->rest = str_slice(r->rest, 1, r->rest.n);
	}
	if (digits == 0 || digits > 9)
		r->failed = true;
	for (; digits < 6; digits++)
		value *= 10;
	return value;
}

static pt_time zone(struct reader *r)
{
	int sign, hours, minutes = 0;

	if (r->rest.n == 0 || next_is(r, 'Z'))
		return 0;
	sign = next_is(r, '-') ? -1 : 1;
	if (sign > 0)
		expect(r, '+');
	hours = number(r, 2, 0, 15);
	if (r->rest.n > 0) {
		next_is(r, ':');
		minutes = number(r, 2, 0, 59);
	}
	return sign * (hours * PT_HOUR + minutes * PT_MINUTE);
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar; years begin in March, so that the leap
 * day comes last. */
static int64_t days(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool day_exists(int year, int month, int day)
{
	static const int longest[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return day <= longest[month - 1] && (month != 2 || day < 29 || leap);
}

bool moment_parse(pt_str text, pt_time *out)
{
	struct reader r = { .rest = text };
	int year, month, day, hour = 0, minute = 0, second = 0, micro = 0;
	pt_time east = 0;

	year = number(&r, 4, 0, 9999);
	expect(&r, '-');
	month = number(&r, 2, 1, 12);
	expect(&r, '-');
	day = number(&r, 2, 1, 31);
	if (!r.failed && (next_is(&r, ' ') || next_is(&r, 'T'))) {
		hour = number(&r, 2, 0, 24);
		expect(&r, ':');
		minute = number(&r, 2, 0, 59);
		if (next_is(&r, ':'))
			second = number(&r, 2, 0, 60);
		if (next_is(&r, '.'))
			micro = fraction(&r);
		east = zone(&r);
	}
	if (r.failed || r.rest.n > 0 || !day_exists(year, month, day))
		return false;
	*out = days(year, month, day) * PT_DAY + hour * PT_HOUR + minute * PT_MINUTE +
	       second * PT_SECOND + micro - east;
	return true;
}

void moment_format(struct buf *b, pt_time time)
{
	struct civil at = clock_civil(time);

	buf_printf(b, "%04d-%02d-%02d %02d:%02d:%02d", at.year, at.month, at.day, at.hour,
		at.minute, at.second);
}

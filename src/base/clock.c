/*
 * clock.c - the two clocks, and the calendar.
 */
#include <time.h>

#include "base/clock.h"
#include "base/hook.h"

#include "base/banned.h"

/* 0000-01-01T00:00:00Z, and the last microsecond of 9999. */
#define FIRST_MOMENT (-719528 * PT_DAY)
#define LAST_MOMENT  (2932897 * PT_DAY - 1)

static pt_time read_clock(clockid_t clock)
{
	struct timespec now = { 0 };

	/* Both clocks exist on every Linux; the call has no other way to fail. */
	(void)clock_gettime(clock, &now);
	return (pt_time)now.tv_sec * PT_SECOND + (pt_time)now.tv_nsec / 1000;
}

pt_time clock_now(void)
{
	return read_clock(CLOCK_REALTIME) + hook_clock_offset();
}

pt_time clock_monotonic(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

/*
 * Counted from 0000-03-01, a year ends with its leap day and 400 years always have 146097 days.
 * Months from March on have 31,30,31,30,31 days in turn: (153 m + 2) / 5 days precede month m.
 */
static void civil_date(int days_since_1970, struct civil *out)
{
	int days = days_since_1970 + 719468 + 146097; /* one era earlier: never negative */
	int era = days / 146097, day_of_era = days % 146097;
	int year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int from_march = (5 * day_of_year + 2) / 153;

	out->day = day_of_year - (153 * from_march + 2) / 5 + 1;
	out->month = from_march < 10 ? from_march + 3 : from_march - 9;
	out->year = year_of_era + (era - 1) * 400 + (out->month <= 2);
}

struct civil clock_civil(pt_time time)
{
	struct civil civil = { 0 };
	pt_time days, rest;

	if (time < FIRST_MOMENT)
		time = FIRST_MOMENT;
	if (time > LAST_MOMENT)
		time = LAST_MOMENT;
	days = time / PT_DAY;
	rest = time % PT_DAY;
	if (rest < 0) {
		days--;
		rest += PT_DAY;
	}
	civil_date((int)days, &civil);
	/* 1970-01-01 was a Thursday; 719530 is a multiple of seven that keeps the sum positive. */
	civil.weekday = (int)((days + 4 + 719530) % 7);
	civil.hour = (int)(rest / PT_HOUR);
	civil.minute = (int)(rest / PT_MINUTE % 60);
	civil.second = (int)(rest / PT_SECOND % 60);
	civil.microsecond = (int)(rest % PT_SECOND);
	return civil;
}

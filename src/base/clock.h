/*
 * clock.h - the two clocks. Core never calls these: its time comes with the call.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "portress/base.h"

/* Wall clock, microseconds since 1970 UTC. A test build adds its settable offset. */
pt_time clock_now(void);

/* Monotonic, for deadlines and durations; no relation to the wall clock. */
pt_time clock_monotonic(void);

/* A moment as a calendar shows it in UTC (proleptic Gregorian). weekday: 0 is Sunday. */
struct civil {
	int year;
	int month, day;
	int hour, minute, second, microsecond;
	int weekday;
};

/* Moments outside of the years 0000 to 9999, which no text format of ours can say, become the
 * nearest one inside. */
struct civil clock_civil(pt_time time);

#endif

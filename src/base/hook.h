/*
 * hook.h - the test build's strings. In a release every one of these is a constant that vanishes.
 *
 * With -Dtest_hooks=true and PORTRESS_TEST_CONTROL=PATH in the environment, the file at PATH (a
 * struct hook_control, mapped and shared) steers a running server: tests write it, the server
 * reads it and counts in it. `portress version` names such a build.
 */
#ifndef BASE_HOOK_H
#define BASE_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "portress/base.h"

/* Little-endian 64-bit words, in this order. Append only: tests write it by offset. */
struct hook_control {
	int64_t clock_offset;     /* microseconds added to the wall clock */
	int64_t fail_alloc;       /* fail the n-th arena allocation from now (1 = next); 0 = none */
	int64_t fail_act;         /* fail the n-th store act from now; 0 = none */
	int64_t fail_sticky;      /* not 0: keep failing after the n-th */
	int64_t count_alloc;      /* allocations seen */
	int64_t count_act;        /* store acts seen */
	int64_t random_seed;      /* not 0: randomness is derived from it and a counter */
	int64_t break_limiter;    /* not 0: the limiter's store act fails */
	int64_t stall_before_act; /* milliseconds to sleep before each store act */
};

#ifdef PT_TEST_HOOKS

/* Maps the control file. Called once from main; without the variable all hooks stay quiet. */
void hook_open(void);

int64_t hook_clock_offset(void);
int64_t hook_random_seed(void);
bool hook_fail_alloc(void);
bool hook_fail_act(void);
bool hook_break_limiter(void);
void hook_stall(void);

#else

static inline void hook_open(void)
{
}

static inline int64_t hook_clock_offset(void)
{
	return 0;
}

static inline int64_t hook_random_seed(void)
{
	return 0;
}

static inline bool hook_fail_alloc(void)
{
	return false;
}

static inline bool hook_fail_act(void)
{
	return false;
}

static inline bool hook_break_limiter(void)
{
	return false;
}

static inline void hook_stall(void)
{
}

#endif
#endif

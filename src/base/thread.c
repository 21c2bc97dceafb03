/*
 * thread.c - how the kernel treats a thread.
 */
#include "base/thread.h"

#include <sched.h>

#include "base/banned.h"

void thread_batch(void)
{
	const struct sched_param none = { .sched_priority = 0 };

	(void)sched_setscheduler(0, SCHED_BATCH, &none);
}

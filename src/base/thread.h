/*
 * thread.h - how the kernel treats a thread.
 */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

/*
 * The calling thread has work that nobody looks at while it is done (SCHED_BATCH, sched(7)): it gets its share
 * like any other, but when it is woken, whoever runs goes on until he rests or his slice is over. A kernel that
 * refuses leaves things as they are.
 */
void thread_batch(void);

#endif

/*
 * signals.c - sigwait in a thread of its own, so that a second TERM is heard while the first is obeyed.
 */
#include "server/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

#include "base/banned.h"

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop, reload;
} asked = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void ours(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
}

void signals_block(void)
{
	sigset_t set;

	ours(&set);
	/* What people send by mistake ends nobody. */
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void ask(bool *what)
{
	pthread_mutex_lock(&asked.lock);
	*what = true;
	pthread_cond_signal(&asked.changed);
	pthread_mutex_unlock(&asked.lock);
}

static void *wait_for_signals(void *ctx)
{
	bool stopping = false;
	sigset_t set;
	int number;

	(void)ctx;
	ours(&set);
	while (true) {
		if (sigwait(&set, &number) != 0)
			continue;
		if (number == SIGHUP) {
			ask(&asked.reload);
		} else if (stopping) {
			_exit(1);
		} else {
			stopping = true;
			ask(&asked.stop);
		}
	}
	return NULL;
}

pt_err signals_open(void)
{
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, wait_for_signals, NULL);

	if (rc != 0)
		return fault(PT_F_MEMORY, "no thread for signals: %s", strerror(rc));
	pthread_detach(thread);
	return PT_OK;
}

enum asked signals_wait(void)
{
	enum asked what;

	pthread_mutex_lock(&asked.lock);
	while (!asked.stop && !asked.reload)
		pthread_cond_wait(&asked.changed, &asked.lock);
	what = asked.stop ? ASKED_STOP : ASKED_RELOAD;
	asked.reload = false;
	pthread_mutex_unlock(&asked.lock);
	return what;
}

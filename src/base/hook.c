/*
 * hook.c - reads the control file of a test build, and counts in it.
 *
 * The file is shared with the test that writes it and with all threads here, so each word is read
 * and written atomically.
 */
#include "base/hook.h"

#ifdef PT_TEST_HOOKS

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "base/err.h"
#include "base/own.h"

#include "base/banned.h"

/* A countdown that stands here fails every time until somebody writes another number. */
#define FAILING ((int64_t)-1)

/* Used until a control file is mapped: all zero, so everything is quiet. */
static struct hook_control quiet;
static struct hook_control *control = &quiet;

static int64_t read_word(const int64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* A file that is too short is made longer: reading past its end would raise SIGBUS. */
static void *map_control(const char *path)
{
	PT_OWN(own_fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return MAP_FAILED;
	if (st.st_size < (off_t)sizeof(*control) && ftruncate(fd, sizeof(*control)) != 0)
		return MAP_FAILED;
	return mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

void hook_open(void)
{
	const char *path = getenv("PORTRESS_TEST_CONTROL");
	void *mapped;

	if (!path)
		return;
	mapped = map_control(path);
	if (mapped == MAP_FAILED) {
		(void)fault(PT_F_IO, "test control %s: %s", path, strerror(errno));
		return;
	}
	control = mapped;
}

/* One step of a countdown. True when it strikes: at one, and ever after if it is sticky. */
static bool strikes(int64_t *countdown)
{
	int64_t left = read_word(countdown), next;

	do {
		if (left == 0)
			return false;
		if (left == FAILING)
			return true;
		next = left > 1 ? left - 1 : read_word(&control->fail_sticky) != 0 ? FAILING : 0;
	} while (!__atomic_compare_exchange_n(
		countdown, &left, next, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return left == 1;
}

int64_t hook_clock_offset(void)
{
	return read_word(&control->clock_offset);
}

int64_t hook_random_seed(void)
{
	return read_word(&control->random_seed);
}

bool hook_fail_alloc(void)
{
	__atomic_add_fetch(&control->count_alloc, 1, __ATOMIC_SEQ_CST);
	return strikes(&control->fail_alloc);
}

bool hook_fail_act(void)
{
	__atomic_add_fetch(&control->count_act, 1, __ATOMIC_SEQ_CST);
	return strikes(&control->fail_act);
}

bool hook_break_limiter(void)
{
	return read_word(&control->break_limiter) != 0;
}

void hook_stall(void)
{
	int64_t milliseconds = read_word(&control->stall_before_act);
	struct timespec left = { .tv_sec = milliseconds / 1000,
		.tv_nsec = milliseconds % 1000 * 1000000 };

	if (milliseconds <= 0)
		return;
	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

#endif

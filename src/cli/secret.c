/*
 * secret.c - the terminal's echo is off only while the person types, and comes back whatever happens.
 */
#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

#include "base/banned.h"

enum { SECRET_MAX = 4096 };

/* What came while the echo was off; obeyed when it is on again. */
static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
	interrupted = number;
}

static pt_err read_line(struct arena *arena, int fd, const char *name, pt_str *out)
{
	char text[SECRET_MAX];
	ssize_t got = 1;
	size_t n = 0;

	while (n < sizeof(text)) {
		got = read(fd, text + n, 1);
		if (got < 0 && errno == EINTR && !interrupted)
			continue;
		if (got <= 0 || text[n] == '\n')
			break;
		n++;
	}
	if (n > 0 && text[n - 1] == '\r')
		n--;
	if (got < 0 && !interrupted)
		fprintf(stderr, "portress: cannot read a password from %s: %s\n", name,
			strerror(errno));
	else if (n == sizeof(text))
		fprintf(stderr,
			"portress: more than a password in %s: one line of less than %d "
			"bytes, please\n",
			name, SECRET_MAX);
	bool kept = got >= 0 && n < sizeof(text) && arena_str(arena, str_n(text, n), out);
	explicit_bzero(text, sizeof(text));
	return kept ? PT_OK : PT_E_MALFORMED;
}

static const int interrupts[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

enum { INTERRUPTS = sizeof(interrupts) / sizeof(interrupts[0]) };

static void interrupts_catch(struct sigaction before[INTERRUPTS])
{
	const struct sigaction ours = { .sa_handler = interrupt };

	for (size_t i = 0; i < INTERRUPTS; i++)
		sigaction(interrupts[i], &ours, &before[i]);
}

static void interrupts_obey(const struct sigaction before[INTERRUPTS])
{
	for (size_t i = 0; i < INTERRUPTS; i++)
		sigaction(interrupts[i], &before[i], NULL);
	if (interrupted)
		raise(interrupted);
}

/* Signals come while we wait and at no other time, so that none is missed. False: one came. */
static bool line_comes(const sigset_t *before)
{
	struct pollfd terminal = { .fd = STDIN_FILENO, .events = POLLIN };
	sigset_t mask = *before;

	sigaddset(&mask, SIGTSTP);
	while (!interrupted && ppoll(&terminal, 1, NULL, &mask) < 0 && errno == EINTR)
		;
	return !interrupted;
}

static pt_err ask_once(struct arena *arena, const char *prompt, pt_str *out)
{
	struct sigaction actions[INTERRUPTS];
	struct termios before, quiet;
	sigset_t stops, mask;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return PT_E_MALFORMED;
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	sigemptyset(&stops);
	sigaddset(&stops, SIGTSTP);
	for (size_t i = 0; i < INTERRUPTS; i++)
		sigaddset(&stops, interrupts[i]);
	sigprocmask(SIG_BLOCK, &stops, &mask);
	interrupts_catch(actions);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	/* Asked for only now: what is typed before the echo is off is thrown away. */
	fputs(prompt, stderr);
	pt_err err = line_comes(&mask) ? read_line(arena, STDIN_FILENO, "the terminal", out)
				       : PT_E_MALFORMED;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	interrupts_obey(actions);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return err;
}

/* Nothing typed needs no second time. */
static pt_err ask_again(struct arena *arena, pt_str once)
{
	pt_str twice;

	if (once.n == 0)
		return PT_OK;
	TRY(ask_once(arena, "Again: ", &twice));
	if (str_eq(once, twice))
		return PT_OK;
	fputs("portress: the two are not the same; nothing was changed\n", stderr);
	return PT_E_MALFORMED;
}

static pt_err ask_person(struct arena *arena, pt_str *out)
{
	pt_str once;

	TRY(ask_once(arena, "New password: ", &once));
	TRY(ask_again(arena, once));
	*out = once;
	return PT_OK;
}

static pt_err from_file(struct arena *arena, pt_str path, pt_str *out)
{
	const char *name = arena_cstr(arena, path);
	PT_OWN(own_fd) int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0) {
		fprintf(stderr, "portress: cannot read a password from %.*s: %s\n", (int)path.n,
			path.p, strerror(errno));
		return PT_E_MALFORMED;
	}
	return read_line(arena, fd, name, out);
}

pt_err secret_ask(struct arena *arena, const struct args *args, pt_str *out)
{
	pt_str path = args_option(args, "password-file"), secret;
	pt_err err;

	if (path.n > 0)
		err = from_file(arena, path, &secret);
	else if (isatty(STDIN_FILENO))
		err = ask_person(arena, &secret);
	else
		err = read_line(arena, STDIN_FILENO, "standard input", &secret);
	if (err == PT_OK && secret.n == 0) {
		fputs("portress: no password was given: type one, or give one line to standard "
		      "input or --password-file\n",
			stderr);
		err = PT_E_MALFORMED;
	}
	if (err == PT_OK)
		*out = secret;
	return err;
}

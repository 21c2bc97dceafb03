/*
 * secret.c - the terminal's echo is off only while the person types, and comes back whatever happens.
 */
#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/own.h"
#include "base/str.h"

#include "base/banned.h"

enum { SECRET_MAX = 4096 };

static pt_err read_line(struct arena *arena, int fd, pt_str *out)
{
	char text[SECRET_MAX];
	size_t n = 0;

	while (n < sizeof(text)) {
		ssize_t got = read(fd, text + n, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || text[n] == '\n')
			break;
		n++;
	}
	if (n > 0 && text[n - 1] == '\r')
		n--;
	bool kept = n < sizeof(text) && arena_str(arena, str_n(text, n), out);
	explicit_bzero(text, sizeof(text));
	return kept ? PT_OK : PT_E_MALFORMED;
}

static pt_err ask_once(struct arena *arena, const char *prompt, pt_str *out)
{
	struct termios before, quiet;
	sigset_t interrupts, mask;

	fputs(prompt, stderr);
	tcgetattr(STDIN_FILENO, &before);
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	sigemptyset(&interrupts);
	sigaddset(&interrupts, SIGINT);
	sigaddset(&interrupts, SIGTSTP);
	sigprocmask(SIG_BLOCK, &interrupts, &mask);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	pt_err err = read_line(arena, STDIN_FILENO, out);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	fputc('\n', stderr);
	return err;
}

static pt_err ask_person(struct arena *arena, pt_str *out)
{
	pt_str once, twice;
	pt_err err = ask_once(arena, "New password: ", &once);

	if (err == PT_OK)
		err = ask_once(arena, "Again: ", &twice);
	if (err != PT_OK)
		return err;
	if (!str_eq(once, twice)) {
		fputs("portress: the two are not the same\n", stderr);
		return PT_E_MALFORMED;
	}
	*out = once;
	return PT_OK;
}

static pt_err from_file(struct arena *arena, pt_str path, pt_str *out)
{
	const char *name = arena_cstr(arena, path);
	PT_OWN(own_fd) int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0) {
		fprintf(stderr, "portress: %.*s: %s\n", (int)path.n, path.p, strerror(errno));
		return PT_E_MALFORMED;
	}
	return read_line(arena, fd, out);
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
		err = read_line(arena, STDIN_FILENO, &secret);
	if (err == PT_OK && secret.n == 0) {
		fputs("portress: no password was given\n", stderr);
		err = PT_E_MALFORMED;
	}
	if (err == PT_OK)
		*out = secret;
	return err;
}

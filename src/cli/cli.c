/*
 * cli.c - finds a command by its name.
 */
#include "cli/cli.h"

#include <stdio.h>

#include "base/str.h"

#include "base/banned.h"

int exit_code_of(pt_err err)
{
	switch (err) {
	case PT_F_STORE:
		return EXIT_UNAVAILABLE;
	case PT_F_CONFIG:
		return EXIT_CONFIG;
	case PT_F_IO:
		return EXIT_IO;
	case PT_E_BUSY:
	case PT_E_LIMITED:
		return EXIT_LATER;
	default:
		return err == PT_OK ? EXIT_DONE : err < 0 ? EXIT_INTERNAL : EXIT_NO;
	}
}

static void show_help(FILE *out, const struct command *commands, size_t n)
{
	fputs("usage: portress COMMAND [--help]\n\n", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	fputs("\nSettings go before or behind: --KEY VALUE, PORTRESS_KEY in the environment, or a "
	      "file "
	      "with --config.\n`portress serve --help` lists them.\n",
		out);
}

static const struct command *find(const struct command *commands, size_t n, pt_str name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(str(commands[i].name), name))
			return &commands[i];
	}
	return NULL;
}

static const char *nearest(const struct command *commands, size_t n, pt_str name)
{
	const char *best = NULL;
	size_t least = 3;

	for (size_t i = 0; i < n; i++) {
		size_t distance = str_distance(str(commands[i].name), name);
		if (distance < least) {
			least = distance;
			best = commands[i].name;
		}
	}
	return best;
}

int cli_run(
	struct cli *cli, const struct command *commands, size_t n, const struct command *fallback)
{
	pt_str name = args_word(&cli->args, 0);
	const struct command *command = find(commands, n, name);

	if (name.n == 0 && args_has(&cli->args, "version"))
		return command_version(cli);
	if (name.n == 0 && fallback)
		command = fallback;
	if (name.n == 0 && !command) {
		bool asked = args_has(&cli->args, "help");
		show_help(asked ? stdout : stderr, commands, n);
		return asked ? EXIT_DONE : EXIT_USAGE;
	}
	if (command && (command->help == NULL || !args_has(&cli->args, "help")))
		return command->run(cli);
	if (command) {
		fputs(command->help, stdout);
		return EXIT_DONE;
	}
	const char *meant = nearest(commands, n, name);
	fprintf(stderr, "portress: no such command: %.*s", (int)name.n, name.p);
	if (meant)
		fprintf(stderr, "; did you mean %s?", meant);
	fputc('\n', stderr);
	return EXIT_USAGE;
}

int command_version(struct cli *cli)
{
	(void)cli;
	printf("portress %s%s\n", pt_version(),
		pt_has_test_hooks() ? " (test hooks: not for people)" : "");
	return EXIT_DONE;
}

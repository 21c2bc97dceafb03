/*
 * cli.c - finds a command by its name.
 */
#include "cli/cli.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/str.h"

#include "base/banned.h"

enum { COMMANDS_MAX = 32 };

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

static const char *nearest(const char *const *names, pt_str name)
{
	const char *best = NULL;
	size_t least = 3;

	for (; *names; names++) {
		size_t distance = str_distance(str(*names), name);
		if (distance < least && distance < name.n) {
			least = distance;
			best = *names;
		}
	}
	return best;
}

int cli_no_such(const char *above, pt_str name, const char *const *names)
{
	const char *meant = nearest(names, name);

	fprintf(stderr, "portress: no such command: %s%.*s", above, (int)name.n, name.p);
	if (meant)
		fprintf(stderr, "; did you mean %s%s?\n", above, meant);
	else
		fprintf(stderr, "; `portress %s--help` lists them\n", above);
	return EXIT_USAGE;
}

static int no_such_command(const struct command *commands, size_t n, pt_str name)
{
	const char *names[COMMANDS_MAX + 1] = { NULL };

	for (size_t i = 0; i < n && i < COMMANDS_MAX; i++)
		names[i] = commands[i].name;
	return cli_no_such("", name, names);
}

static const struct cli_verb *verb_at(const struct cli_verbs *verbs, size_t i)
{
	return (const void *)((const char *)verbs->rows + i * verbs->row_size);
}

static void no_such_verb(const struct cli *cli, const struct cli_verbs *verbs, pt_str name)
{
	const char *names[COMMANDS_MAX + 1] = { NULL };
	struct buf above = BUF(cli->arena, 64);

	for (size_t i = 0; i < verbs->n && i < COMMANDS_MAX; i++)
		names[i] = verb_at(verbs, i)->name;
	buf_str(&above, str(verbs->command));
	buf_char(&above, ' ');
	cli_no_such(buf_view(&above).p, name, names);
}

const void *cli_verb_find(const struct cli *cli, const struct cli_verbs *verbs)
{
	pt_str name = args_word(&cli->args, 1);

	for (size_t i = 0; i < verbs->n; i++) {
		if (str_eq(str(verb_at(verbs, i)->name), name))
			return verb_at(verbs, i);
	}
	if (name.n == 0)
		fputs(verbs->help, stderr);
	else
		no_such_verb(cli, verbs, name);
	return NULL;
}

bool cli_verb_takes(
	const struct cli *cli, const struct cli_verbs *verbs, const struct cli_verb *verb)
{
	pt_str stranger = args_stranger(&cli->args, verb->options);

	if (stranger.n > 0)
		fprintf(stderr,
			"portress: %s %s: it takes no --%.*s; `portress %s --help` says what it "
			"takes\n",
			verbs->command, verb->name, (int)stranger.n, stranger.p, verbs->command);
	return stranger.n == 0;
}

/* A word too many is not shown: it may be a secret. */
static int run(struct cli *cli, const struct command *command)
{
	pt_str stranger = args_stranger(&cli->args, command->options);

	if (command->words > 0 && cli->args.n_words > command->words)
		fprintf(stderr,
			"portress: %s: a word too many; `portress %s --help` says what it takes\n",
			command->name, command->name);
	else if (stranger.n > 0)
		fprintf(stderr,
			"portress: %s: it takes no --%.*s; `portress %s --help` says what it "
			"takes\n",
			command->name, (int)stranger.n, stranger.p, command->name);
	else
		return command->run(cli);
	return EXIT_USAGE;
}

/* Flags, and no command. */
static int run_nothing(struct cli *cli, const struct command *commands, size_t n)
{
	bool asked = args_has(&cli->args, "help");

	if (!asked) {
		int code = cli->flags_check(cli);
		if (code != EXIT_DONE)
			return code;
	}
	show_help(asked ? stdout : stderr, commands, n);
	return asked ? EXIT_DONE : EXIT_USAGE;
}

int cli_run(
	struct cli *cli, const struct command *commands, size_t n, const struct command *fallback)
{
	pt_str name = args_word(&cli->args, 0);
	const struct command *command = name.n > 0 ? find(commands, n, name) : fallback;

	if (name.n == 0 && args_has(&cli->args, "version"))
		return command_version(cli);
	if (name.n == 0 && !command)
		return run_nothing(cli, commands, n);
	if (!command)
		return no_such_command(commands, n, name);
	if (!args_has(&cli->args, "help") || !command->help)
		return run(cli, command);
	fputs(command->help, stdout);
	return EXIT_DONE;
}

int command_version(struct cli *cli)
{
	int code = cli->flags_check(cli);

	if (code != EXIT_DONE)
		return code;
	printf("portress %s%s\n", pt_version(),
		pt_has_test_hooks() ? " (test hooks: not for people)" : "");
	return EXIT_DONE;
}

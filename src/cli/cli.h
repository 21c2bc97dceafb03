/*
 * cli.h - the command line as a client of the library.
 *
 * The program's table of commands is made where the program is put together; what needs only a site
 * is here. Results go to stdout, everything else to stderr.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/args.h"
#include "portress/portress.h"

/* sysexits(3), and 1 for a negative answer. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_NO = 1,
	EXIT_USAGE = 64,
	EXIT_DATA = 65,
	EXIT_UNAVAILABLE = 69,
	EXIT_INTERNAL = 70,
	EXIT_IO = 74,
	EXIT_LATER = 75,
	EXIT_CONFIG = 78,
};

/* A key that signs access tokens, as it may be shown. */
struct key_row {
	pt_str kid;
	pt_str algorithm;
	pt_str status; /* "next", "current", "retired" */
	pt_time when; /* a next key signs from then on, a retired one judges until then; 0: neither */
};

/* The file of those keys, and what is done with it. */
struct key_file {
	const char *path;
	pt_time life; /* of what they sign */
	/* PT_E_NOT_FOUND: there is no file. */
	pt_err (*list)(
		const struct key_file *file, pt_arena *arena, struct key_row **rows, size_t *n);
	/* PT_E_MALFORMED: no such algorithm; PT_E_TAKEN: there is a next key already. */
	pt_err (*add)(const struct key_file *file, pt_arena *arena, pt_str algorithm, pt_str *kid);
	/* PT_E_NOT_FOUND: there is no next key; PT_E_BUSY: others may not know it yet. */
	pt_err (*rotate)(const struct key_file *file, pt_arena *arena, bool at_once, pt_str *kid);
	/* PT_E_NOT_FOUND; PT_E_FORBIDDEN: it signs. */
	pt_err (*retire)(const struct key_file *file, pt_arena *arena, pt_str kid);
};

/* A site of the GoTrue dialect, and what it gives to accounts. */
struct cli_gotrue {
	struct pt_site *site;
	pt_str audience;
	pt_str admin_group;
	pt_str default_group;
	bool autoconfirm;
};

/* What a command may ask of the program. */
struct cli {
	struct arena *arena;
	struct args args;
	/* Opens the site that the settings describe. Not EXIT_DONE: said already. */
	int (*site_open)(struct cli *cli, struct pt_site **out);
	/* Likewise that of the dialect; `instance`: one of many. */
	int (*gotrue_open)(struct cli *cli, pt_str instance, struct cli_gotrue *out);
	/* Finds the file that the settings name. Not EXIT_DONE: said already. */
	int (*keys_open)(struct cli *cli, struct key_file *out);
	/* Judges flags where no settings are loaded. Not EXIT_DONE: said already. */
	int (*flags_check)(struct cli *cli);
	void *ctx;
};

struct command {
	const char *name;
	const char *summary;
	const char *help;    /* shown by NAME --help; NULL: it shows its own */
	const char *options; /* what it takes of the table in args.c, with spaces between */
	size_t words;        /* the most words, its own name among them; 0: it counts them itself */
	int (*run)(struct cli *cli);
};

/* Finds the command in words[0] and runs it, or shows help. `fallback` runs when there is no word but
 * flags; NULL shows help then. */
int cli_run(
	struct cli *cli, const struct command *commands, size_t n, const struct command *fallback);

/* Says that `above` has no `name`, and which of `names` (ends in NULL) is meant. */
int cli_no_such(const char *above, pt_str name, const char *const *names);

/* A verb below a command: what a row of the command's own table begins with. */
struct cli_verb {
	const char *name;
	const char *options; /* as in a command */
};

struct cli_verbs {
	const char *command;
	const char *help;
	const void *rows;
	size_t n, row_size;
};

/* The row of the verb in words[1]. NULL: said already, EXIT_USAGE. */
const void *cli_verb_find(const struct cli *cli, const struct cli_verbs *verbs);

/* Whether every option is one of the verb's; said where one is not. */
bool cli_verb_takes(
	const struct cli *cli, const struct cli_verbs *verbs, const struct cli_verb *verb);

/* What an outcome means to whoever called us. */
int exit_code_of(pt_err err);

/* Likewise of an act on an account; says on stderr why it was refused. */
int account_outcome(pt_err err);

/* ---- commands that need only a site, or a file of keys ---- */

int command_admin(struct cli *cli);
int command_keys(struct cli *cli);
int command_user(struct cli *cli);
int command_version(struct cli *cli);

extern const char admin_help[];
extern const char admin_options[]; /* of all its verbs; each has some of them */
extern const char keys_help[];
extern const char keys_options[];
extern const char user_help[];
extern const char user_options[]; /* of all its verbs; each has some of them */

#endif

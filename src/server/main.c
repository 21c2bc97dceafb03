/*
 * main.c - the program: a table of commands over one set of settings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hook.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/cli.h"
#include "crypt/digest.h"
#include "server/config.h"
#include "server/help.h"
#include "server/import.h"
#include "server/keyring.h"
#include "server/look.h"
#include "server/settings.h"
#include "server/wire.h"

#include "base/banned.h"

enum { ARENA = 32 * 1024 * 1024 };

extern char **environ;

/* ---- settings ---- */

static enum arg_kind setting_kind(pt_str key)
{
	for (int i = 0; i < SETTINGS; i++) {
		if (str_eq(str(setting_rows[i].key), key))
			return setting_rows[i].type == TYPE_BOOL ? ARG_SWITCH : ARG_VALUE;
	}
	return ARG_UNKNOWN;
}

static enum persona persona(const struct cli *cli)
{
	for (size_t i = cli->args.n_flags; i-- > 0;) {
		if (str_eq(cli->args.flags[i].key, PT_STR("as")))
			return persona_of(cli->args.flags[i].value);
	}
	return persona_of(str(getenv("PORTRESS_AS")));
}

static int tell_problems(const struct config *config)
{
	for (size_t i = 0; i < config->n_problems; i++)
		fprintf(stderr, "portress: %.*s\n", (int)config->problems[i].n,
			config->problems[i].p);
	if (config->as == AS_IDENTORO)
		return config->bad_flags ? 2 : 1;
	return config->bad_flags ? EXIT_USAGE : EXIT_CONFIG;
}

static void tell_warnings(const struct config *config)
{
	for (size_t i = 0; i < config->n_warnings; i++)
		log_say(LOG_WARN, "config.ignored", "%.*s", (int)config->warnings[i].n,
			config->warnings[i].p);
}

/* Whoever runs a command reads what it says; a server's lines are read by machines. */
static void log_start(const struct cli *cli, const struct config *config)
{
	int64_t format = config_number(config, SET_LOG_FORMAT);
	pt_str command = args_word(&cli->args, 0);
	bool serves = command.n == 0 || str_eq(command, PT_STR("serve")) ||
		      str_eq(command, PT_STR("multi"));
	bool text = format == 2 || (format == 0 && (!serves || isatty(STDERR_FILENO)));

	log_open(text ? LOG_TEXT : LOG_JSON, (enum log_level)config_number(config, SET_LOG_LEVEL));
}

/* Settings that were loaded and read without a problem, or the exit code for what was said. */
static int load(struct cli *cli, struct config *config, struct settings *settings,
	pt_err (*make)(struct config *config, struct settings *out))
{
	struct config_sources sources = {
		.environment = environ,
		.dotenv = !getenv("INVOCATION_ID") && !getenv("NOTIFY_SOCKET"),
		.credentials = getenv("CREDENTIALS_DIRECTORY"),
		.n_flags = cli->args.n_flags,
	};
	struct config_flag *flags =
		ARENA_ARRAY(cli->arena, struct config_flag, cli->args.n_flags + 1);

	if (!flags)
		return EXIT_INTERNAL;
	for (size_t i = 0; i < cli->args.n_flags; i++)
		flags[i] = (struct config_flag){ cli->args.flags[i].key, cli->args.flags[i].value };
	sources.flags = flags;
	log_open(LOG_TEXT, LOG_INFO);
	pt_err err = config_load(cli->arena, &sources, config);
	if (err == PT_OK || err == PT_F_CONFIG) {
		log_start(cli, config);
		tell_warnings(config);
		err = make(config, settings);
	}
	if (err == PT_F_CONFIG && config->n_problems > 0)
		return tell_problems(config);
	return err == PT_OK ? EXIT_DONE : exit_code_of(err);
}

/* Where no settings are needed, flags are judged alone. */
static int flags_check(struct cli *cli)
{
	struct config config;
	struct config_sources sources = {
		.environment = (char *const[]){ NULL },
		.n_flags = cli->args.n_flags,
	};
	struct config_flag *flags =
		ARENA_ARRAY(cli->arena, struct config_flag, cli->args.n_flags + 1);

	if (!flags)
		return EXIT_INTERNAL;
	for (size_t i = 0; i < cli->args.n_flags; i++)
		flags[i] = (struct config_flag){ cli->args.flags[i].key, cli->args.flags[i].value };
	sources.flags = flags;
	pt_err err = config_load(cli->arena, &sources, &config);
	return err == PT_F_CONFIG && config.bad_flags ? tell_problems(&config) : EXIT_DONE;
}

/* What was loaded from the environment need not be seen there any more. */
static void environment_scrub(void)
{
	for (int i = 0; i < SETTINGS; i++) {
		char name[128];
		struct buf b = BUF_FIXED(name);

		if (setting_rows[i].type != TYPE_SECRET && setting_rows[i].type != TYPE_ADDRESS)
			continue;
		setting_environment_name((enum setting)i, &b);
		unsetenv(name);
		if (setting_rows[i].identoro[0])
			unsetenv(setting_rows[i].identoro);
	}
	for (size_t i = 0; i < gotrue_names_count; i++) {
		const struct gotrue_name *row = &gotrue_names[i];
		enum setting_type type = setting_rows[row->id].type;
		char name[128];
		struct buf b = BUF_FIXED(name);

		if (type != TYPE_SECRET && type != TYPE_ADDRESS)
			continue;
		buf_printf(&b, "GOTRUE_%s", row->name);
		unsetenv(name);
	}
}

static int ended(const struct config *config, pt_err err)
{
	if (err == PT_OK)
		return EXIT_DONE;
	if (config->as == AS_IDENTORO)
		return 1;
	return err == PT_F_IO ? EXIT_UNAVAILABLE : exit_code_of(err);
}

/* ---- commands ---- */

static int create_tables(struct config *config, struct settings *settings)
{
	pt_err err = server_create_tables(config, settings);

	if (err == PT_OK)
		puts("Tables created successfully");
	else if (err == PT_E_TAKEN)
		puts("Tables already exist. No need to create them.");
	return err == PT_E_TAKEN ? EXIT_NO : ended(config, err);
}

static int command_serve(struct cli *cli)
{
	struct settings settings;
	struct config config;

	if (args_has(&cli->args, "help")) {
		help_serve(stdout, persona(cli));
		return EXIT_DONE;
	}
	int code = load(cli, &config, &settings, settings_make);
	if (code != EXIT_DONE)
		return code;
	if (config.as == AS_IDENTORO && args_has(&cli->args, "createtables"))
		return create_tables(&config, &settings);
	environment_scrub();
	return ended(&config, server_run(&config, &settings));
}

/* GoTrue's word for a server of many sites. */
static int command_multi(struct cli *cli)
{
	struct arg_flag *flags = ARENA_ARRAY(cli->arena, struct arg_flag, cli->args.n_flags + 2);

	if (!flags)
		return EXIT_INTERNAL;
	for (size_t i = 0; i < cli->args.n_flags; i++)
		flags[i] = cli->args.flags[i];
	flags[cli->args.n_flags++] = (struct arg_flag){ PT_STR("as"), PT_STR("gotrue") };
	flags[cli->args.n_flags++] = (struct arg_flag){ PT_STR("gotrue.multi"), PT_STR("true") };
	cli->args.flags = flags;
	return command_serve(cli);
}

static void told(void *ctx, int number, const char *name)
{
	(void)ctx;
	printf("applied %03d %s\n", number, name);
}

/* To verify is to ask for what was applied, not for what is missing. */
static int tell_steps(const struct migration_status *status, bool verify)
{
	printf("at step %d of %d\n", status->applied, status->known);
	if (status->applied > status->known)
		fputs("portress: a newer program made this database; run that one\n", stderr);
	else if (status->applied < status->known && !verify)
		fputs("portress: steps are missing; `portress migrate up` applies them\n", stderr);
	else
		return EXIT_DONE;
	return EXIT_NO;
}

static int no_such_word(const char *command, pt_str word, const char *const *words)
{
	if (word.n > 0)
		return cli_no_such(command, word, words);
	fprintf(stderr, "portress: %swhat? `portress %s--help` says it\n", command, command);
	return EXIT_USAGE;
}

static int command_migrate(struct cli *cli)
{
	static const char *const words[] = { "up", "status", "verify", NULL };
	pt_str word = args_word(&cli->args, 1);

	/* As GoTrue has it. */
	if (word.n == 0 && persona(cli) == AS_GOTRUE)
		word = PT_STR("up");
	bool up = str_eq(word, PT_STR("up")), verify = str_eq(word, PT_STR("verify"));
	struct migration_status status;
	struct settings settings;
	struct config config;
	pt_err err = PT_OK;

	if (!up && !verify && !str_eq(word, PT_STR("status")))
		return no_such_word("migrate ", word, words);
	int code = load(cli, &config, &settings, settings_make_site);
	if (code != EXIT_DONE)
		return code;
	if (up)
		err = store_migrate_up(&settings.store, told, NULL);
	if (err == PT_OK)
		err = verify ? store_migrate_verify(&settings.store, &status)
			     : store_migrate_status(&settings.store, &status);
	return err == PT_OK ? tell_steps(&status, verify) : exit_code_of(err);
}

static int manual(pt_str page)
{
	if (help_mdoc(stdout, page))
		return EXIT_DONE;
	fputs("portress: --mdoc must be portress.1 or portress.conf.5\n", stderr);
	return EXIT_USAGE;
}

/* Templates are settings of a kind: broken ones keep the server from starting. */
static int look_check(const struct config *config)
{
	struct look *look;
	pt_err err = look_open(config_text(config, SET_UI_DIR), &look);

	if (err != PT_OK)
		return ended(config, err);
	look_close(look);
	puts("the settings can be used");
	return EXIT_DONE;
}

static int command_config(struct cli *cli)
{
	static const char *const words[] = { "print", "check", NULL };
	pt_str word = args_word(&cli->args, 1);
	bool print = str_eq(word, PT_STR("print"));
	struct settings settings;
	struct config config;

	if (args_has(&cli->args, "mdoc"))
		return manual(args_option(&cli->args, "mdoc"));
	if (!print && !str_eq(word, PT_STR("check")))
		return no_such_word("config ", word, words);
	int code = load(cli, &config, &settings, settings_make);
	if (code == EXIT_DONE && !print)
		return look_check(&config);
	if (code == EXIT_DONE)
		help_config(stdout, &config);
	return code;
}

static int command_import(struct cli *cli)
{
	struct import_wish wish;
	struct settings settings;
	struct config config;

	int code = import_read(cli, &wish);
	if (code == EXIT_DONE)
		code = load(cli, &config, &settings, settings_make_site);
	return code == EXIT_DONE ? import_run(&config, &settings, &wish) : code;
}

static int open_site(struct cli *cli, struct pt_site **out)
{
	struct settings *settings = ARENA_NEW(cli->arena, struct settings);
	struct config *config = ARENA_NEW(cli->arena, struct config);

	if (!settings || !config)
		return EXIT_INTERNAL;
	int code = load(cli, config, settings, settings_make_site);
	return code != EXIT_DONE ? code : exit_code_of(server_site(config, settings, out));
}

/* GoTrue's id of the only instance. */
static bool is_no_instance(pt_str id)
{
	return id.n == 0 || str_eq(id, PT_STR("00000000-0000-0000-0000-000000000000"));
}

static int open_gotrue(struct cli *cli, pt_str instance, struct cli_gotrue *out)
{
	struct settings *settings = ARENA_NEW(cli->arena, struct settings);
	struct config *config = ARENA_NEW(cli->arena, struct config);
	struct gotrue_options options;

	if (!settings || !config)
		return EXIT_INTERNAL;
	int code = load(cli, config, settings, settings_make_site);
	if (code != EXIT_DONE)
		return code;
	if (is_no_instance(instance))
		instance = PT_STR("");
	if (!settings->gotrue.on || (instance.n > 0 && !settings->gotrue.many)) {
		fprintf(stderr, "portress: %s\n",
			settings->gotrue.on
				? "there is one site; gotrue.multi has many"
				: "the GoTrue dialect is not served here; surfaces has none");
		return EXIT_CONFIG;
	}
	pt_err err = server_gotrue_site(config, settings, instance, &options, &out->site);
	if (err == PT_E_NOT_FOUND)
		fputs("portress: there is no such instance\n", stderr);
	out->audience = options.audience;
	out->admin_group = options.admin_group;
	out->default_group = options.default_group;
	out->autoconfirm = options.autoconfirm;
	return exit_code_of(err);
}

/* Of access tokens: a key judges that long what it signed. */
static pt_time longest_life(const struct settings *settings)
{
	pt_time pages = settings->pages.on ? settings->policy.access_life : 0;
	pt_time gotrue = settings->gotrue.on ? settings->gotrue_policy.access_life : 0;

	return pages > gotrue ? pages : gotrue;
}

static int open_keys(struct cli *cli, struct key_file *out)
{
	struct settings *settings = ARENA_NEW(cli->arena, struct settings);
	struct config *config = ARENA_NEW(cli->arena, struct config);

	if (!settings || !config)
		return EXIT_INTERNAL;
	int code = load(cli, config, settings, settings_make_site);
	if (code != EXIT_DONE)
		return code;
	const char *path = arena_cstr(cli->arena, config_text(config, SET_KEYS_SIGNING));
	if (!path || path[0] == '\0') {
		fputs("portress: keys.signing names no file of keys that sign\n", stderr);
		return EXIT_CONFIG;
	}
	*out = keyring_file(path, longest_life(settings));
	return exit_code_of(crypt_open());
}

static const struct command commands[] = {
	{ "serve", "serve until told to stop", NULL, "help createtables", 1, command_serve },
	{ "multi", "serve many sites as GoTrue does: serve --as gotrue --gotrue.multi", NULL,
		"help", 1, command_multi },
	{ "migrate", "bring the database up to date, or see how it stands",
		"usage: portress migrate up | status | verify\n\n"
		"  up      apply the steps that are missing\n"
		"  status  say which step the database is at; 1 when some are missing\n"
		"  verify  check that what was applied is what this program knows; 1 when a newer "
		"one made it\n",
		"", 2, command_migrate },
	{ "keys", "list, add, rotate and retire keys that sign", keys_help, keys_options, 0,
		command_keys },
	{ "admin", "make and remove accounts, in GoTrue's words", admin_help, admin_options, 0,
		command_admin },
	{ "user", "list, show, make and change accounts", user_help, user_options, 0,
		command_user },
	{ "import", "take people over from another system", import_help, import_options, 2,
		command_import },
	{ "config", "print or check the settings",
		"usage: portress config print | check\n\n"
		"  print  every setting, its value and where it is from; secrets only as set or "
		"unset\n"
		"  check  all that is wrong with them\n\n"
		"  --mdoc portress.1 | portress.conf.5  the manual pages\n",
		"mdoc", 2, command_config },
	{ "version", "say the version", "usage: portress version\n", "version", 1,
		command_version },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* `portress help` is `portress --help`. */
static void help_word(struct args *args)
{
	if (!str_eq(args_word(args, 0), PT_STR("help")))
		return;
	args->options[args->n_options++] = (struct arg_flag){ PT_STR("help"), PT_STR("true") };
	args->words++;
	args->n_words--;
}

int main(int argc, char **argv)
{
	struct cli cli = { .arena = arena_open(ARENA),
		.site_open = open_site,
		.gotrue_open = open_gotrue,
		.keys_open = open_keys,
		.flags_check = flags_check };
	int code = EXIT_INTERNAL;

	hook_open();
	if (cli.arena && args_read(cli.arena, argc, argv, setting_kind, &cli.args) == PT_OK) {
		help_word(&cli.args);
		/* `portress --as identoro` takes the original's place under its own name. */
		code = cli_run(&cli, commands, COMMANDS,
			persona(&cli) == AS_PORTRESS ? NULL : &commands[0]);
	}
	arena_close(cli.arena);
	return fflush(stdout) == 0 ? code : EXIT_IO;
}

/*
 * keys.c - portress keys: the keys that sign access tokens, from their first day to their last.
 */
#include "cli/cli.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#include "base/banned.h"

enum { TEXT_MAX = 64 * 1024 };

const char keys_help[] =
	"usage: portress keys COMMAND\n\n"
	"  list [--json]                       names, algorithms and states; never the keys\n"
	"  add [--alg ES256 | EdDSA | RS256]   make the next key; the first one signs at once\n"
	"  rotate [--now]                      the next key signs, the last one still judges\n"
	"  retire KID                          a key that does not sign judges nothing any more\n\n"
	"The keys are in the file that the setting keys.signing names. A running server reads it "
	"on\n"
	"HUP. Five minutes lie between add and rotate, in which others fetch the new public key "
	"from\n"
	"/.well-known/jwks.json; --now does not wait for them.\n";

const char keys_options[] = "json alg now";

/* ---- the verbs ---- */

static pt_str moment(pt_arena *arena, pt_time time)
{
	struct buf b = BUF(arena, 64);

	if (time != 0)
		buf_rfc3339(&b, time, 0);
	return buf_view(&b);
}

static bool is_next(const struct key_row *row)
{
	return str_eq(row->status, PT_STR("next"));
}

static void row_print(pt_arena *arena, const struct key_row *row)
{
	pt_str when = moment(arena, row->when);

	printf("%.*s\t%.*s\t%.*s", (int)row->kid.n, row->kid.p, (int)row->algorithm.n,
		row->algorithm.p, (int)row->status.n, row->status.p);
	if (when.n > 0)
		printf("\t%s %.*s", is_next(row) ? "from" : "until", (int)when.n, when.p);
	putchar('\n');
}

static void row_json(struct json *j, pt_arena *arena, const struct key_row *row)
{
	json_object(j, NULL);
	json_str(j, "kid", row->kid);
	json_str(j, "alg", row->algorithm);
	json_str(j, "status", row->status);
	if (row->when != 0)
		json_str(j, is_next(row) ? "from" : "until", moment(arena, row->when));
	json_object_end(j);
}

static pt_err print_json(pt_arena *arena, const struct key_row *rows, size_t n)
{
	struct buf b = BUF(arena, TEXT_MAX);
	struct json j = JSON(&b);
	pt_str text;

	json_array(&j, NULL);
	for (size_t i = 0; i < n; i++)
		row_json(&j, arena, &rows[i]);
	json_array_end(&j);
	TRY(buf_done(&b, &text));
	printf("%.*s\n", (int)text.n, text.p);
	return PT_OK;
}

static pt_err keys_list(struct cli *cli, const struct key_file *file)
{
	struct key_row *rows;
	size_t n;

	TRY(file->list(file, cli->arena, &rows, &n));
	if (args_has(&cli->args, "json"))
		return print_json(cli->arena, rows, n);
	for (size_t i = 0; i < n; i++)
		row_print(cli->arena, &rows[i]);
	return PT_OK;
}

/* What was done, and what is left to do. */
static void tell(pt_str kid)
{
	printf("%.*s\n", (int)kid.n, kid.p);
	fputs("portress: send HUP to the server, so that it reads the keys again\n", stderr);
}

static pt_err keys_add(struct cli *cli, const struct key_file *file)
{
	pt_str algorithm = args_option(&cli->args, "alg"), kid;

	TRY(file->add(file, cli->arena, algorithm.n > 0 ? algorithm : PT_STR("ES256"), &kid));
	tell(kid);
	return PT_OK;
}

static pt_err keys_rotate(struct cli *cli, const struct key_file *file)
{
	pt_str kid;

	TRY(file->rotate(file, cli->arena, args_has(&cli->args, "now"), &kid));
	tell(kid);
	return PT_OK;
}

static pt_err keys_retire(struct cli *cli, const struct key_file *file)
{
	pt_str kid = args_word(&cli->args, 2);

	TRY(file->retire(file, cli->arena, kid));
	tell(kid);
	return PT_OK;
}

/* ---- the table ---- */

static const struct verb {
	struct cli_verb head;
	size_t words; /* with "keys" and its own */
	pt_err (*run)(struct cli *cli, const struct key_file *file);
	/* Its refusals in words. */
	const char *not_found;
	const char *not_so;
} verbs[] = {
	{ { "list", "json" }, 2, keys_list,
		"there is no key file yet; `portress keys add` makes one", NULL },
	{ { "add", "alg" }, 2, keys_add, NULL,
		"there is a next key already; `portress keys rotate`" },
	{ { "rotate", "now" }, 2, keys_rotate,
		"there is no next key; `portress keys add` makes one",
		"others may not know the next key yet; wait five minutes from its making, or say "
		"--now" },
	{ { "retire", "" }, 3, keys_retire, "there is no such key",
		"this key signs; let another one sign first" },
};

static const struct cli_verbs keys_verbs = { "keys", keys_help, verbs,
	sizeof(verbs) / sizeof(verbs[0]), sizeof(verbs[0]) };

static bool usage_fits(const struct cli *cli, const struct verb *verb)
{
	if (cli->args.n_words < verb->words)
		fprintf(stderr, "portress: keys %s: which? `portress keys list` names them\n",
			verb->head.name);
	else if (cli->args.n_words > verb->words)
		fprintf(stderr,
			"portress: keys %s: a word too many; `portress keys --help` says what it "
			"takes\n",
			verb->head.name);
	else
		return cli_verb_takes(cli, &keys_verbs, &verb->head);
	return false;
}

static int outcome(const struct verb *verb, pt_err err)
{
	const char *words = NULL;

	if (err == PT_E_NOT_FOUND)
		words = verb->not_found;
	else if (err == PT_E_TAKEN || err == PT_E_BUSY || err == PT_E_FORBIDDEN)
		words = verb->not_so;
	else if (err == PT_E_MALFORMED)
		words = "--alg must be ES256, EdDSA or RS256";
	if (words)
		fprintf(stderr, "portress: keys %s: %s\n", verb->head.name, words);
	else if (err != PT_OK)
		fprintf(stderr, "portress: not done (%s)\n", pt_err_name(err));
	return err == PT_E_MALFORMED ? EXIT_USAGE : exit_code_of(err);
}

int command_keys(struct cli *cli)
{
	const struct verb *verb = cli_verb_find(cli, &keys_verbs);
	struct key_file file;

	if (!verb || !usage_fits(cli, verb))
		return EXIT_USAGE;
	int code = cli->keys_open(cli, &file);
	if (code != EXIT_DONE)
		return code;
	return outcome(verb, verb->run(cli, &file));
}

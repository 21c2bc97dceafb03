/*
 * user.c - portress user: what an operator does with accounts.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "cli/secret.h"
#include "portress/act.h"

#include "base/banned.h"

enum { LIST_MAX = 1000, EVENTS_MAX = 50, TEXT_MAX = 4 * 1024 * 1024 };

const char user_help[] =
	"usage: portress user COMMAND\n\n"
	"  list [--max N] [--after ID] [--json]   accounts in order of their ids\n"
	"  show WHO [--json]                      one account\n"
	"  create --username NAME --email ADDRESS [--given-name N] [--family-name N]\n"
	"         [--verified] [--no-password]    make one; the password is asked for\n"
	"  password WHO                           set a password; ends all of its sessions\n"
	"  verify WHO [--undo]                    mark the address as confirmed\n"
	"  disable WHO                            switch it off; ends all of its sessions\n"
	"  enable WHO                             switch it on again\n"
	"  delete WHO --yes                       remove it\n"
	"  events [WHO] [--max N] [--json]        what happened, the newest first\n\n"
	"WHO is an id, a user name or an address. Passwords come from a prompt, from standard "
	"input\n"
	"or from --password-file PATH, never from an argument.\n";

const char user_options[] = "json yes verified username email given-name family-name no-password "
			    "password-file after max undo";

/* ---- saying it ---- */

static pt_str rfc3339(struct pt_call *call, pt_time time)
{
	struct buf b = BUF(pt_call_arena(call), 64);

	if (time != 0)
		buf_rfc3339(&b, time, 3);
	return buf_view(&b);
}

/* Names and addresses were typed by strangers: nothing that a terminal would obey. */
static void print_plain(pt_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool c1 = c == 0xC2 && i + 1 < s.n && (unsigned char)s.p[i + 1] < 0xA0;
		putchar(c < 0x20 || c == 0x7F || c1 ? '?' : c);
	}
}

static void print_row(const char *name, pt_str value)
{
	printf("%-14s ", name);
	print_plain(value);
	putchar('\n');
}

static void print_count(const char *name, int64_t value)
{
	printf("%-14s %lld\n", name, (long long)value);
}

static void account_json(struct json *j, struct pt_call *call, const struct pt_account *a)
{
	json_object(j, NULL);
	json_str(j, "id", str(a->id.text));
	json_str(j, "username", a->username);
	json_str(j, "email", a->email);
	json_bool(j, "verified", a->email_verified_at != 0);
	json_bool(j, "disabled", a->disabled_at != 0);
	json_str(j, "given_name", a->given_name);
	json_str(j, "family_name", a->family_name);
	json_str(j, "created_at", rfc3339(call, a->created_at));
	json_str(j, "last_signin_at", rfc3339(call, a->last_signin_at));
	json_int(j, "signin_count", a->signin_count);
	json_int(j, "failed_signins", a->failed_signins);
	json_object_end(j);
}

static pt_err print_json(struct buf *b)
{
	pt_str text;

	TRY(buf_done(b, &text));
	fwrite(text.p, 1, text.n, stdout);
	putchar('\n');
	return PT_OK;
}

static pt_err account_show(struct cli *cli, struct pt_call *call, const struct pt_account *a)
{
	struct buf b = BUF(pt_call_arena(call), TEXT_MAX);
	struct json j = JSON(&b);

	if (args_has(&cli->args, "json")) {
		account_json(&j, call, a);
		return print_json(&b);
	}
	print_row("id", str(a->id.text));
	print_row("username", a->username);
	print_row("email", a->email);
	print_row("verified",
		a->email_verified_at ? rfc3339(call, a->email_verified_at) : PT_STR("no"));
	print_row("disabled", a->disabled_at ? rfc3339(call, a->disabled_at) : PT_STR("no"));
	print_row("given name", a->given_name);
	print_row("family name", a->family_name);
	print_row("created", rfc3339(call, a->created_at));
	print_row("last sign-in", rfc3339(call, a->last_signin_at));
	print_count("sign-ins", a->signin_count);
	print_count("failed", a->failed_signins);
	return PT_OK;
}

/* ---- what is asked ---- */

static size_t most(const struct cli *cli, size_t otherwise)
{
	int64_t n;

	return str_int(args_option(&cli->args, "max"), 1, LIST_MAX, &n) ? (size_t)n : otherwise;
}

static pt_str who(const struct cli *cli)
{
	return args_word(&cli->args, 2);
}

static pt_err user_list(struct cli *cli, struct pt_call *call)
{
	struct buf b = BUF(pt_call_arena(call), TEXT_MAX);
	struct json j = JSON(&b);
	struct pt_account *accounts;
	size_t n;

	TRY(pt_account_list(call, args_option(&cli->args, "after"), most(cli, 100), &accounts, &n));
	if (args_has(&cli->args, "json")) {
		json_array(&j, NULL);
		for (size_t i = 0; i < n; i++)
			account_json(&j, call, &accounts[i]);
		json_array_end(&j);
		return print_json(&b);
	}
	for (size_t i = 0; i < n; i++) {
		const struct pt_account *a = &accounts[i];

		printf("%s\t", a->id.text);
		print_plain(a->username);
		putchar('\t');
		print_plain(a->email);
		printf("\t%s%s\n", a->email_verified_at ? "verified" : "unverified",
			a->disabled_at ? " disabled" : "");
	}
	return PT_OK;
}

static pt_err user_show(struct cli *cli, struct pt_call *call)
{
	struct pt_account account;

	TRY(pt_account_find(call, who(cli), &account));
	return account_show(cli, call, &account);
}

static pt_err user_create(struct cli *cli, struct pt_call *call)
{
	struct pt_account_form form = {
		.username = args_option(&cli->args, "username"),
		.email = args_option(&cli->args, "email"),
		.given_name = args_option(&cli->args, "given-name"),
		.family_name = args_option(&cli->args, "family-name"),
		.verified = args_has(&cli->args, "verified"),
	};
	struct pt_account account;

	if (!args_has(&cli->args, "no-password"))
		TRY(secret_ask(cli->arena, &cli->args, &form.password));
	TRY(pt_account_create(call, &form, &account));
	return account_show(cli, call, &account);
}

static pt_err user_password(struct cli *cli, struct pt_call *call)
{
	struct pt_account account;
	pt_str password;

	/* A slip in the name is told before anybody types a password twice. */
	TRY(pt_account_find(call, who(cli), &account));
	TRY(secret_ask(cli->arena, &cli->args, &password));
	return pt_account_set_password(call, who(cli), password);
}

static pt_err user_verify(struct cli *cli, struct pt_call *call)
{
	return pt_account_set_verified(call, who(cli), !args_has(&cli->args, "undo"));
}

static pt_err user_disable(struct cli *cli, struct pt_call *call)
{
	return pt_account_set_disabled(call, who(cli), true);
}

static pt_err user_enable(struct cli *cli, struct pt_call *call)
{
	return pt_account_set_disabled(call, who(cli), false);
}

static pt_err user_delete(struct cli *cli, struct pt_call *call)
{
	return pt_account_remove(call, who(cli));
}

static void event_json(struct json *j, struct pt_call *call, const struct pt_event *e)
{
	json_object(j, NULL);
	json_str(j, "at", rfc3339(call, e->at));
	json_str(j, "event", str(pt_event_name(e->kind)));
	json_str(j, "account", str(e->account.text));
	json_str(j, "client", e->client);
	json_str(j, "request", e->request);
	json_str(j, "detail", e->detail);
	json_object_end(j);
}

static pt_err user_events(struct cli *cli, struct pt_call *call)
{
	struct buf b = BUF(pt_call_arena(call), TEXT_MAX);
	struct json j = JSON(&b);
	struct pt_event *events;
	size_t n;

	TRY(pt_event_list(call, who(cli), most(cli, EVENTS_MAX), &events, &n));
	if (args_has(&cli->args, "json")) {
		json_array(&j, NULL);
		for (size_t i = 0; i < n; i++)
			event_json(&j, call, &events[i]);
		json_array_end(&j);
		return print_json(&b);
	}
	for (size_t i = 0; i < n; i++) {
		pt_str at = rfc3339(call, events[i].at);

		printf("%.*s  %-18s  %-36s  ", (int)at.n, at.p, pt_event_name(events[i].kind),
			events[i].account.text);
		print_plain(events[i].client);
		putchar('\n');
	}
	return PT_OK;
}

/* ---- the table ---- */

static const struct verb {
	struct cli_verb head;
	enum { WHO_NOT, WHO_MAY, WHO_MUST } who;
	const char *needs; /* of the options */
	pt_err (*run)(struct cli *cli, struct pt_call *call);
} verbs[] = {
	{ { "list", "json max after" }, WHO_NOT, "", user_list },
	{ { "show", "json" }, WHO_MUST, "", user_show },
	{ { "create",
		  "json username email given-name family-name verified no-password password-file" },
		WHO_NOT, "username email", user_create },
	{ { "password", "password-file" }, WHO_MUST, "", user_password },
	{ { "verify", "undo" }, WHO_MUST, "", user_verify },
	{ { "disable", "" }, WHO_MUST, "", user_disable },
	{ { "enable", "" }, WHO_MUST, "", user_enable },
	{ { "delete", "yes" }, WHO_MUST, "yes", user_delete },
	{ { "events", "json max" }, WHO_MAY, "", user_events },
};

static const struct cli_verbs user_verbs = { "user", user_help, verbs,
	sizeof(verbs) / sizeof(verbs[0]), sizeof(verbs[0]) };

/* The first option that a verb needs and does not have. */
static pt_str missing(const struct cli *cli, const struct verb *verb)
{
	pt_str rest = str(verb->needs), word = PT_STR("");

	while (rest.n > 0) {
		const char *name;

		str_cut(rest, ' ', &word, &rest);
		name = arena_cstr(cli->arena, word);
		if (!name || args_option(&cli->args, name).n == 0 || !args_has(&cli->args, name))
			return word;
	}
	return PT_STR("");
}

static bool usage_fits(const struct cli *cli, const struct verb *verb)
{
	pt_str need = missing(cli, verb);
	pt_str max = args_option(&cli->args, "max");
	const char *name = verb->head.name;
	int64_t n;

	if (verb->who == WHO_MUST && who(cli).n == 0)
		fprintf(stderr, "portress: user %s: whom? Say an id, a user name or an address\n",
			name);
	else if (cli->args.n_words > (verb->who == WHO_NOT ? 2U : 3U))
		fprintf(stderr,
			"portress: user %s: a word too many; a password is never an argument, and "
			"`portress user --help` says what is\n",
			name);
	else if (!cli_verb_takes(cli, &user_verbs, &verb->head))
		return false;
	else if (str_eq(need, PT_STR("yes")))
		fprintf(stderr,
			"portress: user %s: this cannot be undone; say --yes if it is meant\n",
			name);
	else if (need.n > 0)
		fprintf(stderr, "portress: user %s: it needs --%.*s\n", name, (int)need.n, need.p);
	else if (args_has(&cli->args, "max") && !str_int(max, 1, LIST_MAX, &n))
		fprintf(stderr, "portress: --max must be a number from 1 to %d, not `%.*s`\n",
			LIST_MAX, (int)max.n, max.p);
	else
		return true;
	return false;
}

/* What an operator reads. Only what these verbs can be refused is put into words of its own. */
static const char *words(pt_err err)
{
	switch ((int)err) {
	case PT_E_NOT_FOUND:
		return "there is no such account";
	case PT_E_TAKEN:
		return "the user name or the address belongs to an account already";
	case PT_E_USERNAME:
		return "that is no user name by this site's rule";
	case PT_E_EMAIL:
		return "that is no e-mail address";
	case PT_E_PASSWORD_SHORT:
		return "the password is too short";
	case PT_E_PASSWORD_LONG:
		return "the password is too long";
	case PT_E_PASSWORD_COMMON:
		return "the password is one that everybody tries first";
	case PT_E_PASSWORD_BYTES:
		return "the password is no UTF-8 text";
	case PT_E_GIVEN_NAME_LONG:
	case PT_E_FAMILY_NAME_LONG:
		return "the name is too long";
	case PT_E_NAMES_MISSING:
		return "given and family name are required";
	default:
		return NULL;
	}
}

int account_outcome(pt_err err)
{
	const char *text = words(err);

	if (text)
		fprintf(stderr, "portress: %s\n", text);
	else if (err != PT_OK && err != PT_E_MALFORMED)
		fprintf(stderr, "portress: not done (%s)\n", pt_err_name(err));
	return err > 0 && err != PT_E_NOT_FOUND && err != PT_E_TAKEN && err != PT_E_BUSY
		       ? EXIT_DATA
		       : exit_code_of(err);
}

int command_user(struct cli *cli)
{
	const struct verb *verb = cli_verb_find(cli, &user_verbs);
	struct pt_asker asker = { 0 };
	struct pt_call *call;
	struct pt_site *site;

	if (!verb || !usage_fits(cli, verb))
		return EXIT_USAGE;
	int code = cli->site_open(cli, &site);
	if (code != EXIT_DONE)
		return code;
	pt_err err = pt_call_begin(site, NULL, &asker, &call);
	if (err == PT_OK) {
		err = verb->run(cli, call);
		fflush(stdout);
		pt_call_end(call);
	}
	pt_site_close(site);
	return account_outcome(err);
}

/*
 * admin.c - portress admin: making and removing accounts in GoTrue's words.
 */
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/secret.h"
#include "portress/act.h"

#include "base/banned.h"

const char admin_help[] =
	"usage: portress admin createuser EMAIL PASSWORD [ROLE]\n"
	"       portress admin deleteuser EMAIL|ID\n\n"
	"  --confirm              the address counts as confirmed\n"
	"  --superadmin           the account may do everything on its site\n"
	"  --admin                its role is that of administrators, unless ROLE is said\n"
	"  -a, --aud NAME         its audience; otherwise the site's\n"
	"  -i, --instance_id ID   its site, of many\n\n"
	"As in GoTrue nothing is mailed, and no hook is asked. Others on this machine can see "
	"PASSWORD\n"
	"while this runs: - has it asked for, or read from standard input.\n";

const char admin_options[] = "confirm superadmin admin aud instance_id";

static pt_str who(const struct cli *cli)
{
	return args_word(&cli->args, 2);
}

static pt_str role_of(const struct cli *cli, const struct cli_gotrue *gotrue)
{
	pt_str role = args_word(&cli->args, 4);

	if (role.n > 0)
		return role;
	return args_has(&cli->args, "admin") ? gotrue->admin_group : gotrue->default_group;
}

static pt_err create(struct cli *cli, struct pt_call *call, const struct cli_gotrue *gotrue)
{
	struct pt_account_form form = {
		.email = who(cli),
		.password = args_word(&cli->args, 3),
		.nameless = true,
		.role = role_of(cli, gotrue),
		.verified = gotrue->autoconfirm || args_has(&cli->args, "confirm"),
		.super_admin = args_has(&cli->args, "superadmin"),
	};
	struct pt_account account;

	if (str_eq(form.password, PT_STR("-")))
		TRY(secret_ask(cli->arena, &cli->args, &form.password));
	TRY(pt_account_create(call, &form, &account));
	printf("Created user: %s\n", account.id.text);
	return PT_OK;
}

static pt_err delete (struct cli *cli, struct pt_call *call, const struct cli_gotrue *gotrue)
{
	struct pt_account account;

	(void)gotrue;
	TRY(pt_account_find(call, who(cli), &account));
	TRY(pt_account_remove(call, str(account.id.text)));
	printf("Removed user: %s\n", account.id.text);
	return PT_OK;
}

static const struct verb {
	struct cli_verb head;
	size_t least, most; /* words, the two before them among these */
	const char *needs;
	pt_err (*run)(struct cli *cli, struct pt_call *call, const struct cli_gotrue *gotrue);
} verbs[] = {
	{ { "createuser", admin_options }, 4, 5, "EMAIL PASSWORD [ROLE]", create },
	{ { "deleteuser", "aud instance_id" }, 3, 3, "EMAIL|ID", delete },
};

static const struct cli_verbs admin_verbs = { "admin", admin_help, verbs,
	sizeof(verbs) / sizeof(verbs[0]), sizeof(verbs[0]) };

static bool usage_fits(const struct cli *cli, const struct verb *verb)
{
	if (cli->args.n_words < verb->least || cli->args.n_words > verb->most)
		fprintf(stderr, "portress: admin %s: it takes %s\n", verb->head.name, verb->needs);
	else
		return cli_verb_takes(cli, &admin_verbs, &verb->head);
	return false;
}

static pt_err run(struct cli *cli, const struct verb *verb, const struct cli_gotrue *gotrue)
{
	pt_str audience = args_option(&cli->args, "aud");
	struct pt_asker asker = { 0 };
	struct pt_call *call;

	TRY(pt_call_begin(gotrue->site, NULL, &asker, &call));
	pt_call_set_audience(call, audience.n > 0 ? audience : gotrue->audience);
	pt_err err = verb->run(cli, call, gotrue);
	fflush(stdout);
	pt_call_end(call);
	return err;
}

int command_admin(struct cli *cli)
{
	const struct verb *verb = cli_verb_find(cli, &admin_verbs);
	struct cli_gotrue gotrue;

	if (!verb || !usage_fits(cli, verb))
		return EXIT_USAGE;
	int code = cli->gotrue_open(cli, args_option(&cli->args, "instance_id"), &gotrue);
	if (code != EXIT_DONE)
		return code;
	pt_err err = run(cli, verb, &gotrue);
	pt_site_close(gotrue.site);
	return account_outcome(err);
}

/*
 * help.c - three readings of one table: the terminal's, the operator's, the manual's.
 */
#include "server/help.h"

#include "base/str.h"

#include "base/banned.h"

enum { WIDTH = 92, INDENT = 8, MDOC_WIDTH = 72 };

/* Words, folded at the width of a terminal. */
static void print_folded(FILE *out, const char *text)
{
	int column = 0;
	pt_str rest = str(text), word;

	while (rest.n > 0) {
		str_cut(rest, ' ', &word, &rest);
		if (column == 0 || column + 1 + (int)word.n > WIDTH) {
			fprintf(out, "%s%*s", column ? "\n" : "", INDENT, "");
			column = INDENT;
		} else {
			fputc(' ', out);
			column++;
		}
		fwrite(word.p, 1, word.n, out);
		column += (int)word.n;
	}
	fputc('\n', out);
}

static const char *type_word(enum setting_type type)
{
	switch (type) {
	case TYPE_TEXT:
		return "TEXT";
	case TYPE_PATH:
		return "PATH";
	case TYPE_LIST:
		return "LIST";
	case TYPE_URL:
		return "URL";
	case TYPE_EMAIL:
		return "ADDRESS";
	case TYPE_ADDRESS:
		return "URL";
	case TYPE_SECRET:
		return "SECRET";
	case TYPE_BOOL:
		return "true|false";
	case TYPE_INT:
		return "NUMBER";
	case TYPE_DURATION:
		return "TIME";
	case TYPE_CHOICE:
		return "WORD";
	}
	return "";
}

static void print_name(FILE *out, int id)
{
	char text[128];
	struct buf b = BUF_FIXED(text);

	setting_environment_name((enum setting)id, &b);
	fputs(text, out);
}

static bool is_needed(int id, enum persona as)
{
	switch (as) {
	case AS_PORTRESS:
	case PERSONAS:
		return false;
	case AS_IDENTORO:
		return (setting_rows[id].flags & FLAG_NEEDED) != 0;
	case AS_GOTRUE:
		for (size_t i = 0; i < gotrue_names_count; i++) {
			if (gotrue_names[i].id == (enum setting)id)
				return (gotrue_names[i].flags & GOTRUE_NEEDED) != 0;
		}
	}
	return false;
}

static void print_theirs(FILE *out, int id, enum persona as)
{
	bool first = true;

	if (as == AS_IDENTORO && setting_rows[id].identoro[0]) {
		fputs(setting_rows[id].identoro, out);
		return;
	}
	for (size_t i = 0; as == AS_GOTRUE && i < gotrue_names_count; i++) {
		const struct gotrue_name *row = &gotrue_names[i];

		if (row->id != (enum setting)id)
			continue;
		fprintf(out, "%sGOTRUE_%s", first ? "" : ", ", row->name);
		if (row->alt[0])
			fprintf(out, ", %s", row->alt);
		first = false;
	}
	if (first)
		print_name(out, id);
}

static void print_setting(FILE *out, int id, enum persona as)
{
	const struct setting_row *row = &setting_rows[id];
	pt_str usual = setting_fallback(as, (enum setting)id);

	fputs("  ", out);
	print_theirs(out, id, as);
	if (row->type != TYPE_SECRET)
		fprintf(out, "  --%s", row->key);
	fprintf(out, "  %s", row->type == TYPE_CHOICE ? row->rule : type_word(row->type));
	if (row->rule[0] && row->type != TYPE_CHOICE)
		fprintf(out, " %s", row->rule);
	if (usual.n > 0)
		fprintf(out, "  (%.*s)", (int)usual.n, usual.p);
	if (is_needed(id, as))
		fputs("  required", out);
	fputc('\n', out);
	print_folded(out, row->help);
}

void help_serve(FILE *out, enum persona as)
{
	bool identoro = as == AS_IDENTORO;

	fputs("usage: portress serve [--as identoro | gotrue] [--config FILE] [--KEY VALUE "
	      "...]\n\n",
		out);
	fputs("Settings, with their default: a flag counts more than the environment, the "
	      "environment\n"
	      "more than the file (--config, or .env in this folder). A secret is also read from "
	      "the\n"
	      "file that NAME_FILE names, and from $CREDENTIALS_DIRECTORY; it is never a flag.\n"
	      "A new secret: dd if=/dev/urandom bs=32 count=1 | base64\n\n",
		out);
	if (identoro)
		fputs("  --createtables  make the tables of Identoro, and end\n"
		      "  --user, --group  RUN_AS_USERNAME_OR_ID and RUN_AS_GROUPNAME_OR_ID\n\n",
			out);
	if (as == AS_GOTRUE)
		fputs("  portress multi is portress serve --gotrue.multi.\n"
		      "  GoTrue's own tables are not read, ours stand beside them: `portress "
		      "import`\n  brings its people over.\n\n",
			out);
	for (int i = 0; i < SETTINGS; i++)
		print_setting(out, i, as);
	for (size_t i = 0; identoro && i < setting_aliases_count; i++)
		fprintf(out, "  %s\n%*sanother name of %s%s\n", setting_aliases[i].identoro, INDENT,
			"", setting_rows[setting_aliases[i].id].identoro,
			setting_aliases[i].reading == READ_FROM_FILE ? ", read from the file only"
								     : "");
}

/* ---- values ---- */

static const char *origin_word(enum setting_origin origin)
{
	switch (origin) {
	case FROM_DEFAULT:
		return "default";
	case FROM_FILE:
		return "file";
	case FROM_CREDENTIAL:
		return "credential";
	case FROM_ENVIRONMENT:
		return "environment";
	case FROM_FLAG:
		return "flag";
	}
	return "";
}

void help_config(FILE *out, const struct config *config)
{
	for (int i = 0; i < SETTINGS; i++) {
		const struct config_value *value = &config->values[i];
		pt_str name = config_name(config, (enum setting)i);
		pt_str shown = config_shown(config, (enum setting)i);

		fprintf(out, "%.*s=%.*s  # %s", (int)name.n, name.p, (int)shown.n,
			shown.p ? shown.p : "", origin_word(value->origin));
		if (value->origin == FROM_FILE || value->origin == FROM_CREDENTIAL)
			fprintf(out, ", %.*s", (int)value->from.n, value->from.p);
		fputc('\n', out);
	}
}

/* ---- manual pages ---- */

static void mdoc_char(FILE *out, char c)
{
	if (c == '\\')
		fputs("\\e", out);
	else if (c == '`')
		fputs("\\(ga", out);
	else
		fputc(c, out);
}

/* In lines of a length that diffs can show. A dot or a quote at a line's beginning is mdoc's own. */
static void mdoc_text(FILE *out, const char *text)
{
	size_t column = 0;
	pt_str rest = str(text), word;

	while (rest.n > 0) {
		str_cut(rest, ' ', &word, &rest);
		if (column > 0 && column + 1 + word.n > MDOC_WIDTH) {
			fputc('\n', out);
			column = 0;
		}
		if (column > 0)
			fputc(' ', out);
		else if (word.n > 0 && (word.p[0] == '.' || word.p[0] == '\''))
			fputs("\\&", out);
		for (size_t i = 0; i < word.n; i++)
			mdoc_char(out, word.p[i]);
		column += word.n + 1;
	}
}

/* Ends sentences and begins new lines where mdoc wants them. */
/* The first of each pair of names; the others are in the help of `serve --as gotrue`. */
static void mdoc_gotrue(FILE *out, int id)
{
	for (size_t i = 0; i < gotrue_names_count; i++) {
		const struct gotrue_name *row = &gotrue_names[i];

		if (row->id != (enum setting)id)
			continue;
		fprintf(out, " ,\nGoTrue:\n.Ev GOTRUE_%s", row->name);
		return;
	}
}

static void mdoc_usual(FILE *out, int id, enum persona as, const char *whose)
{
	pt_str usual = setting_fallback(as, (enum setting)id);

	if (usual.n == 0 || str_eq(usual, str(setting_rows[id].fallback)))
		return;
	fprintf(out, "As %s:\n.Ql ", whose);
	mdoc_text(out, usual.p);
	fputs(" .\n", out);
}

static void mdoc_setting(FILE *out, int id)
{
	const struct setting_row *row = &setting_rows[id];

	fprintf(out, ".It Cm %s\n", row->key);
	mdoc_text(out, row->help);
	fputs(".\n.br\nEnvironment:\n.Ev ", out);
	print_name(out, id);
	if (row->identoro[0])
		fprintf(out, " ,\nIdentoro:\n.Ev %s", row->identoro);
	mdoc_gotrue(out, id);
	fputs(" .\n", out);
	if (row->type == TYPE_CHOICE || row->rule[0]) {
		fputs("Values:\n.Ql ", out);
		mdoc_text(out, row->rule);
		fputs(" .\n", out);
	}
	if (row->fallback[0]) {
		fputs("Default:\n.Ql ", out);
		mdoc_text(out, row->fallback);
		fputs(" .\n", out);
	}
	mdoc_usual(out, id, AS_IDENTORO, "Identoro");
	mdoc_usual(out, id, AS_GOTRUE, "GoTrue");
	if (row->type == TYPE_SECRET)
		fputs("A secret: never a flag.\n", out);
}

static void mdoc_program(FILE *out)
{
	fputs(".Dd November 21, 2026\n.Dt PORTRESS 1\n.Os\n.Sh NAME\n.Nm portress\n"
	      ".Nd sign-up, sign-in and everything after\n.Sh SYNOPSIS\n",
		out);
	fputs(".Nm\n.Cm serve\n.Op Fl -as Ar identoro | gotrue\n.Op Fl -config Ar file\n"
	      ".Op Fl - Ns Ar key Ar value ...\n"
	      ".Nm\n.Cm multi\n.Op Fl - Ns Ar key Ar value ...\n"
	      ".Nm\n.Cm migrate\n.Cm up | status | verify\n"
	      ".Nm\n.Cm keys\n.Cm list | add | rotate | retire\n"
	      ".Nm\n.Cm user\n.Ar command\n.Op Ar who\n"
	      ".Nm\n.Cm admin\n.Cm createuser | deleteuser\n.Ar who\n"
	      ".Nm\n.Cm import\n.Fl -from Ar gotrue\n.Op Fl -dry-run\n.Ar url\n"
	      ".Nm\n.Cm config\n.Cm print | check\n"
	      ".Nm\n.Cm version\n",
		out);
	fputs(".Sh DESCRIPTION\n.Nm\nkeeps the accounts of an application and signs people in.\n"
	      "Settings are described in\n.Xr portress.conf 5 .\n"
	      "The commands are as follows:\n.Bl -tag -width migrate\n"
	      ".It Cm serve\nServe pages and answers until told to stop.\n"
	      "With\n.Fl -as Ar identoro\nin the place of Identoro, with its settings and rules; "
	      "then\n"
	      ".Fl -createtables\nmakes its tables and ends.\n"
	      "With\n.Fl -as Ar gotrue\nin the place of GoTrue, with its variables and "
	      "defaults;\n"
	      "its own tables are not read, ours stand beside them in the same database.\n"
	      ".It Cm multi\nServe many sites, as GoTrue does in its multi-instance mode.\n"
	      ".It Cm migrate\nBring the database up to date, say how it stands, or verify that it "
	      "was\n"
	      "made by this program's steps.\n"
	      ".It Cm keys\nList, add, rotate and retire the keys that sign access tokens.\n"
	      "A running server reads them on\n.Dv SIGHUP .\n"
	      ".It Cm user\nList, show, create, disable, enable or delete accounts, set a "
	      "password,\n"
	      "confirm an address, or show events.\n"
	      "Passwords are asked for, or read from standard input or\n.Fl -password-file .\n"
	      ".It Cm admin\nMake and remove accounts as GoTrue's command of that name does.\n"
	      ".It Cm import\nTake over the people of a GoTrue database on MySQL or MariaDB, "
	      "with\n"
	      "their passwords, metadata, tokens and audit log; nothing is written there.\n"
	      ".Ar url\nis\n.Ql mysql://user:password@host:3306/database ,\nor\n.Ql -\n"
	      "to read it from standard input.\n"
	      "Run again after it broke off, it goes on.\n"
	      ".Fl -dry-run\nkeeps nothing;\n.Fl -report Ar file\ngets a line for each thing "
	      "that\n"
	      "stays behind;\n.Fl -namespace Ar name\nstands before the names of tables;\n"
	      ".Fl -instances\nmakes each instance a site of its own,\n"
	      ".Fl -instance Ar id\ntakes that one.\n"
	      ".It Cm config\nPrint every setting with its value and origin, or check them.\n"
	      "Secrets are shown as set or unset.\n"
	      ".It Cm version\nSay the version.\n.El\n",
		out);
	fputs(".Sh SIGNALS\n.Dv SIGTERM\nand\n.Dv SIGINT\nlet requests end and then the server;\n"
	      "a second one ends it at once.\n.Dv SIGHUP\nreads templates, texts and signing keys "
	      "again.\n"
	      ".Sh EXIT STATUS\n0 done; 1 a negative answer; 64 wrong usage; 65 unusable input;\n"
	      "69 the database or an address cannot be had; 70 a fault of ours;\n"
	      "74 input or output; 75 try later; 78 wrong settings.\n"
	      "As Identoro: 1 for settings and database, 2 for unknown flags.\n"
	      ".Sh SEE ALSO\n.Xr portress.conf 5\n",
		out);
}

static void mdoc_settings(FILE *out)
{
	fputs(".Dd November 21, 2026\n.Dt PORTRESS.CONF 5\n.Os\n.Sh NAME\n.Nm portress.conf\n"
	      ".Nd settings of portress\n.Sh DESCRIPTION\n"
	      "A file of lines\n.Ql NAME=value ,\nnamed by\n.Fl -config .\n"
	      "Every setting is also a flag,\n.Fl -smtp.host Ar value ,\n"
	      "and a variable of the environment,\n.Ev PORTRESS_SMTP_HOST .\n"
	      "A flag counts more than the environment, the environment more than the file.\n"
	      "Without\n.Fl -config\nthe file\n.Pa .env\nof the working folder is read when the "
	      "server is\n"
	      "started by hand.\n"
	      ".Pp\nA secret is also read from the file that\n.Ev NAME_FILE\nnames, which must be\n"
	      "readable by its owner alone, and from the file of the setting's name in\n"
	      ".Ev CREDENTIALS_DIRECTORY .\n"
	      "Unknown names stop the start.\n"
	      "Times are a number and one of ms, s, m, h, d.\n"
	      ".Pp\nThe settings are as follows:\n.Bl -tag -width Ds\n",
		out);
	for (int i = 0; i < SETTINGS; i++)
		mdoc_setting(out, i);
	fputs(".El\n.Sh FILES\n.Bl -tag -width Ds\n.It Pa ./var/portress.key\nThe root key.\n"
	      "Whoever has it can forge what the server signs;\nwhoever loses it signs everybody "
	      "out.\n"
	      ".It Pa ./var/portress.db\nThe database.\n.El\n.Sh SEE ALSO\n.Xr portress 1\n",
		out);
}

bool help_mdoc(FILE *out, pt_str page)
{
	if (str_eq(page, PT_STR("portress.1")))
		mdoc_program(out);
	else if (str_eq(page, PT_STR("portress.conf.5")))
		mdoc_settings(out);
	else
		return false;
	return true;
}

/*
 * dotenv.h - files of KEY=value lines, by the rules of Go's godotenv.
 *
 *	KEY=value            or `KEY: value`, either after an optional `export `
 *	KEY=value # comment  white space before the # makes it one
 *	KEY='as it stands'   may span lines
 *	KEY="a\nb $OTHER"    \n and \r are line ends, \x is x; may span lines
 *	KEY=$OTHER/${OTHER}  from earlier lines, also without quotes; unknown ones are empty
 */
#ifndef SERVER_DOTENV_H
#define SERVER_DOTENV_H

#include "base/arena.h"
#include "portress/base.h"

struct dotenv_pair {
	pt_str name;
	pt_str value;
	int line;
};

/*
 * Reads all pairs, in order; the same name may come again. Text lives in the arena. PT_E_MALFORMED:
 * *line is where, *why what is wrong there. Refused too: NUL bytes and anything over 1 MiB.
 */
PT_CHECK pt_err dotenv_read(struct arena *arena, pt_str text, struct dotenv_pair **pairs, size_t *n,
	int *line, const char **why);

#endif

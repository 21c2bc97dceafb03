/*
 * import.h - portress import: people move in from another system.
 *
 *	source page -> core judges -> one act of the store, and a mark beside it -> next page
 *
 * The mark says how far it came, and is kept in the same act: killed at any moment, it goes on behind
 * the last batch that was kept. When all came the mark says so, and the next run begins anew: it finds
 * everybody there, and takes who is new.
 */
#ifndef SERVER_IMPORT_H
#define SERVER_IMPORT_H

#include "cli/cli.h"
#include "server/settings.h"

/* What the command line asks for. */
struct import_wish {
	pt_str url;
	pt_str space;    /* before the names of tables */
	pt_str instance; /* "" names none */
	bool instances;  /* each becomes a tenant */
	bool rehearsal;
	const char *report; /* a file for what stays behind; NULL: stderr */
};

extern const char import_help[];
extern const char import_options[];

/* EXIT_USAGE: it does not go together; said. */
int import_read(struct cli *cli, struct import_wish *out);

/* The exit code. */
int import_run(struct config *config, struct settings *settings, const struct import_wish *wish);

#endif

/*
 * wire.h - the composition root: from settings to a running server, and to its end.
 */
#ifndef SERVER_WIRE_H
#define SERVER_WIRE_H

#include "server/settings.h"

/*
 * In this order: sockets are bound; what lies outside of the jail is read; the jail is entered; only
 * then threads, the store and the first byte from the network. Returns when the server was told to
 * stop and has done so. PT_F_CONFIG, PT_F_STORE, PT_F_IO: it could not start; one log line says why.
 */
PT_CHECK pt_err server_run(struct config *config, struct settings *settings);

/* Identoro's tables, as the user that the server runs as. PT_E_TAKEN: they are there. */
PT_CHECK pt_err server_create_tables(struct config *config, struct settings *settings);

/* The site alone, for the command line. */
PT_CHECK pt_err server_site(struct config *config, struct settings *settings, struct pt_site **out);

/* Likewise that of the GoTrue dialect, and what it is set up with; `instance`: one of many, "" none.
 * PT_E_NOT_FOUND: there is no such instance. */
PT_CHECK pt_err server_gotrue_site(struct config *config, struct settings *settings,
	pt_str instance, struct gotrue_options *options, struct pt_site **out);

#endif

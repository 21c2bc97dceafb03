/*
 * help.h - what the table of settings says to people.
 */
#ifndef SERVER_HELP_H
#define SERVER_HELP_H

#include <stdio.h>

#include "server/config.h"

/* serve --help; in another's place with his names. */
void help_serve(FILE *out, enum persona as);

/* Every setting with its value and where it is from. */
void help_config(FILE *out, const struct config *config);

/* Manual pages in mdoc(7): "portress.1" or "portress.conf.5". False: no such page. */
bool help_mdoc(FILE *out, pt_str page);

#endif

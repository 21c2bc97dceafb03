/*
 * secret.h - asking a person, a pipe or a file for a password. Never an argument: others see those.
 */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include "cli/args.h"

/* From --password-file, else (on a terminal) asked twice without echo, else one line of stdin.
 * PT_E_MALFORMED: the two differ, or there is nothing; said on stderr. */
PT_CHECK pt_err secret_ask(struct arena *arena, const struct args *args, pt_str *out);

#endif

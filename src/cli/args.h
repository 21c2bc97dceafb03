/*
 * args.h - the words of a command line, sorted.
 *
 * `--key value` and `--key=value` where the key takes a value, `--key` where it does not. Words are
 * what is left. Nothing is judged here but the shape.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "base/arena.h"
#include "portress/base.h"

struct arg_flag {
	pt_str key; /* without dashes */
	pt_str value;
};

struct args {
	struct arg_flag *flags; /* settings, and whatever nobody knows */
	size_t n_flags;
	struct arg_flag *options; /* ours, from the table in args.c */
	size_t n_options;
	pt_str *words;
	size_t n_words;
};

enum arg_kind { ARG_UNKNOWN, ARG_VALUE, ARG_SWITCH };

/* setting_kind says what a key is that is no option of the command line. */
PT_CHECK pt_err args_read(struct arena *arena, int argc, char **argv,
	enum arg_kind (*setting_kind)(pt_str key), struct args *out);

/* The last one counts. A switch that is "false" is not there. */
bool args_has(const struct args *args, const char *option);
pt_str args_option(const struct args *args, const char *option);

/* The first option that is not in `known`, names with spaces between; "" when all are. */
pt_str args_stranger(const struct args *args, const char *known);

/* The n-th word, "" when there is none. */
pt_str args_word(const struct args *args, size_t n);

#endif

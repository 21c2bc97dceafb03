/*
 * config_support.h - settings from a few lines of a test.
 */
#ifndef TESTS_UNIT_SERVER_CONFIG_SUPPORT_H
#define TESTS_UNIT_SERVER_CONFIG_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "server/config.h"

struct loaded {
	struct arena *arena;
	struct config config;
	pt_err err;
};

/* environment: "NAME=value" words, ends in NULL; flags: key, value, key, value, NULL. */
static inline struct loaded load(char *const *environment, const char *const *flags)
{
	struct loaded l = { .arena = arena_open(16 * MIB) };
	struct config_flag list[8];
	struct config_sources sources = { .flags = list, .environment = environment };

	for (; flags && flags[0]; flags += 2)
		list[sources.n_flags++] = (struct config_flag){ str(flags[0]), str(flags[1]) };
	l.err = config_load(l.arena, &sources, &l.config);
	return l;
}

static inline void unload(struct loaded *l)
{
	arena_close(l->arena);
}

static inline bool complains(const struct loaded *l, const char *words)
{
	for (size_t i = 0; i < l->config.n_problems; i++) {
		if (str_contains(l->config.problems[i], str(words)))
			return true;
	}
	return false;
}

#define ENVIRONMENT(...) ((char *const[]){ __VA_ARGS__, NULL })
#define NO_ENVIRONMENT   ((char *const[]){ NULL })
#define FLAGS(...)       ((const char *const[]){ __VA_ARGS__, NULL })

#endif

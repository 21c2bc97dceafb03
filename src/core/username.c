/*
 * username.c - user names.
 */
#include "core/username.h"

#include "base/str.h"
#include "base/banned.h"

static bool username_char(char c)
{
	return ascii_alnum(c) || c == '_';
}

pt_err username_parse(
	struct arena *arena, const struct pt_policy *policy, pt_str typed, pt_str *key)
{
	if (typed.n < policy->username_min || typed.n > policy->username_max)
		return PT_E_USERNAME;
	char *lower = arena_alloc(arena, typed.n + 1);
	if (!lower)
		return PT_F_MEMORY;
	for (size_t i = 0; i < typed.n; i++) {
		if (!username_char(typed.p[i]))
			return PT_E_USERNAME;
		lower[i] = ascii_lower(typed.p[i]);
	}
	*key = str_n(lower, typed.n);
	return PT_OK;
}

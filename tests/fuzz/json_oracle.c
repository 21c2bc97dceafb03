/*
 * json_oracle.c - what jansson says of a text, under the same rules.
 */
#include "json_oracle.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

enum { DEEPEST = 32, MEMBERS_MAX = 256, LONGEST = 16 * 1024 };

static bool fits(json_t *tree, size_t depth)
{
	const char *name;
	json_t *value;
	size_t i;

	if (json_is_real(tree))
		return fabs(json_real_value(tree)) < 1e308;
	if (json_is_string(tree))
		return json_string_length(tree) <= LONGEST;
	if ((json_is_array(tree) || json_is_object(tree)) && depth == DEEPEST)
		return false;
	json_array_foreach(tree, i, value)
	{
		if (!fits(value, depth + 1))
			return false;
	}
	if (json_object_size(tree) > MEMBERS_MAX)
		return false;
	json_object_foreach(tree, name, value)
	{
		if (strlen(name) > LONGEST || !fits(value, depth + 1))
			return false;
	}
	return true;
}

bool json_oracle(const void *text, size_t n)
{
	json_t *tree = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	/* It passes a number that NUL follows. */
	bool good = tree && fits(tree, 0) && !memchr(text, 0, n);

	json_decref(tree);
	return good;
}

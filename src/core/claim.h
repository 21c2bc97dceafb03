/*
 * claim.h - one claim of a token.
 */
#ifndef CORE_CLAIM_H
#define CORE_CLAIM_H

#include "base/json.h"
#include "base/str.h"

/* "" where it is absent; false where it is anything but text. */
static inline bool claim_text(const struct json_value *claims, const char *name, pt_str *out)
{
	const struct json_value *value = json_find(claims, str(name));

	*out = PT_STR("");
	if (!value)
		return true;
	*out = value->text;
	return value->type == JSON_STRING;
}

#endif

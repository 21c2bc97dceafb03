/*
 * json_private.h - between json_read.c and json.c.
 */
#ifndef BASE_JSON_PRIVATE_H
#define BASE_JSON_PRIVATE_H

#include "base/json.h"

enum { JSON_MEMBERS_MAX = 256 };

/* How many members an object has, of whose values only the text counts: its integers may have any
 * length. PT_E_MALFORMED: text is no object by the rules of json.h. */
PT_CHECK pt_err json_members_count(struct arena *arena, pt_str text, size_t *n);

#endif

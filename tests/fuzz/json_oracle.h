/*
 * json_oracle.h - another reader of JSON. Apart from fuzz_json.c, for its names are those of base/json.h.
 */
#ifndef FUZZ_JSON_ORACLE_H
#define FUZZ_JSON_ORACLE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether it is one JSON value by the rules of base/json.h. */
bool json_oracle(const void *text, size_t n);

#endif

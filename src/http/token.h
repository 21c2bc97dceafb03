/*
 * token.h - RFC 9110 5.6.2: the alphabet of methods, header names and cookie names.
 */
#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H

#include "portress/base.h"

bool token_char(char c);

/* At least one byte, all of them token characters. */
bool token_is(pt_str s);

#endif

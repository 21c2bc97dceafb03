/*
 * token.c - RFC 9110 5.6.2.
 */
#include "http/token.h"
#include "base/str.h"

#include "base/banned.h"

bool token_char(char c)
{
	if (ascii_alnum(c))
		return true;
	switch (c) {
	case '!':
	case '#':
	case '$':
	case '%':
	case '&':
	case '\'':
	case '*':
	case '+':
	case '-':
	case '.':
	case '^':
	case '_':
	case '`':
	case '|':
	case '~':
		return true;
	}
	return false;
}

bool token_is(pt_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!token_char(s.p[i]))
			return false;
	}
	return s.n > 0;
}

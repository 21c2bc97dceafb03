/*
 * embedded.h - files that were compiled in by script/embed.py.
 */
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include <stddef.h>

/* Tables of these are sorted by name. data ends in a NUL that size does not count. */
struct embedded {
	const char *name;
	const char *data;
	size_t size;
};

#endif

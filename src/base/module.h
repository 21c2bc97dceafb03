/*
 * module.h - shared libraries that are opened the first time the configuration asks for them.
 *
 * Opened by soname before privileges are dropped and never closed: a process that sends no mail
 * does not pay for libcurl.
 */
#ifndef BASE_MODULE_H
#define BASE_MODULE_H

#include "portress/base.h"

struct module_symbol {
	const char *name;
	void **slot;
};

/*
 * Opens `soname` and fills every slot, or answers PT_F_CONFIG after one log line that names the
 * library, what is missing, and the Debian package that brings it. Thread-safe; opening twice is
 * harmless.
 */
PT_CHECK pt_err module_open(
	const char *soname, const char *package, const struct module_symbol *symbols, size_t n);

#endif

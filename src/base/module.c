/*
 * module.c - shared libraries on demand.
 */
#include <dlfcn.h>
#include <pthread.h>

#include "base/err.h"
#include "base/module.h"

#include "base/banned.h"

static pthread_mutex_t one_opener = PTHREAD_MUTEX_INITIALIZER;

/* Slots are filled all or none, so a full set is never written again under a reader. */
static bool is_filled(const struct module_symbol *symbols, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!*symbols[i].slot)
			return false;
	}
	return n > 0;
}

static const char *missing_symbol(void *library, const struct module_symbol *symbols, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!dlsym(library, symbols[i].name))
			return symbols[i].name;
	}
	return NULL;
}

static pt_err open_and_fill(
	const char *soname, const char *package, const struct module_symbol *symbols, size_t n)
{
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
	const char *missing;

	if (!library)
		return fault(PT_F_CONFIG, "cannot open %s (%s); install the package %s", soname,
			dlerror(), package);
	missing = missing_symbol(library, symbols, n);
	if (missing)
		return fault(PT_F_CONFIG, "%s has no %s; install a newer package %s", soname,
			missing, package);
	for (size_t i = 0; i < n; i++)
		*symbols[i].slot = dlsym(library, symbols[i].name);
	return PT_OK;
}

pt_err module_open(
	const char *soname, const char *package, const struct module_symbol *symbols, size_t n)
{
	pt_err err = PT_OK;

	pthread_mutex_lock(&one_opener);
	if (!is_filled(symbols, n))
		err = open_and_fill(soname, package, symbols, n);
	pthread_mutex_unlock(&one_opener);
	return err;
}

/*
 * own.h - what is not memory is tied to its scope.
 *
 *	PT_OWN(own_file) FILE *file = fopen(path, "re");    closed on every way out
 *	*out = PT_GIVE(file);                               ownership leaves here, visibly
 */
#ifndef BASE_OWN_H
#define BASE_OWN_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PT_OWN(release) __attribute__((cleanup(release)))

#define PT_GIVE(pointer)                                \
	__extension__({                                 \
		__typeof__(pointer) given_ = (pointer); \
		(pointer) = NULL;                       \
		given_;                                 \
	})

static inline void own_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

static inline void own_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void own_malloc(void *pointer)
{
	free(*(void **)pointer);
}

#endif

/*
 * progress.h - how far a long command has come, on stderr: a bar on a terminal, else a line now and then.
 */
#ifndef SERVER_PROGRESS_H
#define SERVER_PROGRESS_H

#include <stdbool.h>

#include "portress/base.h"

struct progress {
	const char *what;
	int64_t done;
	int64_t total;
	pt_time told; /* when it was last said */
	bool terminal;
	bool drawn; /* there is a bar on the line */
};

void progress_begin(struct progress *p, const char *what, int64_t total);
void progress_add(struct progress *p, int64_t n);
/* Before anybody else writes a line. */
void progress_clear(struct progress *p);
void progress_end(struct progress *p);

#endif

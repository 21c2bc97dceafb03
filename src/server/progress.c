/*
 * progress.c - how far a long command has come.
 */
#include "server/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#include "base/banned.h"

enum { BAR_WIDTH = 30 };

static const pt_time bar_pause = PT_SECOND / 10;
static const pt_time line_pause = 10 * PT_SECOND;

static void draw(struct progress *p)
{
	static const char full[] = "##############################";
	static const char empty[] = "..............................";
	/* What is read in pages may have grown since it was counted. */
	int64_t total = p->total > p->done ? p->total : p->done;
	int filled = total > 0 ? (int)(p->done * BAR_WIDTH / total) : BAR_WIDTH;

	fprintf(stderr, "\r%-8s [%.*s%.*s] %3d%%  %lld of %lld", p->what, filled, full,
		BAR_WIDTH - filled, empty, total > 0 ? (int)(p->done * 100 / total) : 100,
		(long long)p->done, (long long)total);
	fflush(stderr);
	p->drawn = true;
}

static void tell(struct progress *p)
{
	p->told = clock_monotonic();
	if (p->terminal)
		draw(p);
	else
		fprintf(stderr, "%s: %lld of %lld\n", p->what, (long long)p->done,
			(long long)p->total);
}

void progress_begin(struct progress *p, const char *what, int64_t total)
{
	*p = (struct progress){
		.what = what,
		.total = total,
		.told = clock_monotonic(),
		.terminal = isatty(STDERR_FILENO) == 1,
	};
	if (p->terminal)
		draw(p);
}

void progress_add(struct progress *p, int64_t n)
{
	p->done += n;
	if (clock_monotonic() - p->told >= (p->terminal ? bar_pause : line_pause))
		tell(p);
}

void progress_clear(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}

void progress_end(struct progress *p)
{
	tell(p);
	if (p->terminal)
		fputc('\n', stderr);
	p->drawn = false;
}

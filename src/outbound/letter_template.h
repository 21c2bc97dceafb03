/*
 * letter_template.h - bodies of letters that people keep at an address of their own.
 *
 * An https URL is fetched: within five seconds, at most four times, no redirects, public addresses
 * only. What came is used again for ten seconds. "file:///path" is read from this machine, again when
 * the file has changed. At most 64 KiB of UTF-8. Safe to use from many threads at once.
 */
#ifndef OUTBOUND_LETTER_TEMPLATE_H
#define OUTBOUND_LETTER_TEMPLATE_H

#include <stdbool.h>

#include "base/arena.h"

struct letter_templates;

/* An empty collection. NULL when memory is out. */
struct letter_templates *letter_templates_open(void);
void letter_templates_close(struct letter_templates *templates);

struct letter_template_query {
	pt_str url;
	bool allow_private; /* http, and addresses of this machine and its network, will do */
	pt_time until; /* monotonic; fetching is over by then. A time that is past fetches nothing */
};

/* *source lives in the arena. PT_E_NOT_FOUND: it cannot be had (one line in the log says why).
 * Needs fetch_open before. */
PT_CHECK pt_err letter_template_find(struct letter_templates *templates, pt_arena *arena,
	const struct letter_template_query *query, pt_str *source);

#endif

/*
 * gotrue.h - a database of GoTrue's, read as people who move in (portress/moving.h).
 *
 * MySQL and MariaDB of any age. Nothing is written there: all is read from one snapshot, in a transaction
 * that only reads, page by page in order of primary keys.
 */
#ifndef STORE_MOVING_GOTRUE_H
#define STORE_MOVING_GOTRUE_H

#include "base/arena.h"
#include "portress/moving.h"
#include "portress/tenant.h"

struct gotrue_source;

/* `url` as store/sql/mysql_target.h has it; `space` stands before the names of tables, "" for none.
 * PT_F_CONFIG: the URL or the space is none; PT_F_STORE: it cannot be reached. One log line says why. */
PT_CHECK pt_err gotrue_source_open(pt_str url, pt_str space, struct gotrue_source **out);
/* NULL is fine. */
void gotrue_source_close(struct gotrue_source *source);

/* Where it is, without secrets: "host:port/database/space". Lives as long as the source. */
pt_str gotrue_source_name(const struct gotrue_source *source);

/* One instance of it; and since when tokens can be used still. */
struct gotrue_part {
	pt_str instance; /* a UUID, all zero where there is one site */
	pt_time tokens_since;
};

struct gotrue_counts {
	int64_t people;
	int64_t events;
	int64_t tokens;        /* all of them */
	int64_t tokens_usable; /* not revoked, and young enough */
	int64_t tokens_owned;  /* usable, and whose people are there */
};

PT_CHECK pt_err gotrue_source_count(struct gotrue_source *source, pt_arena *arena,
	const struct gotrue_part *part, struct gotrue_counts *out);

struct gotrue_instances {
	struct pt_tenant *tenants; /* id "" where it does not fit; config "" where there is none */
	size_t n;                  /* 0: there are no more */
	pt_str last;               /* where the next page begins */
};

/* The page behind `after`; "" is the first. */
PT_CHECK pt_err gotrue_source_instances(
	struct gotrue_source *source, pt_arena *arena, pt_str after, struct gotrue_instances *out);

struct gotrue_people {
	struct pt_newcomer *newcomers;
	size_t n_newcomers; /* 0: there are no more */
	struct pt_carried_token *tokens;
	size_t n_tokens;
	int64_t tokens_more; /* older ones of a person who has too many for one page */
	pt_str last;
};

struct gotrue_events {
	struct pt_carried_event *events;
	size_t n; /* 0: there are no more */
	pt_str last;
};

/* Likewise. */
PT_CHECK pt_err gotrue_source_people(struct gotrue_source *source, pt_arena *arena,
	const struct gotrue_part *part, pt_str after, struct gotrue_people *out);
PT_CHECK pt_err gotrue_source_events(struct gotrue_source *source, pt_arena *arena,
	const struct gotrue_part *part, pt_str after, struct gotrue_events *out);

#endif

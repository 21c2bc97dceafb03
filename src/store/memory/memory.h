/*
 * memory.h - the reference driver inside: what is kept, and the steps that its verbs share.
 *
 * (1) Every verb holds the lock from beginning to end. (2) An act first copies its strings and makes
 * room, which may fail, and then changes things, which may not: so it happens wholly or not at all.
 * (3) Strings are kept until the store closes: records are values that may be moved and forgotten.
 * (4) Accounts stand in order of id, letters and events in the order in which they came.
 */
#ifndef STORE_MEMORY_MEMORY_H
#define STORE_MEMORY_MEMORY_H

#include <pthread.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/own.h"
#include "base/str.h"
#include "portress/store.h"

enum {
	LIMITS_MOST = 4,
	STAMPS_MOST = 128,
	LIST_MOST = 1000,
	ROOM = 2 * LIMITS_MOST, /* free places that every act finds in every list */
};

/* How long it may be told that a ticket has expired. */
static const pt_time ticket_kept = 7 * PT_DAY;

/* ---- what is kept ---- */

struct family {
	struct pt_token token; /* the LIVE one; its secret all 0: nobody knows it yet */
	pt_time started_at;
	pt_time spent[PT_SPENT_MOST]; /* when those before it were, the newest first */
	size_t n_spent;
};

/* A token that does not say its family. Goes with it. */
struct loose {
	struct pt_hash hash;
	struct pt_id family;
	int64_t generation;
};

struct elsewhere {
	pt_str tenant;
	struct pt_identity identity;
	struct pt_id account;
};

struct counter {
	struct pt_hash key;
	pt_time stamps[STAMPS_MOST]; /* oldest first */
	size_t n;
	pt_time until; /* when the newest leaves its window */
};

struct posted {
	struct pt_letter letter;
	enum { WAITING, SENT, DEAD } state;
	pt_time due_at; /* WAITING: not before this; else: may be forgotten from here on */
};

struct imported {
	pt_str source;
	pt_str mark;
};

#define LIST(type)           \
	struct {             \
		type *items; \
		size_t n;    \
		size_t room; \
	}

struct memory {
	pthread_mutex_t lock;
	struct arena *pool;
	LIST(struct pt_account_record) accounts;
	LIST(struct elsewhere) identities;
	LIST(struct pt_session) sessions;
	LIST(struct pt_ticket) tickets;
	LIST(struct family) families;
	LIST(struct loose) loose;
	LIST(struct counter) counters;
	LIST(struct posted) letters;
	LIST(struct pt_event) events;
	LIST(struct pt_tenant) tenants;
	LIST(struct imported) imports;
};

/* Takes every item away for which `gone` holds; `item` points to it. */
#define REMOVE_IF(list, item, gone)                                        \
	do {                                                               \
		size_t kept_ = 0;                                          \
		for (size_t i_ = 0; i_ < (list).n; i_++) {                 \
			__typeof__((list).items) item = &(list).items[i_]; \
			if (!(gone))                                       \
				(list).items[kept_++] = *item;             \
		}                                                          \
		(list).n = kept_;                                          \
	} while (0)

/* ---- coming in ---- */

/* Every verb begins with this; the lock goes with *out. */
PT_CHECK pt_err mem_enter(void *ctx, struct memory **out);
void mem_leave(struct memory **m);

/* More places than ROOM, for a batch. */
PT_CHECK pt_err mem_list_room(void *items, size_t n, size_t *room, size_t size, size_t free_places);
#define MAKE_ROOM(list, places) \
	TRY(mem_list_room(&(list).items, (list).n, &(list).room, sizeof((list).items[0]), (places)))

/* Make the strings of a copy live in the arena. */
PT_CHECK pt_err mem_own_record(struct arena *arena, struct pt_account_record *record);
PT_CHECK pt_err mem_own_session(struct arena *arena, struct pt_session *session);
PT_CHECK pt_err mem_own_ticket(struct arena *arena, struct pt_ticket *ticket);
PT_CHECK pt_err mem_own_token(struct arena *arena, struct pt_token *token);
PT_CHECK pt_err mem_own_letter(struct arena *arena, struct pt_letter *letter);
PT_CHECK pt_err mem_own_event(struct arena *arena, struct pt_event *event);
PT_CHECK pt_err mem_own_elsewhere(struct arena *arena, struct elsewhere *elsewhere);
PT_CHECK pt_err mem_own_str(struct arena *arena, pt_str *s);

/* ---- finding: NULL when there is none ---- */

bool mem_id_eq(const struct pt_id *a, const struct pt_id *b);
bool mem_hash_eq(const struct pt_hash *a, const struct pt_hash *b);
struct pt_account_record *mem_account_of(struct memory *m, const struct pt_account_query *query);
struct pt_account_record *mem_account_by_id(struct memory *m, const struct pt_id *id);
struct pt_account_record *mem_account_by_name(struct memory *m, const struct pt_account *wanted);
struct pt_account_record *mem_account_by_email(struct memory *m, const struct pt_account *wanted);
struct elsewhere *mem_elsewhere_of(
	struct memory *m, pt_str tenant, const struct pt_identity *identity);
struct family *mem_family_of(struct memory *m, const struct pt_id *id);
struct loose *mem_loose_of(struct memory *m, const struct pt_hash *hash);
/* Expired ones too. */
struct pt_ticket *mem_ticket_of(
	struct memory *m, const struct pt_hash *hash, enum pt_ticket_kind kind);
/* One that can be used now. */
struct pt_ticket *mem_ticket_live(
	struct memory *m, const struct pt_hash *hash, enum pt_ticket_kind kind, pt_time now);

/* Whether `part` stands in `whole`, ASCII letters whatever their case. */
bool mem_part_of(pt_str whole, pt_str part);

/* ---- changing: none of these can fail ---- */

void mem_event_put(struct memory *m, const struct pt_event *event); /* kind 0 is none */
void mem_event_put_of(struct memory *m, struct pt_event *event, const struct pt_id *account);
/* The tenant too is filled, where there is none. */
void mem_event_put_about(
	struct memory *m, struct pt_event *event, const struct pt_account *account);
void mem_letter_put(struct memory *m, const struct pt_letter *letter);
void mem_letter_put_of(struct memory *m, struct pt_letter *letter, const struct pt_id *account);
void mem_family_put(struct memory *m, const struct pt_token *first);
void mem_family_end(struct memory *m, struct pt_id id);
void mem_loose_end(struct memory *m); /* whose family has ended */
void mem_account_put(struct memory *m, const struct pt_account_record *record);
void mem_account_end_signins(struct memory *m, const struct pt_id *id);
void mem_account_end_all(struct memory *m, const struct pt_id *id);
void mem_account_forget(struct memory *m, const struct pt_id *id); /* it, and everything of it */

/* ---- the rooms ---- */

/* Each puts its verbs into the table. */
void memory_accounts_publish(struct pt_store *out);
void memory_amend_publish(struct pt_store *out);
void memory_signins_publish(struct pt_store *out);
void memory_tickets_publish(struct pt_store *out);
void memory_tokens_publish(struct pt_store *out);
void memory_limits_publish(struct pt_store *out);
void memory_events_publish(struct pt_store *out);
void memory_tenants_publish(struct pt_store *out);
void memory_import_publish(struct pt_store *out);
void memory_letters_publish(struct pt_store *out);
void memory_keeping_publish(struct pt_store *out);

#endif

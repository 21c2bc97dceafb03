/*
 * outbox.h - carries letters from the store to a courier, until they are sent or their time is over.
 *
 * One thread. It sleeps until woken by an act that wrote a letter, or until the next retry is due;
 * claims letters under a lease (so a crash or another node picks them up again), composes, sends
 * outside any transaction, and records the outcome. Back-off: 10 s, 1 min, 5 min, 15 min, 1 h, and
 * towards the letter's not_after half of the time that is left, never past it; a letter without
 * not_after is dead after six attempts. While mail is set up wrongly everything rests for five
 * minutes at a time. At least once; the same secret each time.
 */
#ifndef OUTBOUND_OUTBOX_H
#define OUTBOUND_OUTBOX_H

#include "outbound/compose.h"
#include "portress/courier.h"
#include "portress/store.h"

struct outbox;

struct outbox_setup {
	const struct pt_store *store;
	const struct composer *composer;
	const struct pt_courier
		*courier; /* NULL: letters stay in the store (the mailbox shows them) */
	int per_hour; /* the whole server; over it letters wait, with one warning. 0: no limit */
};

PT_CHECK pt_err outbox_open(const struct outbox_setup *setup, struct outbox **out);
/* From any thread, cheap, never blocks. */
void outbox_wake(void *outbox);
/* Finishes the letter in hand (at most `grace`), then joins the thread and frees. NULL is fine. */
void outbox_close(struct outbox *outbox, pt_time grace);

struct outbox_counts {
	uint64_t sent, retried, dead, alarms;
};
void outbox_counts(const struct outbox *outbox, struct outbox_counts *out);

/* The mailbox over a store: composes the newest letters for the developer's page. */
struct pt_mailbox outbox_mailbox(const struct outbox *outbox);

#endif

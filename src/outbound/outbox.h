/*
 * outbox.h - carries letters from the store to a courier, until they are sent or their time is over.
 *
 * One thread. It sleeps until woken by an act that wrote a letter, or until the next retry is due;
 * claims letters under a lease (so a crash or another node picks them up again), composes, sends
 * outside any transaction, and records the outcome. Back-off: 10 s, 1 min, 5 min, 15 min, 1 h, and
 * towards the letter's not_after half of the time that is left, never past it; a letter without
 * not_after is dead after six attempts. While mail is set up wrongly everything rests for five
 * minutes at a time. At least once; the same secret each time.
 *
 * A letter may name a courier of its own (compose_courier). Then only that letter waits for what is wrong
 * with it, by its own back-off; one that took long to fail is left alone for a minute.
 *
 * Hooks that are to be told something (PT_LETTER_HOOK) come the same way, and wait while letters rest.
 * A slow hook holds up letters behind it for as long as it may take itself: 30 s.
 */
#ifndef OUTBOUND_OUTBOX_H
#define OUTBOUND_OUTBOX_H

#include "outbound/compose.h"
#include "outbound/couriers.h"
#include "portress/courier.h"
#include "portress/hook.h"
#include "portress/store.h"

struct outbox;

struct outbox_setup {
	const struct pt_store *store;
	const struct composer *composer;
	const struct pt_courier
		*courier;          /* NULL: letters stay in the store (the mailbox shows them) */
	struct couriers *couriers; /* of letters that name one; NULL: they go as all do */
	/* The whole server, letters at once among them; over it letters wait, with one warning. 0: no
	 * limit. Hooks do not count. */
	int per_hour;
	/* Who is told in a tenant, or NULL; what it answers lives as long as the outbox. NULL: nobody, and
	 * what was to be told is dropped with a line in the log. */
	const struct pt_hooks *(*hooks)(void *ctx, pt_str tenant);
	void *hooks_ctx;
};

PT_CHECK pt_err outbox_open(const struct outbox_setup *setup, struct outbox **out);
/* From any thread, cheap, never blocks. */
void outbox_wake(void *outbox);

/*
 * Composes and sends a letter that is in no store, within about ten seconds, from any thread. PT_OK:
 * the next host took it. PT_E_NOT_FOUND: there is no courier for it, nothing was sent, and the letter is for
 * the store, whose mailbox shows it. PT_E_MAIL: it was not taken, or the hourly budget is spent (logged);
 * it is not tried again.
 */
PT_CHECK pt_err outbox_post(struct outbox *outbox, pt_arena *arena, const struct pt_letter *letter);

/* Finishes the letter in hand (at most `grace`; a hook in hand is waited for), then joins the thread and
 * frees. Nobody may be posting. NULL is fine. */
void outbox_close(struct outbox *outbox, pt_time grace);

struct outbox_counts {
	uint64_t sent, retried, dead, alarms;
};
void outbox_counts(const struct outbox *outbox, struct outbox_counts *out);

/* The mailbox over a store: composes the newest letters for the developer's page. Templates of the
 * site's own are waited for a few seconds in all. */
struct pt_mailbox outbox_mailbox(const struct outbox *outbox);

#endif

/*
 * hook_letter.h - rows of the outbox that are no letters: a hook to be told what happened.
 *
 * Its variables are {"event","account","tenant","body"}; `body` are the exact bytes to be sent. At
 * least once, and in no order: a hook may hear the same thing twice.
 */
#ifndef OUTBOUND_HOOK_LETTER_H
#define OUTBOUND_HOOK_LETTER_H

#include "crypt/digest.h"
#include "portress/courier.h"
#include "portress/hook.h"
#include "portress/store.h"

struct hook_carrier {
	const struct pt_store *store;
	const struct key *letter_key;
	/* Who is to be told in a tenant, or NULL; lives at least as long as the call. NULL: nobody. */
	const struct pt_hooks *(*hooks)(void *ctx, pt_str tenant);
	void *hooks_ctx;
};

/* Tells it, within the bounds of the hook, and keeps the metadata that a changed account's hook answers
 * with. The outcome is as a courier's, without PT_SENT_MISCONFIGURED. */
enum pt_sent hook_letter_send(const struct hook_carrier *carrier, pt_arena *arena,
	const struct pt_letter *letter, pt_str *detail);

#endif

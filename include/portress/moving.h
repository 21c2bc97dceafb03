/*
 * portress/moving.h - people who come from another system, with all that is theirs.
 */
#ifndef PORTRESS_MOVING_H
#define PORTRESS_MOVING_H

#include "portress/account.h"
#include "portress/base.h"
#include "portress/event.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is counted, each for itself. */
enum pt_moving_kind {
	PT_MOVING_ACCOUNTS,
	PT_MOVING_PARTS, /* of accounts that came without them */
	PT_MOVING_TICKETS,
	PT_MOVING_TOKENS,
	PT_MOVING_EVENTS,
};

/* Why something stays behind. */
enum pt_left_out {
	PT_LEFT_ID,       /* its id is empty or too long */
	PT_LEFT_ADDRESS,  /* no e-mail address that we take */
	PT_LEFT_TAKEN,    /* the address is another account's */
	PT_LEFT_METADATA, /* no JSON object, or more than PT_METADATA_MAX bytes */
	PT_LEFT_PASSWORD, /* a hash of a form that we cannot compare */
	PT_LEFT_EXPIRED,  /* no longer good */
	PT_LEFT_SECRET,   /* a secret of a form that we never accept */
	PT_LEFT_OWNER,    /* whose it is does not come */
	PT_LEFT_MANY,     /* older ones of somebody who has thousands */
	PT_LEFT_UNKNOWN,  /* an event that we have no name for */
};

enum { PT_MOVING_KINDS = PT_MOVING_EVENTS + 1, PT_LEFT_REASONS = PT_LEFT_UNKNOWN + 1 };

/* Somebody, as the other system keeps him. Secrets are in clear, "" for none. */
struct pt_newcomer {
	pt_str key;                /* what the other system calls him, for reports */
	struct pt_account account; /* tenant and canonical forms are filled in */
	pt_str password;           /* hash, "" for none */
	pt_str confirm_secret;     /* mailed at confirm_sent_at or invited_at */
	pt_str recover_secret;
	pt_str email_change_secret;
	bool address_seen; /* somebody before him in the same source has his address: for rehearsals,
			    * where the store does not get to know */
};

/* A refresh token that can be used still. Its owner is among the newcomers beside it. */
struct pt_carried_token {
	pt_str key;
	struct pt_id account;
	pt_str secret;
	pt_time issued_at;
};

struct pt_carried_event {
	pt_str key;
	struct pt_event event; /* kind 0: one that we have no name for */
};

/* A batch: people with their tokens, or events. */
struct pt_moving {
	pt_str tenant; /* whose they become */
	const struct pt_newcomer *newcomers;
	size_t n_newcomers;
	const struct pt_carried_token *tokens;
	size_t n_tokens;
	const struct pt_carried_event *events;
	size_t n_events;
	bool rehearsal; /* judge all, keep nothing */
	pt_str source;  /* names the import */
	pt_str mark; /* kept beside the batch, in the same act: how far it came; at most 200 bytes */
	/* Told of each thing that stays behind, before anything is kept. May be NULL. */
	void (*left_out)(void *ctx, enum pt_moving_kind kind, pt_str key, enum pt_left_out why);
	void *ctx;
};

struct pt_moved {
	size_t added[PT_MOVING_KINDS];
	size_t skipped[PT_MOVING_KINDS]; /* there already */
	size_t left_out[PT_MOVING_KINDS][PT_LEFT_REASONS];
};

#ifdef __cplusplus
}
#endif
#endif

/*
 * portress/courier.h - what leaves the house: letters, and the question whether somebody is human.
 *
 * A letter is written into the store's outbox by the act that causes it, in one transaction, and
 * carried out later. A courier sees it only composed.
 */
#ifndef PORTRESS_COURIER_H
#define PORTRESS_COURIER_H

#include "portress/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Append only: the numbers are stored. */
enum pt_letter_kind {
	PT_LETTER_VERIFY = 1,           /* confirm your address */
	PT_LETTER_RESET = 2,            /* choose a new password */
	PT_LETTER_PASSWORD_CHANGED = 3, /* notice to the owner */
	PT_LETTER_ACCOUNT_EXISTS = 4,   /* somebody signed up with your address */
	PT_LETTER_INVITE = 5,           /* somebody opened an account for you */
	PT_LETTER_EMAIL_CHANGE = 6,     /* confirm your new address; goes there */
	PT_LETTER_EMAIL_CHANGED = 7,    /* notice to the old address */
	PT_LETTER_HOOK =
		8, /* no letter: a hook to be told; `to` is the event, the variables its body */
};

/* A letter in the outbox. */
struct pt_letter {
	struct pt_id id; /* UUIDv7 */
	enum pt_letter_kind kind;
	struct pt_id account;
	pt_str to;     /* the stored address, never the one that was typed into a form */
	pt_str sealed; /* its variables, a JSON object, sealed with the site's key, bound to id */
	pt_time created_at;
	pt_time not_after; /* past this it is dropped unsent: its secret has expired */
	int attempts;      /* so far */
};

/* A letter ready to go. Strings live as long as the arena they were composed in. */
struct pt_mail {
	struct pt_id id;
	pt_time created_at;
	pt_str to;
	pt_str subject;
	pt_str text;
	pt_str html;
	pt_time patience; /* how long an attempt may take, for somebody waits; 0: as long as usual */
};

/* What became of an attempt. */
enum pt_sent {
	PT_SENT,               /* the next host took responsibility */
	PT_SENT_LATER,         /* 4xx, time-out, no connection: try again */
	PT_SENT_NEVER,         /* 5xx: this letter cannot be delivered */
	PT_SENT_MISCONFIGURED, /* certificate, missing STARTTLS, refused login: keep it and alarm */
};

/* Carries letters. Called from the outbox's own thread and, for letters that go out at once, from the
 * threads of whoever waits for that: several at a time. */
struct pt_courier {
	size_t size; /* sizeof(struct pt_courier) */
	void *ctx;
	/* detail: what happened, for the log; points into static memory or the arena. */
	enum pt_sent (*send)(
		void *ctx, pt_arena *arena, const struct pt_mail *mail, pt_str *detail);
	/* From another thread, once, when the site closes: sends in progress end soon, as
	 * PT_SENT_LATER. May be NULL. */
	void (*stop)(void *ctx);
};

/* The newest letters, for the developer's mailbox page. Newest first. */
struct pt_mailbox {
	size_t size; /* sizeof(struct pt_mailbox) */
	void *ctx;
	pt_err (*list)(void *ctx, pt_arena *arena, size_t max, struct pt_mail **mails, size_t *n);
};

/* Asks whether a form was sent by a human. */
struct pt_captcha {
	size_t size; /* sizeof(struct pt_captcha) */
	void *ctx;
	/* PT_OK: human. PT_E_CAPTCHA: not, or the question could not be asked (it fails closed). */
	pt_err (*check)(void *ctx, pt_arena *arena, pt_str response, pt_str client);
};

#ifdef __cplusplus
}
#endif
#endif

/*
 * portress/event.h - what happened, for the audit log and for programs that follow along.
 */
#ifndef PORTRESS_EVENT_H
#define PORTRESS_EVENT_H

#include "portress/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Append only: the numbers are stored. */
enum pt_event_kind {
	PT_EVENT_SIGNUP = 1,
	PT_EVENT_SIGNUP_TAKEN = 2,
	PT_EVENT_SIGNIN = 3,
	PT_EVENT_SIGNIN_FAILED = 4,
	PT_EVENT_SIGNIN_LIMITED = 5,
	PT_EVENT_SIGNOUT = 6,
	PT_EVENT_CONFIRMED = 7,
	PT_EVENT_CONFIRM_ASKED = 8,
	PT_EVENT_RECOVER_ASKED = 9,
	PT_EVENT_PASSWORD_RESET = 10,
	PT_EVENT_PASSWORD_REHASHED = 11,
	PT_EVENT_TOKEN_REFRESHED = 12,
	PT_EVENT_TOKEN_REUSED = 13,
	PT_EVENT_ACCOUNT_CREATED = 14, /* by an operator */
	PT_EVENT_ACCOUNT_DISABLED = 15,
	PT_EVENT_ACCOUNT_ENABLED = 16,
	PT_EVENT_ACCOUNT_DELETED = 17,
	PT_EVENT_PASSWORD_SET = 18,   /* by an operator */
	PT_EVENT_SIGNIN_REFUSED = 19, /* right password, but not confirmed or switched off */
	PT_EVENT_INVITED = 20,
	PT_EVENT_INVITE_ACCEPTED = 21,
	PT_EVENT_ACCOUNT_CHANGED = 22,
	PT_EVENT_TOKEN_REVOKED = 23, /* beside TOKEN_REFRESHED: the one that was spent */
	PT_EVENT_IDENTITY_LINKED = 24,
	PT_EVENT_EMAIL_CHANGED = 25,
};

struct pt_event {
	struct pt_id id; /* UUIDv7 */
	enum pt_event_kind kind;
	struct pt_id account; /* "" when nobody was recognised */
	pt_time at;
	pt_str client;  /* address, shortened to /24 or /48; "" from the command line */
	pt_str request; /* request id */
	pt_str detail;  /* closed set of words, never user text */
	pt_str tenant;
	/* Who did it, where that is not the account itself: an operator. */
	struct pt_id actor;
	/* As they were then; "" where the site's policy keeps no names in its log. */
	pt_str email; /* the account's */
	pt_str actor_email;
	pt_str actor_name;
};

/* "signin_failed". Never NULL. */
PT_API const char *pt_event_name(enum pt_event_kind kind);

#ifdef __cplusplus
}
#endif
#endif

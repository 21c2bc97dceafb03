/*
 * portress/ticket.h - a single-use secret that travels by mail.
 */
#ifndef PORTRESS_TICKET_H
#define PORTRESS_TICKET_H

#include "portress/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pt_ticket_kind {
	PT_TICKET_VERIFY =
		1, /* proves the address; using it again within its life changes nothing */
	PT_TICKET_RESET = 2,        /* sets a password, or signs in to set one; taken once */
	PT_TICKET_INVITE = 3,       /* accepts an invitation; taken once */
	PT_TICKET_EMAIL_CHANGE = 4, /* proves the new address; taken once */
};

struct pt_ticket {
	struct pt_hash hash; /* SHA-256 of the secret in the link */
	enum pt_ticket_kind kind;
	struct pt_id account;
	pt_str email_key; /* the address it was mailed to */
	struct pt_hash
		bound; /* of what must not have changed since: address, and for RESET the hash */
	pt_time created_at;
	pt_time expires_at;
};

#ifdef __cplusplus
}
#endif
#endif

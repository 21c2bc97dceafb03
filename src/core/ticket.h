/*
 * ticket.h - single-use secrets that travel by mail.
 *
 *             issue                 take
 *   (none) ----------> OUT ------------------> TAKEN      (RESET: gone; VERIFY: good until it expires)
 *                       | expires, or a newer one of its kind is issued,
 *                       | or what it was bound to changed
 *                       v
 *                     DEAD
 *
 * (1) The store holds only hashes. (2) An account has at most one OUT ticket of a kind. (3) A RESET
 * ticket is bound to the password it would replace: a password changed by other means kills it, also
 * where another program changed it in a shared users table.
 */
#ifndef CORE_TICKET_H
#define CORE_TICKET_H

#include "core/call.h"
#include "core/secret.h"
#include "portress/store.h"
#include "portress/ticket.h"

/* A ticket for the account (whose id may not be known yet) and the secret that opens it. */
PT_CHECK pt_err ticket_make(struct pt_call *call, enum pt_ticket_kind kind,
	const struct pt_account_record *owner, struct pt_ticket *ticket, struct secret *secret);

/* A ticket whose secret another system mailed; its times are the caller's. PT_E_TICKET: ours would not
 * take such a secret. */
PT_CHECK pt_err ticket_carry(struct pt_call *call, enum pt_ticket_kind kind,
	const struct pt_account_record *owner, pt_str secret, struct pt_ticket *out);

/* How long a ticket of that kind lives on this site. */
pt_time ticket_life(const struct pt_site *site, enum pt_ticket_kind kind);

/* The ticket that a presented secret opens, judged: kind, expiry, and what it is bound to.
 * PT_E_TICKET, PT_E_TICKET_EXPIRED. */
PT_CHECK pt_err ticket_judge(struct pt_call *call, pt_str secret, enum pt_ticket_kind kind,
	struct pt_ticket_record *out);

/* The same, where an expired one is told apart from none by nobody. PT_E_TICKET. */
PT_CHECK pt_err ticket_find(struct pt_call *call, pt_str secret, enum pt_ticket_kind kind,
	struct pt_ticket_record *out);

#endif

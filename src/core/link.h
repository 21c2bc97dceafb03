/*
 * link.h - a link that is mailed: the ticket it opens, the letter that carries it, and the act of asking
 * for it without learning who has an account.
 */
#ifndef CORE_LINK_H
#define CORE_LINK_H

#include "core/call.h"
#include "core/ticket.h"

/* A kind of link. */
struct link_kind {
	enum pt_ticket_kind ticket;
	enum pt_letter_kind letter;
	enum pt_event_kind asked;
	const char *path;       /* "/verify?token=" */
	const char *limit;      /* what letters of this kind are counted as */
	bool unconfirmed_alone; /* only an account that is not confirmed yet has use for it */
};

extern const struct link_kind link_verify;
extern const struct link_kind link_reset;
extern const struct link_kind link_invite;
extern const struct link_kind link_email_change;

/* A ticket and the letter with its secret, for an act of the store. */
PT_CHECK pt_err link_make(struct pt_call *call, const struct link_kind *kind,
	const struct pt_account_record *owner, struct pt_ticket *ticket, struct pt_letter *letter);

/* Somebody typed an address. PT_OK whether or not a letter goes out. PT_E_EMAIL, PT_E_MAIL_LIMITED (per
 * client only). */
PT_CHECK pt_err link_ask(struct pt_call *call, const struct link_kind *kind, pt_str email);

#endif

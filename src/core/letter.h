/*
 * letter.h - making the letter that an act puts into the outbox.
 */
#ifndef CORE_LETTER_H
#define CORE_LETTER_H

#include "core/call.h"
#include "portress/courier.h"

struct letter_form {
	enum pt_letter_kind kind;
	const struct pt_account *account; /* who it is about */
	pt_str to;                        /* where it goes; "" is account->email */
	const char *path; /* "/verify?token=", or NULL for a letter without a secret */
	pt_str secret;
	pt_time life; /* of the secret; how long the letter may wait */
};

/* Its variables, sealed under the site's letter key (outbound/compose.h names them). */
PT_CHECK pt_err letter_make(
	struct pt_call *call, const struct letter_form *form, struct pt_letter *out);

/* Under policy.mail_at_once hands the letter over now, before the act that it belongs to. *waits: it did
 * not go, and the act carries it into the outbox. PT_E_MAIL, PT_E_MAIL_LIMITED (limit_mail_turn). */
PT_CHECK pt_err letter_send(struct pt_call *call, const struct pt_letter *letter, bool *waits);

/* After the act that carried it: wakes whoever sends. */
void letter_posted(struct pt_call *call);

#endif

/*
 * letter.h - making the letter that an act puts into the outbox.
 */
#ifndef CORE_LETTER_H
#define CORE_LETTER_H

#include "core/call.h"
#include "portress/courier.h"

struct letter_form {
	enum pt_letter_kind kind;
	const struct pt_account *account; /* who it is about; account->email is where it goes */
	const char *path; /* "/verify?token=", or NULL for a letter without a secret */
	pt_str secret;
	pt_time life; /* of the secret; how long the letter may wait */
};

/* Its variables {name, link, minutes} sealed under the site's letter key. */
PT_CHECK pt_err letter_make(
	struct pt_call *call, const struct letter_form *form, struct pt_letter *out);

/* After the act that carried it: wakes whoever sends. */
void letter_posted(struct pt_call *call);

#endif

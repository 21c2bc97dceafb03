/*
 * email.h - what an e-mail address is, and when two are the same.
 *
 * Narrower than RFC 5321 on purpose: no quoted local parts, no address literals, no comments. The
 * local part is ASCII; the domain may be typed in Unicode and is kept as A-labels (UTS 46,
 * non-transitional). The canonical form is the whole address in ASCII lower case; making it again
 * changes nothing.
 */
#ifndef CORE_EMAIL_H
#define CORE_EMAIL_H

#include "base/arena.h"
#include "portress/portress.h"

struct email {
	pt_str address; /* as typed, with the domain as lower-case A-labels: what letters go to */
	pt_str key;     /* canonical */
};

/* PT_E_EMAIL. */
PT_CHECK pt_err email_parse(
	struct arena *arena, const struct pt_policy *policy, pt_str typed, struct email *out);

#endif

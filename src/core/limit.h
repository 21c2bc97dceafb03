/*
 * limit.h - how often somebody may try. Counted before work is done, in one act of the store, under
 * keys that say nothing to who reads the table. A limiter that fails refuses.
 */
#ifndef CORE_LIMIT_H
#define CORE_LIMIT_H

#include "core/call.h"

/* One try at signing in as `name` (canonical). With a device that this account has used before the
 * try counts against that device, so that a stranger cannot lock the owner out. PT_E_LIMITED. */
PT_CHECK pt_err limit_signin(struct pt_call *call, pt_str name, bool known_device, pt_str device);

/* One letter asked for by this client. PT_E_MAIL_LIMITED. */
PT_CHECK pt_err limit_mail_client(struct pt_call *call);

/* One letter of a kind ("verify", "reset") to this address (canonical). PT_E_MAIL_LIMITED. */
PT_CHECK pt_err limit_mail_recipient(struct pt_call *call, const char *kind, pt_str email);

/* Where letters go out before the act that they belong to: of those who would send the same one in the same
 * moment one has the turn, since only one of their links could ever be good. PT_E_MAIL_LIMITED. */
PT_CHECK pt_err limit_mail_turn(struct pt_call *call, const struct pt_letter *letter);

/* Both at once: all or nothing is counted. PT_E_MAIL_LIMITED. */
PT_CHECK pt_err limit_mail(struct pt_call *call, const char *kind, pt_str email);

#endif

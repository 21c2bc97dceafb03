/*
 * event.h - making the audit record that an act carries.
 */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include "core/call.h"
#include "portress/event.h"

/* account may be NULL. detail is one of a closed set of words, or "". */
PT_CHECK pt_err event_make(struct pt_call *call, enum pt_event_kind kind,
	const struct pt_id *account, const char *detail, struct pt_event *out);

/* The same of an account at hand: who acts is told, and by which names where the policy keeps them. */
PT_CHECK pt_err event_about(struct pt_call *call, enum pt_event_kind kind,
	const struct pt_account *about, const char *detail, struct pt_event *out);

/* Says in an event of event_make whose account it is about. */
void event_name(struct pt_call *call, const struct pt_account *about, struct pt_event *event);

/* The asker's address with the last part blanked: /24 for IPv4, /48 for IPv6. */
PT_CHECK pt_err client_shortened(struct pt_call *call, pt_str *out);

#endif

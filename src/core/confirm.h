/*
 * confirm.h - an address turns out to be its owner's.
 */
#ifndef CORE_CONFIRM_H
#define CORE_CONFIRM_H

#include "core/call.h"
#include "portress/store.h"

/*
 * Asks the signup hook, and lays what it answers, the confirmation and what ends with it into the act
 * that is to follow: links that would confirm once more, and identities, since one that nobody vouched
 * for may be another person's. `how` is the event's detail. PT_E_HOOK_*.
 */
PT_CHECK pt_err confirm_amend(struct pt_call *call, const struct pt_account *account,
	const char *how, struct pt_event *event, struct pt_amend *amend);

#endif

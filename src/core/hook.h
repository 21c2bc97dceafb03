/*
 * hook.h - asking hooks before an act, and telling them after it.
 *
 * Asked with nothing held and nothing written; what they answer goes into the act that follows, whose
 * conditions are judged then.
 */
#ifndef CORE_HOOK_H
#define CORE_HOOK_H

#include "core/call.h"
#include "portress/hook.h"
#include "portress/store.h"

/* Somebody is to be asked, or told. */
bool hook_wanted(const struct pt_call *call, enum pt_hook_event event);

/* PT_OK at once where nobody is to be asked. PT_E_HOOK_*, with call->detail. PT_E_HOOK_MALFORMED: the
 * metadata it answers is no object, or too large. */
PT_CHECK pt_err hook_ask(struct pt_call *call, enum pt_hook_event event,
	const struct pt_account *account, struct pt_hook_reply *reply);

/* It answered something. */
bool hook_said(const struct pt_hook_reply *reply);

/* What was answered, over what an account that is about to be made holds. */
void hook_fill(const struct pt_hook_reply *reply, struct pt_account *account);

/* What was answered, as changes of an account that is there. Later answers win. */
void hook_amend(const struct pt_hook_reply *reply, struct pt_amend *amend);

/* A hook to be told, as a row of the outbox. *told: somebody wants it. */
PT_CHECK pt_err hook_notice(struct pt_call *call, enum pt_hook_event event,
	const struct pt_account *account, bool *told, struct pt_letter *out);

#endif

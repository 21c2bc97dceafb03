/*
 * confirm.c - confirming an address.
 */
#include "core/confirm.h"

#include "core/event.h"
#include "core/hook.h"

#include "base/banned.h"

pt_err confirm_amend(struct pt_call *call, const struct pt_account *account, const char *how,
	struct pt_event *event, struct pt_amend *amend)
{
	struct pt_hook_reply reply;

	TRY(hook_ask(call, PT_HOOK_SIGNUP, account, &reply));
	hook_amend(&reply, amend);
	amend->has_verified = amend->verified = true;
	amend->ends |= PT_END_VERIFY | PT_END_INVITE | PT_END_IDENTITIES;
	return event_about(call, PT_EVENT_CONFIRMED, account, how, event);
}

/*
 * webhook_reply.h - the answer to a hook.
 */
#ifndef OUTBOUND_WEBHOOK_REPLY_H
#define OUTBOUND_WEBHOOK_REPLY_H

#include "portress/hook.h"

/* Nothing at all, null, or an object: what it says of metadata, as views of the body. Other members are of
 * no interest. PT_E_HOOK_MALFORMED: then *detail says more. */
PT_CHECK pt_err webhook_reply_read(
	pt_arena *arena, pt_str body, struct pt_hook_reply *reply, pt_str *detail);

#endif

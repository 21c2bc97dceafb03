/*
 * portress/hook.h - asking and telling another program about what happens to an account.
 *
 * Some events ask before they happen (validate, signup, login): the answer may refuse, and may
 * replace metadata. They are asked with no lock held and nothing written. Others are told after they
 * happened, through the outbox: they survive a crash, may come twice, and cannot refuse.
 */
#ifndef PORTRESS_HOOK_H
#define PORTRESS_HOOK_H

#include "portress/account.h"
#include "portress/base.h"

#ifdef __cplusplus
extern "C" {
#endif

enum pt_hook_event {
	PT_HOOK_VALIDATE, /* asked: an account is about to be made by its owner, or by invitation */
	PT_HOOK_SIGNUP,   /* asked: it is about to be confirmed */
	PT_HOOK_LOGIN,    /* asked: it is about to be signed in */
	PT_HOOK_USER_MODIFIED, /* told: an operator changed it; the answer may replace metadata */
	PT_HOOK_USER_DELETED,  /* told: an operator removed it */
};

/* "validate", "usermodified". Never NULL. */
PT_API const char *pt_hook_name(enum pt_hook_event event);

/* What came back. "" leaves what is there; otherwise a JSON object that replaces it whole. */
struct pt_hook_reply {
	pt_str app_metadata;
	pt_str user_metadata;
};

struct pt_hooks {
	size_t size; /* sizeof(struct pt_hooks) */
	void *ctx;
	/* Is anybody to be asked or told? Cheap; most sites have no hooks. */
	bool (*wants)(void *ctx, enum pt_hook_event event);
	/* What is sent: the exact bytes, which are signed when they are sent. */
	pt_err (*write)(void *ctx, pt_arena *arena, enum pt_hook_event event,
		const struct pt_account *account, pt_str *body);
	/*
	 * Sends it and reads the answer, within bounded time. PT_E_HOOK_REFUSED, PT_E_HOOK_TIMEOUT,
	 * PT_E_HOOK_UNREACHABLE, PT_E_HOOK_BROKEN, PT_E_HOOK_MALFORMED; then *detail says more, in words for
	 * whoever set the hook up ("Failed to connect to https://...").
	 */
	pt_err (*ask)(void *ctx, pt_arena *arena, enum pt_hook_event event, pt_str body,
		struct pt_hook_reply *reply, pt_str *detail);
};

#ifdef __cplusplus
}
#endif
#endif

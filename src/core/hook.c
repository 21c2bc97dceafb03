/*
 * hook.c - hooks.
 */
#include "core/hook.h"

#include "base/json.h"
#include "base/random.h"
#include "base/str.h"
#include "core/account.h"
#include "crypt/seal.h"

#include "base/banned.h"

static const pt_time notice_life = PT_DAY;

const char *pt_hook_name(enum pt_hook_event event)
{
	switch (event) {
	case PT_HOOK_VALIDATE:
		return "validate";
	case PT_HOOK_SIGNUP:
		return "signup";
	case PT_HOOK_LOGIN:
		return "login";
	case PT_HOOK_USER_MODIFIED:
		return "usermodified";
	case PT_HOOK_USER_DELETED:
		return "userdeleted";
	}
	return "unknown";
}

bool hook_wanted(const struct pt_call *call, enum pt_hook_event event)
{
	const struct pt_site *site = call->site;

	return site->has_hooks && site->hooks.wants(site->hooks.ctx, event);
}

static pt_err reply_check(struct pt_call *call, const struct pt_hook_reply *reply)
{
	pt_err err = metadata_check(call, reply->app_metadata);

	if (err == PT_OK)
		err = metadata_check(call, reply->user_metadata);
	if (err != PT_E_METADATA)
		return err;
	call->detail =
		PT_STR("Webhook returned malformed JSON: metadata is no object, or too large");
	return PT_E_HOOK_MALFORMED;
}

pt_err hook_ask(struct pt_call *call, enum pt_hook_event event, const struct pt_account *account,
	struct pt_hook_reply *reply)
{
	const struct pt_hooks *hooks = &call->site->hooks;
	struct pt_hook_reply said = { { 0 }, { 0 } };
	pt_str body;

	*reply = said;
	if (!hook_wanted(call, event))
		return PT_OK;
	TRY(hooks->write(hooks->ctx, call->arena, event, account, &body));
	TRY(hooks->ask(hooks->ctx, call->arena, event, body, &said, &call->detail));
	TRY(reply_check(call, &said));
	*reply = said;
	return PT_OK;
}

bool hook_said(const struct pt_hook_reply *reply)
{
	return reply->app_metadata.n > 0 || reply->user_metadata.n > 0;
}

void hook_fill(const struct pt_hook_reply *reply, struct pt_account *account)
{
	if (reply->app_metadata.n > 0)
		account->app_metadata = reply->app_metadata;
	if (reply->user_metadata.n > 0)
		account->user_metadata = reply->user_metadata;
}

void hook_amend(const struct pt_hook_reply *reply, struct pt_amend *amend)
{
	if (reply->app_metadata.n > 0)
		amend->app_metadata =
			(struct pt_metadata){ PT_METADATA_REPLACE, reply->app_metadata };
	if (reply->user_metadata.n > 0)
		amend->user_metadata =
			(struct pt_metadata){ PT_METADATA_REPLACE, reply->user_metadata };
}

static pt_err notice_text(struct pt_call *call, enum pt_hook_event event,
	const struct pt_account *account, pt_str *out)
{
	const struct pt_hooks *hooks = &call->site->hooks;
	struct buf b = BUF(call->arena, 64 * KIB);
	struct json j = JSON(&b);
	pt_str body;

	TRY(hooks->write(hooks->ctx, call->arena, event, account, &body));
	json_object(&j, NULL);
	json_str(&j, "event", str(pt_hook_name(event)));
	json_str(&j, "account", str(account->id.text));
	json_str(&j, "tenant", call->site->tenant);
	json_str(&j, "body", body);
	json_object_end(&j);
	return buf_done(&b, out);
}

pt_err hook_notice(struct pt_call *call, enum pt_hook_event event, const struct pt_account *account,
	bool *told, struct pt_letter *out)
{
	/* It belongs to no account: it outlives the one that it tells of. */
	struct pt_letter notice = {
		.kind = PT_LETTER_HOOK,
		.to = str(pt_hook_name(event)),
		.created_at = call->now,
		.not_after = call->now + notice_life,
	};
	pt_str text;

	*told = hook_wanted(call, event);
	if (!*told)
		return PT_OK;
	TRY(random_id(call->now, &notice.id));
	TRY(notice_text(call, event, account, &text));
	TRY(seal(call->arena, &call->site->keys.letter, str(notice.id.text), text, &notice.sealed));
	*out = notice;
	return PT_OK;
}

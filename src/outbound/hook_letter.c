/*
 * hook_letter.c - telling hooks.
 */
#include "outbound/hook_letter.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "crypt/seal.h"

#include "base/banned.h"

/* The events that are told after they happened, by their stored names. */
static const struct {
	pt_str name;
	enum pt_hook_event event;
} told[] = {
	{ PT_STR_INIT("usermodified"), PT_HOOK_USER_MODIFIED },
	{ PT_STR_INIT("userdeleted"), PT_HOOK_USER_DELETED },
};

struct notice {
	enum pt_hook_event event;
	struct pt_id account;
	pt_str tenant;
	pt_str body;
};

/* ---- reading ---- */

static bool event_find(pt_str name, enum pt_hook_event *event)
{
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		if (str_eq(name, told[i].name)) {
			*event = told[i].event;
			return true;
		}
	}
	return false;
}

static pt_str member_text(const struct json_value *object, pt_str name)
{
	const struct json_value *member = json_find(object, name);

	return member && member->type == JSON_STRING ? member->text : PT_STR("");
}

static pt_err notice_open(const struct hook_carrier *carrier, pt_arena *arena,
	const struct pt_letter *letter, struct notice *out)
{
	struct notice notice;
	struct json_value object;
	pt_str clear, account;

	TRY(seal_open(arena, carrier->letter_key, str(letter->id.text), letter->sealed, &clear));
	if (json_read(arena, clear, &object) != PT_OK ||
		!event_find(member_text(&object, PT_STR("event")), &notice.event))
		return fault(PT_F_RENDER, "what a hook is to be told cannot be read");
	account = member_text(&object, PT_STR("account"));
	if (account.n >= sizeof(notice.account.text))
		return fault(PT_F_RENDER, "a hook is to be told of no account");
	notice.account = (struct pt_id){ "" };
	memcpy(notice.account.text, account.p, account.n);
	notice.tenant = member_text(&object, PT_STR("tenant"));
	notice.body = member_text(&object, PT_STR("body"));
	*out = notice;
	return PT_OK;
}

/* ---- telling ---- */

static void replace(struct pt_metadata *metadata, pt_str json)
{
	if (json.n > 0)
		*metadata = (struct pt_metadata){ PT_METADATA_REPLACE, json };
}

/* An account that is gone by now needs no metadata. */
static enum pt_sent reply_keep(const struct hook_carrier *carrier, pt_arena *arena,
	const struct notice *notice, const struct pt_hook_reply *reply, pt_str *detail)
{
	const struct pt_store *store = carrier->store;
	struct pt_amend amend = { .account = notice->account, .now = clock_now() };
	struct pt_account_record after;
	pt_err err;

	if (notice->event != PT_HOOK_USER_MODIFIED ||
		(reply->app_metadata.n == 0 && reply->user_metadata.n == 0))
		return PT_SENT;
	replace(&amend.app_metadata, reply->app_metadata);
	replace(&amend.user_metadata, reply->user_metadata);
	err = store->account_amend(store->ctx, arena, &amend, &after);
	if (err == PT_OK || err == PT_E_NOT_FOUND)
		return PT_SENT;
	if (err == PT_F_STORE || err == PT_F_MEMORY || err == PT_E_BUSY) {
		*detail = PT_STR("told; the store does not take its answer now");
		return PT_SENT_LATER;
	}
	*detail = PT_STR("told; the store refuses its answer");
	return PT_SENT_NEVER;
}

/* A hook that answers, and answers no, will not say yes to the same question. */
static bool is_worth_another_try(pt_err err)
{
	return err == PT_E_HOOK_UNREACHABLE || err == PT_E_HOOK_TIMEOUT ||
	       err == PT_E_HOOK_BROKEN || err == PT_F_MEMORY || err == PT_F_IO;
}

static enum pt_sent notice_tell(const struct hook_carrier *carrier, pt_arena *arena,
	const struct notice *notice, pt_str *detail)
{
	const struct pt_hooks *hooks =
		carrier->hooks ? carrier->hooks(carrier->hooks_ctx, notice->tenant) : NULL;
	struct pt_hook_reply reply = { { 0 }, { 0 } };
	pt_err err;

	if (!hooks || !hooks->wants(hooks->ctx, notice->event)) {
		*detail = PT_STR("no hook is set up to be told");
		return PT_SENT_NEVER;
	}
	err = hooks->ask(hooks->ctx, arena, notice->event, notice->body, &reply, detail);
	if (err == PT_OK)
		return reply_keep(carrier, arena, notice, &reply, detail);
	return is_worth_another_try(err) ? PT_SENT_LATER : PT_SENT_NEVER;
}

enum pt_sent hook_letter_send(const struct hook_carrier *carrier, pt_arena *arena,
	const struct pt_letter *letter, pt_str *detail)
{
	struct notice notice;
	pt_err err = notice_open(carrier, arena, letter, &notice);

	*detail = PT_STR("");
	if (err == PT_OK)
		return notice_tell(carrier, arena, &notice, detail);
	*detail = PT_STR("it cannot be read");
	return err == PT_F_MEMORY ? PT_SENT_LATER : PT_SENT_NEVER;
}

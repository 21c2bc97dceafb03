/*
 * recovery.c - a forgotten password: the letter, and the new password.
 */
#include "base/str.h"
#include "core/account.h"
#include "core/event.h"
#include "core/hook.h"
#include "core/letter.h"
#include "core/link.h"
#include "core/policy.h"
#include "core/store.h"
#include "portress/act.h"
#include "base/banned.h"

pt_err pt_recover(struct pt_call *call, pt_str email)
{
	return link_ask(call, &link_reset, email);
}

pt_err pt_reset_find(struct pt_call *call, pt_str secret, struct pt_account *account)
{
	struct pt_ticket_record record;

	TRY(ticket_find(call, secret, PT_TICKET_RESET, &record));
	*account = record.owner.account;
	return PT_OK;
}

static pt_err changed_notice_make(
	struct pt_call *call, const struct pt_account *account, struct pt_letter *out)
{
	const struct letter_form form = {
		.kind = PT_LETTER_PASSWORD_CHANGED,
		.account = account,
		.life = 7 * PT_DAY,
	};

	return letter_make(call, &form, out);
}

/* The same act with what the hook answered, in one. */
static pt_err reset_with_reply(struct pt_call *call, const struct pt_reset_act *act,
	const struct pt_account *account, const struct pt_hook_reply *reply)
{
	struct pt_amend amend = {
		.account = act->account,
		.now = act->now,
		.has_ticket = true,
		.ticket = act->ticket,
		.ticket_kind = PT_TICKET_RESET,
		.has_seen_password = true,
		.seen_password = act->seen_password,
		.has_seen_email = true,
		.seen_email_key = account->email_key,
		.has_password = true,
		.password = act->new_password,
		.has_verified = true,
		.verified = true,
		.ends = PT_END_SESSIONS | PT_END_FAMILIES | PT_END_RESET | PT_END_EMAIL_CHANGE,
		.has_letter = act->has_letter,
		.letter = act->letter,
		.events = { act->event },
	};
	struct pt_account_record now;

	/* Whoever linked them had not shown that the mailbox is his. */
	if (!account->email_verified_at)
		amend.ends |= PT_END_IDENTITIES;
	hook_amend(reply, &amend);
	pt_err err = STORE(call, account_amend, &amend, &now);
	return err == PT_E_NOT_FOUND || err == PT_E_CREDENTIALS ? PT_E_TICKET : err;
}

/* A reset confirms the address as well. */
static pt_err reset_ask(
	struct pt_call *call, const struct pt_account *account, struct pt_hook_reply *reply)
{
	*reply = (struct pt_hook_reply){ { 0 }, { 0 } };
	if (account->email_verified_at)
		return PT_OK;
	return hook_ask(call, PT_HOOK_SIGNUP, account, reply);
}

pt_err pt_reset(struct pt_call *call, pt_str secret, pt_str new_password)
{
	struct pt_ticket_record found;
	struct pt_hook_reply reply;
	char hash[PASSWORD_HASH_MAX];

	/* Judged before the link is looked at: a bad password must not burn it. */
	const struct password_context nobody = { { 0 }, { 0 } };
	TRY(policy_password(&call->site->policy, new_password, &nobody));
	TRY(ticket_find(call, secret, PT_TICKET_RESET, &found));
	const struct pt_account *account = &found.owner.account;
	const struct password_context context = { account->username, account->email_key };
	TRY(policy_password(&call->site->policy, new_password, &context));
	TRY(reset_ask(call, account, &reply));
	TRY(password_hash(&call->site->password, new_password, hash));

	struct pt_reset_act act = {
		.ticket = found.ticket.hash,
		.account = account->id,
		.seen_password = found.owner.password,
		.new_password = str(hash),
		.now = call->now,
		.has_letter = true,
	};
	TRY(changed_notice_make(call, account, &act.letter));
	TRY(event_make(call, PT_EVENT_PASSWORD_RESET, &account->id, "", &act.event));
	if (hook_said(&reply))
		TRY(reset_with_reply(call, &act, account, &reply));
	else
		TRY(STORE(call, password_reset, &act));
	letter_posted(call);
	return PT_OK;
}

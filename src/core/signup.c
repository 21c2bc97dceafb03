/*
 * signup.c - signing up, and confirming the address.
 */
#include "base/str.h"
#include "core/account.h"
#include "core/event.h"
#include "core/hook.h"
#include "core/letter.h"
#include "core/limit.h"
#include "core/link.h"
#include "core/store.h"
#include "portress/act.h"
#include "base/banned.h"

static pt_err captcha_check(struct pt_call *call, pt_str response)
{
	struct pt_site *site = call->site;

	if (!site->policy.captcha)
		return PT_OK;
	return site->captcha.check(site->captcha.ctx, call->arena, response, call->asker.client);
}

static pt_err signup_join(
	struct pt_call *call, const struct pt_account_record *newcomer, struct pt_account *out)
{
	struct pt_join join = {
		.account = newcomer->account,
		.password = newcomer->password,
		.has_ticket = true,
		.has_letter = true,
	};
	struct pt_hook_reply reply;

	TRY(hook_ask(call, PT_HOOK_VALIDATE, &join.account, &reply));
	hook_fill(&reply, &join.account);
	TRY(link_make(call, &link_verify, newcomer, &join.ticket, &join.letter));
	TRY(event_make(call, PT_EVENT_SIGNUP, NULL, "", &join.event));
	TRY(event_make(call, PT_EVENT_SIGNUP_TAKEN, NULL, "", &join.taken_event));
	struct pt_account account = join.account;
	TRY(STORE(call, account_join, &join, &account.id));
	letter_posted(call);
	*out = account;
	return PT_OK;
}

pt_err pt_signup(struct pt_call *call, const struct pt_signup_form *form, struct pt_account *out)
{
	const struct account_draft draft = { form->username, form->email, form->password,
		form->given_name, form->family_name, false };
	struct pt_account_record newcomer = { 0 };
	char hash[PASSWORD_HASH_MAX];

	if (call->site->policy.signup_off)
		return PT_E_SIGNUP_OFF;
	TRY(account_draft_read(call, &draft, true, &newcomer.account));
	TRY(captcha_check(call, form->captcha));
	TRY(limit_mail(call, link_verify.limit, newcomer.account.email_key));
	/* Hashed before anybody is looked up: a taken name costs what a free one does. */
	TRY(password_hash(&call->site->password, form->password, hash));
	newcomer.password = str(hash);
	return signup_join(call, &newcomer, out);
}

/* With what the hook answers, in one act. The link stays good until it expires, as without a hook. */
static pt_err confirm_asked(struct pt_call *call, const struct pt_account *account)
{
	struct pt_amend amend = {
		.account = account->id,
		.now = call->now,
		.has_seen_email = true,
		.seen_email_key = account->email_key,
		.unconfirmed = true,
		.has_verified = true,
		.verified = true,
		.ends = PT_END_IDENTITIES,
	};
	struct pt_account_record now;
	struct pt_hook_reply reply;

	if (account->email_verified_at)
		return PT_OK;
	TRY(hook_ask(call, PT_HOOK_SIGNUP, account, &reply));
	hook_amend(&reply, &amend);
	TRY(event_about(call, PT_EVENT_CONFIRMED, account, "", &amend.events[0]));
	pt_err err = STORE(call, account_amend, &amend, &now);
	/* Somebody else clicked meanwhile: it is confirmed. */
	if (err == PT_E_TAKEN)
		return PT_OK;
	return err == PT_E_NOT_FOUND ? PT_E_TICKET : err;
}

pt_err pt_confirm(struct pt_call *call, pt_str secret)
{
	struct pt_confirm_act act = { .now = call->now };
	struct pt_ticket_record shown;
	struct pt_id account;
	bool possible;

	if (hook_wanted(call, PT_HOOK_SIGNUP)) {
		TRY(ticket_find(call, secret, PT_TICKET_VERIFY, &shown));
		return confirm_asked(call, &shown.owner.account);
	}

	TRY(secret_hash(secret, &possible, &act.ticket));
	if (!possible)
		return PT_E_TICKET;
	TRY(event_make(call, PT_EVENT_CONFIRMED, NULL, "", &act.event));
	return STORE(call, account_confirm, &act, &account);
}

pt_err pt_resend(struct pt_call *call, pt_str email)
{
	return link_ask(call, &link_verify, email);
}

/*
 * register.c - signing up by address alone, and being invited.
 *
 * Who signs up again before the address was confirmed begins again: whoever confirms it then gets the
 * password of the last one who signed up. An invitation that is accepted sets its own.
 */
#include "base/str.h"
#include "core/account.h"
#include "core/confirm.h"
#include "core/event.h"
#include "core/hook.h"
#include "core/letter.h"
#include "core/limit.h"
#include "core/link.h"
#include "core/policy.h"
#include "core/store.h"
#include "crypt/password.h"
#include "portress/act.h"

#include "base/banned.h"

enum { TRIES_MOST = 3 };

static const pt_str provider_email = PT_STR_INIT("{\"provider\":\"email\"}");

/* What was asked for, read and judged. */
struct registration {
	struct pt_account account;
	char hash[PASSWORD_HASH_MAX];
};

static pt_err registration_read(struct pt_call *call, const struct account_draft *draft,
	pt_str user_metadata, struct registration *out)
{
	TRY(account_draft_read(call, draft, false, &out->account));
	TRY(metadata_check(call, user_metadata));
	out->account.app_metadata = provider_email;
	out->account.user_metadata = user_metadata;
	out->hash[0] = '\0';
	return PT_OK;
}

/* ---- somebody new ---- */

static pt_err join_confirmed(struct pt_call *call, struct pt_join *join)
{
	struct pt_hook_reply reply;

	TRY(hook_ask(call, PT_HOOK_SIGNUP, &join->account, &reply));
	hook_fill(&reply, &join->account);
	join->account.email_verified_at = call->now;
	return event_about(
		call, PT_EVENT_CONFIRMED, &join->account, "unseen", &join->confirmed_event);
}

static pt_err join_with_link(
	struct pt_call *call, const struct link_kind *kind, struct pt_join *join)
{
	const struct pt_account_record newcomer = { join->account, join->password };

	join->has_ticket = true;
	TRY(link_make(call, kind, &newcomer, &join->ticket, &join->letter));
	return letter_send(call, &join->letter, &join->has_letter);
}

static pt_err join_as(struct pt_call *call, struct pt_join *join, struct pt_account *out)
{
	struct pt_account account;

	TRY(event_make(call, PT_EVENT_SIGNUP_TAKEN, NULL, "", &join->taken_event));
	account = join->account;
	TRY(STORE(call, account_join, join, &account.id));
	letter_posted(call);
	*out = account;
	return PT_OK;
}

static pt_err register_new(
	struct pt_call *call, const struct registration *newcomer, struct pt_account *out)
{
	struct pt_join join = { .account = newcomer->account, .password = str(newcomer->hash) };
	struct pt_hook_reply reply;

	TRY(hook_ask(call, PT_HOOK_VALIDATE, &join.account, &reply));
	hook_fill(&reply, &join.account);
	if (call->site->policy.autoconfirm) {
		TRY(join_confirmed(call, &join));
	} else {
		join.account.confirm_sent_at = call->now;
		TRY(join_with_link(call, &link_verify, &join));
	}
	TRY(event_about(call, PT_EVENT_SIGNUP, &join.account, "", &join.event));
	return join_as(call, &join, out);
}

/* ---- somebody who began before ---- */

static bool letter_is_due(const struct pt_call *call, const struct pt_account *account)
{
	return account->confirm_sent_at == 0 ||
	       call->now - account->confirm_sent_at >= call->site->policy.mail_pause;
}

/* Whom an operator invited may have been given more than newcomers get: that goes to the mailbox alone. */
static bool is_believed(const struct pt_call *call, const struct pt_account *account)
{
	return call->site->policy.autoconfirm && account->invited_at == 0;
}

static pt_err amend_with_link(
	struct pt_call *call, const struct pt_account_record *owner, struct pt_amend *amend)
{
	amend->has_new_ticket = true;
	amend->confirm_sent_at = call->now;
	TRY(link_make(call, &link_verify, owner, &amend->new_ticket, &amend->letter));
	return letter_send(call, &amend->letter, &amend->has_letter);
}

static pt_err register_again(struct pt_call *call, const struct pt_account_record *owner,
	const struct registration *again, struct pt_account *out)
{
	const struct pt_account *account = &owner->account;
	struct pt_amend amend = {
		.account = account->id,
		.now = call->now,
		.unconfirmed = true,
		.has_seen_email = true,
		.seen_email_key = account->email_key,
		.has_password = true,
		.password = str(again->hash),
		.ends = PT_END_SESSIONS | PT_END_FAMILIES | PT_END_RESET,
	};
	struct pt_account_record now;

	if (account->disabled_at)
		return PT_E_TAKEN;
	if (again->account.user_metadata.n > 0)
		amend.user_metadata =
			(struct pt_metadata){ PT_METADATA_MERGE, again->account.user_metadata };
	if (is_believed(call, account))
		TRY(confirm_amend(call, account, "unseen", &amend.events[1], &amend));
	else if (letter_is_due(call, account))
		TRY(amend_with_link(call, owner, &amend));
	TRY(event_about(call, PT_EVENT_SIGNUP, account, "again", &amend.events[0]));
	TRY(STORE(call, account_amend, &amend, &now));
	letter_posted(call);
	*out = now.account;
	return PT_OK;
}

/* ---- the acts ---- */

static pt_err register_once(
	struct pt_call *call, struct registration *form, pt_str password, struct pt_account *out)
{
	struct pt_account_record owner;
	pt_err found = account_by_email(call, form->account.email_key, &owner);

	if (found != PT_OK && found != PT_E_NOT_FOUND)
		return found;
	if (found == PT_OK && owner.account.email_verified_at)
		return PT_E_TAKEN;
	if (form->hash[0] == '\0')
		TRY(password_hash(&call->site->password, password, form->hash));
	if (found == PT_OK)
		return register_again(call, &owner, form, out);
	return register_new(call, form, out);
}

pt_err pt_register(
	struct pt_call *call, const struct pt_register_form *form, struct pt_account *out)
{
	const struct account_draft draft = { .email = form->email, .nameless = true };
	struct registration read;
	pt_err err = PT_E_TAKEN;

	if (call->site->policy.signup_off)
		return PT_E_SIGNUP_OFF;
	TRY(registration_read(call, &draft, form->user_metadata, &read));
	const struct password_context context = { { 0 }, read.account.email_key };
	TRY(policy_password(&call->site->policy, form->password, &context));
	TRY(limit_mail_client(call));
	/* Somebody may sign up with the address, or be gone again, between look and act: look again. */
	for (int i = 0; i < TRIES_MOST; i++) {
		err = register_once(call, &read, form->password, out);
		if (err != PT_E_TAKEN && err != PT_E_NOT_FOUND)
			break;
	}
	return err == PT_E_NOT_FOUND ? PT_E_BUSY : err;
}

pt_err pt_invite(struct pt_call *call, pt_str email, pt_str user_metadata, struct pt_account *out)
{
	const struct account_draft draft = { .email = email, .nameless = true };
	struct registration read;
	struct pt_account_record owner;
	struct pt_hook_reply reply;

	TRY(registration_read(call, &draft, user_metadata, &read));
	pt_err found = account_by_email(call, read.account.email_key, &owner);
	if (found != PT_E_NOT_FOUND)
		return found == PT_OK ? PT_E_TAKEN : found;

	struct pt_join join = { .account = read.account };
	join.account.invited_at = call->now;
	TRY(hook_ask(call, PT_HOOK_VALIDATE, &join.account, &reply));
	hook_fill(&reply, &join.account);
	TRY(join_with_link(call, &link_invite, &join));
	TRY(event_about(call, PT_EVENT_INVITED, &join.account, "", &join.event));
	return join_as(call, &join, out);
}

/*
 * edit.c - changing an account: by its owner, or by an operator.
 */
#include "base/json.h"
#include "base/str.h"
#include "core/account.h"
#include "core/event.h"
#include "core/hook.h"
#include "core/letter.h"
#include "core/link.h"
#include "core/policy.h"
#include "core/store.h"
#include "core/ticket.h"
#include "crypt/password.h"
#include "portress/act.h"

#include "base/banned.h"

static const pt_time notice_life = 7 * PT_DAY;

/* The new hash, and the end of whatever the old one opened. */
static pt_err password_change(struct pt_call *call, const struct pt_account_record *owner,
	const struct pt_edit *edit, char hash[PASSWORD_HASH_MAX], struct pt_amend *amend)
{
	const struct password_context context = { owner->account.username,
		owner->account.email_key };

	if (edit->password.n == 0)
		return PT_OK;
	TRY(policy_password(&call->site->policy, edit->password, &context));
	TRY(password_hash(&call->site->password, edit->password, hash));
	amend->has_password = true;
	amend->password = str(hash);
	amend->ends |= PT_END_SESSIONS | PT_END_FAMILIES | PT_END_RESET | PT_END_EMAIL_CHANGE;
	amend->keep_family = edit->session;
	return PT_OK;
}

static pt_err metadata_change(
	struct pt_call *call, const struct pt_edit *edit, struct pt_amend *amend)
{
	TRY(metadata_check(call, edit->user_metadata));
	TRY(metadata_check(call, edit->app_metadata));
	if (edit->user_metadata.n > 0)
		amend->user_metadata =
			(struct pt_metadata){ PT_METADATA_MERGE, edit->user_metadata };
	if (edit->app_metadata.n > 0)
		amend->app_metadata = (struct pt_metadata){ PT_METADATA_MERGE, edit->app_metadata };
	return PT_OK;
}

/* ---- another address ---- */

static pt_err address_is_free(struct pt_call *call, const struct pt_account *account, pt_str key)
{
	const struct pt_account_query query = { account->tenant, account->audience, PT_BY_EMAIL,
		key, { 0 } };
	struct pt_account_record other;
	pt_err err = STORE(call, account_find, &query, &other);

	if (err == PT_OK)
		return str_eq(str(other.account.id.text), str(account->id.text)) ? PT_OK
										 : PT_E_TAKEN;
	return err == PT_E_NOT_FOUND ? PT_OK : err;
}

static pt_err address_ask(struct pt_call *call, const struct pt_account_record *owner,
	const struct email *email, struct pt_amend *amend)
{
	struct pt_account_record asked = *owner;
	pt_time pause = call->site->policy.mail_pause;

	if (owner->account.email_change_sent_at &&
		call->now - owner->account.email_change_sent_at < pause) {
		call->retry_after = owner->account.email_change_sent_at + pause - call->now;
		return PT_E_MAIL_LIMITED;
	}
	asked.account.new_email = email->address;
	asked.account.new_email_key = email->key;
	amend->has_new_email = true;
	amend->new_email = email->address;
	amend->new_email_key = email->key;
	amend->email_change_sent_at = call->now;
	amend->has_new_ticket = true;
	TRY(link_make(call, &link_email_change, &asked, &amend->new_ticket, &amend->letter));
	return letter_send(call, &amend->letter, &amend->has_letter);
}

static void address_set(
	const struct pt_account *account, const struct email *email, struct pt_amend *amend)
{
	amend->has_seen_email = true;
	amend->seen_email_key = account->email_key;
	amend->has_email = true;
	amend->email = email->address;
	amend->email_key = email->key;
	amend->has_new_email = true;
	amend->ends |= PT_END_TICKETS;
}

static pt_err address_change(struct pt_call *call, const struct pt_account_record *owner,
	const struct pt_edit *edit, struct pt_amend *amend)
{
	struct email email;

	if (edit->email.n == 0)
		return PT_OK;
	TRY(email_parse(call->arena, &call->site->policy, edit->email, &email));
	if (str_eq(email.key, owner->account.email_key))
		return PT_OK;
	TRY(address_is_free(call, &owner->account, email.key));
	if (!edit->by_operator)
		return address_ask(call, owner, &email, amend);
	address_set(&owner->account, &email, amend);
	return PT_OK;
}

/* Its owner has read the letter; whoever reads the old mailbox is told. What counts is the address that
 * the letter went to, as it stood when the letter was judged: another one may wait by now. */
static pt_err address_confirm(
	struct pt_call *call, const struct pt_id *id, pt_str secret, struct pt_amend *amend)
{
	struct pt_ticket_record shown;
	const struct pt_account *account = &shown.owner.account;
	const struct letter_form notice = {
		.kind = PT_LETTER_EMAIL_CHANGED,
		.account = account,
		.life = notice_life,
	};

	TRY(ticket_judge(call, secret, PT_TICKET_EMAIL_CHANGE, &shown));
	if (!str_eq(str(account->id.text), str(id->text)))
		return PT_E_TICKET;
	const struct email email = { account->new_email, account->new_email_key };
	TRY(address_is_free(call, account, email.key));
	address_set(account, &email, amend);
	amend->has_ticket = true;
	amend->ticket = shown.ticket.hash;
	amend->ticket_kind = PT_TICKET_EMAIL_CHANGE;
	amend->has_verified = amend->verified = true;
	amend->has_notice = account->email.n > 0;
	TRY(letter_make(call, &notice, &amend->notice));
	return event_about(call, PT_EVENT_EMAIL_CHANGED, account, "", &amend->events[1]);
}

/* ---- the act ---- */

static void operator_change(const struct pt_edit *edit, struct pt_amend *amend)
{
	if (!edit->by_operator)
		return;
	if (edit->role.n > 0) {
		amend->has_role = true;
		amend->role = str_trim(edit->role);
	}
	if (edit->confirm) {
		amend->has_verified = amend->verified = true;
		amend->ends |= PT_END_VERIFY | PT_END_INVITE;
	}
}

static pt_err metadata_after(
	struct pt_call *call, pt_str now, const struct pt_metadata *change, pt_str *out)
{
	*out = now;
	if (change->change != PT_METADATA_MERGE)
		return PT_OK;
	return json_merge(call->arena, now, change->json, out);
}

/* The account as the act will leave it, for the hook that is told in the same act. */
static pt_err modified_tell(
	struct pt_call *call, const struct pt_account *before, struct pt_amend *amend)
{
	struct pt_account after = *before;

	if (amend->has_role)
		after.role = amend->role;
	if (amend->has_email) {
		after.email = amend->email;
		after.new_email = PT_STR("");
	}
	if (amend->has_verified && !after.email_verified_at)
		after.email_verified_at = call->now;
	after.updated_at = call->now;
	TRY(metadata_after(call, before->app_metadata, &amend->app_metadata, &after.app_metadata));
	TRY(metadata_after(
		call, before->user_metadata, &amend->user_metadata, &after.user_metadata));
	return hook_notice(call, PT_HOOK_USER_MODIFIED, &after, &amend->has_notice, &amend->notice);
}

pt_err pt_account_edit(
	struct pt_call *call, pt_str id, const struct pt_edit *edit, struct pt_account *out)
{
	/* Who was switched off changes nothing; an operator may still change him. */
	struct pt_amend amend = { .now = call->now, .enabled = !edit->by_operator };
	struct pt_account_record owner;
	char hash[PASSWORD_HASH_MAX];

	TRY(account_by_id(call, id, &owner));
	amend.account = owner.account.id;
	TRY(metadata_change(call, edit, &amend));
	operator_change(edit, &amend);
	TRY(password_change(call, &owner, edit, hash, &amend));
	if (edit->email_change_token.n > 0)
		TRY(address_confirm(call, &amend.account, edit->email_change_token, &amend));
	else
		TRY(address_change(call, &owner, edit, &amend));
	TRY(event_about(call, PT_EVENT_ACCOUNT_CHANGED, &owner.account, "", &amend.events[0]));
	if (edit->by_operator)
		TRY(modified_tell(call, &owner.account, &amend));
	pt_err err = STORE(call, account_amend, &amend, &owner);
	/* Somebody was faster with the same letter: the address is not what it was. */
	if (err == PT_E_NOT_FOUND && amend.has_ticket)
		return PT_E_TICKET;
	TRY(err);
	letter_posted(call);
	*out = owner.account;
	return PT_OK;
}

/*
 * recovery.c - a forgotten password: the letter, and the new password.
 */
#include "base/str.h"
#include "core/account.h"
#include "core/event.h"
#include "core/letter.h"
#include "core/limit.h"
#include "core/policy.h"
#include "core/store.h"
#include "core/ticket.h"
#include "portress/act.h"
#include "base/banned.h"

static pt_err recover_account(struct pt_call *call, const struct pt_account_record *owner)
{
	struct pt_ticket_act act;
	struct secret secret;

	TRY(ticket_make(call, PT_TICKET_RESET, owner, &act.ticket, &secret));
	const struct letter_form form = {
		.kind = PT_LETTER_RESET,
		.account = &owner->account,
		.path = "/reset?token=",
		.secret = secret.text,
		.life = ticket_life(call->site, PT_TICKET_RESET),
	};
	TRY(letter_make(call, &form, &act.letter));
	TRY(event_make(call, PT_EVENT_RECOVER_ASKED, &owner->account.id, "", &act.event));
	TRY(STORE(call, ticket_issue, &act));
	letter_posted(call);
	return PT_OK;
}

/* One durable act too, so that the time taken does not tell. */
static pt_err recover_nobody(struct pt_call *call)
{
	struct pt_event event;

	TRY(event_make(call, PT_EVENT_RECOVER_ASKED, NULL, "nobody", &event));
	return STORE(call, event_record, &event);
}

pt_err pt_recover(struct pt_call *call, pt_str email)
{
	struct pt_account_record owner;
	struct email address;

	TRY(email_parse(call->arena, &call->site->policy, email, &address));
	TRY(limit_mail_client(call));
	pt_err counted = limit_mail_recipient(call, "reset", address.key);
	if (counted != PT_OK && counted != PT_E_MAIL_LIMITED)
		return counted;
	pt_err found = account_by_email(call, address.key, &owner);
	if (found != PT_OK && found != PT_E_NOT_FOUND)
		return found;
	bool wanted = counted == PT_OK && found == PT_OK && !owner.account.disabled_at;
	return wanted ? recover_account(call, &owner) : recover_nobody(call);
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

pt_err pt_reset(struct pt_call *call, pt_str secret, pt_str new_password)
{
	struct pt_ticket_record found;
	char hash[PASSWORD_HASH_MAX];

	/* Judged before the link is looked at: a bad password must not burn it. */
	const struct password_context nobody = { { 0 }, { 0 } };
	TRY(policy_password(&call->site->policy, new_password, &nobody));
	TRY(ticket_find(call, secret, PT_TICKET_RESET, &found));
	const struct pt_account *account = &found.owner.account;
	const struct password_context context = { account->username, account->email_key };
	TRY(policy_password(&call->site->policy, new_password, &context));
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
	TRY(STORE(call, password_reset, &act));
	letter_posted(call);
	return PT_OK;
}

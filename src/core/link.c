/*
 * link.c - mailed links.
 */
#include "core/link.h"

#include "base/str.h"
#include "core/account.h"
#include "core/event.h"
#include "core/letter.h"
#include "core/limit.h"
#include "core/store.h"

#include "base/banned.h"

const struct link_kind link_verify = {
	.ticket = PT_TICKET_VERIFY,
	.letter = PT_LETTER_VERIFY,
	.asked = PT_EVENT_CONFIRM_ASKED,
	.path = "/verify?token=",
	.limit = "verify",
	.unconfirmed_alone = true,
};

const struct link_kind link_reset = {
	.ticket = PT_TICKET_RESET,
	.letter = PT_LETTER_RESET,
	.asked = PT_EVENT_RECOVER_ASKED,
	.path = "/reset?token=",
	.limit = "reset",
};

const struct link_kind link_invite = {
	.ticket = PT_TICKET_INVITE,
	.letter = PT_LETTER_INVITE,
	.path = "/verify?token=",
	.limit = "invite",
};

const struct link_kind link_email_change = {
	.ticket = PT_TICKET_EMAIL_CHANGE,
	.letter = PT_LETTER_EMAIL_CHANGE,
	.path = "/verify?token=",
	.limit = "email-change",
};

pt_err link_make(struct pt_call *call, const struct link_kind *kind,
	const struct pt_account_record *owner, struct pt_ticket *ticket, struct pt_letter *letter)
{
	struct secret secret;

	TRY(ticket_make(call, kind->ticket, owner, ticket, &secret));
	const struct letter_form form = {
		.kind = kind->letter,
		.account = &owner->account,
		.to = kind->ticket == PT_TICKET_EMAIL_CHANGE ? owner->account.new_email
							     : owner->account.email,
		.path = kind->path,
		.secret = secret.text,
		.life = ticket_life(call->site, kind->ticket),
	};
	return letter_make(call, &form, letter);
}

/* The time is kept where it is asked for: a foreign users table has no place for it. */
static void date_letter(struct pt_call *call, const struct link_kind *kind, struct pt_amend *amend)
{
	if (call->site->policy.mail_pause == 0)
		return;
	if (kind->ticket == PT_TICKET_RESET)
		amend->recover_sent_at = call->now;
	else
		amend->confirm_sent_at = call->now;
}

static pt_err link_send(
	struct pt_call *call, const struct link_kind *kind, const struct pt_account_record *owner)
{
	struct pt_amend amend = {
		.account = owner->account.id,
		.now = call->now,
		.has_new_ticket = true,
	};
	struct pt_account_record now;

	TRY(link_make(call, kind, owner, &amend.new_ticket, &amend.letter));
	TRY(event_about(call, kind->asked, &owner->account, "", &amend.events[0]));
	date_letter(call, kind, &amend);
	TRY(letter_send(call, &amend.letter, &amend.has_letter));
	TRY(STORE(call, account_amend, &amend, &now));
	letter_posted(call);
	return PT_OK;
}

/* One durable act too, so that the time taken does not tell. */
static pt_err link_send_nobody(struct pt_call *call, const struct link_kind *kind)
{
	struct pt_event event;

	TRY(event_make(call, kind->asked, NULL, "nobody", &event));
	return STORE(call, event_record, &event);
}

static bool is_wanted(const struct link_kind *kind, const struct pt_account *account)
{
	return !account->disabled_at && !(kind->unconfirmed_alone && account->email_verified_at);
}

pt_err link_ask(struct pt_call *call, const struct link_kind *kind, pt_str email)
{
	struct pt_account_record owner;
	struct email address;

	TRY(email_parse(call->arena, &call->site->policy, email, &address));
	TRY(limit_mail_client(call));
	pt_err counted = limit_mail_recipient(call, kind->limit, address.key);
	if (counted != PT_OK && counted != PT_E_MAIL_LIMITED)
		return counted;
	pt_err found = account_by_email(call, address.key, &owner);
	if (found != PT_OK && found != PT_E_NOT_FOUND)
		return found;
	/* Over the recipient's share nothing is said, unless it is said to everybody alike: who asks may not
	 * be the owner. */
	if (counted == PT_E_MAIL_LIMITED && call->site->policy.mail_limit_told)
		return PT_E_MAIL_LIMITED;
	if (counted == PT_OK && found == PT_OK && is_wanted(kind, &owner.account))
		return link_send(call, kind, &owner);
	return link_send_nobody(call, kind);
}

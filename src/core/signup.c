/*
 * signup.c - signing up, and confirming the address.
 */
#include "base/str.h"
#include "core/account.h"
#include "core/event.h"
#include "core/letter.h"
#include "core/limit.h"
#include "core/store.h"
#include "core/ticket.h"
#include "portress/act.h"
#include "base/banned.h"

static pt_err captcha_check(struct pt_call *call, pt_str response)
{
	struct pt_site *site = call->site;

	if (!site->policy.captcha)
		return PT_OK;
	return site->captcha.check(site->captcha.ctx, call->arena, response, call->asker.client);
}

/* The link that confirms an address: ticket and letter. */
static pt_err verify_letter_make(struct pt_call *call, const struct pt_account_record *owner,
	struct pt_ticket *ticket, struct pt_letter *letter)
{
	struct secret secret;

	TRY(ticket_make(call, PT_TICKET_VERIFY, owner, ticket, &secret));
	const struct letter_form form = {
		.kind = PT_LETTER_VERIFY,
		.account = &owner->account,
		.path = "/verify?token=",
		.secret = secret.text,
		.life = ticket_life(call->site, PT_TICKET_VERIFY),
	};
	return letter_make(call, &form, letter);
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

	TRY(verify_letter_make(call, newcomer, &join.ticket, &join.letter));
	TRY(event_make(call, PT_EVENT_SIGNUP, NULL, "", &join.event));
	TRY(event_make(call, PT_EVENT_SIGNUP_TAKEN, NULL, "", &join.taken_event));
	struct pt_account account = newcomer->account;
	TRY(STORE(call, account_join, &join, &account.id));
	letter_posted(call);
	*out = account;
	return PT_OK;
}

pt_err pt_signup(struct pt_call *call, const struct pt_signup_form *form, struct pt_account *out)
{
	const struct account_draft draft = { form->username, form->email, form->password,
		form->given_name, form->family_name };
	struct pt_account_record newcomer = { 0 };
	char hash[PASSWORD_HASH_MAX];

	TRY(account_draft_read(call, &draft, true, &newcomer.account));
	TRY(captcha_check(call, form->captcha));
	TRY(limit_mail(call, "verify", newcomer.account.email_key));
	/* Hashed before anybody is looked up: a taken name costs what a free one does. */
	TRY(password_hash(&call->site->password, form->password, hash));
	newcomer.password = str(hash);
	return signup_join(call, &newcomer, out);
}

pt_err pt_confirm(struct pt_call *call, pt_str secret)
{
	struct pt_confirm_act act = { .now = call->now };
	struct pt_id account;
	bool possible;

	TRY(secret_hash(secret, &possible, &act.ticket));
	if (!possible)
		return PT_E_TICKET;
	TRY(event_make(call, PT_EVENT_CONFIRMED, NULL, "", &act.event));
	return STORE(call, account_confirm, &act, &account);
}

static pt_err resend_to(struct pt_call *call, const struct pt_account_record *owner)
{
	struct pt_ticket_act act;

	TRY(verify_letter_make(call, owner, &act.ticket, &act.letter));
	TRY(event_make(call, PT_EVENT_CONFIRM_ASKED, &owner->account.id, "", &act.event));
	TRY(STORE(call, ticket_issue, &act));
	letter_posted(call);
	return PT_OK;
}

/* What a request for an address that gets nothing costs: also one durable act. */
static pt_err resend_to_nobody(struct pt_call *call)
{
	struct pt_event event;

	TRY(event_make(call, PT_EVENT_CONFIRM_ASKED, NULL, "nobody", &event));
	return STORE(call, event_record, &event);
}

pt_err pt_resend(struct pt_call *call, pt_str email)
{
	struct pt_account_record owner;
	struct email address;

	TRY(email_parse(call->arena, &call->site->policy, email, &address));
	TRY(limit_mail_client(call));
	pt_err counted = limit_mail_recipient(call, "verify", address.key);
	if (counted != PT_OK && counted != PT_E_MAIL_LIMITED)
		return counted;
	pt_err found = account_by_email(call, address.key, &owner);
	if (found != PT_OK && found != PT_E_NOT_FOUND)
		return found;
	/* Over the recipient's share nothing is said: the sender may not be the owner. */
	bool wanted = counted == PT_OK && found == PT_OK && !owner.account.email_verified_at &&
		      !owner.account.disabled_at;
	return wanted ? resend_to(call, &owner) : resend_to_nobody(call);
}

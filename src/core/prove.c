/*
 * prove.c - showing a mailed secret: the address is proved, and whoever shows it is signed in.
 *
 * The secret is judged, the hook is asked, and then one act spends it: of two who show it at once one
 * is let in.
 */
#include "base/str.h"
#include "core/account.h"
#include "core/confirm.h"
#include "core/policy.h"
#include "core/store.h"
#include "core/ticket.h"
#include "core/token.h"
#include "crypt/password.h"
#include "portress/act.h"

#include "base/banned.h"

/* A sign-up's secret is of one of two kinds; which, only the store knows. */
static pt_err signup_ticket(struct pt_call *call, pt_str secret, struct pt_ticket_record *out)
{
	pt_err err = ticket_judge(call, secret, PT_TICKET_VERIFY, out);

	return err == PT_E_TICKET ? ticket_judge(call, secret, PT_TICKET_INVITE, out) : err;
}

static pt_err proof_ticket(
	struct pt_call *call, enum pt_proof proof, pt_str secret, struct pt_ticket_record *out)
{
	switch (proof) {
	case PT_PROOF_SIGNUP:
		return signup_ticket(call, secret, out);
	case PT_PROOF_RECOVERY:
		return ticket_judge(call, secret, PT_TICKET_RESET, out);
	}
	return PT_E_TICKET;
}

/* Whoever was invited owns the mailbox: a password that somebody else chose meanwhile gives way. */
static pt_err password_choose(struct pt_call *call, const struct pt_account_record *owner,
	pt_str password, char hash[PASSWORD_HASH_MAX], struct pt_amend *amend)
{
	const struct password_context context = { owner->account.username,
		owner->account.email_key };

	if (password.n == 0)
		return PT_E_PASSWORD_MISSING;
	TRY(policy_password(&call->site->policy, password, &context));
	TRY(password_hash(&call->site->password, password, hash));
	amend->has_password = true;
	amend->password = str(hash);
	return PT_OK;
}

static bool password_is_due(const struct pt_ticket_record *shown)
{
	return shown->ticket.kind == PT_TICKET_INVITE ||
	       (shown->ticket.kind == PT_TICKET_VERIFY && shown->owner.account.invited_at &&
		       shown->owner.password.n == 0);
}

pt_err pt_prove(struct pt_call *call, enum pt_proof proof, pt_str secret, pt_str password,
	struct pt_grant *out)
{
	struct pt_amend amend = { .now = call->now, .has_ticket = true, .enabled = true };
	struct pt_ticket_record shown;
	char hash[PASSWORD_HASH_MAX];

	TRY(proof_ticket(call, proof, secret, &shown));
	const struct pt_account *account = &shown.owner.account;
	amend.account = account->id;
	amend.ticket = shown.ticket.hash;
	amend.ticket_kind = shown.ticket.kind;
	if (account->disabled_at)
		return PT_E_DISABLED;
	/* On a page a link confirms and stays good for that alone. */
	if (proof == PT_PROOF_SIGNUP && account->email_verified_at)
		return PT_E_TICKET;
	amend.unconfirmed = proof == PT_PROOF_SIGNUP;
	if (password_is_due(&shown))
		TRY(password_choose(call, &shown.owner, password, hash, &amend));
	if (!account->email_verified_at) {
		TRY(confirm_amend(call, account, "", &amend.events[0], &amend));
		/* Whoever chose it had not shown that the mailbox is his. */
		if (proof == PT_PROOF_RECOVERY)
			amend.has_password = true;
	}
	pt_err err = token_open(call, &shown.owner, &amend, out);
	return err == PT_E_TAKEN ? PT_E_TICKET : err;
}

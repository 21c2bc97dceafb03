/*
 * ticket.c - mailed secrets.
 */
#include "core/ticket.h"

#include "base/str.h"
#include "core/store.h"
#include "base/banned.h"

pt_time ticket_life(const struct pt_site *site, enum pt_ticket_kind kind)
{
	switch (kind) {
	case PT_TICKET_VERIFY:
		return site->policy.verify_life;
	case PT_TICKET_RESET:
		return site->policy.reset_life;
	case PT_TICKET_INVITE:
		return site->policy.invite_life;
	case PT_TICKET_EMAIL_CHANGE:
		return site->policy.email_change_life;
	}
	return 0;
}

/* The address that must not have changed: where the letter went. */
static pt_str bound_address(enum pt_ticket_kind kind, const struct pt_account *owner)
{
	return kind == PT_TICKET_EMAIL_CHANGE ? owner->new_email_key : owner->email_key;
}

static pt_str kind_name(enum pt_ticket_kind kind)
{
	switch (kind) {
	case PT_TICKET_VERIFY:
		return PT_STR("verify");
	case PT_TICKET_RESET:
		return PT_STR("reset");
	case PT_TICKET_INVITE:
		return PT_STR("invite");
	case PT_TICKET_EMAIL_CHANGE:
		return PT_STR("email-change");
	}
	return PT_STR("");
}

static pt_err ticket_bound(struct pt_call *call, enum pt_ticket_kind kind,
	const struct pt_account_record *owner, struct pt_hash *out)
{
	const pt_str parts[] = {
		kind_name(kind),
		bound_address(kind, &owner->account),
		kind == PT_TICKET_RESET ? owner->password : PT_STR(""),
	};

	return digest_mac_parts(&call->site->keys.ticket, parts, 3, out);
}

pt_err ticket_make(struct pt_call *call, enum pt_ticket_kind kind,
	const struct pt_account_record *owner, struct pt_ticket *ticket, struct secret *secret)
{
	struct pt_ticket made = {
		.kind = kind,
		.account = owner->account.id,
		.email_key = bound_address(kind, &owner->account),
		.created_at = call->now,
		.expires_at = call->now + ticket_life(call->site, kind),
	};
	struct secret made_secret;

	TRY(secret_make(call->arena, &made_secret));
	made.hash = made_secret.hash;
	TRY(ticket_bound(call, kind, owner, &made.bound));
	*ticket = made;
	*secret = made_secret;
	return PT_OK;
}

pt_err ticket_carry(struct pt_call *call, enum pt_ticket_kind kind,
	const struct pt_account_record *owner, pt_str secret, struct pt_ticket *out)
{
	struct pt_ticket carried = {
		.kind = kind,
		.account = owner->account.id,
		.email_key = bound_address(kind, &owner->account),
		.created_at = call->now,
	};
	bool possible;

	TRY(secret_hash(secret, &possible, &carried.hash));
	if (!possible)
		return PT_E_TICKET;
	TRY(ticket_bound(call, kind, owner, &carried.bound));
	*out = carried;
	return PT_OK;
}

pt_err ticket_judge(
	struct pt_call *call, pt_str secret, enum pt_ticket_kind kind, struct pt_ticket_record *out)
{
	struct pt_ticket_record found;
	struct pt_hash hash, bound;
	bool possible;

	TRY(secret_hash(secret, &possible, &hash));
	if (!possible)
		return PT_E_TICKET;
	TRY(STORE(call, ticket_find, &hash, kind, call->now, &found));
	if (!str_eq(found.owner.account.tenant, call->site->tenant))
		return PT_E_TICKET;
	TRY(ticket_bound(call, kind, &found.owner, &bound));
	if (!digest_equal_hash(&bound, &found.ticket.bound))
		return PT_E_TICKET;
	*out = found;
	return PT_OK;
}

pt_err ticket_find(
	struct pt_call *call, pt_str secret, enum pt_ticket_kind kind, struct pt_ticket_record *out)
{
	pt_err err = ticket_judge(call, secret, kind, out);

	return err == PT_E_TICKET_EXPIRED ? PT_E_TICKET : err;
}

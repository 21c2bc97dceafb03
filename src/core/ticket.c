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
	}
	return 0;
}

static pt_err ticket_bound(struct pt_call *call, enum pt_ticket_kind kind,
	const struct pt_account_record *owner, struct pt_hash *out)
{
	const pt_str parts[] = {
		kind == PT_TICKET_RESET ? PT_STR("reset") : PT_STR("verify"),
		owner->account.email_key,
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
		.email_key = owner->account.email_key,
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

pt_err ticket_find(
	struct pt_call *call, pt_str secret, enum pt_ticket_kind kind, struct pt_ticket_record *out)
{
	struct pt_ticket_record found;
	struct pt_hash hash, bound;
	bool possible;

	TRY(secret_hash(secret, &possible, &hash));
	if (!possible)
		return PT_E_TICKET;
	TRY(STORE(call, ticket_find, &hash, kind, call->now, &found));
	TRY(ticket_bound(call, kind, &found.owner, &bound));
	if (!digest_equal_hash(&bound, &found.ticket.bound))
		return PT_E_TICKET;
	*out = found;
	return PT_OK;
}

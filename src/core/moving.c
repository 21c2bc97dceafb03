/*
 * moving.c - people who come from another system: judged one by one, kept by the batch.
 *
 * Whoever is there already is left alone with all that is his. A batch is one act of the store, so
 * who is there came with everything; and what he has spent here since does not come back when the
 * import is run again.
 */
#include "base/json.h"
#include "base/random.h"
#include "base/str.h"
#include "core/email.h"
#include "core/secret.h"
#include "core/store.h"
#include "core/ticket.h"
#include "core/token_text.h"
#include "crypt/password.h"
#include "portress/act.h"

#include "base/banned.h"

/* What may hang on one account: a sign-up's or an invitation's, a recovery's, a new address's. */
enum { TICKETS_EACH = 3 };

/* What becomes of somebody. */
enum fate { COMES, IS_THERE, STAYS };

/* A batch on its way into the store. */
struct luggage {
	struct pt_call *call;
	const struct pt_moving *from;
	enum fate *fates; /* of the newcomers */
	struct pt_account_record *accounts;
	size_t n_accounts;
	struct pt_ticket *tickets;
	size_t n_tickets;
	struct pt_import_token *tokens;
	size_t n_tokens;
	struct pt_event *events;
	size_t n_events;
	struct pt_moved moved;
};

static void leave(struct luggage *l, enum pt_moving_kind kind, pt_str key, enum pt_left_out why)
{
	l->moved.left_out[kind][why]++;
	if (l->from->left_out)
		l->from->left_out(l->from->ctx, kind, key, why);
}

/* ---- accounts ---- */

static pt_err metadata_carry(
	struct luggage *l, const struct pt_newcomer *newcomer, pt_str json, pt_str *out)
{
	struct json_value value;
	pt_err err = PT_E_MALFORMED;

	*out = PT_STR("");
	if (json.n == 0 || str_eq(json, PT_STR("null")))
		return PT_OK;
	if (json.n <= PT_METADATA_MAX)
		err = json_read(l->call->arena, json, &value);
	if (pt_is_fault(err))
		return err;
	if (err == PT_OK && value.type == JSON_OBJECT)
		*out = json;
	else
		leave(l, PT_MOVING_PARTS, newcomer->key, PT_LEFT_METADATA);
	return PT_OK;
}

static void password_carry(
	struct luggage *l, const struct pt_newcomer *newcomer, struct pt_account_record *record)
{
	record->password = newcomer->password;
	if (newcomer->password.n == 0 || password_format(newcomer->password)[0] != '\0')
		return;
	record->password = PT_STR("");
	leave(l, PT_MOVING_PARTS, newcomer->key, PT_LEFT_PASSWORD);
}

static pt_err new_address_carry(
	struct luggage *l, const struct pt_newcomer *newcomer, struct pt_account *account)
{
	pt_str typed = str_trim(account->new_email);
	struct email email = { .address = { NULL, 0 } };
	pt_err err = PT_OK;

	if (typed.n > 0)
		err = email_parse(l->call->arena, &l->call->site->policy, typed, &email);
	if (err == PT_E_EMAIL)
		leave(l, PT_MOVING_PARTS, newcomer->key, PT_LEFT_ADDRESS);
	account->new_email = email.address;
	account->new_email_key = email.key;
	return pt_is_fault(err) ? err : PT_OK;
}

static pt_err account_carry(struct luggage *l, const struct pt_newcomer *newcomer,
	const struct email *email, struct pt_account_record *out)
{
	struct pt_account_record record = { .account = newcomer->account };
	struct pt_account *account = &record.account;

	account->tenant = l->from->tenant;
	account->email = email->address;
	account->email_key = email->key;
	if (account->created_at == 0)
		account->created_at = l->call->now;
	if (account->updated_at == 0)
		account->updated_at = account->created_at;
	password_carry(l, newcomer, &record);
	TRY(new_address_carry(l, newcomer, account));
	TRY(metadata_carry(l, newcomer, account->app_metadata, &account->app_metadata));
	TRY(metadata_carry(l, newcomer, account->user_metadata, &account->user_metadata));
	*out = record;
	return PT_OK;
}

static bool address_is_packed(
	const struct luggage *l, const struct pt_newcomer *newcomer, pt_str email_key)
{
	for (size_t i = 0; i < l->n_accounts; i++) {
		const struct pt_account *packed = &l->accounts[i].account;

		if (str_eq(packed->email_key, email_key) &&
			str_eq(packed->audience, newcomer->account.audience))
			return true;
	}
	return l->from->rehearsal && newcomer->address_seen;
}

static pt_err is_found(struct luggage *l, const struct pt_account_query *query, bool *out)
{
	struct pt_account_record found;
	pt_err err = STORE(l->call, account_find, query, &found);

	*out = err == PT_OK;
	return err == PT_E_NOT_FOUND ? PT_OK : err;
}

static pt_err address_is_taken(
	struct luggage *l, const struct pt_newcomer *newcomer, pt_str email_key, bool *out)
{
	const struct pt_account_query query = { l->from->tenant, newcomer->account.audience,
		PT_BY_EMAIL, email_key, { 0 } };

	*out = address_is_packed(l, newcomer, email_key);
	return *out ? PT_OK : is_found(l, &query, out);
}

static enum fate stays(struct luggage *l, const struct pt_newcomer *newcomer, enum pt_left_out why)
{
	leave(l, PT_MOVING_ACCOUNTS, newcomer->key, why);
	return STAYS;
}

static pt_err newcomer_judge(
	struct luggage *l, const struct pt_newcomer *newcomer, struct email *email, enum fate *out)
{
	const struct pt_account_query by_id = { .by = PT_BY_ID,
		.key = str(newcomer->account.id.text) };
	bool there = false, taken = false;

	*out = STAYS;
	if (by_id.key.n == 0) {
		*out = stays(l, newcomer, PT_LEFT_ID);
		return PT_OK;
	}
	TRY(is_found(l, &by_id, &there));
	if (there) {
		l->moved.skipped[PT_MOVING_ACCOUNTS]++;
		*out = IS_THERE;
		return PT_OK;
	}
	pt_err err = email_parse(
		l->call->arena, &l->call->site->policy, str_trim(newcomer->account.email), email);
	if (err == PT_OK)
		TRY(address_is_taken(l, newcomer, email->key, &taken));
	else if (err != PT_E_EMAIL)
		return err;
	if (err == PT_OK && !taken)
		*out = COMES;
	else
		*out = stays(l, newcomer, taken ? PT_LEFT_TAKEN : PT_LEFT_ADDRESS);
	return PT_OK;
}

/* ---- tickets ---- */

/* What stands in one of the columns for mailed secrets. */
struct mailed {
	enum pt_ticket_kind kind;
	pt_str secret;
	pt_time sent_at; /* 0: nobody knows, and it is no longer good */
	pt_time life;
	bool is_open; /* there is something left that it could prove */
};

static pt_err ticket_pack(struct luggage *l, const struct pt_newcomer *newcomer,
	const struct pt_account_record *owner, const struct mailed *mailed)
{
	struct pt_ticket ticket;

	if (!mailed->is_open || mailed->sent_at + mailed->life <= l->call->now) {
		leave(l, PT_MOVING_TICKETS, newcomer->key, PT_LEFT_EXPIRED);
		return PT_OK;
	}
	pt_err err = ticket_carry(l->call, mailed->kind, owner, mailed->secret, &ticket);
	if (err == PT_E_TICKET) {
		leave(l, PT_MOVING_TICKETS, newcomer->key, PT_LEFT_SECRET);
		return PT_OK;
	}
	TRY(err);
	ticket.created_at = mailed->sent_at;
	ticket.expires_at = mailed->sent_at + mailed->life;
	l->tickets[l->n_tickets++] = ticket;
	return PT_OK;
}

/* An invitation's secret and a sign-up's stood in one place; who was invited and has no password yet is
 * to choose one. */
static struct mailed confirmation_of(struct luggage *l, const struct pt_newcomer *newcomer,
	const struct pt_account_record *owner)
{
	const struct pt_site *site = l->call->site;
	const struct pt_account *account = &owner->account;
	bool invited = account->invited_at != 0;
	pt_time sent_at = account->confirm_sent_at ? account->confirm_sent_at : account->invited_at;

	return (struct mailed){
		.kind = invited && owner->password.n == 0 ? PT_TICKET_INVITE : PT_TICKET_VERIFY,
		.secret = newcomer->confirm_secret,
		.sent_at = sent_at ? sent_at : account->created_at,
		.life = ticket_life(site, invited ? PT_TICKET_INVITE : PT_TICKET_VERIFY),
		.is_open = account->email_verified_at == 0,
	};
}

static void mailed_list(struct luggage *l, const struct pt_newcomer *newcomer,
	const struct pt_account_record *owner, struct mailed out[TICKETS_EACH])
{
	const struct pt_site *site = l->call->site;
	const struct pt_account *account = &owner->account;

	out[0] = confirmation_of(l, newcomer, owner);
	out[1] = (struct mailed){ PT_TICKET_RESET, newcomer->recover_secret,
		account->recover_sent_at, ticket_life(site, PT_TICKET_RESET), true };
	out[2] = (struct mailed){ PT_TICKET_EMAIL_CHANGE, newcomer->email_change_secret,
		account->email_change_sent_at, ticket_life(site, PT_TICKET_EMAIL_CHANGE),
		account->new_email_key.n > 0 };
}

static pt_err tickets_pack(struct luggage *l, const struct pt_newcomer *newcomer,
	const struct pt_account_record *owner)
{
	struct mailed mailed[TICKETS_EACH];

	mailed_list(l, newcomer, owner, mailed);
	for (size_t i = 0; i < TICKETS_EACH; i++) {
		if (mailed[i].secret.n > 0)
			TRY(ticket_pack(l, newcomer, owner, &mailed[i]));
	}
	return PT_OK;
}

/* Of somebody who is there already, or does not come. */
static void tickets_leave(struct luggage *l, const struct pt_newcomer *newcomer, enum fate fate)
{
	const pt_str secrets[TICKETS_EACH] = { newcomer->confirm_secret, newcomer->recover_secret,
		newcomer->email_change_secret };

	for (size_t i = 0; i < TICKETS_EACH; i++) {
		if (secrets[i].n > 0 && fate == IS_THERE)
			l->moved.skipped[PT_MOVING_TICKETS]++;
		else if (secrets[i].n > 0)
			leave(l, PT_MOVING_TICKETS, newcomer->key, PT_LEFT_OWNER);
	}
}

static pt_err newcomer_pack(struct luggage *l, const struct pt_newcomer *newcomer, enum fate *fate)
{
	struct pt_account_record *record = &l->accounts[l->n_accounts];
	struct email email;

	TRY(newcomer_judge(l, newcomer, &email, fate));
	if (*fate != COMES) {
		tickets_leave(l, newcomer, *fate);
		return PT_OK;
	}
	TRY(account_carry(l, newcomer, &email, record));
	l->n_accounts++;
	return tickets_pack(l, newcomer, record);
}

/* ---- tokens ---- */

static enum fate owners_fate(const struct luggage *l, const struct pt_id *id)
{
	const struct pt_moving *from = l->from;

	for (size_t i = 0; i < from->n_newcomers; i++) {
		if (str_eq(str(from->newcomers[i].account.id.text), str(id->text)))
			return l->fates[i];
	}
	return STAYS;
}

static pt_time token_life(const struct pt_policy *policy)
{
	bool bounded = policy->refresh_family_life > 0 &&
		       policy->refresh_family_life < policy->refresh_life;

	return bounded ? policy->refresh_family_life : policy->refresh_life;
}

static pt_err token_pack(struct luggage *l, const struct pt_carried_token *carried)
{
	pt_time life = token_life(&l->call->site->policy);
	struct pt_import_token import = { .hash = { { 0 } } };
	struct pt_token *first = &import.token;

	first->generation = 1;
	first->account = carried->account;
	first->issued_at = carried->issued_at;
	first->expires_at = carried->issued_at + life;
	if (!secret_possible(carried->secret)) {
		leave(l, PT_MOVING_TOKENS, carried->key, PT_LEFT_SECRET);
		return PT_OK;
	}
	if (first->expires_at <= l->call->now) {
		leave(l, PT_MOVING_TOKENS, carried->key, PT_LEFT_EXPIRED);
		return PT_OK;
	}
	TRY(token_text_hash(l->call, carried->secret, &import.hash));
	TRY(random_id(carried->issued_at, &first->family));
	l->tokens[l->n_tokens++] = import;
	return PT_OK;
}

static pt_err token_judge(struct luggage *l, const struct pt_carried_token *carried)
{
	switch (owners_fate(l, &carried->account)) {
	case COMES:
		return token_pack(l, carried);
	case IS_THERE:
		l->moved.skipped[PT_MOVING_TOKENS]++;
		return PT_OK;
	case STAYS:
		leave(l, PT_MOVING_TOKENS, carried->key, PT_LEFT_OWNER);
		return PT_OK;
	}
	return PT_OK;
}

/* ---- events ---- */

static void event_pack(struct luggage *l, const struct pt_carried_event *carried)
{
	struct pt_event *event = &l->events[l->n_events];

	if (carried->event.kind == 0 || carried->event.id.text[0] == '\0') {
		leave(l, PT_MOVING_EVENTS, carried->key,
			carried->event.kind == 0 ? PT_LEFT_UNKNOWN : PT_LEFT_ID);
		return;
	}
	*event = carried->event;
	event->tenant = l->from->tenant;
	if (!l->call->site->policy.log_names)
		event->email = event->actor_email = event->actor_name = PT_STR("");
	l->n_events++;
}

/* ---- the act ---- */

static pt_err luggage_open(struct luggage *l, struct pt_call *call, const struct pt_moving *from)
{
	struct arena *arena = call->arena;

	*l = (struct luggage){ .call = call, .from = from };
	l->fates = ARENA_ARRAY(arena, enum fate, from->n_newcomers);
	l->accounts = ARENA_ARRAY(arena, struct pt_account_record, from->n_newcomers + 1);
	l->tickets = ARENA_ARRAY(arena, struct pt_ticket, from->n_newcomers * TICKETS_EACH);
	l->tokens = ARENA_ARRAY(arena, struct pt_import_token, from->n_tokens);
	l->events = ARENA_ARRAY(arena, struct pt_event, from->n_events + 1);
	return l->fates && l->accounts && l->tickets && l->tokens && l->events ? PT_OK
									       : PT_F_MEMORY;
}

static pt_err pack(struct luggage *l)
{
	for (size_t i = 0; i < l->from->n_newcomers; i++)
		TRY(newcomer_pack(l, &l->from->newcomers[i], &l->fates[i]));
	for (size_t i = 0; i < l->from->n_tokens; i++)
		TRY(token_judge(l, &l->from->tokens[i]));
	for (size_t i = 0; i < l->from->n_events; i++)
		event_pack(l, &l->from->events[i]);
	return PT_OK;
}

/* The store counts all alike. People were judged before: it knows better only of an address that somebody
 * took meanwhile. Of events it alone knows. */
static void count(struct luggage *l, const struct pt_import_count *counted)
{
	struct pt_moved *moved = &l->moved;

	moved->added[PT_MOVING_ACCOUNTS] = l->n_accounts - counted->taken;
	moved->left_out[PT_MOVING_ACCOUNTS][PT_LEFT_TAKEN] += counted->taken;
	moved->added[PT_MOVING_TICKETS] = l->n_tickets;
	moved->added[PT_MOVING_TOKENS] = l->n_tokens;
	if (l->n_events == 0)
		return;
	moved->added[PT_MOVING_EVENTS] = counted->added;
	moved->skipped[PT_MOVING_EVENTS] = counted->skipped;
}

static pt_err luggage_keep(struct luggage *l)
{
	const struct pt_import batch = {
		.accounts = l->accounts,
		.n_accounts = l->n_accounts,
		.tickets = l->tickets,
		.n_tickets = l->n_tickets,
		.tokens = l->tokens,
		.n_tokens = l->n_tokens,
		.events = l->events,
		.n_events = l->n_events,
		.source = l->from->source,
		.mark = l->from->mark,
		.now = l->call->now,
		.rehearsal = l->from->rehearsal,
	};
	struct pt_import_count counted;

	TRY(STORE(l->call, import, &batch, &counted));
	count(l, &counted);
	return PT_OK;
}

pt_err pt_move_in(struct pt_call *call, const struct pt_moving *batch, struct pt_moved *out)
{
	struct luggage luggage;

	if (batch->n_newcomers > 0 && batch->n_events > 0)
		return fault(PT_F_BUG, "a batch is of people or of events");
	TRY(luggage_open(&luggage, call, batch));
	TRY(pack(&luggage));
	TRY(luggage_keep(&luggage));
	*out = luggage.moved;
	return PT_OK;
}

pt_err pt_moving_mark(struct pt_call *call, pt_str source, pt_str *mark)
{
	return STORE(call, import_mark, source, mark);
}

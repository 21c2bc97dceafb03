/*
 * accounts.c - accounts: joining, looking, going.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/random.h"
#include "store/memory/memory.h"

#include "base/banned.h"

static pt_err join_taken(
	struct memory *m, const struct pt_join *join, const struct pt_account_record *owner)
{
	struct pt_event event = join->taken_event;
	struct pt_letter letter = join->taken_letter;

	TRY(mem_own_event(m->pool, &event));
	if (join->has_taken_letter && owner) {
		letter.to = owner->account.email;
		TRY(mem_own_letter(m->pool, &letter));
		mem_letter_put_of(m, &letter, &owner->account.id);
	}
	mem_event_put(m, &event);
	return PT_E_TAKEN;
}

static bool join_is_taken(struct memory *m, const struct pt_join *join)
{
	const struct pt_account *account = &join->account;

	return mem_account_by_name(m, account) || mem_account_by_email(m, account) ||
	       mem_account_by_id(m, &account->id) ||
	       (join->has_identity && mem_elsewhere_of(m, account->tenant, &join->identity));
}

static pt_err join_own(struct memory *m, struct pt_join *join)
{
	TRY(mem_own_ticket(m->pool, &join->ticket));
	TRY(mem_own_token(m->pool, &join->token));
	TRY(mem_own_letter(m->pool, &join->letter));
	TRY(mem_own_event(m->pool, &join->event));
	return mem_own_event(m->pool, &join->confirmed_event);
}

/* What hangs on the account that has just come to be. */
static void join_begin(struct memory *m, struct pt_join *own, const struct elsewhere *elsewhere,
	const struct pt_account *account)
{
	const struct pt_id *id = &account->id;

	own->ticket.account = own->token.account = *id;
	if (own->has_identity)
		m->identities.items[m->identities.n++] = *elsewhere;
	if (own->has_ticket)
		m->tickets.items[m->tickets.n++] = own->ticket;
	if (own->has_token)
		mem_family_put(m, &own->token);
	if (own->has_letter)
		mem_letter_put_of(m, &own->letter, id);
	mem_event_put_about(m, &own->event, account);
	if (account->email_verified_at != 0)
		mem_event_put_about(m, &own->confirmed_event, account);
}

static pt_err account_join(void *ctx, pt_arena *arena, const struct pt_join *join, struct pt_id *id)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct pt_account_record record = { join->account, join->password };
	struct elsewhere elsewhere = { join->account.tenant, join->identity, { "" } };
	struct pt_join own = *join;

	(void)arena;
	TRY(mem_enter(ctx, &m));
	if (join_is_taken(m, join))
		return join_taken(m, join, mem_account_by_email(m, &join->account));
	if (record.account.id.text[0] == '\0')
		TRY(random_id(join->account.created_at, &record.account.id));
	elsewhere.account = record.account.id;
	TRY(mem_own_record(m->pool, &record));
	TRY(mem_own_elsewhere(m->pool, &elsewhere));
	TRY(join_own(m, &own));

	mem_account_put(m, &record);
	join_begin(m, &own, &elsewhere, &record.account);
	*id = record.account.id;
	return PT_OK;
}

static pt_err account_find(void *ctx, pt_arena *arena, const struct pt_account_query *query,
	struct pt_account_record *out)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	const struct pt_account_record *found;
	struct pt_account_record copy;

	TRY(mem_enter(ctx, &m));
	found = mem_account_of(m, query);
	if (!found)
		return PT_E_NOT_FOUND;
	copy = *found;
	TRY(mem_own_record(arena, &copy));
	*out = copy;
	return PT_OK;
}

static bool account_listed(const struct pt_account *account, const struct pt_account_list *query)
{
	pt_str id = str(account->id.text);
	size_t common = id.n < query->after.n ? id.n : query->after.n;
	int order = common > 0 ? memcmp(id.p, query->after.p, common) : 0;

	return str_eq(account->tenant, query->tenant) &&
	       (order > 0 || (order == 0 && id.n > query->after.n));
}

static pt_err account_list(void *ctx, pt_arena *arena, const struct pt_account_list *query,
	struct pt_account **out, size_t *n)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	size_t max = query->max < LIST_MOST ? query->max : LIST_MOST;
	struct pt_account *accounts;
	size_t listed = 0;

	TRY(mem_enter(ctx, &m));
	accounts = ARENA_ARRAY(arena, struct pt_account, max < m->accounts.n ? max : m->accounts.n);
	if (!accounts)
		return fault(PT_F_MEMORY, "list of accounts");
	for (size_t i = 0; i < m->accounts.n && listed < max; i++) {
		struct pt_account_record copy = m->accounts.items[i];

		if (!account_listed(&copy.account, query))
			continue;
		TRY(mem_own_record(arena, &copy));
		accounts[listed++] = copy.account;
	}
	*out = accounts;
	*n = listed;
	return PT_OK;
}

/* Text, or the JSON of the account has no such name. */
static pt_err full_name(pt_arena *arena, const struct pt_account *account, pt_str *out)
{
	const struct json_value *name;
	struct json_value metadata;
	pt_err err = json_read(arena, account->user_metadata, &metadata);

	*out = PT_STR("");
	if (err == PT_E_MALFORMED)
		return PT_OK;
	TRY(err);
	name = json_find(&metadata, PT_STR("full_name"));
	if (name && name->type == JSON_STRING)
		*out = name->text;
	return PT_OK;
}

static pt_err account_paged(pt_arena *arena, const struct pt_account *account,
	const struct pt_account_page *query, bool *paged)
{
	pt_str name;

	*paged = false;
	if (!str_eq(account->tenant, query->tenant) || !str_eq(account->audience, query->audience))
		return PT_OK;
	TRY(full_name(arena, account, &name));
	*paged = query->part.n == 0 || mem_part_of(account->email, query->part) ||
		 mem_part_of(name, query->part);
	return PT_OK;
}

static int by_age(const void *a, const void *b)
{
	const struct pt_account *one = &(*(struct pt_account_record *const *)a)->account;
	const struct pt_account *other = &(*(struct pt_account_record *const *)b)->account;

	if (one->created_at != other->created_at)
		return one->created_at < other->created_at ? -1 : 1;
	return strcmp(one->id.text, other->id.text);
}

static pt_err page_copy(pt_arena *arena, struct pt_account_record **found, size_t n_found,
	const struct pt_account_page *query, struct pt_account_record *page, size_t *n)
{
	const size_t max = query->max < LIST_MOST ? query->max : LIST_MOST;
	size_t copied = 0;

	for (size_t i = query->skip; i < n_found && copied < max; i++) {
		size_t at = query->order == PT_NEWEST_FIRST ? n_found - 1 - i : i;

		page[copied] = *found[at];
		TRY(mem_own_record(arena, &page[copied]));
		copied++;
	}
	*n = copied;
	return PT_OK;
}

static pt_err account_page(void *ctx, pt_arena *arena, const struct pt_account_page *query,
	struct pt_account_record **out, size_t *n, int64_t *total)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct pt_account_record **found, *page;
	size_t n_found = 0;

	TRY(mem_enter(ctx, &m));
	found = ARENA_ARRAY(arena, struct pt_account_record *, m->accounts.n);
	page = ARENA_ARRAY(arena, struct pt_account_record, m->accounts.n);
	if (!found || !page)
		return fault(PT_F_MEMORY, "page of accounts");
	for (size_t i = 0; i < m->accounts.n; i++) {
		bool paged;

		TRY(account_paged(arena, &m->accounts.items[i].account, query, &paged));
		if (paged)
			found[n_found++] = &m->accounts.items[i];
	}
	qsort(found, n_found, sizeof(*found), by_age);
	TRY(page_copy(arena, found, n_found, query, page, n));
	*out = page;
	*total = (int64_t)n_found;
	return PT_OK;
}

static pt_err account_remove(void *ctx, pt_arena *arena, const struct pt_id *id, pt_time now,
	const struct pt_event *event, const struct pt_letter *notice)
{
	PT_OWN(mem_leave) struct memory *m = NULL;
	struct pt_event told = *event;
	struct pt_letter letter = notice ? *notice : (struct pt_letter){ 0 };

	(void)arena, (void)now;
	TRY(mem_enter(ctx, &m));
	if (!mem_account_by_id(m, id))
		return PT_E_NOT_FOUND;
	TRY(mem_own_event(m->pool, &told));
	TRY(mem_own_letter(m->pool, &letter));

	mem_account_forget(m, id);
	if (notice)
		mem_letter_put(m, &letter);
	mem_event_put_of(m, &told, id);
	return PT_OK;
}

void memory_accounts_publish(struct pt_store *out)
{
	out->account_join = account_join;
	out->account_find = account_find;
	out->account_list = account_list;
	out->account_page = account_page;
	out->account_remove = account_remove;
}

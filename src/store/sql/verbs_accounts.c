/*
 * verbs_accounts.c - accounts: joining, looking, going.
 */
#include "base/err.h"
#include "store/sql/act.h"

#include "base/banned.h"

/* The address is somebody's: its owner, and nobody else, may hear that it was tried. */
static pt_err join_taken(struct sql_conn *conn, pt_arena *arena, const struct pt_join *join)
{
	const struct pt_account *account = &join->account;
	const struct pt_account_query query = { account->tenant, account->audience, PT_BY_EMAIL,
		account->email_key, { NULL, 0 } };
	struct pt_account_record owner;
	struct pt_letter letter = join->taken_letter;
	pt_err err;

	TRY(sql_event_add(conn, arena, &join->taken_event));
	if (!join->has_taken_letter || account->email_key.n == 0)
		return PT_OK;
	err = conn->store->directory->find(conn, arena, &query, &owner);
	if (err == PT_E_NOT_FOUND)
		return PT_OK;
	TRY(err);
	letter.to = owner.account.email;
	return sql_letter_add_of(conn, arena, &letter, &owner.account.id);
}

static pt_err join_account(
	struct sql_conn *conn, pt_arena *arena, const struct pt_join *join, struct pt_id *id)
{
	const struct pt_account *account = &join->account;
	struct pt_id owner;
	pt_err err = PT_E_NOT_FOUND;

	if (join->has_identity)
		err = sql_identity_hold(conn, arena, account->tenant, &join->identity, &owner);
	if (err == PT_OK)
		return PT_E_TAKEN;
	if (err != PT_E_NOT_FOUND)
		return err;
	return conn->store->directory->create(conn, arena, account, join->password, id);
}

/* What hangs on the account that has just come to be. */
static pt_err join_begin(struct sql_conn *conn, pt_arena *arena, const struct pt_join *join,
	const struct pt_account *account)
{
	const struct pt_id *id = &account->id;

	if (join->has_identity)
		TRY(sql_identity_add(
			conn, arena, account->tenant, &join->identity, id, account->created_at));
	if (join->has_ticket)
		TRY(sql_ticket_add(conn, arena, &join->ticket, id));
	if (join->has_token)
		TRY(sql_family_open(conn, arena, &join->token, id));
	if (join->has_letter)
		TRY(sql_letter_add_of(conn, arena, &join->letter, id));
	TRY(sql_event_add_about(conn, arena, &join->event, account));
	if (account->email_verified_at == 0)
		return PT_OK;
	return sql_event_add_about(conn, arena, &join->confirmed_event, account);
}

static pt_err act_account_join(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_join *join = in;
	struct pt_account joined = join->account;
	pt_err err = join_account(conn, arena, join, &joined.id);

	if (err == PT_E_TAKEN) {
		TRY(join_taken(conn, arena, join));
		*keep = true;
		return PT_E_TAKEN;
	}
	TRY(err);
	*(struct pt_id *)out = joined.id;
	return sql_never_taken(join_begin(conn, arena, join, &joined));
}

static pt_err account_join(void *ctx, pt_arena *arena, const struct pt_join *join, struct pt_id *id)
{
	struct pt_id got;

	TRY(sql_run_claim(ctx, act_account_join, arena, join, &got));
	*id = got;
	return PT_OK;
}

static pt_err act_account_find(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_account_query *query = in;
	struct sql_rows rows;
	struct pt_id owner;

	(void)keep;
	if (query->by != PT_BY_IDENTITY)
		return conn->store->directory->find(conn, arena, query, out);
	TRY(RUN(conn, arena, IDENTITY_OWNER, &rows, sql_text(query->tenant),
		sql_text(query->provider), sql_text(query->key)));
	if (rows.n_rows == 0)
		return PT_E_NOT_FOUND;
	owner = row_id(&rows, 0, 0);
	return sql_account_by_id(conn, arena, &owner, out);
}

static pt_err account_find(void *ctx, pt_arena *arena, const struct pt_account_query *query,
	struct pt_account_record *out)
{
	return sql_run_read(ctx, act_account_find, arena, query, out);
}

struct accounts {
	struct pt_account *items;
	size_t n;
};

static pt_err act_account_list(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct pt_account_list query = *(const struct pt_account_list *)in;
	struct accounts *list = out;

	(void)keep;
	if (query.max > LIST_MOST)
		query.max = LIST_MOST;
	return conn->store->directory->list(conn, arena, &query, &list->items, &list->n);
}

static pt_err account_list(void *ctx, pt_arena *arena, const struct pt_account_list *query,
	struct pt_account **out, size_t *n)
{
	struct accounts list;

	TRY(sql_run_read(ctx, act_account_list, arena, query, &list));
	*out = list.items;
	*n = list.n;
	return PT_OK;
}

struct page {
	struct pt_account_record *items;
	size_t n;
	int64_t total;
};

static pt_err act_account_page(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	struct pt_account_page query = *(const struct pt_account_page *)in;
	const struct sql_directory *directory = conn->store->directory;
	struct page *page = out;

	(void)keep;
	if (query.max > LIST_MOST)
		query.max = LIST_MOST;
	if (!directory->page)
		return fault(PT_F_CONFIG, "accounts of a foreign table cannot be paged through");
	return directory->page(conn, arena, &query, &page->items, &page->n, &page->total);
}

static pt_err account_page(void *ctx, pt_arena *arena, const struct pt_account_page *query,
	struct pt_account_record **out, size_t *n, int64_t *total)
{
	struct page page;

	TRY(sql_run_read(ctx, act_account_page, arena, query, &page));
	*out = page.items;
	*n = page.n;
	*total = page.total;
	return PT_OK;
}

struct removal {
	const struct pt_id *id;
	pt_time now;
	const struct pt_event *event;
	const struct pt_letter *notice;
};

static pt_err act_account_remove(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct removal *removal = in;

	(void)out, (void)keep;
	TRY(sql_account_lock(conn, arena, removal->id));
	TRY(conn->store->directory->remove(conn, arena, removal->id, removal->now));
	TRY(sql_account_end_all(conn, arena, removal->id));
	TRY(RUN(conn, arena, IDENTITIES_END, NULL, sql_id(removal->id)));
	TRY(RUN(conn, arena, LETTERS_END, NULL, sql_id(removal->id)));
	if (removal->notice)
		TRY(sql_letter_add(conn, arena, removal->notice));
	return sql_event_add_of(conn, arena, removal->event, removal->id);
}

static pt_err account_remove(void *ctx, pt_arena *arena, const struct pt_id *id, pt_time now,
	const struct pt_event *event, const struct pt_letter *notice)
{
	const struct removal removal = { id, now, event, notice };

	return sql_run_write(ctx, act_account_remove, arena, &removal, NULL);
}

void sql_accounts_publish(struct pt_store *out)
{
	out->account_join = account_join;
	out->account_find = account_find;
	out->account_list = account_list;
	out->account_page = account_page;
	out->account_remove = account_remove;
}

/*
 * verbs_events.c - the audit log.
 */
#include "base/err.h"
#include "store/sql/act.h"

#include "base/banned.h"

static pt_err act_event_record(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	(void)out, (void)keep;
	return sql_event_add(conn, arena, in);
}

static pt_err event_record(void *ctx, pt_arena *arena, const struct pt_event *event)
{
	return sql_run_write(ctx, act_event_record, arena, event, NULL);
}

struct list_question {
	const struct pt_id *account;
	size_t max;
};

struct events {
	struct pt_event *items;
	size_t n;
	int64_t total;
};

static pt_err events_read(pt_arena *arena, const struct sql_rows *rows, struct events *out)
{
	out->items = ARENA_ARRAY(arena, struct pt_event, rows->n_rows);
	if (!out->items)
		return fault(PT_F_MEMORY, "list of events");
	for (size_t i = 0; i < rows->n_rows; i++)
		out->items[i] = row_event(rows, i);
	out->n = rows->n_rows;
	return PT_OK;
}

static pt_err act_event_list(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct list_question *question = in;
	struct events *list = out;
	struct sql_rows rows;

	(void)keep;
	if (id_text(question->account).n > 0)
		TRY(RUN(conn, arena, EVENT_LIST_OF, &rows, sql_id(question->account),
			sql_int((int64_t)question->max)));
	else
		TRY(RUN(conn, arena, EVENT_LIST, &rows, sql_int((int64_t)question->max)));
	return events_read(arena, &rows, list);
}

static pt_err event_list(void *ctx, pt_arena *arena, const struct pt_id *account, size_t max,
	struct pt_event **out, size_t *n)
{
	const struct list_question question = { account, max };
	struct events list;

	TRY(sql_run_read(ctx, act_event_list, arena, &question, &list));
	*out = list.items;
	*n = list.n;
	return PT_OK;
}

static pt_err act_event_page(
	struct sql_conn *conn, pt_arena *arena, const void *in, void *out, bool *keep)
{
	const struct pt_event_page *query = in;
	const bool by_author = query->author.n > 0;
	const size_t max = query->max < LIST_MOST ? query->max : LIST_MOST;
	struct sql_value values[5] = { sql_text(query->tenant), sql_int(query->kinds) };
	struct events *page = out;
	struct sql_rows rows;
	size_t n = 2;
	pt_str author;

	(void)keep;
	TRY(sql_part_fold(arena, query->author, &author));
	if (by_author)
		values[n++] = sql_text(author);
	TRY(conn->driver->run(conn, arena, by_author ? SQL_EVENT_AUTHOR_COUNT : SQL_EVENT_COUNT,
		values, n, &rows));
	page->total = row_int(&rows, 0, 0);
	values[n++] = sql_int((int64_t)max);
	values[n++] = sql_int((int64_t)query->skip);
	TRY(conn->driver->run(
		conn, arena, by_author ? SQL_EVENT_AUTHOR_PAGE : SQL_EVENT_PAGE, values, n, &rows));
	return events_read(arena, &rows, page);
}

static pt_err event_page(void *ctx, pt_arena *arena, const struct pt_event_page *query,
	struct pt_event **out, size_t *n, int64_t *total)
{
	struct events page;

	TRY(sql_run_read(ctx, act_event_page, arena, query, &page));
	*out = page.items;
	*n = page.n;
	*total = page.total;
	return PT_OK;
}

void sql_events_publish(struct pt_store *out)
{
	out->event_record = event_record;
	out->event_list = event_list;
	out->event_page = event_page;
}

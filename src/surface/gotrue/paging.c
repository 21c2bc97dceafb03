/*
 * paging.c - lists, a page at a time (RFC 8288 links).
 */
#include <stdlib.h>

#include "base/str.h"
#include "http/field.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

enum { PER_PAGE = 50, PER_PAGE_MAX = 1000 };

static pt_err number_read(struct exchange *ex, const struct fields *query, const char *name,
	int64_t least, int64_t *out)
{
	pt_str text = field_value(query, str(name));
	struct buf b = BUF(ex->arena, 1 * KIB);
	pt_str detail;

	if (text.n == 0 || str_int(text, least, INT32_MAX, out))
		return PT_OK;
	buf_printf(&b, "%s is not a number that can be used", name);
	TRY(buf_done(&b, &detail));
	return gotrue_no_detail(ex, 400, "Bad Pagination Parameters", detail);
}

pt_err paging_read(struct exchange *ex, struct paging *out)
{
	struct paging paging = { .page = 1, .per_page = PER_PAGE };
	struct fields query;

	arena_raise(ex->arena, GOTRUE_LIST_MEMORY);
	TRY(fields_query(ex->arena, ex->rq->query, &query));
	TRY(number_read(ex, &query, "page", 0, &paging.page));
	TRY(number_read(ex, &query, "per_page", 1, &paging.per_page));
	if (paging.page == 0)
		paging.page = 1;
	if (paging.per_page > PER_PAGE_MAX)
		paging.per_page = PER_PAGE_MAX;
	paging.span.skip = (size_t)((paging.page - 1) * paging.per_page);
	paging.span.max = (size_t)paging.per_page;
	*out = paging;
	return PT_OK;
}

pt_err answer_list(struct exchange *ex, struct buf *body)
{
	if (body->failed)
		return gotrue_no(ex, 400,
			"Bad Pagination Parameters: per_page asks for more than one answer holds");
	return answer_json_buf(ex, 200, body);
}

/* ---- links ---- */

/* As forms are written: a space is '+'. */
static void form_write(struct buf *b, pt_str text)
{
	pt_str word;

	while (str_cut(text, ' ', &word, &text)) {
		buf_url(b, word);
		buf_char(b, '+');
	}
	buf_url(b, word);
}

static int by_name(const void *a, const void *b)
{
	pt_str x = ((const struct field *)a)->name, y = ((const struct field *)b)->name;
	size_t n = x.n < y.n ? x.n : y.n;
	int order = n > 0 ? memcmp(x.p, y.p, n) : 0;

	return order != 0 ? order : (x.n > y.n) - (x.n < y.n);
}

/* Stable, as values of one name keep their order; a query has few fields. */
static void fields_sort(struct field *items, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t j = i; j > 0 && by_name(&items[j - 1], &items[j]) > 0; j--) {
			struct field before = items[j - 1];
			items[j - 1] = items[j];
			items[j] = before;
		}
}

/* The query without `page`, sorted, and then an empty `page` in its place. */
static pt_err query_sorted(struct exchange *ex, struct field **out, size_t *n)
{
	const pt_str page = PT_STR("page");
	struct fields query;

	TRY(fields_query(ex->arena, ex->rq->query, &query));
	struct field *items = ARENA_ARRAY(ex->arena, struct field, query.n + 1);
	if (!items)
		return PT_F_MEMORY;
	*n = 0;
	for (size_t i = 0; i < query.n; i++)
		if (!str_eq(query.items[i].name, page))
			items[(*n)++] = query.items[i];
	items[(*n)++].name = page;
	fields_sort(items, *n);
	*out = items;
	return PT_OK;
}

struct links {
	struct buf text;
	pt_str path;
	const struct field *query;
	size_t n;
};

static void link_add(struct links *links, int64_t page, const char *rel)
{
	struct buf *b = &links->text;

	if (b->n > 0)
		buf_str(b, PT_STR(", "));
	buf_char(b, '<');
	buf_str(b, links->path);
	for (size_t i = 0; i < links->n; i++) {
		const struct field *field = &links->query[i];
		buf_char(b, i == 0 ? '?' : '&');
		form_write(b, field->name);
		buf_char(b, '=');
		if (str_eq(field->name, PT_STR("page")))
			buf_int(b, page);
		else
			form_write(b, field->value);
	}
	buf_printf(b, ">; rel=\"%s\"", rel);
}

static pt_err total_say(struct exchange *ex, int64_t total)
{
	struct buf b = BUF(ex->arena, 32);
	pt_str text;

	buf_int(&b, total);
	TRY(buf_done(&b, &text));
	http_set(ex->rs, PT_STR("X-Total-Count"), text);
	return PT_OK;
}

pt_err paging_say(struct exchange *ex, const struct paging *paging, int64_t total)
{
	struct links links = { .text = BUF(ex->arena, 96 * KIB), .path = ex->rq->path };
	int64_t last = (total + paging->per_page - 1) / paging->per_page;
	struct field *query;
	pt_str text;

	TRY(query_sorted(ex, &query, &links.n));
	links.query = query;
	if (paging->page < last)
		link_add(&links, paging->page + 1, "next");
	if (paging->page > 1)
		link_add(&links, paging->page - 1, "prev");
	link_add(&links, last, "last");
	TRY(buf_done(&links.text, &text));
	http_set(ex->rs, PT_STR("Link"), text);
	return total_say(ex, total);
}

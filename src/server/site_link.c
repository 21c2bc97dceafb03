/*
 * site_link.c - addresses below an application's.
 */
#include "server/site_link.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include "base/banned.h"

enum { LINK_BYTES = 8 * 1024 };

/* "https://t.example/base/page?z=1": what is in front of the path, and the path. */
static void split(pt_str url, pt_str *front, pt_str *path)
{
	size_t begin = 0;

	while (begin + 3 <= url.n && !str_eq(str_slice(url, begin, begin + 3), PT_STR("://")))
		begin++;
	begin = begin + 3 <= url.n ? begin + 3 : 0;
	while (begin < url.n && !strchr("/?#", url.p[begin]))
		begin++;
	*front = str_slice(url, 0, begin);
	*path = str_slice(url, begin, url.n);
}

static pt_str without(pt_str s, char c)
{
	return str_slice(s, 0, str_find(s, c));
}

/* All up to the last slash, and that. */
static pt_str folder(pt_str path)
{
	while (path.n > 0 && path.p[path.n - 1] != '/')
		path.n--;
	return path;
}

/* "/a/b/" is "/a/" then; nothing before `least` goes. */
static void drop_last(struct buf *out, size_t least)
{
	if (out->n > least)
		out->n--;
	while (out->n > least && out->p[out->n - 1] != '/')
		out->n--;
}

/* RFC 3986 5.2.4: dots go, and take what is before them along. `path` begins with a slash. */
static void put_without_dots(struct buf *out, pt_str path)
{
	size_t root = out->n;
	pt_str rest = str_slice(path, 1, path.n), part;
	bool more = true;

	buf_char(out, '/');
	while (more) {
		more = str_cut(rest, '/', &part, &rest);
		if (str_eq(part, PT_STR(".")))
			continue;
		if (str_eq(part, PT_STR(".."))) {
			drop_last(out, root + 1);
			continue;
		}
		buf_str(out, part);
		if (more)
			buf_char(out, '/');
	}
}

static void put_path(struct buf *out, pt_str base, pt_str path)
{
	char text[LINK_BYTES];
	struct buf whole = BUF_FIXED(text);

	if (path.p[0] != '/')
		buf_str(&whole, folder(without(without(base, '#'), '?')));
	if (whole.n == 0 && path.p[0] != '/')
		buf_char(&whole, '/');
	buf_str(&whole, path);
	if (whole.failed)
		out->failed = whole.failed;
	else
		put_without_dots(out, buf_view(&whole));
}

pt_err site_link_make(
	struct arena *arena, pt_str site_url, pt_str path, pt_str fragment, pt_str *out)
{
	struct buf b = BUF(arena, LINK_BYTES);
	pt_str front, base, query;
	bool has_query;

	path = without(path, '#');
	split(site_url, &front, &base);
	if (str_contains(path, PT_STR("://")) || str_starts(path, PT_STR("//"))) {
		if (str_starts(path, PT_STR("//")))
			buf_str(&b, str_slice(front, 0, str_find(front, ':') + 1));
		buf_str(&b, path);
	} else {
		has_query = str_cut(path, '?', &path, &query);
		buf_str(&b, front);
		if (path.n > 0)
			put_path(&b, base, path);
		else
			buf_str(&b,
				has_query ? without(without(base, '#'), '?') : without(base, '#'));
		if (has_query) {
			buf_char(&b, '?');
			buf_str(&b, query);
		}
	}
	buf_char(&b, '#');
	buf_str(&b, fragment);
	return buf_done(&b, out);
}

pt_err site_template_make(
	struct arena *arena, pt_str site_url, pt_str path, bool files, pt_str *out)
{
	struct buf b = BUF(arena, LINK_BYTES);
	pt_str front;

	if (path.n == 0 || (files && str_starts(path, PT_STR("file:///")))) {
		*out = path;
		return PT_OK;
	}
	if (str_contains(path, PT_STR("://")))
		split(path, &front, &path);
	while (str_ends(site_url, PT_STR("/")))
		site_url.n--;
	buf_str(&b, site_url);
	if (!str_starts(path, PT_STR("/")))
		buf_char(&b, '/');
	buf_str(&b, path);
	return buf_done(&b, out);
}

bool site_is_web(pt_str url)
{
	pt_str scheme, rest;

	return str_cut(url, ':', &scheme, &rest) && rest.n > 2 && str_starts(rest, PT_STR("//")) &&
	       (str_eq_nocase(scheme, PT_STR("https")) || str_eq_nocase(scheme, PT_STR("http")));
}

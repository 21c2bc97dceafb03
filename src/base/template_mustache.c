/*
 * template_mustache.c - reads mustache(5).
 *
 * A tag is read in three steps: where it ends, what it is, whether it is alone on its line (then the
 * whole line goes with it, and a partial takes the line's indentation along).
 */
#include "base/template_code.h"

#include "base/err.h"
#include "base/str.h"

#include "base/banned.h"

#define DELIMITER_MAX 8

struct mustache {
	struct code *code;
	pt_str source;
	size_t at;    /* read so far */
	size_t shown; /* and written so far */
	pt_str open;
	pt_str close;
};

struct tag {
	size_t at;
	size_t end;
	char sigil; /* 0: a plain variable */
	pt_str content;
};

static pt_str rest_from(const struct mustache *m, size_t at)
{
	return str_slice(m->source, at, m->source.n);
}

static bool find_from(const struct mustache *m, pt_str mark, size_t from, size_t *at)
{
	pt_str rest = rest_from(m, from);
	const char *p = rest.n ? memmem(rest.p, rest.n, mark.p, mark.n) : NULL;

	if (p)
		*at = (size_t)(p - m->source.p);
	return p != NULL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static pt_str trim(pt_str s)
{
	while (s.n && is_blank(s.p[0]))
		s = str_slice(s, 1, s.n);
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

static pt_err tag_read(const struct mustache *m, size_t at, struct tag *tag)
{
	static const char sigils[] = "#^/>!&=";
	size_t begin = at + m->open.n;
	size_t end;
	bool triple;

	while (begin < m->source.n && is_blank(m->source.p[begin]))
		begin++;
	*tag = (struct tag){ .at = at };
	triple = begin < m->source.n && m->source.p[begin] == '{';
	if (triple ||
		(begin < m->source.n && memchr(sigils, m->source.p[begin], sizeof(sigils) - 1)))
		tag->sigil = m->source.p[begin++];

	if (!find_from(m, m->close, begin, &end))
		return code_error(m->code, at, "this tag is never closed");
	if (triple) {
		size_t brace = begin;
		/* the first `}` that stands right before the end: {{{x}}} has it before `}}` */
		while (brace < m->source.n &&
			!(m->source.p[brace] == '}' &&
				str_starts(rest_from(m, brace + 1), m->close)))
			brace++;
		if (brace == m->source.n)
			return code_error(m->code, at, "this raw tag is never closed");
		tag->content = trim(str_slice(m->source, begin, brace));
		tag->end = brace + 1 + m->close.n;
		return PT_OK;
	}
	tag->content = trim(str_slice(m->source, begin, end));
	tag->end = end + m->close.n;
	return PT_OK;
}

/* Nothing but blanks before and after it on its line: from *from up to *to the line vanishes. */
static bool is_standalone(const struct mustache *m, const struct tag *tag, size_t *from, size_t *to)
{
	pt_str s = m->source;

	for (*from = tag->at; *from > 0 && s.p[*from - 1] != '\n'; --*from)
		if (s.p[*from - 1] != ' ' && s.p[*from - 1] != '\t')
			return false;
	for (*to = tag->end; *to < s.n && (s.p[*to] == ' ' || s.p[*to] == '\t'); ++*to)
		;
	if (*to + 1 < s.n && s.p[*to] == '\r' && s.p[*to + 1] == '\n')
		++*to;
	if (*to < s.n && s.p[*to] != '\n')
		return false;
	*to += *to < s.n;
	return true;
}

static bool is_delimiter(pt_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (is_blank(s.p[i]) || s.p[i] == '=')
			return false;
	return s.n > 0 && s.n <= DELIMITER_MAX;
}

/* {{=<% %>=}} */
static pt_err delimiters_set(struct mustache *m, const struct tag *tag)
{
	pt_str s = tag->content;
	pt_str open, close;
	size_t blank = 0;

	if (!str_ends(s, PT_STR("=")))
		return code_error(m->code, tag->at, "new delimiters are written {{=<%% %%>=}}");
	s = trim(str_slice(s, 0, s.n - 1));
	while (blank < s.n && !is_blank(s.p[blank]))
		blank++;
	open = str_slice(s, 0, blank);
	close = trim(str_slice(s, blank, s.n));
	if (!is_delimiter(open) || !is_delimiter(close))
		return code_error(m->code, tag->at,
			"delimiters are two words of up to %d signs without =", DELIMITER_MAX);
	m->open = open;
	m->close = close;
	return PT_OK;
}

static pt_err path_read(const struct mustache *m, const struct tag *tag, pt_str *path)
{
	if (tag->content.n == 0)
		return code_error(m->code, tag->at, "a tag without a name");
	*path = str_eq(tag->content, PT_STR(".")) ? (pt_str){ 0 } : tag->content;
	return PT_OK;
}

static pt_err section_close(struct mustache *m, const struct tag *tag)
{
	struct code *code = m->code;
	const struct code_block *block;
	pt_str path = { 0 };

	TRY(path_read(m, tag, &path));
	if (code->depth == 0)
		return code_error(code, tag->at, "no section is open here");
	block = &code->blocks[code->depth - 1];
	if (!str_eq(path, block->name))
		return code_error(code, tag->at, "this closes another section than line %zu opened",
			template_line(code->template, block->at));
	return code_close(code, tag->at);
}

static pt_err partial_read(struct mustache *m, const struct tag *tag, pt_str indent)
{
	pt_str name = tag->content;

	for (size_t i = 0; i < name.n; i++)
		if (!ascii_alnum(name.p[i]) && !memchr("_-./", name.p[i], 4))
			return code_error(m->code, tag->at, "\"%.*s\" is not a partial's name",
				(int)(name.n < 60 ? name.n : 60), name.p);
	if (name.n == 0)
		return code_error(m->code, tag->at, "a partial without a name");
	return code_partial(m->code, tag->at, name, indent);
}

static pt_err tag_write(struct mustache *m, const struct tag *tag, pt_str indent)
{
	struct code *code = m->code;
	pt_str path = { 0 };

	switch (tag->sigil) {
	case '!':
		return PT_OK;
	case '=':
		return delimiters_set(m, tag);
	case '>':
		return partial_read(m, tag, indent);
	case '/':
		return section_close(m, tag);
	case '#':
		TRY(path_read(m, tag, &path));
		return code_open(code, tag->at, STEP_SECTION, path);
	case '^':
		TRY(path_read(m, tag, &path));
		TRY(code_open(code, tag->at, STEP_IF, path));
		return code_else(code, tag->at);
	case '{':
	case '&':
		TRY(path_read(m, tag, &path));
		return code_hole(code, tag->at, path, true);
	default:
		TRY(path_read(m, tag, &path));
		return code_hole(code, tag->at, path, false);
	}
}

static pt_err tag_next(struct mustache *m, size_t at)
{
	struct tag tag;
	size_t from, to;
	pt_str indent = { 0 };

	TRY(tag_read(m, at, &tag));
	m->code->standalone =
		tag.sigil && !memchr("{&", tag.sigil, 2) && is_standalone(m, &tag, &from, &to);
	if (m->code->standalone) {
		indent = str_slice(m->source, from, tag.at);
	} else {
		from = tag.at;
		to = tag.end;
	}
	/* What stands before it is not part of its line. */
	bool standalone = m->code->standalone;
	m->code->standalone = false;
	TRY(code_text(m->code, str_slice(m->source, m->shown, from)));
	m->code->standalone = standalone;
	TRY(tag_write(m, &tag, indent));
	m->code->standalone = false;
	m->at = m->shown = to;
	return PT_OK;
}

pt_err mustache_compile(struct code *code)
{
	struct mustache m = {
		.code = code,
		.source = code->template->source,
		.open = PT_STR("{{"),
		.close = PT_STR("}}"),
	};
	size_t at;

	while (find_from(&m, m.open, m.at, &at))
		TRY(tag_next(&m, at));
	return code_text(code, rest_from(&m, m.shown));
}

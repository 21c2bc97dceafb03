/*
 * template_go.c - reads the part of Go's text/template that existing pages and letters use.
 *
 *	{{.Name}} {{.A.B}} {{.}}        a field, or the value here
 *	{{if .X}} {{range .X}} {{with .X}} {{else}} {{end}}
 *	{{- and -}}                     take the blanks beside them away
 *	{{- and -}} {{/+ comment +/}}   (with a star for the plus)
 *
 * As in Go's html/template, a value among the parameters of an address (href="/a?b={{.X}}") is
 * percent-encoded.
 *
 * Everything else of that language (functions, pipes, variables, templates in templates) is an error
 * when the template is loaded.
 */
#include "base/template_code.h"

#include "base/err.h"
#include "base/str.h"

#include "base/banned.h"

#define OPEN  PT_STR("{{")
#define CLOSE PT_STR("}}")

struct action {
	size_t at;
	size_t end;
	bool trim_before;
	bool trim_after;
	pt_str content;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static pt_str trim_left(pt_str s)
{
	while (s.n && is_blank(s.p[0]))
		s = str_slice(s, 1, s.n);
	return s;
}

static pt_str trim_right(pt_str s)
{
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool find_from(pt_str s, pt_str mark, size_t from, size_t *at)
{
	pt_str rest = str_slice(s, from, s.n);
	const char *p = rest.n ? memmem(rest.p, rest.n, mark.p, mark.n) : NULL;

	if (p)
		*at = (size_t)(p - s.p);
	return p != NULL;
}

/* A dash counts only with a blank on its inner side: {{-3}} is a number in Go. */
static void marks_take(struct action *action)
{
	pt_str s = action->content;

	if (s.n >= 2 && s.p[0] == '-' && is_blank(s.p[1])) {
		action->trim_before = true;
		s = str_slice(s, 1, s.n);
	}
	if (s.n >= 2 && s.p[s.n - 1] == '-' && is_blank(s.p[s.n - 2])) {
		action->trim_after = true;
		s.n--;
	}
	action->content = s;
}

/* A comment may hold the closing braces, so its own end is what counts. */
static pt_err comment_end(struct code *code, size_t at, size_t *close)
{
	pt_str source = code->template->source;
	size_t star;
	pt_str after;

	if (!find_from(source, PT_STR("*/"), at, &star))
		return code_error(code, at, "this comment is never closed");
	after = str_slice(source, star + 2, source.n);
	if (str_starts(after, CLOSE)) {
		*close = star + 2;
		return PT_OK;
	}
	after = trim_left(after);
	if (after.p == source.p + star + 2 || !str_starts(after, PT_STR("-}}")))
		return code_error(code, at, "a comment must be alone in its braces");
	*close = (size_t)(after.p - source.p) + 1;
	return PT_OK;
}

static pt_err action_read(struct code *code, size_t at, struct action *action)
{
	pt_str source = code->template->source;
	pt_str inside = str_slice(source, at + OPEN.n, source.n);
	size_t close = 0;

	if (inside.n >= 2 && inside.p[0] == '-' && is_blank(inside.p[1]))
		inside = trim_left(str_slice(inside, 1, inside.n));
	if (str_starts(inside, PT_STR("/*")))
		TRY(comment_end(code, (size_t)(inside.p - source.p), &close));
	else if (!find_from(source, CLOSE, at + OPEN.n, &close))
		return code_error(code, at, "this action is never closed");
	*action = (struct action){
		.at = at,
		.end = close + CLOSE.n,
		.content = str_slice(source, at + OPEN.n, close),
	};
	marks_take(action);
	action->content = trim_left(trim_right(action->content));
	return PT_OK;
}

/* ".", ".A.B": *path is what follows the first dot. */
static pt_err field_read(struct code *code, size_t at, pt_str s, pt_str *path)
{
	if (!str_starts(s, PT_STR(".")))
		return code_error(code, at,
			"only fields (.Name), if, range, with, else and end are known here, not "
			"\"%.*s\"",
			(int)(s.n < 60 ? s.n : 60), s.p);
	*path = str_slice(s, 1, s.n);
	for (size_t i = 0; i < path->n; i++)
		if (!ascii_alnum(path->p[i]) && path->p[i] != '_' && path->p[i] != '.')
			return code_error(code, at,
				"only a bare field is allowed here, not \"%.*s\"",
				(int)(s.n < 60 ? s.n : 60), s.p);
	return PT_OK;
}

static const struct {
	pt_str word;
	enum step_kind kind;
} blocks[] = {
	{ PT_STR_INIT("if"), STEP_IF },
	{ PT_STR_INIT("range"), STEP_RANGE },
	{ PT_STR_INIT("with"), STEP_WITH },
};

static bool block_find(pt_str word, enum step_kind *kind)
{
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		if (str_eq(word, blocks[i].word)) {
			*kind = blocks[i].kind;
			return true;
		}
	}
	return false;
}

static pt_err block_read(
	struct code *code, const struct action *action, enum step_kind kind, pt_str value)
{
	pt_str path;

	TRY(field_read(code, action->at, value, &path));
	return code_open(code, action->at, kind, path);
}

static pt_err action_write(struct code *code, const struct action *action)
{
	pt_str word = action->content;
	pt_str rest, path;
	enum step_kind kind;
	size_t n = 0;

	if (word.n == 0)
		return code_error(code, action->at, "an action without content");
	if (str_starts(word, PT_STR("/*")))
		return PT_OK;
	while (n < word.n && ascii_alpha(word.p[n]))
		n++;
	rest = trim_left(str_slice(word, n, word.n));
	word = str_slice(word, 0, n);

	if (block_find(word, &kind))
		return block_read(code, action, kind, rest);
	if (str_eq(word, PT_STR("else")) && rest.n == 0)
		return code_else(code, action->at);
	if (str_eq(word, PT_STR("end")) && rest.n == 0)
		return code_close(code, action->at);
	TRY(field_read(code, action->at, action->content, &path));
	/* A fragment shows as it is, as Go's template.HTML does, where markup may stand. */
	return code_hole(code, action->at, path, code->place.state == HTML_TEXT);
}

pt_err go_compile(struct code *code)
{
	pt_str source = code->template->source;
	bool trim_next = false;
	size_t shown = 0;
	size_t at;

	while (find_from(source, OPEN, shown, &at)) {
		struct action action = { 0 };
		pt_str text = str_slice(source, shown, at);

		TRY(action_read(code, at, &action));
		if (trim_next)
			text = trim_left(text);
		if (action.trim_before)
			text = trim_right(text);
		TRY(code_text(code, text));
		TRY(action_write(code, &action));
		trim_next = action.trim_after;
		shown = action.end;
	}
	source = str_slice(source, shown, source.n);
	return code_text(code, trim_next ? trim_left(source) : source);
}

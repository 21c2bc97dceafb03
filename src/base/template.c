/*
 * template.c - a set of compiled templates, and rendering.
 */
#include "base/template.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/str.h"
#include "base/template_code.h"

#include "base/banned.h"

#define TEMPLATE_CEILING (32 * MIB)
#define INDENT_MAX       128

struct template_set {
	struct template **list;
	size_t n;
	size_t size;
};

/* ---- the set ---- */

struct template_set *template_set_open(void)
{
	return calloc(1, sizeof(struct template_set));
}

static void template_close(struct template *t)
{
	/* the template itself lives in its arena */
	if (t)
		arena_close(t->arena);
}

void template_set_close(struct template_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->n; i++)
		template_close(set->list[i]);
	free(set->list);
	free(set);
}

static size_t place_of(const struct template_set *set, pt_str name)
{
	for (size_t i = 0; i < set->n; i++)
		if (str_eq(set->list[i]->name, name))
			return i;
	return SIZE_MAX;
}

bool template_has(const struct template_set *set, pt_str name)
{
	return place_of(set, name) != SIZE_MAX;
}

static pt_err set_put(struct template_set *set, struct template *t)
{
	size_t at = place_of(set, t->name);

	if (at != SIZE_MAX) {
		template_close(set->list[at]);
		set->list[at] = t;
		return PT_OK;
	}
	if (set->n == set->size) {
		size_t size = set->size ? 2 * set->size : 32;
		struct template **list = realloc(set->list, size * sizeof(*list));
		if (!list)
			return PT_F_MEMORY;
		set->list = list;
		set->size = size;
	}
	set->list[set->n++] = t;
	return PT_OK;
}

static struct template *template_open(pt_str name, pt_str file, pt_str source)
{
	struct arena *arena = arena_open(TEMPLATE_CEILING);
	struct template *t = arena ? ARENA_NEW(arena, struct template) : NULL;

	if (!t || !arena_str(arena, name, &t->name) || !arena_str(arena, file, &t->file) ||
		!arena_str(arena, source, &t->source)) {
		arena_close(arena);
		return NULL;
	}
	t->arena = arena;
	return t;
}

static pt_err template_compile(struct template *t, char error[256])
{
	struct code code = { .template = t, .line_start = true, .error = error };

	if (t->syntax == TEMPLATE_MUSTACHE)
		TRY(mustache_compile(&code));
	else
		TRY(go_compile(&code));
	return code_finish(&code);
}

pt_err template_add(struct template_set *set, pt_str name, pt_str file, pt_str source,
	enum template_syntax syntax, enum template_escape escape, char error[256])
{
	struct template *t;
	pt_err err;

	error[0] = '\0';
	if (source.n > TEMPLATE_SOURCE) {
		snprintf(error, TEMPLATE_ERROR_SIZE, "%.*s:1: a template may have %zu KiB",
			(int)file.n, file.p, TEMPLATE_SOURCE / KIB);
		return PT_F_CONFIG;
	}
	t = template_open(name, file, source);
	if (!t)
		return PT_F_MEMORY;
	t->syntax = syntax;
	t->escape = escape;
	err = template_compile(t, error);
	if (err == PT_OK)
		err = set_put(set, t);
	if (err != PT_OK)
		template_close(t);
	return err;
}

/* ---- checking the set ---- */

static pt_err step_error(
	const struct template *t, const struct step *step, const char *words, char error[256])
{
	snprintf(error, TEMPLATE_ERROR_SIZE, "%.*s:%zu: partial \"%.*s\" %s", (int)t->file.n,
		t->file.p, template_line(t, step->at), (int)(step->text.n < 60 ? step->text.n : 60),
		step->text.p, words);
	return PT_F_CONFIG;
}

static pt_err partials_find(const struct template_set *set, struct template *t, char error[256])
{
	for (size_t i = 0; i < t->n; i++) {
		struct step *step = &t->steps[i];
		if (step->kind != STEP_PARTIAL)
			continue;
		step->partial = place_of(set, step->text);
		if (step->partial == SIZE_MAX)
			return step_error(t, step, "does not exist", error);
		if (set->list[step->partial]->escape != t->escape)
			return step_error(t, step, "is not escaped as this template is", error);
	}
	return PT_OK;
}

/* Follows the partials that are always shown: coming back to where we are is a circle. */
static pt_err circle_check(const struct template_set *set, struct template *t, char error[256])
{
	t->visit = VISIT_UNDER_WAY;
	for (size_t i = 0; i < t->n; i++) {
		const struct step *step = &t->steps[i];
		struct template *partial;

		if (step->kind != STEP_PARTIAL || !step->always)
			continue;
		partial = set->list[step->partial];
		if (partial->visit == VISIT_UNDER_WAY)
			return step_error(t, step, "includes itself without end", error);
		if (partial->visit == VISIT_NOT_YET)
			TRY(circle_check(set, partial, error));
	}
	t->visit = VISIT_DONE;
	return PT_OK;
}

pt_err template_set_check(struct template_set *set, char error[256])
{
	error[0] = '\0';
	for (size_t i = 0; i < set->n; i++) {
		set->list[i]->visit = VISIT_NOT_YET;
		TRY(partials_find(set, set->list[i], error));
	}
	for (size_t i = 0; i < set->n; i++)
		if (set->list[i]->visit == VISIT_NOT_YET)
			TRY(circle_check(set, set->list[i], error));
	return PT_OK;
}

/* ---- rendering ---- */

struct rendering {
	const struct template_set *set;
	struct buf *out;
	const struct value *stack[TEMPLATE_DEPTH + 1]; /* the maps and items that we are in */
	size_t depth;
	size_t level; /* of blocks and partials */
	size_t steps;
	pt_str indent;
	const char *trouble;
};

static void run(struct rendering *r, const struct template *t, size_t from, size_t to);

static const struct value *value_here(const struct rendering *r)
{
	return r->stack[r->depth - 1];
}

static const struct value *look_up(const struct rendering *r, const struct step *step)
{
	const struct value *value = value_here(r);

	if (step->n_keys == 0)
		return value;
	value = value_find(value, &step->keys[0]);
	if (step->nearest)
		for (size_t i = r->depth - 1; !value && i > 0; i--)
			value = value_find(r->stack[i - 1], &step->keys[0]);
	for (size_t i = 1; value && i < step->n_keys; i++)
		value = value_find(value, &step->keys[i]);
	return value;
}

static bool is_safe_scheme(pt_str scheme)
{
	static const char *const safe[] = { "https", "http", "mailto", "otpauth" };

	for (size_t i = 0; i < sizeof(safe) / sizeof(*safe); i++)
		if (str_eq_nocase(scheme, str(safe[i])))
			return true;
	return false;
}

/* An address with a scheme that may run code (javascript:, data:) leads nowhere instead. */
static pt_str url_guard(pt_str url)
{
	for (size_t i = 0; i < url.n; i++) {
		if (memchr("/?#", url.p[i], 3))
			return url;
		if (url.p[i] == ':')
			return is_safe_scheme(str_slice(url, 0, i)) ? url : PT_STR("#");
	}
	return url;
}

static void show_str(struct rendering *r, const struct step *step, pt_str text)
{
	if (step->url)
		text = url_guard(text);
	if (step->query)
		buf_url(r->out, text);
	else if (step->escape)
		buf_html(r->out, text);
	else
		buf_str(r->out, text);
}

static void show(struct rendering *r, const struct step *step)
{
	const struct value *value = look_up(r, step);

	if (!value)
		return;
	switch (value->kind) {
	case VALUE_STR:
		show_str(r, step, value->text);
		return;
	case VALUE_FRAGMENT:
		if (step->raw)
			buf_str(r->out, value->text);
		else
			show_str(r, step, value->text);
		return;
	case VALUE_INT:
		buf_int(r->out, value->number);
		return;
	case VALUE_BOOL:
		buf_str(r->out, value->truth ? PT_STR("true") : PT_STR("false"));
		return;
	case VALUE_MAP:
	case VALUE_LIST:
	case VALUE_SHARED:
		return;
	}
}

/* Text inside an indented partial: each of its lines, and not those of values, is moved in. */
static void show_indented(struct rendering *r, pt_str text)
{
	pt_str line;

	while (str_cut(text, '\n', &line, &text)) {
		buf_str(r->out, line);
		buf_char(r->out, '\n');
		if (text.n)
			buf_str(r->out, r->indent);
	}
	buf_str(r->out, line);
}

static void show_text(struct rendering *r, const struct step *step)
{
	if (r->indent.n == 0)
		buf_str(r->out, step->text);
	else
		show_indented(r, step->text);
}

static void run_within(struct rendering *r, const struct template *t, const struct step *step,
	const struct value *value)
{
	size_t body = (size_t)(step - t->steps) + 1;

	r->stack[r->depth++] = value;
	run(r, t, body, step->other);
	r->depth--;
}

static void run_list(struct rendering *r, const struct template *t, const struct step *step,
	const struct value *list)
{
	const struct value *item = list->branch->chains[0];

	for (; item && !r->trouble; item = item->next)
		run_within(r, t, step, item);
}

/* An empty map is there for mustache, and is not for Go. */
static bool is_shown(const struct step *step, const struct value *value)
{
	bool is_list = value && value->kind == VALUE_LIST;

	if (step->kind == STEP_RANGE && !is_list)
		return false;
	if (step->kind != STEP_SECTION && value_is_empty_map(value))
		return false;
	return value_is_true(value);
}

static void run_block(struct rendering *r, const struct template *t, const struct step *step)
{
	const struct value *value = look_up(r, step);
	size_t body = (size_t)(step - t->steps) + 1;
	bool is_list = value && value->kind == VALUE_LIST;

	if (!is_shown(step, value))
		run(r, t, step->other, step->end);
	else if (step->kind == STEP_IF)
		run(r, t, body, step->other);
	else if (is_list && step->kind != STEP_WITH)
		run_list(r, t, step, value);
	else
		run_within(r, t, step, value);
}

static void run_partial(struct rendering *r, const struct step *step)
{
	const struct template *partial;
	pt_str outer = r->indent;
	char indent[INDENT_MAX];

	if (step->partial >= r->set->n) {
		r->trouble = "the set was not checked";
		return;
	}
	if (step->standalone && outer.n + step->indent.n > INDENT_MAX) {
		r->trouble = "too much indentation";
		return;
	}
	if (outer.n)
		memcpy(indent, outer.p, outer.n);
	if (step->indent.n)
		memcpy(indent + outer.n, step->indent.p, step->indent.n);
	/* Inside a line only the first line of a partial has a place, and it is there already. */
	r->indent = str_n(indent, step->standalone ? outer.n + step->indent.n : 0);
	partial = r->set->list[step->partial];
	run(r, partial, 0, partial->n);
	r->indent = outer;
}

static void run_step(struct rendering *r, const struct template *t, const struct step *step)
{
	if (step->line_start && r->indent.n)
		buf_str(r->out, r->indent);
	switch (step->kind) {
	case STEP_TEXT:
		show_text(r, step);
		return;
	case STEP_HOLE:
		show(r, step);
		return;
	case STEP_IF:
	case STEP_SECTION:
	case STEP_RANGE:
	case STEP_WITH:
		run_block(r, t, step);
		return;
	case STEP_PARTIAL:
		run_partial(r, step);
		return;
	}
}

static void run(struct rendering *r, const struct template *t, size_t from, size_t to)
{
	if (r->level == TEMPLATE_DEPTH) {
		r->trouble = "too deep";
		return;
	}
	r->level++;
	for (size_t i = from; i < to && !r->trouble;) {
		const struct step *step = &t->steps[i];
		if (++r->steps > TEMPLATE_STEPS)
			r->trouble = "too many steps";
		else
			run_step(r, t, step);
		i = step->end ? step->end : i + 1;
	}
	r->level--;
}

pt_err template_render(
	const struct template_set *set, pt_str name, const struct value *values, struct buf *out)
{
	struct rendering r = { .set = set, .out = out, .stack = { values }, .depth = 1 };
	size_t at = place_of(set, name);
	size_t before = out->n;

	if (at == SIZE_MAX)
		return fault(PT_F_RENDER, "template %.*s does not exist", (int)name.n, name.p);
	if (value_is_broken(values))
		return fault(PT_F_RENDER, "template %.*s: values missing", (int)name.n, name.p);
	run(&r, set->list[at], 0, set->list[at]->n);
	if (!r.trouble && out->failed)
		r.trouble = "the text is too long";
	if (!r.trouble)
		return PT_OK;
	out->n = before;
	if (out->p)
		out->p[before] = '\0';
	return fault(PT_F_RENDER, "template %.*s: %s", (int)name.n, name.p, r.trouble);
}

/*
 * template_code.c - writing the steps of a template, and the values that they look at.
 */
#include "base/template_code.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"

#include "base/banned.h"

/* ---- errors ---- */

size_t template_line(const struct template *t, size_t at)
{
	size_t line = 1;

	for (size_t i = 0; i < at && i < t->source.n; i++)
		line += t->source.p[i] == '\n';
	return line;
}

pt_err code_error(struct code *code, size_t at, const char *format, ...)
{
	const struct template *t = code->template;
	va_list args;
	int n = snprintf(code->error, TEMPLATE_ERROR_SIZE, "%.*s:%zu: ", (int)t->file.n, t->file.p,
		template_line(t, at));

	if (n < 0 || n >= TEMPLATE_ERROR_SIZE)
		return PT_F_CONFIG;
	va_start(args, format);
	vsnprintf(code->error + n, TEMPLATE_ERROR_SIZE - (size_t)n, format, args);
	va_end(args);
	return PT_F_CONFIG;
}

/* ---- steps ---- */

static pt_err step_add(struct code *code, const struct step *step)
{
	struct template *t = code->template;

	if (t->n == t->size) {
		size_t size = t->size ? 2 * t->size : 32;
		struct step *steps = arena_grow(
			t->arena, t->steps, t->size * sizeof(*steps), size * sizeof(*steps));
		if (!steps)
			return code_error(code, step->at, "the template is too large");
		t->steps = steps;
		t->size = size;
	}
	t->steps[t->n++] = *step;
	code->line_start = code->line_start && code->standalone;
	return PT_OK;
}

static bool is_key_char(char c)
{
	return ascii_alnum(c) || c == '_' || c == '-' || c == '?' || (unsigned char)c >= 0x80;
}

static bool is_key(pt_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_key_char(s.p[i]))
			return false;
	return s.n > 0;
}

static pt_err path_parse(struct code *code, struct step *step, pt_str path)
{
	size_t n = 0;
	struct key *keys;
	pt_str rest = path;

	if (path.n == 0)
		return PT_OK;
	for (size_t i = 0; i < path.n; i++)
		n += path.p[i] == '.';
	keys = ARENA_ARRAY(code->template->arena, struct key, n + 1);
	if (!keys)
		return code_error(code, step->at, "the template is too large");
	for (size_t i = 0; i <= n; i++) {
		str_cut(rest, '.', &keys[i].name, &rest);
		if (!is_key(keys[i].name))
			return code_error(code, step->at, "\"%.*s\" is not a name",
				(int)(path.n < 60 ? path.n : 60), path.p);
		keys[i].hash = name_hash(keys[i].name);
	}
	step->keys = keys;
	step->n_keys = n + 1;
	return PT_OK;
}

static struct step step_make(const struct code *code, enum step_kind kind, size_t at)
{
	return (struct step){
		.kind = kind,
		.at = at,
		.line_start = code->line_start && !code->standalone,
		.nearest = code->template->syntax == TEMPLATE_MUSTACHE,
	};
}

pt_err code_text(struct code *code, pt_str text)
{
	size_t at = (size_t)(text.p - code->template->source.p);
	struct step step = step_make(code, STEP_TEXT, at);

	if (text.n == 0)
		return PT_OK;
	if (code->template->escape == TEMPLATE_HTML) {
		size_t read;
		const char *trouble = html_text(&code->place, text, &read);
		if (trouble)
			return code_error(code, at + read, "%s", trouble);
	}
	step.text = text;
	TRY(step_add(code, &step));
	code->line_start = text.p[text.n - 1] == '\n';
	return PT_OK;
}

pt_err code_hole(struct code *code, size_t at, pt_str path, bool raw)
{
	struct step step = step_make(code, STEP_HOLE, at);

	TRY(path_parse(code, &step, path));
	step.raw = raw;
	if (code->template->escape == TEMPLATE_HTML) {
		const char *trouble = html_hole(&code->place, raw, &step.url);
		if (trouble)
			return code_error(code, at, "%s", trouble);
		step.escape = true;
		step.query = code->template->syntax == TEMPLATE_GO && html_is_query(&code->place);
	}
	return step_add(code, &step);
}

pt_err code_open(struct code *code, size_t at, enum step_kind kind, pt_str path)
{
	struct step step = step_make(code, kind, at);
	struct code_block *block;

	if (code->depth == TEMPLATE_DEPTH)
		return code_error(code, at, "blocks inside blocks, deeper than %d", TEMPLATE_DEPTH);
	TRY(path_parse(code, &step, path));
	if (code->template->escape == TEMPLATE_HTML) {
		const char *trouble = html_block(&code->place);
		if (trouble)
			return code_error(code, at, "%s", trouble);
	}
	block = &code->blocks[code->depth++];
	*block = (struct code_block){
		.step = code->template->n, .at = at, .name = path, .start = code->place
	};
	return step_add(code, &step);
}

/* The end of one of a block's two halves. */
static pt_err half_end(struct code *code, size_t at)
{
	struct step mark = step_make(code, STEP_TEXT, at);

	if (code->template->escape == TEMPLATE_HTML) {
		const struct code_block *block = &code->blocks[code->depth - 1];
		const char *trouble = html_block_end(&code->place, &block->start);
		if (trouble)
			return code_error(code, at, "%s", trouble);
	}
	/* A line that begins with this tag, with more behind it, begins inside of the block. */
	return mark.line_start ? step_add(code, &mark) : PT_OK;
}

pt_err code_else(struct code *code, size_t at)
{
	struct code_block *block;
	struct html_place after;

	if (code->depth == 0)
		return code_error(code, at, "else outside of a block");
	block = &code->blocks[code->depth - 1];
	if (block->has_else)
		return code_error(code, at, "a second else in one block");
	TRY(half_end(code, at));
	block->has_else = true;
	code->template->steps[block->step].other = code->template->n;
	/* The other half is judged from both ends too: where the block began, and, at its close, where
	 * the first half left off. */
	after = code->place;
	code->place = block->start;
	block->start = after;
	return PT_OK;
}

pt_err code_close(struct code *code, size_t at)
{
	struct code_block *block;
	struct step *step;

	if (code->depth == 0)
		return code_error(code, at, "the end of a block that was not begun");
	block = &code->blocks[code->depth - 1];
	TRY(half_end(code, at));
	step = &code->template->steps[block->step];
	step->end = code->template->n;
	if (!block->has_else)
		step->other = step->end;
	code->depth--;
	return PT_OK;
}

pt_err code_partial(struct code *code, size_t at, pt_str name, pt_str indent)
{
	struct step step = step_make(code, STEP_PARTIAL, at);

	if (code->template->escape == TEMPLATE_HTML && code->place.state != HTML_TEXT)
		return code_error(code, at, "a partial can only stand between tags");
	step.text = name;
	step.indent = indent;
	step.standalone = code->standalone;
	step.always = code->depth == 0;
	step.partial = SIZE_MAX;
	return step_add(code, &step);
}

pt_err code_finish(struct code *code)
{
	const struct template *t = code->template;

	if (code->depth > 0) {
		const struct code_block *block = &code->blocks[code->depth - 1];
		return code_error(code, block->at, "this block (%.*s) is never closed",
			(int)(block->name.n < 60 ? block->name.n : 60), block->name.p);
	}
	if (t->escape == TEMPLATE_HTML && code->place.state != HTML_TEXT)
		return code_error(
			code, t->source.n, "the template ends inside a tag, comment or script");
	return PT_OK;
}

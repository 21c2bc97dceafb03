/*
 * dotenv.c - a reader that walks the text once.
 */
#include "server/dotenv.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include "base/banned.h"

enum { TEXT_MAX = 1024 * 1024, PAIRS_MAX = 4096 };

struct reader {
	struct arena *arena;
	pt_str text;
	size_t at;
	int line;
	struct dotenv_pair *pairs;
	size_t n;
	const char *why;
};

static bool at_end(const struct reader *r)
{
	return r->at >= r->text.n;
}

static char peek(const struct reader *r)
{
	return at_end(r) ? '\n' : r->text.p[r->at];
}

static void step(struct reader *r)
{
	if (peek(r) == '\n')
		r->line++;
	if (!at_end(r))
		r->at++;
}

static pt_err refuse(struct reader *r, const char *why)
{
	r->why = why;
	return PT_E_MALFORMED;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct reader *r)
{
	while (!at_end(r) && is_blank(peek(r)))
		step(r);
}

static void skip_line(struct reader *r)
{
	while (!at_end(r) && peek(r) != '\n')
		step(r);
}

/* ---- names ---- */

static bool is_name_char(char c)
{
	return ascii_alnum(c) || c == '_' || c == '.';
}

static pt_str take_name(struct reader *r)
{
	size_t from = r->at;

	while (!at_end(r) && is_name_char(peek(r)))
		step(r);
	return str_slice(r->text, from, r->at);
}

/* ---- values ---- */

static pt_str find(const struct reader *r, pt_str name)
{
	for (size_t i = r->n; i-- > 0;) {
		if (str_eq(r->pairs[i].name, name))
			return r->pairs[i].value;
	}
	return PT_STR("");
}

/* At a `$`: the value it stands for, or the sign itself where no name follows. */
static void expand(struct reader *r, struct buf *b)
{
	size_t back = r->at;

	step(r);
	bool braces = peek(r) == '{' && !at_end(r);
	if (braces)
		step(r);
	pt_str name = take_name(r);
	if (name.n == 0 || (braces && (at_end(r) || peek(r) != '}'))) {
		r->at = back + 1;
		buf_char(b, '$');
		return;
	}
	if (braces)
		step(r);
	buf_str(b, find(r, name));
}

static pt_err read_single(struct reader *r, struct buf *b)
{
	step(r);
	while (!at_end(r) && peek(r) != '\'') {
		buf_char(b, peek(r));
		step(r);
	}
	if (at_end(r))
		return refuse(r, "a value begins with ' and never ends");
	step(r);
	return PT_OK;
}

static void read_escape(struct reader *r, struct buf *b)
{
	step(r);
	char c = peek(r);
	buf_char(b, c == 'n' ? '\n' : c == 'r' ? '\r' : c);
	step(r);
}

static pt_err read_double(struct reader *r, struct buf *b)
{
	step(r);
	while (!at_end(r) && peek(r) != '"') {
		if (peek(r) == '\\' && r->at + 1 < r->text.n) {
			read_escape(r, b);
		} else if (peek(r) == '$') {
			expand(r, b);
		} else {
			buf_char(b, peek(r));
			step(r);
		}
	}
	if (at_end(r))
		return refuse(r, "a value begins with \" and never ends");
	step(r);
	return PT_OK;
}

/* A # is a comment at the value's beginning and behind white space. */
static void read_bare(struct reader *r, struct buf *b)
{
	char before = ' ';

	while (!at_end(r) && peek(r) != '\n') {
		char c = peek(r);

		if (c == '#' && is_blank(before))
			break;
		if (c == '$') {
			expand(r, b);
		} else {
			buf_char(b, c);
			step(r);
		}
		before = c;
	}
	while (b->n > 0 && !b->failed && is_blank(b->p[b->n - 1]))
		b->n--;
}

static pt_err read_value(struct reader *r, pt_str *out)
{
	struct buf b = BUF(r->arena, TEXT_MAX);
	char first;

	skip_blanks(r);
	first = at_end(r) ? '\n' : peek(r);
	if (first == '\'')
		TRY(read_single(r, &b));
	else if (first == '"')
		TRY(read_double(r, &b));
	else
		read_bare(r, &b);
	skip_blanks(r);
	if (!at_end(r) && peek(r) == '#')
		skip_line(r);
	if (!at_end(r) && peek(r) != '\n')
		return refuse(r, "something stands behind the closing quote");
	return buf_done(&b, out);
}

/* ---- lines ---- */

static void skip_export(struct reader *r)
{
	pt_str rest = str_slice(r->text, r->at, r->at + 7);

	if (!str_eq(rest, PT_STR("export ")) && !str_eq(rest, PT_STR("export\t")))
		return;
	r->at += rest.n;
	skip_blanks(r);
}

static pt_err read_pair(struct reader *r)
{
	struct dotenv_pair *pair = &r->pairs[r->n];

	skip_export(r);
	pair->line = r->line;
	pair->name = take_name(r);
	if (pair->name.n == 0)
		return refuse(
			r, "a line must begin with a name of letters, digits and underscores");
	skip_blanks(r);
	if (at_end(r) || (peek(r) != '=' && peek(r) != ':'))
		return refuse(r, "a name must be followed by =");
	step(r);
	TRY(read_value(r, &pair->value));
	r->n++;
	return PT_OK;
}

static pt_err read_all(struct reader *r)
{
	while (true) {
		while (!at_end(r) && (is_blank(peek(r)) || peek(r) == '\n'))
			step(r);
		if (at_end(r))
			return PT_OK;
		if (peek(r) == '#') {
			skip_line(r);
			continue;
		}
		if (r->n == PAIRS_MAX)
			return refuse(r, "more lines than anybody needs");
		TRY(read_pair(r));
	}
}

pt_err dotenv_read(struct arena *arena, pt_str text, struct dotenv_pair **pairs, size_t *n,
	int *line, const char **why)
{
	static const char bom[] = "\xEF\xBB\xBF";
	struct reader r = { .arena = arena, .text = text, .line = 1 };
	pt_err err;

	*line = 1;
	*why = "this is no text file of a size that can be read";
	if (text.n > TEXT_MAX || (text.n > 0 && memchr(text.p, '\0', text.n)))
		return PT_E_MALFORMED;
	if (str_starts(text, str(bom)))
		r.at = sizeof(bom) - 1;
	r.pairs = ARENA_ARRAY(arena, struct dotenv_pair, PAIRS_MAX);
	if (!r.pairs)
		return PT_F_MEMORY;
	err = read_all(&r);
	if (err == PT_E_MALFORMED) {
		*line = r.line;
		*why = r.why;
	}
	if (err != PT_OK)
		return err;
	*pairs = r.pairs;
	*n = r.n;
	return PT_OK;
}

/*
 * json_read.c - RFC 8259 by recursive descent, once over the text and straight into the arena.
 *
 *	value_read -> list_read -> value_read ...     as deep as brackets nest, and never deeper than 32
 *	                  |
 *	                  push: complete values wait on one stack until the bracket around them closes,
 *	                        and move together to a place of their own
 *
 * (1) What is not read is not believed: a rule is broken, or the cursor moves on past what was judged.
 * (2) Nothing is read at or behind `end`. (3) What waits above `n` belongs to nobody.
 */
#include "base/err.h"
#include "base/json.h"
#include "base/json_private.h"
#include "base/own.h"
#include "base/str.h"

#include "base/banned.h"

enum {
	DEEPEST = 32,
	LONGEST = 16 * 1024,
	WAITING_FIRST = 16,
	LARGEST_EXPONENT = 308, /* a double ends short of 1.8e308 */
};

struct reader {
	struct arena *arena;
	const char *p, *end;
	size_t depth;
	struct json_value *waiting;
	size_t n, room;
	bool keep; /* else only the names of open objects wait */
	bool wide; /* an integer may have any length: its digits are carried over and never counted */
	char *scratch; /* for strings that nobody keeps */
	size_t scratch_n;
};

static pt_err no_memory(void)
{
	return fault(PT_F_MEMORY, "no memory for a JSON value");
}

/* '\0' at the end, which no rule allows outside of strings either. */
static char next(const struct reader *r)
{
	return r->p < r->end ? *r->p : '\0';
}

static bool take(struct reader *r, char c)
{
	if (next(r) != c)
		return false;
	r->p++;
	return true;
}

static void skip_space(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\r' || *r->p == '\n'))
		r->p++;
}

/* ---- strings ---- */

/* Where the quote stands that ends the string, or NULL. The cursor is behind the one that begins it.
 * *plain: what stands between is what is meant. */
static const char *string_end(const struct reader *r, bool *plain)
{
	const char *p = r->p;

	*plain = true;
	for (; p < r->end && *p != '"'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20 || c >= 0x80 || c == '\\')
			*plain = false;
		if (c == '\\' && r->end - p > 1)
			p++;
	}
	return p < r->end ? p : NULL;
}

static bool hex4(const struct reader *r, const char *p, uint32_t *out)
{
	uint32_t value = 0;

	if (r->end - p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		char c = ascii_lower(p[i]);

		if (ascii_digit(c))
			value = value << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint32_t)(c - 'a' + 10);
		else
			return false;
	}
	*out = value;
	return true;
}

/* At most as many bytes as the escape had that asked for it. */
static char *put_code(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (c & 0x3f));
	return to;
}

/* The cursor is behind `\u`. Half of a pair stands for nothing, and U+0000 would end a string of C. */
static bool escape_code(struct reader *r, char **to)
{
	uint32_t c, low;

	if (!hex4(r, r->p, &c) || c == 0 || (c >= 0xdc00 && c < 0xe000))
		return false;
	r->p += 4;
	if (c >= 0xd800 && c < 0xdc00) {
		if (!take(r, '\\') || !take(r, 'u') || !hex4(r, r->p, &low) || low < 0xdc00 ||
			low >= 0xe000)
			return false;
		r->p += 4;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	*to = put_code(*to, c);
	return true;
}

static bool escape_read(struct reader *r, char **to)
{
	static const char from[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *at;

	r->p++;
	if (take(r, 'u'))
		return escape_code(r, to);
	at = r->p < r->end ? memchr(from, *r->p, sizeof(from) - 1) : NULL;
	if (!at)
		return false;
	*(*to)++ = meant[at - from];
	r->p++;
	return true;
}

static bool char_read(struct reader *r, char **to)
{
	size_t step;

	if (*r->p == '\\')
		return escape_read(r, to);
	step = str_utf8_step(str_n(r->p, (size_t)(r->end - r->p)));
	if (step == 0 || (unsigned char)*r->p < 0x20)
		return false;
	memcpy(*to, r->p, step);
	*to += step;
	r->p += step;
	return true;
}

static char *string_room(struct reader *r, size_t n, bool keep)
{
	if (keep)
		return arena_alloc(r->arena, n);
	if (n > r->scratch_n) {
		char *room = arena_grow(r->arena, r->scratch, r->scratch_n, n);

		if (!room)
			return NULL;
		r->scratch = room;
		r->scratch_n = n;
	}
	return r->scratch;
}

/* What is decoded is never longer than what was written. */
static bool chars_read(struct reader *r, const char *end, char *text, size_t *n)
{
	char *to = text;

	while (r->p < end) {
		if (!char_read(r, &to))
			return false;
	}
	*n = (size_t)(to - text);
	return true;
}

static void chars_copy(struct reader *r, const char *end, char *text, size_t *n)
{
	*n = (size_t)(end - r->p);
	memcpy(text, r->p, *n);
	r->p = end;
}

static pt_err string_read(struct reader *r, bool keep, pt_str *out)
{
	const char *end;
	bool plain;
	char *text;
	size_t n;

	r->p++;
	end = string_end(r, &plain);
	if (!end)
		return PT_E_MALFORMED;
	text = string_room(r, (size_t)(end - r->p) + 1, keep);
	if (!text)
		return no_memory();
	if (plain)
		chars_copy(r, end, text, &n);
	else if (!chars_read(r, end, text, &n))
		return PT_E_MALFORMED;
	if (n > LONGEST)
		return PT_E_MALFORMED;
	r->p++;
	*out = str_n(text, n);
	return PT_OK;
}

/* ---- numbers ---- */

static size_t digits_skip(struct reader *r)
{
	const char *start = r->p;

	while (ascii_digit(next(r)))
		r->p++;
	return (size_t)(r->p - start);
}

/* The power of ten of the first digit that is not 0: of what stands before the exponent. */
static int64_t magnitude(pt_str whole, pt_str fraction)
{
	size_t zeros = 0;

	if (whole.p[0] != '0')
		return (int64_t)whole.n - 1;
	while (zeros < fraction.n && fraction.p[zeros] == '0')
		zeros++;
	return zeros == fraction.n ? INT64_MIN / 2 : -(int64_t)zeros - 1;
}

static bool exponent_read(struct reader *r, int64_t *out)
{
	bool minus = take(r, '-');
	int64_t value = 0;

	if (!minus)
		take(r, '+');
	if (!ascii_digit(next(r)))
		return false;
	for (; ascii_digit(next(r)); r->p++) {
		if (value < INT32_MAX)
			value = value * 10 + (*r->p - '0');
	}
	*out = minus ? -value : value;
	return true;
}

/* What comes after the digits of a whole number. *real: something came. */
static bool real_read(struct reader *r, pt_str whole, bool *real)
{
	pt_str fraction = { r->p, 0 };
	int64_t exponent = 0;

	if (take(r, '.')) {
		fraction.p = r->p;
		fraction.n = digits_skip(r);
		if (fraction.n == 0)
			return false;
		*real = true;
	}
	if (take(r, 'e') || take(r, 'E')) {
		if (!exponent_read(r, &exponent))
			return false;
		*real = true;
	}
	return magnitude(whole, fraction) + exponent < LARGEST_EXPONENT;
}

static pt_err integer_take(struct reader *r, pt_str text, struct json_value *out)
{
	if (!str_int(text, INT64_MIN, INT64_MAX, &out->number))
		return PT_E_MALFORMED;
	if (!r->keep)
		return PT_OK;
	/* -0 is 0. */
	return arena_str(r->arena, out->number == 0 ? PT_STR("0") : text, &out->text) ? PT_OK
										      : no_memory();
}

static pt_err number_read(struct reader *r, struct json_value *out)
{
	const char *start = r->p;
	bool real = r->wide;
	pt_str whole;

	out->type = JSON_NUMBER;
	take(r, '-');
	whole = str_n(r->p, 0);
	whole.n = digits_skip(r);
	if (whole.n == 0 || (whole.n > 1 && whole.p[0] == '0') || !real_read(r, whole, &real))
		return PT_E_MALFORMED;
	return real ? PT_OK : integer_take(r, str_n(start, (size_t)(r->p - start)), out);
}

/* ---- arrays and objects ---- */

static pt_err push(struct reader *r, const struct json_value *value)
{
	const size_t size = sizeof(*value), room = r->room ? 2 * r->room : WAITING_FIRST;
	struct json_value *waiting = r->waiting;

	if (r->n == r->room) {
		waiting = arena_grow(r->arena, waiting, r->room * size, room * size);
		if (!waiting)
			return no_memory();
		r->waiting = waiting;
		r->room = room;
	}
	waiting[r->n++] = *value;
	return PT_OK;
}

static bool is_waiting(const struct reader *r, size_t base, pt_str name)
{
	for (size_t i = base; i < r->n; i++) {
		if (str_eq(r->waiting[i].name, name))
			return true;
	}
	return false;
}

static pt_err name_read(struct reader *r, size_t base, pt_str *out)
{
	if (next(r) != '"' || r->n - base == JSON_MEMBERS_MAX)
		return PT_E_MALFORMED;
	TRY(string_read(r, true, out));
	skip_space(r);
	if (is_waiting(r, base, *out) || !take(r, ':'))
		return PT_E_MALFORMED;
	skip_space(r);
	return PT_OK;
}

static pt_err value_read(struct reader *r, struct json_value *out);

static pt_err item_read(struct reader *r, size_t base, bool named)
{
	struct json_value item = { 0 };

	if (named)
		TRY(name_read(r, base, &item.name));
	TRY(value_read(r, &item));
	return named || r->keep ? push(r, &item) : PT_OK;
}

static pt_err items_read(struct reader *r, size_t base, char close)
{
	skip_space(r);
	if (take(r, close))
		return PT_OK;
	for (;;) {
		TRY(item_read(r, base, close == '}'));
		skip_space(r);
		if (take(r, close))
			return PT_OK;
		if (!take(r, ','))
			return PT_E_MALFORMED;
		skip_space(r);
	}
}

static pt_err list_read(struct reader *r, char close, struct json_value *out)
{
	const size_t base = r->n;
	struct json_value *items;

	if (++r->depth > DEEPEST)
		return PT_E_MALFORMED;
	r->p++;
	TRY(items_read(r, base, close));
	r->depth--;
	out->type = close == '}' ? JSON_OBJECT : JSON_ARRAY;
	out->n = r->n - base;
	r->n = base;
	if (!r->keep)
		return PT_OK;
	out->items = items = ARENA_ARRAY(r->arena, struct json_value, out->n);
	if (!items)
		return no_memory();
	if (out->n > 0)
		memcpy(items, r->waiting + base, out->n * sizeof(*items));
	return PT_OK;
}

/* ---- values ---- */

static pt_err word_read(struct reader *r, pt_str word)
{
	if (!str_starts(str_n(r->p, (size_t)(r->end - r->p)), word))
		return PT_E_MALFORMED;
	r->p += word.n;
	return PT_OK;
}

static pt_err value_read(struct reader *r, struct json_value *out)
{
	switch (next(r)) {
	case '{':
		return list_read(r, '}', out);
	case '[':
		return list_read(r, ']', out);
	case '"':
		out->type = JSON_STRING;
		return string_read(r, r->keep, &out->text);
	case 't':
		out->type = JSON_BOOL;
		out->truth = true;
		return word_read(r, PT_STR("true"));
	case 'f':
		out->type = JSON_BOOL;
		return word_read(r, PT_STR("false"));
	case 'n':
		out->type = JSON_NULL;
		return word_read(r, PT_STR("null"));
	default:
		return number_read(r, out);
	}
}

static pt_err whole_read(struct reader *r, pt_str text, struct json_value *out)
{
	struct json_value value = { 0 };

	if (text.n == 0)
		return PT_E_MALFORMED;
	r->p = text.p;
	r->end = text.p + text.n;
	skip_space(r);
	TRY(value_read(r, &value));
	skip_space(r);
	if (r->p != r->end)
		return PT_E_MALFORMED;
	*out = value;
	return PT_OK;
}

pt_err json_read(struct arena *arena, pt_str text, struct json_value *out)
{
	struct reader r = { .arena = arena, .keep = true };

	return whole_read(&r, text, out);
}

pt_err json_members_count(struct arena *arena, pt_str text, size_t *n)
{
	struct reader r = { .arena = arena, .wide = true };
	struct json_value value;

	TRY(whole_read(&r, text, &value));
	if (value.type != JSON_OBJECT)
		return PT_E_MALFORMED;
	*n = value.n;
	return PT_OK;
}

/* More than names take, each with its end and on a boundary of 16, and those that wait. */
static size_t check_memory(pt_str text)
{
	return 16 * text.n + 4 * (DEEPEST * JSON_MEMBERS_MAX * sizeof(struct json_value));
}

static void own_arena(struct arena **arena)
{
	arena_close(*arena);
}

pt_err json_check(pt_str text)
{
	PT_OWN(own_arena) struct arena *arena = arena_open(check_memory(text));
	struct reader r = { .arena = arena };
	struct json_value value;

	return arena ? whole_read(&r, text, &value) : no_memory();
}

pt_err json_read_strings(struct arena *arena, pt_str text, struct json_member **members, size_t *n)
{
	struct json_value object;
	struct json_member *list;

	TRY(json_read(arena, text, &object));
	if (object.type != JSON_OBJECT)
		return PT_E_MALFORMED;
	list = ARENA_ARRAY(arena, struct json_member, object.n);
	if (!list)
		return no_memory();
	for (size_t i = 0; i < object.n; i++) {
		if (object.items[i].type != JSON_STRING)
			return PT_E_MALFORMED;
		list[i] = (struct json_member){ object.items[i].name, object.items[i].text };
	}
	*members = list;
	*n = object.n;
	return PT_OK;
}

const struct json_value *json_find(const struct json_value *object, pt_str name)
{
	if (object->type != JSON_OBJECT)
		return NULL;
	for (size_t i = 0; i < object->n; i++) {
		if (str_eq(object->items[i].name, name))
			return &object->items[i];
	}
	return NULL;
}

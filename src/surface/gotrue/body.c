/*
 * body.c - JSON as lenient as GoTrue's clients are used to: any Content-Type, names in any letter case,
 * unknown ones, anything after the value. What is kept of it is read strictly.
 *
 * A scanner walks over the text once, and the reader keeps where each member's value stands.
 */
#include "base/str.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

enum { DEEPEST = 64, MEMBERS_MAX = 256 };

struct scan {
	struct arena *arena;
	const char *p, *end;
	const char *why; /* NULL until it went wrong */
	bool no_memory;  /* that, and nothing of the text */
};

/* ---- walking ---- */

static bool stop(struct scan *s, const char *why)
{
	if (!s->why)
		s->why = s->p == s->end ? "unexpected EOF" : why;
	return false;
}

static void skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
		s->p++;
}

static char next(const struct scan *s)
{
	return s->p < s->end ? *s->p : '\0';
}

static bool take(struct scan *s, char c, const char *why)
{
	if (next(s) != c)
		return stop(s, why);
	s->p++;
	return true;
}

static bool is_hex(char c)
{
	c = ascii_lower(c);
	return ascii_digit(c) || (c >= 'a' && c <= 'f');
}

static bool scan_escape(struct scan *s)
{
	s->p++;
	if (s->p == s->end)
		return stop(s, "");
	if (*s->p != 'u') {
		if (!memchr("\"\\/bfnrt", *s->p, 8))
			return stop(s, "invalid character in string escape code");
		s->p++;
		return true;
	}
	s->p++;
	for (int i = 0; i < 4; i++, s->p++)
		if (!is_hex(next(s)))
			return stop(s, "invalid character in \\u hexadecimal character escape");
	return true;
}

static bool scan_string(struct scan *s)
{
	s->p++;
	while (s->p < s->end && *s->p != '"') {
		if ((unsigned char)*s->p < 0x20)
			return stop(s, "invalid character in string literal");
		if (*s->p != '\\')
			s->p++;
		else if (!scan_escape(s))
			return false;
	}
	return take(s, '"', "");
}

static bool scan_digits(struct scan *s)
{
	if (!ascii_digit(next(s)))
		return stop(s, "invalid character in numeric literal");
	while (ascii_digit(next(s)))
		s->p++;
	return true;
}

static bool scan_number(struct scan *s)
{
	if (next(s) == '-')
		s->p++;
	if (next(s) == '0')
		s->p++;
	else if (!scan_digits(s))
		return false;
	if (next(s) == '.') {
		s->p++;
		if (!scan_digits(s))
			return false;
	}
	if (ascii_lower(next(s)) != 'e')
		return true;
	s->p++;
	if (next(s) == '+' || next(s) == '-')
		s->p++;
	return scan_digits(s);
}

static bool scan_word(struct scan *s, pt_str word)
{
	for (size_t i = 0; i < word.n; i++)
		if (!take(s, word.p[i], "invalid character in literal"))
			return false;
	return true;
}

static bool scan_value(struct scan *s, int depth);

static bool scan_list(struct scan *s, int depth, char end)
{
	s->p++;
	skip_space(s);
	if (next(s) == end) {
		s->p++;
		return true;
	}
	for (;;) {
		if (end == '}') {
			skip_space(s);
			if (next(s) != '"')
				return stop(s,
					"invalid character looking for beginning of object key "
					"string");
			if (!scan_string(s))
				return false;
			skip_space(s);
			if (!take(s, ':', "invalid character after object key"))
				return false;
		}
		if (!scan_value(s, depth + 1))
			return false;
		skip_space(s);
		if (next(s) != ',')
			return take(s, end, "invalid character after a value");
		s->p++;
	}
}

static bool scan_value(struct scan *s, int depth)
{
	skip_space(s);
	if (depth > DEEPEST)
		return stop(s, "exceeded max depth");
	switch (next(s)) {
	case '{':
		return scan_list(s, depth, '}');
	case '[':
		return scan_list(s, depth, ']');
	case '"':
		return scan_string(s);
	case 't':
		return scan_word(s, PT_STR("true"));
	case 'f':
		return scan_word(s, PT_STR("false"));
	case 'n':
		return scan_word(s, PT_STR("null"));
	default:
		break;
	}
	if (next(s) == '-' || ascii_digit(next(s)))
		return scan_number(s);
	return stop(s, "invalid character looking for beginning of value");
}

/* ---- strings, decoded ---- */

static uint32_t hex4(const char *p)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++) {
		char c = ascii_lower(p[i]);
		value = value * 16 + (uint32_t)(ascii_digit(c) ? c - '0' : c - 'a' + 10);
	}
	return value;
}

static void put_code(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_char(b, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_char(b, (char)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		buf_char(b, (char)(0xe0 | c >> 12));
		buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
	} else {
		buf_char(b, (char)(0xf0 | c >> 18));
		buf_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_char(b, (char)(0x80 | (c & 0x3f)));
}

/* Half of a pair stands for nothing. Returns how many bytes of text it took. */
static size_t put_escape_u(struct buf *b, pt_str text)
{
	uint32_t c = hex4(text.p + 2);
	bool pair =
		c >= 0xd800 && c < 0xdc00 && text.n >= 12 && text.p[6] == '\\' && text.p[7] == 'u';
	uint32_t low = pair ? hex4(text.p + 8) : 0;

	if (low >= 0xdc00 && low < 0xe000) {
		put_code(b, 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
		return 12;
	}
	put_code(b, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
	return 6;
}

static size_t put_escape(struct buf *b, pt_str text)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";

	if (text.p[1] == 'u')
		return put_escape_u(b, text);
	const char *at = memchr(from, text.p[1], 5);
	buf_char(b, at ? to[at - from] : text.p[1]);
	return 2;
}

/* A string as the scanner passed it, with its quotes. Bytes that are no UTF-8 become U+FFFD. */
static pt_err string_decode(struct arena *arena, pt_str text, pt_str *out)
{
	struct buf b = BUF(arena, 3 * text.n + 16);

	text = str_slice(text, 1, text.n - 1);
	while (text.n > 0) {
		size_t step = text.p[0] == '\\' ? 0 : str_utf8_step(text);
		if (text.p[0] == '\\') {
			step = put_escape(&b, text);
		} else if (step == 0) {
			put_code(&b, 0xfffd);
			step = 1;
		} else {
			buf_bytes(&b, text.p, step);
		}
		text = str_slice(text, step, text.n);
	}
	return buf_done(&b, out);
}

/* ---- members ---- */

static bool member_read(struct scan *s, struct member *out)
{
	skip_space(s);
	const char *start = s->p;
	if (next(s) != '"')
		return stop(s, "invalid character looking for beginning of object key string");
	if (!scan_string(s))
		return false;
	s->no_memory =
		string_decode(s->arena, str_n(start, (size_t)(s->p - start)), &out->name) != PT_OK;
	if (s->no_memory)
		return false;
	skip_space(s);
	if (!take(s, ':', "invalid character after object key"))
		return false;
	skip_space(s);
	start = s->p;
	if (!scan_value(s, 1))
		return false;
	out->value = str_n(start, (size_t)(s->p - start));
	return true;
}

static bool members_read(struct scan *s, struct member *list, size_t most, size_t *n)
{
	s->p++;
	skip_space(s);
	if (next(s) == '}')
		return true;
	for (;;) {
		if (*n == most)
			return stop(s, "too many members");
		if (!member_read(s, &list[*n]))
			return false;
		(*n)++;
		skip_space(s);
		if (next(s) != ',')
			return take(s, '}', "invalid character after object key:value pair");
		s->p++;
	}
}

static const char *kind_of(pt_str value)
{
	switch (value.n > 0 ? value.p[0] : '\0') {
	case '{':
		return "object";
	case '[':
		return "array";
	case '"':
		return "string";
	case 't':
	case 'f':
		return "bool";
	default:
		return "number";
	}
}

/* Each member has its colon; the last may be broken off before it. */
static size_t members_most(pt_str text)
{
	size_t most = 1;

	for (size_t i = 0; i < text.n && most < MEMBERS_MAX; i++)
		most += text.p[i] == ':';
	return most;
}

static bool whole_read(struct scan *s, struct member *members, size_t most, size_t *n)
{
	if (next(s) == '{')
		return members_read(s, members, most, n);
	if (next(s) == 'n')
		return scan_word(s, PT_STR("null"));
	if (scan_value(s, 0))
		s->why = "json: cannot unmarshal this into an object";
	return false;
}

pt_err body_members(
	struct arena *arena, pt_str text, struct member **members, size_t *n, const char **why)
{
	const char *start = text.n > 0 ? text.p : "";
	struct scan s = { .arena = arena, .p = start, .end = start + text.n };
	size_t most = members_most(text);

	*n = 0;
	*members = ARENA_ARRAY(arena, struct member, most);
	if (!*members)
		return fault(PT_F_MEMORY, "no room for the members of a body");
	skip_space(&s);
	*why = "EOF";
	if (s.p == s.end)
		return PT_E_MALFORMED;
	if (whole_read(&s, *members, most, n))
		return PT_OK;
	*why = s.why;
	return s.no_memory ? PT_F_MEMORY : PT_E_MALFORMED;
}

/* ---- fields ---- */

/* The last one of the exact name counts; else the last in any letter case. */
static const struct member *member_find(const struct member *members, size_t n, pt_str name)
{
	const struct member *found = NULL;
	bool exact = false;

	for (size_t i = 0; i < n; i++) {
		bool same = str_eq(members[i].name, name);
		if (!same && (exact || !str_eq_nocase(members[i].name, name)))
			continue;
		found = &members[i];
		exact = exact || same;
	}
	return found;
}

static pt_err wrong_type(
	struct exchange *ex, const char *complaint, const struct body_field *field, pt_str value)
{
	static const char *const wanted[] = { "string", "map", "bool" };
	struct buf b = BUF(ex->arena, 256);
	pt_str detail;

	buf_printf(&b, "json: cannot unmarshal %s into field %s of type %s", kind_of(value),
		field->name, wanted[field->kind]);
	TRY(buf_done(&b, &detail));
	return gotrue_no_detail(ex, 400, complaint, detail);
}

/* Metadata goes on as it is: what follows must be able to read it strictly. */
static pt_err object_check(
	struct exchange *ex, const char *complaint, const struct body_field *field, pt_str value)
{
	pt_err err = json_check(value);

	if (err == PT_OK || pt_is_fault(err))
		return err;
	return gotrue_no_detail(ex, 400, complaint, str(field->name));
}

static pt_err field_read(
	struct exchange *ex, const char *complaint, const struct body_field *field, pt_str value)
{
	switch (field->kind) {
	case BODY_TEXT:
		if (value.p[0] != '"')
			break;
		return string_decode(ex->arena, value, field->out);
	case BODY_OBJECT:
		if (value.p[0] != '{')
			break;
		TRY(object_check(ex, complaint, field, value));
		*(pt_str *)field->out = value;
		return PT_OK;
	case BODY_TRUTH:
		if (value.p[0] != 't' && value.p[0] != 'f')
			break;
		*(bool *)field->out = value.p[0] == 't';
		return PT_OK;
	}
	return wrong_type(ex, complaint, field, value);
}

pt_err body_read(
	struct exchange *ex, const char *complaint, const struct body_field *fields, size_t n)
{
	struct member *members;
	size_t found;
	const char *why;

	pt_err err = body_members(ex->arena, ex->rq->body, &members, &found, &why);
	if (err == PT_E_MALFORMED)
		return gotrue_no_detail(ex, 400, complaint, str(why));
	TRY(err);
	for (size_t i = 0; i < n; i++) {
		const struct member *member = member_find(members, found, str(fields[i].name));
		if (member && member->value.p[0] != 'n')
			TRY(field_read(ex, complaint, &fields[i], member->value));
	}
	return PT_OK;
}

bool is_uuid(pt_str text)
{
	if (text.n != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? text.p[i] != '-' : !is_hex(text.p[i]))
			return false;
	}
	return true;
}

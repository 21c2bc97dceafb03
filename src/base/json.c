/*
 * json.c - merging objects as they are written, and writing. json_read.c reads.
 */
#include "base/json.h"
#include "base/err.h"
#include "base/json_private.h"
#include "base/str.h"

#include "base/banned.h"

static pt_err no_memory(void)
{
	return fault(PT_F_MEMORY, "no memory for the members of an object");
}

/* ---- merging ---- */

/* A member as it is written. Its value is never read, so that nothing of it is lost. */
struct raw_member {
	pt_str name; /* decoded */
	pt_str raw_name;
	pt_str value;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Where the value ends that text begins with. The text was parsed before: its brackets match. */
static size_t value_end(pt_str text)
{
	size_t depth = 0;
	bool inside = false;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool closes = c == '}' || c == ']';

		if (inside) {
			if (c == '\\')
				i++;
			else if (c == '"')
				inside = false;
		} else if (c == '"') {
			inside = true;
		} else if (depth == 0 && (closes || c == ',' || c == ':' || is_space(c))) {
			return i;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (closes) {
			depth--;
		}
	}
	return text.n;
}

/* The next value of an object's text, a name too, past what stands between values. */
static pt_str value_take(pt_str *text)
{
	pt_str rest = *text, value;

	while (rest.n > 0 && (is_space(rest.p[0]) || rest.p[0] == ',' || rest.p[0] == ':'))
		rest = str_slice(rest, 1, rest.n);
	value = str_slice(rest, 0, value_end(rest));
	*text = str_slice(rest, value.n, rest.n);
	return value;
}

static pt_err members_read(struct arena *arena, pt_str text, struct raw_member **out, size_t *n)
{
	struct raw_member *members;
	struct json_value name;
	size_t count;

	TRY(json_members_count(arena, text, &count));
	members = ARENA_ARRAY(arena, struct raw_member, count);
	if (!members)
		return no_memory();
	text = str_slice(text, str_find(text, '{') + 1, text.n);
	for (size_t i = 0; i < count; i++) {
		members[i].raw_name = value_take(&text);
		members[i].value = value_take(&text);
		TRY(json_read(arena, members[i].raw_name, &name));
		members[i].name = name.text;
	}
	*out = members;
	*n = count;
	return PT_OK;
}

static const struct raw_member *member_of(const struct raw_member *members, size_t n, pt_str name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(members[i].name, name))
			return &members[i];
	}
	return NULL;
}

pt_err json_find_raw(struct arena *arena, pt_str text, pt_str name, pt_str *out)
{
	const struct raw_member *member;
	struct raw_member *members;
	size_t n;

	TRY(members_read(arena, text, &members, &n));
	member = member_of(members, n, name);
	*out = member ? member->value : PT_STR("");
	return PT_OK;
}

/* Null is the absence of a member. */
static size_t member_write(struct buf *b, const struct raw_member *member, bool first)
{
	if (str_eq(member->value, PT_STR("null")))
		return 0;
	if (!first)
		buf_char(b, ',');
	buf_str(b, member->raw_name);
	buf_char(b, ':');
	buf_str(b, member->value);
	return 1;
}

pt_err json_merge(struct arena *arena, pt_str base, pt_str patch, pt_str *out)
{
	struct buf b = BUF(arena, base.n + patch.n + 2);
	struct raw_member *olds = NULL, *news;
	size_t n_olds = 0, n_news, written = 0;

	if (base.n > 0)
		TRY(members_read(arena, base, &olds, &n_olds));
	TRY(members_read(arena, patch, &news, &n_news));
	buf_char(&b, '{');
	for (size_t i = 0; i < n_olds; i++) {
		const struct raw_member *over = member_of(news, n_news, olds[i].name);

		written += member_write(&b, over ? over : &olds[i], written == 0);
	}
	for (size_t i = 0; i < n_news; i++) {
		if (!member_of(olds, n_olds, news[i].name))
			written += member_write(&b, &news[i], written == 0);
	}
	buf_char(&b, '}');
	return written <= JSON_MEMBERS_MAX ? buf_done(&b, out) : PT_E_MALFORMED;
}

/* ---- writing ---- */

/* What stands before each value: a comma if another came before, and its name if it has one. */
static void lead_in(struct json *j, const char *name)
{
	if (j->comma)
		buf_char(j->out, ',');
	if (name) {
		buf_json(j->out, str(name));
		buf_char(j->out, ':');
	}
	j->comma = true;
}

static void open_with(struct json *j, const char *name, char bracket)
{
	lead_in(j, name);
	buf_char(j->out, bracket);
	j->comma = false;
}

static void close_with(struct json *j, char bracket)
{
	buf_char(j->out, bracket);
	j->comma = true;
}

void json_object(struct json *j, const char *name)
{
	open_with(j, name, '{');
}

void json_object_end(struct json *j)
{
	close_with(j, '}');
}

void json_array(struct json *j, const char *name)
{
	open_with(j, name, '[');
}

void json_array_end(struct json *j)
{
	close_with(j, ']');
}

void json_str(struct json *j, const char *name, pt_str value)
{
	lead_in(j, name);
	buf_json(j->out, value);
}

void json_int(struct json *j, const char *name, int64_t value)
{
	lead_in(j, name);
	buf_int(j->out, value);
}

void json_bool(struct json *j, const char *name, bool value)
{
	lead_in(j, name);
	buf_str(j->out, value ? PT_STR("true") : PT_STR("false"));
}

void json_null(struct json *j, const char *name)
{
	lead_in(j, name);
	buf_str(j->out, PT_STR("null"));
}

void json_raw(struct json *j, const char *name, pt_str value)
{
	lead_in(j, name);
	buf_str(j->out, value);
}

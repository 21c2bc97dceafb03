/*
 * json.c - reading through jansson, writing by hand.
 *
 * jansson's tree lives only inside of json_read: it becomes ours, in the arena, and is freed.
 */
#include <string.h>

/* jansson has names in common with json.h. None of the renamed functions is called here. */
#define JSON_NULL   JANSSON_NULL
#define JSON_STRING JANSSON_STRING
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY  JANSSON_ARRAY
#define json_null   jansson_null
#define json_object jansson_object
#define json_array  jansson_array
#include <jansson.h>
#undef JSON_NULL
#undef JSON_STRING
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef json_null
#undef json_object
#undef json_array

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "base/str.h"

#include "base/banned.h"

enum {
	DEEPEST = 32,
	MOST_MEMBERS = 256,
	LONGEST = 16 * 1024,
};

static void own_tree(json_t **tree)
{
	json_decref(*tree);
}

/* ---- parsing ---- */

/*
 * Whether brackets outside of strings nest too deeply, seen before the parser allocates for any
 * of them. That they match is the parser's concern.
 */
static bool too_deep(pt_str text)
{
	size_t depth = 0;
	bool inside = false;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (inside) {
			if (c == '\\')
				i++;
			else if (c == '"')
				inside = false;
		} else if (c == '"') {
			inside = true;
		} else if (c == '[' || c == '{') {
			if (++depth > DEEPEST)
				return true;
		} else if ((c == ']' || c == '}') && depth > 0) {
			depth--;
		}
	}
	return false;
}

/*
 * Without JSON_ALLOW_NUL jansson refuses U+0000, without JSON_DISABLE_EOF_CHECK whatever follows
 * the value; invalid UTF-8 and a byte order mark it always refuses.
 */
static pt_err parse(pt_str text, size_t flags, json_t **out)
{
	json_error_t error;
	json_t *tree;

	if (text.n == 0 || too_deep(text))
		return PT_E_MALFORMED;
	tree = json_loadb(text.p, text.n, flags | JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!tree && json_error_code(&error) == json_error_out_of_memory)
		return fault(PT_F_MEMORY, "no memory for the parse of %zu bytes of JSON", text.n);
	if (!tree)
		return PT_E_MALFORMED;
	*out = tree;
	return PT_OK;
}

static bool is_within_limits(json_t *tree)
{
	switch (json_typeof(tree)) {
	case JANSSON_STRING:
		return json_string_length(tree) <= LONGEST;
	case JANSSON_ARRAY:
		for (size_t i = 0; i < json_array_size(tree); i++) {
			if (!is_within_limits(json_array_get(tree, i)))
				return false;
		}
		return true;
	case JANSSON_OBJECT:
		if (json_object_size(tree) > MOST_MEMBERS)
			return false;
		for (void *at = json_object_iter(tree); at; at = json_object_iter_next(tree, at)) {
			if (json_object_iter_key_len(at) > LONGEST ||
				!is_within_limits(json_object_iter_value(at)))
				return false;
		}
		return true;
	case JSON_INTEGER:
	case JSON_REAL:
	case JSON_TRUE:
	case JSON_FALSE:
	case JANSSON_NULL:
		return true;
	}
	return true;
}

/* ---- reading ---- */

static pt_err no_memory(void)
{
	return fault(PT_F_MEMORY, "no memory for a JSON value");
}

static pt_err copy_text(struct arena *arena, const char *p, size_t n, pt_str *out)
{
	return arena_str(arena, str_n(p, n), out) ? PT_OK : no_memory();
}

static pt_err copy_integer(struct arena *arena, json_int_t number, struct json_value *out)
{
	char digits[24];
	struct buf b = BUF_FIXED(digits);

	buf_int(&b, number);
	out->number = number;
	return copy_text(arena, b.p, b.n, &out->text);
}

static pt_err copy_value(struct arena *arena, json_t *tree, struct json_value *out);

static pt_err copy_array(struct arena *arena, json_t *tree, struct json_value *out)
{
	struct json_value *items = ARENA_ARRAY(arena, struct json_value, json_array_size(tree));

	if (!items)
		return no_memory();
	out->items = items;
	out->n = json_array_size(tree);
	for (size_t i = 0; i < out->n; i++)
		TRY(copy_value(arena, json_array_get(tree, i), &items[i]));
	return PT_OK;
}

static pt_err copy_object(struct arena *arena, json_t *tree, struct json_value *out)
{
	struct json_value *item = ARENA_ARRAY(arena, struct json_value, json_object_size(tree));

	if (!item)
		return no_memory();
	out->items = item;
	out->n = json_object_size(tree);
	for (void *at = json_object_iter(tree); at; at = json_object_iter_next(tree, at), item++) {
		TRY(copy_value(arena, json_object_iter_value(at), item));
		TRY(copy_text(arena, json_object_iter_key(at), json_object_iter_key_len(at),
			&item->name));
	}
	return PT_OK;
}

/* Recursive: `parse` has bounded the depth. */
static pt_err copy_value(struct arena *arena, json_t *tree, struct json_value *out)
{
	switch (json_typeof(tree)) {
	case JANSSON_NULL:
		out->type = JSON_NULL;
		return PT_OK;
	case JSON_TRUE:
	case JSON_FALSE:
		out->type = JSON_BOOL;
		out->truth = json_is_true(tree);
		return PT_OK;
	case JSON_REAL:
		out->type = JSON_NUMBER;
		return PT_OK;
	case JSON_INTEGER:
		out->type = JSON_NUMBER;
		return copy_integer(arena, json_integer_value(tree), out);
	case JANSSON_STRING:
		out->type = JSON_STRING;
		return copy_text(
			arena, json_string_value(tree), json_string_length(tree), &out->text);
	case JANSSON_ARRAY:
		out->type = JSON_ARRAY;
		return copy_array(arena, tree, out);
	case JANSSON_OBJECT:
		out->type = JSON_OBJECT;
		return copy_object(arena, tree, out);
	}
	return fault(PT_F_BUG, "a JSON value of unknown type %d", (int)json_typeof(tree));
}

pt_err json_check(pt_str text)
{
	PT_OWN(own_tree) json_t *tree = NULL;

	TRY(parse(text, 0, &tree));
	return is_within_limits(tree) ? PT_OK : PT_E_MALFORMED;
}

pt_err json_read(struct arena *arena, pt_str text, struct json_value *out)
{
	PT_OWN(own_tree) json_t *tree = NULL;
	struct json_value value = { 0 };

	TRY(parse(text, 0, &tree));
	if (!is_within_limits(tree))
		return PT_E_MALFORMED;
	TRY(copy_value(arena, tree, &value));
	*out = value;
	return PT_OK;
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
	PT_OWN(own_tree) json_t *tree = NULL;
	struct raw_member *members;
	struct json_value name;

	/* As reals, integers of any length are valid. */
	TRY(parse(text, JSON_DECODE_INT_AS_REAL, &tree));
	if (json_typeof(tree) != JANSSON_OBJECT || !is_within_limits(tree))
		return PT_E_MALFORMED;
	members = ARENA_ARRAY(arena, struct raw_member, json_object_size(tree));
	if (!members)
		return no_memory();
	text = str_slice(text, str_find(text, '{') + 1, text.n);
	for (size_t i = 0; i < json_object_size(tree); i++) {
		members[i].raw_name = value_take(&text);
		members[i].value = value_take(&text);
		TRY(json_read(arena, members[i].raw_name, &name));
		members[i].name = name.text;
	}
	*out = members;
	*n = json_object_size(tree);
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
	return written <= MOST_MEMBERS ? buf_done(&b, out) : PT_E_MALFORMED;
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

/*
 * template_support.h - a template, its data as JSON, and what must come of it.
 */
#ifndef TEST_TEMPLATE_SUPPORT_H
#define TEST_TEMPLATE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/str.h"
#include "base/template.h"

struct story {
	const char *name;
	const char *source;
	const char *data; /* JSON; a string that begins with "fragment:" is one */
	const char *expected;
	const char *partial_name;
	const char *partial;
};

static inline const char *copy(struct arena *arena, pt_str s)
{
	const char *c = arena_cstr(arena, s);

	assert_non_null(c);
	return c;
}

static inline void fill_list(
	struct arena *arena, struct value *list, const struct json_value *json);

static inline void fill_map(struct arena *arena, struct value *map, const struct json_value *json)
{
	const pt_str fragment = PT_STR("fragment:");

	for (size_t i = 0; i < json->n; i++) {
		const struct json_value *item = &json->items[i];
		const char *name = copy(arena, item->name);

		switch (item->type) {
		case JSON_NULL:
			break;
		case JSON_BOOL:
			value_bool(map, name, item->truth);
			break;
		case JSON_NUMBER:
			value_int(map, name, item->number);
			break;
		case JSON_STRING:
			if (str_starts(item->text, fragment))
				value_fragment(
					map, name, str_slice(item->text, fragment.n, item->text.n));
			else
				value_str(map, name, item->text);
			break;
		case JSON_OBJECT:
			fill_map(arena, value_child(map, name), item);
			break;
		case JSON_ARRAY:
			fill_list(arena, value_list(map, name), item);
			break;
		}
	}
}

static inline void fill_list(struct arena *arena, struct value *list, const struct json_value *json)
{
	for (size_t i = 0; i < json->n; i++) {
		if (json->items[i].type == JSON_OBJECT)
			fill_map(arena, value_item(list), &json->items[i]);
		else
			value_item_str(list, json->items[i].text);
	}
}

static inline struct value *values_of(struct arena *arena, const char *data)
{
	struct json_value json;
	struct value *map = value_map(arena);

	assert_non_null(map);
	assert_int_equal(json_read(arena, str(data), &json), PT_OK);
	fill_map(arena, map, &json);
	return map;
}

/* Tells the story; what came of it is in the arena. */
static inline pt_err tell(struct arena *arena, const struct story *story,
	enum template_syntax syntax, enum template_escape escape, pt_str *out)
{
	struct template_set *set = template_set_open();
	struct buf b = BUF(arena, 256 * KIB);
	char error[256] = "";
	pt_err err;

	assert_non_null(set);
	err = template_add(set, PT_STR("main"), PT_STR("main.html"), str(story->source), syntax,
		escape, error);
	if (err == PT_OK && story->partial)
		err = template_add(set, str(story->partial_name), PT_STR("partial.html"),
			str(story->partial), syntax, escape, error);
	if (err == PT_OK)
		err = template_set_check(set, error);
	if (err != PT_OK)
		print_error("%s: %s\n", story->name, error);
	if (err == PT_OK)
		err = template_render(set, PT_STR("main"), values_of(arena, story->data), &b);
	if (err == PT_OK)
		err = buf_done(&b, out);
	template_set_close(set);
	return err;
}

static inline void expect_stories(const struct story *stories, size_t n,
	enum template_syntax syntax, enum template_escape escape)
{
	for (size_t i = 0; i < n; i++) {
		struct arena *arena = arena_open(4 * MIB);
		pt_str out = { 0 };

		assert_int_equal(tell(arena, &stories[i], syntax, escape, &out), PT_OK);
		if (!str_eq(out, str(stories[i].expected)))
			fail_msg("%s:\n--- got ---\n%.*s\n--- wanted ---\n%s", stories[i].name,
				(int)out.n, out.p, stories[i].expected);
		arena_close(arena);
	}
}

struct broken {
	const char *source;
	const char *error; /* begins with this */
};

static inline void expect_refusals(const struct broken *broken, size_t n,
	enum template_syntax syntax, enum template_escape escape)
{
	for (size_t i = 0; i < n; i++) {
		struct template_set *set = template_set_open();
		char error[256] = "";
		pt_err err = template_add(set, PT_STR("x"), PT_STR("x.html"), str(broken[i].source),
			syntax, escape, error);

		if (err != PT_F_CONFIG || !str_starts(str(error), str(broken[i].error)))
			fail_msg("%s\n--- got %d ---\n%s\n--- wanted ---\n%s", broken[i].source,
				err, error, broken[i].error);
		assert_false(template_has(set, PT_STR("x")));
		template_set_close(set);
	}
}

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

#endif

/*
 * Compiles arbitrary bytes in both syntaxes, with and without escaping, and renders what compiles.
 * Held on the way: an error names a line, nothing is added to the output of a failed rendering, and
 * in an HTML template no value of ours reaches the output as markup.
 */
#include <stdlib.h>

#include "base/str.h"
#include "base/template.h"

#include "base/banned.h"

/* An attribute that only the hostile value could have made. */
#define HOSTILE "\"'><i pwned>"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct value *values_make(struct arena *arena)
{
	struct value *map = value_map(arena);
	struct value *list = value_list(map, "l");
	struct value *child = value_child(map, "m");

	value_str(map, "x", PT_STR(HOSTILE));
	value_str(map, "u", PT_STR("javascript:" HOSTILE));
	value_int(map, "n", -7);
	value_bool(map, "b", true);
	value_fragment(map, "f", PT_STR("<b>ours</b>"));
	value_str(child, "x", PT_STR(HOSTILE));
	value_shared(child, "m", map);
	for (int i = 0; i < 3; i++)
		value_str(value_item(list), "x", PT_STR(HOSTILE));
	value_item_str(list, PT_STR(HOSTILE));
	return map;
}

static void render(const struct template_set *set, pt_str source, enum template_escape escape)
{
	struct arena *arena = arena_open(4 * MIB);
	struct buf b = BUF(arena, MIB);
	pt_err err = template_render(set, PT_STR("x"), values_make(arena), &b);

	if (err != PT_OK && (err != PT_F_RENDER || b.n != 0))
		abort();
	if (err == PT_OK && escape == TEMPLATE_HTML &&
		str_contains(buf_view(&b), PT_STR("<i pwned")) &&
		!str_contains(source, PT_STR("pwned")))
		abort();
	arena_close(arena);
}

static void try_one(pt_str source, enum template_syntax syntax, enum template_escape escape)
{
	struct template_set *set = template_set_open();
	char error[256];

	if (template_add(set, PT_STR("x"), PT_STR("x"), source, syntax, escape, error) != PT_OK) {
		if (!str_starts(str(error), PT_STR("x:")))
			abort();
	} else if (template_set_check(set, error) == PT_OK) {
		render(set, source, escape);
	}
	template_set_close(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pt_str source = str_n(data, size);

	try_one(source, TEMPLATE_MUSTACHE, TEMPLATE_HTML);
	try_one(source, TEMPLATE_MUSTACHE, TEMPLATE_TEXT);
	try_one(source, TEMPLATE_GO, TEMPLATE_HTML);
	try_one(source, TEMPLATE_GO, TEMPLATE_TEXT);
	return 0;
}

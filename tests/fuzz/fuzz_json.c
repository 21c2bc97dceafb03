/*
 * fuzz_json.c - whatever the bytes, the reader answers, keeps its limits, takes what another reader takes,
 * and what it accepted can be written and read again.
 */
#include <stdlib.h>

#include "base/json.h"
#include "base/str.h"
#include "json_oracle.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_tree(const struct json_value *value, size_t depth)
{
	check(depth <= 32);
	check(value->text.n <= 16 * KIB && value->name.n <= 16 * KIB);
	check(str_utf8(value->text) && str_utf8(value->name));
	check(value->type != JSON_OBJECT || value->n <= 256);
	for (size_t i = 0; i < value->n; i++) {
		if (value->type == JSON_OBJECT)
			check(json_find(value, value->items[i].name) == &value->items[i]);
		check_tree(&value->items[i], depth + 1);
	}
}

static void check_members(struct arena *arena, const struct json_member *members, size_t n)
{
	struct buf b = BUF(arena, 8 * MIB);
	struct json j = JSON(&b);
	struct json_member *again;
	size_t count;

	json_object(&j, NULL);
	for (size_t i = 0; i < n; i++)
		json_str(&j, members[i].name.p, members[i].value);
	json_object_end(&j);
	check(json_read_strings(arena, buf_view(&b), &again, &count) == PT_OK && count == n);
	for (size_t i = 0; i < n; i++) {
		check(str_eq(members[i].name, again[i].name));
		check(str_eq(members[i].value, again[i].value));
	}
}

/* Laid over itself, and over another, an object stays one; nothing of it is null then. */
static void check_merge(struct arena *arena, pt_str text)
{
	static const char *const bases[] = { "", "{}", "{\"a\":null,\"b\":[1,{\"c\":2}]}" };
	struct json_value value;
	pt_str merged;

	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		if (json_merge(arena, str(bases[i]), text, &merged) != PT_OK)
			continue;
		check(json_merge(arena, text, merged, &merged) == PT_OK);
		if (json_read(arena, merged, &value) != PT_OK)
			continue; /* an integer that only a merge carries */
		check(value.type == JSON_OBJECT);
		for (size_t k = 0; k < value.n; k++)
			check(value.items[k].type != JSON_NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open(64 * MIB);
	pt_str text = str_n(bytes, n);
	struct json_member *members;
	struct json_value value;
	size_t count;
	pt_err err;

	check(arena != NULL);
	err = json_read(arena, text, &value);
	check(err == PT_OK || err == PT_E_MALFORMED);
	check(json_check(text) == err);
	check((err == PT_OK) == json_oracle(bytes, n));
	if (err == PT_OK)
		check_tree(&value, value.type == JSON_OBJECT || value.type == JSON_ARRAY ? 0 : 1);
	if (json_read_strings(arena, text, &members, &count) == PT_OK)
		check_members(arena, members, count);
	check_merge(arena, text);
	arena_close(arena);
	return 0;
}

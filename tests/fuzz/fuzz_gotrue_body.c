/*
 * fuzz_gotrue_body.c - JSON bodies as the GoTrue dialect reads them, and configurations of instances,
 * which it walks member by member.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/str.h"
#include "surface/gotrue/gotrue.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A member's value stands in the text, and is whole. */
static void walk(struct arena *arena, pt_str text, int depth)
{
	struct member *members;
	const char *why;
	size_t n;

	if (body_members(arena, text, &members, &n, &why) != PT_OK) {
		if (!why)
			abort();
		return;
	}
	for (size_t i = 0; i < n; i++) {
		pt_str value = members[i].value;
		if (value.n == 0 || value.p < text.p || value.p + value.n > text.p + text.n ||
			!str_utf8(members[i].name))
			abort();
		if (value.p[0] == '{' && depth < 8)
			walk(arena, value, depth + 1);
	}
}

static void read_fields(struct arena *arena, pt_str body)
{
	pt_str text = PT_STR(""), map = PT_STR("");
	bool truth = false;
	const struct body_field fields[] = { { "a", BODY_TEXT, &text }, { "m", BODY_OBJECT, &map },
		{ "t", BODY_TRUTH, &truth } };
	const struct http_request rq = { .arena = arena, .body = body };
	struct visit visit = { .words = { 0 } };
	struct exchange ex = { .rq = &rq, .arena = arena, .own = &visit };

	pt_err err = BODY_READ(&ex, "No", fields);
	if (err == PT_E_MALFORMED && visit.words.status != 400)
		abort();
	if (err == PT_OK && (!str_utf8(text) || (map.n > 0 && json_check(map) != PT_OK)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_open(1 << 24);
	pt_str text = str_n(data, size);

	if (!arena)
		return 0;
	walk(arena, text, 0);
	read_fields(arena, text);
	(void)is_uuid(text);
	arena_close(arena);
	return 0;
}

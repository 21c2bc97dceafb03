/*
 * fuzz_fields.c - bodies of every type, and queries. The first line is the Content-Type.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "http/field.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fields_check(const struct fields *fields)
{
	if (fields->n > 256)
		abort();
	for (size_t i = 0; i < fields->n; i++) {
		const struct field *field = &fields->items[i];

		if (field->value.n > 4096 || !str_utf8(field->name) || !str_utf8(field->value))
			abort();
		if (str_find(field->value, '\0') != field->value.n)
			abort();
		if (!field_present(fields, field->name))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_open(1 << 22);
	struct http_header header = { .name = PT_STR("content-type") };
	struct http_request rq = { .arena = arena, .headers = &header, .n_headers = 1 };
	struct fields fields;

	if (arena == NULL)
		return 0;
	(void)str_cut(str_n(data, size), '\n', &header.value, &rq.body);
	if (fields_read(&rq, 0, &fields) == PT_OK)
		fields_check(&fields);
	if (fields_query(arena, rq.body, &fields) == PT_OK)
		fields_check(&fields);
	arena_close(arena);
	return 0;
}

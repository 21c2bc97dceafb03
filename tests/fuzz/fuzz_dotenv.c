/*
 * fuzz_dotenv.c - whatever the bytes, the reader answers, points at a line that is there, and gives
 * names that are names.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/str.h"
#include "server/dotenv.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static int lines(pt_str text)
{
	int count = 1;

	for (size_t i = 0; i < text.n; i++)
		count += text.p[i] == '\n';
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open(64 * MIB);
	pt_str text = str_n(bytes, n);
	struct dotenv_pair *pairs;
	const char *why = NULL;
	size_t count;
	int line = 0;

	check(arena != NULL);
	pt_err err = dotenv_read(arena, text, &pairs, &count, &line, &why);
	check(err == PT_OK || err == PT_E_MALFORMED || err == PT_F_MEMORY);
	if (err == PT_E_MALFORMED)
		check(line >= 1 && line <= lines(text) && why != NULL);
	for (size_t i = 0; err == PT_OK && i < count; i++) {
		check(pairs[i].name.n > 0 && pairs[i].line >= 1 && pairs[i].line <= lines(text));
		check(str_find(pairs[i].name, '=') == pairs[i].name.n);
	}
	arena_close(arena);
	return 0;
}

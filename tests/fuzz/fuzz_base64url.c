/*
 * fuzz_base64url.c - what is read is written the same again, so there is one spelling of everything;
 * and whatever is written can be read.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth)
{
	if (!truth)
		abort();
}

static pt_str write(struct arena *arena, pt_str bytes)
{
	struct buf b = BUF(arena, 4 * MIB);
	pt_str text;

	buf_base64url(&b, bytes.p, bytes.n);
	must(buf_done(&b, &text) == PT_OK);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_open(16 * MIB);
	pt_str text = str_n((const char *)data, size), bytes;

	must(arena != NULL);
	pt_err err = base64url_read(arena, text, &bytes);
	must(err == PT_OK || err == PT_E_MALFORMED);
	if (err == PT_OK)
		must(str_eq(write(arena, bytes), text));
	must(base64url_read(arena, write(arena, text), &bytes) == PT_OK);
	must(str_eq(bytes, text));
	arena_close(arena);
	return 0;
}

/*
 * fuzz_cookie.c - what browsers and others send as Cookie and Accept. A value that was read can be
 * set again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/str.h"
#include "http/accept.h"
#include "http/cookie.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_open(1 << 20);
	struct http_header header = { PT_STR("cookie"), str_n(data, size) };
	struct http_request rq = { .arena = arena, .headers = &header, .n_headers = 1 };
	struct accept_match match = accept_type(header.value, PT_STR("text/html"));
	struct http_response rs;
	pt_str value;

	if (arena == NULL)
		return 0;
	if (match.q < 0 || match.q > 1000 || (match.explicit && match.q == 0))
		abort();
	value = cookie_value(&rq, PT_STR("session"));
	http_response_init(&rs, arena);
	if (value.n < 4000) {
		cookie_set(&rs, &(struct cookie){ .name = PT_STR("session"), .value = value });
		if (rs.failed)
			abort();
	}
	arena_close(arena);
	return 0;
}

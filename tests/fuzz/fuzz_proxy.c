/*
 * fuzz_proxy.c - what proxies, and those who pose as proxies, say: the PROXY protocol, addresses,
 * networks, X-Forwarded-For and Forwarded.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "http/proxy.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An address that was read is written in a way that reads as the same. */
static void address_check(pt_str text)
{
	struct address address, again;
	char out[46];

	if (!address_parse(text, &address))
		return;
	address_format(&address, out);
	if (!address_parse(str(out), &again) || memcmp(address.bytes, again.bytes, 16) != 0)
		abort();
}

/* A header does not change when more bytes follow, and never ends behind what there is. */
static void header_check(const uint8_t *data, size_t size)
{
	struct address client = { 0 };
	int n = proxy_header_parse(data, size, &client);

	if (n > (int)size)
		abort();
	if (n > 0 && proxy_header_parse(data, (size_t)n, &client) != n)
		abort();
	for (size_t i = 0; n > 0 && i < (size_t)n; i++) {
		if (proxy_header_parse(data, i, &client) != 0)
			abort();
	}
}

static void hops_check(struct arena *arena, const char *name, pt_str value)
{
	static const struct network ten[] = {
		{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10 }, 104 },
	};
	static const struct networks trusted = { ten, 1, false };
	struct http_header header = { str(name), value };
	struct http_request rq = {
		.arena = arena,
		.headers = &header,
		.n_headers = 1,
		.peer = PT_STR("10.0.0.1"),
	};
	struct address client;

	if (proxy_resolve(&rq, &trusted) == PT_OK && !address_parse(rq.client, &client))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_open(1 << 20);
	pt_str text = str_n(data, size), bad;
	struct networks networks;

	if (arena == NULL)
		return 0;
	address_check(text);
	header_check(data, size);
	hops_check(arena, "x-forwarded-for", text);
	hops_check(arena, "forwarded", text);
	(void)networks_parse(arena, text, &networks, &bad);
	arena_close(arena);
	return 0;
}

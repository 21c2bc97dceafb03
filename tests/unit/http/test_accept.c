/*
 * test_accept.c - how much a client wants a media type.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "http/accept.h"

#include "base/banned.h"

static const struct {
	const char *header, *type;
	int q;
	bool explicit;
} rows[] = {
	{ "", "text/html", 1000, false },
	{ " ", "text/html", 1000, false },
	{ "*/*", "text/html", 1000, false },
	{ "text/*;q=0.5", "text/html", 500, false },
	{ "text/html", "text/html", 1000, true },
	{ "TEXT/HTML; Q=0.25", "text/html", 250, true },
	{ "application/json", "text/html", 0, false },
	{ "text/html;q=1", "text/html", 1000, true },
	{ "text/html;q=0.123", "text/html", 123, true },
	{ "text/html;q=1.", "text/html", 1000, true },
	{ "text/html;q=0x5", "text/html", 0, false },
	{ "text/html;q=0", "text/html", 0, false },
	{ "text/html;q=0, */*", "text/html", 0, false },
	{ "*/*, text/html;q=0.1", "text/html", 100, true },
	{ "text/*;q=0.3, */*;q=0.9", "text/html", 300, false },
	{ "text/html;level=1;q=0.7", "text/html", 700, true },
	{ "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json",
		800, false },
	{ "text/html;q=2", "text/html", 0, false },
	{ "text/html;q=abc", "text/html", 0, false },
	{ "text/html;q=1.001", "text/html", 0, false },
	{ "text/html;q=0.1234", "text/html", 0, false },
	{ "text/html;q=-1", "text/html", 0, false },
	{ "text/html;q=", "text/html", 0, false },
	{ ",,;,", "text/html", 0, false },
	{ "text", "text/html", 0, false },
};

static void ranges_and_weights_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct accept_match match = accept_type(str(rows[i].header), str(rows[i].type));

		if (match.q != rows[i].q || match.explicit != rows[i].explicit)
			fail_msg("\"%s\" said %d %d of %s", rows[i].header, match.q, match.explicit,
				rows[i].type);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_and_weights_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

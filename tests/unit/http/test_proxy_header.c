/*
 * test_proxy_header.c - the PROXY protocol.
 */
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "http/proxy.h"

#include "base/banned.h"

static struct address client;

static int parse(const char *p, size_t n)
{
	memset(&client, 0, sizeof(client));
	return proxy_header_parse((const uint8_t *)p, n, &client);
}

static int parse_text(const char *text)
{
	return parse(text, strlen(text));
}

static void expect_client(const char *text)
{
	char out[46];

	assert_true(client.known);
	address_format(&client, out);
	assert_string_equal(out, text);
}

static void version_1_names_the_client(void **state)
{
	(void)state;
	assert_int_equal(parse_text("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nGET"), 42);
	expect_client("192.0.2.1");
	assert_int_equal(parse_text("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"), 32);
	expect_client("2001:db8::1");
	assert_int_equal(parse_text("PROXY UNKNOWN\r\n"), 15);
	assert_false(client.known);
	assert_int_equal(parse_text("PROXY UNKNOWN ::1 ::1 1 2\r\n"), 27);
	assert_false(client.known);
}

static void a_part_of_a_header_waits_for_the_rest(void **state)
{
	const char *line = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";

	(void)state;
	for (size_t n = 0; n < strlen(line); n++)
		assert_int_equal(parse(line, n), 0);
}

static void what_is_no_header_is_refused(void **state)
{
	static const char *const bad[] = { "GET / HTTP/1.1\r\n", "PROXY TCP4 1.2.3.4\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\n", "PROXY TCP4 ::1 ::1 1 2\r\n",
		"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", "PROXY TCP4 a b 1 2\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
		"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", "PROXY TCP5 1.1.1.1 1.1.1.1 1 2\r\n",
		"PROXY\r\n", "proxy UNKNOWN\r\n", "\x16\x03\x01", "\r\n\r\n\r" };
	char long_line[200];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse_text(bad[i]) != -1)
			fail_msg("%s", bad[i]);
	}
	memset(long_line, ' ', sizeof(long_line));
	memcpy(long_line, "PROXY UNKNOWN", 13);
	assert_int_equal(parse(long_line, 106), 0);
	assert_int_equal(parse(long_line, 107), -1);
}

#define V2 "\r\n\r\n\0\r\nQUIT\n"

static void version_2_names_the_client(void **state)
{
	static const char v4[] = V2 "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\0\2GET";
	static const char v6[] = V2 "\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
				    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1\0\2";

	(void)state;
	assert_int_equal(parse(v4, sizeof(v4) - 1), 28);
	expect_client("192.0.2.1");
	assert_int_equal(parse(v6, sizeof(v6) - 1), 52);
	expect_client("2001:db8::1");
	for (size_t n = 0; n < 28; n++)
		assert_int_equal(parse(v4, n), 0);
}

static void local_and_unknown_families_say_nothing_of_the_client(void **state)
{
	static const char local[] = V2 "\x20\0\0\0";
	static const char unix_family[] = V2 "\x21\x31\0\2ab";

	(void)state;
	assert_int_equal(parse(local, sizeof(local) - 1), 16);
	assert_false(client.known);
	assert_int_equal(parse(unix_family, sizeof(unix_family) - 1), 18);
	assert_false(client.known);
}

static void broken_version_2_is_refused(void **state)
{
	static const char version[] = V2 "\x11\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\0\2";
	static const char command[] = V2 "\x22\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\0\2";
	static const char too_short[] = V2 "\x21\x11\0\4\xc0\0\2\1";
	static const char too_long[] = V2 "\x21\x11\xff\xff\xc0\0\2\1";

	(void)state;
	assert_int_equal(parse(version, sizeof(version) - 1), -1);
	assert_int_equal(parse(command, sizeof(command) - 1), -1);
	assert_int_equal(parse(too_short, sizeof(too_short) - 1), -1);
	assert_int_equal(parse(too_long, sizeof(too_long) - 1), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_1_names_the_client),
		cmocka_unit_test(a_part_of_a_header_waits_for_the_rest),
		cmocka_unit_test(what_is_no_header_is_refused),
		cmocka_unit_test(version_2_names_the_client),
		cmocka_unit_test(local_and_unknown_families_say_nothing_of_the_client),
		cmocka_unit_test(broken_version_2_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_head.c - our own judgement of a header block.
 */
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "http/head.h"

#include "base/banned.h"

static int scan(const char *block, size_t *length)
{
	struct head_scan scan = { 0 };

	return head_scan(&scan, str(block), &http_default_limits, length);
}

static void a_block_ends_in_an_empty_line(void **state)
{
	const char *block = "GET / HTTP/1.1\r\nHost: a\r\n\r\nbody";
	size_t length;

	(void)state;
	assert_int_equal(scan(block, &length), 0);
	assert_int_equal(length, strlen(block) - 4);
	assert_int_equal(scan("GET / HTTP/1.1\r\nHost: a\r\n", &length), 0);
	assert_int_equal(length, 0);
}

static void a_block_may_come_byte_by_byte(void **state)
{
	const char *block = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	struct head_scan scan = { 0 };
	size_t length;

	(void)state;
	for (size_t n = 1; n < strlen(block); n++) {
		assert_int_equal(
			head_scan(&scan, str_n(block, n), &http_default_limits, &length), 0);
		assert_int_equal(length, 0);
	}
	assert_int_equal(head_scan(&scan, str(block), &http_default_limits, &length), 0);
	assert_int_equal(length, strlen(block));
}

static void lines_that_can_be_read_in_two_ways_are_refused(void **state)
{
	static const char *const bad[] = {
		"GET / HTTP/1.1\nHost: a\n\n",
		"GET / HTTP/1.1\r\nHost: a\n\r\n",
		"GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n",
		"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
		"GET / HTTP/1.1\r\nA: b\r\n\tfolded\r\n\r\n",
		"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
		"GET / HTTP/1.1\r\nA: b\r\r\n\r\n",
		"\r\n",
		"\x16\x03\x01\x02",
		"GET /\r\n",
		"\xa3GET / HTTP/1.1\r\nHost: a\r\n",
		" GET",
	};
	size_t length;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (scan(bad[i], &length) != 400)
			fail_msg("%s", bad[i]);
	}
}

static char text[64 * 1024];

static int scan_filled(const char *before, char fill, size_t n, const char *after)
{
	size_t b = strlen(before), length;

	memcpy(text, before, b);
	memset(text + b, fill, n);
	memcpy(text + b + n, after, strlen(after) + 1);
	return scan(text, &length);
}

static void caps_answer_before_memory_grows(void **state)
{
	const size_t frame = strlen("GET / HTTP/1.1");

	(void)state;
	assert_int_equal(scan_filled("GET /", 'a', 8192 - frame, " HTTP/1.1\r\n\r\n"), 0);
	assert_int_equal(scan_filled("GET /", 'a', 8193 - frame, " HTTP/1.1\r\n\r\n"), 414);
	assert_int_equal(scan_filled("GET /", 'a', 9000, ""), 414);
	assert_int_equal(scan_filled("GET / HTTP/1.1\r\nA: ", 'a', 16000, "\r\n\r\n"), 0);
	assert_int_equal(scan_filled("GET / HTTP/1.1\r\nA: ", 'a', 16384, "\r\n\r\n"), 431);
	assert_int_equal(scan_filled("GET / HTTP/1.1\r\nA: ", 'a', 17000, ""), 431);
}

static int scan_fields(size_t n)
{
	size_t at = strlen("GET / HTTP/1.1\r\n"), length;

	memcpy(text, "GET / HTTP/1.1\r\n", at);
	for (size_t i = 0; i < n; i++, at += 6)
		memcpy(text + at, "A: b\r\n", 6);
	memcpy(text + at, "\r\n", 3);
	return scan(text, &length);
}

static void sixty_four_fields_and_not_one_more(void **state)
{
	(void)state;
	assert_int_equal(scan_fields(64), 0);
	assert_int_equal(scan_fields(65), 431);
}

static const struct {
	const char *line;
	int status;
} lines[] = {
	{ "GET / HTTP/1.1", 0 },
	{ "get / HTTP/1.1", 0 },
	{ "BREW /pot HTTP/1.1", 0 },
	{ "GET / HTTP/1.0", 0 },
	{ "GET /", 400 },
	{ "GET  / HTTP/1.1", 400 },
	{ "GET / HTTP/1.1 ", 400 },
	{ "GET / / HTTP/1.1", 400 },
	{ "GET / HTTP/1.2", 505 },
	{ "GET / HTTP/2.0", 505 },
	{ "GET / HTTP/0.9", 505 },
	{ "GET / http/1.1", 400 },
	{ "GET / HTTP/11", 400 },
	{ "PRI * HTTP/2.0", 400 },
	{ "G@T / HTTP/1.1", 400 },
	{ " / HTTP/1.1", 400 },
	{ "", 400 },
};

static void request_lines_have_three_parts(void **state)
{
	struct head_line line;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (head_line_read(str(lines[i].line), &line) != lines[i].status)
			fail_msg("%s", lines[i].line);
	}
}

static void methods_are_matched_byte_by_byte(void **state)
{
	(void)state;
	assert_int_equal(head_method(PT_STR("PATCH")), HTTP_PATCH);
	assert_int_equal(head_method(PT_STR("get")), HTTP_OTHER);
	assert_int_equal(head_method(PT_STR("GETX")), HTTP_OTHER);
}

static const struct {
	const char *target, *path, *query, *authority;
} targets[] = {
	{ "/", "/", "", "" },
	{ "/a/b/", "/a/b/", "", "" },
	{ "/a?b=/../c", "/a", "b=/../c", "" },
	{ "/%41%c3%a4", "/A\xc3\xa4", "", "" },
	{ "/%2541", "/%41", "", "" },
	{ "/.well-known/x", "/.well-known/x", "", "" },
	{ "/...", "/...", "", "" },
	{ "/a..", "/a..", "", "" },
	{ "http://h:1/x?y", "/x", "y", "h:1" },
	{ "HTTPS://h", "/", "", "h" },
	/* to be refused */
	{ "a", NULL, NULL, NULL },
	{ "//", NULL, NULL, NULL },
	{ "//user", NULL, NULL, NULL },
	{ "/a//b", NULL, NULL, NULL },
	{ "/a//", NULL, NULL, NULL },
	{ "/.", NULL, NULL, NULL },
	{ "/..", NULL, NULL, NULL },
	{ "/a/./b", NULL, NULL, NULL },
	{ "/a/../b", NULL, NULL, NULL },
	{ "/a/..", NULL, NULL, NULL },
	{ "/%2e%2e/user", NULL, NULL, NULL },
	{ "/%2e/user", NULL, NULL, NULL },
	{ "/admin/..;/health", NULL, NULL, NULL },
	{ "/user;x=1", NULL, NULL, NULL },
	{ "/user%3bx", NULL, NULL, NULL },
	{ "/user%2f", NULL, NULL, NULL },
	{ "/user%2F", NULL, NULL, NULL },
	{ "/user%00", NULL, NULL, NULL },
	{ "/user%0a", NULL, NULL, NULL },
	{ "/user%5c", NULL, NULL, NULL },
	{ "/us\\u0065r", NULL, NULL, NULL },
	{ "/user%", NULL, NULL, NULL },
	{ "/user%4", NULL, NULL, NULL },
	{ "/user%zz", NULL, NULL, NULL },
	{ "/%ff", NULL, NULL, NULL },
	{ "/%C0%AF", NULL, NULL, NULL },
	{ "/\xc3\xa4", NULL, NULL, NULL },
	{ "/a#b", NULL, NULL, NULL },
	{ "/a?b#c", NULL, NULL, NULL },
	{ "ftp://h/", NULL, NULL, NULL },
	{ "http:///x", NULL, NULL, NULL },
	{ "http://", NULL, NULL, NULL },
};

static void paths_that_need_normalising_are_refused(void **state)
{
	struct arena *arena = arena_open(1 << 16);

	(void)state;
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		struct head_target target;
		int status = head_target_read(arena, str(targets[i].target), &target);

		if (status != (targets[i].path ? 0 : 400))
			fail_msg("%s", targets[i].target);
		if (status != 0)
			continue;
		assert_true(str_eq(target.path, str(targets[i].path)));
		assert_true(str_eq(target.query, str(targets[i].query)));
		assert_true(str_eq(target.authority, str(targets[i].authority)));
	}
	arena_close(arena);
}

static void hosts_are_names_or_addresses_with_a_port(void **state)
{
	static const char *const good[] = { "a", "a:80", "A.example", "127.0.0.1:8080", "[::1]",
		"[::1]:65535", "a_b", "xn--bcher-kva.example" };
	static const char *const bad[] = { "", "a@b", "a b", "[::1", "a:99999", "a:0", "a:", ":80",
		"a:b", "a/b", "a,b", "[]", "[::1]x", "[::1]:", "[1.2.3.4]", "[fe80::1%25eth0]",
		".a", "a:80:80", "\xc3\xa4", "a?b", "a#b" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!head_host_is(str(good[i])))
			fail_msg("%s", good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (head_host_is(str(bad[i])))
			fail_msg("%s", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_ends_in_an_empty_line),
		cmocka_unit_test(a_block_may_come_byte_by_byte),
		cmocka_unit_test(lines_that_can_be_read_in_two_ways_are_refused),
		cmocka_unit_test(caps_answer_before_memory_grows),
		cmocka_unit_test(sixty_four_fields_and_not_one_more),
		cmocka_unit_test(request_lines_have_three_parts),
		cmocka_unit_test(methods_are_matched_byte_by_byte),
		cmocka_unit_test(paths_that_need_normalising_are_refused),
		cmocka_unit_test(hosts_are_names_or_addresses_with_a_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

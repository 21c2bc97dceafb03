/*
 * test_listen.c - words for addresses, and what happens when somebody listens already.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "server/listen.h"

#include "base/banned.h"

static struct listen_specs parsed(const char *words)
{
	struct listen_specs specs = { 0 };
	pt_str bad;

	if (!listen_parse(str(words), &specs, &bad))
		fail_msg("%s: `%.*s`", words, (int)bad.n, bad.p);
	return specs;
}

static void refused(const char *words, const char *which)
{
	struct listen_specs specs = { 0 };
	pt_str bad = PT_STR("");

	assert_false(listen_parse(str(words), &specs, &bad));
	assert_true(str_eq(bad, str(which)));
}

static void an_address_and_port_is_read(void **state)
{
	struct listen_specs specs = parsed("127.0.0.1:8080");

	(void)state;
	assert_int_equal(specs.n, 1);
	assert_int_equal(specs.items[0].at.v4.sin_family, AF_INET);
	assert_int_equal(ntohs(specs.items[0].at.v4.sin_port), 8080);
	assert_int_equal(ntohl(specs.items[0].at.v4.sin_addr.s_addr), INADDR_LOOPBACK);
	assert_false(specs.items[0].proxy_header);
}

static void a_bare_port_means_all_addresses(void **state)
{
	struct listen_specs specs = parsed(":80");

	(void)state;
	assert_int_equal(specs.n, 2);
	assert_int_equal(specs.items[0].at.v4.sin_addr.s_addr, INADDR_ANY);
	assert_int_equal(specs.items[1].at.v6.sin6_family, AF_INET6);
	assert_true(specs.items[1].optional);
}

static void localhost_means_both_loopbacks(void **state)
{
	struct listen_specs specs = parsed("localhost:8080");

	(void)state;
	assert_int_equal(specs.n, 2);
	assert_string_equal(specs.items[0].text, "127.0.0.1:8080");
	assert_string_equal(specs.items[1].text, "[::1]:8080");
}

static void several_kinds_stand_in_one_list(void **state)
{
	struct listen_specs specs = parsed("[::1]:81 , unix:/run/p.sock;proxy,systemd");

	(void)state;
	assert_int_equal(specs.n, 3);
	assert_int_equal(specs.items[0].at.v6.sin6_family, AF_INET6);
	assert_false(specs.items[0].optional);
	assert_int_equal(specs.items[1].kind, LISTEN_UNIX);
	assert_string_equal(specs.items[1].at.un.sun_path, "/run/p.sock");
	assert_true(specs.items[1].proxy_header);
	assert_int_equal(specs.items[2].kind, LISTEN_SYSTEMD);
	assert_false(specs.items[2].proxy_header);
}

static void what_is_no_address_is_refused_by_name(void **state)
{
	(void)state;
	refused("8080", "8080");
	refused("127.0.0.1:8080,example:80", "example:80");
	refused("127.0.0.1:0", "127.0.0.1:0");
	refused(":65536", ":65536");
	refused("unix:relative", "unix:relative");
	refused(":80;other", ":80;other");
	refused("[::1:80", "[::1:80");
	refused(":80,,:81", "");
}

static int port_of(int fd)
{
	struct sockaddr_in at;
	socklen_t n = sizeof(at);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	return ntohs(at.sin_port);
}

/* The kernel chooses a free one. */
static struct listen_specs free_port(void)
{
	struct listen_specs specs = parsed("127.0.0.1:1");

	specs.items[0].at.v4.sin_port = 0;
	return specs;
}

static void a_listening_socket_takes_connections(void **state)
{
	struct listen_specs specs = free_port();
	struct listeners listeners = { 0 };

	(void)state;
	assert_int_equal(listen_open(&specs, true, &listeners), PT_OK);
	assert_int_equal(listeners.n, 1);
	assert_true(listeners.items[0].ops);
	struct sockaddr_in at = specs.items[0].at.v4;
	at.sin_port = htons((uint16_t)port_of(listeners.items[0].fd));
	int client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof(at)), 0);
	close(client);
	listeners_close(&listeners);
}

static void a_taken_port_is_a_fault(void **state)
{
	struct listen_specs specs = free_port();
	struct listeners first = { 0 }, second = { 0 };

	(void)state;
	assert_int_equal(listen_open(&specs, false, &first), PT_OK);
	specs.items[0].at.v4.sin_port = htons((uint16_t)port_of(first.items[0].fd));
	assert_int_equal(listen_open(&specs, false, &second), PT_F_IO);
	assert_int_equal(second.n, 0);
	listeners_close(&first);
	listeners_close(&second);
}

static void a_socket_file_left_behind_is_replaced(void **state)
{
	char words[80], path[64];
	struct listeners first = { 0 }, second = { 0 }, third = { 0 };
	struct stat st;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test-listen-%ld.sock", (long)getpid());
	snprintf(words, sizeof(words), "unix:%s", path);
	struct listen_specs specs = parsed(words);
	assert_int_equal(listen_open(&specs, false, &first), PT_OK);
	/* Somebody answers there: it is not ours to take. */
	assert_int_equal(listen_open(&specs, false, &second), PT_F_IO);
	close(first.items[0].fd);
	first.items[0].fd = -1;
	assert_int_equal(listen_open(&specs, false, &third), PT_OK);
	listeners_close(&third);
	assert_int_not_equal(lstat(path, &st), 0);
}

static void systemd_without_a_socket_is_a_fault(void **state)
{
	struct listen_specs specs = parsed("systemd");
	struct listeners listeners = { 0 };

	(void)state;
	unsetenv("LISTEN_FDS");
	assert_int_equal(listen_open(&specs, false, &listeners), PT_F_IO);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", "1", 1);
	assert_int_equal(listen_open(&specs, false, &listeners), PT_F_IO);
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_PID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_and_port_is_read),
		cmocka_unit_test(a_bare_port_means_all_addresses),
		cmocka_unit_test(localhost_means_both_loopbacks),
		cmocka_unit_test(several_kinds_stand_in_one_list),
		cmocka_unit_test(what_is_no_address_is_refused_by_name),
		cmocka_unit_test(a_listening_socket_takes_connections),
		cmocka_unit_test(a_taken_port_is_a_fault),
		cmocka_unit_test(a_socket_file_left_behind_is_replaced),
		cmocka_unit_test(systemd_without_a_socket_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

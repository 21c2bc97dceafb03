/*
 * test_fetch_guard.c - which addresses others may send us to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netdb.h>
#include <netinet/in.h>

#include "base/fetch_guard.h"
#include "base/str.h"

#include "base/banned.h"

/* As a name resolver reads it: all spellings of IPv4 that inet_aton(3) knows, and IPv6. */
static bool is_public(const char *spelling)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM }, *list;
	bool answer;

	if (getaddrinfo(spelling, NULL, &hints, &list) != 0)
		fail_msg("%s is not an address", spelling);
	answer = guard_is_public(list->ai_addr, list->ai_addrlen);
	freeaddrinfo(list);
	return answer;
}

static void every_spelling_of_home_is_refused(void **state)
{
	static const char *const spellings[] = { "127.0.0.1", "127.1", "0", "0.0.0.0", "2130706433",
		"0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.255.255.255",
		"::", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::FFFF:7f00:1",
		"64:ff9b::7f00:1", "64:ff9b::127.0.0.1", "::127.0.0.1",
		"2002:7f00:1::", "2002:7f00:0001::1" };

	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		if (is_public(spellings[i]))
			fail_msg("%s passes", spellings[i]);
	}
}

static void private_and_reserved_networks_are_refused(void **state)
{
	static const char *const spellings[] = { "10.0.0.0", "10.255.255.255", "100.64.0.1",
		"100.127.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8",
		"192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1",
		"198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255",
		"240.0.0.1", "255.255.255.255", "fd00::", "fdff::1", "fc00::1", "fe80::1",
		"febf::1", "fec0::1", "ff02::1", "100::1", "2001::1", "2001:1ff::1", "2001:db8::1",
		"2002::1", "3fff::1", "3fff:fff::1", "5f00::1", "4000::1", "1fff::1",
		"64:ff9b:1::1", "64:ff9b::10.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1" };

	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		if (is_public(spellings[i]))
			fail_msg("%s passes", spellings[i]);
	}
}

static void public_neighbours_of_them_pass(void **state)
{
	static const char *const spellings[] = { "9.255.255.255", "11.0.0.0", "100.63.255.255",
		"100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.1",
		"172.15.255.255", "172.32.0.1", "192.0.1.1", "192.0.3.1", "192.167.1.1",
		"192.169.1.1", "198.17.255.255", "198.20.0.1", "223.255.255.255", "8.8.8.8",
		"134744072", "2606:4700::1111", "2001:200::1", "2001:db7::1", "2003::1", "3ffe::1",
		"2000::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8" };

	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		if (!is_public(spellings[i]))
			fail_msg("%s is refused", spellings[i]);
	}
}

static void other_families_and_short_addresses_are_refused(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr unix_like = { .sa_family = AF_UNIX };

	(void)state;
	in.sin_addr.s_addr = htonl(0x08080808);
	assert_true(guard_is_public((struct sockaddr *)&in, sizeof(in)));
	assert_false(guard_is_public((struct sockaddr *)&in, sizeof(in) - 1));
	assert_false(guard_is_public(&unix_like, sizeof(unix_like)));
}

static void loopback_is_known(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	(void)state;
	in.sin_addr.s_addr = htonl(0x7F000101);
	assert_true(guard_is_loopback((struct sockaddr *)&in, sizeof(in)));
	assert_true(guard_is_loopback((struct sockaddr *)&in6, sizeof(in6)));
	in.sin_addr.s_addr = htonl(0x80000001);
	in6.sin6_addr.s6_addr[15] = 2;
	assert_false(guard_is_loopback((struct sockaddr *)&in, sizeof(in)));
	assert_false(guard_is_loopback((struct sockaddr *)&in6, sizeof(in6)));
}

static bool is_network(const char *text)
{
	struct guard_network network;

	return guard_network_parse(str(text), &network);
}

static void networks_are_read(void **state)
{
	static const char *const good[] = { "10.0.0.0/8", "127.0.0.1", "0.0.0.0/0",
		"192.168.1.0/24", "255.255.255.255/32", "::1", "::/0", "fd00::/8", "fe80::1/128",
		"::ffff:10.0.0.0/104" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!is_network(good[i]))
			fail_msg("%s is refused", good[i]);
	}
}

static void what_is_no_network_is_refused(void **state)
{
	static const char *const bad[] = { "", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
		"10.0.0.0/8/8", "10.0.0.1/8", "10/8", "127.1", "0x7f.0.0.1", "2130706433",
		"localhost", "::1/129", "fd00::1/8", "[::1]", "10.0.0.0 /8", "fe80::1%lo",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (is_network(bad[i]))
			fail_msg("%s passes", bad[i]);
	}
}

static bool is_among(const char *spelling, const char *text)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM }, *list;
	struct guard_network network;
	bool answer;

	assert_true(guard_network_parse(str(text), &network));
	assert_int_equal(getaddrinfo(spelling, NULL, &hints, &list), 0);
	answer = guard_is_among(list->ai_addr, list->ai_addrlen, &network, 1);
	freeaddrinfo(list);
	return answer;
}

static void a_network_holds_its_own_and_no_neighbour(void **state)
{
	(void)state;
	assert_true(is_among("10.0.0.0", "10.0.0.0/8"));
	assert_true(is_among("10.255.255.255", "10.0.0.0/8"));
	assert_false(is_among("11.0.0.0", "10.0.0.0/8"));
	assert_true(is_among("::ffff:10.1.2.3", "10.0.0.0/8"));
	assert_true(is_among("192.168.1.7", "192.168.1.4/30"));
	assert_false(is_among("192.168.1.8", "192.168.1.4/30"));
	assert_true(is_among("fd12::1", "fd00::/8"));
	assert_false(is_among("fe00::1", "fd00::/8"));
	assert_false(is_among("64:ff9b::10.0.0.1", "10.0.0.0/8"));
	assert_false(is_among("10.0.0.1", "10.0.0.2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_spelling_of_home_is_refused),
		cmocka_unit_test(private_and_reserved_networks_are_refused),
		cmocka_unit_test(public_neighbours_of_them_pass),
		cmocka_unit_test(other_families_and_short_addresses_are_refused),
		cmocka_unit_test(loopback_is_known),
		cmocka_unit_test(networks_are_read),
		cmocka_unit_test(what_is_no_network_is_refused),
		cmocka_unit_test(a_network_holds_its_own_and_no_neighbour),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_proxy.c - who is really asking.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "http/proxy.h"

#include "asked.h"

#include "base/banned.h"

static struct asked asked;
static struct networks trusted;

static int make(void **state)
{
	pt_str bad;

	(void)state;
	asked_open(&asked);
	return networks_parse(asked.arena, PT_STR("10.0.0.0/8, 192.0.2.1"), &trusted, &bad) ? 0
											    : -1;
}

static int forget(void **state)
{
	(void)state;
	asked_close(&asked);
	return 0;
}

static void resolve(const char *peer, const char *name, const char *value)
{
	asked.rq.n_headers = 0;
	asked.rq.tls = false;
	asked.rq.peer = str(peer);
	if (name)
		asked_header(&asked, name, value);
	assert_int_equal(proxy_resolve(&asked.rq, &trusted), PT_OK);
}

static void expect(const char *client, bool known)
{
	if (!str_eq(asked.rq.client, str(client)) || asked.rq.client_known != known)
		fail_msg("%.*s %d", (int)asked.rq.client.n, asked.rq.client.p,
			asked.rq.client_known);
}

/* ---- addresses ---- */

static void addresses_have_one_spelling(void **state)
{
	static const struct {
		const char *text, *canonical;
	} rows[] = {
		{ "1.2.3.4", "1.2.3.4" },
		{ "::ffff:1.2.3.4", "1.2.3.4" },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1" },
		{ "::", "::" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct address address;
		char text[46];

		assert_true(address_parse(str(rows[i].text), &address));
		address_format(&address, text);
		assert_string_equal(text, rows[i].canonical);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = { "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4",
		"[::1]", "fe80::1%eth0", "::1::", "example.org", "1.2.3.4:80", " 1.2.3.4" };
	struct address address;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (address_parse(str(bad[i]), &address))
			fail_msg("%s", bad[i]);
	}
}

static bool is_private(const char *text)
{
	struct address address;

	assert_true(address_parse(str(text), &address));
	return address_is_private(&address);
}

static void private_networks_are_known(void **state)
{
	static const char *const in[] = { "127.0.0.1", "10.255.0.1", "172.16.0.1", "172.31.255.255",
		"192.168.0.1", "169.254.1.1", "100.64.0.1", "100.127.0.1", "0.0.0.0", "::", "::1",
		"fc00::1", "fdff::1", "fe80::1", "::ffff:10.0.0.1" };
	static const char *const out[] = { "8.8.8.8", "172.15.0.1", "172.32.0.1", "192.169.0.1",
		"100.63.0.1", "100.128.0.1", "11.0.0.1", "::2", "2001:db8::1", "fec0::1" };

	(void)state;
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		if (!is_private(in[i]))
			fail_msg("%s", in[i]);
	}
	for (size_t i = 0; i < sizeof(out) / sizeof(out[0]); i++) {
		if (is_private(out[i]))
			fail_msg("%s", out[i]);
	}
}

/* ---- networks ---- */

static bool holds(const char *text, const char *member)
{
	struct networks networks;
	struct address address;
	pt_str bad;

	assert_true(networks_parse(asked.arena, str(text), &networks, &bad));
	assert_true(address_parse(str(member), &address));
	return address_in(&address, &networks);
}

static void networks_hold_their_members(void **state)
{
	(void)state;
	assert_true(holds("10.0.0.0/8", "10.1.2.3"));
	assert_false(holds("10.0.0.0/8", "11.0.0.0"));
	assert_true(holds("10.0.0.0/9", "10.127.0.1"));
	assert_false(holds("10.0.0.0/9", "10.128.0.1"));
	assert_true(holds("0.0.0.0/0", "8.8.8.8"));
	assert_false(holds("0.0.0.0/0", "2001:db8::1"));
	assert_true(holds("::/0", "8.8.8.8"));
	assert_true(holds("2001:db8::/32", "2001:db8:ffff::"));
	assert_true(holds("1.2.3.4 ::1", "::1"));
	assert_true(holds("1.2.3.4,,  ::2,::1", "::1"));
	assert_false(holds("", "::1"));
}

static void bad_networks_are_named(void **state)
{
	static const char *const bad[] = { "x", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1",
		"10.0.0.0/8/8", "Unix" };
	struct networks networks;
	pt_str part;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf b = BUF(asked.arena, 64);

		buf_str(&b, PT_STR("::1, "));
		buf_str(&b, str(bad[i]));
		assert_false(networks_parse(asked.arena, buf_view(&b), &networks, &part));
		assert_true(str_eq(part, str(bad[i])));
	}
}

/* ---- clients ---- */

static void a_stranger_is_who_he_is(void **state)
{
	(void)state;
	resolve("203.0.113.9", "x-forwarded-for", "1.1.1.1");
	expect("203.0.113.9", true);
	resolve("192.168.1.1", "x-forwarded-for", "1.1.1.1");
	expect("192.168.1.1", false);
	resolve("203.0.113.9", "x-forwarded-proto", "https");
	assert_false(asked.rq.tls);
}

static void a_trusted_peer_names_the_client(void **state)
{
	static const struct {
		const char *hops, *client;
	} rows[] = {
		{ "1.1.1.1", "1.1.1.1" },
		{ "9.9.9.9, 1.1.1.1", "1.1.1.1" },
		{ "9.9.9.9, 1.1.1.1, 10.0.0.7", "1.1.1.1" },
		{ "9.9.9.9,1.1.1.1,192.0.2.1 , 10.0.0.7", "1.1.1.1" },
		{ "10.0.0.8, 10.0.0.7", "10.0.0.8" },
		{ "1.1.1.1, unknown, 10.0.0.7", "10.0.0.7" },
		{ "1.1.1.1:4711", "1.1.1.1" },
		{ "[2001:db8::1]:4711", "2001:db8::1" },
		{ "::ffff:1.1.1.1", "1.1.1.1" },
		{ "192.168.3.3", "192.168.3.3" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		resolve("10.0.0.1", "x-forwarded-for", rows[i].hops);
		expect(rows[i].client, true);
	}
}

static void a_trusted_peer_without_good_hops_is_the_client(void **state)
{
	static const char *const nothing[] = { "", "1.1.1.1, " };
	static const char *const nonsense[] = { "unknown", "1.1.1.1, _hidden", "'x'" };

	(void)state;
	resolve("10.0.0.1", NULL, NULL);
	expect("10.0.0.1", false);
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		resolve("10.0.0.1", "x-forwarded-for", nothing[i]);
		expect("10.0.0.1", false);
	}
	/* Nobody escapes being counted by it. */
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		resolve("10.0.0.1", "x-forwarded-for", nonsense[i]);
		expect("10.0.0.1", true);
	}
}

static void several_header_lines_are_one_list(void **state)
{
	(void)state;
	asked_header(&asked, "x-forwarded-for", "1.1.1.1, 2.2.2.2");
	asked_header(&asked, "x-forwarded-for", "10.0.0.9");
	asked.rq.peer = PT_STR("10.0.0.1");
	assert_int_equal(proxy_resolve(&asked.rq, &trusted), PT_OK);
	expect("2.2.2.2", true);
}

static void forwarded_is_heard_when_it_is_alone(void **state)
{
	(void)state;
	resolve("10.0.0.1", "forwarded", "for=9.9.9.9, For=\"[2001:db8::1]:4711\";proto=https");
	expect("2001:db8::1", true);
	assert_true(asked.rq.tls);
	resolve("10.0.0.1", "forwarded", "for=\"1.1.1.1\";proto=\"https\"");
	assert_true(asked.rq.tls);
	resolve("10.0.0.1", "forwarded", "proto=https;for=unknown");
	expect("10.0.0.1", true);
	resolve("10.0.0.1", "forwarded", "proto=https");
	expect("10.0.0.1", false);
	resolve("10.0.0.1", "forwarded", "for=\"2001:db8::1\";proto=https");
	asked_header(&asked, "x-forwarded-for", "1.1.1.1");
	asked.rq.tls = false;
	assert_int_equal(proxy_resolve(&asked.rq, &trusted), PT_OK);
	expect("1.1.1.1", true);
	assert_false(asked.rq.tls);
}

static void https_is_believed_of_the_clients_own_hop(void **state)
{
	static const struct {
		const char *hops, *proto;
		bool tls;
	} rows[] = {
		{ "1.1.1.1", "https", true },
		{ "1.1.1.1", "HTTPS", true },
		{ "1.1.1.1", "http", false },
		{ "1.1.1.1", "https, http", false },
		{ "1.1.1.1, 10.0.0.7", "https, http", true },
		{ "1.1.1.1, 10.0.0.7", "https", true },
		{ "9.9.9.9, 1.1.1.1, 10.0.0.7", "https, http, http", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		asked.rq.n_headers = 0;
		asked.rq.tls = false;
		asked.rq.peer = PT_STR("10.0.0.1");
		asked_header(&asked, "x-forwarded-for", rows[i].hops);
		asked_header(&asked, "x-forwarded-proto", rows[i].proto);
		assert_int_equal(proxy_resolve(&asked.rq, &trusted), PT_OK);
		if (asked.rq.tls != rows[i].tls)
			fail_msg("%s %s", rows[i].hops, rows[i].proto);
	}
}

static void unix_peers_are_trusted_by_name(void **state)
{
	pt_str bad;

	(void)state;
	resolve("", "x-forwarded-for", "1.1.1.1");
	expect("", false);
	assert_true(networks_parse(asked.arena, PT_STR("unix"), &trusted, &bad));
	resolve("", "x-forwarded-for", "1.1.1.1");
	expect("1.1.1.1", true);
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, make, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(addresses_have_one_spelling),
		STORY(what_is_no_address_is_refused),
		STORY(private_networks_are_known),
		STORY(networks_hold_their_members),
		STORY(bad_networks_are_named),
		STORY(a_stranger_is_who_he_is),
		STORY(a_trusted_peer_names_the_client),
		STORY(a_trusted_peer_without_good_hops_is_the_client),
		STORY(several_header_lines_are_one_list),
		STORY(forwarded_is_heard_when_it_is_alone),
		STORY(https_is_believed_of_the_clients_own_hop),
		STORY(unix_peers_are_trusted_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

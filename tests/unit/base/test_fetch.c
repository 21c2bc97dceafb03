/*
 * test_fetch.c - requests to others stay within their bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/str.h"
#include "http_peer.h"

#include "base/banned.h"

static const char hello[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

static int arena_begin(void **state)
{
	const struct fetch_setup system = { 0 };

	*state = arena_open(4 * MIB);
	return *state && fetch_open(&system) == PT_OK ? 0 : -1;
}

static int arena_end(void **state)
{
	arena_close(*state);
	return 0;
}

static pt_str url_of(struct arena *arena, const struct http_peer *peer, const char *host)
{
	struct buf b = BUF(arena, KIB);
	pt_str url = { 0 };

	buf_printf(&b, "http://%s:%d/path?a=b", host, peer->port);
	assert_int_equal(buf_done(&b, &url), PT_OK);
	return url;
}

static struct fetch_request request_to(struct arena *arena, const struct http_peer *peer)
{
	return (struct fetch_request){ .url = url_of(arena, peer, "127.0.0.1"),
		.allow_private = true };
}

static void an_answer_is_read(void **state)
{
	struct http_peer peer = { 0 };
	struct fetch_request request;
	struct fetch_response response;

	peer_open(&peer, hello);
	request = request_to(*state, &peer);
	assert_int_equal(fetch(*state, &request, &response), PT_OK);
	peer_close(&peer);
	assert_int_equal(response.status, 200);
	assert_true(str_eq(response.body, PT_STR("hello")));
	assert_non_null(strstr(peer.request, "GET /path?a=b HTTP/1.1\r\n"));
}

static void a_body_is_posted_with_its_type(void **state)
{
	struct http_peer peer = { 0 };
	struct fetch_request request;
	struct fetch_response response;

	peer_open(&peer, "HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n");
	request = request_to(*state, &peer);
	request.body = PT_STR("a=1&b=2");
	request.content_type = PT_STR("application/x-www-form-urlencoded");
	assert_int_equal(fetch(*state, &request, &response), PT_OK);
	peer_close(&peer);
	assert_int_equal(response.status, 503);
	assert_int_equal(response.body.n, 0);
	assert_non_null(strstr(peer.request, "POST /path"));
	assert_non_null(
		strstr(peer.request, "Content-Type: application/x-www-form-urlencoded\r\n"));
	assert_non_null(strstr(peer.request, "\r\n\r\na=1&b=2"));
}

static void a_redirect_is_an_answer_and_not_followed(void **state)
{
	struct http_peer peer = { 0 };
	struct fetch_request request;
	struct fetch_response response;

	peer_open(&peer, "HTTP/1.1 302 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
	request = request_to(*state, &peer);
	assert_int_equal(fetch(*state, &request, &response), PT_OK);
	peer_close(&peer);
	assert_int_equal(response.status, 302);
	assert_int_equal(peer_connections(&peer), 1);
}

static void proxies_of_the_environment_are_not_asked(void **state)
{
	struct http_peer peer = { 0 };
	struct fetch_request request;
	struct fetch_response response;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	peer_open(&peer, hello);
	request = request_to(*state, &peer);
	assert_int_equal(fetch(*state, &request, &response), PT_OK);
	peer_close(&peer);
	unsetenv("http_proxy");
}

static void an_answer_over_the_cap_is_refused(void **state)
{
	struct http_peer peer = { .repeat = 100000 };
	struct fetch_request request;
	struct fetch_response response;

	peer_open(&peer, "HTTP/1.1 200 OK\r\n\r\n0123456789012345678901234567890123456789");
	request = request_to(*state, &peer);
	request.body_max = 1000;
	assert_int_equal(fetch(*state, &request, &response), PT_F_IO);
	peer_close(&peer);
}

static void an_answer_at_the_cap_is_read(void **state)
{
	struct http_peer peer = { 0 };
	struct fetch_request request;
	struct fetch_response response;

	peer_open(&peer, hello);
	request = request_to(*state, &peer);
	request.body_max = 5;
	assert_int_equal(fetch(*state, &request, &response), PT_OK);
	request.body_max = 4;
	assert_int_equal(fetch(*state, &request, &response), PT_F_IO);
	peer_close(&peer);
}

static pt_err fetch_with_headers(struct arena *arena, int lines)
{
	struct http_peer peer = { 0 };
	struct buf b = BUF(arena, MIB);
	struct fetch_request request;
	struct fetch_response response;
	pt_err err;

	buf_str(&b, PT_STR("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"));
	for (int i = 0; i < lines; i++)
		buf_printf(&b,
			"X-%04d: 0123456789012345678901234567890123456789012345678901234\r\n", i);
	buf_str(&b, PT_STR("\r\n"));
	peer_open(&peer, buf_view(&b).p);
	request = request_to(arena, &peer);
	err = fetch(arena, &request, &response);
	peer_close(&peer);
	return err;
}

static void headers_have_a_cap_too(void **state)
{
	assert_int_equal(fetch_with_headers(*state, 900), PT_OK);
	assert_int_equal(fetch_with_headers(*state, 1100), PT_F_IO);
}

static void a_url_with_a_login_is_refused(void **state)
{
	struct http_peer peer = { 0 };
	struct fetch_response response;

	peer_open(&peer, hello);
	struct fetch_request request = { .url = url_of(*state, &peer, "user:pass@127.0.0.1"),
		.allow_private = true };
	assert_int_equal(fetch(*state, &request, &response), PT_F_IO);
	peer_close(&peer);
	assert_int_equal(peer_connections(&peer), 0);
}

/* The first name of /etc/hosts that means this machine and is not localhost. */
static bool own_name(char name[128])
{
	FILE *file = fopen("/etc/hosts", "re");
	char line[512], address[64];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%63s %127s", address, name) == 2 &&
			strcmp(address, "127.0.0.1") == 0 &&
			!str_ends(str(name), PT_STR("localhost"));
	if (file)
		fclose(file);
	return found;
}

static int fetch_from_jail(struct arena *arena, const struct fetch_request *request)
{
	char jail[] = "/tmp/test-jail-XXXXXX";
	struct fetch_response response;

	if (!mkdtemp(jail) || chdir(jail) != 0 || rmdir(jail) != 0 || chroot(".") != 0)
		return 10;
	return fetch(arena, request, &response) == PT_OK ? 0 : 11;
}

static void a_name_of_the_hosts_file_is_reached_from_a_jail(void **state)
{
	struct http_peer peer = { 0 };
	struct fetch_request request;
	char name[128];
	int status = -1;
	pid_t child;

	if (geteuid() != 0 || !own_name(name))
		return; /* only root may chroot */
	peer_open(&peer, hello);
	request =
		(struct fetch_request){ .url = url_of(*state, &peer, name), .allow_private = true };
	child = fork();
	if (child == 0)
		_exit(fetch_from_jail(*state, &request));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	peer_close(&peer);
}

static void a_drip_ends_at_the_deadline(void **state)
{
	struct http_peer peer = { .drip_ms = 40 };
	struct fetch_request request;
	struct fetch_response response;
	pt_time begin = clock_monotonic();

	peer_open(&peer, hello);
	request = request_to(*state, &peer);
	request.deadline = 200 * PT_MILLISECOND;
	assert_int_equal(fetch(*state, &request, &response), PT_F_IO);
	assert_true(clock_monotonic() - begin < PT_SECOND);
	peer_close(&peer);
}

static void addresses_at_home_are_not_reached_by_strangers(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "LOCALHOST", "localhost.",
		"0.0.0.0", "[::]", "[::1]", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0",
		"[::ffff:127.0.0.1]" };
	struct http_peer peer = { 0 };
	struct fetch_response response;

	peer_open(&peer, hello);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct buf b = BUF(*state, KIB);
		struct fetch_request request = { .deadline = PT_SECOND };

		buf_printf(&b, "https://%s:%d/", hosts[i], peer.port);
		assert_int_equal(buf_done(&b, &request.url), PT_OK);
		assert_int_equal(fetch(*state, &request, &response), PT_F_IO);
	}
	peer_close(&peer);
	assert_int_equal(peer_connections(&peer), 0);
}

static void the_same_addresses_are_reached_when_allowed(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "127.1", "2130706433" };
	struct http_peer peer = { 0 };
	struct fetch_response response;

	peer_open(&peer, hello);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct fetch_request request = { .url = url_of(*state, &peer, hosts[i]),
			.allow_private = true };
		assert_int_equal(fetch(*state, &request, &response), PT_OK);
	}
	peer_close(&peer);
	assert_int_equal(peer_connections(&peer), 4);
}

static void other_schemes_and_strange_urls_are_refused(void **state)
{
	static const char *const urls[] = { "", "http://192.0.2.1/", "file:///etc/passwd",
		"ftp://192.0.2.1/", "gopher://192.0.2.1/", "https://", "https://a b/",
		"https://a.example/\r\nX: y", "https://user:pass@192.0.2.1/", "192.0.2.1" };
	struct fetch_response response;

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct fetch_request request = { .url = str(urls[i]), .deadline = PT_SECOND };
		assert_int_equal(fetch(*state, &request, &response), PT_F_IO);
	}
}

static void the_bundle_is_in_memory(void **state)
{
	(void)state;
	assert_true(str_contains(fetch_ca_bundle(), PT_STR("-----BEGIN CERTIFICATE-----")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_read),
		cmocka_unit_test(a_body_is_posted_with_its_type),
		cmocka_unit_test(a_redirect_is_an_answer_and_not_followed),
		cmocka_unit_test(proxies_of_the_environment_are_not_asked),
		cmocka_unit_test(an_answer_over_the_cap_is_refused),
		cmocka_unit_test(an_answer_at_the_cap_is_read),
		cmocka_unit_test(headers_have_a_cap_too),
		cmocka_unit_test(a_url_with_a_login_is_refused),
		cmocka_unit_test(a_name_of_the_hosts_file_is_reached_from_a_jail),
		cmocka_unit_test(a_drip_ends_at_the_deadline),
		cmocka_unit_test(addresses_at_home_are_not_reached_by_strangers),
		cmocka_unit_test(the_same_addresses_are_reached_when_allowed),
		cmocka_unit_test(other_schemes_and_strange_urls_are_refused),
		cmocka_unit_test(the_bundle_is_in_memory),
	};

	return cmocka_run_group_tests(tests, arena_begin, arena_end);
}

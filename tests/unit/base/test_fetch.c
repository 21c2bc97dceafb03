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

static void headers_are_sent_as_given(void **state)
{
	const struct fetch_header headers[] = { { PT_STR("X-Event"), PT_STR("login") },
		{ PT_STR("x_empty"), PT_STR("") },
		{ PT_STR("Authorization"), PT_STR("Basic YTpi") } };
	struct http_peer peer = { 0 };
	struct fetch_request request;
	struct fetch_response response;

	peer_open(&peer, hello);
	request = request_to(*state, &peer);
	request.headers = headers;
	request.n_headers = 3;
	request.body = PT_STR("{}");
	request.content_type = PT_STR("application/json");
	assert_int_equal(fetch(*state, &request, &response), PT_OK);
	peer_close(&peer);
	assert_non_null(strstr(peer.request, "\r\nX-Event: login\r\n"));
	assert_non_null(strstr(peer.request, "\r\nx_empty:\r\n"));
	assert_non_null(strstr(peer.request, "\r\nAuthorization: Basic YTpi\r\n"));
	assert_non_null(strstr(peer.request, "\r\nContent-Type: application/json\r\n"));
}

static void headers_that_break_out_of_their_line_are_refused(void **state)
{
	const struct fetch_header headers[] = { { PT_STR("X-Event"), PT_STR("a\r\nX-More: b") },
		{ PT_STR("X-Event"), PT_STR("a\nb") }, { PT_STR("X-Event"), PT_STR("a\0b") },
		{ PT_STR("X-Event"), PT_STR("\x7F") }, { PT_STR("X: Y"), PT_STR("a") },
		{ PT_STR("X\r\nY"), PT_STR("a") }, { PT_STR(""), PT_STR("a") } };
	struct http_peer peer = { 0 };
	struct fetch_response response;

	peer_open(&peer, hello);
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct fetch_request request = request_to(*state, &peer);
		request.headers = &headers[i];
		request.n_headers = 1;
		assert_int_equal(fetch(*state, &request, &response), PT_F_IO);
	}
	peer_close(&peer);
	assert_int_equal(peer_connections(&peer), 0);
}

static void the_type_of_an_answer_is_told(void **state)
{
	struct http_peer peer = { 0 };
	struct fetch_request request;
	struct fetch_response response;

	peer_open(&peer, "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
			 "Content-Length: 2\r\n\r\n{}");
	request = request_to(*state, &peer);
	assert_int_equal(fetch(*state, &request, &response), PT_OK);
	peer_close(&peer);
	assert_true(str_eq(response.content_type, PT_STR("application/json; charset=utf-8")));
	assert_int_equal(response.failure, FETCH_ANSWERED);

	peer_open(&peer, hello);
	request = request_to(*state, &peer);
	assert_int_equal(fetch(*state, &request, &response), PT_OK);
	peer_close(&peer);
	assert_int_equal(response.content_type.n, 0);
}

static enum fetch_failure failure_of(struct arena *arena, const char *url)
{
	struct fetch_request request = { .url = str(url), .allow_private = true };
	struct fetch_response response;

	assert_int_equal(fetch(arena, &request, &response), PT_F_IO);
	assert_int_equal(response.status, 0);
	return response.failure;
}

static void who_was_never_reached_is_not_connected(void **state)
{
	struct http_peer peer = { 0 };
	struct fetch_request request;
	struct fetch_response response;

	assert_int_equal(failure_of(*state, "http://nowhere.invalid/"), FETCH_NOT_CONNECTED);
	assert_int_equal(failure_of(*state, "ftp://127.0.0.1/"), FETCH_NOT_CONNECTED);
	assert_int_equal(failure_of(*state, "http://127.0.0.1:99999/"), FETCH_NOT_CONNECTED);
	assert_int_equal(failure_of(*state, "not a url"), FETCH_NOT_CONNECTED);

	peer_open(&peer, hello);
	request = request_to(*state, &peer);
	request.allow_private = false;
	assert_int_equal(fetch(*state, &request, &response), PT_F_IO);
	assert_int_equal(response.failure, FETCH_NOT_CONNECTED);
	peer_close(&peer);
	request.allow_private = true;
	assert_int_equal(fetch(*state, &request, &response), PT_F_IO);
	assert_int_equal(response.failure, FETCH_NOT_CONNECTED);
}

static struct fetch_response break_off(
	struct arena *arena, struct http_peer *peer, const char *answer)
{
	struct fetch_response response;
	struct fetch_request request;

	peer_open(peer, answer);
	request = request_to(arena, peer);
	request.body_max = 1000;
	request.deadline = 300 * PT_MILLISECOND;
	assert_int_equal(fetch(arena, &request, &response), PT_F_IO);
	peer_close(peer);
	return response;
}

static void what_breaks_after_the_connection_is_broken(void **state)
{
	struct http_peer peer = { 0 }, endless = { .repeat = 1000 };
	struct fetch_response response;

	assert_int_equal(break_off(*state, &peer, "no HTTP at all").failure, FETCH_BROKEN);
	assert_int_equal(break_off(*state, &peer, "").failure, FETCH_BROKEN);
	response = break_off(*state, &peer, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
	assert_int_equal(response.failure, FETCH_BROKEN);
	assert_int_equal(response.status, 200);
	response = break_off(*state, &endless, "HTTP/1.1 503 Away\r\n\r\n0123456789");
	assert_int_equal(response.failure, FETCH_BROKEN);
	assert_int_equal(response.status, 503);
}

static void what_is_too_slow_is_a_timeout(void **state)
{
	struct http_peer peer = { .drip_ms = 20 };
	struct fetch_response response;

	response = break_off(*state, &peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
	assert_int_equal(response.failure, FETCH_TIMEOUT);
}

static pt_err fetch_allowed(struct arena *arena, pt_str url, const char *network)
{
	struct guard_network allowed;
	struct fetch_request request = { .url = url, .allowed = &allowed, .n_allowed = 1 };
	struct fetch_response response;

	assert_true(guard_network_parse(str(network), &allowed));
	return fetch(arena, &request, &response);
}

static void a_network_that_is_named_is_reached_and_no_other(void **state)
{
	struct http_peer peer = { 0 };
	pt_str url;

	peer_open(&peer, hello);
	url = url_of(*state, &peer, "127.0.0.1");
	assert_int_equal(fetch_allowed(*state, url, "127.0.0.0/8"), PT_OK);
	assert_int_equal(fetch_allowed(*state, url, "127.0.0.1"), PT_OK);
	assert_int_equal(fetch_allowed(*state, url, "::ffff:127.0.0.0/104"), PT_OK);
	assert_int_equal(fetch_allowed(*state, url, "127.0.0.2/31"), PT_F_IO);
	assert_int_equal(fetch_allowed(*state, url, "10.0.0.0/8"), PT_F_IO);
	assert_int_equal(fetch_allowed(*state, url, "::1"), PT_F_IO);
	peer_close(&peer);
	assert_int_equal(peer_connections(&peer), 3);
}

static void plain_http_to_who_is_not_named_is_refused(void **state)
{
	/* refused by its address, before a packet leaves */
	assert_int_equal(
		fetch_allowed(*state, PT_STR("http://8.8.8.8:9/"), "127.0.0.0/8"), PT_F_IO);
}

/* The name is asked once, by libcurl, and each address that comes back meets the guard. */
static void a_name_that_points_home_is_refused(void **state)
{
	struct http_peer peer = { 0 };
	struct fetch_response response;
	struct buf b = BUF(*state, KIB);
	struct fetch_request request = { .deadline = PT_SECOND };
	char name[128];

	if (!own_name(name))
		return; /* /etc/hosts has no such name here */
	peer_open(&peer, hello);
	buf_printf(&b, "https://%s:%d/", name, peer.port);
	assert_int_equal(buf_done(&b, &request.url), PT_OK);
	assert_int_equal(fetch(*state, &request, &response), PT_F_IO);
	assert_int_equal(response.failure, FETCH_NOT_CONNECTED);
	peer_close(&peer);
	assert_int_equal(peer_connections(&peer), 0);
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
		cmocka_unit_test(headers_are_sent_as_given),
		cmocka_unit_test(headers_that_break_out_of_their_line_are_refused),
		cmocka_unit_test(the_type_of_an_answer_is_told),
		cmocka_unit_test(who_was_never_reached_is_not_connected),
		cmocka_unit_test(what_breaks_after_the_connection_is_broken),
		cmocka_unit_test(what_is_too_slow_is_a_timeout),
		cmocka_unit_test(a_network_that_is_named_is_reached_and_no_other),
		cmocka_unit_test(plain_http_to_who_is_not_named_is_refused),
		cmocka_unit_test(a_name_that_points_home_is_refused),
	};

	return cmocka_run_group_tests(tests, arena_begin, arena_end);
}

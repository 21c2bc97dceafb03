/*
 * test_captcha.c - no answer is a no.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../base/http_peer.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/str.h"
#include "outbound/captcha.h"

#include "base/banned.h"

#define ANSWER(body_) "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" body_

static struct arena *arena;

static int world_begin(void **state)
{
	const struct fetch_setup system = { 0 };

	(void)state;
	arena = arena_open(8 * MIB);
	return arena && fetch_open(&system) == PT_OK ? 0 : -1;
}

static int world_end(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

static pt_err check_against(struct http_peer *peer, pt_str response, const char *hostname)
{
	struct buf b = BUF(arena, KIB);
	struct captcha_setup setup = { .secret = PT_STR("s&cret"), .hostname = str(hostname) };
	struct pt_captcha captcha;
	pt_err err;

	buf_printf(&b, "http://127.0.0.1:%d/siteverify", peer->port);
	assert_int_equal(buf_done(&b, &setup.verify_url), PT_OK);
	assert_int_equal(captcha_open(&setup, &captcha), PT_OK);
	err = captcha.check(captcha.ctx, arena, response, PT_STR("2001:db8::7"));
	captcha_close(&captcha);
	captcha_close(&captcha);
	return err;
}

static pt_err check_answered(const char *answer, const char *hostname)
{
	struct http_peer peer = { 0 };
	pt_err err;

	peer_open(&peer, answer);
	err = check_against(&peer, PT_STR("response"), hostname);
	peer_close(&peer);
	return err;
}

static void a_yes_is_a_human(void **state)
{
	(void)state;
	assert_int_equal(check_answered(ANSWER("{\"success\":true}"), ""), PT_OK);
	assert_int_equal(check_answered(ANSWER("{\"success\":true}"), "door.example.org"), PT_OK);
	assert_int_equal(
		check_answered(
			ANSWER("{\"success\": true, \"challenge_ts\": \"2024-01-01T00:00:00Z\","
			       "\"hostname\": \"Door.example.org\"}"),
			"door.example.org"),
		PT_OK);
}

static void the_question_is_a_form(void **state)
{
	struct http_peer peer = { 0 };

	(void)state;
	peer_open(&peer, ANSWER("{\"success\":true}"));
	assert_int_equal(check_against(&peer, PT_STR("a b&c=d"), ""), PT_OK);
	peer_close(&peer);
	assert_non_null(strstr(peer.request, "POST /siteverify HTTP/1.1\r\n"));
	assert_non_null(
		strstr(peer.request, "Content-Type: application/x-www-form-urlencoded\r\n"));
	assert_non_null(strstr(peer.request,
		"\r\n\r\nsecret=s%26cret&response=a%20b%26c%3Dd&remoteip=2001%3Adb8%3A%3A7"));
}

static void every_other_answer_is_a_no(void **state)
{
	static const char *const answers[] = { ANSWER("{\"success\":false}"),
		ANSWER("{\"success\":\"true\"}"), ANSWER("{\"success\":1}"), ANSWER("{}"),
		ANSWER("[true]"), ANSWER("true"), ANSWER(""), ANSWER("garbage"),
		ANSWER("{\"success\":true"), ANSWER("{\"success\":true} x"),
		ANSWER("{\"success\":false,\"success\":true}"),
		"HTTP/1.1 500 Oops\r\nConnection: close\r\n\r\n{\"success\":true}",
		"HTTP/1.1 302 Go\r\nLocation: /\r\nContent-Length: 16\r\n\r\n{\"success\":true}",
		"no HTTP at all", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_int_equal(check_answered(answers[i], ""), PT_E_CAPTCHA);
}

static void a_response_of_another_host_is_a_no(void **state)
{
	(void)state;
	assert_int_equal(check_answered(ANSWER("{\"success\":true,\"hostname\":\"evil.example\"}"),
				 "door.example.org"),
		PT_E_CAPTCHA);
	assert_int_equal(
		check_answered(ANSWER("{\"success\":true,\"hostname\":7}"), "door.example.org"),
		PT_E_CAPTCHA);
}

static void nothing_said_asks_nobody(void **state)
{
	struct http_peer peer = { 0 };
	char *longest = arena_alloc(arena, 9000);

	(void)state;
	memset(longest, 'x', 9000);
	peer_open(&peer, ANSWER("{\"success\":true}"));
	assert_int_equal(check_against(&peer, PT_STR(""), ""), PT_E_CAPTCHA);
	assert_int_equal(check_against(&peer, str_n(longest, 9000), ""), PT_E_CAPTCHA);
	peer_close(&peer);
	assert_int_equal(peer_connections(&peer), 0);
}

static void a_verifier_that_is_away_is_a_no(void **state)
{
	struct http_peer peer = { 0 };

	(void)state;
	peer_open(&peer, "");
	peer_close(&peer);
	assert_int_equal(check_against(&peer, PT_STR("response"), ""), PT_E_CAPTCHA);
}

static void a_slow_verifier_is_a_no_after_five_seconds(void **state)
{
	struct http_peer peer = { .drip_ms = 400 };
	pt_time begin = clock_monotonic();

	(void)state;
	peer_open(&peer, ANSWER("{\"success\":true}"));
	assert_int_equal(check_against(&peer, PT_STR("response"), ""), PT_E_CAPTCHA);
	assert_in_range((uintmax_t)(clock_monotonic() - begin), 4 * PT_SECOND, 7 * PT_SECOND);
	peer_close(&peer);
}

static void a_captcha_without_secret_is_refused(void **state)
{
	const struct captcha_setup setup = { 0 };
	struct pt_captcha captcha;

	(void)state;
	assert_int_equal(captcha_open(&setup, &captcha), PT_F_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_yes_is_a_human),
		cmocka_unit_test(the_question_is_a_form),
		cmocka_unit_test(every_other_answer_is_a_no),
		cmocka_unit_test(a_response_of_another_host_is_a_no),
		cmocka_unit_test(nothing_said_asks_nobody),
		cmocka_unit_test(a_verifier_that_is_away_is_a_no),
		cmocka_unit_test(a_slow_verifier_is_a_no_after_five_seconds),
		cmocka_unit_test(a_captcha_without_secret_is_refused),
	};

	return cmocka_run_group_tests(tests, world_begin, world_end);
}

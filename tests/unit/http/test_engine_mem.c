/*
 * test_engine_mem.c - messages in, answers out: framing as values.
 */
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "http/engine_mem.h"

#include "base/banned.h"

/* ---- an application that says what it was asked ---- */

static unsigned asked, refused, done_with;
static int last_refusal;
static pt_str refusal_header;

static struct http_plan plan(void *ctx, const struct http_request *rq)
{
	(void)ctx;
	return (struct http_plan){ HTTP_QUICK,
		rq->method == HTTP_POST || rq->method == HTTP_OTHER ? 1000 : 0 };
}

static void answer(void *ctx, const struct http_request *rq, struct http_response *rs)
{
	struct buf b = BUF(rs->arena, 64 * KIB);

	(void)ctx;
	asked++;
	if (str_eq(rq->path, PT_STR("/nothing")))
		return;
	if (str_eq(rq->path, PT_STR("/split")))
		http_set(rs, PT_STR("Location"), PT_STR("a\r\nSet-Cookie: x=1"));
	if (str_eq(rq->path, PT_STR("/two"))) {
		http_set(rs, PT_STR("X-One"), PT_STR("1"));
		http_set(rs, PT_STR("X-Two"), PT_STR("2"));
	}
	if (str_eq(rq->path, PT_STR("/ours"))) {
		http_set(rs, PT_STR("content-length"), PT_STR("99"));
		http_set(rs, PT_STR("Transfer-Encoding"), PT_STR("chunked"));
		http_set(rs, PT_STR("Connection"), PT_STR("keep-alive"));
	}
	rs->status = str_eq(rq->path, PT_STR("/204")) ? 204 : 200;
	rs->close = str_eq(rq->path, PT_STR("/bye"));
	if (str_eq(rq->path, PT_STR("/named")))
		rs->id = PT_STR("a-name-of-its-own");
	buf_str(&b, str(http_method_name(rq->method)));
	buf_char(&b, ' ');
	buf_str(&b, rq->path);
	buf_char(&b, '[');
	buf_str(&b, rq->body);
	buf_char(&b, ']');
	buf_str(&b, rq->host);
	rs->body = buf_view(&b);
}

static void refuse(void *ctx, const struct http_request *rq, int status, struct http_response *rs)
{
	(void)ctx;
	assert_non_null(rq);
	refused++;
	last_refusal = status;
	rs->status = status;
	if (refusal_header.n > 0)
		http_set(rs, PT_STR("X-Refusal"), refusal_header);
}

static void done(
	void *ctx, const struct http_request *rq, const struct http_response *rs, pt_time duration)
{
	(void)ctx;
	(void)duration;
	assert_non_null(rq);
	assert_int_not_equal(rs->status, 0);
	done_with++;
}

static const struct http_app app = { NULL, plan, answer, refuse, done, NULL, NULL };

/* ---- telling the story ---- */

static struct mem_wire *wire;

static int make(void **state)
{
	(void)state;
	asked = refused = done_with = 0;
	last_refusal = 0;
	refusal_header = PT_STR("");
	return mem_wire_open(&app, &http_default_limits, NULL, PT_STR("127.0.0.1"), &wire) == PT_OK
		       ? 0
		       : -1;
}

static int forget(void **state)
{
	(void)state;
	mem_wire_close(wire);
	return 0;
}

static void say(const char *bytes)
{
	mem_wire_feed(wire, str(bytes));
}

static size_t times_in(pt_str text, const char *needle)
{
	size_t n = 0, length = strlen(needle);

	for (size_t i = 0; i + length <= text.n; i++)
		n += memcmp(text.p + i, needle, length) == 0;
	return n;
}

static void expect(const char *needle)
{
	pt_str answers = mem_wire_answers(wire);

	if (times_in(answers, needle) == 0)
		fail_msg("no %s in: %.*s", needle, (int)answers.n, answers.p);
}

static void expect_not(const char *needle)
{
	assert_int_equal(times_in(mem_wire_answers(wire), needle), 0);
}

/* On a wire of its own: the message is refused, and what stands behind it is not read. */
static void expect_refusal(const char *message, int status)
{
	make(NULL);
	say(message);
	say("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
	if (last_refusal != status || asked != 0 || !mem_wire_closed(wire) || done_with != 1)
		fail_msg("%d instead of %d for: %s", last_refusal, status, message);
	expect("Connection: close\r\n");
	forget(NULL);
}

#define HEAD "POST / HTTP/1.1\r\nHost: a\r\n"

/* ---- what works ---- */

static void a_request_is_answered_and_the_wire_stays(void **state)
{
	(void)state;
	say("GET /x?y HTTP/1.1\r\nHOST: A.example:80\r\n\r\n");
	expect("HTTP/1.1 200 OK\r\nDate: ");
	expect("Content-Length: 20\r\n");
	expect("X-Request-Id: ");
	expect("\r\n\r\nGET /x[]a.example:80");
	expect_not("Connection:");
	expect_not("Server:");
	assert_false(mem_wire_closed(wire));
	assert_int_equal(done_with, 1);
}

static void bodies_come_whole_or_in_chunks_or_byte_by_byte(void **state)
{
	const char *chunked =
		HEAD "Transfer-Encoding: Chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n";

	(void)state;
	say(HEAD "Content-Length: 5\r\n\r\nhello");
	expect("POST /[hello]");
	say(chunked);
	for (size_t i = 0; chunked[i]; i++)
		mem_wire_feed(wire, str_n(chunked + i, 1));
	assert_int_equal(times_in(mem_wire_answers(wire), "POST /[hello]"), 3);
	assert_int_equal(asked, 3);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
	(void)state;
	say("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n" HEAD
	    "Content-Length: 1\r\n\r\nxGET /3 HTTP/1.1\r\n"
	    "Host: a\r\n\r\n");
	assert_int_equal(asked, 3);
	assert_true(strstr(mem_wire_answers(wire).p, "GET /1[]a") <
		    strstr(mem_wire_answers(wire).p, "POST /[x]a"));
	assert_true(strstr(mem_wire_answers(wire).p, "POST /[x]a") <
		    strstr(mem_wire_answers(wire).p, "GET /3[]a"));
}

static void head_is_told_the_length_only(void **state)
{
	(void)state;
	say("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("Content-Length: 10\r\n");
	assert_true(str_ends(mem_wire_answers(wire), PT_STR("\r\n\r\n")));
}

static void an_empty_answer_has_no_length(void **state)
{
	(void)state;
	say("GET /204 HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("HTTP/1.1 204 No Content\r\n");
	expect_not("Content-Length");
	assert_true(str_ends(mem_wire_answers(wire), PT_STR("\r\n\r\n")));
}

static void http_1_0_and_close_end_the_wire(void **state)
{
	(void)state;
	make(NULL);
	say("GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n");
	expect("Connection: close\r\n");
	assert_int_equal(asked, 1);
	forget(NULL);
	make(NULL);
	say("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\nGET / HTTP/1.1\r\n\r\n");
	assert_true(mem_wire_closed(wire));
	assert_int_equal(asked, 1);
	forget(NULL);
	make(NULL);
	say("GET /bye HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(mem_wire_closed(wire));
	forget(NULL);
}

static void absolute_form_that_agrees_is_served(void **state)
{
	(void)state;
	say("GET http://A/x HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("GET /x[]a");
}

static void unknown_methods_reach_the_application(void **state)
{
	(void)state;
	say("BREW /pot HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
	expect("? /pot[x]a");
	say("DESCRIBE /pot HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(asked, 2);
}

static void a_wish_to_upgrade_is_not_heard(void **state)
{
	(void)state;
	say("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
	    "h2c\r\n\r\n"
	    "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(asked, 2);
	expect_not("101");
}

static void the_server_as_a_whole_has_no_list(void **state)
{
	(void)state;
	say("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("HTTP/1.1 204 No Content\r\n");
	expect_not("Allow");
	assert_int_equal(asked, 0);
	assert_false(mem_wire_closed(wire));
}

static void one_empty_line_before_a_request_is_forgiven(void **state)
{
	(void)state;
	make(NULL);
	say("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(asked, 1);
	forget(NULL);
	expect_refusal("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}

static void leave_to_send_is_given_once_asked_for(void **state)
{
	(void)state;
	say(HEAD "Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n");
	assert_true(str_eq(mem_wire_answers(wire), PT_STR("HTTP/1.1 100 Continue\r\n\r\n")));
	say("ok");
	expect("POST /[ok]a");
}

static void leave_is_not_given_unasked_or_late(void **state)
{
	(void)state;
	say(HEAD "Content-Length: 2\r\n\r\n");
	say("ok");
	say(HEAD "Expect: 100-continue\r\nContent-Length: 2\r\n\r\no");
	say("k");
	say("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	say("ok");
	assert_int_equal(asked, 3);
	expect_not("100 Continue");
}

/* ---- what is refused ---- */

static void ambiguous_lengths_are_refused(void **state)
{
	static const char *const bad[] = {
		HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
		HEAD "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
		HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
		HEAD "Content-Length: 5, 5\r\n\r\nhello",
		HEAD "Content-Length: +5\r\n\r\nhello",
		HEAD "Content-Length: -1\r\n\r\n",
		HEAD "Content-Length: 0x5\r\n\r\nhello",
		HEAD "Content-Length: 5 \r\n\r\nhello",
		HEAD "Content-Length:  5;\r\n\r\nhello",
		HEAD "Content-Length: 18446744073709551616\r\n\r\n",
		HEAD "Content-Length: 1e3\r\n\r\n",
		HEAD "Content-Length: \r\n\r\n",
		HEAD "Content-Length:\r\n\r\n",
		HEAD "Content-Length : 5\r\n\r\nhello",
		HEAD "Transfer-Encoding: identity\r\n\r\n",
		HEAD "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
		HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		HEAD "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		HEAD "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_refusal(bad[i], 400);
}

static void unknown_codings_are_not_implemented(void **state)
{
	(void)state;
	make(NULL);
	say(HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
	assert_true(last_refusal == 501 || last_refusal == 400);
	assert_int_equal(asked, 0);
	forget(NULL);
}

static void broken_chunks_are_refused(void **state)
{
	static const char *const bad[] = {
		"5\nhello\r\n0\r\n\r\n",
		"5\r\nhelloXX0\r\n\r\n",
		"5\r\nhello\n0\r\n\r\n",
		"5\r\nhello\r\n0\r\n\rX",
		"g\r\n",
		"-1\r\n",
		"0x5\r\nhello\r\n0\r\n\r\n",
		" 5\r\nhello\r\n0\r\n\r\n",
		"ffffffffffffffff1\r\nhello",
		"5;a\nb\r\nhello\r\n0\r\n\r\n",
		"0\r\nTrailer: x\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char message[256] = HEAD "Transfer-Encoding: chunked\r\n\r\n";

		memcpy(message + strlen(message), bad[i], strlen(bad[i]) + 1);
		expect_refusal(message, 400);
	}
}

static void hosts_must_be_one_and_valid(void **state)
{
	static const char *const bad[] = {
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: \r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n",
		"GET http://evil/ HTTP/1.1\r\nHost: good\r\n\r\n",
		"GET http://a@b/ HTTP/1.0\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_refusal(bad[i], 400);
}

static void what_can_be_said_once_is_not_said_twice(void **state)
{
	static const char *const bad[] = {
		"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nAuthorization: Bearer "
		"x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nAuthorization:\r\nAUTHORIZATION: Bearer x\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n"
		"Content-Type: application/json\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_refusal(bad[i], 400);
}

static void what_is_said_once_is_heard(void **state)
{
	(void)state;
	say("GET /x HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nContent-Type: "
	    "text/plain\r\n\r\n");
	expect("HTTP/1.1 200");
}

static void headers_must_be_headers(void **state)
{
	static const char *const bad[] = {
		"GET / HTTP/1.1\r\nHost: a\r\nA b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nA\x01: b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nA: b\x01\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nA\xc3: b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nA(): b\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		expect_refusal(bad[i], 400);
	make(NULL);
	mem_wire_feed(wire, PT_STR("GET / HTTP/1.1\r\nHost: a\r\nA: b\0c\r\n\r\n"));
	assert_int_equal(last_refusal, 400);
	forget(NULL);
}

static void other_protocols_are_refused(void **state)
{
	(void)state;
	expect_refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400);
	expect_refusal("GET /\r\n", 400);
	expect_refusal("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505);
	expect_refusal("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405);
	expect_refusal("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 405);
	expect_refusal("\x16\x03\x01\x02", 400);
	expect_refusal("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}

static char message[64 * 1024];

static const char *filled(const char *before, size_t n)
{
	size_t at = strlen(before);

	memcpy(message, before, at);
	memset(message + at, 'x', n);
	message[at + n] = '\0';
	return message;
}

static void a_refused_method_hears_which_are_known(void **state)
{
	(void)state;
	say("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n");
}

static void bodies_have_a_cap(void **state)
{
	(void)state;
	expect_refusal(HEAD "Content-Length: 1001\r\n\r\n", 413);
	expect_refusal(HEAD "Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n", 413);
	expect_refusal("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 413);
	expect_refusal(
		"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413);
	expect_refusal(filled(HEAD "Transfer-Encoding: chunked\r\n\r\n3e9\r\n", 1001), 413);
	expect_refusal("OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 413);
	expect_refusal(HEAD "Expect: a miracle\r\nContent-Length: 1\r\n\r\n", 417);
}

static void much_ado_about_little_is_refused(void **state)
{
	(void)state;
	expect_refusal(filled(HEAD "Transfer-Encoding: chunked\r\n\r\n1;", 20000), 413);
}

static void an_application_that_says_nothing_is_an_error(void **state)
{
	(void)state;
	say("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("HTTP/1.1 500 Internal Server Error\r\n");
	assert_false(mem_wire_closed(wire));
}

static void a_refusal_that_cannot_be_said_is_said_bare(void **state)
{
	(void)state;
	refusal_header = PT_STR("a\r\nb");
	say("GET /../ HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("HTTP/1.1 400 Bad Request\r\n");
	expect("Content-Length: 0\r\n");
	expect_not("X-Refusal");
	expect_not("Allow");
	expect_not("Retry-After");
}

static void all_headers_of_an_answer_are_sent(void **state)
{
	(void)state;
	say("GET /two HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("\r\nX-One: 1\r\nX-Two: 2\r\n");
}

static void no_text_ends_a_header_line(void **state)
{
	(void)state;
	say("GET /split HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("HTTP/1.1 500 Internal Server Error\r\n");
	expect_not("Set-Cookie");
}

static void framing_headers_of_an_answer_are_the_engines(void **state)
{
	(void)state;
	say("GET /ours HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("Content-Length: 12\r\n");
	expect_not("Content-Length: 99");
	expect_not("chunked");
	expect_not("keep-alive");
}

static void request_ids_of_strangers_are_not_taken_over(void **state)
{
	pt_str bad;
	struct networks trusted;
	struct arena *arena = arena_open(4096);

	(void)state;
	say("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: my-own\r\n\r\n");
	expect_not("my-own");
	forget(NULL);

	assert_true(networks_parse(arena, PT_STR("127.0.0.1"), &trusted, &bad));
	assert_int_equal(
		mem_wire_open(&app, &http_default_limits, &trusted, PT_STR("127.0.0.1"), &wire),
		PT_OK);
	say("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: my-own\r\n\r\n");
	expect("X-Request-Id: my-own\r\n");
	say("GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: my own\r\n\r\n");
	expect_not("my own");
	arena_close(arena);
}

static void an_application_may_name_the_request(void **state)
{
	(void)state;
	say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("X-Request-Id: ");
	expect_not("a-name-of-its-own");
	say("GET /named HTTP/1.1\r\nHost: a\r\n\r\n");
	expect("X-Request-Id: a-name-of-its-own\r\n");
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, make, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_request_is_answered_and_the_wire_stays),
		STORY(bodies_come_whole_or_in_chunks_or_byte_by_byte),
		STORY(pipelined_requests_are_answered_in_order),
		STORY(head_is_told_the_length_only),
		STORY(an_empty_answer_has_no_length),
		STORY(absolute_form_that_agrees_is_served),
		STORY(unknown_methods_reach_the_application),
		STORY(a_wish_to_upgrade_is_not_heard),
		STORY(the_server_as_a_whole_has_no_list),
		STORY(leave_to_send_is_given_once_asked_for),
		STORY(leave_is_not_given_unasked_or_late),
		STORY(a_refusal_that_cannot_be_said_is_said_bare),
		STORY(all_headers_of_an_answer_are_sent),
		STORY(a_refused_method_hears_which_are_known),
		STORY(an_application_that_says_nothing_is_an_error),
		STORY(no_text_ends_a_header_line),
		STORY(framing_headers_of_an_answer_are_the_engines),
		STORY(request_ids_of_strangers_are_not_taken_over),
		STORY(an_application_may_name_the_request),
		cmocka_unit_test(http_1_0_and_close_end_the_wire),
		cmocka_unit_test(one_empty_line_before_a_request_is_forgiven),
		cmocka_unit_test(ambiguous_lengths_are_refused),
		cmocka_unit_test(unknown_codings_are_not_implemented),
		cmocka_unit_test(broken_chunks_are_refused),
		cmocka_unit_test(hosts_must_be_one_and_valid),
		STORY(what_is_said_once_is_heard),
		cmocka_unit_test(what_can_be_said_once_is_not_said_twice),
		cmocka_unit_test(headers_must_be_headers),
		cmocka_unit_test(other_protocols_are_refused),
		cmocka_unit_test(bodies_have_a_cap),
		cmocka_unit_test(much_ado_about_little_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_engine_memory.c - memory runs out at every allocation in turn. Built only with
 * -Dtest_hooks=true.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hook.h"
#include "base/str.h"
#include "http/cookie.h"
#include "http/engine_mem.h"
#include "http/field.h"

#include "base/banned.h"

static struct hook_control *control;
static char path[] = "/tmp/portress-http-XXXXXX";

static int open_control(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0 || setenv("PORTRESS_TEST_CONTROL", path, 1) != 0)
		return -1;
	hook_open();
	control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return control == MAP_FAILED ? -1 : 0;
}

static int close_control(void **state)
{
	(void)state;
	return unlink(path);
}

/* ---- an application that uses what there is ---- */

static struct http_plan plan(void *ctx, const struct http_request *rq)
{
	(void)ctx;
	(void)rq;
	return (struct http_plan){ HTTP_QUICK, 4096 };
}

static void answer(void *ctx, const struct http_request *rq, struct http_response *rs)
{
	const struct cookie cookie = { .name = PT_STR("s"), .value = PT_STR("v") };
	struct fields fields;

	(void)ctx;
	if (fields_read(rq, 0, &fields) != PT_OK)
		return;
	cookie_set(rs, &cookie);
	http_retry_after(rs, PT_SECOND);
	rs->status = 200;
	rs->body = field_value(&fields, PT_STR("a"));
}

static void refuse(void *ctx, const struct http_request *rq, int status, struct http_response *rs)
{
	(void)ctx;
	(void)rq;
	rs->status = status;
	http_retry_after(rs, PT_SECOND);
}

static const struct http_app app = { NULL, plan, answer, refuse, NULL, NULL, NULL };

static const char conversation[] =
	"POST /%41 HTTP/1.1\r\nHost: A\r\nX-Forwarded-For: 1.2.3.4\r\n"
	"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\na=%41+b"
	"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
	"Transfer-Encoding: chunked\r\n\r\n9\r\n{\"a\":\"b\"}\r\n0\r\n\r\n"
	"GET /../ HTTP/1.1\r\nHost: a\r\n\r\n";

/* ---- stories ---- */

static bool status_is_honest(pt_str line)
{
	return str_starts(line, PT_STR("200 ")) || str_starts(line, PT_STR("400 ")) ||
	       str_starts(line, PT_STR("500 ")) || str_starts(line, PT_STR("503 "));
}

static size_t answers_check(pt_str answers)
{
	const pt_str start = PT_STR("HTTP/1.1 ");
	size_t n = 0;

	for (size_t i = 0; i < answers.n; i++) {
		if (!str_starts(str_slice(answers, i, answers.n), start))
			continue;
		assert_true(status_is_honest(str_slice(answers, i + start.n, answers.n)));
		n++;
	}
	return n;
}

static size_t converse(int64_t fail_at, bool sticky)
{
	static const struct network everybody[] = { { { 0 }, 0 } };
	static const struct networks trusted = { everybody, 1, true };
	struct mem_wire *wire;
	size_t n;

	control->fail_alloc = 0;
	control->fail_sticky = sticky;
	assert_int_equal(
		mem_wire_open(&app, &http_default_limits, &trusted, PT_STR("192.0.2.1"), &wire),
		PT_OK);
	control->count_alloc = 0;
	control->fail_alloc = fail_at;
	mem_wire_feed(wire, str(conversation));
	control->fail_alloc = 0;
	n = answers_check(mem_wire_answers(wire));
	mem_wire_close(wire);
	return n;
}

static void every_allocation_may_fail(void **state)
{
	int64_t allocations;

	(void)state;
	assert_int_equal(converse(0, false), 3);
	allocations = control->count_alloc;
	assert_true(allocations > 20);
	for (int64_t n = 1; n <= allocations; n++) {
		(void)converse(n, false);
		(void)converse(n, true);
	}
	assert_int_equal(converse(0, false), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests(tests, open_control, close_control);
}

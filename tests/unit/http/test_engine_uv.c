/*
 * test_engine_uv.c - the engine's own life, on a unix socket. What goes over its wires is told in
 * tests/conformance/http.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "http/engine.h"

#include "base/banned.h"

static struct http_plan plan(void *ctx, const struct http_request *rq)
{
	(void)ctx;
	if (rq->method == HTTP_PUT)
		return (struct http_plan){
			.lane = HTTP_HASH, .body_max = 64, .hash_word = "password"
		};
	return (struct http_plan){ .lane = rq->method == HTTP_POST ? HTTP_SLOW : HTTP_QUICK };
}

static void answer(void *ctx, const struct http_request *rq, struct http_response *rs)
{
	(void)ctx;
	/* Holds up the loop, so that others gather before its next turn. */
	if (str_eq(rq->path, PT_STR("/slow")))
		usleep(200000);
	rs->status = rq->ops ? 200 : 404;
}

static struct turns {
	unsigned begun, ended;
} turns;

static void turn_begin(void *ctx)
{
	(void)ctx;
	__atomic_add_fetch(&turns.begun, 1, __ATOMIC_SEQ_CST);
}

static void turn_end(void *ctx)
{
	(void)ctx;
	__atomic_add_fetch(&turns.ended, 1, __ATOMIC_SEQ_CST);
}

static const struct http_app app = { NULL, plan, answer, NULL, NULL, turn_begin, turn_end };

static enum http_lane lane_of_last;

/* A worker that is done before submit returns. */
static bool run_now(void *ctx, enum http_lane lane, void (*run)(void *job), void *job)
{
	(void)ctx;
	__atomic_store_n(&lane_of_last, lane, __ATOMIC_SEQ_CST);
	run(job);
	return true;
}

static const struct http_workers workers = { NULL, run_now };

/* ---- a listener without a name in the file system ---- */

static struct sockaddr_un place;
static socklen_t place_size;

static int listener_open(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	place = (struct sockaddr_un){ .sun_family = AF_UNIX };
	/* Linux gives an unnamed socket a name of its own. */
	assert_int_equal(bind(fd, (struct sockaddr *)&place, sizeof(sa_family_t)), 0);
	place_size = sizeof(place);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&place, &place_size), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static struct http_engine *engine_open(unsigned loops)
{
	static struct http_listener listener;
	const struct http_setup setup = {
		.app = &app,
		.workers = &workers,
		.limits = &http_default_limits,
		.listeners = &listener,
		.n_listeners = 1,
		.loops = loops,
	};
	struct http_engine *engine;

	listener = (struct http_listener){ .fd = listener_open(), .ops = true };
	assert_int_equal(http_engine_open(&setup, &engine), PT_OK);
	return engine;
}

static bool client_open(int *fd)
{
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return connect(*fd, (struct sockaddr *)&place, place_size) == 0;
}

static void client_expect(int fd, const char *request, const char *answer_line)
{
	char text[512] = "";

	assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
	assert_true(recv(fd, text, sizeof(text) - 1, 0) > 0);
	assert_true(str_starts(str(text), str(answer_line)));
}

#define GET  "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define SLOW "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"

#define PUT_A_PASSWORD "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\npassword=x"
#define PUT_IN_A_FORM  "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n%70assword=x"
#define PUT_IN_JSON    "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 15\r\n\r\n\"\\u0070assword\""
#define PUT_IN_CAPITAL "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nPassWord=x"
#define PUT_IN_QUERY   "PUT /?password=x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
#define PUT_A_NAME     "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nname=ann12"

/* ---- stories ---- */

static enum http_lane lane_asked(int fd, const char *request)
{
	client_expect(fd, request, "HTTP/1.1 200");
	return __atomic_load_n(&lane_of_last, __ATOMIC_SEQ_CST);
}

static void a_body_that_speaks_of_no_password_waits_for_no_hash(void **state)
{
	struct http_engine *engine = engine_open(1);
	int fd;

	(void)state;
	assert_int_equal(http_engine_start(engine), PT_OK);
	assert_true(client_open(&fd));
	assert_int_equal(HTTP_HASH, lane_asked(fd, PUT_A_PASSWORD));
	assert_int_equal(HTTP_SLOW, lane_asked(fd, PUT_A_NAME));
	assert_int_equal(HTTP_HASH, lane_asked(fd, PUT_A_PASSWORD));
	assert_int_equal(HTTP_SLOW, lane_asked(fd, POST));
	close(fd);
	assert_true(http_engine_drain(engine, PT_SECOND));
	http_engine_close(engine);
}

static void a_password_is_one_however_it_is_spelled(void **state)
{
	static const char *const spelled[] = { PUT_IN_A_FORM, PUT_IN_JSON, PUT_IN_CAPITAL,
		PUT_IN_QUERY };
	struct http_engine *engine = engine_open(1);
	int fd;

	(void)state;
	assert_int_equal(http_engine_start(engine), PT_OK);
	assert_true(client_open(&fd));
	for (size_t i = 0; i < sizeof(spelled) / sizeof(spelled[0]); i++)
		assert_int_equal(HTTP_HASH, lane_asked(fd, spelled[i]));
	assert_int_equal(HTTP_SLOW, lane_asked(fd, PUT_A_NAME));
	close(fd);
	assert_true(http_engine_drain(engine, PT_SECOND));
	http_engine_close(engine);
}

/* Once each has ended that began: it does before the loop waits for the next request. */
static unsigned turns_so_far(void)
{
	unsigned begun = __atomic_load_n(&turns.begun, __ATOMIC_SEQ_CST);

	for (int i = 0; i < 5000; i++) {
		if (__atomic_load_n(&turns.ended, __ATOMIC_SEQ_CST) == begun)
			return begun;
		usleep(1000);
	}
	return 0;
}

static void turn_begins_with_an_answer_on_the_loop_and_ends_before_it_waits(void **state)
{
	struct http_engine *engine = engine_open(1);
	int fd;

	(void)state;
	turns = (struct turns){ 0 };
	assert_int_equal(http_engine_start(engine), PT_OK);
	assert_true(client_open(&fd));
	client_expect(fd, GET, "HTTP/1.1 200 OK\r\n");
	assert_int_equal(turns_so_far(), 1);
	client_expect(fd, POST, "HTTP/1.1 200 OK\r\n");
	assert_int_equal(turns_so_far(), 1);
	client_expect(fd, GET GET, "HTTP/1.1 200 OK\r\n");
	assert_int_equal(turns_so_far(), 2);
	close(fd);
	assert_true(http_engine_drain(engine, 5 * PT_SECOND));
	http_engine_close(engine);
	assert_int_equal(turns.begun, turns.ended);
}

static void last_turn_ends_with_the_loop(void **state)
{
	struct http_engine *engine = engine_open(1);
	char text[512];
	int fd;

	(void)state;
	turns = (struct turns){ 0 };
	assert_int_equal(http_engine_start(engine), PT_OK);
	assert_true(client_open(&fd));
	client_expect(fd, GET, "HTTP/1.1 200 OK\r\n");
	assert_int_equal(send(fd, GET, strlen(GET), 0), strlen(GET));
	assert_true(http_engine_drain(engine, 5 * PT_SECOND));
	assert_true(recv(fd, text, sizeof(text), 0) > 0);
	http_engine_close(engine);
	assert_int_equal(turns.begun, 2);
	assert_int_equal(turns.ended, 2);
	close(fd);
}

static void client_ask(int fd, const char *request)
{
	assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
}

static void client_hear(int fd)
{
	char text[512] = "";

	assert_true(recv(fd, text, sizeof(text) - 1, 0) > 0);
	assert_true(str_starts(str(text), PT_STR("HTTP/1.1 200 OK\r\n")));
}

static void all_that_are_asked_in_one_turn_are_answered(void **state)
{
	enum { CLIENTS = 50 };
	struct http_engine *engine = engine_open(1);
	int slow, fds[CLIENTS];
	struct http_counts counts;

	(void)state;
	assert_int_equal(http_engine_start(engine), PT_OK);
	assert_true(client_open(&slow));
	client_expect(slow, GET, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < CLIENTS; i++) {
		assert_true(client_open(&fds[i]));
		client_expect(fds[i], GET, "HTTP/1.1 200 OK\r\n");
	}
	client_ask(slow, SLOW);
	usleep(50000);
	for (int i = 0; i < CLIENTS; i++) {
		client_ask(fds[i], GET);
		/* Some have left when their answer comes. */
		if (i % 3 == 0)
			close(fds[i]);
	}
	client_hear(slow);
	for (int i = 0; i < CLIENTS; i++) {
		if (i % 3 == 0)
			continue;
		client_hear(fds[i]);
		client_expect(fds[i], GET, "HTTP/1.1 200 OK\r\n");
		close(fds[i]);
	}
	http_engine_counts(engine, &counts);
	assert_int_equal(counts.requests, 1 + CLIENTS + 1 + CLIENTS + CLIENTS - (CLIENTS + 2) / 3);
	close(slow);
	assert_true(http_engine_drain(engine, 5 * PT_SECOND));
	http_engine_close(engine);
}

static void answer_of_the_turn_in_which_the_end_comes_is_heard(void **state)
{
	struct http_engine *engine = engine_open(1);
	int slow, fd;

	(void)state;
	assert_int_equal(http_engine_start(engine), PT_OK);
	assert_true(client_open(&slow));
	assert_true(client_open(&fd));
	client_expect(slow, GET, "HTTP/1.1 200 OK\r\n");
	client_expect(fd, GET, "HTTP/1.1 200 OK\r\n");
	client_ask(slow, SLOW);
	usleep(50000);
	client_ask(fd, GET);
	assert_true(http_engine_drain(engine, 5 * PT_SECOND));
	client_hear(slow);
	client_hear(fd);
	http_engine_close(engine);
	close(slow);
	close(fd);
}

static void an_engine_that_never_ran_can_be_closed(void **state)
{
	struct http_engine *engine = engine_open(3);
	int fd;

	(void)state;
	http_engine_close(engine);
	http_engine_close(NULL);
	assert_false(client_open(&fd));
	close(fd);
}

static void an_engine_without_loops_is_a_mistake(void **state)
{
	const struct http_setup setup = { .app = &app, .limits = &http_default_limits };
	struct http_engine *engine = NULL;

	(void)state;
	assert_int_equal(http_engine_open(&setup, &engine), PT_F_BUG);
	assert_null(engine);
}

static void requests_are_counted(void **state)
{
	struct http_engine *engine = engine_open(2);
	struct http_counts counts;
	int fd;

	(void)state;
	assert_int_equal(http_engine_start(engine), PT_OK);
	assert_true(client_open(&fd));
	client_expect(fd, GET, "HTTP/1.1 200 OK\r\n");
	client_expect(fd, POST, "HTTP/1.1 200 OK\r\n");
	http_engine_counts(engine, &counts);
	assert_int_equal(counts.accepted, 1);
	assert_int_equal(counts.open, 1);
	assert_int_equal(counts.requests, 2);
	client_expect(fd, "GET /../ HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n");
	http_engine_counts(engine, &counts);
	assert_int_equal(counts.requests, 2);
	assert_int_equal(counts.refused, 1);
	close(fd);
	assert_true(http_engine_drain(engine, 5 * PT_SECOND));
	http_engine_counts(engine, &counts);
	assert_int_equal(counts.open, 0);
	http_engine_close(engine);
}

static void draining_closes_the_door_and_who_waits(void **state)
{
	struct http_engine *engine = engine_open(2);
	char byte;
	int fd, late;

	(void)state;
	assert_int_equal(http_engine_start(engine), PT_OK);
	assert_true(client_open(&fd));
	client_expect(fd, GET, "HTTP/1.1 200 OK\r\n");
	assert_true(http_engine_drain(engine, 5 * PT_SECOND));
	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	assert_false(client_open(&late));
	http_engine_close(engine);
	close(fd);
	close(late);
}

static void closing_cuts_who_is_in_the_middle(void **state)
{
	struct http_engine *engine = engine_open(1);
	const char *half = "POST / HTTP/1.1\r\nHost";
	char byte;
	int fd;

	(void)state;
	assert_int_equal(http_engine_start(engine), PT_OK);
	assert_true(client_open(&fd));
	client_expect(fd, GET, "HTTP/1.1 200 OK\r\n");
	assert_int_equal(send(fd, half, strlen(half), 0), strlen(half));
	http_engine_close(engine);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_engine_that_never_ran_can_be_closed),
		cmocka_unit_test(an_engine_without_loops_is_a_mistake),
		cmocka_unit_test(a_body_that_speaks_of_no_password_waits_for_no_hash),
		cmocka_unit_test(a_password_is_one_however_it_is_spelled),
		cmocka_unit_test(requests_are_counted),
		cmocka_unit_test(turn_begins_with_an_answer_on_the_loop_and_ends_before_it_waits),
		cmocka_unit_test(last_turn_ends_with_the_loop),
		cmocka_unit_test(all_that_are_asked_in_one_turn_are_answered),
		cmocka_unit_test(answer_of_the_turn_in_which_the_end_comes_is_heard),
		cmocka_unit_test(draining_closes_the_door_and_who_waits),
		cmocka_unit_test(closing_cuts_who_is_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

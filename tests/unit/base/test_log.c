/*
 * test_log.c - one line for each thing that an operator should know.
 *
 * stderr is a pipe during each story; `heard` is what came out of it.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"

#include "base/banned.h"

static int own_stderr, reading_end;
static char heard[64 * 1024];

static int listen_in(void **state)
{
	int ends[2];

	(void)state;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	own_stderr = dup(STDERR_FILENO);
	reading_end = ends[0];
	fcntl(reading_end, F_SETFL, O_NONBLOCK);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	return 0;
}

static int let_go(void **state)
{
	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_request(PT_STR(""));
	log_open(LOG_TEXT, LOG_INFO);
	dup2(own_stderr, STDERR_FILENO);
	close(own_stderr);
	close(reading_end);
	return 0;
}

static pt_str hear(void)
{
	ssize_t n = read(reading_end, heard, sizeof(heard) - 1);

	heard[n > 0 ? n : 0] = '\0';
	return str(heard);
}

/* The one line that came, read as JSON. */
static struct json_value hear_json(struct arena *arena)
{
	struct json_value value;
	pt_str line = hear();

	assert_true(line.n > 1 && line.n <= 4096);
	assert_int_equal(str_find(line, '\n'), line.n - 1);
	assert_int_equal(json_read(arena, str_slice(line, 0, line.n - 1), &value), PT_OK);
	return value;
}

static void json_line_holds_all_that_was_said(void **state)
{
	struct arena *arena = arena_open(1 * MIB);
	struct json_value line;

	(void)state;
	log_open(LOG_JSON, LOG_INFO);
	log_request(PT_STR("r-1"));
	LOG(LOG_INFO, "http.request", F_STR("route", PT_STR("/a")), F_INT("status", 200),
		F_BOOL("tls", true), F_CSTR("none", NULL));
	line = hear_json(arena);
	assert_string_equal(json_find(&line, PT_STR("level"))->text.p, "info");
	assert_string_equal(json_find(&line, PT_STR("event"))->text.p, "http.request");
	assert_string_equal(json_find(&line, PT_STR("request"))->text.p, "r-1");
	assert_string_equal(json_find(&line, PT_STR("route"))->text.p, "/a");
	assert_int_equal(json_find(&line, PT_STR("status"))->number, 200);
	assert_true(json_find(&line, PT_STR("tls"))->truth);
	assert_int_equal(json_find(&line, PT_STR("none"))->text.n, 0);
	assert_int_equal(json_find(&line, PT_STR("time"))->text.n, 24);
	arena_close(arena);
}

static void hostile_bytes_cannot_forge_a_line(void **state)
{
	pt_str evil = PT_STR("\n{\"event\":\"x\"}\r\033[2J\xC2\x9B\xE2\x80\xA8\"\xFF");
	struct arena *arena = arena_open(1 * MIB);
	struct json_value line;

	(void)state;
	log_open(LOG_JSON, LOG_INFO);
	LOG(LOG_WARN, "e", F_STR("v", evil));
	line = hear_json(arena);
	assert_int_equal(line.n, 4);
	assert_null(strchr(heard, '\033'));
	assert_null(strstr(heard, "\xC2\x9B"));
	arena_close(arena);
}

static void hostile_bytes_cannot_forge_text(void **state)
{
	pt_str evil = PT_STR(
		"\n12:00 error\r\033[2J\xC2\x9B\xE2\x80\xA8\xE2\x80\xAE\xE2\x81\xA6\"\\\xFF\0");
	pt_str line;

	(void)state;
	log_open(LOG_TEXT, LOG_INFO);
	LOG(LOG_WARN, "e", F_STR("message", evil), F_STR("v", evil));
	line = hear();
	assert_int_equal(str_find(line, '\n'), line.n - 1);
	for (size_t i = 0; i < line.n - 1; i++)
		assert_true(line.p[i] >= 0x20 && line.p[i] < 0x7F);
}

static void text_line_reads_well(void **state)
{
	(void)state;
	log_open(LOG_TEXT, LOG_INFO);
	log_request(PT_STR("r-1"));
	LOG(LOG_INFO, "outbox.sent", F_INT("tries", 2), F_CSTR("message", "letter sent"),
		F_CSTR("to", "two words"), F_CSTR("by", "smtp"), F_CSTR("quoted", "a\"b"),
		F_CSTR("none", ""));
	assert_true(hear().n > 13);
	assert_string_equal(heard + 12,
		" info  letter sent tries=2 to=\"two words\" by=smtp quoted=\"a\\\"b\" none=\"\""
		" request=r-1\n");
	LOG(LOG_ERROR, "outbox.sent", F_INT("tries", 3));
	assert_true(hear().n > 13);
	assert_string_equal(heard + 12, " error outbox.sent tries=3 request=r-1\n");
}

static void long_values_are_cut_and_the_line_stays_whole(void **state)
{
	static const char *const fillers[] = { "a", "\x01", "\xFF", "\xE2\x82\xAC", "\"" };
	struct arena *arena = arena_open(4 * MIB);

	(void)state;
	log_open(LOG_JSON, LOG_INFO);
	for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++) {
		struct buf b = BUF(arena, 1 * MIB);
		struct json_value line;

		while (b.n < 20000)
			buf_str(&b, str(fillers[i]));
		LOG(LOG_INFO, "e", F_STR("long", buf_view(&b)), F_STR("again", buf_view(&b)),
			F_INT("status", 5));
		line = hear_json(arena);
		assert_true(json_find(&line, PT_STR("cut"))->truth);
		assert_true(json_find(&line, PT_STR("long"))->text.n > 500 / 3);
	}
	arena_close(arena);
}

static void many_fields_do_not_overflow_the_line(void **state)
{
	struct log_field fields[2000];
	struct arena *arena = arena_open(1 * MIB);

	(void)state;
	log_open(LOG_TEXT, LOG_INFO);
	for (size_t i = 0; i < 2000; i++)
		fields[i] = F_CSTR("name", "value");
	log_write(LOG_INFO, "e", fields, 2000);
	assert_true(hear().n <= 4096);
	assert_non_null(strstr(heard, " (cut)\n"));
	arena_close(arena);
}

static void chattier_levels_are_not_written(void **state)
{
	(void)state;
	log_open(LOG_JSON, LOG_WARN);
	log_say(LOG_INFO, "e", "not said");
	log_say(LOG_DEBUG, "e", "not said");
	assert_int_equal(hear().n, 0);
	log_say(LOG_WARN, "e", "said %d", 1);
	assert_true(str_contains(hear(), PT_STR("\"message\":\"said 1\"")));
}

static void request_ends_when_it_is_said(void **state)
{
	char longer[200];

	(void)state;
	memset(longer, 'r', sizeof(longer));
	log_open(LOG_JSON, LOG_INFO);
	log_request(str_n(longer, sizeof(longer)));
	log_say(LOG_INFO, "e", "m");
	assert_true(str_contains(hear(), PT_STR("rrrr")));
	log_request(PT_STR(""));
	log_say(LOG_INFO, "e", "m");
	assert_false(str_contains(hear(), PT_STR("request")));
}

static void full_pipe_drops_and_counts_and_does_not_block(void **state)
{
	uint64_t before = log_dropped();

	(void)state;
	fcntl(STDERR_FILENO, F_SETPIPE_SZ, 4096);
	log_open(LOG_JSON, LOG_INFO);
	for (int i = 0; i < 100; i++)
		log_say(LOG_INFO, "e",
			"a line that takes its place in the pipe until that is full");
	assert_true(log_dropped() > before);
	assert_true(log_dropped() < before + 100);
	assert_true(hear().n > 0);
}

static void *chatter(void *unused)
{
	(void)unused;
	for (int i = 0; i < 200; i++)
		log_say(LOG_INFO, "e", "0123456789 0123456789 0123456789 0123456789 0123456789");
	return NULL;
}

static void threads_do_not_block_on_a_full_pipe_either(void **state)
{
	pthread_t threads[4];
	uint64_t before = log_dropped();

	(void)state;
	fcntl(STDERR_FILENO, F_SETPIPE_SZ, 4096);
	log_open(LOG_JSON, LOG_INFO);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, chatter, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_true(log_dropped() > before);
}

static void fault_is_logged_once_and_returned(void **state)
{
	struct arena *arena = arena_open(1 * MIB);
	struct json_value line;

	(void)state;
	log_open(LOG_JSON, LOG_INFO);
	assert_int_equal(fault(PT_F_STORE, "spend token: %s", "disk full"), PT_F_STORE);
	line = hear_json(arena);
	assert_string_equal(json_find(&line, PT_STR("level"))->text.p, "error");
	assert_string_equal(json_find(&line, PT_STR("event"))->text.p, "fault");
	assert_string_equal(json_find(&line, PT_STR("err"))->text.p, "PT_F_STORE");
	assert_string_equal(json_find(&line, PT_STR("message"))->text.p, "spend token: disk full");
	arena_close(arena);
}

static void journal_gets_a_priority(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open(LOG_JSON, LOG_INFO);
	log_say(LOG_WARN, "e", "m");
	assert_true(str_starts(hear(), PT_STR("<4>{")));
}

static void stderr_that_was_moved_is_not_the_journal(void **state)
{
	(void)state;
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_open(LOG_JSON, LOG_INFO);
	log_say(LOG_WARN, "e", "m");
	assert_true(str_starts(hear(), PT_STR("{")));
}

static void pipe_gets_no_colours(void **state)
{
	(void)state;
	log_open(LOG_TEXT, LOG_INFO);
	log_say(LOG_WARN, "e", "m");
	assert_false(str_contains(hear(), PT_STR("\033")));
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, listen_in, let_go)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(json_line_holds_all_that_was_said),
		STORY(hostile_bytes_cannot_forge_a_line),
		STORY(hostile_bytes_cannot_forge_text),
		STORY(text_line_reads_well),
		STORY(long_values_are_cut_and_the_line_stays_whole),
		STORY(many_fields_do_not_overflow_the_line),
		STORY(chattier_levels_are_not_written),
		STORY(request_ends_when_it_is_said),
		STORY(full_pipe_drops_and_counts_and_does_not_block),
		STORY(threads_do_not_block_on_a_full_pipe_either),
		STORY(fault_is_logged_once_and_returned),
		STORY(journal_gets_a_priority),
		STORY(stderr_that_was_moved_is_not_the_journal),
		STORY(pipe_gets_no_colours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

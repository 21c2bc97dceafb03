/*
 * test_letter_template.c - templates that are kept at somebody's address, or in a file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "../base/http_peer.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/str.h"
#include "outbound/letter_template.h"

#include "base/banned.h"

#define FOUND "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nHello {{.Email}}"

static struct arena *arena;
static struct letter_templates *templates;
static char folder[] = "/tmp/letter-template-XXXXXX";

static int world_begin(void **state)
{
	const struct fetch_setup setup = { .ca_file = PT_STR("") };

	(void)state;
	arena = arena_open(64 * MIB);
	return arena && mkdtemp(folder) ? (int)fetch_open(&setup) : -1;
}

static int world_end(void **state)
{
	(void)state;
	arena_close(arena);
	return rmdir(folder);
}

static int collection_open(void **state)
{
	(void)state;
	templates = letter_templates_open();
	return templates ? 0 : -1;
}

static int collection_close(void **state)
{
	(void)state;
	letter_templates_close(templates);
	return 0;
}

static struct letter_template_query query_at(const struct http_peer *peer, int page)
{
	struct buf b = BUF(arena, KIB);
	struct letter_template_query query = { .allow_private = true,
		.until = clock_monotonic() + 10 * PT_SECOND };

	buf_printf(&b, "http://127.0.0.1:%d/%d", peer->port, page);
	assert_int_equal(buf_done(&b, &query.url), PT_OK);
	return query;
}

static void expect_found(const struct letter_template_query *query, const char *wanted)
{
	pt_str source;

	assert_int_equal(letter_template_find(templates, arena, query, &source), PT_OK);
	assert_true(str_eq(source, str(wanted)));
}

static void expect_absent(const struct letter_template_query *query)
{
	pt_str source;

	assert_int_equal(letter_template_find(templates, arena, query, &source), PT_E_NOT_FOUND);
}

/* ---- addresses ---- */

static void what_was_fetched_is_used_again(void **state)
{
	struct http_peer peer = { 0 };
	struct letter_template_query query;

	(void)state;
	peer_open(&peer, FOUND);
	query = query_at(&peer, 1);
	for (int i = 0; i < 3; i++)
		expect_found(&query, "Hello {{.Email}}");
	assert_int_equal(peer_connections(&peer), 1);
	assert_true(str_starts(str(peer.request), PT_STR("GET /1 HTTP/1.1\r\n")));
	query = query_at(&peer, 2);
	expect_found(&query, "Hello {{.Email}}");
	assert_int_equal(peer_connections(&peer), 2);
	/* what is kept needs no time */
	query.until = 0;
	expect_found(&query, "Hello {{.Email}}");
	peer_close(&peer);
}

static void a_private_address_is_for_those_who_may(void **state)
{
	struct http_peer peer = { 0 };
	struct letter_template_query query;

	(void)state;
	peer_open(&peer, FOUND);
	query = query_at(&peer, 1);
	expect_found(&query, "Hello {{.Email}}");
	/* nor from what was kept for another */
	query.allow_private = false;
	expect_absent(&query);
	assert_int_equal(peer_connections(&peer), 1);
	peer_close(&peer);
}

static void a_template_has_a_ceiling(void **state)
{
	struct http_peer peer = { .repeat = 1 };
	struct letter_template_query query;
	struct buf b = BUF(arena, MIB);
	pt_str answer;

	(void)state;
	buf_str(&b, PT_STR("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"));
	memset(buf_reserve(&b, 33 * KIB), 'x', 33 * KIB);
	assert_int_equal(buf_done(&b, &answer), PT_OK);
	peer_open(&peer, answer.p);
	query = query_at(&peer, 1);
	expect_absent(&query);
	assert_int_equal(peer_connections(&peer), 4);
	peer_close(&peer);
}

static void a_slow_server_is_left_in_time(void **state)
{
	struct http_peer peer = { .drip_ms = 50 };
	struct letter_template_query query;
	pt_time begin = clock_monotonic();

	(void)state;
	peer_open(&peer, FOUND);
	query = query_at(&peer, 1);
	query.until = begin + 500 * PT_MILLISECOND;
	expect_absent(&query);
	assert_in_range((uintmax_t)(clock_monotonic() - begin), 400 * PT_MILLISECOND,
		2000 * PT_MILLISECOND);
	query.until = begin;
	begin = clock_monotonic();
	expect_absent(&query);
	assert_true(clock_monotonic() - begin < 50 * PT_MILLISECOND);
	peer_close(&peer);
}

static void only_so_many_are_kept(void **state)
{
	struct http_peer peer = { 0 };
	struct letter_template_query query;

	(void)state;
	peer_open(&peer, FOUND);
	for (int i = 0; i < 33; i++) {
		query = query_at(&peer, i);
		expect_found(&query, "Hello {{.Email}}");
	}
	assert_int_equal(peer_connections(&peer), 33);
	expect_found(&query, "Hello {{.Email}}");
	query = query_at(&peer, 1);
	expect_found(&query, "Hello {{.Email}}");
	assert_int_equal(peer_connections(&peer), 33);
	query = query_at(&peer, 0);
	expect_found(&query, "Hello {{.Email}}");
	assert_int_equal(peer_connections(&peer), 34);
	peer_close(&peer);
}

struct finder {
	pthread_t thread;
	const struct http_peer *peer;
	int found;
};

static void *find_many(void *context)
{
	struct finder *finder = context;
	struct arena *own = arena_open(16 * MIB);
	char url[100];

	for (int i = 0; i < 200; i++) {
		struct letter_template_query query = { .allow_private = true,
			.until = clock_monotonic() + 10 * PT_SECOND };
		pt_str source;

		snprintf(url, sizeof(url), "http://127.0.0.1:%d/%d", finder->peer->port, i % 40);
		query.url = str(url);
		finder->found += letter_template_find(templates, own, &query, &source) == PT_OK;
	}
	arena_close(own);
	return NULL;
}

static void several_threads_find_at_once(void **state)
{
	struct http_peer peer = { 0 };
	struct finder finders[4];

	(void)state;
	peer_open(&peer, FOUND);
	for (int i = 0; i < 4; i++) {
		finders[i] = (struct finder){ .peer = &peer };
		assert_int_equal(
			pthread_create(&finders[i].thread, NULL, find_many, &finders[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(finders[i].thread, NULL);
		assert_int_equal(finders[i].found, 200);
	}
	peer_close(&peer);
}

/* ---- files ---- */

static pt_str path_in_folder(const char *name)
{
	struct buf b = BUF(arena, KIB);
	pt_str path;

	buf_printf(&b, "file://%s/%s", folder, name);
	assert_int_equal(buf_done(&b, &path), PT_OK);
	return path;
}

static void file_write(pt_str url, const void *text, size_t n)
{
	FILE *file = fopen(url.p + strlen("file://"), "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, n, file), n);
	fclose(file);
}

static void a_file_is_read_again_when_it_has_changed(void **state)
{
	const struct letter_template_query query = { .url = path_in_folder("letter.html") };

	(void)state;
	expect_absent(&query);
	file_write(query.url, "one", 3);
	expect_found(&query, "one");
	expect_found(&query, "one");
	file_write(query.url, "three", 5);
	expect_found(&query, "three");
	unlink(query.url.p + strlen("file://"));
	expect_absent(&query);
}

static void only_text_of_a_sane_size_in_a_file_will_do(void **state)
{
	static char large[64 * 1024 + 1];
	const struct letter_template_query query = { .url = path_in_folder("letter.html") },
					   itself = { .url = path_in_folder("") };

	(void)state;
	memset(large, 'x', sizeof(large));
	file_write(query.url, large, sizeof(large));
	expect_absent(&query);
	file_write(query.url, large, sizeof(large) - 1);
	assert_int_equal(letter_template_find(templates, arena, &query, &(pt_str){ 0 }), PT_OK);
	file_write(query.url, "\xC3\x28", 2);
	expect_absent(&query);
	unlink(query.url.p + strlen("file://"));
	assert_int_equal(mkfifo(query.url.p + strlen("file://"), 0600), 0);
	expect_absent(&query);
	unlink(query.url.p + strlen("file://"));
	expect_absent(&itself);
}

static void other_schemes_lead_nowhere(void **state)
{
	static const char *const urls[] = { "ftp://127.0.0.1/x", "/etc/hostname",
		"file:/etc/hostname", "FILE:///etc/hostname", "gopher://127.0.0.1/x", "https://",
		"https://a b/", "x" };
	struct letter_template_query query = { .allow_private = true };

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		query.until = clock_monotonic() + 50 * PT_MILLISECOND;
		query.url = str(urls[i]);
		expect_absent(&query);
	}
}

#define STORY(name_) cmocka_unit_test_setup_teardown(name_, collection_open, collection_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(what_was_fetched_is_used_again),
		STORY(a_private_address_is_for_those_who_may),
		STORY(a_template_has_a_ceiling),
		STORY(a_slow_server_is_left_in_time),
		STORY(only_so_many_are_kept),
		STORY(several_threads_find_at_once),
		STORY(a_file_is_read_again_when_it_has_changed),
		STORY(only_text_of_a_sane_size_in_a_file_will_do),
		STORY(other_schemes_lead_nowhere),
	};

	return cmocka_run_group_tests(tests, world_begin, world_end);
}

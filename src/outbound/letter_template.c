/*
 * letter_template.c - fetching templates of letters, and keeping the newest few.
 *
 *            found                   ten seconds, or the file has changed
 *   ABSENT ---------> KEPT -------------------------------------------------> STALE
 *                      ^                        found again                     |
 *                      +--------------------------------------------------------+
 *
 * (1) A place is keyed by URL and by what was allowed when it was filled.
 * (2) The lock is never held while something is fetched or read: two letters may fetch the same.
 * (3) When all places are taken, the one that was filled longest ago is taken over.
 */
#include "outbound/letter_template.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fetch.h"
#include "base/log.h"
#include "base/own.h"
#include "base/str.h"

#include "base/banned.h"

enum { PLACES = 32, URL_MAX = 2048, TRIES = 4 };

#define SOURCE_MAX (64 * KIB)

static const pt_time fresh_time = 10 * PT_SECOND;
static const pt_time try_time = 5 * PT_SECOND;
static const pt_time first_pause = 100 * PT_MILLISECOND; /* twice as long each time */
static const pt_str file_scheme = PT_STR_INIT("file://");

/* Which content of a file; zeros for what was fetched. */
struct edition {
	struct timespec changed;
	off_t size;
};

struct place {
	char *text; /* the URL, and the source behind it; NULL: the place is free */
	pt_str url;
	pt_str source;
	bool allow_private;
	pt_time filled_at; /* monotonic */
	struct edition edition;
};

struct letter_templates {
	pthread_mutex_t lock;
	struct place places[PLACES];
};

struct letter_templates *letter_templates_open(void)
{
	struct letter_templates *templates = calloc(1, sizeof(*templates));

	if (templates)
		pthread_mutex_init(&templates->lock, NULL);
	return templates;
}

void letter_templates_close(struct letter_templates *templates)
{
	if (!templates)
		return;
	for (size_t i = 0; i < PLACES; i++)
		free(templates->places[i].text);
	pthread_mutex_destroy(&templates->lock);
	free(templates);
}

/* ---- places; under the lock ---- */

static struct place *place_of(
	struct letter_templates *templates, const struct letter_template_query *query)
{
	for (size_t i = 0; i < PLACES; i++) {
		struct place *place = &templates->places[i];
		if (place->text && place->allow_private == query->allow_private &&
			str_eq(place->url, query->url))
			return place;
	}
	return NULL;
}

static struct place *place_oldest(struct letter_templates *templates)
{
	struct place *oldest = &templates->places[0];

	for (size_t i = 0; i < PLACES && oldest->text; i++) {
		struct place *place = &templates->places[i];
		if (!place->text || place->filled_at < oldest->filled_at)
			oldest = place;
	}
	return oldest;
}

/* Out of memory it is just not kept. */
static void place_fill(struct place *place, const struct letter_template_query *query,
	pt_str source, const struct edition *edition)
{
	char *text = malloc(query->url.n + source.n + 1);

	free(place->text);
	*place = (struct place){ .text = text };
	if (!text)
		return;
	memcpy(text, query->url.p, query->url.n);
	if (source.n > 0)
		memcpy(text + query->url.n, source.p, source.n);
	place->url = str_n(text, query->url.n);
	place->source = str_n(text + query->url.n, source.n);
	place->allow_private = query->allow_private;
	place->filled_at = clock_monotonic();
	place->edition = *edition;
}

/* ---- the collection ---- */

static bool is_same_edition(const struct edition *a, const struct edition *b)
{
	return a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec &&
	       a->size == b->size;
}

static bool is_fresh(const struct place *place, const struct edition *edition)
{
	if (edition)
		return is_same_edition(&place->edition, edition);
	return clock_monotonic() - place->filled_at < fresh_time;
}

/* edition: that of the file; NULL: it is no file, and time decides. */
static bool find_kept(struct letter_templates *templates, pt_arena *arena,
	const struct letter_template_query *query, const struct edition *edition, pt_str *out)
{
	const struct place *place;
	bool found;

	pthread_mutex_lock(&templates->lock);
	place = place_of(templates, query);
	found = place && is_fresh(place, edition) && arena_str(arena, place->source, out);
	pthread_mutex_unlock(&templates->lock);
	return found;
}

static void keep(struct letter_templates *templates, const struct letter_template_query *query,
	pt_str source, const struct edition *edition)
{
	static const struct edition none = { .size = 0 };
	struct place *place;

	pthread_mutex_lock(&templates->lock);
	place = place_of(templates, query);
	if (!place)
		place = place_oldest(templates);
	place_fill(place, query, source, edition ? edition : &none);
	pthread_mutex_unlock(&templates->lock);
}

/* ---- files ---- */

/* *why is written when it cannot be read. */
static bool file_read(
	pt_arena *arena, int fd, const struct edition *edition, pt_str *out, const char **why)
{
	size_t size = (size_t)edition->size, n = 0;
	char *text = size <= SOURCE_MAX ? arena_alloc(arena, size + 1) : NULL;

	*why = size <= SOURCE_MAX ? "there is no memory" : "it is larger than 64 KiB";
	if (!text)
		return false;
	while (n < size) {
		ssize_t got = read(fd, text + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	*out = str_n(text, n);
	*why = "it cannot be read";
	return n == size;
}

static pt_err file_find(struct letter_templates *templates, pt_arena *arena,
	const struct letter_template_query *query, pt_str *out, const char **why)
{
	const char *path = arena_cstr(arena, str_slice(query->url, file_scheme.n, query->url.n));
	PT_OWN(own_fd) int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	struct edition edition;
	struct stat st;

	*why = "there is no such file, or it may not be read";
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return PT_E_NOT_FOUND;
	edition = (struct edition){ .changed = st.st_mtim, .size = st.st_size };
	if (find_kept(templates, arena, query, &edition, out))
		return PT_OK;
	if (!file_read(arena, fd, &edition, out, why))
		return PT_E_NOT_FOUND;
	*why = "it is not UTF-8";
	if (!str_utf8(*out))
		return PT_E_NOT_FOUND;
	keep(templates, query, *out, &edition);
	return PT_OK;
}

/* ---- addresses ---- */

static void wait_for(pt_time time)
{
	struct timespec left = { .tv_sec = time / PT_SECOND, .tv_nsec = (time % PT_SECOND) * 1000 };

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

static bool fetch_once(pt_arena *arena, const struct letter_template_query *query, pt_time left,
	pt_str *out, const char **why)
{
	struct fetch_request request = {
		.url = query->url,
		.deadline = left < try_time ? left : try_time,
		.body_max = SOURCE_MAX,
		.allow_private = query->allow_private,
	};
	struct fetch_response response = { 0 };

	*why = "it cannot be fetched";
	if (fetch(arena, &request, &response) != PT_OK)
		return false;
	*why = "its server did not answer with 200";
	if (response.status != 200)
		return false;
	*why = "it is not UTF-8";
	if (!str_utf8(response.body))
		return false;
	*out = response.body;
	return true;
}

static pt_err url_find(struct letter_templates *templates, pt_arena *arena,
	const struct letter_template_query *query, pt_str *out, const char **why)
{
	if (find_kept(templates, arena, query, NULL, out))
		return PT_OK;
	*why = "there was no time to fetch it";
	for (int i = 0; i < TRIES; i++) {
		pt_time left = query->until - clock_monotonic();

		if (left <= 0)
			return PT_E_NOT_FOUND;
		if (fetch_once(arena, query, left, out, why)) {
			keep(templates, query, *out, NULL);
			return PT_OK;
		}
		if (i < TRIES - 1)
			wait_for(first_pause << i);
	}
	return PT_E_NOT_FOUND;
}

/* A login or a secret in an address is nobody's to read. */
static pt_str url_shown(pt_str url)
{
	pt_str shown, query;

	str_cut(url, '?', &shown, &query);
	return str_find(shown, '@') < shown.n ? PT_STR("") : shown;
}

pt_err letter_template_find(struct letter_templates *templates, pt_arena *arena,
	const struct letter_template_query *query, pt_str *source)
{
	bool is_file = str_starts(query->url, file_scheme);
	const char *why = "its address is too long";
	pt_err err = PT_E_NOT_FOUND;

	if (query->url.n <= URL_MAX && is_file)
		err = file_find(templates, arena, query, source, &why);
	else if (query->url.n <= URL_MAX)
		err = url_find(templates, arena, query, source, &why);
	if (err != PT_OK)
		LOG(LOG_WARN, "letter.template",
			F_CSTR("message", "a letter's own template cannot be used; ours is"),
			F_STR("url", url_shown(query->url)), F_CSTR("detail", why));
	return err;
}

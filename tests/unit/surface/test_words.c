/*
 * Every refusal and every fault has a status and words, in each profile, for people and programs.
 */
#include "desk.h"

#include "surface/pages/pages.h"

#include "base/banned.h"

/* One exchange that reached the dialect and goes wrong. */
struct wrong {
	struct http_request rq;
	struct http_response rs;
	struct exchange ex;
};

static const struct http_header wants_html = { PT_STR_INIT("accept"), PT_STR_INIT("text/html") };
static const struct http_header wants_json = { PT_STR_INIT("accept"),
	PT_STR_INIT("application/json") };

static void wrong_open(struct wrong *w, struct desk *d, const char *path, bool json)
{
	const struct pt_asker asker = { .client = PT_STR("203.0.113.7"), .request = PT_STR("0") };

	memset(w, 0, sizeof(*w));
	w->rq = (struct http_request){ .arena = d->memory,
		.method = HTTP_POST,
		.path = str(path),
		.headers = json ? &wants_json : &wants_html,
		.n_headers = 1,
		.id = PT_STR("0123456789abcdef") };
	http_response_init(&w->rs, d->memory);
	w->ex = (struct exchange){ .surface = d->surface,
		.mount = &d->surface->mounts[d->surface->n_mounts - 1],
		.rq = &w->rq,
		.rs = &w->rs,
		.arena = d->memory };
	EXPECT_ERR(PT_OK, pt_call_begin(d->site, d->memory, &asker, &w->ex.call));
	EXPECT_ERR(PT_OK, pages_dialect.begin(&w->ex));
	for (size_t i = 0; i < pages_dialect.n_routes; i++)
		if (str_eq(str(pages_dialect.routes[i].path), w->rq.path) &&
			pages_dialect.routes[i].methods == HTTP_POST)
			w->ex.route = &pages_dialect.routes[i];
}

static void wrong_close(struct wrong *w)
{
	pt_call_end(w->ex.call);
}

static const char *header_of(const struct wrong *w, const char *name)
{
	const struct heard heard = { .rs = w->rs };

	return heard_header(&heard, name);
}

/* ---- words ---- */

static const char *const paths[] = { "/signup", "/signin", "/forgot", "/reset", "/resend",
	"/signout" };

/* Faults, and what another house owes: nothing that the client could do better. */
static bool is_not_theirs(pt_err err)
{
	return pt_is_fault(err) || err == PT_E_BUSY || err == PT_E_MAIL ||
	       (err >= PT_E_HOOK_TIMEOUT && err <= PT_E_HOOK_MALFORMED);
}

static void assert_words(struct wrong *w, pt_err err)
{
	struct words words;

	EXPECT_ERR(PT_OK, words_for(&w->ex, err, &words));
	if (words.message.n == 0 || words.message.p[words.message.n] != '\0')
		fail_msg("%s has no message", pt_err_name(err));
	if (text_of(&w->ex, words.text).n == 0)
		fail_msg("%s: no text %s in the catalogue", pt_err_name(err), words.text);
	if (is_not_theirs(err))
		assert_in_range(words.status, 500, 503);
	else
		assert_in_range(words.status, 400, 429);
}

static void as_g1(struct desk *d)
{
	d->setup.pages.profile = PAGES_G1;
}

static void as_g2(struct desk *d)
{
	d->setup.pages.profile = PAGES_G2;
}

static void (*const profiles[])(struct desk *) = { NULL, as_g1, as_g2 };

static void every_outcome_has_words_in_every_profile(void **state)
{
	struct desk d;
	struct wrong w;

	(void)state;
	for (size_t p = 0; p < COUNT(profiles); p++) {
		desk_open(&d, profiles[p]);
		for (size_t i = 0; i < COUNT(paths); i++) {
			wrong_open(&w, &d, paths[i], true);
			for (int err = PT_F_BUG; err <= PT_E_BUSY; err++)
				if (err != PT_OK)
					assert_words(&w, (pt_err)err);
			wrong_close(&w);
		}
		desk_close(&d);
	}
}

static void success_and_numbers_that_mean_nothing_have_none(void **state)
{
	struct wrong w;
	struct words words;

	wrong_open(&w, *state, "/signin", true);
	EXPECT_ERR(PT_F_BUG, words_for(&w.ex, PT_OK, &words));
	EXPECT_ERR(PT_F_BUG, words_for(&w.ex, (pt_err)(PT_E_BUSY + 1), &words));
	EXPECT_ERR(PT_F_BUG, words_for(&w.ex, (pt_err)(PT_F_BUG - 1), &words));
	wrong_close(&w);
}

/* ---- said ---- */

static void assert_said(struct desk *d, const char *path, bool json, pt_err err)
{
	struct words words;
	struct wrong w;

	wrong_open(&w, d, path, json);
	EXPECT_ERR(PT_OK, words_for(&w.ex, err, &words));
	pages_dialect.refuse(&w.ex, err);
	pages_dialect.finish(&w.ex);
	if (w.rs.status != words.status || w.rs.body.n == 0 || w.rs.failed)
		fail_msg("%s: %s is %d, not %d", path, pt_err_name(err), w.rs.status, words.status);
	if ((w.rs.status == 503 || w.rs.status == 429) && !header_of(&w, "retry-after"))
		fail_msg("%s: %s does not say when to come back", path, pt_err_name(err));
	assert_null(header_of(&w, "location"));
	assert_string_equal(header_of(&w, "content-type"),
		json ? "application/json" : "text/html; charset=utf-8");
	if (json && !str_contains(w.rs.body, words.message))
		fail_msg("%s is not said: %s", pt_err_name(err), w.rs.body.p);
	assert_false(str_contains(w.rs.body, PT_STR("PT_")));
	wrong_close(&w);
}

static void every_outcome_is_said_to_people_and_programs(void **state)
{
	for (size_t i = 0; i < COUNT(paths); i++)
		for (int err = PT_F_BUG; err <= PT_E_BUSY; err++)
			for (int json = 0; json < 2 && err != PT_OK; json++)
				assert_said(*state, paths[i], json == 1, (pt_err)err);
}

static void no_page_shows_an_unfilled_blank(void **state)
{
	struct wrong w;

	for (int err = 1; err <= PT_E_BUSY; err++) {
		wrong_open(&w, *state, "/signup", false);
		pages_dialect.refuse(&w.ex, (pt_err)err);
		if (str_contains(w.rs.body, PT_STR("{")))
			fail_msg("%s: %s", pt_err_name((pt_err)err), w.rs.body.p);
		wrong_close(&w);
	}
}

static void g1_names_no_field(void **state)
{
	struct words words;
	struct wrong w;
	struct desk d;

	(void)state;
	desk_open(&d, as_g1);
	wrong_open(&w, &d, "/signup", true);
	EXPECT_ERR(PT_OK, words_for(&w.ex, PT_E_USERNAME, &words));
	assert_string_equal(words.message.p, "Invalid input");
	wrong_close(&w);
	desk_close(&d);
}

static void what_cannot_even_be_said_is_said_plainly(void **state)
{
	struct desk *d = *state;
	struct wrong w;
	struct arena *full = arena_open(16);

	wrong_open(&w, d, "/signin", false);
	w.ex.arena = full;
	pages_dialect.refuse(&w.ex, PT_E_CREDENTIALS);
	assert_int_equal(w.rs.status, 503);
	assert_string_equal(header_of(&w, "retry-after"), "5");
	assert_string_equal(header_of(&w, "content-type"), "text/plain; charset=utf-8");
	assert_true(str_contains(w.rs.body, PT_STR("not available")));
	wrong_close(&w);
	arena_close(full);
}

static void guessing_is_slowed_down(void **state)
{
	struct desk *d = *state;
	struct wrong w;

	for (int err = 1; err <= PT_E_BUSY; err++) {
		bool slow = err == PT_E_CREDENTIALS || err == PT_E_UNVERIFIED;
		wrong_open(&w, d, "/signin", true);
		pages_dialect.refuse(&w.ex, (pt_err)err);
		assert_int_equal(w.rs.delay, slow ? d->policy.failure_delay : 0);
		wrong_close(&w);
	}
	assert_true(d->policy.failure_delay > 0);
}

static void bad_tokens_are_told_which_scheme_is_wanted(void **state)
{
	struct wrong w;

	wrong_open(&w, *state, "/signout", true);
	pages_dialect.refuse(&w.ex, PT_E_TOKEN);
	assert_string_equal(header_of(&w, "www-authenticate"), "Bearer");
	wrong_close(&w);
	wrong_open(&w, *state, "/signout", true);
	pages_dialect.refuse(&w.ex, PT_E_NOT_SIGNED_IN);
	assert_null(header_of(&w, "www-authenticate"));
	wrong_close(&w);
}

#define AT_A_DESK(test) cmocka_unit_test_setup_teardown(test, desk_setup, desk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_outcome_has_words_in_every_profile),
		AT_A_DESK(success_and_numbers_that_mean_nothing_have_none),
		AT_A_DESK(every_outcome_is_said_to_people_and_programs),
		AT_A_DESK(no_page_shows_an_unfilled_blank),
		cmocka_unit_test(g1_names_no_field),
		AT_A_DESK(what_cannot_even_be_said_is_said_plainly),
		AT_A_DESK(guessing_is_slowed_down),
		AT_A_DESK(bad_tokens_are_told_which_scheme_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

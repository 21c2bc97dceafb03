/*
 * Which rows has nobody asked for? Each row of every dialect stands here with a request that its
 * handler answers; a new row fails until it does.
 */
#include "desk.h"

#include "base/banned.h"

static const struct {
	const char *methods, *row, *gates; /* as surface_routes tells them */
	const char *path;
	const char *body; /* JSON; NULL where none is sent */
	int status;
	const char *says;
} rows[] = {
	{ "GET", "/healthz", "", "/healthz", NULL, 200, "ok\n" },
	{ "GET", "/readyz", "", "/readyz", NULL, 200, "ready\n" },
	{ "GET", "/metrics", "", "/metrics", NULL, 200, "portress_up 1" },
	{ "GET", "/.well-known/jwks.json", "", "/.well-known/jwks.json", NULL, 200,
		"{\"keys\":[]}" },
	{ "GET", "/", "store", "/", NULL, 200, "\"Home\"" },
	{ "GET", "/home", "store", "/home", NULL, 200, "\"Home\"" },
	{ "GET", "/me", "", "/me", NULL, 401, "\"Not signed in\"" },
	{ "GET", "/signup", "store", "/signup", NULL, 200, "id=\"signup-form\"" },
	{ "POST", "/signup", "csrf", "/signup", "{\"username\":\"a\"}", 400, "\"username\"" },
	{ "GET", "/signup/sent", "store", "/signup/sent", NULL, 200, "Check your email" },
	{ "GET", "/verify", "", "/verify?token=x", NULL, 400, "\"Invalid token\"" },
	{ "POST", "/resend", "csrf", "/resend", "{\"email\":\"a@example.org\"}", 303,
		"Verification email sent" },
	{ "GET", "/signin", "store", "/signin", NULL, 200, "id=\"signin-form\"" },
	{ "POST", "/signin", "csrf", "/signin",
		"{\"username\":\"nobody\",\"password\":\"wrong words\"}", 401,
		"Invalid credentials" },
	{ "GET", "/signout", "", "/signout", NULL, 200, "Signout successful" },
	{ "POST", "/signout", "csrf", "/signout", "{}", 200, "Signout successful" },
	{ "GET", "/forgot", "store", "/forgot", NULL, 200, "action=\"/forgot\"" },
	{ "POST", "/forgot", "csrf", "/forgot", "{\"email\":\"a@example.org\"}", 303,
		"Password reset email sent" },
	{ "GET", "/reset", "store", "/reset?token=x", NULL, 400, "\"Invalid token\"" },
	{ "POST", "/reset", "csrf", "/reset", "{\"token\":\"x\",\"new_password\":\"" PASSWORD "\"}",
		400, "Invalid token" },
	{ "GET", "/refresh", "", "/refresh", NULL, 200, "CSRF token issued" },
	{ "POST", "/refresh", "csrf", "/refresh", "{\"refresh_token\":\"x\"}", 401,
		"Invalid refresh token" },
	{ "GET", "/assets/*", "", "/assets/", NULL, 200, "body{}" },
	{ "GET", "/dev/mailbox", "", "/dev/mailbox", NULL, 200, "\"Mailbox\"" },
	{ "GET", "/dev/mailbox/*", "", "/dev/mailbox/1", NULL, 200, "Hello" },
	{ "GET", "/.well-known/change-password", "", "/.well-known/change-password", NULL, 302,
		"" },
	{ "GET", "/robots.txt", "", "/robots.txt", NULL, 200, "Disallow" },
};

static size_t row_of(const char *methods, const char *path)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i].methods, methods) == 0 && strcmp(rows[i].row, path) == 0)
			return i;
	fail_msg("no request here for %s %s", methods, path);
	return 0;
}

struct tally {
	struct desk *desk;
	bool seen[COUNT(rows)];
};

/* The path of an asset is only known to the page that names it. */
static const char *path_of(struct desk *d, size_t row)
{
	struct heard page;
	pt_str rest, path;

	if (strcmp(rows[row].row, "/assets/*") != 0)
		return rows[row].path;
	page = desk_page(d, "/signin");
	rest = str(strstr(page.body, "stylesheet\" href=\"") + 18);
	assert_true(str_cut(rest, '"', &path, &rest));
	return arena_cstr(d->memory, path);
}

static void ask_for_row(void *ctx, const char *methods, const char *path, const char *gates)
{
	struct tally *tally = ctx;
	size_t i = row_of(methods, path);
	const struct ask plain = {
		.path = path_of(tally->desk, i), .accept = JSON_TYPE, .ops = true
	};

	assert_string_equal(gates, rows[i].gates);
	struct heard h = rows[i].body ? desk_post(tally->desk, rows[i].path, rows[i].body)
				      : desk_ask(tally->desk, &plain);
	if (h.status != rows[i].status || !heard_says(&h, rows[i].says))
		fail_msg("%s %s: %d %s", methods, path, h.status, h.body);
	tally->seen[i] = true;
}

static void every_row_answers(void **state)
{
	struct desk *d = *state;
	struct tally tally = { .desk = d };

	d->mails[0] = (struct pt_mail){ .id = { "1" },
		.subject = PT_STR("Hello"),
		.text = PT_STR("Hello"),
		.to = PT_STR("a@example.org") };
	d->n_mails = 1;
	surface_routes(d->surface, ask_for_row, &tally);
	for (size_t i = 0; i < COUNT(rows); i++)
		if (!tally.seen[i])
			fail_msg("there is no row %s %s any more", rows[i].methods, rows[i].row);
}

static void every_row_with_a_token_gate_refuses_without_one(void **state)
{
	struct desk *d = *state;
	size_t asked = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!str_contains(str(rows[i].gates), PT_STR("csrf")))
			continue;
		const struct ask ask = { .method = HTTP_POST,
			.path = rows[i].path,
			.type = JSON_TYPE,
			.body = rows[i].body };
		struct heard h = desk_ask(d, &ask);
		if (h.status != 403)
			fail_msg("%s: %d", rows[i].path, h.status);
		asked++;
	}
	assert_true(asked >= 7);
}

/* A new row that writes must not come without its gate. */
static void changes_are_gated(void *ctx, const char *methods, const char *path, const char *gates)
{
	(void)ctx;
	if (strcmp(methods, "GET") != 0 && !str_contains(str(gates), PT_STR("csrf")))
		fail_msg("%s %s has no csrf gate", methods, path);
}

static void every_row_that_writes_has_its_gate(void **state)
{
	struct desk *d = *state;

	surface_routes(d->surface, changes_are_gated, NULL);
}

static void without_mailbox(struct desk *d)
{
	d->setup.pages.dev_mailbox = false;
}

static void mailbox_is_there_for_developers_only(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d, without_mailbox);
	assert_int_equal(desk_get(&d, "/dev/mailbox").status, 404);
	assert_int_equal(desk_get(&d, "/dev/mailbox/1").status, 404);
	desk_close(&d);
}

#define AT_A_DESK(test) cmocka_unit_test_setup_teardown(test, desk_setup, desk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_A_DESK(every_row_answers),
		AT_A_DESK(every_row_with_a_token_gate_refuses_without_one),
		AT_A_DESK(every_row_that_writes_has_its_gate),
		cmocka_unit_test(mailbox_is_there_for_developers_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

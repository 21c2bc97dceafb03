/*
 * The rows of the GoTrue dialect are its security review: each stands here with its gates, and with what
 * somebody is told who shows nothing. A new row fails until it does.
 */
#include "lodge.h"

#include "base/banned.h"

static const struct row {
	const char *methods, *path, *gates; /* as surface_routes tells them */
	enum http_method method;
	const char *asked;
	int status; /* without any proof */
} rows[] = {
	{ "GET", "/health", "", HTTP_GET, "/health", 200 },
	{ "GET", "/settings", "", HTTP_GET, "/settings", 400 },
	{ "GET", "/authorize", "", HTTP_GET, "/authorize", 400 },
	{ "GET", "/callback[/]", "state", HTTP_GET, "/callback", 400 },
	{ "POST", "/signup", "email", HTTP_POST, "/signup", 400 },
	{ "POST", "/invite", "admin", HTTP_POST, "/invite", 400 },
	{ "POST", "/recover", "email", HTTP_POST, "/recover", 400 },
	{ "POST", "/token", "email rate", HTTP_POST, "/token", 400 },
	{ "POST", "/verify", "", HTTP_POST, "/verify", 400 },
	{ "POST", "/logout", "bearer", HTTP_POST, "/logout", 400 },
	{ "GET", "/user[/]", "bearer", HTTP_GET, "/user", 400 },
	{ "PUT", "/user[/]", "bearer", HTTP_PUT, "/user", 400 },
	{ "GET", "/admin/audit[/]", "admin", HTTP_GET, "/admin/audit", 400 },
	{ "GET", "/admin/users[/]", "admin", HTTP_GET, "/admin/users", 400 },
	{ "POST", "/admin/users[/]", "admin email", HTTP_POST, "/admin/users", 400 },
	{ "GET", "/admin/users/export", "admin export", HTTP_GET, "/admin/users/export", 400 },
	{ "GET", "/admin/users/{id}[/]", "admin", HTTP_GET, "/admin/users/" NOBODY, 400 },
	{ "PUT", "/admin/users/{id}[/]", "admin", HTTP_PUT, "/admin/users/" NOBODY, 400 },
	{ "DELETE", "/admin/users/{id}[/]", "admin", HTTP_DELETE, "/admin/users/" NOBODY, 400 },
	{ "POST", "/saml/acs[/]", "relay", HTTP_POST, "/saml/acs", 400 },
	{ "GET", "/saml/metadata", "", HTTP_GET, "/saml/metadata", 400 },
	{ "GET", "/", "operator", HTTP_GET, "/", 401 },
	{ "POST", "/instances[/]", "operator", HTTP_POST, "/instances", 401 },
	{ "GET", "/instances/{id}[/]", "operator", HTTP_GET, "/instances/" NOBODY, 401 },
	{ "PUT", "/instances/{id}[/]", "operator", HTTP_PUT, "/instances/" NOBODY, 401 },
	{ "DELETE", "/instances/{id}[/]", "operator", HTTP_DELETE, "/instances/" NOBODY, 401 },
};

static const char *const ours[] = { "/healthz", "/readyz", "/metrics", "/.well-known/jwks.json" };

struct tally {
	struct lodge *lodge;
	size_t seen;
};

static const struct row *row_of(const char *methods, const char *path)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(rows[i].methods, methods) == 0 && strcmp(rows[i].path, path) == 0)
			return &rows[i];
	for (size_t i = 0; i < COUNT(ours); i++)
		if (strcmp(ours[i], path) == 0)
			return NULL;
	fail_msg("no row here for %s %s", methods, path);
	return NULL;
}

static void judge(void *ctx, const char *methods, const char *path, const char *gates)
{
	struct tally *tally = ctx;
	const struct row *row = row_of(methods, path);

	if (!row)
		return;
	if (strcmp(row->gates, gates) != 0)
		fail_msg("%s %s has the gates `%s`", methods, path, gates);
	struct heard h = lodge_ask(tally->lodge, row->method, row->asked, NULL, NULL, NULL, NULL);
	if (h.status != row->status)
		fail_msg("%s %s: %d %s", methods, path, h.status, h.body);
	tally->seen++;
}

/* Where there are many sites nothing is told before one is named. */
static void every_row_has_its_gates(void **state)
{
	struct lodge *l = *state;
	struct tally tally = { .lodge = l };

	surface_routes(l->desk.surface, judge, &tally);
	assert_int_equal(tally.seen, COUNT(rows));
}

static void gated_rows_of_one_site_refuse_who_shows_nothing(void **state)
{
	size_t asked = 0;

	for (size_t i = 0; i < COUNT(rows); i++) {
		bool gated = str_contains(str(rows[i].gates), PT_STR("bearer")) ||
			     str_contains(str(rows[i].gates), PT_STR("admin"));
		if (!gated)
			continue;
		struct heard h =
			lodge_ask(*state, rows[i].method, rows[i].asked, NULL, NULL, NULL, NULL);
		if (h.status != 401)
			fail_msg("%s: %d", rows[i].path, h.status);
		asked++;
	}
	assert_int_equal(asked, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_row_has_its_gates, lodge_setup_many, lodge_teardown),
		cmocka_unit_test_setup_teardown(gated_rows_of_one_site_refuse_who_shows_nothing,
			lodge_setup, lodge_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

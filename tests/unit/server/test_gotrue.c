/*
 * test_gotrue.c - a configuration of GoTrue's, and what our sites are opened with because of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "config_support.h"
#include "portress/courier.h"
#include "server/gotrue_mail.h"
#include "server/settings.h"
#include "server/site_link.h"

#include "base/banned.h"

#define KEY_A "0123456789abcdefghijklmnopqrstuvA"
#define KEY_B "0123456789abcdefghijklmnopqrstuvB"
#define GOTRUE                                                                                 \
	"PORTRESS_AS=gotrue", "GOTRUE_SITE_URL=https://t.example", "GOTRUE_JWT_SECRET=" KEY_A, \
		"GOTRUE_OPERATOR_TOKEN=" KEY_B, "GOTRUE_DB_DRIVER=sqlite3",                    \
		"GOTRUE_DB_DATABASE_URL=x.db"

struct made {
	struct loaded loaded;
	struct settings settings;
	pt_err err;
};

static struct made make(char *const *environment)
{
	struct made m = { .loaded = load(environment, NULL) };

	m.err = settings_make(&m.loaded.config, &m.settings);
	if (m.err != PT_OK && m.loaded.config.n_problems > 0)
		print_message("%.*s\n", (int)m.loaded.config.problems[0].n,
			m.loaded.config.problems[0].p);
	return m;
}

static void refused(char *const *environment, const char *words)
{
	struct made m = make(environment);

	assert_int_equal(m.err, PT_F_CONFIG);
	assert_true(complains(&m.loaded, words));
	unload(&m.loaded);
}

static bool warns(const struct loaded *l, const char *words)
{
	for (size_t i = 0; i < l->config.n_warnings; i++) {
		if (str_contains(l->config.warnings[i], str(words)))
			return true;
	}
	return false;
}

#define assert_text(text, expected) assert_true(str_eq(text, PT_STR(expected)))

static void its_defaults_hold_in_its_place(void **state)
{
	struct made m = make(ENVIRONMENT(GOTRUE));
	const struct gotrue_options *o = &m.settings.gotrue_site;
	const struct pt_policy *p = &m.settings.gotrue_policy;

	(void)state;
	assert_int_equal(m.err, PT_OK);
	assert_int_equal(m.loaded.config.n_warnings, 0);
	assert_true(m.settings.gotrue.on && !m.settings.pages.on);
	assert_text(m.settings.gotrue.mount, "/");
	assert_text(m.settings.base_url, "http://localhost:8081");
	assert_text(m.settings.store.url, "sqlite:x.db");
	assert_true(m.settings.listen.n > 0);
	assert_text(o->admin_group, "admin");
	assert_text(o->cookie_key, "nf_jwt");
	assert_int_equal(o->cookie_life, PT_DAY);
	assert_true(p->token_profile && p->log_names && p->mail_limit_told);
	assert_int_equal(p->access_life, PT_HOUR);
	assert_int_equal(p->refresh_life, 30 * PT_DAY);
	assert_int_equal(p->refresh_grace, 10 * PT_SECOND);
	assert_int_equal(p->refresh_family_life, 0);
	assert_int_equal(p->mail_pause, 15 * PT_MINUTE);
	assert_int_equal(p->mail_per_recipient, 0);
	assert_int_equal(p->verify_life, PT_DAY);
	assert_int_equal(p->invite_life, 7 * PT_DAY);
	assert_int_equal(p->password_max_bytes, 72);
	assert_int_equal(p->password_min, 1);
	assert_false(p->password_blocklist || p->mail_at_once || p->signup_off || p->autoconfirm);
	assert_true(m.settings.keys.root.n >= 32);
	unload(&m.loaded);
}

static void its_names_and_units_are_read(void **state)
{
	struct made m = make(ENVIRONMENT(GOTRUE, "PORT=9999", "GOTRUE_API_HOST=127.0.0.1",
		"GOTRUE_JWT_EXP=60", "GOTRUE_JWT_REFRESH_TOKEN_LIFETIME=0",
		"GOTRUE_SMTP_MAX_FREQUENCY=1m30s", "GOTRUE_MAILER_INVITE_MAX_AGE=30",
		"GOTRUE_COOKIE_DURATION=-1", "GOTRUE_DISABLE_SIGNUP=T",
		"GOTRUE_MAILER_AUTOCONFIRM=1", "GOTRUE_WEBHOOK_TIMEOUT_SEC=-3",
		"GOTRUE_WEBHOOK_EVENTS=login, signup", "GOTRUE_LOG_LEVEL=warning",
		"GOTRUE_SMTP_HOST=localhost", "GOTRUE_SMTP_ADMIN_EMAIL=a@b.example",
		"GOTRUE_EXTERNAL_GITHUB_ENABLED=true", "GOTRUE_EXTERNAL_GITHUB_CLIENT_ID=id",
		"GOTRUE_EXTERNAL_SAML_NAME=corp", "GOTRUE_RATE_LIMIT_HEADER=X-Limit-By",
		"REQUEST_ID_HEADER=X-Trace"));
	const struct gotrue_options *o = &m.settings.gotrue_site;
	const struct pt_policy *p = &m.settings.gotrue_policy;

	(void)state;
	assert_int_equal(m.err, PT_OK);
	assert_text(m.settings.base_url, "http://localhost:9999");
	assert_int_equal(p->access_life, 60 * PT_SECOND);
	assert_int_equal(p->refresh_life, 30 * PT_DAY);
	assert_int_equal(p->mail_pause, 90 * PT_SECOND);
	assert_int_equal(p->invite_life, 30 * PT_SECOND);
	assert_int_equal(o->cookie_life, 0);
	assert_true(p->signup_off && p->autoconfirm && p->mail_at_once);
	assert_int_equal(o->webhook.try_time, 5 * PT_SECOND);
	assert_text(config_text(&m.loaded.config, SET_LOG_LEVEL), "warn");
	assert_text(o->saml_label, "corp");
	assert_text(m.settings.gotrue.limit_header, "x-limit-by");
	assert_text(m.settings.gotrue.request_id_header, "x-trace");
	assert_true(o->providers[1].enabled && !gotrue_provider_is_whole(&o->providers[1]));
	unload(&m.loaded);
}

static void what_it_cannot_read_is_refused(void **state)
{
	(void)state;
	refused(ENVIRONMENT(GOTRUE, "GOTRUE_DISABLE_SIGNUP=yes"),
		"GOTRUE_DISABLE_SIGNUP: must be true or false");
	refused(ENVIRONMENT(GOTRUE, "GOTRUE_SMTP_MAX_FREQUENCY=soon"),
		"GOTRUE_SMTP_MAX_FREQUENCY: must be a time");
	refused(ENVIRONMENT(GOTRUE, "GOTRUE_JWT_EXP=1h"), "GOTRUE_JWT_EXP: must be a whole number");
	refused(ENVIRONMENT(GOTRUE, "GOTRUE_DB_DRIVER=oracle"),
		"GOTRUE_DB_DRIVER must be mysql, postgres or sqlite3");
}

static void what_it_needs_is_missed_by_name(void **state)
{
	static const char *const names[] = { "SITE_URL", "JWT_SECRET", "OPERATOR_TOKEN",
		"DB_DRIVER", "DB_DATABASE_URL" };
	struct loaded l = load(ENVIRONMENT("PORTRESS_AS=gotrue", "GOTRUE_JWT_SECRET="), NULL);

	(void)state;
	assert_int_equal(l.err, PT_F_CONFIG);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char words[64];

		snprintf(words, sizeof(words), "GOTRUE_%s is required", names[i]);
		assert_true(complains(&l, words));
	}
	unload(&l);
	l = load(ENVIRONMENT("PORTRESS_AS=gotrue", "GOTRUE_MULTIINSTANCEMODE=true",
			 "GOTRUE_OPERATOR_TOKEN=" KEY_B, "GOTRUE_DB_DRIVER=mysql",
			 "DATABASE_URL=u@tcp(localhost)/d"),
		NULL);
	assert_int_equal(l.err, PT_OK);
	unload(&l);
}

static void the_prefixed_name_counts_more_than_the_other(void **state)
{
	struct loaded l = load(
		ENVIRONMENT(GOTRUE, "PORT=1", "GOTRUE_API_PORT=2", "DATABASE_URL=other.db"), NULL);

	(void)state;
	assert_text(config_text(&l.config, SET_LISTEN_PORT), "2");
	assert_text(config_text(&l.config, SET_DATABASE), "x.db");
	unload(&l);
	/* Not in its place: PORT is anybody's. */
	l = load(ENVIRONMENT("PORT=1", "GOTRUE_API_PORT=2"), NULL);
	assert_text(config_text(&l.config, SET_LISTEN_PORT), "");
	unload(&l);
}

static void what_has_no_effect_is_named(void **state)
{
	struct loaded l = load(ENVIRONMENT(GOTRUE, "GOTRUE_TRACING_ENABLED=true",
				       "GOTRUE_LOG_FILE=/x", "GOTRUE_DB_NAMESPACE=auth",
				       "GOTRUE_EXTERNAL_SAML_ENABLED=true", "GOTRUE_SITE_ULR=x"),
		NULL);

	(void)state;
	assert_int_equal(l.err, PT_OK);
	assert_true(warns(&l, "GOTRUE_TRACING_ENABLED has no effect: nothing is traced"));
	assert_true(warns(&l, "GOTRUE_LOG_FILE has no effect"));
	assert_true(warns(&l, "GOTRUE_DB_NAMESPACE has no effect: our tables"));
	assert_true(warns(&l, "GOTRUE_EXTERNAL_SAML_ENABLED has no effect"));
	assert_true(warns(&l, "GOTRUE_SITE_ULR has no effect: GoTrue has no such setting"));
	assert_int_equal(l.config.n_warnings, 5);
	unload(&l);
}

static void databases_go_by_their_driver(void **state)
{
	static const struct {
		char *driver, *url;
		const char *expected;
	} rows[] = {
		{ "GOTRUE_DB_DRIVER=mysql", "DATABASE_URL=u:p@tcp(h:1)/d?parseTime=true",
			"mysql://u:p@tcp(h:1)/d?parseTime=true" },
		{ "GOTRUE_DB_DRIVER=mysql", "DATABASE_URL=mysql://u:p@h/d", "mysql://u:p@h/d" },
		{ "GOTRUE_DB_DRIVER=postgres", "DATABASE_URL=postgres://u@h/d",
			"postgres://u@h/d" },
		{ "GOTRUE_DB_DRIVER=sqlite3", "DATABASE_URL=/x/y.db", "sqlite:/x/y.db" },
		{ "GOTRUE_DB_DRIVER=sqlite3", "DATABASE_URL=sqlite3:///x.db", "sqlite:/x.db" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made m = make(ENVIRONMENT("PORTRESS_AS=gotrue",
			"GOTRUE_SITE_URL=https://t.example", "GOTRUE_JWT_SECRET=short",
			"GOTRUE_OPERATOR_TOKEN=secret", rows[i].driver, rows[i].url));

		assert_int_equal(m.err, PT_OK);
		assert_true(str_eq(m.settings.store.url, str(rows[i].expected)));
		assert_int_equal(m.settings.is_mysql, i < 2);
		unload(&m.loaded);
	}
}

static void a_site_of_our_own_has_both_surfaces(void **state)
{
	struct made m = make(NO_ENVIRONMENT);

	(void)state;
	assert_int_equal(m.err, PT_OK);
	assert_true(m.settings.pages.on && m.settings.gotrue.on);
	assert_text(m.settings.pages.mount, "/");
	assert_text(m.settings.gotrue.mount, "/gotrue");
	assert_text(m.settings.gotrue_site.site_url, "http://localhost:8080");
	assert_int_equal(m.settings.gotrue_policy.password_min, 8);
	assert_int_equal(m.settings.gotrue_policy.access_life, PT_HOUR);
	assert_int_equal(m.settings.policy.access_life, 24 * PT_HOUR);
	assert_false(m.settings.policy.token_profile);
	unload(&m.loaded);
	refused(ENVIRONMENT("PORTRESS_SURFACES=pages=/,gotrue=/"), "cannot have one path");
	refused(ENVIRONMENT("PORTRESS_SURFACES=gotrue=/a,gotrue=/b"), "comes twice");
	refused(ENVIRONMENT("PORTRESS_SURFACES=gotrue=/", "PORTRESS_GOTRUE_MULTI=true"),
		"PORTRESS_GOTRUE_OPERATOR_TOKEN must be set");
}

static void a_table_of_others_serves_pages_alone(void **state)
{
	struct made m = make(ENVIRONMENT("PORTRESS_USERS_TABLE=people"));

	(void)state;
	assert_int_equal(m.err, PT_OK);
	assert_true(m.settings.pages.on && !m.settings.gotrue.on);
	unload(&m.loaded);
	refused(ENVIRONMENT(
			"PORTRESS_USERS_TABLE=people", "PORTRESS_SURFACES=pages=/,gotrue=/gotrue"),
		"the gotrue surface needs accounts in tables of our own");
	refused(ENVIRONMENT(GOTRUE, "PORTRESS_USERS_TABLE=people"), "tables of our own");
}

static void links_are_resolved_against_the_site(void **state)
{
	static const struct {
		const char *site, *path, *expected;
	} rows[] = {
		{ "https://t.example", "/templates/confirm.html",
			"https://t.example/templates/confirm.html#k=" },
		{ "https://t.example/removed", "/x", "https://t.example/x#k=" },
		{ "https://t.example/base/", "c", "https://t.example/base/c#k=" },
		{ "https://t.example/base", "c", "https://t.example/c#k=" },
		{ "https://t.example", "c", "https://t.example/c#k=" },
		{ "https://t.example?z=1", "/", "https://t.example/#k=" },
		{ "https://t.example/a/b/?z=/q", "../c?d=1#e", "https://t.example/a/c?d=1#k=" },
		{ "https://t.example/a", "/../../b/./", "https://t.example/b/#k=" },
		{ "https://u:p@t.example:81/a", "?q", "https://u:p@t.example:81/a?q#k=" },
		{ "https://t.example/a", "https://o.example/x", "https://o.example/x#k=" },
		{ "https://t.example/a", "//o.example/x", "https://o.example/x#k=" },
	};
	struct arena *arena = arena_open(MIB);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pt_str link;

		assert_int_equal(site_link_make(arena, str(rows[i].site), str(rows[i].path),
					 PT_STR("k="), &link),
			PT_OK);
		if (!str_eq(link, str(rows[i].expected)))
			fail_msg("%.*s is not %s", (int)link.n, link.p, rows[i].expected);
	}
	arena_close(arena);
}

static void templates_stay_below_the_site(void **state)
{
	static const struct {
		const char *path, *expected;
	} rows[] = {
		{ "/mail/x.html", "https://t.example/mail/x.html" },
		{ "https://evil.example/x.html", "https://t.example/x.html" },
		{ "x.html", "https://t.example/x.html" },
		{ "file:///etc/portress/x.html", "file:///etc/portress/x.html" },
		{ "", "" },
	};
	struct arena *arena = arena_open(MIB);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pt_str at;

		assert_int_equal(site_template_make(arena, PT_STR("https://t.example/"),
					 str(rows[i].path), true, &at),
			PT_OK);
		assert_true(str_eq(at, str(rows[i].expected)));
	}
	arena_close(arena);
}

static void a_template_of_others_is_no_file(void **state)
{
	struct arena *arena = arena_open(MIB);
	pt_str at;

	(void)state;
	assert_int_equal(site_template_make(arena, PT_STR("https://t.example"),
				 PT_STR("file:///etc/passwd"), false, &at),
		PT_OK);
	assert_text(at, "https://t.example/etc/passwd");
	assert_true(site_is_web(PT_STR("HTTPS://t.example")));
	assert_false(site_is_web(PT_STR("file:///etc")));
	assert_false(site_is_web(PT_STR("https:t.example")));
	assert_false(site_is_web(PT_STR("http://")));
	assert_false(site_is_web(PT_STR("")));
	arena_close(arena);
}

static void letters_have_their_links_and_fragments(void **state)
{
	struct made m = make(ENVIRONMENT(GOTRUE, "GOTRUE_MAILER_URLPATHS_RECOVERY=/r",
		"GOTRUE_MAILER_SUBJECTS_INVITE=Come in"));
	struct pt_letter_look looks[PT_LETTER_LOOKS] = { 0 };

	(void)state;
	assert_int_equal(gotrue_looks_make(m.loaded.arena, &m.settings.gotrue_site,
				 PT_STR("https://t.example"), looks),
		PT_OK);
	assert_text(looks[PT_LETTER_VERIFY].link, "https://t.example/#confirmation_token=");
	assert_text(looks[PT_LETTER_RESET].link, "https://t.example/r#recovery_token=");
	assert_text(looks[PT_LETTER_INVITE].link, "https://t.example/#invite_token=");
	assert_text(looks[PT_LETTER_EMAIL_CHANGE].link, "https://t.example/#email_change_token=");
	assert_text(looks[PT_LETTER_INVITE].subject, "Come in");
	assert_text(looks[PT_LETTER_VERIFY].subject, "Confirm Your Signup");
	assert_text(looks[PT_LETTER_RESET].subject, "Reset Your Password");
	assert_text(looks[PT_LETTER_ACCOUNT_EXISTS].link, "");
	unload(&m.loaded);
}

static pt_err instance(struct made *m, const char *json, struct gotrue_options *out)
{
	const char *why = "";
	pt_err err = gotrue_instance_read(
		m->loaded.arena, &m->settings.gotrue_site, str(json), out, &why);

	if (err != PT_OK)
		print_message("refused for %s\n", why);
	return err;
}

static void an_instance_has_its_own_and_borrows_the_rest(void **state)
{
	struct made m = make(ENVIRONMENT(GOTRUE, "GOTRUE_JWT_EXP=60", "GOTRUE_JWT_AUD=server",
		"GOTRUE_EXTERNAL_GITHUB_ENABLED=true", "GOTRUE_EXTERNAL_GITHUB_CLIENT_ID=id",
		"GOTRUE_EXTERNAL_GITHUB_SECRET=server", "GOTRUE_SMTP_MAX_FREQUENCY=5m",
		"GOTRUE_EXTERNAL_GITHUB_REDIRECT_URI=https://t.example/callback"));
	struct gotrue_options o;

	(void)state;
	assert_int_equal(
		instance(&m,
			"{\"site_url\":\"https://i.example\",\"jwt\":{\"secret\":\"s\",\"exp\":0},"
			"\"smtp\":{\"max_frequency\":0},\"mailer\":{\"autoconfirm\":true,"
			"\"invite_max_age\":60000000000,\"subjects\":{\"recovery\":\"R\"}},"
			"\"external\":{\"github\":{\"enabled\":false,\"secret\":\"own\"},"
			"\"gitlab\":{\"enabled\":true}},\"webhook\":{\"url\":\"/h\","
			"\"events\":[\"login\"],\"retries\":2},\"cookies\":{\"duration\":-1},"
			"\"unknown\":1}",
			&o),
		PT_OK);
	assert_text(o.site_url, "https://i.example");
	assert_text(o.secret, "s");
	assert_text(o.audience, "");
	assert_int_equal(o.token_life, PT_HOUR);
	assert_int_equal(o.mail_pause, 5 * PT_MINUTE);
	assert_int_equal(o.invite_life, PT_MINUTE);
	assert_int_equal(o.cookie_life, 0);
	assert_int_equal(o.webhook.tries, 2);
	assert_true(o.autoconfirm);
	assert_text(o.letters[GOTRUE_RECOVERY].subject, "R");
	/* False and "" never override. */
	assert_true(o.providers[1].enabled && gotrue_provider_is_whole(&o.providers[1]));
	assert_text(o.providers[1].secret, "own");
	assert_true(o.providers[2].enabled);
	unload(&m.loaded);
}

static void no_time_is_so_long_that_a_clock_ends(void **state)
{
	struct made m = make(ENVIRONMENT(GOTRUE));
	struct gotrue_options o;

	(void)state;
	assert_int_equal(instance(&m,
				 "{\"jwt\":{\"secret\":\"s\",\"exp\":9223372036854,"
				 "\"refresh_token_lifetime\":9223372036854775807},"
				 "\"mailer\":{\"invite_max_age\":9223372036854775807}}",
				 &o),
		PT_OK);
	assert_int_equal(o.token_life, 100 * 365 * PT_DAY);
	assert_int_equal(o.refresh_life, 100 * 365 * PT_DAY);
	assert_int_equal(o.invite_life, 100 * 365 * PT_DAY);
	unload(&m.loaded);
}

static void an_instance_that_cannot_be_used_is_refused(void **state)
{
	struct made m = make(ENVIRONMENT(GOTRUE));
	struct gotrue_options o;

	(void)state;
	assert_int_equal(instance(&m, "", &o), PT_F_CONFIG);
	assert_int_equal(instance(&m, "[]", &o), PT_F_CONFIG);
	assert_int_equal(instance(&m, "{}", &o), PT_F_CONFIG);
	assert_int_equal(instance(&m, "{\"jwt\":{\"secret\":\"\"}}", &o), PT_F_CONFIG);
	assert_int_equal(
		instance(&m, "{\"jwt\":{\"secret\":\"s\",\"exp\":\"1\"}}", &o), PT_F_CONFIG);
	assert_int_equal(
		instance(&m, "{\"jwt\":{\"secret\":\"s\"},\"webhook\":{\"events\":[1]}}", &o),
		PT_F_CONFIG);
	unload(&m.loaded);
}

/* ---- its mail server ---- */

#define MAIL                                                                               \
	"GOTRUE_SMTP_HOST=mail.example", "GOTRUE_SMTP_PORT=2587", "GOTRUE_SMTP_USER=door", \
		"GOTRUE_SMTP_PASS=of-the-server", "GOTRUE_SMTP_ADMIN_EMAIL=door@mail.example"

/* What comes of an instance's smtp.*, by way of the text; a host of "" says that it has none of its own. */
static pt_err mail_of(struct made *m, const char *smtp, struct smtp_setup *out)
{
	struct arena *arena = m->loaded.arena;
	struct gotrue_options o;
	struct buf b = BUF(arena, KIB);
	pt_str json, text;

	buf_printf(&b, "{\"jwt\":{\"secret\":\"s\"},\"smtp\":%s}", smtp);
	*out = (struct smtp_setup){ 0 };
	TRY(buf_done(&b, &json));
	TRY(instance(m, json.p, &o));
	TRY(gotrue_mail_text(&m->settings, arena, &o.mail, &text));
	return text.n > 0 ? gotrue_mail_read(&m->settings, arena, text, out) : PT_OK;
}

static void an_instance_may_have_a_mail_server_of_its_own(void **state)
{
	struct made m = make(ENVIRONMENT(GOTRUE, MAIL));
	struct smtp_setup s;

	(void)state;
	assert_int_equal(mail_of(&m,
				 "{\"host\":\"smtp.other.example\",\"port\":465,\"user\":\"u\","
				 "\"pass\":\"p\",\"admin_email\":\"a@other.example\"}",
				 &s),
		PT_OK);
	assert_text(s.host, "smtp.other.example");
	assert_int_equal(s.port, 465);
	assert_text(s.username, "u");
	assert_text(s.password, "p");
	assert_text(s.from, "a@other.example");
	assert_int_equal(s.tls, SMTP_TLS_REQUIRE);
	assert_int_equal(mail_of(&m, "{\"host\":\"localhost\",\"pass\":\"p\"}", &s), PT_OK);
	assert_int_equal(s.port, 2587);
	assert_int_equal(s.tls, SMTP_TLS_OPPORTUNISTIC);
	assert_text(s.username, "door@mail.example");
	unload(&m.loaded);
}

static void what_it_does_not_say_is_the_servers(void **state)
{
	struct made m = make(ENVIRONMENT(GOTRUE, MAIL, "PORTRESS_SMTP_TLS=implicit"));
	struct smtp_setup s;

	(void)state;
	assert_int_equal(mail_of(&m, "{\"max_frequency\":1}", &s), PT_OK);
	assert_text(s.host, "");
	assert_int_equal(mail_of(&m, "{\"host\":\"\",\"port\":0}", &s), PT_OK);
	assert_text(s.host, "");
	assert_int_equal(mail_of(&m, "{\"admin_email\":\"a@other.example\"}", &s), PT_OK);
	assert_text(s.host, "mail.example");
	assert_int_equal(s.port, 2587);
	assert_text(s.username, "door");
	assert_text(s.password, "of-the-server");
	assert_text(s.from, "a@other.example");
	assert_int_equal(s.tls, SMTP_TLS_IMPLICIT);
	assert_int_equal(mail_of(&m, "{\"host\":\"localhost\"}", &s), PT_OK);
	assert_int_equal(s.tls, SMTP_TLS_IMPLICIT);
	unload(&m.loaded);
}

static void the_servers_login_is_for_its_own_mail_server_alone(void **state)
{
	static const char *const elsewhere[] = { "{\"host\":\"other.example\"}", "{\"port\":25}",
		"{\"host\":\"other.example\",\"user\":\"u\"}" };
	struct made m = make(ENVIRONMENT(GOTRUE, MAIL));
	struct smtp_setup s;

	(void)state;
	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		assert_int_equal(mail_of(&m, elsewhere[i], &s), PT_OK);
		assert_true(s.host.n > 0);
		assert_text(s.username, "");
		assert_text(s.password, "");
	}
	unload(&m.loaded);
}

static void without_a_mail_server_of_ours_an_instance_has_its_own_or_none(void **state)
{
	struct made m = make(ENVIRONMENT(GOTRUE));
	struct smtp_setup s;

	(void)state;
	assert_int_equal(mail_of(&m, "{\"user\":\"u\",\"pass\":\"p\"}", &s), PT_OK);
	assert_text(s.host, "");
	assert_int_equal(
		mail_of(&m, "{\"host\":\"other.example\",\"admin_email\":\"a@b.example\"}", &s),
		PT_OK);
	assert_text(s.host, "other.example");
	assert_int_equal(s.port, 587);
	assert_int_equal(s.tls, SMTP_TLS_REQUIRE);
	/* nobody to say that it is from */
	assert_int_equal(mail_of(&m, "{\"host\":\"other.example\"}", &s), PT_F_CONFIG);
	unload(&m.loaded);
}

static void a_mail_server_that_is_none_is_refused(void **state)
{
	static const char *const broken[] = { "{\"host\":\"a b\"}", "{\"host\":\"http://a/\"}",
		"{\"host\":\"a@b\"}", "{\"host\":7}", "{\"port\":65536}", "{\"port\":-1}",
		"{\"port\":\"25\"}", "{\"admin_email\":\"nobody\"}", "{\"pass\":true}",
		"{\"host\":\"a\",\"admin_email\":\"a@b.example\\r\\nX: y\"}" };
	struct made m = make(ENVIRONMENT(GOTRUE, MAIL));
	struct smtp_setup s;

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_int_equal(mail_of(&m, broken[i], &s), PT_F_CONFIG);
	assert_int_equal(
		gotrue_mail_read(&m.settings, m.loaded.arena, PT_STR("{}"), &s), PT_E_MALFORMED);
	assert_int_equal(
		gotrue_mail_read(&m.settings, m.loaded.arena, PT_STR("x"), &s), PT_E_MALFORMED);
	unload(&m.loaded);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_defaults_hold_in_its_place),
		cmocka_unit_test(its_names_and_units_are_read),
		cmocka_unit_test(what_it_cannot_read_is_refused),
		cmocka_unit_test(what_it_needs_is_missed_by_name),
		cmocka_unit_test(the_prefixed_name_counts_more_than_the_other),
		cmocka_unit_test(what_has_no_effect_is_named),
		cmocka_unit_test(databases_go_by_their_driver),
		cmocka_unit_test(a_site_of_our_own_has_both_surfaces),
		cmocka_unit_test(a_table_of_others_serves_pages_alone),
		cmocka_unit_test(links_are_resolved_against_the_site),
		cmocka_unit_test(templates_stay_below_the_site),
		cmocka_unit_test(a_template_of_others_is_no_file),
		cmocka_unit_test(letters_have_their_links_and_fragments),
		cmocka_unit_test(an_instance_has_its_own_and_borrows_the_rest),
		cmocka_unit_test(no_time_is_so_long_that_a_clock_ends),
		cmocka_unit_test(an_instance_that_cannot_be_used_is_refused),
		cmocka_unit_test(an_instance_may_have_a_mail_server_of_its_own),
		cmocka_unit_test(what_it_does_not_say_is_the_servers),
		cmocka_unit_test(the_servers_login_is_for_its_own_mail_server_alone),
		cmocka_unit_test(without_a_mail_server_of_ours_an_instance_has_its_own_or_none),
		cmocka_unit_test(a_mail_server_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

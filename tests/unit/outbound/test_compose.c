/*
 * test_compose.c - from a sealed row to a letter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../base/http_peer.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "letters.h"

#include "base/banned.h"

static struct letter_office office;
static struct letter_templates *own;

static int world_begin(void **state)
{
	const struct fetch_setup setup = { .ca_file = PT_STR("") };

	(void)state;
	office_open(&office);
	office.composer.allow_private = true;
	own = letter_templates_open();
	return own ? (int)fetch_open(&setup) : -1;
}

static int world_end(void **state)
{
	(void)state;
	letter_templates_close(own);
	office_close(&office);
	return 0;
}

static pt_err compose_it(const struct pt_letter *letter, struct pt_mail *mail)
{
	return compose(&office.composer, own, office.arena, letter,
		clock_monotonic() + 10 * PT_SECOND, mail);
}

static struct pt_mail invited(const char *more)
{
	struct pt_letter letter = letter_invite(&office, 1, more);
	struct pt_mail mail;

	assert_int_equal(compose_it(&letter, &mail), PT_OK);
	return mail;
}

static void assert_text(pt_str text, const char *wanted)
{
	if (!str_eq(text, str(wanted)))
		fail_msg("\n--- got ---\n%.*s\n--- wanted ---\n%s", (int)text.n, text.p, wanted);
}

static void whom_it_goes_by_is_told_to_who_asks_and_to_no_template(void **state)
{
	struct pt_letter letter = letter_invite(&office, 1, ",\"courier\":\"a secret\"");
	struct pt_letter silent = letter_invite(&office, 2, "");
	struct pt_letter odd = letter_invite(&office, 3, ",\"courier\":7");
	struct pt_letter spoilt = { .kind = PT_LETTER_INVITE, .sealed = PT_STR("not sealed") };
	struct pt_mail mail;
	pt_str courier;

	(void)state;
	office_template(&office, "letters/invite.txt", "{{link}} [{{courier}}]\n", TEMPLATE_TEXT);
	assert_int_equal(compose_it(&letter, &mail), PT_OK);
	assert_text(mail.text, "https://d.example/#invite_token=t []\n");
	assert_int_equal(compose_courier(&office.composer, office.arena, &letter, &courier), PT_OK);
	assert_text(courier, "a secret");
	assert_int_equal(compose_courier(&office.composer, office.arena, &silent, &courier), PT_OK);
	assert_text(courier, "");
	assert_int_equal(compose_courier(&office.composer, office.arena, &odd, &courier), PT_OK);
	assert_text(courier, "");
	assert_int_equal(
		compose_courier(&office.composer, office.arena, &spoilt, &courier), PT_F_CRYPTO);
}

static void a_sealed_letter_is_composed(void **state)
{
	struct pt_letter letter = letter_fine(&office, 1);
	struct pt_mail mail;

	(void)state;
	letter.created_at = 5;
	assert_int_equal(compose_it(&letter, &mail), PT_OK);
	assert_string_equal(mail.id.text, "letter-1");
	assert_int_equal(mail.created_at, 5);
	assert_true(str_eq(mail.to, PT_STR("ann@example.org")));
	assert_true(str_eq(mail.subject, PT_STR("Verify your account")));
	assert_true(str_eq(
		mail.text, PT_STR("Please click https://d.example/verify?token=t&u ann Door\n")));
	assert_true(str_eq(mail.html,
		PT_STR("<p>Verify your account ann "
		       "<a href=\"https://d.example/verify?token=t&amp;u\">15</a></p>\n")));
}

/* MAIL-02 */
static void hostile_values_are_only_text(void **state)
{
	struct pt_letter letter = letter_sealed(&office, 1,
		PT_STR("{\"name\":\"<a href=//evil>click</a>{{.Token}}{{app}}${7*7}%s%n\","
		       "\"link\":\"javascript:alert(1)\",\"minutes\":15}"));
	struct pt_mail mail;

	(void)state;
	assert_int_equal(compose_it(&letter, &mail), PT_OK);
	assert_true(str_contains(
		mail.text, PT_STR("<a href=//evil>click</a>{{.Token}}{{app}}${7*7}%s%n Door")));
	assert_false(str_contains(mail.html, PT_STR("<a href=//")));
	assert_false(str_contains(mail.html, PT_STR("javascript:")));
	assert_true(str_contains(mail.html, PT_STR("{{.Token}}{{app}}${7*7}%s%n")));
	assert_true(str_contains(mail.html, PT_STR(">15</a>")));
}

static void a_letter_of_another_row_or_key_does_not_open(void **state)
{
	struct pt_letter letter = letter_fine(&office, 1);
	struct composer other = office.composer;
	struct pt_mail mail;

	(void)state;
	letter.id = (struct pt_id){ "letter-2" };
	assert_int_equal(compose_it(&letter, &mail), PT_F_CRYPTO);
	letter = letter_fine(&office, 1);
	other.letter_key.bytes[0] ^= 1;
	assert_int_equal(compose(&other, own, office.arena, &letter, 0, &mail), PT_F_CRYPTO);
	letter.sealed.n--;
	assert_int_equal(compose_it(&letter, &mail), PT_F_CRYPTO);
}

static void what_is_missing_is_a_fault(void **state)
{
	struct pt_letter letter = letter_fine(&office, 1);
	struct composer without_texts = office.composer;
	struct pt_mail mail;

	(void)state;
	without_texts.texts = value_map(office.arena);
	assert_int_equal(
		compose(&without_texts, own, office.arena, &letter, 0, &mail), PT_F_RENDER);
	letter.kind = PT_LETTER_RESET;
	assert_int_equal(compose_it(&letter, &mail), PT_F_RENDER);
	letter.kind = (enum pt_letter_kind)99;
	assert_int_equal(compose_it(&letter, &mail), PT_F_RENDER);
}

static void variables_are_an_object(void **state)
{
	static const pt_str variables[] = { PT_STR_INIT("[]"), PT_STR_INIT(""), PT_STR_INIT("{"),
		PT_STR_INIT("\"name\""), PT_STR_INIT("{\"name\":1,\"name\":2}") };
	struct pt_mail mail;

	(void)state;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		struct pt_letter letter = letter_sealed(&office, 1, variables[i]);
		assert_int_equal(compose_it(&letter, &mail), PT_F_RENDER);
	}
}

static void every_kind_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(letter_name(PT_LETTER_VERIFY), "verify");
	assert_string_equal(letter_name(PT_LETTER_RESET), "reset");
	assert_string_equal(letter_name(PT_LETTER_PASSWORD_CHANGED), "password-changed");
	assert_string_equal(letter_name(PT_LETTER_ACCOUNT_EXISTS), "account-exists");
	assert_string_equal(letter_name(PT_LETTER_INVITE), "invite");
	assert_string_equal(letter_name(PT_LETTER_EMAIL_CHANGE), "email-change");
	assert_string_equal(letter_name(PT_LETTER_EMAIL_CHANGED), "email-changed");
	assert_string_equal(letter_name(PT_LETTER_HOOK), "hook");
	assert_string_equal(letter_name((enum pt_letter_kind)99), "unknown");
}

static void a_hook_is_no_letter(void **state)
{
	struct pt_letter letter = letter_fine(&office, 1);
	struct pt_mail mail;

	(void)state;
	letter.kind = PT_LETTER_HOOK;
	assert_int_equal(compose_it(&letter, &mail), PT_F_RENDER);
}

static void a_sentence_is_filled_once(void **state)
{
	struct pt_mail mail = invited("");
	struct pt_letter letter = letter_sealed(&office, 1,
		PT_STR("{\"link\":\"l\",\"site_url\":\"{email}\",\"email\":\"<{site}>\"}"));

	(void)state;
	assert_text(mail.subject, "You have been invited");
	assert_text(mail.text, "Come to https://d.example, ann@example.org {n}. "
			       "https://d.example/#invite_token=t (7 days)\n");
	letter.kind = PT_LETTER_INVITE;
	assert_int_equal(compose_it(&letter, &mail), PT_OK);
	assert_text(mail.text, "Come to {email}, <{site}> {n}. l ()\n");
	assert_text(mail.html, "<p>Come to {email}, &lt;{site}&gt; {n}. l</p>\n");
}

static void a_validity_is_said_in_the_words_of_people(void **state)
{
	static const struct {
		const char *minutes;
		const char *words;
	} spans[] = { { "1", "1 minute" }, { "15", "15 minutes" }, { "60", "1 hour" },
		{ "90", "90 minutes" }, { "250", "4 hours" }, { "1440", "24 hours" },
		{ "2880", "2 days" }, { "10080", "7 days" }, { "10085", "7 days" }, { "0", "" },
		{ "-5", "" }, { "null", "" }, { "1e300", "" }, { "9223372036854775807", "" } };

	(void)state;
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		char clear[100], wanted[100];
		struct pt_letter letter;
		struct pt_mail mail;

		snprintf(clear, sizeof(clear), "{\"minutes\":%s}", spans[i].minutes);
		snprintf(wanted, sizeof(wanted), "(%s)\n", spans[i].words);
		letter = letter_sealed(&office, 1, str(clear));
		letter.kind = PT_LETTER_INVITE;
		assert_int_equal(compose_it(&letter, &mail), PT_OK);
		assert_true(str_ends(mail.text, str(wanted)));
	}
}

/* ---- subjects of the site's own ---- */

static void a_site_has_subjects_of_its_own(void **state)
{
	(void)state;
	assert_text(invited(",\"subject\":\"Join {{.SiteURL}}, {{ .Data.full_name }}\","
			    "\"data\":{\"full_name\":\"Ann O'Hara <ann>\"}")
			    .subject,
		"Join https://d.example, Ann O'Hara <ann>");
	assert_text(invited(",\"subject\":\"{{if .Data.vip}}Dear {{end}}{{.NewEmail}}{{.Email}}\"")
			    .subject,
		"ann@example.org");
}

/* GT-121 */
static void no_line_break_reaches_a_subject(void **state)
{
	(void)state;
	assert_text(invited(",\"subject\":\"Hi {{.Data.n}}\\r\\nBcc: x@evil.example\","
			    "\"data\":{\"n\":\"a\\r\\nTo: y\\u2028\\u0085\\u007fb\\t\"}")
			    .subject,
		"Hi aTo: ybBcc: x@evil.example");
}

static void a_subject_is_short(void **state)
{
	struct buf b = BUF(office.arena, 4 * KIB);
	pt_str more, subject;

	(void)state;
	buf_str(&b, PT_STR(",\"subject\":\"."));
	for (int i = 0; i < 300; i++)
		buf_str(&b, PT_STR("\xC3\xA4"));
	buf_str(&b, PT_STR("\""));
	assert_int_equal(buf_done(&b, &more), PT_OK);
	subject = invited(more.p).subject;
	assert_int_equal(subject.n, 199);
	assert_true(str_utf8(subject));
}

static void a_subject_that_cannot_be_rendered_is_ours(void **state)
{
	static const char *const broken[] = { "{{", "{{.Email | upper}}", "{{template \\\"x\\\"}}",
		" ", "\\r\\n", "{{.Data.absent}}", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		char more[100];

		snprintf(more, sizeof(more), ",\"subject\":\"%s\"", broken[i]);
		assert_text(invited(more).subject, "You have been invited");
	}
}

/* ---- bodies of the site's own ---- */

static void own_template_at(const struct http_peer *peer, const char *path, char more[200])
{
	snprintf(more, 200,
		",\"template\":\"http://127.0.0.1:%d/%s\",\"data\":{\"full_name\":\"<b>&\","
		"\"tags\":[\"x\",2,true,[1],{\"n\":1}],\"deep\":{\"a\":{\"b\":-1}},\"real\":1.5}",
		peer->port, path);
}

/* GT-120, GT-121 */
static void a_site_has_bodies_of_its_own(void **state)
{
	struct http_peer peer = { 0 };
	struct pt_mail mail;
	char more[200];

	(void)state;
	peer_open(&peer,
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
		"<h2>{{ .Data.full_name }}</h2><a href=\"{{ .ConfirmationURL }}\">{{.Token}}</a>"
		"{{range .Data.tags}}[{{.}}]{{end}}{{with .Data.deep}}{{.a.b}}{{end}}"
		"{{if .NewEmail}}no{{else}}{{.Email}}{{end}}{{.Data.real}}{{/* - */}}");
	own_template_at(&peer, "a", more);
	mail = invited(more);
	assert_text(mail.html,
		"<h2>&lt;b&gt;&amp;</h2><a href=\"https://d.example/#invite_token=t\">t</a>"
		"[x][2][true][]-1ann@example.org");
	assert_true(str_starts(mail.text, PT_STR("Come to https://d.example")));
	assert_text(mail.subject, "You have been invited");
	peer_close(&peer);
}

static void expect_our_body(const char *answer, int connections)
{
	struct http_peer peer = { 0 };
	char more[200];

	peer_open(&peer, answer);
	own_template_at(&peer, "b", more);
	assert_true(str_starts(invited(more).html, PT_STR("<p>Come to https://d.example")));
	assert_int_equal(peer_connections(&peer), connections);
	peer_close(&peer);
}

/* GT-120 */
static void a_body_that_cannot_be_had_is_ours(void **state)
{
	(void)state;
	expect_our_body("HTTP/1.1 404 No\r\nConnection: close\r\n\r\nnot here", 4);
	expect_our_body("HTTP/1.1 302 No\r\nLocation: /c\r\nConnection: close\r\n\r\n", 4);
	expect_our_body("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\xFF\xFE", 4);
	expect_our_body("nonsense", 4);
}

static void a_body_that_cannot_be_rendered_is_ours(void **state)
{
	(void)state;
	expect_our_body("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{{.Email | upper}}", 1);
	expect_our_body(
		"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<script>{{.Email}}</script>", 1);
	expect_our_body("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{{range .Data.tags}}"
			"{{if .}}{{end}}",
		1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sealed_letter_is_composed),
		cmocka_unit_test(hostile_values_are_only_text),
		cmocka_unit_test(a_letter_of_another_row_or_key_does_not_open),
		cmocka_unit_test(what_is_missing_is_a_fault),
		cmocka_unit_test(variables_are_an_object),
		cmocka_unit_test(every_kind_has_a_name),
		cmocka_unit_test(a_hook_is_no_letter),
		cmocka_unit_test(a_sentence_is_filled_once),
		cmocka_unit_test(a_validity_is_said_in_the_words_of_people),
		cmocka_unit_test(a_site_has_subjects_of_its_own),
		cmocka_unit_test(no_line_break_reaches_a_subject),
		cmocka_unit_test(a_subject_is_short),
		cmocka_unit_test(a_subject_that_cannot_be_rendered_is_ours),
		cmocka_unit_test(a_site_has_bodies_of_its_own),
		cmocka_unit_test(a_body_that_cannot_be_had_is_ours),
		cmocka_unit_test(a_body_that_cannot_be_rendered_is_ours),
		cmocka_unit_test(whom_it_goes_by_is_told_to_who_asks_and_to_no_template),
	};

	return cmocka_run_group_tests(tests, world_begin, world_end);
}

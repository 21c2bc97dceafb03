/*
 * test_smtp.c - letters over a real socket: what arrives, and what each answer means.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/str.h"
#include "outbound/smtp.h"
#include "smtp_peer.h"

#include "base/banned.h"

extern char **environ;

/* A private authority, a certificate of it for localhost, and one that nobody signed. */
static const char make_certificates[] =
	"set -e; cd \"$0\"; new='req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
	"openssl $new -x509 -keyout ca.key -out ca.pem -subj /CN=authority\n"
	"openssl $new -x509 -keyout own.key -out own.pem -subj /CN=localhost"
	" -addext subjectAltName=DNS:localhost,IP:127.0.0.1\n"
	"openssl $new -keyout good.key -out good.csr -subj /CN=localhost\n"
	"printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' >names\n"
	"openssl x509 -req -in good.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out good.pem"
	" -extfile names\n";

static char folder[] = "/tmp/test-smtp-XXXXXX";
static struct arena *arena;
static SSL_CTX *good_tls, *own_tls;

static int run_shell(const char *script)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)(uintptr_t)script, folder,
		NULL };
	posix_spawn_file_actions_t actions;
	pid_t child;
	int status = -1;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
	if (posix_spawn(&child, "/bin/sh", &actions, NULL, argv, environ) == 0)
		waitpid(child, &status, 0);
	posix_spawn_file_actions_destroy(&actions);
	return status;
}

static const char *in_folder(const char *name)
{
	struct buf b = BUF(arena, KIB);
	pt_str path = { 0 };

	buf_printf(&b, "%s/%s", folder, name);
	return buf_done(&b, &path) == PT_OK ? path.p : "";
}

static SSL_CTX *tls_open(const char *certificate, const char *key)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	if (!tls ||
		SSL_CTX_use_certificate_file(tls, in_folder(certificate), SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_use_PrivateKey_file(tls, in_folder(key), SSL_FILETYPE_PEM) != 1)
		abort();
	return tls;
}

static int world_begin(void **state)
{
	struct fetch_setup setup;

	(void)state;
	arena = arena_open(64 * MIB);
	if (!arena || !mkdtemp(folder) || run_shell(make_certificates) != 0)
		return -1;
	setup.ca_file = str(in_folder("ca.pem"));
	good_tls = tls_open("good.pem", "good.key");
	own_tls = tls_open("own.pem", "own.key");
	return fetch_open(&setup) == PT_OK ? 0 : -1;
}

static int world_end(void **state)
{
	(void)state;
	SSL_CTX_free(good_tls);
	SSL_CTX_free(own_tls);
	run_shell("rm -r \"$0\"");
	arena_close(arena);
	return 0;
}

/* ---- one courier, one peer ---- */

struct exchange {
	struct smtp_peer *peer;
	struct pt_courier courier;
	struct smtp_setup setup;
	struct pt_mail mail;
	pt_str detail;
};

static struct exchange exchange_with(struct smtp_script script)
{
	struct exchange x = { .peer = peer_open(&script) };

	x.setup = (struct smtp_setup){ .host = PT_STR("127.0.0.1"),
		.port = x.peer->port,
		.from = PT_STR("door@example.org"),
		.tls = SMTP_TLS_OPPORTUNISTIC };
	x.mail = (struct pt_mail){ .id = { "0190b3a0-0000-7000-8000-000000000001" },
		.created_at = 784111777 * PT_SECOND,
		.to = PT_STR("ann@example.org"),
		.subject = PT_STR("Verify your account"),
		.text = PT_STR("Hello\n"),
		.html = PT_STR("<p>Hello</p>\n") };
	return x;
}

static enum pt_sent send_one(struct exchange *x)
{
	if (!x->courier.send)
		assert_int_equal(smtp_open(&x->setup, &x->courier), PT_OK);
	return x->courier.send(x->courier.ctx, arena, &x->mail, &x->detail);
}

static void exchange_end(struct exchange *x)
{
	smtp_close(&x->courier);
	peer_finish(x->peer);
	free(x->peer);
}

static enum pt_sent sent_with(struct smtp_script script)
{
	struct exchange x = exchange_with(script);
	enum pt_sent sent = send_one(&x);

	exchange_end(&x);
	return sent;
}

static size_t times(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
		n++;
	return n;
}

/* ---- what arrives ---- */

static void check_letter(struct smtp_peer *peer)
{
	const char *letter = peer->letter;

	assert_int_equal(times(letter, "\r\nContent-Type: multipart/alternative; boundary="), 0);
	assert_true(
		str_starts(str(letter), PT_STR("Content-Type: multipart/alternative; boundary=")));
	assert_int_equal(times(letter, "multipart/mixed"), 0);
	assert_int_equal(times(letter, "\r\nMIME-Version: 1.0\r\n"), 1);
	assert_int_equal(times(letter, "ime-Version"), 0);
	assert_int_equal(times(letter, "\r\nTo: ann@example.org\r\n"), 1);
	assert_int_equal(times(letter, "\r\nAuto-Submitted: auto-generated\r\n"), 1);
	assert_int_equal(
		times(letter, "Content-Type: text/plain; charset=UTF-8\r\n"
			      "Content-Transfer-Encoding: quoted-printable\r\n\r\nHello\r\n"),
		1);
	assert_int_equal(times(letter, "Content-Type: text/html; charset=UTF-8\r\n"
				       "Content-Transfer-Encoding: base64\r\n\r\n"
				       "PHA+SGVsbG88L3A+DQo=\r\n"),
		1);
}

static void a_letter_looks_as_it_should(void **state)
{
	struct exchange x = exchange_with((struct smtp_script){ 0 });

	(void)state;
	assert_int_equal(send_one(&x), PT_SENT);
	assert_true(str_eq(x.detail, PT_STR("250 2.0.0 queued")));
	assert_int_equal(times(x.peer->commands, "EHLO localhost\r\n"), 1);
	assert_int_equal(times(x.peer->commands, "MAIL FROM:<door@example.org>"), 1);
	assert_int_equal(times(x.peer->commands, "RCPT TO:<ann@example.org>\r\n"), 1);
	check_letter(x.peer);
	exchange_end(&x);
}

static void the_connection_is_kept(void **state)
{
	struct exchange x = exchange_with((struct smtp_script){ 0 });

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(send_one(&x), PT_SENT);
	assert_int_equal(x.peer->connections, 1);
	assert_int_equal(x.peer->letters, 5);
	exchange_end(&x);
}

static void a_connection_that_ended_meanwhile_is_opened_again(void **state)
{
	const char *const farewells[] = { "421 4.4.2 idle for too long", "" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct exchange x = exchange_with((struct smtp_script){ .farewell = farewells[i] });

		for (int letter = 0; letter < 3; letter++)
			assert_int_equal(send_one(&x), PT_SENT);
		assert_int_equal(x.peer->letters, 3);
		check_letter(x.peer);
		exchange_end(&x);
	}
}

static void a_server_that_closes_for_everybody_is_asked_once(void **state)
{
	struct exchange x = exchange_with((struct smtp_script){ .mail = "421 4.3.2 closing" });

	(void)state;
	assert_int_equal(send_one(&x), PT_SENT_LATER);
	assert_int_equal(x.peer->connections, 1);
	exchange_end(&x);
}

struct sender {
	struct exchange *x;
	pthread_t thread;
	struct pt_mail mail;
	int sent;
};

static void *send_many(void *context)
{
	struct sender *sender = context;
	struct arena *own = arena_open(16 * MIB);
	pt_str detail;

	for (int i = 0; i < 10; i++) {
		const struct pt_courier *courier = &sender->x->courier;
		sender->sent += courier->send(courier->ctx, own, &sender->mail, &detail) == PT_SENT;
	}
	arena_close(own);
	return NULL;
}

static void several_threads_send_at_once(void **state)
{
	struct exchange x = exchange_with((struct smtp_script){ 0 });
	struct sender senders[4];

	(void)state;
	assert_int_equal(send_one(&x), PT_SENT);
	for (int i = 0; i < 4; i++) {
		senders[i] = (struct sender){ .x = &x, .mail = x.mail };
		assert_int_equal(
			pthread_create(&senders[i].thread, NULL, send_many, &senders[i]), 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(senders[i].thread, NULL);
		assert_int_equal(senders[i].sent, 10);
	}
	assert_int_equal(x.peer->letters, 41);
	exchange_end(&x);
}

/* MAIL-05: whatever some server takes for the end of a letter. */
static void no_text_ends_the_letter_early(void **state)
{
	static const pt_str endings[] = { PT_STR_INIT("\r\n.\r\n"), PT_STR_INIT("\n.\n"),
		PT_STR_INIT("\r.\r"), PT_STR_INIT("\n.\r\n"), PT_STR_INIT("\r\n.\n"),
		PT_STR_INIT("\r\n.\r"), PT_STR_INIT("\r.\r\n"), PT_STR_INIT("\n.\r"),
		PT_STR_INIT("\r\n\0.\r\n"), PT_STR_INIT(".\r\n"), PT_STR_INIT("..\r\n") };

	(void)state;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		struct exchange x = exchange_with((struct smtp_script){ 0 });
		struct buf b = BUF(arena, KIB);

		buf_str(&b, i == 9 ? PT_STR("") : PT_STR("before"));
		buf_str(&b, endings[i]);
		buf_str(&b, PT_STR("MAIL FROM:<evil@x>\r\nRCPT TO:<all@x>\r\nDATA\r\nhi\r\n.\r\n"));
		assert_int_equal(buf_done(&b, &x.mail.text), PT_OK);
		x.mail.html = x.mail.text;
		assert_int_equal(send_one(&x), PT_SENT);
		assert_int_equal(x.peer->letters, 1);
		assert_int_equal(times(x.peer->commands, "MAIL FROM"), 1);
		assert_int_equal(times(x.peer->commands, "RCPT TO"), 1);
		exchange_end(&x);
	}
}

static void lines_are_short_and_end_in_both_bytes(void **state)
{
	struct exchange x = exchange_with((struct smtp_script){ 0 });
	char *longest = arena_alloc(arena, 20001);
	size_t column = 0;

	(void)state;
	memset(longest, 'x', 20000);
	longest[5000] = '\n';
	longest[5001] = '\r';
	longest[6000] = '\r';
	longest[6001] = '\n';
	x.mail.text = x.mail.html = str(longest);
	assert_int_equal(send_one(&x), PT_SENT);
	assert_int_equal(times(x.peer->letter, "=0D"), 0);
	for (size_t i = 0; i < x.peer->letter_n; i++) {
		char c = x.peer->letter[i], before = i > 0 ? x.peer->letter[i - 1] : '\0';
		assert_true((c == '\n') == (before == '\r'));
		column = c == '\n' ? 0 : column + 1;
		/* the longest is libcurl's own: Content-Type with the boundary */
		assert_true(column <= 88);
	}
	exchange_end(&x);
}

static void a_hostile_address_is_not_spoken(void **state)
{
	static const pt_str addresses[] = { PT_STR_INIT("ann@example.org\r\nBcc: evil@x"),
		PT_STR_INIT("ann@example.org>\r\nRCPT TO:<evil@x"), PT_STR_INIT("a\xc2\x85@b.org"),
		PT_STR_INIT("a\xe2\x80\xa8@b.org"), PT_STR_INIT("ann@example.org\0"),
		PT_STR_INIT("") };
	struct exchange x = exchange_with((struct smtp_script){ 0 });

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		x.mail.to = addresses[i];
		assert_int_equal(send_one(&x), PT_SENT_NEVER);
	}
	x.mail.to = PT_STR("ann@example.org");
	x.mail.subject = PT_STR("a\r\nBcc: evil@x");
	assert_int_equal(send_one(&x), PT_SENT_NEVER);
	assert_int_equal(x.peer->connections, 0);
	exchange_end(&x);
}

/* ---- what an answer means ---- */

static void temporary_refusals_are_tried_later(void **state)
{
	(void)state;
	assert_int_equal(sent_with((struct smtp_script){ .greeting = "421 busy" }), PT_SENT_LATER);
	assert_int_equal(sent_with((struct smtp_script){ .mail = "451 no" }), PT_SENT_LATER);
	assert_int_equal(sent_with((struct smtp_script){ .rcpt = "450 full" }), PT_SENT_LATER);
	assert_int_equal(sent_with((struct smtp_script){ .data = "452 space" }), PT_SENT_LATER);
	assert_int_equal(sent_with((struct smtp_script){ .accepted = "451 later" }), PT_SENT_LATER);
}

static void lost_connections_are_tried_later(void **state)
{
	static const char *const verbs[] = { "EHLO", "MAIL", "RCPT", "DATA", "." };

	(void)state;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		assert_int_equal(
			sent_with((struct smtp_script){ .hang_up_at = verbs[i] }), PT_SENT_LATER);
}

static void a_server_that_is_away_is_tried_later(void **state)
{
	struct exchange x = exchange_with((struct smtp_script){ 0 });

	(void)state;
	peer_finish(x.peer);
	assert_int_equal(send_one(&x), PT_SENT_LATER);
	smtp_close(&x.courier);
	free(x.peer);
}

static void a_mute_server_is_left_in_time(void **state)
{
	struct exchange x = exchange_with((struct smtp_script){ .is_mute = true });
	pt_time begin = clock_monotonic();

	(void)state;
	x.setup.connect_time = 300 * PT_MILLISECOND;
	assert_int_equal(send_one(&x), PT_SENT_LATER);
	assert_true(clock_monotonic() - begin < 3 * PT_SECOND);
	exchange_end(&x);
}

static void whoever_waits_for_a_letter_waits_no_longer_than_his_patience(void **state)
{
	struct exchange x = exchange_with((struct smtp_script){ .is_mute = true });
	pt_time begin = clock_monotonic();

	(void)state;
	x.mail.patience = 300 * PT_MILLISECOND;
	assert_int_equal(send_one(&x), PT_SENT_LATER);
	assert_true(clock_monotonic() - begin < 3 * PT_SECOND);
	exchange_end(&x);
}

static void a_stopped_courier_lets_go(void **state)
{
	struct exchange x = exchange_with((struct smtp_script){ .is_mute = true });
	pt_time begin = clock_monotonic();

	(void)state;
	assert_int_equal(smtp_open(&x.setup, &x.courier), PT_OK);
	x.courier.stop(x.courier.ctx);
	assert_int_equal(send_one(&x), PT_SENT_LATER);
	assert_true(clock_monotonic() - begin < 3 * PT_SECOND);
	exchange_end(&x);
}

static void final_refusals_of_the_letter_are_final(void **state)
{
	(void)state;
	assert_int_equal(
		sent_with((struct smtp_script){ .rcpt = "550 5.1.1 nobody" }), PT_SENT_NEVER);
	assert_int_equal(sent_with((struct smtp_script){ .data = "554 no" }), PT_SENT_NEVER);
	assert_int_equal(sent_with((struct smtp_script){ .accepted = "550 spam" }), PT_SENT_NEVER);
}

static void refusals_of_ourselves_are_for_the_operator(void **state)
{
	(void)state;
	assert_int_equal(
		sent_with((struct smtp_script){ .greeting = "554 you" }), PT_SENT_MISCONFIGURED);
	assert_int_equal(sent_with((struct smtp_script){ .mail = "550 not this sender" }),
		PT_SENT_MISCONFIGURED);
	assert_int_equal(sent_with((struct smtp_script){ .mail = "530 5.7.0 log in first" }),
		PT_SENT_MISCONFIGURED);
	assert_int_equal(sent_with((struct smtp_script){ .rcpt = "530 log in first" }),
		PT_SENT_MISCONFIGURED);
}

static void the_other_sides_words_keep_no_address(void **state)
{
	struct exchange x = exchange_with(
		(struct smtp_script){ .rcpt = "550 5.1.1 <ann@example.org>: user unknown" });

	(void)state;
	assert_int_equal(send_one(&x), PT_SENT_NEVER);
	assert_true(str_eq(x.detail, PT_STR("RCPT: 550 5.1.1 <***@example.org>: user unknown")));
	exchange_end(&x);
}

/* ---- encryption ---- */

static void starttls_is_used_and_the_authority_known(void **state)
{
	struct exchange x = exchange_with((struct smtp_script){ .tls = good_tls });

	(void)state;
	x.setup.host = PT_STR("localhost");
	x.setup.tls = SMTP_TLS_REQUIRE;
	assert_int_equal(send_one(&x), PT_SENT);
	assert_true(x.peer->letter_was_encrypted);
	exchange_end(&x);
}

static void implicit_tls_is_spoken_from_the_first_byte(void **state)
{
	struct exchange x =
		exchange_with((struct smtp_script){ .tls = good_tls, .tls_first = true });

	(void)state;
	x.setup.tls = SMTP_TLS_IMPLICIT;
	assert_int_equal(send_one(&x), PT_SENT);
	assert_true(x.peer->letter_was_encrypted);
	exchange_end(&x);
}

static enum pt_sent required_with(struct smtp_script script, const char *host)
{
	struct exchange x = exchange_with(script);
	enum pt_sent sent;

	x.setup.host = str(host);
	x.setup.tls = SMTP_TLS_REQUIRE;
	sent = send_one(&x);
	assert_int_equal(x.peer->letters, 0);
	assert_int_equal(times(x.peer->commands, "MAIL"), 0);
	exchange_end(&x);
	return sent;
}

static void without_the_required_encryption_nothing_is_said(void **state)
{
	(void)state;
	assert_int_equal(
		required_with((struct smtp_script){ 0 }, "127.0.0.1"), PT_SENT_MISCONFIGURED);
	assert_int_equal(
		required_with(
			(struct smtp_script){ .tls = good_tls, .starttls = "502 no" }, "127.0.0.1"),
		PT_SENT_MISCONFIGURED);
	assert_int_equal(
		required_with((struct smtp_script){ .tls = good_tls, .starttls = "454 later" },
			"127.0.0.1"),
		PT_SENT_LATER);
}

static void a_certificate_of_nobody_is_for_the_operator(void **state)
{
	(void)state;
	assert_int_equal(required_with((struct smtp_script){ .tls = own_tls }, "localhost"),
		PT_SENT_MISCONFIGURED);
}

static void a_certificate_for_another_name_is_for_the_operator(void **state)
{
	(void)state;
	assert_int_equal(required_with((struct smtp_script){ .tls = good_tls }, "mail.localhost"),
		PT_SENT_MISCONFIGURED);
}

static void this_machines_own_certificate_will_do_when_tls_is_a_chance(void **state)
{
	struct exchange x = exchange_with((struct smtp_script){ .tls = own_tls });

	(void)state;
	assert_int_equal(send_one(&x), PT_SENT);
	assert_true(x.peer->letter_was_encrypted);
	exchange_end(&x);
}

static int send_from_jail(struct exchange *x)
{
	char jail[] = "/tmp/test-jail-XXXXXX";

	if (!mkdtemp(jail) || chdir(jail) != 0 || rmdir(jail) != 0 || chroot(".") != 0)
		return 10;
	return (int)send_one(x);
}

static void a_jail_holds_all_that_an_encrypted_letter_needs(void **state)
{
	struct exchange x = exchange_with((struct smtp_script){ .tls = good_tls });
	int status = -1;
	pid_t child;

	(void)state;
	x.setup.host = PT_STR("localhost");
	x.setup.tls = SMTP_TLS_REQUIRE;
	if (geteuid() == 0) { /* only root may chroot */
		child = fork();
		if (child == 0)
			_exit(send_from_jail(&x));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, PT_SENT);
		pthread_mutex_lock(&x.peer->lock);
		assert_true(x.peer->letter_was_encrypted);
		pthread_mutex_unlock(&x.peer->lock);
	}
	exchange_end(&x);
}

/* ---- login ---- */

static void use_login(struct exchange *x)
{
	x->setup.username = PT_STR("ann");
	x->setup.password = PT_STR("secret");
}

static void a_login_goes_over_the_encrypted_line(void **state)
{
	struct exchange x = exchange_with((struct smtp_script){
		.tls = good_tls, .capabilities = "250-AUTH CRAM-MD5 DIGEST-MD5 PLAIN LOGIN\r\n" });

	(void)state;
	use_login(&x);
	x.setup.tls = SMTP_TLS_REQUIRE;
	assert_int_equal(send_one(&x), PT_SENT);
	assert_int_equal(times(x.peer->commands, "AUTH PLAIN"), 1);
	assert_int_equal(times(x.peer->commands, "AGFubgBzZWNyZXQ="), 1);
	assert_true(x.peer->login_was_encrypted);
	exchange_end(&x);
}

static void login_is_taken_where_plain_is_not_offered(void **state)
{
	struct exchange x = exchange_with(
		(struct smtp_script){ .capabilities = "250-AUTH CRAM-MD5 LOGIN\r\n" });

	(void)state;
	use_login(&x);
	assert_int_equal(send_one(&x), PT_SENT);
	assert_int_equal(times(x.peer->commands, "AUTH LOGIN"), 1);
	exchange_end(&x);
}

static void cram_md5_alone_is_not_used(void **state)
{
	struct exchange x =
		exchange_with((struct smtp_script){ .capabilities = "250-AUTH CRAM-MD5\r\n" });

	(void)state;
	use_login(&x);
	assert_int_equal(send_one(&x), PT_SENT_MISCONFIGURED);
	assert_int_equal(times(x.peer->commands, "AUTH"), 0);
	exchange_end(&x);
}

static void a_refused_login_is_for_the_operator_unless_it_is_temporary(void **state)
{
	static const char *const answers[] = { "535 5.7.8 wrong", "454 4.7.0 away" };
	static const enum pt_sent sent[] = { PT_SENT_MISCONFIGURED, PT_SENT_LATER };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct exchange x = exchange_with((struct smtp_script){
			.auth = answers[i], .capabilities = "250-AUTH PLAIN\r\n" });
		use_login(&x);
		assert_int_equal(send_one(&x), sent[i]);
		assert_false(str_contains(x.detail, PT_STR("secret")));
		exchange_end(&x);
	}
}

/* ---- settings ---- */

static void settings_that_cannot_work_are_refused(void **state)
{
	struct smtp_setup fine = {
		.host = PT_STR("mail.example.org"), .port = 587, .from = PT_STR("door@example.org")
	};
	struct smtp_setup broken[8];
	struct pt_courier courier;

	(void)state;
	for (size_t i = 0; i < 8; i++)
		broken[i] = fine;
	broken[0].host = PT_STR("");
	broken[1].host = PT_STR("a b");
	broken[2].port = 0;
	broken[3].from = PT_STR("door");
	broken[4].reply_to = PT_STR("a@b\r\nX: y");
	broken[5].from_name = PT_STR("a\r\nBcc: evil@x");
	broken[6].password = PT_STR("a\0b");
	broken[7].tls = SMTP_TLS_OFF;
	broken[7].username = PT_STR("ann");
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(smtp_open(&broken[i], &courier), PT_F_CONFIG);
	assert_int_equal(smtp_open(&fine, &courier), PT_OK);
	smtp_close(&courier);
	smtp_close(&courier);
	smtp_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_letter_looks_as_it_should),
		cmocka_unit_test(the_connection_is_kept),
		cmocka_unit_test(a_connection_that_ended_meanwhile_is_opened_again),
		cmocka_unit_test(a_server_that_closes_for_everybody_is_asked_once),
		cmocka_unit_test(several_threads_send_at_once),
		cmocka_unit_test(no_text_ends_the_letter_early),
		cmocka_unit_test(lines_are_short_and_end_in_both_bytes),
		cmocka_unit_test(a_hostile_address_is_not_spoken),
		cmocka_unit_test(temporary_refusals_are_tried_later),
		cmocka_unit_test(lost_connections_are_tried_later),
		cmocka_unit_test(a_server_that_is_away_is_tried_later),
		cmocka_unit_test(a_mute_server_is_left_in_time),
		cmocka_unit_test(whoever_waits_for_a_letter_waits_no_longer_than_his_patience),
		cmocka_unit_test(a_stopped_courier_lets_go),
		cmocka_unit_test(final_refusals_of_the_letter_are_final),
		cmocka_unit_test(refusals_of_ourselves_are_for_the_operator),
		cmocka_unit_test(the_other_sides_words_keep_no_address),
		cmocka_unit_test(starttls_is_used_and_the_authority_known),
		cmocka_unit_test(implicit_tls_is_spoken_from_the_first_byte),
		cmocka_unit_test(without_the_required_encryption_nothing_is_said),
		cmocka_unit_test(a_certificate_of_nobody_is_for_the_operator),
		cmocka_unit_test(a_certificate_for_another_name_is_for_the_operator),
		cmocka_unit_test(this_machines_own_certificate_will_do_when_tls_is_a_chance),
		cmocka_unit_test(a_jail_holds_all_that_an_encrypted_letter_needs),
		cmocka_unit_test(a_login_goes_over_the_encrypted_line),
		cmocka_unit_test(login_is_taken_where_plain_is_not_offered),
		cmocka_unit_test(cram_md5_alone_is_not_used),
		cmocka_unit_test(a_refused_login_is_for_the_operator_unless_it_is_temporary),
		cmocka_unit_test(settings_that_cannot_work_are_refused),
	};

	return cmocka_run_group_tests(tests, world_begin, world_end);
}

/*
 * test_webhook.c - hooks are asked in Netlify's words, within bounds, and at no house of ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../base/http_peer.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fetch.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jwt.h"
#include "outbound/webhook.h"
#include "outbound/webhook_url.h"

#include "base/banned.h"

#define ANSWER(status_, body_) "HTTP/1.1 " status_ " X\r\nConnection: close\r\n\r\n" body_
#define ZEROS                  "00000000-0000-0000-0000-000000000000"
#define USER                                                                                     \
	"{\"id\":\"11111111-1111-4111-8111-111111111111\",\"aud\":\"\",\"role\":\"\",\"email\":" \
	"\"test@example.com\",\"app_metadata\":{\"provider\":\"email\"},\"user_metadata\":{},"   \
	"\"created_at\":\"2026-01-01T00:00:00Z\",\"updated_at\":\"2026-01-01T00:00:00Z\"}"
#define BODY "{\"event\":\"login\",\"instance_id\":\"" ZEROS "\",\"user\":" USER "}"

static const char ok[] = ANSWER("200", "");
static const pt_str login_only[] = { PT_STR_INIT("login") };

static struct arena *arena;

static int world_begin(void **state)
{
	const struct fetch_setup system = { 0 };

	(void)state;
	arena = arena_open(64 * MIB);
	return arena && crypt_open() == PT_OK && fetch_open(&system) == PT_OK ? 0 : -1;
}

static int world_end(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

static pt_err render(struct buf *out, const struct pt_account *account)
{
	(void)account;
	buf_str(out, PT_STR(USER));
	return PT_OK;
}

static pt_str url_of(const struct http_peer *peer, const char *login, const char *path)
{
	struct buf b = BUF(arena, KIB);
	pt_str url = { 0 };

	buf_printf(&b, "http://%s127.0.0.1:%d%s", login, peer->port, path);
	assert_int_equal(buf_done(&b, &url), PT_OK);
	return url;
}

static struct webhook_setup setup_for(const struct http_peer *peer)
{
	return (struct webhook_setup){
		.url = url_of(peer, "", "/hook?key=1"),
		.secret = PT_STR("top-secret"),
		.events = login_only,
		.n_events = 1,
		.allow_private = true,
		.render = render,
	};
}

/* What a sign-in came to. */
struct outcome {
	pt_err err;
	struct pt_hook_reply reply;
	pt_str detail;
};

static struct outcome ask_set_up(const struct webhook_setup *setup)
{
	struct outcome outcome = { 0 };
	struct pt_hooks hooks;
	pt_str body;

	assert_int_equal(webhook_open(setup, &hooks), PT_OK);
	assert_int_equal(hooks.size, sizeof(hooks));
	assert_int_equal(
		hooks.write(hooks.ctx, arena, PT_HOOK_LOGIN, &(struct pt_account){ 0 }, &body),
		PT_OK);
	outcome.err =
		hooks.ask(hooks.ctx, arena, PT_HOOK_LOGIN, body, &outcome.reply, &outcome.detail);
	webhook_close(&hooks);
	webhook_close(&hooks);
	return outcome;
}

static struct outcome ask_peer(struct http_peer *peer, const char *answer)
{
	struct webhook_setup setup;
	struct outcome outcome;

	peer->connections = 0;
	peer_open(peer, answer);
	setup = setup_for(peer);
	outcome = ask_set_up(&setup);
	peer_close(peer);
	return outcome;
}

static struct outcome ask_answered(const char *answer)
{
	struct http_peer peer = { 0 };

	return ask_peer(&peer, answer);
}

static void assert_text(pt_str is, const char *wanted)
{
	if (!str_eq(is, str(wanted)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)is.n, is.p, wanted);
}

/* ---- what is sent ---- */

static void the_body_has_three_keys_and_these_bytes(void **state)
{
	struct webhook_setup setup = { .render = render };
	struct pt_hash hash;
	struct pt_hooks hooks;
	struct buf hex = BUF(arena, KIB);
	pt_str body;

	(void)state;
	assert_int_equal(webhook_open(&setup, &hooks), PT_OK);
	assert_int_equal(
		hooks.write(hooks.ctx, arena, PT_HOOK_LOGIN, &(struct pt_account){ 0 }, &body),
		PT_OK);
	webhook_close(&hooks);
	assert_text(body, BODY);
	assert_int_equal(digest_sha256(body, &hash), PT_OK);
	buf_hex(&hex, hash.bytes, sizeof(hash.bytes));
	assert_text(
		buf_view(&hex), "0d140879ce9f669eeb1b2632802168a7ef3f520740093699adeb110963b643b3");
}

static void the_signature_is_that_of_the_vector(void **state)
{
	struct jwk *key;
	pt_str token;

	(void)state;
	assert_int_equal(jwk_from_secret(PT_STR("top-secret"), NULL, &key, NULL), PT_OK);
	assert_int_equal(webhook_sign(arena, key, PT_STR(ZEROS), 1767225600 * PT_SECOND + 999999,
				 PT_STR(BODY), &token),
		PT_OK);
	assert_text(token,
		"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
		"eyJpc3MiOiJnb3RydWUiLCJzdWIiOiIwMDAwMDAwMC0wMDAwLTAwMDAtMDAwMC0wMDAwMDAwMDAwMDAi"
		"LCJpYXQiOjE3NjcyMjU2MDAsInNoYTI1NiI6IjBkMTQwODc5Y2U5ZjY2OWVlYjFiMjYzMjgwMjE2OGE3"
		"ZWYzZjUyMDc0MDA5MzY5OWFkZWIxMTA5NjNiNjQzYjMifQ."
		"Phn32cslxuhyPhSGoADwW3XClKWDbcujeMAFu2-cpUo");
	jwk_close(key);
}

static pt_str header_of(const struct http_peer *peer, const char *name)
{
	const char *at = strstr(peer->request, name);

	return at ? str_n(at + strlen(name), strcspn(at + strlen(name), "\r")) : PT_STR("");
}

static pt_str sent_body(const struct http_peer *peer)
{
	const char *end = strstr(peer->request, "\r\n\r\n");

	return end ? str(end + 4) : PT_STR("");
}

static void a_question_is_a_signed_post(void **state)
{
	struct http_peer peer = { 0 };
	struct json_value claims;
	struct jwk *key;

	(void)state;
	assert_int_equal(ask_peer(&peer, ok).err, PT_OK);
	assert_true(str_starts(str(peer.request), PT_STR("POST /hook?key=1 HTTP/1.1\r\n")));
	assert_text(header_of(&peer, "\r\nContent-Type: "), "application/json");
	assert_text(header_of(&peer, "\r\nX-Netlify-Event: "), "identity_login");
	assert_text(sent_body(&peer), BODY);

	assert_int_equal(jwk_from_secret(PT_STR("top-secret"), NULL, &key, NULL), PT_OK);
	assert_int_equal(
		jwt_verify(arena, key, header_of(&peer, "\r\nx-webhook-signature: "), &claims),
		PT_OK);
	jwk_close(key);
	assert_int_equal(claims.n, 4);
	assert_text(json_find(&claims, PT_STR("iss"))->text, "gotrue");
	assert_text(json_find(&claims, PT_STR("sub"))->text, ZEROS);
	assert_text(json_find(&claims, PT_STR("sha256"))->text,
		"0d140879ce9f669eeb1b2632802168a7ef3f520740093699adeb110963b643b3");
	assert_in_range(clock_now() / PT_SECOND - json_find(&claims, PT_STR("iat"))->number, 0, 5);
}

static void without_a_secret_nothing_is_signed(void **state)
{
	struct http_peer peer = { 0 };
	struct webhook_setup setup;

	(void)state;
	peer_open(&peer, ok);
	setup = setup_for(&peer);
	setup.secret = PT_STR("");
	assert_int_equal(ask_set_up(&setup).err, PT_OK);
	peer_close(&peer);
	assert_null(strstr(peer.request, "x-webhook-signature"));
	assert_null(strstr(peer.request, "Authorization"));
}

static void the_tenant_is_named(void **state)
{
	struct http_peer peer = { 0 };
	struct webhook_setup setup;

	(void)state;
	peer_open(&peer, ok);
	setup = setup_for(&peer);
	setup.tenant = PT_STR("0194c5a0-0000-7000-8000-000000000001");
	assert_int_equal(ask_set_up(&setup).err, PT_OK);
	peer_close(&peer);
	assert_true(str_starts(sent_body(&peer),
		PT_STR("{\"event\":\"login\",\"instance_id\":\"0194c5a0-0000-7000-8000-"
		       "000000000001\",\"user\":{")));
}

static void a_login_in_the_url_is_sent_and_never_told(void **state)
{
	struct http_peer peer = { 0 };
	struct webhook_setup setup;
	struct outcome outcome;

	(void)state;
	peer_open(&peer, "");
	setup = setup_for(&peer);
	setup.url = url_of(&peer, "ann:p%40ss@", "/hook?key=1#there");
	outcome = ask_set_up(&setup);
	peer_close(&peer);
	assert_text(header_of(&peer, "\r\nAuthorization: "), "Basic YW5uOnBAc3M=");
	assert_true(str_starts(str(peer.request), PT_STR("POST /hook?key=1 HTTP/1.1\r\n")));
	assert_int_equal(outcome.err, PT_E_HOOK_BROKEN);
	assert_true(str_ends(outcome.detail, PT_STR("/hook")));
	assert_false(str_contains(outcome.detail, PT_STR("ann")));
	assert_false(str_contains(outcome.detail, PT_STR("ss@")));
}

/* ---- who is asked ---- */

static void only_listed_events_are_wanted(void **state)
{
	const pt_str events[] = { PT_STR(" login"), PT_STR("userdeleted "), PT_STR("Signup"),
		PT_STR("unheard-of"), PT_STR("") };
	struct webhook_setup setup = { .url = PT_STR("https://hooks.example.org/"),
		.events = events,
		.n_events = 5,
		.render = render };
	struct pt_hooks hooks;

	(void)state;
	assert_int_equal(webhook_open(&setup, &hooks), PT_OK);
	assert_true(hooks.wants(hooks.ctx, PT_HOOK_LOGIN));
	assert_true(hooks.wants(hooks.ctx, PT_HOOK_USER_DELETED));
	assert_false(hooks.wants(hooks.ctx, PT_HOOK_SIGNUP));
	assert_false(hooks.wants(hooks.ctx, PT_HOOK_VALIDATE));
	assert_false(hooks.wants(hooks.ctx, PT_HOOK_USER_MODIFIED));
	webhook_close(&hooks);
}

static void with_nobody_to_ask_nothing_is_wanted(void **state)
{
	struct webhook_setup setup = { .events = login_only, .n_events = 1, .render = render };
	struct pt_hook_reply reply;
	struct pt_hooks hooks;
	pt_str detail;

	(void)state;
	assert_int_equal(webhook_open(&setup, &hooks), PT_OK);
	for (int i = PT_HOOK_VALIDATE; i <= PT_HOOK_USER_DELETED; i++)
		assert_false(hooks.wants(hooks.ctx, (enum pt_hook_event)i));
	assert_int_equal(
		hooks.ask(hooks.ctx, arena, PT_HOOK_LOGIN, PT_STR("{}"), &reply, &detail), PT_OK);
	assert_int_equal(reply.app_metadata.n, 0);
	webhook_close(&hooks);
}

static void an_unlisted_event_is_not_sent(void **state)
{
	struct http_peer peer = { 0 };
	struct webhook_setup setup;
	struct pt_hook_reply reply;
	struct pt_hooks hooks;
	pt_str detail;

	(void)state;
	peer_open(&peer, ok);
	setup = setup_for(&peer);
	assert_int_equal(webhook_open(&setup, &hooks), PT_OK);
	assert_int_equal(
		hooks.ask(hooks.ctx, arena, PT_HOOK_SIGNUP, PT_STR("{}"), &reply, &detail), PT_OK);
	webhook_close(&hooks);
	peer_close(&peer);
	assert_int_equal(peer_connections(&peer), 0);
}

static struct outcome ask_two(struct http_peer *one, struct http_peer *two)
{
	struct webhook_target targets[3] = { { PT_STR("login"), { 0 } },
		{ PT_STR("signup"), PT_STR("http://127.0.0.1:1/") }, { PT_STR("login"), { 0 } } };
	struct webhook_setup setup = { .targets = targets,
		.n_targets = 3,
		.secret = PT_STR("jwt-secret"),
		.allow_private = true,
		.render = render };
	struct outcome outcome;

	peer_open(one, one->answer);
	peer_open(two, two->answer);
	targets[0].url = url_of(one, "", "/one");
	targets[2].url = url_of(two, "", "/two");
	outcome = ask_set_up(&setup);
	peer_close(one);
	peer_close(two);
	return outcome;
}

static void targets_are_asked_in_order_and_the_last_word_counts(void **state)
{
	struct http_peer one = { .answer = ANSWER("200",
					 "{\"app_metadata\":{\"a\":1},\"user_metadata\":{}}") };
	struct http_peer two = { .answer = ANSWER("200", "{\"app_metadata\":{\"b\":2}}") };
	struct outcome outcome = ask_two(&one, &two);

	(void)state;
	assert_int_equal(outcome.err, PT_OK);
	assert_text(outcome.reply.app_metadata, "{\"b\":2}");
	assert_text(outcome.reply.user_metadata, "{}");
	assert_int_equal(peer_connections(&one), 1);
	assert_int_equal(peer_connections(&two), 1);
}

static void the_first_no_ends_it(void **state)
{
	struct http_peer one = { .answer = ANSWER("403", "") };
	struct http_peer two = { .answer = ok };

	(void)state;
	assert_int_equal(ask_two(&one, &two).err, PT_E_HOOK_REFUSED);
	assert_int_equal(peer_connections(&one), 3);
	assert_int_equal(peer_connections(&two), 0);
}

/* ---- what comes back ---- */

static void three_statuses_are_a_yes(void **state)
{
	(void)state;
	assert_int_equal(ask_answered(ok).err, PT_OK);
	assert_int_equal(ask_answered(ANSWER("202", "")).err, PT_OK);
	assert_int_equal(ask_answered("HTTP/1.1 204 X\r\nConnection: close\r\n\r\n").err, PT_OK);
	assert_int_equal(ask_answered(ANSWER("202", "{\"app_metadata\":{}}")).err, PT_OK);
}

static void every_other_status_is_a_no(void **state)
{
	static const char *const answers[] = { ANSWER("201", ""), ANSWER("203", ""),
		ANSWER("206", ""), ANSWER("299", ""), ANSWER("304", ""), ANSWER("400", "{}"),
		ANSWER("422", ""), ANSWER("500", "{\"app_metadata\":{\"a\":1}}"),
		ANSWER("999", "") };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct http_peer peer = { 0 };
		struct outcome outcome = ask_peer(&peer, answers[i]);

		assert_int_equal(outcome.err, PT_E_HOOK_REFUSED);
		assert_text(outcome.detail, "Failed to handle signup webhook");
		assert_int_equal(peer_connections(&peer), 3);
		assert_int_equal(outcome.reply.app_metadata.n, 0);
	}
}

static void a_no_is_asked_again(void **state)
{
	static const char *const script[] = { ANSWER("400", ""), ANSWER("400", ""),
		ANSWER("200", "{\"user_metadata\":{\"n\":3}}") };
	struct http_peer peer = { .script = script, .script_n = 3 };
	struct outcome outcome = ask_peer(&peer, ok);

	(void)state;
	assert_int_equal(outcome.err, PT_OK);
	assert_int_equal(peer_connections(&peer), 3);
	assert_text(outcome.reply.user_metadata, "{\"n\":3}");
}

static void tries_are_as_many_as_set_up(void **state)
{
	struct http_peer peer = { 0 };
	struct webhook_setup setup;

	(void)state;
	peer_open(&peer, ANSWER("500", ""));
	setup = setup_for(&peer);
	setup.tries = 1;
	assert_int_equal(ask_set_up(&setup).err, PT_E_HOOK_REFUSED);
	assert_int_equal(peer_connections(&peer), 1);
	setup.tries = 5;
	assert_int_equal(ask_set_up(&setup).err, PT_E_HOOK_REFUSED);
	peer_close(&peer);
	assert_int_equal(peer_connections(&peer), 6);
}

static void a_redirect_is_a_no_and_not_followed(void **state)
{
	struct http_peer peer = { 0 };

	(void)state;
	assert_int_equal(
		ask_peer(&peer, "HTTP/1.1 307 Go\r\nLocation: /else\r\nContent-Length: 0\r\n"
				"Connection: close\r\n\r\n")
			.err,
		PT_E_HOOK_REFUSED);
	assert_int_equal(peer_connections(&peer), 3);
	assert_true(str_starts(str(peer.request), PT_STR("POST /hook?key=1 ")));
}

static void metadata_come_back_as_they_are_spelled(void **state)
{
	struct outcome outcome = ask_answered(ANSWER("200",
		" { \"x\" : [1], \"app\\u005fmetadata\" : { \"n\": 12345678901234567890.10, "
		"\"s\":\"}\\\"{\" } , \"user_metadata\" : {\"\xC3\xA9\":[{}]} } "));

	(void)state;
	assert_int_equal(outcome.err, PT_OK);
	assert_text(
		outcome.reply.app_metadata, "{ \"n\": 12345678901234567890.10, \"s\":\"}\\\"{\" }");
	assert_text(outcome.reply.user_metadata, "{\"\xC3\xA9\":[{}]}");
}

static void what_is_not_there_or_null_leaves_all_as_it_is(void **state)
{
	static const char *const answers[] = { ANSWER("200", "{}"), ANSWER("200", "null\n"),
		ANSWER("200", "{\"app_metadata\":null,\"user_metadata\":null}"),
		ANSWER("200", "{\"metadata\":{\"app_metadata\":{}}}") };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct outcome outcome = ask_answered(answers[i]);

		assert_int_equal(outcome.err, PT_OK);
		assert_int_equal(outcome.reply.app_metadata.n, 0);
		assert_int_equal(outcome.reply.user_metadata.n, 0);
	}
}

static void what_is_no_reply_is_malformed(void **state)
{
	static const char *const answers[] = { ANSWER("200", "OK"), ANSWER("200", " "),
		ANSWER("200", "[]"), ANSWER("200", "true"), ANSWER("200", "\"{}\""),
		ANSWER("200", "{\"app_metadata\":{}"), ANSWER("200", "{} {}"),
		ANSWER("200", "{\"app_metadata\":[]}"), ANSWER("200", "{\"app_metadata\":\"{}\"}"),
		ANSWER("200", "{\"user_metadata\":7}"),
		ANSWER("200", "{\"user_metadata\":{},\"user_metadata\":{\"a\":1}}"),
		ANSWER("200", "{\"user_metadata\":{\"a\":\"\\u0000\"}}"),
		ANSWER("200", "{\"user_metadata\":{\"a\":\"\xFF\"}}"),
		ANSWER("200", "{\"user_metadata\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[") };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct http_peer peer = { 0 };
		struct outcome outcome = ask_peer(&peer, answers[i]);

		assert_int_equal(outcome.err, PT_E_HOOK_MALFORMED);
		assert_true(
			str_starts(outcome.detail, PT_STR("Webhook returned malformed JSON: ")));
		assert_int_equal(peer_connections(&peer), 1);
		assert_int_equal(outcome.reply.user_metadata.n, 0);
	}
}

static void a_body_that_breaks_off_is_malformed(void **state)
{
	struct outcome outcome =
		ask_answered("HTTP/1.1 200 X\r\nContent-Length: 20\r\n\r\n{\"app_met");

	(void)state;
	assert_int_equal(outcome.err, PT_E_HOOK_MALFORMED);
	assert_true(str_starts(outcome.detail, PT_STR("Webhook returned malformed BODY: ")));
}

static void a_body_over_a_mebibyte_is_malformed(void **state)
{
	struct http_peer peer = { .repeat = 12 * 1024 };
	char *line = arena_alloc(arena, 1200);
	struct outcome outcome;
	static const char head[] = "HTTP/1.1 200 X\r\nConnection: close\r\n\r\n";

	(void)state;
	memset(line, ' ', 1199);
	memcpy(line, head, sizeof(head) - 1);
	outcome = ask_peer(&peer, line);
	assert_int_equal(outcome.err, PT_E_HOOK_MALFORMED);
	assert_true(str_starts(outcome.detail, PT_STR("Webhook returned malformed BODY: ")));
	assert_int_equal(peer_connections(&peer), 1);
}

static void a_no_with_an_endless_body_is_a_no(void **state)
{
	struct http_peer peer = { .repeat = 100000 };

	(void)state;
	assert_int_equal(
		ask_peer(&peer, ANSWER("500", "0123456789012345678901234567890123456789")).err,
		PT_E_HOOK_REFUSED);
	assert_int_equal(peer_connections(&peer), 3);
}

/* ---- nothing comes back ---- */

static void silence_is_a_timeout_after_each_try(void **state)
{
	struct http_peer peer = { .drip_ms = 50 };
	struct webhook_setup setup;
	struct outcome outcome;

	(void)state;
	peer_open(&peer, "HTTP/1.1 200 X\r\n\r\n");
	setup = setup_for(&peer);
	setup.try_time = 200 * PT_MILLISECOND;
	setup.tries = 2;
	outcome = ask_set_up(&setup);
	peer_close(&peer);
	assert_int_equal(outcome.err, PT_E_HOOK_TIMEOUT);
	assert_text(outcome.detail, "Failed to perform webhook in time frame (0.2 seconds)");
	assert_int_equal(peer_connections(&peer), 2);
}

static void all_tries_share_one_time(void **state)
{
	struct http_peer peer = { .drip_ms = 50 };
	struct webhook_setup setup;
	pt_time begin = clock_monotonic();

	(void)state;
	peer_open(&peer, "HTTP/1.1 200 X\r\n\r\n");
	setup = setup_for(&peer);
	setup.tries = 1000;
	setup.time_in_all = 300 * PT_MILLISECOND;
	assert_int_equal(ask_set_up(&setup).err, PT_E_HOOK_TIMEOUT);
	assert_in_range((uintmax_t)(clock_monotonic() - begin), 250 * PT_MILLISECOND, PT_SECOND);
	peer_close(&peer);
	assert_int_equal(peer_connections(&peer), 1);
}

static void whole_seconds_are_said_as_such(void **state)
{
	struct http_peer peer = { .drip_ms = 50 };
	struct webhook_setup setup;

	(void)state;
	peer_open(&peer, "HTTP/1.1 200 X\r\n\r\n");
	setup = setup_for(&peer);
	setup.time_in_all = 100 * PT_MILLISECOND;
	assert_text(
		ask_set_up(&setup).detail, "Failed to perform webhook in time frame (5 seconds)");
	peer_close(&peer);
}

static void who_is_away_is_asked_once(void **state)
{
	struct http_peer peer = { 0 };
	struct webhook_setup setup;
	struct outcome outcome;
	struct buf wanted = BUF(arena, KIB);

	(void)state;
	peer_open(&peer, ok);
	peer_close(&peer);
	setup = setup_for(&peer);
	outcome = ask_set_up(&setup);
	assert_int_equal(outcome.err, PT_E_HOOK_UNREACHABLE);
	buf_printf(&wanted, "Failed to connect to http://127.0.0.1:%d/hook", peer.port);
	assert_text(outcome.detail, buf_view(&wanted).p);

	setup.url = PT_STR("https://nowhere.invalid/a");
	outcome = ask_set_up(&setup);
	assert_int_equal(outcome.err, PT_E_HOOK_UNREACHABLE);
	assert_text(outcome.detail, "Failed to connect to https://nowhere.invalid/a");
}

static void a_line_that_breaks_is_said(void **state)
{
	static const char *const answers[] = { "", "no HTTP at all", "HTTP/1.1 2" };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct http_peer peer = { 0 };
		struct outcome outcome = ask_peer(&peer, answers[i]);
		struct buf wanted = BUF(arena, KIB);

		assert_int_equal(outcome.err, PT_E_HOOK_BROKEN);
		buf_printf(&wanted, "Failed to trigger webhook to http://127.0.0.1:%d/hook",
			peer.port);
		assert_text(outcome.detail, buf_view(&wanted).p);
		assert_int_equal(peer_connections(&peer), 1);
	}
}

/* ---- where it may not go ---- */

static void addresses_at_home_are_not_asked(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "LOCALHOST", "localhost.",
		"a.localhost", "0.0.0.0", "0", "127.1", "2130706433", "017700000001", "0177.0.0.1",
		"0x7f000001", "0x7f.1", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
		"[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::1]", "10.0.0.1",
		"100.64.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1",
		"192.168.0.1", "169.254.169.254", "198.18.0.1", "198.51.100.1", "203.0.113.1",
		"224.0.0.1", "240.0.0.1", "255.255.255.255", "[fe80::1]", "[fd00::1]", "[fc00::1]",
		"[ff02::1]" };
	struct http_peer peer = { 0 };
	struct webhook_setup setup;

	(void)state;
	peer_open(&peer, ok);
	setup = setup_for(&peer);
	setup.allow_private = false;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct buf b = BUF(arena, KIB);
		struct outcome outcome;

		buf_printf(&b, "https://%s:%d/", hosts[i], peer.port);
		assert_int_equal(buf_done(&b, &setup.url), PT_OK);
		outcome = ask_set_up(&setup);
		if (outcome.err != PT_E_HOOK_UNREACHABLE)
			fail_msg("%s: %s", hosts[i], pt_err_name(outcome.err));
	}
	peer_close(&peer);
	assert_int_equal(peer_connections(&peer), 0);
}

static void a_network_that_is_allowed_is_asked(void **state)
{
	const pt_str networks[] = { PT_STR("10.0.0.0/8"), PT_STR(" 127.0.0.0/8 ") };
	struct http_peer peer = { 0 };
	struct webhook_setup setup;

	(void)state;
	peer_open(&peer, ok);
	setup = setup_for(&peer);
	setup.allow_private = false;
	setup.networks = networks;
	setup.n_networks = 2;
	assert_int_equal(ask_set_up(&setup).err, PT_OK);
	setup.n_networks = 1;
	assert_int_equal(ask_set_up(&setup).err, PT_E_HOOK_UNREACHABLE);
	peer_close(&peer);
	assert_int_equal(peer_connections(&peer), 1);
}

/* ---- setting up ---- */

static void a_url_without_a_host_is_completed_from_the_site(void **state)
{
	static const struct {
		const char *site, *url, *wanted, *label, *login;
	} rows[] = {
		{ "https://t.example", "/hook", "https://t.example/hook", NULL, "" },
		{ "https://t.example/base/", "hook", "https://t.example/hook", NULL, "" },
		{ "https://t.example:8443?z=1", "/a?b=c", "https://t.example:8443/a?b=c",
			"https://t.example:8443/a", "" },
		{ "https://me:pw@t.example", "/x", "https://t.example/x", NULL, "Basic bWU6cHc=" },
		{ "https://t.example", "//evil.example/x", "https://t.example/x", NULL, "" },
		{ "https://t.example", "//evil.example", "https://t.example", NULL, "" },
		{ "https://t.example", "?a", "https://t.example?a", "https://t.example", "" },
		{ "https://t.example", "/a#b?c", "https://t.example/a", NULL, "" },
		{ "https://t.example", "/a:b", "https://t.example/a:b", NULL, "" },
		{ "", "https://h.example", "https://h.example", NULL, "" },
		{ "", "HTTPS://H.example/A", "https://H.example/A", NULL, "" },
		{ "", "https://a@b@h.example/", "https://h.example/", NULL, "Basic YUBiOg==" },
		{ "", "https://h.example/@x", "https://h.example/@x", NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct webhook_url made;

		assert_int_equal(
			webhook_url_make(arena, str(rows[i].site), str(rows[i].url), &made), PT_OK);
		assert_text(made.url, rows[i].wanted);
		assert_text(made.label, rows[i].label ? rows[i].label : rows[i].wanted);
		assert_text(made.login, rows[i].login);
	}
}

static void urls_that_are_none_are_refused(void **state)
{
	static const char *const urls[] = { "", "ftp://h.example/", "file:///etc/passwd",
		"mailto:a@h.example", "h.example:8080/x", "https://", "https:///x", "https://u@",
		"https://u%4@h.example/", "https://h.example/a b", "https://h.example/\r\nX: y",
		"https://a\\@h.example/", "https://h.example/\x7F", "https://h\xC3\xA9.example/" };

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct webhook_url made;

		if (webhook_url_make(arena, PT_STR("https://t.example"), str(urls[i]), &made) !=
			PT_F_CONFIG)
			fail_msg("%s passes", urls[i]);
	}
	struct webhook_url made;
	assert_int_equal(webhook_url_make(arena, PT_STR(""), PT_STR("/hook"), &made), PT_F_CONFIG);
}

static void settings_that_cannot_be_used_are_refused(void **state)
{
	const pt_str bad_network[] = { PT_STR("10.0.0.0/33") };
	struct webhook_setup setup = { .url = PT_STR("https://h.example/"), .render = render };
	struct pt_hooks hooks;

	(void)state;
	setup.networks = bad_network;
	setup.n_networks = 1;
	assert_int_equal(webhook_open(&setup, &hooks), PT_F_CONFIG);
	setup.n_networks = 0;
	setup.secret = PT_STR("-----BEGIN PUBLIC KEY-----");
	assert_int_equal(webhook_open(&setup, &hooks), PT_F_CONFIG);
	setup.secret = PT_STR("fine");
	setup.url = PT_STR("gopher://h.example/");
	assert_int_equal(webhook_open(&setup, &hooks), PT_F_CONFIG);
	setup.url = PT_STR("https://h.example/");
	assert_int_equal(webhook_open(&setup, &hooks), PT_OK);
	webhook_close(&hooks);
}

/* ---- by many at once ---- */

static struct pt_hooks shared;

static void *ask_often(void *context)
{
	struct arena *own = arena_open(MIB);
	struct pt_hook_reply reply;
	pt_str detail;
	size_t *yes = context;

	for (int i = 0; i < 20; i++) {
		if (shared.ask(shared.ctx, own, PT_HOOK_LOGIN, PT_STR("{}"), &reply, &detail) ==
				PT_OK &&
			str_eq(reply.app_metadata, PT_STR("{\"a\":1}")))
			++*yes;
	}
	arena_close(own);
	return NULL;
}

static void many_threads_ask_at_once(void **state)
{
	struct http_peer peer = { 0 };
	struct webhook_setup setup;
	pthread_t threads[4];
	size_t yes[4] = { 0 };

	(void)state;
	peer_open(&peer, ANSWER("200", "{\"app_metadata\":{\"a\":1}}"));
	setup = setup_for(&peer);
	assert_int_equal(webhook_open(&setup, &shared), PT_OK);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &yes[i]), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	webhook_close(&shared);
	peer_close(&peer);
	assert_int_equal(yes[0] + yes[1] + yes[2] + yes[3], 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_body_has_three_keys_and_these_bytes),
		cmocka_unit_test(the_signature_is_that_of_the_vector),
		cmocka_unit_test(a_question_is_a_signed_post),
		cmocka_unit_test(without_a_secret_nothing_is_signed),
		cmocka_unit_test(the_tenant_is_named),
		cmocka_unit_test(a_login_in_the_url_is_sent_and_never_told),
		cmocka_unit_test(only_listed_events_are_wanted),
		cmocka_unit_test(with_nobody_to_ask_nothing_is_wanted),
		cmocka_unit_test(an_unlisted_event_is_not_sent),
		cmocka_unit_test(targets_are_asked_in_order_and_the_last_word_counts),
		cmocka_unit_test(the_first_no_ends_it),
		cmocka_unit_test(three_statuses_are_a_yes),
		cmocka_unit_test(every_other_status_is_a_no),
		cmocka_unit_test(a_no_is_asked_again),
		cmocka_unit_test(tries_are_as_many_as_set_up),
		cmocka_unit_test(a_redirect_is_a_no_and_not_followed),
		cmocka_unit_test(metadata_come_back_as_they_are_spelled),
		cmocka_unit_test(what_is_not_there_or_null_leaves_all_as_it_is),
		cmocka_unit_test(what_is_no_reply_is_malformed),
		cmocka_unit_test(a_body_that_breaks_off_is_malformed),
		cmocka_unit_test(a_body_over_a_mebibyte_is_malformed),
		cmocka_unit_test(a_no_with_an_endless_body_is_a_no),
		cmocka_unit_test(silence_is_a_timeout_after_each_try),
		cmocka_unit_test(all_tries_share_one_time),
		cmocka_unit_test(whole_seconds_are_said_as_such),
		cmocka_unit_test(who_is_away_is_asked_once),
		cmocka_unit_test(a_line_that_breaks_is_said),
		cmocka_unit_test(addresses_at_home_are_not_asked),
		cmocka_unit_test(a_network_that_is_allowed_is_asked),
		cmocka_unit_test(a_url_without_a_host_is_completed_from_the_site),
		cmocka_unit_test(urls_that_are_none_are_refused),
		cmocka_unit_test(settings_that_cannot_be_used_are_refused),
		cmocka_unit_test(many_threads_ask_at_once),
	};

	return cmocka_run_group_tests(tests, world_begin, world_end);
}

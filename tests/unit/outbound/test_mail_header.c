/*
 * test_mail_header.c - nothing in a letter's head leaves its line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "outbound/mail_header.h"

#include "base/banned.h"

static int arena_begin(void **state)
{
	*state = arena_open(MIB);
	return *state ? 0 : -1;
}

static int arena_end(void **state)
{
	arena_close(*state);
	return 0;
}

static void usual_addresses_pass(void **state)
{
	static const char *const addresses[] = { "ann@example.org", "a@b", "noreply@localhost",
		"o'neil+tag@mail.example-site.org", "a.b_c-d@x.io", "a%b@x.org" };

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		assert_int_equal(mail_address_check(str(addresses[i])), PT_OK);
}

static void addresses_that_could_say_more_are_refused(void **state)
{
	static const char *const addresses[] = { "", "@", "a@", "@b", "a@b@c", "a b@c", "a@b c",
		"ann@example.org\r\nRCPT TO:<evil@x>", "ann@example.org\n", "a\r@b", "<a@b>",
		"a@b>", "a<b@c", "\"a\"@b", "a,b@c", "a@b,c@d", "a;b@c", "x:a@b", "a(b)@c", "a\\@b",
		"a@[127.0.0.1]", "a@-b", "a\t@b", "a\x7f@b", "\xc3\xa9@b", "a@\xc3\xa9.org",
		"a@b\xc2\x85", "a\xe2\x80\xa8@b", "a@b_c" };

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		if (mail_address_check(str(addresses[i])) != PT_E_MALFORMED)
			fail_msg("address %zu passes", i);
	}
	assert_int_equal(mail_address_check(PT_STR("a\0b@c")), PT_E_MALFORMED);
	assert_int_equal(mail_address_check(PT_STR("a@b\0")), PT_E_MALFORMED);
}

static void addresses_have_a_longest_length(void **state)
{
	char text[256];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[64] = '@';
	assert_int_equal(mail_address_check(str_n(text, 254)), PT_OK);
	assert_int_equal(mail_address_check(str_n(text, 255)), PT_E_MALFORMED);
	text[64] = 'a';
	text[65] = '@';
	assert_int_equal(mail_address_check(str_n(text, 100)), PT_E_MALFORMED);
}

static pt_str header(struct arena *arena, pt_str text)
{
	pt_str out = { 0 };

	assert_int_equal(mail_header_text(arena, text, &out), PT_OK);
	return out;
}

static void plain_text_stays_as_it_is(void **state)
{
	assert_true(str_eq(
		header(*state, PT_STR("Verify your account")), PT_STR("Verify your account")));
	assert_int_equal(header(*state, PT_STR("")).n, 0);
}

static void other_text_becomes_encoded_words(void **state)
{
	assert_true(str_eq(header(*state, PT_STR("caf\xc3\xa9")), PT_STR("=?UTF-8?B?Y2Fmw6k=?=")));
	/* or its reader would decode what nobody encoded */
	assert_true(str_starts(header(*state, PT_STR("=?x")), PT_STR("=?UTF-8?B?")));
	assert_true(str_starts(header(*state, PT_STR("two  spaces")), PT_STR("=?UTF-8?B?")));
	assert_true(str_starts(header(*state, PT_STR(" first")), PT_STR("=?UTF-8?B?")));
}

/* Every line fits, is ASCII, and all but the first begin with a space. */
static void check_folding(pt_str text)
{
	size_t column = 12;

	for (size_t i = 0; i < text.n; i++) {
		assert_true(text.p[i] >= ' ' || text.p[i] == '\r' || text.p[i] == '\n');
		if (text.p[i] == '\r') {
			assert_true(i + 3 < text.n && text.p[i + 1] == '\n' &&
				    text.p[i + 2] == ' ' && text.p[i + 3] > ' ');
			i++;
			column = 0;
			continue;
		}
		assert_true(++column <= 76);
	}
}

static void long_text_is_folded(void **state)
{
	struct buf ascii = BUF(*state, 8 * KIB), word = BUF(*state, 8 * KIB),
		   wide = BUF(*state, 8 * KIB);

	for (int i = 0; i < 100; i++) {
		buf_str(&ascii, i ? PT_STR(" many words") : PT_STR("words"));
		buf_char(&word, 'x');
		buf_str(&wide, PT_STR("\xf0\x9f\x9a\xaa\xc3\xa9z"));
	}
	check_folding(header(*state, buf_view(&ascii)));
	check_folding(header(*state, buf_view(&word)));
	check_folding(header(*state, buf_view(&wide)));
	assert_true(str_contains(header(*state, buf_view(&ascii)), PT_STR("\r\n words")));
}

static void encoded_words_end_with_whole_characters(void **state)
{
	struct buf wide = BUF(*state, 8 * KIB), joined = BUF(*state, 8 * KIB);
	pt_str rest, word, bytes;

	for (int i = 0; i < 60; i++)
		buf_str(&wide, i % 2 ? PT_STR("\xf0\x9f\x9a\xaa") : PT_STR("\xc3\xa9"));
	rest = header(*state, buf_view(&wide));
	while (rest.n > 0) {
		str_cut(rest, '\r', &word, &rest);
		rest = str_slice(rest, 2, rest.n);
		word = str_slice(word, 10, word.n - 2);
		assert_true(base64_decode(*state, word, &bytes));
		assert_true(str_utf8(bytes));
		buf_str(&joined, bytes);
	}
	assert_true(str_eq(buf_view(&joined), buf_view(&wide)));
}

static void text_that_ends_a_line_is_refused(void **state)
{
	static const char *const texts[] = { "a\r\nBcc: evil@x", "a\nb", "a\rb", "a\tb", "a\x7f",
		"a\xc2\x85"
		"b",
		"a\xe2\x80\xa8"
		"b",
		"a\xe2\x80\xa9"
		"b",
		"a\xff", "\xc3", "\x1b[31m" };
	pt_str out;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(mail_header_text(*state, str(texts[i]), &out), PT_E_MALFORMED);
	assert_int_equal(mail_header_text(*state, PT_STR("a\0b"), &out), PT_E_MALFORMED);
}

static void a_name_before_an_address_cannot_end_early(void **state)
{
	pt_str out;

	assert_int_equal(mail_header_phrase(*state, PT_STR("Door Service"), &out), PT_OK);
	assert_true(str_eq(out, PT_STR("Door Service")));
	assert_int_equal(mail_header_phrase(*state, PT_STR("\"x\" <evil@x>,"), &out), PT_OK);
	assert_true(str_starts(out, PT_STR("=?UTF-8?B?")));
	assert_int_equal(mail_header_phrase(*state, PT_STR("a\r\nb"), &out), PT_E_MALFORMED);
}

static const struct mail_sender sender = { PT_STR_INIT("door@example.org"), PT_STR_INIT("Door"),
	PT_STR_INIT("help@example.org") };

static struct pt_mail mail_to(pt_str to)
{
	return (struct pt_mail){ .id = { "0190b3a0-0000-7000-8000-000000000001" },
		.created_at = 784111777 * PT_SECOND,
		.to = to,
		.subject = PT_STR("Hi") };
}

static bool has_line(const struct mail_head *head, const char *line)
{
	for (size_t i = 0; i < head->n; i++) {
		if (strcmp(head->lines[i], line) == 0)
			return true;
	}
	return false;
}

static void a_head_has_every_line_once(void **state)
{
	struct pt_mail mail = mail_to(PT_STR("ann@example.org"));
	struct mail_head head;

	assert_int_equal(mail_head_make(*state, &sender, &mail, &head), PT_OK);
	assert_int_equal(head.n, MAIL_HEADERS);
	assert_true(has_line(&head, "From: Door\r\n <door@example.org>"));
	assert_true(has_line(&head, "To: ann@example.org"));
	assert_true(has_line(&head, "Reply-To: help@example.org"));
	assert_true(has_line(&head, "Subject: Hi"));
	assert_true(has_line(&head, "Date: Sun, 06 Nov 1994 08:49:37 +0000"));
	assert_true(
		has_line(&head, "Message-ID: <0190b3a0-0000-7000-8000-000000000001@example.org>"));
	assert_true(has_line(&head, "Auto-Submitted: auto-generated"));
	assert_true(has_line(&head, "MIME-Version: 1.0"));
}

static void a_head_with_a_hostile_part_is_refused(void **state)
{
	struct pt_mail mail = mail_to(PT_STR("ann@example.org\r\nBcc: evil@x"));
	struct mail_head head;

	assert_int_equal(mail_head_make(*state, &sender, &mail, &head), PT_E_MALFORMED);
	mail = mail_to(PT_STR("ann@example.org"));
	mail.subject = PT_STR("Hi\n\nbody");
	assert_int_equal(mail_head_make(*state, &sender, &mail, &head), PT_E_MALFORMED);
	mail = mail_to(PT_STR("ann@example.org"));
	mail.id = (struct pt_id){ "a>\r\nX: y" };
	assert_int_equal(mail_head_make(*state, &sender, &mail, &head), PT_E_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_addresses_pass),
		cmocka_unit_test(addresses_that_could_say_more_are_refused),
		cmocka_unit_test(addresses_have_a_longest_length),
		cmocka_unit_test(plain_text_stays_as_it_is),
		cmocka_unit_test(other_text_becomes_encoded_words),
		cmocka_unit_test(long_text_is_folded),
		cmocka_unit_test(encoded_words_end_with_whole_characters),
		cmocka_unit_test(text_that_ends_a_line_is_refused),
		cmocka_unit_test(a_name_before_an_address_cannot_end_early),
		cmocka_unit_test(a_head_has_every_line_once),
		cmocka_unit_test(a_head_with_a_hostile_part_is_refused),
	};

	return cmocka_run_group_tests(tests, arena_begin, arena_end);
}

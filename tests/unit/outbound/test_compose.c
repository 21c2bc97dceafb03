/*
 * test_compose.c - from a sealed row to a letter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "letters.h"

#include "base/banned.h"

static struct letter_office office;

static int world_begin(void **state)
{
	(void)state;
	office_open(&office);
	return 0;
}

static int world_end(void **state)
{
	(void)state;
	office_close(&office);
	return 0;
}

static void a_sealed_letter_is_composed(void **state)
{
	struct pt_letter letter = letter_fine(&office, 1);
	struct pt_mail mail;

	(void)state;
	letter.created_at = 5;
	assert_int_equal(compose(&office.composer, office.arena, &letter, &mail), PT_OK);
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
	assert_int_equal(compose(&office.composer, office.arena, &letter, &mail), PT_OK);
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
	assert_int_equal(compose(&office.composer, office.arena, &letter, &mail), PT_F_CRYPTO);
	letter = letter_fine(&office, 1);
	other.letter_key.bytes[0] ^= 1;
	assert_int_equal(compose(&other, office.arena, &letter, &mail), PT_F_CRYPTO);
	letter.sealed.n--;
	assert_int_equal(compose(&office.composer, office.arena, &letter, &mail), PT_F_CRYPTO);
}

static void what_is_missing_is_a_fault(void **state)
{
	struct pt_letter letter = letter_fine(&office, 1);
	struct composer without_texts = office.composer;
	struct pt_mail mail;

	(void)state;
	without_texts.texts = value_map(office.arena);
	assert_int_equal(compose(&without_texts, office.arena, &letter, &mail), PT_F_RENDER);
	letter.kind = PT_LETTER_RESET;
	assert_int_equal(compose(&office.composer, office.arena, &letter, &mail), PT_F_RENDER);
	letter.kind = (enum pt_letter_kind)99;
	assert_int_equal(compose(&office.composer, office.arena, &letter, &mail), PT_F_RENDER);
}

static void variables_are_an_object_of_plain_values(void **state)
{
	static const pt_str variables[] = { PT_STR_INIT("[]"), PT_STR_INIT(""), PT_STR_INIT("{"),
		PT_STR_INIT("{\"name\":{}}"), PT_STR_INIT("{\"name\":[1]}") };
	struct pt_mail mail;

	(void)state;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		struct pt_letter letter = letter_sealed(&office, 1, variables[i]);
		assert_int_equal(
			compose(&office.composer, office.arena, &letter, &mail), PT_F_RENDER);
	}
}

static void every_kind_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(letter_name(PT_LETTER_VERIFY), "verify");
	assert_string_equal(letter_name(PT_LETTER_RESET), "reset");
	assert_string_equal(letter_name(PT_LETTER_PASSWORD_CHANGED), "password-changed");
	assert_string_equal(letter_name(PT_LETTER_ACCOUNT_EXISTS), "account-exists");
	assert_string_equal(letter_name((enum pt_letter_kind)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sealed_letter_is_composed),
		cmocka_unit_test(hostile_values_are_only_text),
		cmocka_unit_test(a_letter_of_another_row_or_key_does_not_open),
		cmocka_unit_test(what_is_missing_is_a_fault),
		cmocka_unit_test(variables_are_an_object_of_plain_values),
		cmocka_unit_test(every_kind_has_a_name),
	};

	return cmocka_run_group_tests(tests, world_begin, world_end);
}

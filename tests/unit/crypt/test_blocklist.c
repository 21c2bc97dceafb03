/* The passwords that everybody tries first, plain and dressed up; and those that only look so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "crypt/blocklist.h"

static void expect_all(const char *const *passwords, size_t n, bool common)
{
	for (size_t i = 0; i < n; i++)
		if (blocklist_has(str(passwords[i])) != common)
			fail_msg("%s is %s", passwords[i], common ? "not refused" : "refused");
}

#define EXPECT_ALL(list, common) expect_all(list, sizeof(list) / sizeof(list[0]), common)

static void common_passwords_are_refused(void **state)
{
	static const char *const common[] = { "password", "iloveyou", "dragon", "football",
		"sunshine", "princess", "baseball", "superman", "trustno1", "starwars", "michael",
		"liverpool", "contrasena", "passwort", "motdepasse", "123123123", "159357",
		"147258369" };

	(void)state;
	EXPECT_ALL(common, true);
}

static void their_usual_dresses_are_refused(void **state)
{
	static const char *const dressed[] = { "Password1", "PASSWORD", "P@ssw0rd", "p455w0rd",
		"Pa$$w0rd", "P@ssw0rd123!", "iloveyou1", "letmein!!", "admin123", "Admin@123",
		"welcome2024", "Welcome_2024!", "Summer-2026", "dragon123456", "adm1n", "we1come",
		"monkey!1!", "charlie1987", "passwordpassword", "adminadmin1", "qwerty123",
		"Qwerty!23" };

	(void)state;
	EXPECT_ALL(dressed, true);
}

static void runs_and_repetitions_are_refused(void **state)
{
	static const char *const runs[] = { "12345678", "123456789", "1234567890", "0987654321",
		"87654321", "qwertyuiop", "poiuytrewq", "asdfghjkl", "zxcvbnm,", "1q2w3e4r",
		"1qaz2wsx", "zaq1xsw2", "qazwsxedc", "abcdefgh", "zyxwvuts", "asdf1234", "1234qwer",
		"qwerasdf", "!@#$%^&*", "aaaaaaaa", "11111111", "AAAAAAAA", "abababab", "abcabcabc",
		"12341234", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	(void)state;
	EXPECT_ALL(runs, true);
}

static void a_passphrase_that_holds_a_common_word_is_fine(void **state)
{
	static const char *const fine[] = { "correct horse battery staple",
		"my password is very long", "password correct horse", "the dragon sleeps at noon",
		"iloveyou and the sea", "passwordless-door", "princess of 41 islands" };

	(void)state;
	EXPECT_ALL(fine, false);
}

static void what_was_drawn_at_random_is_fine(void **state)
{
	static const char *const fine[] = { "x7Gh2kQv", "k3-Vp9w!", "9fQz81bLx0", "tR4#mmZ8",
		"hWq0ZsYv3n", "83650274", "zkqjvbxw", "4c1f8e0b92d7", "dragon8301746529",
		"Tz!8dragon", "dragon-!?%+~;",
		"\xd0\xbf\xd0\xb5\xd1\x81\xd0\xbe\xd0\xba\xd0\xb4\xd0\xb2\xd0\xb0" };

	(void)state;
	EXPECT_ALL(fine, false);
}

static void short_and_odd_input_is_judged_without_harm(void **state)
{
	char endless[1024];

	(void)state;
	assert_false(blocklist_has((pt_str){ 0 }));
	assert_false(blocklist_has(PT_STR("")));
	assert_false(blocklist_has(PT_STR("a")));
	assert_false(blocklist_has(PT_STR("a!")));
	assert_false(blocklist_has(PT_STR("password\0x")));
	assert_true(blocklist_has(PT_STR("\0\0\0\0\0\0\0\0")));
	for (size_t i = 0; i < sizeof(endless); i++)
		endless[i] = (char)('a' + i * i % 23);
	assert_false(blocklist_has(str_n(endless, sizeof(endless))));
	for (size_t n = 0; n < 80; n++)
		(void)blocklist_has(str_n(endless, n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(common_passwords_are_refused),
		cmocka_unit_test(their_usual_dresses_are_refused),
		cmocka_unit_test(runs_and_repetitions_are_refused),
		cmocka_unit_test(a_passphrase_that_holds_a_common_word_is_fine),
		cmocka_unit_test(what_was_drawn_at_random_is_fine),
		cmocka_unit_test(short_and_odd_input_is_judged_without_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

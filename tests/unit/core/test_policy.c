#include "world.h"

#include <string.h>

#include "base/str.h"
#include "core/policy.h"

static const struct password_context ann = { PT_STR_INIT("annlee99"),
	PT_STR_INIT("harbourmaster@example.org") };

static void length_is_counted_in_characters(void **state)
{
	struct pt_policy policy;
	char emoji[4 * 257 + 1];

	(void)state;
	pt_policy_init(&policy);
	for (size_t i = 0; i < 257; i++) {
		memcpy(emoji + 4 * i, "\xf0\x9f\x8c\x8a", 4);
		emoji[4 * i + 3] = (char)(0x80 + (i * 7) % 64); /* not one sign again and again */
	}
	EXPECT_ERR(PT_OK, policy_password(&policy, str_n(emoji, 4 * 8), &ann));
	EXPECT_ERR(PT_E_PASSWORD_SHORT, policy_password(&policy, str_n(emoji, 4 * 7), &ann));
	EXPECT_ERR(PT_OK, policy_password(&policy, str_n(emoji, 4 * 256), &ann));
	EXPECT_ERR(PT_E_PASSWORD_LONG, policy_password(&policy, str_n(emoji, 4 * 257), &ann));
}

static void older_sites_count_bytes(void **state)
{
	struct pt_policy policy;

	(void)state;
	pt_policy_init(&policy);
	policy.password_in_bytes = true;
	policy.password_min = 6;
	policy.hash_bcrypt = true;
	EXPECT_ERR(PT_OK, policy_password(&policy, PT_STR("\xf0\x9f\x8c\x8aoo"), &ann));
	EXPECT_ERR(PT_E_PASSWORD_SHORT, policy_password(&policy, PT_STR("12345"), &ann));
	char long_one[73];
	memset(long_one, 'x', sizeof(long_one));
	long_one[0] = 'y';
	policy.password_blocklist = false;
	EXPECT_ERR(PT_OK, policy_password(&policy, str_n(long_one, 72), &ann));
	EXPECT_ERR(PT_E_PASSWORD_LONG, policy_password(&policy, str_n(long_one, 73), &ann));
}

static void spaces_and_signs_are_part_of_a_password(void **state)
{
	static const char *const rows[] = { "  leading and trailing  ", "<script>alert(1)</script>",
		"'\"\\%s%n';--", "\xe2\x80\xae right to left" };
	struct pt_policy policy;

	(void)state;
	pt_policy_init(&policy);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		EXPECT_ERR(PT_OK, policy_password(&policy, str(rows[i]), &ann));
	EXPECT_ERR(PT_E_PASSWORD_BYTES, policy_password(&policy, PT_STR("abc\0defghij"), &ann));
	EXPECT_ERR(PT_E_PASSWORD_BYTES, policy_password(&policy, PT_STR("abc\xff\xfe efgh"), &ann));
}

static void ones_own_names_are_no_password(void **state)
{
	struct pt_policy policy;

	(void)state;
	pt_policy_init(&policy);
	EXPECT_ERR(PT_E_PASSWORD_COMMON, policy_password(&policy, PT_STR("AnnLee99"), &ann));
	EXPECT_ERR(PT_E_PASSWORD_COMMON, policy_password(&policy, PT_STR("harbourmaster"), &ann));
	EXPECT_ERR(PT_OK, policy_password(&policy, PT_STR("annlee99 is my name"), &ann));
	policy.password_blocklist = false;
	EXPECT_ERR(PT_OK, policy_password(&policy, PT_STR("AnnLee99"), &ann));
}

static void a_kilobyte_is_refused_before_it_is_read(void **state)
{
	struct pt_policy policy;
	static char huge[1 << 20];

	(void)state;
	pt_policy_init(&policy);
	memset(huge, 'a', sizeof(huge));
	EXPECT_ERR(PT_E_PASSWORD_LONG, policy_password(&policy, str_n(huge, sizeof(huge)), &ann));
	EXPECT_ERR(PT_E_PASSWORD_LONG, policy_signin_password(&policy, str_n(huge, 1025)));
	EXPECT_ERR(PT_OK, policy_signin_password(&policy, str_n(huge, 1024)));
}

static void names_are_bounded_and_may_be_required(void **state)
{
	static const char fifty[] = "01234567890123456789012345678901234567890123456789";
	struct pt_policy policy;

	(void)state;
	pt_policy_init(&policy);
	EXPECT_ERR(PT_OK, policy_names(&policy, str(fifty), PT_STR("")));
	EXPECT_ERR(PT_E_FAMILY_NAME_LONG,
		policy_names(&policy, PT_STR(""),
			PT_STR("012345678901234567890123456789012345678901234567890")));
	policy.names_required = true;
	EXPECT_ERR(PT_E_NAMES_MISSING, policy_names(&policy, str(fifty), PT_STR("")));
	EXPECT_ERR(PT_OK, policy_names(&policy, PT_STR("Ann"), PT_STR("Lee")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(length_is_counted_in_characters),
		cmocka_unit_test(older_sites_count_bytes),
		cmocka_unit_test(spaces_and_signs_are_part_of_a_password),
		cmocka_unit_test(ones_own_names_are_no_password),
		cmocka_unit_test(a_kilobyte_is_refused_before_it_is_read),
		cmocka_unit_test(names_are_bounded_and_may_be_required),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}

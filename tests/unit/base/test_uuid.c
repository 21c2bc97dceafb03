/*
 * test_uuid.c - UUIDs as bytes and as text.
 */
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/uuid.h"

#include "base/banned.h"

static const uint8_t example[UUID_BYTES] = { 0x01, 0x7f, 0x22, 0xe2, 0x79, 0xb0, 0x7c, 0xc3, 0x98,
	0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f };

/* RFC 9562 A.6. */
static void says_them_in_lower_case(void **state)
{
	struct pt_id id = uuid_text(example);

	(void)state;
	assert_string_equal(id.text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

static void reads_what_it_says(void **state)
{
	struct pt_id id = uuid_text(example);
	uint8_t read[UUID_BYTES];

	(void)state;
	assert_true(uuid_bytes(&id, read));
	assert_memory_equal(read, example, sizeof(read));
}

static void nothing_else_is_one(void **state)
{
	static const char *const bad[] = { "", "-", "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
		"017f22e279b07cc398c4dc0c0c07398f", "017f22e2-79b0-7cc3-98c4dc0c0c07398f",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}" };
	uint8_t read[UUID_BYTES] = { 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct pt_id id = { "" };

		memcpy(id.text, bad[i], strlen(bad[i]));
		assert_false(uuid_bytes(&id, read));
	}
	assert_int_equal(read[0], 7);
}

static void text_without_an_end_is_none(void **state)
{
	struct pt_id id;
	uint8_t read[UUID_BYTES];

	(void)state;
	memset(id.text, 'a', sizeof(id.text));
	assert_false(uuid_bytes(&id, read));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_them_in_lower_case),
		cmocka_unit_test(reads_what_it_says),
		cmocka_unit_test(nothing_else_is_one),
		cmocka_unit_test(text_without_an_end_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

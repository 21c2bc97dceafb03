#include "world.h"

#include <string.h>

#include "base/str.h"
#include "core/site.h"
#include "core/token_text.h"

static struct token_said example(void)
{
	return (struct token_said){ { "017f22e2-79b0-7cc3-98c4-dc0c0c07398f" }, 4294967295,
		{ { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 } } };
}

static void read_back_it_says_the_same(void **state)
{
	struct token_said said = example(), read = { .generation = 0 };
	struct world w;
	pt_str text;
	bool ours;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, token_text_write(world_call(&w), &said, &text));
	assert_int_equal(64, text.n);
	EXPECT_ERR(PT_OK, token_text_read(w.call, text, &ours, &read));
	assert_true(ours && read.proven);
	assert_string_equal(said.family.text, read.family.text);
	assert_int_equal(said.generation, read.generation);
	assert_memory_equal(&said.secret, &read.secret, sizeof(read.secret));
	world_close(&w);
}

static void any_other_letter_and_it_is_not_proven(void **state)
{
	struct token_said said = example(), read;
	struct world w;
	char other[65];
	pt_str text;
	bool ours;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, token_text_write(world_call(&w), &said, &text));
	for (size_t i = 0; i < text.n; i++) {
		memcpy(other, text.p, sizeof(other));
		other[i] = other[i] == 'A' ? 'B' : 'A';
		EXPECT_ERR(PT_OK, token_text_read(w.call, str(other), &ours, &read));
		assert_true(ours && !read.proven);
		other[i] = '.';
		read.generation = 7;
		EXPECT_ERR(PT_OK, token_text_read(w.call, str(other), &ours, &read));
		assert_false(ours);
		assert_int_equal(7, read.generation);
	}
	world_close(&w);
}

static void what_is_shorter_or_longer_is_not_ours(void **state)
{
	struct token_said said = example(), read;
	struct world w;
	pt_str text;
	bool ours = true;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, token_text_write(world_call(&w), &said, &text));
	EXPECT_ERR(PT_OK, token_text_read(w.call, str_slice(text, 0, 63), &ours, &read));
	assert_false(ours);
	ours = true;
	EXPECT_ERR(PT_OK, token_text_read(w.call, PT_STR(""), &ours, &read));
	assert_false(ours);
	world_close(&w);
}

static void a_jti_is_not_proven_as_a_refresh_token_nor_under_another_key(void **state)
{
	struct token_said said = example(), read;
	struct world w;
	pt_str text;
	bool ours;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, token_text_write(world_call(&w), &said, &text));
	w.site->policy.token_profile = true;
	EXPECT_ERR(PT_OK, token_text_read(w.call, text, &ours, &read));
	assert_true(ours && !read.proven);
	w.site->policy.token_profile = false;
	EXPECT_ERR(PT_OK, token_text_read(w.call, text, &ours, &read));
	assert_true(read.proven);
	w.site->keys.rotate.bytes[31] ^= 1;
	EXPECT_ERR(PT_OK, token_text_read(w.call, text, &ours, &read));
	assert_true(ours && !read.proven);
	world_close(&w);
}

static void a_family_that_is_no_uuid_or_a_generation_that_cannot_be_is_a_bug(void **state)
{
	struct token_said said = example();
	struct world w;
	pt_str text;

	(void)state;
	world_open(&w);
	for (int64_t generation = 0; generation <= 4294967296; generation += 4294967296) {
		said.generation = generation;
		EXPECT_ERR(PT_F_BUG, token_text_write(world_call(&w), &said, &text));
	}
	said = example();
	said.family.text[8] = 'x';
	EXPECT_ERR(PT_F_BUG, token_text_write(w.call, &said, &text));
	world_close(&w);
}

static void what_follows_another_programs_token_follows_it_again(void **state)
{
	struct token_secret first, again, other;
	struct world w;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, token_secret_after(world_call(&w), PT_STR("a"), &first));
	EXPECT_ERR(PT_OK, token_secret_after(w.call, PT_STR("a"), &again));
	EXPECT_ERR(PT_OK, token_secret_after(w.call, PT_STR("b"), &other));
	assert_memory_equal(&first, &again, sizeof(first));
	assert_memory_not_equal(&first, &other, sizeof(first));
	world_close(&w);
}

static void a_text_is_found_as_what_it_was_issued_for_alone(void **state)
{
	const pt_str text = PT_STR("aaaaaaaaaaaaaaaaaaaaaa");
	struct pt_hash jti, bearer, plain;
	struct world w;

	(void)state;
	world_open(&w);
	EXPECT_ERR(PT_OK, token_text_hash(world_call(&w), text, &jti));
	/* As an older Portress kept it. */
	EXPECT_ERR(PT_OK, digest_sha256(text, &plain));
	assert_memory_equal(&plain, &jti, sizeof(plain));
	w.site->policy.token_profile = true;
	EXPECT_ERR(PT_OK, token_text_hash(w.call, text, &bearer));
	assert_memory_not_equal(&jti, &bearer, sizeof(jti));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_back_it_says_the_same),
		cmocka_unit_test(any_other_letter_and_it_is_not_proven),
		cmocka_unit_test(what_is_shorter_or_longer_is_not_ours),
		cmocka_unit_test(a_jti_is_not_proven_as_a_refresh_token_nor_under_another_key),
		cmocka_unit_test(a_family_that_is_no_uuid_or_a_generation_that_cannot_be_is_a_bug),
		cmocka_unit_test(what_follows_another_programs_token_follows_it_again),
		cmocka_unit_test(a_text_is_found_as_what_it_was_issued_for_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

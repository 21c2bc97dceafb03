/* Published vectors of FIPS 180-4, RFC 4231 and RFC 5869, and what the cache must not mix up. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "crypt/digest.h"

static pt_str repeat(char *to, uint8_t byte, size_t n)
{
	memset(to, byte, n);
	return str_n(to, n);
}

static void expect_hex(const void *bytes, size_t n, const char *hex)
{
	struct arena *arena = arena_open(4 * KIB);
	struct buf b = BUF(arena, KIB);

	buf_hex(&b, bytes, n);
	assert_string_equal(buf_view(&b).p, hex);
	arena_close(arena);
}

static void sha256_gives_the_published_value(void **state)
{
	struct pt_hash hash;

	(void)state;
	assert_int_equal(digest_sha256(PT_STR("abc"), &hash), PT_OK);
	expect_hex(&hash, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(digest_sha256((pt_str){ 0 }, &hash), PT_OK);
	expect_hex(&hash, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void hmac_gives_the_values_of_rfc_4231(void **state)
{
	char key[131], data[50];
	const struct {
		pt_str key;
		pt_str data;
		const char *mac;
	} cases[] = {
		{ repeat(key, 0x0b, 20), PT_STR("Hi There"),
			"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
		{ PT_STR("Jefe"), PT_STR("what do ya want for nothing?"),
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	};
	struct pt_hash mac;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(digest_hmac(cases[i].key, cases[i].data, &mac), PT_OK);
		expect_hex(&mac, 32, cases[i].mac);
	}

	assert_int_equal(digest_hmac(repeat(key, 0xaa, 20), repeat(data, 0xdd, 50), &mac), PT_OK);
	expect_hex(&mac, 32, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
	assert_int_equal(
		digest_hmac(repeat(key, 0xaa, 131),
			PT_STR("Test Using Larger Than Block-Size Key - Hash Key First"), &mac),
		PT_OK);
	expect_hex(&mac, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* More keys than a thread keeps contexts for, asked in an order that evicts and finds again. */
static void a_remembered_context_never_answers_for_another_key(void **state)
{
	struct pt_hash first[40], again;

	(void)state;
	for (int round = 0; round < 4; round++) {
		for (size_t i = 0; i < 40; i++) {
			size_t k = round % 2 ? 39 - i : (i * 7) % 40;
			char name[] = { 'k', (char)('0' + k), '\0' };

			assert_int_equal(digest_hmac(str(name), PT_STR("m"), &again), PT_OK);
			if (round == 0)
				first[k] = again;
			assert_memory_equal(&first[k], &again, sizeof(again));
		}
	}
	for (size_t i = 0; i < 40; i++)
		for (size_t j = i + 1; j < 40; j++)
			assert_memory_not_equal(&first[i], &first[j], sizeof(first[i]));
}

static void a_key_padded_with_zeros_is_the_same_key_as_rfc_2104_says(void **state)
{
	struct pt_hash a, b;

	(void)state;
	assert_int_equal(digest_hmac(PT_STR("key"), PT_STR("m"), &a), PT_OK);
	assert_int_equal(digest_hmac(PT_STR("key\0\0"), PT_STR("m"), &b), PT_OK);
	assert_true(digest_equal_hash(&a, &b));
}

/* HMAC-SHA256 of 00 00 00 00 00 00 00 01 'a' 00 .. 00 'b''c' as the header writes it. */
static void parts_are_told_apart_by_their_lengths(void **state)
{
	const struct key key = { .bytes = { 1, 2, 3 } };
	const pt_str ab_c[] = { PT_STR("ab"), PT_STR("c") };
	const pt_str a_bc[] = { PT_STR("a"), PT_STR("bc") };
	const pt_str abc[] = { PT_STR("abc") };
	const pt_str abc_[] = { PT_STR("abc"), { 0 } };
	const pt_str spelled = PT_STR("\0\0\0\0\0\0\0\1a\0\0\0\0\0\0\0\2bc");
	struct pt_hash m[4], plain;

	(void)state;
	assert_int_equal(digest_mac_parts(&key, ab_c, 2, &m[0]), PT_OK);
	assert_int_equal(digest_mac_parts(&key, a_bc, 2, &m[1]), PT_OK);
	assert_int_equal(digest_mac_parts(&key, abc, 1, &m[2]), PT_OK);
	assert_int_equal(digest_mac_parts(&key, abc_, 2, &m[3]), PT_OK);
	for (size_t i = 0; i < 4; i++)
		for (size_t j = i + 1; j < 4; j++)
			assert_false(digest_equal_hash(&m[i], &m[j]));

	assert_int_equal(digest_hmac(str_n(key.bytes, KEY_BYTES), spelled, &plain), PT_OK);
	assert_true(digest_equal_hash(&plain, &m[1]));
}

static void hkdf_gives_the_values_of_rfc_5869(void **state)
{
	char ikm[22];
	struct key key;

	(void)state;
	assert_int_equal(digest_derive(repeat(ikm, 0x0b, 22),
				 PT_STR("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"),
				 PT_STR("\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9"), &key),
		PT_OK);
	expect_hex(&key, 32, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
	assert_int_equal(
		digest_derive(repeat(ikm, 0x0b, 22), (pt_str){ 0 }, (pt_str){ 0 }, &key), PT_OK);
	expect_hex(&key, 32, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

static void no_key_comes_from_an_empty_secret(void **state)
{
	struct key key = { .bytes = { 7 } };

	(void)state;
	assert_int_equal(digest_derive((pt_str){ 0 }, PT_STR("s"), PT_STR("i"), &key), PT_F_CONFIG);
	assert_int_equal(key.bytes[0], 7);
}

static void equality_needs_every_byte_and_the_length(void **state)
{
	(void)state;
	assert_true(digest_equal(PT_STR("abc"), PT_STR("abc")));
	assert_true(digest_equal((pt_str){ 0 }, PT_STR("")));
	assert_false(digest_equal(PT_STR("abc"), PT_STR("abd")));
	assert_false(digest_equal(PT_STR("abc"), PT_STR("xbc")));
	assert_false(digest_equal(PT_STR("abc"), PT_STR("ab")));
	assert_false(digest_equal(PT_STR(""), PT_STR("a")));
}

static void wiping_leaves_zeros(void **state)
{
	struct key key = { .bytes = { 1, 2, 3 } };
	const struct key zero = { 0 };

	(void)state;
	key_wipe(&key);
	assert_memory_equal(&key, &zero, sizeof(key));
	crypt_wipe(NULL, 0);
}

static void *mac_in_a_thread(void *arg)
{
	struct pt_hash first, again;

	if (digest_hmac(str(arg), PT_STR("m"), &first) != PT_OK)
		return "fault";
	for (int i = 0; i < 2000; i++)
		if (digest_hmac(str(arg), PT_STR("m"), &again) != PT_OK ||
			!digest_equal_hash(&first, &again))
			return "differs";
	return NULL;
}

static void threads_do_not_share_contexts(void **state)
{
	pthread_t threads[8];
	char names[8][3];

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		memcpy(names[i], (char[]){ 't', (char)('0' + i), '\0' }, 3);
		assert_int_equal(pthread_create(&threads[i], NULL, mac_in_a_thread, names[i]), 0);
	}
	for (size_t i = 0; i < 8; i++) {
		void *problem;
		pthread_join(threads[i], &problem);
		assert_null(problem);
	}
}

static int library_opens(void **state)
{
	(void)state;
	return crypt_open() == PT_OK && crypt_open() == PT_OK ? 0 : -1;
}

static void a_mac_before_opening_is_a_fault(void **state)
{
	struct pt_hash mac;

	(void)state;
	assert_int_equal(digest_hmac(PT_STR("k"), PT_STR("m"), &mac), PT_F_BUG);
}

int main(void)
{
	const struct CMUnitTest closed[] = {
		cmocka_unit_test(a_mac_before_opening_is_a_fault),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_gives_the_published_value),
		cmocka_unit_test(hmac_gives_the_values_of_rfc_4231),
		cmocka_unit_test(a_remembered_context_never_answers_for_another_key),
		cmocka_unit_test(a_key_padded_with_zeros_is_the_same_key_as_rfc_2104_says),
		cmocka_unit_test(parts_are_told_apart_by_their_lengths),
		cmocka_unit_test(hkdf_gives_the_values_of_rfc_5869),
		cmocka_unit_test(no_key_comes_from_an_empty_secret),
		cmocka_unit_test(equality_needs_every_byte_and_the_length),
		cmocka_unit_test(wiping_leaves_zeros),
		cmocka_unit_test(threads_do_not_share_contexts),
	};

	return cmocka_run_group_tests(closed, NULL, NULL) +
	       cmocka_run_group_tests(tests, library_opens, NULL);
}

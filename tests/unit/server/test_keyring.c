/*
 * test_keyring.c - the file of signing keys: made, changed whole, and for its owner alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "server/keyring.h"

#include "base/banned.h"

#define NOON (1000 * PT_DAY)
#define LIFE (1 * PT_HOUR)

struct place {
	struct arena *arena;
	char folder[64];
	char path[128];
};

static int make_place(void **state)
{
	struct place *p = test_calloc(1, sizeof(*p));

	assert_int_equal(crypt_open(), PT_OK);
	p->arena = arena_open(16 * MIB);
	snprintf(p->folder, sizeof(p->folder), "/tmp/test-keyring-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->path, sizeof(p->path), "%s/keys.json", p->folder);
	*state = p;
	return 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;

	unlink(p->path);
	/* Nothing else may be left in it. */
	assert_int_equal(rmdir(p->folder), 0);
	arena_close(p->arena);
	test_free(p);
	return 0;
}

static pt_str added(struct place *p, pt_time now)
{
	pt_str kid;

	assert_int_equal(keyring_add(p->arena, p->path, JWK_ES256, now, &kid), PT_OK);
	return kid;
}

static pt_str rotated(struct place *p, pt_time now)
{
	pt_str kid;

	assert_int_equal(keyring_rotate(p->arena, p->path, now, LIFE, false, &kid), PT_OK);
	return kid;
}

/* "next", "current", "retired", or "" when the file has no such key. */
static pt_str status_of(struct place *p, pt_str kid)
{
	struct jwk_set set;
	pt_str status = PT_STR("");

	assert_int_equal(keyring_read(p->arena, p->path, &set), PT_OK);
	for (size_t i = 0; i < set.n; i++) {
		if (str_eq(jwk_kid(set.slots[i].key), kid))
			status = jwk_state_name(set.slots[i].state);
	}
	jwk_set_close(&set);
	return status;
}

static void expect_status(struct place *p, pt_str kid, const char *status)
{
	assert_true(str_eq(status_of(p, kid), str(status)));
}

static void write_file(struct place *p, const char *text, mode_t mode)
{
	FILE *file = fopen(p->path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(p->path, mode);
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 0777;
}

static off_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_size;
}

static void the_first_start_makes_a_key_that_signs(void **state)
{
	struct place *p = *state;
	pt_str first, second;
	struct jwk_set set;

	assert_int_equal(keyring_load(p->arena, p->path, &first), PT_OK);
	assert_int_equal(mode_of(p->path), 0600);
	assert_int_equal(keyring_read(p->arena, p->path, &set), PT_OK);
	assert_int_equal(set.n, 1);
	assert_int_equal(jwk_algorithm(jwk_set_signer(&set)), JWK_ES256);
	jwk_set_close(&set);
	assert_int_equal(keyring_load(p->arena, p->path, &second), PT_OK);
	assert_true(str_eq(first, second));
}

static void a_file_that_is_gone_is_not_made_again_while_the_server_runs(void **state)
{
	struct place *p = *state;
	pt_str jwks;

	assert_int_equal(keyring_reload(p->arena, p->path, &jwks), PT_F_CONFIG);
	assert_int_equal(access(p->path, F_OK), -1);
	added(p, NOON);
	assert_int_equal(keyring_reload(p->arena, p->path, &jwks), PT_OK);
}

static void the_first_key_signs_and_the_second_waits(void **state)
{
	struct place *p = *state;
	pt_str first = added(p, NOON), second = added(p, NOON);

	expect_status(p, first, "current");
	expect_status(p, second, "next");
	assert_int_equal(mode_of(p->path), 0600);
}

static void a_third_key_is_refused_while_one_waits(void **state)
{
	struct place *p = *state;
	pt_str kid = { 0 };

	added(p, NOON);
	added(p, NOON);
	assert_int_equal(keyring_add(p->arena, p->path, JWK_EDDSA, NOON, &kid), PT_E_TAKEN);
	assert_int_equal(kid.n, 0);
}

static void the_next_key_signs_when_others_may_know_it(void **state)
{
	struct place *p = *state;
	pt_str first = added(p, NOON), second = added(p, NOON), kid;

	assert_int_equal(keyring_rotate(p->arena, p->path, NOON + KEYRING_SETTLE - PT_SECOND, LIFE,
				 false, &kid),
		PT_E_BUSY);
	expect_status(p, first, "current");
	assert_true(str_eq(rotated(p, NOON + KEYRING_SETTLE), second));
	expect_status(p, first, "retired");
	expect_status(p, second, "current");
}

static void in_need_the_next_key_signs_at_once(void **state)
{
	struct place *p = *state;
	pt_str first = added(p, NOON), second = added(p, NOON), kid;

	assert_int_equal(keyring_rotate(p->arena, p->path, NOON, LIFE, true, &kid), PT_OK);
	assert_true(str_eq(kid, second));
	expect_status(p, first, "retired");
}

static void without_a_next_key_nothing_is_rotated(void **state)
{
	struct place *p = *state;
	pt_str kid;

	assert_int_equal(
		keyring_rotate(p->arena, p->path, NOON, LIFE, false, &kid), PT_E_NOT_FOUND);
	added(p, NOON);
	assert_int_equal(keyring_rotate(p->arena, p->path, NOON, LIFE, true, &kid), PT_E_NOT_FOUND);
}

static void a_retired_key_judges_longer_than_its_last_token_lives(void **state)
{
	struct place *p = *state;
	pt_str first = added(p, NOON);
	pt_time turn = NOON + KEYRING_SETTLE;
	struct jwk_set set;

	added(p, NOON);
	rotated(p, turn);
	assert_int_equal(keyring_read(p->arena, p->path, &set), PT_OK);
	assert_non_null(jwk_set_find(&set, first, turn + LIFE));
	assert_null(jwk_set_find(&set, first, turn + LIFE + KEYRING_SETTLE));
	jwk_set_close(&set);
}

static void a_retired_keys_private_part_is_forgotten(void **state)
{
	struct place *p = *state;
	pt_str first = added(p, NOON);
	struct jwk_set set;

	added(p, NOON);
	rotated(p, NOON + KEYRING_SETTLE);
	assert_int_equal(keyring_read(p->arena, p->path, &set), PT_OK);
	assert_false(jwk_can_sign(jwk_set_find(&set, first, NOON)));
	assert_true(jwk_can_sign(jwk_set_signer(&set)));
	jwk_set_close(&set);
}

static void a_key_past_its_time_leaves_the_file(void **state)
{
	struct place *p = *state;
	pt_str first = added(p, NOON);
	pt_time turn = NOON + KEYRING_SETTLE;

	added(p, NOON);
	rotated(p, turn);
	added(p, turn + LIFE);
	expect_status(p, first, "retired");
	rotated(p, turn + LIFE + KEYRING_SETTLE);
	expect_status(p, first, "");
}

static void a_key_that_does_not_sign_can_be_retired_at_once(void **state)
{
	struct place *p = *state;
	pt_str first = added(p, NOON), second = added(p, NOON);

	assert_int_equal(keyring_retire(p->arena, p->path, NOON, first), PT_E_FORBIDDEN);
	rotated(p, NOON + KEYRING_SETTLE);
	assert_int_equal(keyring_retire(p->arena, p->path, NOON, first), PT_OK);
	expect_status(p, first, "");
	assert_int_equal(keyring_retire(p->arena, p->path, NOON, first), PT_E_NOT_FOUND);
	assert_int_equal(keyring_retire(p->arena, p->path, NOON, second), PT_E_FORBIDDEN);
	expect_status(p, second, "current");
}

static void a_full_file_takes_no_more_keys(void **state)
{
	struct place *p = *state;
	pt_time now = NOON;
	pt_str kid;

	added(p, now);
	for (int i = 1; i < KEYRING_MAX; i++) {
		added(p, now);
		assert_int_equal(keyring_rotate(p->arena, p->path, now, LIFE, true, &kid), PT_OK);
	}
	assert_int_equal(keyring_add(p->arena, p->path, JWK_ES256, now, &kid), PT_F_CONFIG);
	now += LIFE + KEYRING_SETTLE;
	added(p, now);
}

static void keys_that_others_can_read_are_refused(void **state)
{
	struct place *p = *state;
	pt_str jwks, kid = added(p, NOON);

	chmod(p->path, 0640);
	assert_int_equal(keyring_load(p->arena, p->path, &jwks), PT_F_CONFIG);
	assert_int_equal(keyring_add(p->arena, p->path, JWK_ES256, NOON, &kid), PT_F_CONFIG);
	chmod(p->path, 0600);
	assert_int_equal(keyring_load(p->arena, p->path, &jwks), PT_OK);
}

static void a_link_is_refused(void **state)
{
	struct place *p = *state;
	char other[140];
	pt_str jwks;

	added(p, NOON);
	snprintf(other, sizeof(other), "%s.other", p->path);
	assert_int_equal(rename(p->path, other), 0);
	assert_int_equal(symlink(other, p->path), 0);
	assert_int_equal(keyring_load(p->arena, p->path, &jwks), PT_F_CONFIG);
	unlink(other);
}

#define PUBLIC_ED25519                                               \
	"\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_" \
	"7TyWQHOg7hcvPapiMlrwIaaPcHURo\""

static void what_is_no_ring_of_keys_is_refused_and_left_as_it_is(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"{\"keys\":{}}",
		"{\"keys\":[]}",
		"{\"keys\":[{\"status\":\"current\"}]}",
		/* A public key signs nothing. */
		"{\"keys\":[{" PUBLIC_ED25519 ",\"status\":\"current\"}]}",
		"{\"keys\":[{" PUBLIC_ED25519 ",\"status\":\"retired\"}]}",
		"{\"keys\":[{" PUBLIC_ED25519 ",\"status\":\"retired\",\"until\":\"never\"}]}",
	};
	struct place *p = *state;
	pt_str jwks, kid;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(p, texts[i], 0600);
		assert_int_equal(keyring_load(p->arena, p->path, &jwks), PT_F_CONFIG);
		assert_int_equal(
			keyring_add(p->arena, p->path, JWK_ES256, NOON, &kid), PT_F_CONFIG);
		assert_int_equal(size_of(p->path), strlen(texts[i]));
	}
}

#define AT_A_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_A_PLACE(the_first_start_makes_a_key_that_signs),
		AT_A_PLACE(a_file_that_is_gone_is_not_made_again_while_the_server_runs),
		AT_A_PLACE(the_first_key_signs_and_the_second_waits),
		AT_A_PLACE(a_third_key_is_refused_while_one_waits),
		AT_A_PLACE(the_next_key_signs_when_others_may_know_it),
		AT_A_PLACE(in_need_the_next_key_signs_at_once),
		AT_A_PLACE(without_a_next_key_nothing_is_rotated),
		AT_A_PLACE(a_retired_key_judges_longer_than_its_last_token_lives),
		AT_A_PLACE(a_retired_keys_private_part_is_forgotten),
		AT_A_PLACE(a_key_past_its_time_leaves_the_file),
		AT_A_PLACE(a_key_that_does_not_sign_can_be_retired_at_once),
		AT_A_PLACE(a_full_file_takes_no_more_keys),
		AT_A_PLACE(keys_that_others_can_read_are_refused),
		AT_A_PLACE(a_link_is_refused),
		AT_A_PLACE(what_is_no_ring_of_keys_is_refused_and_left_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

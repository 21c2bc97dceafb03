/*
 * test_keyfile.c - the root key is made once, and believed only when nobody else can read it.
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
#include "server/keyfile.h"

#include "base/banned.h"

struct place {
	struct arena *arena;
	char folder[64];
	char path[128];
};

static int make_place(void **state)
{
	struct place *p = test_calloc(1, sizeof(*p));

	p->arena = arena_open(1 * MIB);
	snprintf(p->folder, sizeof(p->folder), "/tmp/test-keyfile-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->path, sizeof(p->path), "%s/keys/root.key", p->folder);
	*state = p;
	return 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;
	char keys[128];

	unlink(p->path);
	snprintf(keys, sizeof(keys), "%s/keys", p->folder);
	rmdir(keys);
	/* Nothing else may be left in it. */
	assert_int_equal(rmdir(p->folder), 0);
	arena_close(p->arena);
	test_free(p);
	return 0;
}

static unsigned mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 0777;
}

static void write_file(struct place *p, const char *text)
{
	char keys[128];

	snprintf(keys, sizeof(keys), "%s/keys", p->folder);
	mkdir(keys, 0700);
	FILE *file = fopen(p->path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(p->path, 0600);
}

static void the_first_start_makes_a_key_for_its_owner(void **state)
{
	struct place *p = *state;
	char keys[128];
	pt_str key;

	assert_int_equal(keyfile_load(p->arena, p->path, &key), PT_OK);
	assert_int_equal(key.n, 32);
	assert_int_equal(mode_of(p->path), 0600);
	snprintf(keys, sizeof(keys), "%s/keys", p->folder);
	assert_int_equal(mode_of(keys), 0700);
}

static void the_second_start_finds_the_same_key(void **state)
{
	struct place *p = *state;
	pt_str first, second;

	assert_int_equal(keyfile_load(p->arena, p->path, &first), PT_OK);
	assert_int_equal(keyfile_load(p->arena, p->path, &second), PT_OK);
	assert_true(str_eq(first, second));
}

static void a_key_that_others_can_read_is_refused(void **state)
{
	struct place *p = *state;
	pt_str key;

	assert_int_equal(keyfile_load(p->arena, p->path, &key), PT_OK);
	chmod(p->path, 0640);
	assert_int_equal(keyfile_load(p->arena, p->path, &key), PT_F_CONFIG);
	chmod(p->path, 0604);
	assert_int_equal(keyfile_load(p->arena, p->path, &key), PT_F_CONFIG);
	chmod(p->path, 0400);
	assert_int_equal(keyfile_load(p->arena, p->path, &key), PT_OK);
}

static void a_link_is_refused(void **state)
{
	struct place *p = *state;
	pt_str key;
	char other[140];

	assert_int_equal(keyfile_load(p->arena, p->path, &key), PT_OK);
	snprintf(other, sizeof(other), "%s.other", p->path);
	assert_int_equal(rename(p->path, other), 0);
	assert_int_equal(symlink(other, p->path), 0);
	assert_int_equal(keyfile_load(p->arena, p->path, &key), PT_F_CONFIG);
	unlink(other);
}

static void what_is_no_key_is_refused(void **state)
{
	static const char *const texts[] = { "", "secret\n", "AAAA\n",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
		"????????????????????????????????????????????\n" };
	struct place *p = *state;
	pt_str key;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(p, texts[i]);
		assert_int_equal(keyfile_load(p->arena, p->path, &key), PT_F_CONFIG);
	}
}

static void a_key_made_by_hand_is_taken(void **state)
{
	struct place *p = *state;
	pt_str key;

	write_file(p, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\r\n");
	assert_int_equal(keyfile_load(p->arena, p->path, &key), PT_OK);
	assert_int_equal(key.n, 32);
	assert_int_equal(key.p[31], 31);
}

#define AT_A_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AT_A_PLACE(the_first_start_makes_a_key_for_its_owner),
		AT_A_PLACE(the_second_start_finds_the_same_key),
		AT_A_PLACE(a_key_that_others_can_read_is_refused),
		AT_A_PLACE(a_link_is_refused),
		AT_A_PLACE(what_is_no_key_is_refused),
		AT_A_PLACE(a_key_made_by_hand_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Making and comparing, the pepper, the decoy and the gate. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/str.h"
#include "crypt/password.h"

static const struct password_params argon2id = { .argon2_kib = 64, .argon2_passes = 1 };
static const struct password_params bcrypt = { .scheme = PASSWORD_BCRYPT, .bcrypt_cost = 4 };
static const struct password_params peppered = {
	.argon2_kib = 64, .argon2_passes = 1, .has_pepper = true, .pepper = { .bytes = { 9, 8, 7 } }
};
static const struct password_params peppered_bcrypt = { .scheme = PASSWORD_BCRYPT,
	.bcrypt_cost = 4,
	.has_pepper = true,
	.pepper = { .bytes = { 9, 8, 7 } } };

static const struct password_params *const schemes[] = { &argon2id, &bcrypt, &peppered,
	&peppered_bcrypt };

static char *hash_of(const struct password_params *params, pt_str password)
{
	static char out[PASSWORD_HASH_MAX];

	assert_int_equal(password_hash(params, password, out), PT_OK);
	return out;
}

static pt_err compare(const struct password_params *params, const char *stored, pt_str password)
{
	struct password_verdict verdict = { .rehash = true };
	pt_err err = password_verify(params, str(stored), password, &verdict);

	assert_true(err == PT_OK || verdict.rehash); /* out is written on PT_OK alone */
	return err;
}

static bool wants_rehash(const struct password_params *params, const char *stored, pt_str password)
{
	struct password_verdict verdict;

	assert_int_equal(password_verify(params, str(stored), password, &verdict), PT_OK);
	return verdict.rehash;
}

static void a_password_matches_its_hash(void **state)
{
	static const pt_str passwords[] = {
		{ "correct horse", 13 },
		{ " leading and trailing ", 22 },
		{ "\xf0\x9f\x90\x8e e\xcc\x81", 8 },
		{ "<script>'\"\\%s%n", 15 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		for (size_t j = 0; j < sizeof(passwords) / sizeof(passwords[0]); j++)
			assert_int_equal(compare(schemes[i], hash_of(schemes[i], passwords[j]),
						 passwords[j]),
				PT_OK);
}

static void another_password_does_not_match(void **state)
{
	static const pt_str wrong[] = { { "abc ", 4 }, { " abc", 4 }, { "ab", 2 }, { "ABC", 3 },
		{ "", 0 }, { "abc\0", 4 }, { "abc\0x", 5 } };

	(void)state;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		const char *stored = hash_of(schemes[i], PT_STR("abc"));

		for (size_t j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++)
			assert_int_equal(compare(schemes[i], stored, wrong[j]), PT_E_CREDENTIALS);
	}
}

static void the_same_password_never_gives_the_same_hash(void **state)
{
	char first[PASSWORD_HASH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		assert_int_equal(password_hash(schemes[i], PT_STR("abc"), first), PT_OK);
		assert_string_not_equal(first, hash_of(schemes[i], PT_STR("abc")));
	}
}

static void new_hashes_are_spelled_as_the_parameters_say(void **state)
{
	(void)state;
	assert_true(str_starts(
		str(hash_of(&argon2id, PT_STR("a"))), PT_STR("$argon2id$v=19$m=64,t=1,p=1$")));
	assert_true(str_starts(str(hash_of(&bcrypt, PT_STR("a"))), PT_STR("$2b$04$")));
	assert_true(str_starts(str(hash_of(&peppered, PT_STR("a"))), PT_STR("pep1:$argon2id$")));
	assert_true(str_starts(str(hash_of(&password_default_params, PT_STR("a"))),
		PT_STR("$argon2id$v=19$m=19456,t=2,p=1$")));
}

static void a_zero_byte_counts_in_argon2id(void **state)
{
	const char *stored;

	(void)state;
	stored = hash_of(&argon2id, PT_STR("abc\0def"));
	assert_int_equal(compare(&argon2id, stored, PT_STR("abc\0def")), PT_OK);
	assert_int_equal(compare(&argon2id, stored, PT_STR("abc\0deg")), PT_E_CREDENTIALS);
	assert_int_equal(compare(&argon2id, stored, PT_STR("abc")), PT_E_CREDENTIALS);
}

static void the_73rd_byte_counts_in_argon2id(void **state)
{
	char password[73];

	(void)state;
	memset(password, 'a', sizeof(password));
	const char *stored = hash_of(&argon2id, str_n(password, 73));
	assert_int_equal(compare(&argon2id, stored, str_n(password, 73)), PT_OK);
	assert_int_equal(compare(&argon2id, stored, str_n(password, 72)), PT_E_CREDENTIALS);
	password[72] = 'b';
	assert_int_equal(compare(&argon2id, stored, str_n(password, 73)), PT_E_CREDENTIALS);
}

static void bcrypt_refuses_to_make_what_it_would_cut(void **state)
{
	char password[73], out[PASSWORD_HASH_MAX] = "kept";

	(void)state;
	memset(password, 'a', sizeof(password));
	assert_int_equal(password_hash(&bcrypt, str_n(password, 73), out), PT_E_PASSWORD_LONG);
	assert_int_equal(password_hash(&bcrypt, PT_STR("abc\0def"), out), PT_E_PASSWORD_BYTES);
	assert_string_equal(out, "kept");
	assert_int_equal(password_hash(&bcrypt, str_n(password, 72), out), PT_OK);
}

/* The cost stays: an early answer would tell the account's format. */
static void bcrypt_never_matches_what_it_would_cut_but_takes_its_time(void **state)
{
	static const char of_72_a[] =
		"$2b$04$.Bm5FgMWq8Au8ZtjsnZJ1OoukGKNUyMK5o7TLaI6TZE2OPPQ5xPmq";
	static const char of_abc[] = "$2b$04$wh04w3tpdhfBU0w56oEwAOQ.ZVFHJ03szni5tnHqmJifJW1najLGO";
	char password[73];

	(void)state;
	memset(password, 'a', sizeof(password));
	assert_int_equal(compare(&bcrypt, of_72_a, str_n(password, 72)), PT_OK);
	assert_int_equal(compare(&bcrypt, of_abc, PT_STR("abc")), PT_OK);

	uint64_t before = password_hashes_computed();
	assert_int_equal(compare(&bcrypt, of_72_a, str_n(password, 73)), PT_E_CREDENTIALS);
	assert_int_equal(compare(&bcrypt, of_abc, PT_STR("abc\0x")), PT_E_CREDENTIALS);
	assert_int_equal(password_hashes_computed(), before + 2);
}

/* It is hashed as the empty password then, so an account with that one must not open. */
static void a_cut_password_does_not_open_an_account_without_password(void **state)
{
	char password[73];

	(void)state;
	memset(password, 'a', sizeof(password));
	const char *stored = hash_of(&bcrypt, PT_STR(""));
	assert_int_equal(compare(&bcrypt, stored, str_n(password, 73)), PT_E_CREDENTIALS);
	assert_int_equal(compare(&bcrypt, stored, PT_STR("\0")), PT_E_CREDENTIALS);
}

static void a_password_over_1024_bytes_is_refused_before_any_work(void **state)
{
	static char password[1024 * 1024];
	char out[PASSWORD_HASH_MAX];

	(void)state;
	memset(password, 'a', sizeof(password));
	const char *stored = hash_of(&argon2id, str_n(password, 1024));
	assert_int_equal(compare(&argon2id, stored, str_n(password, 1024)), PT_OK);

	uint64_t before = password_hashes_computed();
	const size_t lengths[] = { 1025, sizeof(password) };
	for (size_t i = 0; i < 2; i++) {
		pt_str endless = str_n(password, lengths[i]);

		assert_int_equal(password_hash(&argon2id, endless, out), PT_E_PASSWORD_LONG);
		assert_int_equal(compare(&argon2id, stored, endless), PT_E_CREDENTIALS);
		assert_int_equal(password_verify_decoy(&argon2id, endless), PT_E_CREDENTIALS);
	}
	assert_int_equal(password_hashes_computed(), before);
}

static void an_empty_stored_hash_fits_no_password(void **state)
{
	struct password_verdict verdict;

	(void)state;
	assert_int_equal(compare(&argon2id, "", PT_STR("")), PT_E_CREDENTIALS);
	assert_int_equal(compare(&argon2id, "", PT_STR(" ")), PT_E_CREDENTIALS);
	assert_int_equal(password_verify(&argon2id, (pt_str){ 0 }, PT_STR("abc"), &verdict),
		PT_E_CREDENTIALS);
}

static void only_a_hash_of_today_stays(void **state)
{
	struct password_params more = argon2id, longer = argon2id, dearer = bcrypt;
	const pt_str abc = PT_STR("abc");
	char stored[PASSWORD_HASH_MAX];

	(void)state;
	more.argon2_kib = 128;
	longer.argon2_passes = 2;
	dearer.bcrypt_cost = 5;

	assert_int_equal(password_hash(&argon2id, abc, stored), PT_OK);
	assert_false(wants_rehash(&argon2id, stored, abc));
	assert_true(wants_rehash(&more, stored, abc));
	assert_true(wants_rehash(&longer, stored, abc));
	assert_true(wants_rehash(&bcrypt, stored, abc));
	assert_true(wants_rehash(&peppered, stored, abc));

	assert_int_equal(password_hash(&bcrypt, abc, stored), PT_OK);
	assert_false(wants_rehash(&bcrypt, stored, abc));
	assert_true(wants_rehash(&dearer, stored, abc));
	assert_true(wants_rehash(&argon2id, stored, abc));
	assert_true(wants_rehash(&peppered_bcrypt, stored, abc));

	assert_int_equal(password_hash(&peppered, abc, stored), PT_OK);
	assert_false(wants_rehash(&peppered, stored, abc));

	memcpy(stored, hash_of(&bcrypt, abc), 61);
	stored[2] = 'y';
	assert_true(wants_rehash(&bcrypt, stored, abc));
}

static void a_peppered_hash_needs_its_own_pepper(void **state)
{
	struct password_params other = peppered, without = peppered;
	const char *stored = hash_of(&peppered, PT_STR("abc"));

	(void)state;
	other.pepper.bytes[31] = 1;
	without.has_pepper = false;
	assert_int_equal(compare(&other, stored, PT_STR("abc")), PT_E_CREDENTIALS);
	assert_int_equal(compare(&without, stored, PT_STR("abc")), PT_F_CONFIG);
	assert_int_equal(compare(&peppered, stored + 5, PT_STR("abc")), PT_E_CREDENTIALS);
}

/* What the pepper makes is 44 characters long, so bcrypt can take any password whole. */
static void a_peppered_bcrypt_takes_long_passwords_and_zero_bytes(void **state)
{
	char password[74];

	(void)state;
	memset(password, 'a', sizeof(password));
	password[1] = '\0';
	const char *stored = hash_of(&peppered_bcrypt, str_n(password, 74));
	assert_int_equal(compare(&peppered_bcrypt, stored, str_n(password, 74)), PT_OK);
	assert_int_equal(compare(&peppered_bcrypt, stored, str_n(password, 73)), PT_E_CREDENTIALS);
	password[73] = 'b';
	assert_int_equal(compare(&peppered_bcrypt, stored, str_n(password, 74)), PT_E_CREDENTIALS);
}

static void no_password_fits_the_decoy_and_each_try_costs_one_hash(void **state)
{
	static const pt_str passwords[] = { { "", 0 }, { "abc", 3 }, { "abc\0", 4 } };
	uint64_t before = password_hashes_computed();

	(void)state;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		for (size_t j = 0; j < 3; j++)
			assert_int_equal(
				password_verify_decoy(schemes[i], passwords[j]), PT_E_CREDENTIALS);
	assert_int_equal(password_hashes_computed(), before + 12);
}

static void parameters_that_cannot_be_are_a_fault(void **state)
{
	struct password_params none = argon2id, cheap = bcrypt;
	char out[PASSWORD_HASH_MAX] = "kept";

	(void)state;
	none.argon2_passes = 0;
	cheap.bcrypt_cost = 3;
	assert_int_equal(password_hash(&none, PT_STR("abc"), out), PT_F_CRYPTO);
	assert_int_equal(password_hash(&cheap, PT_STR("abc"), out), PT_F_CRYPTO);
	assert_string_equal(out, "kept");
}

static rlim_t memory_mapped(void)
{
	FILE *statm = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	assert_non_null(statm);
	assert_int_equal(fscanf(statm, "%lu", &pages), 1);
	fclose(statm);
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* In a child, because no memory is given back: what cannot be mapped cannot be computed. */
static void no_memory_is_a_fault_and_not_a_wrong_password(void **state)
{
	const rlim_t few = memory_mapped() + 8 * 1024 * 1024;
	const struct rlimit limit = { few, few };
	const char *stored = hash_of(&password_default_params, PT_STR("abc"));
	struct password_verdict verdict;
	int status;

	(void)state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		pt_err limited = setrlimit(RLIMIT_AS, &limit) == 0 ? PT_OK : PT_F_BUG;
		pt_err err = password_verify(
			&password_default_params, str(stored), PT_STR("abc"), &verdict);
		_exit(limited == PT_OK && err == PT_F_MEMORY ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* ---- the gate ---- */

enum { PEOPLE = 16, TRIES = 12 };

static const struct password_params slow = { .scheme = PASSWORD_BCRYPT, .bcrypt_cost = 6 };

struct crowd {
	char stored[PASSWORD_HASH_MAX];
	atomic_uint in, busy, wrong, longest_queue;
};

static void *sign_in_again_and_again(void *arg)
{
	struct crowd *crowd = arg;
	struct password_verdict verdict;

	for (int i = 0; i < TRIES; i++) {
		pt_err err =
			i % 3 ? password_verify(&slow, str(crowd->stored), PT_STR("abc"), &verdict)
			      : password_verify_decoy(&slow, PT_STR("abc"));
		unsigned waiting = password_hashes_waiting();

		if (waiting > atomic_load(&crowd->longest_queue))
			atomic_store(&crowd->longest_queue, waiting);
		if (err == PT_E_BUSY)
			atomic_fetch_add(&crowd->busy, 1);
		else if (err == (i % 3 ? PT_OK : PT_E_CREDENTIALS))
			atomic_fetch_add(&crowd->in, 1);
		else
			atomic_fetch_add(&crowd->wrong, 1);
	}
	return NULL;
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void crowd_run(struct crowd *crowd, unsigned concurrent, unsigned queue)
{
	pthread_t threads[PEOPLE];

	memset(crowd, 0, sizeof(*crowd));
	assert_int_equal(password_hash(&slow, PT_STR("abc"), crowd->stored), PT_OK);
	password_gate(concurrent, queue);
	uint64_t before = password_hashes_computed();
	for (size_t i = 0; i < PEOPLE; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, sign_in_again_and_again, crowd), 0);
	for (size_t i = 0; i < PEOPLE; i++)
		pthread_join(threads[i], NULL);

	assert_int_equal(crowd->wrong, 0);
	assert_int_equal(crowd->in + crowd->busy, PEOPLE * TRIES);
	assert_int_equal(password_hashes_computed() - before, crowd->in);
	assert_int_equal(password_hashes_waiting(), 0);
	assert_true(crowd->longest_queue <= queue);
}

static void everybody_gets_in_when_the_queue_has_room(void **state)
{
	struct crowd crowd;

	(void)state;
	crowd_run(&crowd, 2, PEOPLE - 2);
	assert_int_equal(crowd.busy, 0);
	crowd_run(&crowd, 1, PEOPLE - 1);
	assert_int_equal(crowd.busy, 0);
}

/* One at a time cannot use more of the processors than one does, however many there are. */
static void no_more_are_computed_at_once_than_the_gate_allows(void **state)
{
	double work = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
	struct crowd crowd;

	(void)state;
	crowd_run(&crowd, 1, PEOPLE - 1);
	work = seconds(CLOCK_PROCESS_CPUTIME_ID) - work;
	wall = seconds(CLOCK_MONOTONIC) - wall;
	assert_true(work < 1.2 * wall);
}

static void who_finds_the_queue_full_is_turned_away_at_once(void **state)
{
	struct crowd crowd;

	(void)state;
	crowd_run(&crowd, 2, 3);
	assert_true(crowd.busy > 0);
	assert_true(crowd.in > 0);
	crowd_run(&crowd, 1, 0);
	assert_true(crowd.busy > 0);
}

static void the_gate_is_open_again_after_a_crowd_and_after_a_fault(void **state)
{
	struct password_params cheap = bcrypt;
	char out[PASSWORD_HASH_MAX];

	(void)state;
	password_gate(1, 0);
	cheap.bcrypt_cost = 3;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(password_hash(&cheap, PT_STR("abc"), out), PT_F_CRYPTO);
		assert_int_equal(password_hash(&bcrypt, PT_STR("abc"), out), PT_OK);
	}
}

static int library_opens(void **state)
{
	(void)state;
	log_open(LOG_TEXT, LOG_ERROR);
	return crypt_open() == PT_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_matches_its_hash),
		cmocka_unit_test(another_password_does_not_match),
		cmocka_unit_test(the_same_password_never_gives_the_same_hash),
		cmocka_unit_test(new_hashes_are_spelled_as_the_parameters_say),
		cmocka_unit_test(a_zero_byte_counts_in_argon2id),
		cmocka_unit_test(the_73rd_byte_counts_in_argon2id),
		cmocka_unit_test(bcrypt_refuses_to_make_what_it_would_cut),
		cmocka_unit_test(bcrypt_never_matches_what_it_would_cut_but_takes_its_time),
		cmocka_unit_test(a_cut_password_does_not_open_an_account_without_password),
		cmocka_unit_test(a_password_over_1024_bytes_is_refused_before_any_work),
		cmocka_unit_test(an_empty_stored_hash_fits_no_password),
		cmocka_unit_test(only_a_hash_of_today_stays),
		cmocka_unit_test(a_peppered_hash_needs_its_own_pepper),
		cmocka_unit_test(a_peppered_bcrypt_takes_long_passwords_and_zero_bytes),
		cmocka_unit_test(no_password_fits_the_decoy_and_each_try_costs_one_hash),
		cmocka_unit_test(no_memory_is_a_fault_and_not_a_wrong_password),
		cmocka_unit_test(parameters_that_cannot_be_are_a_fault),
		cmocka_unit_test(everybody_gets_in_when_the_queue_has_room),
		cmocka_unit_test(no_more_are_computed_at_once_than_the_gate_allows),
		cmocka_unit_test(who_finds_the_queue_full_is_turned_away_at_once),
		cmocka_unit_test(the_gate_is_open_again_after_a_crowd_and_after_a_fault),
	};

	return cmocka_run_group_tests(tests, library_opens, NULL);
}

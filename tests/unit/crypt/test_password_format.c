/*
 * Strings that other programs wrote. The published ones are named; the rest were written by
 * passlib 1.7.4, Python's hashlib and libxcrypt 4.4 for the password "correct horse".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/str.h"
#include "crypt/password.h"

#define HORSE "correct horse"

struct sample {
	const char *format;
	const char *password;
	const char *stored;
};

static const struct sample samples[] = {
	/* the reference implementation's own test vectors */
	{ "argon2i", "password",
		"$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ"
		"$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA" },
	{ "argon2id", "password",
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ"
		"$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc" },
	{ "argon2id", "password",
		"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ"
		"$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc" },
	{ "argon2id", HORSE,
		"$argon2id$v=19$m=64,t=2,p=1$iTGGkHKO8b53DkHImVOqNQ$PWbcNSiT/PWvCxSvxeacZQ" },
	{ "argon2id", HORSE,
		"$argon2id$v=19$m=256,t=2,p=4$jLG2NkZIqfU+hzAGYEyJMQ$2NtNKAo+V/IR4r5/0sDPmA" },
	{ "argon2i", HORSE,
		"$argon2i$v=19$m=64,t=3,p=2$cY6xlhJCKAVAiNGac46xdg$MqnYEjVOMV2JGcDlFRpluA" },
	{ "argon2i", HORSE,
		"$argon2i$v=19$m=64,t=3,p=1$8L4XAiBECAGAMEbIOYewFg$zSkoBfKnwUFxBXr+61Q6XA" },
	{ "django-argon2", HORSE,
		"argon2$argon2id$v=19$m=128,t=2,p=8$PSckBMA4Z6xVivG+F6L0Hg$b7Eca6LYNk1F1XD6glX+"
		"HQ" },

	/* crypt_blowfish's own test vector */
	{ "bcrypt", "U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW" },
	{ "bcrypt", HORSE, "$2b$04$6rRLdkFQsWAmCp1a.nCz..tZLCv12EMIr6DYfH3fLXP1951UN11Te" },
	{ "bcrypt", HORSE, "$2a$04$4Xw2rDlHtdfnygtqg9NKmeUj/28kCppPnQCq/9TpgfpBMuxF8F4Ju" },
	{ "bcrypt", HORSE, "$2y$04$AQkXYc5VRMTLKgD0sxh.H.0lAWnWcG8.xMPVuLeaRHsV/u.t9xrj2" },
	{ "django-bcrypt", HORSE,
		"bcrypt$$2b$04$gHZcOSSYibDQoGr0BKptReS3E6FeJVI4tjq2CxpruzANc1eqywbz6" },
	{ "django-bcrypt-sha256", HORSE,
		"bcrypt_sha256$$2b$04$B675q5osI7SPTCXge/6Nsu917OOr09MLgMAUE/Iu57m9VguqsNNCO" },

	{ "yescrypt", HORSE,
		"$y$j75$k2XAnEHBqQ1Ct2aMXFKNa/$E9XAySfP6N2THWdzNKesSVmhpcmhNusa8y5TMfT668." },
	{ "yescrypt", HORSE,
		"$y$jAT$k2XAnEHBqQ1Ct2aMXFKNa/$Ekg2FE1BfyqDd.5KbpO6o0vk/EsFHyoub4nlZogS4qC" },

	/* RFC 7914 12 is the first and third; the second is the scrypt paper's input, by libxcrypt */
	{ "scrypt", "password",
		"scrypt:1024:8:16$NaCl$"
		"fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
		"2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640" },
	{ "scrypt", "pleaseletmein",
		"$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D" },
	{ "scrypt", "pleaseletmein",
		"scrypt:16384:8:1$SodiumChloride$"
		"7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6"
		"545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887" },
	{ "scrypt", HORSE,
		"$7$66..../"
		"....c64VQuidU6p1TinlXKuVcg$f68cR8NfavuTaKJRUzi2OwpWUTf4WivSjrZ3OKjV656" },
	{ "scrypt", HORSE,
		"$scrypt$ln=8,r=8,p=1$eS/"
		"F+B+DsFZKKWUsZUzJGQ$J3C8taMgpwmj7p5sUctQi5h1YK1fqP4KwqAy0Lk2Tq0" },
	{ "scrypt", HORSE,
		"$scrypt$ln=6,r=8,p=3$qbXWeq/1HuOcU6q19h4D4A$081Kt1mFphPjo5/"
		"BlNrwIrXBj8o3ulZq6nPzs9bnYjY" },
	{ "scrypt", HORSE,
		"scrypt:256:8:1$Zk3JxqTrb0$"
		"090f8d64c48dc217fb567b2f8c080aee7f4051e32736fda29446ceb3d9eb0952"
		"bb389c06e15515919e36a40f989597161ff6d3dfddd8b9e629b640f0ee42c6cd" },
	{ "scrypt", HORSE,
		"scrypt$256$Zk3JxqTrb0$8$5$95ClEiK+t63vyBlh9fSg724CGffDmFfC0T+"
		"sRaZNITFTssgOOA6FQPAwTKz+aBk"
		"vMIVaFslIErTaduBMJXcjuQ==" },

	/* Drepper's specification of SHA-crypt */
	{ "sha256-crypt", "Hello world!",
		"$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5" },
	{ "sha512-crypt", "Hello world!",
		"$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/"
		"O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFC"
		"oEOfaS35inz1" },
	{ "sha256-crypt", HORSE,
		"$5$rounds=1000$d1S/5CqSzGT9QB86$bYuB1ScPEzlr9lUwZki8daT2V3aRBGsdb6VmtIUfFY5" },
	{ "sha512-crypt", HORSE,
		"$6$rounds=1000$1YFlCWOh3e3yqOrD$yf.T7a2af3bWtgcyhiZyXWxyMuJf93wUjCn30N/"
		"8uzL5YV.4DSqg/sZd"
		"ZCRz4dr.vHiUiG1F81hdvdIh.vtA8/" },

	/* RFC 6070, and RFC 7914 11 */
	{ "pbkdf2-sha1", "password",
		"pbkdf2:sha1:4096$salt$4b007901b765489abead49d926f721d065a429c1" },
	{ "pbkdf2-sha256", "passwd",
		"pbkdf2:sha256:1$salt$"
		"55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
		"49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783" },
	{ "pbkdf2-sha256", HORSE,
		"$pbkdf2-sha256$1000$ZGwt5ZyTEgKA0LoX4hwjxA$6OkF/WPgNcy/Q47CK2sKRUCWtnVvR05l6RYijq/"
		"QAt8" },
	{ "pbkdf2-sha512", HORSE,
		"$pbkdf2-sha512$1000$dY5RqjVG6D2HsBYC4NybEw$3eteCY92qQnEj."
		"7VVZl55cJhytj4gDVMkmKYRAuPsZ.5M2"
		"Kh.su1oYOi6uTy1NS/0sef8sTuPfnpjwVVXOCU4A" },
	{ "pbkdf2-sha1", HORSE, "$pbkdf2$1000$3Lu3NkZorZXyHiPkfE.plQ$Yxi.nWe7c3XWyt6BubmX76CpUoM" },
	{ "pbkdf2-sha256", HORSE,
		"pbkdf2_sha256$1000$QG3hJI0DftRo$l129HlRaeRK8oXwmbcGLydTG6IOKamjdqBqyn/y1bM4=" },
	{ "pbkdf2-sha1", HORSE, "pbkdf2_sha1$1000$ASGEaW5543ho$LhLeWNob+gCfZvB+8/l+h1MV0j0=" },
	{ "pbkdf2-sha256", HORSE,
		"pbkdf2:sha256:1000$Zk3JxqTrb0$"
		"ec744bcd05f273fd3b5ee6285a80ad7876bbea74c1b2fe008b443ff16818"
		"aa24" },
	{ "pbkdf2-sha512", HORSE,
		"pbkdf2:sha512:1000$Zk3JxqTrb0$"
		"9bb12908ebce5f417b43cf91c560174a65dd9a7d0dac95b0090fa17586b0"
		"53fcf6484ba3e8fbef041694cde931f468d3f93363fc3346db0396dd1298979fd258" },
};

static pt_err verify(const char *stored, pt_str password, bool *rehash)
{
	struct password_verdict verdict = { 0 };
	pt_err err = password_verify(&password_default_params, str(stored), password, &verdict);

	if (rehash)
		*rehash = verdict.rehash;
	return err;
}

static void the_password_of_a_foreign_hash_matches_and_asks_for_a_new_hash(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *s = &samples[i];
		bool rehash = false;

		if (verify(s->stored, str(s->password), &rehash) != PT_OK || !rehash)
			fail_msg("%s does not match", s->stored);
		assert_string_equal(password_format(str(s->stored)), s->format);
	}
}

static void another_password_does_not_match_a_foreign_hash(void **state)
{
	static const pt_str wrong[] = {
		{ "", 0 },
		{ "correct hors", 12 },
		{ "correct horse ", 14 },
		{ "Correct horse", 13 },
		{ "correct horse\0", 14 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		for (size_t j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++)
			if (verify(samples[i].stored, wrong[j], NULL) != PT_E_CREDENTIALS)
				fail_msg("%s matches wrong password %zu", samples[i].stored, j);
}

/* One character of the hash changed, near its end: the comparison looks at all of it. */
static void a_hash_with_its_end_altered_does_not_match(void **state)
{
	char altered[512];

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *s = &samples[i];
		size_t n = strlen(s->stored);

		memcpy(altered, s->stored, n + 1);
		altered[n - 4] = altered[n - 4] == 'a' ? 'b' : 'a';
		assert_int_equal(verify(altered, str(s->password), NULL), PT_E_CREDENTIALS);
	}
}

static void expect_refused_unread(const char *stored)
{
	uint64_t before = password_hashes_computed();

	if (verify(stored, PT_STR(HORSE), NULL) != PT_E_CREDENTIALS)
		fail_msg("%s is not refused", stored);
	if (password_hashes_computed() != before)
		fail_msg("%s was computed", stored);
}

#define SALT22 "AAAAAAAAAAAAAAAAAAAAAA"
#define HASH43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define HASH31 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define HASH86 HASH43 HASH43
#define HEX64  "0000000000000000000000000000000000000000000000000000000000000000"

static void a_hash_beyond_a_ceiling_is_refused_and_never_computed(void **state)
{
	static const char *const beyond[] = {
		"$argon2id$v=19$m=262145,t=2,p=1$" SALT22 "$" HASH43,
		"$argon2id$v=19$m=4294967295,t=2,p=1$" SALT22 "$" HASH43,
		"$argon2id$v=19$m=19456,t=17,p=1$" SALT22 "$" HASH43,
		"$argon2id$v=19$m=19456,t=2,p=9$" SALT22 "$" HASH43,
		"$argon2i$v=19$m=262145,t=3,p=1$" SALT22 "$" HASH43,
		"argon2$argon2id$v=19$m=262145,t=2,p=8$" SALT22 "$" HASH43, "$2b$15$" SALT22 HASH31,
		"$2a$31$" SALT22 HASH31, "bcrypt$$2b$15$" SALT22 HASH31,
		"bcrypt_sha256$$2b$15$" SALT22 HASH31, "$5$rounds=1000001$salt$" HASH43,
		"$6$rounds=999999999$salt$" HASH86, "$y$jFT$" SALT22 "$" HASH43,
		"$7$GU..../....salt$" HASH43, "$7$C6....6....salt$" HASH43 "A",
		"$7$B6....zzzzzsalt$" HASH43, "$scrypt$ln=19,r=8,p=1$" SALT22 "$" HASH43,
		"$scrypt$ln=14,r=8,p=17$" SALT22 "$" HASH43,
		"$scrypt$ln=1,r=65535,p=65535$" SALT22 "$" HASH43, "scrypt:524288:8:1$salt$" HEX64,
		"scrypt$524288$salt$8$1$AAAAAAAAAAAAAAAAAAAAAA==",
		"$pbkdf2-sha256$2000001$" SALT22 "$" HASH43,
		"$pbkdf2$9999999999$" SALT22 "$" HASH43,
		"pbkdf2_sha256$2000001$salt$AAAAAAAAAAAAAAAAAAAAAA==",
		"pbkdf2:sha256:2000001$salt$" HEX64,
		"pbkdf2:sha1:1000$salt$" HEX64 HEX64 "00", /* 65 bytes: four times the work */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
		expect_refused_unread(beyond[i]);
}

static void a_malformed_hash_is_refused_and_never_computed(void **state)
{
	static const char *const malformed[] = {
		"",
		"$",
		"plain text",
		"$1$salt$qJH7.N4xYta3aEG/dfqo/0",
		"$gy$j75$" SALT22 "$" HASH43,
		"$2x$04$" SALT22 HASH31,
		"$argon2d$v=19$m=64,t=2,p=1$" SALT22 "$" HASH43,
		"$argon2id$",
		"$argon2id$v=16$m=64,t=2,p=1$" SALT22 "$" HASH43,
		"$argon2id$m=64,t=2,p=1$" SALT22 "$" HASH43,
		"$argon2id$v=19$m=64,t=2,p=1$" SALT22,
		"$argon2id$v=19$m=64,t=2,p=1$" SALT22 "$",
		"$argon2id$v=19$m=64,t=2,p=1$" SALT22 "$AAAA",
		"$argon2id$v=19$m=64,t=2,p=1$$" HASH43,
		"$argon2id$v=19$m=064,t=2,p=1$" SALT22 "$" HASH43,
		"$argon2id$v=19$m=+64,t=2,p=1$" SALT22 "$" HASH43,
		"$argon2id$v=19$m=-1,t=2,p=1$" SALT22 "$" HASH43,
		"$argon2id$v=19$m=64,t=0,p=1$" SALT22 "$" HASH43,
		"$argon2id$v=19$m=64,t=2,p=0$" SALT22 "$" HASH43,
		"$argon2id$v=19$m=8,t=2,p=2$" SALT22 "$" HASH43,
		"$argon2id$v=19$m=64,t=2,p=1,keyid=AAAA$" SALT22 "$" HASH43,
		"$argon2id$v=19$m=64,t=2,p=1$" SALT22 "$" HASH43 "$",
		"$argon2id$v=19$m=64,t=2,p=1$" SALT22 "$" HASH43 " ",
		"argon2$argon2d$v=19$m=64,t=2,p=1$" SALT22 "$" HASH43,
		"argon2$$2b$04$" SALT22 HASH31,
		"$2b$03$" SALT22 HASH31,
		"$2b$4$" SALT22 HASH31 "A",
		"$2b$04$" SALT22 HASH31 "A",
		"$2b$04$" SALT22,
		"$2b$04:" SALT22 HASH31,
		"$2b$ 4$" SALT22 HASH31,
		"$2b$04$AAAAAAAAAAAAAAAAAAAAA:" HASH31,
		"bcrypt$2b$04$" SALT22 HASH31,
		"bcrypt_sha256$$6$" SALT22,
		"$5$",
		"$5$salt",
		"$5$salt$",
		"$5$saltsaltsaltsalts$" HASH43,
		"$5$rounds=999$salt$" HASH43,
		"$5$rounds=05000$salt$" HASH43,
		"$5$rounds=$salt$" HASH43,
		"$5$salt$" HASH86,
		"$6$salt$" HASH43,
		"$y$",
		"$y$$$",
		"$y$j9T$" SALT22,
		"$y$j9T.$" SALT22 "$" HASH43,
		"$y$j9Tz......$" SALT22 "$" HASH43,
		"$y$zzzzzzzzzz$" SALT22 "$" HASH43,
		"$7$",
		"$7$C",
		"$7$C6..../...$" HASH43,
		"$7$.6..../....salt$" HASH43,
		"$7$C...../....salt$" HASH43,
		"$scrypt$ln=0,r=8,p=1$" SALT22 "$" HASH43,
		"$scrypt$ln=8,r=0,p=1$" SALT22 "$" HASH43,
		"$scrypt$ln=8,r=8,p=1$" SALT22 "$",
		"$scrypt$ln=8,r=8,p=1$" SALT22 "$AAAA",
		"$scrypt$ln=8,r=8,p=1$" SALT22,
		"scrypt:1000:8:1$salt$" HEX64,
		"scrypt:1024:8:1$salt$",
		"scrypt:1024:8:1$salt$zz",
		"scrypt:1024:8:1$salt$" HEX64 "0",
		"scrypt$1024$salt$8$1$",
		"scrypt$1024$salt$8$1$AAAA",
		"$pbkdf2-sha256$0$" SALT22 "$" HASH43,
		"$pbkdf2-sha256$1000$" SALT22 "$",
		"$pbkdf2-sha256$1000$" SALT22,
		"$pbkdf2-sha256$1000",
		"$pbkdf2-md5$1000$" SALT22 "$" HASH43,
		"pbkdf2_sha256$1000$salt$",
		"pbkdf2_sha256$1000$salt$AAAA",
		"pbkdf2_sha256$1000$salt$" HASH43, /* its padding is missing */
		"pbkdf2_md5$1000$salt$AAAAAAAAAAAAAAAAAAAAAA==",
		"pbkdf2:md5:1000$salt$" HEX64,
		"pbkdf2:sha256$salt$" HEX64,
		"pep1:",
		"pep1:pep1:$2b$04$" SALT22 HASH31,
		" $2b$04$" SALT22 HASH31,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
		expect_refused_unread(malformed[i]);
}

/* Well-formed to us, yet the salt is none of its format's. */
static void a_setting_that_libcrypt_does_not_take_matches_nothing(void **state)
{
	(void)state;
	assert_int_equal(
		verify("$y$j75$" SALT22 "$" HASH43, PT_STR(HORSE), NULL), PT_E_CREDENTIALS);
	assert_int_equal(verify("$6$a:b\n$" HASH86, PT_STR(HORSE), NULL), PT_E_CREDENTIALS);
}

static void the_costliest_that_is_allowed_is_still_computed(void **state)
{
	static const char *const most[] = {
		"$argon2id$v=19$m=8192,t=16,p=8$" SALT22 "$" HASH43,
		"$y$jDT$k2XAnEHBqQ1Ct2aMXFKNa/$" HASH43, /* 256 MiB */
		"$pbkdf2-sha256$2000000$" SALT22 "$" HASH43,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		uint64_t before = password_hashes_computed();

		assert_int_equal(verify(most[i], PT_STR(HORSE), NULL), PT_E_CREDENTIALS);
		assert_int_equal(password_hashes_computed(), before + 1);
	}
}

static void a_hash_with_a_zero_byte_inside_is_refused_and_never_computed(void **state)
{
	const pt_str stored[] = {
		PT_STR("$2b$04$6rRLdkFQsWAmCp1a.nCz..tZLCv12EMIr6DYfH3fLXP1951UN11Te\0"),
		PT_STR("$6$sa\0lt$" HASH86),
		PT_STR("$y$j75$k2XAnEHBqQ1Ct2aMXFKN\0/$" HASH43),
	};
	struct password_verdict verdict;
	uint64_t before = password_hashes_computed();

	(void)state;
	for (size_t i = 0; i < sizeof(stored) / sizeof(stored[0]); i++)
		assert_int_equal(password_verify(&password_default_params, stored[i], PT_STR(HORSE),
					 &verdict),
			PT_E_CREDENTIALS);
	assert_int_equal(password_hashes_computed(), before);
}

static void an_endless_hash_is_refused(void **state)
{
	static char stored[100000];

	(void)state;
	memset(stored, 'A', sizeof(stored) - 1);
	memcpy(stored, "$5$", 3);
	expect_refused_unread(stored);
	memcpy(stored, "pbkdf2_sha256$1000$", 19);
	expect_refused_unread(stored);
}

static void an_unknown_format_has_no_name(void **state)
{
	(void)state;
	assert_string_equal(password_format(PT_STR("")), "");
	assert_string_equal(password_format(PT_STR("plain")), "");
	assert_string_equal(password_format(PT_STR("$1$salt$x")), "");
	assert_string_equal(password_format((pt_str){ 0 }), "");
	assert_string_equal(password_format(PT_STR("pep1:$argon2id$v=19$")), "argon2id");
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
		cmocka_unit_test(the_password_of_a_foreign_hash_matches_and_asks_for_a_new_hash),
		cmocka_unit_test(another_password_does_not_match_a_foreign_hash),
		cmocka_unit_test(a_hash_with_its_end_altered_does_not_match),
		cmocka_unit_test(a_hash_beyond_a_ceiling_is_refused_and_never_computed),
		cmocka_unit_test(a_malformed_hash_is_refused_and_never_computed),
		cmocka_unit_test(a_setting_that_libcrypt_does_not_take_matches_nothing),
		cmocka_unit_test(the_costliest_that_is_allowed_is_still_computed),
		cmocka_unit_test(a_hash_with_a_zero_byte_inside_is_refused_and_never_computed),
		cmocka_unit_test(an_endless_hash_is_refused),
		cmocka_unit_test(an_unknown_format_has_no_name),
	};

	return cmocka_run_group_tests(tests, library_opens, NULL);
}

/*
 * password_format.h - the stored strings that a password can be compared with.
 *
 * One row a format: how it begins, its name, how it is read, how it is computed. Reading decides
 * everything that can be decided without work, so what is beyond a ceiling is never computed.
 *
 * Used by password.c alone.
 */
#ifndef CRYPT_PASSWORD_FORMAT_H
#define CRYPT_PASSWORD_FORMAT_H

#include "portress/base.h"

/* No format of ours or anyone's comes near; the parts below fit for any string this long. */
enum { STORED_BYTES_MAX = 512, RECIPE_BYTES_MAX = 384 };

/* What a stored string asks for. Only what its format has is set. */
struct password_recipe {
	char text[STORED_BYTES_MAX + 1]; /* as libcrypt or libsodium reads it, NUL at the end */
	char digest[8];                  /* pbkdf2: "SHA256" */
	uint64_t cost;                   /* passes, rounds, iterations; scrypt: N */
	uint32_t memory_kib;             /* argon2 */
	uint32_t block;                  /* scrypt: r */
	uint32_t lanes;                  /* argon2 and scrypt: p */
	uint8_t salt[RECIPE_BYTES_MAX];
	size_t salt_n;
	uint8_t hash[RECIPE_BYTES_MAX];
	size_t hash_n;
};

struct password_format {
	const char *name;
	pt_str prefix; /* stays in the string that `read` is given */

	/* False: malformed, or beyond a ceiling. */
	bool (*read)(pt_str stored, struct password_recipe *out);

	/* PT_OK: it matches. PT_E_CREDENTIALS: it does not. */
	pt_err (*verify)(const struct password_recipe *recipe, pt_str password);
};

/* The row that a stored string belongs to, or NULL. */
const struct password_format *password_format_find(pt_str stored);

/* crypt(3) into out. `password` has no NUL and under 512 bytes. PT_E_MALFORMED: libcrypt does not
 * take the setting. */
PT_CHECK pt_err password_crypt(const char *setting, pt_str password, char *out, size_t size);

/* What bcrypt reads whole: at most 72 bytes, none of them NUL. */
bool password_fits_bcrypt(pt_str password);

#endif

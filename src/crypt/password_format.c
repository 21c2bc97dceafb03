/*
 * password_format.c - one row for each stored format, and how it is read and computed.
 *
 * Ceilings bound what one stored string can cost: about two seconds and 256 MiB. They are on what
 * is read, because a table of users can be written by somebody else's program.
 */
#include "crypt/password_format.h"

#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "crypt/digest.h"

#include "base/banned.h"

enum {
	ARGON2_KIB_MAX = 256 * 1024,
	ARGON2_PASSES_MAX = 16,
	ARGON2_LANES_MAX = 8,
	BCRYPT_COST_MIN = 4,
	BCRYPT_COST_MAX = 14,
	BCRYPT_STRING_BYTES = 60,
	BCRYPT_PASSWORD_MAX = 72,
	SHA_CRYPT_ROUNDS_MAX = 1000000,
	PBKDF2_ITERATIONS_MAX = 2000000,
	SCRYPT_BYTES_MAX = 256 * 1024 * 1024, /* 128 * N * r * p: memory, and work with it */
	HASH_BYTES_MIN = 16,                  /* a short one is guessed, an empty one fits all */
	CRYPT_PASSWORD_MAX = CRYPT_MAX_PASSPHRASE_SIZE - 1,
};

static const char crypt_alphabet[] =
	"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* ---- reading ------------------------------------------------------------------------------ */

/* Walks over a string from its front. Once something is missing it stays failed. */
struct cursor {
	pt_str rest;
	bool failed;
};

static struct cursor cursor_at(pt_str s)
{
	return (struct cursor){ .rest = s };
}

static void skip(struct cursor *at, pt_str text)
{
	if (str_starts(at->rest, text))
		at->rest = str_slice(at->rest, text.n, at->rest.n);
	else
		at->failed = true;
}

/* What stands before c. */
static pt_str up_to(struct cursor *at, char c)
{
	pt_str head;

	if (!str_cut(at->rest, c, &head, &at->rest))
		at->failed = true;
	return head;
}

/* A decimal number, spelled in one way only. */
static uint64_t number(struct cursor *at, pt_str text, int64_t min, int64_t max)
{
	int64_t value = 0;

	if ((text.n > 1 && text.p[0] == '0') || !str_int(text, min, max, &value))
		at->failed = true;
	return (uint64_t)value;
}

static int crypt_digit(char c)
{
	const char *at = c ? strchr(crypt_alphabet, c) : NULL;

	return at ? (int)(at - crypt_alphabet) : -1;
}

static bool crypt_digits_only(pt_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (crypt_digit(s.p[i]) < 0)
			return false;
	return s.n > 0;
}

static bool text_keep(pt_str stored, struct password_recipe *out)
{
	if (stored.n >= sizeof(out->text) || str_find(stored, '\0') != stored.n)
		return false;
	memcpy(out->text, stored.p, stored.n);
	out->text[stored.n] = '\0';
	return true;
}

static bool bytes_keep(pt_str from, uint8_t *to, size_t *n)
{
	if (from.n > RECIPE_BYTES_MAX)
		return false;
	if (from.n > 0)
		memcpy(to, from.p, from.n);
	*n = from.n;
	return true;
}

static bool base64_keep(pt_str text, int variant, uint8_t *to, size_t *n)
{
	const char *end = NULL;

	return sodium_base642bin(to, RECIPE_BYTES_MAX, text.p, text.n, NULL, n, &end, variant) ==
		       0 &&
	       end == text.p + text.n;
}

/* passlib writes '.' for '+' and no padding. */
static bool adapted_keep(pt_str text, uint8_t *to, size_t *n)
{
	char plain[STORED_BYTES_MAX];

	if (text.n > sizeof(plain))
		return false;
	for (size_t i = 0; i < text.n; i++)
		plain[i] = text.p[i] == '.' ? '+' : text.p[i];
	return base64_keep(str_n(plain, text.n), sodium_base64_VARIANT_ORIGINAL_NO_PADDING, to, n);
}

static bool hex_keep(pt_str text, uint8_t *to, size_t *n)
{
	const char *end = NULL;

	return sodium_hex2bin(to, RECIPE_BYTES_MAX, text.p, text.n, NULL, n, &end) == 0 &&
	       end == text.p + text.n;
}

/* $argon2id$v=19$m=19456,t=2,p=1$salt$hash (RFC 9106, PHC string format). Version 19 only. */
static bool argon2_read(pt_str stored, struct password_recipe *out)
{
	struct cursor at = cursor_at(stored);

	skip(&at, PT_STR("$"));
	up_to(&at, '$');
	skip(&at, PT_STR("v=19$m="));
	out->memory_kib = (uint32_t)number(&at, up_to(&at, ','), 8, ARGON2_KIB_MAX);
	skip(&at, PT_STR("t="));
	out->cost = number(&at, up_to(&at, ','), 1, ARGON2_PASSES_MAX);
	skip(&at, PT_STR("p="));
	out->lanes = (uint32_t)number(&at, up_to(&at, '$'), 1, ARGON2_LANES_MAX);

	const int plain = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
	return !at.failed && base64_keep(up_to(&at, '$'), plain, out->salt, &out->salt_n) &&
	       base64_keep(at.rest, plain, out->hash, &out->hash_n) && !at.failed &&
	       out->salt_n >= 8 && out->hash_n >= HASH_BYTES_MIN &&
	       out->memory_kib >= 8 * out->lanes && text_keep(stored, out);
}

/* Django: argon2$argon2id$v=19$... */
static bool django_argon2_read(pt_str stored, struct password_recipe *out)
{
	pt_str inner = str_slice(stored, strlen("argon2"), stored.n);

	return (str_starts(inner, PT_STR("$argon2id$")) ||
		       str_starts(inner, PT_STR("$argon2i$"))) &&
	       argon2_read(inner, out);
}

/* $2b$12$ then 22 characters of salt and 31 of hash. */
static bool bcrypt_read(pt_str stored, struct password_recipe *out)
{
	if (stored.n != BCRYPT_STRING_BYTES || stored.p[6] != '$')
		return false;
	if (!ascii_digit(stored.p[4]) || !ascii_digit(stored.p[5]))
		return false;

	out->cost = (uint64_t)(10 * (stored.p[4] - '0') + (stored.p[5] - '0'));
	return out->cost >= BCRYPT_COST_MIN && out->cost <= BCRYPT_COST_MAX &&
	       crypt_digits_only(str_slice(stored, 7, stored.n)) && text_keep(stored, out);
}

/* Django: bcrypt$$2b$12$... and bcrypt_sha256$$2b$12$... */
static bool django_bcrypt_read(pt_str stored, struct password_recipe *out)
{
	struct cursor at = cursor_at(stored);

	up_to(&at, '$');
	return (str_starts(at.rest, PT_STR("$2b$")) || str_starts(at.rest, PT_STR("$2a$")) ||
		       str_starts(at.rest, PT_STR("$2y$"))) &&
	       bcrypt_read(at.rest, out);
}

/* $6$salt$hash or $6$rounds=5000$salt$hash */
static bool sha_crypt_read(pt_str stored, struct password_recipe *out)
{
	struct cursor at = cursor_at(str_slice(stored, 3, stored.n));

	out->cost = 5000;
	if (str_starts(at.rest, PT_STR("rounds="))) {
		skip(&at, PT_STR("rounds="));
		out->cost = number(&at, up_to(&at, '$'), 1000, SHA_CRYPT_ROUNDS_MAX);
	}
	pt_str salt = up_to(&at, '$');

	return !at.failed && salt.n <= 16 && crypt_digits_only(at.rest) &&
	       at.rest.n == (stored.p[1] == '5' ? 43 : 86) && text_keep(stored, out);
}

static bool scrypt_within(const struct password_recipe *r)
{
	uint64_t blocks = SCRYPT_BYTES_MAX / 128;

	return r->cost >= 2 && (r->cost & (r->cost - 1)) == 0 && r->block >= 1 && r->lanes >= 1 &&
	       r->cost <= blocks / r->block / r->lanes;
}

/* 30 bits, lowest digit first: how $7$ spells r and p. */
static uint32_t crypt_fixed(struct cursor *at)
{
	uint32_t value = 0;

	if (at->rest.n < 5 || !crypt_digits_only(str_slice(at->rest, 0, 5))) {
		at->failed = true;
		return 0;
	}
	for (size_t i = 5; i-- > 0;)
		value = value << 6 | (uint32_t)crypt_digit(at->rest.p[i]);
	at->rest = str_slice(at->rest, 5, at->rest.n);
	return value;
}

static uint64_t power_of_two(struct cursor *at, uint64_t exponent)
{
	if (exponent < 1 || exponent > 30)
		at->failed = true;
	return at->failed ? 0 : UINT64_C(1) << exponent;
}

/* $7$ N r p salt $ hash: scrypt as libcrypt writes it. */
static bool crypt_scrypt_read(pt_str stored, struct password_recipe *out)
{
	struct cursor at = cursor_at(str_slice(stored, 3, stored.n));

	if (at.rest.n == 0 || crypt_digit(at.rest.p[0]) < 0)
		return false;
	out->cost = power_of_two(&at, (uint64_t)crypt_digit(at.rest.p[0]));
	at.rest = str_slice(at.rest, 1, at.rest.n);
	out->block = crypt_fixed(&at);
	out->lanes = crypt_fixed(&at);
	up_to(&at, '$');

	return !at.failed && scrypt_within(out) && at.rest.n == 43 && crypt_digits_only(at.rest) &&
	       text_keep(stored, out);
}

/*
 * yescrypt's numbers: one digit for small values; larger first digits announce more digits. The
 * ranges are those of its authors' encoder.
 */
static uint32_t yescrypt_number(struct cursor *at, uint32_t min)
{
	uint32_t start = 0, end = 47, bits = 0, value = min;
	size_t digits = 1;

	if (at->rest.n == 0 || crypt_digit(at->rest.p[0]) < 0) {
		at->failed = true;
		return 0;
	}
	uint32_t first = (uint32_t)crypt_digit(at->rest.p[0]);
	for (; first > end; digits++, bits += 6) {
		value += (end + 1 - start) << bits;
		start = end + 1;
		end = start + (62 - end) / 2;
	}
	value += (first - start) << bits;

	if (at->rest.n < digits || bits > 24) {
		at->failed = true;
		return 0;
	}
	for (size_t i = 1; i < digits; i++) {
		int digit = crypt_digit(at->rest.p[i]);
		if (digit < 0)
			at->failed = true;
		bits -= 6;
		value += (uint32_t)(digit & 63) << bits;
	}
	at->rest = str_slice(at->rest, digits, at->rest.n);
	return value;
}

/* $y$ flavour N r $ salt $ hash. More parameters (p, t, ROM) are somebody's special case: no. */
static bool yescrypt_read(pt_str stored, struct password_recipe *out)
{
	struct cursor at = cursor_at(str_slice(stored, 3, stored.n));

	yescrypt_number(&at, 0);
	out->cost = power_of_two(&at, yescrypt_number(&at, 1));
	out->block = yescrypt_number(&at, 1);
	out->lanes = 1;
	skip(&at, PT_STR("$"));
	up_to(&at, '$');

	return !at.failed && scrypt_within(out) && at.rest.n == 43 && crypt_digits_only(at.rest) &&
	       text_keep(stored, out);
}

/* $scrypt$ln=16,r=8,p=1$salt$hash (PHC string format; passlib) */
static bool phc_scrypt_read(pt_str stored, struct password_recipe *out)
{
	struct cursor at = cursor_at(stored);

	skip(&at, PT_STR("$scrypt$ln="));
	out->cost = power_of_two(&at, number(&at, up_to(&at, ','), 1, 30));
	skip(&at, PT_STR("r="));
	out->block = (uint32_t)number(&at, up_to(&at, ','), 1, UINT16_MAX);
	skip(&at, PT_STR("p="));
	out->lanes = (uint32_t)number(&at, up_to(&at, '$'), 1, UINT16_MAX);

	const int plain = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
	return base64_keep(up_to(&at, '$'), plain, out->salt, &out->salt_n) &&
	       base64_keep(at.rest, plain, out->hash, &out->hash_n) && !at.failed &&
	       out->hash_n >= HASH_BYTES_MIN && scrypt_within(out);
}

/* Werkzeug: scrypt:32768:8:1$salt$hex */
static bool werkzeug_scrypt_read(pt_str stored, struct password_recipe *out)
{
	struct cursor at = cursor_at(stored);

	skip(&at, PT_STR("scrypt:"));
	out->cost = number(&at, up_to(&at, ':'), 2, INT32_MAX);
	out->block = (uint32_t)number(&at, up_to(&at, ':'), 1, UINT16_MAX);
	out->lanes = (uint32_t)number(&at, up_to(&at, '$'), 1, UINT16_MAX);

	return bytes_keep(up_to(&at, '$'), out->salt, &out->salt_n) &&
	       hex_keep(at.rest, out->hash, &out->hash_n) && !at.failed &&
	       out->hash_n >= HASH_BYTES_MIN && scrypt_within(out);
}

/* Django: scrypt$16384$salt$8$5$base64 */
static bool django_scrypt_read(pt_str stored, struct password_recipe *out)
{
	struct cursor at = cursor_at(stored);

	skip(&at, PT_STR("scrypt$"));
	out->cost = number(&at, up_to(&at, '$'), 2, INT32_MAX);
	bool salted = bytes_keep(up_to(&at, '$'), out->salt, &out->salt_n);
	out->block = (uint32_t)number(&at, up_to(&at, '$'), 1, UINT16_MAX);
	out->lanes = (uint32_t)number(&at, up_to(&at, '$'), 1, UINT16_MAX);

	return salted &&
	       base64_keep(at.rest, sodium_base64_VARIANT_ORIGINAL, out->hash, &out->hash_n) &&
	       !at.failed && out->hash_n >= HASH_BYTES_MIN && scrypt_within(out);
}

/* The digests that PBKDF2 strings name. */
static bool digest_keep(pt_str name, struct password_recipe *out)
{
	static const struct {
		pt_str said;
		char meant[8];
	} names[] = {
		{ { "sha1", 4 }, "SHA1" },
		{ { "sha256", 6 }, "SHA256" },
		{ { "sha512", 6 }, "SHA512" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_eq(name, names[i].said)) {
			memcpy(out->digest, names[i].meant, sizeof(out->digest));
			return true;
		}
	}
	return false;
}

static uint64_t iterations(struct cursor *at, char end)
{
	return number(at, up_to(at, end), 1, PBKDF2_ITERATIONS_MAX);
}

/* A longer hash than the digest gives costs its iterations again for each further block. */
static bool pbkdf2_hash_within(const struct password_recipe *r)
{
	return r->hash_n >= HASH_BYTES_MIN && r->hash_n <= 64;
}

/* Django: pbkdf2_sha256$600000$salt$base64 */
static bool django_pbkdf2_read(pt_str stored, struct password_recipe *out)
{
	struct cursor at = cursor_at(stored);

	skip(&at, PT_STR("pbkdf2_"));
	bool known = digest_keep(up_to(&at, '$'), out);
	out->cost = iterations(&at, '$');

	return known && bytes_keep(up_to(&at, '$'), out->salt, &out->salt_n) &&
	       base64_keep(at.rest, sodium_base64_VARIANT_ORIGINAL, out->hash, &out->hash_n) &&
	       !at.failed && pbkdf2_hash_within(out);
}

/* passlib: $pbkdf2-sha256$29000$salt$hash, $pbkdf2$29000$salt$hash for SHA-1 */
static bool phc_pbkdf2_read(pt_str stored, struct password_recipe *out)
{
	struct cursor at = cursor_at(stored);
	pt_str digest = PT_STR("sha1");

	skip(&at, PT_STR("$pbkdf2"));
	if (str_starts(at.rest, PT_STR("-"))) {
		skip(&at, PT_STR("-"));
		digest = up_to(&at, '$');
	} else {
		skip(&at, PT_STR("$"));
	}
	bool known = digest_keep(digest, out);
	out->cost = iterations(&at, '$');

	return known && adapted_keep(up_to(&at, '$'), out->salt, &out->salt_n) &&
	       adapted_keep(at.rest, out->hash, &out->hash_n) && !at.failed &&
	       pbkdf2_hash_within(out);
}

/* Werkzeug: pbkdf2:sha256:600000$salt$hex */
static bool werkzeug_pbkdf2_read(pt_str stored, struct password_recipe *out)
{
	struct cursor at = cursor_at(stored);

	skip(&at, PT_STR("pbkdf2:"));
	bool known = digest_keep(up_to(&at, ':'), out);
	out->cost = iterations(&at, '$');

	return known && bytes_keep(up_to(&at, '$'), out->salt, &out->salt_n) &&
	       hex_keep(at.rest, out->hash, &out->hash_n) && !at.failed && pbkdf2_hash_within(out);
}

/* ---- computing ---------------------------------------------------------------------------- */

static pt_err hash_compare(const struct password_recipe *recipe, uint8_t *computed)
{
	bool same = CRYPTO_memcmp(computed, recipe->hash, recipe->hash_n) == 0;

	crypt_wipe(computed, recipe->hash_n);
	return same ? PT_OK : PT_E_CREDENTIALS;
}

/* Other programs' Argon2. "No memory" and "no" are one answer here, even to errno. */
static pt_err argon2_verify(const struct password_recipe *recipe, pt_str password)
{
	const char *bytes = password.p ? password.p : "";

	return crypto_pwhash_str_verify(recipe->text, bytes, password.n) == 0 ? PT_OK
									      : PT_E_CREDENTIALS;
}

/* Argon2id as we write it is computed and compared here: a full machine is no wrong password. */
static pt_err argon2id_verify(const struct password_recipe *recipe, pt_str password)
{
	uint8_t computed[RECIPE_BYTES_MAX];
	const char *bytes = password.p ? password.p : "";

	if (recipe->lanes != 1 || recipe->salt_n != crypto_pwhash_SALTBYTES)
		return argon2_verify(recipe, password);

	if (crypto_pwhash(computed, recipe->hash_n, bytes, password.n, recipe->salt, recipe->cost,
		    (size_t)recipe->memory_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return fault(PT_F_MEMORY, "no memory for Argon2, %u KiB", recipe->memory_kib);
	return hash_compare(recipe, computed);
}

bool password_fits_bcrypt(pt_str password)
{
	return password.n <= BCRYPT_PASSWORD_MAX && str_find(password, '\0') == password.n;
}

static bool fits_crypt(pt_str password)
{
	return password.n <= CRYPT_PASSWORD_MAX && str_find(password, '\0') == password.n;
}

pt_err password_crypt(const char *setting, pt_str password, char *out, size_t size)
{
	/* 32 KB: too much for a worker's stack. */
	struct crypt_data *work = calloc(1, sizeof(*work));
	char phrase[CRYPT_MAX_PASSPHRASE_SIZE] = { 0 };
	pt_err err = PT_OK;

	if (!work)
		return fault(PT_F_MEMORY, "no memory for crypt");
	if (password.n > 0)
		memcpy(phrase, password.p, password.n);

	errno = 0;
	const char *hash = crypt_rn(phrase, setting, work, (int)sizeof(*work));
	size_t n = hash ? strlen(hash) : 0;
	if (!hash)
		err = errno == ENOMEM ? fault(PT_F_MEMORY, "no memory for crypt") : PT_E_MALFORMED;
	else if (n >= size)
		err = fault(PT_F_BUG, "a hash of libcrypt is %zu bytes long", n);
	else
		memcpy(out, hash, n + 1);

	crypt_wipe(phrase, sizeof(phrase));
	crypt_wipe(work, sizeof(*work));
	free(work);
	return err;
}

/*
 * A password that the format cannot take whole does not match, yet it costs what another costs:
 * an early answer would tell the account's format, and so that there is an account.
 */
static pt_err crypt_compare(const struct password_recipe *recipe, pt_str password, bool fits)
{
	char hash[CRYPT_OUTPUT_SIZE];

	pt_err err = password_crypt(recipe->text, fits ? password : PT_STR(""), hash, sizeof(hash));
	if (err == PT_E_MALFORMED) {
		log_say(LOG_WARN, "password.unusable", "libcrypt does not take a stored hash");
		return PT_E_CREDENTIALS;
	}
	TRY(err);
	bool same = digest_equal(str(hash), str(recipe->text));
	crypt_wipe(hash, sizeof(hash));
	return same && fits ? PT_OK : PT_E_CREDENTIALS;
}

static pt_err bcrypt_verify(const struct password_recipe *recipe, pt_str password)
{
	return crypt_compare(recipe, password, password_fits_bcrypt(password));
}

static pt_err crypt_verify(const struct password_recipe *recipe, pt_str password)
{
	return crypt_compare(recipe, password, fits_crypt(password));
}

/* Django feeds bcrypt the hexadecimal SHA-256, so that any length fits. */
static pt_err bcrypt_sha256_verify(const struct password_recipe *recipe, pt_str password)
{
	struct pt_hash hash;
	char hex[2 * sizeof(hash.bytes) + 1];

	TRY(digest_sha256(password, &hash));
	sodium_bin2hex(hex, sizeof(hex), hash.bytes, sizeof(hash.bytes));
	pt_err err = bcrypt_verify(recipe, str(hex));
	crypt_wipe(&hash, sizeof(hash));
	crypt_wipe(hex, sizeof(hex));
	return err;
}

/*
 * PBKDF2, and scrypt on top of it, give the password to HMAC as its key, where "abc" and "abc" with
 * zeros behind it are the same key. The one with zeros is not what the person chose.
 */
static bool fits_hmac(pt_str password)
{
	return password.n == 0 || password.p[password.n - 1] != '\0';
}

static pt_err scrypt_verify(const struct password_recipe *recipe, pt_str password)
{
	uint8_t computed[RECIPE_BYTES_MAX];

	errno = 0;
	if (crypto_pwhash_scryptsalsa208sha256_ll((const uint8_t *)password.p, password.n,
		    recipe->salt, recipe->salt_n, recipe->cost, recipe->block, recipe->lanes,
		    computed, recipe->hash_n) != 0)
		return errno == ENOMEM ? fault(PT_F_MEMORY, "no memory for scrypt")
				       : fault(PT_F_CRYPTO, "libsodium refuses scrypt parameters");

	pt_err err = hash_compare(recipe, computed);
	return fits_hmac(password) ? err : PT_E_CREDENTIALS;
}

static pt_err pbkdf2_verify(const struct password_recipe *recipe, pt_str password)
{
	uint8_t computed[RECIPE_BYTES_MAX];
	const EVP_MD *digest = EVP_get_digestbyname(recipe->digest);

	if (!digest || !PKCS5_PBKDF2_HMAC(password.p ? password.p : "", (int)password.n,
			       recipe->salt, (int)recipe->salt_n, (int)recipe->cost, digest,
			       (int)recipe->hash_n, computed))
		return fault(PT_F_CRYPTO, "OpenSSL refuses PBKDF2 with %s", recipe->digest);

	pt_err err = hash_compare(recipe, computed);
	return fits_hmac(password) ? err : PT_E_CREDENTIALS;
}

/* ---- the table ---------------------------------------------------------------------------- */

#define PREFIX(literal)                      \
	{                                    \
		literal, sizeof(literal) - 1 \
	}

/* No prefix is the beginning of another. */
static const struct password_format formats[] = {
	{ "argon2id", PREFIX("$argon2id$"), argon2_read, argon2id_verify },
	{ "argon2i", PREFIX("$argon2i$"), argon2_read, argon2_verify },
	{ "bcrypt", PREFIX("$2b$"), bcrypt_read, bcrypt_verify },
	{ "bcrypt", PREFIX("$2a$"), bcrypt_read, bcrypt_verify },
	{ "bcrypt", PREFIX("$2y$"), bcrypt_read, bcrypt_verify },
	{ "yescrypt", PREFIX("$y$"), yescrypt_read, crypt_verify },
	{ "scrypt", PREFIX("$7$"), crypt_scrypt_read, crypt_verify },
	{ "scrypt", PREFIX("$scrypt$"), phc_scrypt_read, scrypt_verify },
	{ "scrypt", PREFIX("scrypt:"), werkzeug_scrypt_read, scrypt_verify },
	{ "scrypt", PREFIX("scrypt$"), django_scrypt_read, scrypt_verify },
	{ "sha512-crypt", PREFIX("$6$"), sha_crypt_read, crypt_verify },
	{ "sha256-crypt", PREFIX("$5$"), sha_crypt_read, crypt_verify },
	{ "pbkdf2-sha256", PREFIX("$pbkdf2-sha256$"), phc_pbkdf2_read, pbkdf2_verify },
	{ "pbkdf2-sha512", PREFIX("$pbkdf2-sha512$"), phc_pbkdf2_read, pbkdf2_verify },
	{ "pbkdf2-sha1", PREFIX("$pbkdf2$"), phc_pbkdf2_read, pbkdf2_verify },
	{ "pbkdf2-sha256", PREFIX("pbkdf2_sha256$"), django_pbkdf2_read, pbkdf2_verify },
	{ "pbkdf2-sha1", PREFIX("pbkdf2_sha1$"), django_pbkdf2_read, pbkdf2_verify },
	{ "pbkdf2-sha256", PREFIX("pbkdf2:sha256:"), werkzeug_pbkdf2_read, pbkdf2_verify },
	{ "pbkdf2-sha512", PREFIX("pbkdf2:sha512:"), werkzeug_pbkdf2_read, pbkdf2_verify },
	{ "pbkdf2-sha1", PREFIX("pbkdf2:sha1:"), werkzeug_pbkdf2_read, pbkdf2_verify },
	{ "django-argon2", PREFIX("argon2$"), django_argon2_read, argon2_verify },
	{ "django-bcrypt", PREFIX("bcrypt$"), django_bcrypt_read, bcrypt_verify },
	{ "django-bcrypt-sha256", PREFIX("bcrypt_sha256$"), django_bcrypt_read,
		bcrypt_sha256_verify },
};

const struct password_format *password_format_find(pt_str stored)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (str_starts(stored, formats[i].prefix))
			return &formats[i];
	return NULL;
}

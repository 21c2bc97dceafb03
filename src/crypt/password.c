/*
 * password.c - making and comparing password hashes, a few at a time.
 *
 * The gate:
 *
 *              a place is free                   leave, nobody waits
 *   (arrived) -----------------> HASHING ------------------------------> (gone)
 *      |  |                         ^  leave: the place is handed to one who waits
 *      |  | queue has room          |
 *      |  +------------> WAITING ---+
 *      | queue is full
 *      +---------------> refused, PT_E_BUSY
 *
 * (1) running <= concurrent.  (2) waiting <= queue.  (3) A place that was handed over stays counted
 * in running, and is taken by one who waited: a newcomer never passes them.
 *
 * Peppered hashes begin with "pep1:", so that older ones still verify and are then made anew.
 */
#include "crypt/password.h"

#include <crypt.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/random.h"
#include "base/str.h"
#include "crypt/password_format.h"

#include "base/banned.h"

enum { QUEUE_DEFAULT = 64, SALT_BYTES = 16 };

/* base64 of an HMAC-SHA256, with NUL */
enum { PEPPERED_BYTES = sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_ORIGINAL) };

static const pt_str pepper_mark = { "pep1:", 5 };

/* OWASP's first choice of Argon2id; bcrypt's cost is about as dear on this generation of machines. */
const struct password_params password_default_params = {
	.scheme = PASSWORD_ARGON2ID,
	.argon2_kib = 19456,
	.argon2_passes = 2,
	.bcrypt_cost = 12,
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t handover;
	unsigned concurrent; /* 0: not decided yet */
	unsigned queue;
	unsigned running;
	unsigned waiting; /* without a place */
	unsigned handed;  /* places given to those who have not woken yet */
} gate = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.handover = PTHREAD_COND_INITIALIZER,
	.queue = QUEUE_DEFAULT,
};

static _Atomic uint64_t computed;

/* ---- the gate ----------------------------------------------------------------------------- */

void password_gate(unsigned concurrent, unsigned queue)
{
	pthread_mutex_lock(&gate.lock);
	gate.concurrent = concurrent > 0 ? concurrent : 1;
	gate.queue = queue;
	pthread_mutex_unlock(&gate.lock);
}

static unsigned cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (unsigned)n : 1;
}

static pt_err gate_enter_locked(void)
{
	if (gate.concurrent == 0)
		gate.concurrent = cores();
	if (gate.running < gate.concurrent) {
		gate.running++;
		return PT_OK;
	}
	if (gate.waiting >= gate.queue)
		return PT_E_BUSY;

	gate.waiting++;
	while (gate.handed == 0)
		pthread_cond_wait(&gate.handover, &gate.lock);
	gate.handed--;
	return PT_OK;
}

static pt_err gate_enter(void)
{
	pthread_mutex_lock(&gate.lock);
	pt_err err = gate_enter_locked();
	pthread_mutex_unlock(&gate.lock);
	return err;
}

static void gate_leave(void)
{
	pthread_mutex_lock(&gate.lock);
	if (gate.waiting > 0) {
		gate.waiting--;
		gate.handed++;
		pthread_cond_signal(&gate.handover);
	} else {
		gate.running--;
	}
	pthread_mutex_unlock(&gate.lock);
	atomic_fetch_add_explicit(&computed, 1, memory_order_relaxed);
}

uint64_t password_hashes_computed(void)
{
	return atomic_load_explicit(&computed, memory_order_relaxed);
}

unsigned password_hashes_waiting(void)
{
	pthread_mutex_lock(&gate.lock);
	unsigned waiting = gate.waiting;
	pthread_mutex_unlock(&gate.lock);
	return waiting;
}

/* ---- what is hashed ----------------------------------------------------------------------- */

/* The password, or what the pepper makes of it. Text, because bcrypt stops at NUL. */
struct phrase {
	pt_str bytes;
	char peppered[PEPPERED_BYTES];
};

static pt_err phrase_make(
	const struct password_params *params, bool peppered, pt_str password, struct phrase *out)
{
	struct pt_hash mac;

	if (!peppered) {
		out->bytes = password;
		return PT_OK;
	}
	TRY(digest_hmac(str_n(params->pepper.bytes, sizeof(params->pepper.bytes)), password, &mac));
	sodium_bin2base64(out->peppered, sizeof(out->peppered), mac.bytes, sizeof(mac.bytes),
		sodium_base64_VARIANT_ORIGINAL);
	crypt_wipe(&mac, sizeof(mac));
	out->bytes = str(out->peppered);
	return PT_OK;
}

static void phrase_wipe(struct phrase *phrase)
{
	crypt_wipe(phrase, sizeof(*phrase));
}

/* ---- making ------------------------------------------------------------------------------- */

static pt_err argon2id_make(
	const struct password_params *params, pt_str phrase, char *out, size_t size)
{
	char hash[crypto_pwhash_STRBYTES];

	_Static_assert(sizeof(hash) + 5 < PASSWORD_HASH_MAX, "a peppered hash fits");
	errno = 0;
	if (crypto_pwhash_str_alg(hash, phrase.p ? phrase.p : "", phrase.n, params->argon2_passes,
		    (size_t)params->argon2_kib * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return errno == ENOMEM
			       ? fault(PT_F_MEMORY, "no memory for Argon2, %u KiB",
					 params->argon2_kib)
			       : fault(PT_F_CRYPTO, "Argon2id with %u KiB, %u passes is refused",
					 params->argon2_kib, params->argon2_passes);

	size_t n = strlen(hash);
	if (n >= size)
		return fault(PT_F_BUG, "an Argon2 string is %zu bytes long", n);
	memcpy(out, hash, n + 1);
	return PT_OK;
}

static pt_err bcrypt_make(
	const struct password_params *params, pt_str phrase, char *out, size_t size)
{
	char salt[SALT_BYTES], setting[CRYPT_GENSALT_OUTPUT_SIZE];

	TRY(random_fill(salt, sizeof(salt)));
	if (!crypt_gensalt_rn(
		    "$2b$", params->bcrypt_cost, salt, sizeof(salt), setting, (int)sizeof(setting)))
		return fault(PT_F_CRYPTO, "bcrypt with cost %u is refused", params->bcrypt_cost);

	pt_err err = password_crypt(setting, phrase, out, size);
	return err == PT_E_MALFORMED ? fault(PT_F_CRYPTO, "libcrypt refuses its own setting") : err;
}

/* Where bcrypt would cut, the person is told instead. */
static pt_err phrase_check(const struct password_params *params, pt_str phrase)
{
	if (params->scheme != PASSWORD_BCRYPT || password_fits_bcrypt(phrase))
		return PT_OK;
	return str_find(phrase, '\0') != phrase.n ? PT_E_PASSWORD_BYTES : PT_E_PASSWORD_LONG;
}

static pt_err scheme_make(
	const struct password_params *params, pt_str phrase, char *out, size_t size)
{
	switch (params->scheme) {
	case PASSWORD_ARGON2ID:
		return argon2id_make(params, phrase, out, size);
	case PASSWORD_BCRYPT:
		return bcrypt_make(params, phrase, out, size);
	}
	return fault(PT_F_BUG, "no such password scheme: %d", (int)params->scheme);
}

static pt_err phrase_hash(
	const struct password_params *params, pt_str phrase, char out[PASSWORD_HASH_MAX])
{
	char hash[PASSWORD_HASH_MAX];
	size_t mark = params->has_pepper ? pepper_mark.n : 0;

	TRY(phrase_check(params, phrase));
	TRY(gate_enter());
	pt_err err = scheme_make(params, phrase, hash, sizeof(hash) - mark);
	gate_leave();
	TRY(err);

	memcpy(out, pepper_mark.p, mark);
	memcpy(out + mark, hash, strlen(hash) + 1);
	return PT_OK;
}

pt_err password_hash(
	const struct password_params *params, pt_str password, char out[PASSWORD_HASH_MAX])
{
	struct phrase phrase;

	if (password.n > PASSWORD_BYTES_MAX)
		return PT_E_PASSWORD_LONG;

	TRY(phrase_make(params, params->has_pepper, password, &phrase));
	pt_err err = phrase_hash(params, phrase.bytes, out);
	phrase_wipe(&phrase);
	return err;
}

/* ---- comparing ---------------------------------------------------------------------------- */

/* A stored string, taken apart. */
struct stored {
	bool peppered;
	pt_str text; /* without the mark of the pepper */
	const struct password_format *format;
	struct password_recipe recipe;
};

static bool stored_split(pt_str text, struct stored *out)
{
	out->peppered = str_starts(text, pepper_mark);
	out->text = out->peppered ? str_slice(text, pepper_mark.n, text.n) : text;
	out->format = password_format_find(out->text);
	return out->format != NULL;
}

/* Said for the operator, whose table it is; the asker learns only that it does not match. */
static pt_err stored_unusable(const char *format, const char *why)
{
	LOG(LOG_WARN, "password.unusable", F_CSTR("message", why), F_CSTR("format", format));
	return PT_E_CREDENTIALS;
}

static pt_err stored_read(pt_str text, struct stored *out)
{
	if (text.n == 0)
		return PT_E_CREDENTIALS;
	if (text.n > STORED_BYTES_MAX || !stored_split(text, out))
		return stored_unusable("", "a stored password hash is of no known format");
	if (!out->format->read(out->text, &out->recipe))
		return stored_unusable(out->format->name,
			"a stored password hash is malformed or costs more than is allowed");
	return PT_OK;
}

/* Is it what password_hash would make today? */
static bool stored_current(const struct password_params *params, const struct stored *stored)
{
	const struct password_recipe *recipe = &stored->recipe;

	if (stored->peppered != params->has_pepper)
		return false;
	switch (params->scheme) {
	case PASSWORD_ARGON2ID:
		return str_starts(stored->text, PT_STR("$argon2id$")) &&
		       recipe->memory_kib == params->argon2_kib &&
		       recipe->cost == params->argon2_passes && recipe->lanes == 1;
	case PASSWORD_BCRYPT:
		return str_starts(stored->text, PT_STR("$2b$")) &&
		       recipe->cost == params->bcrypt_cost;
	}
	return false;
}

static pt_err stored_compare(
	const struct password_params *params, const struct stored *stored, pt_str password)
{
	struct phrase phrase;

	if (stored->peppered && !params->has_pepper)
		return fault(PT_F_CONFIG, "a stored password hash needs the pepper, none is set");

	TRY(phrase_make(params, stored->peppered, password, &phrase));
	pt_err err = gate_enter();
	if (err == PT_OK) {
		err = stored->format->verify(&stored->recipe, phrase.bytes);
		gate_leave();
	}
	phrase_wipe(&phrase);
	return err;
}

pt_err password_verify(const struct password_params *params, pt_str stored, pt_str password,
	struct password_verdict *out)
{
	struct stored parts;

	if (password.n > PASSWORD_BYTES_MAX)
		return PT_E_CREDENTIALS;

	TRY(stored_read(stored, &parts));
	TRY(stored_compare(params, &parts, password));
	out->rehash = !stored_current(params, &parts);
	return PT_OK;
}

/*
 * A string of today's cost that nobody made: its salt is spelled out here, and to know a password
 * that gives such a hash is to have broken the function. So it needs no hash of its own first.
 */
static pt_err decoy_write(const struct password_params *params, char *out, size_t size)
{
	const char *mark = params->has_pepper ? pepper_mark.p : "";
	int n = 0;

	switch (params->scheme) {
	case PASSWORD_ARGON2ID:
		n = snprintf(out, size, "%s$argon2id$v=19$m=%u,t=%u,p=1$%s$%s", mark,
			params->argon2_kib, params->argon2_passes, "AAAAAAAAAAAAAAAAAAAAAA",
			"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
		break;
	case PASSWORD_BCRYPT:
		n = snprintf(out, size, "%s$2b$%02u$%s%s", mark, params->bcrypt_cost,
			"......................", "...............................");
		break;
	}
	if (n <= 0 || (size_t)n >= size)
		return fault(PT_F_BUG, "a decoy could not be written");
	return PT_OK;
}

pt_err password_verify_decoy(const struct password_params *params, pt_str password)
{
	char decoy[PASSWORD_HASH_MAX];
	struct password_verdict ignored;

	TRY(decoy_write(params, decoy, sizeof(decoy)));
	pt_err err = password_verify(params, str(decoy), password, &ignored);
	return err == PT_OK ? PT_E_CREDENTIALS : err;
}

const char *password_format(pt_str stored)
{
	struct stored parts;

	return stored_split(stored, &parts) ? parts.format->name : "";
}

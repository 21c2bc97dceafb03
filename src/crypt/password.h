/*
 * password.h - password hashing (NIST SP 800-63B-4 3.1.1.2).
 *
 * New hashes are Argon2id (RFC 9106) in PHC string form; bcrypt can be asked for where other
 * programs read the table. Verifying knows many formats, each with a ceiling on its cost: a stored
 * string that would cost more is refused (PT_E_CREDENTIALS and one log line), never computed.
 *
 * The number of hashes computed at once is bounded by a gate; who finds its queue full is refused
 * with PT_E_BUSY at once. The gate is held until the hash is done.
 */
#ifndef CRYPT_PASSWORD_H
#define CRYPT_PASSWORD_H

#include "base/arena.h"
#include "crypt/digest.h"
#include "portress/base.h"

enum password_scheme { PASSWORD_ARGON2ID, PASSWORD_BCRYPT };

/* What new hashes are made of. */
struct password_params {
	enum password_scheme scheme;
	uint32_t argon2_kib;    /* memory, 19456 */
	uint32_t argon2_passes; /* t, 2; p is always 1 */
	uint32_t bcrypt_cost;   /* 12 */
	struct key pepper;      /* used when has_pepper: HMAC-SHA256(pepper, password) is hashed */
	bool has_pepper;
};

extern const struct password_params password_default_params;

/* The longest string password_hash makes, with NUL. */
enum { PASSWORD_HASH_MAX = 256 };

/* The longest password that may come here; longer ones are refused before any work. */
enum { PASSWORD_BYTES_MAX = 1024 };

/* How many at once, how many may wait. Before threads. */
void password_gate(unsigned concurrent, unsigned queue);

/* Hashes computed since start, and waiting now; for metrics and tests. */
uint64_t password_hashes_computed(void);
unsigned password_hashes_waiting(void);

/*
 * Makes a hash of the exact bytes of `password`. bcrypt: over 72 bytes or a NUL byte is
 * PT_E_PASSWORD_LONG / PT_E_PASSWORD_BYTES, never cut. With a pepper bcrypt takes any password.
 * PT_E_BUSY: gate full.
 */
PT_CHECK pt_err password_hash(
	const struct password_params *params, pt_str password, char out[PASSWORD_HASH_MAX]);

struct password_verdict {
	bool rehash; /* it matched, but is not what password_hash would make today */
};

/*
 * Compares. PT_OK: it matches. PT_E_CREDENTIALS: it does not, or `stored` is empty, unknown or
 * beyond a ceiling. PT_E_BUSY: gate full. Costs a full hash unless refused before the work.
 * PT_F_CONFIG: `stored` was made with a pepper and there is none. PT_F_MEMORY: no room to compute
 * it, which is not the asker's doing (with yescrypt and with Argon2 of other programs the
 * libraries do not tell this from a wrong password).
 */
PT_CHECK pt_err password_verify(const struct password_params *params, pt_str stored,
	pt_str password, struct password_verdict *out);

/*
 * What an unknown account costs: verifies against a decoy of today's parameters, and answers
 * PT_E_CREDENTIALS (or PT_E_BUSY, or a fault). So that cost does not tell.
 */
PT_CHECK pt_err password_verify_decoy(const struct password_params *params, pt_str password);

/* Names the format of a stored hash ("argon2id", "bcrypt", "pbkdf2-sha256" ...), "" if unknown. */
const char *password_format(pt_str stored);

#endif

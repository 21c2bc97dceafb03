/*
 * keyring.h - the file of keys that sign access tokens: a JWK Set (RFC 7517 5) for its owner alone.
 *
 *	{"keys":[{"kty":"EC", ..., "d":"...", "kid":"...", "status":"current"}, ...]}
 *
 * crypt/jwk_set.h draws the states of a key. A server reads the file at start and on HUP; `portress
 * keys` changes it, and whoever changes it writes it whole and puts it in its place at once.
 */
#ifndef SERVER_KEYRING_H
#define SERVER_KEYRING_H

#include "base/arena.h"
#include "cli/cli.h"
#include "crypt/jwk_set.h"
#include "portress/base.h"

/* One less than a set: the HS256 secret judges beside them. */
enum { KEYRING_MAX = JWK_SET_MAX - 1 };

/* Other programs keep the list of public keys this long (Cache-Control of /.well-known/jwks.json): a
 * key waits for it before it signs, and judges this much longer than its last token lives. */
#define KEYRING_SETTLE (5 * PT_MINUTE)

/*
 * The text of that file, for pt_keys.signing and pt_site_rekey; made, with one ES256 key, if there is
 * none. PT_F_CONFIG: it is no such file, is a link, or others can read it; one log line says how to
 * mend it.
 */
PT_CHECK pt_err keyring_load(struct arena *arena, const char *path, pt_str *jwks);

/* The same while the server runs: a file that is gone is PT_F_CONFIG, and not the end of every token. */
PT_CHECK pt_err keyring_reload(struct arena *arena, const char *path, pt_str *jwks);

/* ---- what an operator does ---- */

/* As it is on disk; the keys are the caller's: jwk_set_close. PT_E_NOT_FOUND: there is no file. */
PT_CHECK pt_err keyring_read(struct arena *arena, const char *path, struct jwk_set *out);

/* Each of these reads, changes and writes the file, while nobody else does; keys past their time leave
 * it. The name of the key that changed lives in the arena. */

/* A new key: NEXT, or CURRENT where there is none. PT_E_TAKEN: there is a next one already.
 * PT_F_CONFIG: the file is full. */
PT_CHECK pt_err keyring_add(struct arena *arena, const char *path, enum jwk_algorithm algorithm,
	pt_time now, pt_str *kid);

/* NEXT signs; what CURRENT signed in its `life` is judged to its end. PT_E_NOT_FOUND: there is no next
 * key; PT_E_BUSY: others may not know it yet, unless `at_once`. */
PT_CHECK pt_err keyring_rotate(struct arena *arena, const char *path, pt_time now, pt_time life,
	bool at_once, pt_str *kid);

/* That key judges nothing from now on. PT_E_NOT_FOUND: there is no such key; PT_E_FORBIDDEN: it
 * signs. */
PT_CHECK pt_err keyring_retire(struct arena *arena, const char *path, pt_time now, pt_str kid);

/* The same for `portress keys`, by the wall clock. `path` is borrowed. */
struct key_file keyring_file(const char *path, pt_time life);

#endif

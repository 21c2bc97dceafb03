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
#include "crypt/jwk_set.h"
#include "portress/base.h"

/*
 * The text of that file, for pt_keys.signing and pt_site_rekey; made, with one ES256 key, if there is
 * none. PT_F_CONFIG: it is no such file, is a link, or others can read it; one log line says how to
 * mend it.
 */
PT_CHECK pt_err keyring_load(struct arena *arena, const char *path, pt_str *jwks);

#endif

/*
 * jwk_set.h - the keys of one issuer over time.
 *
 *            add             rotate              rotate             `when` has come
 *   (none) -------> NEXT -------------> CURRENT ----------> RETIRED ---------------> (gone)
 *                published;            signs all           signs nothing,
 *                signs nothing yet     new tokens          still judges
 *
 * (1) At most one CURRENT and at most one NEXT, and both can sign.  (2) No two keys have one name.
 * (3) All three judge: another node may have rotated a moment before us.  (4) A set is a value:
 * rotating makes another one, and who holds the old one goes on with it. It borrows its keys.
 */
#ifndef CRYPT_JWK_SET_H
#define CRYPT_JWK_SET_H

#include "crypt/jwk.h"

enum { JWK_SET_MAX = 8 };

enum jwk_state { JWK_NEXT, JWK_CURRENT, JWK_RETIRED };

struct jwk_slot {
	const struct jwk *key;
	enum jwk_state state;
	/* JWK_NEXT: not to sign before it, so that whoever keeps a copy of the key list has the key
	 * by then. JWK_RETIRED: judges nothing from then on; 0: no end. */
	pt_time when;
};

struct jwk_set {
	struct jwk_slot slots[JWK_SET_MAX];
	size_t n;
};

/* PT_F_CONFIG: the set is full, or would break an invariant; it is as before. */
PT_CHECK pt_err jwk_set_add(struct jwk_set *set, struct jwk_slot slot);

/* The key that signs, or NULL. */
const struct jwk *jwk_set_signer(const struct jwk_set *set);

/* Those that judge at `now`, the signer first; their number. The key list to publish is the
 * jwk_list_format of these. */
size_t jwk_set_judges(
	const struct jwk_set *set, pt_time now, const struct jwk *judges[JWK_SET_MAX]);

/* The key of that name among those that judge at `now`, or NULL. */
const struct jwk *jwk_set_find(const struct jwk_set *set, pt_str kid, pt_time now);

/* NEXT signs, CURRENT is retired and judges until `until`, and who is retired and past its time is
 * gone. PT_E_NOT_FOUND: there is no NEXT that may sign by now. */
PT_CHECK pt_err jwk_set_rotate(
	const struct jwk_set *set, pt_time now, pt_time until, struct jwk_set *out);

/* ---- as text ---- */

/*
 * `{"keys":[...]}` (RFC 7517 5) with private parts, where each key has two members more: `status` is
 * "next", "current" or "retired", and `when` above is, in unix seconds, the `from` of a next key or the
 * `until` of a retired one. Neither is asked for.
 *
 * The keys of a set that was read are the caller's: jwk_set_close. PT_E_MALFORMED with *why; PT_F_CONFIG
 * as jwk_set_add.
 */
PT_CHECK pt_err jwk_set_read(pt_str text, struct jwk_set *out, const char **why);

/* The same for the operator's key file and for nothing else. Of a retired key only what judges is
 * kept: it never signs again. */
PT_CHECK pt_err jwk_set_format_for_key_file(
	struct arena *arena, const struct jwk_set *set, pt_str *out);

/* Closes the keys; the set is empty then. */
void jwk_set_close(struct jwk_set *set);

/* "next", "current", "retired". */
pt_str jwk_state_name(enum jwk_state state);

#endif

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

#endif

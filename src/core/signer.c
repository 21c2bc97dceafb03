/*
 * signer.c - a ring of keys, and the moment when another takes its place.
 *
 *	signer_verify --> ring_take --> remembered? --yes--> does its key still judge? --> claims
 *	                                    | no
 *	                                    v
 *	                                 jwt_judge --good--> remembered --> claims
 *
 * (1) A ring never changes once it can be taken.  (2) Who takes one holds it until ring_drop; the lock
 * is held for a pointer and a count, never while anything is computed.
 */
#include "core/signer.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "core/token_cache.h"
#include "crypt/digest.h"
#include "crypt/jwk_set.h"
#include "crypt/jwt.h"

#include "base/banned.h"

struct ring {
	unsigned holders; /* atomic */
	struct jwk_set set;
	struct token_cache
		*cache; /* NULL: every key is a secret, whose MAC costs no more than a hash */
};

struct signer {
	struct jwk *secret; /* NULL: there is none */
	pthread_mutex_t lock;
	struct ring *ring;
};

/* ---- rings ---- */

static void ring_drop(struct ring *ring)
{
	if (!ring || __atomic_sub_fetch(&ring->holders, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	jwk_set_close(&ring->set);
	token_cache_close(ring->cache);
	free(ring);
}

static void own_ring(struct ring **ring)
{
	ring_drop(*ring);
}

static struct ring *ring_take(struct signer *signer)
{
	pthread_mutex_lock(&signer->lock);
	struct ring *ring = signer->ring;
	__atomic_add_fetch(&ring->holders, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&signer->lock);
	return ring;
}

static pt_err set_read(pt_str jwks, struct jwk_set *set)
{
	const char *why = "";

	if (jwks.n == 0)
		return PT_OK;
	pt_err err = jwk_set_read(jwks, set, &why);
	return err == PT_E_MALFORMED ? fault(PT_F_CONFIG, "the signing keys: %s", why) : err;
}

/* A secret beside other keys is one that judges without end. */
static pt_err secret_add(const struct jwk *secret, bool alone, struct jwk_set *set)
{
	struct jwk_slot slot = { .state = alone ? JWK_CURRENT : JWK_RETIRED };

	if (!secret)
		return PT_OK;
	slot.key = jwk_share(secret);
	pt_err err = jwk_set_add(set, slot);
	if (err != PT_OK)
		jwk_close((struct jwk *)(uintptr_t)slot.key);
	return err;
}

static bool has_public_keys(const struct jwk_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		if (jwk_algorithm(set->slots[i].key) != JWK_HS256)
			return true;
	}
	return false;
}

static pt_err ring_open(const struct jwk *secret, pt_str jwks, struct ring **out)
{
	PT_OWN(own_ring) struct ring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return fault(PT_F_MEMORY, "no memory for signing keys");
	ring->holders = 1;
	TRY(set_read(jwks, &ring->set));
	TRY(secret_add(secret, jwks.n == 0, &ring->set));
	if (!jwk_set_signer(&ring->set))
		return fault(PT_F_CONFIG, "the signing keys: none of them is current");
	if (has_public_keys(&ring->set))
		TRY(token_cache_open(&ring->cache));
	*out = PT_GIVE(ring);
	return PT_OK;
}

/* ---- the signer ---- */

static pt_err secret_open(pt_str secret, pt_str kid, struct jwk **out)
{
	const struct jwk_terms terms = { .kid = kid };
	const char *why = "";

	if (secret.n == 0)
		return PT_OK;
	pt_err err = jwk_from_secret(secret, &terms, out, &why);
	return err == PT_E_MALFORMED ? fault(PT_F_CONFIG, "the secret of access tokens: %s", why)
				     : err;
}

static void own_signer(struct signer **signer)
{
	signer_close(*signer);
}

pt_err signer_open(pt_str secret, pt_str secret_kid, pt_str jwks, struct signer **out)
{
	PT_OWN(own_signer) struct signer *signer = calloc(1, sizeof(*signer));

	if (!signer)
		return fault(PT_F_MEMORY, "no memory for signing keys");
	pthread_mutex_init(&signer->lock, NULL);
	TRY(secret_open(secret, secret_kid, &signer->secret));
	TRY(ring_open(signer->secret, jwks, &signer->ring));
	*out = PT_GIVE(signer);
	return PT_OK;
}

pt_err signer_rekey(struct signer *signer, pt_str jwks)
{
	struct ring *fresh, *before;

	TRY(ring_open(signer->secret, jwks, &fresh));
	pthread_mutex_lock(&signer->lock);
	before = signer->ring;
	signer->ring = fresh;
	pthread_mutex_unlock(&signer->lock);
	ring_drop(before);
	return PT_OK;
}

void signer_close(struct signer *signer)
{
	if (!signer)
		return;
	ring_drop(signer->ring);
	jwk_close(signer->secret);
	pthread_mutex_destroy(&signer->lock);
	free(signer);
}

pt_err signer_sign(
	struct signer *signer, pt_arena *arena, pt_str claims, pt_time now, pt_str *token)
{
	PT_OWN(own_ring) struct ring *ring = ring_take(signer);

	/* Which key signs does not hang on the hour: to rotate is an operator's act. */
	(void)now;
	return jwt_sign(arena, jwk_set_signer(&ring->set), claims, token);
}

pt_err signer_jwks(struct signer *signer, pt_arena *arena, pt_time now, pt_str *out)
{
	PT_OWN(own_ring) struct ring *ring = ring_take(signer);
	const struct jwk *judges[JWK_SET_MAX];
	size_t n = jwk_set_judges(&ring->set, now, judges);

	return jwk_list_format(arena, judges, n, out);
}

/* ---- judging ---- */

static bool is_remembered(const struct ring *ring, const struct pt_hash *hash,
	const struct jwk *const *judges, size_t n)
{
	unsigned slot;

	if (!token_cache_find(ring->cache, hash, &slot))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (judges[i] == ring->set.slots[slot].key)
			return true;
	}
	return false;
}

static void remember(const struct ring *ring, const struct pt_hash *hash, const struct jwk *key)
{
	if (jwk_algorithm(key) == JWK_HS256)
		return;
	for (unsigned i = 0; i < ring->set.n; i++) {
		if (ring->set.slots[i].key == key)
			token_cache_add(ring->cache, hash, i);
	}
}

static enum pt_token_flaw flaw_of(enum jwt_flaw flaw)
{
	switch (flaw) {
	case JWT_SEGMENTS:
		return PT_FLAW_SEGMENTS;
	case JWT_ENCODING:
		return PT_FLAW_ENCODING;
	case JWT_ALGORITHM:
		return PT_FLAW_ALGORITHM;
	case JWT_SIGNATURE:
		return PT_FLAW_SIGNATURE;
	case JWT_SOUND:
		break;
	}
	return PT_FLAW_NONE;
}

static pt_err judge(pt_arena *arena, const struct jwk *const *judges, size_t n, pt_str token,
	struct jwt_verdict *verdict, struct signer_flaw *flaw)
{
	pt_err err = jwt_judge(arena, judges, n, PT_STR(""), token, verdict);

	if (err == PT_E_TOKEN && flaw)
		*flaw = (struct signer_flaw){ flaw_of(verdict->flaw), verdict->algorithm };
	return err;
}

pt_err signer_verify(struct signer *signer, pt_arena *arena, pt_str token, pt_time now,
	struct json_value *claims, struct signer_flaw *flaw)
{
	PT_OWN(own_ring) struct ring *ring = ring_take(signer);
	const struct jwk *judges[JWK_SET_MAX];
	size_t n = jwk_set_judges(&ring->set, now, judges);
	struct jwt_verdict verdict;
	struct pt_hash hash;

	if (ring->cache) {
		TRY(digest_sha256(token, &hash));
		if (is_remembered(ring, &hash, judges, n))
			return jwt_read_judged(arena, token, claims);
	}
	TRY(judge(arena, judges, n, token, &verdict, flaw));
	if (ring->cache)
		remember(ring, &hash, verdict.key);
	*claims = verdict.claims;
	return PT_OK;
}

/*
 * jwk_set.c - which key signs, which keys judge. Values in, values out.
 */
#include "crypt/jwk_set.h"

#include "base/err.h"
#include "base/str.h"

#include "base/banned.h"

static const struct jwk_slot *slot_in_state(const struct jwk_set *set, enum jwk_state state)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->slots[i].state == state)
			return &set->slots[i];
	}
	return NULL;
}

static bool name_is_taken(const struct jwk_set *set, pt_str kid)
{
	for (size_t i = 0; i < set->n; i++) {
		if (kid.n > 0 && str_eq(jwk_kid(set->slots[i].key), kid))
			return true;
	}
	return false;
}

pt_err jwk_set_add(struct jwk_set *set, struct jwk_slot slot)
{
	if (set->n == JWK_SET_MAX)
		return fault(PT_F_CONFIG, "a key set holds %d keys at most", JWK_SET_MAX);
	if (name_is_taken(set, jwk_kid(slot.key)))
		return fault(PT_F_CONFIG, "two keys of one set are named %s", jwk_kid(slot.key).p);
	if (slot.state != JWK_RETIRED) {
		if (!jwk_can_sign(slot.key))
			return fault(PT_F_CONFIG, "a key that is to sign has no private part");
		if (slot_in_state(set, slot.state))
			return fault(PT_F_CONFIG, "a key set has one current and one next key");
	}
	set->slots[set->n++] = slot;
	return PT_OK;
}

const struct jwk *jwk_set_signer(const struct jwk_set *set)
{
	const struct jwk_slot *slot = slot_in_state(set, JWK_CURRENT);

	return slot ? slot->key : NULL;
}

static bool has_gone(const struct jwk_slot *slot, pt_time now)
{
	return slot->state == JWK_RETIRED && slot->when != 0 && slot->when <= now;
}

size_t jwk_set_judges(const struct jwk_set *set, pt_time now, const struct jwk *judges[JWK_SET_MAX])
{
	const struct jwk *signer = jwk_set_signer(set);
	size_t n = 0;

	if (signer)
		judges[n++] = signer;
	for (size_t i = 0; i < set->n; i++) {
		const struct jwk_slot *slot = &set->slots[i];

		if (slot->state != JWK_CURRENT && !has_gone(slot, now))
			judges[n++] = slot->key;
	}
	return n;
}

const struct jwk *jwk_set_find(const struct jwk_set *set, pt_str kid, pt_time now)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct jwk_slot *slot = &set->slots[i];

		if (kid.n > 0 && str_eq(jwk_kid(slot->key), kid) && !has_gone(slot, now))
			return slot->key;
	}
	return NULL;
}

static struct jwk_slot slot_after(struct jwk_slot slot, pt_time until)
{
	switch (slot.state) {
	case JWK_NEXT:
		return (struct jwk_slot){ .key = slot.key, .state = JWK_CURRENT };
	case JWK_CURRENT:
		return (struct jwk_slot){ .key = slot.key, .state = JWK_RETIRED, .when = until };
	case JWK_RETIRED:
		break;
	}
	return slot;
}

pt_err jwk_set_rotate(const struct jwk_set *set, pt_time now, pt_time until, struct jwk_set *out)
{
	const struct jwk_slot *next = slot_in_state(set, JWK_NEXT);
	struct jwk_set rotated = { 0 };

	if (!next || next->when > now)
		return PT_E_NOT_FOUND;
	for (size_t i = 0; i < set->n; i++) {
		struct jwk_slot slot = slot_after(set->slots[i], until);

		if (!has_gone(&slot, now))
			rotated.slots[rotated.n++] = slot;
	}
	*out = rotated;
	return PT_OK;
}

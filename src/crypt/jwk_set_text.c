/*
 * jwk_set_text.c - the keys of an issuer as JSON, for the file that keeps them.
 */
#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "crypt/jwk_set.h"

#include "base/banned.h"

enum { SCRATCH = 1024 * 1024 };

/* The last second that a calendar of ours can say. */
#define LAST_SECOND ((int64_t)253402300799)

static const struct {
	pt_str name;
	const char *when; /* the member that says it; NULL: there is none */
} states[] = {
	[JWK_NEXT] = { PT_STR_INIT("next"), "from" },
	[JWK_CURRENT] = { PT_STR_INIT("current"), NULL },
	[JWK_RETIRED] = { PT_STR_INIT("retired"), "until" },
};

enum { STATES = sizeof(states) / sizeof(states[0]) };

static void own_arena(struct arena **arena)
{
	arena_close(*arena);
}

static pt_err refuse(const char **why, const char *reason)
{
	*why = reason;
	return PT_E_MALFORMED;
}

pt_str jwk_state_name(enum jwk_state state)
{
	return states[state].name;
}

void jwk_set_close(struct jwk_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		/* The set lends them out as constants; here they are the caller's own. */
		jwk_close((struct jwk *)(uintptr_t)set->slots[i].key);
	*set = (struct jwk_set){ 0 };
}

/* ---- reading ---- */

static pt_err state_read(const struct json_value *members, enum jwk_state *state, const char **why)
{
	const struct json_value *status = json_find(members, PT_STR("status"));

	for (size_t i = 0; status && status->type == JSON_STRING && i < STATES; i++) {
		if (str_eq(status->text, states[i].name)) {
			*state = (enum jwk_state)i;
			return PT_OK;
		}
	}
	return refuse(why, "a key's status is \"next\", \"current\" or \"retired\"");
}

static pt_err when_read(
	const struct json_value *members, const char *name, pt_time *when, const char **why)
{
	const struct json_value *value = name ? json_find(members, str(name)) : NULL;

	*when = 0;
	if (!value)
		return PT_OK;
	if (value->type != JSON_NUMBER || value->text.n == 0 || value->number < 0 ||
		value->number > LAST_SECOND)
		return refuse(why, "`from` and `until` are whole seconds since 1970");
	*when = value->number * PT_SECOND;
	return PT_OK;
}

static pt_err slot_read(const struct json_value *members, struct jwk_set *set, const char **why)
{
	static const struct jwk_terms terms = { .secret_min = 32 };
	struct jwk_slot slot = { 0 };
	struct jwk *key;

	TRY(state_read(members, &slot.state, why));
	TRY(when_read(members, states[slot.state].when, &slot.when, why));
	TRY(jwk_from_members(members, &terms, &key, why));
	slot.key = key;
	pt_err err = jwk_set_add(set, slot);
	if (err != PT_OK)
		jwk_close(key);
	return err;
}

pt_err jwk_set_read(pt_str text, struct jwk_set *out, const char **why)
{
	PT_OWN(own_arena) struct arena *arena = arena_open(SCRATCH);
	PT_OWN(jwk_set_close) struct jwk_set set = { 0 };
	struct json_value object;

	if (!arena)
		return fault(PT_F_MEMORY, "no memory for a set of keys");
	pt_err err = json_read(arena, text, &object);
	if (err != PT_OK)
		return pt_is_fault(err) ? err : refuse(why, "not one JSON value");
	const struct json_value *keys = json_find(&object, PT_STR("keys"));
	if (!keys || keys->type != JSON_ARRAY)
		return refuse(why, "a set of keys is an object with a list named `keys`");
	for (size_t i = 0; i < keys->n; i++)
		TRY(slot_read(&keys->items[i], &set, why));
	*out = set;
	set.n = 0;
	return PT_OK;
}

/* ---- writing ---- */

static pt_err key_format(struct arena *arena, const struct jwk_slot *slot, pt_str *out)
{
	struct buf text = BUF(arena, JWK_TEXT_MAX);
	struct json j = JSON(&text);

	if (slot->state == JWK_RETIRED)
		jwk_write(slot->key, &j);
	/* A secret has no part that only judges. */
	if (text.n == 0)
		return jwk_format_for_key_file(arena, slot->key, out);
	return buf_done(&text, out);
}

static pt_err slot_write(struct arena *arena, const struct jwk_slot *slot, struct json *j)
{
	const char *when = states[slot->state].when;
	pt_str key;

	TRY(key_format(arena, slot, &key));
	/* Open the object again, for what a key does not know of itself. */
	json_raw(j, NULL, str_slice(key, 0, key.n - 1));
	json_str(j, "status", states[slot->state].name);
	if (when && slot->when != 0)
		json_int(j, when, slot->when / PT_SECOND);
	json_object_end(j);
	return PT_OK;
}

pt_err jwk_set_format_for_key_file(struct arena *arena, const struct jwk_set *set, pt_str *out)
{
	struct buf text = BUF(arena, JWK_SET_MAX * (size_t)JWK_TEXT_MAX);
	struct json j = JSON(&text);

	json_object(&j, NULL);
	json_array(&j, "keys");
	for (size_t i = 0; i < set->n; i++)
		TRY(slot_write(arena, &set->slots[i], &j));
	json_array_end(&j);
	json_object_end(&j);
	return buf_done(&text, out);
}

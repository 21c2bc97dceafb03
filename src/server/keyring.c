/*
 * keyring.c - read, change, write: under a lock, so that two operators do not undo each other.
 */
#include "server/keyring.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "base/str.h"
#include "server/secret_file.h"

#include "base/banned.h"

static struct secret_file file_at(const char *path)
{
	return (struct secret_file){
		.path = path,
		.what = "signing keys",
		.setting = "keys.signing",
		.most = KEYRING_MAX * (size_t)JWK_TEXT_MAX,
		.may_be_anothers = true,
	};
}

/* ---- reading ---- */

static pt_err set_read(const char *path, pt_str text, struct jwk_set *out)
{
	PT_OWN(jwk_set_close) struct jwk_set set = { 0 };
	const char *why = "";

	pt_err err = jwk_set_read(text, &set, &why);
	if (err == PT_E_MALFORMED)
		return fault(PT_F_CONFIG, "%s: no signing keys in it: %s", path, why);
	TRY(err);
	if (!jwk_set_signer(&set))
		return fault(PT_F_CONFIG, "%s: none of the signing keys is current", path);
	if (set.n > KEYRING_MAX)
		return fault(PT_F_CONFIG, "%s: more than %d signing keys", path, (int)KEYRING_MAX);
	*out = set;
	set.n = 0;
	return PT_OK;
}

pt_err keyring_read(struct arena *arena, const char *path, struct jwk_set *out)
{
	const struct secret_file file = file_at(path);
	pt_str text;

	TRY(secret_file_read(arena, &file, &text));
	return set_read(path, text, out);
}

/* ---- writing ---- */

static pt_err set_format(struct arena *arena, const struct jwk_set *set, pt_str *out)
{
	struct buf text = BUF(arena, KEYRING_MAX * (size_t)JWK_TEXT_MAX);
	pt_str keys;

	TRY(jwk_set_format_for_key_file(arena, set, &keys));
	buf_str(&text, keys);
	buf_char(&text, '\n');
	return buf_done(&text, out);
}

static pt_err set_replace(struct arena *arena, const char *path, const struct jwk_set *set)
{
	const struct secret_file file = file_at(path);
	pt_str text;

	TRY(set_format(arena, set, &text));
	return secret_file_replace(&file, text);
}

static void own_key(struct jwk **key)
{
	jwk_close(*key);
}

/* Its name is its thumbprint, one that a command line does not take for a flag. */
static pt_err key_make(enum jwk_algorithm algorithm, struct jwk **out)
{
	PT_OWN(own_key) struct jwk *key = NULL;

	do {
		jwk_close(PT_GIVE(key));
		TRY(jwk_generate(algorithm, PT_STR(""), &key));
	} while (str_starts(jwk_kid(key), PT_STR("-")));
	*out = PT_GIVE(key);
	return PT_OK;
}

/* A file of one key, which signs. */
static pt_err file_make(
	struct arena *arena, const char *path, enum jwk_algorithm algorithm, pt_str *kid)
{
	const struct secret_file file = file_at(path);
	PT_OWN(own_key) struct jwk *key = NULL;
	struct jwk_set set = { 0 };
	pt_str text;

	TRY(key_make(algorithm, &key));
	TRY(jwk_set_add(&set, (struct jwk_slot){ .key = key, .state = JWK_CURRENT }));
	TRY(set_format(arena, &set, &text));
	TRY(secret_file_make(&file, text));
	return arena_str(arena, jwk_kid(key), kid) ? PT_OK : PT_F_MEMORY;
}

static pt_err first_key_make(struct arena *arena, const char *path)
{
	pt_str kid;

	TRY(file_make(arena, path, JWK_ES256, &kid));
	log_say(LOG_INFO, "keys.made", "made a key that signs access tokens in %s", path);
	return PT_OK;
}

/* Judged here as well, where its path is known for the words. */
static pt_err text_check(const char *path, pt_str text)
{
	PT_OWN(jwk_set_close) struct jwk_set set = { 0 };

	return set_read(path, text, &set);
}

pt_err keyring_reload(struct arena *arena, const char *path, pt_str *jwks)
{
	const struct secret_file file = file_at(path);
	pt_str text;

	pt_err err = secret_file_read(arena, &file, &text);
	if (err == PT_E_NOT_FOUND)
		return fault(PT_F_CONFIG, "%s: the signing keys are not there any more", path);
	TRY(err);
	TRY(text_check(path, text));
	*jwks = text;
	return PT_OK;
}

pt_err keyring_load(struct arena *arena, const char *path, pt_str *jwks)
{
	const struct secret_file file = file_at(path);
	pt_str text;

	pt_err err = secret_file_read(arena, &file, &text);
	if (err == PT_E_NOT_FOUND)
		err = first_key_make(arena, path);
	TRY(err);
	return keyring_reload(arena, path, jwks);
}

/* ---- changing ---- */

/* Without the slots that `goes` names and those past their time. The keys stay those of `from`. */
static struct jwk_set set_without(const struct jwk_set *from, pt_time now, pt_str goes)
{
	struct jwk_set set = { 0 };

	for (size_t i = 0; i < from->n; i++) {
		const struct jwk_slot *slot = &from->slots[i];
		bool over = slot->state == JWK_RETIRED && slot->when != 0 && slot->when <= now;

		if (!over && !(goes.n > 0 && str_eq(jwk_kid(slot->key), goes)))
			set.slots[set.n++] = *slot;
	}
	return set;
}

static struct jwk_slot *next_of(struct jwk_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->slots[i].state == JWK_NEXT)
			return &set->slots[i];
	}
	return NULL;
}

static pt_err next_add(struct arena *arena, const char *path, const struct jwk_set *from,
	enum jwk_algorithm algorithm, pt_time now, pt_str *kid)
{
	struct jwk_set set = set_without(from, now, PT_STR(""));
	PT_OWN(own_key) struct jwk *key = NULL;

	if (next_of(&set))
		return PT_E_TAKEN;
	if (set.n >= KEYRING_MAX)
		return fault(PT_F_CONFIG, "%s: %d signing keys are enough; retire one", path,
			(int)KEYRING_MAX);
	TRY(key_make(algorithm, &key));
	TRY(jwk_set_add(&set, (struct jwk_slot){ key, JWK_NEXT, now + KEYRING_SETTLE }));
	TRY(set_replace(arena, path, &set));
	return arena_str(arena, jwk_kid(key), kid) ? PT_OK : PT_F_MEMORY;
}

pt_err keyring_add(struct arena *arena, const char *path, enum jwk_algorithm algorithm, pt_time now,
	pt_str *kid)
{
	const struct secret_file file = file_at(path);
	PT_OWN(jwk_set_close) struct jwk_set set = { 0 };
	PT_OWN(own_fd) int lock = -1;

	TRY(secret_file_lock(&file, &lock));
	pt_err err = keyring_read(arena, path, &set);
	if (err == PT_E_NOT_FOUND)
		return file_make(arena, path, algorithm, kid);
	TRY(err);
	return next_add(arena, path, &set, algorithm, now, kid);
}

pt_err keyring_rotate(
	struct arena *arena, const char *path, pt_time now, pt_time life, bool at_once, pt_str *kid)
{
	const struct secret_file file = file_at(path);
	PT_OWN(jwk_set_close) struct jwk_set set = { 0 };
	PT_OWN(own_fd) int lock = -1;
	struct jwk_set rotated;

	TRY(secret_file_lock(&file, &lock));
	TRY(keyring_read(arena, path, &set));
	struct jwk_slot *next = next_of(&set);
	if (!next)
		return PT_E_NOT_FOUND;
	if (!at_once && next->when > now)
		return PT_E_BUSY;
	next->when = 0;
	TRY(jwk_set_rotate(&set, now, now + life + KEYRING_SETTLE, &rotated));
	TRY(set_replace(arena, path, &rotated));
	return arena_str(arena, jwk_kid(next->key), kid) ? PT_OK : PT_F_MEMORY;
}

pt_err keyring_retire(struct arena *arena, const char *path, pt_time now, pt_str kid)
{
	const struct secret_file file = file_at(path);
	PT_OWN(jwk_set_close) struct jwk_set set = { 0 };
	PT_OWN(own_fd) int lock = -1;

	TRY(secret_file_lock(&file, &lock));
	TRY(keyring_read(arena, path, &set));
	if (!jwk_set_find(&set, kid, now))
		return PT_E_NOT_FOUND;
	if (str_eq(jwk_kid(jwk_set_signer(&set)), kid))
		return PT_E_FORBIDDEN;
	struct jwk_set left = set_without(&set, now, kid);
	return set_replace(arena, path, &left);
}

/* ---- for the command line ---- */

static struct key_row row_of(const struct jwk_slot *slot, pt_str kid)
{
	return (struct key_row){
		.kid = kid,
		.algorithm = jwk_algorithm_name(slot->key),
		.status = jwk_state_name(slot->state),
		.when = slot->when,
	};
}

static pt_err file_list(
	const struct key_file *file, struct arena *arena, struct key_row **rows, size_t *n)
{
	struct key_row *made = ARENA_ARRAY(arena, struct key_row, KEYRING_MAX);
	PT_OWN(jwk_set_close) struct jwk_set set = { 0 };
	pt_str kid;

	if (!made)
		return PT_F_MEMORY;
	TRY(keyring_read(arena, file->path, &set));
	for (size_t i = 0; i < set.n; i++) {
		if (!arena_str(arena, jwk_kid(set.slots[i].key), &kid))
			return PT_F_MEMORY;
		made[i] = row_of(&set.slots[i], kid);
	}
	*rows = made;
	*n = set.n;
	return PT_OK;
}

static pt_err file_add(
	const struct key_file *file, struct arena *arena, pt_str algorithm, pt_str *kid)
{
	static const struct {
		const char *name;
		enum jwk_algorithm algorithm;
	} known[] = { { "ES256", JWK_ES256 }, { "EdDSA", JWK_EDDSA }, { "RS256", JWK_RS256 } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (str_eq(algorithm, str(known[i].name)))
			return keyring_add(arena, file->path, known[i].algorithm, clock_now(), kid);
	}
	return PT_E_MALFORMED;
}

static pt_err file_rotate(
	const struct key_file *file, struct arena *arena, bool at_once, pt_str *kid)
{
	return keyring_rotate(arena, file->path, clock_now(), file->life, at_once, kid);
}

static pt_err file_retire(const struct key_file *file, struct arena *arena, pt_str kid)
{
	return keyring_retire(arena, file->path, clock_now(), kid);
}

struct key_file keyring_file(const char *path, pt_time life)
{
	return (struct key_file){
		.path = path,
		.life = life,
		.list = file_list,
		.add = file_add,
		.rotate = file_rotate,
		.retire = file_retire,
	};
}

/*
 * jwk.c - the life of a key: filled by its algorithm, completed here, never changed after.
 *
 * What may be told of a key is written once, when it is made, as the members of a public JWK. That
 * text is hashed for the thumbprint and copied into every key list, so that no list can hold a
 * private number: nothing that makes lists ever looks at one.
 */
#include "crypt/jwk.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jws.h"

#include "base/banned.h"

enum { SCRATCH = 512 * 1024, LIST_TEXT_MAX = 256 * 1024 };

static const struct jws_algorithm *const algorithms[] = {
	[JWK_HS256] = &jws_hs256,
	[JWK_RS256] = &jws_rs256,
	[JWK_ES256] = &jws_es256,
	[JWK_EDDSA] = &jws_eddsa,
};

enum { ALGORITHMS = sizeof(algorithms) / sizeof(algorithms[0]) };

static const struct jwk_terms no_terms = { 0 };

static void own_arena(struct arena **arena)
{
	arena_close(*arena);
}

static void own_jwk(struct jwk **key)
{
	jwk_close(*key);
}

/* ---- the life of a key ---- */

static pt_err key_open(const struct jws_algorithm *algorithm, struct jwk **out)
{
	struct jwk *key = calloc(1, sizeof(*key));

	if (!key)
		return fault(PT_F_MEMORY, "no memory for a key");
	key->algorithm = algorithm;
	key->owners = 1;
	*out = key;
	return PT_OK;
}

struct jwk *jwk_share(const struct jwk *key)
{
	/* The count of owners is the one thing that changes, and no one can ask for it. */
	struct jwk *shared = (struct jwk *)(uintptr_t)key;

	__atomic_add_fetch(&shared->owners, 1, __ATOMIC_RELAXED);
	return shared;
}

void jwk_close(struct jwk *key)
{
	if (!key || __atomic_sub_fetch(&key->owners, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	jws_drop(&key->header);
	jws_drop(&key->members);
	jws_drop(&key->secret);
	EVP_PKEY_free(key->pkey);
	crypt_wipe(key, sizeof(*key));
	free(key);
}

bool jwk_kid_is_valid(pt_str kid)
{
	if (kid.n == 0 || kid.n > JWK_KID_MAX)
		return false;
	for (size_t i = 0; i < kid.n; i++) {
		if (!ascii_alnum(kid.p[i]) && kid.p[i] != '.' && kid.p[i] != '_' && kid.p[i] != '-')
			return false;
	}
	return true;
}

/* RFC 7638 3.3: the members as they stand, in braces. */
static pt_err thumbprint_make(struct arena *arena, struct jwk *key)
{
	struct buf text = BUF(arena, JWK_TEXT_MAX);
	struct buf b = BUF_FIXED(key->thumbprint);
	struct pt_hash hash;
	pt_str done;

	buf_char(&text, '{');
	buf_str(&text, key->members);
	buf_char(&text, '}');
	TRY(buf_done(&text, &done));
	TRY(digest_sha256(done, &hash));
	buf_base64url(&b, hash.bytes, sizeof(hash.bytes));
	return buf_done(&b, &done);
}

static pt_err members_make(struct arena *arena, struct jwk *key)
{
	struct buf text = BUF(arena, JWK_TEXT_MAX);
	struct json j = JSON(&text);
	pt_str done;

	if (!key->algorithm->write_public)
		return PT_OK;
	TRY(key->algorithm->write_public(key, &j));
	TRY(buf_done(&text, &done));
	TRY(jws_copy(done, &key->members));
	return thumbprint_make(arena, key);
}

/* What every key has, whatever it was made from. */
static pt_err key_complete(struct arena *arena, struct jwk *key, pt_str kid, const char **why)
{
	pt_str header;

	TRY(members_make(arena, key));
	if (kid.n == 0)
		kid = str(key->thumbprint);
	if (kid.n > 0 && !jwk_kid_is_valid(kid))
		return jws_refuse(why, "a key's name is 1 to 64 of A-Z a-z 0-9 . _ -");
	memcpy(key->kid, kid.p, kid.n);
	TRY(jws_header(arena, key, PT_STR("JWT"), &header));
	return jws_copy(header, &key->header);
}

/* ---- from a secret ---- */

pt_err jwk_from_secret(
	pt_str secret, const struct jwk_terms *terms, struct jwk **out, const char **why)
{
	PT_OWN(own_arena) struct arena *arena = arena_open(SCRATCH);
	PT_OWN(own_jwk) struct jwk *key = NULL;

	if (!arena)
		return fault(PT_F_MEMORY, "no memory for a key");
	if (!terms)
		terms = &no_terms;
	if (secret.n == 0 || secret.n < terms->secret_min)
		return jws_refuse(why, "the secret is too short");
	/* A public key is known to everyone, and so would be a secret with its text. */
	if (str_starts(secret, PT_STR("-----BEGIN ")))
		return jws_refuse(why, "a PEM file is no secret");
	TRY(key_open(&jws_hs256, &key));
	TRY(jws_copy(secret, &key->secret));
	key->can_sign = true;
	TRY(key_complete(arena, key, terms->kid, why));
	*out = PT_GIVE(key);
	return PT_OK;
}

/* ---- from a JWK ---- */

static bool is_text(const struct json_value *value)
{
	return value && value->type == JSON_STRING;
}

static const struct jws_algorithm *algorithm_of_type(pt_str type)
{
	for (size_t i = 0; i < ALGORITHMS; i++) {
		if (str_eq(algorithms[i]->type, type))
			return algorithms[i];
	}
	return NULL;
}

/* RFC 7517 4.2, 4.4: what the key says that it is for. */
static pt_err purpose_check(
	const struct json_value *members, const struct jws_algorithm *algorithm, const char **why)
{
	const struct json_value *alg = json_find(members, PT_STR("alg"));
	const struct json_value *use = json_find(members, PT_STR("use"));

	if (alg && !(is_text(alg) && str_eq(alg->text, algorithm->name)))
		return jws_refuse(why, "the key is for another algorithm");
	if (use && !(is_text(use) && str_eq(use->text, PT_STR("sig"))))
		return jws_refuse(why, "the key is not for signatures");
	return PT_OK;
}

/* RFC 7517 4.3: `sign` and `verify`, each at most once; nothing else goes with a `use` of `sig`. */
static pt_err operations_read(
	const struct json_value *operations, bool *sign, bool *verify, const char **why)
{
	*sign = *verify = false;
	if (operations->type != JSON_ARRAY)
		return jws_refuse(why, "key_ops is not a list");
	for (size_t i = 0; i < operations->n; i++) {
		const struct json_value *one = &operations->items[i];
		bool *said = !is_text(one)                         ? NULL
			     : str_eq(one->text, PT_STR("sign"))   ? sign
			     : str_eq(one->text, PT_STR("verify")) ? verify
								   : NULL;

		if (!said || *said)
			return jws_refuse(why, "key_ops allows more than signatures");
		*said = true;
	}
	return PT_OK;
}

/* A public part can only verify, and a private one is there to sign. A secret is both. */
static pt_err operations_check(const struct json_value *members, struct jwk *key, const char **why)
{
	const struct json_value *operations = json_find(members, PT_STR("key_ops"));
	bool sign, verify;

	if (!operations)
		return PT_OK;
	TRY(operations_read(operations, &sign, &verify, why));
	if (!key->algorithm->openssl) {
		key->can_sign = sign;
		return verify ? PT_OK : jws_refuse(why, "key_ops does not let this secret verify");
	}
	if (key->can_sign ? !sign : sign || !verify)
		return jws_refuse(why, "key_ops does not go with this kind of key");
	return PT_OK;
}

static pt_err kid_read(const struct json_value *members, const struct jwk_terms *terms, pt_str *out,
	const char **why)
{
	const struct json_value *kid = json_find(members, PT_STR("kid"));

	if (kid && !(is_text(kid) && jwk_kid_is_valid(kid->text)))
		return jws_refuse(why, "a key's name is 1 to 64 of A-Z a-z 0-9 . _ -");
	*out = terms->kid.n > 0 || !kid ? terms->kid : kid->text;
	return PT_OK;
}

static pt_err key_from_members(struct arena *arena, const struct json_value *members,
	const struct jwk_terms *terms, struct jwk **out, const char **why)
{
	PT_OWN(own_jwk) struct jwk *key = NULL;
	const struct json_value *type = json_find(members, PT_STR("kty"));
	const struct jws_algorithm *algorithm =
		is_text(type) ? algorithm_of_type(type->text) : NULL;
	pt_str kid;

	if (!algorithm)
		return jws_refuse(why, "not a key of type oct, RSA, EC or OKP");
	TRY(purpose_check(members, algorithm, why));
	TRY(kid_read(members, terms, &kid, why));
	TRY(key_open(algorithm, &key));
	TRY(algorithm->read(arena, members, key, why));
	TRY(operations_check(members, key, why));
	if (!algorithm->openssl && key->secret.n < terms->secret_min)
		return jws_refuse(why, "the secret is too short");
	TRY(key_complete(arena, key, kid, why));
	*out = PT_GIVE(key);
	return PT_OK;
}

static pt_err text_read(
	struct arena *arena, pt_str text, size_t most, struct json_value *out, const char **why)
{
	pt_err err = text.n <= most ? json_read(arena, text, out) : PT_E_MALFORMED;

	return err == PT_E_MALFORMED ? jws_refuse(why, "not one JSON value, or too long") : err;
}

pt_err jwk_from_json(pt_str text, const struct jwk_terms *terms, struct jwk **out, const char **why)
{
	PT_OWN(own_arena) struct arena *arena = arena_open(SCRATCH);
	struct json_value members;

	if (!arena)
		return fault(PT_F_MEMORY, "no memory for a key");
	TRY(text_read(arena, text, JWK_TEXT_MAX, &members, why));
	return key_from_members(arena, &members, terms ? terms : &no_terms, out, why);
}

pt_err jwk_from_members(const struct json_value *members, const struct jwk_terms *terms,
	struct jwk **out, const char **why)
{
	PT_OWN(own_arena) struct arena *arena = arena_open(SCRATCH);

	if (!arena)
		return fault(PT_F_MEMORY, "no memory for a key");
	return key_from_members(arena, members, terms ? terms : &no_terms, out, why);
}

/* Others publish only what everyone may know: a secret in a list is not one any more, and the
 * check of a private key is work that nobody asked for. */
static bool may_be_public(const struct json_value *members)
{
	return !json_find(members, PT_STR("d")) && !json_find(members, PT_STR("k"));
}

pt_err jwk_list_from_json(struct arena *arena, pt_str text, struct jwk ***keys, size_t *n)
{
	struct jwk **list = ARENA_ARRAY(arena, struct jwk *, JWK_LIST_MAX);
	struct json_value object;
	pt_err err = PT_OK;
	size_t made = 0;

	if (!list)
		return fault(PT_F_MEMORY, "no memory for a list of keys");
	TRY(text_read(arena, text, LIST_TEXT_MAX, &object, NULL));
	const struct json_value *items = json_find(&object, PT_STR("keys"));
	if (!items || items->type != JSON_ARRAY)
		return PT_E_MALFORMED;

	for (size_t i = 0; i < items->n && made < JWK_LIST_MAX && !pt_is_fault(err); i++) {
		PT_OWN(own_jwk) struct jwk *key = NULL;

		if (!may_be_public(&items->items[i]))
			continue;
		err = key_from_members(arena, &items->items[i], &no_terms, &key, NULL);
		if (err == PT_OK)
			list[made++] = PT_GIVE(key);
	}
	if (pt_is_fault(err)) {
		while (made > 0)
			jwk_close(list[--made]);
		return err;
	}
	*keys = list;
	*n = made;
	return PT_OK;
}

/* ---- from elsewhere ---- */

static const struct jws_algorithm *algorithm_of_pkey(const EVP_PKEY *pkey)
{
	for (size_t i = 0; i < ALGORITHMS; i++) {
		if (algorithms[i]->openssl && EVP_PKEY_is_a(pkey, algorithms[i]->openssl))
			return algorithms[i];
	}
	return NULL;
}

pt_err jwk_from_pem(pt_str pem, const struct jwk_terms *terms, struct jwk **out, const char **why)
{
	PT_OWN(own_arena) struct arena *arena = arena_open(SCRATCH);
	PT_OWN(jws_own_pkey) EVP_PKEY *pkey = NULL;
	PT_OWN(own_jwk) struct jwk *key = NULL;

	if (!arena)
		return fault(PT_F_MEMORY, "no memory for a key");
	TRY(jws_pem_read(pem, &pkey, why));
	const struct jws_algorithm *algorithm = algorithm_of_pkey(pkey);
	if (!algorithm)
		return jws_refuse(why, "not a key of type RSA, EC or Ed25519");
	TRY(key_open(algorithm, &key));
	TRY(algorithm->adopt(pkey, key, why));
	TRY(key_complete(arena, key, terms ? terms->kid : no_terms.kid, why));
	*out = PT_GIVE(key);
	return PT_OK;
}

pt_err jwk_generate(enum jwk_algorithm algorithm, pt_str kid, struct jwk **out)
{
	PT_OWN(own_arena) struct arena *arena = arena_open(SCRATCH);
	PT_OWN(own_jwk) struct jwk *key = NULL;

	if (!arena)
		return fault(PT_F_MEMORY, "no memory for a key");
	if (kid.n > 0 && !jwk_kid_is_valid(kid))
		return fault(PT_F_CONFIG, "a key's name is 1 to 64 of A-Z a-z 0-9 . _ -");
	TRY(key_open(algorithms[algorithm], &key));
	TRY(key->algorithm->generate(key));
	TRY(key_complete(arena, key, kid, NULL));
	*out = PT_GIVE(key);
	return PT_OK;
}

/* ---- asking ---- */

enum jwk_algorithm jwk_algorithm(const struct jwk *key)
{
	return key->algorithm->id;
}

pt_str jwk_algorithm_name(const struct jwk *key)
{
	return key->algorithm->name;
}

bool jwk_can_sign(const struct jwk *key)
{
	return key->can_sign;
}

pt_str jwk_kid(const struct jwk *key)
{
	return str(key->kid);
}

pt_str jwk_thumbprint(const struct jwk *key)
{
	return str(key->thumbprint);
}

/* ---- telling ---- */

static void write_about(const struct jwk *key, struct json *j)
{
	json_str(j, "alg", key->algorithm->name);
	json_str(j, "use", PT_STR("sig"));
	if (key->kid[0])
		json_str(j, "kid", str(key->kid));
}

void jwk_write(const struct jwk *key, struct json *j)
{
	if (key->members.n == 0)
		return;
	json_object(j, NULL);
	buf_str(j->out, key->members);
	j->comma = true;
	write_about(key, j);
	json_object_end(j);
}

pt_err jwk_list_format(struct arena *arena, const struct jwk *const *keys, size_t n, pt_str *out)
{
	struct buf text = BUF(arena, (n + 1) * 4 * KIB);
	struct json j = JSON(&text);

	json_object(&j, NULL);
	json_array(&j, "keys");
	for (size_t i = 0; i < n; i++)
		jwk_write(keys[i], &j);
	json_array_end(&j);
	json_object_end(&j);
	return buf_done(&text, out);
}

pt_err jwk_format_for_key_file(struct arena *arena, const struct jwk *key, pt_str *out)
{
	struct buf text = BUF(arena, JWK_TEXT_MAX);
	struct json j = JSON(&text);

	if (!key->can_sign)
		return fault(PT_F_CONFIG, "this key has no secret part to keep");
	json_object(&j, NULL);
	buf_str(&text, key->members);
	j.comma = key->members.n > 0;
	TRY(key->algorithm->write_secret(key, &j));
	write_about(key, &j);
	json_object_end(&j);
	return buf_done(&text, out);
}

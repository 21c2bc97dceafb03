/*
 * provider_id_token.c - what an OpenID Connect issuer says of itself and of who came back. Texts in,
 * verdicts out.
 */
#include "outbound/provider_private.h"

#include "base/err.h"
#include "base/str.h"
#include "crypt/jwt.h"

#include "base/banned.h"

static pt_err refuse(pt_err err, const char **why, const char *reason)
{
	*why = reason;
	return err;
}

static bool is_text(const struct json_value *value, pt_str text)
{
	return value && value->type == JSON_STRING && str_eq(value->text, text);
}

/* Whether a list of texts holds this one. */
static bool is_listed(const struct json_value *list, pt_str text)
{
	for (size_t i = 0; list && list->type == JSON_ARRAY && i < list->n; i++) {
		if (is_text(&list->items[i], text))
			return true;
	}
	return false;
}

/* ---- the issuer ---- */

static pt_str endpoint_of(const struct json_value *object, const char *name, bool plain_too)
{
	pt_str url = profile_text(object, name, PROVIDER_URL_MAX);

	return provider_url_is_fine(url, plain_too) ? url : PT_STR("");
}

/* An issuer that is silent here is asked with it all the same: who does not know PKCE passes over what
 * it does not know (RFC 6749 3.1), and many who know it do not say so. */
static bool has_pkce(const struct json_value *object)
{
	const struct json_value *methods =
		json_find(object, PT_STR("code_challenge_methods_supported"));

	return !methods || is_listed(methods, PT_STR("S256"));
}

/* In the form where it may be; the header is what an issuer takes that says nothing (Discovery 3). */
static bool is_basic(const struct json_value *object)
{
	return !is_listed(json_find(object, PT_STR("token_endpoint_auth_methods_supported")),
		PT_STR("client_secret_post"));
}

pt_err metadata_read(struct arena *arena, pt_str text, pt_str issuer, bool plain_too,
	struct metadata *out, const char **why)
{
	struct json_value object;

	pt_err err = json_read(arena, text, &object);
	if (err == PT_E_MALFORMED || (err == PT_OK && object.type != JSON_OBJECT))
		return refuse(PT_E_MALFORMED, why, "the issuer's metadata is no JSON object");
	TRY(err);
	/* Discovery 4.3: exactly, or it speaks for somebody else. */
	if (!is_text(json_find(&object, PT_STR("issuer")), issuer))
		return refuse(PT_E_MALFORMED, why, "the metadata names another issuer");

	struct metadata metadata = {
		.authorization_endpoint = endpoint_of(&object, "authorization_endpoint", plain_too),
		.token_endpoint = endpoint_of(&object, "token_endpoint", plain_too),
		.userinfo_endpoint = endpoint_of(&object, "userinfo_endpoint", plain_too),
		.jwks_uri = endpoint_of(&object, "jwks_uri", plain_too),
		.has_pkce = has_pkce(&object),
		.is_basic = is_basic(&object),
	};
	if (metadata.authorization_endpoint.n == 0 || metadata.token_endpoint.n == 0 ||
		metadata.jwks_uri.n == 0)
		return refuse(PT_E_MALFORMED, why, "the metadata lacks an address that is needed");
	*out = metadata;
	return PT_OK;
}

/* ---- the token ---- */

/* For us, and if for others too then with us as the one it was given to. */
static bool is_for_us(const struct json_value *claims, pt_str client_id)
{
	const struct json_value *aud = json_find(claims, PT_STR("aud"));
	const struct json_value *azp = json_find(claims, PT_STR("azp"));

	if (azp && !is_text(azp, client_id))
		return false;
	return is_text(aud, client_id) || (is_listed(aud, client_id) && (aud->n == 1 || azp));
}

static bool has_subject(const struct json_value *claims)
{
	const struct json_value *sub = json_find(claims, PT_STR("sub"));

	return sub && sub->type == JSON_STRING && sub->text.n > 0 &&
	       profile_text_is_fine(sub->text, PROVIDER_SUBJECT_MAX);
}

pt_err id_token_check(
	const struct json_value *claims, const struct id_token_terms *terms, const char **why)
{
	if (!is_text(json_find(claims, PT_STR("iss")), terms->issuer))
		return refuse(PT_E_TOKEN, why, "the ID token is of another issuer");
	if (!is_for_us(claims, terms->client_id))
		return refuse(PT_E_TOKEN, why, "the ID token is for somebody else");
	if (!json_find(claims, PT_STR("iat")) || jwt_check_times(claims, terms->now) != PT_OK)
		return refuse(PT_E_TOKEN, why, "the ID token's dates are not of now");
	if (terms->nonce.n == 0 || !is_text(json_find(claims, PT_STR("nonce")), terms->nonce))
		return refuse(PT_E_TOKEN, why, "the ID token answers another sign-in");
	if (!has_subject(claims))
		return refuse(PT_E_TOKEN, why, "the ID token names nobody");
	return PT_OK;
}

/*
 * settings.c - what a client must know before it shows a form; and whether anybody is here.
 */
#include "base/err.h"
#include "base/str.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

/* Always told, on or off. */
static const char *const known[] = { "bitbucket", "github", "gitlab", "google", "facebook" };

enum { KNOWN = sizeof(known) / sizeof(known[0]) };

static bool is_on(const struct gotrue_site *site, pt_str name)
{
	for (size_t i = 0; i < site->n_providers; i++)
		if (str_eq(site->providers[i].name, name))
			return true;
	return false;
}

bool gotrue_lists_provider(pt_str name)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (str_eq(name, str(known[i])))
			return true;
	return false;
}

static void external_write(struct json *json, const struct gotrue_site *site)
{
	json_object(json, "external");
	for (size_t i = 0; i < KNOWN; i++)
		json_bool(json, known[i], is_on(site, str(known[i])));
	json_bool(json, "email", !site->email_off);
	json_bool(json, "saml", false);
	for (size_t i = 0; i < site->n_providers; i++) {
		char name[64];
		struct buf b = BUF_FIXED(name);
		buf_str(&b, site->providers[i].name);
		if (!b.failed && !gotrue_lists_provider(site->providers[i].name))
			json_bool(json, buf_view(&b).p, true);
	}
	json_object_end(json);
}

/* The same for everybody: written once, when the site is opened. */
pt_err place_settings(struct place *place)
{
	const struct pt_policy *policy = pt_site_policy(place->site.site);
	struct buf b = BUF_FIXED(place->settings);
	struct json json = JSON(&b);

	json_object(&json, NULL);
	external_write(&json, &place->site);
	json_object(&json, "external_labels");
	if (place->site.saml_label.n > 0)
		json_str(&json, "saml", place->site.saml_label);
	json_object_end(&json);
	json_bool(&json, "disable_signup", policy->signup_off);
	json_bool(&json, "autoconfirm", policy->autoconfirm);
	json_object_end(&json);
	if (b.failed)
		return fault(PT_F_CONFIG, "the names of providers are too long to be told");
	place->settings_n = b.n;
	return PT_OK;
}

/* A place stays while somebody is in it, but the answer outlives that: it is copied where there are many. */
pt_err settings_show(struct exchange *ex)
{
	const struct place *place = visit_of(ex)->place;
	pt_str text = str_n(place->settings, place->settings_n);

	if (setup_of(ex)->many && !arena_str(ex->arena, text, &text))
		return PT_F_MEMORY;
	ex->rs->status = 200;
	ex->rs->body = text;
	http_set(ex->rs, PT_STR("Content-Type"), PT_STR("application/json"));
	return PT_OK;
}

/* Probes look for the original's name. */
pt_err health_show(struct exchange *ex)
{
	struct buf body = BUF(ex->arena, 1 * KIB);
	struct json json = JSON(&body);

	json_object(&json, NULL);
	json_str(&json, "description",
		PT_STR("GoTrue is a user registration and authentication API"));
	json_str(&json, "name", PT_STR("GoTrue"));
	json_str(&json, "version", str(pt_version()));
	json_object_end(&json);
	return answer_json_buf(ex, 200, &body);
}

/* ---- SAML is not offered ---- */

pt_err saml_metadata_show(struct exchange *ex)
{
	return gotrue_no(ex, 500, "Could not create SAML Provider: SAML Provider is not enabled");
}

pt_err saml_acs_post(struct exchange *ex)
{
	return gotrue_no(ex, 400, "OAuth state is invalid: SAML Provider is not enabled");
}

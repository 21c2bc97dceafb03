/*
 * gotrue.c - a site of the GoTrue dialect, as values.
 */
#include "server/gotrue.h"

#include "base/err.h"
#include "base/str.h"
#include "portress/courier.h"
#include "server/site_link.h"

#include "base/banned.h"

/* bcrypt reads no further, and clients were told so. */
enum { PASSWORD_BYTES = 72 };

static const struct {
	const char *kind;
	enum setting
		first; /* enabled, client_id, secret, redirect_uri and url follow one another */
} providers[GOTRUE_PROVIDERS] = {
	{ "bitbucket", SET_BITBUCKET_ENABLED },
	{ "github", SET_GITHUB_ENABLED },
	{ "gitlab", SET_GITLAB_ENABLED },
	{ "google", SET_GOOGLE_ENABLED },
	{ "facebook", SET_FACEBOOK_ENABLED },
	{ "oidc", SET_OIDC_ENABLED },
};

static const struct {
	enum pt_letter_kind kind;
	enum setting first; /* subject, template and path */
	const char *fragment;
} letters[GOTRUE_LETTERS] = {
	[GOTRUE_INVITE] = { PT_LETTER_INVITE, SET_SUBJECT_INVITE, "invite_token=" },
	[GOTRUE_CONFIRMATION] = { PT_LETTER_VERIFY, SET_SUBJECT_CONFIRMATION,
		"confirmation_token=" },
	[GOTRUE_RECOVERY] = { PT_LETTER_RESET, SET_SUBJECT_RECOVERY, "recovery_token=" },
	[GOTRUE_EMAIL_CHANGE] = { PT_LETTER_EMAIL_CHANGE, SET_SUBJECT_EMAIL_CHANGE,
		"email_change_token=" },
};

static void provider_make(const struct config *c, size_t i, struct gotrue_provider_options *out)
{
	int first = (int)providers[i].first;
	bool oidc = providers[i].first == SET_OIDC_ENABLED;

	*out = (struct gotrue_provider_options){
		.kind = providers[i].kind,
		.name = oidc ? config_text(c, SET_OIDC_NAME) : str(providers[i].kind),
		.enabled = config_true(c, (enum setting)first),
		.client_id = config_text(c, (enum setting)(first + 1)),
		.secret = config_text(c, (enum setting)(first + 2)),
		.redirect_uri = config_text(c, (enum setting)(first + 3)),
		.url = config_text(c, (enum setting)(first + 4)),
		.scopes = oidc ? config_text(c, SET_OIDC_SCOPES) : PT_STR(""),
	};
}

void gotrue_options_make(const struct config *c, struct gotrue_options *out)
{
	*out = (struct gotrue_options){
		.site_url = config_text(c, SET_GOTRUE_SITE_URL),
		.redirect_url = config_text(c, SET_GOTRUE_REDIRECT_URL),
		.secret = config_text(c, SET_JWT_SECRET),
		.audience = config_text(c, SET_GOTRUE_AUD),
		.admin_group = config_text(c, SET_GOTRUE_ADMIN_GROUP),
		.default_group = config_text(c, SET_GOTRUE_DEFAULT_GROUP),
		.saml_label = config_text(c, SET_GOTRUE_SAML_LABEL),
		.cookie_key = config_text(c, SET_GOTRUE_COOKIE_KEY),
		.files = true,
		.signup_off = config_true(c, SET_GOTRUE_DISABLE_SIGNUP),
		.autoconfirm = config_true(c, SET_GOTRUE_AUTOCONFIRM),
		.email_off = config_true(c, SET_GOTRUE_EMAIL_DISABLED),
		.token_life = config_number(c, SET_GOTRUE_TOKEN_LIFE),
		.refresh_life = config_number(c, SET_REFRESH_LIFE),
		.confirmation_life = config_number(c, SET_GOTRUE_CONFIRMATION_LIFE),
		.recovery_life = config_number(c, SET_GOTRUE_RECOVERY_LIFE),
		.invite_life = config_number(c, SET_GOTRUE_INVITE_LIFE),
		.mail_pause = config_number(c, SET_MAIL_MAX_FREQUENCY),
		.cookie_life = config_number(c, SET_GOTRUE_COOKIE_DURATION),
		.webhook = { config_text(c, SET_WEBHOOK_URL), config_text(c, SET_WEBHOOK_SECRET),
			(int)config_number(c, SET_WEBHOOK_RETRIES),
			config_number(c, SET_WEBHOOK_TIMEOUT), config_text(c, SET_WEBHOOK_EVENTS) },
	};
	for (size_t i = 0; i < GOTRUE_LETTERS; i++) {
		int first = (int)letters[i].first;

		out->letters[i].subject = config_text(c, (enum setting)first);
		out->letters[i].body = config_text(c, (enum setting)(first + 1));
		out->letters[i].path = config_text(c, (enum setting)(first + 2));
	}
	for (size_t i = 0; i < GOTRUE_PROVIDERS; i++)
		provider_make(c, i, &out->providers[i]);
}

void gotrue_policy_make(
	const struct gotrue_options *o, const struct pt_policy *base, struct pt_policy *out)
{
	*out = *base;
	out->token_profile = true;
	out->names_required = false;
	out->signin_with_email = true;
	out->signin_password_min = 0;
	out->password_max_bytes = PASSWORD_BYTES;
	out->verify_life = o->confirmation_life;
	out->email_change_life = o->confirmation_life;
	out->reset_life = o->recovery_life;
	out->invite_life = o->invite_life;
	out->access_life = o->token_life;
	out->refresh_life = o->refresh_life;
	out->signup_off = o->signup_off;
	out->autoconfirm = o->autoconfirm;
	out->mail_pause = o->mail_pause;
	out->mail_limit_told = true;
	if (o->mail_pause > 0)
		out->mail_per_recipient = 0;
	out->log_names = true;
	out->captcha = false;
}

/* The pages confirm addresses and set passwords; the rest only an application can. */
static bool leads_to_pages(const struct gotrue_options *o, enum pt_letter_kind kind)
{
	return o->at_pages && (kind == PT_LETTER_VERIFY || kind == PT_LETTER_RESET);
}

pt_err gotrue_looks_make(struct arena *arena, const struct gotrue_options *o, pt_str site_url,
	struct pt_letter_look looks[PT_LETTER_LOOKS])
{
	for (size_t i = 0; i < GOTRUE_LETTERS; i++) {
		struct pt_letter_look look = { .subject = o->letters[i].subject };
		pt_str path = o->letters[i].path;

		if (!leads_to_pages(o, letters[i].kind))
			TRY(site_link_make(arena, site_url, path.n > 0 ? path : PT_STR("/"),
				str(letters[i].fragment), &look.link));
		TRY(site_template_make(arena, site_url, o->letters[i].body, o->files, &look.body));
		looks[letters[i].kind] = look;
	}
	return PT_OK;
}

bool gotrue_provider_is_whole(const struct gotrue_provider_options *p)
{
	return p->enabled && p->client_id.n > 0 && p->secret.n > 0 && p->redirect_uri.n > 0;
}

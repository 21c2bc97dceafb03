/*
 * gotrue_instance.c - the JSON that an operator keeps for one of many sites.
 */
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "server/gotrue.h"

#include "base/banned.h"

enum kind { TEXT, TRUTH, COUNT, PORT, SECONDS, NANOSECONDS, LIST };

/* Where a member goes. `lent`: the server's own value stands, unless there is something here. */
struct field {
	const char *path;
	enum kind kind;
	size_t offset;
	bool lent;
};

#define AT(member) offsetof(struct gotrue_options, member)
#define LETTER(id, name)                                                         \
	{ "mailer.subjects." name, TEXT, AT(letters[id].subject), false },       \
		{ "mailer.templates." name, TEXT, AT(letters[id].body), false }, \
	{                                                                        \
		"mailer.url_paths." name, TEXT, AT(letters[id].path), false      \
	}

static const struct field fields[] = {
	{ "site_url", TEXT, AT(site_url), false },
	{ "jwt.secret", TEXT, AT(secret), false },
	{ "jwt.exp", SECONDS, AT(token_life), false },
	{ "jwt.aud", TEXT, AT(audience), false },
	{ "jwt.admin_group_name", TEXT, AT(admin_group), false },
	{ "jwt.default_group_name", TEXT, AT(default_group), false },
	{ "jwt.refresh_token_lifetime", SECONDS, AT(refresh_life), false },
	{ "smtp.max_frequency", NANOSECONDS, AT(mail_pause), true },
	{ "smtp.host", TEXT, AT(mail.host), false },
	{ "smtp.port", PORT, AT(mail.port), false },
	{ "smtp.user", TEXT, AT(mail.user), false },
	{ "smtp.pass", TEXT, AT(mail.pass), false },
	{ "smtp.admin_email", TEXT, AT(mail.from), false },
	{ "mailer.autoconfirm", TRUTH, AT(autoconfirm), false },
	{ "mailer.confirmation_max_age", NANOSECONDS, AT(confirmation_life), false },
	{ "mailer.recovery_max_age", NANOSECONDS, AT(recovery_life), false },
	{ "mailer.invite_max_age", NANOSECONDS, AT(invite_life), false },
	LETTER(GOTRUE_INVITE, "invite"),
	LETTER(GOTRUE_CONFIRMATION, "confirmation"),
	LETTER(GOTRUE_RECOVERY, "recovery"),
	LETTER(GOTRUE_EMAIL_CHANGE, "email_change"),
	{ "external.email.disabled", TRUTH, AT(email_off), true },
	{ "external.saml.name", TEXT, AT(saml_label), true },
	{ "external.redirect_url", TEXT, AT(redirect_url), true },
	{ "disable_signup", TRUTH, AT(signup_off), false },
	{ "webhook.url", TEXT, AT(webhook.url), false },
	{ "webhook.secret", TEXT, AT(webhook.secret), false },
	{ "webhook.retries", COUNT, AT(webhook.tries), false },
	{ "webhook.timeout_sec", SECONDS, AT(webhook.try_time), false },
	{ "webhook.events", LIST, AT(webhook.events), false },
	{ "cookies.key", TEXT, AT(cookie_key), false },
	{ "cookies.duration", SECONDS, AT(cookie_life), false },
};

static const struct json_value *find(const struct json_value *from, pt_str path)
{
	pt_str name;

	while (from && path.n > 0) {
		str_cut(path, '.', &name, &path);
		from = json_find(from, name);
	}
	return from && from->type != JSON_NULL ? from : NULL;
}

/* ["validate","login"] -> "validate,login" */
static pt_err list_join(struct arena *arena, const struct json_value *list, pt_str *out)
{
	struct buf b = BUF(arena, 4 * KIB);

	for (size_t i = 0; i < list->n; i++) {
		if (list->items[i].type != JSON_STRING)
			return PT_E_MALFORMED;
		buf_str(&b, list->items[i].text);
		buf_char(&b, ',');
	}
	return buf_done(&b, out);
}

/* Nothing, or less, leaves the default. */
static void time_put(pt_time *time, int64_t count, int64_t worth)
{
	/* What is added to a clock must not pass its end. */
	static const pt_time longest = 100 * 365 * PT_DAY;

	if (count > 0)
		*time = count < longest / worth ? count * worth : longest;
}

/* 0 is unset. */
static pt_err port_put(int *port, int64_t number)
{
	if (number < 0 || number > 65535)
		return PT_E_MALFORMED;
	*port = (int)number;
	return PT_OK;
}

/* PT_E_MALFORMED: it is of another type, or no port. */
static pt_err field_put(
	struct arena *arena, const struct field *field, const struct json_value *value, void *at)
{
	switch (field->kind) {
	case TEXT:
		if (value->type != JSON_STRING)
			return PT_E_MALFORMED;
		if (value->text.n > 0)
			*(pt_str *)at = value->text;
		return PT_OK;
	case TRUTH:
		if (value->type != JSON_BOOL)
			return PT_E_MALFORMED;
		if (value->truth || !field->lent)
			*(bool *)at = value->truth;
		return PT_OK;
	case LIST:
		if (value->type != JSON_ARRAY)
			return PT_E_MALFORMED;
		return list_join(arena, value, at);
	case COUNT:
	case PORT:
	case SECONDS:
	case NANOSECONDS:
		break;
	}
	if (value->type != JSON_NUMBER || value->text.n == 0)
		return PT_E_MALFORMED;
	if (field->kind == PORT)
		return port_put(at, value->number);
	if (field->kind == SECONDS)
		time_put(at, value->number, PT_SECOND);
	else if (field->kind == NANOSECONDS)
		time_put(at, value->number / 1000, 1);
	else
		*(int *)at = value->number > 0 && value->number < 100 ? (int)value->number : 0;
	return PT_OK;
}

static pt_err field_read(struct arena *arena, const struct json_value *top,
	const struct field *field, void *at, const char **why)
{
	const struct json_value *value = find(top, str(field->path));

	if (!value)
		return PT_OK;
	pt_err err = field_put(arena, field, value, at);
	if (err == PT_E_MALFORMED) {
		*why = field->path;
		return PT_F_CONFIG;
	}
	return err;
}

static pt_err provider_read(struct arena *arena, const struct json_value *top,
	struct gotrue_provider_options *provider, const char **why)
{
#define IN(member) offsetof(struct gotrue_provider_options, member)
	static const struct field members[] = {
		{ "enabled", TRUTH, IN(enabled), true },
		{ "client_id", TEXT, IN(client_id), true },
		{ "secret", TEXT, IN(secret), true },
		{ "redirect_uri", TEXT, IN(redirect_uri), true },
		{ "url", TEXT, IN(url), true },
	};
#undef IN
	const struct json_value *external = find(top, PT_STR("external"));
	const struct json_value *from = external ? json_find(external, provider->name) : NULL;

	if (!from || from->type == JSON_NULL)
		return PT_OK;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		TRY(field_read(
			arena, from, &members[i], (char *)provider + members[i].offset, why));
	return PT_OK;
}

/* As GoTrue has it where an instance says nothing. */
static void usual(const struct gotrue_options *base, struct gotrue_options *out)
{
	*out = (struct gotrue_options){
		.redirect_url = base->redirect_url,
		.saml_label = base->saml_label,
		.email_off = base->email_off,
		.mail_pause = base->mail_pause,
		.admin_group = PT_STR("admin"),
		.cookie_key = PT_STR("nf_jwt"),
		.token_life = PT_HOUR,
		.refresh_life = 30 * PT_DAY,
		.confirmation_life = PT_DAY,
		.recovery_life = PT_DAY,
		.invite_life = 7 * PT_DAY,
		.cookie_life = PT_DAY,
	};
	for (size_t i = 0; i < GOTRUE_LETTERS; i++)
		out->letters[i].subject = base->letters[i].subject;
	memcpy(out->providers, base->providers, sizeof(out->providers));
}

/* 0 is unset for GoTrue's clients of this JSON, and less means none. */
static void cookie_read(const struct json_value *top, struct gotrue_options *out)
{
	const struct json_value *duration = find(top, PT_STR("cookies.duration"));

	if (duration && duration->type == JSON_NUMBER && duration->number < 0)
		out->cookie_life = 0;
}

pt_err gotrue_instance_read(struct arena *arena, const struct gotrue_options *base, pt_str json,
	struct gotrue_options *out, const char **why)
{
	struct gotrue_options options;
	struct json_value top;

	*why = "it is no JSON object";
	pt_err err = json_read(arena, json, &top);
	if (err == PT_E_MALFORMED || (err == PT_OK && top.type != JSON_OBJECT))
		return PT_F_CONFIG;
	TRY(err);
	usual(base, &options);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		TRY(field_read(arena, &top, &fields[i], (char *)&options + fields[i].offset, why));
	for (size_t i = 0; i < GOTRUE_PROVIDERS; i++)
		TRY(provider_read(arena, &top, &options.providers[i], why));
	cookie_read(&top, &options);
	*why = "jwt.secret is missing";
	if (options.secret.n == 0)
		return PT_F_CONFIG;
	*out = options;
	return PT_OK;
}

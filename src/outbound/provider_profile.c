/*
 * provider_profile.c - who a provider's answers say that it is.
 *
 * What somebody could type there himself (a name, a picture's address) is dropped where it is not
 * fine; an account that cannot be named, or has no address, is nobody.
 */
#include "outbound/provider_private.h"

#include "base/err.h"
#include "base/str.h"

#include "base/banned.h"

enum {
	ADDRESS_MAX = 254, /* RFC 5321 4.5.3.1.3, without the angle brackets */
	NAME_MAX = 512,
};

static pt_err refuse(const char **why, const char *reason)
{
	*why = reason;
	return PT_E_MALFORMED;
}

/* ---- texts ---- */

/* C0, DEL, and C1 as UTF-8 has them. */
static bool is_control(pt_str text, size_t at)
{
	unsigned char c = (unsigned char)text.p[at];

	if (c < 0x20 || c == 0x7F)
		return true;
	return c == 0xC2 && at + 1 < text.n && (unsigned char)text.p[at + 1] < 0xA0;
}

bool profile_text_is_fine(pt_str text, size_t max)
{
	for (size_t i = 0; i < text.n && text.n <= max; i++) {
		if (is_control(text, i))
			return false;
	}
	return text.n <= max;
}

static const struct json_value *find_at(const struct json_value *value, const char *path)
{
	pt_str name, rest = str(path);

	while (value && rest.n > 0) {
		str_cut(rest, '.', &name, &rest);
		value = json_find(value, name);
	}
	return path ? value : NULL;
}

pt_str profile_text(const struct json_value *object, const char *path, size_t max)
{
	const struct json_value *value = find_at(object, path);

	if (!value || value->type != JSON_STRING || !profile_text_is_fine(value->text, max))
		return PT_STR("");
	return value->text;
}

static bool is_true(const struct json_value *value)
{
	return value && value->type == JSON_BOOL && value->truth;
}

/* ---- addresses ---- */

void profile_add_email(struct pt_profile *profile, struct pt_profile_email email)
{
	if (email.address.n == 0 || !profile_text_is_fine(email.address, ADDRESS_MAX))
		return;
	if (profile->n_emails < PT_PROFILE_EMAILS)
		profile->emails[profile->n_emails++] = email;
	else if (email.primary)
		profile->emails[PT_PROFILE_EMAILS - 1] = email;
}

static void read_listed(const struct profile_rule *rule, const struct json_value *answer,
	struct pt_profile *profile)
{
	const struct json_value *list =
		rule->listed.list ? find_at(answer, rule->listed.list) : answer;

	for (size_t i = 0; list && list->type == JSON_ARRAY && i < list->n; i++) {
		const struct json_value *item = &list->items[i];

		profile_add_email(profile,
			(struct pt_profile_email){
				.address = profile_text(item, rule->listed.address, ADDRESS_MAX),
				.verified = is_true(find_at(item, rule->listed.verified)),
				.primary = is_true(find_at(item, rule->listed.primary)),
			});
	}
}

static bool own_is_verified(const struct profile_rule *rule, const struct json_value *user)
{
	switch (rule->own.how) {
	case VERIFIED_IF_TRUE:
		return is_true(find_at(user, rule->own.verified));
	case VERIFIED_IF_THERE:
		return profile_text(user, rule->own.verified, NAME_MAX).n > 0;
	case VERIFIED_ALWAYS:
		return true;
	}
	return false;
}

static void read_own(
	const struct profile_rule *rule, const struct json_value *user, struct pt_profile *profile)
{
	profile_add_email(
		profile, (struct pt_profile_email){
				 .address = profile_text(user, rule->own.address, ADDRESS_MAX),
				 .verified = own_is_verified(rule, user),
				 .primary = true,
			 });
}

/* ---- the person ---- */

/* Some count their accounts: a number's decimal text is its name. */
static pt_err read_subject(
	const struct json_value *user, const char *path, pt_str *out, const char **why)
{
	const struct json_value *value = find_at(user, path);

	if (!value || value->type == JSON_NULL)
		return PT_OK;
	if (value->type != JSON_STRING && !(value->type == JSON_NUMBER && value->text.n > 0))
		return refuse(why, "the account's name there is no text and no whole number");
	if (!profile_text_is_fine(value->text, PROVIDER_SUBJECT_MAX))
		return refuse(
			why, "the account's name there is too long or holds control characters");
	*out = value->text;
	return PT_OK;
}

/* Never fetched by us, and no script for who shows it. */
static pt_str read_avatar(const struct json_value *user, const struct profile_rule *rule)
{
	for (size_t i = 0; i < 2; i++) {
		pt_str url = profile_text(user, rule->avatar_url[i], PROVIDER_URL_MAX);

		if (provider_url_is_fine(url, true))
			return url;
	}
	return PT_STR("");
}

static pt_err read_full_name(struct arena *arena, const struct json_value *user,
	const struct profile_rule *rule, pt_str *out)
{
	struct buf b = BUF(arena, 2 * NAME_MAX + 2);

	for (size_t i = 0; i < 2; i++) {
		pt_str part = str_trim(profile_text(user, rule->full_name[i], NAME_MAX));

		if (b.n > 0 && part.n > 0)
			buf_char(&b, ' ');
		buf_str(&b, part);
	}
	return buf_done(&b, out);
}

pt_err profile_read(struct arena *arena, const struct profile_rule *rule,
	const struct json_value *user, const struct json_value *emails, struct pt_profile *out,
	const char **why)
{
	struct pt_profile profile = {
		.subject = PT_STR(""),
		.avatar_url = read_avatar(user, rule),
		.slug = profile_text(user, rule->slug, NAME_MAX),
	};

	if (user->type != JSON_OBJECT)
		return refuse(why, "the profile is no object");
	TRY(read_subject(user, rule->subject, &profile.subject, why));
	TRY(read_full_name(arena, user, rule, &profile.full_name));
	if (emails)
		read_listed(rule, emails, &profile);
	read_own(rule, user, &profile);
	if (profile.n_emails == 0)
		return refuse(why, "the account has no address that we may see");
	*out = profile;
	return PT_OK;
}

pt_err profile_copy(pt_arena *arena, const struct pt_profile *profile, struct pt_profile *out)
{
	struct pt_profile copy = *profile;
	bool fits = arena_str(arena, profile->subject, &copy.subject) &&
		    arena_str(arena, profile->full_name, &copy.full_name) &&
		    arena_str(arena, profile->avatar_url, &copy.avatar_url) &&
		    arena_str(arena, profile->slug, &copy.slug);

	for (size_t i = 0; fits && i < profile->n_emails; i++)
		fits = arena_str(arena, profile->emails[i].address, &copy.emails[i].address);
	if (!fits)
		return fault(PT_F_MEMORY, "no room for a profile");
	*out = copy;
	return PT_OK;
}

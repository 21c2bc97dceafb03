/*
 * words.c - each refusal and fault, in the dialect's words. No default: a new one does not compile
 * until it has words here.
 */
#include "surface/pages/pages.h"

#include "base/str.h"
#include "base/banned.h"

#define WORDS(status_, message_, field_, text_) \
	((struct words){ (status_), PT_STR(message_), (field_), (text_) })

static bool is_reset(const struct exchange *ex)
{
	return ex->route && (ex->route->handler == reset_post || ex->route->handler == reset_show);
}

static const char *password_field(const struct exchange *ex)
{
	return is_reset(ex) ? "new_password" : "password";
}

size_t pages_password_min(const struct exchange *ex)
{
	const struct pt_policy *policy = pt_site_policy(ex->surface->setup.site);
	bool signin = ex->route && ex->route->handler == signin_post;

	return signin ? policy->signin_password_min : policy->password_min;
}

static pt_err words_password_short(struct exchange *ex, struct words *out)
{
	struct buf b = BUF(ex->arena, 256);

	*out = WORDS(400, "", password_field(ex), "error.password.short");
	buf_printf(&b, "Password must be at least %zu characters long", pages_password_min(ex));
	return buf_done(&b, &out->message);
}

static pt_err words_password_long(struct exchange *ex, struct words *out)
{
	const struct pt_policy *policy = pt_site_policy(ex->surface->setup.site);
	struct buf b = BUF(ex->arena, 256);

	*out = WORDS(400, "", password_field(ex), "error.password.long");
	if (policy->hash_bcrypt)
		buf_str(&b, PT_STR("Password must be no more than 72 bytes long"));
	else
		buf_printf(&b, "Password must be no more than %zu characters long",
			policy->password_max);
	return buf_done(&b, &out->message);
}

/* A mailed link that is no good: the originals disagree about the status of /reset. */
static struct words words_ticket(const struct exchange *ex)
{
	bool unauthorised = is_reset(ex) && ex->surface->setup.pages.profile != PAGES_README;

	return unauthorised ? WORDS(401, "Invalid token", NULL, "error.ticket")
			    : WORDS(400, "Invalid token", NULL, "error.ticket");
}

static struct words words_email(const struct exchange *ex)
{
	bool forgot = ex->route && ex->route->handler == forgot_post;

	/* The form has one field for both. */
	if (ex->route && ex->route->handler == signin_post)
		return WORDS(400, "Invalid email address", "username", "error.email");
	if (forgot && ex->surface->setup.pages.profile != PAGES_G2)
		return WORDS(400, "Invalid email", "email", "error.email");
	return WORDS(400, "Invalid email address", "email", "error.email");
}

static pt_err words_find(struct exchange *ex, pt_err err, struct words *out)
{
	switch (err) {
	case PT_OK:
		return PT_F_BUG;
	case PT_E_MALFORMED:
		*out = WORDS(400, "Invalid input", NULL, "error.malformed");
		return PT_OK;
	case PT_E_USERNAME:
		*out = WORDS(400,
			"Username must be 3-20 characters long and contain only letters, numbers, "
			"and underscores",
			"username", "error.username");
		return PT_OK;
	case PT_E_EMAIL:
		*out = words_email(ex);
		return PT_OK;
	case PT_E_PASSWORD_SHORT:
		return words_password_short(ex, out);
	case PT_E_PASSWORD_LONG:
		return words_password_long(ex, out);
	case PT_E_PASSWORD_COMMON:
		*out = WORDS(400, "Password is too common, please choose another one",
			password_field(ex), "error.password.common");
		return PT_OK;
	case PT_E_PASSWORD_BYTES:
		*out = WORDS(400, "Invalid input", password_field(ex), "error.password.bytes");
		return PT_OK;
	case PT_E_GIVEN_NAME_LONG:
		*out = WORDS(400, "Firstname must be no more than 50 characters", "firstname",
			"error.firstname");
		return PT_OK;
	case PT_E_FAMILY_NAME_LONG:
		*out = WORDS(400, "Lastname must be no more than 50 characters", "lastname",
			"error.lastname");
		return PT_OK;
	case PT_E_NAMES_MISSING:
		*out = WORDS(400, "Firstname and lastname are required", "firstname",
			"error.names_missing");
		return PT_OK;
	case PT_E_CAPTCHA:
		*out = WORDS(400, "Invalid reCAPTCHA", NULL, "error.captcha");
		return PT_OK;
	case PT_E_METADATA:
		*out = WORDS(400, "Invalid input", NULL, "error.malformed");
		return PT_OK;
	case PT_E_PASSWORD_MISSING:
		*out = WORDS(
			400, "Password is required", password_field(ex), "error.password.short");
		return PT_OK;
	case PT_E_TAKEN:
		*out = WORDS(400, "Username or email already exists", NULL, "error.taken");
		return PT_OK;
	case PT_E_CREDENTIALS:
		*out = WORDS(401, "Invalid credentials", NULL, "error.credentials");
		return PT_OK;
	case PT_E_UNVERIFIED:
		*out = WORDS(401, "Account not verified", NULL, "error.unverified");
		return PT_OK;
	case PT_E_DISABLED:
		*out = WORDS(401, "Account disabled", NULL, "error.disabled");
		return PT_OK;
	case PT_E_LIMITED:
		*out = WORDS(429, "Too many login attempts", NULL, "error.limited");
		return PT_OK;
	case PT_E_MAIL_LIMITED:
		*out = WORDS(429, "Too many emails requested, please try again later", NULL,
			"error.mail_limited");
		return PT_OK;
	case PT_E_TICKET:
	case PT_E_TICKET_EXPIRED:
		*out = words_ticket(ex);
		return PT_OK;
	case PT_E_SIGNUP_OFF:
		*out = WORDS(403, "Signups are not allowed here", NULL, "error.signup_off");
		return PT_OK;
	case PT_E_FORBIDDEN:
	case PT_E_HOOK_REFUSED:
		*out = WORDS(403, "Not allowed", NULL, "error.forbidden");
		return PT_OK;
	case PT_E_NOT_SIGNED_IN:
		*out = WORDS(401, "Not signed in", NULL, "error.not_signed_in");
		return PT_OK;
	case PT_E_TOKEN_MISSING:
		*out = WORDS(401, "Authorization header is required", NULL, "error.not_signed_in");
		return PT_OK;
	case PT_E_TOKEN:
		*out = WORDS(401, "Invalid token", NULL, "error.not_signed_in");
		return PT_OK;
	case PT_E_TOKEN_CLAIMS:
		*out = WORDS(401, "Invalid token claims", NULL, "error.not_signed_in");
		return PT_OK;
	case PT_E_REFRESH:
	case PT_E_REFRESH_EXPIRED:
	case PT_E_REUSED:
		*out = WORDS(401, "Invalid refresh token", NULL, "error.not_signed_in");
		return PT_OK;
	case PT_E_CSRF_MISSING:
		*out = WORDS(403, "Forbidden - CSRF token not found in request", NULL,
			"error.form_expired");
		return PT_OK;
	case PT_E_CSRF:
		*out = WORDS(403, "Forbidden - CSRF token invalid", NULL, "error.form_expired");
		return PT_OK;
	case PT_E_ORIGIN:
		*out = WORDS(403, "Forbidden - origin invalid", NULL, "error.origin");
		return PT_OK;
	case PT_E_REFERER_MISSING:
		*out = WORDS(403, "Forbidden - referer not supplied", NULL, "error.referer");
		return PT_OK;
	case PT_E_REFERER:
		*out = WORDS(403, "Forbidden - referer invalid", NULL, "error.origin");
		return PT_OK;
	case PT_E_CROSS_SITE:
		*out = WORDS(403, "Cross-site signout refused", NULL, "error.cross_site");
		return PT_OK;
	case PT_E_STATE:
	case PT_E_PROVIDER_EXCHANGE:
	case PT_E_PROVIDER_PROFILE:
	case PT_E_INVITE_MISMATCH:
		*out = WORDS(400, "Signing in elsewhere did not work", NULL, "error.elsewhere");
		return PT_OK;
	case PT_E_MAIL:
		*out = WORDS(503, "The letter could not be sent", NULL, "error.fault");
		return PT_OK;
	case PT_E_HOOK_TIMEOUT:
	case PT_E_HOOK_UNREACHABLE:
	case PT_E_HOOK_BROKEN:
	case PT_E_HOOK_MALFORMED:
		*out = WORDS(503, "Service not available", NULL, "error.fault");
		return PT_OK;
	case PT_E_NOT_FOUND:
		*out = WORDS(404, "404 page not found", NULL, "error.not_found");
		return PT_OK;
	case PT_E_METHOD:
		*out = WORDS(405, "Method not allowed", NULL, "error.method");
		return PT_OK;
	case PT_E_TOO_LARGE:
		*out = WORDS(413, "Request body too large", NULL, "error.too_large");
		return PT_OK;
	case PT_E_MEDIA_TYPE:
		*out = WORDS(415, "Unsupported media type", NULL, "error.media_type");
		return PT_OK;
	case PT_E_BUSY:
		*out = WORDS(503, "Server is busy, please try again", NULL, "error.busy");
		return PT_OK;
	case PT_F_STORE:
		*out = WORDS(503, "Database not available", NULL, "error.fault");
		return PT_OK;
	case PT_F_MEMORY:
	case PT_F_RANDOM:
		*out = WORDS(503, "Service not available", NULL, "error.fault");
		return PT_OK;
	case PT_F_CRYPTO:
	case PT_F_IO:
	case PT_F_CONFIG:
	case PT_F_RENDER:
	case PT_F_BUG:
		*out = WORDS(500, "Internal server error", NULL, "error.fault");
		return PT_OK;
	}
	return PT_F_BUG;
}

pt_err words_for(struct exchange *ex, pt_err err, struct words *out)
{
	struct words words;

	TRY(words_find(ex, err, &words));
	/* G1 named no field. */
	if (ex->surface->setup.pages.profile == PAGES_G1 && words.field &&
		!str_eq(words.message, PT_STR("Invalid email")))
		words.message = PT_STR("Invalid input");
	if (ex->status)
		words.status = ex->status;
	*out = words;
	return PT_OK;
}

/*
 * words.c - each refusal and fault, in the dialect's words. No default: a new one does not compile
 * until it has words here.
 */
#include "base/str.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

#define SAY(status_, text_) ((struct gotrue_words){ .status = (status_), .text = PT_STR(text_) })
#define OAUTH(error_, text_) \
	((struct gotrue_words){ .status = 400, .text = PT_STR(text_), .oauth = (error_) })

/* One refusal is said differently from door to door. */
static bool at(const struct exchange *ex, pt_err (*handler)(struct exchange *ex))
{
	return ex->route && ex->route->handler == handler;
}

static struct gotrue_words words_taken(const struct exchange *ex)
{
	if (at(ex, gotrue_signup_post) || at(ex, callback_show))
		return SAY(400, "A user with this email address has already been registered");
	if (at(ex, instances_post))
		return SAY(400, "An instance with that UUID already exists");
	return SAY(422, "Email address already registered by another user");
}

static struct gotrue_words words_ticket(const struct exchange *ex)
{
	/* In a redirect a 404 becomes server_error, by the table there. */
	return at(ex, user_put) ? SAY(401, "Email Change Token didn't match token on file")
				: SAY(404, "User not found");
}

static struct gotrue_words words_ticket_expired(const struct exchange *ex)
{
	if (at(ex, user_put))
		return SAY(422, "Email change token expired");
	return at(ex, callback_show) ? SAY(400, "Confirmation token expired")
				     : SAY(422, "Confirmation token expired");
}

static struct gotrue_words words_limited(const struct exchange *ex)
{
	return at(ex, token_post) ? SAY(429, "Rate limit exceeded")
				  : SAY(429, "Rate limit exceeded, try again later");
}

static struct gotrue_words words_mail(const struct exchange *ex)
{
	if (at(ex, invite_post))
		return SAY(500, "Error inviting user");
	if (at(ex, recover_post))
		return SAY(500, "Error recovering user");
	if (at(ex, user_put))
		return SAY(500, "Error sending change email");
	return SAY(500, "Error sending confirmation mail");
}

static struct gotrue_words words_missing(const struct exchange *ex)
{
	if (at(ex, logout_post))
		return SAY(401, "Invalid user");
	if (at(ex, instance_show) || at(ex, instance_put) || at(ex, instance_delete))
		return SAY(404, "Instance not found");
	return SAY(404, "User not found");
}

static struct gotrue_words words_fault(const struct exchange *ex)
{
	if (at(ex, users_post))
		return SAY(500, "Database error creating new user");
	if (at(ex, one_user_put))
		return SAY(500, "Error updating user");
	return SAY(500, "Internal server error");
}

/* At sign-in whatever is wrong with a name or a password is one thing. */
static struct gotrue_words words_input(const struct exchange *ex, struct gotrue_words words)
{
	return at(ex, token_post) ? OAUTH("invalid_grant",
					    "No user found with that email, or password invalid.")
				  : words;
}

/* The hook's own words where it has any. */
static struct gotrue_words words_hook(const struct exchange *ex, struct gotrue_words words)
{
	pt_str detail = ex->call ? pt_call_detail(ex->call) : PT_STR("");

	if (detail.n > 0)
		words.text = detail;
	return words;
}

static struct gotrue_words words_for(struct exchange *ex, pt_err err)
{
	switch (err) {
	case PT_OK:
		break;
	case PT_E_MALFORMED:
		return SAY(400, "Bad request");
	case PT_E_USERNAME:
	case PT_E_EMAIL:
		return words_input(
			ex, SAY(422, "Unable to validate email address: not an address of the form "
				     "name@example.com"));
	case PT_E_PASSWORD_SHORT:
		return words_input(ex, SAY(422, "Password is too short"));
	case PT_E_PASSWORD_LONG:
		return words_input(ex, SAY(422, "Password is too long"));
	case PT_E_PASSWORD_COMMON:
		return words_input(ex, SAY(422, "Password is too easy to guess"));
	case PT_E_PASSWORD_BYTES:
		return words_input(ex, SAY(422, "Password has characters that cannot be used"));
	case PT_E_GIVEN_NAME_LONG:
	case PT_E_FAMILY_NAME_LONG:
	case PT_E_NAMES_MISSING:
		return SAY(422, "Name cannot be used");
	case PT_E_METADATA:
		return SAY(422, "Metadata must be an object that is not too large");
	case PT_E_CAPTCHA:
		return SAY(400, "Captcha was not passed");
	case PT_E_PASSWORD_MISSING:
		return SAY(422, "Invited users must specify a password");
	case PT_E_TAKEN:
		return words_taken(ex);
	case PT_E_CREDENTIALS:
		return OAUTH(
			"invalid_grant", "No user found with that email, or password invalid.");
	case PT_E_UNVERIFIED:
		return OAUTH("invalid_grant", "Email not confirmed");
	case PT_E_DISABLED:
		return at(ex, token_post) ? OAUTH("invalid_grant", "User is disabled")
					  : SAY(403, "User is disabled");
	case PT_E_LIMITED:
	case PT_E_MAIL_LIMITED:
		return words_limited(ex);
	case PT_E_TICKET:
		return words_ticket(ex);
	case PT_E_TICKET_EXPIRED:
		return words_ticket_expired(ex);
	case PT_E_SIGNUP_OFF:
		return SAY(403, "Signups not allowed for this instance");
	case PT_E_FORBIDDEN:
		return SAY(401, "User not allowed");
	case PT_E_NOT_SIGNED_IN:
	case PT_E_TOKEN_MISSING:
		return SAY(401, "This endpoint requires a Bearer token");
	case PT_E_TOKEN:
	case PT_E_TOKEN_CLAIMS:
		return SAY(401, "Invalid token");
	case PT_E_REFRESH:
	case PT_E_REUSED:
		return OAUTH("invalid_grant", "Invalid Refresh Token");
	case PT_E_REFRESH_EXPIRED:
		return OAUTH("invalid_grant", "Refresh token expired");
	case PT_E_CSRF_MISSING:
	case PT_E_CSRF:
	case PT_E_ORIGIN:
	case PT_E_REFERER_MISSING:
	case PT_E_REFERER:
	case PT_E_CROSS_SITE:
		return SAY(403, "Forbidden");
	case PT_E_MAIL:
		return words_mail(ex);
	case PT_E_HOOK_REFUSED:
		return words_hook(ex, SAY(422, "Failed to handle signup webhook"));
	case PT_E_HOOK_TIMEOUT:
		return words_hook(ex, SAY(504, "Failed to perform webhook in time frame"));
	case PT_E_HOOK_UNREACHABLE:
		return words_hook(ex, SAY(502, "Failed to connect to webhook"));
	case PT_E_HOOK_BROKEN:
		return words_hook(ex, SAY(500, "Failed to trigger webhook"));
	case PT_E_HOOK_MALFORMED:
		return words_hook(ex, SAY(500, "Webhook returned malformed JSON"));
	case PT_E_STATE:
		return SAY(400, "OAuth state is invalid");
	case PT_E_PROVIDER_EXCHANGE:
		return SAY(500, "Unable to exchange external code");
	case PT_E_PROVIDER_PROFILE:
		return SAY(500, "Error getting user email from external provider");
	case PT_E_INVITE_MISMATCH:
		return SAY(400, "Invited email does not match emails from external provider");
	case PT_E_NOT_FOUND:
		return words_missing(ex);
	case PT_E_METHOD:
		return SAY(405, "Method not allowed");
	case PT_E_TOO_LARGE:
		return SAY(413, "Request body too large");
	case PT_E_MEDIA_TYPE:
		return SAY(415, "Unsupported media type");
	case PT_E_BUSY:
		return SAY(503, "Server is busy, try again");
	case PT_F_STORE:
		return SAY(503, "Database not available");
	case PT_F_MEMORY:
	case PT_F_RANDOM:
		return SAY(503, "Service unavailable");
	case PT_F_CRYPTO:
	case PT_F_IO:
	case PT_F_CONFIG:
	case PT_F_RENDER:
	case PT_F_BUG:
		return words_fault(ex);
	}
	return SAY(500, "Internal server error");
}

struct gotrue_words gotrue_words(struct exchange *ex, pt_err err)
{
	const struct visit *visit = visit_of(ex);
	struct gotrue_words words =
		visit->words.status && err == PT_E_MALFORMED ? visit->words : words_for(ex, err);

	if (ex->status)
		words.status = ex->status;
	return words;
}

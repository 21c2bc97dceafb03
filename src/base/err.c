/*
 * err.c - the names of outcomes, and where faults are born.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/err.h"
#include "base/log.h"

#include "base/banned.h"

#define NAME(err) \
	case err: \
		return #err

const char *pt_err_name(pt_err err)
{
	switch (err) {
		NAME(PT_OK);
		NAME(PT_E_MALFORMED);
		NAME(PT_E_USERNAME);
		NAME(PT_E_EMAIL);
		NAME(PT_E_PASSWORD_SHORT);
		NAME(PT_E_PASSWORD_LONG);
		NAME(PT_E_PASSWORD_COMMON);
		NAME(PT_E_PASSWORD_BYTES);
		NAME(PT_E_GIVEN_NAME_LONG);
		NAME(PT_E_FAMILY_NAME_LONG);
		NAME(PT_E_NAMES_MISSING);
		NAME(PT_E_CAPTCHA);
		NAME(PT_E_PASSWORD_MISSING);
		NAME(PT_E_METADATA);
		NAME(PT_E_TAKEN);
		NAME(PT_E_CREDENTIALS);
		NAME(PT_E_UNVERIFIED);
		NAME(PT_E_DISABLED);
		NAME(PT_E_LIMITED);
		NAME(PT_E_MAIL_LIMITED);
		NAME(PT_E_TICKET);
		NAME(PT_E_TICKET_EXPIRED);
		NAME(PT_E_SIGNUP_OFF);
		NAME(PT_E_FORBIDDEN);
		NAME(PT_E_NOT_SIGNED_IN);
		NAME(PT_E_TOKEN_MISSING);
		NAME(PT_E_TOKEN);
		NAME(PT_E_TOKEN_CLAIMS);
		NAME(PT_E_REFRESH);
		NAME(PT_E_REFRESH_EXPIRED);
		NAME(PT_E_REUSED);
		NAME(PT_E_CSRF_MISSING);
		NAME(PT_E_CSRF);
		NAME(PT_E_ORIGIN);
		NAME(PT_E_REFERER_MISSING);
		NAME(PT_E_REFERER);
		NAME(PT_E_CROSS_SITE);
		NAME(PT_E_MAIL);
		NAME(PT_E_HOOK_REFUSED);
		NAME(PT_E_HOOK_TIMEOUT);
		NAME(PT_E_HOOK_UNREACHABLE);
		NAME(PT_E_HOOK_BROKEN);
		NAME(PT_E_HOOK_MALFORMED);
		NAME(PT_E_STATE);
		NAME(PT_E_PROVIDER_EXCHANGE);
		NAME(PT_E_PROVIDER_PROFILE);
		NAME(PT_E_INVITE_MISMATCH);
		NAME(PT_E_NOT_FOUND);
		NAME(PT_E_METHOD);
		NAME(PT_E_TOO_LARGE);
		NAME(PT_E_MEDIA_TYPE);
		NAME(PT_E_BUSY);
		NAME(PT_F_STORE);
		NAME(PT_F_MEMORY);
		NAME(PT_F_CRYPTO);
		NAME(PT_F_RANDOM);
		NAME(PT_F_IO);
		NAME(PT_F_CONFIG);
		NAME(PT_F_RENDER);
		NAME(PT_F_BUG);
	}
	return "PT_F_UNKNOWN";
}

pt_err fault(pt_err err, const char *format, ...)
{
	int saved = errno;
	char message[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	LOG(LOG_ERROR, "fault", F_CSTR("err", pt_err_name(err)), F_CSTR("message", message));
	errno = saved;
	return err;
}

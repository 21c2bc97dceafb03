/*
 * policy.c - the rules.
 */
#include "core/policy.h"

#include "base/err.h"
#include "base/str.h"
#include "crypt/blocklist.h"
#include "crypt/password.h"
#include "base/banned.h"

/* bcrypt reads no further; a longer one is refused, never cut. */
enum { BCRYPT_BYTES_MAX = 72 };

static pt_err password_bytes(pt_str password)
{
	if (password.n > PASSWORD_BYTES_MAX)
		return PT_E_PASSWORD_LONG;
	if (!str_utf8(password) || (password.n > 0 && memchr(password.p, '\0', password.n)))
		return PT_E_PASSWORD_BYTES;
	return PT_OK;
}

static bool is_own_name(pt_str password, const struct password_context *context)
{
	pt_str local, domain;

	str_cut(context->email, '@', &local, &domain);
	return (context->username.n > 0 && str_eq_nocase(password, context->username)) ||
	       (context->email.n > 0 && str_eq_nocase(password, context->email)) ||
	       (local.n > 0 && str_eq_nocase(password, local));
}

pt_err policy_password(
	const struct pt_policy *policy, pt_str password, const struct password_context *context)
{
	TRY(password_bytes(password));
	size_t length = policy->password_in_bytes ? password.n : str_utf8_length(password);
	if (length < policy->password_min)
		return PT_E_PASSWORD_SHORT;
	if (str_utf8_length(password) > policy->password_max)
		return PT_E_PASSWORD_LONG;
	if (policy->hash_bcrypt && password.n > BCRYPT_BYTES_MAX)
		return PT_E_PASSWORD_LONG;
	if (policy->password_max_bytes > 0 && password.n > policy->password_max_bytes)
		return PT_E_PASSWORD_LONG;
	if (policy->password_blocklist &&
		(blocklist_has(password) || is_own_name(password, context)))
		return PT_E_PASSWORD_COMMON;
	return PT_OK;
}

pt_err policy_signin_password(const struct pt_policy *policy, pt_str password)
{
	TRY(password_bytes(password));
	return password.n < policy->signin_password_min ? PT_E_PASSWORD_SHORT : PT_OK;
}

pt_err policy_names(const struct pt_policy *policy, pt_str given, pt_str family)
{
	if (given.n > policy->name_max)
		return PT_E_GIVEN_NAME_LONG;
	if (family.n > policy->name_max)
		return PT_E_FAMILY_NAME_LONG;
	if (policy->names_required && (given.n == 0 || family.n == 0))
		return PT_E_NAMES_MISSING;
	return PT_OK;
}

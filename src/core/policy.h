/*
 * policy.h - rules as values: they read the policy and what was typed, and change nothing.
 */
#ifndef CORE_POLICY_H
#define CORE_POLICY_H

#include "portress/portress.h"

/* Words a password must not consist of, besides the common ones. */
struct password_context {
	pt_str username;
	pt_str email;
};

/*
 * May this be a new password? NIST SP 800-63B-4 3.1.1.2: length first, no composition rules, a
 * blocklist of whole passwords. PT_E_PASSWORD_BYTES, _SHORT, _LONG, _COMMON.
 */
PT_CHECK pt_err policy_password(
	const struct pt_policy *policy, pt_str password, const struct password_context *context);

/* Could a sign-in form carry this at all? PT_E_PASSWORD_BYTES, _SHORT, _LONG. */
PT_CHECK pt_err policy_signin_password(const struct pt_policy *policy, pt_str password);

/* PT_E_GIVEN_NAME_LONG, PT_E_FAMILY_NAME_LONG, PT_E_NAMES_MISSING. */
PT_CHECK pt_err policy_names(const struct pt_policy *policy, pt_str given, pt_str family);

#endif

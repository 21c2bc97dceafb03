/*
 * account.h - what was typed about a person, read and judged.
 */
#ifndef CORE_ACCOUNT_H
#define CORE_ACCOUNT_H

#include "core/call.h"
#include "core/email.h"
#include "portress/store.h"

struct account_draft {
	pt_str username;
	pt_str email;
	pt_str password;
	pt_str given_name;
	pt_str family_name;
	bool nameless; /* no user name is asked for */
};

/* In this order: PT_E_USERNAME, PT_E_EMAIL, PT_E_PASSWORD_*, PT_E_GIVEN_NAME_LONG, ... The account has
 * a fresh id and nothing in it is stored yet. An empty password is judged only when it is needed. */
PT_CHECK pt_err account_draft_read(struct pt_call *call, const struct account_draft *draft,
	bool needs_password, struct pt_account *out);

/* By user name, or by address where the policy lets one sign in with it. PT_E_NOT_FOUND. *key is the
 * canonical form, for counting; it is set whenever the name could be anybody's. PT_E_USERNAME,
 * PT_E_EMAIL when it could not. */
PT_CHECK pt_err account_name_read(
	struct pt_call *call, pt_str name, struct pt_account_query *query);

/* By id, of this tenant and no other. PT_E_NOT_FOUND. */
PT_CHECK pt_err account_by_id(struct pt_call *call, pt_str id, struct pt_account_record *out);

/* A JSON object of at most PT_METADATA_MAX bytes; "" is none. PT_E_METADATA. */
PT_CHECK pt_err metadata_check(struct pt_call *call, pt_str json);

/* Of the call's audience. PT_E_NOT_FOUND. */
PT_CHECK pt_err account_by_email(
	struct pt_call *call, pt_str email_key, struct pt_account_record *out);

#endif

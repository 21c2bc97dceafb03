/*
 * user.c - one's own account.
 */
#include "base/str.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

static pt_err own_id(struct exchange *ex, pt_str *out)
{
	*out = visit_of(ex)->access.subject;
	return is_uuid(*out) ? PT_OK : gotrue_no(ex, 400, "Could not read User ID claim");
}

/* Who was switched off has tokens that nobody can take back: they open nothing. */
static pt_err own_account(struct exchange *ex, pt_str id, struct pt_account *out)
{
	TRY(pt_account_get(ex->call, id, out));
	return out->disabled_at == 0 ? PT_OK : PT_E_DISABLED;
}

pt_err user_show(struct exchange *ex)
{
	struct pt_account account;
	pt_str id;

	TRY(own_id(ex, &id));
	if (!str_eq(request_audience(ex), visit_of(ex)->access.audience))
		return gotrue_no(ex, 400, "Token audience doesn't match request audience");
	TRY(own_account(ex, id, &account));
	return answer_user(ex, &account);
}

/* What the owner may not write, unless he administers the configured audience, whatever the request
 * says. */
static pt_err may_write_app_metadata(struct exchange *ex, const struct pt_account *account)
{
	pt_call_set_audience(ex->call, PT_STR(""));
	bool may = may_administer(ex, account, pt_call_audience(ex->call));
	pt_call_set_audience(ex->call, request_audience(ex));
	return may ? PT_OK : gotrue_no(ex, 401, "Updating app_metadata requires admin privileges");
}

pt_err user_put(struct exchange *ex)
{
	struct pt_edit edit = { .session = visit_of(ex)->access.session };
	struct pt_account account;
	pt_str id;
	const struct body_field fields[] = {
		{ "email", BODY_TEXT, &edit.email },
		{ "password", BODY_TEXT, &edit.password },
		{ "data", BODY_OBJECT, &edit.user_metadata },
		{ "app_metadata", BODY_OBJECT, &edit.app_metadata },
		{ "email_change_token", BODY_TEXT, &edit.email_change_token },
	};

	TRY(BODY_READ(ex, "Could not read User Update params", fields));
	TRY(own_id(ex, &id));
	TRY(own_account(ex, id, &account));
	edit.email = str_strip(edit.email);
	edit.email_change_token = str_strip(edit.email_change_token);
	if (edit.app_metadata.n > 0)
		TRY(may_write_app_metadata(ex, &account));
	TRY(pt_account_edit(ex->call, id, &edit, &account));
	return answer_user(ex, &account);
}

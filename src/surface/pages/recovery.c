/*
 * recovery.c - a forgotten password.
 */
#include "base/str.h"
#include "surface/pages/pages.h"
#include "base/banned.h"

pt_err forgot_show(struct exchange *ex)
{
	return answer_page(ex, 200, "forgot", fill_nothing_more, NULL);
}

pt_err forgot_post(struct exchange *ex)
{
	TRY(exchange_fields(ex));
	TRY(pt_recover(ex->call, exchange_field(ex, "email")));
	/* G1 answered browsers here with JSON. */
	if (ex->surface->setup.pages.profile == PAGES_G1)
		ex->json = true;
	return answer_done(
		ex, "Password reset email sent", NOTICE_FORGOT, exchange_path(ex, "/signin"));
}

/* The link's page: it shows whose account it is and changes nothing. Without a token it is an empty
 * form, as the originals had it. */
pt_err reset_show(struct exchange *ex)
{
	struct field *fields = ARENA_ARRAY(ex->arena, struct field, 2);
	struct pt_account account = { .username = PT_STR("") };
	pt_str token;

	if (!fields)
		return PT_F_MEMORY;
	TRY(exchange_query(ex, "token", &token));
	if (token.n > 0)
		TRY(pt_reset_find(ex->call, token, &account));
	fields[0] = (struct field){ PT_STR("token"), token };
	fields[1] = (struct field){ PT_STR("username"), account.username };
	ex->fields = (struct fields){ fields, 2 };
	ex->fields_read = true;
	return answer_page(ex, 200, "reset", fill_reset, NULL);
}

pt_err reset_post(struct exchange *ex)
{
	TRY(exchange_fields(ex));
	TRY(pt_reset(ex->call, exchange_field(ex, "token"), exchange_field(ex, "new_password")));
	if (ex->surface->setup.pages.profile == PAGES_G1)
		ex->json = true;
	return answer_done(
		ex, "Password reset successful", NOTICE_RESET, exchange_path(ex, "/signin"));
}

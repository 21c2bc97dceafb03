/*
 * user_json.c - an account, as this dialect's clients and hooks read it.
 */
#include "base/str.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

/* RFC 3339 in UTC; a fraction without its zeros at the end. */
void moment_write(struct json *json, const char *name, pt_time at)
{
	char text[40];
	struct buf b = BUF_FIXED(text);

	if (at % PT_SECOND == 0) {
		buf_rfc3339(&b, at, 0);
	} else {
		buf_rfc3339(&b, at, 6);
		b.n--; /* the Z */
		while (b.n > 0 && b.p[b.n - 1] == '0')
			b.n--;
		buf_char(&b, 'Z');
	}
	json_str(json, name, buf_view(&b));
}

static void moment_maybe(struct json *json, const char *name, pt_time at)
{
	if (at != 0)
		moment_write(json, name, at);
}

static void map_write(struct json *json, const char *name, pt_str map)
{
	json_raw(json, name, map.n > 0 ? map : PT_STR("{}"));
}

/* The order of the members is GoTrue's own. */
void user_write(struct json *json, const struct pt_account *account, const pt_str *hash)
{
	json_object(json, NULL);
	json_str(json, "id", str(account->id.text));
	json_str(json, "aud", account->audience);
	json_str(json, "role", account->role);
	json_str(json, "email", account->email);
	if (hash)
		json_str(json, "encrypted_password", *hash);
	moment_maybe(json, "confirmed_at", account->email_verified_at);
	moment_maybe(json, "invited_at", account->invited_at);
	moment_maybe(json, "confirmation_sent_at", account->confirm_sent_at);
	moment_maybe(json, "recovery_sent_at", account->recover_sent_at);
	if (account->new_email.n > 0)
		json_str(json, "new_email", account->new_email);
	moment_maybe(json, "email_change_sent_at", account->email_change_sent_at);
	moment_maybe(json, "last_sign_in_at", account->last_signin_at);
	map_write(json, "app_metadata", account->app_metadata);
	map_write(json, "user_metadata", account->user_metadata);
	moment_write(json, "created_at", account->created_at);
	moment_write(json, "updated_at", account->updated_at);
	json_object_end(json);
}

pt_err gotrue_user_write(struct buf *out, const struct pt_account *account)
{
	struct json json = JSON(out);

	user_write(&json, account, NULL);
	return out->failed ? PT_F_MEMORY : PT_OK;
}

pt_err answer_user(struct exchange *ex, const struct pt_account *account)
{
	struct buf body = BUF(ex->arena, GOTRUE_ANSWER_MAX);

	TRY(gotrue_user_write(&body, account));
	return answer_json_buf(ex, 200, &body);
}

pt_err answer_new_user(struct exchange *ex, const struct pt_account *account)
{
	struct pt_account told = *account;

	if (told.user_metadata.n == 0 && told.created_at >= pt_call_now(ex->call))
		told.user_metadata = PT_STR("null");
	return answer_user(ex, &told);
}

/*
 * amend.c - what an amendment asks of an account and makes of it.
 */
#include "store/amend.h"

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#include "base/banned.h"

pt_err amend_may(const struct pt_amend *amend, const struct pt_account_record *record)
{
	const struct pt_account *account = &record->account;

	if (amend->has_seen_email && !str_eq(amend->seen_email_key, account->email_key))
		return PT_E_NOT_FOUND;
	if (amend->has_seen_password && !str_eq(amend->seen_password, record->password))
		return PT_E_CREDENTIALS;
	if (amend->unconfirmed && account->email_verified_at != 0)
		return PT_E_TAKEN;
	if (amend->enabled && account->disabled_at != 0)
		return PT_E_DISABLED;
	return PT_OK;
}

pt_str amend_ticket_key(const struct pt_amend *amend, const struct pt_account *account)
{
	return amend->ticket_kind == PT_TICKET_EMAIL_CHANGE ? account->new_email_key
							    : account->email_key;
}

/* A replacement is merged with nothing: whatever is kept is an object, and no member of it is null. */
static pt_err metadata_apply(
	struct arena *arena, const struct pt_metadata *metadata, pt_str *json, bool *changed)
{
	pt_str base = metadata->change == PT_METADATA_MERGE ? *json : PT_STR("");
	pt_str merged = { NULL, 0 };
	pt_err err;

	if (metadata->change == PT_METADATA_KEEP)
		return PT_OK;
	err = json_merge(arena, base, metadata->json, &merged);
	if (err == PT_E_MALFORMED || merged.n > PT_METADATA_MAX)
		return PT_E_METADATA;
	TRY(err);
	*json = merged;
	*changed = true;
	return PT_OK;
}

static bool time_apply(pt_time given, pt_time *kept)
{
	if (given != 0)
		*kept = given;
	return given != 0;
}

/* What was so already keeps the moment since when. */
static bool since_apply(bool given, bool value, pt_time now, pt_time *since)
{
	if (!given || (value && *since != 0))
		return false;
	*since = value ? now : 0;
	return true;
}

static bool addresses_apply(const struct pt_amend *amend, struct pt_account *account)
{
	if (amend->has_email) {
		account->email = amend->email;
		account->email_key = amend->email_key;
	}
	if (amend->has_new_email) {
		account->new_email = amend->new_email;
		account->new_email_key = amend->new_email_key;
	}
	return amend->has_email || amend->has_new_email;
}

static bool standing_apply(const struct pt_amend *amend, struct pt_account_record *record)
{
	if (amend->has_password)
		record->password = amend->password;
	if (amend->has_role)
		record->account.role = amend->role;
	if (amend->has_super_admin)
		record->account.super_admin = amend->super_admin;
	return amend->has_password || amend->has_role || amend->has_super_admin;
}

static bool times_apply(const struct pt_amend *amend, struct pt_account *account)
{
	bool changed = false;

	changed |= since_apply(
		amend->has_verified, amend->verified, amend->now, &account->email_verified_at);
	changed |= since_apply(
		amend->has_disabled, amend->disabled, amend->now, &account->disabled_at);
	changed |= time_apply(amend->invited_at, &account->invited_at);
	changed |= time_apply(amend->confirm_sent_at, &account->confirm_sent_at);
	changed |= time_apply(amend->recover_sent_at, &account->recover_sent_at);
	changed |= time_apply(amend->email_change_sent_at, &account->email_change_sent_at);
	return changed;
}

static void signed_in_apply(const struct pt_amend *amend, struct pt_account *account)
{
	if (!amend->signed_in)
		return;
	account->signin_count++;
	account->failed_signins = 0;
	account->last_signin_at = amend->now;
}

pt_err amend_apply(
	struct arena *arena, const struct pt_amend *amend, struct pt_account_record *record)
{
	struct pt_account *account = &record->account;
	bool changed = false;

	TRY(metadata_apply(arena, &amend->app_metadata, &account->app_metadata, &changed));
	TRY(metadata_apply(arena, &amend->user_metadata, &account->user_metadata, &changed));
	changed |= addresses_apply(amend, account);
	changed |= standing_apply(amend, record);
	changed |= times_apply(amend, account);
	signed_in_apply(amend, account);
	if (changed)
		account->updated_at = amend->now;
	return PT_OK;
}

/*
 * signup.c - opening accounts, and what is mailed on the way.
 */
#include "base/str.h"
#include "surface/gotrue/gotrue.h"
#include "base/banned.h"

/* ---- by oneself ---- */

pt_err gotrue_signup_post(struct exchange *ex)
{
	struct pt_register_form form = { .email = PT_STR("") };
	struct pt_account account;
	const struct body_field fields[] = {
		{ "email", BODY_TEXT, &form.email },
		{ "password", BODY_TEXT, &form.password },
		{ "data", BODY_OBJECT, &form.user_metadata },
	};

	/* Before anything is read. */
	if (pt_site_policy(site_of(ex)->site)->signup_off)
		return PT_E_SIGNUP_OFF;
	TRY(BODY_READ(ex, "Could not read Signup params", fields));
	form.email = str_strip(form.email);
	if (form.password.n == 0)
		return gotrue_no(ex, 422, "Signup requires a valid password");
	if (form.email.n == 0)
		return gotrue_no(ex, 422, "An email address is required");
	TRY(pt_register(ex->call, &form, &account));
	return answer_new_user(ex, &account);
}

pt_err invite_post(struct exchange *ex)
{
	pt_str email = PT_STR(""), metadata = PT_STR("");
	struct pt_account account;
	const struct body_field fields[] = {
		{ "email", BODY_TEXT, &email },
		{ "data", BODY_OBJECT, &metadata },
	};

	TRY(BODY_READ(ex, "Could not read Invite params", fields));
	email = str_strip(email);
	if (email.n == 0)
		return gotrue_no(ex, 422, "An email address is required");
	TRY(pt_invite(ex->call, email, metadata, &account));
	return answer_new_user(ex, &account);
}

/* ---- a new password ---- */

pt_err recover_post(struct exchange *ex)
{
	pt_str email = PT_STR("");
	const struct body_field fields[] = { { "email", BODY_TEXT, &email } };

	TRY(BODY_READ(ex, "Could not read verification params", fields));
	email = str_strip(email);
	if (email.n == 0)
		return gotrue_no(ex, 422, "Password recovery requires an email");
	pt_err err = pt_recover(ex->call, email);
	/* What is no address belongs to nobody, and nobody is told about. */
	if (err != PT_OK && err != PT_E_EMAIL)
		return err;
	return answer_empty_object(ex);
}

/* ---- the secret from a letter ---- */

static bool proof_parse(pt_str type, enum pt_proof *out)
{
	if (str_eq(type, PT_STR("signup")))
		*out = PT_PROOF_SIGNUP;
	else if (str_eq(type, PT_STR("recovery")))
		*out = PT_PROOF_RECOVERY;
	else
		return false;
	return true;
}

static bool is_hook_trouble(pt_err err)
{
	return err >= PT_E_HOOK_REFUSED && err <= PT_E_HOOK_MALFORMED;
}

static pt_err recovery_refuse(struct exchange *ex, pt_err err)
{
	if (err == PT_E_TICKET_EXPIRED)
		return gotrue_no(ex, 422, "Recovery token expired");
	return is_hook_trouble(err) ? gotrue_no(ex, 500, "Database error updating user") : err;
}

pt_err verify_post(struct exchange *ex)
{
	pt_str type = PT_STR(""), token = PT_STR(""), password = PT_STR("");
	enum pt_proof proof;
	struct pt_grant grant;
	const struct body_field fields[] = {
		{ "type", BODY_TEXT, &type },
		{ "token", BODY_TEXT, &token },
		{ "password", BODY_TEXT, &password },
	};

	TRY(BODY_READ(ex, "Could not read verification params", fields));
	token = str_strip(token);
	if (token.n == 0)
		return gotrue_no(ex, 422, "Verify requires a token");
	if (!proof_parse(type, &proof))
		return gotrue_no(ex, 422, "Verify requires a verification type");
	pt_err err = pt_prove(ex->call, proof, token, password, &grant);
	if (err != PT_OK)
		return proof == PT_PROOF_RECOVERY ? recovery_refuse(ex, err) : err;
	return answer_grant(ex, &grant);
}

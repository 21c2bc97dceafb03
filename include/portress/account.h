/*
 * portress/account.h - a person or program that can sign in.
 */
#ifndef PORTRESS_ACCOUNT_H
#define PORTRESS_ACCOUNT_H

#include "portress/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of each JSON object of an account: both travel in access tokens. */
#define PT_METADATA_MAX 4096

/*
 * One account, as the same in every dialect. Strings are borrowed from the call that read it.
 *
 * username and email stand as typed. Two are equal when their canonical forms (the _key members)
 * are: lower case by our own tables, never by a collation. An unset string is empty.
 *
 * The password hash is not here: it never leaves core.
 */
struct pt_account {
	struct pt_id id;
	pt_str tenant;   /* "" in a site with one */
	pt_str audience; /* "" unless a dialect has audiences */
	pt_str username;
	pt_str username_key;
	pt_str email;
	pt_str email_key;
	pt_time email_verified_at; /* 0: nobody has proved to own the address */
	pt_str phone;
	pt_time phone_verified_at;
	pt_str role;
	pt_str given_name;
	pt_str family_name;
	pt_str app_metadata;  /* a JSON object the owner cannot write; "" means {} */
	pt_str user_metadata; /* a JSON object the owner may write; "" means {} */
	pt_str extensions; /* JSON that a foreign table carries for its own programs; "" means null */
	pt_time created_at;
	pt_time updated_at;
	pt_time last_signin_at;
	pt_time disabled_at; /* not 0: an operator switched it off */
	bool super_admin;    /* an operator among the accounts: may do everything in its tenant */
	/* The address that waits for its owner to confirm it; "" when none does. */
	pt_str new_email;
	pt_str new_email_key;
	/* When somebody else opened the account, and when the last letter of a kind was written. */
	pt_time invited_at;
	pt_time confirm_sent_at;
	pt_time recover_sent_at;
	pt_time email_change_sent_at;
	int64_t signin_count;
	int64_t failed_signins; /* since the last success; never used to lock */
};

/* The same person at somebody else's: OpenID Connect's issuer and subject, in our words. */
struct pt_identity {
	pt_str provider; /* "github" */
	pt_str subject;  /* the provider's own name for the account; never an address */
};

#ifdef __cplusplus
}
#endif
#endif

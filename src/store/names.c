/*
 * names.c - events by name.
 */
#include "portress/event.h"

#include "base/banned.h"

const char *pt_event_name(enum pt_event_kind kind)
{
	switch (kind) {
	case PT_EVENT_SIGNUP:
		return "signup";
	case PT_EVENT_SIGNUP_TAKEN:
		return "signup_taken";
	case PT_EVENT_SIGNIN:
		return "signin";
	case PT_EVENT_SIGNIN_FAILED:
		return "signin_failed";
	case PT_EVENT_SIGNIN_LIMITED:
		return "signin_limited";
	case PT_EVENT_SIGNOUT:
		return "signout";
	case PT_EVENT_CONFIRMED:
		return "confirmed";
	case PT_EVENT_CONFIRM_ASKED:
		return "confirm_asked";
	case PT_EVENT_RECOVER_ASKED:
		return "recover_asked";
	case PT_EVENT_PASSWORD_RESET:
		return "password_reset";
	case PT_EVENT_PASSWORD_REHASHED:
		return "password_rehashed";
	case PT_EVENT_TOKEN_REFRESHED:
		return "token_refreshed";
	case PT_EVENT_TOKEN_REUSED:
		return "token_reused";
	case PT_EVENT_ACCOUNT_CREATED:
		return "account_created";
	case PT_EVENT_ACCOUNT_DISABLED:
		return "account_disabled";
	case PT_EVENT_ACCOUNT_ENABLED:
		return "account_enabled";
	case PT_EVENT_ACCOUNT_DELETED:
		return "account_deleted";
	case PT_EVENT_PASSWORD_SET:
		return "password_set";
	case PT_EVENT_SIGNIN_REFUSED:
		return "signin_refused";
	case PT_EVENT_INVITED:
		return "invited";
	case PT_EVENT_INVITE_ACCEPTED:
		return "invite_accepted";
	case PT_EVENT_ACCOUNT_CHANGED:
		return "account_changed";
	case PT_EVENT_TOKEN_REVOKED:
		return "token_revoked";
	case PT_EVENT_IDENTITY_LINKED:
		return "identity_linked";
	case PT_EVENT_EMAIL_CHANGED:
		return "email_changed";
	}
	return "unknown"; /* a number that a newer program stored */
}

/*
 * amend.h - what an amendment asks of an account and makes of it, the same for every driver.
 *
 * Values in, values out: where the account is kept, and who else writes it now, is the driver's
 * concern. It holds the account from before amend_may until it has written what amend_apply made.
 */
#ifndef STORE_AMEND_H
#define STORE_AMEND_H

#include "base/arena.h"
#include "portress/store.h"

/* Whether the account is as the amendment wants it, its ticket apart. PT_E_NOT_FOUND,
 * PT_E_CREDENTIALS, PT_E_TAKEN, PT_E_DISABLED: as account_amend says. */
PT_CHECK pt_err amend_may(const struct pt_amend *amend, const struct pt_account_record *record);

/* The address that the amendment's ticket must have been mailed to. */
pt_str amend_ticket_key(const struct pt_amend *amend, const struct pt_account *account);

/*
 * Makes the record what it is afterwards; after a refusal it may be half made. Strings are the
 * amendment's, or live in the arena. updated_at moves if anything moves but what signing in counts.
 * PT_E_METADATA: as account_amend says.
 */
PT_CHECK pt_err amend_apply(
	struct arena *arena, const struct pt_amend *amend, struct pt_account_record *record);

#endif

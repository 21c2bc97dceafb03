/*
 * store.h - how core speaks to the store: the only place that calls a driver.
 *
 *	TRY(STORE(call, account_find, &query, &record));
 */
#ifndef CORE_STORE_H
#define CORE_STORE_H

#include "core/call.h"

#define STORE(call_, verb_, ...) \
	((call_)->site->store.verb_((call_)->site->store.ctx, (call_)->arena, __VA_ARGS__))

#endif

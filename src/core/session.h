/*
 * session.h - opening a session: the record for the store and the secret for the cookie.
 */
#ifndef CORE_SESSION_H
#define CORE_SESSION_H

#include "core/call.h"
#include "portress/session.h"

PT_CHECK pt_err session_begin(struct pt_call *call, const struct pt_id *account, uint32_t methods,
	struct pt_session *session, pt_str *secret);

#endif

/*
 * device.h - a browser that has signed in to an account before, by a signed cookie.
 *
 * It proves nothing about who sits there: it only buys its own share of sign-in attempts, so that a
 * stranger who tries passwords cannot lock the owner out.
 */
#ifndef CORE_DEVICE_H
#define CORE_DEVICE_H

#include "core/call.h"

/* True when the cookie was made by this site for that name (canonical). */
PT_CHECK pt_err device_check(struct pt_call *call, pt_str name, pt_str cookie, bool *known);

/* A cookie for that name. */
PT_CHECK pt_err device_make(struct pt_call *call, pt_str name, pt_str *cookie);

#endif

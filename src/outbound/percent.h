/*
 * percent.h - percent-encoded text (RFC 3986 2.1), as it stands in the logins of our own settings.
 */
#ifndef OUTBOUND_PERCENT_H
#define OUTBOUND_PERCENT_H

#include "portress/base.h"

/* PT_E_MALFORMED: a % that no two hexadecimal digits follow. */
PT_CHECK pt_err percent_decode(pt_arena *arena, pt_str text, pt_str *out);

#endif

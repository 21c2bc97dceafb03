/*
 * err.h - two kinds of bad news.
 *
 * A refusal is returned. A fault is born with fault(), which logs it once with the request it
 * belongs to, and is then passed on untouched with TRY.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "portress/base.h"

#define TRY(expression)                     \
	do {                                \
		pt_err try_ = (expression); \
		if (try_ != PT_OK)          \
			return try_;        \
	} while (0)

/* Logs the message (never a secret) at level error and returns `err`, which is a fault. */
__attribute__((format(printf, 2, 3))) pt_err fault(pt_err err, const char *format, ...);

#endif

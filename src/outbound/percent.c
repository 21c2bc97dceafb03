/*
 * percent.c - %41 is A.
 */
#include "outbound/percent.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include "base/banned.h"

static int hex_digit(pt_str s, size_t at)
{
	char c = at < s.n ? ascii_lower(s.p[at]) : '\0';

	if (ascii_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

pt_err percent_decode(pt_arena *arena, pt_str text, pt_str *out)
{
	struct buf b = BUF(arena, text.n);

	for (size_t i = 0; i < text.n; i++) {
		int high, low;

		if (text.p[i] != '%') {
			buf_char(&b, text.p[i]);
			continue;
		}
		high = hex_digit(text, i + 1);
		low = hex_digit(text, i + 2);
		if (high < 0 || low < 0)
			return PT_E_MALFORMED;
		buf_char(&b, (char)(high * 16 + low));
		i += 2;
	}
	return buf_done(&b, out);
}

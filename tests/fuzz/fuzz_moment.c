/*
 * Moments as SQL databases spell them: what is read is written and read again the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/str.h"
#include "store/sql/moment.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pt_time time, again;
	char text[64];
	struct buf b = BUF_FIXED(text);

	if (!moment_parse(str_n(data, size), &time))
		return 0;
	moment_format(&b, time);
	if (!moment_parse(buf_view(&b), &again))
		abort();
	/* Written are whole seconds, of the years that four digits can say. */
	if (time >= 0 && time < INT64_C(253402300800000000) && again != time - time % PT_SECOND)
		abort();
	return 0;
}

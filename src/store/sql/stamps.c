/*
 * stamps.c - several times in one column.
 */
#include "store/sql/stamps.h"

#include "base/str.h"

#include "base/banned.h"

static pt_time stamp_read(const char *p)
{
	uint64_t stamp = 0;

	for (size_t b = 0; b < STAMP_BYTES; b++)
		stamp |= (uint64_t)(uint8_t)p[b] << (8 * b);
	return (pt_time)stamp;
}

static void stamp_write(pt_time time, char *p)
{
	for (size_t b = 0; b < STAMP_BYTES; b++)
		p[b] = (char)((uint64_t)time >> (8 * b));
}

size_t stamps_unpack(pt_str packed, pt_time *out, size_t most)
{
	size_t n = packed.n / STAMP_BYTES < most ? packed.n / STAMP_BYTES : most;

	for (size_t i = 0; i < n; i++)
		out[i] = stamp_read(packed.p + i * STAMP_BYTES);
	return n;
}

pt_str stamps_pack(const pt_time *times, size_t n, char *packed)
{
	for (size_t i = 0; i < n; i++)
		stamp_write(times[i], packed + i * STAMP_BYTES);
	return str_n(packed, n * STAMP_BYTES);
}

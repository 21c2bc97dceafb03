/*
 * stamps.h - several times in one column: 64-bit numbers, little-endian, one after the other.
 */
#ifndef STORE_SQL_STAMPS_H
#define STORE_SQL_STAMPS_H

#include "portress/base.h"

enum { STAMP_BYTES = 8 };

/* The first `most` of them; how many there were. Bytes that make no whole time are none. */
size_t stamps_unpack(pt_str packed, pt_time *out, size_t most);

/* `packed` has room for STAMP_BYTES each. */
pt_str stamps_pack(const pt_time *times, size_t n, char *packed);

#endif

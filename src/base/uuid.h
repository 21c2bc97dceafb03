/*
 * uuid.h - UUIDs (RFC 9562) as sixteen bytes and as text.
 */
#ifndef BASE_UUID_H
#define BASE_UUID_H

#include "portress/base.h"

enum { UUID_BYTES = 16 };

/* In lower case. */
struct pt_id uuid_text(const uint8_t uuid[UUID_BYTES]);

/* False: it is no UUID as uuid_text writes it. */
PT_CHECK bool uuid_bytes(const struct pt_id *id, uint8_t out[UUID_BYTES]);

#endif

/*
 * uuid.c - UUIDs.
 */
#include "base/uuid.h"

#include <string.h>

#include "base/banned.h"

static const char digits[] = "0123456789abcdef";

struct pt_id uuid_text(const uint8_t uuid[UUID_BYTES])
{
	struct pt_id id = { 0 };
	char *p = id.text;

	for (size_t i = 0; i < UUID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = digits[uuid[i] >> 4];
		*p++ = digits[uuid[i] & 15];
	}
	return id;
}

static int digit_value(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

bool uuid_bytes(const struct pt_id *id, uint8_t out[UUID_BYTES])
{
	const char *p = id->text;
	uint8_t uuid[UUID_BYTES];
	struct pt_id again;

	for (size_t i = 0; i < UUID_BYTES; i++) {
		if (*p == '-')
			p++;
		int high = digit_value(p[0]);
		int low = high < 0 ? -1 : digit_value(p[1]);
		if (low < 0)
			return false;
		uuid[i] = (uint8_t)(high << 4 | low);
		p += 2;
	}
	again = uuid_text(uuid);
	if (strncmp(again.text, id->text, sizeof(again.text)) != 0)
		return false;
	memcpy(out, uuid, sizeof(uuid));
	return true;
}

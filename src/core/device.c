/*
 * device.c - device cookies: `id.mac`, both base64url.
 */
#include "core/device.h"

#include "base/random.h"
#include "base/str.h"
#include "base/banned.h"

enum { DEVICE_ID_BYTES = 16 };

static pt_err device_cookie(struct pt_call *call, pt_str name, pt_str id, pt_str *cookie)
{
	const pt_str parts[] = { PT_STR("device"), name, id };
	struct buf b = BUF(call->arena, 256);
	struct pt_hash mac;

	TRY(digest_mac_parts(&call->site->keys.device, parts, 3, &mac));
	buf_str(&b, id);
	buf_char(&b, '.');
	buf_base64url(&b, mac.bytes, sizeof(mac.bytes));
	return buf_done(&b, cookie);
}

pt_err device_check(struct pt_call *call, pt_str name, pt_str cookie, bool *known)
{
	pt_str id, mac, expected;

	*known = false;
	if (cookie.n > 128 || !str_cut(cookie, '.', &id, &mac))
		return PT_OK;
	TRY(device_cookie(call, name, id, &expected));
	*known = digest_equal(cookie, expected);
	return PT_OK;
}

pt_err device_make(struct pt_call *call, pt_str name, pt_str *cookie)
{
	uint8_t bytes[DEVICE_ID_BYTES];
	struct buf b = BUF(call->arena, 64);
	pt_str id;

	TRY(random_fill(bytes, sizeof(bytes)));
	buf_base64url(&b, bytes, sizeof(bytes));
	TRY(buf_done(&b, &id));
	return device_cookie(call, name, id, cookie);
}

/*
 * csrf.c - signed double-submit cookies in gorilla/csrf's format.
 *
 *	cookie = base64url(ts "|" base64url(json string of base64(token)) "|" mac), padded
 *	mac    = HMAC-SHA256(key, "_gorilla_csrf|" ts "|" value)
 *	form   = base64(pad || pad XOR token), 64 bytes
 */
#include "base/random.h"
#include "base/str.h"
#include "core/call.h"
#include "portress/act.h"

#include "base/banned.h"

enum {
	COOKIE_MAX = 4096,
	TOKEN_BYTES = sizeof(((struct pt_csrf *)0)->token),
	MASK_BYTES = 2 * TOKEN_BYTES,
};

static const pt_str cookie_name = { "_gorilla_csrf", 13 };

static pt_err cookie_mac(struct pt_call *call, pt_str ts, pt_str value, struct pt_hash *out)
{
	struct buf b = BUF(call->arena, COOKIE_MAX);
	pt_str message;

	buf_str(&b, cookie_name);
	buf_char(&b, '|');
	buf_str(&b, ts);
	buf_char(&b, '|');
	buf_str(&b, value);
	TRY(buf_done(&b, &message));
	return digest_hmac(call->site->keys.csrf, message, out);
}

static void buf_base64url_padded(struct buf *b, pt_str bytes)
{
	buf_base64url(b, bytes.p, bytes.n);
	for (size_t n = bytes.n; n % 3 != 0; n++)
		buf_char(b, '=');
}

static pt_err base64url_padded_read(struct arena *arena, pt_str text, pt_str *out)
{
	if (text.n % 4 != 0)
		return PT_E_MALFORMED;
	for (int pad = 0; pad < 2 && str_ends(text, PT_STR("=")); pad++)
		text.n--;
	return base64url_read(arena, text, out);
}

static pt_err cookie_make(struct pt_call *call, const uint8_t token[TOKEN_BYTES], pt_str *out)
{
	struct buf inner = BUF(call->arena, 256), value = BUF(call->arena, 256);
	struct buf ts = BUF(call->arena, 32), whole = BUF(call->arena, 1 * KIB);
	struct buf cookie = BUF(call->arena, 1 * KIB);
	struct pt_hash mac;

	buf_char(&inner, '"');
	buf_base64(&inner, token, TOKEN_BYTES);
	buf_str(&inner, PT_STR("\"\n"));
	buf_base64url_padded(&value, buf_view(&inner));
	buf_int(&ts, call->now / PT_SECOND);
	TRY(cookie_mac(call, buf_view(&ts), buf_view(&value), &mac));
	buf_str(&whole, buf_view(&ts));
	buf_char(&whole, '|');
	buf_str(&whole, buf_view(&value));
	buf_char(&whole, '|');
	buf_bytes(&whole, mac.bytes, sizeof(mac.bytes));
	if (inner.failed || value.failed || ts.failed || whole.failed)
		return PT_F_MEMORY;
	buf_base64url_padded(&cookie, buf_view(&whole));
	return buf_done(&cookie, out);
}

static bool cookie_is_young(struct pt_call *call, pt_str ts)
{
	int64_t made, now = call->now / PT_SECOND;

	return str_int(ts, 0, INT64_MAX / PT_SECOND, &made) && made <= now + 60 &&
	       now - made <= PT_CSRF_LIFE / PT_SECOND;
}

/* The token in base64, out of the JSON string it stands in. */
static pt_err token_read(struct pt_call *call, pt_str value, uint8_t token[TOKEN_BYTES])
{
	pt_str json, bytes;

	TRY(base64url_padded_read(call->arena, value, &json));
	if (json.n < 3 || json.p[0] != '"' || !str_ends(json, PT_STR("\"\n")))
		return PT_E_MALFORMED;
	TRY(base64_read(call->arena, str_slice(json, 1, json.n - 2), &bytes));
	if (bytes.n != TOKEN_BYTES)
		return PT_E_MALFORMED;
	memcpy(token, bytes.p, TOKEN_BYTES);
	return PT_OK;
}

/* PT_E_MALFORMED: anything but a cookie of ours that has not expired. */
static pt_err cookie_read(struct pt_call *call, pt_str cookie, uint8_t token[TOKEN_BYTES])
{
	pt_str whole, ts, rest, value, mac;
	struct pt_hash expected;

	if (cookie.n == 0 || cookie.n > COOKIE_MAX)
		return PT_E_MALFORMED;
	TRY(base64url_padded_read(call->arena, cookie, &whole));
	if (!str_cut(whole, '|', &ts, &rest) || !str_cut(rest, '|', &value, &mac))
		return PT_E_MALFORMED;
	TRY(cookie_mac(call, ts, value, &expected));
	if (!digest_equal(mac, str_n(expected.bytes, sizeof(expected.bytes))) ||
		!cookie_is_young(call, ts))
		return PT_E_MALFORMED;
	return token_read(call, value, token);
}

pt_err pt_csrf_open(struct pt_call *call, pt_str cookie, struct pt_csrf *out)
{
	struct pt_csrf csrf = { 0 };

	pt_err err = cookie_read(call, cookie, csrf.token);
	if (pt_is_fault(err))
		return err;
	if (err != PT_OK) {
		csrf.fresh = true;
		TRY(random_fill(csrf.token, sizeof(csrf.token)));
		TRY(cookie_make(call, csrf.token, &csrf.cookie));
	}
	*out = csrf;
	return PT_OK;
}

pt_err pt_csrf_mask(struct pt_call *call, const struct pt_csrf *csrf, pt_str *out)
{
	uint8_t mask[MASK_BYTES];
	struct buf b = BUF(call->arena, 128);

	TRY(random_noise(mask, TOKEN_BYTES));
	for (size_t i = 0; i < TOKEN_BYTES; i++)
		mask[TOKEN_BYTES + i] = mask[i] ^ csrf->token[i];
	buf_base64(&b, mask, sizeof(mask));
	return buf_done(&b, out);
}

pt_err pt_csrf_check(struct pt_call *call, const struct pt_csrf *csrf, pt_str submitted)
{
	uint8_t token[TOKEN_BYTES];
	pt_str mask;

	if (submitted.n == 0)
		return PT_E_CSRF_MISSING;
	pt_err err = base64_read(call->arena, submitted, &mask);
	if (pt_is_fault(err))
		return err;
	if (csrf->fresh || err != PT_OK || mask.n != MASK_BYTES)
		return PT_E_CSRF;
	for (size_t i = 0; i < TOKEN_BYTES; i++)
		token[i] = (uint8_t)(mask.p[i] ^ mask.p[TOKEN_BYTES + i]);
	return digest_equal(str_n(token, TOKEN_BYTES), str_n(csrf->token, TOKEN_BYTES)) ? PT_OK
											: PT_E_CSRF;
}

/*
 * captcha.h - reCAPTCHA's siteverify call (the wire format of Google's documentation, "Verifying
 * the user's response").
 */
#ifndef OUTBOUND_CAPTCHA_H
#define OUTBOUND_CAPTCHA_H

#include "portress/courier.h"

struct captcha_setup {
	pt_str verify_url; /* "" means https://www.google.com/recaptcha/api/siteverify */
	pt_str secret;
	pt_str hostname; /* must equal the answer's, when it gives one; "" does not compare */
};

/* Needs fetch_open before. Strings are copied. An empty response is refused without a call. A URL that
 * the operator set may be http and private: only for a stand-in on this machine or network. */
PT_CHECK pt_err captcha_open(const struct captcha_setup *setup, struct pt_captcha *out);
void captcha_close(struct pt_captcha *captcha);

#endif

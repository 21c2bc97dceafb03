/*
 * compose.h - from a sealed row of the outbox to a letter that can be sent.
 *
 * A letter's variables are a JSON object, sealed with XChaCha20-Poly1305 under the site's letter
 * key (crypt/seal.h, context = the letter's id). Core writes {"name","link","minutes","site"}.
 */
#ifndef OUTBOUND_COMPOSE_H
#define OUTBOUND_COMPOSE_H

#include "base/template.h"
#include "crypt/digest.h"
#include "portress/courier.h"

struct composer {
	const struct template_set *templates; /* "letters/verify.txt", "letters/verify.html", ... */
	const struct value *texts; /* the catalogue: letter.<kind>.subject and more, as `t` */
	struct key letter_key;
	pt_str app; /* the name people know the site by */
};

/* "verify", "reset", "password-changed", "account-exists": the template's name. */
const char *letter_name(enum pt_letter_kind kind);

/* PT_F_CRYPTO: not sealed by this site. PT_F_RENDER: a template is missing or broken. */
PT_CHECK pt_err compose(const struct composer *composer, pt_arena *arena,
	const struct pt_letter *letter, struct pt_mail *out);

#endif

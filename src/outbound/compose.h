/*
 * compose.h - from a sealed row of the outbox to a letter that can be sent.
 *
 * A letter's variables are a JSON object, sealed with XChaCha20-Poly1305 under the site's letter
 * key (crypt/seal.h, context = the letter's id):
 *
 *	name       the user name; "" or absent: the account has none
 *	link       what the letter is about
 *	minutes    how long the link works
 *	site_url   the application's address
 *	email      the account's address (EMAIL_CHANGED: the old one)
 *	new_email  the one that it is to have, or has now
 *	token      the link's secret alone
 *	data       an object, the account's user metadata
 *	subject    a template in Go's syntax; absent: ours
 *	template   where a template for the HTML body is, in Go's syntax; absent: ours
 *	courier    whom to send it by, in words of who opens couriers (couriers.h); absent: the server's
 *
 * Old rows have the first three. Templates of the site's own see .SiteURL .ConfirmationURL .Email
 * .NewEmail .Token and .Data; one that cannot be had, read or rendered is replaced by ours, with a
 * line in the log. The text part is always ours.
 */
#ifndef OUTBOUND_COMPOSE_H
#define OUTBOUND_COMPOSE_H

#include "base/template.h"
#include "crypt/digest.h"
#include "outbound/letter_template.h"
#include "portress/courier.h"

struct composer {
	const struct template_set *templates; /* "letters/verify.txt", "letters/verify.html", ... */
	const struct value *texts; /* the catalogue: letter.<kind>.subject and more, as `t` */
	struct key letter_key;
	pt_str app;         /* the name people know the site by */
	bool allow_private; /* a letter's own template may come by http, and from this network */
};

/* "verify", "reset", "password-changed", ...: the template's name. */
const char *letter_name(enum pt_letter_kind kind);

/*
 * until: monotonic; a template that was not fetched by then is done without. PT_F_CRYPTO: not sealed
 * by this site. PT_F_RENDER: one of our templates is missing or broken, or it is no letter.
 */
PT_CHECK pt_err compose(const struct composer *composer, struct letter_templates *own,
	pt_arena *arena, const struct pt_letter *letter, pt_time until, struct pt_mail *out);

/* What the letter says of its courier, "" when it names none. No template sees it. PT_F_CRYPTO,
 * PT_F_RENDER as above. */
PT_CHECK pt_err compose_courier(const struct composer *composer, pt_arena *arena,
	const struct pt_letter *letter, pt_str *out);

#endif

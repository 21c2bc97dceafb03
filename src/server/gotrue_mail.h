/*
 * gotrue_mail.h - the mail server of one of many sites.
 *
 * What an instance does not say is the server's, but the server's login is for its own mail server
 * alone: another one that an instance names gets the instance's, or none.
 */
#ifndef SERVER_GOTRUE_MAIL_H
#define SERVER_GOTRUE_MAIL_H

#include "server/settings.h"

/* For pt_site_setup.courier: what the instance itself says, "" when its letters go by the server's. The
 * password is in it. PT_F_CONFIG, logged: such a server cannot be used. */
PT_CHECK pt_err gotrue_mail_text(const struct settings *settings, struct arena *arena,
	const struct gotrue_mail_options *own, pt_str *out);

/* Where it leads, from that text. What is not said there is the server's by its settings of today.
 * PT_E_MALFORMED: it is no such text. */
PT_CHECK pt_err gotrue_mail_read(
	const struct settings *settings, struct arena *arena, pt_str text, struct smtp_setup *out);

/* As couriers_setup.open, over struct settings. */
pt_err gotrue_mail_open(void *settings, pt_str text, struct pt_courier *out);

#endif

/*
 * settings.h - checked settings as what the parts of the server are opened with.
 */
#ifndef SERVER_SETTINGS_H
#define SERVER_SETTINGS_H

#include "outbound/captcha.h"
#include "outbound/smtp.h"
#include "portress/portress.h"
#include "server/config.h"
#include "server/gotrue.h"
#include "server/listen.h"
#include "server/privdrop.h"
#include "server/workers.h"
#include "store/drivers.h"
#include "surface/surface.h"

struct settings {
	struct pt_policy policy;
	struct pt_keys keys; /* root "" until the key file is read */
	struct store_setup store;
	struct view_setup view;
	pt_str sqlite_path; /* "" for another store */
	bool is_mysql;
	struct privdrop_wish jail;
	struct listen_specs listen;
	struct listen_specs ops;
	struct networks trusted;
	struct http_limits limits;
	unsigned loops;
	struct workers_setup workers;
	bool has_mail;
	struct smtp_setup smtp; /* without has_mail: what other mail servers share */
	bool smtp_tls_told;     /* smtp.tls holds for every mail server */
	struct captcha_setup captcha;
	pt_str base_url; /* "https://id.example.org/auth": as it was set, without a slash at its end */
	pt_str origin;     /* "https://id.example.org" */
	pt_str host;       /* "id.example.org" */
	pt_str public_url; /* origin and mount, without a slash at its end */
	struct pages_setup pages;
	struct gotrue_setup gotrue;        /* its sites are opened by who has the store */
	struct gotrue_options gotrue_site; /* of the one site; of many: what they share */
	struct pt_policy gotrue_policy;    /* the same */
	/* Of sites with a mail server. */
	bool mail_at_once;
	bool webhook_private;  /* webhooks and templates may be anywhere */
	bool provider_private; /* so may providers */
	bool secure_cookies;
};

/*
 * Fills *out from a loaded config. What does not go together is added to the config's problems;
 * PT_F_CONFIG says that there are some. Strings belong to the config.
 */
PT_CHECK pt_err settings_make(struct config *config, struct settings *out);

/* The part that the command line needs: policy, keys, store. Letters and listeners are not looked at. */
PT_CHECK pt_err settings_make_site(struct config *config, struct settings *out);

#endif

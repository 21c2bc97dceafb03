/*
 * gotrue_mail.c - from an instance's smtp.* to a courier, and the text between that letters carry.
 */
#include "server/gotrue_mail.h"

#include "base/err.h"
#include "base/json.h"
#include "base/resolve.h"
#include "base/str.h"

#include "base/banned.h"

enum { TEXT = 2 * KIB, ROOM = 64 * KIB };

static bool says_anything(const struct gotrue_mail_options *own)
{
	return own->host.n > 0 || own->port > 0 || own->user.n > 0 || own->pass.n > 0 ||
	       own->from.n > 0;
}

static pt_str either(pt_str own, pt_str usual)
{
	return own.n > 0 ? own : usual;
}

/* The same host at the same port: the server's own mail server. */
static bool is_servers(const struct settings *settings, const struct smtp_setup *setup)
{
	return settings->has_mail && str_eq_nocase(setup->host, settings->smtp.host) &&
	       setup->port == settings->smtp.port;
}

static void make_elsewhere(const struct settings *settings, struct smtp_setup *setup)
{
	setup->username = setup->password = PT_STR("");
	if (!settings->smtp_tls_told)
		setup->tls = smtp_tls_usual(setup->host);
}

static struct smtp_setup setup_make(
	const struct settings *settings, const struct gotrue_mail_options *own)
{
	struct smtp_setup setup = settings->smtp;

	setup.host = either(own->host, setup.host);
	setup.port = own->port > 0 ? own->port : setup.port;
	setup.from = either(own->from, setup.from);
	if (!is_servers(settings, &setup))
		make_elsewhere(settings, &setup);
	setup.username = either(own->user, setup.username);
	setup.password = either(own->pass, setup.password);
	if (setup.username.n == 0 && setup.password.n > 0)
		setup.username = setup.from;
	if (setup.password.n == 0)
		setup.username = PT_STR("");
	return setup;
}

/* ---- the text ---- */

static pt_err text_write(struct arena *arena, const struct gotrue_mail_options *own, pt_str *out)
{
	struct buf b = BUF(arena, TEXT);
	struct json j = JSON(&b);

	json_object(&j, NULL);
	json_str(&j, "host", own->host);
	json_int(&j, "port", own->port);
	json_str(&j, "user", own->user);
	json_str(&j, "pass", own->pass);
	json_str(&j, "from", own->from);
	json_object_end(&j);
	if (b.failed)
		return fault(PT_F_CONFIG, "the mail server's settings are too long");
	return buf_done(&b, out);
}

static pt_str word(const struct json_value *top, const char *name)
{
	const struct json_value *found = json_find(top, str(name));

	return found && found->type == JSON_STRING ? found->text : PT_STR("");
}

static pt_err text_read(struct arena *arena, pt_str text, struct gotrue_mail_options *out)
{
	const struct json_value *port;
	struct json_value top;

	TRY(json_read(arena, text, &top));
	port = json_find(&top, PT_STR("port"));
	if (!port || port->number < 0 || port->number > 65535)
		return PT_E_MALFORMED;
	*out = (struct gotrue_mail_options){
		.host = word(&top, "host"),
		.port = (int)port->number,
		.user = word(&top, "user"),
		.pass = word(&top, "pass"),
		.from = word(&top, "from"),
	};
	return PT_OK;
}

pt_err gotrue_mail_text(const struct settings *settings, struct arena *arena,
	const struct gotrue_mail_options *own, pt_str *out)
{
	struct smtp_setup setup = setup_make(settings, own);

	if (!says_anything(own) || setup.host.n == 0) {
		*out = PT_STR("");
		return PT_OK;
	}
	TRY(smtp_check(&setup));
	return text_write(arena, own, out);
}

pt_err gotrue_mail_read(
	const struct settings *settings, struct arena *arena, pt_str text, struct smtp_setup *out)
{
	struct gotrue_mail_options own;

	TRY(text_read(arena, text, &own));
	*out = setup_make(settings, &own);
	return PT_OK;
}

/* ---- the courier ---- */

pt_err gotrue_mail_open(void *context, pt_str text, struct pt_courier *out)
{
	struct arena *arena = arena_open(ROOM);
	struct smtp_setup setup;

	if (!arena)
		return fault(PT_F_MEMORY, "no room for an instance's mail settings");
	pt_err err = gotrue_mail_read(context, arena, text, &setup);
	if (err == PT_OK)
		err = smtp_open(&setup, out);
	arena_close(arena);
	return err;
}

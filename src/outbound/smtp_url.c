/*
 * smtp_url.c - a mail server in one line: smtp://user:pass@host:port, smtps://...
 */
#include "base/buf.h"
#include "base/err.h"
#include "base/resolve.h"
#include "base/str.h"
#include "outbound/percent.h"
#include "outbound/smtp.h"

#include "base/banned.h"

/* What a scheme means when the URL says no more. */
struct scheme {
	pt_str prefix;
	int port; /* 0: the host decides */
	bool implicit;
};

/* Submission, and what a machine's own mail server listens on. */
enum { SUBMISSION = 587, LOCAL = 25 };

static const struct scheme schemes[] = {
	{ PT_STR_INIT("smtp://"), 0, false },
	{ PT_STR_INIT("smtps://"), 465, true },
};

static pt_err refuse(const char *why)
{
	return fault(PT_F_CONFIG,
		"the SMTP URL %s; it looks like smtp://user:password@mail.example.org:587", why);
}

static const struct scheme *scheme_cut(pt_str *url)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		pt_str prefix = schemes[i].prefix;

		if (str_eq_nocase(str_slice(*url, 0, prefix.n), prefix)) {
			*url = str_slice(*url, prefix.n, url->n);
			return &schemes[i];
		}
	}
	return NULL;
}

static pt_err login_decode(pt_arena *arena, pt_str text, pt_str *out)
{
	pt_err err = percent_decode(arena, text, out);

	if (err == PT_E_MALFORMED)
		return refuse("has a % that no two hexadecimal digits follow");
	return err;
}

/* Passwords are pasted as they are, so the last @ is the one that counts. */
static bool cut_last(pt_str s, char c, pt_str *head, pt_str *tail)
{
	size_t at = s.n;

	while (at > 0 && s.p[at - 1] != c)
		at--;
	*head = str_slice(s, 0, at > 0 ? at - 1 : 0);
	*tail = str_slice(s, at, s.n);
	return at > 0;
}

static pt_err parse_login(pt_arena *arena, pt_str login, struct smtp_setup *setup)
{
	pt_str name, password;

	str_cut(login, ':', &name, &password);
	TRY(login_decode(arena, name, &setup->username));
	return login_decode(arena, password, &setup->password);
}

static bool cut_port(pt_str *host, pt_str *port)
{
	pt_str rest = *host;

	if (!str_starts(rest, PT_STR("[")))
		return str_cut(rest, ':', host, port);
	str_cut(str_slice(rest, 1, rest.n), ']', host, &rest);
	*port = str_slice(rest, 1, rest.n);
	return str_starts(rest, PT_STR(":"));
}

static pt_err parse_host(pt_str host, struct smtp_setup *setup)
{
	int64_t number = setup->port;
	pt_str port;

	if (cut_port(&host, &port) && !str_int(port, 1, 65535, &number))
		return refuse("has a port that is none");
	if (host.n == 0)
		return refuse("has no host");
	setup->host = host;
	setup->port = (int)number;
	return PT_OK;
}

pt_err smtp_url_parse(pt_arena *arena, pt_str url, struct smtp_setup *setup)
{
	const struct scheme *scheme = scheme_cut(&url);
	struct smtp_setup parsed = *setup;
	pt_str login, host;
	bool here;

	if (!scheme)
		return refuse("begins with neither smtp:// nor smtps://");
	if (str_ends(url, PT_STR("/")))
		url = str_slice(url, 0, url.n - 1);
	parsed.port = scheme->port;
	if (cut_last(url, '@', &login, &host))
		TRY(parse_login(arena, login, &parsed));
	TRY(parse_host(host, &parsed));
	here = resolve_is_loopback(parsed.host);
	parsed.tls = smtp_tls_usual(parsed.host);
	if (scheme->implicit)
		parsed.tls = SMTP_TLS_IMPLICIT;
	if (parsed.port == 0)
		parsed.port = here ? LOCAL : SUBMISSION;
	*setup = parsed;
	return PT_OK;
}

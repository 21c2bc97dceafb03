/*
 * smtp.h - a courier that speaks SMTP (RFC 5321) through libcurl, opened on demand.
 */
#ifndef OUTBOUND_SMTP_H
#define OUTBOUND_SMTP_H

#include "portress/courier.h"

enum smtp_tls {
	SMTP_TLS_REQUIRE, /* STARTTLS or implicit TLS, certificate verified, or nothing is sent */
	/* STARTTLS when offered. A login on another machine than this one requires it all the same. On
	 * this machine the certificate is not looked at: local servers have one that they made. */
	SMTP_TLS_OPPORTUNISTIC,
	SMTP_TLS_OFF,      /* with a login only to this machine */
	SMTP_TLS_IMPLICIT, /* TLS from the first byte, whatever the port */
};

struct smtp_setup {
	pt_str host;
	int port; /* 465: TLS from the first byte */
	pt_str username;
	pt_str password;
	pt_str from;      /* envelope sender and From */
	pt_str from_name; /* "" for none */
	pt_str reply_to;  /* "" for none */
	enum smtp_tls tls;
	pt_time connect_time; /* 0 means 10 s */
};

/* The courier may send from several threads at once: each has a connection of its own, and one that
 * has become idle is kept for the next letter. Opens libcurl (and needs fetch_open before, for the CA
 * bundle). PT_F_CONFIG: an address or host is none, or the library is missing. Strings are copied. */
PT_CHECK pt_err smtp_open(const struct smtp_setup *setup, struct pt_courier *out);
void smtp_close(struct pt_courier *courier);

/* PT_F_CONFIG, logged: smtp_open would refuse its host, port, addresses or login. */
PT_CHECK pt_err smtp_check(const struct smtp_setup *setup);

/* Where nobody says: TLS is required, and taken when offered on this machine. */
enum smtp_tls smtp_tls_usual(pt_str host);

/* "smtp://user:pass@host:port", "smtps://...": parts into setup (host, port, username, password,
 * tls). Without a port: 587, to this machine 25, for smtps 465. smtp:// requires TLS; to this machine
 * it takes it when offered. PT_F_CONFIG, logged without the password. */
PT_CHECK pt_err smtp_url_parse(pt_arena *arena, pt_str url, struct smtp_setup *setup);

/*
 * One function makes every header line, another every address: control characters, `<`, `>` and
 * whatever could end a line or a command are refused (PT_E_MALFORMED). Non-ASCII header text becomes
 * RFC 2047 words, folded at 76 columns.
 */
PT_CHECK pt_err mail_address_check(pt_str address);
PT_CHECK pt_err mail_header_text(pt_arena *arena, pt_str text, pt_str *out);

#endif

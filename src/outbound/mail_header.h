/*
 * mail_header.h - the head of a letter (RFC 5322), whole lines without their ends.
 */
#ifndef OUTBOUND_MAIL_HEADER_H
#define OUTBOUND_MAIL_HEADER_H

#include "outbound/smtp.h"

/* Ours on every letter; strings as in smtp_setup, checked. */
struct mail_sender {
	pt_str from;
	pt_str from_name;
	pt_str reply_to;
};

enum { MAIL_HEADERS = 9 };

struct mail_head {
	const char *lines[MAIL_HEADERS];
	size_t n;
};

/* PT_E_MALFORMED: the address or the subject could break out of its line. */
PT_CHECK pt_err mail_head_make(pt_arena *arena, const struct mail_sender *sender,
	const struct pt_mail *mail, struct mail_head *out);

/* A name before an address (RFC 5322 3.2.5): plain words as they are, all else as RFC 2047 words. */
PT_CHECK pt_err mail_header_phrase(pt_arena *arena, pt_str name, pt_str *out);

/* What of a text can stand in a header, up to `max` bytes of it: what could end a line, and what is
 * not UTF-8, is left out. */
PT_CHECK pt_err mail_header_fit(pt_arena *arena, pt_str text, size_t max, pt_str *out);

#endif

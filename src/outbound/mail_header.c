/*
 * mail_header.c - text and addresses that cannot leave the line they stand on.
 *
 * libcurl passes header lines and addresses on as they are; a line break in one would be a second
 * header, or a second SMTP command. Everything is checked here, character by character.
 */
#include "outbound/mail_header.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

#include "base/banned.h"

enum {
	LINE = 76,     /* RFC 2047 2 */
	NAME = 12,     /* room for "Message-ID: ", the longest name of a header of ours */
	ADDRESS = 254, /* RFC 5321 4.5.3.1.3, without its brackets */
	LOCAL = 64,    /* RFC 5321 4.5.3.1.1 */
	TEXT = 16 * 1024,
	FIRST_WORD = 36, /* bytes in an encoded word, so that it and its line end in time */
	WORD = 45,
};

/* ---- characters ---- */

static uint8_t byte_at(pt_str s, size_t i)
{
	return (uint8_t)s.p[i];
}

/* Whatever some reader takes for the end of a line: C0, DEL, C1 (U+0085 is one), U+2028, U+2029. */
static bool may_end_line(pt_str character)
{
	uint8_t first = byte_at(character, 0);

	if (character.n == 1)
		return first < 0x20 || first == 0x7F;
	if (character.n == 2)
		return first == 0xC2 && byte_at(character, 1) < 0xA0;
	return character.n == 3 && first == 0xE2 && byte_at(character, 1) == 0x80 &&
	       (byte_at(character, 2) == 0xA8 || byte_at(character, 2) == 0xA9);
}

static pt_err text_check(pt_str text)
{
	while (text.n > 0) {
		size_t step = str_utf8_step(text);

		if (step == 0 || may_end_line(str_slice(text, 0, step)))
			return PT_E_MALFORMED;
		text = str_slice(text, step, text.n);
	}
	return PT_OK;
}

pt_err mail_header_fit(pt_arena *arena, pt_str text, size_t max, pt_str *out)
{
	struct buf b = BUF(arena, max);

	while (text.n > 0) {
		size_t step = str_utf8_step(text);
		pt_str character = str_slice(text, 0, step);

		if (b.n + step > max)
			break;
		if (step > 0 && !may_end_line(character))
			buf_str(&b, character);
		text = str_slice(text, step > 0 ? step : 1, text.n);
	}
	return buf_done(&b, out);
}

static bool is_ascii(pt_str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (byte_at(text, i) >= 0x80)
			return false;
	}
	return true;
}

/* What an atom is made of (RFC 5322 3.2.3). */
static bool is_atom(char c)
{
	return ascii_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* ---- addresses ---- */

static bool is_local(pt_str local)
{
	for (size_t i = 0; i < local.n; i++) {
		if (!is_atom(local.p[i]) && local.p[i] != '.')
			return false;
	}
	return local.n > 0 && local.n <= LOCAL;
}

static bool is_domain(pt_str domain)
{
	for (size_t i = 0; i < domain.n; i++) {
		char c = domain.p[i];
		if (!ascii_alnum(c) && c != '.' && c != '-')
			return false;
	}
	return domain.n > 0 && ascii_alnum(domain.p[0]);
}

pt_err mail_address_check(pt_str address)
{
	pt_str local, domain;

	if (address.n > ADDRESS || !str_cut(address, '@', &local, &domain))
		return PT_E_MALFORMED;
	return is_local(local) && is_domain(domain) ? PT_OK : PT_E_MALFORMED;
}

/* ---- text ---- */

/* As many whole characters as fit into n bytes. */
static pt_str characters(pt_str text, size_t n)
{
	size_t end = 0, step;

	while (end < text.n && (step = str_utf8_step(str_slice(text, end, text.n))) + end <= n)
		end += step;
	return str_slice(text, 0, end);
}

/* RFC 2047 4.1: an encoded word ends with a whole character. */
static void encoded_words(struct buf *b, pt_str text)
{
	for (size_t room = FIRST_WORD; text.n > 0; room = WORD) {
		pt_str word = characters(text, room);

		if (room == WORD)
			buf_str(b, PT_STR("\r\n "));
		buf_str(b, PT_STR("=?UTF-8?B?"));
		buf_base64(b, word.p, word.n);
		buf_str(b, PT_STR("?="));
		text = str_slice(text, word.n, text.n);
	}
}

/* A run of spaces would be a line of nothing when folded, and some readers drop them. */
static bool is_foldable(pt_str text)
{
	size_t word = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != ' ')
			word++;
		else if (word == 0 || i + 1 == text.n)
			return false;
		else
			word = 0;
		if (word > LINE - NAME)
			return false;
	}
	return true;
}

/* Words as they are, each line as long as may be (RFC 5322 2.2.3). */
static void plain_words(struct buf *b, pt_str text)
{
	size_t column = NAME;
	pt_str word;

	for (bool first = true; text.n > 0; first = false) {
		str_cut(text, ' ', &word, &text);
		if (!first && column + 1 + word.n > LINE) {
			buf_str(b, PT_STR("\r\n "));
			column = 1;
		} else if (!first) {
			buf_char(b, ' ');
			column++;
		}
		buf_str(b, word);
		column += word.n;
	}
}

pt_err mail_header_text(pt_arena *arena, pt_str text, pt_str *out)
{
	struct buf b = BUF(arena, TEXT);

	TRY(text_check(text));
	if (is_ascii(text) && is_foldable(text) && !str_contains(text, PT_STR("=?")))
		plain_words(&b, text);
	else
		encoded_words(&b, text);
	return buf_done(&b, out);
}

static bool is_phrase(pt_str name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (!is_atom(name.p[i]) && name.p[i] != ' ')
			return false;
	}
	return true;
}

pt_err mail_header_phrase(pt_arena *arena, pt_str name, pt_str *out)
{
	struct buf b = BUF(arena, TEXT);

	if (is_phrase(name))
		return mail_header_text(arena, name, out);
	TRY(text_check(name));
	encoded_words(&b, name);
	return buf_done(&b, out);
}

/* ---- whole lines ---- */

static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec" };

static pt_err head_add(struct mail_head *head, struct buf *line)
{
	pt_str done;

	TRY(buf_done(line, &done));
	head->lines[head->n++] = done.p;
	return PT_OK;
}

static pt_err add_fixed(pt_arena *arena, struct mail_head *head, pt_str text)
{
	struct buf line = BUF(arena, TEXT);

	buf_str(&line, text);
	return head_add(head, &line);
}

static pt_err add_address(pt_arena *arena, struct mail_head *head, const char *name, pt_str address)
{
	struct buf line = BUF(arena, TEXT);

	TRY(mail_address_check(address));
	buf_printf(&line, "%s: ", name);
	buf_str(&line, address);
	return head_add(head, &line);
}

static pt_err add_from(pt_arena *arena, struct mail_head *head, const struct mail_sender *sender)
{
	struct buf line = BUF(arena, TEXT);
	pt_str phrase;

	if (sender->from_name.n == 0)
		return add_address(arena, head, "From", sender->from);
	TRY(mail_address_check(sender->from));
	TRY(mail_header_phrase(arena, sender->from_name, &phrase));
	buf_str(&line, PT_STR("From: "));
	buf_str(&line, phrase);
	buf_str(&line, PT_STR("\r\n <"));
	buf_str(&line, sender->from);
	buf_char(&line, '>');
	return head_add(head, &line);
}

static pt_err add_subject(pt_arena *arena, struct mail_head *head, pt_str subject)
{
	struct buf line = BUF(arena, TEXT);
	pt_str text;

	TRY(mail_header_text(arena, subject, &text));
	buf_str(&line, PT_STR("Subject: "));
	buf_str(&line, text);
	return head_add(head, &line);
}

/* RFC 5322 3.3. The time of the letter and not of the attempt: a letter sent twice is one letter. */
static pt_err add_date(pt_arena *arena, struct mail_head *head, pt_time time)
{
	struct buf line = BUF(arena, TEXT);
	struct civil at = clock_civil(time);

	buf_printf(&line, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000", days[at.weekday], at.day,
		months[at.month - 1], at.year, at.hour, at.minute, at.second);
	return head_add(head, &line);
}

static pt_err add_message_id(
	pt_arena *arena, struct mail_head *head, pt_str from, const struct pt_mail *mail)
{
	struct buf line = BUF(arena, TEXT);
	pt_str id = str(mail->id.text), local, domain;

	str_cut(from, '@', &local, &domain);
	if (!is_local(id))
		return PT_E_MALFORMED;
	buf_str(&line, PT_STR("Message-ID: <"));
	buf_str(&line, id);
	buf_char(&line, '@');
	buf_str(&line, domain);
	buf_char(&line, '>');
	return head_add(head, &line);
}

pt_err mail_head_make(pt_arena *arena, const struct mail_sender *sender, const struct pt_mail *mail,
	struct mail_head *out)
{
	struct mail_head head = { 0 };

	TRY(add_from(arena, &head, sender));
	TRY(add_address(arena, &head, "To", mail->to));
	if (sender->reply_to.n > 0)
		TRY(add_address(arena, &head, "Reply-To", sender->reply_to));
	TRY(add_subject(arena, &head, mail->subject));
	TRY(add_date(arena, &head, mail->created_at));
	TRY(add_message_id(arena, &head, sender->from, mail));
	/* RFC 3834 5: so that nobody's holiday notice answers */
	TRY(add_fixed(arena, &head, PT_STR("Auto-Submitted: auto-generated")));
	TRY(add_fixed(arena, &head, PT_STR("MIME-Version: 1.0")));
	TRY(add_fixed(arena, &head, PT_STR("Content-Type: multipart/alternative")));
	*out = head;
	return PT_OK;
}

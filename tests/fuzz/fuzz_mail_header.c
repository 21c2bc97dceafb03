/*
 * fuzz_mail_header.c - whatever a letter is made of, its head stays a head: each line ends where we
 * end it, fits, and is ASCII.
 *
 * The input's lines (cut at 0x01) are: address, subject, name of the sender, URL of a server.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "outbound/mail_header.h"

#include "base/banned.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_open(LOG_TEXT, LOG_ERROR);
	return 0;
}

static void must(bool truth)
{
	if (!truth)
		abort();
}

static void check_lines(pt_str text, size_t column)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\r') {
			must(i + 3 < text.n && text.p[i + 1] == '\n' && text.p[i + 2] == ' ');
			must(text.p[i + 3] > ' ');
			i++;
			column = 0;
			continue;
		}
		must(text.p[i] >= ' ' && text.p[i] < 0x7F);
		must(++column <= 76);
	}
}

static void check_address(pt_str address)
{
	if (mail_address_check(address) != PT_OK)
		return;
	must(address.n <= 254 && str_find(address, '@') < address.n);
	for (size_t i = 0; i < address.n; i++)
		must(address.p[i] > ' ' && address.p[i] < 0x7F &&
			!strchr("<>,\"\\;:()", address.p[i]));
}

static void check_head(struct arena *arena, pt_str address, pt_str subject, pt_str name)
{
	const struct mail_sender sender = { .from = PT_STR("door@example.org"), .from_name = name };
	const struct pt_mail mail = { .id = { "id" }, .to = address, .subject = subject };
	struct mail_head head;

	if (mail_head_make(arena, &sender, &mail, &head) != PT_OK)
		return;
	must(mail_address_check(address) == PT_OK);
	for (size_t i = 0; i < head.n; i++) {
		pt_str line = str(head.lines[i]);
		must(!str_contains(line, PT_STR("\n\r")) && !str_contains(line, PT_STR("\r\n\r")));
		must(line.n > 0 && ascii_alpha(line.p[0]));
	}
}

static void check_url(struct arena *arena, pt_str url)
{
	struct smtp_setup setup = { 0 };

	if (smtp_url_parse(arena, url, &setup) == PT_OK)
		must(setup.host.n > 0 && setup.port > 0 && setup.port < 65536);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_open(256 * KIB);
	pt_str rest = str_n(data, size), address, subject, name, url, out;

	str_cut(rest, '\x01', &address, &rest);
	str_cut(rest, '\x01', &subject, &rest);
	str_cut(rest, '\x01', &name, &url);
	check_address(address);
	if (mail_header_text(arena, subject, &out) == PT_OK)
		check_lines(out, 12);
	if (mail_header_phrase(arena, name, &out) == PT_OK)
		check_lines(out, 12);
	check_head(arena, address, subject, name);
	check_url(arena, url);
	arena_close(arena);
	return 0;
}

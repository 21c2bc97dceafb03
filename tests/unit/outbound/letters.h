/*
 * letters.h - a small composer, and letters sealed for it.
 */
#ifndef TESTS_LETTERS_H
#define TESTS_LETTERS_H

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/seal.h"
#include "outbound/compose.h"

struct letter_office {
	struct arena *arena;
	struct template_set *templates;
	struct composer composer;
};

static inline void office_template(struct letter_office *office, const char *name,
	const char *source, enum template_escape escape)
{
	char error[256];

	if (template_add(office->templates, str(name), str(name), str(source), TEMPLATE_MUSTACHE,
		    escape, error) != PT_OK)
		abort();
}

static inline void office_unit(struct value *time, const char *unit, pt_str one, pt_str other)
{
	struct value *words = value_child(time, unit);

	value_str(words, "one", one);
	value_str(words, "other", other);
}

static inline void office_open(struct letter_office *office)
{
	struct value *texts, *letter, *invite, *time;

	if (crypt_open() != PT_OK)
		abort();
	office->arena = arena_open(4 * MIB);
	office->templates = template_set_open();
	office_template(office, "letters/verify.txt", "Please click {{link}} {{name}} {{app}}\n",
		TEMPLATE_TEXT);
	office_template(office, "letters/verify.html",
		"<p>{{t.letter.verify.subject}} {{name}} <a "
		"href=\"{{link}}\">{{minutes}}</a></p>\n",
		TEMPLATE_HTML);
	office_template(office, "letters/invite.txt", "{{sentence}} {{link}} ({{validity}})\n",
		TEMPLATE_TEXT);
	office_template(
		office, "letters/invite.html", "<p>{{sentence}} {{link}}</p>\n", TEMPLATE_HTML);
	texts = value_map(office->arena);
	letter = value_child(texts, "letter");
	value_str(value_child(letter, "verify"), "subject", PT_STR("Verify your account"));
	invite = value_child(letter, "invite");
	value_str(invite, "subject", PT_STR("You have been invited"));
	value_str(invite, "text", PT_STR("Come to {site}, {email} {n}."));
	time = value_child(texts, "time");
	office_unit(time, "minute", PT_STR("{n} minute"), PT_STR("{n} minutes"));
	office_unit(time, "hour", PT_STR("{n} hour"), PT_STR("{n} hours"));
	office_unit(time, "day", PT_STR("{n} day"), PT_STR("{n} days"));
	office->composer = (struct composer){ .templates = office->templates,
		.texts = texts,
		.letter_key = { { 7 } },
		.app = PT_STR("Door") };
}

static inline void office_close(struct letter_office *office)
{
	template_set_close(office->templates);
	arena_close(office->arena);
}

static inline struct pt_letter letter_sealed(struct letter_office *office, int number, pt_str clear)
{
	struct pt_letter letter = { .kind = PT_LETTER_VERIFY, .to = PT_STR("ann@example.org") };

	snprintf(letter.id.text, sizeof(letter.id.text), "letter-%d", number);
	if (seal(office->arena, &office->composer.letter_key, str(letter.id.text), clear,
		    &letter.sealed) != PT_OK)
		abort();
	return letter;
}

/* An invitation with more variables, from their JSON: ",\"subject\":\"...\"". */
static inline struct pt_letter letter_invite(
	struct letter_office *office, int number, const char *more)
{
	struct buf b = BUF(office->arena, 64 * KIB);
	struct pt_letter letter;
	pt_str clear;

	buf_printf(&b,
		"{\"name\":\"\",\"link\":\"https://d.example/#invite_token=t\",\"minutes\":10080,"
		"\"site_url\":\"https://d.example\",\"email\":\"ann@example.org\","
		"\"token\":\"t\"%s}",
		more);
	if (buf_done(&b, &clear) != PT_OK)
		abort();
	letter = letter_sealed(office, number, clear);
	letter.kind = PT_LETTER_INVITE;
	return letter;
}

static inline struct pt_letter letter_fine(struct letter_office *office, int number)
{
	return letter_sealed(office, number,
		PT_STR("{\"name\":\"ann\",\"link\":\"https://d.example/verify?token=t&u\","
		       "\"minutes\":\"15\",\"site\":\"https://d.example\"}"));
}

#endif

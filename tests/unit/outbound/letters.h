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

static inline void office_open(struct letter_office *office)
{
	struct value *texts, *letter;

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
	texts = value_map(office->arena);
	letter = value_child(texts, "letter");
	value_str(value_child(letter, "verify"), "subject", PT_STR("Verify your account"));
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

static inline struct pt_letter letter_fine(struct letter_office *office, int number)
{
	return letter_sealed(office, number,
		PT_STR("{\"name\":\"ann\",\"link\":\"https://d.example/verify?token=t&u\","
		       "\"minutes\":\"15\",\"site\":\"https://d.example\"}"));
}

#endif

/*
 * compose.c - opens a letter's variables and lets the templates say them.
 */
#include "outbound/compose.h"

#include <stdio.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "crypt/seal.h"

#include "base/banned.h"

enum { BODY = 128 * 1024, NAME = 64 };

struct form {
	enum pt_letter_kind kind;
	const char *name;
};

static const struct form forms[] = {
	{ PT_LETTER_VERIFY, "verify" },
	{ PT_LETTER_RESET, "reset" },
	{ PT_LETTER_PASSWORD_CHANGED, "password-changed" },
	{ PT_LETTER_ACCOUNT_EXISTS, "account-exists" },
};

static const struct form *form_find(enum pt_letter_kind kind)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (forms[i].kind == kind)
			return &forms[i];
	}
	return NULL;
}

const char *letter_name(enum pt_letter_kind kind)
{
	const struct form *form = form_find(kind);

	return form ? form->name : "unknown";
}

/* ---- subject and bodies ---- */

static pt_err subject_find(const struct composer *composer, const struct form *form, pt_str *out)
{
	char path[NAME];
	pt_str subject;

	snprintf(path, sizeof(path), "letter.%s.subject", form->name);
	subject = value_text(composer->texts, str(path));
	if (subject.n == 0)
		return fault(PT_F_RENDER, "the texts have no %s", path);
	*out = subject;
	return PT_OK;
}

static pt_err body_render(const struct composer *composer, pt_arena *arena, const struct form *form,
	const char *ending, const struct value *values, pt_str *out)
{
	struct buf b = BUF(arena, BODY);
	char name[NAME];

	snprintf(name, sizeof(name), "letters/%s.%s", form->name, ending);
	TRY(template_render(composer->templates, str(name), values, &b));
	return buf_done(&b, out);
}

/* ---- variables ---- */

static pt_err value_add(pt_arena *arena, struct value *values, const struct json_value *member)
{
	const char *name = arena_cstr(arena, member->name);

	if (!name)
		return fault(PT_F_MEMORY, "no room for a letter");
	switch (member->type) {
	case JSON_STRING:
		value_str(values, name, member->text);
		return PT_OK;
	case JSON_NUMBER:
		value_int(values, name, member->number);
		return PT_OK;
	case JSON_BOOL:
		value_bool(values, name, member->truth);
		return PT_OK;
	case JSON_NULL:
		return PT_OK;
	case JSON_OBJECT:
	case JSON_ARRAY:
		break;
	}
	return fault(PT_F_RENDER, "a letter's variable %s is neither text nor number", name);
}

static pt_err variables_open(const struct composer *composer, pt_arena *arena,
	const struct pt_letter *letter, struct value *values)
{
	struct json_value object;
	pt_str clear;

	TRY(seal_open(arena, &composer->letter_key, str(letter->id.text), letter->sealed, &clear));
	if (json_read(arena, clear, &object) != PT_OK || object.type != JSON_OBJECT)
		return fault(PT_F_RENDER, "a letter's variables are not an object");
	for (size_t i = 0; i < object.n; i++)
		TRY(value_add(arena, values, &object.items[i]));
	return PT_OK;
}

pt_err compose(const struct composer *composer, pt_arena *arena, const struct pt_letter *letter,
	struct pt_mail *out)
{
	const struct form *form = form_find(letter->kind);
	struct value *values = value_map(arena);
	struct pt_mail mail = { .id = letter->id, .created_at = letter->created_at };

	if (!form)
		return fault(PT_F_RENDER, "a letter of kind %d is not known", (int)letter->kind);
	TRY(variables_open(composer, arena, letter, values));
	value_str(values, "app", composer->app);
	value_shared(values, "t", composer->texts);
	TRY(subject_find(composer, form, &mail.subject));
	TRY(body_render(composer, arena, form, "txt", values, &mail.text));
	TRY(body_render(composer, arena, form, "html", values, &mail.html));
	if (!arena_str(arena, letter->to, &mail.to))
		return fault(PT_F_MEMORY, "no room for a letter");
	*out = mail;
	return PT_OK;
}

/*
 * compose.c - opens a letter's variables and lets the templates say them.
 */
#include "outbound/compose.h"

#include <pthread.h>
#include <stdio.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "crypt/seal.h"

#include "base/banned.h"

enum { SUBJECT = 1024, BODY = 128 * 1024, NAME = 64 };

/* Subjects are texts of the catalogue; to the template engine each is a template of one hole. */
struct form {
	enum pt_letter_kind kind;
	const char *name;
	pt_str subject;
};

static const struct form forms[] = {
	{ PT_LETTER_VERIFY, "verify", PT_STR_INIT("{{t.letter.verify.subject}}") },
	{ PT_LETTER_RESET, "reset", PT_STR_INIT("{{t.letter.reset.subject}}") },
	{ PT_LETTER_PASSWORD_CHANGED, "password-changed",
		PT_STR_INIT("{{t.letter.password-changed.subject}}") },
	{ PT_LETTER_ACCOUNT_EXISTS, "account-exists",
		PT_STR_INIT("{{t.letter.account-exists.subject}}") },
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

/* ---- subjects ---- */

static pthread_once_t subjects_once = PTHREAD_ONCE_INIT;
static struct template_set *subjects; /* NULL when it could not be made */

static void subjects_open(void)
{
	struct template_set *set = template_set_open();
	char error[256];

	for (size_t i = 0; set && i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (template_add(set, str(forms[i].name), str(forms[i].name), forms[i].subject,
			    TEMPLATE_MUSTACHE, TEMPLATE_TEXT, error) != PT_OK) {
			template_set_close(set);
			return;
		}
	}
	subjects = set;
}

static pt_err subject_render(
	pt_arena *arena, const struct form *form, const struct value *values, pt_str *out)
{
	struct buf b = BUF(arena, SUBJECT);

	pthread_once(&subjects_once, subjects_open);
	if (!subjects)
		return fault(PT_F_MEMORY, "no room for the subjects of letters");
	TRY(template_render(subjects, str(form->name), values, &b));
	TRY(buf_done(&b, out));
	if (out->n == 0)
		return fault(PT_F_RENDER, "the texts have no letter.%s.subject", form->name);
	return PT_OK;
}

/* ---- bodies ---- */

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
	TRY(subject_render(arena, form, values, &mail.subject));
	TRY(body_render(composer, arena, form, "txt", values, &mail.text));
	TRY(body_render(composer, arena, form, "html", values, &mail.html));
	if (!arena_str(arena, letter->to, &mail.to))
		return fault(PT_F_MEMORY, "no room for a letter");
	*out = mail;
	return PT_OK;
}

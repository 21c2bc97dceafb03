/*
 * compose.c - opens a letter's variables and lets the templates say them.
 */
#include "outbound/compose.h"

#include <stdio.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/own.h"
#include "base/str.h"
#include "crypt/seal.h"
#include "outbound/mail_header.h"

#include "base/banned.h"

enum { BODY = 128 * 1024, NAME = 64, SUBJECT = 200, SENTENCE = 4 * 1024, MINUTES = 1000000000 };

struct form {
	enum pt_letter_kind kind;
	const char *name;
};

static const struct form forms[] = {
	{ PT_LETTER_VERIFY, "verify" },
	{ PT_LETTER_RESET, "reset" },
	{ PT_LETTER_PASSWORD_CHANGED, "password-changed" },
	{ PT_LETTER_ACCOUNT_EXISTS, "account-exists" },
	{ PT_LETTER_INVITE, "invite" },
	{ PT_LETTER_EMAIL_CHANGE, "email-change" },
	{ PT_LETTER_EMAIL_CHANGED, "email-changed" },
};

/* What a site's own templates call the variables that are text. */
static const struct {
	pt_str ours;
	const char *go;
} go_names[] = {
	{ PT_STR_INIT("site_url"), "SiteURL" },
	{ PT_STR_INIT("link"), "ConfirmationURL" },
	{ PT_STR_INIT("email"), "Email" },
	{ PT_STR_INIT("new_email"), "NewEmail" },
	{ PT_STR_INIT("token"), "Token" },
};

/* The longest first; `from` how many minutes it is used. */
static const struct {
	int64_t minutes;
	int64_t from;
	const char *one;
	const char *other;
} spans[] = {
	{ 24 * 60, 2 * 24 * 60, "time.day.one", "time.day.other" },
	{ 60, 60, "time.hour.one", "time.hour.other" },
	{ 1, 1, "time.minute.one", "time.minute.other" },
};

/* One letter under way. */
struct composing {
	const struct composer *composer;
	struct letter_templates *own;
	pt_arena *arena;
	const struct pt_letter *letter;
	pt_time until;
	const struct form *form;
	struct json_value variables;
	struct value *values; /* for our templates */
	struct value *go;     /* for the site's */
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

	if (kind == PT_LETTER_HOOK)
		return "hook";
	return form ? form->name : "unknown";
}

/* ---- JSON to values ---- */

static pt_err members_add(pt_arena *arena, struct value *map, const struct json_value *object);
static pt_err items_add(pt_arena *arena, struct value *list, const struct json_value *array);

/* Null and numbers that are no integers are not there. */
static pt_err member_add(pt_arena *arena, struct value *map, const struct json_value *member)
{
	const char *name = arena_cstr(arena, member->name);

	if (!name)
		return fault(PT_F_MEMORY, "no room for a letter");
	switch (member->type) {
	case JSON_STRING:
		value_str(map, name, member->text);
		return PT_OK;
	case JSON_NUMBER:
		if (member->text.n > 0)
			value_int(map, name, member->number);
		return PT_OK;
	case JSON_BOOL:
		value_bool(map, name, member->truth);
		return PT_OK;
	case JSON_NULL:
		return PT_OK;
	case JSON_OBJECT:
		return members_add(arena, value_child(map, name), member);
	case JSON_ARRAY:
		return items_add(arena, value_list(map, name), member);
	}
	return PT_OK;
}

static pt_err members_add(pt_arena *arena, struct value *map, const struct json_value *object)
{
	for (size_t i = 0; i < object->n; i++)
		TRY(member_add(arena, map, &object->items[i]));
	return PT_OK;
}

/* Lists in lists are left out. */
static pt_err items_add(pt_arena *arena, struct value *list, const struct json_value *array)
{
	for (size_t i = 0; i < array->n; i++) {
		const struct json_value *item = &array->items[i];
		if (item->type == JSON_STRING || item->type == JSON_NUMBER)
			value_item_str(list, item->text);
		else if (item->type == JSON_BOOL)
			value_item_str(list, item->truth ? PT_STR("true") : PT_STR("false"));
		else if (item->type == JSON_OBJECT)
			TRY(members_add(arena, value_item(list), item));
	}
	return PT_OK;
}

/* ---- variables ---- */

/* "" when it is absent or no text. */
static pt_str variable_text(const struct composing *c, pt_str name)
{
	const struct json_value *found = json_find(&c->variables, name);

	return found && found->type == JSON_STRING ? found->text : PT_STR("");
}

static pt_err variables_open(struct composing *c)
{
	const struct pt_letter *letter = c->letter;
	pt_str clear;

	TRY(seal_open(
		c->arena, &c->composer->letter_key, str(letter->id.text), letter->sealed, &clear));
	if (json_read(c->arena, clear, &c->variables) != PT_OK || c->variables.type != JSON_OBJECT)
		return fault(PT_F_RENDER, "a letter's variables are not an object");
	return PT_OK;
}

static pt_err go_values_make(struct composing *c)
{
	const struct json_value *data = json_find(&c->variables, PT_STR("data"));

	c->go = value_map(c->arena);
	for (size_t i = 0; i < sizeof(go_names) / sizeof(go_names[0]); i++)
		value_str(c->go, go_names[i].go, variable_text(c, go_names[i].ours));
	if (!data || data->type != JSON_OBJECT)
		return PT_OK;
	return members_add(c->arena, value_child(c->go, "Data"), data);
}

/* ---- sentences ---- */

struct filling {
	pt_str placeholder; /* "{n}" */
	pt_str text;
};

static const struct filling *filling_at(pt_str words, const struct filling *fillings, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (str_starts(words, fillings[i].placeholder))
			return &fillings[i];
	}
	return NULL;
}

/* Once through: what was filled in is not looked at again. */
static pt_err words_fill(
	pt_arena *arena, pt_str words, const struct filling *fillings, size_t n, pt_str *out)
{
	struct buf b = BUF(arena, SENTENCE);

	while (words.n > 0) {
		const struct filling *filling = filling_at(words, fillings, n);
		if (filling)
			buf_str(&b, filling->text);
		else
			buf_char(&b, words.p[0]);
		words = str_slice(words, filling ? filling->placeholder.n : 1, words.n);
	}
	return buf_done(&b, out);
}

/* "15 minutes", "24 hours", "7 days"; rather a little less than more. */
static pt_err validity_make(const struct composing *c, int64_t minutes, pt_str *out)
{
	const struct value *texts = c->composer->texts;
	char number[24];
	struct filling filling = { .placeholder = PT_STR("{n}") };

	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		int64_t n = minutes / spans[i].minutes;
		bool is_whole = minutes % spans[i].minutes == 0 || n > 3;

		if (minutes < spans[i].from || !is_whole)
			continue;
		snprintf(number, sizeof(number), "%lld", (long long)n);
		filling.text = str(number);
		return words_fill(c->arena,
			value_text(texts, str(n == 1 ? spans[i].one : spans[i].other)), &filling, 1,
			out);
	}
	*out = PT_STR("");
	return PT_OK;
}

static pt_err validity_add(struct composing *c)
{
	const struct json_value *minutes = json_find(&c->variables, PT_STR("minutes"));
	int64_t number = 0;
	pt_str validity;

	if (minutes && minutes->type == JSON_NUMBER)
		number = minutes->number;
	if (number <= 0 || number > MINUTES)
		return PT_OK;
	TRY(validity_make(c, number, &validity));
	value_str(c->values, "validity", validity);
	return PT_OK;
}

static pt_str catalogue_text(const struct composing *c, const char *what)
{
	char path[NAME];

	snprintf(path, sizeof(path), "letter.%s.%s", c->form->name, what);
	return value_text(c->composer->texts, str(path));
}

/* letter.<kind>.text, which says which addresses it is about. */
static pt_err sentence_add(struct composing *c)
{
	pt_str site = variable_text(c, PT_STR("site_url"));
	const struct filling fillings[] = {
		{ PT_STR("{site}"), site.n > 0 ? site : c->composer->app },
		{ PT_STR("{email}"), variable_text(c, PT_STR("email")) },
		{ PT_STR("{new_email}"), variable_text(c, PT_STR("new_email")) },
	};
	pt_str sentence;

	TRY(words_fill(c->arena, catalogue_text(c, "text"), fillings,
		sizeof(fillings) / sizeof(fillings[0]), &sentence));
	value_str(c->values, "sentence", sentence);
	return PT_OK;
}

/* All but the courier, which is nobody's to read. */
static pt_err variables_add(struct composing *c)
{
	for (size_t i = 0; i < c->variables.n; i++) {
		const struct json_value *variable = &c->variables.items[i];
		if (!str_eq(variable->name, PT_STR("courier")))
			TRY(member_add(c->arena, c->values, variable));
	}
	return PT_OK;
}

static pt_err values_make(struct composing *c)
{
	c->values = value_map(c->arena);
	TRY(variables_add(c));
	TRY(validity_add(c));
	TRY(sentence_add(c));
	value_str(c->values, "app", c->composer->app);
	value_shared(c->values, "t", c->composer->texts);
	return PT_OK;
}

/* ---- templates of the site's own ---- */

static void own_set(struct template_set **set)
{
	template_set_close(*set);
}

static pt_err go_render(const struct composing *c, pt_str name, pt_str source,
	enum template_escape escape, pt_str *out)
{
	PT_OWN(own_set) struct template_set *set = template_set_open();
	struct buf b = BUF(c->arena, BODY);
	char error[256] = "";
	pt_err err;

	if (!set)
		return fault(PT_F_MEMORY, "no room for a letter");
	err = template_add(set, name, name, source, TEMPLATE_GO, escape, error);
	if (err != PT_OK) {
		LOG(LOG_WARN, "letter.template",
			F_CSTR("message", "a letter's own template cannot be used; ours is"),
			F_CSTR("detail", error));
		return err;
	}
	TRY(template_render(set, name, c->go, &b));
	return buf_done(&b, out);
}

static bool own_subject(const struct composing *c, pt_str *out)
{
	pt_str source = variable_text(c, PT_STR("subject"));
	pt_str text, fit;

	if (source.n == 0 ||
		go_render(c, PT_STR("subject"), source, TEMPLATE_TEXT, &text) != PT_OK ||
		mail_header_fit(c->arena, text, SUBJECT, &fit) != PT_OK)
		return false;
	*out = str_trim(fit);
	return out->n > 0;
}

static bool own_html(const struct composing *c, pt_str *out)
{
	const struct letter_template_query query = {
		.url = variable_text(c, PT_STR("template")),
		.allow_private = c->composer->allow_private,
		.until = c->until,
	};
	pt_str source;

	return query.url.n > 0 &&
	       letter_template_find(c->own, c->arena, &query, &source) == PT_OK &&
	       go_render(c, PT_STR("template"), source, TEMPLATE_HTML, out) == PT_OK;
}

/* ---- subject and bodies ---- */

static pt_err subject_make(const struct composing *c, pt_str *out)
{
	pt_str subject;

	if (own_subject(c, out))
		return PT_OK;
	subject = catalogue_text(c, "subject");
	if (subject.n == 0)
		return fault(PT_F_RENDER, "the texts have no letter.%s.subject", c->form->name);
	*out = subject;
	return PT_OK;
}

static pt_err body_render(const struct composing *c, const char *ending, pt_str *out)
{
	struct buf b = BUF(c->arena, BODY);
	char name[NAME];

	snprintf(name, sizeof(name), "letters/%s.%s", c->form->name, ending);
	TRY(template_render(c->composer->templates, str(name), c->values, &b));
	return buf_done(&b, out);
}

static pt_err html_make(const struct composing *c, pt_str *out)
{
	return own_html(c, out) ? PT_OK : body_render(c, "html", out);
}

pt_err compose(const struct composer *composer, struct letter_templates *own, pt_arena *arena,
	const struct pt_letter *letter, pt_time until, struct pt_mail *out)
{
	struct pt_mail mail = { .id = letter->id, .created_at = letter->created_at };
	struct composing c = {
		.composer = composer,
		.own = own,
		.arena = arena,
		.letter = letter,
		.until = until,
		.form = form_find(letter->kind),
	};

	if (!c.form)
		return fault(PT_F_RENDER, "a letter of kind %d is not known", (int)letter->kind);
	TRY(variables_open(&c));
	TRY(go_values_make(&c));
	TRY(values_make(&c));
	TRY(subject_make(&c, &mail.subject));
	TRY(body_render(&c, "txt", &mail.text));
	TRY(html_make(&c, &mail.html));
	if (!arena_str(arena, letter->to, &mail.to))
		return fault(PT_F_MEMORY, "no room for a letter");
	*out = mail;
	return PT_OK;
}

pt_err compose_courier(const struct composer *composer, pt_arena *arena,
	const struct pt_letter *letter, pt_str *out)
{
	struct composing c = { .composer = composer, .arena = arena, .letter = letter };

	TRY(variables_open(&c));
	*out = variable_text(&c, PT_STR("courier"));
	return PT_OK;
}

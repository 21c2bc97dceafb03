/*
 * field.c - what a client filled in, whatever it was wrapped in.
 */
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "http/field.h"
#include "http/multipart.h"

#include "base/banned.h"

enum {
	FIELDS_MOST = 256,
	NAME_MOST = 256,
	VALUE_MOST = 4096, /* unless the caller says otherwise */
};

/* ---- percent-encoding --------------------------------------------------------------------- */

static int hex_value(char c)
{
	if (ascii_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_plain(pt_str text, bool plus_is_space)
{
	return str_find(text, '%') == text.n && (!plus_is_space || str_find(text, '+') == text.n);
}

static bool escape_read(pt_str text, size_t at, char *out)
{
	int high, low;

	if (at + 2 >= text.n)
		return false;
	high = hex_value(text.p[at + 1]);
	low = hex_value(text.p[at + 2]);
	*out = (char)(high * 16 + low);
	return high >= 0 && low >= 0;
}

static pt_err decode(struct arena *arena, pt_str text, bool plus_is_space, pt_str *out)
{
	size_t n = 0;
	char *p;

	if (is_plain(text, plus_is_space)) {
		*out = text;
		return PT_OK;
	}
	p = arena_alloc(arena, text.n);
	if (p == NULL)
		return fault(PT_F_MEMORY, "no memory for a field");
	for (size_t i = 0; i < text.n; i++) {
		p[n] = text.p[i];
		if (plus_is_space && p[n] == '+')
			p[n] = ' ';
		if (text.p[i] == '%') {
			if (!escape_read(text, i, &p[n]))
				return PT_E_MALFORMED;
			i += 2;
		}
		n++;
	}
	*out = str_n(p, n);
	return PT_OK;
}

pt_err percent_decode(struct arena *arena, pt_str text, pt_str *out)
{
	return decode(arena, text, false, out);
}

/* ---- what the body is --------------------------------------------------------------------- */

static const struct {
	pt_str media;
	enum body_type type;
} body_types[] = {
	{ { "application/x-www-form-urlencoded", 33 }, BODY_FORM },
	{ { "multipart/form-data", 19 }, BODY_MULTIPART },
	{ { "application/json", 16 }, BODY_JSON },
};

static size_t header_count(const struct http_request *rq, pt_str name)
{
	size_t n = 0;

	for (size_t i = 0; i < rq->n_headers; i++)
		n += str_eq(rq->headers[i].name, name);
	return n;
}

/* Text that is not UTF-8 is another type to us. */
static bool is_utf8_by_name(pt_str content_type)
{
	pt_str charset;

	if (!parameter_find(content_type, PT_STR("charset"), &charset))
		return true;
	return str_eq_nocase(charset, PT_STR("utf-8")) || str_eq_nocase(charset, PT_STR("utf8"));
}

enum body_type body_type(const struct http_request *rq)
{
	pt_str header = http_header(rq, PT_STR("content-type"));
	pt_str media = str_trim(str_slice(header, 0, str_find(header, ';')));
	size_t times = header_count(rq, PT_STR("content-type"));

	if (times == 0)
		return BODY_NONE;
	if (times > 1)
		return BODY_OTHER;
	for (size_t i = 0; i < sizeof(body_types) / sizeof(body_types[0]); i++) {
		if (str_eq_nocase(media, body_types[i].media))
			return is_utf8_by_name(header) ? body_types[i].type : BODY_OTHER;
	}
	return BODY_OTHER;
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool text_is_clean(pt_str text, size_t most)
{
	return text.n <= most && (text.n == 0 || memchr(text.p, '\0', text.n) == NULL) &&
	       str_utf8(text);
}

static pt_err fields_check(const struct fields *fields, size_t max_value)
{
	for (size_t i = 0; i < fields->n; i++) {
		if (!text_is_clean(fields->items[i].name, NAME_MOST) ||
			!text_is_clean(fields->items[i].value, max_value))
			return PT_E_MALFORMED;
	}
	return PT_OK;
}

static pt_err items_make(struct arena *arena, size_t most, struct field **out)
{
	*out = ARENA_ARRAY(arena, struct field, most);
	return *out ? PT_OK : fault(PT_F_MEMORY, "no memory for fields");
}

/* One more than there are marks between them: room for all that may come would be wiped for nothing. */
static size_t form_most(pt_str text)
{
	size_t most = 1;

	for (size_t i = 0; i < text.n && most < FIELDS_MOST; i++)
		most += text.p[i] == '&';
	return most;
}

static pt_err form_read(struct arena *arena, pt_str text, struct fields *out)
{
	struct field *items;
	size_t n = 0;

	TRY(items_make(arena, form_most(text), &items));
	while (text.n > 0) {
		pt_str pair, name, value;

		(void)str_cut(text, '&', &pair, &text);
		if (pair.n == 0)
			continue;
		if (n == FIELDS_MOST)
			return PT_E_MALFORMED;
		(void)str_cut(pair, '=', &name, &value);
		TRY(decode(arena, name, true, &items[n].name));
		TRY(decode(arena, value, true, &items[n].value));
		n++;
	}
	*out = (struct fields){ items, n };
	return PT_OK;
}

static pt_err parts_read(const struct http_request *rq, struct fields *out)
{
	pt_str type = http_header(rq, PT_STR("content-type"));
	struct field *items;
	size_t n;

	TRY(items_make(rq->arena, FIELDS_MOST, &items));
	TRY(multipart_read(type, rq->body, items, FIELDS_MOST, &n));
	*out = (struct fields){ items, n };
	return PT_OK;
}

static pt_err object_read(struct arena *arena, pt_str text, struct fields *out)
{
	struct json_member *members;
	struct field *items;
	size_t n;

	TRY(json_read_strings(arena, text, &members, &n));
	if (n > FIELDS_MOST)
		return PT_E_MALFORMED;
	TRY(items_make(arena, n, &items));
	for (size_t i = 0; i < n; i++)
		items[i] = (struct field){ members[i].name, members[i].value };
	*out = (struct fields){ items, n };
	return PT_OK;
}

static pt_err body_read(const struct http_request *rq, struct fields *out)
{
	switch (body_type(rq)) {
	case BODY_NONE:
		*out = (struct fields){ NULL, 0 };
		return rq->body.n == 0 ? PT_OK : PT_E_MEDIA_TYPE;
	case BODY_FORM:
		return form_read(rq->arena, rq->body, out);
	case BODY_MULTIPART:
		return parts_read(rq, out);
	case BODY_JSON:
		return object_read(rq->arena, rq->body, out);
	case BODY_OTHER:
		break;
	}
	return PT_E_MEDIA_TYPE;
}

pt_err fields_read(const struct http_request *rq, size_t max_value, struct fields *out)
{
	struct fields read;

	TRY(body_read(rq, &read));
	TRY(fields_check(&read, max_value > 0 ? max_value : VALUE_MOST));
	*out = read;
	return PT_OK;
}

pt_err fields_query(struct arena *arena, pt_str query, struct fields *out)
{
	struct fields read;

	TRY(form_read(arena, query, &read));
	TRY(fields_check(&read, VALUE_MOST));
	*out = read;
	return PT_OK;
}

static const struct field *field_find(const struct fields *fields, pt_str name)
{
	for (size_t i = 0; i < fields->n; i++) {
		if (str_eq(fields->items[i].name, name))
			return &fields->items[i];
	}
	return NULL;
}

pt_str field_value(const struct fields *fields, pt_str name)
{
	const struct field *field = field_find(fields, name);

	return field ? field->value : PT_STR("");
}

bool field_present(const struct fields *fields, pt_str name)
{
	return field_find(fields, name) != NULL;
}

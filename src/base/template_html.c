/*
 * template_html.c - where in an HTML document a template is.
 *
 * The states are those of the HTML standard's tokenizer (13.2.5), with the ones that need no telling
 * apart here folded together.
 */
#include "base/template_html.h"

#include "base/str.h"

#include "base/banned.h"

/* Elements whose content is another language, or that a browser reads without looking for tags. */
static const char *const script_tags[] = { "script", "style", "xmp", "iframe", "noembed",
	"noframes", "plaintext" };

static const char *const title_tags[] = { "title", "textarea" };

/* Attributes whose value is itself code or markup; those that begin with "on" besides. */
static const char *const code_attributes[] = { "style", "srcdoc" };

static const char *const url_attributes[] = { "href", "src", "action", "formaction", "poster",
	"data", "cite", "ping", "background", "xlink:href" };

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static bool is_one_of(pt_str s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(s, str(list[i])))
			return true;
	return false;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static pt_str tag_name(const struct html_place *place)
{
	return str_n(place->tag, place->tag_n);
}

static pt_str attribute_name(const struct html_place *place)
{
	return str_n(place->name, place->name_n);
}

static void append(char *word, size_t size, size_t *n, char c)
{
	if (*n < size)
		word[(*n)++] = ascii_lower(c);
}

static void attribute_begin(struct html_place *place, char c)
{
	place->state = HTML_ATTRIBUTE;
	place->name_n = 0;
	append(place->name, sizeof(place->name), &place->name_n, c);
}

static void tag_end(struct html_place *place)
{
	place->matched = 0;
	if (place->closing)
		place->state = HTML_TEXT;
	else if (is_one_of(tag_name(place), script_tags, COUNT(script_tags)))
		place->state = HTML_SCRIPT;
	else if (is_one_of(tag_name(place), title_tags, COUNT(title_tags)))
		place->state = HTML_TITLE;
	else
		place->state = HTML_TEXT;
}

static void value_begin(struct html_place *place, enum html_state state)
{
	place->state = state;
	place->begun = false;
	place->query = false;
}

static void read_text(struct html_place *place, char c)
{
	if (c != '<')
		return;
	place->state = HTML_OPEN;
	place->closing = false;
	place->tag_n = 0;
	place->name_n = 0;
}

static void read_open(struct html_place *place, char c)
{
	if (ascii_alpha(c)) {
		place->state = HTML_NAME;
		append(place->tag, sizeof(place->tag), &place->tag_n, c);
	} else if (c == '/' && !place->closing) {
		place->closing = true;
	} else if (c == '!' || c == '?' || (place->closing && c != '>')) {
		place->state = HTML_DECLARATION;
		place->matched = 0;
	} else {
		place->state = HTML_TEXT;
		read_text(place, c);
	}
}

static void read_name(struct html_place *place, char c)
{
	if (is_space(c) || c == '/')
		place->state = HTML_TAG;
	else if (c == '>')
		tag_end(place);
	else
		append(place->tag, sizeof(place->tag), &place->tag_n, c);
}

static void read_tag(struct html_place *place, char c)
{
	if (is_space(c) || c == '/')
		place->state = HTML_TAG;
	else if (c == '>')
		tag_end(place);
	else
		attribute_begin(place, c);
}

static void read_attribute(struct html_place *place, char c)
{
	if (c == '=')
		place->state = HTML_EQUALS;
	else if (is_space(c))
		place->state = HTML_AFTER;
	else if (c == '/' || c == '>')
		read_tag(place, c);
	else
		append(place->name, sizeof(place->name), &place->name_n, c);
}

static void read_after(struct html_place *place, char c)
{
	if (c == '=')
		place->state = HTML_EQUALS;
	else if (!is_space(c))
		read_tag(place, c);
}

static void read_equals(struct html_place *place, char c)
{
	if (c == '"')
		value_begin(place, HTML_DOUBLE);
	else if (c == '\'')
		value_begin(place, HTML_SINGLE);
	else if (c == '>')
		tag_end(place);
	else if (!is_space(c))
		value_begin(place, HTML_BARE);
}

static void read_value(struct html_place *place, char c, char quote)
{
	place->begun = true;
	place->query |= c == '?' || c == '#';
	if (c == quote)
		place->state = HTML_TAG;
}

static void read_bare(struct html_place *place, char c)
{
	if (is_space(c))
		place->state = HTML_TAG;
	else if (c == '>')
		tag_end(place);
}

static void read_declaration(struct html_place *place, char c)
{
	if (c == '>') {
		tag_end(place);
	} else if (c == '-' && place->matched < 2) {
		/* `<!-->` is a whole comment already: the dashes that open may also close */
		if (++place->matched == 2)
			place->state = HTML_COMMENT;
	} else {
		place->matched = 2;
	}
}

static void read_comment(struct html_place *place, char c)
{
	if (c == '-')
		place->matched++;
	else if (c == '>' && place->matched >= 2)
		tag_end(place);
	else
		place->matched = 0;
}

/* Inside <script>, <title> and their like only their own end tag counts. */
static const char *read_until_end_tag(struct html_place *place, char c)
{
	size_t at = place->matched;

	if (at == place->tag_n + 2 && (is_space(c) || c == '/' || c == '>')) {
		place->closing = true;
		read_tag(place, c);
		return NULL;
	}
	if ((at == 0 && c == '<') || (at == 1 && c == '/') ||
		(at >= 2 && at - 2 < place->tag_n && ascii_lower(c) == place->tag[at - 2])) {
		place->matched++;
		return NULL;
	}
	/* Within <svg> a title may have tags, so a `<` here could be one. */
	if (place->state == HTML_TITLE && at > 0)
		return "a tag inside <title> or <textarea>";
	place->matched = c == '<';
	return NULL;
}

static const char *read_char(struct html_place *place, char c)
{
	switch (place->state) {
	case HTML_TEXT:
		read_text(place, c);
		return NULL;
	case HTML_OPEN:
		read_open(place, c);
		return NULL;
	case HTML_NAME:
		read_name(place, c);
		return NULL;
	case HTML_JOIN:
		if (!is_space(c) && c != '/' && c != '>')
			return "inside a tag a block must be followed by a space or the tag's end";
		read_tag(place, c);
		return NULL;
	case HTML_TAG:
		read_tag(place, c);
		return NULL;
	case HTML_ATTRIBUTE:
		read_attribute(place, c);
		return NULL;
	case HTML_AFTER:
		read_after(place, c);
		return NULL;
	case HTML_EQUALS:
		read_equals(place, c);
		return NULL;
	case HTML_DOUBLE:
		read_value(place, c, '"');
		return NULL;
	case HTML_SINGLE:
		read_value(place, c, '\'');
		return NULL;
	case HTML_BARE:
		read_bare(place, c);
		return NULL;
	case HTML_DECLARATION:
		read_declaration(place, c);
		return NULL;
	case HTML_COMMENT:
		read_comment(place, c);
		return NULL;
	case HTML_TITLE:
	case HTML_SCRIPT:
		return read_until_end_tag(place, c);
	}
	return NULL;
}

const char *html_text(struct html_place *place, pt_str text, size_t *read)
{
	for (*read = 0; *read < text.n; ++*read) {
		const char *trouble = read_char(place, text.p[*read]);
		if (trouble)
			return trouble;
	}
	return NULL;
}

static const char *attribute_trouble(const struct html_place *place)
{
	pt_str name = attribute_name(place);

	if (str_starts(name, PT_STR("on")))
		return "a value inside an event handler (on...=) cannot be escaped";
	if (is_one_of(name, code_attributes, COUNT(code_attributes)))
		return "a value inside style= or srcdoc= cannot be escaped";
	return NULL;
}

/* Why neither a value nor a block can stand here; NULL where a value can. */
static const char *place_trouble(const struct html_place *place)
{
	switch (place->state) {
	case HTML_TEXT:
		return NULL;
	case HTML_TITLE:
		return place->matched ? "a tag inside <title> or <textarea>" : NULL;
	case HTML_DOUBLE:
	case HTML_SINGLE:
		return attribute_trouble(place);
	case HTML_OPEN:
	case HTML_NAME:
		return "a tag's name cannot be a value";
	case HTML_TAG:
	case HTML_JOIN:
	case HTML_ATTRIBUTE:
	case HTML_AFTER:
		return "inside a tag a value must stand in a quoted attribute";
	case HTML_EQUALS:
	case HTML_BARE:
		return "an attribute with a value needs quotes around it";
	case HTML_DECLARATION:
	case HTML_COMMENT:
		return "a value inside an HTML comment or declaration";
	case HTML_SCRIPT:
		return "a value inside <script>, <style> or the like cannot be escaped";
	}
	return NULL;
}

static bool is_address(const struct html_place *place)
{
	return (place->state == HTML_DOUBLE || place->state == HTML_SINGLE) &&
	       is_one_of(attribute_name(place), url_attributes, COUNT(url_attributes));
}

const char *html_hole(const struct html_place *place, bool raw, bool *url)
{
	const char *trouble = place_trouble(place);

	if (trouble)
		return trouble;
	if (raw && place->state != HTML_TEXT)
		return "a raw value can only stand between tags";
	*url = !place->begun && is_address(place);
	return NULL;
}

bool html_is_query(const struct html_place *place)
{
	return place->begun && place->query && is_address(place);
}

static bool is_between_attributes(enum html_state state)
{
	return state == HTML_TAG || state == HTML_JOIN || state == HTML_ATTRIBUTE ||
	       state == HTML_AFTER;
}

const char *html_block(struct html_place *place)
{
	switch (place->state) {
	case HTML_NAME:
	case HTML_ATTRIBUTE:
		/* what follows must not become part of the name */
		place->state = HTML_JOIN;
		return NULL;
	case HTML_AFTER:
		/* an `=` that only sometimes follows begins a name of its own, where nothing may stand */
		place->state = HTML_TAG;
		return NULL;
	case HTML_TAG:
	case HTML_JOIN:
		return NULL;
	default:
		return place_trouble(place);
	}
}

/* The same tag, and in a value the same attribute: else what follows would be judged by another. */
static bool is_same_element(const struct html_place *a, const struct html_place *b)
{
	if (a->state == HTML_TEXT && b->state == HTML_TEXT)
		return true;
	return a->closing == b->closing && str_eq(tag_name(a), tag_name(b)) &&
	       (is_between_attributes(a->state) || str_eq(attribute_name(a), attribute_name(b)));
}

const char *html_block_end(struct html_place *place, const struct html_place *start)
{
	if (place->state == HTML_AFTER)
		place->state = HTML_TAG;
	/* if the block was not shown, the value has begun only if it had before */
	place->begun = start->begun;
	place->query |= start->query;
	if (place->state == start->state && place->matched == start->matched &&
		is_same_element(place, start))
		return NULL;
	if (is_between_attributes(place->state) && is_between_attributes(start->state) &&
		is_same_element(place, start)) {
		place->state = HTML_JOIN;
		return NULL;
	}
	return "a block must end where it began: between tags, between attributes or in one value";
}

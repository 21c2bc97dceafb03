/*
 * template_html.h - where in an HTML document a template is, byte after byte.
 *
 * Escaping as the engine does it is right between tags and inside quoted attributes, and nowhere
 * else. This knows which of the two it is, and says no to every other place. Where a browser could
 * see more than one thing, it sees the place that is refused. For base/template*.c only.
 */
#ifndef BASE_TEMPLATE_HTML_H
#define BASE_TEMPLATE_HTML_H

#include <stdbool.h>

#include "portress/base.h"

enum html_state {
	HTML_TEXT,
	HTML_OPEN,        /* after `<` */
	HTML_NAME,        /* in a tag's name */
	HTML_TAG,         /* between attributes */
	HTML_JOIN,        /* between attributes, after a block: a space or the end must follow */
	HTML_ATTRIBUTE,   /* in an attribute's name */
	HTML_AFTER,       /* after an attribute's name */
	HTML_EQUALS,      /* after its `=` */
	HTML_DOUBLE,      /* in "..." */
	HTML_SINGLE,      /* in '...' */
	HTML_BARE,        /* in a value without quotes */
	HTML_DECLARATION, /* <!doctype ...> and the like */
	HTML_COMMENT,
	HTML_TITLE,  /* <title>, <textarea>: text, no tags */
	HTML_SCRIPT, /* <script>, <style> ...: another language */
};

struct html_place {
	enum html_state state;
	bool closing;   /* this tag is </...> */
	bool begun;     /* this value has text of its own before the hole */
	bool query;     /* ... with a `?` or `#`, behind which an address has parameters */
	size_t matched; /* how much of an end mark has been seen */
	char tag[16];
	size_t tag_n;
	char name[16]; /* of the attribute, cut */
	size_t name_n;
};

/* Each answers NULL, or why it cannot be, in words for the person who wrote the template. */

/* Reads on. *read is how many bytes were fine. */
const char *html_text(struct html_place *place, pt_str text, size_t *read);

/* May a value stand here? *url: it begins an address. */
const char *html_hole(const struct html_place *place, bool raw, bool *url);

/* Where a value may stand: is it a piece of an address behind its `?` or `#`? */
bool html_is_query(const struct html_place *place);

/* May a block begin here? What stands in it begins at the place as it is then. */
const char *html_block(struct html_place *place);

/* May it end here, as `start` was its beginning? Then on from a place that is right both if it
 * was shown and if it was not. */
const char *html_block_end(struct html_place *place, const struct html_place *start);

#endif

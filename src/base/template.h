/*
 * template.h - text with holes.
 *
 * One engine, two front ends that compile to the same list of steps: mustache (the manual page
 * mustache(5): variables, sections, inverted sections, partials, comments, set delimiters) and the
 * small subset of Go's text/template that existing pages and letters use ({{.Name}},
 * {{if .X}}{{else}}{{end}}, {{range .X}}{{.}}{{end}}, {{with .X}}). Output is escaped for HTML (or
 * left alone in plain-text templates); raw output only of values that the server marked as its own
 * fragment.
 *
 * Templates are compiled and checked when loaded, so a broken one never meets a user. Depth, steps
 * and output are bounded. A loaded set is immutable and may be shared by threads.
 */
#ifndef BASE_TEMPLATE_H
#define BASE_TEMPLATE_H

#include "base/buf.h"

enum template_syntax { TEMPLATE_MUSTACHE, TEMPLATE_GO };
enum template_escape { TEMPLATE_HTML, TEMPLATE_TEXT };

struct template_set;

/* An empty set. NULL when memory is out. */
struct template_set *template_set_open(void);
void template_set_close(struct template_set *set);

/*
 * Compiles `source` under `name` ("signin", "partials/field"), replacing one of that name. The
 * source is copied. `file` is what errors call it. PT_F_CONFIG: broken; `error` says
 * "file:line: what is wrong" in words for the person who wrote the template.
 */
PT_CHECK pt_err template_add(struct template_set *set, pt_str name, pt_str file, pt_str source,
	enum template_syntax syntax, enum template_escape escape, char error[256]);

/* After the last add: every partial must exist, none may include itself without end. */
PT_CHECK pt_err template_set_check(struct template_set *set, char error[256]);

bool template_has(const struct template_set *set, pt_str name);

/* ---- values ---- */

/*
 * A tree of what a template may see, made in an arena for one rendering. Names and texts are not
 * copied: they live at least as long as the tree. What is absent, false, 0, "" or an empty list does
 * not show its section; of two values with one name the later counts.
 */
struct value;

struct value *value_map(struct arena *arena);
/* NULL-tolerant: adding to NULL, or a failed allocation, marks the map; rendering then fails. */
void value_str(struct value *map, const char *name, pt_str text);
void value_int(struct value *map, const char *name, int64_t number);
void value_bool(struct value *map, const char *name, bool truth);
/* HTML that the server made itself; printed raw by {{{name}}} (mustache) or {{.name}} (Go), and
 * escaped like any text inside an attribute. */
void value_fragment(struct value *map, const char *name, pt_str html);
struct value *value_child(struct value *map, const char *name);
struct value *value_list(struct value *map, const char *name);
/* Appends an item: a map, or a plain string. */
struct value *value_item(struct value *list);
void value_item_str(struct value *list, pt_str text);
/* A map made once and shared by renderings (texts of a language). It must outlive the rendering. */
void value_shared(struct value *map, const char *name, const struct value *shared);

/* The text that stands at a dotted path, "signin.title"; "" when there is none. */
pt_str value_text(const struct value *map, pt_str path);

/* PT_F_RENDER: no such template, a bound was reached, or the values are incomplete. Nothing is
 * added to `out` then. */
PT_CHECK pt_err template_render(
	const struct template_set *set, pt_str name, const struct value *values, struct buf *out);

#endif

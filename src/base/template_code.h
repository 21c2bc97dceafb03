/*
 * template_code.h - what a template becomes: a list of steps. For base/template*.c only.
 *
 * A front end (template_mustache.c, template_go.c) reads one syntax and calls the verbs below in the
 * order of the source; they write the steps, nest the blocks and hold every piece of an HTML template
 * against the place where it stands. The renderer knows steps and no syntax.
 *
 * A block is one step, its body, and what is shown otherwise:
 *
 *	steps[i]            the block
 *	i + 1 .. other      shown if the value says so, for each item or once
 *	other .. end        shown if not
 */
#ifndef BASE_TEMPLATE_CODE_H
#define BASE_TEMPLATE_CODE_H

#include "base/template.h"
#include "base/template_html.h"

#define TEMPLATE_DEPTH      32     /* blocks and partials inside each other */
#define TEMPLATE_STEPS      100000 /* one rendering */
#define TEMPLATE_SOURCE     (256 * KIB)
#define TEMPLATE_ERROR_SIZE 256

enum step_kind {
	STEP_TEXT,
	STEP_HOLE,
	STEP_IF,      /* looks at a value and stays where it is */
	STEP_SECTION, /* mustache: enters a map, goes through a list */
	STEP_RANGE,   /* Go: goes through a list */
	STEP_WITH,    /* Go: enters a value */
	STEP_PARTIAL,
};

/* One name of a path, with its hash worked out beforehand. */
struct key {
	pt_str name;
	uint32_t hash;
};

struct step {
	enum step_kind kind;
	bool line_start; /* first thing on its line of the source: a partial's indentation goes here */
	bool escape;     /* a hole whose value is text */
	bool raw;        /* a hole that shows a fragment as it is */
	bool url;        /* a hole that begins an address: no scheme that runs code */
	bool query;      /* a hole among an address's parameters: percent-encoded (Go) */
	bool nearest; /* the first key is looked for in all maps around (mustache), not only here */
	bool standalone; /* a partial alone on its line: each of its lines is indented */
	bool always;     /* a partial outside of all blocks */
	pt_str text;     /* STEP_TEXT; the name of a STEP_PARTIAL */
	pt_str indent;   /* of a standalone partial */
	const struct key *keys;
	size_t n_keys; /* 0: the value that we are in */
	size_t other;
	size_t end;
	size_t partial; /* place in the set, found by template_set_check */
	size_t at;      /* in the source, for the words of an error */
};

struct template
{
	pt_str name;
	pt_str file;
	pt_str source;
	enum template_syntax syntax;
	enum template_escape escape;
	struct arena *arena;
	struct step *steps;
	size_t n;
	size_t size;
	enum { VISIT_NOT_YET, VISIT_UNDER_WAY, VISIT_DONE } visit; /* of template_set_check */
};

/* ---- compiling ---- */

struct code_block {
	size_t step;
	size_t at;
	pt_str name;
	bool has_else;
	struct html_place start;
};

struct code {
	struct template *template;
	struct html_place place;
	struct code_block blocks[TEMPLATE_DEPTH];
	size_t depth;
	bool line_start; /* nothing stands on this line of the source yet */
	bool standalone; /* the tag being read is alone on its line, which vanishes with it */
	char *error;
};

/* Reads the whole source of code->template. */
PT_CHECK pt_err mustache_compile(struct code *code);
PT_CHECK pt_err go_compile(struct code *code);

/* Writes "file:line: words" and returns PT_F_CONFIG; `at` is a place in the source. */
__attribute__((format(printf, 3, 4))) pt_err code_error(
	struct code *code, size_t at, const char *format, ...);

/* Each text is a piece of the source. `path` is names joined by dots; empty is "the value here". */
PT_CHECK pt_err code_text(struct code *code, pt_str text);
PT_CHECK pt_err code_hole(struct code *code, size_t at, pt_str path, bool raw);
PT_CHECK pt_err code_open(struct code *code, size_t at, enum step_kind kind, pt_str path);
PT_CHECK pt_err code_else(struct code *code, size_t at);
PT_CHECK pt_err code_close(struct code *code, size_t at);
PT_CHECK pt_err code_partial(struct code *code, size_t at, pt_str name, pt_str indent);

/* Nothing may be left open. */
PT_CHECK pt_err code_finish(struct code *code);

/* The line, counted from 1, on which the byte at `at` stands. */
size_t template_line(const struct template *t, size_t at);

/* ---- values ---- */

enum value_kind {
	VALUE_STR,
	VALUE_INT,
	VALUE_BOOL,
	VALUE_FRAGMENT,
	VALUE_MAP,
	VALUE_LIST,
	VALUE_SHARED,
};

#define VALUE_CHAINS 8

/* What maps and lists have and plain values do without. */
struct value_branch {
	struct arena *arena;
	struct value *root;
	bool broken;                        /* of the root: something could not be added */
	struct value *chains[VALUE_CHAINS]; /* a map's members by hash; a list uses the first */
	struct value *last;                 /* of a list */
};

struct value {
	enum value_kind kind;
	uint32_t hash;
	pt_str name;
	struct value *next;
	union {
		pt_str text;
		int64_t number;
		bool truth;
		struct value_branch *branch;
		const struct value *shared;
	};
};

/* FNV-1a: names come from us, or are the few that one document may have: who makes them collide has
 * a chain as long as the document. */
static inline uint32_t name_hash(pt_str name)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (uint8_t)name.p[i]) * 16777619u;
	return h;
}

/* The member, or NULL; `map` may be NULL or no map at all. Never a VALUE_SHARED. */
const struct value *value_find(const struct value *map, const struct key *key);

/* Absent, false, 0, empty text and an empty list are not; everything else is. */
bool value_is_true(const struct value *value);

/* Of a map: it has no members. */
bool value_is_empty_map(const struct value *value);

bool value_is_broken(const struct value *value);

#endif

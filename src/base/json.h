/*
 * json.h - JSON at the edge, gone one line later.
 *
 * Reading: one strict reader (RFC 8259; duplicate names, NUL escapes, invalid UTF-8, anything after
 * the value, depth over 32, over 256 members in an object, strings over 16 KiB, integers over 64 bits
 * and numbers from 1e308 on: all refused).
 * Writing: straight into a buffer, commas kept by the writer, errors stick as in buf.h.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* One member of an object whose members are all strings. */
struct json_member {
	pt_str name;
	pt_str value;
};

/*
 * Reads an object of string members, as forms send it. PT_E_MALFORMED for anything else. Names and
 * values are copies in the arena.
 */
PT_CHECK pt_err json_read_strings(
	struct arena *arena, pt_str text, struct json_member **members, size_t *n);

/* Checks that text is one JSON value by the rules above. PT_E_MALFORMED if not. */
PT_CHECK pt_err json_check(pt_str text);

/* One member of a parsed object, found by name. */
struct json_value {
	enum { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_OBJECT, JSON_ARRAY } type;
	pt_str name; /* of the member; empty in arrays and at the top */
	pt_str text; /* JSON_STRING: decoded. JSON_NUMBER: a decimal integer, or empty for a real */
	int64_t number;                 /* JSON_NUMBER that is an integer */
	bool truth;                     /* JSON_BOOL */
	const struct json_value *items; /* JSON_OBJECT, JSON_ARRAY */
	size_t n;
};

/* Reads any value into the arena. PT_E_MALFORMED if it breaks the rules above. */
PT_CHECK pt_err json_read(struct arena *arena, pt_str text, struct json_value *out);

/* The member of that name, or NULL (also when `object` is not an object). */
const struct json_value *json_find(const struct json_value *object, pt_str name);

/* The value of that member of an object, as it is written: a view of text, "" when there is none.
 * PT_E_MALFORMED: text is no object by the rules above. */
PT_CHECK pt_err json_find_raw(struct arena *arena, pt_str text, pt_str name, pt_str *out);

/*
 * One object laid over another, one level deep: a member of `patch` replaces or joins those of `base`
 * ("" is an empty one), null takes it away, and no member is null in the end. Members of the base
 * keep their places, new ones follow. Values are carried over as they are written, whatever their
 * precision. PT_E_MALFORMED: one of the two, or what comes of them, is no object by the rules above.
 */
PT_CHECK pt_err json_merge(struct arena *arena, pt_str base, pt_str patch, pt_str *out);

/* ---- writing ---- */

struct json {
	struct buf *out;
	bool comma;
};

#define JSON(buf_) ((struct json){ .out = (buf_) })

/* Inside an object give the name; inside an array, or at the top, give NULL. */
void json_object(struct json *j, const char *name);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *name);
void json_array_end(struct json *j);
void json_str(struct json *j, const char *name, pt_str value);
void json_int(struct json *j, const char *name, int64_t value);
void json_bool(struct json *j, const char *name, bool value);
void json_null(struct json *j, const char *name);
/* text that is JSON already */
void json_raw(struct json *j, const char *name, pt_str value);

#endif

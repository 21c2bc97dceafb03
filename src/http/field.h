/*
 * field.h - what a client filled in, whatever it was wrapped in.
 *
 * One list for application/x-www-form-urlencoded, multipart/form-data (text parts only) and a JSON
 * object of string members. In forms the first of two equal names counts; JSON with two equal names
 * is refused. Values are UTF-8 without NUL, at most 4 KiB unless the caller says otherwise.
 */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include "http/request.h"

struct field {
	pt_str name;
	pt_str value;
};

struct fields {
	const struct field *items;
	size_t n;
};

enum body_type { BODY_NONE, BODY_FORM, BODY_MULTIPART, BODY_JSON, BODY_OTHER };

/* Which of them the Content-Type names; parameters and case are ignored, but a charset other than
 * UTF-8 is BODY_OTHER. */
enum body_type body_type(const struct http_request *rq);

/*
 * Reads the body by its type. BODY_NONE with an empty body gives no fields. PT_E_MALFORMED: not
 * what the type promises, over 256 fields, a value over max_value, NUL or invalid UTF-8.
 * PT_E_MEDIA_TYPE: BODY_OTHER.
 */
PT_CHECK pt_err fields_read(const struct http_request *rq, size_t max_value, struct fields *out);

/* Reads a query string (x-www-form-urlencoded) by the same rules. */
PT_CHECK pt_err fields_query(struct arena *arena, pt_str query, struct fields *out);

/* The first value of that name; "" when absent. */
pt_str field_value(const struct fields *fields, pt_str name);
bool field_present(const struct fields *fields, pt_str name);

/* Percent-decoding of one component; '+' stays. PT_E_MALFORMED on a bad escape. */
PT_CHECK pt_err percent_decode(struct arena *arena, pt_str text, pt_str *out);

#endif

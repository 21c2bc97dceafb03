/*
 * multipart.h - multipart/form-data (RFC 7578), text parts only.
 */
#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include "http/field.h"

/* A parameter of a header value, `a/b; name=value; name="value"`. False when it is not there, or
 * when what stands there cannot be read. */
PT_CHECK bool parameter_find(pt_str header, pt_str name, pt_str *out);

/*
 * Reads the parts of `body` as name and value, at most `most` of them; views into the body.
 * PT_E_MALFORMED: a boundary of no or over 70 bytes, a file, anything but parts.
 */
PT_CHECK pt_err multipart_read(
	pt_str content_type, pt_str body, struct field *items, size_t most, size_t *n);

#endif

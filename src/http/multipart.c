/*
 * multipart.c - multipart/form-data (RFC 7578), text parts only.
 *
 *	--boundary CRLF  headers CRLF CRLF  value CRLF
 *	--boundary CRLF  headers CRLF CRLF  value CRLF
 *	--boundary-- CRLF
 */
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "http/multipart.h"
#include "http/token.h"

#include "base/banned.h"

enum { BOUNDARY_MOST = 70 /* RFC 2046 5.1.1 */ };

/* ---- header parameters -------------------------------------------------------------------- */

/* Takes a quoted string, or what stands before ';', off the front. No escapes: nobody needs them
 * in a name, and readers differ about them. */
static bool value_take(pt_str *rest, pt_str *out)
{
	size_t end;

	if (rest->n == 0 || rest->p[0] != '"') {
		end = str_find(*rest, ';');
		*out = str_trim(str_slice(*rest, 0, end));
		*rest = str_slice(*rest, end, rest->n);
		return true;
	}
	*rest = str_slice(*rest, 1, rest->n);
	end = str_find(*rest, '"');
	*out = str_slice(*rest, 0, end);
	if (end == rest->n || str_find(*out, '\\') < out->n)
		return false;
	*rest = str_trim(str_slice(*rest, end + 1, rest->n));
	return rest->n == 0 || rest->p[0] == ';';
}

bool parameter_find(pt_str header, pt_str name, pt_str *out)
{
	pt_str rest = str_slice(header, str_find(header, ';'), header.n);
	bool found = false;

	while (rest.n > 0) {
		pt_str key, value;
		size_t equals;

		rest = str_trim(str_slice(rest, 1, rest.n));
		equals = str_find(rest, '=');
		key = str_trim(str_slice(rest, 0, equals));
		rest = str_slice(rest, equals + 1, rest.n);
		if (!token_is(key) || !value_take(&rest, &value))
			return false;
		if (!str_eq_nocase(key, name))
			continue;
		/* Said twice, it says nothing. */
		if (found)
			return false;
		found = true;
		*out = value;
	}
	return found;
}

/* ---- parts -------------------------------------------------------------------------------- */

static bool boundary_char(char c)
{
	return ascii_alnum(c) || (c != '\0' && strchr("'()+_,-./:=? ", c) != NULL);
}

static bool boundary_is(pt_str boundary)
{
	for (size_t i = 0; i < boundary.n; i++) {
		if (!boundary_char(boundary.p[i]))
			return false;
	}
	return boundary.n > 0 && boundary.n <= BOUNDARY_MOST && boundary.p[boundary.n - 1] != ' ';
}

static bool line_take(pt_str *rest, pt_str *line)
{
	const char *end = rest->n > 0 ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t n;

	if (end == NULL || end == rest->p || end[-1] != '\r')
		return false;
	n = (size_t)(end - rest->p);
	*line = str_slice(*rest, 0, n - 1);
	*rest = str_slice(*rest, n + 1, rest->n);
	return true;
}

static bool disposition_read(pt_str value, pt_str *name)
{
	pt_str file;

	if (!str_eq_nocase(
		    str_trim(str_slice(value, 0, str_find(value, ';'))), PT_STR("form-data")))
		return false;
	return parameter_find(value, PT_STR("name"), name) &&
	       !parameter_find(value, PT_STR("filename"), &file) &&
	       !parameter_find(value, PT_STR("filename*"), &file);
}

static bool part_is_text(pt_str value)
{
	pt_str charset;

	if (!str_eq_nocase(
		    str_trim(str_slice(value, 0, str_find(value, ';'))), PT_STR("text/plain")))
		return false;
	return !parameter_find(value, PT_STR("charset"), &charset) ||
	       str_eq_nocase(charset, PT_STR("utf-8"));
}

/* Reads the headers of a part up to the empty line. */
static bool part_head_read(pt_str *rest, pt_str *name)
{
	pt_str line, key, value;
	bool named = false;

	while (line_take(rest, &line)) {
		if (line.n == 0)
			return named;
		if (!str_cut(line, ':', &key, &value) || !token_is(key))
			return false;
		if (str_eq_nocase(key, PT_STR("content-disposition"))) {
			if (named || !disposition_read(str_trim(value), name))
				return false;
			named = true;
		} else if (str_eq_nocase(key, PT_STR("content-type"))) {
			if (!part_is_text(str_trim(value)))
				return false;
		} else if (str_eq_nocase(key, PT_STR("content-transfer-encoding"))) {
			/* RFC 7578 4.7: deprecated, and one more way to say a thing. */
			return false;
		}
	}
	return false;
}

/* What stands before CR LF "--" boundary; *rest goes on behind it. */
static bool value_until(pt_str *rest, pt_str mark, pt_str *value)
{
	const char *at = rest->n > 0 ? memmem(rest->p, rest->n, mark.p, mark.n) : NULL;
	size_t n;

	if (at == NULL)
		return false;
	n = (size_t)(at - rest->p);
	*value = str_slice(*rest, 0, n);
	*rest = str_slice(*rest, n + mark.n, rest->n);
	return true;
}

pt_err multipart_read(pt_str content_type, pt_str body, struct field *items, size_t most, size_t *n)
{
	char text[BOUNDARY_MOST + 4] = "\r\n--";
	pt_str boundary, mark, rest = body;
	size_t found = 0;

	if (!parameter_find(content_type, PT_STR("boundary"), &boundary) || !boundary_is(boundary))
		return PT_E_MALFORMED;
	memcpy(text + 4, boundary.p, boundary.n);
	mark = str_n(text, boundary.n + 4);
	if (!str_starts(rest, str_slice(mark, 2, mark.n)))
		return PT_E_MALFORMED;
	rest = str_slice(rest, mark.n - 2, rest.n);

	while (!str_eq(rest, PT_STR("--")) && !str_eq(rest, PT_STR("--\r\n"))) {
		if (found == most || !str_starts(rest, PT_STR("\r\n")))
			return PT_E_MALFORMED;
		rest = str_slice(rest, 2, rest.n);
		if (!part_head_read(&rest, &items[found].name) ||
			!value_until(&rest, mark, &items[found].value))
			return PT_E_MALFORMED;
		found++;
	}
	*n = found;
	return PT_OK;
}

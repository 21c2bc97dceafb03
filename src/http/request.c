/*
 * request.c - reading what the engine has judged.
 */
#include "http/request.h"
#include "base/str.h"

#include "base/banned.h"

const char *http_method_name(enum http_method method)
{
	switch (method) {
	case HTTP_GET:
		return "GET";
	case HTTP_HEAD:
		return "HEAD";
	case HTTP_POST:
		return "POST";
	case HTTP_PUT:
		return "PUT";
	case HTTP_PATCH:
		return "PATCH";
	case HTTP_DELETE:
		return "DELETE";
	case HTTP_OPTIONS:
		return "OPTIONS";
	case HTTP_OTHER:
		break;
	}
	return "?";
}

static const struct http_header *header_find(const struct http_request *rq, pt_str name)
{
	for (size_t i = 0; i < rq->n_headers; i++) {
		if (str_eq(rq->headers[i].name, name))
			return &rq->headers[i];
	}
	return NULL;
}

pt_str http_header(const struct http_request *rq, pt_str name)
{
	const struct http_header *header = header_find(rq, name);

	return header ? header->value : PT_STR("");
}

bool http_has_header(const struct http_request *rq, pt_str name)
{
	return header_find(rq, name) != NULL;
}

bool http_repeats_header(const struct http_request *rq, pt_str name)
{
	size_t times = 0;

	for (size_t i = 0; i < rq->n_headers; i++)
		times += str_eq(rq->headers[i].name, name);
	return times > 1;
}

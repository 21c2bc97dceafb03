/*
 * accept.h - how much a client wants a media type (RFC 9110 12.5.1).
 */
#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

#include "portress/base.h"

struct accept_match {
	int q;         /* 0..1000; 0 when not acceptable */
	bool explicit; /* named in full, not by a wildcard */
};

/* What an Accept header says of `type` ("text/html"). An empty header accepts all, not explicitly. */
struct accept_match accept_type(pt_str header, pt_str type);

#endif

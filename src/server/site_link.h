/*
 * site_link.h - addresses below an application's, for letters of the GoTrue dialect.
 */
#ifndef SERVER_SITE_LINK_H
#define SERVER_SITE_LINK_H

#include "base/arena.h"
#include "portress/base.h"

/* `path` as a link on a page of `site_url` means it (RFC 3986 5.2), and behind it "#" and `fragment`. */
PT_CHECK pt_err site_link_make(
	struct arena *arena, pt_str site_url, pt_str path, pt_str fragment, pt_str *out);

/* Where a template is: a path, or the path of an address, behind `site_url`. file:///PATH is itself where
 * `files` allows it: of whoever runs the server, and nobody else. */
PT_CHECK pt_err site_template_make(
	struct arena *arena, pt_str site_url, pt_str path, bool files, pt_str *out);

/* An http or https address. */
bool site_is_web(pt_str url);

#endif

/*
 * curl.h - libcurl, opened on demand, and what all who use it agree upon.
 *
 * Options go through the functions below: they have types (libcurl's own setter takes anything)
 * and their errors stick, so a caller sets forty and checks once.
 */
#ifndef BASE_CURL_H
#define BASE_CURL_H

#include <curl/curl.h>

#include "base/str.h"
#include "portress/base.h"

/* The functions of libcurl that we use, by their own names without `curl_`. Filled by curl_open. */
struct curl_functions {
	__typeof__(curl_global_init) *global_init;
	__typeof__(curl_version_info) *version_info;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_setopt) *easy_setopt;
	__typeof__(curl_easy_getinfo) *easy_getinfo;
	__typeof__(curl_easy_perform) *easy_perform;
	__typeof__(curl_easy_strerror) *easy_strerror;
	__typeof__(curl_easy_reset) *easy_reset;
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
	__typeof__(curl_mime_init) *mime_init;
	__typeof__(curl_mime_addpart) *mime_addpart;
	__typeof__(curl_mime_data) *mime_data;
	__typeof__(curl_mime_type) *mime_type;
	__typeof__(curl_mime_encoder) *mime_encoder;
	__typeof__(curl_mime_free) *mime_free;
	__typeof__(curl_url) *url;
	__typeof__(curl_url_set) *url_set;
	__typeof__(curl_url_get) *url_get;
	__typeof__(curl_url_cleanup) *url_cleanup;
	__typeof__(curl_free) *free;
};

extern struct curl_functions libcurl;

/* Before privileges are dropped: loads the library, the CA bundle ("" is the system's) and what the
 * resolver needs. Again is harmless; the first bundle stays. */
PT_CHECK pt_err curl_open(pt_str ca_file);

/* PEM; "" before curl_open, or when this system has none. */
pt_str curl_ca_bundle(void);

/* Any function of libcurl's choosing, cast. */
typedef void curl_function(void);

/* One transfer's options. */
struct curl_options {
	CURL *handle;
	CURLcode code; /* the first that was refused */
	struct curl_slist *names;
	char error[CURL_ERROR_SIZE];
};

void curl_long(struct curl_options *o, CURLoption option, long value);
void curl_text(struct curl_options *o, CURLoption option, const char *value);
void curl_pointer(struct curl_options *o, CURLoption option, const void *value);
void curl_callback(struct curl_options *o, CURLoption option, curl_function *function);
void curl_time(struct curl_options *o, CURLoption option, pt_time value);

/* No signals, no proxy, no redirects, certificates verified against our bundle alone. `host` is
 * resolved here when libcurl could not (in a jail). */
void curl_common(struct curl_options *o, pt_str host, long port);

/* The transfer, or the first option that was refused. */
CURLcode curl_perform(struct curl_options *o);

/* Why it failed, in words. Lives as long as o. */
pt_str curl_reason(const struct curl_options *o, CURLcode code);

/* Gives back what the options hold. The handle keeps its connections and forgets its options. */
void curl_options_close(struct curl_options *o);

#endif

/*
 * curl.c - libcurl behind one door.
 */
#include "base/curl.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/curl_trust.h"
#include "base/err.h"
#include "base/log.h"
#include "base/module.h"
#include "base/own.h"
#include "base/resolve.h"

#include "base/banned.h"

static const char system_bundle[] = "/etc/ssl/certs/ca-certificates.crt";

enum { BUNDLE_MAX = 4 * 1024 * 1024 };

struct curl_functions libcurl;

#define SYMBOL(name_)                                   \
	{                                               \
		"curl_" #name_, (void **)&libcurl.name_ \
	}

static const struct module_symbol symbols[] = {
	SYMBOL(global_init),
	SYMBOL(version_info),
	SYMBOL(easy_init),
	SYMBOL(easy_setopt),
	SYMBOL(easy_getinfo),
	SYMBOL(easy_perform),
	SYMBOL(easy_strerror),
	SYMBOL(easy_reset),
	SYMBOL(easy_cleanup),
	SYMBOL(slist_append),
	SYMBOL(slist_free_all),
	SYMBOL(mime_init),
	SYMBOL(mime_addpart),
	SYMBOL(mime_data),
	SYMBOL(mime_type),
	SYMBOL(mime_encoder),
	SYMBOL(mime_free),
	SYMBOL(url),
	SYMBOL(url_set),
	SYMBOL(url_get),
	SYMBOL(url_cleanup),
	SYMBOL(free),
};

/* libgcc_s is what pthread_exit, and so libcurl's resolver thread, loads when it is first needed. */
static void *unwind;
static const struct module_symbol unwinder[] = { { "_Unwind_Resume", &unwind } };

/* Written by curl_open, read only after. */
static pthread_mutex_t one_opener = PTHREAD_MUTEX_INITIALIZER;
static bool is_open;
static char *bundle;
static size_t bundle_n;

/* ---- opening ---- */

static pt_err read_bundle(FILE *file, const char *path)
{
	PT_OWN(own_malloc) char *text = malloc(BUNDLE_MAX + 1);
	size_t n;

	if (!text)
		return fault(PT_F_MEMORY, "no room to read %s", path);
	n = fread(text, 1, BUNDLE_MAX, file);
	text[n] = '\0';
	if (ferror(file) || n == BUNDLE_MAX || !strstr(text, "-----BEGIN CERTIFICATE-----"))
		return fault(PT_F_CONFIG, "%s is not a bundle of PEM certificates", path);
	bundle = realloc(PT_GIVE(text), n + 1);
	bundle_n = n;
	return bundle ? PT_OK : fault(PT_F_MEMORY, "no room to keep %s", path);
}

/* A system without a bundle may still send mail to its own machine without TLS. */
static pt_err bundle_open(pt_str ca_file)
{
	char path[4096];
	struct buf b = BUF_FIXED(path);
	bool is_system = ca_file.n == 0;

	buf_str(&b, is_system ? str(system_bundle) : ca_file);
	TRY(buf_done(&b, &ca_file));
	PT_OWN(own_file) FILE *file = fopen(path, "re");
	if (file)
		return read_bundle(file, path);
	if (!is_system)
		return fault(
			PT_F_CONFIG, "cannot read the CA bundle %s: %s", path, strerror(errno));
	log_say(LOG_WARN, "fetch.no_ca_bundle",
		"%s is not there: no certificate can be verified; install the package "
		"ca-certificates",
		path);
	return PT_OK;
}

static pt_err open_once(pt_str ca_file)
{
	TRY(module_open("libgcc_s.so.1", "libgcc-s1", unwinder, 1));
	TRY(module_open("libcurl.so.4", "libcurl4", symbols, sizeof(symbols) / sizeof(symbols[0])));
	TRY(resolve_open());
	TRY(bundle_open(ca_file));
	/* This is also where OpenSSL reads its configuration. */
	if (libcurl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return fault(PT_F_CONFIG, "libcurl does not start");
	TRY(trust_open(str(libcurl.version_info(CURLVERSION_NOW)->ssl_version), curl_ca_bundle()));
	is_open = true;
	return PT_OK;
}

pt_err curl_open(pt_str ca_file)
{
	pt_err err = PT_OK;

	pthread_mutex_lock(&one_opener);
	if (!is_open)
		err = open_once(ca_file);
	pthread_mutex_unlock(&one_opener);
	return err;
}

pt_str curl_ca_bundle(void)
{
	return str_n(bundle, bundle_n);
}

/* ---- options ---- */

static void note(struct curl_options *o, CURLcode code)
{
	if (o->code == CURLE_OK)
		o->code = code;
}

void curl_long(struct curl_options *o, CURLoption option, long value)
{
	note(o, libcurl.easy_setopt(o->handle, option, value));
}

void curl_text(struct curl_options *o, CURLoption option, const char *value)
{
	note(o, libcurl.easy_setopt(o->handle, option, value));
}

void curl_pointer(struct curl_options *o, CURLoption option, const void *value)
{
	note(o, libcurl.easy_setopt(o->handle, option, value));
}

void curl_callback(struct curl_options *o, CURLoption option, curl_function *function)
{
	note(o, libcurl.easy_setopt(o->handle, option, function));
}

void curl_time(struct curl_options *o, CURLoption option, pt_time value)
{
	long milliseconds = (long)(value / PT_MILLISECOND);

	/* zero would mean without end */
	curl_long(o, option, milliseconds > 0 ? milliseconds : 1);
}

static CURLcode lend_trust(CURL *handle, void *ssl_context, void *context)
{
	(void)handle;
	(void)context;
	return trust_lend(ssl_context) ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

static void certificates(struct curl_options *o)
{
	struct curl_blob blob = { .data = bundle, .len = bundle_n, .flags = CURL_BLOB_NOCOPY };

	curl_long(o, CURLOPT_SSL_VERIFYPEER, 1);
	curl_long(o, CURLOPT_SSL_VERIFYHOST, 2);
	curl_long(o, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	curl_text(o, CURLOPT_CAPATH, NULL);
	if (trust_is_open()) {
		curl_text(o, CURLOPT_CAINFO, NULL);
		curl_callback(o, CURLOPT_SSL_CTX_FUNCTION, (curl_function *)lend_trust);
	} else if (bundle_n > 0) {
		curl_pointer(o, CURLOPT_CAINFO_BLOB, &blob);
	}
}

/* "+host:port:address,address": what libcurl takes for an answer that it had itself. */
static void answer_names(struct curl_options *o, pt_str host, long port)
{
	char line[1024];
	struct buf b = BUF_FIXED(line);
	struct addresses found;
	pt_str done;

	if (resolve(host, &found) != PT_OK)
		return;
	buf_char(&b, '+');
	buf_str(&b, host);
	buf_printf(&b, ":%ld", port);
	for (size_t i = 0; i < found.n; i++) {
		buf_char(&b, i == 0 ? ':' : ',');
		buf_str(&b, str(found.text[i]));
	}
	if (buf_done(&b, &done) != PT_OK)
		return;
	o->names = libcurl.slist_append(NULL, line);
	curl_pointer(o, CURLOPT_RESOLVE, o->names);
}

void curl_common(struct curl_options *o, pt_str host, long port)
{
	curl_pointer(o, CURLOPT_ERRORBUFFER, o->error);
	curl_long(o, CURLOPT_NOSIGNAL, 1);
	curl_text(o, CURLOPT_PROXY, "");
	curl_text(o, CURLOPT_NOPROXY, "*");
	curl_long(o, CURLOPT_FOLLOWLOCATION, 0);
	certificates(o);
	if (resolve_is_jailed())
		answer_names(o, host, port);
}

CURLcode curl_perform(struct curl_options *o)
{
	return o->code != CURLE_OK ? o->code : libcurl.easy_perform(o->handle);
}

pt_str curl_reason(const struct curl_options *o, CURLcode code)
{
	return str(o->error[0] ? o->error : libcurl.easy_strerror(code));
}

void curl_options_close(struct curl_options *o)
{
	/* so that the handle does not point to what goes now; its connections stay */
	libcurl.easy_reset(o->handle);
	libcurl.slist_free_all(o->names);
	o->names = NULL;
}

/*
 * fetch.c - one request, one fresh handle: nothing is carried from one target to the next.
 */
#include "base/fetch.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/curl.h"
#include "base/err.h"
#include "base/fetch_guard.h"
#include "base/own.h"

#include "base/banned.h"

enum { URL_MAX = 2048, HEADERS_MAX = 64 * 1024 };

static const pt_time default_deadline = 5 * PT_SECOND;
static const size_t default_body_max = 256 * KIB;

struct transfer {
	struct curl_options options;
	struct curl_slist *headers;
	struct buf body;
	size_t headers_n;
	bool too_large;
	bool is_barred; /* the target's address is not allowed */
};

/* What libcurl itself makes of a URL; two readers of one address are how guards are passed. */
struct target {
	char *host;
	long port;
};

pt_err fetch_open(const struct fetch_setup *setup)
{
	return curl_open(setup->ca_file);
}

pt_str fetch_ca_bundle(void)
{
	return curl_ca_bundle();
}

/* ---- called by libcurl ---- */

static size_t take_body(char *bytes, size_t size, size_t n, void *context)
{
	struct transfer *transfer = context;

	buf_bytes(&transfer->body, bytes, size * n);
	transfer->too_large |= transfer->body.failed;
	return transfer->too_large ? 0 : size * n;
}

static size_t count_header(char *bytes, size_t size, size_t n, void *context)
{
	struct transfer *transfer = context;

	(void)bytes;
	transfer->headers_n += size * n;
	transfer->too_large |= transfer->headers_n > HEADERS_MAX;
	return transfer->too_large ? 0 : size * n;
}

static curl_socket_t open_public(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = context;

	(void)purpose;
	if (!guard_is_public(&address->addr, (socklen_t)address->addrlen)) {
		transfer->is_barred = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- the target ---- */

static void own_url(CURLU **url)
{
	libcurl.url_cleanup(*url);
}

static void own_handle(CURL **handle)
{
	libcurl.easy_cleanup(*handle);
}

static void target_close(struct target *target)
{
	libcurl.free(target->host);
}

static bool is_plain(pt_str url)
{
	for (size_t i = 0; i < url.n; i++) {
		if (url.p[i] <= ' ' || url.p[i] >= 0x7F)
			return false;
	}
	return url.n > 0 && url.n <= URL_MAX;
}

static pt_err target_read(const char *url, struct target *out)
{
	PT_OWN(own_url) CURLU *parts = libcurl.url();
	char *port = NULL;
	int64_t number = 0;

	if (!parts)
		return fault(PT_F_MEMORY, "no room for a URL");
	if (libcurl.url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER) != CURLUE_OK ||
		libcurl.url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return fault(PT_F_IO, "fetch: the URL cannot be read");
	str_int(str(port), 0, 65535, &number);
	libcurl.free(port);
	out->port = (long)number;
	if (libcurl.url_get(parts, CURLUPART_HOST, &out->host, 0) != CURLUE_OK)
		return fault(PT_F_IO, "fetch: the URL has no host");
	return PT_OK;
}

/* ---- the transfer ---- */

static void set_bounds(struct transfer *transfer, const struct fetch_request *request)
{
	struct curl_options *o = &transfer->options;
	pt_time deadline = request->deadline > 0 ? request->deadline : default_deadline;

	curl_time(o, CURLOPT_TIMEOUT_MS, deadline);
	curl_time(o, CURLOPT_CONNECTTIMEOUT_MS, deadline);
	curl_text(o, CURLOPT_PROTOCOLS_STR, request->allow_private ? "http,https" : "https");
	curl_long(o, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_callback(o, CURLOPT_WRITEFUNCTION, (curl_function *)take_body);
	curl_pointer(o, CURLOPT_WRITEDATA, transfer);
	curl_callback(o, CURLOPT_HEADERFUNCTION, (curl_function *)count_header);
	curl_pointer(o, CURLOPT_HEADERDATA, transfer);
	if (request->allow_private)
		return;
	curl_callback(o, CURLOPT_OPENSOCKETFUNCTION, (curl_function *)open_public);
	curl_pointer(o, CURLOPT_OPENSOCKETDATA, transfer);
}

static pt_err set_body(
	struct arena *arena, struct transfer *transfer, const struct fetch_request *request)
{
	struct buf b = BUF(arena, KIB);
	pt_str line;

	if (request->body.n == 0)
		return PT_OK;
	buf_str(&b, PT_STR("Content-Type: "));
	buf_str(&b, request->content_type);
	TRY(buf_done(&b, &line));
	transfer->headers = libcurl.slist_append(NULL, line.p);
	if (!transfer->headers)
		return fault(PT_F_MEMORY, "fetch: no room for a header");
	curl_pointer(&transfer->options, CURLOPT_HTTPHEADER, transfer->headers);
	curl_long(&transfer->options, CURLOPT_POSTFIELDSIZE, (long)request->body.n);
	curl_pointer(&transfer->options, CURLOPT_POSTFIELDS, request->body.p);
	return PT_OK;
}

static pt_str why_failed(const struct transfer *transfer, CURLcode code)
{
	if (transfer->is_barred)
		return PT_STR("its address is not a public one");
	if (transfer->too_large)
		return PT_STR("the answer is too large");
	return curl_reason(&transfer->options, code);
}

static pt_err run(struct transfer *transfer, const char *host, struct fetch_response *out)
{
	struct fetch_response response = { 0 };
	CURLcode code = curl_perform(&transfer->options);
	long status = 0;

	if (code != CURLE_OK) {
		pt_str why = why_failed(transfer, code);
		return fault(PT_F_IO, "fetch from %s: %.*s", host, (int)why.n, why.p);
	}
	libcurl.easy_getinfo(transfer->options.handle, CURLINFO_RESPONSE_CODE, &status);
	response.status = (int)status;
	TRY(buf_done(&transfer->body, &response.body));
	*out = response;
	return PT_OK;
}

static void transfer_close(struct transfer *transfer)
{
	curl_options_close(&transfer->options);
	libcurl.slist_free_all(transfer->headers);
}

pt_err fetch(pt_arena *arena, const struct fetch_request *request, struct fetch_response *out)
{
	size_t body_max = request->body_max > 0 ? request->body_max : default_body_max;
	const char *url = arena_cstr(arena, request->url);

	if (!libcurl.easy_init)
		return fault(PT_F_BUG, "fetch before fetch_open");
	if (!url)
		return fault(PT_F_MEMORY, "fetch: no room for the URL");
	if (!is_plain(request->url))
		return fault(PT_F_IO, "fetch: the URL is empty, too long or holds strange bytes");

	PT_OWN(target_close) struct target target = { 0 };
	TRY(target_read(url, &target));
	PT_OWN(own_handle) CURL *handle = libcurl.easy_init();
	if (!handle)
		return fault(PT_F_MEMORY, "fetch: no room for a transfer");

	PT_OWN(transfer_close) struct transfer transfer = { .body = BUF(arena, body_max) };
	transfer.options.handle = handle;
	curl_common(&transfer.options, str(target.host), target.port);
	curl_text(&transfer.options, CURLOPT_URL, url);
	set_bounds(&transfer, request);
	TRY(set_body(arena, &transfer, request));
	return run(&transfer, target.host, out);
}

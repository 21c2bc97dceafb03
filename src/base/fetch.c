/*
 * fetch.c - one request, one fresh handle: nothing is carried from one target to the next.
 */
#include "base/fetch.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/curl.h"
#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

#include "base/banned.h"

enum { URL_MAX = 2048, HEADER_MAX = 16 * 1024, HEADERS_MAX = 64 * 1024 };

static const pt_time default_deadline = 5 * PT_SECOND;
static const size_t default_body_max = 256 * KIB;

/* What libcurl itself makes of a URL; two readers of one address are how guards are passed. */
struct target {
	char *host;
	long port;
	bool is_clear; /* plain http */
};

struct transfer {
	const struct fetch_request *request;
	struct target target;
	struct curl_options options;
	struct curl_slist *headers;
	struct buf body;
	size_t headers_n;
	bool too_large;
	bool is_barred; /* an address of the target is not allowed */
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

static bool may_connect(const struct transfer *transfer, const struct curl_sockaddr *address)
{
	const struct fetch_request *request = transfer->request;
	socklen_t n = (socklen_t)address->addrlen;

	if (guard_is_among(&address->addr, n, request->allowed, request->n_allowed))
		return true;
	return !transfer->target.is_clear && guard_is_public(&address->addr, n);
}

/* libcurl connects this very socket to this very address. */
static curl_socket_t open_allowed(
	void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = context;

	(void)purpose;
	if (!may_connect(transfer, address)) {
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
	char *port = NULL, *scheme = NULL;
	int64_t number = 0;

	if (!parts)
		return fault(PT_F_MEMORY, "no room for a URL");
	if (libcurl.url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER) != CURLUE_OK ||
		libcurl.url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return fault(PT_F_IO, "fetch: the URL cannot be read");
	str_int(str(port), 0, 65535, &number);
	libcurl.free(port);
	out->port = (long)number;
	if (libcurl.url_get(parts, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		return fault(PT_F_IO, "fetch: the URL has no scheme");
	out->is_clear = !str_eq(str(scheme), PT_STR("https"));
	libcurl.free(scheme);
	if (libcurl.url_get(parts, CURLUPART_HOST, &out->host, 0) != CURLUE_OK)
		return fault(PT_F_IO, "fetch: the URL has no host");
	return PT_OK;
}

/* ---- the transfer ---- */

static void set_bounds(struct transfer *transfer, pt_time left)
{
	const struct fetch_request *request = transfer->request;
	struct curl_options *o = &transfer->options;
	bool may_be_clear = request->allow_private || request->n_allowed > 0;

	curl_time(o, CURLOPT_TIMEOUT_MS, left);
	curl_time(o, CURLOPT_CONNECTTIMEOUT_MS, left);
	/* or a resolver that hangs would be waited for after the time is over */
	curl_long(o, CURLOPT_QUICK_EXIT, 1);
	curl_text(o, CURLOPT_PROTOCOLS_STR, may_be_clear ? "http,https" : "https");
	curl_long(o, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_callback(o, CURLOPT_WRITEFUNCTION, (curl_function *)take_body);
	curl_pointer(o, CURLOPT_WRITEDATA, transfer);
	curl_callback(o, CURLOPT_HEADERFUNCTION, (curl_function *)count_header);
	curl_pointer(o, CURLOPT_HEADERDATA, transfer);
	if (request->allow_private)
		return;
	curl_callback(o, CURLOPT_OPENSOCKETFUNCTION, (curl_function *)open_allowed);
	curl_pointer(o, CURLOPT_OPENSOCKETDATA, transfer);
}

/* RFC 9110 5.1, and no more of it than anybody uses. */
static bool is_header_name(pt_str name)
{
	for (size_t i = 0; i < name.n; i++) {
		if (!ascii_alnum(name.p[i]) && name.p[i] != '-' && name.p[i] != '_')
			return false;
	}
	return name.n > 0;
}

static bool is_header_value(pt_str value)
{
	for (size_t i = 0; i < value.n; i++) {
		if ((value.p[i] >= 0 && value.p[i] < ' ') || value.p[i] == 0x7F)
			return false;
	}
	return true;
}

static pt_err add_header(struct arena *arena, struct transfer *transfer, struct fetch_header header)
{
	struct buf b = BUF(arena, HEADER_MAX);
	struct curl_slist *longer;
	pt_str line;

	if (!is_header_name(header.name) || !is_header_value(header.value))
		return fault(PT_F_IO, "fetch: a header holds strange bytes");
	buf_str(&b, header.name);
	/* libcurl's spelling of a header without a value; with a colon it would be left out */
	buf_str(&b, header.value.n > 0 ? PT_STR(": ") : PT_STR(";"));
	buf_str(&b, header.value);
	TRY(buf_done(&b, &line));
	longer = libcurl.slist_append(transfer->headers, line.p);
	if (!longer)
		return fault(PT_F_MEMORY, "fetch: no room for a header");
	transfer->headers = longer;
	return PT_OK;
}

static pt_err set_headers(struct arena *arena, struct transfer *transfer)
{
	const struct fetch_request *request = transfer->request;

	for (size_t i = 0; i < request->n_headers; i++)
		TRY(add_header(arena, transfer, request->headers[i]));
	if (request->body.n > 0)
		TRY(add_header(arena, transfer,
			(struct fetch_header){ PT_STR("Content-Type"), request->content_type }));
	curl_pointer(&transfer->options, CURLOPT_HTTPHEADER, transfer->headers);
	return PT_OK;
}

static void set_body(struct transfer *transfer)
{
	pt_str body = transfer->request->body;

	if (body.n == 0)
		return;
	curl_long(&transfer->options, CURLOPT_POSTFIELDSIZE, (long)body.n);
	curl_pointer(&transfer->options, CURLOPT_POSTFIELDS, body.p);
}

static pt_str why_failed(const struct transfer *transfer, CURLcode code)
{
	if (transfer->is_barred)
		return PT_STR("its address is not one that may be asked");
	if (transfer->too_large)
		return PT_STR("the answer is too large");
	return curl_reason(&transfer->options, code);
}

static enum fetch_failure how_failed(const struct transfer *transfer, CURLcode code)
{
	curl_off_t until_connected = 0;

	if (code == CURLE_OK)
		return FETCH_ANSWERED;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return FETCH_TIMEOUT;
	libcurl.easy_getinfo(transfer->options.handle, CURLINFO_CONNECT_TIME_T, &until_connected);
	return until_connected > 0 ? FETCH_BROKEN : FETCH_NOT_CONNECTED;
}

/* What is known of the answer's head, whatever became of its body. */
static pt_err read_head(
	struct arena *arena, const struct transfer *transfer, struct fetch_response *out)
{
	const char *type = NULL;
	long status = 0;

	libcurl.easy_getinfo(transfer->options.handle, CURLINFO_RESPONSE_CODE, &status);
	libcurl.easy_getinfo(transfer->options.handle, CURLINFO_CONTENT_TYPE, &type);
	out->status = status >= 200 ? (int)status : 0;
	if (!arena_str(arena, str(type), &out->content_type))
		return fault(PT_F_MEMORY, "fetch: no room for the answer's head");
	return PT_OK;
}

static pt_err run(struct arena *arena, struct transfer *transfer, struct fetch_response *out)
{
	CURLcode code = curl_perform(&transfer->options);

	out->failure = how_failed(transfer, code);
	TRY(read_head(arena, transfer, out));
	if (code != CURLE_OK) {
		pt_str why = why_failed(transfer, code);
		return fault(
			PT_F_IO, "fetch from %s: %.*s", transfer->target.host, (int)why.n, why.p);
	}
	return buf_done(&transfer->body, &out->body);
}

static void transfer_close(struct transfer *transfer)
{
	if (transfer->options.handle)
		curl_options_close(&transfer->options);
	libcurl.easy_cleanup(transfer->options.handle);
	libcurl.slist_free_all(transfer->headers);
	libcurl.free(transfer->target.host);
}

static pt_err exchange(
	struct arena *arena, const struct fetch_request *request, struct fetch_response *out)
{
	pt_time begin = clock_monotonic();
	pt_time deadline = request->deadline > 0 ? request->deadline : default_deadline;
	size_t body_max = request->body_max > 0 ? request->body_max : default_body_max;
	const char *url = arena_cstr(arena, request->url);

	if (!url)
		return fault(PT_F_MEMORY, "fetch: no room for the URL");
	if (!is_plain(request->url))
		return fault(PT_F_IO, "fetch: the URL is empty, too long or holds strange bytes");

	PT_OWN(transfer_close)
	struct transfer transfer = { .request = request, .body = BUF(arena, body_max) };
	TRY(target_read(url, &transfer.target));
	transfer.options.handle = libcurl.easy_init();
	if (!transfer.options.handle)
		return fault(PT_F_MEMORY, "fetch: no room for a transfer");

	curl_common(&transfer.options, str(transfer.target.host), transfer.target.port);
	curl_text(&transfer.options, CURLOPT_URL, url);
	TRY(set_headers(arena, &transfer));
	set_body(&transfer);
	/* In a jail the name has been asked for by now, on the same time. */
	set_bounds(&transfer, begin + deadline - clock_monotonic());
	return run(arena, &transfer, out);
}

pt_err fetch(pt_arena *arena, const struct fetch_request *request, struct fetch_response *out)
{
	struct fetch_response response = { .failure = FETCH_NOT_CONNECTED };
	pt_err err;

	if (!libcurl.easy_init)
		return fault(PT_F_BUG, "fetch before fetch_open");
	err = exchange(arena, request, &response);
	if (err == PT_OK || err == PT_F_IO)
		*out = response;
	return err;
}

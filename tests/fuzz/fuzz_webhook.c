/*
 * fuzz_webhook.c - whatever a hook answers, what is kept of it is an object; and whatever a hook's
 * URL says, what is told of it holds no login.
 *
 * The bytes are an answer, and also, cut at 0x01, a site's URL and a hook's.
 */
#include <stdlib.h>

#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "outbound/webhook_reply.h"
#include "outbound/webhook_url.h"

#include "base/banned.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_open(LOG_TEXT, LOG_ERROR);
	return 0;
}

static void must(bool truth)
{
	if (!truth)
		abort();
}

static void check_metadata(struct arena *arena, pt_str metadata)
{
	pt_str none;

	if (metadata.n == 0)
		return;
	must(metadata.p[0] == '{' && metadata.p[metadata.n - 1] == '}');
	must(json_find_raw(arena, metadata, PT_STR("a"), &none) == PT_OK);
}

static void check_reply(struct arena *arena, pt_str body)
{
	struct pt_hook_reply reply;
	pt_str detail = { 0 };

	pt_err err = webhook_reply_read(arena, body, &reply, &detail);
	must(err == PT_OK || err == PT_E_HOOK_MALFORMED || err == PT_F_MEMORY);
	must((err == PT_E_HOOK_MALFORMED) == (detail.n > 0));
	if (err != PT_OK)
		return;
	check_metadata(arena, reply.app_metadata);
	check_metadata(arena, reply.user_metadata);
}

static void check_url(struct arena *arena, pt_str site, pt_str url)
{
	struct webhook_url made;

	if (webhook_url_make(arena, site, url, &made) != PT_OK)
		return;
	must(str_starts(made.url, PT_STR("http://")) || str_starts(made.url, PT_STR("https://")));
	must(str_starts(made.url, made.label));
	must(str_find(made.label, '?') == made.label.n && str_find(made.url, '#') == made.url.n);
	pt_str host = str_slice(made.url, 8, made.url.n);
	must(str_find(host, '@') >= str_find(host, '/') ||
		str_find(host, '@') > str_find(host, '?'));
	must(made.login.n == 0 || str_starts(made.login, PT_STR("Basic ")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_open(4 * MIB);
	pt_str site, url;

	must(arena != NULL);
	check_reply(arena, str_n(data, size));
	str_cut(str_n(data, size), '\x01', &site, &url);
	check_url(arena, site, url);
	arena_close(arena);
	return 0;
}

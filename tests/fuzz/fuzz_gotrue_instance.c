/*
 * fuzz_gotrue_instance.c - whatever JSON an instance is given, it is read or refused by name; what was
 * read can be lived with, and makes links that stay one line with one fragment's mark behind the site's.
 */
#include <stdlib.h>

#include "base/buf.h"
#include "base/str.h"
#include "server/gotrue.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_options(const struct gotrue_options *o)
{
	struct pt_policy base = { 0 }, policy;

	check(o->secret.n > 0);
	check(o->token_life > 0 && o->refresh_life > 0 && o->confirmation_life > 0);
	check(o->recovery_life > 0 && o->invite_life > 0 && o->mail_pause >= 0);
	check(o->cookie_life >= 0 && o->webhook.tries >= 0 && o->webhook.try_time >= 0);
	gotrue_policy_make(o, &base, &policy);
	check(policy.token_profile);
}

static void check_links(struct arena *arena, const struct gotrue_options *o)
{
	struct pt_letter_look looks[PT_LETTER_LOOKS] = { 0 };
	pt_err err = gotrue_looks_make(arena, o, o->site_url, looks);

	check(err == PT_OK || err == PT_F_MEMORY);
	for (size_t i = 0; err == PT_OK && i < PT_LETTER_LOOKS; i++)
		check(looks[i].link.n == 0 || str_ends(looks[i].link, PT_STR("_token=")));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const struct gotrue_options base = {
		.providers = { { "bitbucket", PT_STR_INIT("bitbucket"), false, { 0 }, { 0 }, { 0 },
				       { 0 }, { 0 } },
			{ "github", PT_STR_INIT("github"), true, PT_STR_INIT("id"),
				PT_STR_INIT("secret"), PT_STR_INIT("https://t.example/callback"),
				{ 0 }, { 0 } } },
	};
	struct arena *arena = arena_open(64 * MIB);
	struct gotrue_options options;
	const char *why = NULL;

	check(arena != NULL);
	pt_err err = gotrue_instance_read(arena, &base, str_n(bytes, n), &options, &why);
	check(err == PT_OK || err == PT_F_CONFIG || err == PT_F_MEMORY);
	check(err != PT_F_CONFIG || why != NULL);
	if (err == PT_OK) {
		check_options(&options);
		check_links(arena, &options);
	}
	arena_close(arena);
	return 0;
}

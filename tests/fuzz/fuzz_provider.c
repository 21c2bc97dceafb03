/*
 * fuzz_provider.c - the bytes as what a house elsewhere may answer: a token, metadata, claims, and a
 * profile by each row. What is accepted keeps what the headers promise.
 *
 * A line of its own ends the profile; what follows it is the list of addresses.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/str.h"
#include "outbound/provider_private.h"

#include "base/banned.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const char *const kinds[] = { "bitbucket", "facebook", "github", "gitlab", "google" };

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	log_open(LOG_TEXT, LOG_ERROR);
	return 0;
}

static void try_token(struct arena *arena, pt_str text)
{
	struct token_answer answer;

	if (token_answer_read(arena, text, &answer) != PT_OK || answer.error.n > 0)
		return;
	check(answer.access_token.n > 0 && answer.access_token.n <= 8192);
	for (size_t i = 0; i < answer.access_token.n; i++)
		check(answer.access_token.p[i] > ' ' && answer.access_token.p[i] < 0x7F);
}

static void try_metadata(struct arena *arena, pt_str text)
{
	struct metadata metadata;
	const char *why = NULL;

	pt_err err = metadata_read(arena, text, PT_STR("https://i"), false, &metadata, &why);
	if (err != PT_OK) {
		check(why || pt_is_fault(err));
		return;
	}
	check(str_starts(metadata.authorization_endpoint, PT_STR("https://")));
	check(str_starts(metadata.token_endpoint, PT_STR("https://")));
	check(str_starts(metadata.jwks_uri, PT_STR("https://")));
}

static void try_claims(struct arena *arena, pt_str text)
{
	const struct id_token_terms terms = {
		.issuer = PT_STR("https://i"),
		.client_id = PT_STR("c"),
		.nonce = PT_STR("n"),
		.now = 1700000000 * PT_SECOND,
	};
	struct json_value claims;
	const char *why = NULL;

	if (json_read(arena, text, &claims) != PT_OK)
		return;
	if (id_token_check(&claims, &terms, &why) != PT_OK) {
		check(why != NULL);
		return;
	}
	check(str_eq(json_find(&claims, PT_STR("nonce"))->text, PT_STR("n")));
	check(json_find(&claims, PT_STR("exp"))->number > 1700000000);
	check(json_find(&claims, PT_STR("sub"))->text.n > 0);
}

static void check_profile(struct arena *arena, const struct pt_profile *profile)
{
	struct pt_profile copy;

	check(profile->n_emails > 0 && profile->n_emails <= PT_PROFILE_EMAILS);
	for (size_t i = 0; i < profile->n_emails; i++) {
		check(profile->emails[i].address.n > 0);
		check(profile_text_is_fine(profile->emails[i].address, 254));
	}
	check(profile_text_is_fine(profile->subject, PROVIDER_SUBJECT_MAX));
	check(profile_text_is_fine(profile->full_name, 2048));
	check(profile_text_is_fine(profile->slug, 2048));
	check(profile->avatar_url.n == 0 || str_starts(profile->avatar_url, PT_STR("http")));
	check(profile_copy(arena, profile, &copy) == PT_OK);
	check(str_eq(copy.full_name, profile->full_name));
}

static void try_profile(struct arena *arena, pt_str text)
{
	struct json_value user, emails;
	struct pt_profile profile;
	pt_str first, second;

	str_cut(text, '\n', &first, &second);
	if (json_read(arena, first, &user) != PT_OK)
		return;
	bool listed = json_read(arena, second, &emails) == PT_OK;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct provider_row *row = provider_row_find(str(kinds[i]));
		const char *why = NULL;

		if (profile_read(arena, &row->rule, &user, listed ? &emails : NULL, &profile,
			    &why) == PT_OK)
			check_profile(arena, &profile);
		else
			check(why != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct arena *arena = arena_open(64 * MIB);
	pt_str text = str_n(bytes, n);

	check(arena != NULL);
	try_token(arena, text);
	try_metadata(arena, text);
	try_claims(arena, text);
	try_profile(arena, text);
	arena_close(arena);
	return 0;
}

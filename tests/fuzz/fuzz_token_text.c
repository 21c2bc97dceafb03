/*
 * fuzz_token_text.c - the bytes as the text of a refresh token, which was never issued and so is never
 * proven; and the first of them as what a token says, which is read back, and not after a bit has changed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/uuid.h"
#include "core/site.h"
#include "core/token_text.h"

#include "base/banned.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { SAID_BYTES = UUID_BYTES + 4 + TOKEN_SECRET_BYTES };

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
	check(crypt_open() == PT_OK);
	return 0;
}

static struct token_said said_of(const uint8_t *bytes)
{
	struct token_said said = { .family = uuid_text(bytes), .generation = 1 };
	uint32_t generation;

	memcpy(&generation, bytes + UUID_BYTES, sizeof(generation));
	if (generation > 0)
		said.generation = generation;
	memcpy(said.secret.bytes, bytes + UUID_BYTES + 4, TOKEN_SECRET_BYTES);
	return said;
}

static void round_trip(struct pt_call *call, const uint8_t *bytes)
{
	struct token_said said = said_of(bytes), read;
	char other[64];
	pt_str text;
	bool ours;

	check(token_text_write(call, &said, &text) == PT_OK);
	check(token_text_read(call, text, &ours, &read) == PT_OK && ours && read.proven);
	check(strcmp(said.family.text, read.family.text) == 0);
	check(said.generation == read.generation);
	check(memcmp(&said.secret, &read.secret, sizeof(read.secret)) == 0);
	check(text.n == sizeof(other));
	memcpy(other, text.p, sizeof(other));
	other[bytes[0] % sizeof(other)] ^= (char)(1 << bytes[1] % 7);
	check(token_text_read(call, str_n(other, sizeof(other)), &ours, &read) == PT_OK);
	check(!ours || !read.proven);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct pt_site site = { .policy = { .token_profile = n % 2 == 0 } };
	struct pt_call call = { .site = &site, .arena = arena_open(1 * MIB) };
	struct token_said read;
	bool ours;

	check(call.arena != NULL);
	check(token_text_read(&call, str_n(bytes, n), &ours, &read) == PT_OK);
	check(!ours || !read.proven);
	if (n >= SAID_BYTES)
		round_trip(&call, bytes);
	arena_close(call.arena);
	return 0;
}

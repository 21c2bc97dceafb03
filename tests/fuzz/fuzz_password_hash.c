/*
 * fuzz_password_hash.c - whatever stands in a table of users, it is read within its bounds, asks for
 * no more than the ceilings allow, and what is cheap is computed without a fault.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/password_format.h"

#include "base/banned.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

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

static void check_ceilings(const struct password_recipe *recipe)
{
	check(strnlen(recipe->text, sizeof(recipe->text)) < sizeof(recipe->text));
	check(recipe->salt_n <= sizeof(recipe->salt) && recipe->hash_n <= sizeof(recipe->hash));
	check(recipe->memory_kib <= 256 * 1024);
	check(recipe->lanes <= 2 * 1024 * 1024);
	if (recipe->block > 0)
		check(recipe->cost * recipe->block * recipe->lanes <= 2 * 1024 * 1024);
	else
		check(recipe->cost <= 2000000);
}

static bool is_cheap(const struct password_format *format, const struct password_recipe *recipe)
{
	if (strstr(format->name, "bcrypt"))
		return recipe->cost <= 4;
	return recipe->cost <= 1024 && recipe->memory_kib <= 64 && recipe->block <= 8 &&
	       recipe->lanes <= 4;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct password_recipe recipe;
	pt_str stored = str_n(bytes, n);
	const struct password_format *format = password_format_find(stored);

	memset(&recipe, 0, sizeof(recipe));
	if (!format || !format->read(stored, &recipe))
		return 0;
	check_ceilings(&recipe);
	if (is_cheap(format, &recipe)) {
		pt_err err = format->verify(&recipe, PT_STR("correct horse"));
		check(err == PT_OK || err == PT_E_CREDENTIALS);
	}
	return 0;
}

/*
 * Database settings: whatever is read names a database and a port, and what is read from the form of a
 * Go program is read alike with the scheme before it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "store/sql/mysql_target.h"

#include "base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_with_scheme(pt_arena *arena, pt_str text, const struct my_target *wanted)
{
	struct buf b = BUF(arena, 64 * KIB);
	struct my_target target;
	pt_str whole;

	buf_str(&b, PT_STR("mysql://"));
	buf_str(&b, text);
	if (buf_done(&b, &whole) != PT_OK)
		return;
	if (mysql_target_parse(arena, whole, &target) != PT_OK ||
		strcmp(target.user, wanted->user) != 0 ||
		strcmp(target.password, wanted->password) != 0 ||
		strcmp(target.database, wanted->database) != 0 || target.tls != wanted->tls)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pt_arena *arena = arena_open(256 * KIB);
	pt_str text = str_n(data, size);
	struct my_target target;

	log_open(LOG_TEXT, LOG_ERROR);
	if (arena && mysql_target_parse(arena, text, &target) == PT_OK) {
		if (!target.database[0] || target.port < 1 || target.port > 65535)
			abort();
		if (mysql_target_is_dsn(text) && !str_starts(text, PT_STR("mysql://")) &&
			!str_starts(text, PT_STR("mariadb://")))
			try_with_scheme(arena, text, &target);
	}
	arena_close(arena);
	return 0;
}

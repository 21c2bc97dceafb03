/*
 * keyfile.c - the root key: made once, and then always the same.
 */
#include "server/keyfile.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/random.h"
#include "base/str.h"
#include "server/secret_file.h"

#include "base/banned.h"

enum { ROOT_BYTES = 32, TEXT_MAX = 128 };

static pt_err key_decode(struct arena *arena, const char *path, pt_str text, pt_str *key)
{
	while (text.n > 0 && strchr("\r\n ", text.p[text.n - 1]))
		text.n--;
	if (!base64_decode(arena, text, key) || key->n != ROOT_BYTES)
		return fault(PT_F_CONFIG,
			"%s: no root key in it: 32 bytes in base64, as "
			"`dd if=/dev/urandom bs=32 count=1 | base64` makes them",
			path);
	return PT_OK;
}

static pt_err key_make(struct arena *arena, const struct secret_file *file)
{
	struct buf text = BUF(arena, TEXT_MAX);
	uint8_t key[ROOT_BYTES];

	TRY(random_fill(key, sizeof(key)));
	buf_base64(&text, key, sizeof(key));
	buf_char(&text, '\n');
	explicit_bzero(key, sizeof(key));
	TRY(secret_file_make(file, buf_view(&text)));
	log_say(LOG_INFO, "keys.made",
		"made a root key in %s; keep a copy of it apart from the "
		"database",
		file->path);
	return PT_OK;
}

pt_err keyfile_load(struct arena *arena, const char *path, pt_str *key)
{
	const struct secret_file file = {
		.path = path, .what = "root key", .setting = "keys.file", .most = TEXT_MAX
	};
	pt_str text;

	pt_err err = secret_file_read(arena, &file, &text);
	if (err == PT_E_NOT_FOUND) {
		TRY(key_make(arena, &file));
		err = secret_file_read(arena, &file, &text);
	}
	TRY(err);
	return key_decode(arena, path, text, key);
}

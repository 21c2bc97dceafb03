/*
 * keyfile.c - whole or not at all: written aside, made durable, then put in its place.
 */
#include "server/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "base/random.h"
#include "base/str.h"

#include "base/banned.h"

enum { ROOT_BYTES = 32, TEXT_MAX = 128, PATH_BYTES = 4096 };

/* ---- reading ---- */

static pt_err judge(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return fault(PT_F_CONFIG, "%s: the root key must be a plain file", path);
	if ((st.st_mode & 077) != 0)
		return fault(PT_F_CONFIG,
			"%s: others can read the root key; mend it with "
			"`chmod 600 %s`",
			path, path);
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return fault(PT_F_CONFIG,
			"%s: the root key belongs to somebody else; mend it with "
			"`chown` to the user that the server is started as",
			path);
	return PT_OK;
}

static pt_err read_key(struct arena *arena, int fd, const char *path, pt_str *key)
{
	char text[TEXT_MAX];
	ssize_t n;

	TRY(judge(fd, path));
	n = read(fd, text, sizeof(text));
	pt_str all = str_n(text, n > 0 ? (size_t)n : 0);
	while (all.n > 0 && strchr("\r\n ", all.p[all.n - 1]))
		all.n--;
	bool fine = base64_decode(arena, all, key) && key->n == ROOT_BYTES;
	explicit_bzero(text, sizeof(text));
	if (!fine)
		return fault(PT_F_CONFIG,
			"%s: no root key in it: 32 bytes in base64, as "
			"`dd if=/dev/urandom bs=32 count=1 | base64` makes them",
			path);
	return PT_OK;
}

/* ---- making ---- */

static pt_err folder_make(const char *path, char folder[PATH_BYTES])
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	snprintf(folder, PATH_BYTES, "%.*s", slash ? (int)(n ? n : 1) : 1, slash ? path : ".");
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return fault(PT_F_CONFIG,
			"%s: cannot make the folder of the root key: %s; make it, or set keys.file "
			"to another place",
			folder, strerror(errno));
	return PT_OK;
}

static bool write_durably(int fd, pt_str text)
{
	return write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0;
}

static bool folder_sync(const char *folder)
{
	PT_OWN(own_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && fsync(fd) == 0;
}

static pt_err key_make(struct arena *arena, const char *path)
{
	struct buf text = BUF(arena, TEXT_MAX);
	char aside[PATH_BYTES + 16], folder[PATH_BYTES];
	uint8_t key[ROOT_BYTES];

	TRY(folder_make(path, folder));
	TRY(random_fill(key, sizeof(key)));
	buf_base64(&text, key, sizeof(key));
	buf_char(&text, '\n');
	explicit_bzero(key, sizeof(key));

	snprintf(aside, sizeof(aside), "%s.%ld.new", path, (long)getpid());
	PT_OWN(own_fd)
	int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool fine = fd >= 0 && write_durably(fd, buf_view(&text));
	/* Another process may have been faster; then its key is the key. */
	bool placed = fine && (renameat2(AT_FDCWD, aside, AT_FDCWD, path, RENAME_NOREPLACE) == 0 ||
				      errno == EEXIST);
	int why = errno;
	if (fd >= 0)
		unlink(aside);
	if (!placed || !folder_sync(folder))
		return fault(PT_F_CONFIG,
			"%s: cannot write the root key: %s; let the user that the server is "
			"started "
			"as write there, or set keys.file to another place",
			path, strerror(why));
	log_say(LOG_INFO, "keys.made",
		"made a root key in %s; keep a copy of it apart from the "
		"database",
		path);
	return PT_OK;
}

pt_err keyfile_load(struct arena *arena, const char *path, pt_str *key)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

	PT_OWN(own_fd) int fd = open(path, flags);
	if (fd < 0 && errno == ENOENT) {
		TRY(key_make(arena, path));
		fd = open(path, flags);
	}
	if (fd < 0)
		return fault(PT_F_CONFIG, "%s: cannot read the root key: %s", path,
			errno == ELOOP ? "it is a link, and links are not followed"
				       : strerror(errno));
	return read_key(arena, fd, path, key);
}

/*
 * secret_file.c - whole or not at all: written aside, made durable, then put in its place.
 */
#include "server/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

#include "base/banned.h"

enum { PATH_BYTES = 4096 };

/* ---- reading ---- */

static bool owner_is_fine(const struct secret_file *file, const struct stat *st)
{
	return st->st_uid == geteuid() || st->st_uid == 0 ||
	       (file->may_be_anothers && geteuid() == 0);
}

static pt_err judge(const struct secret_file *file, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return fault(
			PT_F_CONFIG, "%s: the %s must be a plain file", file->path, file->what);
	if ((st.st_mode & 077) != 0)
		return fault(PT_F_CONFIG, "%s: others can read the %s; mend it with `chmod 600 %s`",
			file->path, file->what, file->path);
	if (!owner_is_fine(file, &st))
		return fault(PT_F_CONFIG,
			"%s: the %s belongs to somebody else; mend it with `chown` to the user "
			"that the server is started as",
			file->path, file->what);
	return PT_OK;
}

static pt_err read_whole(struct arena *arena, const struct secret_file *file, int fd, pt_str *text)
{
	char *p = arena_alloc(arena, file->most + 1);
	size_t n = 0;
	ssize_t got;

	if (!p)
		return PT_F_MEMORY;
	while (n <= file->most && (got = read(fd, p + n, file->most + 1 - n)) != 0) {
		if (got < 0)
			return fault(PT_F_CONFIG, "%s: cannot read the %s: %s", file->path,
				file->what, strerror(errno));
		n += (size_t)got;
	}
	if (n > file->most)
		return fault(PT_F_CONFIG, "%s: too long for the %s", file->path, file->what);
	*text = str_n(p, n);
	return PT_OK;
}

pt_err secret_file_read(struct arena *arena, const struct secret_file *file, pt_str *text)
{
	PT_OWN(own_fd)
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return PT_E_NOT_FOUND;
	if (fd < 0)
		return fault(PT_F_CONFIG, "%s: cannot read the %s: %s", file->path, file->what,
			errno == ELOOP ? "it is a link, and links are not followed"
				       : strerror(errno));
	TRY(judge(file, fd));
	return read_whole(arena, file, fd, text);
}

/* ---- writing ---- */

static void folder_of(const char *path, char folder[PATH_BYTES])
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	snprintf(folder, PATH_BYTES, "%.*s", slash ? (int)(n ? n : 1) : 1, slash ? path : ".");
}

static pt_err folder_make(const struct secret_file *file)
{
	char folder[PATH_BYTES];

	folder_of(file->path, folder);
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return fault(PT_F_CONFIG,
			"%s: cannot make the folder of the %s: %s; make it, or set %s to another "
			"place",
			folder, file->what, strerror(errno), file->setting);
	return PT_OK;
}

static bool folder_sync(const char *path)
{
	char folder[PATH_BYTES];

	folder_of(path, folder);
	PT_OWN(own_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && fsync(fd) == 0;
}

static pt_err cannot_write(const struct secret_file *file, int why)
{
	return fault(PT_F_CONFIG,
		"%s: cannot write the %s: %s; let the user that the server is started as write "
		"there, or set %s to another place",
		file->path, file->what, strerror(why), file->setting);
}

/* The text under another name beside the file, or errno says why not. Whose: NULL is ours. */
static bool write_aside(const struct secret_file *file, pt_str text, const struct stat *whose,
	char aside[PATH_BYTES])
{
	snprintf(aside, PATH_BYTES, "%s.%ld.new", file->path, (long)getpid());
	PT_OWN(own_fd)
	int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return false;
	bool owned = !whose || (whose->st_uid == geteuid() && whose->st_gid == getegid()) ||
		     fchown(fd, whose->st_uid, whose->st_gid) == 0;
	if (owned && write(fd, text.p, text.n) == (ssize_t)text.n && fsync(fd) == 0)
		return true;
	int why = errno;
	unlink(aside);
	errno = why;
	return false;
}

pt_err secret_file_make(const struct secret_file *file, pt_str text)
{
	char aside[PATH_BYTES];

	TRY(folder_make(file));
	if (!write_aside(file, text, NULL, aside))
		return cannot_write(file, errno);
	/* Another process may have been faster; then its file is the file. */
	bool placed = renameat2(AT_FDCWD, aside, AT_FDCWD, file->path, RENAME_NOREPLACE) == 0 ||
		      errno == EEXIST;
	int why = errno;
	unlink(aside);
	return placed && folder_sync(file->path) ? PT_OK : cannot_write(file, why);
}

pt_err secret_file_replace(const struct secret_file *file, pt_str text)
{
	char aside[PATH_BYTES];
	struct stat st;

	if (lstat(file->path, &st) != 0)
		return cannot_write(file, errno);
	if (!write_aside(file, text, &st, aside))
		return cannot_write(file, errno);
	if (rename(aside, file->path) == 0)
		return folder_sync(file->path) ? PT_OK : cannot_write(file, errno);
	int why = errno;
	unlink(aside);
	return cannot_write(file, why);
}

pt_err secret_file_lock(const struct secret_file *file, int *fd)
{
	char folder[PATH_BYTES];

	TRY(folder_make(file));
	folder_of(file->path, folder);
	/* The file itself is another one after each change: its folder stays. */
	int opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (opened < 0 || flock(opened, LOCK_EX) != 0) {
		int why = errno;

		if (opened >= 0)
			close(opened);
		return cannot_write(file, why);
	}
	*fd = opened;
	return PT_OK;
}

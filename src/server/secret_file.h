/*
 * secret_file.h - a file of secrets: plain, nobody's but its owner's, and never half-written.
 */
#ifndef SERVER_SECRET_FILE_H
#define SERVER_SECRET_FILE_H

#include "base/arena.h"
#include "portress/base.h"

struct secret_file {
	const char *path;
	const char *what;    /* in words, "root key" */
	const char *setting; /* that names the path, "keys.file" */
	size_t most;         /* bytes that are read */
	/* Root may use one of another user: of the one that a server started as root becomes. */
	bool may_be_anothers;
};

/* PT_E_NOT_FOUND: there is none. PT_F_CONFIG: it is a link, or others can read it, or it is too long;
 * one log line says how to mend it. */
PT_CHECK pt_err secret_file_read(struct arena *arena, const struct secret_file *file, pt_str *text);

/* A new one, with the folder that it lies in. PT_OK too when somebody was faster: that one stays.
 * PT_F_CONFIG: it cannot be written; one log line says why. */
PT_CHECK pt_err secret_file_make(const struct secret_file *file, pt_str text);

/* Puts this in the place of the one that is there, at once, with its owner. PT_F_CONFIG as above. */
PT_CHECK pt_err secret_file_replace(const struct secret_file *file, pt_str text);

/* Holds off everybody else who does so, until the descriptor is closed. PT_F_CONFIG: the folder is not
 * there. */
PT_CHECK pt_err secret_file_lock(const struct secret_file *file, int *fd);

#endif

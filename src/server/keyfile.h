/*
 * keyfile.h - the root key on disk: 32 random bytes, base64, for its owner alone.
 */
#ifndef SERVER_KEYFILE_H
#define SERVER_KEYFILE_H

#include "base/arena.h"
#include "portress/base.h"

/*
 * The key of that file; made, with its folder, if there is none. PT_F_CONFIG: it is no such file, is a
 * link, or others can read it; one log line says how to mend it. PT_F_IO: it cannot be written.
 */
PT_CHECK pt_err keyfile_load(struct arena *arena, const char *path, pt_str *key);

#endif

/*
 * privdrop.h - from root to nobody in particular, in a jail, for good.
 *
 * First a plan, while names can still be looked up; then, with everything read that lies outside,
 * the drop. No thread may exist before it.
 */
#ifndef SERVER_PRIVDROP_H
#define SERVER_PRIVDROP_H

#include <sys/types.h>

#include "base/arena.h"
#include "portress/base.h"

enum jail_mode { JAIL_AUTO, JAIL_REQUIRE, JAIL_OFF };

struct privdrop_wish {
	enum jail_mode mode;
	bool user_needed; /* root without a user to become is refused, not warned of */
	pt_str user;      /* a name or a number */
	pt_str group;
	pt_str dir;      /* "": chosen */
	pt_str database; /* path of the SQLite file; "" for none: it must lie in the jail */
};

struct privdrop_plan {
	bool drop;
	uid_t uid;
	gid_t gid;
	char user[64];
	char group[64];
	char dir[4096];      /* canonical */
	char database[4096]; /* as it is called from inside; "" for none */
};

/*
 * PT_F_CONFIG, with one log line that says how to mend it: not root where that is required, no or an
 * unknown user, root itself, a jail that others may write, a database outside of it or not writable
 * by the user. May make the folder of the database, for that user.
 */
PT_CHECK pt_err privdrop_plan(const struct privdrop_wish *wish, struct privdrop_plan *out);

/* Carries it out and proves that there is no way back. Without `drop` only what any process can do:
 * no new privileges, no core files, nobody traces us. PT_F_CONFIG: then the process must end. */
PT_CHECK pt_err privdrop_apply(const struct privdrop_plan *plan);

/* Where a path outside lies when seen from inside. False: it cannot be seen. */
bool privdrop_inside(const struct privdrop_plan *plan, const char *path, char out[4096]);

#endif

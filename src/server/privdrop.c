/*
 * privdrop.c - the steps, in the only order that works.
 */
#include "server/privdrop.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "base/str.h"

#include "base/banned.h"

enum { PATH_BYTES = 4096 };

/* ---- who ---- */

static bool cstr(pt_str s, char *out, size_t size)
{
	if (s.n >= size)
		return false;
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

static pt_err user_find(struct privdrop_plan *plan)
{
	int64_t number;
	const struct passwd *found = getpwnam(plan->user);

	if (found)
		plan->uid = found->pw_uid;
	else if (str_int(str(plan->user), 0, UINT32_MAX - 1, &number))
		plan->uid = (uid_t)number;
	else
		return fault(PT_F_CONFIG, "there is no user %s on this machine", plan->user);
	if (plan->uid == 0)
		return fault(PT_F_CONFIG, "User ID cannot be root (0)!");
	return PT_OK;
}

static pt_err group_find(struct privdrop_plan *plan)
{
	int64_t number;
	const struct group *found = getgrnam(plan->group);

	if (found)
		plan->gid = found->gr_gid;
	else if (str_int(str(plan->group), 0, UINT32_MAX - 1, &number))
		plan->gid = (gid_t)number;
	else
		return fault(PT_F_CONFIG, "there is no group %s on this machine", plan->group);
	if (plan->gid == 0)
		return fault(PT_F_CONFIG, "Group ID cannot be root (0)!");
	return PT_OK;
}

/* ---- where ---- */

static void folder_of(const char *path, char out[PATH_BYTES])
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		snprintf(out, PATH_BYTES, ".");
	else
		snprintf(out, PATH_BYTES, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

static bool is_world_writable(const char *path)
{
	struct stat st;

	return stat(path, &st) != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0;
}

/* The folder of the database, made for its user if nobody made it. */
static pt_err database_folder(const struct privdrop_plan *plan, const char *folder)
{
	char parent[PATH_BYTES];
	struct stat st;

	if (stat(folder, &st) != 0 && errno == ENOENT) {
		folder_of(folder, parent);
		if (is_world_writable(parent))
			return fault(PT_F_CONFIG,
				"%s: not made, since others may write to %s; make it "
				"yourself, or keep the database elsewhere",
				folder, parent);
		if (mkdir(folder, 0700) != 0 || chown(folder, plan->uid, plan->gid) != 0 ||
			stat(folder, &st) != 0)
			return fault(
				PT_F_CONFIG, "%s: cannot make it: %s", folder, strerror(errno));
	}
	if (!S_ISDIR(st.st_mode) || st.st_uid != plan->uid || (st.st_mode & S_IRWXU) != S_IRWXU)
		return fault(PT_F_CONFIG,
			"%s: the database's folder must belong to %s, who will write "
			"there; mend it with `chown -R %s:%s %s`",
			folder, plan->user, plan->user, plan->group, folder);
	return PT_OK;
}

static pt_err jail_check(const struct privdrop_plan *plan, bool is_database_folder)
{
	struct stat st;

	if (lstat(plan->dir, &st) != 0 || !S_ISDIR(st.st_mode))
		return fault(PT_F_CONFIG, "%s: the jail must be a folder", plan->dir);
	/* The database's own folder must be its user's; any other jail is better out of his hands. */
	bool owner_fits = st.st_uid == 0 || (is_database_folder && st.st_uid == plan->uid);
	if (!owner_fits || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return fault(PT_F_CONFIG,
			"%s: the jail must belong to root and be writable by nobody "
			"else; mend it with `chown root %s` and `chmod 755 %s`",
			plan->dir, plan->dir, plan->dir);
	return PT_OK;
}

static pt_err jail_resolve(struct privdrop_plan *plan, const char *dir)
{
	PT_OWN(own_malloc) char *real = NULL;
	struct stat st;

	if (lstat(dir, &st) != 0 || S_ISLNK(st.st_mode))
		return fault(PT_F_CONFIG, "%s: the jail must be a folder, and no link to one", dir);
	real = realpath(dir, NULL);
	if (!real || !cstr(str(real), plan->dir, sizeof(plan->dir)))
		return fault(PT_F_CONFIG, "%s: %s", dir, strerror(errno));
	return PT_OK;
}

/* An empty folder that a server without files of its own can sit in. */
static pt_err jail_empty(struct privdrop_plan *plan)
{
	static const char *const places[] = { "/var/empty", "/run/portress-jail" };

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct stat st;

		if (lstat(places[i], &st) == 0 && S_ISDIR(st.st_mode))
			return jail_resolve(plan, places[i]);
	}
	if (mkdir(places[1], 0755) != 0)
		return fault(PT_F_CONFIG, "%s: cannot make it: %s; name a jail in JAIL_DIR",
			places[1], strerror(errno));
	return jail_resolve(plan, places[1]);
}

bool privdrop_inside(const struct privdrop_plan *plan, const char *path, char out[PATH_BYTES])
{
	PT_OWN(own_malloc) char *real = realpath(path, NULL);
	size_t n = strlen(plan->dir);

	if (!plan->drop)
		return cstr(str(path), out, PATH_BYTES);
	if (real && n == 1)
		return cstr(str(real), out, PATH_BYTES);
	if (!real || strncmp(real, plan->dir, n) != 0 || (real[n] != '/' && real[n] != '\0'))
		return false;
	return cstr(real[n] ? str(real + n) : PT_STR("/"), out, PATH_BYTES);
}

static pt_err database_inside(struct privdrop_plan *plan, const char *database, const char *folder)
{
	char inside[PATH_BYTES];
	const char *name = strrchr(database, '/');

	if (!privdrop_inside(plan, folder, inside))
		return fault(PT_F_CONFIG,
			"%s: the database lies outside of the jail %s; keep it inside, "
			"or name another jail",
			database, plan->dir);
	int n = snprintf(plan->database, sizeof(plan->database), "%s/%s",
		strcmp(inside, "/") == 0 ? "" : inside, name ? name + 1 : database);
	return n < (int)sizeof(plan->database)
		       ? PT_OK
		       : fault(PT_F_CONFIG, "%s: too long a path", database);
}

static pt_err jail_plan(struct privdrop_plan *plan, const struct privdrop_wish *wish)
{
	char database[PATH_BYTES], dir[PATH_BYTES], folder[PATH_BYTES];
	bool has_database = wish->database.n > 0;

	if (!cstr(wish->database, database, sizeof(database)) || !cstr(wish->dir, dir, sizeof(dir)))
		return fault(PT_F_CONFIG, "too long a path");
	if (has_database) {
		folder_of(database, folder);
		TRY(database_folder(plan, folder));
	}
	if (wish->dir.n > 0)
		TRY(jail_resolve(plan, dir));
	else if (has_database)
		TRY(jail_resolve(plan, folder));
	else
		TRY(jail_empty(plan));
	TRY(jail_check(plan, has_database && wish->dir.n == 0));
	return has_database ? database_inside(plan, database, folder) : PT_OK;
}

pt_err privdrop_plan(const struct privdrop_wish *wish, struct privdrop_plan *out)
{
	bool root = geteuid() == 0;
	struct privdrop_plan plan = { 0 };

	*out = plan;
	if (wish->mode == JAIL_REQUIRE && !root)
		return fault(PT_F_CONFIG, "This program must be run as root!");
	if (wish->mode == JAIL_OFF || !root)
		return PT_OK;
	if (wish->user.n == 0 || wish->group.n == 0) {
		if (wish->user_needed || wish->mode == JAIL_REQUIRE ||
			wish->user.n + wish->group.n > 0)
			return fault(PT_F_CONFIG,
				"RUN_AS_USERNAME_OR_ID and RUN_AS_GROUPNAME_OR_ID must "
				"be provided! (jail.user and jail.group)");
		log_say(LOG_WARN, "jail.none", "running as root: set jail.user and jail.group");
		return PT_OK;
	}
	if (!cstr(wish->user, plan.user, sizeof(plan.user)) ||
		!cstr(wish->group, plan.group, sizeof(plan.group)))
		return fault(PT_F_CONFIG, "no user or group has such a name");
	plan.drop = true;
	TRY(user_find(&plan));
	TRY(group_find(&plan));
	TRY(jail_plan(&plan, wish));
	*out = plan;
	return PT_OK;
}

/* ---- the drop ---- */

static bool enter(const char *dir)
{
	return chdir(dir) == 0 && chroot(".") == 0 && chdir("/") == 0;
}

static void bounding_set_empty(void)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			return; /* the kernel said no: what counts is proved below */
	}
}

static bool become(const struct privdrop_plan *plan)
{
	return setgroups(1, &plan->gid) == 0 && setresgid(plan->gid, plan->gid, plan->gid) == 0 &&
	       setresuid(plan->uid, plan->uid, plan->uid) == 0;
}

static bool capabilities_none(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, none) == 0;
}

static bool no_way_back(const struct privdrop_plan *plan)
{
	uid_t r, e, s;
	gid_t rg, eg, sg, groups[1];

	return getresuid(&r, &e, &s) == 0 && r == plan->uid && e == plan->uid && s == plan->uid &&
	       getresgid(&rg, &eg, &sg) == 0 && rg == plan->gid && eg == plan->gid &&
	       sg == plan->gid && getgroups(1, groups) == 1 && groups[0] == plan->gid &&
	       setuid(0) != 0 && setgid(0) != 0;
}

/* What any process can do for its own good. */
static pt_err harden(void)
{
	const struct rlimit none = { 0, 0 };

	umask(077);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
		return fault(
			PT_F_CONFIG, "cannot give up what we do not need: %s", strerror(errno));
#ifndef __SANITIZE_ADDRESS__
	/* The leak checker reads its own process as a tracer would. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return fault(PT_F_CONFIG, "cannot forbid tracing: %s", strerror(errno));
#endif
	return PT_OK;
}

pt_err privdrop_apply(const struct privdrop_plan *plan)
{
	if (!plan->drop)
		return harden();
	if (!enter(plan->dir))
		return fault(
			PT_F_CONFIG, "%s: cannot enter the jail: %s", plan->dir, strerror(errno));
	bounding_set_empty();
	if (!become(plan) || !capabilities_none() || !no_way_back(plan))
		return fault(PT_F_CONFIG, "cannot become %s:%s for good", plan->user, plan->group);
	TRY(harden());
	log_say(LOG_INFO, "jail.entered", "Dropped privileges to user: %s and group: %s",
		plan->user, plan->group);
	return PT_OK;
}

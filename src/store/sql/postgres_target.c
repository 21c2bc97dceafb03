/*
 * postgres_target.c - from a setting to what libpq wants to know.
 */
#include "store/sql/postgres_target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

#include "base/banned.h"

#define DEBIAN_ROOTS "/etc/ssl/certs/ca-certificates.crt"

struct parameters {
	const char *keywords[PG_PARAMETERS];
	const char *values[PG_PARAMETERS];
	size_t n;
};

/* The target, and the arena that all of it lives in. */
struct owned_target {
	struct pg_target target; /* first */
	struct parameters parameters;
	struct arena *arena;
};

static void own_options(PQconninfoOption **options)
{
	if (*options)
		pq.conninfoFree(*options);
}

static const char *option(const PQconninfoOption *options, const char *keyword)
{
	for (; options && options->keyword; options++) {
		if (strcmp(options->keyword, keyword) == 0 && options->val && options->val[0])
			return options->val;
	}
	return NULL;
}

/* ---- what may be said about a URL ---- */

static bool is_port_list(pt_str list)
{
	int64_t port;

	while (list.n > 0) {
		pt_str one;

		str_cut(list, ',', &one, &list);
		if (one.n > 0 && !str_int(one, 1, 65535, &port))
			return false;
	}
	return true;
}

/* A password with an unescaped '/', '?' or ':' spills over into the names beside it, and libpq would
 * quote it in its errors. */
static bool is_sound(const PQconninfoOption *given)
{
	pt_str database = str(option(given, "dbname"));

	return is_port_list(str(option(given, "port"))) && str_find(database, '@') == database.n;
}

static pt_err unreadable(void)
{
	return fault(PT_F_CONFIG,
		"the database setting is not a PostgreSQL URL or connection string; "
		"characters like / ? @ : in a password are written as %%2F %%3F %%40 "
		"%%3A");
}

/* ---- this machine, or another one ---- */

static bool is_here(pt_str host)
{
	return host.n == 0 || host.p[0] == '/' || host.p[0] == '@' ||
	       str_eq(host, PT_STR("localhost")) || str_eq(host, PT_STR("::1")) ||
	       str_starts(host, PT_STR("127."));
}

static bool are_all_here(pt_str hosts)
{
	while (hosts.n > 0) {
		pt_str host;

		str_cut(hosts, ',', &host, &hosts);
		if (!is_here(host))
			return false;
	}
	return true;
}

/* What the URL says, or else what the environment and libpq itself say. */
static const char *said(
	const PQconninfoOption *given, const PQconninfoOption *defaults, const char *keyword)
{
	const char *value = option(given, keyword);

	return value ? value : option(defaults, keyword);
}

static bool is_remote(const PQconninfoOption *given, const PQconninfoOption *defaults)
{
	return !are_all_here(str(said(given, defaults, "host"))) ||
	       !are_all_here(str(said(given, defaults, "hostaddr")));
}

/* A service file may say what we cannot see here. */
static bool leaves_tls_to_us(const PQconninfoOption *given)
{
	return !option(given, "sslmode") && !option(given, "service") && !getenv("PGSSLMODE") &&
	       !getenv("PGSERVICE");
}

/* libpq 15 looks for roots in one private file only. */
static bool needs_roots(const PQconninfoOption *given)
{
	return !option(given, "sslrootcert") && !getenv("PGSSLROOTCERT") &&
	       access(DEBIAN_ROOTS, R_OK) == 0;
}

/* ---- the list ---- */

static void add(struct parameters *parameters, const char *keyword, const char *value)
{
	if (parameters->n + 1 >= PG_PARAMETERS)
		return;
	parameters->keywords[parameters->n] = keyword;
	parameters->values[parameters->n++] = value;
}

/* The name that has to be looked up, if it is one name and no address was given beside it. */
static const char *host_to_find(struct arena *arena, const PQconninfoOption *given)
{
	pt_str host = str(option(given, "host"));

	if (host.n == 0 || host.p[0] == '/' || host.p[0] == '@' || str_find(host, ',') < host.n ||
		option(given, "hostaddr"))
		return NULL;
	return arena_cstr(arena, host);
}

/* What stands before the URL can be changed by it, what stands behind cannot. */
static pt_err list_parameters(struct owned_target *owned, const char *url, pt_time timeout)
{
	PT_OWN(own_options) PQconninfoOption *given = pq.conninfoParse(url, NULL);
	PT_OWN(own_options) PQconninfoOption *defaults = pq.conndefaults();
	struct parameters *list = &owned->parameters;
	struct buf milliseconds = BUF(owned->arena, 32);
	pt_str user_timeout;

	if (!given || !is_sound(given))
		return unreadable();
	buf_int(&milliseconds, timeout / 2 / PT_MILLISECOND);
	TRY(buf_done(&milliseconds, &user_timeout));

	add(list, "application_name", "portress");
	add(list, "gssencmode", "disable");
	/* An unreachable first host of several must leave time for the second. */
	add(list, "tcp_user_timeout", user_timeout.p);
	add(list, "keepalives_idle", "30");
	if (leaves_tls_to_us(given) && is_remote(given, defaults)) {
		add(list, "sslmode", "verify-full");
		if (needs_roots(given))
			add(list, "sslrootcert", DEBIAN_ROOTS);
	}
	add(list, "dbname", url);
	add(list, "client_encoding", "UTF8");
	owned->target.host = host_to_find(owned->arena, given);
	owned->target.n = list->n;
	return PT_OK;
}

/* ---- the session ---- */

/* Well over deadlock_timeout (1 s) when acts have 2 s: a deadlock is told from a slow lock, and time is
 * left to try again. */
pt_time pg_statement_timeout(pt_time timeout)
{
	return timeout * 3 / 4;
}

static pt_err spell_session(struct arena *arena, pt_time timeout, const char **out)
{
	struct buf b = BUF(arena, KIB);
	pt_str text;

	buf_printf(&b, "SET statement_timeout = %d;",
		(int)(pg_statement_timeout(timeout) / PT_MILLISECOND));
	buf_printf(&b, "SET lock_timeout = %d;", (int)(timeout * 7 / 10 / PT_MILLISECOND));
	buf_printf(&b, "SET idle_in_transaction_session_timeout = %d;",
		(int)(5 * timeout / PT_MILLISECOND));
	buf_str(&b, PT_STR("SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD';"
			   "SET bytea_output = 'hex'; SET standard_conforming_strings = on;"));
	/* What writes says so when it begins. */
	buf_str(&b, PT_STR("SET default_transaction_read_only = on;"));
	/* A commit that is acknowledged is on disk, whatever the database's default is. */
	buf_str(&b, PT_STR("SELECT pg_catalog.set_config('synchronous_commit', 'on', false)"
			   " WHERE pg_catalog.current_setting('synchronous_commit') = 'off'"));
	TRY(buf_done(&b, &text));
	*out = text.p;
	return PT_OK;
}

static void own_target(struct pg_target **target)
{
	pg_target_free(*target);
}

pt_err pg_target_make(pt_str url, pt_time timeout, struct pg_target **out)
{
	struct arena *arena = arena_open(16 * KIB);
	struct owned_target *owned = arena ? ARENA_NEW(arena, struct owned_target) : NULL;
	PT_OWN(own_target) struct pg_target *target = NULL;
	const char *copy;

	if (!owned) {
		arena_close(arena);
		return fault(PT_F_MEMORY, "postgres: no memory");
	}
	owned->arena = arena;
	target = &owned->target;
	copy = arena_cstr(arena, url);
	if (!copy)
		return fault(PT_F_CONFIG, "the database setting is too long");
	TRY(list_parameters(owned, copy, timeout));
	TRY(spell_session(arena, timeout, &target->session));
	target->keywords = owned->parameters.keywords;
	target->values = owned->parameters.values;
	target->patience = pg_statement_timeout(timeout) + timeout / 10;
	*out = PT_GIVE(target);
	return PT_OK;
}

void pg_target_free(struct pg_target *target)
{
	struct owned_target *owned = (struct owned_target *)target;

	if (owned)
		arena_close(owned->arena);
}

/*
 * mysql_target.c - from a setting to what libmariadb wants to know.
 */
#include "store/sql/mysql_target.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/resolve.h"
#include "base/str.h"

#include "base/banned.h"

#define DEBIAN_ROOTS "/etc/ssl/certs/ca-certificates.crt"

enum { DEFAULT_PORT = 3306 };

/* A setting, cut up but not decoded. */
struct pieces {
	bool go; /* as Go programs write it */
	pt_str user, password;
	pt_str host, port, socket;
	pt_str database;
	pt_str parameters;
	pt_str tls, roots; /* of the parameters */
};

static pt_err unreadable(void)
{
	return fault(PT_F_CONFIG,
		"the database setting is not mysql://USER:PASSWORD@HOST:PORT/DATABASE; "
		"characters like / ? @ : in a password are written as %%2F %%3F %%40 %%3A");
}

/* ---- cutting ---- */

static size_t find_last(pt_str s, char c)
{
	for (size_t i = s.n; i > 0; i--) {
		if (s.p[i - 1] == c)
			return i - 1;
	}
	return s.n;
}

/* As str_cut at the last c; without one *head is empty and *tail is all of s. */
static void cut_last(pt_str s, char c, pt_str *head, pt_str *tail)
{
	size_t at = find_last(s, c);

	*head = at < s.n ? str_slice(s, 0, at) : str_slice(s, 0, 0);
	*tail = at < s.n ? str_slice(s, at + 1, s.n) : s;
}

static pt_str without_scheme(pt_str text)
{
	static const char *const schemes[] = { "mysql://", "mariadb://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (str_starts(text, str(schemes[i])))
			return str_slice(text, str(schemes[i]).n, text.n);
	}
	return text;
}

/* "tcp(host:port)", "unix(/path)", "(host:port)": where the address begins, or s.n. */
static size_t find_go_address(pt_str s)
{
	static const char *const forms[] = { "tcp(", "unix(", "(" };
	size_t user = 0;

	for (;;) {
		pt_str rest = str_slice(s, user, s.n);

		for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
			if (str_starts(rest, str(forms[i])) && str_contains(rest, PT_STR(")/")))
				return user;
		}
		user += str_find(rest, '@') + 1;
		if (user >= s.n)
			return s.n;
	}
}

bool mysql_target_is_dsn(pt_str text)
{
	return find_go_address(text) < text.n;
}

/* host, host:port, [::1]:port */
static bool cut_host(pt_str address, struct pieces *out)
{
	size_t bracket = str_find(address, ']');
	bool closed = bracket < address.n;

	if (address.n > 0 && address.p[0] == '[') {
		out->host = str_slice(address, 1, bracket);
		address = str_slice(address, bracket + 1, address.n);
		out->port = str_slice(address, 1, address.n);
		return closed && (address.n == 0 || address.p[0] == ':');
	}
	str_cut(address, ':', &out->host, &out->port);
	return true;
}

static bool cut_go(pt_str text, struct pieces *out)
{
	size_t at = find_go_address(text);
	pt_str who = str_slice(text, 0, at > 0 ? at - 1 : 0);
	pt_str protocol, address, rest;

	str_cut(who, ':', &out->user, &out->password);
	str_cut(str_slice(text, at, text.n), '(', &protocol, &rest);
	if (!str_cut(rest, ')', &address, &rest))
		return false;
	str_cut(str_slice(rest, 1, rest.n), '?', &out->database, &out->parameters);
	out->go = true;
	if (!str_eq(protocol, PT_STR("unix")))
		return cut_host(address, out);
	out->socket = address;
	return true;
}

static bool cut_url(pt_str text, struct pieces *out)
{
	pt_str place, who, address;

	str_cut(text, '?', &place, &out->parameters);
	if (!str_cut(place, '/', &place, &out->database))
		return false;
	cut_last(place, '@', &who, &address);
	str_cut(who, ':', &out->user, &out->password);
	return str_find(out->database, '@') == out->database.n && cut_host(address, out);
}

/* ---- decoding ---- */

static int hex_digit(char c)
{
	c = ascii_lower(c);
	if (ascii_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* NULL: a bad %XX, a NUL, or no memory. */
static const char *decode(pt_arena *arena, const struct pieces *pieces, pt_str raw)
{
	char *text = arena_alloc(arena, raw.n + 1);
	size_t n = 0;

	if (!text)
		return NULL;
	for (size_t i = 0; i < raw.n; i++) {
		text[n] = raw.p[i];
		if (raw.p[i] == '%' && !pieces->go) {
			int high = i + 2 < raw.n ? hex_digit(raw.p[i + 1]) : -1;
			int low = high >= 0 ? hex_digit(raw.p[i + 2]) : -1;

			if (low < 0)
				return NULL;
			text[n] = (char)(high * 16 + low);
			i += 2;
		}
		if (!text[n++])
			return NULL;
	}
	text[n] = '\0';
	return text;
}

/* ---- parameters ---- */

/* What Go's driver is told about itself. */
static bool is_about_go(pt_str name)
{
	static const char *const names[] = { "allowAllFiles", "allowCleartextPasswords",
		"allowFallbackToPlaintext", "allowNativePasswords", "allowOldPasswords", "charset",
		"checkConnLiveness", "clientFoundRows", "collation", "columnsWithAlias",
		"connectionAttributes", "interpolateParams", "loc", "maxAllowedPacket",
		"multiStatements", "parseTime", "readTimeout", "rejectReadOnly", "serverPubKey",
		"timeTruncate", "timeout", "writeTimeout" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_eq(name, str(names[i])))
			return true;
	}
	return false;
}

static pt_err read_parameter(pt_str name, pt_str value, struct pieces *out)
{
	if (str_eq(name, PT_STR("ssl")) || str_eq(name, PT_STR("tls")))
		out->tls = value;
	else if (str_eq(name, PT_STR("ssl-ca")))
		out->roots = value;
	else if (str_eq(name, PT_STR("socket")))
		out->socket = value;
	else if (name.n > 0 && !is_about_go(name))
		return fault(PT_F_CONFIG,
			"the database setting has an unknown parameter; a MariaDB URL may have "
			"ssl, ssl-ca and socket");
	return PT_OK;
}

static pt_err read_parameters(struct pieces *pieces)
{
	pt_str rest = pieces->parameters;

	while (rest.n > 0) {
		pt_str one, name, value;

		str_cut(rest, '&', &one, &rest);
		str_cut(one, '=', &name, &value);
		TRY(read_parameter(name, value, pieces));
	}
	return PT_OK;
}

/* ---- TLS ---- */

static pt_err read_tls(const struct pieces *pieces, enum my_tls *out)
{
	static const struct {
		const char *word;
		enum my_tls tls;
	} words[] = {
		{ "off", MY_TLS_OFF },
		{ "require", MY_TLS_REQUIRE },
		{ "verify", MY_TLS_VERIFY },
		/* Go's */
		{ "false", MY_TLS_OFF },
		{ "skip-verify", MY_TLS_REQUIRE },
		{ "preferred", MY_TLS_REQUIRE },
		{ "true", MY_TLS_VERIFY },
	};
	bool here = pieces->socket.n > 0 || resolve_is_loopback(pieces->host);

	*out = here ? MY_TLS_OFF : MY_TLS_VERIFY;
	if (pieces->tls.n == 0 || (here && str_eq(pieces->tls, PT_STR("preferred"))))
		return PT_OK;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_eq(pieces->tls, str(words[i].word))) {
			*out = words[i].tls;
			return PT_OK;
		}
	}
	return fault(PT_F_CONFIG, "ssl in the database setting must be off, require or verify");
}

/* ---- the target ---- */

static pt_err read_port(pt_str port, unsigned *out)
{
	int64_t number = DEFAULT_PORT;

	if (port.n > 0 && !str_int(port, 1, 65535, &number))
		return unreadable();
	*out = (unsigned)number;
	return PT_OK;
}

pt_err mysql_target_parse(pt_arena *arena, pt_str text, struct my_target *out)
{
	struct pieces pieces = { 0 };
	struct my_target target = { 0 };

	text = without_scheme(text);
	if (!(mysql_target_is_dsn(text) ? cut_go(text, &pieces) : cut_url(text, &pieces)))
		return unreadable();
	TRY(read_parameters(&pieces));
	if (pieces.host.n == 0)
		pieces.host = PT_STR("localhost");
	TRY(read_port(pieces.port, &target.port));
	TRY(read_tls(&pieces, &target.tls));
	target.host = decode(arena, &pieces, pieces.host);
	target.user = decode(arena, &pieces, pieces.user);
	target.password = decode(arena, &pieces, pieces.password);
	target.database = decode(arena, &pieces, pieces.database);
	target.socket = decode(arena, &pieces, pieces.socket);
	target.roots = decode(arena, &pieces, pieces.roots.n ? pieces.roots : PT_STR(DEBIAN_ROOTS));
	if (!target.host || !target.user || !target.password || !target.database ||
		!target.socket || !target.roots || !target.database[0])
		return unreadable();
	if (!target.socket[0])
		target.socket = NULL;
	*out = target;
	return PT_OK;
}

/* ---- the session ---- */

/* Over a lock's one second when acts have two: a deadlock that InnoDB does not see is told from a slow
 * statement, and time is left to try again. */
static pt_time statement_timeout(pt_time timeout)
{
	return timeout * 3 / 4;
}

/* The server counts locks in seconds. */
static int64_t lock_seconds(pt_time timeout)
{
	pt_time seconds = timeout / 2 / PT_SECOND;

	return seconds > 0 ? seconds : 1;
}

/*
 * What writes says so when it begins. Whatever the server's own sql_mode is: what does not fit is an
 * error, a backslash is a backslash in none of our texts, "" quotes a name in none either.
 */
static pt_err spell_session(pt_arena *arena, pt_time timeout, const char **out)
{
	struct buf b = BUF(arena, KIB);
	pt_str text;

	buf_str(&b, PT_STR("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
			   "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',"
			   " tx_isolation = 'READ-COMMITTED', tx_read_only = 1, autocommit = 1,"
			   " time_zone = '+00:00', sql_auto_is_null = 0, foreign_key_checks = 1,"
			   " unique_checks = 1,"));
	buf_printf(&b, " max_statement_time = %d.%03d,",
		(int)(statement_timeout(timeout) / PT_SECOND),
		(int)(statement_timeout(timeout) % PT_SECOND / PT_MILLISECOND));
	buf_printf(&b, " innodb_lock_wait_timeout = %d, lock_wait_timeout = %d,",
		(int)lock_seconds(timeout), (int)lock_seconds(timeout));
	buf_printf(&b, " idle_transaction_timeout = %d", (int)(5 * timeout / PT_SECOND) + 1);
	TRY(buf_done(&b, &text));
	*out = text.p;
	return PT_OK;
}

/* The target, and the arena that all of it lives in. */
struct owned_target {
	struct my_target target; /* first */
	pt_arena *arena;
};

static void own_target(struct my_target **target)
{
	mysql_target_free(*target);
}

pt_err mysql_target_make(pt_str text, pt_time timeout, struct my_target **out)
{
	pt_arena *arena = arena_open(16 * KIB);
	struct owned_target *owned = arena ? ARENA_NEW(arena, struct owned_target) : NULL;
	PT_OWN(own_target) struct my_target *target = NULL;

	if (!owned) {
		arena_close(arena);
		return fault(PT_F_MEMORY, "mariadb: no memory");
	}
	owned->arena = arena;
	target = &owned->target;
	TRY(mysql_target_parse(arena, text, target));
	TRY(spell_session(arena, timeout, &target->session));
	target->patience = statement_timeout(timeout) + timeout / 10;
	*out = PT_GIVE(target);
	return PT_OK;
}

void mysql_target_free(struct my_target *target)
{
	struct owned_target *owned = (struct owned_target *)target;

	if (owned)
		arena_close(owned->arena);
}

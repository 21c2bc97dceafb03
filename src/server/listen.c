/*
 * listen.c - sockets are bound while we may still bind them.
 */
#include "server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"

#include "base/banned.h"

enum { BACKLOG = 1024, FIRST_HANDED_FD = 3 };

/* ---- words ---- */

static struct listen_spec *add(struct listen_specs *out, enum listen_kind kind, pt_str text)
{
	if (out->n == LISTEN_MAX)
		return NULL;
	struct listen_spec *spec = &out->items[out->n++];
	*spec = (struct listen_spec){ .kind = kind };
	snprintf(
		spec->text, sizeof(spec->text), "%.*s", (int)(text.n < 150 ? text.n : 150), text.p);
	return spec;
}

static bool add_v4(struct listen_specs *out, const char *host, int64_t port)
{
	char text[64];

	snprintf(text, sizeof(text), "%s:%d", host, (int)port);
	struct listen_spec *spec = add(out, LISTEN_TCP, str(text));
	if (!spec || inet_pton(AF_INET, host, &spec->at.v4.sin_addr) != 1)
		return false;
	spec->at.v4.sin_family = AF_INET;
	spec->at.v4.sin_port = htons((uint16_t)port);
	spec->at_n = sizeof(spec->at.v4);
	return true;
}

static bool add_v6(struct listen_specs *out, const char *host, int64_t port, bool optional)
{
	char text[80];

	snprintf(text, sizeof(text), "[%s]:%d", host, (int)port);
	struct listen_spec *spec = add(out, LISTEN_TCP, str(text));
	if (!spec || inet_pton(AF_INET6, host, &spec->at.v6.sin6_addr) != 1)
		return false;
	spec->optional = optional;
	spec->at.v6.sin6_family = AF_INET6;
	spec->at.v6.sin6_port = htons((uint16_t)port);
	spec->at_n = sizeof(spec->at.v6);
	return true;
}

static bool add_unix(struct listen_specs *out, pt_str path, pt_str word)
{
	struct listen_spec *spec = add(out, LISTEN_UNIX, word);

	if (!spec || path.n == 0 || path.p[0] != '/' || path.n >= sizeof(spec->at.un.sun_path))
		return false;
	spec->at.un.sun_family = AF_UNIX;
	memcpy(spec->at.un.sun_path, path.p, path.n);
	spec->at_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + 1);
	return true;
}

static bool add_tcp(struct listen_specs *out, pt_str word)
{
	char host[INET6_ADDRSTRLEN] = "";
	size_t colon = word.n;
	int64_t port;

	while (colon > 0 && word.p[colon - 1] != ':')
		colon--;
	if (colon == 0 || !str_int(str_slice(word, colon, word.n), 1, 65535, &port))
		return false;
	pt_str name = str_slice(word, 0, colon - 1);
	bool v6 = name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']';
	if (v6)
		name = str_slice(name, 1, name.n - 1);
	if (name.n >= sizeof(host))
		return false;
	if (name.n > 0)
		memcpy(host, name.p, name.n);
	host[name.n] = '\0';
	if (v6)
		return add_v6(out, host, port, false);
	if (name.n == 0)
		return add_v4(out, "0.0.0.0", port) && add_v6(out, "::", port, true);
	if (str_eq(name, PT_STR("localhost")))
		return add_v4(out, "127.0.0.1", port) && add_v6(out, "::1", port, true);
	return add_v4(out, host, port);
}

static bool add_word(struct listen_specs *out, pt_str word)
{
	size_t first = out->n;
	pt_str place, option;
	bool fine;

	bool has_option = str_cut(word, ';', &place, &option);
	if (has_option && !str_eq(option, PT_STR("proxy")))
		return false;
	if (str_eq(place, PT_STR("systemd")))
		fine = add(out, LISTEN_SYSTEMD, place) != NULL;
	else if (str_starts(place, PT_STR("unix:")))
		fine = add_unix(out, str_slice(place, 5, place.n), place);
	else
		fine = add_tcp(out, place);
	for (size_t i = first; i < out->n; i++)
		out->items[i].proxy_header = has_option;
	return fine;
}

bool listen_parse(pt_str words, struct listen_specs *out, pt_str *bad)
{
	pt_str word, rest = words;

	while (rest.n > 0) {
		str_cut(rest, ',', &word, &rest);
		word = str_trim(word);
		if (!add_word(out, word)) {
			*bad = word;
			return false;
		}
	}
	return true;
}

/* ---- sockets ---- */

static void keep(struct listeners *out, int fd, const struct listen_spec *spec, bool ops)
{
	out->items[out->n++] = (struct http_listener){
		.fd = fd,
		.proxy_header = spec->proxy_header,
		.ops = ops,
	};
}

static bool is_other_file(const struct listen_spec *spec)
{
	struct stat st;

	return spec->kind == LISTEN_UNIX && lstat(spec->at.un.sun_path, &st) == 0 &&
	       !S_ISSOCK(st.st_mode);
}

static pt_err cannot_unix(const struct listen_spec *spec)
{
	if (errno == EADDRINUSE)
		return fault(PT_F_IO,
			"cannot listen on %s: a file stands there that is no socket; move it, or "
			"choose another path with --listen",
			spec->text);
	if (errno == ENOENT || errno == ENOTDIR)
		return fault(PT_F_IO, "cannot listen on %s: its folder is not there; make it first",
			spec->text);
	if (errno == EACCES || errno == EROFS)
		return fault(PT_F_IO,
			"cannot listen on %s: not allowed to make a file in its folder; change the "
			"folder's owner, or choose another path with --listen",
			spec->text);
	return fault(PT_F_IO, "cannot listen on %s: %s", spec->text, strerror(errno));
}

static pt_err cannot(const struct listen_spec *spec)
{
	if (errno == EADDRINUSE && !is_other_file(spec))
		return fault(PT_F_IO,
			"cannot listen on %s: another program does already; end it, or "
			"choose another address with --listen",
			spec->text);
	if (spec->kind == LISTEN_UNIX)
		return cannot_unix(spec);
	if (errno == EACCES)
		return fault(PT_F_IO,
			"cannot listen on %s: not allowed; ports below 1024 need root or a "
			"socket unit",
			spec->text);
	if (errno == EADDRNOTAVAIL)
		return fault(PT_F_IO,
			"cannot listen on %s: this machine has no such address; choose another "
			"with --listen",
			spec->text);
	return fault(PT_F_IO, "cannot listen on %s: %s", spec->text, strerror(errno));
}

/* A socket file that nobody answers on is left over from a server that was killed. */
static void remove_leftover(const struct sockaddr_un *at, socklen_t n)
{
	struct stat st;

	if (lstat(at->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return;
	PT_OWN(own_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)at, n) != 0 && errno == ECONNREFUSED)
		unlink(at->sun_path);
}

static bool bind_unix(int fd, const struct listen_spec *spec)
{
	remove_leftover(&spec->at.un, spec->at_n);
	/* Whoever may enter the folder may connect: a proxy runs as another user. */
	return bind(fd, &spec->at.any, spec->at_n) == 0 && chmod(spec->at.un.sun_path, 0666) == 0;
}

static bool bind_tcp(int fd, const struct listen_spec *spec)
{
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (spec->at.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	return bind(fd, &spec->at.any, spec->at_n) == 0;
}

static pt_err open_one(const struct listen_spec *spec, bool ops, struct listeners *out)
{
	int kind = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

	PT_OWN(own_fd) int fd = socket(spec->at.any.sa_family, kind, 0);
	bool bound =
		fd >= 0 && (spec->kind == LISTEN_UNIX ? bind_unix(fd, spec) : bind_tcp(fd, spec));
	if (!bound && spec->optional && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		return PT_OK;
	if (!bound || listen(fd, BACKLOG) != 0)
		return cannot(spec);
	if (spec->kind == LISTEN_UNIX)
		snprintf(out->unix_paths[out->n_unix++], sizeof(out->unix_paths[0]), "%s",
			spec->at.un.sun_path);
	keep(out, fd, spec, ops);
	fd = -1;
	return PT_OK;
}

/* sd_listen_fds(3): numbers from 3 on, for the process that LISTEN_PID names. */
static pt_err take_handed(const struct listen_spec *spec, bool ops, struct listeners *out)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int64_t n = 0, whose = 0;

	if (!pid || !fds || !str_int(str(pid), 1, INT32_MAX, &whose) || whose != getpid() ||
		!str_int(str(fds), 1, LISTEN_MAX, &n))
		return fault(PT_F_IO,
			"listen says systemd, but no socket was handed over; enable the "
			"socket unit, or set another address");
	if ((size_t)n > LISTEN_MAX - out->n)
		return fault(PT_F_IO, "more than %d sockets to listen on", LISTEN_MAX);
	for (int fd = FIRST_HANDED_FD; fd < FIRST_HANDED_FD + n; fd++) {
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
			return fault(
				PT_F_IO, "socket %d was not handed over: %s", fd, strerror(errno));
		keep(out, fd, spec, ops);
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return PT_OK;
}

pt_err listen_open(const struct listen_specs *specs, bool ops, struct listeners *out)
{
	for (size_t i = 0; i < specs->n; i++) {
		const struct listen_spec *spec = &specs->items[i];

		if (out->n == LISTEN_MAX)
			return fault(PT_F_IO, "more than %d sockets to listen on", LISTEN_MAX);
		if (spec->kind == LISTEN_SYSTEMD)
			TRY(take_handed(spec, ops, out));
		else
			TRY(open_one(spec, ops, out));
	}
	if (out->n == 0)
		return fault(PT_F_IO, "there is no address to listen on");
	return PT_OK;
}

void listeners_close(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->n; i++) {
		if (listeners->items[i].fd >= 0)
			close(listeners->items[i].fd);
		listeners->items[i].fd = -1;
	}
	for (size_t i = 0; i < listeners->n_unix; i++)
		unlink(listeners->unix_paths[i]);
}

/*
 * resolve.c - what a name means, asked in order: itself, localhost, /etc/hosts, the name servers.
 */
#include "base/resolve.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <pthread.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/fetch_guard.h"
#include "base/module.h"
#include "base/own.h"
#include "base/str.h"

#include "base/banned.h"

enum {
	NAME = 254,
	HOSTS = 64 * 1024,
	ANSWER = 4096,
	/* A name server gets two seconds, twice: a sign-up waits for this. */
	TRY_SECONDS = 2,
	TRIES = 2,
};

static __typeof__(ns_initparse) *init_parse;
static __typeof__(ns_parserr) *parse_record;

static const struct module_symbol symbols[] = {
	{ "ns_initparse", (void **)&init_parse },
	{ "ns_parserr", (void **)&parse_record },
};

/* Read by resolve_open; only `servers` changes afterwards, under its lock. */
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static bool is_open;
static struct stat root;
static char hosts[HOSTS];
static size_t hosts_n;
static struct __res_state servers;

/* ---- opening ---- */

static void read_hosts(void)
{
	PT_OWN(own_file) FILE *file = fopen("/etc/hosts", "re");

	if (file)
		hosts_n = fread(hosts, 1, sizeof(hosts), file);
}

static pt_err read_system(void)
{
	TRY(module_open("libresolv.so.2", "libc6", symbols, sizeof(symbols) / sizeof(symbols[0])));
	if (stat("/", &root) != 0 || res_ninit(&servers) != 0)
		return fault(PT_F_CONFIG, "the resolver does not start");
	servers.retrans = TRY_SECONDS;
	servers.retry = TRIES;
	read_hosts();
	is_open = true;
	return PT_OK;
}

pt_err resolve_open(void)
{
	pt_err err = PT_OK;

	pthread_mutex_lock(&one_at_a_time);
	if (!is_open)
		err = read_system();
	pthread_mutex_unlock(&one_at_a_time);
	return err;
}

bool resolve_is_jailed(void)
{
	struct stat now;

	if (stat("/", &now) != 0)
		return true;
	return now.st_ino != root.st_ino || now.st_dev != root.st_dev;
}

/* ---- addresses ---- */

static void add_text(struct addresses *out, pt_str text)
{
	if (out->n == RESOLVE_MAX || text.n >= RESOLVE_TEXT)
		return;
	memcpy(out->text[out->n], text.p, text.n);
	out->text[out->n][text.n] = '\0';
	out->n++;
}

static void add_bytes(struct addresses *out, int family, const void *bytes)
{
	char text[RESOLVE_TEXT];

	if (inet_ntop(family, bytes, text, sizeof(text)))
		add_text(out, str(text));
}

static bool is_address(const char *text)
{
	struct in6_addr bytes;

	return inet_pton(AF_INET, text, &bytes) == 1 || inet_pton(AF_INET6, text, &bytes) == 1;
}

static bool is_localhost(pt_str name)
{
	if (str_ends(name, PT_STR(".")))
		name = str_slice(name, 0, name.n - 1);
	pt_str tail = name.n > 10 ? str_slice(name, name.n - 10, name.n) : name;
	return str_eq_nocase(name, PT_STR("localhost")) ||
	       str_eq_nocase(tail, PT_STR(".localhost"));
}

/* ---- /etc/hosts, hosts(5) ---- */

static pt_str next_word(pt_str *line)
{
	size_t from = 0, to;

	while (from < line->n && (line->p[from] == ' ' || line->p[from] == '\t'))
		from++;
	to = from;
	while (to < line->n && line->p[to] != ' ' && line->p[to] != '\t')
		to++;
	pt_str word = str_slice(*line, from, to);
	*line = str_slice(*line, to, line->n);
	return word;
}

static void add_if_named(struct addresses *out, pt_str line, pt_str name)
{
	pt_str address = next_word(&line), alias;
	char text[RESOLVE_TEXT];

	if (address.n >= sizeof(text))
		return;
	memcpy(text, address.p, address.n);
	text[address.n] = '\0';
	while ((alias = next_word(&line)).n > 0) {
		if (str_eq_nocase(alias, name) && is_address(text)) {
			add_text(out, address);
			return;
		}
	}
}

static void from_hosts(pt_str name, struct addresses *out)
{
	pt_str rest = str_n(hosts, hosts_n), line, words, comment;

	while (rest.n > 0) {
		str_cut(rest, '\n', &line, &rest);
		str_cut(line, '#', &words, &comment);
		if (words.n > 0)
			add_if_named(out, words, name);
	}
}

/* ---- name servers ---- */

static void add_records(struct addresses *out, const uint8_t *answer, int n, ns_type type)
{
	size_t wanted = type == ns_t_a ? 4 : 16;
	ns_msg message;
	ns_rr record;

	if (init_parse(answer, n, &message) != 0)
		return;
	for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		if (parse_record(&message, ns_s_an, i, &record) != 0)
			return;
		if (ns_rr_type(record) == type && ns_rr_rdlen(record) == wanted)
			add_bytes(out, type == ns_t_a ? AF_INET : AF_INET6, ns_rr_rdata(record));
	}
}

/* False when no server answered, and asking more would only cost as much time again. */
static bool ask_servers(const char *name, ns_type type, struct addresses *out)
{
	uint8_t answer[ANSWER];
	bool answered;
	int n;

	pthread_mutex_lock(&one_at_a_time);
	n = res_nsearch(&servers, name, ns_c_in, (int)type, answer, sizeof(answer));
	answered = n >= 0 || servers.res_h_errno != TRY_AGAIN;
	pthread_mutex_unlock(&one_at_a_time);
	if (n > 0)
		add_records(out, answer, n < ANSWER ? n : ANSWER, type);
	return answered;
}

static void from_servers(const char *name, struct addresses *out)
{
	if (ask_servers(name, ns_t_a, out))
		ask_servers(name, ns_t_aaaa, out);
}

/* ---- the system ---- */

static void from_system(const char *name, struct addresses *out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	char text[RESOLVE_TEXT];

	if (getaddrinfo(name, NULL, &hints, &list) != 0)
		return;
	for (struct addrinfo *at = list; at; at = at->ai_next) {
		if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof(text), NULL, 0,
			    NI_NUMERICHOST) == 0)
			add_text(out, str(text));
	}
	freeaddrinfo(list);
}

/* ---- the question ---- */

static void look_up(const char *name, struct addresses *out)
{
	if (is_address(name)) {
		add_text(out, str(name));
		return;
	}
	if (is_localhost(str(name))) {
		add_text(out, PT_STR("127.0.0.1"));
		add_text(out, PT_STR("::1"));
		return;
	}
	if (!resolve_is_jailed()) {
		from_system(name, out);
		return;
	}
	from_hosts(str(name), out);
	if (out->n == 0)
		from_servers(name, out);
}

static bool name_copy(pt_str name, char out[NAME])
{
	if (name.n == 0 || name.n >= NAME || memchr(name.p, '\0', name.n))
		return false;
	memcpy(out, name.p, name.n);
	out[name.n] = '\0';
	return true;
}

pt_err resolve(pt_str name, struct addresses *out)
{
	struct addresses found = { 0 };
	char text[NAME];

	if (!name_copy(name, text))
		return PT_E_NOT_FOUND;
	look_up(text, &found);
	if (found.n == 0)
		return PT_E_NOT_FOUND;
	*out = found;
	return PT_OK;
}

bool resolve_is_loopback(pt_str name)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	char text[NAME];

	if (!name_copy(name, text))
		return false;
	if (inet_pton(AF_INET, text, &in4.sin_addr) == 1)
		return guard_is_loopback((const struct sockaddr *)&in4, sizeof(in4));
	if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
		return guard_is_loopback((const struct sockaddr *)&in6, sizeof(in6));
	return is_localhost(name);
}

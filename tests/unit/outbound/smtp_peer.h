/*
 * smtp_peer.h - a mail server on this machine that does what its script says (RFC 5321).
 */
#ifndef TESTS_SMTP_PEER_H
#define TESTS_SMTP_PEER_H

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Replies; NULL is the friendly one. */
struct smtp_script {
	const char *greeting;
	const char *capabilities; /* lines of the EHLO answer, "250-AUTH PLAIN\r\n" */
	const char *starttls;     /* answer to STARTTLS; offered when tls is set */
	const char *auth;
	const char *mail;
	const char *rcpt;
	const char *data;
	const char *accepted;   /* answer to the letter */
	const char *hang_up_at; /* a verb, or "." for the end of the letter */
	const char *farewell;   /* said after a letter, before it hangs up; "" hangs up */
	bool is_mute;           /* accepts connections and says nothing */
	SSL_CTX *tls;
	bool tls_first;
};

enum { SMTP_CONNECTIONS = 64 };

struct smtp_peer {
	struct smtp_script script;
	pthread_t thread;
	pthread_t servants[SMTP_CONNECTIONS]; /* one a connection */
	int listener;
	int port;
	pthread_mutex_t lock; /* of what follows */
	int connections, letters;
	bool letter_was_encrypted, login_was_encrypted;
	char commands[8192]; /* of all connections, one a line */
	char letter[262144]; /* the last one, as it came over the line, dots and all */
	size_t letter_n;
};

struct smtp_line {
	int fd;
	SSL *ssl;
	char in[8192];
	size_t n, at;
};

static inline int line_byte(struct smtp_line *line)
{
	if (line->at == line->n) {
		ssize_t got = line->ssl ? SSL_read(line->ssl, line->in, sizeof(line->in))
					: recv(line->fd, line->in, sizeof(line->in), 0);
		if (got <= 0)
			return -1;
		line->n = (size_t)got;
		line->at = 0;
	}
	return (unsigned char)line->in[line->at++];
}

/* Up to CRLF and with it; a lone CR or LF is a byte like others. */
static inline ssize_t line_read(struct smtp_line *line, char *out, size_t size)
{
	size_t n = 0;
	int c, before = 0;

	while (n < size - 1 && (c = line_byte(line)) >= 0) {
		out[n++] = (char)c;
		out[n] = '\0';
		if (before == '\r' && c == '\n')
			return (ssize_t)n;
		before = c;
	}
	return -1;
}

static inline void line_say(struct smtp_line *line, const char *text)
{
	char whole[1024];
	int n = snprintf(whole, sizeof(whole), "%s\r\n", text);

	if (line->ssl)
		SSL_write(line->ssl, whole, n);
	else if (send(line->fd, whole, (size_t)n, MSG_NOSIGNAL) < 0)
		return;
}

static inline bool line_encrypt(struct smtp_line *line, SSL_CTX *tls)
{
	line->ssl = SSL_new(tls);
	SSL_set_fd(line->ssl, line->fd);
	line->n = line->at = 0;
	return SSL_accept(line->ssl) == 1;
}

static inline const char *or_else(const char *said, const char *friendly)
{
	return said ? said : friendly;
}

static inline bool is_verb(const char *command, const char *verb)
{
	return verb && strncmp(command, verb, strlen(verb)) == 0;
}

static inline void peer_note(struct smtp_peer *peer, const char *command)
{
	size_t n;

	pthread_mutex_lock(&peer->lock);
	n = strlen(peer->commands);
	snprintf(peer->commands + n, sizeof(peer->commands) - n, "%s", command);
	pthread_mutex_unlock(&peer->lock);
}

static inline bool peer_take_letter(struct smtp_peer *peer, struct smtp_line *line)
{
	char text[4096];
	size_t n = 0;

	while (line_read(line, text, sizeof(text)) >= 0) {
		if (strcmp(text, ".\r\n") == 0) {
			pthread_mutex_lock(&peer->lock);
			peer->letter_n = n;
			peer->letter[n] = '\0';
			peer->letters++;
			peer->letter_was_encrypted = line->ssl != NULL;
			pthread_mutex_unlock(&peer->lock);
			return true;
		}
		size_t more = strlen(text);
		if (n + more < sizeof(peer->letter)) {
			memcpy(peer->letter + n, text, more);
			n += more;
		}
	}
	return false;
}

static inline void peer_login(struct smtp_peer *peer, struct smtp_line *line, const char *command)
{
	char text[1024];
	int more = is_verb(command, "AUTH LOGIN") ? 2 : strlen(command) > 13 ? 0 : 1;

	peer->login_was_encrypted = line->ssl != NULL;
	while (more-- > 0) {
		line_say(line, "334 VXNlcm5hbWU6");
		if (line_read(line, text, sizeof(text)) < 0)
			return;
		peer_note(peer, text);
	}
	line_say(line, or_else(peer->script.auth, "235 2.7.0 welcome"));
}

static inline void peer_greet_back(struct smtp_peer *peer, struct smtp_line *line)
{
	const struct smtp_script *script = &peer->script;
	char text[1024];

	snprintf(text, sizeof(text), "250-peer\r\n%s%s250 8BITMIME",
		or_else(script->capabilities, ""),
		script->tls && !script->tls_first && !line->ssl ? "250-STARTTLS\r\n" : "");
	line_say(line, text);
}

/* False: the conversation is over. */
static inline bool peer_obey(struct smtp_peer *peer, struct smtp_line *line, const char *command)
{
	const struct smtp_script *script = &peer->script;

	if (is_verb(command, script->hang_up_at))
		return false;
	if (is_verb(command, "EHLO")) {
		peer_greet_back(peer, line);
	} else if (is_verb(command, "STARTTLS")) {
		line_say(line, or_else(script->starttls, "220 go"));
		return script->starttls || line_encrypt(line, script->tls);
	} else if (is_verb(command, "AUTH")) {
		peer_login(peer, line, command);
	} else if (is_verb(command, "MAIL")) {
		line_say(line, or_else(script->mail, "250 2.1.0 ok"));
	} else if (is_verb(command, "RCPT")) {
		line_say(line, or_else(script->rcpt, "250 2.1.5 ok"));
	} else if (is_verb(command, "DATA")) {
		line_say(line, or_else(script->data, "354 go on"));
		if (script->data)
			return true;
		if (!peer_take_letter(peer, line) || is_verb(".", script->hang_up_at))
			return false;
		line_say(line, or_else(script->accepted, "250 2.0.0 queued"));
		if (script->farewell && script->farewell[0])
			line_say(line, script->farewell);
		return !script->farewell;
	} else if (is_verb(command, "QUIT")) {
		line_say(line, "221 bye");
		return false;
	} else {
		line_say(line, "502 what?");
	}
	return true;
}

static inline void peer_serve(struct smtp_peer *peer, int fd)
{
	struct smtp_line *line = calloc(1, sizeof(*line));
	char command[4096];

	line->fd = fd;
	if (!peer->script.tls_first || line_encrypt(line, peer->script.tls)) {
		if (!peer->script.is_mute)
			line_say(line, or_else(peer->script.greeting, "220 peer"));
		while (line_read(line, command, sizeof(command)) >= 0) {
			peer_note(peer, command);
			if (!peer_obey(peer, line, command))
				break;
		}
	}
	SSL_free(line->ssl);
	free(line);
	close(fd);
}

struct smtp_visit {
	struct smtp_peer *peer;
	int fd;
};

static inline void *peer_serve_visit(void *context)
{
	struct smtp_visit visit = *(struct smtp_visit *)context;

	free(context);
	peer_serve(visit.peer, visit.fd);
	return NULL;
}

static inline void peer_receive(struct smtp_peer *peer, int fd)
{
	struct timeval patience = { .tv_sec = 5 };
	struct smtp_visit *visit = malloc(sizeof(*visit));
	int n = peer->connections;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	*visit = (struct smtp_visit){ peer, fd };
	if (n == SMTP_CONNECTIONS ||
		pthread_create(&peer->servants[n], NULL, peer_serve_visit, visit) != 0)
		abort();
	pthread_mutex_lock(&peer->lock);
	peer->connections++;
	pthread_mutex_unlock(&peer->lock);
}

static inline void *peer_run(void *context)
{
	struct smtp_peer *peer = context;
	sigset_t broken_pipe;
	int fd;

	/* OpenSSL writes without MSG_NOSIGNAL; of this thread only, so that the courier shows its own */
	sigemptyset(&broken_pipe);
	sigaddset(&broken_pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &broken_pipe, NULL);
	while ((fd = accept(peer->listener, NULL, NULL)) >= 0)
		peer_receive(peer, fd);
	for (int i = 0; i < peer->connections; i++)
		pthread_join(peer->servants[i], NULL);
	return NULL;
}

static inline struct smtp_peer *peer_open(const struct smtp_script *script)
{
	struct smtp_peer *peer = calloc(1, sizeof(*peer));
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t n = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer->script = *script;
	pthread_mutex_init(&peer->lock, NULL);
	peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(peer->listener, (struct sockaddr *)&at, n) != 0 ||
		listen(peer->listener, 8) != 0 ||
		getsockname(peer->listener, (struct sockaddr *)&at, &n) != 0)
		abort();
	peer->port = ntohs(at.sin_port);
	if (pthread_create(&peer->thread, NULL, peer_run, peer) != 0)
		abort();
	return peer;
}

/* After the courier: its connection is served until it ends. */
static inline void peer_finish(struct smtp_peer *peer)
{
	shutdown(peer->listener, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->listener);
}

#endif

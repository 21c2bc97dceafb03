/*
 * http_peer.h - somebody to fetch from: answers each connection on this machine with the same bytes.
 */
#ifndef TESTS_HTTP_PEER_H
#define TESTS_HTTP_PEER_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct http_peer {
	pthread_t thread;
	int listener;
	int port;
	const char *answer;
	size_t answer_n;
	const char *const
		*script; /* what each connection gets, one after the other, then the last of them */
	size_t script_n;
	int repeat;      /* sends the answer this many times more */
	int drip_ms;     /* between two bytes; 0 sends at once */
	int connections; /* atomic */
	char request[8192];
};

static inline void peer_pause(int ms)
{
	usleep((useconds_t)ms * 1000);
}

/* Head and, by Content-Length, body. */
static inline bool peer_has_all(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n");
	const char *length = strstr(request, "Content-Length: ");

	if (!end)
		return false;
	return !length || strlen(end + 4) >= (size_t)strtol(length + 16, NULL, 10);
}

static inline void peer_read(struct http_peer *peer, int fd)
{
	size_t n = 0;

	while (n < sizeof(peer->request) - 1) {
		ssize_t got = recv(fd, peer->request + n, sizeof(peer->request) - 1 - n, 0);
		if (got <= 0)
			return;
		n += (size_t)got;
		peer->request[n] = '\0';
		if (peer_has_all(peer->request))
			return;
	}
}

static inline void peer_answer(struct http_peer *peer, int fd)
{
	size_t step = peer->drip_ms ? 1 : peer->answer_n;

	for (int i = 0; i <= peer->repeat; i++) {
		for (size_t at = 0; at < peer->answer_n; at += step) {
			if (send(fd, peer->answer + at, step, MSG_NOSIGNAL) < 0)
				return;
			if (peer->drip_ms)
				peer_pause(peer->drip_ms);
		}
	}
}

/* The scripted answers, and then the last of them again. */
static inline void peer_turn(struct http_peer *peer, int connection)
{
	if ((size_t)connection < peer->script_n) {
		peer->answer = peer->script[connection];
		peer->answer_n = strlen(peer->answer);
	}
}

static inline void *peer_run(void *context)
{
	struct http_peer *peer = context;
	int fd;

	while ((fd = accept(peer->listener, NULL, NULL)) >= 0) {
		peer_turn(peer, __atomic_fetch_add(&peer->connections, 1, __ATOMIC_SEQ_CST));
		peer_read(peer, fd);
		peer_answer(peer, fd);
		close(fd);
	}
	return NULL;
}

static inline void peer_listen(struct http_peer *peer)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t n = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(peer->listener, (struct sockaddr *)&at, n) != 0 ||
		listen(peer->listener, 8) != 0 ||
		getsockname(peer->listener, (struct sockaddr *)&at, &n) != 0)
		abort();
	peer->port = ntohs(at.sin_port);
}

static inline void peer_open(struct http_peer *peer, const char *answer)
{
	peer->answer = answer;
	peer->answer_n = strlen(answer);
	peer_listen(peer);
	if (pthread_create(&peer->thread, NULL, peer_run, peer) != 0)
		abort();
}

static inline void peer_close(struct http_peer *peer)
{
	shutdown(peer->listener, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->listener);
}

static inline int peer_connections(const struct http_peer *peer)
{
	return __atomic_load_n(&peer->connections, __ATOMIC_SEQ_CST);
}

#endif

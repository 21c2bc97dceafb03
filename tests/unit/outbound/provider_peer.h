/*
 * provider_peer.h - a house elsewhere: answers each request by its first line, and keeps what it was
 * asked.
 */
#ifndef TESTS_PROVIDER_PEER_H
#define TESTS_PROVIDER_PEER_H

#include "../base/http_peer.h"

enum { HOUSE_ROUTES = 8, HOUSE_CALLS = 32 };

struct house_route {
	const char *line; /* what the request begins with, "GET /user " */
	int status;
	const char *body;
};

struct house_peer {
	struct http_peer peer;
	pthread_mutex_t lock; /* of the routes */
	struct house_route routes[HOUSE_ROUTES];
	int calls_n; /* atomic */
	char calls[HOUSE_CALLS][8192];
	char url[64];
};

static inline void house_routes(
	struct house_peer *house, size_t from, const struct house_route *routes, size_t n)
{
	pthread_mutex_lock(&house->lock);
	memcpy(house->routes + from, routes, n * sizeof(*routes));
	pthread_mutex_unlock(&house->lock);
}

static inline struct house_route house_find(struct house_peer *house)
{
	struct house_route found = { "", 404, "{}" };

	pthread_mutex_lock(&house->lock);
	for (size_t i = 0; i < HOUSE_ROUTES && house->routes[i].line; i++) {
		const char *line = house->routes[i].line;
		if (strncmp(house->peer.request, line, strlen(line)) == 0) {
			found = house->routes[i];
			break;
		}
	}
	pthread_mutex_unlock(&house->lock);
	return found;
}

static inline void house_answer(struct house_peer *house, int fd)
{
	const struct house_route route = house_find(house);
	size_t n = strlen(route.body);

	if (dprintf(fd, "HTTP/1.1 %d So\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
		    route.status, n) < 0)
		return;
	for (size_t at = 0; at < n;) {
		ssize_t sent = send(fd, route.body + at, n - at, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		at += (size_t)sent;
	}
}

static inline void *house_run(void *context)
{
	struct house_peer *house = context;
	int fd;

	while ((fd = accept(house->peer.listener, NULL, NULL)) >= 0) {
		house->peer.request[0] = '\0';
		peer_read(&house->peer, fd);
		int n = __atomic_load_n(&house->calls_n, __ATOMIC_SEQ_CST);
		if (n < HOUSE_CALLS)
			memcpy(house->calls[n], house->peer.request, sizeof(house->calls[n]));
		__atomic_store_n(&house->calls_n, n + 1, __ATOMIC_SEQ_CST);
		house_answer(house, fd);
		close(fd);
	}
	return NULL;
}

static inline void house_open(struct house_peer *house)
{
	pthread_mutex_init(&house->lock, NULL);
	peer_listen(&house->peer);
	(void)snprintf(house->url, sizeof(house->url), "http://127.0.0.1:%d", house->peer.port);
	if (pthread_create(&house->peer.thread, NULL, house_run, house) != 0)
		abort();
}

static inline int house_calls(const struct house_peer *house)
{
	return __atomic_load_n(&house->calls_n, __ATOMIC_SEQ_CST);
}

static inline void house_close(struct house_peer *house)
{
	peer_close(&house->peer);
	pthread_mutex_destroy(&house->lock);
}

#endif

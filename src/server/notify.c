/*
 * notify.c - datagrams to the socket in NOTIFY_SOCKET.
 */
#include "server/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

#include "base/banned.h"

static int manager = -1;

void notify_open(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path ? strlen(path) : 0;

	if (n == 0 || n >= sizeof(at.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(at.sun_path, path, n);
	if (path[0] == '@')
		at.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	if (manager >= 0 && connect(manager, (struct sockaddr *)&at, length) != 0) {
		close(manager);
		manager = -1;
	}
}

void notify(const char *state)
{
	if (manager >= 0 && send(manager, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return; /* a manager that does not listen is no reason to fail */
}

void notify_reloading(void)
{
	char state[80];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_monotonic());
	notify(state);
}

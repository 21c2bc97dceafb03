/*
 * peers.h - how many connections each client address has. Thread-safe.
 */
#ifndef HTTP_PEERS_H
#define HTTP_PEERS_H

#include "http/proxy.h"

struct peers;

/* For at most `most` addresses at a time. NULL when memory is out. */
struct peers *peers_open(size_t most);
void peers_close(struct peers *peers);

/* Counts one more, unless the address has `limit` already. */
PT_CHECK bool peers_enter(struct peers *peers, const struct address *address, size_t limit);
void peers_leave(struct peers *peers, const struct address *address);

#endif

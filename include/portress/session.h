/*
 * portress/session.h - a signed-in browser or device.
 */
#ifndef PORTRESS_SESSION_H
#define PORTRESS_SESSION_H

#include "portress/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How an account proved itself (RFC 8176 names in comments). */
enum pt_method {
	PT_METHOD_PASSWORD = 1 << 0, /* pwd */
};

struct pt_session {
	struct pt_hash hash; /* SHA-256 of the secret that the cookie carries */
	struct pt_id account;
	pt_time created_at;
	pt_time expires_at; /* absolute; nothing extends it */
	uint32_t methods;   /* enum pt_method, or-ed */
	pt_str client;      /* address it was opened from, shortened to /24 or /48 */
	pt_str user_agent;  /* at most 120 bytes */
};

#ifdef __cplusplus
}
#endif
#endif

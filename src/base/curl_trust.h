/*
 * curl_trust.h - the CA bundle, read once for all connections.
 *
 * libcurl would read it anew for each one: some 20 ms of processor time for a system's bundle, more
 * than all the rest of a request. So the certificates become one store of OpenSSL's, when the first
 * connection needs it, and every connection borrows that. A store that could not be made trusts
 * nobody.
 */
#ifndef BASE_CURL_TRUST_H
#define BASE_CURL_TRUST_H

#include <stdbool.h>

#include "portress/base.h"

/* Before privileges are dropped: finds OpenSSL, where libcurl's own is of the kind we know; the
 * bundle stays the caller's, and must stay. Once, before threads. */
PT_CHECK pt_err trust_open(pt_str tls_library, pt_str bundle);

/* False: libcurl has to be given the bundle itself. */
bool trust_is_open(void);

/* Gives the store to a connection (an SSL_CTX of OpenSSL's). False: there is none to give. */
PT_CHECK bool trust_lend(void *ssl_context);

#endif

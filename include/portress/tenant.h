/*
 * portress/tenant.h - one of many sites that share a store.
 *
 * Every account, and all that hangs on it, belongs to one tenant; "" is the tenant of a server that
 * has one site. What is found by a secret is found only within the tenant that asks.
 */
#ifndef PORTRESS_TENANT_H
#define PORTRESS_TENANT_H

#include "portress/base.h"

#ifdef __cplusplus
extern "C" {
#endif

struct pt_tenant {
	struct pt_id id;
	struct pt_id name; /* the operator's own name for it, unique */
	pt_str config;     /* JSON; the store holds it sealed */
	pt_time created_at;
	pt_time updated_at;
};

#ifdef __cplusplus
}
#endif
#endif

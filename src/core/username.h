/*
 * username.h - what a user name is, and when two are the same.
 */
#ifndef CORE_USERNAME_H
#define CORE_USERNAME_H

#include "base/arena.h"
#include "portress/portress.h"

/* PT_E_USERNAME unless it is policy.username_min..max of [A-Za-z0-9_]. *key is its lower case. */
PT_CHECK pt_err username_parse(
	struct arena *arena, const struct pt_policy *policy, pt_str typed, pt_str *key);

#endif

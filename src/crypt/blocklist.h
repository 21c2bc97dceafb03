/*
 * blocklist.h - passwords that everybody tries first.
 */
#ifndef CRYPT_BLOCKLIST_H
#define CRYPT_BLOCKLIST_H

#include "portress/base.h"

/* True when the whole password, ASCII case folded, is one of the common ones. */
bool blocklist_has(pt_str password);

#endif

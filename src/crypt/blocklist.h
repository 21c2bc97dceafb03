/*
 * blocklist.h - passwords that everybody tries first.
 */
#ifndef CRYPT_BLOCKLIST_H
#define CRYPT_BLOCKLIST_H

#include "portress/base.h"

/*
 * True when the whole password, ASCII case folded, is one of the common ones: a listed word, a run
 * along the keyboard or a repetition, also with digits for letters or with a year, a few digits or
 * a few marks behind it. A longer text that holds such a word is fine.
 */
bool blocklist_has(pt_str password);

#endif

/*
 * setting_value.h - one value, by its type and rule.
 */
#ifndef SERVER_SETTING_VALUE_H
#define SERVER_SETTING_VALUE_H

#include "server/config.h"

/* Fills value->number (and rewrites value->text where it was spelt in another manner). False: *why is
 * the rest of a sentence that begins with the setting's name. It never shows the value of a secret. */
bool setting_value_check(struct arena *arena, const struct setting_row *row,
	enum setting_reading reading, struct config_value *value, pt_str *why);

/* "1h30m" is none; "90m", "500ms", "8h", "30d" are. */
bool duration_parse(pt_str text, int64_t *out);

/* As Go reads it: "1h30m", "1.5h"; or a bare number of seconds. */
bool go_duration_parse(pt_str text, int64_t *out);

/* By the e-mail rule for senders: one @, no control characters, no blanks. */
bool setting_is_email(pt_str text);

#endif

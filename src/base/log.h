/*
 * log.h - one line for each thing that an operator should know.
 *
 *	LOG(LOG_INFO, "http.request", F_STR("route", route), F_INT("status", status));
 *
 * Lines go to stderr: JSON, or readable text on a terminal. Every value is escaped, a line is at
 * most 4 KiB, and a full pipe drops lines (counted) instead of blocking the caller. Secrets have
 * no way in: there is no field type for them. Thread-safe.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "portress/base.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum log_format { LOG_JSON, LOG_TEXT };

struct log_field {
	const char *name;
	enum { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_BOOL } type;
	pt_str text;
	int64_t number;
};

#define F_STR(name_, value_)  ((struct log_field){ (name_), LOG_FIELD_STR, (value_), 0 })
#define F_CSTR(name_, value_) F_STR(name_, str(value_))
#define F_INT(name_, value_) \
	((struct log_field){ (name_), LOG_FIELD_INT, { 0 }, (int64_t)(value_) })
#define F_BOOL(name_, value_) ((struct log_field){ (name_), LOG_FIELD_BOOL, { 0 }, (value_) })

/* Before threads start. level: the chattiest level that is still written. */
void log_open(enum log_format format, enum log_level level);

/* `event` is a fixed name, "outbox.sent"; a field named "message" is what a person reads first. */
void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n);

#define LOG(level_, event_, ...)                                                 \
	log_write((level_), (event_), (const struct log_field[]){ __VA_ARGS__ }, \
		sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

/* A line that is one sentence. */
__attribute__((format(printf, 3, 4))) void log_say(
	enum log_level level, const char *event, const char *format, ...);

/* The request that this thread works for; it is added to each line. "" ends it. */
void log_request(pt_str id);

/* Lines lost so far because nobody read them. */
uint64_t log_dropped(void);

#endif

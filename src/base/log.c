/*
 * log.c - a line is made on the stack and leaves with one write(2).
 *
 * The writers of buf.h do the escaping. A field that does not fit is cut until it does, and the
 * line then says so, so every line is whole. No allocation: a line about memory that is out must
 * get through.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#include "base/banned.h"

enum {
	LINE = 4096, /* PIPE_BUF: lines of two processes do not mix in a pipe */
	REQUEST = 64,
};

/* What may still have to be said after the last field. */
static const pt_str json_cut = PT_STR_INIT(",\"cut\":true");
static const pt_str text_cut = PT_STR_INIT(" (cut)");
enum { LINE_END = 16 };

struct level_words {
	pt_str name;    /* in JSON */
	pt_str padded;  /* on a terminal */
	pt_str colour;  /* on a terminal that has them */
	pt_str journal; /* sd-daemon(3) */
};

static const struct level_words words[] = {
	[LOG_ERROR] = { PT_STR_INIT("error"), PT_STR_INIT("error"), PT_STR_INIT("\033[31m"),
		PT_STR_INIT("<3>") },
	[LOG_WARN] = { PT_STR_INIT("warn"), PT_STR_INIT("warn "), PT_STR_INIT("\033[33m"),
		PT_STR_INIT("<4>") },
	[LOG_INFO] = { PT_STR_INIT("info"), PT_STR_INIT("info "), PT_STR_INIT("\033[32m"),
		PT_STR_INIT("<6>") },
	[LOG_DEBUG] = { PT_STR_INIT("debug"), PT_STR_INIT("debug"), PT_STR_INIT("\033[2m"),
		PT_STR_INIT("<7>") },
};

/* Set by log_open before threads start, read only after. */
static enum log_format chosen_format = LOG_TEXT;
static enum log_level chosen_level = LOG_INFO;
static bool coloured;
static bool journal;

static pthread_mutex_t one_writer = PTHREAD_MUTEX_INITIALIZER;
static uint64_t dropped;

static _Thread_local char request[REQUEST];
static _Thread_local size_t request_n;

/* ---- opening ---- */

/* systemd names the device and inode of the stream that it reads, in case stderr was moved. */
static bool is_journal(const char *stream)
{
	struct stat st;
	char ours[64];

	if (!stream || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(ours, sizeof(ours), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return str_eq(str(stream), str(ours));
}

void log_open(enum log_format format, enum log_level level)
{
	chosen_format = format;
	chosen_level = level;
	journal = is_journal(getenv("JOURNAL_STREAM"));
	coloured = format == LOG_TEXT && !getenv("NO_COLOR") && isatty(STDERR_FILENO);
}

void log_request(pt_str id)
{
	request_n = id.n < REQUEST ? id.n : REQUEST;
	if (request_n > 0)
		memcpy(request, id.p, request_n);
}

uint64_t log_dropped(void)
{
	return __atomic_load_n(&dropped, __ATOMIC_RELAXED);
}

/* ---- text for a terminal ---- */

/* Terminals obey C1 controls, and bidirectional overrides make a line read as another. */
static bool text_is_plain(pt_str character)
{
	const uint8_t *p = (const uint8_t *)character.p;

	if (character.n == 1)
		return p[0] >= 0x20 && p[0] != 0x7F;
	if (character.n == 2)
		return p[0] != 0xC2 || p[1] >= 0xA0;
	if (character.n == 3 && p[0] == 0xE2 && p[1] == 0x80)
		return p[2] < 0xA8 || p[2] > 0xAE;
	if (character.n == 3 && p[0] == 0xE2 && p[1] == 0x81)
		return p[2] < 0xA6 || p[2] > 0xA9;
	return character.n > 0;
}

static void text_escape(struct buf *b, pt_str bytes)
{
	for (size_t i = 0; i < bytes.n; i++) {
		buf_str(b, PT_STR("\\x"));
		buf_hex(b, bytes.p + i, 1);
	}
}

static void text_bare(struct buf *b, pt_str s)
{
	while (s.n > 0) {
		size_t step = str_utf8_step(s);
		pt_str character = str_slice(s, 0, step > 0 ? step : 1);

		if (step > 0 && text_is_plain(character))
			buf_str(b, character);
		else
			text_escape(b, character);
		s = str_slice(s, character.n, s.n);
	}
}

static bool text_is_word(pt_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == ' ' || s.p[i] == '"' || s.p[i] == '=' || s.p[i] == '\\')
			return false;
	}
	return s.n > 0;
}

static void text_value(struct buf *b, pt_str s)
{
	if (text_is_word(s)) {
		text_bare(b, s);
		return;
	}
	buf_char(b, '"');
	while (s.n > 0) {
		size_t run = str_find(s, '"'), slash = str_find(s, '\\');

		run = slash < run ? slash : run;
		text_bare(b, str_slice(s, 0, run));
		if (run < s.n) {
			buf_char(b, '\\');
			buf_char(b, s.p[run]);
		}
		s = str_slice(s, run + 1, s.n);
	}
	buf_char(b, '"');
}

/* ---- fields ---- */

static void field_value(struct buf *line, const struct log_field *field)
{
	switch (field->type) {
	case LOG_FIELD_INT:
		buf_int(line, field->number);
		return;
	case LOG_FIELD_BOOL:
		buf_str(line, field->number ? PT_STR("true") : PT_STR("false"));
		return;
	case LOG_FIELD_STR:
		if (chosen_format == LOG_JSON)
			buf_json(line, field->text);
		else
			text_value(line, field->text);
		return;
	}
}

typedef void field_writer(struct buf *line, const struct log_field *field);

static void json_field(struct buf *line, const struct log_field *field)
{
	buf_char(line, ',');
	buf_json(line, str(field->name));
	buf_char(line, ':');
	field_value(line, field);
}

static void text_field(struct buf *line, const struct log_field *field)
{
	buf_char(line, ' ');
	text_bare(line, str(field->name));
	buf_char(line, '=');
	field_value(line, field);
}

static void text_message(struct buf *line, const struct log_field *field)
{
	text_bare(line, field->text);
}

/* Half of s, not ending inside of a character. */
static pt_str half(pt_str s)
{
	size_t n = s.n / 2;

	while (n > 0 && ((uint8_t)s.p[n] & 0xC0) == 0x80)
		n--;
	return str_slice(s, 0, n);
}

/* Writes the field whole, or cut, or not at all. False if something of it is missing. */
static bool fit(struct buf *line, field_writer *write_field, struct log_field field)
{
	size_t before = line->n;

	for (bool whole = true;; whole = false) {
		write_field(line, &field);
		if (!line->failed)
			return whole;
		line->failed = false;
		line->n = before;
		if (field.type != LOG_FIELD_STR || field.text.n == 0)
			return false;
		field.text = half(field.text);
	}
}

/* ---- lines ---- */

static bool is_message(const struct log_field *field)
{
	return field->type == LOG_FIELD_STR && str_eq(str(field->name), PT_STR("message"));
}

static bool json_line(struct buf *line, const struct level_words *level, const char *event,
	const struct log_field *fields, size_t n)
{
	bool whole = true;

	buf_str(line, PT_STR("{\"time\":\""));
	buf_rfc3339(line, clock_now(), 3);
	buf_str(line, PT_STR("\",\"level\":\""));
	buf_str(line, level->name);
	buf_char(line, '"');
	whole &= fit(line, json_field, F_CSTR("event", event));
	if (request_n > 0)
		whole &= fit(line, json_field, F_STR("request", str_n(request, request_n)));
	for (size_t i = 0; i < n; i++)
		whole &= fit(line, json_field, fields[i]);
	return whole;
}

static void text_head(struct buf *line, const struct level_words *level)
{
	char date[32];
	struct buf when = BUF_FIXED(date);

	buf_rfc3339(&when, clock_now(), 3);
	buf_str(line, str_slice(buf_view(&when), sizeof("2006-01-02T") - 1, when.n - 1));
	buf_char(line, ' ');
	if (coloured)
		buf_str(line, level->colour);
	buf_str(line, level->padded);
	if (coloured)
		buf_str(line, PT_STR("\033[0m"));
	buf_char(line, ' ');
}

static bool text_line(struct buf *line, const struct level_words *level, const char *event,
	const struct log_field *fields, size_t n)
{
	struct log_field first = F_CSTR("message", event);
	bool whole;

	text_head(line, level);
	for (size_t i = 0; i < n; i++) {
		if (is_message(&fields[i]))
			first = fields[i];
	}
	whole = fit(line, text_message, first);
	for (size_t i = 0; i < n; i++) {
		if (!is_message(&fields[i]))
			whole &= fit(line, text_field, fields[i]);
	}
	if (request_n > 0)
		whole &= fit(line, text_field, F_STR("request", str_n(request, request_n)));
	return whole;
}

/*
 * stderr may be a terminal or a pipe that others write to as well, so it is not ours to make
 * non-blocking: ask first, and keep our own threads from asking at the same time.
 */
static void send_line(pt_str line)
{
	struct pollfd stream = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t n = -1;

	pthread_mutex_lock(&one_writer);
	if (poll(&stream, 1, 0) == 1 && (stream.revents & POLLOUT)) {
		do {
			n = write(STDERR_FILENO, line.p, line.n);
		} while (n < 0 && errno == EINTR);
	}
	pthread_mutex_unlock(&one_writer);
	if (n < 0)
		__atomic_add_fetch(&dropped, 1, __ATOMIC_RELAXED);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
	int saved = errno;
	char storage[LINE];
	struct buf line = BUF_FIXED(storage);
	bool whole;

	if (level > chosen_level)
		return;
	line.ceiling -= LINE_END;
	if (journal)
		buf_str(&line, words[level].journal);
	if (chosen_format == LOG_JSON)
		whole = json_line(&line, &words[level], event, fields, n);
	else
		whole = text_line(&line, &words[level], event, fields, n);
	line.ceiling += LINE_END;
	if (!whole)
		buf_str(&line, chosen_format == LOG_JSON ? json_cut : text_cut);
	if (chosen_format == LOG_JSON)
		buf_char(&line, '}');
	buf_char(&line, '\n');
	send_line(buf_view(&line));
	errno = saved;
}

void log_say(enum log_level level, const char *event, const char *format, ...)
{
	int saved = errno;
	char message[1024];
	va_list args;

	if (level > chosen_level)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	LOG(level, event, F_CSTR("message", message));
	errno = saved;
}

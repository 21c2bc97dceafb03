/*
 * setting_value.c - each type reads, or says in words what it wants.
 */
#include "server/setting_value.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

#include "base/banned.h"

static pt_str say(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static pt_str say(struct arena *arena, const char *format, ...)
{
	char text[512];
	pt_str out = PT_STR("is not acceptable");
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)!arena_str(arena, str(text), &out);
	return out;
}

/* Enough of a value to recognise it by. */
#define SHOW(s) (int)((s).n < 60 ? (s).n : 60), (s).p ? (s).p : ""

/* ---- numbers ---- */

bool duration_parse(pt_str text, int64_t *out)
{
	static const struct {
		pt_str unit;
		int64_t worth;
	} units[] = {
		{ PT_STR_INIT("ms"), PT_MILLISECOND },
		{ PT_STR_INIT("s"), PT_SECOND },
		{ PT_STR_INIT("m"), PT_MINUTE },
		{ PT_STR_INIT("h"), PT_HOUR },
		{ PT_STR_INIT("d"), PT_DAY },
	};
	size_t digits = 0;
	int64_t count;

	while (digits < text.n && ascii_digit(text.p[digits]))
		digits++;
	if (!str_int(str_slice(text, 0, digits), 0, 1000000000, &count))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (str_eq(str_slice(text, digits, text.n), units[i].unit))
			return !__builtin_mul_overflow(count, units[i].worth, out);
	}
	return false;
}

/* How much one of Go's units is worth; 0: it is none. */
static int64_t go_unit(pt_str unit)
{
	static const struct {
		pt_str unit;
		int64_t worth;
	} units[] = {
		{ PT_STR_INIT("us"), 1 },
		{ PT_STR_INIT("ms"), PT_MILLISECOND },
		{ PT_STR_INIT("s"), PT_SECOND },
		{ PT_STR_INIT("m"), PT_MINUTE },
		{ PT_STR_INIT("h"), PT_HOUR },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (str_eq(units[i].unit, unit))
			return units[i].worth;
	}
	return 0;
}

/* "1.5" of a unit; digits far behind the point count for nothing. */
static bool decimal_times(pt_str decimal, int64_t worth, int64_t *out)
{
	pt_str whole, part;
	int64_t count, sum;

	str_cut(decimal, '.', &whole, &part);
	if (!str_int(whole, 0, 1000000000, &count) || __builtin_mul_overflow(count, worth, &sum))
		return false;
	for (size_t i = 0; i < part.n; i++) {
		if (!ascii_digit(part.p[i]))
			return false;
		worth /= 10;
		sum += (part.p[i] - '0') * worth;
	}
	*out = sum;
	return true;
}

bool go_duration_parse(pt_str text, int64_t *out)
{
	int64_t sum = 0, part;

	if (str_int(text, 0, 1000000000, &part)) {
		*out = part * PT_SECOND;
		return true;
	}
	if (text.n == 0)
		return false;
	while (text.n > 0) {
		size_t digits = 0, end;

		while (digits < text.n && (ascii_digit(text.p[digits]) || text.p[digits] == '.'))
			digits++;
		for (end = digits; end < text.n && ascii_alpha(text.p[end]);)
			end++;
		int64_t worth = go_unit(str_slice(text, digits, end));
		if (worth == 0 || !decimal_times(str_slice(text, 0, digits), worth, &part) ||
			__builtin_add_overflow(sum, part, &sum))
			return false;
		text = str_slice(text, end, text.n);
	}
	*out = sum;
	return true;
}

static int64_t bare_unit(enum setting_reading reading)
{
	switch (reading) {
	case READ_MILLISECONDS:
		return PT_MILLISECOND;
	case READ_SECONDS:
	case READ_SECONDS_OR_USUAL:
	case READ_SECONDS_OR_NONE:
		return PT_SECOND;
	case READ_HOURS:
		return PT_HOUR;
	case READ_PLAIN:
	case READ_GO_BOOL:
	case READ_EXACTLY_TRUE:
	case READ_INVERTED:
	case READ_FROM_FILE:
	case READ_GO_DURATION:
	case READ_LEVEL:
		return 0;
	}
	return 0;
}

static void range_split(const char *rule, pt_str *low, pt_str *high)
{
	str_cut(str(rule), '.', low, high);
	*high = str_slice(*high, 1, high->n);
}

static bool int_check(
	struct arena *arena, const struct setting_row *row, struct config_value *value, pt_str *why)
{
	pt_str low, high;
	int64_t min = 0, max = 0;

	range_split(row->rule, &low, &high);
	if (str_int(low, 0, INT64_MAX, &min) && str_int(high, 0, INT64_MAX, &max) &&
		str_int(value->text, min, max, &value->number))
		return true;
	*why = say(arena, "must be a number from %.*s to %.*s, not `%.*s`", SHOW(low), SHOW(high),
		SHOW(value->text));
	return false;
}

static bool duration_check(struct arena *arena, const struct setting_row *row,
	enum setting_reading reading, struct config_value *value, pt_str *why)
{
	int64_t unit = bare_unit(reading), min = 0, max = 0, count;
	bool or_usual = reading == READ_SECONDS_OR_USUAL, or_none = reading == READ_SECONDS_OR_NONE;
	pt_str low, high;
	bool fits;

	if ((or_usual || or_none) && str_int(value->text, INT32_MIN, 0, &count))
		return duration_parse(or_usual ? str(row->fallback) : PT_STR("0s"), &value->number);

	range_split(row->rule, &low, &high);
	(void)!duration_parse(low, &min);
	(void)!duration_parse(high, &max);
	if (unit > 0)
		fits = str_int(value->text, 0, 1000000000, &count) &&
		       !__builtin_mul_overflow(count, unit, &value->number);
	else if (reading == READ_GO_DURATION)
		fits = go_duration_parse(value->text, &value->number);
	else
		fits = duration_parse(value->text, &value->number);
	if (fits && value->number >= min && value->number <= max)
		return true;
	if (unit > 0)
		*why = say(arena, "must be a whole number from %lld to %lld, not `%.*s`",
			(long long)((min + unit - 1) / unit), (long long)(max / unit),
			SHOW(value->text));
	else
		*why = say(arena,
			"must be a time from %.*s to %.*s, like 500ms, 10s, 15m, 8h or 30d, "
			"not `%.*s`",
			SHOW(low), SHOW(high), SHOW(value->text));
	return false;
}

/* ---- words ---- */

static bool bool_read(pt_str text, int64_t *out)
{
	static const char *const yes[] = { "1", "t", "T", "TRUE", "true", "True" };
	static const char *const no[] = { "0", "f", "F", "FALSE", "false", "False" };

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (str_eq(text, str(yes[i])))
			*out = 1;
		else if (str_eq(text, str(no[i])))
			*out = 0;
		else
			continue;
		return true;
	}
	return false;
}

static bool bool_check(struct arena *arena, const struct setting_row *row,
	enum setting_reading reading, struct config_value *value, pt_str *why)
{
	if (reading == READ_EXACTLY_TRUE) {
		value->number = str_eq(value->text, PT_STR("true"));
	} else if (!bool_read(value->text, &value->number)) {
		if (reading != READ_GO_BOOL) {
			*why = say(arena, "must be true or false, not `%.*s`", SHOW(value->text));
			return false;
		}
		value->number = str_eq(str(row->fallback), PT_STR("true"));
	}
	value->text = value->number ? PT_STR("true") : PT_STR("false");
	return true;
}

/* GoTrue's levels by the nearest of ours. */
static pt_str level_read(pt_str text)
{
	static const struct {
		const char *theirs, *ours;
	} levels[] = { { "panic", "error" }, { "fatal", "error" }, { "warning", "warn" },
		{ "trace", "debug" } };

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (str_eq_nocase(text, str(levels[i].theirs)))
			return str(levels[i].ours);
	}
	return text;
}

static bool choice_check(struct arena *arena, const struct setting_row *row,
	enum setting_reading reading, struct config_value *value, pt_str *why)
{
	pt_str rest = str(row->rule), word;
	int64_t truth, n = 0;

	if (reading == READ_INVERTED && bool_read(value->text, &truth))
		value->text = truth ? PT_STR("off") : PT_STR("on");
	if (reading == READ_LEVEL)
		value->text = level_read(value->text);
	while (rest.n > 0) {
		str_cut(rest, '|', &word, &rest);
		if (str_eq(word, value->text)) {
			value->number = n;
			return true;
		}
		n++;
	}
	*why = say(arena, "must be one of %s, not `%.*s`", row->rule, SHOW(value->text));
	return false;
}

/* ---- text ---- */

static bool has_control(pt_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F)
			return true;
	}
	return false;
}

bool setting_is_email(pt_str text)
{
	pt_str local, domain;

	if (text.n > 254 || has_control(text) || str_find(text, ' ') < text.n ||
		!str_cut(text, '@', &local, &domain))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (strchr("<>(),;:\\\"[]", text.p[i]))
			return false;
	}
	return local.n > 0 && domain.n > 0 && str_find(domain, '@') == domain.n;
}

/* What Identoro takes for an address of a web server, with a host in it. */
static bool is_url(pt_str text)
{
	pt_str rest = str_slice(text, str_starts(text, PT_STR("https://")) ? 8 : 7, text.n);

	if (!str_starts(text, PT_STR("https://")) && !str_starts(text, PT_STR("http://")))
		return false;
	if (rest.n == 0 || rest.p[0] == '/' || rest.p[0] == ':')
		return false;
	for (size_t i = 0; i < rest.n; i++) {
		if (!ascii_alnum(rest.p[i]) && !strchr("-._~:/?#[]@!$&'()*+,;=%", rest.p[i]))
			return false;
	}
	return true;
}

static bool text_check(
	struct arena *arena, const struct setting_row *row, struct config_value *value, pt_str *why)
{
	pt_str text = value->text;

	if (!str_utf8(text) || has_control(text))
		*why = PT_STR("must be one line of UTF-8 text");
	else if (text.n > 0 && row->type == TYPE_EMAIL && !setting_is_email(text))
		*why = say(arena, "must be an e-mail address like name@example.org, not `%.*s`",
			SHOW(text));
	else if (text.n > 0 && row->type == TYPE_URL && !is_url(text))
		*why = say(arena, "must be an address like https://id.example.org, not `%.*s`",
			SHOW(text));
	else
		return true;
	return false;
}

bool setting_value_check(struct arena *arena, const struct setting_row *row,
	enum setting_reading reading, struct config_value *value, pt_str *why)
{
	switch (row->type) {
	case TYPE_INT:
		return int_check(arena, row, value, why);
	case TYPE_DURATION:
		return duration_check(arena, row, reading, value, why);
	case TYPE_BOOL:
		return bool_check(arena, row, reading, value, why);
	case TYPE_CHOICE:
		return choice_check(arena, row, reading, value, why);
	case TYPE_TEXT:
	case TYPE_PATH:
	case TYPE_LIST:
	case TYPE_URL:
	case TYPE_EMAIL:
	case TYPE_ADDRESS:
		return text_check(arena, row, value, why);
	case TYPE_SECRET:
		return true;
	}
	return false;
}

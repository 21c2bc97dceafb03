/*
 * accept.c - RFC 9110 12.5.1.
 */
#include "http/accept.h"
#include "base/str.h"

#include "base/banned.h"

/* "0.8" in thousandths; what is no weight counts as 0, so that nonsense is never preferred. */
static int weight_parse(pt_str text)
{
	static const int scale[] = { 100, 10, 1 };
	int q;

	if (text.n == 0 || text.n > 5 || (text.p[0] != '0' && text.p[0] != '1'))
		return 0;
	q = text.p[0] == '1' ? 1000 : 0;
	if (text.n > 1 && text.p[1] != '.')
		return 0;
	for (size_t i = 2; i < text.n; i++) {
		if (!ascii_digit(text.p[i]))
			return 0;
		q += (text.p[i] - '0') * scale[i - 2];
	}
	return q > 1000 ? 0 : q;
}

static int range_weight(pt_str parameters)
{
	while (parameters.n > 0) {
		pt_str part, name, value;

		(void)str_cut(parameters, ';', &part, &parameters);
		if (str_cut(str_trim(part), '=', &name, &value) && str_eq_nocase(name, PT_STR("q")))
			return weight_parse(value);
	}
	return 1000;
}

/* How closely a range names the type: 3 in full, 2 by its half, 1 by wildcard, 0 not. */
static int range_fit(pt_str range, pt_str type)
{
	size_t slash = str_find(type, '/');

	if (str_eq_nocase(range, type))
		return 3;
	if (str_eq(range, PT_STR("*/*")))
		return 1;
	if (str_ends(range, PT_STR("/*")) &&
		str_eq_nocase(str_slice(range, 0, range.n - 2), str_slice(type, 0, slash)))
		return 2;
	return 0;
}

struct accept_match accept_type(pt_str header, pt_str type)
{
	struct accept_match match = { 0, false };
	int best = 0;

	if (str_trim(header).n == 0)
		return (struct accept_match){ 1000, false };
	while (header.n > 0) {
		pt_str item, range, parameters;
		int fit;

		(void)str_cut(header, ',', &item, &header);
		(void)str_cut(item, ';', &range, &parameters);
		fit = range_fit(str_trim(range), type);
		/* The most specific range decides, whatever its weight. */
		if (fit <= best)
			continue;
		best = fit;
		match.q = range_weight(parameters);
		match.explicit = fit == 3 && match.q > 0;
	}
	return match;
}

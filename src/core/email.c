/*
 * email.c - e-mail addresses.
 */
#include "core/email.h"

#include <idn2.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "base/banned.h"

enum {
	LOCAL_MAX = 64,
	DOMAIN_MAX = 253,
	LABEL_MAX = 63,
};

static bool local_char(char c, bool plain)
{
	/* RFC 5322 3.2.3: what an atom is made of */
	const char *marks = plain ? "._%+-" : "._%+-!#$&'*/=?^`{|}~";

	return ascii_alnum(c) || (c != '\0' && strchr(marks, c) != NULL);
}

static bool dots_are_fine(pt_str s)
{
	return s.p[0] != '.' && s.p[s.n - 1] != '.' && !str_contains(s, PT_STR(".."));
}

/* "=?" begins an encoded word, behind which some mail servers find another address (RFC 2047 5). */
static bool local_is_valid(pt_str local, bool plain)
{
	if (local.n == 0 || local.n > LOCAL_MAX || !dots_are_fine(local))
		return false;
	for (size_t i = 0; i < local.n; i++)
		if (!local_char(local.p[i], plain))
			return false;
	return !str_contains(local, PT_STR("=?"));
}

/* RFC 1123 2.1: letters, digits and hyphens; no hyphen at either end. */
static bool label_is_valid(pt_str label)
{
	if (label.n == 0 || label.n > LABEL_MAX || label.p[0] == '-' || label.p[label.n - 1] == '-')
		return false;
	for (size_t i = 0; i < label.n; i++)
		if (!ascii_alnum(label.p[i]) && label.p[i] != '-')
			return false;
	return true;
}

/* Letters only, or an A-label: what keeps numbers out of the last place. */
static bool top_label_is_valid(pt_str label)
{
	if (label.n < 2)
		return false;
	if (str_starts(label, PT_STR("xn--")))
		return true;
	for (size_t i = 0; i < label.n; i++)
		if (!ascii_alpha(label.p[i]))
			return false;
	return true;
}

static bool domain_is_valid(pt_str domain)
{
	pt_str label, rest = domain;
	size_t labels = 0;

	if (domain.n == 0 || domain.n > DOMAIN_MAX)
		return false;
	bool more;
	do {
		more = str_cut(rest, '.', &label, &rest);
		if (!label_is_valid(label))
			return false;
		labels++;
	} while (more);
	return labels >= 2 && top_label_is_valid(label);
}

static bool is_ascii(pt_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

static void own_idn(char **p)
{
	idn2_free(*p);
}

/* The domain in lower-case ASCII. libidn2 lets empty labels and underscores through: the result is
 * judged by domain_is_valid like any other. */
static pt_err domain_to_ascii(struct arena *arena, pt_str typed, pt_str *out)
{
	PT_OWN(own_idn) char *ascii = NULL;

	if (is_ascii(typed)) {
		char *lower = arena_alloc(arena, typed.n + 1);
		if (!lower)
			return PT_F_MEMORY;
		for (size_t i = 0; i < typed.n; i++)
			lower[i] = ascii_lower(typed.p[i]);
		*out = str_n(lower, typed.n);
		return PT_OK;
	}
	if (!str_utf8(typed) || typed.n > DOMAIN_MAX)
		return PT_E_EMAIL;
	const char *text = arena_cstr(arena, typed);
	if (!text)
		return PT_F_MEMORY;
	if (idn2_to_ascii_8z(text, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK)
		return PT_E_EMAIL;
	return arena_str(arena, str(ascii), out) ? PT_OK : PT_F_MEMORY;
}

pt_err email_parse(
	struct arena *arena, const struct pt_policy *policy, pt_str typed, struct email *out)
{
	pt_str local, domain, typed_domain;
	struct email email;

	if (typed.n > policy->email_max || !str_cut(typed, '@', &local, &typed_domain))
		return PT_E_EMAIL;
	if (!local_is_valid(local, policy->email_plain) ||
		memchr(typed_domain.p, '\0', typed_domain.n))
		return PT_E_EMAIL;
	TRY(domain_to_ascii(arena, typed_domain, &domain));
	if (!domain_is_valid(domain) || local.n + 1 + domain.n > policy->email_max)
		return PT_E_EMAIL;

	struct buf b = BUF(arena, 512);
	buf_str(&b, local);
	buf_char(&b, '@');
	buf_str(&b, domain);
	TRY(buf_done(&b, &email.address));
	char *key = arena_alloc(arena, email.address.n + 1);
	if (!key)
		return PT_F_MEMORY;
	for (size_t i = 0; i < email.address.n; i++)
		key[i] = ascii_lower(email.address.p[i]);
	email.key = str_n(key, email.address.n);
	*out = email;
	return PT_OK;
}

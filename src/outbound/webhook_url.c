/*
 * webhook_url.c - cuts a URL where its login is. What it means is left to libcurl (base/fetch.h).
 */
#include "outbound/webhook_url.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "outbound/percent.h"

#include "base/banned.h"

enum { MOST = 2048 };

/* RFC 3986 3, as views. */
struct parts {
	pt_str scheme; /* with "://" */
	pt_str login;
	pt_str host; /* with its port */
	pt_str path; /* and all that follows, up to the fragment */
};

static pt_err refuse(const char *why)
{
	return fault(PT_F_CONFIG, "the URL of a hook %s; it looks like https://host/path", why);
}

static bool ends_authority(char c)
{
	return c == '/' || c == '?' || c == '#';
}

static pt_str authority_take(pt_str *rest)
{
	size_t n = 0;

	while (n < rest->n && !ends_authority(rest->p[n]))
		n++;
	pt_str authority = str_slice(*rest, 0, n);
	*rest = str_slice(*rest, n, rest->n);
	return authority;
}

/* "scheme:", which makes a URL absolute. */
static bool has_scheme(pt_str url)
{
	size_t n = 0;

	while (n < url.n && (ascii_alnum(url.p[n]) || memchr("+-.", url.p[n], 3)))
		n++;
	return n > 0 && n < url.n && ascii_alpha(url.p[0]) && url.p[n] == ':';
}

static bool scheme_take(pt_str *rest, pt_str *out)
{
	static const pt_str schemes[] = { PT_STR_INIT("https://"), PT_STR_INIT("http://") };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (str_eq_nocase(str_slice(*rest, 0, schemes[i].n), schemes[i])) {
			*out = schemes[i];
			*rest = str_slice(*rest, schemes[i].n, rest->n);
			return true;
		}
	}
	return false;
}

static pt_str without_fragment(pt_str s)
{
	return str_slice(s, 0, str_find(s, '#'));
}

static pt_err parts_read(pt_str url, struct parts *out)
{
	struct parts parts = { 0 };
	pt_str authority;
	size_t at;

	if (!scheme_take(&url, &parts.scheme))
		return refuse("is neither http nor https");
	authority = authority_take(&url);
	for (at = authority.n; at > 0 && authority.p[at - 1] != '@'; at--)
		;
	parts.login = str_slice(authority, 0, at > 0 ? at - 1 : 0);
	parts.host = str_slice(authority, at, authority.n);
	parts.path = without_fragment(url);
	if (parts.host.n == 0)
		return refuse("has no host");
	*out = parts;
	return PT_OK;
}

/* The site's, and from the hook's own no more than what follows the host. */
static pt_err parts_complete(pt_str site_url, pt_str url, struct parts *out)
{
	TRY(parts_read(site_url, out));
	if (str_starts(url, PT_STR("//"))) {
		url = str_slice(url, 2, url.n);
		authority_take(&url);
	}
	out->path = without_fragment(url);
	return PT_OK;
}

/* RFC 7617: what a browser would send for user:password@. */
static pt_err login_format(pt_arena *arena, pt_str login, pt_str *out)
{
	struct buf plain = BUF(arena, MOST), b = BUF(arena, 2 * MOST);
	pt_str halves[2];

	if (login.n == 0)
		return PT_OK;
	str_cut(login, ':', &halves[0], &halves[1]);
	for (size_t i = 0; i < 2; i++) {
		pt_err err = percent_decode(arena, halves[i], &halves[i]);
		if (err == PT_E_MALFORMED)
			return refuse("has a % that no two hexadecimal digits follow");
		TRY(err);
	}
	buf_str(&plain, halves[0]);
	buf_char(&plain, ':');
	buf_str(&plain, halves[1]);
	buf_str(&b, PT_STR("Basic "));
	buf_base64(&b, plain.p, plain.n);
	return buf_done(&b, out);
}

static pt_err url_format(pt_arena *arena, const struct parts *parts, pt_str *out)
{
	struct buf b = BUF(arena, MOST);

	buf_str(&b, parts->scheme);
	buf_str(&b, parts->host);
	if (parts->path.n > 0 && !ends_authority(parts->path.p[0]))
		buf_char(&b, '/');
	buf_str(&b, parts->path);
	return buf_done(&b, out);
}

pt_err webhook_url_make(pt_arena *arena, pt_str site_url, pt_str url, struct webhook_url *out)
{
	struct webhook_url made = { 0 };
	struct parts parts;

	if (url.n == 0 || url.n > MOST / 2 || site_url.n > MOST / 2)
		return refuse("is empty, or too long");
	for (size_t i = 0; i < url.n; i++) {
		if (url.p[i] <= ' ' || url.p[i] >= 0x7F || url.p[i] == '\\')
			return refuse("holds spaces or strange bytes");
	}
	TRY(has_scheme(url) ? parts_read(url, &parts) : parts_complete(site_url, url, &parts));
	TRY(login_format(arena, parts.login, &made.login));
	TRY(url_format(arena, &parts, &made.url));
	made.label = str_slice(made.url, 0, str_find(made.url, '?'));
	*out = made;
	return PT_OK;
}

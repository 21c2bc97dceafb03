/*
 * jws.c - our keys and tokens for other programs to hold against theirs.
 *
 * One command a line on stdin, one answer a line on stdout: `ok ...`, or `no OUTCOME why`. What is
 * not a plain name travels in base64url; `-` stands for nothing. Keys are known by a label.
 *
 *	generate LABEL ALG KID      secret LABEL BYTES KID      jwk LABEL JSON      pem LABEL TEXT KID
 *	public LABEL -> JSON        private LABEL -> JSON       thumbprint LABEL -> TEXT
 *	sign LABEL CLAIMS -> TOKEN  verify LABEL TOKEN -> CLAIMS      times SECONDS CLAIMS
 *	raw LABEL HEADER CLAIMS -> TOKEN, with any header and any bytes
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "crypt/jws.h"
#include "crypt/jwt.h"

enum { LABELS = 64, WORDS = 4 };

struct named {
	pt_str label;
	struct jwk *key;
};

struct command {
	struct arena *arena;
	pt_str words[WORDS + 1];
	size_t n;
	pt_str answer;
	const char *why;
};

static struct named named[LABELS];
static size_t named_n;

static pt_err label_add(pt_str label, struct jwk *key)
{
	char *copy = strndup(label.p, label.n);

	if (named_n == LABELS || !copy)
		abort();
	named[named_n++] = (struct named){ str(copy), key };
	return PT_OK;
}

static struct jwk *label_find(pt_str label)
{
	for (size_t i = named_n; i-- > 0;) {
		if (str_eq(named[i].label, label))
			return named[i].key;
	}
	return NULL;
}

static pt_str decoded(struct command *c, size_t word)
{
	pt_str text = c->words[word], bytes;

	if (str_eq(text, PT_STR("-")))
		return PT_STR("");
	return base64url_decode(c->arena, text, &bytes) ? bytes : PT_STR("?");
}

static pt_str plain(struct command *c, size_t word)
{
	return str_eq(c->words[word], PT_STR("-")) ? PT_STR("") : c->words[word];
}

static pt_err say(struct command *c, pt_str bytes)
{
	struct buf b = BUF(c->arena, 64 * KIB);

	buf_base64url(&b, bytes.p, bytes.n);
	return buf_done(&b, &c->answer);
}

/* ---- commands ---- */

static pt_err do_generate(struct command *c)
{
	static const char *const names[] = { "HS256", "RS256", "ES256", "EdDSA" };
	struct jwk *key;

	for (int i = 0; i < 4; i++) {
		if (!str_eq(c->words[2], str(names[i])))
			continue;
		pt_err err = jwk_generate((enum jwk_algorithm)i, plain(c, 3), &key);
		return err == PT_OK ? label_add(c->words[1], key) : err;
	}
	return PT_E_NOT_FOUND;
}

static pt_err do_secret(struct command *c)
{
	const struct jwk_terms terms = { .kid = plain(c, 3) };
	struct jwk *key;
	pt_err err = jwk_from_secret(decoded(c, 2), &terms, &key, &c->why);

	return err == PT_OK ? label_add(c->words[1], key) : err;
}

static pt_err do_jwk(struct command *c)
{
	struct jwk *key;
	pt_err err = jwk_from_json(decoded(c, 2), NULL, &key, &c->why);

	return err == PT_OK ? label_add(c->words[1], key) : err;
}

static pt_err do_pem(struct command *c)
{
	const struct jwk_terms terms = { .kid = plain(c, 3) };
	struct jwk *key;
	pt_err err = jwk_from_pem(decoded(c, 2), &terms, &key, &c->why);

	return err == PT_OK ? label_add(c->words[1], key) : err;
}

static pt_err do_public(struct command *c)
{
	struct buf b = BUF(c->arena, 64 * KIB);
	struct json j = JSON(&b);

	jwk_write(label_find(c->words[1]), &j);
	return say(c, buf_view(&b));
}

static pt_err do_private(struct command *c)
{
	pt_str text;
	pt_err err = jwk_format_for_key_file(c->arena, label_find(c->words[1]), &text);

	return err == PT_OK ? say(c, text) : err;
}

static pt_err do_thumbprint(struct command *c)
{
	c->answer = jwk_thumbprint(label_find(c->words[1]));
	return PT_OK;
}

static pt_err do_sign(struct command *c)
{
	return jwt_sign(c->arena, label_find(c->words[1]), decoded(c, 2), &c->answer);
}

static pt_err do_verify(struct command *c)
{
	struct json_value claims;
	pt_str head, rest, body, tail, text;
	pt_err err = jwt_verify(c->arena, label_find(c->words[1]), plain(c, 2), &claims);

	if (err != PT_OK)
		return err;
	str_cut(c->words[2], '.', &head, &rest);
	str_cut(rest, '.', &body, &tail);
	return base64url_decode(c->arena, body, &text) ? say(c, text) : PT_F_BUG;
}

static pt_err do_raw(struct command *c)
{
	const struct jwk *key = label_find(c->words[1]);
	struct buf b = BUF(c->arena, 64 * KIB);
	uint8_t signature[JWS_SIGNATURE_MAX];
	pt_str header = decoded(c, 2), claims = decoded(c, 3);
	size_t n;

	buf_base64url(&b, header.p, header.n);
	buf_char(&b, '.');
	buf_base64url(&b, claims.p, claims.n);
	pt_err err = key->algorithm->sign(key, buf_view(&b), signature, &n);
	if (err != PT_OK)
		return err;
	buf_char(&b, '.');
	buf_base64url(&b, signature, n);
	return buf_done(&b, &c->answer);
}

static pt_err do_times(struct command *c)
{
	struct json_value claims;
	int64_t now;

	if (!str_int(c->words[1], 0, INT64_MAX / PT_SECOND, &now))
		return PT_E_NOT_FOUND;
	pt_err err = json_read(c->arena, decoded(c, 2), &claims);
	return err == PT_OK ? jwt_check_times(&claims, now * PT_SECOND) : err;
}

static const struct {
	const char *name;
	size_t words;
	bool needs_key;
	pt_err (*run)(struct command *c);
} commands[] = {
	{ "generate", 4, false, do_generate },
	{ "secret", 4, false, do_secret },
	{ "jwk", 3, false, do_jwk },
	{ "pem", 4, false, do_pem },
	{ "public", 2, true, do_public },
	{ "private", 2, true, do_private },
	{ "thumbprint", 2, true, do_thumbprint },
	{ "sign", 3, true, do_sign },
	{ "verify", 3, true, do_verify },
	{ "raw", 4, true, do_raw },
	{ "times", 3, false, do_times },
};

static pt_err obey(struct command *c, pt_str line)
{
	while (c->n <= WORDS && line.n > 0)
		str_cut(line, ' ', &c->words[c->n++], &line);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!str_eq(c->words[0], str(commands[i].name)))
			continue;
		if (c->n != commands[i].words)
			break;
		if (commands[i].needs_key && !label_find(c->words[1]))
			break;
		return commands[i].run(c);
	}
	c->why = "no such command or key";
	return PT_E_NOT_FOUND;
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	log_open(LOG_TEXT, LOG_ERROR);
	if (crypt_open() != PT_OK)
		return 1;
	while ((n = getline(&line, &size, stdin)) > 0) {
		struct command c = { .arena = arena_open(4 * MIB), .why = "" };

		if (!c.arena)
			return 1;
		pt_err err = obey(&c, str_n(line, (size_t)n - (line[n - 1] == '\n')));
		if (err == PT_OK)
			printf("ok %.*s\n", (int)c.answer.n, c.answer.p ? c.answer.p : "");
		else
			printf("no %s %s\n", pt_err_name(err), c.why);
		fflush(stdout);
		arena_close(c.arena);
	}
	while (named_n > 0) {
		jwk_close(named[--named_n].key);
		free((void *)(uintptr_t)named[named_n].label.p);
	}
	free(line);
	return 0;
}

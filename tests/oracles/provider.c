/*
 * provider.c - our side of a sign-in elsewhere, for houses of other makers to speak with.
 *
 * One command a line on stdin, one answer a line on stdout: `ok ...`, or `no OUTCOME`. Words travel in
 * base64url; `-` stands for nothing.
 *
 *	open KIND NAME CLIENT SECRET REDIRECT URL
 *	authorize STATE CHALLENGE NONCE -> URL
 *	profile CODE VERIFIER NONCE -> JSON
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/fetch.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "crypt/digest.h"
#include "outbound/provider.h"

enum { WORDS = 7 };

struct command {
	struct arena *arena;
	pt_str words[WORDS];
	size_t n;
	pt_str answer;
};

static struct pt_provider provider;

static pt_err words_read(struct command *c, pt_str line)
{
	pt_str word;

	while (c->n < WORDS && line.n > 0) {
		str_cut(line, ' ', &word, &line);
		if (c->n == 0)
			c->words[c->n] = word;
		else if (str_eq(word, PT_STR("-")))
			c->words[c->n] = PT_STR("");
		else
			TRY(base64url_read(c->arena, word, &c->words[c->n]));
		c->n++;
	}
	return PT_OK;
}

static pt_err do_open(struct command *c)
{
	const struct provider_setup setup = {
		.kind = c->words[1],
		.name = c->words[2],
		.client_id = c->words[3],
		.secret = c->words[4],
		.redirect_uri = c->words[5],
		.url = c->words[6],
		.allow_private = true,
	};

	provider_close(&provider);
	return provider_open(&setup, &provider);
}

static pt_err do_authorize(struct command *c)
{
	const struct pt_provider_ask ask = { c->words[1], c->words[2], c->words[3] };

	return provider.authorize(provider.ctx, c->arena, &ask, &c->answer);
}

static pt_err profile_format(struct command *c, const struct pt_profile *profile)
{
	struct buf b = BUF(c->arena, MIB);
	struct json j = JSON(&b);

	json_object(&j, NULL);
	json_str(&j, "subject", profile->subject);
	json_str(&j, "full_name", profile->full_name);
	json_str(&j, "avatar_url", profile->avatar_url);
	json_str(&j, "slug", profile->slug);
	json_array(&j, "emails");
	for (size_t i = 0; i < profile->n_emails; i++) {
		json_object(&j, NULL);
		json_str(&j, "email", profile->emails[i].address);
		json_bool(&j, "verified", profile->emails[i].verified);
		json_bool(&j, "primary", profile->emails[i].primary);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	return buf_done(&b, &c->answer);
}

static pt_err do_profile(struct command *c)
{
	const struct pt_provider_answer answer = { c->words[1], c->words[2], c->words[3] };
	struct pt_profile profile;

	TRY(provider.profile(provider.ctx, c->arena, &answer, &profile));
	return profile_format(c, &profile);
}

static const struct {
	const char *name;
	size_t words;
	bool needs_provider;
	pt_err (*run)(struct command *c);
} commands[] = {
	{ "open", 7, false, do_open },
	{ "authorize", 4, true, do_authorize },
	{ "profile", 4, true, do_profile },
};

static pt_err obey(struct command *c, pt_str line)
{
	TRY(words_read(c, line));
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (str_eq(c->words[0], str(commands[i].name)) && c->n == commands[i].words &&
			(provider.ctx || !commands[i].needs_provider))
			return commands[i].run(c);
	}
	return PT_E_NOT_FOUND;
}

int main(void)
{
	const struct fetch_setup system = { 0 };
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	log_open(LOG_TEXT, LOG_WARN);
	if (crypt_open() != PT_OK || fetch_open(&system) != PT_OK)
		return 1;
	while ((n = getline(&line, &size, stdin)) > 0) {
		struct command c = { .arena = arena_open(4 * MIB) };

		if (!c.arena)
			return 1;
		pt_err err = obey(&c, str_n(line, (size_t)n - (line[n - 1] == '\n')));
		if (err == PT_OK)
			printf("ok %.*s\n", (int)c.answer.n, c.answer.p ? c.answer.p : "");
		else
			printf("no %s\n", pt_err_name(err));
		fflush(stdout);
		arena_close(c.arena);
	}
	provider_close(&provider);
	free(line);
	return 0;
}

/*
 * cjose.c - what a C program makes of our keys and tokens that reads them with cjose (Debian:
 * libcjose-dev), and holds nothing of ours.
 *
 * One command a line on stdin, one answer a line on stdout: `ok ...`, or `no why`. Keys, lists of
 * keys and claims are JSON in base64url.
 *
 *	sign KEY ALG CLAIMS -> TOKEN    verify KEY TOKEN -> CLAIMS
 *	find LIST TOKEN -> CLAIMS, with the key that its header names
 */
#include <cjose/cjose.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 4 };

/* ---- words ---- */

/* The bytes that a word stands for, with a NUL behind them; the caller frees. */
static char *decoded(const char *word, size_t *n)
{
	uint8_t *bytes;
	cjose_err err;

	if (!cjose_base64url_decode(word, strlen(word), &bytes, n, &err))
		return NULL;
	char *text = realloc(bytes, *n + 1);
	if (!text)
		abort();
	text[*n] = '\0';
	return text;
}

static cjose_jwk_t *key_of(const char *word, cjose_err *err)
{
	size_t n = 0;
	char *json = decoded(word, &n);
	cjose_jwk_t *key = json ? cjose_jwk_import(json, n, err) : NULL;

	free(json);
	return key;
}

/* ---- lists ---- */

static json_t *entry_of(json_t *list, const char *kid)
{
	json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(list, "keys"), i, entry)
	{
		const char *name = json_string_value(json_object_get(entry, "kid"));
		if (name && kid && strcmp(name, kid) == 0)
			return entry;
	}
	return NULL;
}

static cjose_jwk_t *listed_key(const char *word, cjose_jws_t *jws, cjose_err *err)
{
	const char *kid = cjose_header_get(cjose_jws_get_protected(jws), CJOSE_HDR_KID, err);
	size_t n = 0;
	char *text = decoded(word, &n);
	json_t *list = text ? json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
	json_t *entry = entry_of(list, kid);
	cjose_jwk_t *key = entry ? cjose_jwk_import_json((cjose_header_t *)entry, err) : NULL;

	json_decref(list);
	free(text);
	return key;
}

/* ---- commands: an answer that the caller frees, or NULL and why ---- */

static char *judge(cjose_jws_t *jws, cjose_jwk_t *key, const char **why)
{
	cjose_err err;
	uint8_t *claims;
	char *word;
	size_t n;

	if (!key || !cjose_jws_verify(jws, key, &err) ||
		!cjose_jws_get_plaintext(jws, &claims, &n, &err)) {
		*why = key ? err.message : "no such key";
		return NULL;
	}
	return cjose_base64url_encode(claims, n, &word, &n, &err) ? word : NULL;
}

static char *verify(char **words, const char **why)
{
	bool is_list = strcmp(words[0], "find") == 0;
	cjose_err err;
	cjose_jws_t *jws = cjose_jws_import(words[2], strlen(words[2]), &err);

	if (!jws) {
		*why = err.message;
		return NULL;
	}
	cjose_jwk_t *key = is_list ? listed_key(words[1], jws, &err) : key_of(words[1], &err);
	char *claims = judge(jws, key, why);

	cjose_jwk_release(key);
	cjose_jws_release(jws);
	return claims;
}

static char *sign(char **words, const char **why)
{
	cjose_err err;
	size_t n = 0;
	char *claims = decoded(words[3], &n);
	cjose_jwk_t *key = key_of(words[1], &err);
	cjose_header_t *header = cjose_header_new(&err);
	cjose_jws_t *jws = NULL;
	const char *token = NULL;

	if (claims && key && header && cjose_header_set(header, CJOSE_HDR_ALG, words[2], &err))
		jws = cjose_jws_sign(key, header, (const uint8_t *)claims, n, &err);
	char *answer = jws && cjose_jws_export(jws, &token, &err) ? strdup(token) : NULL;

	*why = "it does not sign";
	cjose_jws_release(jws);
	cjose_header_release(header);
	cjose_jwk_release(key);
	free(claims);
	return answer;
}

static const struct {
	const char *name;
	size_t words;
	char *(*run)(char **words, const char **why);
} commands[] = {
	{ "sign", 4, sign },
	{ "verify", 3, verify },
	{ "find", 3, verify },
};

static char *obey(char *line, const char **why)
{
	char *words[WORDS], *rest = NULL;
	size_t n = 0;

	for (char *word = strtok_r(line, " \n", &rest); word && n < WORDS;
		word = strtok_r(NULL, " \n", &rest))
		words[n++] = word;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (n == commands[i].words && strcmp(words[0], commands[i].name) == 0)
			return commands[i].run(words, why);
	}
	*why = "no such command";
	return NULL;
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		const char *why = "";
		char *answer = obey(line, &why);

		printf("%s %s\n", answer ? "ok" : "no", answer ? answer : why);
		fflush(stdout);
		free(answer);
	}
	free(line);
	return 0;
}

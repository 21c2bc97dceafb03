/*
 * jws_pem.c - the key in a PEM file (RFC 7468).
 *
 * Only the one block that holds a key reaches OpenSSL. Two keys in one file are a mistake that
 * cannot be guessed away.
 */
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/str.h"
#include "crypt/jws.h"

#include "base/banned.h"

struct block {
	pt_str label;
	pt_str whole; /* with its first and last line */
};

static const pt_str key_labels[] = {
	PT_STR_INIT("PRIVATE KEY"),                                   /* PKCS#8 */
	PT_STR_INIT("PUBLIC KEY"),                                    /* SubjectPublicKeyInfo */
	PT_STR_INIT("RSA PRIVATE KEY"),                               /* PKCS#1 */
	PT_STR_INIT("RSA PUBLIC KEY"), PT_STR_INIT("EC PRIVATE KEY"), /* RFC 5915 */
};

static bool holds_key(pt_str label)
{
	for (size_t i = 0; i < sizeof(key_labels) / sizeof(key_labels[0]); i++) {
		if (str_eq(label, key_labels[i]))
			return true;
	}
	return false;
}

/* Cuts at the first `mark`, as str_cut does at a character. */
static bool cut_at(pt_str text, pt_str mark, pt_str *head, pt_str *tail)
{
	const char *hit = text.n >= mark.n ? memmem(text.p, text.n, mark.p, mark.n) : NULL;

	if (!hit)
		return false;
	*head = str_slice(text, 0, (size_t)(hit - text.p));
	*tail = str_slice(text, head->n + mark.n, text.n);
	return true;
}

static bool block_next(pt_str *rest, struct block *out)
{
	const pt_str dashes = PT_STR("-----");
	pt_str before, start, label, body, end;

	if (!cut_at(*rest, PT_STR("-----BEGIN "), &before, &start) ||
		!cut_at(start, dashes, &label, &body) ||
		!cut_at(body, PT_STR("-----END "), &body, &end) || !str_starts(end, label))
		return false;
	end = str_slice(end, label.n, end.n);
	if (!str_starts(end, dashes))
		return false;
	end = str_slice(end, dashes.n, end.n);
	out->label = label;
	out->whole = str_slice(*rest, before.n, rest->n - end.n);
	*rest = end;
	return true;
}

static pt_err key_block(pt_str pem, pt_str *out, const char **why)
{
	struct block block;
	pt_str found = { 0 };

	if (pem.n > JWK_TEXT_MAX)
		return jws_refuse(why, "too long for a key");
	while (block_next(&pem, &block)) {
		if (str_eq(block.label, PT_STR("EC PARAMETERS")))
			continue;
		if (str_eq(block.label, PT_STR("ENCRYPTED PRIVATE KEY")))
			return jws_refuse(why, "the key is under a password");
		if (!holds_key(block.label) || found.n > 0)
			return jws_refuse(why, "the file holds something beside one key");
		found = block.whole;
	}
	if (found.n == 0)
		return jws_refuse(why, "no key in PEM form");
	*out = found;
	return PT_OK;
}

/* OpenSSL would ask whoever sits at the terminal. */
static int no_password(char *to, int size, int writing, void *ctx)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

static void own_decoder(OSSL_DECODER_CTX **ctx)
{
	OSSL_DECODER_CTX_free(*ctx);
}

pt_err jws_pem_read(pt_str pem, EVP_PKEY **out, const char **why)
{
	PT_OWN(jws_own_pkey) EVP_PKEY *pkey = NULL;
	PT_OWN(own_decoder) OSSL_DECODER_CTX *ctx = NULL;
	pt_str block;

	TRY(key_block(pem, &block, why));
	ctx = OSSL_DECODER_CTX_new_for_pkey(&pkey, "PEM", NULL, NULL, 0, NULL, NULL);
	if (!ctx || !OSSL_DECODER_CTX_set_pem_password_cb(ctx, no_password, NULL))
		return jws_fault("prepare to read a key");

	const unsigned char *p = (const unsigned char *)block.p;
	size_t n = block.n;
	if (!OSSL_DECODER_from_data(ctx, &p, &n) || !pkey)
		return jws_refuse(
			why, "the key in the file cannot be read, or is under a password");
	ERR_clear_error();
	*out = PT_GIVE(pkey);
	return PT_OK;
}

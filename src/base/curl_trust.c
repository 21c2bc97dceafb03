/*
 * curl_trust.c - libcurl's OpenSSL, by the few functions that a store of certificates needs.
 *
 * They are found as libcurl itself is, on demand, so no header of OpenSSL's is included here: its
 * objects are pointers that nobody looks behind.
 */
#include "base/curl_trust.h"

#include <limits.h>
#include <pthread.h>

#include "base/err.h"
#include "base/module.h"
#include "base/str.h"

#include "base/banned.h"

/* openssl/x509_vfy.h: what libcurl sets, too; so it never changes while it is shared. */
enum { TRUSTED_FIRST = 0x8000, PARTIAL_CHAIN = 0x80000 };

static struct {
	void *(*bio_new)(const void *bytes, int n);
	int (*bio_free)(void *bio);
	void *(*certificate_read)(void *bio, void **out, void *password, void *context);
	void (*certificate_free)(void *certificate);
	void *(*store_new)(void);
	void (*store_free)(void *store);
	int (*store_add)(void *store, void *certificate);
	int (*store_set_flags)(void *store, unsigned long flags);
	void (*errors_clear)(void);
	void (*context_set_store)(void *ssl_context, void *store);
} openssl;

static const struct module_symbol of_libcrypto[] = {
	{ "BIO_new_mem_buf", (void **)&openssl.bio_new },
	{ "BIO_free", (void **)&openssl.bio_free },
	{ "PEM_read_bio_X509", (void **)&openssl.certificate_read },
	{ "X509_free", (void **)&openssl.certificate_free },
	{ "X509_STORE_new", (void **)&openssl.store_new },
	{ "X509_STORE_free", (void **)&openssl.store_free },
	{ "X509_STORE_add_cert", (void **)&openssl.store_add },
	{ "X509_STORE_set_flags", (void **)&openssl.store_set_flags },
	{ "ERR_clear_error", (void **)&openssl.errors_clear },
};

static const struct module_symbol of_libssl[] = {
	{ "SSL_CTX_set1_cert_store", (void **)&openssl.context_set_store },
};

static bool is_open;
static pt_str bundle;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void *store; /* NULL: it could not be made */

pt_err trust_open(pt_str tls_library, pt_str pem)
{
	if (!str_starts(tls_library, PT_STR("OpenSSL/3.")) || pem.n == 0 || pem.n > INT_MAX)
		return PT_OK;
	TRY(module_open("libcrypto.so.3", "libssl3", of_libcrypto,
		sizeof(of_libcrypto) / sizeof(of_libcrypto[0])));
	TRY(module_open("libssl.so.3", "libssl3", of_libssl, 1));
	bundle = pem;
	is_open = true;
	return PT_OK;
}

bool trust_is_open(void)
{
	return is_open;
}

/* A certificate that is there twice is no error; one that cannot be read ends the list. */
static size_t certificates_add(void *into)
{
	void *bio = openssl.bio_new(bundle.p, (int)bundle.n), *certificate;
	size_t n = 0;

	while (bio && (certificate = openssl.certificate_read(bio, NULL, NULL, NULL))) {
		n += openssl.store_add(into, certificate) == 1;
		openssl.certificate_free(certificate);
	}
	openssl.bio_free(bio);
	openssl.errors_clear();
	return n;
}

static void store_make(void)
{
	void *made = openssl.store_new();

	if (made && openssl.store_set_flags(made, TRUSTED_FIRST | PARTIAL_CHAIN) == 1 &&
		certificates_add(made) > 0) {
		store = made;
		return;
	}
	(void)fault(PT_F_CONFIG, "no certificate of the CA bundle can be read: nobody is trusted");
	openssl.store_free(made);
}

bool trust_lend(void *ssl_context)
{
	pthread_once(&once, store_make);
	if (store)
		openssl.context_set_store(ssl_context, store);
	return store != NULL;
}

/*
 * test_curl_trust.c - a store of certificates that could not be made trusts nobody. That a good one
 * is believed, and no other, is tried where certificates are at hand: outbound/test_smtp.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/curl_trust.h"

#include "base/banned.h"

/* Opening counts once in a process, so the stories stand in this order. */

static void another_kind_of_tls_reads_the_bundle_itself(void **state)
{
	(void)state;
	assert_int_equal(trust_open(PT_STR("GnuTLS/3.7.9"), PT_STR("-----BEGIN")), PT_OK);
	assert_false(trust_is_open());
	assert_int_equal(trust_open(PT_STR("OpenSSL/1.1.1w"), PT_STR("-----BEGIN")), PT_OK);
	assert_false(trust_is_open());
	assert_int_equal(trust_open(PT_STR(""), PT_STR("-----BEGIN")), PT_OK);
	assert_false(trust_is_open());
}

static void a_bundle_that_is_not_there_is_not_lent(void **state)
{
	(void)state;
	assert_int_equal(trust_open(PT_STR("OpenSSL/3.0.22"), PT_STR("")), PT_OK);
	assert_false(trust_is_open());
}

static void a_bundle_without_a_certificate_trusts_nobody(void **state)
{
	(void)state;
	assert_int_equal(
		trust_open(PT_STR("OpenSSL/3.0.22"), PT_STR("-----BEGIN CERTIFICATE-----\nAAAA\n"
							    "-----END CERTIFICATE-----\n")),
		PT_OK);
	assert_true(trust_is_open());
	assert_false(trust_lend(NULL));
	assert_false(trust_lend(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_kind_of_tls_reads_the_bundle_itself),
		cmocka_unit_test(a_bundle_that_is_not_there_is_not_lent),
		cmocka_unit_test(a_bundle_without_a_certificate_trusts_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

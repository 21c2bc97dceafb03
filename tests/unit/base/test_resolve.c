/*
 * test_resolve.c - names mean the same inside of a jail.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/resolve.h"
#include "base/str.h"

#include "base/banned.h"

static int open_resolver(void **state)
{
	(void)state;
	return resolve_open() == PT_OK ? 0 : -1;
}

static bool leads_to(const char *name, const char *address)
{
	struct addresses found;

	if (resolve(str(name), &found) != PT_OK)
		return false;
	for (size_t i = 0; i < found.n; i++) {
		if (str_eq(str(found.text[i]), str(address)))
			return true;
	}
	return false;
}

static void an_address_is_itself(void **state)
{
	(void)state;
	assert_true(leads_to("192.0.2.7", "192.0.2.7"));
	assert_true(leads_to("2001:db8::7", "2001:db8::7"));
}

static void localhost_asks_nobody(void **state)
{
	(void)state;
	assert_true(leads_to("localhost", "127.0.0.1"));
	assert_true(leads_to("LocalHost.", "::1"));
	assert_true(leads_to("db.localhost", "127.0.0.1"));
}

static void what_is_no_name_is_not_found(void **state)
{
	static const pt_str names[] = { PT_STR_INIT(""), PT_STR_INIT("a\0b"),
		PT_STR_INIT("no such host") };
	struct addresses found;
	char longest[300];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(resolve(names[i], &found), PT_E_NOT_FOUND);
	assert_int_equal(resolve(str_n(longest, sizeof(longest)), &found), PT_E_NOT_FOUND);
}

static void this_machine_is_known_by_its_names_alone(void **state)
{
	(void)state;
	assert_true(resolve_is_loopback(PT_STR("localhost")));
	assert_true(resolve_is_loopback(PT_STR("127.0.0.5")));
	assert_true(resolve_is_loopback(PT_STR("::1")));
	assert_false(resolve_is_loopback(PT_STR("localhost.example.org")));
	assert_false(resolve_is_loopback(PT_STR("notlocalhost")));
	assert_false(resolve_is_loopback(PT_STR("10.0.0.1")));
	assert_false(resolve_is_loopback(PT_STR("")));
}

/* The first name of /etc/hosts that is not localhost, and its address. */
static bool first_of_hosts(char name[128], char address[64])
{
	FILE *file = fopen("/etc/hosts", "re");
	char line[512];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%63s %127s", address, name) == 2 && address[0] != '#' &&
			!resolve_is_loopback(str(name)) && address[0] != 'f';
	if (file)
		fclose(file);
	return found;
}

static int look_up_in_jail(const char *jail)
{
	char name[128], address[64];
	bool has_name = first_of_hosts(name, address);

	if (chdir(jail) != 0 || chroot(".") != 0 || chdir("/") != 0)
		return 1;
	if (!resolve_is_jailed() || !leads_to("localhost", "127.0.0.1"))
		return 2;
	return has_name && !leads_to(name, address) ? 3 : 0;
}

static void a_jail_hides_neither_localhost_nor_hosts(void **state)
{
	char jail[] = "/tmp/resolve-XXXXXX";
	int status = -1;
	pid_t child;

	(void)state;
	assert_false(resolve_is_jailed());
	if (geteuid() != 0)
		return; /* only root may chroot */
	assert_non_null(mkdtemp(jail));
	child = fork();
	if (child == 0)
		_exit(look_up_in_jail(jail));
	assert_int_equal(waitpid(child, &status, 0), child);
	rmdir(jail);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_itself),
		cmocka_unit_test(localhost_asks_nobody),
		cmocka_unit_test(what_is_no_name_is_not_found),
		cmocka_unit_test(this_machine_is_known_by_its_names_alone),
		cmocka_unit_test(a_jail_hides_neither_localhost_nor_hosts),
	};

	return cmocka_run_group_tests(tests, open_resolver, NULL);
}

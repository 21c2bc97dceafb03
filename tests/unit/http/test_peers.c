/*
 * test_peers.c - how many connections each client address has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/peers.h"

#include "base/banned.h"

static const struct address a = { { [15] = 1 }, true }, b = { { [15] = 2 }, true },
			    c = { { [15] = 3 }, true };

static void an_address_has_its_limit_and_others_have_theirs(void **state)
{
	struct peers *peers = peers_open(8);

	(void)state;
	assert_true(peers_enter(peers, &a, 2));
	assert_true(peers_enter(peers, &a, 2));
	assert_false(peers_enter(peers, &a, 2));
	assert_true(peers_enter(peers, &b, 2));
	peers_close(peers);
}

static void who_leaves_makes_room(void **state)
{
	struct peers *peers = peers_open(8);

	(void)state;
	assert_true(peers_enter(peers, &a, 1));
	assert_false(peers_enter(peers, &a, 1));
	peers_leave(peers, &a);
	assert_true(peers_enter(peers, &a, 1));
	peers_close(peers);
}

static void forgotten_addresses_make_room_for_new_ones(void **state)
{
	struct peers *peers = peers_open(2);

	(void)state;
	assert_true(peers_enter(peers, &a, 1));
	assert_true(peers_enter(peers, &b, 1));
	assert_false(peers_enter(peers, &c, 1));
	peers_leave(peers, &a);
	assert_true(peers_enter(peers, &c, 1));
	peers_close(peers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_has_its_limit_and_others_have_theirs),
		cmocka_unit_test(who_leaves_makes_room),
		cmocka_unit_test(forgotten_addresses_make_room_for_new_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

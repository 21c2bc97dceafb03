/*
 * contract.c - what store.h promises, asked of one driver.
 *
 *	contract memory
 *	contract sqlite:tmp
 *	contract postgres:///portress_test
 *	contract mysql://portress@localhost/portress_test
 *
 * or PORTRESS_CONTRACT_STORE=... contract. The database is emptied.
 */
#include <stdio.h>
#include <stdlib.h>

#include "chapters.h"
#include "faults.h"
#include "world.h"

#include "base/banned.h"

static int read_chapter(const struct chapter *chapter)
{
	struct CMUnitTest tests[64];

	assert_true(chapter->n <= sizeof(tests) / sizeof(tests[0]));
	for (size_t i = 0; i < chapter->n; i++) {
		tests[i] = chapter->tests[i];
		tests[i].setup_func = world_open;
		tests[i].teardown_func = world_close;
	}
	return _cmocka_run_group_tests(chapter->name, tests, chapter->n, NULL, NULL);
}

int main(int argc, char **argv)
{
	const char *url = argc > 1 ? argv[1] : getenv("PORTRESS_CONTRACT_STORE");
	int failed = 0;

	if (!url) {
		fprintf(stderr, "usage: contract memory | sqlite:PATH | sqlite:tmp | "
				"postgres://... | mysql://...\n");
		return 2;
	}
#ifdef PT_TEST_HOOKS
	if (!faults_prepare())
		return 2;
#endif
	if (!world_choose(url)) {
		fprintf(stderr, "contract: cannot open %s\n", url);
		return 2;
	}
	for (size_t i = 0; i < n_chapters; i++)
		failed += read_chapter(chapters[i]);
	world_forget();
	return failed == 0 ? 0 : 1;
}

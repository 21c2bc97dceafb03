/*
 * chapters.c - the tests by noun.
 */
#include "chapters.h"

#include "base/banned.h"

const struct chapter *const chapters[] = {
	&accounts_chapter,
	&amend_chapter,
	&pages_chapter,
	&signins_chapter,
	&tickets_chapter,
	&tokens_chapter,
	&loose_tokens_chapter,
	&limits_chapter,
	&letters_chapter,
	&tenants_chapter,
	&keeping_chapter,
	&races_chapter,
#ifdef PT_TEST_HOOKS
	&faults_chapter,
#endif
};
const size_t n_chapters = sizeof(chapters) / sizeof(chapters[0]);

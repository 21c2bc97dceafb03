/*
 * chapters.h - the tests by noun.
 */
#ifndef TESTS_CONTRACT_CHAPTERS_H
#define TESTS_CONTRACT_CHAPTERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct chapter {
	const char *name;
	const struct CMUnitTest *tests;
	size_t n;
};

#define CHAPTER(name_) \
	const struct chapter name_##_chapter = { #name_, tests, sizeof(tests) / sizeof(tests[0]) }

extern const struct chapter accounts_chapter;
extern const struct chapter amend_chapter;
extern const struct chapter pages_chapter;
extern const struct chapter signins_chapter;
extern const struct chapter tickets_chapter;
extern const struct chapter tokens_chapter;
extern const struct chapter loose_tokens_chapter;
extern const struct chapter limits_chapter;
extern const struct chapter letters_chapter;
extern const struct chapter tenants_chapter;
extern const struct chapter keeping_chapter;
extern const struct chapter races_chapter;
extern const struct chapter faults_chapter;

extern const struct chapter *const chapters[];
extern const size_t n_chapters;

#endif

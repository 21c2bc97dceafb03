/*
 * test_dotenv.c - the grammar of .env, as godotenv reads it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "server/dotenv.h"

#include "base/banned.h"

struct read {
	struct arena *arena;
	struct dotenv_pair *pairs;
	size_t n;
	int line;
	const char *why;
	pt_err err;
};

static struct read read_text(const char *text)
{
	struct read r = { .arena = arena_open(64 * MIB) };

	assert_non_null(r.arena);
	r.err = dotenv_read(r.arena, str(text), &r.pairs, &r.n, &r.line, &r.why);
	return r;
}

static void expect(const char *text, const char *name, const char *value)
{
	struct read r = read_text(text);
	bool found = false;

	if (r.err != PT_OK)
		fail_msg("%s: line %d: %s", text, r.line, r.why);
	for (size_t i = 0; i < r.n; i++) {
		if (!str_eq(r.pairs[i].name, str(name)))
			continue;
		found = true;
		if (!str_eq(r.pairs[i].value, str(value)))
			fail_msg("%s: %s is `%.*s`", text, name, (int)r.pairs[i].value.n,
				r.pairs[i].value.p);
	}
	if (!found)
		fail_msg("%s: no %s", text, name);
	arena_close(r.arena);
}

static void refused_at(const char *text, int line)
{
	struct read r = read_text(text);

	assert_int_equal(r.err, PT_E_MALFORMED);
	assert_int_equal(r.line, line);
	assert_non_null(r.why);
	arena_close(r.arena);
}

static void plain_values_are_read(void **state)
{
	(void)state;
	expect("A=1", "A", "1");
	expect("A = 1 \n", "A", "1");
	expect("A: 1\n", "A", "1");
	expect("export A=1\n", "A", "1");
	expect("\n\n# comment\nA=1\r\nB=2\r\n", "A", "1");
	expect("A=\n", "A", "");
	expect("\xEF\xBB\xBF"
	       "A=1\n",
		"A", "1");
	expect("A=b c d\n", "A", "b c d");
	expect("A=b=c\n", "A", "b=c");
}

static void comments_need_white_space_before_them(void **state)
{
	(void)state;
	expect("A=1 # note\n", "A", "1");
	expect("A=a#b\n", "A", "a#b");
	expect("A='x' # note\n", "A", "x");
	expect("A=\"x # y\" # note\n", "A", "x # y");
	expect("A=# nothing\n", "A", "");
}

static void quotes_keep_what_stands_in_them(void **state)
{
	(void)state;
	expect("A=' $B \\n '\n", "A", " $B \\n ");
	expect("A=\"a\\nb\\rc\\\"d\"\n", "A", "a\nb\rc\"d");
	expect("A=\"one\ntwo\"\nB=3\n", "A", "one\ntwo");
	expect("A='one\ntwo'\nB=3\n", "B", "3");
}

static void earlier_names_are_expanded(void **state)
{
	(void)state;
	expect("A=x\nB=$A/${A}y\n", "B", "x/xy");
	expect("A=x\nB=\"$A ${A}\"\n", "B", "x x");
	expect("A=x\nB='$A'\n", "B", "$A");
	expect("B=$NOTHING.\n", "B", "");
	expect("B=5$ and ${\n", "B", "5$ and ${");
	expect("B=\"\\$A\"\n", "B", "$A");
}

static void the_line_of_each_pair_is_known(void **state)
{
	struct read r = read_text("A=1\n\nB=\"x\ny\"\nC=3\n");

	(void)state;
	assert_int_equal(r.err, PT_OK);
	assert_int_equal(r.n, 3);
	assert_int_equal(r.pairs[0].line, 1);
	assert_int_equal(r.pairs[1].line, 3);
	assert_int_equal(r.pairs[2].line, 5);
	arena_close(r.arena);
}

static void what_is_no_pair_is_refused_with_its_line(void **state)
{
	(void)state;
	refused_at("A=1\nnonsense\n", 2);
	refused_at("A=1\n=x\n", 2);
	refused_at("A=1\nB='x' y\n", 2);
	refused_at("-A=1\n", 1);
}

static void an_open_quote_is_refused(void **state)
{
	(void)state;
	refused_at("A=\"x", 1);
	refused_at("A='x", 1);
}

static void nul_bytes_are_refused(void **state)
{
	struct read r = { .arena = arena_open(1 * MIB) };

	(void)state;
	r.err = dotenv_read(r.arena, str_n("A=1\0B", 5), &r.pairs, &r.n, &r.line, &r.why);
	assert_int_equal(r.err, PT_E_MALFORMED);
	arena_close(r.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_values_are_read),
		cmocka_unit_test(comments_need_white_space_before_them),
		cmocka_unit_test(quotes_keep_what_stands_in_them),
		cmocka_unit_test(earlier_names_are_expanded),
		cmocka_unit_test(the_line_of_each_pair_is_known),
		cmocka_unit_test(what_is_no_pair_is_refused_with_its_line),
		cmocka_unit_test(an_open_quote_is_refused),
		cmocka_unit_test(nul_bytes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

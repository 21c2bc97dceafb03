/*
 * The mustache front end by the areas of the public specification, and the engine's bounds.
 */
#include "template_support.h"

#include "base/banned.h"

static pt_err add(struct template_set *set, const char *name, const char *source)
{
	char error[256];

	return template_add(
		set, str(name), str(name), str(source), TEMPLATE_MUSTACHE, TEMPLATE_HTML, error);
}

static const struct story comments[] = {
	{ "inline", "12345{{! gone }}67890", "{}", "1234567890", NULL, NULL },
	{ "several lines", "12345{{!\n  a\n  b\n}}67890\n", "{}", "1234567890\n", NULL, NULL },
	{ "standalone", "Begin.\n{{! gone }}\nEnd.\n", "{}", "Begin.\nEnd.\n", NULL, NULL },
	{ "indented standalone", "Begin.\n  {{! gone }}\nEnd.\n", "{}", "Begin.\nEnd.\n", NULL,
		NULL },
	{ "standalone, CR LF", "|\r\n{{! gone }}\r\n|", "{}", "|\r\n|", NULL, NULL },
	{ "standalone without a line before", "  {{! gone }}\n!", "{}", "!", NULL, NULL },
	{ "standalone without a line after", "!\n  {{! gone }}", "{}", "!\n", NULL, NULL },
	{ "standalone over lines", "Begin.\n  {{!\n    gone\n  }}\nEnd.\n", "{}", "Begin.\nEnd.\n",
		NULL, NULL },
	{ "not alone on its line", "  12 {{! 34 }}\n", "{}", "  12 \n", NULL, NULL },
	{ "blanks around it stay", "12345 {{! gone }} 67890", "{}", "12345  67890", NULL, NULL },
	{ "a name in a comment is no value", "{{! v }}{{v}}", "{\"v\":\"x\"}", "x", NULL, NULL },
};

static const struct story delimiters[] = {
	{ "a pair", "{{=<% %>=}}(<%text%>)", "{\"text\":\"Hey!\"}", "(Hey!)", NULL, NULL },
	{ "special signs", "({{=[ ]=}}[text])", "{\"text\":\"It worked!\"}", "(It worked!)", NULL,
		NULL },
	{ "in sections",
		"[\n{{#section}}\n  {{data}}\n  |data|\n{{/section}}\n\n{{= | | =}}\n|#section|\n"
		"  {{data}}\n  |data|\n|/section|\n]\n",
		"{\"section\":true,\"data\":\"I got it.\"}",
		"[\n  I got it.\n  |data|\n\n  {{data}}\n  I got it.\n]\n", NULL, NULL },
	{ "in inverted sections",
		"{{^section}}{{data}}|data|{{/section}}{{= | | =}}|^section|{{data}}"
		"|data||/section|",
		"{\"data\":\"I\"}", "I|data|{{data}}I", NULL, NULL },
	{ "a partial has its own", "[ {{>include}} ]\n{{= | | =}}\n[ |>include| ]\n",
		"{\"value\":\"yes\"}", "[ .yes. ]\n[ .yes. ]\n", "include", ".{{value}}." },
	{ "a partial keeps them to itself", "[ {{>include}} ]\n[ .{{value}}.  .|value|. ]\n",
		"{\"value\":\"yes\"}", "[ .yes.  .yes. ]\n[ .yes.  .|value|. ]\n", "include",
		".{{value}}. {{= | | =}} .|value|." },
	{ "blanks around stay", "| {{=@ @=}} |", "{}", "|  |", NULL, NULL },
	{ "blanks before stay", " | {{=@ @=}}\n", "{}", " | \n", NULL, NULL },
	{ "standalone", "Begin.\n{{=@ @=}}\nEnd.\n", "{}", "Begin.\nEnd.\n", NULL, NULL },
	{ "indented standalone", "Begin.\n  {{=@ @=}}\nEnd.\n", "{}", "Begin.\nEnd.\n", NULL,
		NULL },
	{ "standalone, CR LF", "|\r\n{{= @ @ =}}\r\n|", "{}", "|\r\n|", NULL, NULL },
	{ "standalone without a line before", "  {{=@ @=}}\n=", "{}", "=", NULL, NULL },
	{ "standalone without a line after", "=\n  {{=@ @=}}", "{}", "=\n", NULL, NULL },
	{ "blanks inside", "|{{= @   @ =}}|", "{}", "||", NULL, NULL },
	{ "and back again", "{{=<% %>=}}<%v%><%={{ }}=%>{{v}}", "{\"v\":\"x\"}", "xx", NULL, NULL },
	{ "a raw tag with them", "{{=<% %>=}}<%{v}%><%&v%>", "{\"v\":\"fragment:<b>\"}", "<b><b>",
		NULL, NULL },
};

static const struct story interpolation[] = {
	{ "no tags", "Hello from {Mustache}!\n", "{}", "Hello from {Mustache}!\n", NULL, NULL },
	{ "empty", "", "{}", "", NULL, NULL },
	{ "basic", "Hello, {{subject}}!\n", "{\"subject\":\"world\"}", "Hello, world!\n", NULL,
		NULL },
	{ "a value is not read again", "{{template}}: {{planet}}",
		"{\"template\":\"{{planet}}\",\"planet\":\"Earth\"}", "{{planet}}: Earth", NULL,
		NULL },
	{ "escaping", "{{forbidden}}", "{\"forbidden\":\"& ' \\\" < >\"}",
		"&amp; &#39; &#34; &lt; &gt;", NULL, NULL },
	{ "raw, three braces", "{{{x}}}", "{\"x\":\"fragment:& \\\" < >\"}", "& \" < >", NULL,
		NULL },
	{ "raw, ampersand", "{{&x}}", "{\"x\":\"fragment:& \\\" < >\"}", "& \" < >", NULL, NULL },
	{ "a plain string is never raw", "{{{x}}}{{&x}}", "{\"x\":\"<b>\"}", "&lt;b&gt;&lt;b&gt;",
		NULL, NULL },
	{ "a fragment that nobody asked for raw", "{{x}}", "{\"x\":\"fragment:<b>\"}", "&lt;b&gt;",
		NULL, NULL },
	{ "number", "{{mph}} miles", "{\"mph\":85}", "85 miles", NULL, NULL },
	{ "number, raw", "{{{mph}}}{{&mph}}", "{\"mph\":-85}", "-85-85", NULL, NULL },
	{ "truth", "{{a}} {{b}}", "{\"a\":true,\"b\":false}", "true false", NULL, NULL },
	{ "null", "I ({{cannot}}) be seen!", "{\"cannot\":null}", "I () be seen!", NULL, NULL },
	{ "absent", "({{a}}{{{a}}}{{&a}})", "{}", "()", NULL, NULL },
	{ "dotted", "{{person.name}} {{#person}}{{name}}{{/person}}",
		"{\"person\":{\"name\":\"Joe\"}}", "Joe Joe", NULL, NULL },
	{ "dotted, deep", "{{a.b.c.d.e.name}}",
		"{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"name\":\"Phil\"}}}}}}", "Phil", NULL, NULL },
	{ "dotted, broken chain", "({{a.b.c}})", "{\"a\":{}}", "()", NULL, NULL },
	{ "dotted, no second look further out", "({{a.b.c.name}})",
		"{\"a\":{\"b\":{}},\"c\":{\"name\":\"Jim\"}}", "()", NULL, NULL },
	{ "dotted, first name is looked for further out", "{{#a}}{{b.c.name}}{{/a}}",
		"{\"a\":{\"x\":\"1\"},\"b\":{\"c\":{\"name\":\"Phil\"}}}", "Phil", NULL, NULL },
	{ "dotted, nearest first name decides", "{{#a}}({{b.c}}){{/a}}",
		"{\"a\":{\"b\":{}},\"b\":{\"c\":\"ERROR\"}}", "()", NULL, NULL },
	{ "dotted, not through text", "({{a.b}})", "{\"a\":\"text\"}", "()", NULL, NULL },
	{ "implicit iterator", "{{#list}}({{.}}){{/list}}", "{\"list\":[\"a\",\"&\",\"c\"]}",
		"(a)(&amp;)(c)", NULL, NULL },
	{ "a map has no text", "({{.}})({{m}})", "{\"m\":{}}", "()()", NULL, NULL },
	{ "blanks around stay", "| {{s}} |", "{\"s\":\"-\"}", "| - |", NULL, NULL },
	{ "a variable is never standalone", "  {{s}}\n", "{\"s\":\"-\"}", "  -\n", NULL, NULL },
	{ "nor a raw one", "  {{{s}}}\n  {{&s}}\n", "{\"s\":\"-\"}", "  -\n  -\n", NULL, NULL },
	{ "blanks inside", "|{{ s }}|{{{ s }}}|{{& s }}|", "{\"s\":\"-\"}", "|-|-|-|", NULL, NULL },
};

static const struct story sections[] = {
	{ "true", "\"{{#b}}shown{{/b}}\"", "{\"b\":true}", "\"shown\"", NULL, NULL },
	{ "false", "\"{{#b}}shown{{/b}}\"", "{\"b\":false}", "\"\"", NULL, NULL },
	{ "absent", "[{{#a}}shown{{/a}}]", "{}", "[]", NULL, NULL },
	{ "null", "[{{#a}}shown{{/a}}]", "{\"a\":null}", "[]", NULL, NULL },
	{ "empty text is like nothing", "[{{#a}}shown{{/a}}]", "{\"a\":\"\"}", "[]", NULL, NULL },
	{ "a map", "{{#m}}Hi {{name}}.{{/m}}", "{\"m\":{\"name\":\"Joe\"}}", "Hi Joe.", NULL,
		NULL },
	{ "outer values", "{{#s}}{{a}}, {{b}}, {{c.d}}{{/s}}",
		"{\"a\":\"foo\",\"b\":\"wrong\",\"s\":{\"b\":\"bar\"},\"c\":{\"d\":\"baz\"}}",
		"foo, bar, baz", NULL, NULL },
	{ "text as a section", "{{#foo}}{{.}} is {{foo}}{{/foo}}", "{\"foo\":\"bar\"}",
		"bar is bar", NULL, NULL },
	{ "list", "{{#list}}{{item}}{{/list}}",
		"{\"list\":[{\"item\":1},{\"item\":2},{\"item\":3}]}", "123", NULL, NULL },
	{ "empty list", "[{{#list}}x{{/list}}]", "{\"list\":[]}", "[]", NULL, NULL },
	{ "doubled", "{{#b}}\n* 1\n{{/b}}\n* {{two}}\n{{#b}}\n* 3\n{{/b}}\n",
		"{\"b\":true,\"two\":\"2\"}", "* 1\n* 2\n* 3\n", NULL, NULL },
	{ "nested, shown", "| A {{#b}}B {{#b}}C{{/b}} D{{/b}} E |", "{\"b\":true}", "| A B C D E |",
		NULL, NULL },
	{ "nested, not shown", "| A {{#b}}B {{#b}}C{{/b}} D{{/b}} E |", "{}", "| A  E |", NULL,
		NULL },
	{ "list of lists", "{{#rows}}<{{#cells}}{{.}}{{/cells}}>{{/rows}}",
		"{\"rows\":[{\"cells\":[\"a\",\"b\"]},{\"cells\":[]},{\"cells\":[\"c\"]}]}",
		"<ab><><c>", NULL, NULL },
	{ "an item hides outer names", "{{#l}}{{v}}{{/l}}",
		"{\"v\":\"o\",\"l\":[{\"v\":\"1\"},{}]}", "1o", NULL, NULL },
	{ "dotted", "\"{{#a.b.c}}Here{{/a.b.c}}\"", "{\"a\":{\"b\":{\"c\":true}}}", "\"Here\"",
		NULL, NULL },
	{ "dotted, broken", "\"{{#a.b.c}}Here{{/a.b.c}}\"", "{\"a\":{}}", "\"\"", NULL, NULL },
	{ "blanks around stay", " | {{#b}}\t|\t{{/b}} | \n", "{\"b\":true}", " | \t|\t | \n", NULL,
		NULL },
	{ "blanks inside, several lines", " | {{#b}} {{! x }}\n {{/b}} | \n", "{\"b\":true}",
		" |  \n  | \n", NULL, NULL },
	{ "two on indented lines", " {{#b}}YES{{/b}}\n {{#b}}GOOD{{/b}}\n", "{\"b\":true}",
		" YES\n GOOD\n", NULL, NULL },
	{ "standalone lines", "| This Is\n{{#b}}\n|\n{{/b}}\n| A Line\n", "{\"b\":true}",
		"| This Is\n|\n| A Line\n", NULL, NULL },
	{ "indented standalone lines", "| This Is\n  {{#b}}\n|\n  {{/b}}\n| A Line\n",
		"{\"b\":true}", "| This Is\n|\n| A Line\n", NULL, NULL },
	{ "standalone, CR LF", "|\r\n{{#b}}\r\n{{/b}}\r\n|", "{\"b\":true}", "|\r\n|", NULL, NULL },
	{ "standalone without a line before", "  {{#b}}\n#{{/b}}\n/", "{\"b\":true}", "#\n/", NULL,
		NULL },
	{ "standalone without a line after", "#{{#b}}\n/\n  {{/b}}", "{\"b\":true}", "#\n/\n", NULL,
		NULL },
	{ "blanks in the tag", "|{{# b }}={{/ b }}|", "{\"b\":true}", "|=|", NULL, NULL },
};

static const struct story inverted[] = {
	{ "false", "\"{{^b}}shown{{/b}}\"", "{\"b\":false}", "\"shown\"", NULL, NULL },
	{ "true", "\"{{^b}}shown{{/b}}\"", "{\"b\":true}", "\"\"", NULL, NULL },
	{ "null", "\"{{^b}}shown{{/b}}\"", "{\"b\":null}", "\"shown\"", NULL, NULL },
	{ "absent", "\"{{^b}}shown{{/b}}\"", "{}", "\"shown\"", NULL, NULL },
	{ "a map", "\"{{^m}}shown{{/m}}\"", "{\"m\":{\"a\":1}}", "\"\"", NULL, NULL },
	{ "a list", "\"{{^l}}shown{{/l}}\"", "{\"l\":[\"a\"]}", "\"\"", NULL, NULL },
	{ "an empty list", "\"{{^l}}shown{{/l}}\"", "{\"l\":[]}", "\"shown\"", NULL, NULL },
	{ "empty text", "\"{{^l}}shown{{/l}}\"", "{\"l\":\"\"}", "\"shown\"", NULL, NULL },
	{ "doubled", "{{^b}}\n* 1\n{{/b}}\n* {{two}}\n{{^b}}\n* 3\n{{/b}}\n", "{\"two\":\"2\"}",
		"* 1\n* 2\n* 3\n", NULL, NULL },
	{ "nested, shown", "| A {{^b}}B {{^b}}C{{/b}} D{{/b}} E |", "{}", "| A B C D E |", NULL,
		NULL },
	{ "nested, not shown", "| A {{^b}}B {{^b}}C{{/b}} D{{/b}} E |", "{\"b\":true}", "| A  E |",
		NULL, NULL },
	{ "both ways", "{{#b}}yes{{/b}}{{^b}}no{{/b}}", "{\"b\":\"x\"}", "yes", NULL, NULL },
	{ "dotted", "\"{{^a.b.c}}Not Here{{/a.b.c}}\"", "{\"a\":{}}", "\"Not Here\"", NULL, NULL },
	{ "the value around stays", "{{#a}}{{^x}}{{v}}{{/x}}{{/a}}", "{\"a\":{\"v\":\"in\"}}", "in",
		NULL, NULL },
	{ "blanks around stay", " | {{^b}}\t|\t{{/b}} | \n", "{}", " | \t|\t | \n", NULL, NULL },
	{ "standalone lines", "| This Is\n{{^b}}\n|\n{{/b}}\n| A Line\n", "{}",
		"| This Is\n|\n| A Line\n", NULL, NULL },
	{ "standalone, CR LF", "|\r\n{{^b}}\r\n{{/b}}\r\n|", "{}", "|\r\n|", NULL, NULL },
	{ "standalone without a line before", "  {{^b}}\n^{{/b}}\n/", "{}", "^\n/", NULL, NULL },
	{ "standalone without a line after", "^{{^b}}\n/\n  {{/b}}", "{}", "^\n/\n", NULL, NULL },
	{ "blanks in the tag", "|{{^ b }}={{/ b }}|", "{}", "|=|", NULL, NULL },
};

static const struct story partials[] = {
	{ "basic", "\"{{>text}}\"", "{}", "\"from partial\"", "text", "from partial" },
	{ "the values around", "\"{{>partial}}\"", "{\"text\":\"content\"}", "\"*content*\"",
		"partial", "*{{text}}*" },
	{ "recursion by the data", "{{>node}}",
		"{\"content\":\"X\",\"nodes\":[{\"content\":\"Y\",\"nodes\":[]}]}", "X(Y())",
		"node", "{{content}}({{#nodes}}{{>node}}{{/nodes}})" },
	{ "blanks around stay", "| {{>partial}} |", "{}", "| \t|\t |", "partial", "\t|\t" },
	{ "in a line it is not indented", "  {{data}}  {{> partial}}\n", "{\"data\":\"|\"}",
		"  |  >\n>\n", "partial", ">\n>" },
	{ "standalone, CR LF", "|\r\n{{>partial}}\r\n|", "{}", "|\r\n>|", "partial", ">" },
	{ "standalone without a line before", "  {{>partial}}\n>", "{}", "  >\n  >>", "partial",
		">\n>" },
	{ "standalone without a line after", ">\n  {{>partial}}", "{}", ">\n  >\n  >", "partial",
		">\n>" },
	{ "each line of it is indented, values are not", "\\\n {{>partial}}\n/\n",
		"{\"content\":\"<\\n->\"}", "\\\n |\n &lt;\n-&gt;\n |\n/\n", "partial",
		"|\n{{content}}\n|\n" },
	{ "a line that begins with a value", "  {{>p}}\n", "{\"v\":\"1\"}", "  1a\n  1\n", "p",
		"{{v}}a\n{{v}}\n" },
	{ "a section's lines", " {{>p}}\n", "{\"l\":[\"1\",\"2\"]}", " <\n 1\n 2\n >\n", "p",
		"<\n{{#l}}\n{{.}}\n{{/l}}\n>\n" },
	{ "a section in a line", " {{>p}}\n", "{\"l\":[\"1\",\"2\"]}", " x1\n 1x2\n 2\n", "p",
		"{{#l}}x{{.}}\n{{.}}{{/l}}\n" },
	{ "blanks in the tag", "|{{> partial }}|", "{\"b\":true}", "|[]|", "partial", "[]" },
};

static void comments_vanish(void **state)
{
	(void)state;
	expect_stories(comments, COUNT(comments), TEMPLATE_MUSTACHE, TEMPLATE_HTML);
}

static void delimiters_can_be_set(void **state)
{
	(void)state;
	expect_stories(delimiters, COUNT(delimiters), TEMPLATE_MUSTACHE, TEMPLATE_HTML);
}

static void values_are_shown_escaped(void **state)
{
	(void)state;
	expect_stories(interpolation, COUNT(interpolation), TEMPLATE_MUSTACHE, TEMPLATE_HTML);
}

static void sections_show_and_repeat(void **state)
{
	(void)state;
	expect_stories(sections, COUNT(sections), TEMPLATE_MUSTACHE, TEMPLATE_TEXT);
}

static void inverted_sections_show_what_is_missing(void **state)
{
	(void)state;
	expect_stories(inverted, COUNT(inverted), TEMPLATE_MUSTACHE, TEMPLATE_HTML);
}

static void partials_are_shown_and_indented(void **state)
{
	(void)state;
	expect_stories(partials, COUNT(partials), TEMPLATE_MUSTACHE, TEMPLATE_HTML);
}

static void plain_text_is_not_escaped(void **state)
{
	static const struct story stories[] = {
		{ "text", "{{v}} {{{v}}}", "{\"v\":\"<&>\"}", "<&> <&>", NULL, NULL },
		{ "no places in plain text", "<script {{v}}", "{\"v\":\"x\"}", "<script x", NULL,
			NULL },
	};

	(void)state;
	expect_stories(stories, COUNT(stories), TEMPLATE_MUSTACHE, TEMPLATE_TEXT);
}

static void indentation_adds_up_over_partials(void **state)
{
	struct template_set *set = template_set_open();
	struct arena *arena = arena_open(MIB);
	struct buf b = BUF(arena, KIB);
	char error[256];
	pt_str out;

	(void)state;
	assert_int_equal(add(set, "a", "1\n {{>b}}\n1\n"), PT_OK);
	assert_int_equal(add(set, "b", "2\n  {{>c}}\n2 {{>c}}\n"), PT_OK);
	assert_int_equal(add(set, "c", "3\n3\n"), PT_OK);
	assert_int_equal(template_set_check(set, error), PT_OK);
	assert_int_equal(template_render(set, PT_STR("a"), value_map(arena), &b), PT_OK);
	assert_int_equal(buf_done(&b, &out), PT_OK);
	assert_string_equal(out.p, "1\n 2\n   3\n   3\n 2 3\n3\n\n1\n");
	arena_close(arena);
	template_set_close(set);
}

static void broken_mustache_names_its_line(void **state)
{
	static const struct broken broken[] = {
		{ "a\nb {{x", "x.html:2: this tag is never closed" },
		{ "a\n{{{x}}", "x.html:2: this raw tag is never closed" },
		{ "{{}}", "x.html:1: a tag without a name" },
		{ "\n\n{{ # }}", "x.html:3: a tag without a name" },
		{ "{{#a}}\n{{/b}}", "x.html:2: this closes another section than line 1" },
		{ "\n{{#a}}\n", "x.html:2: this block (a) is never closed" },
		{ "\n{{/a}}", "x.html:2: no section is open" },
		{ "{{#a}}\n{{#b}}{{/a}}{{/b}}", "x.html:2: this closes another" },
		{ "{{a b}}", "x.html:1: \"a b\" is not a name" },
		{ "{{a..b}}", "x.html:1: \"a..b\" is not a name" },
		{ "{{.a}}", "x.html:1: \".a\" is not a name" },
		{ "{{a|upper}}", "x.html:1: \"a|upper\" is not a name" },
		{ "{{$block}}{{/block}}", "x.html:1: \"$block\" is not a name" },
		{ "{{<parent}}{{/parent}}", "x.html:1: \"<parent\" is not a name" },
		{ "\n{{> a b }}", "x.html:2: \"a b\" is not a partial's name" },
		{ "{{>}}", "x.html:1: a partial without a name" },
		{ "{{=<%=}}", "x.html:1: delimiters are two words" },
		{ "{{= a=b c =}}", "x.html:1: delimiters are two words" },
		{ "{{=<% %>}}", "x.html:1: new delimiters are written" },
	};

	(void)state;
	expect_refusals(broken, COUNT(broken), TEMPLATE_MUSTACHE, TEMPLATE_HTML);
}

static void too_many_nested_blocks_are_refused(void **state)
{
	struct arena *arena = arena_open(MIB);

	(void)state;
	for (size_t depth = 32; depth <= 33; depth++) {
		struct template_set *set = template_set_open();
		struct buf b = BUF(arena, 4 * KIB);
		char error[256];
		pt_str source;
		pt_err err;

		for (size_t i = 0; i < depth; i++)
			buf_str(&b, PT_STR("{{#a}}"));
		for (size_t i = 0; i < depth; i++)
			buf_str(&b, PT_STR("{{/a}}"));
		assert_int_equal(buf_done(&b, &source), PT_OK);
		err = template_add(set, PT_STR("x"), PT_STR("x"), source, TEMPLATE_MUSTACHE,
			TEMPLATE_HTML, error);
		assert_int_equal(err, depth == 32 ? PT_OK : PT_F_CONFIG);
		template_set_close(set);
	}
	arena_close(arena);
}

static void a_huge_template_is_refused(void **state)
{
	struct template_set *set = template_set_open();
	size_t limit = 256 * KIB;
	char *text = test_malloc(limit + 1);
	char error[256];

	(void)state;
	memset(text, 'a', limit + 1);
	assert_int_equal(template_add(set, PT_STR("x"), PT_STR("x"), str_n(text, limit),
				 TEMPLATE_MUSTACHE, TEMPLATE_HTML, error),
		PT_OK);
	assert_int_equal(template_add(set, PT_STR("y"), PT_STR("y"), str_n(text, limit + 1),
				 TEMPLATE_MUSTACHE, TEMPLATE_HTML, error),
		PT_F_CONFIG);
	assert_string_equal(error, "y:1: a template may have 256 KiB");
	assert_false(template_has(set, PT_STR("y")));
	test_free(text);
	template_set_close(set);
}

static void a_missing_partial_is_found_when_loaded(void **state)
{
	struct template_set *set = template_set_open();
	char error[256];

	(void)state;
	assert_int_equal(add(set, "page", "a\n\n{{> partials/field }}"), PT_OK);
	assert_int_equal(template_set_check(set, error), PT_F_CONFIG);
	assert_string_equal(error, "page:3: partial \"partials/field\" does not exist");
	assert_int_equal(add(set, "partials/field", "ok"), PT_OK);
	assert_int_equal(template_set_check(set, error), PT_OK);
	template_set_close(set);
}

static void partials_in_a_circle_are_refused(void **state)
{
	struct template_set *set = template_set_open();
	char error[256];

	(void)state;
	assert_int_equal(add(set, "a", "{{>b}}"), PT_OK);
	assert_int_equal(add(set, "b", "\n{{>a}}"), PT_OK);
	assert_int_equal(template_set_check(set, error), PT_F_CONFIG);
	assert_string_equal(error, "b:2: partial \"a\" includes itself without end");
	assert_int_equal(add(set, "b", "{{#x}}{{>a}}{{/x}}"), PT_OK);
	assert_int_equal(template_set_check(set, error), PT_OK);
	template_set_close(set);
}

static void a_page_may_not_include_plain_text(void **state)
{
	struct template_set *set = template_set_open();
	char error[256];

	(void)state;
	assert_int_equal(add(set, "a", "{{>b}}"), PT_OK);
	assert_int_equal(template_add(set, PT_STR("b"), PT_STR("b"), PT_STR("{{x}}"),
				 TEMPLATE_MUSTACHE, TEMPLATE_TEXT, error),
		PT_OK);
	assert_int_equal(template_set_check(set, error), PT_F_CONFIG);
	assert_string_equal(error, "a:1: partial \"b\" is not escaped as this template is");
	template_set_close(set);
}

static void endless_recursion_stops_at_the_depth(void **state)
{
	struct template_set *set = template_set_open();
	struct arena *arena = arena_open(MIB);
	struct value *map = value_map(arena);
	struct buf b = BUF(arena, KIB);
	char error[256];

	(void)state;
	value_bool(map, "again", true);
	assert_int_equal(add(set, "a", "x{{#again}}{{>a}}{{/again}}"), PT_OK);
	assert_int_equal(template_set_check(set, error), PT_OK);
	buf_str(&b, PT_STR("before"));
	assert_int_equal(template_render(set, PT_STR("a"), map, &b), PT_F_RENDER);
	assert_string_equal(buf_view(&b).p, "before");
	arena_close(arena);
	template_set_close(set);
}

static void too_many_steps_stop_the_rendering(void **state)
{
	struct template_set *set = template_set_open();
	struct arena *arena = arena_open(16 * MIB);
	struct value *map = value_map(arena);
	struct value *list = value_list(map, "l");
	struct buf b = BUF(arena, MIB);
	char error[256];

	(void)state;
	for (int i = 0; i < 400; i++)
		value_item_str(list, PT_STR("x"));
	assert_int_equal(add(set, "square", "{{#l}}{{#l}}{{/l}}{{/l}}"), PT_OK);
	assert_int_equal(add(set, "cube", "{{#l}}{{#l}}{{.}}{{/l}}{{/l}}"), PT_OK);
	assert_int_equal(template_set_check(set, error), PT_OK);
	assert_int_equal(template_render(set, PT_STR("square"), map, &b), PT_OK);
	assert_int_equal(template_render(set, PT_STR("cube"), map, &b), PT_F_RENDER);
	arena_close(arena);
	template_set_close(set);
}

static void a_full_buffer_is_a_fault(void **state)
{
	struct template_set *set = template_set_open();
	struct arena *arena = arena_open(MIB);
	struct buf b = BUF(arena, 4);

	(void)state;
	assert_int_equal(add(set, "a", "12345"), PT_OK);
	assert_int_equal(template_render(set, PT_STR("a"), value_map(arena), &b), PT_F_RENDER);
	arena_close(arena);
	template_set_close(set);
}

static void an_unknown_template_is_a_fault(void **state)
{
	struct template_set *set = template_set_open();
	struct arena *arena = arena_open(MIB);
	struct buf b = BUF(arena, KIB);

	(void)state;
	assert_int_equal(template_render(set, PT_STR("a"), value_map(arena), &b), PT_F_RENDER);
	arena_close(arena);
	template_set_close(set);
}

static void values_that_did_not_fit_are_a_fault(void **state)
{
	struct template_set *set = template_set_open();
	struct arena *small = arena_open(2 * KIB);
	struct arena *arena = arena_open(MIB);
	struct value *map = value_map(small);
	struct value *list = value_list(map, "l");
	struct buf b = BUF(arena, KIB);

	(void)state;
	assert_int_equal(add(set, "a", "ok"), PT_OK);
	assert_int_equal(template_render(set, PT_STR("a"), map, &b), PT_OK);
	for (int i = 0; i < 1000; i++)
		value_str(value_item(list), "a", PT_STR("b"));
	assert_int_equal(template_render(set, PT_STR("a"), map, &b), PT_F_RENDER);
	assert_int_equal(template_render(set, PT_STR("a"), NULL, &b), PT_F_RENDER);
	arena_close(small);
	arena_close(arena);
	template_set_close(set);
}

static void a_shared_map_serves_many_renderings(void **state)
{
	struct template_set *set = template_set_open();
	struct arena *arena = arena_open(MIB);
	struct value *texts = value_map(arena);
	struct value *signin = value_child(texts, "signin");

	(void)state;
	value_str(signin, "title", PT_STR("Sign In"));
	assert_int_equal(add(set, "a", "{{t.signin.title}} {{name}}"), PT_OK);
	for (int i = 0; i < 3; i++) {
		struct value *map = value_map(arena);
		struct buf b = BUF(arena, KIB);

		value_shared(map, "t", texts);
		value_str(map, "name", i ? PT_STR("A") : PT_STR("B"));
		assert_int_equal(template_render(set, PT_STR("a"), map, &b), PT_OK);
		assert_string_equal(buf_view(&b).p, i ? "Sign In A" : "Sign In B");
	}
	arena_close(arena);
	template_set_close(set);
}

static void a_shared_map_that_is_broken_breaks_the_page(void **state)
{
	struct template_set *set = template_set_open();
	struct arena *arena = arena_open(MIB);
	struct value *map = value_map(arena);
	struct buf b = BUF(arena, KIB);

	(void)state;
	assert_int_equal(add(set, "a", "x"), PT_OK);
	value_shared(map, "t", NULL);
	assert_int_equal(template_render(set, PT_STR("a"), map, &b), PT_F_RENDER);
	arena_close(arena);
	template_set_close(set);
}

static void the_later_of_two_values_counts(void **state)
{
	struct template_set *set = template_set_open();
	struct arena *arena = arena_open(MIB);
	struct value *map = value_map(arena);
	struct buf b = BUF(arena, KIB);

	(void)state;
	assert_int_equal(add(set, "a", "{{x}}"), PT_OK);
	value_str(map, "x", PT_STR("old"));
	value_str(map, "x", PT_STR("new"));
	assert_int_equal(template_render(set, PT_STR("a"), map, &b), PT_OK);
	assert_string_equal(buf_view(&b).p, "new");
	arena_close(arena);
	template_set_close(set);
}

static void a_template_added_again_replaces_the_first(void **state)
{
	struct template_set *set = template_set_open();
	struct arena *arena = arena_open(MIB);
	struct buf b = BUF(arena, KIB);

	(void)state;
	assert_int_equal(add(set, "a", "old"), PT_OK);
	assert_int_equal(add(set, "a", "new"), PT_OK);
	assert_int_equal(add(set, "a", "{{broken"), PT_F_CONFIG);
	assert_int_equal(template_render(set, PT_STR("a"), value_map(arena), &b), PT_OK);
	assert_string_equal(buf_view(&b).p, "new");
	arena_close(arena);
	template_set_close(set);
}

static void a_text_is_found_by_its_path(void **state)
{
	struct arena *arena = arena_open(MIB);
	struct value *map = value_map(arena);

	(void)state;
	value_str(map, "title", PT_STR("Sign In"));
	value_str(value_child(map, "signin"), "title", PT_STR("deep"));
	value_int(map, "number", 7);
	assert_true(str_eq(value_text(map, PT_STR("title")), PT_STR("Sign In")));
	assert_true(str_eq(value_text(map, PT_STR("signin.title")), PT_STR("deep")));
	assert_int_equal(value_text(map, PT_STR("signin")).n, 0);
	assert_int_equal(value_text(map, PT_STR("signin.other")).n, 0);
	assert_int_equal(value_text(map, PT_STR("title.more")).n, 0);
	assert_int_equal(value_text(map, PT_STR("number")).n, 0);
	arena_close(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_vanish),
		cmocka_unit_test(delimiters_can_be_set),
		cmocka_unit_test(values_are_shown_escaped),
		cmocka_unit_test(sections_show_and_repeat),
		cmocka_unit_test(inverted_sections_show_what_is_missing),
		cmocka_unit_test(partials_are_shown_and_indented),
		cmocka_unit_test(indentation_adds_up_over_partials),
		cmocka_unit_test(plain_text_is_not_escaped),
		cmocka_unit_test(broken_mustache_names_its_line),
		cmocka_unit_test(too_many_nested_blocks_are_refused),
		cmocka_unit_test(a_huge_template_is_refused),
		cmocka_unit_test(a_missing_partial_is_found_when_loaded),
		cmocka_unit_test(partials_in_a_circle_are_refused),
		cmocka_unit_test(a_page_may_not_include_plain_text),
		cmocka_unit_test(endless_recursion_stops_at_the_depth),
		cmocka_unit_test(too_many_steps_stop_the_rendering),
		cmocka_unit_test(a_full_buffer_is_a_fault),
		cmocka_unit_test(an_unknown_template_is_a_fault),
		cmocka_unit_test(values_that_did_not_fit_are_a_fault),
		cmocka_unit_test(a_shared_map_serves_many_renderings),
		cmocka_unit_test(a_shared_map_that_is_broken_breaks_the_page),
		cmocka_unit_test(the_later_of_two_values_counts),
		cmocka_unit_test(a_text_is_found_by_its_path),
		cmocka_unit_test(a_template_added_again_replaces_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
